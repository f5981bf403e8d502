"""Rolling window of everybody's recent records of a table, refreshed incrementally and shared by all who ask."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from data.dynamodb.reads import Read, combine, stopped
from data.records import periods
from data.records.frames import AHEAD
from data.records.periods import Mask
from queries.cache import STALE, Query
from queries.packed import Packed

Places: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"

_JUST_READ = timedelta(minutes=1)
"""What is no older is not read again because a longer period is asked for."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records from `first` on, newest first; read for `days` days."""

    rows: Packed
    first: datetime
    days: int

    def since(self, moment: datetime) -> pd.DataFrame:
        """The part from `moment` on: the beginning of the frame, because it is newest first."""
        newer = self.rows.head(columns=["created_at"])["created_at"] >= moment.replace(microsecond=0)
        return self.rows.head(int(newer.sum()))


class Window(Query[[int], pd.DataFrame]):
    """Everybody's records of the last days. One window serves every number of days up to the most asked for.

    `read` gives a period; `update` brings an earlier answer up to date, reading only what can have changed. It gets the
    rows that `settled` does not say of, from the columns `settled_by` and the time of reading, that they stay as they
    are: of these, those of the period are left in place, but for any that somebody has changed after all. `keys` are
    the columns that tell a record.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[datetime, datetime], Read[pd.DataFrame]],
        update: Callable[[Read[pd.DataFrame], datetime, datetime], Read[pd.DataFrame]],
        settled: Callable[[pd.DataFrame, datetime], Mask] = periods.settled,
        settled_by: tuple[str, ...] = ("created_at", "status"),
        keys: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self._read, self._update = read, update
        self._settled, self._settled_by = settled, settled_by
        self._keys = [*keys]

    def students(self, *_: Any) -> None:
        """Everybody's."""

    @property
    def is_bounded(self) -> bool:
        """There is one for each table, as large as the school is."""
        return False

    def key(self, *_: Any) -> str:
        """The same for every number of days."""
        return self.name

    def load(self, last: Read[Any] | None, now: datetime, *args: Any) -> Read[Any]:
        """The window brought up to date; where it does not reach so far, what is older is read as well."""
        (days,) = args
        if last is None or not last.complete:
            first = now - timedelta(days=days)
            return self._read(first, now + AHEAD).map(lambda rows: Stretch(Packed.of(rows), first, days))
        is_longer = last.value.days < days
        recent = last if is_longer and now - last.read_at <= _JUST_READ else self._brought_up_to_date(last, now)
        return self._extended(recent, now, days) if recent.complete and recent.value.days < days else recent

    def _brought_up_to_date(self, last: Read[Stretch], now: datetime) -> Read[Stretch]:
        stretch = last.value
        # What has become older than anybody asked for goes, or the window would grow for as long as the server runs.
        # A day more is kept, for whoever asked a moment before this.
        first = max(stretch.first, now - timedelta(days=stretch.days + 1))
        rows = stretch.rows.head(columns=self._settled_by)
        settled = self._settled(rows, last.read_at)
        still = np.flatnonzero(settled & (rows["created_at"] >= first.replace(microsecond=0)).to_numpy())
        # Only what can change is made a frame again: all of a school would take its memory several times over.
        read = self._update(last.map(lambda _: stretch.rows.take(np.flatnonzero(~settled)).head()), first, now + AHEAD)
        whole = read.map(
            lambda new: _newest_first(
                Packed.joined([Packed.of(new), stretch.rows.take(self._without(new, stretch.rows, still))])
            )
        )
        return _capped(whole.map(lambda rows: replace(stretch, rows=rows, first=first)))

    def _without(self, new: pd.DataFrame, rows: Packed, still: Places) -> Places:
        """The places `still`, without those of records in `new`: one can be set back to processing by hand."""
        times = rows.head(columns=["created_at"])["created_at"].iloc[still]
        near = np.flatnonzero(times.isin(new["created_at"]).to_numpy()) if self._keys else ()
        if not len(near):
            return still
        known = rows.take(still[near]).head(columns=self._keys)
        repeated = pd.MultiIndex.from_frame(known).isin(pd.MultiIndex.from_frame(new[self._keys]))
        return np.delete(still, near[repeated])

    def _extended(self, last: Read[Stretch], now: datetime, days: int) -> Read[Stretch]:
        stretch, first = last.value, now - timedelta(days=days)
        begin = stretch.first.replace(microsecond=0)
        older = self._read(first, begin)
        # The second in which the stretch begins is in both.
        before = older.map(lambda rows: [Packed.of(rows[rows["created_at"] < begin])])
        both = combine([last.map(lambda _: [stretch.rows]), before])
        return _capped(both.map(lambda parts: Stretch(Packed.joined(parts), first, days)))

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """Whether it reaches so far back. One that a cap cut off answers its own period alone: others may be whole."""
        (days,) = args
        return bool(days <= kept.value.days if kept.complete else days == kept.value.days)

    def reaches(self, kept: Read[Any], now: datetime, *args: Any) -> bool:
        """What was read some minutes ago for so many days does not reach the last minutes of today's oldest day."""
        (days,) = args
        return bool(kept.value.first - (now - timedelta(days=days)) <= STALE)

    def take(self, kept: Read[Any], now: datetime, *args: Any) -> Read[pd.DataFrame]:
        """The records of the last so many days."""
        (days,) = args
        return kept.map(lambda stretch: stretch.since(now - timedelta(days=days)))


def _newest_first(rows: Packed) -> Packed:
    times = rows.head(columns=["created_at"])["created_at"]
    if times.is_monotonic_decreasing:
        return rows
    return rows.take(times.sort_values(ascending=False, kind="stable", na_position="last").index.to_numpy())


def _capped(read: Read[Stretch]) -> Read[Stretch]:
    """Of each status no more rows than a read of it may have, the newest; what was joined can have more."""
    stretch = read.value
    if len(stretch.rows) <= periods.CAP:
        return read
    kept = stretch.rows.head(columns=["status"]).groupby("status", dropna=False).cumcount().to_numpy() < periods.CAP
    if kept.all():
        return read
    newest = replace(stretch, rows=stretch.rows.take(np.flatnonzero(kept)))
    notes = dict.fromkeys([*read.notes, stopped(periods.CAP)])
    return replace(read, value=newest, complete=False, notes=tuple(notes))
