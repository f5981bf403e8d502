"""A straight line per student through noisy bands: level, slope and their errors, for many students at once.

Band of an attempt = level + slope x time + mood + chance. The mood fades (an Ornstein-Uhlenbeck process: correlation
exp(-days / memory)), chance is independent from attempt to attempt. Given how the noise divides between the two, the
line is fitted by generalised least squares; the division is estimated by restricted maximum likelihood from everybody's
attempts together, because one student has too few.

H. D. Patterson and R. Thompson, Recovery of inter-block information when block sizes are unequal, Biometrika 58 (1971).
A. C. Harvey, Forecasting, Structural Time Series Models and the Kalman Filter (1989), 3.4: least squares by filtering.
G. K. Smyth, Linear models and empirical Bayes methods, Stat. Appl. Genet. Mol. Biol. 3 (2004): a student's own noise.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from scipy.special import digamma, ndtr, polygamma, stdtrit

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

DAYS_A_MONTH = 365.25 / 12
ROUNDING = 0.5**2 / 12
"""Variance of a band that is rounded to the half: no score is known better than that."""
PACE = 0.4
"""Bands a month, SD: what a learner may gain or lose, where attempts are too few to tell (published: 0.1 to 0.2)."""
LOOKED_AT_DAILY = 3.15
"""Standard errors that a slope must be from zero: then 5 % of those who stand still are ever told otherwise in a year
of daily looks (`python -m bench.calibration`)."""
SHARES = (0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
MEMORIES = (7.0, 15.0, 30.0, 60.0)
EVIDENCE = 3.0
"""Log likelihood by which a fading mood must explain the pooled bands better than chance alone."""
FEWEST_STUDENTS = 10
"""With noise from fewer students than this, each with three attempts at least, the default is taken."""
_MANY = 1e9
LARGEST_SAMPLE = 400
"""Students of whom the noise is estimated: more change the third digit."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How bands scatter around a student's line.

    `sd` is in bands; `share` is the part of the variance that fades with `memory` days; `freedom` says how alike
    students are: as many degrees of freedom as the common variance counts beside a student's own.
    """

    sd: float
    share: float = 0.0
    memory: float = 30.0
    freedom: float = math.inf
    students: int = 0
    """Of how many it was estimated: 0 for the default."""


DEFAULT = Noise(sd=0.5, share=0.0, freedom=2.0)
"""Where there are too few students: published scorers err by 0.5 and more, and what one student shows soon counts."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Attempts of many students in one array: those of student i are at starts[i] to stops[i], oldest first.

    `days` is any count of days that grows with time. Students may share attempts: the same one at several moments.
    """

    starts: Ints
    stops: Ints
    days: Floats
    bands: Floats

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def counts(self) -> Ints:
        """Attempts of each student."""
        return self.stops - self.starts

    @property
    def spans(self) -> Floats:
        """Days from each student's oldest attempt to the newest; 0 without any."""
        if not len(self.days):
            return np.zeros(len(self))
        first, last = np.minimum(self.starts, len(self.days) - 1), np.maximum(self.stops - 1, 0)
        return np.where(self.counts > 0, self.days[last] - self.days[first], 0.0)

    def of(self, students: Ints) -> "Panel":
        """The panel of some of the students."""
        return Panel(self.starts[students], self.stops[students], self.days, self.bands)


@dataclass(frozen=True)
class Lines:
    """A line per student, where it ends: at the newest attempt. Bands and bands a month; errors are standard errors.

    `level` and `pace` need one attempt: until the attempts say otherwise the pace is about 0 a month (SD 0.4). What is
    claimed of a slope must not lean on that: `end` and `slope` are those of the attempts alone, NaN below three. `sd`
    is the noise of one attempt, with the degrees of freedom `freedom` that it is known by.
    """

    level: Floats
    level_error: Floats
    pace: Floats
    pace_error: Floats
    level_pace: Floats
    """Covariance of level and pace."""
    end: Floats
    end_error: Floats
    slope: Floats
    slope_error: Floats
    end_slope: Floats
    """Covariance of end and slope."""
    sd: Floats
    freedom: Floats

    def margin(self, errors: Floats) -> Floats:
        """What an error makes the half width of a 95 % interval."""
        return np.asarray(self._quantile * errors)

    @cached_property
    def _quantile(self) -> Floats:
        return np.asarray(stdtrit(np.minimum(self.freedom, _MANY), 0.975))

    @property
    def beyond_chance(self) -> Floats:
        """1 for a slope up and -1 for one down that chance does not explain, 0 for the others and where there is none.

        The bar allows for being looked at every day: see LOOKED_AT_DAILY.
        """
        with np.errstate(invalid="ignore"):
            ratio = self.slope / self.slope_error
            bar = -np.asarray(stdtrit(np.minimum(self.freedom, _MANY), ndtr(-LOOKED_AT_DAILY)))
            return np.where(np.abs(ratio) > bar, np.sign(ratio), 0.0)


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the filter leaves of each student's attempts: X'V-1X, X'V-1y, y'V-1y and log |V|, X = (1, months)."""

    n: Ints
    ones: Floats
    cross: Floats
    months: Floats
    y_ones: Floats
    y_months: Floats
    y: Floats
    log_det: Floats

    def line(self, variance: Floats, prior: Floats | float = 0.0) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Level at month 0, slope, their standard errors, and their covariance."""
        months = self.months + prior
        determinant = self.ones * months - self.cross**2
        slope = (self.ones * self.y_months - self.cross * self.y_ones) / determinant
        level = (self.y_ones * months - self.cross * self.y_months) / determinant
        scale = variance / determinant
        return level, slope, np.sqrt(scale * months), np.sqrt(scale * self.ones), -scale * self.cross

    @property
    def determinant(self) -> Floats:
        """Of X'V-1X."""
        return self.ones * self.months - self.cross**2

    @property
    def residual(self) -> Floats:
        """Weighted sum of squares around the line of these attempts alone."""
        level, slope, *_ = self.line(np.ones(len(self.n)))
        return np.maximum(self.y - level * self.y_ones - slope * self.y_months, 0.0)


def fit(panel: Panel, noise: Noise) -> Lines:
    """The line of each student."""
    sums, has_line, center = _filter(panel, noise.share, noise.memory), _spread_out(panel), _center(panel)
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.where(has_line, sums.n - 2.0, 0.0)
        own = np.where(has_line, np.maximum(sums.residual, freedom * ROUNDING), 0.0)
        if math.isinf(noise.freedom):
            total, variance = np.full(len(panel), math.inf), np.full(len(panel), noise.sd**2)
        else:
            total = noise.freedom + freedom
            variance = (noise.freedom * noise.sd**2 + own) / total
        level, pace, level_error, pace_error, level_pace = sums.line(variance, variance / PACE**2)
        alone = sums.line(variance)
    end, slope, end_error, slope_error, end_slope = (np.where(has_line, column, np.nan) for column in alone)
    return Lines(
        level=level + center,
        level_error=level_error,
        pace=pace,
        pace_error=pace_error,
        level_pace=level_pace,
        end=end + center,
        end_error=end_error,
        slope=slope,
        slope_error=slope_error,
        end_slope=end_slope,
        sd=np.sqrt(variance),
        freedom=total,
    )


def estimate_noise(panel: Panel) -> Noise:
    """The noise of everybody's attempts, by restricted maximum likelihood; the default where there are too few."""
    usable = np.flatnonzero(_spread_out(panel))
    if len(usable) < FEWEST_STUDENTS:
        return DEFAULT
    # Evenly through the order of the students, which says nothing of them: the same records give the same noise.
    sample = panel.of(usable[:: -(-len(usable) // LARGEST_SAMPLE)])
    best, share, memory = _likelihood(sample, 0.0, 1.0), 0.0, MEMORIES[2]
    threshold = best + EVIDENCE
    # Bands that scatter less than rounding makes them have nothing that could be divided.
    for a_memory in MEMORIES if _variance(_filter(sample, share, memory)) > ROUNDING else ():
        for a_share in SHARES[1:]:
            likelihood = _likelihood(sample, a_share, a_memory)
            if likelihood > max(best, threshold):
                best, share, memory = likelihood, a_share, a_memory
    sums = _filter(sample, share, memory)
    freedom: Floats = sums.n.astype(np.float64) - 2
    own: Floats = np.asarray(np.maximum(sums.residual / freedom, ROUNDING), dtype=np.float64)
    prior = _prior_freedom(own, freedom)
    return Noise(math.sqrt(float((own * freedom).sum() / freedom.sum())), share, memory, prior, len(sample))


def _likelihood(panel: Panel, share: float, memory: float) -> float:
    """Restricted log likelihood with one variance for all, at its best."""
    sums = _filter(panel, share, memory)
    logs = sums.log_det + np.log(sums.determinant) + (sums.n - 2) * math.log(_variance(sums))
    return -0.5 * float(logs.sum())


def _variance(sums: _Sums) -> float:
    """The common variance of all students."""
    return max(float(sums.residual.sum() / (sums.n - 2).sum()), ROUNDING)


def _prior_freedom(variances: Floats, freedom: Floats) -> float:
    """How much the common variance counts, from how the students' own scatter (Smyth 2004, section 6.2)."""
    enough = freedom >= 4
    if enough.sum() < FEWEST_STUDENTS:
        return DEFAULT.freedom
    half = freedom[enough] / 2
    scatter = np.log(variances[enough]) - digamma(half) + np.log(half)
    beyond = float(np.var(scatter, ddof=1) - polygamma(1, half).mean())
    return math.inf if beyond <= 0 else 2 * _inverse_trigamma(beyond)


def _inverse_trigamma(value: float) -> float:
    """By Newton's method from below (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x


def _filter(panel: Panel, share: float, memory: float) -> _Sums:
    """One pass over the attempts, all students side by side: innovations of bands, ones and months under the noise."""
    order = np.argsort(-panel.counts, kind="stable")
    counts, starts = panel.counts[order], panel.starts[order]
    size = len(order)
    center = _center(panel)[order]
    newest = panel.days[np.minimum(starts + counts - 1, len(panel.days) - 1)] if len(panel.days) else np.zeros(size)
    ones, cross, months, y_ones, y_months, y, log_det = np.zeros((7, size))
    state = np.zeros((3, size))
    variance = np.full(size, share)
    before = np.zeros(size)
    for place, active in _steps(counts):
        at = starts[:active] + place
        days = panel.days[at]
        x = np.stack([panel.bands[at] - center[:active], np.ones(active), (days - newest[:active]) / DAYS_A_MONTH])
        if share:
            if place:
                fading = np.exp(-(days - before[:active]) / memory)
                state[:, :active] *= fading
                variance[:active] = share + fading**2 * (variance[:active] - share)
            before[:active] = days
            spread = variance[:active] + (1 - share)
            x -= state[:, :active]
            gain = variance[:active] / spread
            state[:, :active] += gain * x
            variance[:active] *= 1 - gain
            log_det[:active] += np.log(spread)
            weighted = x / spread
        else:
            weighted = x
        ones[:active] += x[1] * weighted[1]
        cross[:active] += x[1] * weighted[2]
        months[:active] += x[2] * weighted[2]
        y_ones[:active] += x[0] * weighted[1]
        y_months[:active] += x[0] * weighted[2]
        y[:active] += x[0] * weighted[0]
    back = np.empty(size, dtype=np.int64)
    back[order] = np.arange(size)
    return _Sums(panel.counts, *(column[back] for column in (ones, cross, months, y_ones, y_months, y, log_det)))


def _steps(counts: Ints) -> Iterator[tuple[int, int]]:
    """Each place in the students' lists with how many of them reach it; `counts` falls."""
    for place in range(int(counts[0]) if len(counts) else 0):
        yield place, int(np.searchsorted(-counts, -place, side="left"))


def _center(panel: Panel) -> Floats:
    """The newest band of each student, NaN without one: sums are taken from it, so that digits are not lost."""
    if not len(panel.bands):
        return np.full(len(panel), np.nan)
    last = panel.bands[np.maximum(panel.stops - 1, 0)]
    return np.where(panel.counts > 0, last, np.nan)


def _spread_out(panel: Panel) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Who has three attempts at two times at least: what a line needs."""
    return np.asarray((panel.counts >= 3) & (panel.spans > 0))
