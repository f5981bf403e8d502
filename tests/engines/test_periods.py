"""Periods: long ones read in parts, and a later look that reads little, both as if all had been read in one go."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from data.dynamodb import query
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Item, Read
from data.records import evaluations, flashcards, periods
from data.records.frames import MOMENT, newest_first
from data.schema import BY_STATUS, EVALUATIONS, FLASHCARD_SETS
from queries.cache import Cache
from queries.window import Window
from tests.support.records import KEYS_ONLY, START, Record, attempt, calls, deck, make, put

DAY = timedelta(days=1)
LONG = "m" * 80_000  # in the index too, so that a page of 1 MB ends after some twelve records


def in_one_go(store: Store, first: datetime, last: datetime, statuses: Sequence[str]) -> pd.DataFrame:
    """A period as one Query per status after the other gives it."""
    items: list[Item] = []
    for status in statuses:
        between = ("created_at", int(first.timestamp()), int(last.timestamp()))
        read = query.partition(
            store, EVALUATIONS, ("status", status), index=BY_STATUS, between=between, attributes=EVALUATIONS.summary
        )
        items += read.value
    return newest_first(evaluations.frame(items))


def times(kind: str) -> list[Any]:
    """The times of 60 records, in seconds."""
    start = int(START.timestamp())
    return {
        "even": [start + 600 * n for n in range(60)],
        "many in each second": [start + n // 20 for n in range(60)],
        "all in one second": [start] * 60,
        "most of them old": [start + n for n in range(40)] + [start + 80_000 + n for n in range(20)],
        "most of them new": [start + n for n in range(5)] + [start + 80_000 + n for n in range(55)],
        "every second": [start + n for n in range(60)],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["even", "many in each second", "all in one second", "most of them old", "most of them new", "every second"],
)
def test_a_long_period_in_parts_is_the_one_read_in_one_go(store: Store, kind: str) -> None:
    records = [attempt(n, created_at=time, model_used=LONG) for n, time in enumerate(times(kind))]
    put(store, EVALUATIONS, [*records, attempt(90, status="failed"), attempt(91, status="processing")])
    with calls(store) as sent:
        read = evaluations.period(store, START, START + DAY)
    statuses = ("processing", "completed", "failed")
    assert_frame_equal(read.value, in_one_go(store, START, START + DAY, statuses))
    assert len(read.value) == 62
    assert (read.complete, read.notes) == (True, ())
    assert read.cost.requests == len(sent)
    # The second in which the first page ends is read again, and each part ends with a page that is not full.
    assert read.cost.read_units is not None
    assert read.cost.read_units <= 61 * 80_200 / 8192 + 22 * 10


def test_what_finishes_while_the_statuses_are_read_is_there_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, EVALUATIONS, [attempt(1, status="processing"), attempt(2, status="processing"), attempt(3)])

    def one_after_the_other(read: Callable[[Any], Any], parts: Iterable[Any]) -> list[Any]:
        answers = []
        for part in parts:
            answers.append(read(part))
            put(store, EVALUATIONS, [attempt(1, status="failed")])
        return answers

    monkeypatch.setattr(periods.budget, "side_by_side", one_after_the_other)
    rows = evaluations.period(store, START, START + DAY).value.set_index("evaluation_id")
    assert rows["status"].to_dict() == {"eval-0001": "failed", "eval-0002": "processing", "eval-0003": "completed"}


@pytest.mark.parametrize("is_later", [False, True], ids=["first look", "later look"])
def test_what_finishes_between_two_queries_is_not_in_neither(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_later: bool
) -> None:
    put(store, EVALUATIONS, [attempt(1, status="processing"), attempt(2)])
    before = evaluations.period(store, START, START + DAY)

    read_status = periods._Status.read

    def finishing(self: Any, begin: int, end: int) -> Any:
        answer = read_status(self, begin, end)
        if self.status == "completed":
            put(store, EVALUATIONS, [attempt(1)])
        return answer

    def last_one_first(read: Callable[[Any], Any], parts: Iterable[Any]) -> list[Any]:
        return [read(part) for part in reversed([*parts])][::-1]

    monkeypatch.setattr(periods._Status, "read", finishing)
    monkeypatch.setattr(periods.budget, "side_by_side", last_one_first)
    # As if it had begun after the look before.
    known = looked(before.map(lambda rows: rows[rows["status"] != "processing"]), START)
    span = (START, START + DAY)
    read = evaluations.update(store, known, *span) if is_later else evaluations.period(store, *span)
    assert set(read.value["evaluation_id"]) == {"eval-0001", "eval-0002"}


def test_times_between_two_seconds_are_read_once(store: Store) -> None:
    # The parts meet at half seconds. A time may have a fraction, though the specification says whole seconds.
    start = int(START.timestamp())
    fractions = ("", ".25", ".4999", ".5", ".500001", ".75")
    written = [f"{start + second}{fraction}" for second in range(10) for fraction in fractions]
    name = store.settings.name(EVALUATIONS)
    put(store, EVALUATIONS, [attempt(n, model_used=LONG) for n in range(len(written))])
    for n, time in enumerate(written):
        store.client.update_item(
            TableName=name,
            Key={"evaluation_id": {"S": f"eval-{n:04d}"}, "user_id": {"S": "user-1"}},
            UpdateExpression="SET created_at = :t",
            ExpressionAttributeValues={":t": {"N": time}},
        )
    read = evaluations.period(store, START, START + DAY)
    assert sorted(read.value["evaluation_id"]) == [f"eval-{n:04d}" for n in range(len(written))]


@pytest.mark.parametrize("cap", [1, 11, 12, 13, 30, 47, 58, 59, 60, 61])
def test_a_cap_keeps_the_newest_also_in_parts(store: Store, cap: int) -> None:
    put(store, EVALUATIONS, [attempt(n, model_used=LONG) for n in range(60)])
    read = periods.read(store, EVALUATIONS, evaluations.frame, START, START + DAY, cap=cap)
    expected = [f"eval-{n:04d}" for n in reversed(range(60))][:cap]
    assert read.value["evaluation_id"].tolist() == expected
    assert read.complete is (cap >= 60)
    assert read.notes == (() if cap >= 60 else (f"Stopped after {cap} records; there are more.",))


def test_a_long_period_of_an_index_that_carries_too_little(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    # Keys alone make a page only when they are long.
    records = [attempt(n, evaluation_id=f"{n:04d}" + "e" * 2000, user_id="u" * 1000) for n in range(400)]
    put(bare_store, EVALUATIONS, records)
    read = evaluations.period(bare_store, START, START + DAY)
    assert len(read.value) == 400
    assert read.value["overall_band"].notna().all()
    assert len(read.notes) == 1
    assert_frame_equal(read.value, in_one_go(bare_store, START, START + DAY, ["completed"]))


# --- a later look

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WEEK = NOW - timedelta(days=7)


def minutes_ago(minutes: float) -> int:
    return int((NOW - timedelta(minutes=minutes)).timestamp())


def looked(read: Read[pd.DataFrame], at: datetime = NOW) -> Read[pd.DataFrame]:
    """The same answer, read at another time."""
    return Read(read.value, read.cost, at, read.complete, read.notes)


def anywhere(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(["created_at", "evaluation_id"], ignore_index=True)


def old(n: int) -> Record:
    return attempt(n, created_at=minutes_ago(3000 + n), model_used="m" * 1500)


def test_a_later_look_gives_what_reading_all_would_give_and_reads_little(store: Store) -> None:
    put(
        store,
        EVALUATIONS,
        [
            *(old(n) for n in range(100, 160)),
            attempt(1, status="processing", created_at=minutes_ago(30)),
            attempt(2, status="processing", created_at=minutes_ago(900)),
            attempt(3, status="processing", created_at=minutes_ago(1000)),
            attempt(4, created_at=minutes_ago(200)),
            attempt(5, status="processing", created_at=minutes_ago(8000)),
            attempt(6, status="processing", created_at=minutes_ago(2000)),
        ],
    )
    last = NOW + timedelta(hours=1)
    before = looked(evaluations.period(store, WEEK, last))
    put(
        store,
        EVALUATIONS,
        [
            attempt(1, created_at=minutes_ago(30)),  # finished
            attempt(2, status="failed", created_at=minutes_ago(900)),  # old, and marked by somebody
            attempt(4, overall_band="9.0", created_at=minutes_ago(200)),  # corrected, within six hours
            attempt(7, created_at=minutes_ago(-1)),  # new
            attempt(6, status="queued", created_at=minutes_ago(2000)),  # in no list any more
        ],
    )
    later = evaluations.update(store, before, WEEK, last)
    whole = evaluations.period(store, WEEK, last)
    assert_frame_equal(anywhere(later.value), anywhere(whole.value))
    assert later.value["created_at"].is_monotonic_decreasing
    assert later.cost.read_units is not None
    assert whole.cost.read_units is not None
    assert later.cost.read_units < whole.cost.read_units / 2


def test_later_looks_hold_no_text_more_than_once(store: Store) -> None:
    """Else what is brought up to date for weeks would take more memory than what was read at once."""
    put(store, EVALUATIONS, [old(n) for n in range(5)])
    read = looked(evaluations.period(store, WEEK, NOW))
    for n in range(5, 8):
        put(store, EVALUATIONS, [attempt(n, created_at=minutes_ago(10 - n), model_used="m" * 1500)])
        read = looked(evaluations.update(store, read, WEEK, NOW))
    assert len(read.value) == 8
    for column in ("user_id", "model_used", "status", "evaluation_type"):
        texts = read.value[column].tolist()
        assert len({id(text) for text in texts}) == len(set(texts)) == 1, column


def test_what_is_old_and_finished_is_not_read_again(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1, created_at=minutes_ago(6 * 60 + 1)), attempt(2, created_at=minutes_ago(359))])
    before = looked(evaluations.period(store, WEEK, NOW))
    put(
        store,
        EVALUATIONS,
        [
            attempt(1, created_at=minutes_ago(6 * 60 + 1), overall_band="1.0"),
            attempt(2, created_at=minutes_ago(359), overall_band="1.0"),
        ],
    )
    later = evaluations.update(store, before, WEEK, NOW)
    assert dict(later.value[["evaluation_id", "overall_band"]].itertuples(index=False)) == {
        "eval-0001": 4.5,
        "eval-0002": 1.0,
    }


def test_what_left_the_period_is_gone(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1, created_at=minutes_ago(600)), attempt(2, created_at=minutes_ago(500))])
    put(store, EVALUATIONS, [attempt(3, status="processing", created_at=minutes_ago(600))])
    before = looked(evaluations.period(store, WEEK, NOW))
    first = NOW - timedelta(minutes=550, microseconds=300)
    with calls(store) as sent:
        later = evaluations.update(store, before, first, NOW)
    assert later.value["evaluation_id"].tolist() == ["eval-0002"]
    assert sent == ["Query"] * 3


def test_a_look_after_one_that_was_cut_reads_all(store: Store) -> None:
    put(store, EVALUATIONS, [old(n) for n in range(5)])
    cut = periods.read(store, EVALUATIONS, evaluations.frame, WEEK, NOW, cap=3)
    assert len(evaluations.update(store, looked(cut), WEEK, NOW).value) == 5


def test_sets_are_brought_up_to_date_in_the_same_way(store: Store) -> None:
    put(store, FLASHCARD_SETS, [deck(1, created_at=minutes_ago(900)), deck(2, status="processing")])
    first = START - DAY
    before = looked(flashcards.period(store, first, NOW))
    put(store, FLASHCARD_SETS, [deck(2), deck(3, created_at=minutes_ago(0))])
    later = flashcards.update(store, before, first, NOW)
    assert set(later.value["set_id"]) == {"set-0001", "set-0002", "set-0003"}
    assert set(later.value["status"]) == {"completed"}


# --- what is kept for all visitors


class Kept:
    """A window as one asks it at different times."""

    def __init__(self, read: Any, update: Any, keys: tuple[str, ...] = ()) -> None:
        self.now = NOW
        self.cache = Cache(lambda: self.now)
        self.window = Window("records", read, update, keys=keys)

    def last_days(self, days: int, now: datetime) -> Read[pd.DataFrame]:
        self.now = now
        return self.cache.answer(self.window, days).read

    def is_fresh(self, days: int, now: datetime) -> bool:
        self.now = now
        return self.cache.has_fresh(self.window, days)

    def forget(self) -> None:
        self.cache.outdate(self.window)

    def drop(self) -> None:
        self.cache.clear()


class Reader:
    """Reads without an engine, and remembers what it was asked."""

    def __init__(self, **minutes: float) -> None:
        self.asked: list[tuple[str, datetime]] = []
        self.now = NOW
        self.complete = True
        self.minutes = minutes

    def kept(self) -> Kept:
        return Kept(self.read, self.update)

    def read(self, first: datetime, _last: datetime) -> Read[pd.DataFrame]:
        self.asked.append(("read", first))
        rows = [
            {
                "evaluation_id": name,
                "status": "processing",  # which can change, however old
                "created_at": pd.Timestamp(NOW - timedelta(minutes=minutes)),
            }
            for name, minutes in sorted(self.minutes.items(), key=lambda entry: entry[1])
            if NOW - timedelta(minutes=minutes) >= first
        ]
        frame = pd.DataFrame(rows, columns=["evaluation_id", "status", "created_at"])
        return Read(frame.astype({"created_at": MOMENT}), Cost(1, 1.0), self.now, self.complete)

    def update(self, _before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
        read = self.read(first, last)
        self.asked[-1] = ("update", first)
        return read


def ids(read: Read[pd.DataFrame]) -> list[str]:
    return list(read.value["evaluation_id"])


def test_a_shorter_period_is_part_of_the_longer_one_and_reads_nothing() -> None:
    reader = Reader(today=10, week=3 * 1440, month=20 * 1440)
    kept = reader.kept()
    assert ids(kept.last_days(30, NOW)) == ["today", "week", "month"]
    assert ids(kept.last_days(7, NOW)) == ["today", "week"]
    assert ids(kept.last_days(1, NOW + timedelta(minutes=4))) == ["today"]
    assert reader.asked == [("read", NOW - timedelta(days=30))]


def test_of_a_longer_period_what_is_older_is_read() -> None:
    reader = Reader(today=10, month=20 * 1440)
    kept = reader.kept()
    assert ids(kept.last_days(7, NOW)) == ["today"]
    assert ids(kept.last_days(30, NOW)) == ["today", "month"]
    # What was read a moment ago is not read again.
    assert [what for what, _ in reader.asked] == ["read", "read"]


def test_a_job_that_somebody_sets_back_to_processing_is_there_once(store: Store) -> None:
    at = {"created_at": minutes_ago(3_000)}
    put(store, EVALUATIONS, [attempt(1, status="failed", **at), attempt(2, status="failed", **at), attempt(3, **at)])
    kept = Kept(
        lambda *span: looked(evaluations.period(store, *span), kept.now),
        lambda *span: looked(evaluations.update(store, *span), kept.now),
        EVALUATIONS.key_names,
    )
    kept.last_days(7, NOW)
    put(store, EVALUATIONS, [attempt(1, status="processing", **at)])
    later = kept.last_days(7, NOW + timedelta(minutes=6)).value
    assert dict(later[["evaluation_id", "status"]].itertuples(index=False)) == {
        "eval-0001": "processing",
        "eval-0002": "failed",
        "eval-0003": "completed",
    }
    assert len(later) == 3


def test_a_window_that_has_grown_is_the_one_that_is_read_at_once(store: Store) -> None:
    start = int(NOW.timestamp())
    ages = [60, 3_000, *(3_600 * n for n in range(1, 60)), 7 * 86_400, 7 * 86_400 + 1, 20 * 86_400]
    records = [
        attempt(
            n,
            user_id=f"user-{n % 7}",
            created_at=start - age,
            status="processing" if n % 9 == 1 else "failed" if n % 5 == 1 else "completed",
        )
        for n, age in enumerate(ages)
    ]
    put(store, EVALUATIONS, records)
    kept = Kept(
        lambda *span: looked(evaluations.period(store, *span)),
        lambda before, *span: looked(evaluations.update(store, before, *span)),
    )
    for days in (1, 2, 7, 8, 30):
        kept.last_days(days, NOW)
    # What was processing has ended, and the window is brought up to date.
    put(store, EVALUATIONS, [{**record, "status": "completed"} for record in records if record["status"] != "failed"])
    now = NOW + timedelta(minutes=6)
    grown = kept.last_days(30, now)
    assert grown.complete
    at_once = Kept(lambda *span: looked(evaluations.period(store, *span)), None).last_days(30, now)
    by_id = {"by": "evaluation_id", "ignore_index": True}
    assert_frame_equal(grown.value.sort_values(**by_id), at_once.value.sort_values(**by_id))
    assert grown.value["created_at"].is_monotonic_decreasing
    assert len(grown.value) == len(records)


def test_a_period_that_was_cut_off_serves_no_other_one() -> None:
    reader = Reader(today=10, month=20 * 1440)
    kept = reader.kept()
    reader.complete = False
    kept.last_days(30, NOW)
    kept.last_days(30, NOW)
    assert len(reader.asked) == 1
    reader.complete = True
    assert kept.last_days(7, NOW).complete
    assert [first for _, first in reader.asked] == [NOW - timedelta(days=30), NOW - timedelta(days=7)]


def test_what_is_stale_is_brought_up_to_date_and_what_is_forgotten_is_read() -> None:
    reader = Reader(today=10)
    kept = reader.kept()
    kept.last_days(7, NOW)
    reader.now = NOW + timedelta(minutes=5)
    kept.last_days(7, reader.now)
    kept.last_days(7, reader.now)
    assert [what for what, _ in reader.asked] == ["read", "update"]
    kept.forget()
    kept.last_days(7, reader.now)
    assert [what for what, _ in reader.asked] == ["read", "update", "read"]


def test_what_needs_no_read_is_known_without_one() -> None:
    reader = Reader(today=10)
    kept = reader.kept()
    assert not kept.is_fresh(7, NOW)
    kept.last_days(7, NOW)
    assert kept.is_fresh(7, NOW)
    assert kept.is_fresh(1, NOW + timedelta(minutes=4))
    assert not kept.is_fresh(30, NOW)
    assert not kept.is_fresh(7, NOW + timedelta(minutes=5))
    kept.forget()
    assert not kept.is_fresh(7, NOW)
    kept.last_days(7, NOW)
    kept.drop()
    assert not kept.is_fresh(7, NOW)
    reader.complete = False
    kept.last_days(7, NOW)
    assert kept.is_fresh(7, NOW)
    assert not kept.is_fresh(1, NOW)
