"""The class list on the pages: what is wrong with the server's, and one's own, looked at before it is used."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data import roster
from data.roster import TEMPLATE, Roster
from queries.access.gate import Visitor
from tests.support.app import EVALUATION, FLASHCARDS, OVERVIEW, STUDENT, show, words
from ui.shell import sign_in

pytestmark = pytest.mark.slow


def students(app: AppTest) -> pd.DataFrame:
    """The table of students behind the dialog."""
    return next(frame.value for frame in app.dataframe if "Why" in frame.value)


def names(app: AppTest) -> list[str]:
    """Who is in it."""
    return students(app)["Student"].tolist()


def test_a_roster_that_is_not_there_is_said_on_every_page_that_needs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BANDUP_ROSTER", f"{tmp_path}/none.csv")
    for page, params in PAGES_WITH_NAMES:
        assert "none.csv cannot be read: No such file or directory." in words(show(page, params)), page
    assert len(students(show(*OVERVIEW))) > 25


@pytest.mark.parametrize("content", ["user_id,name\nuser-101,Ann\n,Nobody <b>\n", "no columns\n"])
def test_teachers_read_a_sentence_about_a_bad_class_list_and_ops_where_and_why(
    content: str, a_roster: Callable[[str | bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_roster(content)
    for_ops = words(show("pages/lessons.py"))
    assert "Row 3: user_id is empty." in for_ops or "first line must name its columns" in for_ops
    monkeypatch.setattr(sign_in, "current", lambda: Visitor("lan@school.example", "teacher"))
    for_teachers = words(show("pages/lessons.py"))
    assert "Please tell whoever runs this dashboard." in for_teachers
    assert str(path) not in for_teachers
    assert "user_id" not in for_teachers


def test_a_class_list_with_nothing_wrong_says_nothing(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id,name\nuser-101,Ann\n")
    assert "⚠" not in words(show("pages/lessons.py"))


PAGES_WITH_NAMES = [
    OVERVIEW, STUDENT, EVALUATION, FLASHCARDS, ("pages/lessons.py", {}), ("pages/jobs.py", {}),
    ("pages/compare.py", {"user_id": "user-101"}),
]  # fmt: skip


def uploading(content: bytes, name: str = "mine.csv") -> AppTest:
    """Students with the class list open and a file in it."""
    app = show(*OVERVIEW)
    app.button(key="class_list").click().run()
    app.file_uploader[0].set_value((name, content, "text/csv")).run()
    assert not app.exception
    return app


OWN = "user_id,name,class,target_band,Phone\nuser-101,Tên Đẹp,<b>One</b>,8.0,1\nuser-102,=1+1,<b>One</b>,,2\n,Ann,,,\n"


def test_a_class_list_of_ones_own_is_looked_at_then_used_for_the_visit_and_given_up(
    a_roster: Callable[[str | bytes], Path],
) -> None:
    a_roster("user_id,name\nuser-101,Of the server\n")
    app = uploading(OWN.encode())
    text = words(app)
    assert "2 students can be used, 1 row skipped" in text
    assert "Row 4 skipped: user_id is empty." in text
    assert "Columns that are not used: “Phone”." in text
    assert "UTF-8, separated by commas." in text
    preview = next(frame.value for frame in app.dataframe if "Student ID" in frame.value)
    assert preview["Name"].tolist() == ["Tên Đẹp", "=1+1"]
    # Nothing has changed yet.
    assert "Of the server" in names(app)
    app.button(key="class_list_use").click().run()
    table = students(app).set_index("Student")
    assert table.loc["Tên Đẹp", "Target"] == "8.0"
    assert "below target" in table.loc["Tên Đẹp", "Why"]
    assert "Of the server" not in table.index
    assert "<b>One</b>" in app.selectbox(key="class").options
    # The other pages know it too.
    app.switch_page("pages/student.py")
    app.query_params["user_id"] = "user-101"
    app.run()
    assert "Tên Đẹp" in words(app)
    assert "&lt;b&gt;One&lt;/b&gt; · target 8.0" in words(app)
    # Another visit does not.
    assert "Of the server" in names(show(*OVERVIEW))
    app.switch_page("pages/overview.py")
    app.run()
    app.button(key="class_list").click().run()
    assert "In use: 2 students in 1 class, your own, in this tab." in words(app)
    app.button(key="forget_roster").click().run()
    assert "Of the server" in names(app)


def test_a_class_list_that_is_cancelled_changes_nothing() -> None:
    app = uploading(OWN.encode())
    before = names(app)
    app.button(key="class_list_cancel").click().run()
    assert "demo class list." in words(app)
    assert names(app) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"name\nAnn\n", "first line must name its columns"),
        (b"user_id,name\n", "names its columns, but no students"),
        (b"user_id,name\n,Ann\n", "No line of the class list can be used."),
    ],
)
def test_a_file_that_is_no_class_list_leaves_the_one_before(content: bytes, sentence: str) -> None:
    app = uploading(content)
    before = names(app)
    assert sentence in words(app)
    assert "The previous class list is still in use." in words(app)
    assert not [b for b in app.button if b.key == "class_list_use"]
    assert names(app) == before


def test_a_reason_is_said_once_with_its_rows() -> None:
    rows = [f"user-{n},{'eleven' if n in (101, 103) else 6}" for n in range(101, 120)] + [",6"] * 2_000
    text = words(uploading("\n".join(["user_id,target_band", *rows]).encode()))
    assert "19 students can be used, 2,000 rows skipped" in text
    assert "Rows 2, 4: target_band “eleven” is no band" in text
    assert "Rows 21 to 1020 skipped: user_id is empty." in text
    assert "And 1,000 more." in text


def test_columns_that_are_not_clear_are_asked_for() -> None:
    app = uploading(b"Code,Called,Set\nuser-101,Ann,B2\n")
    chosen = {select.label: select for select in app.selectbox}
    assert chosen["Student ID"].options == ["Code", "Called", "Set"]
    chosen["Student ID"].set_value("Code")
    chosen["Name"].set_value("Called").run()
    assert "1 student can be used" in words(app)
    assert "Columns that are not used: “Set”." in words(app)
    app.button(key="class_list_use").click().run()
    assert "Ann" in names(app)


def test_a_file_is_parsed_once_whatever_is_clicked(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[bytes] = []
    parse = roster.parse

    def counted(content: bytes, *more: Any) -> Roster:
        parsed.append(content)
        return parse(content, *more)

    monkeypatch.setattr(roster, "parse", counted)
    app = uploading(OWN.encode())
    app.run()
    app.run()
    app.button(key="class_list_use").click().run()
    app.run()
    assert parsed.count(OWN.encode()) == 1


def test_students_without_records_and_those_in_no_list_are_said_without_another_read() -> None:
    app = uploading(b"user_id,name\nuser-101,Ann\nuser-9999,Gone\n")
    labels = [expander.label for expander in app.expander]
    assert "1 student of the list without recent records" in labels
    assert any(re.fullmatch(r"\d+ students with recent records, but not in the list", label) for label in labels)
    assert "Gone (user-9999)" in words(app)


def test_the_template_is_a_roster(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(*OVERVIEW)
    app.button(key="class_list").click().run()
    assert files["roster-template.csv"] == TEMPLATE.encode()
