"""The page Lessons: groups by weakest criterion, the lesson of one, its sheet and its file."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data.dynamodb.client import Store
from tests.support.accounts import watching
from tests.support.app import refused, show, words
from tests.support.known_class import completed, put, read

pytestmark = pytest.mark.slow

PAGE = "pages/lessons.py"
GROUP = {"group": "writing.grammar_band"}
ROSTER = """user_id,name,class,target_band,test_date,teacher
dora,Dora <b>Dean</b>,Evening,6.5,2027-03-14,Ms Lan
fay,Fay Fox,,,,
"""


@pytest.fixture
def group(empty: Store, use: Callable[[Store], None], tmp_path: Path) -> Store:
    """Two students whose grammar is weak."""
    path = tmp_path / "roster.csv"
    path.write_text(ROSTER, encoding="utf-8")
    for user_id in ("dora", "fay"):
        put(empty, *(completed(user_id, days, 6.5, grammar_band="4.0") for days in range(2, 10)))
    store = Store(replace(empty.settings, roster=str(path)), empty.client)
    use(store)
    return store


def test_a_card_for_each_group_leads_to_its_lesson(group: Store) -> None:
    app = show(PAGE)
    assert "2 students" in words(app)
    assert "Fay Fox" in words(app)
    app.button(key="plan_writing.grammar_band").click().run()
    assert {key: app.query_params[key] for key in ("group", "lesson")} in (
        {**GROUP, "lesson": "on"},
        {"group": [GROUP["group"]], "lesson": ["on"]},
    )
    assert set(app.dataframe[0].value["Student"]) == {"Dora <b>Dean</b>", "Fay Fox"}
    # Its breadcrumb leads back to all groups: with the filters, without the group.
    assert any('href="./lessons"' in str(element.value) for element in app.get("html"))


def test_the_feedback_is_read_when_the_lesson_asks_for_it(group: Store) -> None:
    with watching(group.client) as wire:
        app = show(PAGE, GROUP)
        assert "BatchGetItem" not in wire.operations
        app.toggle(key="lesson").set_value(True).run()
        assert wire.operations.count("BatchGetItem") == 1
    assert "Check every verb." in words(app)
    assert "2 of 2 students" in words(app)


def test_a_class_without_a_group_says_so(group: Store) -> None:
    app = show(PAGE, {"class": "Evening", "of": "speaking"})
    assert not app.exception
    assert [info.proto.title for info in app.info] == ["No groups yet"]


def test_the_file_has_a_row_for_each_student_with_the_feedback(
    group: Store, files: dict[str, Callable[[], bytes]]
) -> None:
    show(PAGE, {**GROUP, "lesson": "on"})
    _, rows = read(files, "lesson-writing")
    rows = rows.set_index("user_id")
    assert set(rows.index) == {"dora", "fay"}
    assert rows["target_band"]["dora"] == 6.5
    assert rows["test_date"].fillna("").to_dict() == {"dora": "2027-03-14", "fay": ""}
    assert "Check every verb." in rows["weaknesses"]["fay"]


def test_the_sheet_is_printed_with_names_as_text(group: Store) -> None:
    app = show(PAGE, {**GROUP, "lesson": "on"})
    assert "data-bandup-print" not in words(app)
    app.button(key="lesson_print").click().run()
    (holder,) = [element.value for element in app.get("html") if "data-bandup-print" in str(element.value)]
    sheet = sheet_in(str(holder))
    assert "Dora &lt;b&gt;Dean&lt;/b&gt;" in sheet
    assert "Check every verb." in sheet
    assert "<script" not in sheet
    assert "6.5 by 14 Mar 2027" in sheet
    for text in (group.settings.school, "Teacher: <bdi>Ms Lan</bdi>", "To practise", "varied and correct sentences"):
        assert text in sheet


def test_a_sheet_says_that_its_feedback_could_not_be_read(group: Store, files: dict[str, Callable[[], bytes]]) -> None:
    def deny(**_: object) -> None:
        raise refused("AccessDeniedException")

    group.client.meta.events.register("before-call.dynamodb.BatchGetItem", deny)
    app = show(PAGE, {**GROUP, "lesson": "on"})
    app.button(key="lesson_print").click().run()
    (holder,) = [element.value for element in app.get("html") if "data-bandup-print" in str(element.value)]
    assert "The common feedback could not be read." in sheet_in(str(holder))
    name, rows = read(files, "lesson-writing")
    assert b"Complete: no" in files[name]()
    assert len(rows) == 2


def test_a_sheet_says_how_many_phrases_it_leaves_out(group: Store) -> None:
    for user_id in ("dora", "fay"):
        points = [f"Mind point {word}." for word in ["one", "two", "three", "four", "five", "six", "seven"]]
        put(group, completed(user_id, 1, 6.5, grammar_band="4.0", feedback=json.dumps({"weaknesses": points})))
    app = show(PAGE, {**GROUP, "lesson": "on"})
    app.button(key="lesson_print").click().run()
    (holder,) = [element.value for element in app.get("html") if "data-bandup-print" in str(element.value)]
    sheet = sheet_in(str(holder))
    assert sheet.count("Mind point") + sheet.count("Check every verb.") == 5
    assert "And 3 more." in sheet


def sheet_in(holder: str) -> str:
    """The page inside."""
    return b64decode(holder.split('data-bandup-print="')[1].split('"', maxsplit=1)[0]).decode()
