"""Files of spreadsheets as rows of text: CSV in the usual encodings, separators and quotes, and .xlsx."""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial, reduce
from typing import Any

SEPARATORS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    ":": "colon",
    "^": "caret",
    "~": "tilde",
    "，": "full-width comma",
    "；": "full-width semicolon",
    "،": "Arabic comma",
}

_MOST_ROWS = 150_000
_LAST_ROW = 1_048_576  # of a worksheet
_MOST_CELLS = 2_000_000  # of a worksheet, empty ones between two others included
_MOST_UNPACKED = 50_000_000  # bytes
_MOST_ELEMENTS = 250_000  # of XML in the parts of a workbook that are parsed: at most two seconds
_MOST_ATTRIBUTES = 500_000  # of the same
_LONGEST_TOKEN = 300_000  # bytes of a tag with the text after it, or of a comment: Python's parser before Expat 2.6
# begins a long one anew with each piece of the file. A cell has 32,767 letters.
_COSTS = {"xl/sharedStrings.xml": 1, "xl/workbook.xml": 100}  # of an element, as against one of a worksheet
_MOST_WORKSHEETS = 20
_BEFORE_XML = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_STRICT = b"http://purl.oclc.org/ooxml/"
# None of these looks past the next “<”: a text without “>” would be read again from each beginning.
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^<>]*?\bref="([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"')
_NEVER_WORKED_OUT = re.compile(rb"(?:</f>|<f\b[^<>]*/>)(?:<v ?/>|<v></v>)?</c>")
_HEAD = 200_000  # characters in which the header is looked for
# The formats by which a spreadsheet shows 42 as 000042, U42 or user-0042.
_NUMBER_WITH_ZEROS = re.compile(r'(?:"([^"]*)"|\\(.))?(0+)')
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEPARATOR_LINE = re.compile(r"\A[\s\ufeff]*\"?sep=(.)\"?[ \t,;|]*(?:\r\n|\r|\n|\Z)", re.IGNORECASE)
# Where quotes are doubled, none stands behind a backslash and before a letter.
_ESCAPED_QUOTE = re.compile(r"""[^"'\\]\\["'][^"',;\t|\r\n]""")
_SINGLE_QUOTES = re.compile(r"\A\s*'[^'\r\n]*'\s*[,;\t|\r\n]")
_BLANK_BEFORE_QUOTE = re.compile(r'[,;|] +"[^"\r\n]*"[ \t]*(?:[,;|\r\n]|\Z)')
_CURLY_CELL = re.compile(r"(?:(?<=[,;|\t\r\n])|\A)([ ]*)“([^“”\"\r\n]*)”(?=[ ]*(?:[,;|\t\r\n]|\Z))")
_WHOLE_LINE_QUOTED = re.compile(r'\A\s*"([^"\r\n]*+(?:""[^"\r\n]*+)*)"[ \t]*(?:[\r\n]|\Z)')
_SEPARATOR = re.compile(r"[,;\t|]")

_FOREIGN = {
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls), or one with a password",
    b"%PDF": "a PDF",
    b"<": "a web page or XML",
    b"{\\rtf": "a text document (RTF)",
    b"{": "JSON",
    b"\x1f\x8b": "a compressed file",
    b"PK\x05\x06": "an empty archive",
    b"7z\xbc\xaf": "a compressed file",
    b"Rar!": "a compressed file",
    b"SQLite": "a database",
    b"ID;P": "an old spreadsheet (SYLK)",
    b"[{": "JSON",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
}

_WESTERN = "àáâãäåæçèéêëìíîïñòóôõöøùúûüÿßœšž’–"
_CYRILLIC = "аеоинрстлвкмдубгзжпйфхцчшщъыьэюяёіїєґўјљњћџђ"
_EIGHT_BIT = {
    # codec: its name, and the letters of its languages; in other scripts the common ones come first.
    "cp1252": ("Windows-1252", _WESTERN),
    "iso8859_15": ("ISO 8859-15 (Western)", _WESTERN),
    "cp1250": ("Windows-1250 (Central European)", "ąćęłńóśźżáčďéěíňřšťúůýžäëöüôőűăâîß"),
    "iso8859_2": ("ISO 8859-2 (Central European)", "ąćęłńóśźżáčďéěíňřšťúůýžäëöüôőűăâîß"),
    "cp1254": ("Windows-1254 (Turkish)", "çğıiöşüâîûé"),  # i: İ in lower case
    "cp1257": ("Windows-1257 (Baltic)", "āčēģīķļņšūžąęėįųõäöü"),
    "cp1258": ("Windows-1258 (Vietnamese)", "ăâđêôơưàáèéùúíóüöä\u0300\u0301\u0303\u0309\u0323"),
    "cp1251": ("Windows-1251 (Cyrillic)", _CYRILLIC),
    "koi8_r": ("KOI8-R (Cyrillic)", _CYRILLIC),
    "cp866": ("MS-DOS (866, Cyrillic)", _CYRILLIC),
    "mac_cyrillic": ("Mac Cyrillic", _CYRILLIC),
    "cp1253": ("Windows-1253 (Greek)", "αοςιστνρηεκλμπγδβζθξυφχψωάέήίόύώϊϋΐΰ"),
    "cp1255": ("Windows-1255 (Hebrew)", "יולהרמנאבשגדזחטךכםןסעףפץצקת"),
    "cp1256": ("Windows-1256 (Arabic)", "المينردحعبفءآأؤإئةتثجخذزسشصضطظغقكهوىـپچژگ"),
    "cp874": ("Windows-874 (Thai)", "".join(map(chr, range(0x0E01, 0x0E4F)))),
    "mac_roman": ("Mac Roman", _WESTERN),
    "cp850": ("MS-DOS (850)", _WESTERN),
}
_COMMON = 10
_TWO_BYTES = {
    # codec: its name, the codec that tells how common a character is, and the first bytes of the common ones
    "cp932": ("Shift-JIS (Japanese)", "shift_jis", range(0x82, 0xA0)),
    "cp949": ("EUC-KR (Korean)", "euc_kr", range(0xB0, 0xC9)),
    "gb18030": ("GB 18030 (Chinese)", "gb2312", range(0xB0, 0xD8)),
    "big5": ("Big5 (Chinese)", "big5", range(0xA4, 0xC7)),
}
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16",
          b"\xfe\xff": "utf-16"}  # fmt: skip
# Not ^ and $, which know lines that end with \n alone.
_LINE_QUOTES = re.compile(r'(?:\A|(?<=[\r\n]))[ \t]*"((?:[^"\r\n]|"")*)"[ \t]*(?=[\r\n]|\Z)')
_SAMPLE = 8_000  # bytes that are looked at to tell an encoding


class SheetError(ValueError):
    """The file cannot be read as rows; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One way to read a file. `rows` gives line numbers from 1 and cells, without blank rows; `head` the first ones."""

    rows: Callable[[], Iterator[tuple[int, list[str]]]]
    head: Callable[[], Iterator[tuple[int, list[str]]]]
    encoding: str = ""  # of a CSV file, as people call it
    separator: str = ""  # of a CSV file
    name: str = ""  # of a worksheet
    remarks: tuple[str, ...] = ()


def readings(content: bytes, encoding: str = "") -> list[Sheet]:
    """The ways to read a file, the likeliest first: a CSV file by each separator, a workbook by each worksheet.

    `encoding` is the codec of a CSV file, for where the guess is wrong. Raises SheetError.
    """
    if content.startswith(b"PK\x03\x04"):
        return _worksheets(content)
    for start, kind in _FOREIGN.items():
        if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(start):
            raise SheetError(f"The file is {kind}. Save the class list as .xlsx or “CSV UTF-8”.")
    text, name, remarks = _decoded(content, encoding)
    if text.lstrip("\ufeff \t\r\n").startswith("<"):
        raise SheetError(f"The file is {_FOREIGN[b'<']}. Save the class list as .xlsx or “CSV UTF-8”.")
    line, first = 1, ""
    if declared := _SEPARATOR_LINE.match(text):
        line, first = 1 + len(_LINE_END.findall(declared[0])), declared[1]
        text = text[declared.end() :]
    separators = [sign for sign in SEPARATORS if sign.isascii() or sign in text]
    separators = [*dict.fromkeys([first, *separators] if first not in ("", '"', "'", " ") else separators)]
    if "“" in text[:_HEAD]:
        text = _CURLY_CELL.sub(r'\1"\2"', text)
    if (whole := _WHOLE_LINE_QUOTED.match(text)) and _SEPARATOR.search(whole[1]):
        text = _LINE_QUOTES.sub(_unquoted, text)
    quotes = {
        "skipinitialspace": _BLANK_BEFORE_QUOTE.search(text[:_HEAD]) is not None,
        "quotechar": "'" if _SINGLE_QUOTES.match(text) else '"',
        "escapechar": "\\" if "\\" in text and _ESCAPED_QUOTE.search(text) else None,
    }
    sheets = []
    for separator in separators:
        dialect = {"delimiter": separator, **quotes}
        rows, head = (partial(_lines, part, line, dialect) for part in (text, text[:_HEAD]))
        sheets.append(Sheet(rows, head, name, separator, remarks=remarks))
    return sheets


# --- CSV --------------------------------------------------------------------------------------------------------------


def _unquoted(line: re.Match[str]) -> str:
    """A line that some program took for one cell."""
    return line[1].replace('""', '"')


def _lines(text: str, line: int, dialect: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    # Strict, because a quotation mark that is not closed would swallow the rows after it in silence.
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **dialect)
    before, number = line, 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SheetError(
                f"The class list is no CSV file from line {line} on: {error}. Check the quotation marks there."
            ) from error
        if cells and "".join(cells).strip():
            number += 1
            if number > _MOST_ROWS:
                raise SheetError(f"The class list has more than {_MOST_ROWS:,} rows. Split it.")
            yield line, cells
        line = reader.line_num + before


def _decoded(content: bytes, encoding: str) -> tuple[str, str, tuple[str, ...]]:
    """The text, its encoding as people call it, and what is to be said about that."""
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    codec = encoding or _MARKS.get(mark, "") or _without_mark(content)
    try:
        text = content.decode(codec)
    except LookupError as error:
        raise SheetError(f"There is no encoding “{codec[:60]}”. Save the class list as “CSV UTF-8”.") from error
    except UnicodeDecodeError as error:
        if codec not in ("utf-8", "utf-8-sig"):
            raise SheetError("The file breaks off or is damaged. Save the class list as “CSV UTF-8” again.") from error
        text = content.decode(codec, "replace")
        lost = text.count("\ufffd")
        damage = (f"{lost:,} damaged letters are shown as “\ufffd”. Save the class list as “CSV UTF-8” again.",)
        return text, "UTF-8", damage
    if codec in ("utf-8", "utf-8-sig"):
        return text, "UTF-8", ()
    if codec.startswith(("utf-16", "utf-32")):
        name = codec[:6].upper()
        return text.removeprefix("\ufeff"), name, (f"The file was read as {name}.",)
    name = _EIGHT_BIT[codec][0] if codec in _EIGHT_BIT else _TWO_BYTES[codec][0] if codec in _TWO_BYTES else codec
    return text, name, (f"The file was read as {name}. Check that the letters of the names are right.",)


def _without_mark(content: bytes) -> str:
    """The codec of a file that does not name it."""
    head = content[:2_000]
    for codec, places in (("utf-32-le", (2, 3)), ("utf-32-be", (0, 1))):
        if len(content) % 4 == 0 and head and not any(any(head[place::4]) for place in places):
            return codec
    zeros = head[::2].count(0), head[1::2].count(0)
    if max(zeros) > len(head) / 5 and min(zeros) < max(zeros) / 5 and len(content) % 2 == 0:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    if _can_decode(content, "utf-8"):
        return "utf-8"
    lines = [line for line in re.split(rb"[\r\n]+", content) if not line.isascii()]
    sample = b"\n".join(lines[:_SAMPLE])
    if len(sample) > _SAMPLE:
        sample = sample[:_SAMPLE].rpartition(b"\n")[0] or lines[0][:_SAMPLE]
    text = sample.decode("utf-8", "replace")
    if text.count("\ufffd") * 10 < len(text) - len(text.encode("ascii", "ignore")):
        return "utf-8"  # with a damaged letter here and there
    if b"\0" in content:
        raise SheetError("The file is not text. Save the class list as .xlsx or “CSV UTF-8”.")
    likelihoods: dict[str, int] = {}
    for codec in (*_EIGHT_BIT, *_TWO_BYTES):
        try:
            likelihoods[codec] = _likelihood(sample.decode(codec), codec)
        except UnicodeDecodeError:
            continue
    for codec in sorted(likelihoods, key=likelihoods.__getitem__, reverse=True):
        if likelihoods[codec] >= 0 and _can_decode(content, codec):
            return codec
    raise SheetError("The letters of the file could not be read. Save the class list as .xlsx or “CSV UTF-8”.")


def _can_decode(content: bytes, codec: str) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _likelihood(text: str, codec: str) -> int:
    """How much a text looks like names: letters of the codec's languages, in places where they are usual."""
    letters = _EIGHT_BIT[codec][1] if codec in _EIGHT_BIT else ""
    is_latin = any("à" <= letter <= "ž" for letter in letters)
    score = 0
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if char.isascii():
            continue
        if letters:
            place = letters.find(char.lower()[:1])
            score += -1 if place < 0 else 2 if place < _COMMON and not is_latin else 1
        else:
            score += 3 if _is_common(char, codec) else -2
        if (char.islower() or unicodedata.combining(char)) and not before.isalpha():
            score -= 1 + 2 * (unicodedata.combining(char) != 0)
        if char.isupper() and before.isalpha() and (before.islower() or after.islower()):
            score -= 2
        if not is_latin:
            # One name is not written in two scripts.
            score -= 2 * ((before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha()))
        elif not unicodedata.combining(char) and not before.isascii() and before.isalpha():
            score -= 1
    return score


def _is_common(char: str, codec: str) -> bool:
    _, narrow, first_bytes = _TWO_BYTES[codec]
    try:
        encoded = char.encode(narrow)
    except UnicodeEncodeError:
        return False
    return len(encoded) == 2 and encoded[0] in first_bytes


# --- workbooks --------------------------------------------------------------------------------------------------------


def _worksheets(content: bytes) -> list[Sheet]:
    import openpyxl  # noqa: PLC0415 - slow to import, and most class lists are CSV

    unreadable = "The workbook cannot be read. Save the class list as .xlsx or “CSV UTF-8” again."
    try:
        parts = _checked(content)
        if _STRICT in parts["xl/workbook.xml"]:
            content = _transitional(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except SheetError:
        raise
    except Exception as error:  # a damaged file may raise anything
        raise SheetError(unreadable) from error
    readings = []
    for sheet in sheets[:_MOST_WORKSHEETS]:
        xml = parts.get(str(sheet._worksheet_path).lstrip("/"), b"")
        rows = partial(_cells, sheet, _merged(xml), unreadable)
        remarks = []
        if len(sheets) > 1:
            remarks.append(f"Of the workbook, only the worksheet “{sheet.title}” was read.")
        if missing := len(_NEVER_WORKED_OUT.findall(xml)):
            remarks.append(
                f"Formulas without a result are empty ({missing:,}). Open the workbook in Excel and save it."
            )
        readings.append(Sheet(rows, rows, name=sheet.title, remarks=tuple(remarks)))
    return readings


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


def _checked(content: bytes) -> dict[str, bytes]:
    """The XML of a workbook, whatever its parts are called. What unpacks to too much is refused before it does:
    Python's zipfile unpacks no more than the directory declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise SheetError("The file is no Excel workbook. Save the class list as .xlsx or “CSV UTF-8”.")
        if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
            raise SheetError("The workbook is packed in an unusual way. Save the class list as “CSV UTF-8”.")
        elements = largest = attributes = 0
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
            if b"<!DOCTYPE" in plain or _longest_token(plain) > _LONGEST_TOKEN:
                raise SheetError("The workbook holds declarations that Excel never writes. Save it as .xlsx anew.")
            count = signs - xml.count(b"</")
            if part.filename.startswith("xl/worksheets/"):
                largest = max(largest, count)  # only one worksheet is read whole
            else:
                elements += count * _COSTS.get(part.filename, 5)
    if not is_small or elements + largest > _MOST_ELEMENTS or attributes > _MOST_ATTRIBUTES:
        raise SheetError("The workbook is too large. Save the worksheet with the class list as “CSV UTF-8”.")
    return xmls


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


def _cells(sheet: Any, merged: dict[int, list[tuple[int, int]]], unreadable: str) -> Iterator[tuple[int, list[str]]]:
    sheet.reset_dimensions()  # what other programs write there is often wrong
    room = _MOST_CELLS
    above: dict[int, tuple[str, int]] = {}  # what merged cells say in the rows below their first one, by column
    try:
        for number, row in enumerate(sheet.iter_rows(max_row=_LAST_ROW), 1):
            room -= len(row) + len(above)
            if room < 0:
                break
            cells = [_text(cell) for cell in row]
            if "".join(cells).strip():
                for place, (text, last) in above.items():
                    if number <= last:
                        cells += [""] * (place + 1 - len(cells))
                        cells[place] = text
                yield number, cells
            for place, last in merged.get(number, ()):
                above[place] = (cells[place] if place < len(cells) else "", last)
    except Exception as error:  # a damaged file may raise anything
        raise SheetError(unreadable) from error
    if room < 0:
        raise SheetError("The worksheet is too wide. Save the class list as “CSV UTF-8”.")


def _text(cell: Any) -> str:
    """A cell as its spreadsheet shows it, as far as that matters for ids, names, bands and dates."""
    value = cell.value
    if value is None or isinstance(value, str):
        return value or ""
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
    zeros = _NUMBER_WITH_ZEROS.fullmatch(cell.number_format or "")
    return (zeros[1] or zeros[2] or "") + text.zfill(len(zeros[3])) if zeros and text.isdigit() else text
