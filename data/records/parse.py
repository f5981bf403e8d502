"""Reads DynamoDB attribute values into plain Python, and says of each one what could not be read and why.

Nothing is thrown away and nothing is guessed in silence: what is readable comes back as a value, with an Issue where
the record departs from the specification; what is not comes back as None or NaN, with an Issue that holds it.
"""

import base64
import json
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from data.dynamodb.store import Item

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_SHOWN = 80  # characters of an unreadable value that an issue keeps
BANDS = {f"{half / 2:.1f}": half / 2 for half in range(19)}
"""Every band as it is written, and what it is."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
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
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MISSING = "missing"
NULL = "NULL"


@dataclass(frozen=True, slots=True)
class Issue:
    """One attribute that departs from the specification: its name, its value (shortened), and how."""

    attribute: str
    value: str
    reason: str


@dataclass(slots=True)
class Fields:
    """The attributes of one item, read one by one; `issues` fills up as they are."""

    item: Item
    issues: list[Issue] = field(default_factory=list)

    def note(self, attribute: str, reason: str) -> None:
        """Record an issue about `attribute`."""
        value = self.item.get(attribute)
        shown = "" if value is None else as_text(value)
        if len(shown) > _SHOWN:
            shown = f"{shown[:_SHOWN]}… ({len(shown):,} characters)"
        self.issues.append(Issue(attribute, shown, reason))

    def text(self, attribute: str, *, required: bool = False) -> str | None:
        """A string; another type is read as its text. None when missing, NULL or, if required, empty."""
        value = self.item.get(attribute)
        if value is None:
            if required:
                self.note(attribute, MISSING)
            return None
        if "S" in value:
            if required and not value["S"]:
                self.note(attribute, "empty")
                return None
            return sound(value["S"])
        self.note(attribute, _wrong_type(value, "text"))
        return None if "NULL" in value else as_text(value)

    def band(self, attribute: str, *, required: bool = False) -> float:
        """A band, 0 to 9; NaN when there is none that can be read."""
        value = self.item.get(attribute)
        if value is None:
            if required:
                self.note(attribute, "missing, although the evaluation is completed")
            return math.nan
        if (band := BANDS.get(value.get("S", ""))) is not None:
            return band
        text = value.get("S", value.get("N"))
        if text is None:
            self.note(attribute, _wrong_type(value, "text such as “7.0”"))
            return math.nan
        if not _NUMBER.fullmatch(text.strip()):
            self.note(attribute, "empty" if not text.strip() else "not a number")
            return math.nan
        band = float(text.strip().replace(",", "."))
        if not 0 <= band <= 9:
            self.note(attribute, "outside 0 to 9")
            return math.nan
        if "N" in value:
            self.note(attribute, "stored as a number, not as text such as “7.0”")
        elif "," in text:
            self.note(attribute, "written with a comma, not as “7.0”")
        elif not (band * 2).is_integer():
            self.note(attribute, "not a whole or half band")
        else:
            self.note(attribute, "not written with one decimal, such as “7.0”")
        return band

    def moment(self, attribute: str) -> datetime | None:
        """A time in UTC from Unix seconds; None when missing or when no time since 2000 can be read."""
        value = self.item.get(attribute)
        if value is None:
            self.note(attribute, MISSING)
            return None
        text = value.get("N", value.get("S"))
        if text is None:
            self.note(attribute, _wrong_type(value, "a number of seconds"))
            return None
        seconds = _decimal(text)
        if seconds is None:
            return self._written_time(attribute, text)
        moment, reason = _from_seconds(seconds)
        if moment is None:
            self.note(attribute, reason)
        elif "S" in value:
            self.note(attribute, "stored as text, not as a number" + (f"; {reason}" if reason else ""))
        elif reason:
            self.note(attribute, reason)
        return moment

    def _written_time(self, attribute: str, text: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.note(attribute, "not a time")
            return None
        if moment.tzinfo is None:
            self.note(attribute, "a written time without a zone, not Unix seconds")
            return None
        if not FIRST <= moment < LAST:
            self.note(attribute, "not a plausible time")
            return None
        self.note(attribute, "a written time, not Unix seconds")
        return moment.astimezone(UTC)

    def count(self, attribute: str, *, required: bool = False) -> int | None:
        """A whole number of at least 0."""
        number = self.number(attribute, stored="N", required=required)
        if number is None:
            return None
        if not number.is_integer():
            self.note(attribute, "not a whole number")
            return None
        return int(number)

    def number(self, attribute: str, *, stored: str, required: bool = False) -> float | None:
        """A number of at least 0, declared to be stored as type `stored` (S or N)."""
        value = self.item.get(attribute)
        if value is None:
            if required:
                self.note(attribute, MISSING)
            return None
        text = value.get("N", value.get("S"))
        number = None if text is None else _decimal(text)
        if number is None:
            self.note(attribute, "not a number" if text is not None else _wrong_type(value, "a number"))
            return None
        if not 0 <= number <= 10**15:
            self.note(attribute, "below zero" if number < 0 else "impossibly large")
            return None
        if stored not in value:
            self.note(attribute, f"stored as {_TYPES[next(iter(value))]}, not as {_TYPES[stored]}")
        return float(number)

    def json(self, attribute: str) -> Json:
        """What a JSON string holds; a native map or list as it is; text that is not JSON as text."""
        value = self.item.get(attribute)
        if value is None:
            return None
        if "S" not in value:
            self.note(attribute, f"stored as {_TYPES[next(iter(value))]}, not as a JSON string")
            return plain(value)
        text: str = value["S"]
        if not text.strip():
            self.note(attribute, "empty")
            return None
        try:
            return self.decode(attribute, text)
        except (ValueError, RecursionError) as error:
            deep = isinstance(error, RecursionError)
            self.note(attribute, "JSON nested too deep to read" if deep else f"not JSON: {error}")
            return sound(text)

    def decode(self, attribute: str, text: str) -> Json:
        """Decoded JSON; ValueError or RecursionError. Keeps what json.loads would drop: repeated keys, odd numbers."""

        def keep_all(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
            whole: dict[str, Json] = {}
            used: dict[str, int] = {}  # of each repeated key, so that thousands of one key are not counted anew
            for said, value in pairs:
                name = key = sound(said)
                while name in whole:
                    used[key] = used.get(key, 1) + 1
                    name = f"{key} ({used[key]})"
                whole[name] = value
            if used:
                self.note(attribute, "the same key twice in its JSON")
            return whole

        decoded: Json = json.loads(
            text, object_pairs_hook=keep_all, parse_float=_exact, parse_int=_exact, parse_constant=str
        )
        return _sound_json(decoded)

    def unknown(self, declared: set[str]) -> dict[str, Json]:
        """Attributes that the specification does not name."""
        return {sound(name): plain(value) for name, value in sorted(self.item.items()) if name not in declared}


def plain(value: dict[str, Any]) -> Json:
    """An attribute value as JSON-like Python. A number that a float cannot hold exactly stays text."""
    kind, held = next(iter(value.items()))
    if kind == "S":
        return sound(held)
    if kind == "N":
        return _exact(held)
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


def as_text(value: dict[str, Any]) -> str:
    """An attribute value on one line: text as it is, the rest as JSON."""
    simple = value.get("S", value.get("N"))
    return sound(simple) if simple is not None else to_json(value, indent=None)


def item_json(item: Item) -> str:
    """A whole item as indented JSON, its numbers digit for digit as stored."""
    return to_json({"M": dict(sorted(item.items()))}, indent=2)


def to_json(value: dict[str, Any], *, indent: int | None, depth: int = 0) -> str:
    """An attribute value as JSON text. Written by hand because json.dumps has no way to write 38 digits as they are."""
    kind, held = next(iter(value.items()))
    if kind == "N":
        return str(held)
    if kind not in ("M", "L", "SS", "NS", "BS"):
        return json.dumps(plain(value), ensure_ascii=False)
    if kind == "M":
        parts = [
            f"{json.dumps(sound(k), ensure_ascii=False)}: {to_json(v, indent=indent, depth=depth + 1)}"
            for k, v in held.items()
        ]
        opening, closing = "{", "}"
    else:
        values = held if kind == "L" else [{kind[0]: v} for v in held]
        parts = [to_json(v, indent=indent, depth=depth + 1) for v in values]
        opening, closing = "[", "]"
    if indent is None or not parts:
        return opening + ", ".join(parts) + closing
    space = "\n" + " " * (indent * (depth + 1))
    return opening + space + f",{space}".join(parts) + "\n" + " " * (indent * depth) + closing


def sound(text: str) -> str:
    """The text with lone surrogates, which no UTF-8 can carry, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def _sound_json(value: Json) -> Json:
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, list):
        return [_sound_json(v) for v in value]
    if isinstance(value, dict):
        return {sound(k): _sound_json(v) for k, v in value.items()}
    return value


def _exact(text: str) -> int | float | str:
    """The number as int or float where that is exact, else its text."""
    if re.fullmatch(r"-?\d{1,18}", text):
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


def _from_seconds(seconds: Decimal) -> tuple[datetime | None, str]:
    """The time and, where it is not plain Unix seconds, how it departs."""
    first, last = int(FIRST.timestamp()), int(LAST.timestamp())
    if first <= seconds < last:
        return _after_epoch(seconds), "" if seconds == int(seconds) else "with a fraction of a second"
    if first * 1000 <= seconds < last * 1000:
        return _after_epoch(seconds / 1000), "in milliseconds, not in seconds"
    if 0 <= seconds < first:
        return None, f"in the year {_after_epoch(seconds).year}, before there was BandUp"
    return None, "not a plausible time"


def _after_epoch(seconds: Decimal) -> datetime:
    return _EPOCH + timedelta(microseconds=int(seconds * 1_000_000))


def _wrong_type(value: dict[str, Any], wanted: str) -> str:
    kind = next(iter(value))
    return NULL if kind == "NULL" else f"stored as {_TYPES.get(kind, kind)}, not as {wanted}"
