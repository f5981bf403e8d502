"""The CSV that people take away: read again as they would, and as a spreadsheet would."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.phrases import RecurringFeedback
from data.records.cards import Card
from data.records.flashcards import FlashcardSet
from data.roster import Student
from exports import lesson, spreadsheets
from exports.lesson import Lesson

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def made(rows: pd.DataFrame, what: str = "Findings", **more: Any) -> bytes:
    about: dict[str, Any] = {"period": "the last 30 days", "zone": ZONE, "source": "Demo", "made": MADE}
    return spreadsheets.csv(rows, what, **{**about, "complete": True, **more})


def again(content: bytes) -> pd.DataFrame:
    """As pandas reads it, every cell as text."""
    return pd.read_csv(
        io.BytesIO(content), skiprows=spreadsheets.HEAD, dtype=str, keep_default_na=False, encoding="utf-8-sig"
    )


def lines(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_file_says_what_it_is_of_when_and_whether_it_is_whole() -> None:
    rows = pd.DataFrame({"a": [1, 2]})
    head = [line[0] for line in lines(made(rows))[: spreadsheets.HEAD]]
    assert head == [
        "# Findings: 2 rows",
        "# Period: the last 30 days",
        "# Time zone: Asia/Ho_Chi_Minh, made 2026-03-01T19:00:00+07:00",
        "# Source: Demo",
        "# Complete: yes",
    ]
    cut = lines(made(rows, complete=False))[4][0]
    assert cut == "# Complete: no: not everything could be read"


def test_the_file_says_which_rows_were_chosen() -> None:
    rows = pd.DataFrame({"a": [1]})
    chosen = {"Class": "Evening", "Skill": None, "Search": ""}
    assert lines(made(rows, chosen=chosen))[0] == ["# Findings: 1 row (Class: Evening)"]
    assert lines(made(rows, chosen={"Skill": None}))[0] == ["# Findings: 1 row"]
    # A class may be called anything.
    breaking = lines(made(rows, chosen={"Class": "a\n=1;=2"}))
    assert breaking[0] == ["# Findings: 1 row (Class: a =1;'=2)"]
    assert len(breaking) == spreadsheets.HEAD + 2


def test_excel_is_told_that_it_is_utf8() -> None:
    content = made(pd.DataFrame({"Tên": ["Nguyễn", "日本語", "متن"]}))
    assert content.startswith(b"\xef\xbb\xbf")
    assert again(content)["Tên"].tolist() == ["Nguyễn", "日本語", "متن"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1+1", "'\t'=1+1"),
        ("\r=1+1", "'\r'=1+1"),
        ('=HYPERLINK("http://x", "y")', '\'=HYPERLINK("http://x", "y")'),
        # What a spreadsheet drops before it looks: line ends, blanks, a byte order mark, marks; and full-width signs.
        *(
            (f"{before}{sign}1+1", f"'{before}{sign}1+1")
            for before in ("", " ", "\xa0", "\u3000", "\ufeff", "\u200b", "\u202e", "\u0301", "\x0b \x1f")
            for sign in "=+-@＝＋－＠−"
        ),
        ("\n1", "'\n1"),
        # Where a spreadsheet with another separator begins a cell.
        ("\n=1+1", "'\n'=1+1"),
        ("good;=1+1;", "good;'=1+1;"),
        ('a, b; "＝1+1', "a, b;' \"＝1+1"),
        ("one\r\n+two", "one\r\n'+two"),
        ("so; so - and a=1; b", "so; so - and a=1; b"),
        (" 7.0", " 7.0"),
        ("– and — are dashes", "– and — are dashes"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        ("", ""),
        ('quotes " and, commas', 'quotes " and, commas'),
        ("two\nlines", "two\nlines"),
    ],
)
def test_a_cell_that_would_be_a_formula_is_text(cell: str, written: str) -> None:
    content = made(pd.DataFrame({"a": [cell], "b": ["x"]}))
    assert lines(content)[-1] == [written, "x"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_a_spreadsheet_whose_separator_is_another_finds_no_formula(separator: str) -> None:
    texts = [f"good{separator}=1+1{separator}", f'a, b{separator}"=1+1{separator}', "one line\n@SUM(1)"]
    content = made(pd.DataFrame({"id": ["u"] * 3, f"a{separator}=2": texts}), source=f"Demo{separator}=3")
    cells = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))
    assert [cell for row in cells for cell in row if cell.strip('"').startswith(("=", "+", "-", "@"))] == []


def test_names_of_columns_are_cells_too() -> None:
    assert lines(made(pd.DataFrame({"=cmd": ["x"]})))[spreadsheets.HEAD] == ["'=cmd"]


def test_numbers_stay_numbers_and_unknown_values_are_empty() -> None:
    rows = pd.DataFrame({"n": [-1.5, float("nan"), 7.0], "i": [-1, 2, 3], "t": [None, float("nan"), "-"]})
    assert lines(made(rows))[spreadsheets.HEAD + 1 :] == [["-1.5", "-1", ""], ["", "2", ""], ["7.0", "3", "'-"]]


def test_times_are_local_with_their_offset_also_across_a_change_of_clocks() -> None:
    moments = pd.to_datetime(["2026-03-01 12:00", "2026-07-01 12:00", None], utc=True)
    rows = pd.DataFrame({"When": moments})
    assert again(made(rows))["When"].tolist() == ["2026-03-01T19:00:00+07:00", "2026-07-01T19:00:00+07:00", ""]
    berlin = again(made(rows, zone=ZoneInfo("Europe/Berlin")))["When"].tolist()
    assert berlin[:2] == ["2026-03-01T13:00:00+01:00", "2026-07-01T14:00:00+02:00"]
    assert [pd.Timestamp(cell) for cell in berlin[:2]] == list(moments[:2])


def test_a_table_without_rows_still_says_what_it_is() -> None:
    content = made(pd.DataFrame({"a": pd.Series(dtype="object"), "b": pd.Series(dtype="float64")}))
    assert lines(content)[0] == ["# Findings: 0 rows"]
    assert list(again(content).columns) == ["a", "b"]


def test_what_comes_from_records_cannot_break_out_of_the_first_lines() -> None:
    content = made(pd.DataFrame({"a": ["x"]}), what='He said "=1",\n=2', source="a\r\n=cmd")
    rows = lines(content)
    assert [len(row) for row in rows] == [1] * (spreadsheets.HEAD + 2)
    assert not [row for row in rows if row[0].startswith(("=", "+", "-", "@"))]


def test_columns_of_the_same_name_both_stay() -> None:
    rows = pd.DataFrame([["1", "2"]], columns=["a", "a"])
    assert lines(made(rows))[-2:] == [["a", "a"], ["1", "2"]]


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_whatever_was_written_comes_back_but_for_the_apostrophe(cells: list[tuple[str, str]]) -> None:
    rows = pd.DataFrame(cells, columns=["a", "b"], dtype="object")
    back = lines(made(rows))[spreadsheets.HEAD + 1 :]
    assert [tuple(row) for row in back] == [tuple(spreadsheets.literal(cell) for cell in row) for row in cells]
    assert not [cell for row in back for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_files_name_is_one_that_every_system_takes() -> None:
    name = spreadsheets.file_name("audit", {"a": "../../é", "b": "x" * 300}, MADE)
    assert len(name) < 160
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert ".." not in name
    assert spreadsheets.file_name("flashcards", {"set": "a"}, MADE, "apkg") == "flashcards-a-20260301-1200.apkg"


def a_set(*cards: Card, **more: Any) -> FlashcardSet:
    fields: dict[str, Any] = dict.fromkeys(FlashcardSet.__dataclass_fields__)
    fields |= {"set_id": "set-1", "user_id": "user-1", "document_id": "a/b.pdf", "cards": cards, "issues": ()}
    return FlashcardSet(**{**fields, **more})


def set_again(chosen: FlashcardSet) -> tuple[list[str], pd.DataFrame]:
    """The first lines, and the cards as pandas reads them."""
    content = spreadsheets.tsv(chosen, zone=ZONE, source="Demo", made=MADE)
    assert content.startswith(b"\xef\xbb\xbf")
    head = content.decode("utf-8-sig").split("\r\n")[: spreadsheets.SET_HEAD]
    rows = pd.read_csv(
        io.BytesIO(content),
        sep="\t",
        skiprows=spreadsheets.SET_HEAD,
        dtype=str,
        keep_default_na=False,
        encoding="utf-8-sig",
    )
    return head, rows


def test_a_sets_file_says_what_it_is_of_when_and_whether_it_is_whole() -> None:
    head, _ = set_again(a_set(Card("a", "b", {}), total_cards=1, created_at=MADE))
    assert head == [
        "# Flashcards: 1 card",
        "# Set: set-1",
        "# Document: a/b.pdf",
        "# Created: 2026-03-01T19:00:00+07:00",
        "# Time zone: Asia/Ho_Chi_Minh, made 2026-03-01T19:00:00+07:00",
        "# Source: Demo",
        "# Complete: yes",
    ]
    cut, _ = set_again(a_set(Card("a", "b", {}), total_cards=3, document_id=None))
    assert cut[2:4] == ["# Document: unknown", "# Created: unknown"]
    assert cut[-1] == "# Complete: no: cards that cannot be read are not in it"


def test_tabs_line_breaks_and_quotes_of_a_card_come_back() -> None:
    hard = "tab\there, line\nbreak, \"quotes\", 'apostrophe', 日本"
    _, rows = set_again(a_set(Card(hard, f"{hard}\n", {}), Card("a", "", {})))
    assert rows.columns.tolist() == ["Question", "Answer"]
    assert rows.to_numpy().tolist() == [[hard, f"{hard}\n"], ["a", ""]]


def test_what_else_a_card_carries_is_in_a_column_of_its_own() -> None:
    _, rows = set_again(a_set(Card("a", "b", {"hint": "x", "pages": [1, 2]}), Card("c", "d", {})))
    assert rows["More"].tolist() == ["hint: x\npages: [1, 2]", ""]


def test_a_lesson_says_whose_feedback_was_not_read() -> None:
    members = [(Student("u1", "Ann"), 6.0), (Student("u2", "Bob"), 6.0)]
    feedback = RecurringFeedback((), {("e", "u1"): MADE}, 0)
    planned = Lesson("writing", "grammar_band", members, 6.0, feedback, ZoneInfo("UTC"), MADE)
    assert lesson.rows(planned)["weaknesses"].tolist() == ["", "not read"]
    assert "feedback of 1 of 2 students" in lesson.html(planned).decode()
    assert "weaknesses" not in lesson.rows(replace(planned, feedback=None))


def test_a_card_that_would_be_a_formula_is_text() -> None:
    _, rows = set_again(a_set(Card("=1+1", "-2", {"=x": "@y"}), Card("\t=1", "plain", {})))
    assert rows.to_numpy().tolist() == [["'=1+1", "'-2", "'=x: @y"], ["'\t'=1", "plain", ""]]


def test_a_name_cannot_break_out_of_its_line() -> None:
    head, rows = set_again(a_set(Card("a", "b", {}), document_id='x\r\n=cmd\t"y"\n'))
    assert [line[:3] for line in head] == ["# F", "# S", '"# ', "# C", "# T", "# S", "# C"]
    assert rows.to_numpy().tolist() == [["a", "b"]]


def test_a_set_without_cards_still_says_what_it_is() -> None:
    head, rows = set_again(a_set())
    assert head[0] == "# Flashcards: 0 cards"
    assert rows.columns.tolist() == ["Question", "Answer"]
    assert rows.empty


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_whatever_a_card_says_comes_back_but_for_the_apostrophe(cards: list[tuple[str, str]]) -> None:
    content = spreadsheets.tsv(a_set(*(Card(*card, {}) for card in cards)), zone=ZONE, source="Demo", made=MADE)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter="\t"))
    assert [tuple(row) for row in rows[spreadsheets.SET_HEAD + 1 :]] == [
        tuple(map(spreadsheets.literal, card)) for card in cards
    ]
