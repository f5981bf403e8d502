"""A teacher of some classes learns nothing of the other students, neither by what is read nor by what it costs."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data.demo.sample import SEED_SET, SEED_STUDENT
from data.dynamodb.errors import Failure
from data.records.jobs import Key
from data.roster import Roster, Student
from queries import records
from queries.access.gate import Gate, Refused, Visitor
from queries.cache import Query
from queries.session import Session, cache
from tests.support.app import show, words
from ui.shell import sign_in
from ui.students import profile

OWN, HIDDEN = "user-101", SEED_STUDENT
LIMITED = Visitor("tran@school.example", "teacher", frozenset({"A"}))
TEACHER = Visitor("le@school.example", "teacher")
OPS = Visitor("olga@school.example", "ops")
UNITS = re.compile(r"read units|\d requests?\b|US\$|cost|\bread \d\d:\d\d")

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("demo_anew")]


@pytest.fixture(autouse=True)
def class_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One of the demo's students in each of two classes."""
    path = tmp_path / "roster.csv"
    path.write_text(f"user_id,class\n{OWN},A\n{HIDDEN},B\n", encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    return path


@pytest.fixture
def as_visitor(monkeypatch: pytest.MonkeyPatch) -> Callable[[Visitor], None]:
    """Let the pages be opened by a given visitor."""
    return lambda visitor: monkeypatch.setattr(sign_in, "current", lambda: visitor)


IDS = {
    "a student": ("student", {"user_id": HIDDEN}),
    "recurring feedback": ("student", {"user_id": HIDDEN, "says": "on", "beside": "on"}),
    "an evaluation": ("evaluation", {"evaluation_id": "speak-xyz789", "user_id": HIDDEN}),
    "an evaluation's id": ("evaluation", {"evaluation_id": "speak-xyz789"}),
    "a comparison": ("compare", {"user_id": HIDDEN, "a": "speak-xyz789", "b": "x"}),
    "another's evaluation as one's own": ("evaluation", {"evaluation_id": "speak-xyz789", "user_id": OWN}),
    "sets": ("flashcards", {"user_id": HIDDEN}),
    "a set": ("flashcards", {"set_id": SEED_SET["set_id"], "user_id": HIDDEN}),
    "a set's id": ("flashcards", {"set_id": SEED_SET["set_id"]}),
    "a job": ("jobs", {"jobs": "30d", "job_id": "speak-xyz789", "user_id": HIDDEN}),
    "a set's job": ("jobs", {"jobs": "30d", "job_id": SEED_SET["set_id"], "user_id": HIDDEN, "table": "flashcards"}),
}


@pytest.mark.parametrize("what", IDS)
def test_no_request_asks_for_a_hidden_student_and_an_id_that_is_not_there_looks_the_same(
    what: str, as_visitor: Callable[[Visitor], None], requests: list[str]
) -> None:
    page, ids = IDS[what]
    as_visitor(LIMITED)
    app = show(f"pages/{page}.py")

    def opened(params: dict[str, str]) -> tuple[str, list[str]]:
        cache.clear()
        requests.clear()
        for name, value in params.items():
            app.query_params[name] = value
        app.run()
        text = words(app)
        for value in params.values():
            text = text.replace(value, "ID")
        # Everybody's records of a period are asked for by status.
        return text, [request for request in requests if "Item" in request.split()[0] or "'user_id'" in request]

    text, asked = opened(ids)
    assert not [request for request in asked if f"'{HIDDEN}'" in request]
    nobody = {"user_id": "nobody", "evaluation_id": "no-evaluation", "set_id": "no-set", "job_id": "no-job"}
    others = {name: nobody[name] if name in nobody and value != OWN else value for name, value in ids.items()}
    same, asked_of_nobody = opened(others)
    assert text == same
    assert len(asked) == len(asked_of_nobody)


@pytest.mark.parametrize("typed", [HIDDEN, "speak-xyz789", SEED_SET["set_id"]])
def test_the_search_for_an_id_reads_nothing_of_a_hidden_student(
    typed: str, as_visitor: Callable[[Visitor], None], requests: list[str]
) -> None:
    as_visitor(LIMITED)
    app = show("pages/jobs.py")
    requests.clear()
    box = next(box for box in app.text_input if box.label == "Search by ID")
    box.set_value(typed)
    next(button for button in app.button if button.label == "Open").click().run()
    assert f"There is no evaluation, flashcard set or student “{typed}”" in words(app)
    # Of one's own students alone, whether any has a record of that id.
    assert all(request.startswith("BatchGetItem") for request in requests)
    assert not [request for request in requests if f"'user_id': {{'S': '{HIDDEN}'}}" in request]


def test_a_query_about_students_says_so_and_asks_for_nobody_else(requests: list[str]) -> None:
    gate = Gate(LIMITED, Roster({OWN: Student(OWN, class_name="A"), HIDDEN: Student(HIDDEN, class_name="B")}))
    key = Key("evaluations", "speak-xyz789", HIDDEN)
    hidden: dict[str, tuple[Any, ...]] = {
        "failure_reasons": ((key,),),
        "history": (HIDDEN,),
        "sets": (HIDDEN,),
        "of_students": ((OWN, HIDDEN), 180),
        "evaluation": ("speak-xyz789", HIDDEN),
        "evaluations_called": ("speak-xyz789", None),
        "recurring": ((("speak-xyz789", HIDDEN),),),
        "flashcard_set": (SEED_SET["set_id"], HIDDEN),
        "sets_called": (SEED_SET["set_id"], (OWN, HIDDEN)),
    }
    everybodys = {"period", "sets_period", "evaluations_between", "sets_between"}
    assert {name for name, value in inspect.getmembers(records) if isinstance(value, Query)} == {*hidden, *everybodys}
    for name, args in hidden.items():
        for ask in (
            lambda session, *question: session.read(*question),
            lambda session, *question: session.ahead(question),
        ):
            with pytest.raises(Refused):
                ask(Session(gate), getattr(records, name), *args)
    assert requests == []


@pytest.mark.parametrize(
    ("page", "params"),
    [
        ("overview", {"period": "30d"}),
        ("student", {"user_id": OWN}),
        ("lessons", {}),
        ("flashcards", {"user_id": OWN}),
        ("jobs", {"jobs": "30d"}),
        ("audit", {"audit": "30d"}),
    ],
)
def test_units_and_times_of_reading_are_for_ops(
    page: str, params: dict[str, str], as_visitor: Callable[[Visitor], None]
) -> None:
    as_visitor(OPS)
    assert UNITS.search(words(show(f"pages/{page}.py", params)))
    for visitor in (TEACHER, LIMITED):
        as_visitor(visitor)
        text = words(show(f"pages/{page}.py", params))
        assert not UNITS.search(text), text
        assert "Times in Asia/Ho_Chi_Minh" in text


@pytest.mark.parametrize("visitor", [OPS, TEACHER, LIMITED])
def test_when_an_older_answer_was_read_is_for_ops(
    visitor: Visitor, as_visitor: Callable[[Visitor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_visitor(OPS)
    show("pages/overview.py")
    for key in ("evaluations",):
        cache._pinned[key].outdate()

    def fails(*_: object) -> Any:
        raise Failure("throttled")

    monkeypatch.setattr(records.period, "_read", fails)
    as_visitor(visitor)
    text = words(show("pages/overview.py"))
    assert ("this was read at" in text) == visitor.is_ops
    assert ("it may be up to an hour old" in text) != visitor.is_ops


def _uploaded(app: AppTest, lines: list[str]) -> AppTest:
    content = "\n".join(["user_id,name,class", *lines]).encode()
    app.button(key="class_list").click().run()
    app.file_uploader[0].set_value(("mine.csv", content, "text/csv")).run()
    app.button(key="class_list_use").click().run()
    return app.button(key="class_list").click().run()


def _beside_the_class(app: AppTest) -> None:
    """Go on to the student's page, by a link that asks for the class median."""
    app.switch_page("pages/student.py")
    app.query_params["user_id"] = OWN
    app.query_params["beside"] = "on"
    app.run()
    assert not app.exception


def test_an_uploaded_class_list_widens_nothing_for_a_limited_teacher(
    as_visitor: Callable[[Visitor], None], requests: list[str]
) -> None:
    as_visitor(LIMITED)
    others = [HIDDEN, *(f"user-1{n:02}" for n in range(2, 12))]
    app = _uploaded(show("pages/overview.py"), [f"{OWN},Mine,X", *(f"{other},Secret,X" for other in others)])
    assert "In use: 1 student in 1 class, your own, in this tab." in words(app)
    assert "Left out: 11 students of the list, in no class of yours." in words(app)
    assert "Secret" not in words(app)
    assert [len(frame.value) for frame in app.dataframe if "Why" in frame.value] == [1]
    # A class of one's own making, with everybody in it, has no median: nothing is read for it.
    requests.clear()
    _beside_the_class(app)
    assert "Compare with class median" not in [toggle.label for toggle in app.toggle]
    assert not [request for request in requests if any(other in request for other in others)]


def test_an_uploaded_list_of_hidden_students_alone_leaves_nobody(as_visitor: Callable[[Visitor], None]) -> None:
    as_visitor(LIMITED)
    app = _uploaded(show("pages/overview.py"), [f"{HIDDEN},Secret,X"])
    assert "In use: no student. Remove your class list to see your classes again." in words(app)
    assert "Left out: 1 student of the list" in words(app)
    app.button(key="forget_roster").click().run()
    app.button(key="class_list").click().run()
    assert "In use: 1 student in 1 class" in words(app)


def test_a_class_without_bounds_is_compared_with_nobody(
    as_visitor: Callable[[Visitor], None], requests: list[str]
) -> None:
    as_visitor(TEACHER)
    app = _uploaded(show("pages/overview.py"), [f"{OWN},Mine,X", *(f"made-up-{n},,X" for n in range(5_000))])
    requests.clear()
    _beside_the_class(app)
    assert not [request for request in requests if "made-up" in request]
    assert profile.SMALLEST_CLASS < 5_000


def test_a_student_who_moves_is_gone_at_once_from_the_other_classs_overview(
    as_visitor: Callable[[Visitor], None], class_list: Path, requests: list[str]
) -> None:
    as_visitor(LIMITED)
    class_list.write_text(f"user_id,class\n{OWN},A\nuser-102,A\n", encoding="utf-8")
    app = show("pages/overview.py", {"period": "12m"})
    assert set(app.dataframe[0].value["Student"]) == {OWN, "user-102"}
    requests.clear()
    class_list.write_text(f"user_id,class\n{OWN},A\nuser-102,Another\n", encoding="utf-8")
    app.run()
    assert set(app.dataframe[0].value["Student"]) == {OWN}
    assert "user-102" not in words(app)
    assert not [request for request in requests if "user-102" in request]
    app.switch_page("pages/lessons.py")
    app.run()
    assert "user-102" not in words(app)
