"""An Excel workbook as lines of JSON. A process of its own reads it: a hostile one can keep openpyxl busy for long.

`data/sheets.py` starts it and says how long it may run. A line is either what a worksheet is called and has, or a row
of that worksheet (its number, then its cells), or why no more can be read: {"refused": a sentence}.
"""

import html
import io
import json
import math
import re
import signal
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from functools import reduce
from itertools import islice, pairwise
from operator import itemgetter
from typing import Any

from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.reader.excel import ExcelReader
from openpyxl.workbook.defined_name import DefinedNameList
from openpyxl.worksheet import _read_only
from openpyxl.worksheet._reader import WorkSheetParser

from data.sheets import TOO_LARGE, UNREADABLE, SheetError

_LAST_ROW = 1_048_576  # of a worksheet
_LAST_COLUMN = 16_384
_LONGEST_CELL = 32_767  # letters, as in Excel
_LONGEST_FORMAT = 255  # letters of a number format, as in Excel
_LONGEST_NAME = 255  # letters of a worksheet's name; Excel allows 31
_MOST_CELLS = 2_000_000  # of a worksheet, empty ones between two others included
_MOST_WRITTEN = 30_000_000  # bytes of the answer
_MOST_UNPACKED = 50_000_000  # bytes
_MOST_ELEMENTS = 250_000  # of XML in the parts of a workbook that are parsed: at most two seconds
_MOST_ATTRIBUTES = 500_000  # of the same
_LONGEST_TOKEN = 300_000  # bytes of a tag with the text after it, or of a comment: Python's parser before Expat 2.6
# begins a long one anew with each piece of the file. A cell has 32,767 letters.
_COSTS = {"xl/sharedStrings.xml": 1, "xl/workbook.xml": 100}  # of an element, as against one of a worksheet
_MOST_WORKSHEETS = 20
_HEAD_ROWS = 50  # of each worksheet where all of them are too much: enough to tell which one is the class list
_BEFORE_XML = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_STRICT = b"http://purl.oclc.org/ooxml/"
# None of these looks past the next “<”: a text without “>” would be read again from each beginning.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^<>]*?\bref="([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"')
_NEVER_WORKED_OUT = re.compile(rb"(?:</f>|<f\b[^<>]*/>)(?:<v ?/>|<v></v>)?</c>")
_FORMAT_CODE = re.compile(rb"""\bformatCode *= *(?:"([^"<]*)"|'([^'<]*)')""")
_OF_WORKSHEET = re.compile(rb"<(?:\w+:)?sheet[ />\t\r\n]")
# The formats by which a spreadsheet shows 42 as 000042, U42 or user-0042.
_NUMBER_WITH_ZEROS = re.compile(r'(?:"([^"]*)"|\\(.))?(0+)')
_TOO_WIDE = "The worksheet is too wide. Save the class list as “CSV UTF-8”."
_NEVER_WRITTEN = "The workbook holds declarations that Excel never writes. Save it as .xlsx anew."


def main(number: int, seconds: int, memory: int) -> None:
    """Read a workbook from standard input and answer on standard output, within these limits where there are any."""
    _limit(seconds, memory)
    for line in answer(sys.stdin.buffer.read(), number):
        sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def answer(content: bytes, number: int = -1) -> Iterator[bytes]:
    """The lines about all visible worksheets, with all of their rows where these are not too many; or about one."""
    room = _MOST_WRITTEN
    for line in _lines(content, number):
        encoded = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass") + b"\n"
        room -= len(encoded)
        if room < 0:
            yield json.dumps({"refused": TOO_LARGE}).encode() + b"\n"
            return
        yield encoded


def _limit(seconds: int, memory: int) -> None:
    try:
        import resource  # noqa: PLC0415 - Windows has none; there the time limit of whoever started this holds
    except ImportError:
        return
    # A second more than whoever started this waits: where that is still there, it ends this one itself.
    signal.alarm(seconds + 1)
    for of, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds + 1), (resource.RLIMIT_CORE, 0)):
        with suppress(ValueError, OSError):  # macOS does not take each of them
            hard = resource.getrlimit(of)[1]
            resource.setrlimit(of, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _lines(content: bytes, number: int) -> Iterator[dict[str, Any] | list[Any]]:
    try:
        yield from _worksheets(content, number)
    except SheetError as error:
        yield {"refused": str(error)}
    except MemoryError:
        yield {"refused": TOO_LARGE}
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        yield {"refused": UNREADABLE}


def _worksheets(content: bytes, number: int) -> Iterator[dict[str, Any] | list[Any]]:
    parts, whole = _checked(content)
    if _STRICT in parts["xl/workbook.xml"]:
        content = _transitional(content)
    reader = _Reader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    reader.read()
    paths = [str(sheet._worksheet_path).lstrip("/") for sheet in reader.wb.worksheets]
    if len(paths) > len(set(paths)):
        raise SheetError(_NEVER_WRITTEN)
    sheets = [sheet for sheet in reader.wb.worksheets if sheet.sheet_state == "visible"]
    for place, sheet in enumerate(sheets[:_MOST_WORKSHEETS]):
        if number not in (-1, place):
            continue
        xml = parts.get(str(sheet._worksheet_path).lstrip("/"), b"")
        yield {
            "of": len(sheets),
            "number": place,
            "name": str(sheet.title)[:_LONGEST_NAME],
            "unfinished": len(_NEVER_WORKED_OUT.findall(xml)),
            "whole": whole,
        }
        rows = _rows(sheet, _merged(xml))
        try:
            yield from rows if whole or number == place else islice(rows, _HEAD_ROWS)
        except SheetError as error:  # another worksheet may be the class list
            yield {"refused": str(error)}
        except MemoryError:
            yield {"refused": TOO_LARGE}
        except Exception:  # noqa: BLE001 - a damaged file may raise anything
            yield {"refused": UNREADABLE}


class _Reader(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader without the names of ranges: print areas and titles are nothing to a class list. Titles of
    “#N/A” stop openpyxl, and its expressions take time by the square of their length."""

    def read_workbook(self) -> None:
        super().read_workbook()
        self.parser.defined_names = DefinedNameList()


class _InOrder(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's parser, which leaves out a row, and of a row a cell, that does not come behind the one before."""

    def parse_row(self, row: Any) -> tuple[int, list[dict[str, Any]]]:
        before = self.row_counter
        number, cells = super().parse_row(row)
        columns = [cell["column"] for cell in cells]
        if number <= before or any(following <= column for column, following in pairwise(columns)):
            raise SheetError(_NEVER_WRITTEN)
        return number, cells


_read_only.WorkSheetParser = _InOrder  # by this name openpyxl's worksheets make theirs


def _merged(xml: bytes) -> dict[int, list[tuple[int, int]]]:
    """Which cells are merged with those below: of the row of the first one, its column and the last row."""
    merged: dict[int, list[tuple[int, int]]] = {}
    for column, first, last in _MERGED.findall(xml, max(0, xml.rfind(b"mergeCells ")), len(xml)):
        if int(last) > int(first):
            place = reduce(lambda number, letter: 26 * number + letter - 64, column, 0) - 1
            merged.setdefault(int(first), []).append((place, int(last)))
    return merged


def _transitional(content: bytes) -> bytes:
    """A workbook of the strict kind with the names that the other kind has for the same things."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as strict, zipfile.ZipFile(file, "w") as other:
        for part in strict.infolist():
            xml = strict.read(part)
            for name in (b"officeDocument/", b"spreadsheetml/", b"drawingml/"):
                xml = xml.replace(_STRICT + name, b"http://schemas.openxmlformats.org/" + name + b"2006/")
            other.writestr(part.filename, xml)
    return file.getvalue()


def _checked(content: bytes) -> tuple[dict[str, bytes], bool]:
    """The XML of a workbook, whatever its parts are called, and whether all worksheets together are no more than one
    may be. What unpacks to too much is refused before it does: Python's zipfile unpacks no more than the directory
    declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise SheetError("The file is no Excel workbook. Save the class list as .xlsx or “CSV UTF-8”.")
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise SheetError("The workbook is packed in an unusual way. Save the class list as “CSV UTF-8”.")
        elements = largest = of_worksheets = attributes = 0
        xmls: dict[str, bytes] = {}
        is_small = sum(part.file_size for part in parts) <= _MOST_UNPACKED
        for part in parts if is_small else ():
            xml = archive.read(part)
            # What a part is says the workbook, not its name; but XML begins so, and a picture does not.
            if not xml.lstrip(_BEFORE_XML).startswith(b"<"):
                continue
            xmls[part.filename] = xml
            attributes += xml.count(b"=")
            if (signs := xml.count(b"<")) > 2 * _MOST_ELEMENTS + 1:
                is_small = False
                break
            plain = xml.replace(b"\0", b"")
            if (
                b"<!DOCTYPE" in plain
                or _longest_token(plain) > _LONGEST_TOKEN
                or _is_unusual(part.filename, plain, parts)
            ):
                raise SheetError(_NEVER_WRITTEN)
            count = signs - xml.count(b"</")
            if part.filename.startswith("xl/worksheets/"):
                largest = max(largest, count)  # only one worksheet is read whole
                of_worksheets += count
            else:
                elements += count * _COSTS.get(part.filename, 5)
    if not is_small or elements + largest > _MOST_ELEMENTS or attributes > _MOST_ATTRIBUTES:
        raise SheetError(TOO_LARGE)
    return xmls, elements + of_worksheets <= _MOST_ELEMENTS


def _is_unusual(name: str, xml: bytes, parts: list[zipfile.ZipInfo]) -> bool:
    """Whether a part of the workbook says what openpyxl takes long for: a number format longer than Excel has, or more
    worksheets than there are parts."""
    if name == "xl/styles.xml":
        codes = (code or other for code, other in _FORMAT_CODE.findall(xml))
        return any(len(html.unescape(code.decode("utf-8", "replace"))) > _LONGEST_FORMAT for code in codes)
    return name == "xl/workbook.xml" and len(_OF_WORKSHEET.findall(xml)) > len(parts)


def _longest_token(xml: bytes) -> int:
    """Bytes of the longest tag with the text after it, comment or instruction."""
    longest = max(map(len, xml.split(b"<")))
    for opening, closing in ((b"<!--", b"-->"), (b"<?", b"?>")):
        start = xml.find(opening)
        while start >= 0:
            end = xml.find(closing, start)
            end = len(xml) if end < 0 else end
            longest = max(longest, end - start)
            start = xml.find(opening, end)
    return longest


def _rows(sheet: Any, merged: dict[int, list[tuple[int, int]]]) -> Iterator[list[Any]]:
    """The rows in which something stands."""
    sheet.reset_dimensions()  # what other programs write there is often wrong
    room = _MOST_CELLS
    letters = _MOST_WRITTEN
    above: dict[int, tuple[str, int]] = {}  # what merged cells say in the rows below their first one, by column
    # Rows that the file leaves out are empty ones here, up to a million in a gap: they are passed over quickly.
    for number, row in filter(itemgetter(1), enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1)):
        above = {place: kept for place, kept in above.items() if number <= kept[1]}
        width = max(len(row), max(above, default=-1) + 1)
        room -= width + len(above)
        if room < 0 or width > _LAST_COLUMN:
            raise SheetError(_TOO_WIDE)
        cells = ["" if cell is EMPTY_CELL else _text(cell) for cell in row]
        if max(map(len, cells)) > _LONGEST_CELL:
            raise SheetError(
                f"A cell in row {number} has more than {_LONGEST_CELL:,} letters. Save the class list as “CSV UTF-8”."
            )
        if any(cell.strip() for cell in cells):
            for place, (text, _) in above.items():
                cells += [""] * (place + 1 - len(cells))
                cells[place] = text
            letters -= sum(map(len, cells))
            if letters < 0:
                raise SheetError(TOO_LARGE)
            yield [number, *cells]
        for place, last in merged.get(number, ()):
            above[place] = (cells[place] if place < len(cells) else "", last)


def _text(cell: Any) -> str:
    """A cell as its spreadsheet shows it, as far as that matters for ids, names, bands and dates."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, float) and not math.isfinite(value):
        return "#NUM!"
    if isinstance(value, datetime):
        return (
            value.isoformat(" ") if value.time().replace(microsecond=0) != datetime.min.time() else f"{value:%Y-%m-%d}"
        )
    if isinstance(value, date) or not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = str(value)
    zeros = _NUMBER_WITH_ZEROS.fullmatch((cell.number_format or "")[: _LONGEST_FORMAT + 1])
    return (zeros[1] or zeros[2] or "") + text.zfill(len(zeros[3])) if zeros and text.isdigit() else text
