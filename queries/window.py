"""Rolling window of everybody's recent records of a table, refreshed incrementally and shared by all who ask."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from data.dynamodb.store import Read
from queries.cache import STALE, Query

_AHEAD = timedelta(hours=1)
"""The Lambdas' clocks may run before ours."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Records from `first` on, newest first; read for `days` days."""

    rows: pd.DataFrame
    first: datetime
    days: int

    def since(self, moment: datetime) -> pd.DataFrame:
        """The part from `moment` on: the beginning of the frame, because it is newest first. Copied on write."""
        newer = self.rows["created_at"] >= moment.replace(microsecond=0)
        return self.rows.iloc[: int(newer.sum())].copy(deep=False)


class Window(Query[[int], pd.DataFrame]):
    """Everybody's records of the last days. One window serves every number of days up to the most asked for.

    `read` gives a period; `update` brings an earlier answer up to date, reading only what can have changed.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[datetime, datetime], Read[pd.DataFrame]],
        update: Callable[[Read[pd.DataFrame], datetime, datetime], Read[pd.DataFrame]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__(self._whole)
        self.name = name
        self._read, self._update, self._clock = read, update, clock

    @property
    def is_bounded(self) -> bool:
        """There is one for each table, as large as the school is."""
        return False

    def key(self, *_: Any) -> str:
        """The same for every number of days."""
        return self.name

    def load(self, last: Read[Any] | None, *args: Any) -> Read[Any]:
        """The window brought up to date, or read whole where it does not reach so far."""
        (days,), now = args, self._clock()
        if last is None or not self.covers(last, days):
            return self._whole(days)
        stretch: Stretch = last.value
        # What has become older than anybody asked for goes, or the window would grow for as long as the server runs.
        # A day more is kept, for whoever asked a moment before this.
        first = max(stretch.first, now - timedelta(days=stretch.days + 1))
        read = self._update(last.map(lambda kept: kept.rows), first, now + _AHEAD)
        return read.map(lambda rows: replace(stretch, rows=rows, first=first))

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """Whether it reaches so far back. One that a cap cut off answers its own period alone: others may be whole."""
        (days,) = args
        return bool(days <= kept.value.days if kept.complete else days == kept.value.days)

    def reaches(self, kept: Read[Any], *args: Any) -> bool:
        """What was read some minutes ago for so many days does not reach the last minutes of today's oldest day."""
        (days,) = args
        return bool(kept.value.first - (self._clock() - timedelta(days=days)) <= STALE)

    def take(self, kept: Read[Any], *args: Any) -> Read[pd.DataFrame]:
        """The records of the last so many days."""
        (days,) = args
        return kept.map(lambda stretch: stretch.since(self._clock() - timedelta(days=days)))

    def _whole(self, days: int) -> Read[Any]:
        now = self._clock()
        first = now - timedelta(days=days)
        return self._read(first, now + _AHEAD).map(lambda rows: Stretch(rows, first, days))
