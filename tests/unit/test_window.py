"""The rolling window of everybody's records: one for every number of days, brought up to date, never growing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.records import frames, periods
from queries import records
from queries.cache import FRESH, Cache
from queries.window import Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class World:
    """A table with a record each hour, a clock, and what was read of it: ("read" or "update", days)."""

    now: datetime = NOW
    complete: bool = True
    failure: Failure | None = None
    log: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = Cache(lambda: self.now)
        self.window = Window(
            "records",
            lambda first, last: self._rows("read", first, last),
            lambda _, first, last: self._rows("update", first, last),
            lambda rows, _: np.zeros(len(rows), dtype=bool),
            ("created_at",),
        )

    def _rows(self, how: str, first: datetime, last: datetime) -> Read[pd.DataFrame]:
        if self.failure:
            raise self.failure
        self.log.append((how, round((last - first) / timedelta(days=1))))
        times = pd.date_range(first.replace(microsecond=0), last, freq="h")[::-1]
        return Read(pd.DataFrame({"created_at": times}), Cost(1, 0.5), self.now, self.complete)

    def rows(self, days: int, **more: Any) -> int:
        return len(self.cache.answer(self.window, days, **more).read.value)


def test_fewer_days_are_a_part_of_more_days() -> None:
    world = World()
    assert world.rows(30) > world.rows(7) > world.rows(1)
    assert world.log == [("read", 30)]
    world.rows(90)
    world.rows(30)
    # What was read a moment ago is not read again.
    assert world.log == [("read", 30), ("read", 60)]
    world.now += timedelta(minutes=2)
    world.rows(120)
    assert world.log[2:] == [("update", 90), ("read", 30)]


def test_it_is_brought_up_to_date_when_it_is_no_longer_fresh_and_read_whole_after_refresh() -> None:
    world = World()
    world.rows(7)
    world.now += FRESH
    world.rows(7)
    world.now += timedelta(seconds=10)
    world.rows(7, within=timedelta(seconds=9))
    assert [how for how, _ in world.log] == ["read", "update", "update"]
    world.cache.outdate(world.window, 7)
    world.rows(7)
    assert [how for how, _ in world.log][3:] == ["read"]
    world.cache.change(world.window)
    world.rows(7)
    assert [how for how, _ in world.log][4:] == ["update"]


def test_after_the_clock_was_set_back_all_of_it_is_read() -> None:
    world = World(now=NOW + timedelta(days=365))
    world.rows(7)
    world.now = NOW
    assert world.rows(7) == World().rows(7)
    assert [how for how, _ in world.log] == ["read", "read"]


def test_one_that_a_cap_cut_answers_its_own_period_alone() -> None:
    world = World(complete=False)
    world.rows(30)
    world.rows(30)
    assert len(world.log) == 1
    world.rows(7)
    assert len(world.log) == 2


def test_after_a_failure_it_stands_in_for_what_it_reaches_alone() -> None:
    world = World()
    world.rows(7)
    world.now += FRESH
    world.failure = Failure("throttled")
    assert world.cache.answer(world.window, 7).failure == world.failure
    with pytest.raises(Failure):
        world.rows(30)


def test_the_window_does_not_grow_with_the_days_that_pass() -> None:
    world = World()
    for hours in range(0, 24 * 60, 6):
        world.now = NOW + hours * HOUR
        rows = world.rows(30)
        assert rows in (24 * 30 + 1, 24 * 30 + 2)
        assert world.rows(7) < rows
    assert len(world.log) == 24 * 60 / 6
    kept = world.cache.entry(world.window, 30).read
    assert kept is not None
    assert len(kept.value.rows) <= 24 * 31 + 3


def test_the_last_days_of_some_students_end_at_the_clock_of_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = []

    def read(_: object, user_ids: tuple[str, ...], *span: datetime) -> Read[pd.DataFrame]:
        spans.append((user_ids, *span))
        return Read(pd.DataFrame(), Cost(1, 0.5), NOW)

    monkeypatch.setattr(records.evaluations, "of_students", read)
    monkeypatch.setattr(records.source, "store", lambda: None)
    Cache(lambda: NOW).answer(records.of_students, ("a", "b"), 30)
    assert spans == [(("a", "b"), NOW - timedelta(days=30), NOW + frames.AHEAD)]
    assert records.of_students.students(("a", "b"), 30) == ("a", "b")


def test_the_cap_is_one_of_each_status_however_the_window_came_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "CAP", 5)
    statuses = ["completed", "failed"] * 4

    class Schoolwork(World):
        def _rows(self, how: str, first: datetime, last: datetime) -> Read[pd.DataFrame]:
            read = super()._rows(how, first, last)
            return read.map(lambda rows: rows.head(len(statuses)).assign(status=statuses))

    world = Schoolwork()
    for _ in range(3):
        assert world.rows(7) == 8
        world.now += FRESH
    assert [how for how, _ in world.log] == ["read", "update", "update"]
    statuses += ["completed"] * 2
    answer = world.cache.answer(world.window, 7).read
    assert answer.value["status"].value_counts().to_dict() == {"completed": 5, "failed": 4}
    assert not answer.complete
    assert answer.notes == ("Stopped after 5 records; there are more.",)
