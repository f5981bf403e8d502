"""What must not grow however long the dashboard runs, and however often a page reads again by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from data.dynamodb.store import Cost, Read
from data.records.periods import Kept
from data.settings import Settings
from ui import older, reads
from ui.older import AGE, Older
from ui.shell import page
from ui.shell.access import Visitor
from ui.shell.page import Page

NOW = datetime.now(UTC)
OPS = Visitor("ops", None, None)


def answer(value: object, at: datetime) -> Read[Any]:
    return Read(value, Cost(1, 0.5), at, True, ())


class Clock(datetime):
    """A datetime whose now can be set."""

    at = NOW

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
        return cls.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    Clock.at = NOW
    monkeypatch.setattr(older, "datetime", Clock)
    return Clock


def test_a_question_that_nobody_asks_any_more_goes(clock: type[Clock]) -> None:
    kept = Older()
    for number in range(5_000):
        clock.at = NOW + timedelta(minutes=number)
        kept.keep(kept.of(number), answer(number, clock.at))
    assert len(kept._questions) <= 2 * AGE / timedelta(minutes=1)
    assert kept.of(4_999).answer(clock.at) is not None


def test_a_question_whose_turn_somebody_has_stays(clock: type[Clock]) -> None:
    kept = Older()
    question = kept.of("slow")
    with question.mine(1) as mine:
        assert mine
        clock.at = NOW + 2 * AGE
        kept.of("another")
        assert kept.of("slow") is question


def test_a_page_that_reads_again_by_itself_remembers_its_last_look_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "recheck", lambda: OPS)
    monkeypatch.setattr(reads, "ask", lambda cached, *args: reads.Answer(cached(*args)))
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr(reads, "ask_again", lambda _, *args: asked.append(args))
    monkeypatch.setattr(reads, "forget", lambda: None)

    def read(number: object) -> Read[Any]:
        return answer(None, NOW)

    opened = Page(Settings.read({}), ZoneInfo("UTC"), NOW, OPS)
    opened.read(read, "once")
    for number in range(1_000):
        look = opened.fresh()
        look.read(read, "at every look")
        look.read(read, number)
    assert len(opened._tried) + len(opened._looked) == 3
    page._refresh(opened._tried, opened._looked)
    assert asked == [("once",), ("at every look",), (999,)]


def test_the_frame_of_the_last_days_does_not_grow_with_the_days_that_pass() -> None:
    def rows(first: datetime, last: datetime) -> Read[pd.DataFrame]:
        times = pd.date_range(first.replace(microsecond=0), last, freq="h")[::-1]
        return answer(pd.DataFrame({"created_at": times}), last - timedelta(hours=1))

    asked: list[tuple[datetime, datetime]] = []

    def later(before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
        asked.append((first, last))
        return rows(first, last)

    kept = Kept(rows, later, timedelta(minutes=5))
    for hours in range(0, 24 * 60, 6):
        now = NOW + timedelta(hours=hours)
        shown = kept.last_days(30, now).value
        assert len(shown) in (24 * 30 + 1, 24 * 30 + 2)
        assert len(kept.last_days(7, now).value) < len(shown)
        # Whoever asked a moment before, and waited for this, is answered from it.
        kept.last_days(30, now - timedelta(seconds=20))
    assert len(asked) == 24 * 60 / 6 - 1
    assert max(last - first for first, last in asked) <= timedelta(days=31, hours=1)
