"""Lists of records, the same way for both tables: a student's, whole ones by key, and as a frame."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from data.dynamodb import budget
from data.dynamodb.store import Item, Read, Store, combine
from data.records.columns import Columns
from data.records.parse import Fields
from data.schema import BY_STUDENT, Table

STUDENT_CAP = 2_000
CLASSMATE_CAP = 500  # per student
WHOLE_BATCH = 100  # records that are in memory with all their texts at a time
_SIDE_BY_SIDE = 8  # Queries at a time

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

    return combine(budget.side_by_side(one, list(dict.fromkeys(user_ids)), _SIDE_BY_SIDE))


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
    items: Sequence[Item],
    table: Table,
    quick: Callable[[Columns], dict[str, Any]],
    summarise: Callable[[Fields], dict[str, Any]],
    dtypes: Mapping[str, str],
) -> pd.DataFrame:
    """A row per item of `table`, in the order given, with the columns of `dtypes`.

    Adds created_at (datetime64[us, UTC], NaT unknown) and issues (tuple of Issue, about these columns only). `quick`
    reads the columns of records that are as specified, `summarise` the row of one that is not; where both can read a
    record, they agree.
    """
    columns = Columns(items, table)
    values = {**quick(columns), "issues": [()] * len(items)}
    for row in np.flatnonzero(columns.odd).tolist():
        fields = Fields(items[row])
        found = summarise(fields)
        if found["created_at"] is not None:
            found["created_at"] = np.datetime64(found["created_at"].replace(tzinfo=None), "us")
        for name, value in {**found, "issues": tuple(fields.issues)}.items():
            values[name][row] = value
    # The dtype is said each time: pandas' own guess makes NaN of a text that is None.
    frame = pd.DataFrame({name: pd.Series(values[name], dtype=dtype) for name, dtype in dtypes.items()})
    return frame.assign(
        created_at=pd.DatetimeIndex(values["created_at"]).tz_localize("UTC"),
        issues=pd.Series(values["issues"], dtype="object"),
    )


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames, which have the same columns."""
    filled = [frame for frame in frames if not frame.empty] or [*frames[:1]]
    return pd.concat(filled, ignore_index=True)


def newest_first(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by time, equal times in the order given (which is DynamoDB's), unknown times last."""
    return table.sort_values("created_at", ascending=False, kind="stable", na_position="last", ignore_index=True)
