"""Tables to take away, as CSV and TSV: they say where they are from, and no spreadsheet takes a cell for a formula."""

import io
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from data.records.cards import Card
from data.records.flashcards import FlashcardSet
from wording import formats

# What makes a spreadsheet take a cell for a formula, https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Where a spreadsheet whose separator is another one begins a cell within a text: it does not honour the quotes around
# what is no cell to it. The semicolon is usual where the comma is the decimal sign; LibreOffice takes several at once.
_ENDS = {",": re.compile("([;\t\r\n])"), "\t": re.compile("([,;\t\r\n])")}  # by the file's own separator


def csv(
    rows: pd.DataFrame,
    what: str,
    *,
    period: str,
    zone: ZoneInfo,
    source: str,
    made: datetime,
    complete: bool,
    chosen: Mapping[str, str | None] | None = None,
) -> bytes:
    """A table as CSV in UTF-8 with a byte order mark, which Excel needs to take it for UTF-8.

    Five lines that begin with “#” come first: what it is, how many rows and which were `chosen` (the names of filters
    and what they are set to, None for all), period, time zone, source, and whether it is complete or truncated. Then
    the names of the columns, then the rows. Times are local ISO 8601 with offset, unknown values are empty. A text that
    a spreadsheet would take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    only = "; ".join(f"{name}: {value}" for name, value in (chosen or {}).items() if value)
    about = {
        what: f"{formats.count(len(rows), 'row')}{f' ({only})' if only else ''}",
        "Period": period,
        "Time zone": f"{zone.key}, made {_iso(made, zone)}",
        "Source": source,
        "Complete": "yes" if complete else "no: not everything could be read",
    }
    return _written(about, rows, zone, ",")


HEAD = 5
"""Lines of a CSV before the names of the columns: what `pandas.read_csv` takes as skiprows."""


def tsv(chosen: FlashcardSet, *, zone: ZoneInfo, source: str, made: datetime) -> bytes:
    """The cards of a set as TSV in UTF-8 with a byte order mark, for spreadsheets and other flashcard programs.

    Seven lines that begin with “#” come first: how many cards, set, document, when the set was made, time zone,
    source, and whether all cards are in it. Then Question, Answer and, where a card carries more, More. Cells with
    tabs or line breaks stand in quotes; what a spreadsheet would take for a formula gets an apostrophe in front.
    """
    about = {
        "Flashcards": formats.count(len(chosen.cards), "card"),
        "Set": chosen.set_id,
        "Document": chosen.document_id or "unknown",
        "Created": "unknown" if chosen.created_at is None else _iso(chosen.created_at, zone),
        "Time zone": f"{zone.key}, made {_iso(made, zone)}",
        "Source": source,
        "Complete": "no: cards that cannot be read are not in it" if missing_cards(chosen) else "yes",
    }
    rows = pd.DataFrame(
        [(card.front, card.back, "\n".join(more(card))) for card in chosen.cards],
        columns=["Question", "Answer", "More"],
        dtype="object",
    )
    return _written(about, rows if rows["More"].any() else rows.drop(columns="More"), zone, "\t")


SET_HEAD = 7
"""Lines of a set's TSV before the names of the columns."""


def more(card: Card) -> list[str]:
    """What a card carries besides its two sides, a line each.

    >>> more(Card("a", "b", {"hint": "short", "pages": [1, 2]}))
    ['hint: short', 'pages: [1, 2]']
    """
    return [
        f"{key}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in card.more.items()
    ]


def missing_cards(chosen: FlashcardSet) -> bool:
    """Whether the record has cards, or says that it has, that cannot be read."""
    fewer = chosen.total_cards is not None and chosen.total_cards > len(chosen.cards)
    return fewer or any(i.attribute == "flashcards" and i.outcome == "broken" for i in chosen.issues)


def literal(text: str, separator: str = ",") -> str:
    r"""The text so that a spreadsheet shows it instead of computing it, also once it has trimmed what cannot be seen.

    >>> literal("=1+1"), literal("-"), literal(" ＝1+1"), literal("7.0"), literal("")
    ("'=1+1", "'-", "' ＝1+1", '7.0', '')
    >>> literal("good; =1+1"), literal("a=1; b"), literal("one\n+two")
    ("good;' =1+1", 'a=1; b', "one\n'+two")
    >>> literal("a,=1"), literal("a,=1", "\t")
    ('a,=1', "a,'=1")
    """
    whole = f"'{text}" if _is_formula(text) or text.startswith(_FORMULA) else text
    first, *others = _ENDS[separator].split(whole)
    # Quotation marks there may be taken for those around a cell.
    return first + "".join(f"'{part}" if _is_formula(part.replace('"', "")) else part for part in others)


def _is_formula(text: str) -> bool:
    first = next((char for char in text if not _is_trimmed(char)), "")
    # Full-width signs are those of Chinese and Japanese keyboards; the minus sign is U+2212.
    return unicodedata.normalize("NFKC", first).startswith(_FORMULA) or first == "\u2212"


def _is_trimmed(char: str) -> bool:
    """Whether a spreadsheet may drop a character at the start: blanks, control and format characters, marks."""
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf", "Mn", "Me", "Cn")


def file_name(what: str, codes: Mapping[str, str], made: datetime, suffix: str = "csv") -> str:
    """A name that tells the file from others, from letters that every system takes.

    >>> file_name("audit", {"period": "30d", "kind": "a:b/c"}, datetime(2026, 3, 1, 9, 5))
    'audit-30d-a-b-c-20260301-0905.csv'
    >>> file_name("report", {"student": "user-101"}, datetime(2026, 3, 1, 9, 5), "pdf")
    'report-user-101-20260301-0905.pdf'
    """
    parts = [what, *codes.values(), f"{made:%Y%m%d-%H%M}"]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in "-".join(parts))
    return f"{'-'.join(part for part in kept.split('-') if part)[:150]}.{suffix}"


def _written(about: Mapping[str, str], rows: pd.DataFrame, zone: ZoneInfo, separator: str) -> bytes:
    """What the file is about, a line each whatever is said, then the table."""
    buffer = io.StringIO(newline="")
    lines = [literal(" ".join(f"# {name}: {value}".split()), separator) for name, value in about.items()]
    pd.DataFrame({"line": lines}).to_csv(buffer, sep=separator, index=False, header=False, lineterminator="\r\n")
    safe = pd.DataFrame({n: _column(rows.iloc[:, n], zone, separator) for n in range(rows.shape[1])}, index=rows.index)
    header = [literal(str(name), separator) for name in rows.columns]
    safe.to_csv(buffer, sep=separator, index=False, header=header, lineterminator="\r\n")
    return buffer.getvalue().encode("utf-8-sig", "replace")


def _iso(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def _column(values: pd.Series, zone: ZoneInfo, separator: str) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        local = values.dt.tz_convert(zone.key)
        texts = ["" if pd.isna(moment) else moment.isoformat(timespec="seconds") for moment in local]
    else:
        texts = ["" if pd.isna(value) else literal(str(value), separator) for value in values]
    return pd.Series(texts, index=values.index, dtype="object")
