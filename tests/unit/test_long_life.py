"""What must not grow however often a page reads again by itself."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from data.dynamodb.store import Cost, Read
from data.roster import Roster
from data.settings import Settings
from queries.cache import query
from queries.gate import Gate, Visitor
from queries.session import Session, cache
from ui.shell import page, sign_in
from ui.shell.page import Page
from ui.shell.sign_in import Request

NOW = datetime.now(UTC)
OPS = Visitor("ops", "ops", None)
REQUEST = Request({}, {}, None)


def test_a_page_that_reads_again_by_itself_remembers_its_last_look_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "recheck", lambda: Gate(OPS, Roster()))
    monkeypatch.setattr(sign_in, "request", lambda: REQUEST)
    outdated: list[Any] = []
    monkeypatch.setattr(cache, "outdate", lambda _, *args: outdated.append(args))

    @query
    def numbers(number: object) -> Read[Any]:
        return Read(number, Cost(1, 0.5), NOW)

    opened = Page(Settings.read({}), ZoneInfo("UTC"), NOW, REQUEST, Session(Gate(OPS, Roster())))
    opened.read(numbers, "once")
    for number in range(1_000):
        look = opened.fresh()
        look.read(numbers, "at every look")
        look.read(numbers, number)
    assert len(opened.session.asked) + len(opened._looked) == 3
    page._refresh(opened.session.asked, opened._looked)
    assert outdated == [("once",), ("at every look",), (999,)]
