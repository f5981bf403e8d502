"""Counting what no list shows, over HTTP on two engines: every record once, what it cost, and that stopping stops."""

import threading
import time
from typing import Any

import pytest

from data.demo.engine import write
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.facts import TableFacts
from data.records import evaluations, orphans, rows
from data.records.orphans import IN_NO_LIST, NOT_IN_THE_CLASS, REASONS, CountProgress, Unlisted
from data.schema import EVALUATIONS, FLASHCARD_SETS, Table
from tests.support.records import KEYS_ONLY, attempt, deck, make, put

NOT_ONE_OF_THREE = "status is none of processing, completed, failed"


def count(store: Store, table: Table = EVALUATIONS, **more: Any) -> CountProgress:
    """The last word of a whole count."""
    return list(orphans.count(store, table, **more))[-1]


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


CASES = [
    (attempt(0), ()),
    (attempt(0, status="processing"), ()),
    (attempt(0, status="failed"), ()),
    (attempt(0, status="queued"), (NOT_ONE_OF_THREE,)),
    (attempt(0, status="Completed"), (NOT_ONE_OF_THREE,)),
    (without(attempt(0), "status"), ("status is missing",)),
    (without(attempt(0), "created_at"), ("created_at is missing",)),
    (without(attempt(0), "created_at", "status"), ("created_at is missing", "status is missing")),
    (attempt(0, created_at=946_684_799), ("created_at is not a time in seconds since 2000",)),  # a second before
    (attempt(0, created_at=946_684_800), ()),
    (attempt(0, created_at=4_102_444_799), ("created_at is in the future",)),
    (attempt(0, created_at=int(time.time()) + 3_500), ()),  # of a clock that is ahead
    (attempt(0, created_at=int(time.time()) + 86_400), ("created_at is in the future",)),
    (attempt(0, created_at=4_102_444_800), ("created_at is not a time in seconds since 2000",)),  # the year 2100
    (attempt(0, created_at=1_733_644_800_000), ("created_at is not a time in seconds since 2000",)),
]


@pytest.mark.parametrize(("record", "reasons"), CASES)
def test_why_no_list_shows_a_record(store: Store, record: dict[str, Any], reasons: tuple[str, ...]) -> None:
    put(store, EVALUATIONS, [record])
    counts = count(store)
    assert counts.read == 1
    assert counts.kept == ((Unlisted("eval-0000", "user-1", reasons),) if reasons else ())
    assert counts.unlisted == bool(reasons)
    assert counts.reasons == dict.fromkeys(reasons, 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created_at": "2026-03-01"}, "created_at is not a number"),
        ({"created_at": None}, "created_at is not a number"),
        ({"status": 7}, "status is not text"),
        ({"status": None}, "status is not text"),
    ],
)
def test_key_attributes_of_another_type_from_before_there_were_indexes(
    bare_store: Store, changes: dict[str, Any], reason: str
) -> None:
    # With the indexes, DynamoDB refuses such records; without, it takes them.
    make(bare_store, EVALUATIONS, None)
    put(bare_store, EVALUATIONS, [attempt(0, **changes)])
    assert count(bare_store).reasons == {reason: 1}


def test_every_reason_says_where_the_record_still_is() -> None:
    assert set(REASONS.values()) == {IN_NO_LIST, NOT_IN_THE_CLASS}
    assert REASONS["created_at is missing"] == IN_NO_LIST
    assert REASONS["status is missing"] == NOT_IN_THE_CLASS


@pytest.mark.parametrize("segments", [1, 2, 4, 7])
def test_parallel_segments_read_every_record_once(store: Store, segments: int) -> None:
    put(store, EVALUATIONS, [attempt(n, **({} if n % 10 else {"status": "queued"})) for n in range(1000)])
    steps = list(orphans.count(store, EVALUATIONS, segments))
    last = steps[-1]
    assert (last.read, last.unlisted, last.reasons) == (1000, 100, {NOT_ONE_OF_THREE: 100})
    assert [record.record_id for record in last.kept] == [f"eval-{n:04d}" for n in range(0, 1000, 10)]
    # It only grows, and only the last one says that it is whole.
    assert [step.read for step in steps] == sorted(step.read for step in steps)
    assert [step.complete for step in steps] == [False] * (len(steps) - 1) + [True]
    assert last.cost.requests >= segments


def test_what_it_cost_is_that_of_the_whole_records(store: Store) -> None:
    # 100 records of about 8 KB: a scan of them is about 100 units, although only keys come back.
    put(store, EVALUATIONS, [attempt(n, feedback="x" * 7_800) for n in range(100)])
    counts = count(store)
    assert counts.cost.read_units == pytest.approx(100, rel=0.05)
    assert counts.cost.usd in (None, pytest.approx(counts.cost.read_units * 0.125e-6))


def test_flashcard_sets_too_and_an_empty_table(store: Store) -> None:
    put(store, FLASHCARD_SETS, [deck(1), without(deck(2), "created_at")])
    counts = count(store, FLASHCARD_SETS)
    assert counts.kept == (Unlisted("set-0002", "user-1", ("created_at is missing",)),)
    assert (count(store).read, count(store).complete) == (0, True)


def test_only_so_many_keys_are_kept_but_all_are_counted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "KEPT", 3)
    put(store, EVALUATIONS, [without(attempt(n), "created_at") for n in range(25)])
    counts = count(store)
    assert counts.unlisted == 25
    assert len(counts.kept) == 3


class Counting:
    """A client that counts its scans and keeps them slow, so that there is something to stop."""

    def __init__(self, client: Any) -> None:
        self.client, self.scans, self.lock = client, 0, threading.Lock()
        self.running = 0

    def scan(self, **request: Any) -> Any:
        with self.lock:
            self.scans += 1
            self.running += 1
        try:
            return self.client.scan(**request)
        finally:
            with self.lock:
                self.running -= 1


def test_stopping_stops_every_segment_and_leaves_no_request_on_its_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.dynamodb.scan._PAGE", 5)
    put(store, EVALUATIONS, [attempt(n) for n in range(600)])
    counting = Counting(store.client)
    watched = Store(store.settings, counting)  # type: ignore[arg-type]
    steps = orphans.count(watched, EVALUATIONS, 4)
    first = next(steps)
    steps.close()
    done = counting.scans
    assert not first.complete
    assert counting.running == 0
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("unindexed")]
    assert counting.scans == done < 124  # the whole table takes at least 120 requests


def test_a_failing_segment_is_a_failure_and_stops_the_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, EVALUATIONS, [attempt(n) for n in range(50)])
    store.client.delete_table(TableName=store.settings.name(EVALUATIONS))
    with pytest.raises(Failure, match="missing"):
        count(store)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("unindexed")]


def test_whole_records_come_in_batches_and_nobody_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "WHOLE_BATCH", 10)
    put(store, EVALUATIONS, [attempt(n) for n in range(25)])
    keys = [(f"eval-{n:04d}", "user-1") for n in (*range(25), 3, 4, 999)]
    batches = list(evaluations.whole(store, keys))
    assert [len(batch.value) for batch in batches] == [10, 10, 5]  # 999 is not there
    assert sorted(e.evaluation_id for batch in batches for e in batch.value) == [f"eval-{n:04d}" for n in range(25)]
    assert all(e.feedback == {"strengths": ["Clear."]} for batch in batches for e in batch.value)
    # Half a unit each. For a key that is not there, AWS and dynoxide charge as well, DynamoDB Local does not.
    assert sum(batch.cost.read_units or 0 for batch in batches) in (12.5, 13.0)


@pytest.mark.parametrize(
    ("items", "size", "records", "cost"),
    [
        (0, 0, 10, None),  # not counted yet
        (100, 100 * 1024, 10, Cost(1, 5.0)),  # 1 KB each: never less than half a unit
        (100, 100 * 8192, 101, Cost(2, 126.25)),  # 8 KB each, and a quarter for rounding up
    ],
)
def test_the_estimate_for_whole_records(items: int, size: int, records: int, cost: Cost | None) -> None:
    assert TableFacts("t", "", items, size, {}).batch_cost(records) == cost


def test_the_estimate_is_near_what_it_costs(store: Store) -> None:
    records = [attempt(n, feedback="x" * (400 * n)) for n in range(60)]
    put(store, EVALUATIONS, records)
    size = sum(len(str(record)) for record in records)
    estimate = TableFacts("t", "", len(records), size, {}).batch_cost(len(records))
    spent = sum(
        b.cost.read_units or 0 for b in evaluations.whole(store, [(r["evaluation_id"], "user-1") for r in records])
    )
    assert estimate is not None
    assert estimate.read_units == pytest.approx(spent, rel=0.15)


def test_an_index_with_keys_only_hides_nothing_from_the_count(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    write(bare_store.client, bare_store.settings.name(EVALUATIONS), [without(attempt(0), "status")])
    assert count(bare_store).reasons == {"status is missing": 1}
