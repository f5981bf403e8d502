"""The jobs of both tables: which looks read what, and how often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.job_states import Thresholds
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Read
from data.records import evaluations, flashcards
from data.roster import Roster
from queries import all_jobs, records, session
from queries.access.gate import Gate, Visitor
from queries.cache import FRESH, Cache
from queries.session import Session

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOK = timedelta(seconds=10)
SINCE = datetime(2000, 1, 1, tzinfo=UTC)


class World:
    """Two empty tables, a clock, and from when they were read."""

    def __init__(self) -> None:
        self.now = NOW
        self.reads: list[datetime] = []

    def reader(self, frame: Callable[[list[object]], pd.DataFrame]) -> Callable[..., Read[pd.DataFrame]]:
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
    monkeypatch.setattr(records.source, "store", lambda: None)
    monkeypatch.setattr(evaluations, "period", world.reader(evaluations.frame))
    monkeypatch.setattr(flashcards, "period", world.reader(flashcards.frame))
    return world


@pytest.mark.parametrize(
    "last", [NOW + timedelta(hours=12), NOW - timedelta(days=30)], ids=["until tonight", "long over"]
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
