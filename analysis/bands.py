"""Bands of a skill: the latest, the criteria; and the evaluations around one.

Writing and Speaking are never averaged together: an overall IELTS band needs Listening and Reading too.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from analysis import tasks
from data.records.frames import AHEAD, PROFILE
from data.schema import COMPLETED, OVERALL, WRITING


@dataclass(frozen=True, slots=True)
class SkillBands:
    """One student's bands in one skill: the latest, NaN where there is none, and how many."""

    latest: float
    scored: int


def nearest_half(mean: float) -> float:
    """The mean of the criteria as a band: .25 goes up to the half, .75 up to the whole (round() would tie to even).

    https://ielts.org/take-a-test/your-results

    >>> nearest_half(6.125), nearest_half(6.25), nearest_half(6.75), nearest_half(3.875)
    (6.0, 6.5, 7.0, 4.0)
    """
    return math.floor(2 * mean + 0.5) / 2


def scored(history: pd.DataFrame, skill: str) -> pd.DataFrame:
    """The completed evaluations of `skill` with a readable band, in the order of `history`."""
    return history[is_scored(history, skill)]


def is_scored(history: pd.DataFrame, skill: str) -> pd.Series:
    """Which rows those are."""
    of_skill = (history["evaluation_type"] == skill) & (history["status"] == COMPLETED)
    return of_skill & history[OVERALL].notna()


def skill_bands(history: pd.DataFrame, skill: str) -> SkillBands:
    """Bands of `skill` in a history that is newest first. Evaluations without a time come last."""
    bands = scored(history, skill)[OVERALL].tolist()
    return SkillBands(bands[0] if bands else math.nan, len(bands))


def criteria_profile(history: pd.DataFrame, skill: str) -> pd.DataFrame:
    """A row per criterion of `skill`: criterion (attribute), name, latest, median, attempts; NaN where unknown."""
    of_skill = scored(history, skill)
    rows = []
    for criterion, name in tasks.criteria(skill, tasks.shared(of_skill)).items():
        bands = of_skill[criterion].dropna()
        rows.append(
            {
                "criterion": criterion,
                "name": name,
                "latest": of_skill[criterion].iloc[0] if len(of_skill) else math.nan,
                "median": bands.median(),
                "attempts": len(bands),
            }
        )
    return PROFILE.typed(pd.DataFrame(rows))


def before(history: pd.DataFrame, evaluation_id: str) -> pd.Series | None:
    """The previous completed evaluation of the same skill, None when there is none or the order is unknown.

    In Writing it is none that is known to be of the other task, which IELTS scores by other criteria.
    """
    return _neighbour(history, evaluation_id, completed_only=True, older=True)


def after(history: pd.DataFrame, evaluation_id: str) -> pd.Series | None:
    """The next completed evaluation of the same skill, likewise."""
    return _neighbour(history, evaluation_id, completed_only=True, older=False)


def is_first(history: pd.DataFrame, evaluation_id: str) -> bool:
    """Whether it is surely the first completed evaluation of its skill: no other is older, or of an unknown time."""
    own = history[history["evaluation_id"] == evaluation_id]
    if own.empty or own["created_at"].isna().any():
        return False
    others = history[(history["evaluation_type"] == own["evaluation_type"].iloc[0]) & (history["status"] == COMPLETED)]
    times = others.loc[others["evaluation_id"] != evaluation_id, "created_at"]
    return bool((times > own["created_at"].iloc[0]).all())


def older(history: pd.DataFrame, evaluation_id: str) -> pd.Series | None:
    """The evaluation just before, of any skill and status."""
    return _neighbour(history, evaluation_id, completed_only=False, older=True)


def newer(history: pd.DataFrame, evaluation_id: str) -> pd.Series | None:
    """The evaluation just after, of any skill and status."""
    return _neighbour(history, evaluation_id, completed_only=False, older=False)


def _neighbour(history: pd.DataFrame, evaluation_id: str, *, completed_only: bool, older: bool) -> pd.Series | None:
    timed = history[history["created_at"].notna()].reset_index(drop=True)
    places = timed.index[timed["evaluation_id"] == evaluation_id]
    if len(places) == 0:
        return None
    here = int(places[0])
    others = timed.iloc[here + 1 :] if older else timed.iloc[:here][::-1]
    if completed_only:
        others = _of_same_task(scored(others, timed.iloc[here]["evaluation_type"]), timed.iloc[here])
    return None if others.empty else others.iloc[0]


def _of_same_task(others: pd.DataFrame, evaluation: pd.Series) -> pd.DataFrame:
    """Those of a skill without the ones that are known to be of the other Writing task than the evaluation."""
    task = tasks.of_model(evaluation["model_used"]) if evaluation["evaluation_type"] == WRITING else None
    if task is None:
        return others
    tasks_of = others["model_used"].map(tasks.of_model)
    return others[tasks_of.isna() | (tasks_of == task)]


def since(history: pd.DataFrame, first: datetime | None) -> pd.DataFrame:
    """The evaluations from `first` on; all of them, also those without a readable time, when it is None."""
    return history if first is None else history[history["created_at"] >= first].reset_index(drop=True)


def future_last(history: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """The history with what is dated in the future behind all else: such a time is a mistake, and no newest one."""
    is_future = history["created_at"] > now + AHEAD
    return pd.concat([history[~is_future], history[is_future]]) if is_future.any() else history


def band_range(bands: pd.Series) -> tuple[float, float]:
    """The range of a band axis: what the data needs, never less than two bands, so that noise makes no mountain.

    >>> band_range(pd.Series([6.5, 6.5])), band_range(pd.Series([3.0, 8.5])), band_range(pd.Series([9.0]))
    ((5.4, 7.6), (2.9, 8.6), (6.9, 9.1))
    """
    bands = bands.dropna()
    low, high = (math.floor(bands.min() * 2) / 2, math.ceil(bands.max() * 2) / 2) if len(bands) else (4.0, 7.0)
    missing = max(0.0, 2.0 - (high - low))
    low, high = low - missing / 2, high + missing / 2
    if high > 9:
        low, high = max(0.0, low - (high - 9)), 9.0
    if low < 0:
        low, high = 0.0, max(high, 2.0)
    return round(low - 0.1, 2), round(high + 0.1, 2)
