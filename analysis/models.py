"""Models side by side: what bands each gave, when one took over from another, and by how much bands shifted then."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from analysis.bands import scored
from data.schema import OVERALL, TYPES

UNKNOWN = "unknown"

# Two models side by side are no takeover: after it, at most a tenth of what both judge is still the old one's. A model
# that judged fewer than five is a trial.
STRAGGLERS = 0.1
FEWEST = 5
# A student's level on either side is the median of up to three evaluations, those nearest to the takeover: close
# enough that little was learned in between, and one lucky day does not count for all.
NEAREST = 3
ONE_IN = 20  # how often a 95 % interval may miss


@dataclass(frozen=True, slots=True)
class Takeover:
    """`model` judged evaluations of `skill` from `at` on; those of `replaced` did so before, and hardly since."""

    skill: str
    model: str
    replaced: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """How bands differ across a takeover, for the `students` whom both sides scored; in bands, new minus old.

    `median` is NaN without students; `low` and `high`, the ends of a 95 % interval of it, are NaN where there are too
    few. `days` is the median of the days between the evaluations compared.
    """

    students: int
    median: float
    low: float
    high: float
    days: float

    @property
    def shown(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def by_model(evaluations: pd.DataFrame) -> pd.DataFrame:
    """A row per type and model: type, model, scored, students, median, q1, q3, spread, first, last.

    Of completed evaluations with a band. q1 and q3 are the quartiles, with linear interpolation between the two
    nearest bands; spread is q3 - q1, the band width of the middle half. Sorted by type and first use.
    """
    rows = []
    for skill in TYPES:
        of_skill = _named(scored(evaluations, skill))
        for model, of_model in of_skill.groupby("model_used", sort=True):
            q1, median, q3 = of_model[OVERALL].quantile([0.25, 0.5, 0.75])
            rows.append(
                {
                    "type": skill,
                    "model": model,
                    "scored": len(of_model),
                    "students": of_model["user_id"].nunique(),
                    "median": median,
                    "q1": q1,
                    "q3": q3,
                    "spread": q3 - q1,
                    "first": of_model["created_at"].min(),
                    "last": of_model["created_at"].max(),
                }
            )
    columns = ["type", "model", "scored", "students", "median", "q1", "q3", "spread", "first", "last"]
    table = pd.DataFrame(rows, columns=columns)
    place = table["type"].map({skill: n for n, skill in enumerate(TYPES)})
    return table.assign(_place=place).sort_values(["_place", "first", "model"], ignore_index=True)[columns]


def takeovers(evaluations: pd.DataFrame, skill: str) -> list[Takeover]:
    """When which model took over in `skill`, oldest first.

    B took over from A at B's first evaluation, when A had judged at least five before it, B judged at least five, at
    most a tenth of what both judged from then on is A's, and no third model came between them.
    """
    timed = _timed(evaluations, skill)
    times = {str(model): times.sort_values() for model, times in timed.groupby("model_used")["created_at"]}
    used = {model: stamps for model, stamps in times.items() if len(stamps) >= FEWEST}

    def follows(new: str, old: str) -> bool:
        start = used[new].iloc[0]
        before, after = int((used[old] < start).sum()), int((used[old] >= start).sum())
        return before >= FEWEST and after <= STRAGGLERS * (after + len(used[new]))

    found = []
    for new in sorted(used):
        old = [model for model in sorted(used) if model != new and follows(new, model)]
        last = tuple(m for m in old if not any(follows(between, m) for between in old if between != m))
        if last:
            found.append(Takeover(skill, new, last, used[new].iloc[0].to_pydatetime()))
    return sorted(found, key=lambda takeover: (takeover.at, takeover.model))


def shift(evaluations: pd.DataFrame, takeover: Takeover) -> Shift:
    """How bands moved at `takeover`, in the students whom the old models scored before it and the new one after.

    Per student: the median of up to three bands of the new model just after, minus that of the old ones just before.
    Then the median of these differences, with the interval of `median_interval`. What the students learned in between
    is in it too.
    """
    timed = _timed(evaluations, takeover.skill)
    timed = timed[timed["user_id"].notna()]
    old = timed[timed["model_used"].isin(takeover.replaced) & (timed["created_at"] < takeover.at)]
    new = timed[(timed["model_used"] == takeover.model) & (timed["created_at"] >= takeover.at)]
    before = old.groupby("user_id").tail(NEAREST).groupby("user_id")
    after = new.groupby("user_id").head(NEAREST).groupby("user_id")
    differences = (after[OVERALL].median() - before[OVERALL].median()).dropna()
    days = (after["created_at"].median() - before["created_at"].median()).dropna().dt.total_seconds().median() / 86400
    return Shift(len(differences), *median_interval(differences.tolist()), float(days))


def median_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, and an interval that holds the true median with at least 95 % certainty; NaN where there is none.

    Exact and without assumptions about how the values are spread: each value is above the true median with chance one
    half, so of n sorted values the k-th and the k-th from the end enclose it with certainty 1 - 2 P(B <= k - 1), where
    B is binomial(n, 1/2). k is the largest with which that is at least 95 %. With fewer than six values there is none:
    even the smallest and the largest of five reach only 1 - 2/32 = 93.75 %.

    >>> median_interval([0.5, -0.5, 0.0, 1.0, 1.5, 0.5])
    (0.5, -0.5, 1.5)
    """
    ordered = sorted(values)
    n = len(ordered)
    if n == 0:
        return math.nan, math.nan, math.nan
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    k, below = 0, 0  # below: how many of the 2**n outcomes have at most k - 1 values under the median
    while k < n // 2:
        more = below + math.comb(n, k)
        if 2 * more * ONE_IN > 2**n:
            break
        k, below = k + 1, more
    return (median, ordered[k - 1], ordered[n - k]) if k else (median, math.nan, math.nan)


def over_time(evaluations: pd.DataFrame, skill: str, zone: str) -> pd.DataFrame:
    """Bands of `skill` per model and day, or per week where they span more than a month: start, model, median, scored.

    `start` is the local day in `zone`, or the Monday of the week, as datetime64 without a zone. Days and weeks without
    an evaluation are not there: gaps stay gaps.
    """
    timed = _timed(evaluations, skill)
    days = timed["created_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    if len(days) and days.max() - days.min() > pd.Timedelta(days=31):
        days = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    groups = timed.assign(start=days).groupby(["model_used", "start"])[OVERALL]
    table = groups.agg(median="median", scored="size").reset_index().rename(columns={"model_used": "model"})
    return table[["start", "model", "median", "scored"]]


def _named(evaluations: pd.DataFrame) -> pd.DataFrame:
    """With a word for a model that the record does not name."""
    return evaluations.assign(model_used=[model or UNKNOWN for model in evaluations["model_used"]])


def _timed(evaluations: pd.DataFrame, skill: str) -> pd.DataFrame:
    """The scored evaluations of `skill` with a time, oldest first, whatever order they came in."""
    of_skill = _named(scored(evaluations, skill))
    timed = of_skill[of_skill["created_at"].notna()]
    return timed.sort_values(["created_at", "evaluation_id", "user_id", OVERALL], kind="stable", ignore_index=True)
