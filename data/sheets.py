"""Files of spreadsheets as rows of text: CSV in the usual encodings, separators and quotes, and .xlsx."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
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

_MOST_ROWS = 50_000  # twice a large school; each student of a list costs half a kilobyte as long as it is in use
_SECONDS = 10.0  # that a workbook's process may take, by the clock
_MEMORY = 1_000_000_000  # bytes that it may take
_LONGEST_ANSWER = 32_000_000  # bytes; it writes 30,000,000 at most
_PATIENCE = 25.0  # seconds to wait for the workbooks of others
_START = (
    "import sys; sys.path += sys.argv[4:]; "
    # openpyxl takes these where they are, and does without: each makes it slower to start, and large.
    "sys.modules.update(dict.fromkeys(('numpy', 'lxml', 'PIL'))); "
    "from data.workbook_reader import main; main(*map(int, sys.argv[1:4]))"
)
_NEEDED = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # to start Python on Windows, or from where it stands
TOO_LARGE = "The workbook is too large. Save the worksheet with the class list as “CSV UTF-8”."
UNREADABLE = "The workbook cannot be read. Save the class list as .xlsx or “CSV UTF-8” again."
"""What the process says as well that reads a workbook."""
UPLOADS, SERVER = threading.Lock(), threading.Lock()
"""Of each kind of workbooks one is read at a time. The server's own class list waits for no upload: who may see what
hangs on it."""
_HEAD = 200_000  # characters in which the header is looked for
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
# No group that repeats: of each letter it would keep where it began, a gigabyte of five megabytes.
_LINE_QUOTES = re.compile(r'(?:\A|(?<=[\r\n]))[ \t]*"([^\r\n]*)"[ \t]*(?=[\r\n]|\Z)')
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


def readings(content: bytes, encoding: str = "", turn: threading.Lock = UPLOADS) -> list[Sheet]:
    """The ways to read a file, the likeliest first: a CSV file by each separator, a workbook by each worksheet.

    `encoding` is the codec of a CSV file, for where the guess is wrong; `turn` is what a workbook waits for. Raises
    SheetError.
    """
    if content.startswith(b"PK\x03\x04"):
        return _worksheets(content, turn)
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
    if (whole := _WHOLE_LINE_QUOTED.match(text[:_HEAD])) and _SEPARATOR.search(whole[1]):
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
    """A line that some program took for one cell; as it is where it may be several."""
    return line[0] if '"' in line[1].replace('""', "") else line[1].replace('""', '"')


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


def _worksheets(content: bytes, turn: threading.Lock) -> list[Sheet]:
    """The visible worksheets, read in a process of its own (data/workbook_reader.py): openpyxl holds Python's lock
    while it reads, and a small workbook can keep it busy for minutes or make it take all memory."""
    sheets = []
    for head, lines in _answer(content, turn):
        remarks = []
        if head["of"] > 1:
            remarks.append(f"Of the workbook, only the worksheet “{head['name']}” was read.")
        if head["unfinished"]:
            remarks.append(
                f"Formulas without a result are empty ({head['unfinished']:,}). Open the workbook in Excel and save it."
            )
        first = partial(_rows, lines)
        rows = first if head["whole"] else partial(_later_rows, content, turn, head["number"])
        sheets.append(Sheet(rows, first, name=head["name"], remarks=tuple(remarks)))
    return sheets


def _rows(lines: Sequence[bytes]) -> Iterator[tuple[int, list[str]]]:
    # One by one: to take a long answer apart in one go would hold up the other visitors.
    for line in lines:
        row = json.loads(line)
        if isinstance(row, dict):
            raise SheetError(row["refused"])
        number, *cells = row
        yield number, cells


def _later_rows(content: bytes, turn: threading.Lock, number: int) -> Iterator[tuple[int, list[str]]]:
    for _, lines in _answer(content, turn, number):
        yield from _rows(lines)


def _answer(content: bytes, turn: threading.Lock, number: int = -1) -> list[tuple[dict[str, Any], list[bytes]]]:
    """What the process says of each worksheet, or of one alone: about it, and the lines of its rows."""
    sheets: list[tuple[dict[str, Any], list[bytes]]] = []
    for line in _read_apart(content, turn, number).splitlines():
        if line.startswith(b'{"of"'):
            sheets.append((json.loads(line), []))
        elif sheets:
            sheets[-1][1].append(line)
        else:
            raise SheetError(json.loads(line)["refused"])
    return sheets


def _read_apart(content: bytes, turn: threading.Lock, number: int) -> bytes:
    """The answer of a process that reads a workbook: within its time, its memory and its length, and one at a time."""
    # A failure of the moment has an OSError as its cause: it is not kept.
    if not turn.acquire(timeout=_PATIENCE):
        busy = "Other workbooks are being read just now. Try again in a minute, or save the class list as “CSV UTF-8”."
        raise SheetError(busy) from TimeoutError()
    try:
        return _run(_command(number), content)
    except (OSError, RuntimeError) as error:  # no more processes or threads, say
        apart = "The workbook cannot be read just now. Try again in a minute, or save the class list as “CSV UTF-8”."
        raise SheetError(apart) from (error if isinstance(error, OSError) else OSError(str(error)))
    finally:
        turn.release()


def _command(number: int) -> list[str]:
    """Isolated: the folder that the server was started in, the variables and the start-up files of its Python say
    nothing. openpyxl is looked for where this process has it."""
    specs = [find_spec(name) for name in ("openpyxl", "et_xmlfile")]
    folders = [str(Path(spec.origin).parents[1]) for spec in specs if spec and spec.origin]
    limits = [str(number), str(max(1, int(_SECONDS))), str(_MEMORY)]
    ours = str(Path(__file__).resolve().parents[1])
    return [sys.executable, "-I", "-S", "-X", "utf8", "-c", _START, *limits, ours, *dict.fromkeys(folders)]


def _run(command: list[str], content: bytes) -> bytes:
    late = threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own program; the workbook is no argument
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # openpyxl's warnings repeat what a workbook says
        env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(_SECONDS, end)
        timer.daemon = True
        try:
            timer.start()
            answer = _exchange(process, content)
            if len(answer) > _LONGEST_ANSWER:
                raise SheetError(TOO_LARGE)
            process.wait()  # the timer still runs
        finally:
            timer.cancel()
            process.kill()
    if late.is_set() or -process.returncode in [getattr(signal, name, None) for name in ("SIGXCPU", "SIGALRM")]:
        raise SheetError("The workbook takes too long to read. Save the worksheet with the class list as “CSV UTF-8”.")
    if -process.returncode == getattr(signal, "SIGKILL", None):
        raise SheetError(TOO_LARGE)  # the system was short of memory
    if process.returncode or not answer:
        raise SheetError(UNREADABLE)
    return answer


def _exchange(process: subprocess.Popen[bytes], content: bytes) -> bytes:
    """Hand over the workbook, which is taken in whole before anything is answered; then the answer, as far as it may
    go and a byte more."""
    if not process.stdin or not process.stdout:
        return b""
    try:
        process.stdin.write(content)
        process.stdin.close()
    except OSError:
        with suppress(OSError):
            process.stdin.close()  # what is left of the workbook would be handed over once more
        return b""  # it has ended, and its exit code or the clock says why
    return process.stdout.read(_LONGEST_ANSWER + 1)
