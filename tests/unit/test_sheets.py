"""Workbooks are read in a process of their own: within its limits, one at a time, and what they say stays in there."""

import io
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import openpyxl
import pytest

from data import roster, sheets
from data.roster import RosterError
from data.sheets import SheetError
from tests.support.workbooks import SHEET, SMALL, changed, workbook

WAITS = "import sys, time; sys.stdin.buffer.read(); time.sleep(60)"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes that are started; in the end each of them must have ended, and the next workbook be read."""
    processes: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Recorded)
    yield processes
    assert processes
    assert all(process.returncode is not None for process in processes)
    monkeypatch.undo()
    assert list(roster.parse(SMALL).students) == ["u1"]


def reads_by(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """Let this program take the reader's place."""
    monkeypatch.setattr(sheets, "_command", lambda _: [sys.executable, "-c", program])


@pytest.mark.parametrize("program", [WAITS, "import time; time.sleep(60)"], ids=["reads", "never reads"])
def test_a_workbook_that_takes_too_long_is_given_up_and_nobody_waits_for_it(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    reads_by(monkeypatch, program)
    monkeypatch.setattr(sheets, "_SECONDS", 0.5)
    turns, over = [], threading.Event()

    def other_visitor() -> None:
        while not over.wait(0.02):
            turns.append(time.monotonic())

    other = threading.Thread(target=other_visitor)
    other.start()
    with pytest.raises(RosterError, match=r"takes too long to read. Save the worksheet .* as “CSV UTF-8”\.$"):
        roster.parse(SMALL + bytes(1_000_000))
    over.set()
    other.join()
    assert len(turns) > 3


def test_the_reader_itself_is_ended_at_its_time(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_SECONDS", 0.01)  # Python alone takes longer to start
    with pytest.raises(RosterError, match="takes too long"):
        roster.parse(SMALL)


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on the time of a process")
def test_a_reader_whose_server_has_ended_does_not_stay() -> None:
    arguments = sheets._command(-1)
    arguments[arguments.index(sheets._START) + 2] = "1"  # seconds
    # Nobody hands it the workbook, and nobody ends it.
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.wait(60) < 0


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="has no limit on the memory of a process")
def test_a_workbook_that_needs_too_much_memory_is_refused(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_MEMORY", 40_000_000)
    with pytest.raises(RosterError, match="The workbook is too large"):
        roster.parse(workbook(List=[["user_id", "name"], *([f"u{n}", f"{n} {'x' * 300}"] for n in range(20_000))]))


def test_a_long_answer_is_not_taken(started: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    reads_by(monkeypatch, "import sys\nsys.stdin.buffer.read()\nwhile True: sys.stdout.buffer.write(bytes(100_000))")
    monkeypatch.setattr(sheets, "_LONGEST_ANSWER", 1_000_000)
    with pytest.raises(RosterError, match="The workbook is too large"):
        roster.parse(SMALL)


@pytest.mark.parametrize("program", ["", "raise SystemExit(3)", "import sys; sys.stdin.buffer.read(); exit(1)"])
def test_a_reader_that_ends_without_an_answer_is_said(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    reads_by(monkeypatch, program)
    with pytest.raises(RosterError, match=r"^The workbook cannot be read\."):
        roster.parse(SMALL + bytes(1_000_000))


def test_a_reader_that_cannot_be_started_is_said_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(RosterError, match="cannot be read just now") as refused:
        roster.parse(SMALL)
    assert isinstance(refused.value.__cause__, OSError)  # which is how queries/source.py knows


def test_one_workbook_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, run = [], [], sheets._run

    def counted(command: list[str], content: bytes) -> bytes:
        running.append(1)
        most.append(len(running))
        try:
            return run(command, content)
        finally:
            running.pop()

    monkeypatch.setattr(sheets, "_run", counted)
    visitors = [threading.Thread(target=roster.parse, args=(SMALL,)) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert most == [1, 1, 1]


def test_who_waits_too_long_for_others_is_told_and_may_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_PATIENCE", 0.05)
    with sheets.UPLOADS, pytest.raises(RosterError, match="Other workbooks are being read") as refused:
        roster.parse(SMALL)
    assert isinstance(refused.value.__cause__, OSError)
    assert list(roster.parse(SMALL).students) == ["u1"]


def test_the_reader_knows_no_secret_and_no_start_up_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    reads_by(
        monkeypatch, "import json, os; print(json.dumps({'refused': ' '.join([*os.environ, *os.environ.values()])}))"
    )
    with pytest.raises(RosterError) as refused:
        roster.parse(SMALL)
    assert "hidden" not in str(refused.value)
    assert "AWS" not in str(refused.value)
    monkeypatch.undo()
    assert {"-I", "-S"} <= set(sheets._command(-1))


def test_a_server_reads_class_lists_without_openpyxl() -> None:
    script = "import sys; from data import roster; from pathlib import Path; " \
        "print(*roster.parse(sys.stdin.buffer.read()).students, 'openpyxl' in sys.modules)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], input=SMALL, capture_output=True, check=True)
    assert done.stdout.split() == [b"u1", b"False"]


NAMES = (
    "#REF!",
    "#N/A",
    "List!#REF!",
    "Linh Nguyen!A&#10;FORGED",
    "'" * 100_000,
    "a" * 100_000,
    "$1:$1," * 20_000,
    "&#x9b;31m",
)


@pytest.mark.parametrize("kind", ["Print_Area", "Print_Titles"])
@pytest.mark.parametrize("value", NAMES, ids=lambda value: value[:12])
def test_print_areas_are_not_looked_at_and_nothing_of_them_is_logged(
    capfd: pytest.CaptureFixture[str], kind: str, value: str
) -> None:
    name = f'<definedNames><definedName name="_xlnm.{kind}" localSheetId="0">{value}</definedName></definedNames>'
    content = changed(SMALL, "xl/workbook.xml", lambda xml: xml.replace(b"<definedNames />", name.encode()))
    assert content != SMALL
    assert list(roster.parse(content).students) == ["u1"]
    assert capfd.readouterr() == ("", "")


def test_what_openpyxl_warns_of_is_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    book = openpyxl.Workbook()
    for row in (["user_id", "test_date"], ["u1", 99_999_999_999]):
        book.worksheets[0].append(row)
    book.worksheets[0]["B2"].number_format = "yyyy-mm-dd"
    file = io.BytesIO()
    book.save(file)
    class_list = roster.parse(file.getvalue())
    assert [problem.reason[:20] for problem in class_list.problems] == ["test_date “#VALUE!” "]
    assert capfd.readouterr() == ("", "")


def test_rows_are_read_across_a_gap_of_a_million() -> None:
    last = b'<row r="1048576"><c r="A1048576" t="str"><v>u2</v></c></row></sheetData>'
    content = changed(SMALL, SHEET, lambda xml: xml.replace(b"</sheetData>", last))
    assert list(roster.parse(content).students) == ["u1", "u2"]


@pytest.mark.parametrize(
    ("whole", "other"),
    [
        *(
            (b'<row r="3"', other)
            for other in (b'<row r="1"', b'<row r="2"', b"<row r='2'", b'<row x="&gt;" r ="&#50;"')
        ),
        (b'<c r="B3"', b'<c r="A3"'),
    ],
)
def test_a_row_or_a_cell_that_would_not_be_read_is_said(whole: bytes, other: bytes) -> None:
    """openpyxl leaves out what does not come behind what was before."""
    rows = [["user_id", "name"], ["u1", "Ann"], ["u2", "Bob"]]
    content = changed(workbook(List=rows), SHEET, lambda xml: xml.replace(whole, other))
    with pytest.raises(sheets.SheetError, match="declarations that Excel never writes"):
        list(sheets.readings(content)[0].rows())


def test_a_number_without_end_is_no_text() -> None:
    content = workbook(List=[["user_id", "name"], [1, "Ann"]])
    content = changed(content, SHEET, lambda xml: xml.replace(b"<v>1</v>", b"<v>1e999</v>"))
    assert [cells for _, cells in sheets.readings(content)[0].rows()] == [["user_id", "name"], ["#NUM!", "Ann"]]


def test_of_many_long_worksheets_the_one_with_the_columns_is_read_whole() -> None:
    class_list = [["user_id", "name"], *([f"u{n}", "Ann"] for n in range(25_000))]
    content = workbook(Marks=[["id number"]], Other=[["x", "y"]] * 30_000, List=class_list)
    read = roster.parse(content)
    assert (len(read.students), read.layout.worksheet) == (25_000, "List")
    assert not any(head["whole"] for head, _ in sheets._answer(content, sheets.UPLOADS))


def test_the_longest_cell_and_the_longest_number_format_are_read() -> None:
    book = openpyxl.Workbook()
    for row in (["user_id", "note"], [7, "x" * 32_767]):
        book.worksheets[0].append(row)
    book.worksheets[0]["A2"].number_format = '"&"' + "0" * 252
    file = io.BytesIO()
    book.save(file)
    assert list(roster.parse(file.getvalue()).students) == [f"&{7:0252}"]


@pytest.mark.parametrize(
    "line", ['"' + "a" * 500_000, '"' * 500_000, '""' * 250_000 + "a"], ids=["open", "marks", "pairs"]
)
def test_lines_in_quotes_take_memory_as_they_are_long(line: str) -> None:
    content = f'"user_id,name"\n{line}\n"u-1,Ann"\n'.encode()
    tracemalloc.start()
    try:
        with suppress(SheetError):
            sheets.readings(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20 * len(content)
