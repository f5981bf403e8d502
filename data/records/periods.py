"""Everybody's records of a stretch of time: read fast however many there are, and a later look reads little of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import Any, TypeAlias, TypeVar

import numpy as np
import pandas as pd

from data.dynamodb import budget, query
from data.dynamodb.client import Store
from data.dynamodb.reads import Item, Read, combine, follow, stopped
from data.records.frames import joined, newest_first
from data.schema import BY_STATUS, COMPLETED, FAILED, PROCESSING, STATUSES, Table

CAP = 5_000_000  # per status: some 225 MB as a window keeps rows, more where ids are long
# After that nothing tries again, so what is finished stays as it is.
SETTLED = timedelta(hours=6)
# A partition gives 3,000 read units a second: 23 pages of 1 MB, which four readers can just about take.
_PARTS = 4

_REPEATED = ("user_id", "model_used")
"""Columns whose texts are not of a few that we know, and come again and again."""

T = TypeVar("T")

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]
Frame: TypeAlias = Callable[[Sequence[Item]], pd.DataFrame]


def read(
    store: Store,
    table: Table,
    frame: Frame,
    first: datetime,
    last: datetime,
    *,
    statuses: Sequence[str] = STATUSES,
    cap: int = CAP,
) -> Read[pd.DataFrame]:
    """Records created from `first` to `last`, both included to the second, as rows of `frame`, newest first.

    One Query per status; what is longer than a page is read in parts side by side. Each page becomes rows as it comes
    in, so that no more than a few are in memory as items.
    """
    begin, end = int(first.timestamp()), int(last.timestamp())
    parts = _processing_first(lambda status: _Status(store, table, frame, status, cap).read(begin, end), statuses)
    once = combine(parts).map(joined).map(newest_first).map(lambda rows: _once(table, rows))
    return once.map(lambda rows: _as_written(store, table, rows))


def _processing_first(ask: Callable[[str], T], statuses: Sequence[str]) -> list[T]:
    """`ask` of each status. What finishes between two Queries is so in the answers of both, and not of neither."""
    waiting = [ask(status) for status in statuses if status == PROCESSING]
    return waiting + budget.side_by_side(ask, [status for status in statuses if status != PROCESSING])


def _once(table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` without those processing that another Query, a moment later, has read as finished."""
    waits = rows["status"] == PROCESSING
    if waits.all() or not waits.any():
        return rows
    ids = [*table.key_names]
    # Only these can be there twice: all of a school's would take long to compare.
    near = rows[rows[ids[0]].isin(rows.loc[waits, ids[0]])]
    finished = near.loc[near["status"] != PROCESSING, ids]
    if finished.empty:
        return rows
    keys = {*_keys(finished, ids)}
    repeated = [index for index, key in zip(rows.index[waits], _keys(rows[waits], ids), strict=True) if key in keys]
    return rows.drop(index=repeated).reset_index(drop=True)


def settled(rows: pd.DataFrame, read_at: datetime) -> Mask:
    """Which of `rows`, read at `read_at`, stay as they are; of their columns, `created_at` and `status` are enough."""
    since = (read_at - SETTLED).replace(microsecond=0)
    return np.asarray((rows["created_at"] < since) & (rows["status"] != PROCESSING))


def _as_written(store: Store, table: Table, rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the statuses that this dashboard has written itself and an index may not show yet."""
    written = store.written(store.settings.name(table))
    if not written or not len(rows):
        return rows
    pairs = zip(_keys(rows, [*table.key_names]), rows["status"], strict=True)
    statuses = [written.get(key, status) if status == PROCESSING else status for key, status in pairs]
    return rows.assign(status=pd.Series(statuses, index=rows.index, dtype=rows["status"].dtype))


def update(
    store: Store,
    table: Table,
    frame: Frame,
    before: Read[pd.DataFrame],
    first: datetime,
    last: datetime,
    *,
    keys: tuple[str, str] | None = None,
) -> Read[pd.DataFrame]:
    """What `read` would give now, reading only what can have changed since `before`; its cost is that alone.

    Read anew is what was younger than six hours then or is new since, all that is processing, and, by key, what was
    processing then and is neither. `keys` are the columns of `frame` that hold the table's keys.
    """
    if not before.complete:
        return read(store, table, frame, first, last)
    ids = list(keys or table.key_names)
    earlier = before.value
    first = first.replace(microsecond=0)  # as `read` does
    since = max(first, (before.read_at - SETTLED).replace(microsecond=0))
    kept = earlier[(earlier["created_at"] >= first) & settled(earlier, before.read_at)]
    waiting = read(store, table, frame, first, last, statuses=(PROCESSING,))
    recent = read(store, table, frame, since, last, statuses=(COMPLETED, FAILED))
    seen = {*_keys(waiting.value, ids), *_keys(recent.value, ids)}
    unfinished = earlier[(earlier["status"] == PROCESSING) & (earlier["created_at"] >= first)]
    lost = [dict(zip(table.key_names, key, strict=True)) for key in _keys(unfinished, ids) if key not in seen]
    finished = query.batch_get(store, table, lost, table.summary).map(frame)
    listed = finished.value["created_at"].between(first, last) & finished.value["status"].isin(STATUSES)
    # What changes while it is read can be in two of these; the first one is the latest.
    new = joined([recent.value, finished.value[listed], waiting.value])
    whole = joined([_shared(new, kept), kept]).drop_duplicates(ids)
    parts = [part.map(lambda _: [whole]) for part in (waiting, recent, finished)]
    return combine(parts).map(lambda _: _as_written(store, table, newest_first(whole)))


def _shared(rows: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the texts that `earlier` has as well as the same objects, as if both had been read at once.

    Else what is brought up to date for days takes more memory with every look.
    """
    columns = {}
    for name in (name for name in _REPEATED if name in rows):
        texts = {text: text for text in earlier[name]}
        columns[name] = pd.Series([texts.get(t, t) for t in rows[name]], index=rows.index, dtype="object")
    return rows.assign(**columns)


def _keys(rows: pd.DataFrame, ids: list[str]) -> list[tuple[str, str]]:
    return list(rows[ids].itertuples(index=False, name=None))


@dataclass(slots=True)
class _Status:
    """One read of the records of a status."""

    store: Store
    table: Table
    frame: Frame
    status: str
    cap: int
    _read: list[int] = field(default_factory=list)

    def read(self, begin: int, end: int) -> Read[list[pd.DataFrame]]:
        """Rows from `begin` to `end`, in the order of the index, newest first."""
        pages = self._pages(str(begin), str(end))
        head = next(pages)
        newer, stretches = (
            (head.value, []) if head.complete or len(head.value) >= self.cap else _split(head.value, begin)
        )
        if not stretches:
            return follow(page.map(self._rows) for page in chain([head], pages))
        self._read = [len(newer), *(0 for _ in stretches)]
        rest = budget.side_by_side(lambda part: self._stretch(*part), enumerate(stretches, 1))
        whole = combine([replace(head.map(lambda _: self._rows(newer)), complete=True), *rest])
        if sum(self._read) <= self.cap:
            return whole
        notes = dict.fromkeys([*whole.notes, stopped(self.cap)])
        return replace(whole, value=[joined(whole.value).head(self.cap)], complete=False, notes=tuple(notes))

    def _stretch(self, number: int, bounds: tuple[str, str]) -> Read[list[pd.DataFrame]]:
        done = []
        for page in self._pages(*bounds):
            self._read[number] += len(page.value)
            done.append(page.map(self._rows))
            if sum(self._read[: number + 1]) > self.cap:
                break
        return follow(done)

    def _pages(self, begin: str, end: str) -> Iterator[Read[Sequence[Item]]]:
        return query.pages(
            self.store,
            self.table,
            ("status", self.status),
            index=BY_STATUS,
            between=("created_at", begin, end),
            cap=self.cap,
            attributes=self.table.summary,
            in_columns=True,
        )

    def _rows(self, items: Sequence[Item]) -> list[pd.DataFrame]:
        rows = self.frame(items)
        if isinstance(items, list):
            # Such a page takes ten times the memory as items, and would be there until the next one has come.
            items.clear()
        return [rows]


def _split(page: Sequence[Item], begin: int) -> tuple[Sequence[Item], list[tuple[str, str]]]:
    """The items of a first page that are newer than its last one, and stretches of time from there back to `begin`.

    The oldest second of the page is read again, because the next page may have more of it. No stretches where the page
    is all of one time, or empty, which the first one may be.
    """
    if not page:
        return page, []
    oldest = page[-1]["created_at"]["N"]
    newer = len(page) - 1
    while newer and page[newer - 1]["created_at"]["N"] == oldest:
        newer -= 1
    length = int(Decimal(oldest)) - begin
    if not newer or length < _PARTS:
        return page, []
    edges = [begin + length * n // _PARTS for n in range(1, _PARTS)]
    # A time need not be a whole second. DynamoDB keeps 38 digits, so there is no number between these.
    begins = [str(begin), *(f"{edge}.5" for edge in edges)]
    ends = [*(f"{edge}.4{'9' * 27}" for edge in edges), oldest]
    return page[:newer], list(zip(begins, ends, strict=True))[::-1]
