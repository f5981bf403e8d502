"""What must not grow however often a page reads again by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from streamlit.runtime.app_session import AppSession

from analysis import attention
from analysis.levels.progress import DEFAULT_NOISES
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Read
from data.roster import Roster
from queries.access.gate import Gate, Refused, Visitor
from queries.cache import query
from queries.session import cache
from tests.support.attempts import attempt, frame
from ui.server import lifespan
from ui.shell import page, sign_in
from ui.shell.clock import Clock
from ui.shell.reads import PageSession

NOW = datetime.now(UTC)
OPS = Visitor("ops", "ops", None)


def test_a_page_that_reads_again_by_itself_remembers_its_last_look_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "recheck", lambda: Gate(OPS, Roster()))
    outdated: list[Any] = []
    monkeypatch.setattr(cache, "outdate", lambda _, *args: outdated.append(args))

    @query
    def numbers(number: object) -> Read[Any]:
        return Read(number, Cost(1, 0.5), NOW)

    session = PageSession(Gate(OPS, Roster()), clock=Clock(NOW, ZoneInfo("UTC")))
    session.read(numbers, "once")
    for number in range(1_000):
        with page.fragment("A look", session) as (look, _):
            look.read(numbers, "at every look")
            look.read(numbers, number)
    assert len(session.asked) + len(session.looked) == 3
    page.refresh(session.asked, session.looked)
    assert outdated == [("once",), ("at every look",), (999,)]


def test_refresh_asks_who_is_there_before_all_visitors_wait_for_its_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit calls what a button does before the page runs, and so before the page asks."""
    outdated: list[Any] = []
    monkeypatch.setattr(cache, "outdate", lambda *question: outdated.append(question))

    def gone() -> Visitor:
        raise Refused("This sign-in has expired.")

    monkeypatch.setattr(sign_in, "current", gone)
    page.refresh([(query(lambda: Read(1, Cost(1, 0.5), NOW)),)])
    assert outdated == []


@pytest.mark.parametrize(("kind", "is_watching"), [("none", False), ("auto", True)])
def test_who_comes_back_has_no_files_looked_at_where_none_are_watched(
    kind: str, is_watching: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(AppSession, "register_file_watchers", lambda session: asked.append(session.id))
    monkeypatch.setattr(st, "get_option", lambda _: kind)
    lifespan.watch_no_files()
    # As Streamlit does for a session that was left and is found again.
    who = AppSession.__new__(AppSession)
    who.id = "a session"
    monkeypatch.setattr(AppSession, "__del__", lambda _: None)  # it was never begun
    who.register_file_watchers()
    assert asked == ([who.id] if is_watching else [])


class Ring:
    """Garbage that only Python's collector finds, as the widgets of a page that was left are."""

    there = 0

    def __init__(self) -> None:
        self.itself = self
        Ring.there += 1

    def __del__(self) -> None:
        Ring.there -= 1


def test_what_pages_leave_is_found_however_often_levels_are_worked_out() -> None:
    """A school's standings are made with the collector paused; done for one student, that hid what was left from it."""
    history = frame(*(attempt(7.0 * n) for n in range(12)))
    for _ in range(50):
        for _ in range(300):
            Ring()
        attention.everybody(history, NOW - timedelta(days=180), NOW, DEFAULT_NOISES)
    assert Ring.there < 5_000
