"""Two evaluations of a student: which two, and what of them can be compared."""

import math
from dataclasses import dataclass

import pandas as pd

from analysis import bands
from data.records.evaluations import Evaluation
from data.schema import BANDS, COMPLETED, CRITERIA, OVERALL


@dataclass(frozen=True, slots=True)
class Row:
    """A band of both evaluations, NaN where unknown; `change` is NaN too where there is nothing to compare."""

    band: str
    first: float
    second: float
    change: float


def pair(history: pd.DataFrame, first: str | None, second: str | None) -> tuple[str, str] | None:
    """The ids of the two to compare, the older one first; None when the history, newest first, has no two.

    Those asked for; where one is, its neighbour among the completed ones of its skill; where none is, the latest two
    completed of the same skill. Failing that, the next one of whatever kind.
    """
    if first is not None and second is not None:
        return first, second
    ids = list(dict.fromkeys(history["evaluation_id"].dropna()))
    if second is not None:
        other = _before(history, second) or _after(history, second) or _next(ids, second)
        return None if other is None else (other, second)
    if first is not None:
        other = _after(history, first) or _before(history, first) or _next(ids[::-1], first)
        return None if other is None else (first, other)
    for evaluation_id in history.loc[history["status"] == COMPLETED, "evaluation_id"].dropna():
        if earlier := _before(history, evaluation_id):
            return earlier, evaluation_id
    return (ids[1], ids[0]) if len(ids) > 1 else None


def rows(first: Evaluation, second: Evaluation) -> list[Row]:
    """The bands of both, the overall one first, with their changes; of different skills, the criteria that both have.

    Those have no change: a band of one skill is not measured against one of the other.
    """
    same = same_skill(first, second)
    own = CRITERIA.get(first.type or "", {}), CRITERIA.get(second.type or "", {})
    listed = []
    for name in dict.fromkeys([OVERALL, *own[0], *BANDS]):
        both = [not math.isnan(evaluation.bands[name]) for evaluation in (first, second)]
        expected = [name in criteria for criteria in own]
        if same:
            is_compared = name == OVERALL or any(expected) or any(both)
        else:
            is_compared = name != OVERALL and (all(expected) or all(both))
        if is_compared:
            listed.append(name)
    return [
        Row(name, one, other, other - one if same else math.nan)
        for name in listed
        for one, other in [(first.bands[name], second.bands[name])]
    ]


def same_skill(first: Evaluation, second: Evaluation) -> bool:
    """Whether both are known to be of one skill."""
    return first.type is not None and first.type == second.type


def _next(ids: list[str], evaluation_id: str) -> str | None:
    """The id that follows in the list; the first other one where none does."""
    if evaluation_id in ids[:-1]:
        return ids[ids.index(evaluation_id) + 1]
    return next((other for other in ids if other != evaluation_id), None)


def _before(history: pd.DataFrame, evaluation_id: str) -> str | None:
    return _id(bands.before(history, evaluation_id))


def _after(history: pd.DataFrame, evaluation_id: str) -> str | None:
    return _id(bands.after(history, evaluation_id))


def _id(row: pd.Series | None) -> str | None:
    return None if row is None else str(row["evaluation_id"])
