"""Records that no list shows, because their keys keep them out of the indexes or away from what is asked of them."""

import math
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue

from data.dynamodb import scan
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Item
from data.records.frames import AHEAD
from data.records.parse import FIRST, LAST, Fields, text
from data.schema import STATUSES, Table

SEGMENTS = 4
KEPT = 1_000  # records whose keys are kept; all are counted

IN_NO_LIST = "in no list at all"
NOT_IN_THE_CLASS = "in the student's history, but in no list of the class or of a period"

# reason -> where such a record can still be found
REASONS: Mapping[str, str] = {
    "created_at is missing": IN_NO_LIST,
    "created_at is not a number": IN_NO_LIST,
    "created_at is not a time in seconds since 2000": NOT_IN_THE_CLASS,
    "created_at is in the future": NOT_IN_THE_CLASS,
    "status is missing": NOT_IN_THE_CLASS,
    "status is not text": NOT_IN_THE_CLASS,
    f"status is none of {', '.join(STATUSES)}": NOT_IN_THE_CLASS,
    "user_id is missing or not text": IN_NO_LIST,
}
_NO_TIME, _ODD_TIME, _IMPOSSIBLE_TIME, _FUTURE, _NO_STATUS, _ODD_STATUS, _OTHER_STATUS, _NO_STUDENT = REASONS


@dataclass(frozen=True, slots=True)
class Unlisted:
    """The keys of a record that a list leaves out, and the REASONS why."""

    record_id: str
    user_id: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountProgress:
    """How far a count has come: records read, how many of them no list shows, why, the keys of the first KEPT."""

    read: int
    unlisted: int
    reasons: Mapping[str, int]
    kept: tuple[Unlisted, ...]
    cost: Cost
    read_at: datetime
    complete: bool


def count(store: Store, table: Table, segments: int = SEGMENTS) -> Generator[CountProgress]:
    """Count the records of the whole table that no list shows, in parallel segments; a CountProgress after every page.

    Whoever closes the iterator stops the reading: when close() returns, no request is on its way and none will follow.
    Only for a user who accepted the cost. Raises Failure.
    """
    attributes = (*table.key_names, "status", "created_at")
    stop, now = threading.Event(), datetime.now(UTC)
    pages: SimpleQueue[_Page | BaseException] = SimpleQueue()

    def work(segment: int) -> None:
        try:
            for page in scan.pages(store, table, attributes, segment=segment, segments=segments):
                orphans = [unlisted for item in page.value if (unlisted := _judge(table, item, now))]
                pages.put(_Page(len(page.value), orphans, page.cost, page.complete))
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the pages are awaited
            pages.put(error)

    pool = ThreadPoolExecutor(segments, thread_name_prefix="unindexed")
    try:
        for segment in range(segments):
            pool.submit(work, segment)
        yield from _add_up(pages, segments)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Page:
    read: int
    unlisted: list[Unlisted]
    cost: Cost
    last: bool


def _add_up(pages: "SimpleQueue[_Page | BaseException]", segments: int) -> Iterator[CountProgress]:
    read = unlisted = finished = 0
    reasons: Counter[str] = Counter()
    kept: list[Unlisted] = []
    cost = Cost()
    while finished < segments:
        page = pages.get()
        if isinstance(page, BaseException):
            raise page
        read += page.read
        unlisted += len(page.unlisted)
        reasons.update(reason for record in page.unlisted for reason in record.reasons)
        kept += page.unlisted[: KEPT - len(kept)]
        cost += page.cost
        finished += page.last
        yield CountProgress(
            read,
            unlisted,
            {reason: reasons[reason] for reason in REASONS if reasons[reason]},
            tuple(sorted(kept, key=lambda record: (record.user_id, record.record_id))),
            cost,
            datetime.now(UTC),
            finished == segments,
        )


def _judge(table: Table, item: Item, now: datetime) -> Unlisted | None:
    """Why no list shows this record, None when they do."""
    reasons = [*_about_time(item, now), *_about_status(item)]
    if not item.get("user_id", {}).get("S"):
        reasons.append(_NO_STUDENT)
    if not reasons:
        return None
    fields = Fields(item)
    record_id, user_id = (fields.read(name, text) or "" for name in table.key_names)
    return Unlisted(record_id, user_id, tuple(reasons))


def _about_time(item: Item, now: datetime) -> list[str]:
    value = item.get("created_at")
    if value is None:
        return [_NO_TIME]
    if "N" not in value:
        return [_ODD_TIME]
    seconds = float(value["N"])
    if not (math.isfinite(seconds) and FIRST.timestamp() <= seconds < LAST.timestamp()):
        return [_IMPOSSIBLE_TIME]
    # No period reaches farther.
    return [_FUTURE] if seconds > (now + AHEAD).timestamp() else []


def _about_status(item: Item) -> list[str]:
    value = item.get("status")
    if value is None:
        return [_NO_STATUS]
    if "S" not in value:
        return [_ODD_STATUS]
    return [] if value["S"] in STATUSES else [_OTHER_STATUS]
