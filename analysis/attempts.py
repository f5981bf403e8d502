"""Scored attempts of one student or of many in a skill, as arrays: what levels and trends are worked out from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from analysis import bands
from analysis.growth import Floats, Ints, Panel
from data.schema import CRITERIA, OVERALL

Times: TypeAlias = np.ndarray[Any, np.dtype[np.datetime64]]
_DAY = np.timedelta64(1, "D") / np.timedelta64(1, "us")


@dataclass(frozen=True)
class Cohort:
    """Attempts of `students` in one skill: those of student i are at starts[i] to stops[i], oldest first.

    `times` are UTC without a zone; `criteria` has a column per criterion of the skill, NaN where unknown.
    """

    skill: str
    students: tuple[str, ...]
    starts: Ints
    stops: Ints
    times: Times
    bands: Floats
    criteria: Floats
    ids: np.ndarray[Any, np.dtype[np.object_]]

    def __len__(self) -> int:
        return len(self.students)

    @cached_property
    def days(self) -> Floats:
        """Days since 1970, UTC."""
        return self.times.astype("datetime64[us]").astype("int64") / _DAY

    def between(self, first: datetime, end: datetime) -> "Cohort":
        """The same students with only their attempts at `first` and later, before `end`."""
        starts, stops = (self._places(moment) for moment in (first, end))
        return self._part(starts, np.maximum(starts, stops))

    def newest(self, most: int) -> "Cohort":
        """The same students with their newest attempts, `most` of them."""
        return self._part(np.maximum(self.starts, self.stops - most), self.stops)

    def ends(self, days: float) -> tuple["Cohort", "Cohort"]:
        """The same students with their first attempts and with their last: of half the time each, `days` at most."""
        half = np.minimum(days, self.panel.spans / 2)
        early, late = self.stops.copy(), self.stops.copy()
        for n in np.flatnonzero(self.counts):
            at = self.days[self.starts[n] : self.stops[n]]
            early[n], late[n] = self.starts[n] + np.searchsorted(at, [at[0] + half[n], at[-1] - half[n]])
        return self._part(self.starts, early), self._part(np.maximum(early, late), self.stops)

    def at_each_attempt(self, days: float) -> "Cohort":
        """One student's attempts as they stood after each of them: a row per attempt, of the `days` up to it."""
        (first,), (end,) = self.starts, self.stops
        stops = np.arange(first, end) + 1
        starts = np.maximum(first, np.searchsorted(self.days, self.days[first:end] - days))
        return replace(self, students=self.students * len(stops), starts=starts, stops=stops)

    def with_bands(self, criterion: int) -> "Cohort":
        """One student's attempts with a criterion's bands in place of the overall ones, where they are known."""
        has_band = ~np.isnan(self.criteria[:, criterion])
        return replace(
            self,
            starts=np.array([0]),
            stops=np.array([int(has_band.sum())]),
            times=self.times[has_band],
            bands=self.criteria[has_band, criterion],
            criteria=self.criteria[has_band],
            ids=self.ids[has_band],
        )

    @property
    def panel(self) -> Panel:
        """For the model: overall bands by day."""
        return Panel(self.starts, self.stops, self.days, self.bands)

    @cached_property
    def counts(self) -> Ints:
        """Attempts of each student."""
        return self.stops - self.starts

    @cached_property
    def lasts(self) -> list[datetime | None]:
        """When each student's newest attempt was."""
        return self._moments(self.stops - 1)

    @cached_property
    def firsts(self) -> list[datetime | None]:
        """When each student's oldest attempt was."""
        return self._moments(self.starts)

    def _moments(self, places: Ints) -> list[datetime | None]:
        some = self.counts > 0
        moments = np.full(len(self), None, dtype="object")
        moments[some] = pd.DatetimeIndex(self.times[places[some]]).tz_localize(UTC).to_pydatetime()
        return moments.tolist()

    def _places(self, moment: datetime) -> Ints:
        """Where each student's attempts at `moment` and later begin."""
        earlier = np.concatenate(
            [[0], np.cumsum(self.times < np.datetime64(moment.astimezone(UTC).replace(tzinfo=None), "us"))]
        )
        return np.asarray(self.starts + earlier[self.stops] - earlier[self.starts])

    def _part(self, starts: Ints, stops: Ints) -> "Cohort":
        return replace(self, starts=starts, stops=stops)


def of_student(history: pd.DataFrame, skill: str) -> Cohort:
    """One student's completed evaluations of `skill` with a band and a time, whatever the order of `history`."""
    scored = _timed(history, skill)
    order = _oldest_first(scored, np.zeros(len(scored), dtype=np.int64))
    return _cohort(scored.iloc[order], skill, ("",), np.array([0, len(scored)]))


def of_students(evaluations: pd.DataFrame, skill: str, students: Sequence[str] | None = None) -> Cohort:
    """The same for `students`, by default all that there are; records whose student cannot be read are nobody's."""
    scored = _timed(evaluations, skill, "user_id")
    scored = scored[scored["user_id"].notna()]
    names = tuple(sorted(scored["user_id"].unique())) if students is None else tuple(students)
    codes = pd.Index(names, dtype="object").get_indexer(pd.Index(scored["user_id"], dtype="object"))
    order = _oldest_first(scored, codes)
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    return _cohort(scored.iloc[order], skill, names, edges)


def _timed(evaluations: pd.DataFrame, skill: str, *more: str) -> pd.DataFrame:
    """The scored attempts that have a time, of the columns that a cohort has and `more`."""
    columns = [*more, "evaluation_id", "evaluation_type", "status", OVERALL, *CRITERIA[skill], "created_at"]
    scored = bands.scored(evaluations[columns], skill)
    return scored[scored["created_at"].notna()]


def _oldest_first(scored: pd.DataFrame, codes: Ints) -> Ints:
    """Places by student and time; equal times by evaluation_id, so that the same records always give the same numbers.

    Few times are equal, and to sort a million ids takes longer than all the rest.
    """
    times, ids = scored["created_at"].to_numpy(dtype="datetime64[us]"), scored["evaluation_id"].to_numpy(dtype="object")
    order = np.lexsort((times, codes))
    same = (np.diff(times[order]) == np.timedelta64(0, "ns")) & (np.diff(codes[order]) == 0)
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(np.int8))
    for first, last in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        tied = order[first : last + 1]
        order[first : last + 1] = tied[pd.Series(ids[tied], dtype="object").sort_values(kind="stable").index]
    return order


def _cohort(timed: pd.DataFrame, skill: str, students: tuple[str, ...], edges: Ints) -> Cohort:
    return Cohort(
        skill,
        students,
        edges[:-1],
        edges[1:],
        timed["created_at"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]"),
        timed[OVERALL].to_numpy(dtype="float64"),
        timed[list(CRITERIA[skill])].to_numpy(dtype="float64"),
        timed["evaluation_id"].to_numpy(dtype="object"),
    )
