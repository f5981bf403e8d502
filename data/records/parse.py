"""Reads DynamoDB attribute values into plain Python, and says of each one what could not be read and why.

Nothing is thrown away and nothing is guessed in silence: what is readable comes back as a value, with an Issue where
the record departs from the specification; what is not comes back as None or NaN, with an Issue that holds it.
"""

import base64
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from data.dynamodb.reads import Item
from data.schema import Table

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
Value: TypeAlias = dict[str, Any]
"""An attribute value as DynamoDB sends it: {type letter: value}."""
Note: TypeAlias = Callable[[str], None]
Outcome: TypeAlias = Literal["", "mended", "broken", "unread"]
T = TypeVar("T")

NESTING = 100
"""How deep lists and objects may lie in each other. Deeper ones are not read: whatever goes through them recurses."""
# Levels of JSON that are indented. What lies deeper is on one line: blanks before each of 200,000 entries would be many
# times what is stored.
_INDENTED = 6
_LONGEST = 80  # characters of an unreadable value that an issue keeps
BANDS = {f"{half / 2:.1f}": half / 2 for half in range(19)}
"""Every band as it is written, and what it is."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_SHORT = re.compile(r"-?[0-9]{1,18}")
_TYPES = {
    "S": "text",
    "N": "a number",
    "B": "binary",
    "M": "a map",
    "L": "a list",
    "BOOL": "true or false",
    "NULL": "NULL",
    "SS": "a set",
    "NS": "a set",
    "BS": "a set",
}
# BandUp did not exist before 2000, and a plausible time in milliseconds is far beyond one in seconds.
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)
_LONGEST_DURATION = 10**7  # seconds; a recording takes minutes, and what is far longer is no timedelta
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = int(FIRST.timestamp()), int(LAST.timestamp())

MISSING = "missing"
NULL = "NULL"


@dataclass(frozen=True, slots=True)
class Issue:
    """One attribute that departs from the specification: its name, its value (shortened), and how.

    Of texts that should be JSON, `outcome` says what became of them; where they lack nothing else, they are mended.
    """

    attribute: str
    value: str
    reason: str
    outcome: Outcome = ""


@dataclass(slots=True)
class Fields:
    """The attributes of one item; `issues` fills up as they are read."""

    item: Item
    issues: list[Issue] = field(default_factory=list)

    def note(self, attribute: str, reason: str, outcome: Outcome = "") -> None:
        """Record an issue about `attribute`."""
        value = self.item.get(attribute)
        text = "" if value is None else as_text(value)
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}… ({len(text):,} characters)"
        self.issues.append(Issue(attribute, text, reason, outcome))

    def read(self, attribute: str, reader: Callable[[Value, Note], T | None], missing: str = "") -> T | None:
        """The attribute by one of the readers below; None when there is none.

        `missing` is the remark where there should be one. An empty text is none there.
        """
        value = self.item.get(attribute)
        if value is None or (missing and value.get("S") == ""):
            if missing:
                self.note(attribute, missing if value is None else "empty")
            return None
        return reader(value, partial(self.note, attribute))

    def unknown(self, table: Table) -> dict[str, Json]:
        """Attributes that the specification does not name."""
        return {sound(name): plain(value) for name, value in sorted(self.item.items()) if name not in table.types}


# Readers: each takes an attribute value and a function that notes a remark; None where nothing can be read.


def text(value: Value, note: Note) -> str | None:
    """A string; another type is read as its text, NULL as None."""
    if "S" in value:
        return sound(value["S"])
    note(_wrong_type(value, "text"))
    return None if "NULL" in value else as_text(value)


def one_of(allowed: Sequence[str]) -> Callable[[Value, Note], str | None]:
    """A reader of texts that should be in `allowed`; those are the same objects in every frame, which saves memory."""
    same = {word: word for word in allowed}

    def read(value: Value, note: Note) -> str | None:
        word = text(value, note)
        if word is not None and word not in same:
            note(f"not one of {', '.join(allowed)}")
        return same.get(word or "", word)

    return read


def band(value: Value, note: Note) -> float | None:
    """A band, 0 to 9."""
    if (usual := BANDS.get(value.get("S", ""))) is not None:
        return usual
    text = value.get("S", value.get("N"))
    if text is None:
        note(_wrong_type(value, "text such as “7.0”"))
        return None
    if not _NUMBER.fullmatch(text.strip()):
        note("empty" if not text.strip() else "not a number")
        return None
    number = float(text.strip().replace(",", "."))
    if not 0 <= number <= 9:
        note("outside 0 to 9")
        return None
    if "N" in value:
        note("stored as a number, not as text such as “7.0”")
    elif "," in text:
        note("written with a comma, not as “7.0”")
    elif not (number * 2).is_integer():
        note("not a whole or half band")
    else:
        note("not written with one decimal, such as “7.0”")
    return number


def moment(value: Value, note: Note) -> int | None:
    """A time from Unix seconds, in microseconds since 1970; none before 2000."""
    text = value.get("N", "")
    if len(text) < 12 and text.isdecimal() and _FIRST <= (whole := int(text)) < _LAST:
        return whole * 1_000_000  # as nearly all are
    text = value.get("N", value.get("S"))
    if text is None:
        note(_wrong_type(value, "a number of seconds"))
        return None
    seconds = _decimal(text)
    if seconds is None:
        return _written_time(text, note)
    departs = "stored as text, not as a number" if "S" in value else ""
    if _FIRST <= seconds < _LAST:
        if seconds != int(seconds):
            departs += f"{'; ' if departs else ''}with a fraction of a second"
    elif _FIRST * 1000 <= seconds < _LAST * 1000:
        seconds /= 1000
        departs += f"{'; ' if departs else ''}in milliseconds, not in seconds"
    elif 0 <= seconds < _FIRST:
        note(f"in the year {time(int(seconds) * 1_000_000).year}, before 2000")
        return None
    else:
        note("not a plausible time")
        return None
    if departs:
        note(departs)
    return int(seconds * 1_000_000)


def _written_time(text: str, note: Note) -> int | None:
    try:
        written = datetime.fromisoformat(text)
    except ValueError:
        note("not a time")
        return None
    if written.tzinfo is None:
        note("a written time without a zone, not Unix seconds")
        return None
    if not FIRST <= written < LAST:
        note("not a plausible time")
        return None
    note("a written time, not Unix seconds")
    return (written - _EPOCH) // timedelta(microseconds=1)


def time(microseconds: int) -> datetime:
    """The time in UTC that `moment` has read."""
    return _EPOCH + timedelta(microseconds=microseconds)


def count(value: Value, note: Note) -> int | None:
    """A whole number of at least 0."""
    number = amount(value, note, stored="N")
    if number is not None and not number.is_integer():
        note("not a whole number")
        return None
    return None if number is None else int(number)


def duration(value: Value, note: Note) -> float | None:
    """A number of seconds, at most some four months."""
    return amount(value, note, most=_LONGEST_DURATION)


def amount(value: Value, note: Note, *, stored: str = "S", most: int = 10**15) -> float | None:
    """A number from 0 to `most`, declared to be stored as type `stored` (S or N)."""
    text = value.get("N", value.get("S"))
    number = None if text is None else _decimal(text)
    if number is None:
        note("not a number" if text is not None else _wrong_type(value, "a number"))
        return None
    if not 0 <= number <= most:
        note("below zero" if number < 0 else "impossibly large")
        return None
    if stored not in value:
        note(_wrong_type(value, _TYPES[stored]))
    return float(number)


def decoder(repeated: Callable[[], None]) -> Callable[[str], Json]:
    """Decodes JSON; ValueError or RecursionError. Keeps what json.loads would drop: repeated keys, odd numbers.

    Calls `repeated` where a key stands twice in an object.
    """

    def keep_all(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        whole, is_repeated = unique(pairs)
        if is_repeated:
            repeated()
        return whole

    decode = json.JSONDecoder(object_pairs_hook=keep_all, parse_float=exact, parse_int=exact, parse_constant=str).decode
    return lambda text: _sound_json(decode(text))


def unique(pairs: Iterable[tuple[str, Json]]) -> tuple[dict[str, Json], bool]:
    """All entries of an object, and whether a key stands there twice; the second is called “key (2)”."""
    whole: dict[str, Json] = {}
    used: dict[str, int] = {}  # of each repeated key, so that thousands of one key are not counted anew
    for written, value in pairs:
        name = key = sound(written)
        while name in whole:
            used[key] = used.get(key, 1) + 1
            name = f"{key} ({used[key]})"
        whole[name] = value
    return whole, bool(used)


def plain(value: Value) -> Json:
    """An attribute value as JSON-like Python. A number that a float cannot hold exactly stays text."""
    kind, held = next(iter(value.items()))
    if kind == "S":
        return sound(held)
    if kind == "N":
        return exact(held)
    if kind == "B":
        return base64.b64encode(bytes(held)).decode()
    if kind == "NULL":
        return None
    if kind == "M":
        return {sound(k): plain(v) for k, v in held.items()}
    if kind == "L":
        return [plain(v) for v in held]
    if kind in ("SS", "NS", "BS"):
        return sorted((plain({kind[0]: v}) for v in held), key=str)
    return bool(held)


def as_text(value: Value) -> str:
    """An attribute value on one line: text as it is, the rest as JSON."""
    simple = value.get("S", value.get("N"))
    return sound(simple) if simple is not None else to_json(value)


def item_json(item: Item) -> str:
    """A whole item as indented JSON, its numbers digit for digit as stored."""
    return to_json({"M": dict(sorted(item.items()))}, is_indented=True)


def indented(value: Json, depth: int = 0) -> str:
    """A decoded value as indented JSON.

    >>> print(indented({"a": [1]}))
    {
      "a": [
        1
      ]
    }
    """
    if depth >= _INDENTED or not isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return _enclosed("[", [indented(entry, depth + 1) for entry in value], "]", depth)
    parts = [f"{json.dumps(key, ensure_ascii=False)}: {indented(entry, depth + 1)}" for key, entry in value.items()]
    return _enclosed("{", parts, "}", depth)


def _enclosed(opening: str, parts: Sequence[str], closing: str, depth: int) -> str:
    """The entries of an object or a list, each on a line of its own."""
    if not parts:
        return opening + closing
    space = "\n" + "  " * (depth + 1)
    return opening + space + f",{space}".join(parts) + "\n" + "  " * depth + closing


def to_json(value: Value, *, is_indented: bool = False, depth: int = 0) -> str:
    """An attribute value as JSON text. Written by hand because json.dumps has no way to write 38 digits as they are."""
    kind, held = next(iter(value.items()))
    if kind == "N":
        return str(held)
    if kind not in ("M", "L", "SS", "NS", "BS"):
        return json.dumps(plain(value), ensure_ascii=False)
    if kind == "M":
        parts = [
            f"{json.dumps(sound(k), ensure_ascii=False)}: {to_json(v, is_indented=is_indented, depth=depth + 1)}"
            for k, v in held.items()
        ]
        opening, closing = "{", "}"
    else:
        values = held if kind == "L" else [{kind[0]: v} for v in held]
        parts = [to_json(v, is_indented=is_indented, depth=depth + 1) for v in values]
        opening, closing = "[", "]"
    if is_indented and depth < _INDENTED:
        return _enclosed(opening, parts, closing, depth)
    return opening + ", ".join(parts) + closing


def sound(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 can carry, replaced by U+FFFD."""
    if text.isascii():
        return text  # as nearly all are, and this is quicker
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _sound_json(value: Json, depth: int = 0) -> Json:
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, (list, dict)) and depth >= NESTING:
        raise RecursionError
    if isinstance(value, list):
        return [_sound_json(v, depth + 1) for v in value]
    if isinstance(value, dict):
        return {k: _sound_json(v, depth + 1) for k, v in value.items()}
    return value


def exact(text: str) -> int | float | str:
    """A number as int or float where that is exact, else its text."""
    if _SHORT.fullmatch(text):
        return int(text)
    try:
        number = float(text)
        return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(text) else text
    except (ValueError, InvalidOperation):
        return text


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def kind_of(value: Value) -> str:
    """The type of an attribute value, in words."""
    kind = next(iter(value))
    return _TYPES.get(kind, kind)


def _wrong_type(value: Value, declared: str) -> str:
    return NULL if "NULL" in value else f"stored as {kind_of(value)}, not as {declared}"
