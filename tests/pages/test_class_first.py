"""A class read student by student gives what the school gives, record by record, for as many requests as it has."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from streamlit.testing.v1 import AppTest

from analysis import attention
from analysis.attention import Aim, Rules
from analysis.levels import progress
from bench.support import dataset
from data.dynamodb.client import Store
from data.records import evaluations
from data.records.frames import newest_first
from data.roster import Roster
from data.schema import SPEAKING
from queries import background, source, standings
from queries.access.gate import Gate, Visitor
from queries.session import Session, cache
from tests.support.accounts import watching
from tests.support.app import OVERVIEW, at, metrics, words
from tests.support.engines import ROOT
from tests.support.known_class import completed, failed, put
from ui.shell import sign_in

ROSTER = "user_id,name,class,target_band\n" + "".join(
    f"{name},{name.title()},{'Morning' if n < 4 else 'Evening'},6.5\n" for n, name in enumerate("abcdefgh")
)
FALLING = (7.0, 6.5, 6.5, 6.0, 5.5, 5.5, 5.0, 4.5)
ALWAYS, NEVER = 0, 10**9


@pytest.fixture
def school(empty: Store, use: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Two classes, one with somebody of whom there is nothing; and records that no list of everybody has."""
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER)
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    weak = {"grammar_band": "4.0"}
    put(
        empty,
        *(completed("a", 57 - 8 * n, band) for n, band in enumerate(FALLING)),
        *(completed("b", days, 6.0, **weak) for days in (9, 8, 7, 6)),
        failed("b", 3, SPEAKING),
        *(completed("c", days, 6.0, **weak) for days in (200, 9, 8, 7)),
        completed("c", 3, 5.0, status="queued"),
        *(completed(name, days, 5.5, SPEAKING) for name in "efgh" for days in (5, 4, 3)),
        completed("stranger", 2, 5.0),
    )
    store = Store(replace(empty.settings, roster=str(path)), empty.client)
    use(store)
    return store


def session_of(*classes: str) -> Session:
    """A teacher's session; of somebody who may see all, without classes."""
    visitor = Visitor("t@example.org", "teacher", frozenset(classes)) if classes else Visitor(None, "ops")
    return Session(Gate(visitor, source.class_list()))


def rows(asked: standings.Evaluations, roster: Roster, class_name: str) -> pd.DataFrame:
    """The records of a class, in an order that does not depend on how they came."""
    of_class = asked.rows()
    of_class = of_class[of_class["user_id"].isin(roster.members(class_name))]
    return of_class.sort_values(["created_at", "evaluation_id"], ignore_index=True)


@pytest.mark.parametrize("classes", [(), ("Morning",)], ids=["ops", "teacher"])
def test_both_ways_have_the_same_records(
    classes: tuple[str, ...], school: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = source.class_list()
    asked = {}
    for way in (ALWAYS, NEVER):
        monkeypatch.setattr(standings, "_PER_STUDENT", way)
        cache.clear()
        session = session_of(*classes)
        asked[way] = standings.evaluations(session, 30, roster, "Morning")
        assert session.cost.requests == (4 if way == ALWAYS else 3)
    assert asked[ALWAYS].of == {"a", "b", "c", "d"}
    assert asked[NEVER].of is None
    assert len(rows(asked[ALWAYS], roster, "Morning")) == len(FALLING) + 4 + 1 + 3
    assert_frame_equal(*(rows(one, roster, "Morning") for one in asked.values()), check_exact=True)


def test_a_teachers_classes_are_read_without_the_others_and_an_uploaded_list_opens_none(
    school: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standings, "_PER_STUDENT", ALWAYS)
    everybody = source.class_list()
    for roster, class_name in ((everybody, None), (everybody, "Morning")):
        asked = standings.evaluations(session_of("Morning"), 30, roster, class_name)
        assert asked.of == {"a", "b", "c", "d"}
    # A list of one's own may name anybody: it is asked only for whom one may see.
    asked = standings.evaluations(session_of("Morning"), 30, everybody, "Evening")
    assert set(asked.rows()["user_id"]) <= {"a", "b", "c", "d"}


def test_everybody_is_read_where_that_costs_less_or_where_they_are_on_hand(
    school: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster = source.class_list()
    assert standings.evaluations(session_of(), 30, roster, "Morning").of is None  # a small table
    monkeypatch.setattr(standings, "_PER_STUDENT", ALWAYS)
    assert standings.evaluations(session_of(), 30, roster, "Morning").of is None  # read a moment ago
    cache.clear()
    assert standings.evaluations(session_of(), 30, roster, standings.NO_CLASS).of is None  # whoever that is
    cache.clear()
    assert standings.evaluations(session_of(), 30, roster, None).of is None


@pytest.mark.slow
@pytest.mark.parametrize("page", [OVERVIEW[0], "pages/lessons.py"])
def test_the_pages_say_the_same_both_ways(page: str, school: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for way in (ALWAYS, NEVER):
        monkeypatch.setattr(standings, "_PER_STUDENT", way)
        cache.clear()
        app = at(page, {"class": "Morning"}).run()  # from the first run on: without it, everybody would be read
        asked = "Read student by student: 4 students"
        assert (asked in words(app)) == (way == ALWAYS and page == OVERVIEW[0])
        frames = [frame.value for frame in app.dataframe]
        seen.append((frames, metrics(app), words(app).replace(asked, "")))
    for one, other in zip(seen[0][0], seen[1][0], strict=True):
        assert_frame_equal(one, other, rtol=1e-4)  # a period begins a moment later for what is read a moment later
    assert seen[0][1] == seen[1][1]


@pytest.mark.slow
def test_to_look_at_the_class_list_reads_nobody_else(school: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for way in (ALWAYS, NEVER):
        monkeypatch.setattr(standings, "_PER_STUDENT", way)
        cache.clear()
        app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=20)
        app.query_params["class"] = "Morning"
        app.run()
        with watching(school.client) as wire:
            app.button(key="class_list").click().run()
        assert "Query" not in wire.operations
        # Whoever has everybody's records on hand compares with them.
        compared = any("but not in the list" in part.label for part in app.expander)
        assert compared == (way == NEVER)


def test_a_teacher_of_no_class_has_an_empty_school_without_a_request(
    school: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Visitor("t@example.org", "teacher", frozenset())
    monkeypatch.setattr(sign_in, "current", lambda: nobody)
    for way in (ALWAYS, NEVER):
        monkeypatch.setattr(standings, "_PER_STUDENT", way)
        monkeypatch.setattr(background, "MANY", 0)  # nothing to read in the background either
        for page in (OVERVIEW[0], "pages/lessons.py"):
            with watching(school.client) as wire:
                app = at(page).run()
            assert not app.exception
            assert wire.operations == []
    session = Session(Gate(nobody, source.class_list()))
    asked = standings.evaluations(session, 30, source.class_list(), None)
    assert asked.of == frozenset()
    assert asked.rows().empty
    assert session.cost.requests == 0


@pytest.mark.slow
def test_in_a_school_of_100_000_evaluations_a_class_has_the_same_numbers_both_ways() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    every = newest_first(evaluations.frame([*dataset.evaluations(100_000, now, days=180, whole=False)]))
    ids = {f"user-{n:06d}" for n in range(30)}
    own = every[every["user_id"].isin(ids)].reset_index(drop=True)
    first = now - timedelta(days=30)
    by_school, by_class = (
        {one.user_id: one for one in attention.everybody(rows, first, now, progress.DEFAULT_NOISES)}
        for rows in (every, own)
    )
    assert len(by_school) > 2_000
    assert by_class.keys() == ids
    for user_id, student in by_class.items():
        assert repr(student) == repr(by_school[user_id])
        aim = Aim(6.5, now + timedelta(days=60))
        flags = [attention.flags(one, aim, Rules(), now) for one in (student, by_school[user_id])]
        assert repr(flags[0]) == repr(flags[1])
