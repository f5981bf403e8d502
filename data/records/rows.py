"""What can be asked of the records of a table, the same for both: a student's, everybody's, whole ones by key."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import pandas as pd

from data.dynamodb import budget, query, scan
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Item, Read, combine
from data.records import columns, periods
from data.records.columns import Reading
from data.records.frames import Schema, newest_first
from data.records.parse import Fields, time
from data.schema import BY_STUDENT, Table

STUDENT_CAP = 2_000
CLASSMATE_CAP = 500  # per student
WHOLE_BATCH = 100  # records that are in memory with all their texts at a time
_SIDE_BY_SIDE = 8  # Queries at a time

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Records(Generic[R]):
    """The records of a table: how the attributes of a list are read, the columns of its frame, a whole record."""

    table: Table
    readings: Mapping[str, Reading]
    schema: Schema
    parse: Callable[[Item], R]

    def frame(self, items: Sequence[Item]) -> pd.DataFrame:
        """A row per item, in the order given, with the columns of `schema`."""
        return columns.frame(items, self.table, self.readings, self.schema)

    def summary(self, item: Item) -> tuple[dict[str, Any], Fields]:
        """What a frame holds of an item, None where unknown, its time as a datetime; and the item's Fields so far."""
        fields = Fields(item)
        summary = columns.one(fields, self.table, self.readings)
        if summary["created_at"] is not None:
            summary["created_at"] = time(summary["created_at"])
        return summary, fields

    def history(
        self, store: Store, user_id: str, *, by_scan: bool = False, cap: int = STUDENT_CAP
    ) -> Read[pd.DataFrame]:
        """A student's records of every status, newest first, those without a readable time last.

        Failure of kind index_missing when there is no index. `by_scan` reads the whole table instead: only for a user
        who saw the cost and accepted it.
        """
        summary = self.table.summary
        if by_scan:
            read = scan.where(store, self.table, "user_id", user_id, attributes=summary)
        else:
            read = query.partition(
                store, self.table, ("user_id", user_id), index=BY_STUDENT, cap=cap, attributes=summary
            )
        return self._newest_first(read)

    def of_students(self, store: Store, user_ids: Iterable[str], first: datetime, last: datetime) -> Read[pd.DataFrame]:
        """The records of some students from `first` to `last`, newest first; a Query for each, eight at a time."""

        def one(user_id: str) -> Read[list[Item]]:
            return query.partition(
                store,
                self.table,
                ("user_id", user_id),
                index=BY_STUDENT,
                between=("created_at", int(first.timestamp()), int(last.timestamp())),
                cap=CLASSMATE_CAP,
                attributes=self.table.summary,
            )

        parts = budget.side_by_side(one, list(dict.fromkeys(user_ids)), _SIDE_BY_SIDE)
        return self._newest_first(combine(parts) if parts else Read([], Cost()))

    def period(self, store: Store, first: datetime, last: datetime) -> Read[pd.DataFrame]:
        """Everybody's records created from `first` to `last`, newest first."""
        return periods.read(store, self.table, self.frame, first, last)

    def update(self, store: Store, before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
        """What `period` would give now, reading only what can have changed since `before`."""
        return periods.update(store, self.table, self.frame, before, first, last)

    def whole(self, store: Store, keys: Iterable[tuple[str, str]]) -> Iterator[Read[list[R]]]:
        """The whole records of `keys` (partition, sort), a batch at a time; whoever stops asking stops the reading.

        A batch's records are in no order, and those deleted meanwhile are not there.
        """
        unique = list(dict.fromkeys(keys))
        for start in range(0, len(unique), WHOLE_BATCH):
            batch = [dict(zip(self.table.key_names, key, strict=True)) for key in unique[start : start + WHOLE_BATCH]]
            yield self._parsed(query.batch_get(store, self.table, batch))

    def get(self, store: Store, record_id: str, user_id: str) -> Read[R | None]:
        """One record by both keys, None when there is none."""
        read = query.get(store, self.table, dict(zip(self.table.key_names, (record_id, user_id), strict=True)))
        return read.map(lambda item: None if item is None else self.parse(item))

    def find(self, store: Store, record_id: str, user_ids: Sequence[str] | None = None) -> Read[list[R]]:
        """The records of that id: one as a rule, several only when students share the id.

        Where `user_ids` are given, theirs alone are asked for, so that no other one is read or paid for.
        """
        if user_ids is not None:
            parts = list(self.whole(store, ((record_id, user_id) for user_id in user_ids)))
            return combine(parts) if parts else Read([], Cost())
        return self._parsed(query.partition(store, self.table, (self.table.partition_key, record_id), cap=100))

    def _newest_first(self, read: Read[list[Item]]) -> Read[pd.DataFrame]:
        return read.map(lambda items: newest_first(self.frame(items)))

    def _parsed(self, read: Read[list[Item]]) -> Read[list[R]]:
        return read.map(lambda items: [self.parse(item) for item in items])
