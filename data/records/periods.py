"""Everybody's records of a stretch of time: read fast however many there are, and a later look reads little of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain
from typing import TypeAlias

import pandas as pd

from data.dynamodb import budget
from data.dynamodb.store import Item, Read, Store, combine, follow, stopped
from data.records.rows import joined, newest_first
from data.schema import BY_STATUS, COMPLETED, FAILED, PROCESSING, STATUSES, Table

CAP = 200_000  # per status
# After that nothing tries again, so what is finished stays as it is.
SETTLED = timedelta(hours=6)
# A partition gives 3,000 read units a second: 23 pages of 1 MB, which four readers can just about take.
_PARTS = 4

_REPEATED = ("user_id", "model_used")
"""Columns whose texts are not of a few that we know, and come again and again."""

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

    One Query per status, side by side; what is longer than a page is read in parts side by side. Each page becomes rows
    as it comes in, so that no more than a few are in memory as items.
    """
    begin, end = int(first.timestamp()), int(last.timestamp())
    parts = budget.side_by_side(lambda status: _Status(store, table, frame, status, cap).read(begin, end), statuses)
    return combine(parts).map(joined).map(newest_first)


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
    known = before.value
    first = first.replace(microsecond=0)  # as `read` does
    since = max(first, (before.read_at - SETTLED).replace(microsecond=0))
    settled = known[known["created_at"].between(first, since, inclusive="left") & (known["status"] != PROCESSING)]
    waiting, recent = budget.side_by_side(
        lambda part: read(store, table, frame, part[0], last, statuses=part[1]),
        ((first, (PROCESSING,)), (since, (COMPLETED, FAILED))),
    )
    seen = {*_keys(waiting.value, ids), *_keys(recent.value, ids)}
    open_then = known[(known["status"] == PROCESSING) & (known["created_at"] >= first)]
    lost = [dict(zip(table.key_names, key, strict=True)) for key in _keys(open_then, ids) if key not in seen]
    found = store.batch_get(table, lost, table.summary).map(frame)
    still = found.value["created_at"].between(first, last) & found.value["status"].isin(STATUSES)
    # What changes while it is read can be in two of these; the first one is the latest.
    new = joined([recent.value, found.value[still], waiting.value])
    whole = joined([_shared(new, settled), settled]).drop_duplicates(ids)
    parts = [part.map(lambda _: [whole]) for part in (waiting, recent, found)]
    return combine(parts).map(lambda _: newest_first(whole))


def _shared(rows: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """`rows` with the texts that `known` has as well as the same objects, as if both had been read at once.

    Else what is brought up to date for days takes more memory with every look.
    """
    columns = {}
    for name in (name for name in _REPEATED if name in rows):
        texts = {text: text for text in known[name]}
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
        newer, stretches = ([], []) if head.complete or len(head.value) >= self.cap else _split(head.value, begin)
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

    def _pages(self, begin: str, end: str) -> Iterator[Read[list[Item]]]:
        return self.store.query_pages(
            self.table,
            ("status", self.status),
            index=BY_STATUS,
            between=("created_at", begin, end),
            cap=self.cap,
            attributes=self.table.summary,
        )

    def _rows(self, items: list[Item]) -> list[pd.DataFrame]:
        made = self.frame(items)
        # A page takes ten times the memory as items, and would be there until the next one has come.
        items.clear()
        return [made]


def _split(page: list[Item], begin: int) -> tuple[list[Item], list[tuple[str, str]]]:
    """The items of a first page that are newer than its last one, and stretches of time from there back to `begin`.

    The oldest second of the page is read again, because the next page may have more of it. No stretches where the page
    is all of one time.
    """
    oldest = page[-1]["created_at"]["N"]
    newer = [item for item in page if item["created_at"]["N"] != oldest]
    length = int(Decimal(oldest)) - begin
    if not newer or length < _PARTS:
        return page, []
    edges = [begin + length * n // _PARTS for n in range(1, _PARTS)]
    # A time need not be a whole second. DynamoDB keeps 38 digits, so there is no number between these.
    begins = [str(begin), *(f"{edge}.5" for edge in edges)]
    ends = [*(f"{edge}.4{'9' * 27}" for edge in edges), oldest]
    return newer, list(zip(begins, ends, strict=True))[::-1]
