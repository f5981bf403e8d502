"""What may be said of a student in a skill: level with its margin, trend, change, path to a target.

All of it follows from one line per student (analysis/levels/growth.py) through the attempts of the last 180 days.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.levels import attempts, criteria, growth
from analysis.levels.attempts import Cohort
from analysis.levels.criteria import Weakest
from analysis.levels.growth import Floats, Panel
from data.schema import CRITERIA, TYPES

Word: TypeAlias = Literal["rising", "declining", "steady", "no clear change", "not enough data", "paused"]

WINDOW = timedelta(days=180)
"""How far back level and trend look: the same on every page, whatever period is on screen."""
PAUSE = timedelta(days=30)
"""Without an attempt for longer, nothing is said in the present tense."""
ATTEMPTS_OF_TREND = 5
SPAN_OF_TREND = timedelta(days=28)
"""Fewer attempts than five, or of less than four weeks, say nothing of a pace per month."""
STEADY = 0.1
"""Bands a month: steady is whose interval lies within this, either way."""
_MOMENT = timedelta(microseconds=1)  # of the clock: the smallest step of a time
MONTH = timedelta(days=growth.DAYS_A_MONTH)
FARTHEST = timedelta(days=365)
"""A forecast beyond this is not given."""
MOST_A_MONTH = 0.5
"""Bands a month: no study saw a class of learners gain more. The pace that a path to a target may hope for."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How the attempts in one skill scatter: overall bands around a student's line, criteria around each other."""

    overall: growth.Noise = growth.DEFAULT
    criteria: float = criteria.DEFAULT_SCATTER


Noises: TypeAlias = dict[str, Noise]
DEFAULT_NOISES: Noises = {skill: Noise() for skill in TYPES}


@dataclass(frozen=True, slots=True)
class Trend:
    """Bands a month with the 95 % interval, NaN where there are too few attempts; `since` is the oldest of them.

    `was` is the word of the time before a pause, None of somebody who practises.
    """

    word: Word
    slope: float = math.nan
    low: float = math.nan
    high: float = math.nan
    since: datetime | None = None
    was: Word | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Bands gained from `since` to the newest attempt, with the 95 % margin."""

    bands: float
    margin: float
    since: datetime

    @property
    def beyond_noise(self) -> bool:
        """Whether chance alone hardly makes such a change."""
        return abs(self.bands) > self.margin


@dataclass(frozen=True, slots=True)
class Progress:
    """A student in one skill. `level` and its 95 % `margin` are NaN without an attempt in the window.

    `attempts` are those in it, `last` is when the newest one was. `criteria` are the criteria's own levels, NaN where
    none was recorded. `end` is the newest point of the trend with its errors, for what is worked out from it.
    """

    level: float = math.nan
    margin: float = math.nan
    attempts: int = 0
    last: datetime | None = None
    trend: Trend = field(default_factory=lambda: Trend("not enough data"))
    weakest: Weakest | None = None
    criteria: dict[str, float] = field(default_factory=dict)
    end: tuple[float, float, float] = (math.nan, math.nan, math.nan)
    """Band, its variance, and its covariance with the slope; all times the square of the 95 % quantile but the band."""

    @property
    def low(self) -> float:
        """The least that the level may be."""
        return self.level - self.margin

    @property
    def high(self) -> float:
        """The most that the level may be."""
        return self.level + self.margin

    @property
    def paused(self) -> bool:
        """Whether the newest attempt is too old for the present tense."""
        return self.trend.word == "paused"


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a target may be reached at the present pace: not a day but what the margins of level and pace leave."""

    first: datetime
    last: datetime


Standing: TypeAlias = Literal["reached", "unsure", "below"]


def estimate_noises(evaluations: pd.DataFrame, now: datetime) -> Noises:
    """The noise in each skill, from everybody's attempts of the last 180 days; the default where too few practise."""
    noises, owners = {}, attempts.Owners.of(evaluations)
    for skill in TYPES:
        cohort = attempts.of_owners(evaluations, skill, owners).between(now - WINDOW, now)
        noises[skill] = Noise(growth.estimate_noise(cohort.panel), criteria.scatter(cohort))
    return noises


def window(cohort: Cohort, now: datetime) -> Cohort:
    """The attempts that level and trend are of: of the 180 days up to `now`, which is one of them."""
    return cohort.between(now - WINDOW, now + _MOMENT)


def progress(cohort: Cohort, now: datetime, noise: Noise) -> list[Progress]:
    """Each student's progress at `now`."""
    return _progress(_Fitted.of(window(cohort, now), noise), now, noise)


def changes(cohort: Cohort, first: datetime, now: datetime, noise: Noise) -> list[Change | None]:
    """What each student gained in the period since `first`, from estimate to estimate; None without practice in it.

    Within 180 days both ends are of the one line that trend and level are of; it begins with the first attempt. Who
    practised for longer has a line at either end, of the first and the last half or 180 days, whichever is less.
    """
    return _changes(_Fitted.of(window(cohort, now), noise), cohort, first, now, noise)


def progress_and_changes(
    cohort: Cohort, first: datetime, now: datetime, noise: Noise
) -> tuple[list[Progress], list[Change | None]]:
    """Both at once: what they share, the lines of the last 180 days, is fitted once."""
    recent = _Fitted.of(window(cohort, now), noise)
    return _progress(recent, now, noise), _changes(recent, cohort, first, now, noise)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Attempts with the line through those of each student."""

    attempts: Cohort
    lines: growth.Lines

    @classmethod
    def of(cls, cohort: Cohort, noise: Noise) -> "_Fitted":
        return cls(cohort, growth.fit(cohort.panel, noise.overall))


def _progress(fitted: _Fitted, now: datetime, noise: Noise) -> list[Progress]:
    recent, lines = fitted.attempts, fitted.lines
    level, margin = lines.level, lines.margin(lines.level_error)
    slope, reach, beyond = lines.slope, lines.margin(lines.slope_error), lines.beyond_chance
    squared = lines.margin(np.ones(len(recent))) ** 2
    end = np.stack([lines.end, lines.end_error**2 * squared, lines.end_slope * squared], axis=1)
    names = CRITERIA[recent.skill]
    # As Python's numbers, taken out of each array at once: one by one they take as long as all the rest.
    columns = (level, margin, recent.counts, slope, reach, beyond, enough_for_trend(recent.panel), end)
    by_criterion = level[:, np.newaxis] + criteria.offsets(recent)
    students = []
    for first, last, weakest, of_criteria, *numbers in zip(
        recent.firsts,
        recent.lasts,
        criteria.weakest(recent, by_criterion, noise.criteria),
        by_criterion.tolist(),
        *(column.tolist() for column in columns),
        strict=True,
    ):
        if last is None or first is None:
            students.append(Progress(criteria=dict.fromkeys(names, math.nan)))
            continue
        at_end, wide, count, pace, sure, direction, is_enough, errors = numbers
        trend = _trend(pace, sure, int(direction), is_enough, first, last, now)
        levels_of = dict(zip(names, of_criteria, strict=True))
        students.append(Progress(at_end, wide, count, last, trend, weakest, levels_of, tuple(errors)))
    return students


def enough_for_trend(panel: Panel) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whose attempts are enough, and over enough time, to speak of a trend."""
    return np.asarray((panel.counts >= ATTEMPTS_OF_TREND) & (panel.spans >= SPAN_OF_TREND / timedelta(days=1)))


def levels(cohort: Cohort, noise: Noise) -> tuple[Floats, Floats]:
    """One student's level after each attempt, and its 95 % margin: as it stood then, from the 180 days before."""
    lines = growth.fit(cohort.at_each_attempt(WINDOW / timedelta(days=1)).panel, noise.overall)
    return lines.level, lines.margin(lines.level_error)


def _changes(recent: _Fitted, cohort: Cohort, first: datetime, now: datetime, noise: Noise) -> list[Change | None]:
    if now - first <= WINDOW:
        return _along(recent, first)
    days, practised = WINDOW / timedelta(days=1), cohort.between(first, now + _MOMENT)
    along, across = _along(_Fitted.of(practised, noise), first), _across(*practised.ends(days), noise)
    return [(across if span > days else along)[n] for n, span in enumerate(practised.panel.spans.tolist())]


def _along(fitted: _Fitted, first: datetime) -> list[Change | None]:
    """Along one line: from `first`, or from the line's own beginning where that is later; None where it ends before."""
    cohort, lines = fitted.attempts, fitted.lines
    pace, margin = lines.pace, lines.margin(lines.pace_error)
    every: list[Change | None] = [None] * len(cohort)
    moments = zip(cohort.firsts, cohort.lasts, pace.tolist(), margin.tolist(), strict=True)
    for n, (begin, last, of_month, sure) in enumerate(moments):
        if begin is not None and last is not None and (months := (last - max(first, begin)) / MONTH) > 0:
            every[n] = Change(of_month * months, sure * months, max(first, begin))
    return every


def _across(early: Cohort, late: Cohort, noise: Noise) -> list[Change | None]:
    """From the beginning of one line to the end of another."""
    before, after = (growth.fit(cohort.panel, noise.overall) for cohort in (early, late))
    sure = np.maximum(*(lines.margin(np.ones(len(early))) for lines in (before, after)))
    every: list[Change | None] = [None] * len(early)
    for n, (begin, last) in enumerate(zip(early.firsts, early.lasts, strict=True)):
        if begin is None or last is None:
            continue
        months = (last - begin) / MONTH
        variance = before.level_error[n] ** 2 + (months * before.pace_error[n]) ** 2
        variance += after.level_error[n] ** 2 - 2 * months * before.level_pace[n]
        gained = after.level[n] - (before.level[n] - before.pace[n] * months)
        every[n] = Change(float(gained), float(sure[n] * math.sqrt(max(0.0, variance))), begin)
    return every


def _trend(
    slope: float, reach: float, beyond: int, enough: bool, first: datetime, last: datetime, now: datetime
) -> Trend:
    if not enough:
        word: Word = "not enough data"
    elif beyond:
        word = "rising" if beyond > 0 else "declining"
    elif abs(slope) + reach <= STEADY:
        word = "steady"
    else:
        word = "no clear change"
    was = word if now - last > PAUSE else None
    if word == "not enough data":
        return Trend("paused" if was else word, was=was)
    return Trend("paused" if was else word, slope, slope - reach, slope + reach, first, was)


def standing(progress: Progress, target: float) -> Standing | None:
    """Reached: the whole margin is at the target or above it. Unsure: the target is within it. None: not known.

    One attempt never tells that a target is reached, however high.
    """
    if math.isnan(progress.level) or math.isnan(target):
        return None
    if progress.low >= target and progress.attempts > 1:
        return "reached"
    return "unsure" if progress.high >= target else "below"


def forecast(progress: Progress, target: float, now: datetime) -> Forecast | None:
    """When the level may reach `target` if it goes on rising; None unless it does, and the whole range is in a year.

    E. C. Fieller, Some problems in interval estimation, JRSS B 16 (1954): the interval of a ratio of two estimates.
    """
    trend = progress.trend
    if trend.word != "rising" or progress.last is None or standing(progress, target) == "reached":
        return None
    end, end_variance, covariance = progress.end
    missing = target - end
    slope_variance = ((trend.high - trend.low) / 2) ** 2
    # The months x in which the target may lie: (missing - slope x)^2 <= variance of (end + slope x).
    a = trend.slope**2 - slope_variance
    b = missing * trend.slope + covariance
    c = missing**2 - end_variance
    inside = b**2 - a * c
    if not (a > 0 and inside >= 0):
        return None
    first, last = ((b + sign * math.sqrt(inside)) / a for sign in (-1, 1))
    if last <= 0 or progress.last + last * MONTH > now + FARTHEST:
        return None
    return Forecast(max(now, progress.last + first * MONTH), max(now, progress.last + last * MONTH))


def pace_needed(progress: Progress, target: float, by: datetime, now: datetime) -> float:
    """Bands a month from now on that reach `target` by the day of the test; infinite when the day has come."""
    months = (by - now) / MONTH
    return math.inf if months <= 0 else (target - progress.level) / months


def within_reach(progress: Progress, target: float, by: datetime, now: datetime) -> bool:
    """Whether the target can still be reached by then: at the best that margins of level and pace allow."""
    best = progress.trend.high if not math.isnan(progress.trend.high) else MOST_A_MONTH
    months = max(0.0, (by - now) / MONTH)
    return progress.high + max(0.0, best) * months >= target


def median(values: Floats | list[float]) -> float:
    """The median of the known values, NaN of none."""
    present = np.asarray(values, dtype="float64")
    present = present[~np.isnan(present)]
    return float(np.median(present)) if len(present) else math.nan
