"""The class list: every shape that schools export, what is refused with which line, and that no bytes break it."""

import csv
import io
import json
import math
import re
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data import roster, workbook_reader
from data.demo import sample
from data.roster import TEMPLATE, Problem, Roster, RosterError, Student
from data.sheets import Sheet
from exports import spreadsheets
from tests.support import class_lists
from tests.support.attempts import NOW
from tests.support.examples import examples
from tests.support.work import is_linear
from tests.support.workbooks import HOSTILE, SHARED, SHEET, SMALL, changed, workbook

ANN = Student("u1", "Ann", "A", 7.0)
BOB = Student("u2", "Bob", "", math.nan)
HEADER = "user_id,name,class,target_band"


def parse(text: str) -> Roster:
    return roster.parse(text.encode())


def day(year: int, month: int, day: int) -> datetime:
    """The end of a day, as `test_at` has it."""
    return datetime(year, month, day, 23, 59, 59, tzinfo=UTC)


def same(one: dict[str, Student] | Any, other: list[Student]) -> bool:
    """Whether these are the students, in this order; a NaN target is equal to itself."""
    return repr(list(one.values())) == repr(other) and list(one) == [student.user_id for student in other]


# --- files that are fine ----------------------------------------------------------------------------------------------

FINE: dict[str, str | bytes] = {
    "as the template": "user_id,name,class,target_band\r\nu1,Ann,A,7.0\r\nu2,Bob,,\r\n",
    "without a last line end": "user_id,name,class,target_band\r\nu1,Ann,A,7.0\r\nu2,Bob,,",
    "lines as Linux ends them": "user_id,name,class,target_band\nu1,Ann,A,7.0\nu2,Bob,,\n",
    "lines as old Macs ended them": "user_id,name,class,target_band\ru1,Ann,A,7.0\ru2,Bob,,\r",
    "lines ended in every way": "user_id,name,class,target_band\r\nu1,Ann,A,7.0\ru2,Bob,,\n",
    "a byte order mark": b"\xef\xbb\xbfuser_id,name,class,target_band\nu1,Ann,A,7.0\nu2,Bob,,\n",
    "columns in another order": "target_band,class,user_id,name\n7.0,A,u1,Ann\n,,u2,Bob\n",
    "columns in capitals": "USER_ID,Name,CLASS,Target_Band\nu1,Ann,A,7.0\nu2,Bob,,\n",
    "spaces around everything": " user_id , name , class , target_band \n u1 , Ann , A , 7.0 \n u2,\tBob, ,  \n",
    "columns of their own": "no,user_id,name,phone,class,target_band\n1,u1,Ann,555,A,7.0\n2,u2,Bob,,,\n",
    "semicolons, and the comma as decimal sign": "user_id;name;class;target_band\nu1;Ann;A;7,0\nu2;Bob;;\n",
    "tabs": "user_id\tname\tclass\ttarget_band\nu1\tAnn\tA\t7.0\nu2\tBob\t\t\n",
    "quotes": 'user_id,name,class,target_band\n"u1","Ann","A","7,0"\n"u2",Bob,"",""\n',
    "quoted names of columns": '"user_id","name","class","target_band"\nu1,Ann,A,7.0\nu2,Bob,,\n',
    "blank lines": "\n\r\nuser_id,name,class,target_band\n\nu1,Ann,A,7.0\n   \n,,,\nu2,Bob,,\n\n",
    "cells that are missing": "user_id,name,class,target_band\nu1,Ann,A,7.0\nu2,Bob\n",
    "empty cells too many": "user_id,name,class,target_band\nu1,Ann,A,7.0,,\nu2,Bob,,,, ,\n",
    "targets written otherwise": "user_id,name,class,target_band\nu1,Ann,A,7\nu2,Bob,,\n",
}


@pytest.mark.parametrize("content", FINE.values(), ids=FINE)
def test_every_shape_of_the_same_roster_is_the_same_roster(content: str | bytes) -> None:
    class_list = roster.parse(content.encode() if isinstance(content, str) else content)
    assert class_list.problems == ()
    assert same(class_list.students, [ANN, BOB])


def test_only_the_id_must_be_there() -> None:
    assert same(parse("user_id\nu1\nu2\n").students, [Student("u1"), Student("u2")])
    assert same(parse("name,user_id\nAnn,u1\n").students, [Student("u1", "Ann")])


def test_an_id_may_begin_with_a_hash() -> None:
    assert list(parse("user_id,name\n#u1,Ann\n#u2,Bob\n").students) == ["#u1", "#u2"]


def test_only_comments_below_the_header_are_no_class_list() -> None:
    with pytest.raises(RosterError, match="is a comment"):
        parse(f"{HEADER}\n# nobody yet\n")


@pytest.mark.parametrize("text", [HEADER, HEADER + "\n", HEADER + "\r\n\r\n,,\r\n"])
def test_only_a_header_is_no_class_list(text: str) -> None:
    with pytest.raises(RosterError, match="no students"):
        parse(text)


def test_a_file_of_which_no_line_can_be_used_is_no_class_list_and_keeps_the_reasons() -> None:
    with pytest.raises(RosterError, match=r"Line 2: user_id is empty\.$") as caught:
        parse("user_id,name\n,Ann\n,Bob\n")
    assert [problem.line for problem in caught.value.problems] == [2, 3]


@pytest.mark.parametrize(
    "name",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://example.org")', "<b>Ann</b>", "**Ann**", "$x$", "NULL",
        "nan", "Nguyễn Thị Mai", "متن", "👩‍🏫", "O'Neil", "'t Hooft", "’t Hooft", "Ann, the first", 'Ann "Annie" Lee',
        "0042", "a" * 200,
    ],
)  # fmt: skip
def test_a_name_is_kept_letter_for_letter(name: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([["user_id", "name", "class"], ["u1", name, name]])
    assert same(parse(written.getvalue()).students, [Student("u1", name, name)])


@pytest.mark.parametrize(
    ("text", "target"),
    [("0", 0.0), ("0.5", 0.5), ("7", 7.0), ("7.0", 7.0), ("7.5", 7.5), ("7,5", 7.5), ("9", 9.0), ("9.0", 9.0),
     ("", math.nan), ("  ", math.nan), ("-", math.nan), ("N/A", math.nan), ("TBC", math.nan), ("Band 7", 7.0),
     ("band 6,5", 6.5), ("7.0+", 7.0), ("≥ 6.5", 6.5), (">=6.5", 6.5), ("IELTS 6.5 (overall)", 6.5), ("6½", 6.5),
     ("6.5 overall", 6.5), ("６．５", 6.5), ("７", 7.0), ("min. 6", 6.0)],
)  # fmt: skip
def test_a_target_is_a_whole_or_half_band_or_none(text: str, target: float) -> None:
    class_list = parse(f"user_id;target_band\nu1;{text}\n")
    assert class_list.problems == ()
    assert repr(class_list.student("u1").target) == repr(target)


# --- lines that cannot be used ----------------------------------------------------------------------------------------

LINES: dict[str, tuple[str, str]] = {
    # what stands after "user_id;name;class;target_band", and the reason; all are the second line
    "no id": (";Ann;A;7.0", "user_id is empty"),
    "an id of spaces": ("   ;Ann;A;7.0", "user_id is empty"),
    "the longest id is 1,024 bytes": ("ü" * 512 + "x;Ann", "user_id is too long to be an id"),
    "a name too long": (f"u1;{'n' * 201}", "name is longer than 200 characters"),
    "a class too long": (f"u1;Ann;{'c' * 201}", "class is longer than 200 characters"),
    "a cell too many": ("u1;Ann;A;7.0;more", "it has 5 cells, but the first line names 4"),
}


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_line_that_cannot_be_used_says_why_and_the_others_are_used(line: str, reason: str) -> None:
    class_list = parse(f"user_id;name;class;target_band\n{line}\nu2;Bob;;\n")
    assert class_list.problems == (Problem(2, reason),)
    assert same(class_list.students, [BOB])


@pytest.mark.parametrize(
    "target",
    ["7.25", "10", "9.5", "-1", "NaN", "inf", "1e999", "seven", "7,0,0", "=7", "0_7", "-0", "6.5-7", "7/9", "below 6",
     "6.5 7", "Band", "7 8½", "½", "7" * 100],
)  # fmt: skip
def test_a_target_that_is_no_band_is_left_empty_and_the_student_stays(target: str) -> None:
    class_list = parse(f"user_id;name;class;target_band\nu1;Ann;A;{target}\nu2;Bob;;\n")
    assert same(class_list.students, [Student("u1", "Ann", "A"), BOB])
    (problem,) = class_list.problems
    assert (problem.line, problem.skipped) == (2, False)
    assert problem.reason.startswith(f"target_band “{target[:60]}")
    assert "is no band and was left empty: whole or half, from 0 to 9" in problem.reason


@pytest.mark.parametrize("nothing", ["-", "–", "—", "n/a", "N/A", "TBC", "?", " - "])
def test_what_people_write_for_nothing_is_nothing(nothing: str) -> None:
    header = "user_id,name,class,target_band,test_date,teacher"
    class_list = parse(f"{header}\nu1,{','.join([nothing] * 5)}\nu2,Bob,Na,,,\n")
    assert same(class_list.students, [Student("u1"), Student("u2", "Bob", "Na")])
    assert class_list.problems == ()


def test_an_address_keeps_its_letters() -> None:
    """A Kelvin sign looks like a K and is another letter: such an address is somebody else's, or nobody's."""
    text = "user_id,name,teacher\nu1,\u212aim,\u212aim@school.example\nu2,Bob, \u200bbo\u200bb@school.example\u200b\n"
    students = parse(text).students
    assert (students["u1"].name, students["u1"].teacher) == ("Kim", "\u212aim@school.example")
    assert students["u2"].teacher == "bo\u200bb@school.example"


def test_of_very_many_problems_the_first_are_kept_and_the_others_counted() -> None:
    lines = [f"u{n},A,eleven" if n % 3 else ",A," for n in range(6_000)]
    class_list = parse("user_id,class,target_band\n" + "\n".join(lines))
    assert len(class_list.students) == 4_000
    by_kind = [sum(problem.skipped is skipped for problem in class_list.problems) for skipped in (True, False)]
    assert (by_kind, class_list.more_problems) == ([1_000, 1_000], 4_000)
    assert [p.line for p in class_list.problems] == sorted(p.line for p in class_list.problems)
    with pytest.raises(RosterError) as caught:
        parse("user_id,name\n" + ",Ann\n" * 6_000)
    assert (len(caught.value.problems), caught.value.more_problems) == (1_000, 5_000)


def test_an_id_of_1024_bytes_is_one() -> None:
    assert list(parse(f"user_id\n{'ü' * 512}\n").students) == ["ü" * 512]


def test_of_two_lines_with_the_same_id_the_first_one_counts() -> None:
    class_list = parse("user_id,name\nu1,Ann\nu2,Bob\nu1,Eve\n u1 ,Mallory\nU1,another\n")
    assert [(student.user_id, student.name) for student in class_list.students.values()] == [
        ("u1", "Ann"),
        ("u2", "Bob"),
        ("U1", "another"),
    ]
    reason = "user_id “u1” was in an earlier line, which counts"
    assert class_list.problems == (Problem(4, reason), Problem(5, reason))


def test_a_line_that_could_not_be_used_does_not_count_as_earlier() -> None:
    class_list = parse(f"user_id,name,target_band\nu1,{'n' * 201},6\nu1,Ann,7\n")
    assert class_list.student("u1").target == 7.0
    assert [problem.line for problem in class_list.problems] == [2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_lines_are_counted_as_editors_do_also_after_cells_of_several_lines(end: str) -> None:
    lines = [
        "",  # 1
        "user_id,name",  # 2
        "u1,Ann",  # 3
        '"","Lee',  # 4: no id
        'and Ann"',  # 5
        "",  # 6
        'u2,"a',  # 7
        "",  # 8: inside the cell
        'b"',  # 9
        ",,",  # 10: blank
        "u1,again",  # 11
        "u3,x,too many",  # 12
    ]
    class_list = parse(end.join(lines))
    assert [problem.line for problem in class_list.problems] == [4, 11, 12]
    assert class_list.student("u2").name == "a b"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
@pytest.mark.parametrize("after", ["", " ", "\t "], ids=ascii)
def test_lines_that_some_program_took_for_one_cell_each_are_lines_however_they_end(end: str, after: str) -> None:
    lines = ['"user_id,name,class"', '"u1,""Ann, Lee"",A"', "", '"u2,Bob,B"', "u3,Cao,C", '"u1,again,"', ""]
    class_list = parse((after + end).join(lines))
    assert [(s.user_id, s.name, s.class_name) for s in class_list.students.values()] == [
        ("u1", "Ann, Lee", "A"),
        ("u2", "Bob", "B"),
        ("u3", "Cao", "C"),
    ]
    assert [problem.line for problem in class_list.problems] == [6]


def test_what_other_scripts_count_as_a_line_is_none() -> None:
    # Python's splitlines would end a line at each of these, no editor and no spreadsheet does.
    class_list = parse("user_id,name\nu1,a\x0bb\x0cc\x1cd\x85e\u2028f\nu1,again\n")
    assert class_list.student("u1").name == "a b c d e f"
    assert [problem.line for problem in class_list.problems] == [3]


def test_a_reason_stays_a_sentence_however_long_the_cell() -> None:
    class_list = parse(f"user_id,target_band\nu1,{'7' * 100_000}\n{'i' * 900}\n{'i' * 900}\n")
    assert len(class_list.problems) == 2
    assert all(len(problem.reason) < 200 for problem in class_list.problems)


def test_what_is_nobodys_line_is_not_lost() -> None:
    header = "user_id,name,class\n"
    nobody = parse(f"{header}u-1,Ann,A\n# new since May,,\n{header}u-2,Ben,A\nTotal: 2,,\n")
    assert list(nobody.students) == ["u-1", "u-2"]
    assert (nobody.layout.skipped, nobody.layout.lost) == (3, 0)
    assert all(problem.of_nobody for problem in nobody.problems)
    lost = parse(f"{header}u-1,Ann,A\n,Ben,A\nu-3,Cleo,A\nTotal: 3,,\n")
    assert (lost.layout.skipped, lost.layout.lost) == (2, 1)
    # However many comments there are, the line that is lost is kept to be told.
    many = parse(f"{header}u-1,Ann,A\n" + "# note,,\n" * 2_000 + ",Ben,A\n")
    assert many.layout.lost == 1
    assert [problem.reason for problem in many.problems if not problem.of_nobody] == ["user_id is empty"]


# --- files that cannot be used ----------------------------------------------------------------------------------------

NO_HEADER = "The class list's first line must name its columns, one of them user_id (or Student ID)."
UNUSABLE: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", NO_HEADER),
    "only a byte order mark": (b"\xef\xbb\xbf", NO_HEADER),
    "only blank lines": (b"\r\n \r\n,,\r\n", NO_HEADER),
    "only a mark of UTF-16": (b"\xff\xfe", NO_HEADER),
    "no header": (b"u1,Ann,A,7.0\n", f"{NO_HEADER} It has: “u1”, “Ann”, “A”, “7.0”."),
    "another header": (b"Email;Name\na@b;Ann\n", f"{NO_HEADER} It has: “Email”, “Name”."),
    "an id twice": (b"user_id,name,USER_ID\nu1,Ann,u1", "names user_id twice."),
    "a class twice": (b"name,user_id,name2,class,Class\nAnn,u1,,A,A", "names class twice."),
    "several that may be the id": (
        b"ID,SIS User ID,Name\n1,u1,Ann",
        "Which column is the user_id: “ID” or “SIS User ID”?",
    ),
    "several that may be the class": (
        b"user_id,Section,Group\n1,A,B",
        "Which column is the class: “Section” or “Group”?",
    ),
    "a workbook that is cut": (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0\xb5U0#\xf4\0", "The workbook cannot be read."),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Excel workbook (.xls)"),
    "a web page": (b"\r\n<html><table><tr><td>user_id", "The file is a web page or XML."),
    "a web page in UTF-16": ("<html><table>".encode("utf-16"), "The file is a web page or XML."),
    "a text document": (b"{\\rtf1 user_id}", "The file is a text document (RTF)."),
    "a PDF": (b"%PDF-1.7\n\xb5\xb5", "The file is a PDF."),
    "zeros": (bytes(1000), NO_HEADER),
    "no text": (bytes(range(256)) * 4, "The file is not text."),
    "a byte more than 5 MB": (b"user_id\n" + b"\n" * 4_999_993, "The class list is larger than 5 MB."),
    "more columns than any list has": (b"user_id" + b",a" * 1_000, "more than 1,000 columns"),
    "more lines than any school": (b"user_id\n" + b"u\n" * 50_001, "more than 50,000 rows"),
}


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_says_what_to_do(content: bytes, sentence: str) -> None:
    with pytest.raises(RosterError, match=re.escape(sentence)):
        roster.parse(content)


def test_five_megabytes_are_not_too_much() -> None:
    assert list(roster.parse(b"user_id\nu1".ljust(999) + b"\n" + (b" " * 999 + b"\n") * 4_999).students) == ["u1"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('user_id,name\nu1,"Ann\nu2,Bob\nu3,Cao\n', 2),  # without an end, the cell would swallow two students
        ('user_id,name\nu1,Ann\nu2,"Bob', 3),
        ('user_id,name\nu1,Ann\n\nu2,"Bob" Lee\n', 4),  # the quotes would be lost
        ('"user_id,name\nu1,Ann\n', 1),
        (f'user_id,name\nu1,"{"a" * 140_000}"\n', 2),
    ],
    ids=["not closed", "not closed in the last line", "inside a cell", "in the header", "a cell of 140 kB"],
)
def test_quotes_that_make_no_sense_are_refused_with_their_line(text: str, line: int) -> None:
    with pytest.raises(RosterError, match=rf"^The class list is no CSV file from line {line} on: "):
        parse(text)


def test_a_zero_byte_is_a_character_like_any_other() -> None:
    assert same(parse("user_id,name\nu\0,A\0nn\nu,Ann\n").students, [Student("u\0", "A\0nn"), Student("u", "Ann")])


def test_twenty_thousand_lines() -> None:
    class_list = parse(HEADER + "\n" + "".join(f"u{n},Name {n},Class {n % 9},{n % 19 / 2}\n" for n in range(20_000)))
    assert (len(class_list.students), class_list.problems) == (20_000, ())
    assert class_list.student("u19999") == Student("u19999", "Name 19999", "Class 1", 5.5)
    assert len(class_list.classes) == 9


def test_a_file_is_read_and_one_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(TEMPLATE.encode())
    assert len(roster.read(str(path)).students) == 2
    for wrong in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RosterError, match=rf"^The class list {re.escape(str(wrong))} cannot be read: .+\.$"):
            roster.read(str(wrong))


# --- files of other programs ------------------------------------------------------------------------------------------

ZOE = Student("user-456", "Zoë Müller", "Klasse B", 7.0)
ROWS = "user_id,name,class,target_band\r\nuser-456,Zoë Müller,Klasse B,7.0\r\n"


@pytest.mark.parametrize(
    ("content", "encoding", "separator"),
    [
        (ROWS.encode(), "UTF-8", ","),
        (b"sep=;\r\n" + ROWS.replace(",", ";").encode(), "UTF-8", ";"),
        (b'\xef\xbb\xbf"sep=,"\n' + ROWS.encode(), "UTF-8", ","),
        (b"sep=\t\n" + ROWS.replace(",", "\t").encode(), "UTF-8", "\t"),
        (b"SEP=!\n" + ROWS.replace(",", "!").encode(), "UTF-8", "!"),
        (b"sep=;,,\n" + ROWS.replace(",", ";").encode(), "UTF-8", ";"),
        (b"sep=;\n" + ROWS.encode(), "UTF-8", ","),  # which is not true
        (ROWS.replace(",", "|").encode(), "UTF-8", "|"),
        (ROWS.replace(",", "\t").encode("utf-16"), "UTF-16", "\t"),
        (b"\xfe\xff" + ROWS.encode("utf-16-be"), "UTF-16", ","),
        (ROWS.encode("utf-16-le"), "UTF-16", ","),
        (ROWS.encode("utf-32"), "UTF-32", ","),
        (ROWS.encode("cp1252"), "Windows-1252", ","),
        (ROWS.replace(",", ";").encode("mac_roman"), "Mac Roman", ";"),
        (ROWS.encode("cp850"), "MS-DOS (850)", ","),
        (ROWS.encode("utf-32-le"), "UTF-32", ","),
        (ROWS.encode("utf-32-be"), "UTF-32", ","),
        (ROWS.replace(",", "；").encode(), "UTF-8", "；"),
        (ROWS.replace(",", "，").encode(), "UTF-8", "，"),
    ],
)
def test_encoding_and_separator_are_found_and_told(content: bytes, encoding: str, separator: str) -> None:
    class_list = roster.parse(content)
    assert same(class_list.students, [ZOE])
    assert (class_list.layout.encoding, class_list.layout.separator) == (encoding, separator)
    assert any(encoding in remark for remark in class_list.remarks) == (encoding != "UTF-8")


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp1250", ["Łukasz Wójcik", "Małgorzata Dąbrowska", "Jiří Dvořák"]),
        ("iso8859_2", ["Štěpán Novák", "Łukasz Wójcik", "Jiří Dvořák"]),
        ("iso8859_15", ["Œuvre Zoë", "José Núñez"]),
        ("cp1251", ["Иванов Пётр", "Ольга Смирнова"]),
        ("koi8_r", ["Иванов Пётр", "Ольга Смирнова"]),
        ("cp866", ["Иванов Пётр", "Ольга Смирнова"]),
        ("mac_cyrillic", ["Иванов Петр", "Ольга Смирнова"]),
        ("iso8859_9", ["İpek Yıldız", "Şule Çağlar"]),
        ("cp1253", ["Γιώργος Παπαδόπουλος", "Μαρία"]),
        ("cp1254", ["Ayşe Yılmaz", "Çağrı Öztürk", "İbrahim Şahin"]),
        ("cp1256", ["محمد علي", "فاطمة"]),
        ("cp1257", ["Jānis Bērziņš", "Kęstutis Žukauskas"]),
        ("cp1258", ["Nguyê\u0303n Thi\u0323 Mai", "Trâ\u0300n Văn Đư\u0301c"]),
        ("cp874", ["สมชาย ใจดี", "สมหญิง"]),
        ("cp932", ["山田太郎", "すずき はなこ"]),
        ("gb18030", ["王小明", "李华", "张伟"]),
        ("big5", ["王小明", "陳美玲", "林志豪"]),
        ("cp949", ["김민수", "이영희", "박지훈"]),
    ],
)
def test_names_of_many_languages_are_read_from_their_own_encoding(codec: str, names: list[str]) -> None:
    content = ("user_id,name\n" + "".join(f"u{n},{name}\n" for n, name in enumerate(names))).encode(codec)
    composed = [unicodedata.normalize("NFC", name) for name in names]
    assert [student.name for student in roster.parse(content).students.values()] == composed


def test_an_encoding_that_was_guessed_wrong_can_be_given() -> None:
    content = "user_id,name\nu1,Jiří Dvořák\n".encode("cp1250")
    assert roster.parse(content, encoding="cp1250").student("u1").name == "Jiří Dvořák"
    for wrong in ("cp1252x", "utf-16"):
        with pytest.raises(RosterError):
            roster.parse(content + b"x", encoding=wrong)


def test_a_damaged_letter_does_not_spoil_the_others() -> None:
    class_list = roster.parse(
        ("user_id,name\n" + "u1,Zoë\n" + "".join(f"v{n},Müller\n" for n in range(20))).encode() + b"w,\xff\n"
    )
    assert (class_list.student("u1").name, class_list.student("w").name) == ("Zoë", "\ufffd")
    assert class_list.remarks[0].startswith("1 damaged letters")


@pytest.mark.parametrize(
    "text",
    [
        "'user_id','name'\n'u1','Ann, Lee'\n",
        'user_id,name\nu1,"Ann, Lee"\n',
        '"user_id";"name"\n"u1";"Ann, Lee"\n',
        'user_id, name\n"u1", "Ann, Lee"\n',
        "“user_id”,“name”\n“u1”,“Ann, Lee”\n",
        '"user_id,name"\n"u1,""Ann, Lee"""\n',
    ],
)
def test_either_quotation_mark_is_understood(text: str) -> None:
    assert same(parse(text).students, [Student("u1", "Ann, Lee")])


def test_quotation_marks_behind_a_backslash_are_part_of_the_cell() -> None:
    assert parse('user_id,name\nu1,"Ann \\"Annie\\" Lee"\nu2,Bob\n').student("u1").name == 'Ann "Annie" Lee'


def test_our_own_files_are_read_and_their_first_lines_are_no_problem() -> None:
    frame = pd.DataFrame({"user_id": ["u1"], "name": ["=Ann"], "class": ["A"], "target_band": [7.0], "why": ["x"]})
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    content = spreadsheets.csv(frame, "Class", period="a, b", zone=zone, source="x", made=NOW, complete=True)
    class_list = roster.parse(content)
    assert same(class_list.students, [Student("u1", "=Ann", "A", 7.0)])
    assert (class_list.problems, class_list.layout.header_line, class_list.layout.unused) == ((), 6, ("why",))


HEADERS = {
    "User ID,Name,Class,Target Band": "u1,Ann Lee,A,7",
    "user-id,NAME,cLaSs,target": "u1,Ann Lee,A,7",
    "#,Student ID,Full name,Group,Goal": "1,u1,Ann Lee,A,7",
    "Last Name;First Name;Login;Section;Target score": "Lee;Ann;u1;A;7.0",
    "Surname,Given name,ID number,Course": "Lee,Ann,u1,A",
    "Goal,Student,Id": "7,Ann Lee,u1",
    "Mã học viên,Họ và tên,Lớp": "u1,Ann Lee,A",
    "Nachname;Vorname;ID;Klasse": "Lee;Ann;u1;A",
    "Name;Vorname;ID;Gruppe": "Lee;Ann;u1;A",
    "First name,Name,ID": "Ann,Ann Lee,u1",
    "Adno,Legal Surname,Legal Forename,Reg Group": "u1,Lee,Ann,A",
    "UPN;Surname;Forename;Form": "u1;Lee;Ann;A",
    "Student ID;Last Name;First Name;Preferred Name;Homeroom": "u1;Lee;Ann;Annie;A",
    "Unique User ID;Surname, First name": "u1;Ann Lee",
    "Student's ID;Student’s name;Student's class": "u1;Ann Lee;A",
    "User ID (BandUp);Full name [English];Class / Group;Target band (0-9)": "u1;Ann Lee;A;7",
    "| user_id | name |": "| u1 | Ann Lee |",
}


@pytest.mark.parametrize(("header", "line"), HEADERS.items())
def test_the_columns_of_other_programs_are_understood_and_named(header: str, line: str) -> None:
    class_list = parse(f"{header}\n{line}\n")
    student = class_list.student("u1")
    assert class_list.problems == ()
    assert student.name == "Ann Lee"
    assert student.class_name in ("A", "")
    assert math.isnan(student.target) or student.target == 7.0
    used = {heading for several in class_list.layout.columns.values() for heading in several}
    separator = class_list.layout.separator
    assert used | set(class_list.layout.unused) == {h.strip() for h in header.split(separator)} - {""}


def test_columns_that_are_not_used_and_lines_above_the_header_are_said() -> None:
    class_list = parse("Class list of spring,,\n\nuser_id,Phone,\nu1,555,x\n")
    assert class_list.problems == (Problem(1, "it stands above the names of the columns", of_nobody=True),)
    assert class_list.layout.unused == ("Phone", "column 3")
    assert parse("user_id,name,,\nu1,Ann,,\n").layout.unused == ()


def test_a_mapping_settles_what_is_not_clear() -> None:
    text = "ID,SIS User ID,Student,Section,Group\n1,u1,Ann,A,B\n"
    with pytest.raises(RosterError) as caught:
        parse(text)
    assert caught.value.headings == ("ID", "SIS User ID", "Student", "Section", "Group")
    class_list = roster.parse(text.encode(), {"user_id": "SIS User ID", "class": "Group"})
    assert same(class_list.students, [Student("u1", "Ann", "B")])
    assert same(roster.parse(text.encode(), {"user_id": "ID", "class": ""}).students, [Student("1", "Ann")])
    own = roster.parse(b"Kennung,Wer\nu1,Ann\n", {"user_id": "Kennung", "name": "Wer"})
    assert own.student("u1").name == "Ann"
    with pytest.raises(RosterError, match="no column “Nothing”"):
        roster.parse(text.encode(), {"user_id": "ID", "class": "Nothing"})


# --- what spreadsheets do to cells ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["'001234", "’001234", '="001234"', "001234", " \ufeff001234\u200b ", "\u00a0001234"])
def test_an_id_loses_what_keeps_it_a_text(cell: str) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([["user_id", "name"], [cell, "Zoe"]])
    assert same(parse(file.getvalue()).students, [Student("001234", "Zoe")])


@pytest.mark.parametrize("cell", ["1.23457E+11", "1,23457E+11", "1E+11", "1.2e11", "#N/A", "#REF!"])
def test_an_id_that_a_spreadsheet_changed_is_not_used(cell: str) -> None:
    class_list = parse(f"user_id;name\n{cell};Zoe\nu1;Ann\n")
    assert list(class_list.students) == ["u1"]
    assert [(problem.line, problem.skipped) for problem in class_list.problems] == [(2, True)]
    assert "spreadsheet" in class_list.problems[0].reason


@pytest.mark.parametrize("cell", ["1234.0", "2026-03-01", "1-Mar", "Mar-01"])
def test_an_id_that_a_spreadsheet_may_have_changed_is_used_and_noted(cell: str) -> None:
    class_list = parse(f"user_id\n{cell}\n")
    assert list(class_list.students) == [cell]
    assert [problem.skipped for problem in class_list.problems] == [False]


@pytest.mark.parametrize("cell", ["1E5", "12E34", "a1e+5", "4e1d", "user-1.0"])
def test_an_id_that_only_looks_a_little_like_a_number_is_one(cell: str) -> None:
    assert parse(f"user_id\n{cell}\n").problems == ()


def test_the_same_class_in_other_letters_is_one_class() -> None:
    class_list = parse("user_id,class\nu1,Lo\u031b\u0301p 1\nu2,Lớp 1\nu3, Lớp \u00a0 1\nu4,LỚP 1\n")
    assert class_list.members("Lớp 1") == ["u1", "u2", "u3"]
    assert class_list.problems == (Problem(5, "class “LỚP 1” differs only in case from “Lớp 1”", skipped=False),)


def test_a_class_with_invisible_letters_is_the_same_class_and_one_that_became_a_date_is_noted() -> None:
    class_list = parse("user_id,class\n\u200eu1,3\u200bB\nu2,\u200e3B\nu3,3\u00adB\nu4,3B\nu5,3-Apr\n")
    assert class_list.members("3B") == ["u1", "u2", "u3", "u4"]
    assert class_list.problems == (Problem(6, "class “3-Apr” may have been changed by a spreadsheet", skipped=False),)


BELOW: dict[str, str] = {
    # what stands below the header or the last student, and is none
    "a total": "u2,Bob,,\nTotal,2,,",
    "a total beside words": "u2,Bob,,\nTotal,2 students,,",
    "a total in words": "u2,Bob,,\n,,,\nTotal: 2 students,,,\nAverage,,,6.5",
    "a total in Vietnamese": "u2,Bob,,\nTổng cộng,2,,",
    "a note": "u2,Bob,,\nExported on 2026-01-01 by admin,,,",
    "a line with a hash": "u2,Bob,,\n# end of the list",
    "a comment between lines": "# Bob, who came later, from B\nu2,Bob,,",
    "a comment without a blank": "#later,,,\nu2,Bob,,",
    "a heading between lines": "Group of May,,,\nu2,Bob,,",
    "a line without an id": "n/a,Eve,,\nu2,Bob,,",
    "the header again": "user_id,name,class,target_band\nu2,Bob,,",
    "the header in another language": "Mã học viên,Họ tên,Lớp,Mục tiêu\nu2,Bob,,",
    "a drawn line": "---,---,---,---\nu2,Bob,,",
}


@pytest.mark.parametrize("lines", BELOW.values(), ids=BELOW)
def test_what_is_no_student_is_left_out_and_said(lines: str) -> None:
    class_list = parse(f"user_id,name,class,target_band\nu1,Ann,A,7\n{lines}\n")
    assert same(class_list.students, [ANN, BOB])
    assert all(problem.skipped for problem in class_list.problems)
    assert len(class_list.problems) == class_list.layout.skipped


@pytest.mark.parametrize(
    "line",
    ["suma12,Suma Rao,B,6.5", "count7,Jo,B,6.5", "Mean,Mean Sok,B,", "sum,,B,", "total1,,,", "Total,Я,,"],
)
def test_a_student_in_the_last_line_whose_id_begins_as_a_total_does_is_one(line: str) -> None:
    class_list = parse(f"user_id,name,class,target_band\nu1,Ann,A,7\nu2,Bob,,\n{line}\n")
    assert [*class_list.students] == ["u1", "u2", line.partition(",")[0]]
    assert class_list.problems == ()
    assert parse("user_id,teacher\nu1,Li\nu2,\nmean,Li\n").student("mean").teacher == "Li"


@pytest.mark.parametrize(
    "foot", ["Total 3", "total:3", "Sum: 3 students", "Average", "Total number of students: 3", "合计3"]
)
def test_a_total_may_have_numbers_in_any_column(foot: str) -> None:
    assert [*parse(f"user_id,name,class,target_band\nu1,Ann,A,7\nu2,Bob,,\n{foot},2,1,6.5\n").students] == ["u1", "u2"]


def test_an_id_of_several_words_is_one_where_the_line_says_more_or_nothing_else_can() -> None:
    assert list(parse("user_id,name\nu 1,Ann\nu 2,Bob\n").students) == ["u 1", "u 2"]
    assert list(parse("user_id\nu 1\nTotal 1 of us\n").students) == ["u 1", "Total 1 of us"]
    assert list(parse("user_id,name\nTotal,\n").students) == ["Total"]


def test_lines_that_are_separated_otherwise_than_their_header_are_refused() -> None:
    with pytest.raises(RosterError, match="separated otherwise"):
        parse("user_id,name,class\nu1;Ann;A\nu2;Bob;B\n")
    with pytest.raises(RosterError, match="separated otherwise"):
        parse("user_id;name\nu1,Ann\nu2,Bob\n")


def test_an_error_of_a_spreadsheet_is_no_class() -> None:
    class_list = parse("user_id,class\nu1,#N/A\nu2,#1\n")
    assert (class_list.student("u1").class_name, class_list.student("u2").class_name) == ("", "#1")
    assert [(problem.line, problem.skipped) for problem in class_list.problems] == [(2, False)]


@pytest.mark.parametrize(
    "text",
    ["2027-03-14", "2027/3/14", "2027.03.14", "20270314", "14.3.2027", "14/03/2027", "03/14/2027", "14-3-2027",
     "14 March 2027", "14 Mar 2027", "14-Mar-27", "14th March 2027", "March 14, 2027", "Mar. 14th, 2027",
     "Sunday, 14 March 2027", "2027-03-14 00:00:00", "2027-03-14T09:30:00Z", "14/3/2027 9:00 AM", "14.03.27", "3/14/27",
     "14 / 3 / 2027", "14. 3. 2027", "14/3/2027, 9:00", "2027/03/14 (Sun)", "2027 March 14", "14th of March 2027",
     "Sun, 14 Mar 2027 09:00:00 GMT", "14 mars 2027", "14. März 2027", "14 de marzo de 2027", "14 Mart 2027",
     "14 марта 2027", "14 tháng 3 năm 2027", "ngày 14/3/2027", "2027年3月14日", "2027년 3월 14일",
     "14er mars 2027", "14 thg 3, 2027", "2027–03–14", "１４/０３/２０２７"],
)  # fmt: skip
def test_a_test_date_is_the_end_of_its_day(text: str) -> None:
    class_list = parse(f"user_id;test_date\nu1;{text}\n")
    assert class_list.problems == ()
    assert class_list.student("u1").test_at == day(2027, 3, 14)


@pytest.mark.parametrize(
    "text", ["03/04/2027", "3/4/27", "31/02/2027", "soon", "46095", "March 2027", "14 Foo 2027", "0001-01-01"]
)
def test_a_test_date_that_is_none_or_may_be_two_is_left_empty_and_said(text: str) -> None:
    class_list = parse(f"user_id;name;test_date\nu1;Ann;{text}\n")
    assert same(class_list.students, [Student("u1", "Ann")])
    assert [(problem.line, problem.skipped) for problem in class_list.problems] == [(2, False)]
    assert f"“{text}”" in class_list.problems[0].reason


@pytest.mark.parametrize("text", ["-", "N/A", "TBC", "—"])
def test_what_stands_for_no_test_date_is_none(text: str) -> None:
    class_list = parse(f"user_id;test_date\nu1;{text}\n")
    assert (class_list.problems, class_list.student("u1").test_at) == ((), None)


# --- workbooks --------------------------------------------------------------------------------------------------------


def test_a_workbook_is_read_from_the_worksheet_that_has_the_columns() -> None:
    class_list = roster.parse(
        workbook(
            Info=[["Our school"]],
            Spring=[
                ["Class list"],
                [],
                ["Student ID", "First name", "Last name", "Group", "Target", "Exam date", "Phone"],
                [1234, "Thị Mai", "Nguyễn", "A", 6.5, date(2027, 3, 14), 5],
                ["u2", "Bob", None, 3, 7, "14 March 2027", None],
                [123456789012345678, "Rounded"],
                [1.5e17, "Rounded"],
            ],
        )
    )
    assert same(
        class_list.students,
        [
            Student("1234", "Thị Mai Nguyễn", "A", 6.5, day(2027, 3, 14)),
            Student("u2", "Bob", "3", 7.0, day(2027, 3, 14)),
        ],
    )
    assert [problem.line for problem in class_list.problems] == [1, 6, 7]
    assert (class_list.layout.worksheet, class_list.layout.header_line, class_list.layout.unused) == (
        "Spring",
        3,
        ("Phone",),
    )


def test_zeros_that_a_workbook_shows_before_a_number_belong_to_the_id() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet["A1"], sheet["A2"] = "user_id", 1234
    sheet["A2"].number_format = "000000"
    file = io.BytesIO()
    book.save(file)
    assert list(roster.parse(file.getvalue()).students) == ["001234"]


def test_letters_that_a_workbook_shows_before_a_number_belong_to_the_id() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row, (value, number_format) in enumerate([("user_id", "General"), (42, '"user-"0'), (43, '"U"0000')], 1):
        sheet.cell(row, 1, value).number_format = number_format
    file = io.BytesIO()
    book.save(file)
    assert list(roster.parse(file.getvalue()).students) == ["user-42", "U0043"]


def test_merged_cells_say_the_same_in_all_of_their_rows() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["user_id", "name", "class", "target_band"], ["u1", "Ann", "A", 7], ["u2", "Bob"], [], ["u3", "Cao"]):
        sheet.append(row)
    for cells in ("C2:C4", "D2:D3", "A1:A1"):
        sheet.merge_cells(cells)
    file = io.BytesIO()
    book.save(file)
    class_list = roster.parse(file.getvalue())
    assert same(class_list.students, [ANN, Student("u2", "Bob", "A", 7.0), Student("u3", "Cao")])
    assert class_list.problems == ()


def test_a_strict_workbook_is_read() -> None:
    names = {
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/": b"http://purl.oclc.org/ooxml/spreadsheetml/",
        b"http://schemas.openxmlformats.org/officeDocument/2006/": b"http://purl.oclc.org/ooxml/officeDocument/",
    }

    def strict(xml: bytes) -> bytes:
        for usual, other in names.items():
            xml = xml.replace(usual, other)
        return xml

    content = SMALL
    for part in zipfile.ZipFile(io.BytesIO(SMALL)).namelist():
        content = changed(content, part, strict)
    assert same(roster.parse(content).students, [Student("u1", "Ann")])


def test_formulas_that_were_never_worked_out_are_said() -> None:
    class_list = roster.parse(workbook(List=[["user_id", "name"], ["u1", '="A"&"nn"'], ["u2", "Bob"]]))
    assert same(class_list.students, [Student("u1"), Student("u2", "Bob")])
    assert [remark for remark in class_list.remarks if remark.startswith("Formulas without a result are empty (1)")]


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_workbook_is_refused(content: Callable[[], bytes]) -> None:
    with pytest.raises(RosterError):
        roster.parse(content())


@pytest.mark.parametrize("unit", [b"<si><t>a</t></si>", b"<si><t>" + b"a" * 1_000 + b"</t></si>"])
@pytest.mark.parametrize("name", ["xl/sharedStrings.bin", "xl/strings", "docProps/a.png"])
def test_a_part_counts_by_what_it_is_and_not_by_its_name(name: str, unit: bytes) -> None:
    override = b'<Override PartName="/%s" ContentType="%s"/></Types>' % (name.encode(), SHARED)
    file = io.BytesIO(changed(SMALL, "[Content_Types].xml", lambda xml: xml.replace(b"</Types>", override)))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b" <sst>" + unit * 140_000 + b"</sst>")
    with pytest.raises(RosterError, match="too large"):
        roster.parse(file.getvalue())


@pytest.mark.parametrize("unit", ["mergeCell ", "<f "])
def test_a_workbook_is_looked_through_once(unit: str) -> None:
    def read(text: str) -> None:
        end = f"<!-- mergeCells {text}--></worksheet>".encode()
        content = changed(SMALL, SHEET, lambda xml: xml.replace(b"</worksheet>", end))
        # In this process, whose time is measured.
        assert [json.loads(line) for line in workbook_reader.answer(content)][-1] == [2, "u1", "Ann"]

    assert is_linear(read, unit)


@pytest.mark.parametrize("unit", [",", "a;", '"",', "|", "\t"])
def test_a_line_that_is_quoted_and_never_ends_is_read_once(unit: str) -> None:
    def read(text: str) -> None:
        with pytest.raises(RosterError):
            roster.parse(f'"{text}'.encode())

    assert is_linear(read, unit, "\n")


def test_a_row_as_far_down_as_no_worksheet_goes_is_not_waited_for() -> None:
    far = b'<row r="99999999999"><c r="A99999999999"><v>1</v></c></row></sheetData>'
    class_list = roster.parse(changed(SMALL, SHEET, lambda xml: xml.replace(b"</sheetData>", far)))
    assert list(class_list.students) == ["u1"]


def test_another_zip_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(RosterError, match="no Excel workbook"):
        roster.parse(file.getvalue())


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("content", class_lists.HEAVY.values(), ids=class_lists.HEAVY)
def test_five_megabytes_of_anything_are_read(content: bytes) -> None:
    assert len(content) <= 5_000_000
    assert roster.parse(content).students


class _Cells(list[str]):
    """A line that counts how often it is looked at."""

    looks = 0

    def __len__(self) -> int:
        _Cells.looks += 1
        return super().__len__()

    def __getitem__(self, place: Any) -> Any:
        _Cells.looks += 1
        return super().__getitem__(place)


def test_a_short_line_is_looked_at_as_often_however_wide_the_header() -> None:
    counts = []
    for width in (10, 990):
        headings = ["user_id", *[""] * width]
        sheet = Sheet(lambda: iter([(n, _Cells([f"u{n}", "", "x"])) for n in range(2, 9)]), lambda: iter(()))
        _Cells.looks = 0
        class_list = roster._students(sheet, 1, headings, {"user_id": (0,)})
        assert class_list.layout.unused == ("column 3",)
        counts.append(_Cells.looks)
    assert counts[0] == counts[1]


# --- what a roster answers --------------------------------------------------------------------------------------------

CLASS = parse("user_id,name,class\nu1,Ann Lee,b\nu2,ANNA,A\nu3,Bob,b\nu4,,\nu5,Straße,B\n")


def test_classes_are_in_order_whatever_their_case_and_none_is_none() -> None:
    assert [name.casefold() for name in CLASS.classes] == ["a", "b", "b"]
    assert sorted(CLASS.classes) == ["A", "B", "b"]
    assert CLASS.members("b") == ["u1", "u3"]
    assert CLASS.members("none of them") == []


def test_the_roster_of_some_classes() -> None:
    some = CLASS.only(["A", "B", "none of them"])
    assert list(some.students) == ["u2", "u5"]
    assert CLASS.only([]).students == {}


def test_a_student_who_is_not_in_it_has_only_an_id() -> None:
    assert repr(CLASS.student("u9")) == repr(Student("u9"))


# --- ours -------------------------------------------------------------------------------------------------------------


def test_the_template_is_a_roster_without_a_problem() -> None:
    class_list = parse(TEMPLATE)
    assert (class_list.problems, class_list.remarks) == ((), ())
    assert same(
        class_list.students,
        [
            Student("user-123", "Linh Nguyen", "Monday evening", 7.0, day(2027, 3, 14), "Ms Lan"),
            Student("user-124", "Minh Tran"),
        ],
    )
    assert set(class_list.layout.columns) == set(roster.COLUMNS)


def test_the_demos_roster_names_students_of_the_sample_and_one_who_never_came() -> None:
    class_list = parse(sample.roster(NOW))
    assert class_list.problems == ()
    seen = {record["user_id"] for record in sample.sample(NOW).evaluations}
    *came, last = class_list.students
    assert set(came) <= seen
    assert last not in seen
    assert len(class_list.classes) == 3
    assert all(student.name for student in class_list.students.values())
    assert 0 < sum(math.isnan(student.target) for student in class_list.students.values()) < len(came) / 2


# --- what always holds ------------------------------------------------------------------------------------------------

TARGETS = st.one_of(st.just(math.nan), st.integers(0, 18).map(lambda halves: halves / 2))
# What a spreadsheet can hold; spaces around a cell are taken off, a carriage return alone would be a line, and a
# backslash before a quote is taken for one that protects it. A dash alone says nothing.
CELLS = (
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf")), max_size=20)
    .map(lambda text: " ".join(unicodedata.normalize("NFC", text).split()).replace("\\", "").lstrip("'’=# "))
    .filter(lambda text: text.casefold() not in ("-", "–", "—", "?", "n/a", "tbc", "tbd"))
)
IDS = st.text("abcUSER-_ü", min_size=1, max_size=20).filter(lambda text: text.strip("-") != "")
STUDENTS = st.lists(
    st.builds(Student, IDS, CELLS, CELLS, TARGETS),
    max_size=10,
    unique_by=lambda student: student.user_id,
)


def written(students: list[Student], delimiter: str = ",", end: str = "\r\n") -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(roster.COLUMNS[:4])
    for student in students:
        target = "" if math.isnan(student.target) else student.target
        writer.writerow([student.user_id, student.name, student.class_name, target])
    return file.getvalue().encode()


@given(STUDENTS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_was_written_is_read(students: list[Student], delimiter: str, end: str, mark: bool) -> None:
    content = written([*students, Student("last")], delimiter, end)
    class_list = roster.parse(b"\xef\xbb\xbf" + content if mark else content)
    assert [problem for problem in class_list.problems if problem.skipped] == []
    assert same(class_list.students, [*students, Student("last")])


def parses_or_refuses(content: bytes) -> None:
    """Whatever happens is a roster of sound students, or a RosterError of one sentence."""
    try:
        class_list = roster.parse(content)
    except RosterError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert refused.endswith(".")
        return
    lines = [problem.line for problem in class_list.problems]
    assert lines == sorted(lines)
    assert all(1 <= line <= content.count(b"\n") + content.count(b"\r") + 1 for line in lines)
    skipped = {problem.line for problem in class_list.problems if problem.skipped}
    assert class_list.layout.rows == len(class_list.students) + class_list.layout.skipped
    assert class_list.layout.skipped == len([line for line in skipped if line > class_list.layout.header_line])
    for user_id, student in class_list.students.items():
        assert user_id == student.user_id != ""
        assert math.isnan(student.target) or (0 <= student.target <= 9 and (2 * student.target).is_integer())
        assert math.copysign(1, student.target) == 1 or math.isnan(student.target)
        assert len(student.name) <= 200
        assert len(student.class_name) <= 200


@examples(300)
@given(st.binary(max_size=300))
@example(b"user_id\n\xff")
@example(b'user_id\n"')
@example(b"user_id\r\r\n\x00")
def test_no_bytes_raise_anything_but_a_roster_error(content: bytes) -> None:
    parses_or_refuses(content)
    parses_or_refuses(b"user_id,name,class,target_band\n" + content)


@examples(300)
@given(STUDENTS, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=3)), max_size=6))
def test_no_damage_to_a_roster_raises_anything_but_a_roster_error(
    students: list[Student], damage: list[tuple[int, int, bytes]]
) -> None:
    content = written([*students, ANN, BOB] if not {"u1", "u2"} & {s.user_id for s in students} else students)
    for place, removed, put in damage:
        at = place % (len(content) + 1)
        content = content[:at] + put + content[at + removed :]
    parses_or_refuses(content)


# --- headings of other languages and programs -------------------------------------------------------------------------

HEADINGS = {
    "German": ("Schüler-ID;Nachname;Vorname;Klasse;Zielnote", "u1;Müller;Zoë;3B;6,5", "Zoë Müller"),
    "German, the surname as name": ("Schülernummer;Name;Vorname;Klasse;Zielband", "u1;Müller;Zoë;3B;6,5", "Zoë Müller"),
    "French": ("Identifiant;Nom;Prénom;Classe;Objectif", "u1;Dupont;Zoé;3B;6,5", "Zoé Dupont"),
    "French of schools": ("N° étudiant;Nom de famille;Prénom;Groupe;Score visé", "u1;Dupont;Zoé;3B;6,5", "Zoé Dupont"),
    "Spanish": ("ID alumno;Apellidos;Nombre;Grupo;Nota objetivo", "u1;García;José;3B;6,5", "José García"),
    "Spanish, whole names": ("Matrícula;Nombre completo;Curso;Objetivo", "u1;José García;3B;6,5", "José García"),
    "Italian": ("Matricola;Cognome;Nome;Classe;Target", "u1;Rossi;Anna;3B;6,5", "Anna Rossi"),
    "Portuguese": ("Matrícula;Nome;Turma;Target", "u1;Ana Silva;3B;6,5", "Ana Silva"),
    "Turkish": ("Öğrenci No;Ad;Soyad;Sınıf;Target", "u1;İbrahim;Işık;3B;6,5", "İbrahim Işık"),
    "Vietnamese": ("Mã học viên;Họ và tên;Lớp;Mục tiêu", "u1;Đặng Thị Ánh;3B;6,5", "Đặng Thị Ánh"),
    "Vietnamese, in two columns": ("STT;Mã HV;Họ đệm;Tên;Lớp;Mục tiêu", "1;u1;Đặng Thị;Ánh;3B;6,5", "Đặng Thị Ánh"),
    "Vietnamese of universities": (
        "Mã số sinh viên;Họ tên sinh viên;Lớp sinh hoạt;Band mong muốn",
        "u1;Đặng Thị Ánh;3B;6,5",
        "Đặng Thị Ánh",
    ),
    "German of courses": ("Teilnehmernummer;Teilnehmer;Kurs;Ziel", "u1;Zoë Müller;3B;6,5", "Zoë Müller"),
    "Chinese in other words": ("学生编号;学生姓名;所在班级;目标成绩", "u1;王小明;3B;6,5", "王小明"),
    "Chinese of Taiwan": ("學號;學生姓名;班級;目標分數", "u1;王小明;3B;6,5", "王小明"),
    "Russian": ("ID;Фамилия;Имя;Группа;Target", "u1;Иванов;Иван;3B;6,5", "Иван Иванов"),
    "Chinese": ("学号;姓名;班级;目标分数", "u1;王小明;3B;6,5", "王小明"),
    "Japanese": ("学籍番号;氏名;クラス;目標", "u1;山田太郎;3B;6,5", "山田太郎"),
    "Korean": ("학번;이름;반;Target", "u1;김민수;3B;6,5", "김민수"),
    "Arabic": ("رقم الطالب;الاسم;الصف;Target", "u1;أحمد;3B;6,5", "أحمد"),
    "Thai": ("รหัสนักเรียน;ชื่อ;ห้อง;Target", "u1;สมชาย;3B;6,5", "สมชาย"),
    "Indonesian": ("NIS;Nama;Kelas;Target", "u1;Budi;3B;6,5", "Budi"),
    "Moodle": ("First name;Surname;ID number;Groups;Goal", "Mai;Nguyen;u1;3B;6,5", "Mai Nguyen"),
    "PowerSchool": ("Student_Number;LastFirst;Home_Room;Target", "u1;Nguyen, Mai;3B;6,5", "Nguyen, Mai"),
}


@pytest.mark.parametrize(("header", "line", "name"), HEADINGS.values(), ids=HEADINGS)
def test_headings_of_other_languages_and_programs_are_understood(header: str, line: str, name: str) -> None:
    class_list = parse(f"{header}\n{line}\n")
    assert same(class_list.students, [Student("u1", name, "3B", 6.5)])
    assert class_list.problems == ()


def test_names_of_columns_take_little_time_however_many_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a workbook of twenty sheets, headings of hundreds of marks kept the whole server busy for half a minute."""
    assert roster._clean("a" + "\u0301\u0316" * 390).count("\u0316") <= 30
    monkeypatch.setattr(roster, "_MOST_IN_HEADERS", 100)
    lines = ["no,header," + ",".join("x" * 8)] * 4 + ["user_id,name", "u1,Anna"]
    assert roster.parse("\n".join(lines).encode()).student("u1").name == "Anna"
    with pytest.raises(RosterError, match="The first lines of all sheets have more than 100 cells together"):
        roster.parse("\n".join([*lines[:4], *lines]).encode())
