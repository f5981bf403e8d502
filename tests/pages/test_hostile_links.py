"""Links that ask for nonsense, every page and parameter: a sentence each, never a traceback."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app import at, words
from ui.shell import address
from ui.shell.boundary import NOT_SHOWN

pytestmark = pytest.mark.slow

IDS = ("user_id", "evaluation_id", "set_id", "a", "b", "job_id", "table")
PAGES = {
    "overview": {},
    "student": {"user_id": "user-101"},
    "evaluation": {"evaluation_id": "speak-xyz789", "user_id": "user-456"},
    "compare": {"user_id": "user-102"},
    "flashcards": {"set_id": "flashcard-set-123", "user_id": "user-456"},
    "lessons": {},
    "jobs": {},
    "audit": {},
    "setup": {},
}
VALUES: dict[str, Any] = {
    "unknown": "no such thing",
    "repeated": ["7d", "30d"],
    "10 KB": "x" * 10_000,
    "markup": "<img src=x onerror=alert(1)> ![x](//evil.example/x.png) $x$ :red[y]",
    "control": "a\x00b\x1b[31m\u202ec\u200b\n\U0001f600",
    "minus one": "-1",
    "infinite": "inf",
    "not a number": "nan",
    "huge": "1e308",
    "first day": "0001-01-01",
    "last day": "9999-12-31",
    "a week": "2026-W01-1",
    "list": "[1, 2]",
    "null": "null",
    "empty": "",
}


DAYS = ("first day", "last day")


def opened(page: str, params: dict[str, Any]) -> AppTest:
    """The page as a link shows it."""
    app = at(f"pages/{page}.py", {**PAGES[page], **params}, seconds=60)
    app.context = {"timezone": "Asia/Ho_Chi_Minh"}
    return app.run()


def seen(app: AppTest) -> str:
    """The words of a page, which must stand."""
    text = words(app)
    assert not app.exception
    assert NOT_SHOWN not in text
    assert "Traceback" not in text
    assert not [element for element in app.get("html") if "<img" in element.value]
    return text


# One test for all values: they share what was read, which takes longest.
@pytest.mark.parametrize("page", PAGES)
def test_a_page_stands_when_every_filter_asks_for_nonsense(page: str) -> None:
    for value in VALUES.values():
        text = seen(opened(page, {**dict.fromkeys(address.KEYS, value), "<b>odd</b>": value}))
        # Streamlit's tests leave out what is empty.
        if value:
            assert "The link holds “&lt;b&gt;odd&lt;/b&gt;”, which the dashboard does not know." in text
    text = seen(opened(page, {"user_id": ["user-101", "user-102"], "text": "y" * 10_000, "finding": ["a", "b"]}))
    assert "The link has user_id more than once: the first one is used." in text
    assert "The link has finding more than once: the first one is used." in text
    assert "The link&#39;s text is too long: at most its first 200 characters are used." in text


def test_each_filter_says_in_a_sentence_what_it_cannot_use() -> None:
    for name in ("unknown", "10 KB", "control", "minus one", "not a number", *DAYS):
        value = VALUES[name]
        overview = seen(opened("overview", dict.fromkeys(address.KEYS, value)))
        for label in ("period", "class", "skill", "show"):
            assert f"The link asks for {label} “" in overview
        for label in ("below target by (bands)", "weak criterion by (bands)", "inactive for (days)"):
            assert f"The link&#39;s {label} “" in overview
        assert overview.count("neither on nor off") == 2
        student = seen(opened("student", dict.fromkeys(address.KEYS, value)))
        for label in ("period", "skill", "status"):
            assert f"The link asks for {label} “" in student
        assert student.count("neither on nor off") == 2
        assert "The link asks for group “" in seen(opened("lessons", dict.fromkeys(address.KEYS, value)))
        jobs = seen(opened("jobs", {**dict.fromkeys(address.KEYS, value), "jobs": "custom", "table": value}))
        for label in ("type", "status", "auto-refresh", "table"):
            assert f"The link asks for {label} “" in jobs
        assert jobs.count("is no date between 2000 and") == 2


def test_a_thousand_unknown_names_are_few_sentences() -> None:
    assert seen(opened("setup", {f"n{n}": "1" for n in range(1000)})).count("which the dashboard does not know") == 5


@pytest.mark.parametrize(
    ("page", "key", "sentence"),
    [
        ("student", "user_id", "IDs are case-sensitive."),
        ("evaluation", "evaluation_id", "There is no evaluation"),
        ("flashcards", "set_id", "There is no flashcard set"),
        ("compare", "a", "There is no evaluation"),
        ("jobs", "job_id", "There is no job"),
    ],
)
def test_an_id_of_nonsense_is_a_sentence(page: str, key: str, sentence: str) -> None:
    own = {"user_id": "user-101"} if page == "jobs" else {}
    for name, value in VALUES.items():
        if name not in ("repeated", "empty"):
            text = seen(opened(page, {**own, key: value}))
            assert ("is too long to be an id" if name == "10 KB" else sentence) in text


def test_a_job_without_its_student_is_said() -> None:
    assert "The link names a job, but not whose" in seen(opened("jobs", {"job_id": "x"}))
