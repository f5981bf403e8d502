"""Long windows read in the background: newest first, as long as somebody waits, and going on where it was left."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from data.dynamodb import budget
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from queries import background
from queries.background import FIRST_STEP, Loader, LoadProgress
from queries.cache import Cache
from queries.window import Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class World:
    """A table with a record each day; each read of it waits until it is let through."""

    def __init__(self) -> None:
        self.cache = Cache(lambda: NOW)
        self.window = Window(
            "records",
            self._read,
            lambda before, *_: before,
            lambda rows, _: np.zeros(len(rows), dtype=bool),
            ("created_at",),
        )
        self.seconds = 0.0
        self.loader = Loader(self.window, self.cache, lambda: self.seconds)
        self.turn = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.reads: list[int] = []
        self.failure: Failure | None = None

    def _read(self, first: datetime, last: datetime) -> Read[pd.DataFrame]:
        self.began.release()
        assert self.turn.acquire(timeout=30)
        if self.failure:
            raise self.failure
        self.reads.append((NOW - first).days)
        times = pd.date_range(first.replace(microsecond=0), min(last, NOW), freq="D")[::-1]
        return Read(pd.DataFrame({"created_at": times}), Cost(1, 0.5), NOW)

    def step(self) -> None:
        """Let the read that has begun come to its end."""
        assert self.began.acquire(timeout=30)
        self.turn.release()

    def first_step(self, days: int) -> None:
        """Let the first read come to its end, and ask again."""
        self.step()
        until(lambda: self.loader.progress(days) == LoadProgress(FIRST_STEP, days))

    def rows(self, days: int) -> int:
        return len(self.cache.answer(self.window, days).read.value)


def until(holds: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if holds():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came about")


def test_the_newest_come_first_and_all_of_it_is_what_is_read_at_once() -> None:
    world = World()
    assert world.loader.progress(90) == LoadProgress(0, 90)
    world.first_step(90)
    assert world.rows(7) == 8
    for _ in range(3):
        world.step()
    until(lambda: world.loader.progress(90) is None)
    assert world.reads == [7, 35, 63, 90]
    at_once = World()
    at_once.turn.release()
    assert world.rows(90) == at_once.rows(90)


def test_it_ends_when_everybody_has_left_and_goes_on_where_it_was() -> None:
    world = World()
    world.loader.progress(90)
    world.first_step(90)
    assert world.began.acquire(timeout=30)
    world.seconds += 60
    world.turn.release()
    until(lambda: world.loader._thread is None)
    assert world.reads == [7, 35]
    assert world.loader.progress(90) == LoadProgress(35, 90)
    for _ in range(2):
        world.step()
    until(lambda: world.loader.progress(90) is None)
    assert world.reads == [7, 35, 63, 90]


def test_the_first_step_is_shown_before_more_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_FIRST_LOOK", 30.0)
    world = World()
    world.loader.progress(90)
    world.step()
    until(lambda: world.loader._reached() == FIRST_STEP)
    assert not world.began.acquire(timeout=0.2)
    world.loader.progress(90)
    assert world.began.acquire(timeout=30)
    world.turn.release(10)
    until(lambda: world.loader.progress(90) is None)


def test_what_stops_it_is_told_and_the_next_question_tries_again() -> None:
    world = World()
    world.failure = Failure("denied")
    world.loader.progress(30)
    world.step()
    until(lambda: world.loader._thread is None)
    with pytest.raises(Failure) as raised:
        world.loader.progress(30)
    assert raised.value.kind == "denied"
    world.failure = None
    assert world.loader.progress(30) == LoadProgress(0, 30)
    world.first_step(30)
    world.step()
    until(lambda: world.loader.progress(30) is None)


def test_a_failure_of_those_who_left_is_not_told_to_whoever_comes_hours_later() -> None:
    world = World()
    world.failure = Failure("denied")
    world.loader.progress(30)
    world.step()
    until(lambda: world.loader._thread is None)
    world.failure = None
    world.seconds += 3_600
    assert world.loader.progress(30) == LoadProgress(0, 30)
    world.first_step(30)
    world.step()
    until(lambda: world.loader.progress(30) is None)


def test_what_shall_be_read_anew_is_read_from_the_beginning() -> None:
    world = World()
    world.turn.release()
    world.rows(30)
    world.began.acquire()
    assert world.loader.progress(30) is None
    world.cache.outdate(world.window)
    assert world.loader.progress(30) == LoadProgress(0, 30)
    world.first_step(30)
    world.step()
    until(lambda: world.loader.progress(30) is None)
    assert world.reads == [30, 7, 30]
    assert world.rows(30) == 31


def test_what_cannot_be_read_anew_leaves_the_last_answer() -> None:
    world = World()
    world.turn.release()
    world.rows(30)
    world.began.acquire()
    world.cache.outdate(world.window)
    world.failure = Failure("throttled")
    assert world.loader.progress(30) == LoadProgress(0, 30)
    world.step()
    until(lambda: world.loader.progress(30) is None)
    until(lambda: world.loader._thread is None)
    answer = world.cache.answer(world.window, 30)
    assert answer.failure is not None
    assert len(answer.read.value) == 31


def test_a_step_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    left: list[float] = []
    monkeypatch.setattr(world.window, "load", lambda *_: left.append(budget.remaining()) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        world.loader._extend(7)
    assert 0 < left[0] <= background._LONGEST


def test_many_who_wait_are_one_reading() -> None:
    world = World()
    for _ in range(9):
        world.loader.progress(30)
    assert sum(thread.name == "window of records" for thread in threading.enumerate()) == 1
    world.first_step(30)
    world.step()
    until(lambda: world.loader.progress(30) is None)
    assert world.reads == [7, 30]
