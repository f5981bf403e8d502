"""What the feedback keeps saying, on a page made for it: after a click, with its cost, literally, with links."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data.demo import engine
from data.demo.sample import ODD_STUDENT
from data.dynamodb.client import Store
from data.dynamodb.facts import TableFacts
from data.schema import EVALUATIONS
from queries import source
from tests.support import engines
from tests.support.accounts import watching
from tests.support.app import FailingClient, refused, words
from ui.shell.boundary import NOT_SHOWN
from ui.students import recurring

NEW = 1733644800
PAGE = """
import streamlit as st
from analysis import bands
from queries import records
from ui.shell.page import open_page
from ui.students import class_list, recurring

# With a navigation, the second run would be of its first page.
st.session_state["_framed"] = True
with open_page("Try") as (session, clock):
    reads = session, clock, class_list.used(session.visitor)
    if "group" in st.query_params:
        recurring.of_group(recurring.group_keys(session.read(records.period, 20_000)), *reads)
    else:
        user_id = st.query_params["user_id"]
        recurring.of_student(user_id, session.read(records.history, user_id), *reads)
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., AppTest]:
    """A page of its own beside the dashboard's pages, with these parameters."""
    (tmp_path / "pages").symlink_to(engines.ROOT / "pages")
    script = tmp_path / "page.py"
    script.write_text(PAGE, encoding="utf-8")

    def show(**params: str) -> AppTest:
        app = AppTest.from_file(str(script), default_timeout=20)
        app.context = {"timezone": "Asia/Ho_Chi_Minh"}
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return show


def put(store: Store, *feedbacks: Any, user_id: str = "u", **changes: Any) -> None:
    """One completed evaluation for each feedback, the newest first, a day apart."""
    records = [
        {
            "evaluation_id": f"eval-{user_id}-{n}",
            "user_id": user_id,
            "evaluation_type": "writing",
            "status": "completed",
            "feedback": feedback if isinstance(feedback, str) else json.dumps(feedback),
            "created_at": NEW - 86_400 * n,
            **changes,
        }
        for n, feedback in enumerate(feedbacks)
    ]
    engine.write(store.client, store.settings.name(EVALUATIONS), records)


def on(app: AppTest, key: str = "says") -> AppTest:
    app.toggle(key=key).set_value(True).run()
    assert not app.exception
    return app


def links(app: AppTest) -> list[str]:
    """Labels of the links."""
    return [element.proto.label for element in app.get("page_link")]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables as if DynamoDB had counted them already: a thousand records of 8 KB."""
    monkeypatch.setattr(source, "facts", lambda table: TableFacts(table.default_name, "", 1000, 8_192_000, {}))


WEAK = {"strengths": ["A clear position."], "weaknesses": ["Check every verb."]}


@pytest.mark.usefixtures("counted")
def test_it_is_read_after_a_click_that_shows_the_cost(empty: Store, run: Callable[..., AppTest]) -> None:
    put(empty, *[WEAK] * 5)
    with watching(empty.client) as wire:
        app = run(user_id="u")
        assert wire.operations.count("BatchGetItem") == 0
        assert "feedback of 5 evaluations costs about 1 request · 6.2 read units." in words(app)
        text = words(on(app))
        assert wire.operations.count("BatchGetItem") == 1
        assert app.query_params["says"] in ("on", ["on"])
        # Another run reads nothing again.
        app.run()
        assert wire.operations.count("BatchGetItem") == 1
    assert "Check every verb." in text
    assert "in 5 of 5" in text
    assert "and 2 more" in text
    assert links(app) == ["8 Dec 2024", "7 Dec 2024", "6 Dec 2024"] * 2


def test_only_the_newest_completed_ones_of_the_student_are_read(empty: Store, run: Callable[..., AppTest]) -> None:
    put(empty, *[WEAK] * 30)
    put(empty, *[{"weaknesses": ["A failure."]}] * 3, user_id="v")
    put(empty, WEAK, status="failed", evaluation_id="failed", created_at=NEW + 5)
    with watching(empty.client) as wire:
        text = words(on(run(user_id="u")))
    (asked,) = [params for operation, params in wire.sent if operation == "BatchGetItem"]
    assert (
        json.dumps(asked["body"].decode() if isinstance(asked["body"], bytes) else asked["body"]).count("eval-u-") == 20
    )
    assert "in 20 of 20" in text
    assert "and 17 more" in text


def test_the_demo_shows_strengths_weaknesses_suggestions_and_criteria(run: Callable[..., AppTest]) -> None:
    app = run(user_id="user-102")
    assert "costs" not in words(app)
    text = words(on(app))
    for title in ("Strengths", "Weaknesses", "Suggestions", "By criterion"):
        assert title in text
    assert "“…”" in text
    assert "Fluency and coherence: " in text
    assert " more" in text
    assert "of 20" in text


def test_a_link_holds_the_switch(run: Callable[..., AppTest]) -> None:
    assert "Suggestions" in words(run(user_id="user-102", says="on"))


@pytest.mark.parametrize("count", [0, 1])
def test_one_evaluation_repeats_nothing(count: int, empty: Store, run: Callable[..., AppTest]) -> None:
    put(empty, *[WEAK] * count)
    app = run(user_id="u", says="on")
    assert "Recurring feedback needs two completed evaluations" in words(app)
    assert not app.toggle


def test_what_never_recurs_is_said(empty: Store, run: Callable[..., AppTest]) -> None:
    put(empty, {"weaknesses": ["Check every verb."]}, {"weaknesses": ["Read the question."]}, "no JSON", "{}")
    assert "No recurring feedback." in words(on(run(user_id="u")))


def test_hostile_feedback_is_shown_literally(empty: Store, run: Callable[..., AppTest]) -> None:
    hostile = "<script>alert(1)</script> ![x](http://evil.example/x.png) $a$ \u202eabc"
    put(empty, {"weaknesses": [hostile]}, {"weaknesses": [hostile]})
    app = on(run(user_id="u"))
    assert "&lt;script&gt;alert(1)&lt;/script&gt; ![x](http://evil.example/x.png) $a$ [U+202E]abc" in words(app)
    assert not app.markdown


def test_odd_and_very_long_feedback_is_read_as_far_as_it_goes(run: Callable[..., AppTest]) -> None:
    text = words(on(run(user_id=ODD_STUDENT)))
    assert "Clear." in text
    assert "1 evaluation with very long feedback: the first 10,000 characters" in text
    assert NOT_SHOWN not in text


def test_a_failure_is_a_sentence(empty: Store, run: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    put(empty, *[WEAK] * 3)
    app = run(user_id="u")
    monkeypatch.setattr(empty, "client", FailingClient(refused("AccessDeniedException")))
    text = words(on(app))
    assert f"The recurring feedback {NOT_SHOWN}." in text
    assert "dynamodb:BatchGetItem" in text


def test_an_unknown_cost_is_said(empty: Store, run: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    put(empty, *[WEAK] * 3)
    monkeypatch.setattr(source, "facts", lambda _: (_ for _ in ()).throw(recurring.Failure("access_denied")))
    assert "costs what its size makes it, which DynamoDB has not counted yet" in words(run(user_id="u"))


def group(store: Store, user_ids: Sequence[str]) -> None:
    for user_id in user_ids:
        put(store, WEAK, {"weaknesses": ["Read the question."]}, {"weaknesses": ["Too old."]}, user_id=user_id)


@pytest.mark.usefixtures("counted")
def test_a_group_hears_the_same(empty: Store, run: Callable[..., AppTest]) -> None:
    group(empty, ["anna", "ben", "c_d_", "dora"])
    app = run(group="1")
    assert "Reading the feedback of 8 evaluations costs about 1 request" in words(app)
    text = words(on(app, "lesson"))
    assert "Check every verb." in text
    assert "Too old." not in text
    assert text.count("4 of 4 students") == 3
    assert "and 1 more" in text
    # An id that Markdown would change is not a label.
    assert set(links(app)) <= {"anna", "ben", "dora", "8 Dec 2024", "7 Dec 2024"}
    assert "c_d_" not in links(app)


def test_one_student_is_no_group(empty: Store, run: Callable[..., AppTest]) -> None:
    group(empty, ["anna"])
    assert "Common feedback needs completed evaluations of two students." in words(run(group="1", lesson="on"))


def test_feedback_that_cannot_be_read_is_counted_and_left_out(run: Callable[..., AppTest], empty: Store) -> None:
    feedback = {"weaknesses": ["Articles are often missing"]}
    put(
        empty,
        feedback,
        f"```json\n{json.dumps(feedback)}\n```",
        "{weaknesses: [Articles are often missing]}",
        "{oops",
        "{oops",
    )
    page = words(run(user_id="u", says="on"))
    assert "3 of 5 evaluations could not be read." in page
    assert "in 2 of 2" in page
    assert "oops" not in page
