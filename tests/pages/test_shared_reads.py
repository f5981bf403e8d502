"""What one visitor read, the next does not pay for; and a read works wherever it stands."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from data.roster import Roster
from queries import records, source
from queries.access.gate import Gate, Visitor
from queries.session import Session
from tests.support.app import show, words
from ui.shell.boundary import NOT_SHOWN
from ui.shell.reads import PageSession

OVERVIEW, JOBS, AUDIT = "pages/overview.py", "pages/jobs.py", "pages/audit.py"


@contextmanager
def counted() -> Iterator[list[str]]:
    """The Queries that are sent inside."""
    queries: list[str] = []
    events = source.store().client.meta.events

    def note(params: Any, **_: Any) -> None:
        queries.append(str(params.get("url")))

    events.register("before-call.dynamodb.Query", note, unique_id="counted")
    try:
        yield queries
    finally:
        events.unregister("before-call.dynamodb.Query", unique_id="counted")


def visit(page: str, **params: str) -> AppTest:
    """A visitor of their own, who comes to one page alone."""
    return show(page, params)


@pytest.mark.parametrize("page", [pytest.param(OVERVIEW, marks=pytest.mark.slow), JOBS, AUDIT])
def test_the_second_visitor_reads_nothing(page: str) -> None:
    visit(page)
    with counted() as queries:
        visit(page)
    assert queries == []


@pytest.mark.parametrize("page", [OVERVIEW, "pages/compare.py", "pages/lessons.py", AUDIT, "pages/setup.py"])
def test_the_buttons_of_an_open_page_hold_on_to_nothing_that_it_read(page: str) -> None:
    """Streamlit keeps what each widget of a tab has ever called, on every page that the tab has seen."""
    gc.collect()
    before = _sessions()
    app = visit(page)
    gc.collect()
    assert _sessions() <= before
    assert not app.exception


def _sessions() -> int:
    return sum(isinstance(one, PageSession) for one in gc.get_objects())


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ((AUDIT, {"audit": "12m"}), (JOBS, {})),
        pytest.param((AUDIT, {"audit": "12m"}), (OVERVIEW, {}), marks=pytest.mark.slow),
        pytest.param(
            (JOBS, {"jobs": "custom", "from": str((datetime.now(UTC) - timedelta(days=190)).date())}),
            (OVERVIEW, {}),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["Jobs after Audit", "Overview after Audit", "Overview after Jobs"],
)
def test_what_another_page_has_read_is_not_read_again(
    first: tuple[str, dict[str, str]], then: tuple[str, dict[str, str]]
) -> None:
    visit(first[0], **first[1])
    with counted() as queries:
        app = visit(then[0], **then[1])
    assert queries == []
    assert not app.exception


@pytest.mark.slow
def test_jobs_that_ten_visitors_read_again_by_themselves_cost_what_one_does() -> None:
    visit(JOBS, again="60s")
    with counted() as queries:
        for _ in range(10):
            visit(JOBS, again="60s")
    assert queries == []


def test_a_read_works_under_a_container_in_a_fragment_and_in_a_thread() -> None:
    def page() -> None:
        import threading  # noqa: PLC0415 - AppTest runs the source of this function alone

        import streamlit as st  # noqa: PLC0415

        from queries import records  # noqa: PLC0415
        from ui.shell.boundary import done  # noqa: PLC0415
        from ui.shell.page import fragment, open_page  # noqa: PLC0415

        with open_page("Test") as (session, _):
            with st.container(), st.columns(2)[0]:
                session.ahead((records.history, "user-101"), (records.sets, "user-101"))
                st.text(f"container {len(session.read(records.history, 'user-101'))}")

            @st.fragment
            def part() -> None:
                with fragment("The fragment", session) as (look, _):
                    st.text(f"fragment {len(look.read(records.sets, 'user-101'))}")
                    done()

            part()
            rows: list[int] = []
            thread = threading.Thread(target=lambda: rows.append(len(session.read(records.history, "user-102"))))
            thread.start()
            thread.join()
            st.text(f"thread {len(rows)}")

    app = AppTest.from_function(page, default_timeout=30)
    app.session_state["_framed"] = True
    app.run()
    assert not app.exception
    text = words(app)
    assert "container " in text
    assert "fragment " in text
    assert "thread 1" in text
    assert NOT_SHOWN not in text


def test_a_read_needs_no_streamlit_at_all() -> None:
    assert st is not None
    session = Session(Gate(Visitor(None, "ops"), Roster()))
    answers: list[int] = []

    def read() -> None:
        session.ahead((records.period, 30), (records.sets_period, 30))
        answers.append(len(session.answer(records.period, 30).read.value))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert answers
    assert answers[0] > 0
    assert session.cost.requests == 3
