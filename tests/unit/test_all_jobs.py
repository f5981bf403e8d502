"""The jobs of both tables: which looks read what, and how often."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from analysis.job_states import Thresholds
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Item, Read
from data.records import evaluations, flashcards, jobs
from data.records.jobs import Key
from data.roster import Roster
from data.schema import FAILED
from queries import all_jobs, records, session, source
from queries.access.gate import Gate, Visitor
from queries.cache import FRESH, STALE, Answer, Cache, packed
from queries.session import Session
from tests.support.attempts import attempt, frame

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = timedelta(seconds=10)
SINCE = datetime(2000, 1, 1, tzinfo=UTC)


class World:
    """Two empty tables, a clock, and from when they were read."""

    def __init__(self) -> None:
        self.now = NOW
        self.reads: list[datetime] = []

    def reader(self, frame: Callable[[Sequence[Item]], pd.DataFrame]) -> Callable[..., Read[pd.DataFrame]]:
        def read(_: object, first: datetime, _last: datetime) -> Read[pd.DataFrame]:
            self.reads.append(first)
            return Read(frame([]), Cost(1, 0.5), self.now)

        return read

    def look(self, first: datetime, last: datetime) -> None:
        """What Jobs asks for where it reads again every ten seconds."""
        of_ops = Session(Gate(Visitor(None, "ops"), Roster()))
        all_jobs.between(of_ops, first, last, self.now, Thresholds(), LOOK - timedelta(seconds=1))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setattr(session, "cache", Cache(lambda: world.now))
    monkeypatch.setattr(source, "store", lambda: None)
    monkeypatch.setattr(evaluations, "period", world.reader(evaluations.frame))
    monkeypatch.setattr(flashcards, "period", world.reader(flashcards.frame))
    return world


@pytest.mark.parametrize(
    "last",
    [NOW + timedelta(hours=12), NOW + timedelta(minutes=30), NOW - timedelta(hours=12), NOW - timedelta(days=30)],
    ids=["until tonight", "until now", "until this morning", "long over"],
)
def test_a_look_every_ten_seconds_does_not_read_anew_what_is_no_window(last: datetime, world: World) -> None:
    world.look(SINCE, last)
    for _ in range(3):
        world.now += LOOK
        world.look(SINCE, last)
    assert world.reads == [SINCE, SINCE]
    world.now += FRESH
    world.look(SINCE, last)
    assert len(world.reads) == 4


def test_a_period_that_is_wholly_in_the_future_has_no_jobs(world: World) -> None:
    world.look(NOW + timedelta(days=10), NOW + timedelta(days=20))
    assert world.reads == [NOW - timedelta(days=1)] * 2


def test_of_a_period_that_is_over_the_day_after_says_what_was_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = NOW - timedelta(days=30)
    failed = attempt(last - timedelta(minutes=30), status=FAILED, evaluation_id="a")
    rows = frame(attempt(last + timedelta(minutes=10), evaluation_id="b"), failed)

    def period(_: object, first: datetime, until: datetime) -> Read[pd.DataFrame]:
        of_span = rows[(rows["created_at"] >= first) & (rows["created_at"] <= until)]
        return Read(of_span.reset_index(drop=True), Cost(1, 0.5), world.now)

    monkeypatch.setattr(evaluations, "period", period)
    monkeypatch.setattr(jobs, "reasons", lambda *_: Read({}, Cost(1, 0.5), world.now))
    of_ops = Session(Gate(Visitor(None, "ops"), Roster()))
    every = all_jobs.between(of_ops, last - timedelta(days=2), last, world.now, Thresholds()).jobs
    assert list(every["job_id"]) == ["a"]
    assert every["recovered"].all()


@pytest.mark.parametrize(
    ("from_hours", "explained", "known_since", "known_until"),
    [(None, ["a", "b"], 3, None), (4, ["d", "c"], 10, 2), (3, ["c", "b"], 4, 1), (1, ["a", "b"], 3, None)],
    ids=["the newest", "from there on", "then what came", "then what was before"],
)
def test_of_too_many_failures_those_come_first_from_which_a_link_begins(
    from_hours: int | None,
    explained: list[str],
    known_since: int,
    known_until: int | None,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = dict(zip("abcd", (1, 2, 3, 4), strict=True))
    rows = frame(*(attempt(NOW - timedelta(hours=h), status=FAILED, evaluation_id=name) for name, h in hours.items()))
    monkeypatch.setattr(evaluations, "period", lambda *_: Read(rows, Cost(1, 0.5), world.now))
    asked: list[str] = []

    def reasons(_: object, keys: Sequence[Key]) -> Read[dict[Key, str | None]]:
        asked.extend(key.job_id for key in keys)
        return Read(dict.fromkeys(keys, "late"), Cost(1, 0.5), world.now)

    monkeypatch.setattr(jobs, "reasons", reasons)
    of_ops = Session(Gate(Visitor(None, "ops"), Roster()))
    begin = None if from_hours is None else NOW - timedelta(hours=from_hours)
    first = NOW - timedelta(hours=10)
    every = all_jobs.between(of_ops, first, NOW, NOW, Thresholds(), most_reasons=2, explained_from=begin)
    assert asked == explained
    assert every.unread == 2
    read_from = NOW - timedelta(days=1) if known_since == 10 else NOW - timedelta(hours=known_since)
    assert every.known_since == read_from
    # What failed after those that a link is about may belong to them.
    assert every.known_until == (None if known_until is None else NOW - timedelta(hours=known_until))


@dataclass
class Whole:
    """Whole records of failed jobs, which keys were asked for at each read, and a clock."""

    now: datetime = NOW
    failure: Failure | None = None
    gone: frozenset[Key] = frozenset()
    asked: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = Cache(lambda: self.now)

    def read(self, _: object, keys: Sequence[Key]) -> Read[dict[Key, str | None]]:
        if self.failure:
            raise self.failure
        self.asked.append([key.job_id for key in keys])
        return Read({key: f"{key.job_id} failed" for key in keys if key not in self.gone}, Cost(1, 0.5), self.now)

    def reasons(self, *names: str) -> Answer[dict[Key, str | None]]:
        return self.cache.answer(records.failure_reasons, job_keys(*names))


def job_keys(*names: str) -> tuple[Key, ...]:
    return tuple(Key("evaluations", name, "anna") for name in names)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> Whole:
    whole = Whole()
    monkeypatch.setattr(source, "store", lambda: None)
    monkeypatch.setattr(jobs, "reasons", whole.read)
    return whole


def test_one_more_failure_reads_one_more_record_and_none_again_that_is_known(whole: Whole) -> None:
    assert whole.reasons("a", "b").read.value == {key: f"{key.job_id} failed" for key in job_keys("a", "b")}
    whole.now += LOOK
    answer = whole.reasons("c", "a", "b").read
    assert answer.value == {key: f"{key.job_id} failed" for key in job_keys("a", "b", "c")}
    assert answer.read_at == NOW  # when the oldest of them was read
    assert [*whole.reasons("b").read.value] == [*job_keys("b")]
    assert whole.asked == [["a", "b"], ["c"]]


def test_a_record_that_is_gone_is_not_asked_for_again(whole: Whole) -> None:
    whole.gone = frozenset(job_keys("b"))
    for _ in range(2):
        assert [*whole.reasons("a", "b").read.value] == [*job_keys("a")]
    assert whole.asked == [["a", "b"]]


def test_a_record_that_does_not_show_our_own_mark_yet_is_asked_again(
    whole: Whole, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_record: dict[str, str | None] = {"a": None, "b": None}

    def read(_: object, keys: Sequence[Key]) -> Read[dict[Key, str | None]]:
        whole.asked.append([key.job_id for key in keys])
        return Read({key: in_record[key.job_id] for key in keys}, Cost(1, 0.5), whole.now)

    monkeypatch.setattr(jobs, "reasons", read)
    settings = SimpleNamespace(name=lambda table: table.default_name)
    written = {("a", "anna"): FAILED}
    monkeypatch.setattr(source, "store", lambda: SimpleNamespace(settings=settings, written=lambda _: written))
    assert whole.reasons("a", "b").read.value == dict.fromkeys(job_keys("a", "b"))
    in_record["a"] = "given up"
    for _ in range(2):
        assert whole.reasons("a", "b").read.value == dict(zip(job_keys("a", "b"), ("given up", None), strict=True))
    assert whole.asked == [["a", "b"], ["a"]]


def test_each_reason_is_read_again_after_some_minutes_however_many_come_meanwhile(whole: Whole) -> None:
    for number in range(70):  # nearly twelve minutes
        whole.reasons("a", str(number))
        whole.now += LOOK
    times = [read for read in whole.asked if "a" in read]
    assert len(times) == 3
    assert all(len(read) <= 2 for read in whole.asked)


def test_refresh_reads_all_of_them_again(whole: Whole) -> None:
    whole.reasons("a", "b")
    whole.cache.outdate(records.failure_reasons, job_keys("a", "b"))
    whole.reasons("a", "b", "c")
    assert whole.asked == [["a", "b"], ["a", "b", "c"]]


def test_what_nobody_asks_for_any_more_is_dropped(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    whole.reasons("a", "b")
    whole.now += STALE + LOOK
    whole.reasons("b", "c")
    kept = whole.cache.kept(records.failure_reasons, job_keys("a"))
    assert kept is not None
    assert {*kept.value} == {*job_keys("b", "c")}
    monkeypatch.setattr(records, "MOST_REASONS", 3)
    whole.reasons("d", "e")
    kept = whole.cache.kept(records.failure_reasons, job_keys("a"))
    assert kept is not None
    assert len(kept.value) == 3
    assert {*job_keys("d", "e")} <= {*kept.value}


def test_reasons_that_cannot_be_read_afresh_stand_in_for_what_they_answer_alone(whole: Whole) -> None:
    whole.reasons("a", "b")
    whole.failure = Failure("throttled")
    with pytest.raises(Failure):
        whole.reasons("a", "c")
    assert whole.reasons("a").failure is None
    whole.now += FRESH
    assert whole.reasons("a").failure == whole.failure
    whole.now += STALE
    with pytest.raises(Failure):
        whole.reasons("a")


def test_a_table_that_cannot_be_read_takes_no_reasons_of_the_other_one_away(whole: Whole) -> None:
    whole.reasons("a")
    whole.failure = Failure("access_denied")
    with pytest.raises(Failure):
        whole.cache.answer(records.failure_reasons, (*job_keys("a"), Key("flashcards", "set", "anna")))
    assert whole.reasons("a").failure is None
    assert whole.asked == [["a"]]


def test_what_was_marked_is_read_anew_wherever_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Cache(lambda: NOW)
    key = Key("evaluations", "e", "u")
    questions: list[tuple[Any, ...]] = [
        (records.evaluations_between, 1, 2),
        (records.of_students, ("u", "v"), 30),
        (records.evaluation, "e", "u"),
        (records.evaluations_called, "e", ("u",)),
        (records.history, "u"),
        (records.history, "v"),
    ]
    for asked, *_ in questions:
        monkeypatch.setattr(asked, "load", lambda *_: Read(packed(None), Cost(), NOW), raising=False)
    for question in questions:
        known.answer(*question)
    records.changed(known, [key])
    assert [known.has_fresh(*question) for question in questions] == [False] * 5 + [True]
