"""The Compare page as a whole, in process: any two, one missing, two skills, odd records, failures, hostile ids."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import json
import math
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from analysis import comparison
from data.demo import engine
from data.demo.sample import ODD_STUDENT, SEED_EVALUATIONS
from data.dynamodb.client import Store
from data.dynamodb.reads import Item
from data.records import evaluations
from data.schema import BY_STUDENT, EVALUATIONS
from data.settings import Settings
from tests.support.accounts import refusal, watching
from tests.support.app import FAILURES, FailingClient, show, words
from ui.shell.boundary import NOT_SHOWN

pytestmark = pytest.mark.slow

PAGE = "pages/compare.py"
NEW = 1733644800
DAY = 86_400
WRITING: dict[str, Any] = {
    **SEED_EVALUATIONS[0],
    "feedback": json.dumps({"strengths": ["A clear position."], "weaknesses": ["Few examples."]}),
}
SPEAKING: dict[str, Any] = {
    **SEED_EVALUATIONS[1],
    "feedback": json.dumps({"fluency": {"band": "7.0", "comment": "Speaks at length."}, "suggestions": ["Read."]}),
}


def put(store: Store, *records: dict[str, Any]) -> None:
    """Write the records as user-456's, a day apart, the newest first, called e0, e1 and so on."""
    items = [
        {"evaluation_id": f"e{n}", "created_at": NEW - DAY * n, **changes, "user_id": "user-456"}
        for n, record in enumerate(records)
        for changes in [{k: v for k, v in record.items() if k not in ("evaluation_id", "created_at")}]
    ]
    engine.write(store.client, store.settings.name(EVALUATIONS), items)


def compare(**params: str) -> AppTest:
    return show(PAGE, {"user_id": "user-456", **params})


def chosen(app: AppTest) -> list[Any]:
    """What the select boxes stand at."""
    return [box.value for box in app.selectbox]


def table(app: AppTest) -> list[list[str]]:
    """The table of bands, row by row."""
    html = next(str(element.value) for element in app.get("html") if "<table" in str(element.value))
    rows = re.findall(r"<tr.*?</tr>", html)
    return [[re.sub("<.*?>", "", cell) for cell in re.findall(r"<t[hd] .*?</t[hd]>", row)] for row in rows]


def test_of_two_writing_tasks_the_criterion_has_the_name_of_both(empty: Store) -> None:
    put(empty, WRITING, {**WRITING, "model_used": "gemini-writing_task1"})
    assert [row[0] for row in table(compare())][2] == "Task achievement"


def test_the_latest_two_of_one_skill_are_compared_with_no_read_twice(empty: Store) -> None:
    put(empty, SPEAKING, WRITING, {**WRITING, "overall_band": "6.0", "grammar_band": "7.0"})
    with watching(empty.client) as wire:
        app = compare()
    # The overview came first, which asks the other index.
    histories = [params for operation, params in wire.sent if operation == "Query" and BY_STUDENT in str(params)]
    assert len(histories) == 1
    assert wire.operations.count("GetItem") == 2
    assert chosen(app) == ["e2", "e1"]
    assert table(app) == [
        ["Criterion", "Earlier · 6 Dec 2024", "Later · 7 Dec 2024", "Change"],
        ["Writing band", "6.0", "7.0", "+1.0"],
        ["Task response", "7.0", "7.0", "0.0"],
        ["Coherence and cohesion", "6.5", "6.5", "0.0"],
        ["Lexical resource", "7.0", "7.0", "0.0"],
        ["Grammatical range and accuracy", "7.0", "6.5", "−0.5"],
    ]
    text = words(app)
    assert text.count("A clear position.") == 4  # and in each raw record
    assert "different models" not in text
    assert "Transcript" not in text
    assert "a" not in app.query_params
    assert "3 requests" in text


def test_another_task_is_another_task_and_no_other_model(empty: Store) -> None:
    tasks = [{**WRITING, "model_used": f"gemini-writing_task{number}"} for number in (1, 2)]
    put(empty, *tasks, {**WRITING, "model_used": None})
    text = words(compare(a="e0", b="e1"))
    assert "which ask for different things" in text
    assert "Scored by different models" not in text
    assert "Scored by different models" not in words(compare(a="e1", b="e2"))


def test_any_two_are_compared_and_the_choice_is_in_the_address(empty: Store) -> None:
    put(empty, WRITING, WRITING, {**WRITING, "overall_band": "5.0", "model_used": "another-model"})
    app = compare()
    app.selectbox[0].select("e2").run()
    assert not app.exception
    assert (app.query_params["a"], app.query_params["b"]) in (("e2", "e0"), (["e2"], ["e0"]))
    assert table(app)[1] == ["Writing band", "5.0", "7.0", "+2.0"]
    assert "Scored by different models: part of a difference may be theirs." in words(app)
    app.button(key="compare_swap").click().run()
    assert chosen(app) == ["e0", "e2"]
    assert table(app)[1] == ["Writing band", "7.0", "5.0", "−2.0"]
    assert table(app)[0][1:3] == ["Later · 8 Dec 2024", "Earlier · 6 Dec 2024"]
    app.button(key="compare_newer").click().run()
    assert chosen(app) == ["e2", "e0"]
    assert "The first is newer" not in words(app)


def test_a_select_box_shows_skill_band_and_local_time_and_tells_equal_ones_apart(empty: Store) -> None:
    put(empty, WRITING, SPEAKING, {**WRITING, "status": "failed"}, WRITING)
    twin = {**WRITING, "evaluation_id": "twin", "created_at": NEW, "user_id": "user-456"}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [twin])
    options = compare().selectbox[0].options
    assert "Speaking · 7.0 · 7 Dec 2024, 15:00" in options
    assert "Writing · failed · 6 Dec 2024, 15:00" in options
    assert len(options) == len(set(options)) == 5


def test_different_skills_are_not_compared_but_the_criteria_of_both_are_shown(empty: Store) -> None:
    put(empty, SPEAKING, WRITING)
    app = compare(a="e1", b="e0")
    assert table(app) == [
        ["Criterion", "Earlier · 7 Dec 2024", "Later · 8 Dec 2024"],
        ["Lexical resource", "7.0", "6.5"],
        ["Grammatical range and accuracy", "6.5", "7.0"],
    ]
    text = words(app)
    assert "The first is Writing, the second Speaking: bands of different skills are not compared." in text
    assert "185 words · 2 min 1 s · 92 words per minute" in text
    assert "The record has no transcript." in text
    assert "Speaks at length." in text
    assert "Few examples." in text


def test_parts_of_the_feedback_that_only_one_has_come_last(empty: Store) -> None:
    put(empty, {**WRITING, "feedback": json.dumps({"summary": "In short.", "strengths": ["New."]})}, WRITING)
    text = words(compare())
    assert text.index("New.") < text.index("Only in one evaluation") < text.index("In short.")


@pytest.mark.parametrize(
    ("params", "missing"), [({"a": "none", "b": "e0"}, ["none"]), ({"a": "x", "b": "y"}, ["x", "y"])]
)
def test_one_that_is_not_there_is_said_with_a_way_back(
    params: dict[str, str], missing: list[str], empty: Store
) -> None:
    put(empty, WRITING, WRITING)
    app = compare(**params)
    text = words(app)
    for evaluation_id in missing:
        assert f"There is no evaluation “{evaluation_id}” of student “user-456”." in text
    assert "It may be another student&#39;s" in text or "It may be another student's" in text
    assert "Compare the latest two of this student" in text
    assert len(app.selectbox) == 2


def test_another_students_evaluation_is_not_shown(empty: Store) -> None:
    put(empty, WRITING)
    other = {**WRITING, "evaluation_id": "theirs", "user_id": "user-1", "created_at": NEW}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [other])
    text = words(compare(a="theirs", b="e0"))
    assert "There is no evaluation “theirs” of student “user-456”." in text
    assert "A clear position." not in text


def test_too_few_give_a_sentence_and_a_way_back(empty: Store) -> None:
    app = compare()
    assert app.info[0].proto.title == "No evaluations found"
    assert "Back to Students" in words(app)
    assert "Browse all students" in words(show(PAGE))
    put(empty, WRITING)
    app.button(key="_refresh").click().run()
    assert "there is nothing to compare it with" in words(app)


def test_the_same_one_twice_is_no_comparison(empty: Store) -> None:
    put(empty, WRITING, WRITING)
    app = compare(a="e0", b="e0")
    assert app.info[0].proto.title == "Choose two different evaluations"
    assert len(app.selectbox) == 2


@pytest.mark.parametrize("number", range(1, 20, 2))
def test_each_odd_evaluation_is_compared(number: int) -> None:
    pair = [f"eval-odd-{n:02d}" for n in (number, number % 19 + 1)]
    text = words(show(PAGE, {"user_id": ODD_STUDENT, "a": pair[0], "b": pair[1]}))
    assert NOT_SHOWN not in text
    assert "Feedback" in text


@pytest.mark.parametrize("name", ["time-1", "time-2", "bare", "timeless"])
def test_each_evaluation_with_an_odd_time_is_compared(name: str) -> None:
    text = words(show(PAGE, {"user_id": ODD_STUDENT, "a": "eval-odd-02", "b": f"eval-odd-{name}"}))
    assert NOT_SHOWN not in text
    assert "Feedback" in text


@pytest.mark.parametrize(("error", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_failure_is_a_sentence_and_the_frame_stands(
    error: Exception, sentence: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(error)
    use(Store(new_settings("http://127.0.0.1:1"), client))
    text = words(compare(a="e1", b="e0"))
    assert sentence in text
    assert f"The page “Compare” {NOT_SHOWN}" in text
    assert "Traceback" not in text
    assert "Refresh" in text


def test_a_failing_history_leaves_the_two_of_a_link_standing(empty: Store) -> None:
    put(empty, WRITING, WRITING)
    with watching(empty.client) as wire:
        wire.answer = lambda operation: refusal("AccessDeniedException") if operation == "Query" else None
        app = compare(a="e1", b="e0")
    assert f"The choice of evaluations {NOT_SHOWN}." in words(app)
    assert table(app)[1] == ["Writing band", "7.0", "7.0", "0.0"]
    assert not app.selectbox


def test_a_failing_record_leaves_the_choice_standing(empty: Store) -> None:
    put(empty, WRITING, WRITING)
    with watching(empty.client) as wire:
        wire.answer = lambda operation: refusal("AccessDeniedException") if operation == "GetItem" else None
        app = compare()
    assert f"The page “Compare” {NOT_SHOWN}." in words(app)
    assert len(app.selectbox) == 2


HOSTILE = "<script>alert(1)</script>![x](http://evil.example/x.png)$a$\u202e"


def test_hostile_ids_and_texts_are_shown_literally(empty: Store) -> None:
    feedback = json.dumps({HOSTILE: HOSTILE, "strengths": [HOSTILE]})
    put(empty, {**SPEAKING, "feedback": feedback, "transcript": HOSTILE, "model_used": HOSTILE}, SPEAKING)
    odd = {**SPEAKING, "evaluation_id": HOSTILE, "evaluation_type": HOSTILE, "user_id": "user-456", "created_at": NEW}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [odd])
    for app in (compare(), compare(a=HOSTILE, b="e1"), compare(a=HOSTILE + "x", b="e1"), compare(a="x" * 5000)):
        assert "<script" not in "".join(str(element.value) for element in app.get("html"))
        assert not app.markdown
        assert NOT_SHOWN not in words(app)
    text = words(show(PAGE, {"user_id": HOSTILE}))
    assert NOT_SHOWN not in text


def test_the_evaluation_page_leads_to_the_comparison_with_the_one_before(empty: Store) -> None:
    put(empty, WRITING, SPEAKING, WRITING)
    app = show("pages/evaluation.py", {"user_id": "user-456", "evaluation_id": "e0"})
    (link,) = re.findall(r'<a href="([^"]*)"[^>]*><bdi[^>]*>Compare with previous', words(app))
    assert unescape(link) == "./compare?user_id=user-456&a=e2&b=e0"
    assert "Compare with previous" not in words(
        show("pages/evaluation.py", {"user_id": "user-456", "evaluation_id": "e1"})
    )


# --- which two


def history(*records: tuple[str, str, str]) -> pd.DataFrame:
    """A frame of (id, type, status), newest first."""
    items: list[Item] = [
        {
            "evaluation_id": {"S": evaluation_id},
            "user_id": {"S": "u"},
            "evaluation_type": {"S": kind},
            "status": {"S": status},
            "overall_band": {"S": "6.0"},
            "created_at": {"N": str(NEW - n)},
        }
        for n, (evaluation_id, kind, status) in enumerate(records)
    ]
    return evaluations.frame(items)


DONE = "completed"
MIXED = history(
    ("s2", "speaking", DONE),
    ("f", "writing", "failed"),
    ("w2", "writing", DONE),
    ("s1", "speaking", DONE),
    ("w1", "writing", DONE),
)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (None, None, ("s1", "s2")),
        (None, "w2", ("w1", "w2")),
        (None, "w1", ("w2", "w1")),
        ("w1", None, ("w1", "w2")),
        ("w2", None, ("w2", "w1")),
        ("w1", "s2", ("w1", "s2")),
        ("nowhere", None, ("nowhere", "w1")),
        (None, "nowhere", ("s2", "nowhere")),
        (None, "f", ("w2", "f")),
    ],
)
def test_the_pair(first: str | None, second: str | None, expected: tuple[str, str]) -> None:
    assert comparison.pair(MIXED, first, second) == expected


def test_the_pair_where_no_skill_has_two() -> None:
    assert comparison.pair(history(("a", "writing", DONE), ("b", "speaking", DONE)), None, None) == ("b", "a")
    assert comparison.pair(history(("a", "writing", DONE)), None, None) is None
    assert comparison.pair(history(("a", "writing", DONE)), "a", None) is None
    assert comparison.pair(history(), None, None) is None
    assert comparison.pair(history(), "a", "b") == ("a", "b")


def test_rows_of_an_unknown_kind_have_no_changes() -> None:
    items: list[Item] = [{"evaluation_id": {"S": "a"}, "overall_band": {"S": "6.0"}, "grammar_band": {"S": "6.0"}}] * 2
    (row,) = comparison.rows(*(evaluations.parse(item) for item in items))
    assert (row.band, row.first, row.second) == ("grammar_band", 6.0, 6.0)
    assert math.isnan(row.change)
