"""Scored attempts of one student or of many in a skill, as arrays: what levels and trends are worked out from."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from analysis import bands
from analysis.levels.growth import Floats, Ints, Panel
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

    def practising(self) -> "Cohort":
        """Only the students who have an attempt."""
        some = self.counts > 0
        students = tuple(itertools.compress(self.students, some))
        return replace(self, students=students, starts=self.starts[some], stops=self.stops[some])

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


@dataclass(frozen=True, slots=True)
class Owners:
    """Whose each evaluation of a frame is: `places` has its student's place in `students`, -1 where it is nobody's.

    To compare the ids of a school takes long, so it is done once for all that is asked of its evaluations.
    """

    students: tuple[str, ...]
    places: Ints

    @classmethod
    def of(cls, evaluations: pd.DataFrame) -> "Owners":
        """Everybody by id; evaluations whose student cannot be read are nobody's."""
        places, students = pd.factorize(evaluations["user_id"], sort=True)
        return cls(tuple(students), places)

    @classmethod
    def among(cls, evaluations: pd.DataFrame, students: Sequence[str]) -> "Owners":
        """These students in this order; the evaluations of others are nobody's."""
        ids = pd.Index(evaluations["user_id"], dtype="object")
        return cls(tuple(students), pd.Index(list(students), dtype="object").get_indexer(ids))

    def in_order(self, order: Ints) -> "Owners":
        """The same ones in another order, in which `order` has their places of now."""
        places = np.append(np.argsort(order), -1)  # at the end, because nobody's place is -1
        return Owners(tuple(self.students[n] for n in order.tolist()), places[self.places])


def of_student(history: pd.DataFrame, skill: str) -> Cohort:
    """One student's completed evaluations of `skill` with a band and a time, whatever the order of `history`."""
    return of_owners(history, skill, Owners(("",), np.zeros(len(history), dtype=np.int64)))


def of_students(evaluations: pd.DataFrame, skill: str, students: Sequence[str] | None = None) -> Cohort:
    """The same for `students`, by default all who have one; records whose student cannot be read are nobody's."""
    if students is not None:
        return of_owners(evaluations, skill, Owners.among(evaluations, students))
    return of_owners(evaluations, skill, Owners.of(evaluations)).practising()


def of_owners(evaluations: pd.DataFrame, skill: str, owners: Owners) -> Cohort:
    """The same for all `owners` of these evaluations, also those who have none."""
    is_attempt = bands.is_scored(evaluations, skill) & evaluations["created_at"].notna()
    rows = np.flatnonzero(is_attempt.to_numpy(dtype=bool, na_value=False) & (owners.places >= 0))
    rows = _oldest_first(evaluations, rows, owners.places)
    edges = np.searchsorted(owners.places[rows], np.arange(len(owners.students) + 1))
    timed = evaluations[["evaluation_id", OVERALL, *CRITERIA[skill], "created_at"]].iloc[rows]
    return Cohort(
        skill,
        owners.students,
        edges[:-1],
        edges[1:],
        timed["created_at"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]"),
        timed[OVERALL].to_numpy(dtype="float64"),
        timed[list(CRITERIA[skill])].to_numpy(dtype="float64"),
        timed["evaluation_id"].to_numpy(dtype="object"),
    )


def _oldest_first(evaluations: pd.DataFrame, rows: Ints, places: Ints) -> Ints:
    """These rows by student and time; equal times by evaluation_id, so that the same records give the same numbers.

    Few times are equal, and to sort a million ids takes longer than all the rest.
    """
    times, owners = evaluations["created_at"].to_numpy(dtype="datetime64[us]")[rows], places[rows]
    # Numbers of 16 bits, which all but the largest schools can do with, are sorted in a tenth of the time.
    order = np.lexsort((times, owners.astype(np.min_scalar_type(owners.max(initial=0)))))
    same = (np.diff(times[order]) == np.timedelta64(0, "ns")) & (np.diff(owners[order]) == 0)
    rows = rows[order]
    edges = np.diff(np.concatenate([[False], same, [False]]).astype(np.int8))
    for first, last in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        tied = rows[first : last + 1]
        ids = evaluations["evaluation_id"].iloc[tied].to_numpy(dtype="object")
        rows[first : last + 1] = tied[pd.Series(ids, dtype="object").sort_values(kind="stable").index]
    return rows
