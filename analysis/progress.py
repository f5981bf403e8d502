"""A student's level and trend in one skill, which claim no more than noisy scores allow.

Published essay scorers err by half a band and more against examiners, so one attempt tells little. The level is the
median of the last three; a trend is claimed only when its 95 % interval excludes zero.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis import bands
from data.schema import CRITERIA, OVERALL

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Times: TypeAlias = np.ndarray[Any, np.dtype[np.datetime64]]
Word: TypeAlias = Literal["rising", "falling", "steady", "not enough evidence"]

WINDOW = timedelta(days=180)
"""How far back level and trend look: the same on every page, whatever period is on screen."""
ATTEMPTS_OF_LEVEL = 3
ATTEMPTS_OF_TREND = 4
SPAN_OF_TREND = timedelta(days=14)
"""Attempts of a few days say nothing about a pace per month."""
STEADY = 0.25
"""Bands a month: an interval that stays within this, either way, is steady rather than unknown."""
MONTH = timedelta(days=365.25 / 12)
FARTHEST = timedelta(days=365)
"""A forecast beyond this is not given."""
_TWO_SIDED_95 = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class Trend:
    """Bands a month by Theil and Sen, with its 95 % interval; NaN where there is none.

    `level` and `when` are a point of the line: the medians of the bands and of the times.
    """

    word: Word
    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = math.nan
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """A student's progress in one skill. `level` is NaN without an attempt in the window; `attempts` are those in it.

    `last` is when the newest one was. `criteria` are the criteria's own levels, NaN where none was recorded.
    """

    level: float
    attempts: int
    trend: Trend
    last: datetime | None
    criteria: dict[str, float]


@dataclass(frozen=True, slots=True)
class Weakest:
    """The lowest criteria of a skill (several when they tie), their level, and how far below the median of the rest."""

    criteria: tuple[str, ...]
    level: float
    gap: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a target may be reached at the present pace: not a day but the range that the trend's interval leaves."""

    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Attempts:
    """Scored attempts of one student in one skill, oldest first, as arrays of the same length.

    `times` are UTC without a zone; `criteria` has a column per criterion of the skill, NaN where unknown.
    """

    skill: str
    times: Times
    bands: Floats
    criteria: Floats
    ids: np.ndarray[Any, np.dtype[np.object_]]

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, part: slice) -> "Attempts":
        return Attempts(self.skill, self.times[part], self.bands[part], self.criteria[part], self.ids[part])

    def since(self, moment: datetime) -> "Attempts":
        """Those at `moment` and later."""
        return self[int(np.searchsorted(self.times, _naive(moment))) :]

    def before(self, moment: datetime) -> "Attempts":
        """Those earlier than `moment`."""
        return self[: int(np.searchsorted(self.times, _naive(moment)))]

    def when(self, place: int) -> datetime:
        """The time of one attempt."""
        return _utc(self.times[place])


NOTHING = Trend("not enough evidence")


def attempts(history: pd.DataFrame, skill: str) -> Attempts:
    """The completed evaluations of `skill` with a band and a time, whatever the order of `history`."""
    return _arrays(_timed(history, skill), skill)


def by_student(evaluations: pd.DataFrame, skill: str) -> dict[str, Attempts]:
    """The attempts of each student; evaluations whose student cannot be read are nobody's."""
    timed = _timed(evaluations[evaluations["user_id"].notna()], skill).sort_values("user_id", kind="stable")
    everybody = _arrays(timed, skill)
    places, names = pd.factorize(timed["user_id"])
    edges = np.searchsorted(places, range(len(names) + 1)).tolist()
    return {name: everybody[start:end] for name, start, end in zip(names, edges, edges[1:], strict=False)}


def progress(all_attempts: Attempts, now: datetime) -> Progress:
    """Level and trend at `now`, from the attempts of the last 180 days."""
    window = all_attempts.since(now - WINDOW)
    newest = window[-ATTEMPTS_OF_LEVEL:]
    return Progress(
        level=median(newest.bands),
        attempts=len(window),
        trend=trend(window.times, window.bands),
        last=newest.when(-1) if len(newest) else None,
        criteria={name: median(newest.criteria[:, n]) for n, name in enumerate(CRITERIA[window.skill])},
    )


def levels(scores: Sequence[float] | Floats) -> list[float]:
    """The level after each attempt, oldest first: the median of it and the two before, of fewer at the beginning.

    >>> levels([5.0, 6.0, 7.0, 5.5])
    [5.0, 5.5, 6.0, 6.0]
    """
    return [median(scores[max(0, n + 1 - ATTEMPTS_OF_LEVEL) : n + 1]) for n in range(len(scores))]


def level_before(all_attempts: Attempts, moment: datetime) -> float:
    """The level as it stood just before `moment`; NaN when there was no attempt in the 180 days before it."""
    earlier = all_attempts.since(moment - WINDOW).before(moment)
    return median(earlier.bands[-ATTEMPTS_OF_LEVEL:])


def trend(times: Times, scores: Floats) -> Trend:
    """Theil-Sen slope in bands a month with its 95 % interval, in a word. `times` are oldest first.

    Rising or falling: at least four attempts over at least two weeks, and the interval excludes zero. Steady: it
    includes zero and stays within a quarter of a band a month. Otherwise there is not enough evidence. Attempts of the
    same day (UTC) are not compared with each other.

    Four attempts in perfect order, or two sessions of two, come about by chance too often for 95 %: where the interval
    would reach beyond the steepest pair of attempts, there is none.
    P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968), pages 1379-1389.
    """
    if len(times) < ATTEMPTS_OF_TREND or times[-1] - times[0] < np.timedelta64(SPAN_OF_TREND):
        return NOTHING
    # By whole days: the slope between two attempts of one session would be hundreds of bands a month.
    days = times.astype("datetime64[D]")
    months = (days - days[0]) / np.timedelta64(MONTH)
    apart = months - months[:, np.newaxis]
    slopes = np.sort((scores - scores[:, np.newaxis])[apart > 0] / apart[apart > 0])
    spread = _TWO_SIDED_95 * math.sqrt(_variance(months, scores))
    first, last = round((len(slopes) - spread) / 2) - 1, round((len(slopes) + spread) / 2)
    if first < 0 or last >= len(slopes):
        return NOTHING
    slope, low, high = float(np.median(slopes)), float(slopes[first]), float(slopes[last])
    if low > 0:
        word: Word = "rising"
    elif high < 0:
        word = "falling"
    elif low >= -STEADY and high <= STEADY:
        word = "steady"
    else:
        word = "not enough evidence"
    middle = _utc(days[0]) + float(np.median(months)) * MONTH
    return Trend(word, slope, low, high, median(scores), middle)


def weakest(criteria: dict[str, float]) -> Weakest | None:
    """The lowest criterion, or those that tie for it; None when fewer than two are known or none stands out.

    >>> weakest({"a": 6.0, "b": 5.0, "c": 6.5, "d": 6.0})
    Weakest(criteria=('b',), level=5.0, gap=1.0)
    """
    known = {name: level for name, level in criteria.items() if not math.isnan(level)}
    if len(known) < 2:
        return None
    lowest = min(known.values())
    names = tuple(name for name, level in known.items() if level == lowest)
    rest = [level for name, level in known.items() if name != names[0]]
    gap = median(rest) - lowest
    return Weakest(names, lowest, gap) if gap > 0 else None


def forecast(level: float, target: float, trend: Trend, now: datetime) -> Forecast | None:
    """When the level may reach `target`; None unless it is below it, rises, and the interval ends within a year."""
    missing = target - level
    if math.isnan(missing) or missing <= 0 or trend.word != "rising":
        return None
    latest = missing / trend.low  # months
    if latest > FARTHEST / MONTH:
        return None
    return Forecast(now + missing / trend.high * MONTH, now + latest * MONTH)


def median(values: Sequence[float] | Floats) -> float:
    """The median of the known values, NaN of none."""
    known = sorted(value for value in map(float, values) if not math.isnan(value))
    if not known:
        return math.nan
    middle = len(known) // 2
    return known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2


def _variance(one: Floats, other: Floats) -> float:
    """The variance of Kendall's S over all orders, with ties in both: zero where all of one tie, and never less.

    M. G. Kendall, Rank Correlation Methods, 4th edition (1970); scipy.stats.kendalltau has the same.
    """
    n = len(one)
    t, u = (np.unique(values, return_counts=True)[1].astype("float64") for values in (one, other))
    pairs, triples = n * (n - 1), n * (n - 1) * (n - 2)
    found = (pairs * (2 * n + 5) - (t * (t - 1) * (2 * t + 5)).sum() - (u * (u - 1) * (2 * u + 5)).sum()) / 18
    found += (t * (t - 1) * (t - 2)).sum() * (u * (u - 1) * (u - 2)).sum() / (9 * triples)
    found += (t * (t - 1)).sum() * (u * (u - 1)).sum() / (2 * pairs)
    return max(0.0, float(found))  # rounding may leave a trifle below zero


def lower_median(values: Sequence[float] | Floats) -> float:
    """The highest of the known values that at least half of them reach, NaN of none.

    >>> lower_median([6.0, 6.5]), lower_median([5.0, 6.0, 7.0])
    (6.0, 6.0)
    """
    known = sorted(value for value in map(float, values) if not math.isnan(value))
    return known[(len(known) - 1) // 2] if known else math.nan


def _timed(evaluations: pd.DataFrame, skill: str) -> pd.DataFrame:
    """Oldest first; equal times are ordered by evaluation_id, so that the same records always give the same numbers."""
    scored = bands.scored(evaluations, skill)
    return scored[scored["created_at"].notna()].sort_values(["created_at", "evaluation_id"], kind="stable")


def _arrays(timed: pd.DataFrame, skill: str) -> Attempts:
    return Attempts(
        skill,
        timed["created_at"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]"),
        timed[OVERALL].to_numpy(dtype="float64"),
        timed[list(CRITERIA[skill])].to_numpy(dtype="float64"),
        timed["evaluation_id"].to_numpy(dtype="object"),
    )


def _utc(moment: np.datetime64) -> datetime:
    naive: datetime = moment.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)


def _naive(moment: datetime) -> np.datetime64:
    return np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us")
