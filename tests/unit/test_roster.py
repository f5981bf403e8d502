"""The roster: every shape of CSV that teachers have, what is refused with which line, and that no bytes break it."""

import csv
import io
import math
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data import roster
from data.demo import sample
from data.roster import TEMPLATE, Problem, Roster, RosterError, Student
from tests.support.attempts import NOW

ANN = Student("u1", "Ann", "A", 7.0)
BOB = Student("u2", "Bob", "", math.nan)
HEADER = "user_id,name,class,target_band"


def parse(text: str) -> Roster:
    return roster.parse(text.encode())


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
    found = roster.parse(content.encode() if isinstance(content, str) else content)
    assert found.problems == ()
    assert same(found.students, [ANN, BOB])


def test_only_the_id_must_be_there() -> None:
    assert same(parse("user_id\nu1\nu2\n").students, [Student("u1"), Student("u2")])
    assert same(parse("name,user_id\nAnn,u1\n").students, [Student("u1", "Ann")])


def test_only_a_header_is_a_roster_of_nobody() -> None:
    for text in (HEADER, HEADER + "\n", HEADER + "\r\n\r\n"):
        assert parse(text) == Roster({}, ())


@pytest.mark.parametrize(
    "name",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("https://example.org")', "<b>Ann</b>", "**Ann**", "$x$", "NULL",
        "nan", "Nguyễn Thị Mai", "متن", "👩‍🏫", "O'Neil", "Ann\nLee", "Ann, the first", 'Ann "Annie" Lee', "0042",
        "a" * 200,
    ],
)  # fmt: skip
def test_a_name_is_kept_letter_for_letter(name: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([["user_id", "name", "class"], ["u1", name, name]])
    assert same(parse(written.getvalue()).students, [Student("u1", name, name)])


@pytest.mark.parametrize(
    ("said", "target"),
    [("0", 0.0), ("0.5", 0.5), ("7", 7.0), ("7.0", 7.0), ("7.5", 7.5), ("7,5", 7.5), ("9", 9.0), ("9.0", 9.0),
     ("", math.nan), ("  ", math.nan)],
)  # fmt: skip
def test_a_target_is_a_whole_or_half_band_or_none(said: str, target: float) -> None:
    found = parse(f"user_id;target_band\nu1;{said}\n")
    assert found.problems == ()
    assert repr(found.student("u1").target) == repr(target)


# --- lines that cannot be used ----------------------------------------------------------------------------------------

LINES: dict[str, tuple[str, str]] = {
    # what stands after "user_id;name;class;target_band", and the reason; all are the second line
    "no id": (";Ann;A;7.0", "user_id is empty"),
    "an id of spaces": ("   ;Ann;A;7.0", "user_id is empty"),
    "the longest id is 1,024 bytes": ("ü" * 512 + "x;Ann", "user_id is too long to be an id"),
    "a name too long": (f"u1;{'n' * 201}", "name is longer than 200 characters"),
    "a class too long": (f"u1;Ann;{'c' * 201}", "class is longer than 200 characters"),
    "a cell too many": ("u1;Ann;A;7.0;more", "it has 5 cells, but the first line names 4"),
    "a quarter of a band": ("u1;Ann;A;7.25", "target_band “7.25” is no band: whole or half, from 0 to 9"),
    "too high": ("u1;Ann;A;10", "target_band “10” is no band: whole or half, from 0 to 9"),
    "a little too high": ("u1;Ann;A;9.5", "target_band “9.5” is no band: whole or half, from 0 to 9"),
    "negative": ("u1;Ann;A;-1", "target_band “-1” is no band: whole or half, from 0 to 9"),
    "not a number": ("u1;Ann;A;NaN", "target_band “NaN” is no band: whole or half, from 0 to 9"),
    "infinite": ("u1;Ann;A;inf", "target_band “inf” is no band: whole or half, from 0 to 9"),
    "a number that is infinite": ("u1;Ann;A;1e999", "target_band “1e999” is no band: whole or half, from 0 to 9"),
    "a word": ("u1;Ann;A;seven", "target_band “seven” is no band: whole or half, from 0 to 9"),
    "two commas": ("u1;Ann;A;7,0,0", "target_band “7,0,0” is no band: whole or half, from 0 to 9"),
    "a formula": ("u1;Ann;A;=7", "target_band “=7” is no band: whole or half, from 0 to 9"),
    "a number as only programs write it": ("u1;Ann;A;0_7", "target_band “0_7” is no band: whole or half, from 0 to 9"),
    "less than nothing": ("u1;Ann;A;-0", "target_band “-0” is no band: whole or half, from 0 to 9"),
}


@pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES)
def test_a_line_that_cannot_be_used_says_why_and_the_others_are_used(line: str, reason: str) -> None:
    found = parse(f"user_id;name;class;target_band\n{line}\nu2;Bob;;\n")
    assert found.problems == (Problem(2, reason),)
    assert same(found.students, [BOB])


def test_an_id_of_1024_bytes_is_one() -> None:
    assert list(parse(f"user_id\n{'ü' * 512}\n").students) == ["ü" * 512]


def test_of_two_lines_with_the_same_id_the_first_one_counts() -> None:
    found = parse("user_id,name\nu1,Ann\nu2,Bob\nu1,Eve\n u1 ,Mallory\nU1,another\n")
    assert [(student.user_id, student.name) for student in found.students.values()] == [
        ("u1", "Ann"),
        ("u2", "Bob"),
        ("U1", "another"),
    ]
    reason = "user_id “u1” was in an earlier line, which counts"
    assert found.problems == (Problem(4, reason), Problem(5, reason))


def test_a_line_that_could_not_be_used_does_not_count_as_earlier() -> None:
    found = parse("user_id,target_band\nu1,99\nu1,7\n")
    assert found.student("u1").target == 7.0
    assert [problem.line for problem in found.problems] == [2]


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
    found = parse(end.join(lines))
    assert [problem.line for problem in found.problems] == [4, 11, 12]
    assert found.student("u2").name == f"a{end}{end}b"


def test_what_other_scripts_count_as_a_line_is_none() -> None:
    # Python's splitlines would end a line at each of these, no editor and no spreadsheet does.
    found = parse("user_id,name\nu1,a\x0bb\x0cc\x1cd\x85e\u2028f\nu1,again\n")
    assert found.student("u1").name == "a\x0bb\x0cc\x1cd\x85e\u2028f"
    assert [problem.line for problem in found.problems] == [3]


def test_a_reason_stays_a_sentence_however_long_the_cell() -> None:
    found = parse(f"user_id,target_band\nu1,{'7' * 100_000}\n{'i' * 900}\n{'i' * 900}\n")
    assert len(found.problems) == 2
    assert all(len(problem.reason) < 200 for problem in found.problems)


# --- files that cannot be used ----------------------------------------------------------------------------------------

NO_HEADER = "The roster's first line must name its columns: user_id,name,class,target_band."
NOT_UTF8 = "The roster is not in UTF-8. In Excel, save it as “CSV UTF-8”."
UNUSABLE: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", NO_HEADER),
    "only a byte order mark": (b"\xef\xbb\xbf", NO_HEADER),
    "only blank lines": (b"\r\n \r\n,,\r\n", NO_HEADER),
    "no header": (b"u1,Ann,A,7.0\n", NO_HEADER),
    "another header": (b"id,name\nu1,Ann\n", NO_HEADER),
    "a header in which bars stand between": (b"user_id|name\nu1|Ann\n", NO_HEADER),
    "an id twice": (b"user_id,name,USER_ID\n", "The roster's first line names user_id twice."),
    "two columns twice": (b"name,user_id,name,class,class\n", "The roster's first line names name and class twice."),
    "Latin-1": ("user_id,name\nu1,Zoë\n".encode("latin-1"), NOT_UTF8),
    "UTF-16, Excel's “Unicode text”": ("user_id\tname\nu1\tZoë\n".encode("utf-16"), NOT_UTF8),
    "UTF-16 without its mark": ("user_id\tname\n".encode("utf-16-le"), NO_HEADER),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xb5U0#\xf4\x00", NOT_UTF8),
    "zeros": (bytes(1000), NO_HEADER),
    "a byte more than 5 MB": (b"user_id\n" + b"\n" * 4_999_993, "The roster is larger than 5 MB."),
}


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_says_what_to_do(content: bytes, sentence: str) -> None:
    with pytest.raises(RosterError, match=f"^{re.escape(sentence)}$"):
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
    with pytest.raises(RosterError, match=rf"^The roster is no CSV file from line {line} on: "):
        parse(text)


def test_a_zero_byte_is_a_character_like_any_other() -> None:
    assert same(parse("user_id,name\nu\0,A\0nn\nu,Ann\n").students, [Student("u\0", "A\0nn"), Student("u", "Ann")])


def test_twenty_thousand_lines() -> None:
    found = parse(HEADER + "\n" + "".join(f"u{n},Name {n},Class {n % 9},{n % 19 / 2}\n" for n in range(20_000)))
    assert (len(found.students), found.problems) == (20_000, ())
    assert found.student("u19999") == Student("u19999", "Name 19999", "Class 1", 5.5)
    assert len(found.classes) == 9


def test_a_file_is_read_and_one_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(TEMPLATE.encode())
    assert len(roster.read(str(path)).students) == 2
    for wrong in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RosterError, match=rf"^The roster {re.escape(str(wrong))} cannot be read: .+\.$"):
            roster.read(str(wrong))


# --- what a roster answers --------------------------------------------------------------------------------------------

CLASS = parse("user_id,name,class\nu1,Ann Lee,b\nu2,ANNA,A\nu3,Bob,b\nu4,,\nu5,Straße,B\n")


def test_classes_are_in_order_whatever_their_case_and_none_is_none() -> None:
    assert [name.casefold() for name in CLASS.classes] == ["a", "b", "b"]
    assert sorted(CLASS.classes) == ["A", "B", "b"]
    assert CLASS.members("b") == ["u1", "u3"]
    assert CLASS.members("none of them") == []


def test_who_is_called_so() -> None:
    called = {
        wanted: [student.user_id for student in CLASS.called(wanted)] for wanted in ("ann", "LEE", "strasse", "x")
    }
    assert called == {"ann": ["u1", "u2"], "LEE": ["u1"], "strasse": ["u5"], "x": []}
    assert CLASS.called("") == []


def test_the_roster_of_some_classes() -> None:
    some = CLASS.only(["A", "B", "none of them"])
    assert list(some.students) == ["u2", "u5"]
    assert CLASS.only([]).students == {}


def test_a_student_who_is_not_in_it_has_only_an_id() -> None:
    assert repr(CLASS.student("u9")) == repr(Student("u9"))


# --- ours -------------------------------------------------------------------------------------------------------------


def test_the_template_is_a_roster_without_a_problem() -> None:
    found = parse(TEMPLATE)
    assert found.problems == ()
    assert same(
        found.students,
        [Student("user-123", "Linh Nguyen", "Monday evening", 7.0), Student("user-124", "Minh Tran")],
    )


def test_the_demos_roster_names_students_of_the_sample_and_one_who_never_came() -> None:
    found = parse(sample.roster())
    assert found.problems == ()
    seen = {record["user_id"] for record in sample.sample(NOW).evaluations}
    *came, last = found.students
    assert set(came) <= seen
    assert last not in seen
    assert len(found.classes) == 3
    assert all(student.name for student in found.students.values())
    assert 0 < sum(math.isnan(student.target) for student in found.students.values()) < len(came) / 2


# --- what always holds ------------------------------------------------------------------------------------------------

TARGETS = st.one_of(st.just(math.nan), st.integers(0, 18).map(lambda halves: halves / 2))
# What a spreadsheet can hold; spaces around a cell are taken off, and a carriage return alone would be a line.
CELLS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20).map(str.strip)
STUDENTS = st.lists(
    st.builds(Student, CELLS.filter(bool), CELLS, CELLS, TARGETS),
    max_size=10,
    unique_by=lambda student: student.user_id,
)


def written(students: list[Student], delimiter: str = ",", end: str = "\r\n") -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(roster.COLUMNS)
    for student in students:
        target = "" if math.isnan(student.target) else student.target
        writer.writerow([student.user_id, student.name, student.class_name, target])
    return file.getvalue().encode()


@settings(deadline=None)
@given(STUDENTS, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_was_written_is_read(students: list[Student], delimiter: str, end: str, mark: bool) -> None:
    content = written(students, delimiter, end)
    found = roster.parse(b"\xef\xbb\xbf" + content if mark else content)
    assert found.problems == ()
    assert same(found.students, students)


def parses_or_refuses(content: bytes) -> None:
    """Whatever happens is a roster of sound students, or a RosterError of one sentence."""
    try:
        found = roster.parse(content)
    except RosterError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert refused.startswith("The roster")
        assert refused.endswith(".")
        return
    lines = content.decode("utf-8-sig")
    assert all(1 <= problem.line <= len(re.findall(r"\r\n|\r|\n", lines)) + 1 for problem in found.problems)
    assert [problem.line for problem in found.problems] == sorted({problem.line for problem in found.problems})
    for user_id, student in found.students.items():
        assert user_id == student.user_id != ""
        assert math.isnan(student.target) or (0 <= student.target <= 9 and (2 * student.target).is_integer())
        assert math.copysign(1, student.target) == 1 or math.isnan(student.target)
        assert len(student.name) <= 200
        assert len(student.class_name) <= 200


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=300))
@example(b"user_id\n\xff")
@example(b'user_id\n"')
@example(b"user_id\r\r\n\x00")
def test_no_bytes_raise_anything_but_a_roster_error(content: bytes) -> None:
    parses_or_refuses(content)
    parses_or_refuses(b"user_id,name,class,target_band\n" + content)


@settings(deadline=None, max_examples=300)
@given(STUDENTS, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 4), st.binary(max_size=3)), max_size=6))
def test_no_damage_to_a_roster_raises_anything_but_a_roster_error(
    students: list[Student], damage: list[tuple[int, int, bytes]]
) -> None:
    content = written([*students, ANN, BOB] if not {"u1", "u2"} & {s.user_id for s in students} else students)
    for place, removed, put in damage:
        at = place % (len(content) + 1)
        content = content[:at] + put + content[at + removed :]
    parses_or_refuses(content)
