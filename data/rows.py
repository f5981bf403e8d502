"""Lists of records, the same way for both tables: a student's, a period's, and as a frame."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from data.columns import Columns
from data.parse import Fields
from data.schema import BY_STATUS, BY_STUDENT, COMPLETED, FAILED, PROCESSING, STATUSES, Table
from data.store import Item, Read, Store, combine, follow

STUDENT_CAP = 2_000
PERIOD_CAP = 20_000  # per status
SETTLED = timedelta(hours=6)  # after that nothing tries again, so a finished record stays as it is
WHOLE_BATCH = 100  # records that are in memory with all their texts at a time

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


def in_period(
    store: Store,
    table: Table,
    first: datetime,
    last: datetime,
    frame: Callable[[Sequence[Item]], pd.DataFrame],
    *,
    statuses: Sequence[str] = STATUSES,
    cap: int = PERIOD_CAP,
) -> Read[pd.DataFrame]:
    """Records created from `first` to `last`, both included to the second, as rows of `frame`, newest first.

    One Query per status, side by side. Each page becomes rows as it comes in, so that no more than a few are in memory
    as items.
    """

    def one(status: str) -> Read[list[pd.DataFrame]]:
        pages = store.query_pages(
            table,
            ("status", status),
            index=BY_STATUS,
            between=("created_at", int(first.timestamp()), int(last.timestamp())),
            cap=cap,
            attributes=table.summary,
        )
        return follow(page.map(lambda items: [frame(items)]) for page in pages)

    with ThreadPoolExecutor(len(statuses)) as pool:
        return combine(pool.map(one, statuses)).map(joined).map(newest_first)


def update(
    store: Store,
    table: Table,
    before: Read[pd.DataFrame],
    first: datetime,
    last: datetime,
    *,
    frame: Callable[[Sequence[Item]], pd.DataFrame],
    keys: tuple[str, str] | None = None,
) -> Read[pd.DataFrame]:
    """What `in_period` would give now, reading only what can have changed since `before`; its cost is that alone.

    Read anew is what was younger than six hours then or is new since, all that is processing, and, by key, what was
    processing then and is neither. `keys` are the columns of `frame` that hold the table's keys.
    """
    if not before.complete:
        return in_period(store, table, first, last, frame)
    ids = list(keys or table.key_names)
    known = before.value
    first = first.replace(microsecond=0)  # in_period's bounds are whole seconds
    since = max(first, (before.read_at - SETTLED).replace(microsecond=0))
    settled = known[known["created_at"].between(first, since, inclusive="left") & (known["status"] != PROCESSING)]
    with ThreadPoolExecutor(2) as pool:
        waiting, recent = pool.map(
            lambda part: in_period(store, table, part[0], last, frame, statuses=part[1]),
            ((first, (PROCESSING,)), (since, (COMPLETED, FAILED))),
        )
    open_then = known[(known["status"] == PROCESSING) & (known["created_at"] >= first)]
    seen = {*_keys(waiting.value, ids), *_keys(recent.value, ids)}
    lost = [dict(zip(table.key_names, key, strict=True)) for key in _keys(open_then, ids) if key not in seen]
    found = store.batch_get(table, lost, table.summary).map(frame)
    still = found.value["created_at"].between(first, last) & found.value["status"].isin(STATUSES)
    # What finishes while it is read can be in two of these: the first one is the latest.
    rows = joined([recent.value, found.value[still], waiting.value, settled]).drop_duplicates(ids)
    parts = [part.map(lambda _: [()]) for part in (waiting, recent, found)]
    return combine(parts).map(lambda _: newest_first(rows))


def _keys(rows: pd.DataFrame, ids: list[str]) -> list[tuple[str, str]]:
    return list(rows[ids].itertuples(index=False, name=None))


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames, which have the same columns."""
    filled = [frame for frame in frames if not frame.empty] or [*frames[:1]]
    return pd.concat(filled, ignore_index=True)


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
    quick: Callable[[Columns], dict[str, Any]],
    summarise: Callable[[Fields], dict[str, Any]],
    types: Mapping[str, str],
) -> pd.DataFrame:
    """A row per item, in the order given, with the columns and dtypes of `types`.

    Adds created_at (datetime64[us, UTC], NaT unknown) and issues (tuple of Issue, about these columns only). `quick`
    reads the columns of records that are as specified, `summarise` the row of one that is not; where both can read a
    record, they agree.
    """
    columns = Columns(items)
    values = {**quick(columns), "issues": [()] * len(items)}
    for row in np.flatnonzero(columns.odd).tolist():
        fields = Fields(items[row])
        found = summarise(fields)
        if found["created_at"] is not None:
            found["created_at"] = np.datetime64(found["created_at"].replace(tzinfo=None), "us")
        for name, value in {**found, "issues": tuple(fields.issues)}.items():
            values[name][row] = value
    # The dtype is said each time: pandas' own guess makes NaN of a text that is None.
    table = pd.DataFrame({name: pd.Series(values[name], dtype=dtype) for name, dtype in types.items()})
    return table.assign(
        created_at=pd.DatetimeIndex(values["created_at"]).tz_localize("UTC"),
        issues=pd.Series(values["issues"], dtype="object"),
    )


def newest_first(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by time, equal times in the order given (which is DynamoDB's), unknown times last."""
    return table.sort_values("created_at", ascending=False, kind="stable", na_position="last", ignore_index=True)
