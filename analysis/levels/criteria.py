"""A skill's criteria against each other: which one is weakest, and only where the gap repeats beyond chance.

Within an attempt a criterion is compared with the mean of the others, so that good and bad days cancel. How much this
difference scatters from attempt to attempt is estimated from everybody's attempts.
"""

import math
from dataclasses import dataclass

import numpy as np

from analysis.levels.attempts import Cohort
from analysis.levels.growth import DEFAULT, FEWEST_STUDENTS, ROUNDING, Floats
from data.schema import CRITERIA

NEWEST = 12
"""Attempts looked at: a weakness of half a year ago may be mended."""
FEWEST = 3
"""A gap repeats where it was seen this often at least."""
LEAST = 0.25
"""Bands below the others; less is not worth a lesson, however sure."""
BEYOND_CHANCE = 2.4
"""Standard errors below the others: with four criteria that are equal, 3 % of students get one named."""
MARGIN = 1.96
DEFAULT_SCATTER = DEFAULT.sd * 0.9
"""Bands, SD of a criterion against the mean of the others, where too few students tell."""
_LEAST_SCATTER = math.sqrt(ROUNDING * 4 / 3)


@dataclass(frozen=True, slots=True)
class Weakest:
    """The criterion farthest below the mean of the others: its level, and the gap with its 95 % margin, in bands."""

    criterion: str
    level: float
    gap: float
    margin: float


def scatter(cohort: Cohort) -> float:
    """SD of a criterion against the others, from attempt to attempt within students; the default with too few."""
    contrasts = _contrasts(cohort.criteria)
    is_known = ~np.isnan(contrasts)
    owner = np.repeat(np.arange(len(cohort)), cohort.counts)
    at = np.repeat(cohort.starts - np.cumsum(cohort.counts) + cohort.counts, cohort.counts) + np.arange(len(owner))
    count, total, squares = (
        np.stack([np.bincount(owner, column, len(cohort)) for column in values[at].T])
        for values in (is_known.astype(float), np.nan_to_num(contrasts), np.nan_to_num(contrasts) ** 2)
    )
    enough = count >= FEWEST
    if enough.any(axis=0).sum() < FEWEST_STUDENTS:
        return DEFAULT_SCATTER
    within = squares[enough] - total[enough] ** 2 / count[enough]
    return max(_LEAST_SCATTER, math.sqrt(max(0.0, float(within.sum() / (count[enough] - 1).sum()))))


def weakest(cohort: Cohort, levels: Floats, scatter: float) -> list[Weakest | None]:
    """The weakest criterion of each student, None where none is; `levels` are the criteria's, students by criteria."""
    if not len(cohort.bands):
        return [None] * len(cohort)
    names = list(CRITERIA[cohort.skill])
    contrasts, newest = _contrasts(cohort.criteria), cohort.newest(NEWEST)
    gap, seen = _means(-contrasts, newest), _counts(contrasts, newest)
    error = scatter / np.sqrt(seen)
    with np.errstate(invalid="ignore"):
        repeats = (seen >= FEWEST) & (gap >= LEAST) & (gap > BEYOND_CHANCE * error)
    gap = np.where(repeats, gap, -math.inf)
    lowest = gap.argmax(axis=1)
    every: list[Weakest | None] = [None] * len(cohort)
    students = np.flatnonzero(repeats.any(axis=1))
    at = students, lowest[students]
    columns = students, lowest[students], levels[at], gap[at], MARGIN * error[at]
    for student, criterion, *bands in zip(*(column.tolist() for column in columns), strict=True):
        every[student] = Weakest(names[criterion], *bands)
    return every


def offsets(cohort: Cohort) -> Floats:
    """Students by criteria: how far each criterion is from the overall band, mean of the newest attempts; NaN unknown.

    Added to the level of the skill, the level of the criterion.
    """
    return _means(cohort.criteria - cohort.bands[:, np.newaxis], cohort.newest(NEWEST))


def _contrasts(criteria: Floats) -> Floats:
    """Each criterion minus the mean of the other known ones; NaN where fewer than two others are known."""
    is_known = ~np.isnan(criteria)
    others = is_known.sum(axis=1, keepdims=True) - is_known
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (np.nansum(criteria, axis=1, keepdims=True) - np.nan_to_num(criteria)) / others
    return np.where(is_known & (others >= 2), criteria - mean, np.nan)


def _sums(values: Floats, cohort: Cohort) -> Floats:
    # Each student's alone: a running sum would carry the rounding of one into another.
    some = cohort.counts > 0
    edges = np.stack([cohort.starts, cohort.stops], axis=1)[some].ravel()
    sums = np.zeros((len(cohort), values.shape[1]))
    sums[some] = np.add.reduceat(np.vstack([values, np.zeros((1, values.shape[1]))]), edges, axis=0)[::2]
    return sums


def _counts(values: Floats, cohort: Cohort) -> Floats:
    return np.where((count := _sums((~np.isnan(values)).astype(float), cohort)) > 0, count, np.nan)


def _means(values: Floats, cohort: Cohort) -> Floats:
    # Rounded, because thirds that sum to a quarter or to one must not end a digit below it.
    return np.round(_sums(np.nan_to_num(values), cohort) / _counts(values, cohort), 9)
