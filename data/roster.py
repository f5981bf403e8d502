"""The roster: which student goes by which name, in which class, with which target. A CSV file of the teachers' own."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

COLUMNS = ("user_id", "name", "class", "target_band")
TEMPLATE = "user_id,name,class,target_band\r\nuser-123,Linh Nguyen,Monday evening,7.0\r\nuser-124,Minh Tran,,\r\n"

_LARGEST = 5_000_000  # bytes
_LONGEST = 200  # characters of a name or a class
_LONGEST_ID = 1024  # bytes of a DynamoDB sort key
_LONGEST_QUOTE = 60  # characters of a cell in the reason why its line is not used
_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")  # float() would take 0_7 and -0 too
_DELIMITERS = (",", ";", "\t")  # Excel writes semicolons where the comma is the decimal sign


@dataclass(frozen=True, slots=True)
class Student:
    """A line of the roster. `name` and `class_name` are empty and `target` is NaN where it does not say."""

    user_id: str
    name: str = ""
    class_name: str = ""
    target: float = math.nan


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is not used, and why. `line` counts from 1, as editors and spreadsheets do."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Roster:
    """The students by id, and the lines that could not be used."""

    students: Mapping[str, Student] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def student(self, user_id: str) -> Student:
        """What is known of a student; only the id of one who is not in the roster."""
        return self.students.get(user_id, Student(user_id))

    @property
    def classes(self) -> list[str]:
        """The names of the classes, in order."""
        return sorted({s.class_name for s in self.students.values() if s.class_name}, key=str.casefold)

    def members(self, class_name: str) -> list[str]:
        """The ids of a class's students."""
        return [s.user_id for s in self.students.values() if s.class_name == class_name]

    def called(self, wanted: str) -> list[Student]:
        """The students whose name contains `wanted`, upper and lower case alike, in the order of the roster."""
        return [s for s in self.students.values() if wanted.casefold() in s.name.casefold()] if wanted else []

    def only(self, classes: Iterable[str]) -> "Roster":
        """The roster of some classes."""
        kept = set(classes)
        return Roster({i: s for i, s in self.students.items() if s.class_name in kept}, self.problems)


class RosterError(ValueError):
    """The file as a whole cannot be used; the message is a sentence that says what to do."""


def read(path: str) -> Roster:
    """The roster in a file; RosterError when it cannot be read."""
    try:
        return parse(Path(path).read_bytes())
    except OSError as error:
        raise RosterError(f"The roster {path} cannot be read: {error.strerror or error}.") from error


def parse(content: bytes) -> Roster:
    """The roster in a CSV file in UTF-8, with or without a byte order mark.

    The first line names the columns `user_id`, `name`, `class`, `target_band`, in any order; only `user_id` must be
    there. Comma, semicolon and tab are understood. Of two lines with the same user_id the first one counts.
    """
    if len(content) > _LARGEST:
        raise RosterError(f"The roster is larger than {_LARGEST // 1_000_000} MB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RosterError("The roster is not in UTF-8. In Excel, save it as “CSV UTF-8”.") from error
    rows = _rows(text)
    _, header = next(rows, (0, []))
    names = [name.strip().casefold() for name in header]
    if "user_id" not in names:
        raise RosterError(f"The roster's first line must name its columns: {','.join(COLUMNS)}.")
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise RosterError(f"The roster's first line names {' and '.join(twice)} twice.")
    students: dict[str, Student] = {}
    problems: list[Problem] = []
    for line, cells in rows:
        try:
            student = _student(names, cells, students)
        except ValueError as error:
            problems.append(Problem(line, str(error)))
        else:
            students[student.user_id] = student
    return Roster(students, tuple(problems))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and cells of what is not blank."""
    header = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    delimiter = max(_DELIMITERS, key=header.count)
    # Strict, because a quotation mark that is not closed would swallow the students after it in silence.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RosterError(
                f"The roster is no CSV file from line {line} on: {error}. Look at the quotation marks there."
            ) from error
        if any(cell.strip() for cell in cells):
            yield line, cells
        line = reader.line_num + 1


def _student(names: list[str], cells: list[str], earlier: Mapping[str, Student]) -> Student:
    """A line as a student; ValueError says what is wrong with it."""
    if any(cell.strip() for cell in cells[len(names) :]):
        raise ValueError(f"it has {len(cells)} cells, but the first line names {len(names)}")
    said = dict(zip(names, (cell.strip() for cell in cells), strict=False))
    user_id, name, class_name = (said.get(column, "") for column in COLUMNS[:3])
    if not user_id:
        raise ValueError("user_id is empty")
    if user_id in earlier:
        raise ValueError(f"user_id {_quoted(user_id)} was in an earlier line, which counts")
    if len(user_id.encode()) > _LONGEST_ID:
        raise ValueError("user_id is too long to be an id")
    for column, value in (("name", name), ("class", class_name)):
        if len(value) > _LONGEST:
            raise ValueError(f"{column} is longer than {_LONGEST} characters")
    return Student(user_id, name, class_name, _target(said.get("target_band", "")))


def _target(said: str) -> float:
    if not said:
        return math.nan
    target = float(said.replace(",", ".")) if _NUMBER.fullmatch(said) else math.nan
    if not (0 <= target <= 9 and (2 * target).is_integer()):
        raise ValueError(f"target_band {_quoted(said)} is no band: whole or half, from 0 to 9")
    return target


def _quoted(said: str) -> str:
    return f"“{said}”" if len(said) <= _LONGEST_QUOTE else f"“{said[:_LONGEST_QUOTE]}…”"
