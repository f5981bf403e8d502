"""Lists of records, the same way for both tables: a student's, a period's, and as a frame."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import pandas as pd

from data import deadline
from data.parse import Fields
from data.schema import BY_STATUS, BY_STUDENT, STATUSES, Table
from data.store import Item, Read, Store, combine

STUDENT_CAP = 2_000
PERIOD_CAP = 20_000  # per status
CLASSMATE_CAP = 500  # per student
WHOLE_BATCH = 100  # records that are in memory with all their texts at a time
_SIDE_BY_SIDE = 8  # Queries at a time; botocore keeps ten connections

R = TypeVar("R")


def of_student(
    store: Store,
    table: Table,
    user_id: str,
    *,
    cap: int = STUDENT_CAP,
    by_scan: bool = False,
) -> Read[list[Item]]:
    """A student's records, newest first, through the index; Failure of kind index_missing when there is none.

    `by_scan` reads the whole table instead: only for a user who saw the cost and accepted it.
    """
    if by_scan:
        return store.scan(table, "user_id", user_id, attributes=table.summary)
    return store.query(table, ("user_id", user_id), index=BY_STUDENT, cap=cap, attributes=table.summary)


def of_students(
    store: Store, table: Table, user_ids: Iterable[str], first: datetime, last: datetime, *, cap: int = CLASSMATE_CAP
) -> Read[list[Item]]:
    """The records of some students from `first` to `last`; a Query on the index for each, eight at a time."""

    def one(user_id: str) -> Read[list[Item]]:
        return store.query(
            table,
            ("user_id", user_id),
            index=BY_STUDENT,
            between=("created_at", int(first.timestamp()), int(last.timestamp())),
            cap=cap,
            attributes=table.summary,
        )

    return combine(deadline.side_by_side(one, list(dict.fromkeys(user_ids)), _SIDE_BY_SIDE))


def in_period(
    store: Store,
    table: Table,
    first: datetime,
    last: datetime,
    *,
    statuses: Sequence[str] = STATUSES,
    cap: int = PERIOD_CAP,
) -> Read[list[Item]]:
    """Records created from `first` to `last`, both included to the second; one Query per status, side by side."""

    def one(status: str) -> Read[list[Item]]:
        return store.query(
            table,
            ("status", status),
            index=BY_STATUS,
            between=("created_at", int(first.timestamp()), int(last.timestamp())),
            cap=cap,
            attributes=table.summary,
        )

    return combine(deadline.side_by_side(one, statuses))


def whole(
    store: Store, table: Table, keys: Iterable[tuple[str, str]], parse: Callable[[Item], R]
) -> Iterator[Read[list[R]]]:
    """The whole records of `keys` (partition, sort), a batch at a time; whoever stops asking stops the reading.

    A batch's records are in no order, and those deleted meanwhile are not there.
    """
    unique = list(dict.fromkeys(keys))
    for start in range(0, len(unique), WHOLE_BATCH):
        wanted = [dict(zip(table.key_names, key, strict=True)) for key in unique[start : start + WHOLE_BATCH]]
        yield store.batch_get(table, wanted).map(lambda items: [parse(item) for item in items])


def to_frame(
    items: Iterable[Item], summarise: Callable[[Fields], dict[str, Any]], columns: Mapping[str, str]
) -> pd.DataFrame:
    """A row per item, in the order given: what `summarise` reads, with the `columns`' dtypes.

    Adds created_at (datetime64[us, UTC], NaT unknown) and issues (tuple of Issue, about these columns only).
    """
    records = []
    for item in items:
        fields = Fields(item)
        records.append({**summarise(fields), "issues": tuple(fields.issues)})
    # As objects first: pandas' own guess makes NaN of a text that is None.
    table = pd.DataFrame(records, columns=[*columns, "created_at", "issues"], dtype="object").astype(dict(columns))
    return table.assign(created_at=pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]"))


def newest_first(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by time, equal times in the order given (which is DynamoDB's), unknown times last."""
    return table.sort_values("created_at", ascending=False, kind="stable", na_position="last", ignore_index=True)
