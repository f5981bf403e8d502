"""The cache: fresh, stale after a failure, bounded in bytes and number, gone once AWS refuses the data; one reads."""

import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure, Kind
from data.dynamodb.reads import Read
from queries import cache as caching
from queries import records
from queries.cache import FRESH, RETRY, STALE, Cache, Query, query
from queries.once import Once

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Holder:
    """A value with a list in it."""

    of: Sequence[int]


@dataclass
class World:
    """A clock that can be set, a cache, and a query that counts its reads and can fail."""

    now: datetime = NOW
    reads: int = 0
    failure: Failure | None = None
    value: Any = "a"
    cache: Cache = field(init=False)
    asked: Query[[str], Any] = field(init=False)

    def __post_init__(self) -> None:
        self.cache = Cache(lambda: self.now)
        self.asked = query(self.read)

    def read(self, _name: str) -> Read[Any]:
        self.reads += 1
        if self.failure:
            raise self.failure
        return Read(self.value, Cost(1, 0.5), self.now, True, ("a note",))

    def fail(self, kind: Kind | None) -> None:
        self.failure = Failure(kind) if kind else None

    def ask(self, name: str = "x", **more: Any) -> caching.Answer[Any]:
        return self.cache.answer(self.asked, name, **more)


@pytest.fixture
def world() -> World:
    return World()


def test_an_answer_is_fresh_for_five_minutes_and_comes_back_whole(world: World) -> None:
    first = world.ask()
    assert first == caching.Answer(Read("a", Cost(1, 0.5), NOW, True, ("a note",)))
    world.now += FRESH - SECOND
    assert world.ask() == first
    assert world.cache.has_fresh(world.asked, "x")
    assert world.reads == 1
    world.now += SECOND
    assert not world.cache.has_fresh(world.asked, "x")
    world.ask()
    assert world.reads == 2


def test_a_clock_that_is_set_back_keeps_no_answer_and_no_failure(world: World) -> None:
    world.now += timedelta(days=365)
    world.ask()
    world.fail("throttled")
    with pytest.raises(Failure):
        world.ask("y")
    world.now, world.value = NOW, "b"
    world.fail(None)
    assert not world.cache.has_fresh(world.asked, "x")
    assert world.ask().read.value == "b"
    assert world.ask("y").read.value == "b"
    world.now -= FRESH - SECOND  # by less than that: at most twice as old
    assert world.cache.has_fresh(world.asked, "x")


def test_after_a_clock_was_set_back_nothing_stands_in_of_which_nobody_knows_how_old_it_is(world: World) -> None:
    world.now += timedelta(days=1)
    world.ask()
    world.now = NOW
    world.fail("throttled")
    with pytest.raises(Failure):
        world.ask()


def test_who_wants_it_younger_reads_again_and_the_others_have_that_too(world: World) -> None:
    world.ask()
    world.now += timedelta(seconds=10)
    assert world.ask(within=timedelta(seconds=9)).read.read_at == world.now
    assert world.ask().read.read_at == world.now
    assert world.reads == 2


@pytest.mark.parametrize("again", ["outdate", "change"])
def test_refresh_and_what_the_dashboard_changed_are_read_anew(world: World, again: str) -> None:
    world.ask()
    getattr(world.cache, again)(world.asked, "x")
    world.ask()
    world.ask()
    assert world.reads == 2


def test_that_the_time_of_one_page_was_over_keeps_no_other_from_asking(world: World) -> None:
    world.failure = Failure("too_slow", case="not_asked")
    with pytest.raises(Failure):
        world.ask()
    world.failure = None
    assert world.ask().read.value == "a"
    world.now += FRESH
    world.failure = Failure("too_slow", case="not_asked")
    assert world.ask().failure == world.failure
    world.failure = None
    assert world.ask().failure is None


def test_what_the_dashboard_changed_may_be_in_every_answer_of_a_question(world: World) -> None:
    def other_read(name: str) -> Read[Any]:
        return world.read(name)

    other = query(other_read)
    for name in ("x", "y"):
        world.ask(name)
    world.cache.answer(other, "x")
    world.cache.change_every(world.asked)
    assert not any(world.cache.has_fresh(world.asked, name) for name in ("x", "y"))
    assert world.cache.has_fresh(other, "x")


def test_what_nobody_has_asked_takes_no_place_when_it_is_changed(world: World) -> None:
    world.ask()
    before = world.cache.octets
    world.cache.change(world.asked, "never asked")
    assert world.cache.octets == before


@pytest.mark.parametrize("again", ["outdate", "change"])
def test_refresh_during_a_read_wants_another_one(world: World, again: str) -> None:
    read = world.read

    def pressed_meanwhile(name: str) -> Read[Any]:
        if world.reads == 0:
            getattr(world.cache, again)(world.asked, name)
        return read(name)

    world.asked = query(pressed_meanwhile)
    world.ask()
    # What was read may be from before; the next one who asks reads anew, and only that one.
    assert not world.cache.has_fresh(world.asked, "x")
    world.ask()
    world.ask()
    assert world.reads == 2


def test_refresh_during_an_incremental_read_wants_all_of_it_anew() -> None:
    lasts: list[Any] = []

    class Incremental(Query[[], str]):
        def load(self, last: Read[Any] | None, now: datetime, *_: Any) -> Read[Any]:
            lasts.append(last and last.value)
            if len(lasts) == 2:
                world.cache.outdate(self)
            return Read(f"read {len(lasts)}", Cost(1, 0.5), now)

        def take(self, kept: Read[Any], *_: Any) -> Read[str]:
            return kept

    world = World()
    asked = Incremental(lambda: Read("", Cost(1, 0.5), NOW))
    for _ in range(4):
        world.cache.answer(asked)
        world.now += FRESH
    assert lasts == [None, "read 1", None, "read 3"]


def test_what_is_kept_does_not_grow_with_each_look(world: World) -> None:
    """In a frame, pandas notes whoever shares its columns, some hundred bytes for each look of anybody."""
    world.value = pd.DataFrame({"band": [6.0]})
    one, other = (world.ask().read.value["band"].to_numpy() for _ in range(2))
    assert not np.shares_memory(one, other)


def test_a_frame_that_a_page_changes_is_changed_for_nobody_else(world: World) -> None:
    world.value = pd.DataFrame({"band": [6.0]})
    frame = world.ask().read.value
    frame["band"] = 9.0
    assert world.ask().read.value["band"].tolist() == [6.0]


def test_after_a_failure_the_last_answer_stands_in_for_an_hour_with_the_failure(world: World) -> None:
    world.ask()
    world.fail("throttled")
    world.now += FRESH
    stale = world.ask()
    assert (stale.read.value, stale.failure) == ("a", world.failure)
    # The next one does not wait for the same failure again.
    world.now += RETRY - SECOND
    assert world.ask().failure
    assert world.reads == 2
    world.now += SECOND
    assert world.ask().failure
    assert world.reads == 3
    world.now = NOW + STALE + SECOND
    with pytest.raises(Failure, match="throttled"):
        world.ask()
    world.fail(None)
    world.now += RETRY
    assert world.ask().failure is None


def test_refresh_asks_again_however_short_ago_it_failed(world: World) -> None:
    world.fail("throttled")
    for _ in range(2):
        with pytest.raises(Failure):
            world.ask()
    assert world.reads == 1
    world.fail(None)
    world.cache.outdate(world.asked, "x")
    assert world.ask().read.value == "a"


@pytest.mark.parametrize("kind", [*caching.MENDED_ELSEWHERE, "credentials", "missing", "index_missing"])
def test_what_somebody_may_have_mended_meanwhile_is_asked_again(world: World, kind: Kind) -> None:
    world.fail(kind)
    for _ in range(2):
        with pytest.raises(Failure):
            world.ask()
    assert world.reads == 2


@pytest.mark.parametrize("kind", ["access_denied", "missing"])
def test_what_aws_refuses_is_not_kept_for_those_whom_it_refuses_it(world: World, kind: Kind) -> None:
    world.ask()
    world.now += FRESH
    world.fail(kind)
    with pytest.raises(Failure):
        world.ask()
    world.fail("throttled")
    world.now += RETRY
    with pytest.raises(Failure):
        world.ask()


def test_a_failure_that_is_kept_lets_go_of_what_was_read_by_then(world: World) -> None:
    world.fail("throttled")
    with pytest.raises(Failure):
        world.ask()
    failure = world.cache.entry(world.asked, "x").failure
    assert failure == world.failure
    assert failure is not None
    assert failure.__traceback__ is None


def test_ten_who_ask_at_once_cost_what_one_does(world: World) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: str) -> Read[str]:
        world.reads += 1
        begun.set()
        assert go_on.wait(10)
        return Read("a", Cost(1, 0.5), NOW)

    asked = query(slow)
    answers: list[object] = []
    threads = [threading.Thread(target=lambda: answers.append(world.cache.answer(asked, "x"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert (len(answers), world.reads) == (10, 1)


def test_one_that_fails_takes_no_other_along_when_asked_side_by_side(world: World) -> None:
    def broken(_: str) -> Read[str]:
        raise Failure("service")

    good, bad = world.cache.answers([(world.asked, "x"), (query(broken), "x")])
    assert isinstance(good, caching.Answer)
    assert isinstance(bad, Failure)


def sized(octets: int) -> Callable[[str], Read[str]]:
    return lambda _: Read("x" * octets, Cost(1, 0.5), NOW)


def test_what_nobody_asked_for_longest_goes_first_when_the_bytes_are_full(world: World) -> None:
    world.cache = Cache(lambda: world.now, octets=10_000)
    asked = query(sized(4_000))
    for name in ("a", "b", "a", "c"):
        world.cache.answer(asked, name)
    assert world.cache.octets <= 10_000
    assert [world.cache.has_fresh(asked, name) for name in ("a", "b", "c")] == [True, False, True]
    world.cache.answer(query(sized(20_000)), "huge")
    assert world.cache.octets <= 10_000


def test_a_past_period_of_a_large_school_has_room() -> None:
    count = 30_000
    rows = pd.DataFrame(
        {
            "evaluation_id": [f"{number:032x}" for number in range(count)],
            "user_id": [f"{number % 500:032x}" for number in range(count)],
            "overall_band": np.arange(count) % 19 / 2,
            "created_at": pd.Timestamp(NOW) - pd.to_timedelta(np.arange(count), unit="s"),
        }
    )
    cache = Cache(lambda: NOW, octets=len(pickle.dumps(rows)) // 3)
    asked = query(lambda: Read(rows, Cost(1, 0.5), NOW))
    cache.answer(asked)
    kept = cache.peek(asked)
    assert kept
    assert_frame_equal(kept[1]().value, rows)


def test_there_are_never_more_entries_than_that(world: World) -> None:
    for number in range(caching.ENTRIES + 50):
        world.cache.entry(world.asked, str(number))
    assert len(world.cache._entries) <= caching.ENTRIES


def test_an_answer_is_gone_from_memory_after_an_hour_even_if_nobody_asks_for_it(world: World) -> None:
    world.ask("old")
    world.now += STALE + SECOND
    world.value = ""
    world.ask("new")
    assert world.cache.entry(world.asked, "old").read is None


def test_a_question_about_hundreds_of_records_takes_no_more_memory_than_one_about_one() -> None:
    def key(count: int, student: str = "anna") -> object:
        return records.recurring.key(tuple((f"{n}", student) for n in range(count)))

    assert key(500) == key(500)
    assert len({key(500), key(499), key(500, "binh"), key(500, "\udc80")}) == 4
    assert len(str(key(500))) < 200


def test_what_is_worked_out_is_worked_out_once_for_each_key(world: World) -> None:
    made: list[int] = []
    for key in (1, 2, 1):
        world.cache.derive(key, lambda: made.append(1))
    assert len(made) == 2


def test_long_lists_that_were_worked_out_make_room_for_each_other(world: World) -> None:
    made: list[object] = []

    def make(value: object) -> object:
        made.append(value)
        return value

    longest = range(400_000)  # stands for a list of students
    for value in (longest, 1, Once(lambda: longest), Holder(longest), 1, longest):
        world.cache.derive(repr(value)[:9], lambda value=value: make(value))  # type: ignore[misc]
    assert [type(value) for value in made] == [range, int, Once, Holder, range]
    for _ in range(2):  # more than all of them may be: worked out each time
        assert world.cache.derive("all", lambda: make(range(600_000))) == range(600_000)
    assert len(made) == 7


def test_what_two_ask_for_at_once_is_worked_out_once(world: World) -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[int] = []

    def slow() -> str:
        made.append(1)
        begun.set()
        assert go_on.wait(10)
        return "levels"

    values: list[str] = []
    threads = [threading.Thread(target=lambda: values.append(world.cache.derive("key", slow))) for _ in range(5)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert values == ["levels"] * 5
    assert len(made) == 1


def test_what_could_not_be_worked_out_is_tried_again(world: World) -> None:
    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        world.cache.derive("key", fail)
    assert world.cache.derive("key", lambda: "levels") == "levels"
