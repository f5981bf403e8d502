"""Reads many items an attribute at a time, where they are as specified; a row that is not is left to data/parse.py."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from data.parse import BANDS, FIRST, LAST, sound
from data.store import Item

Texts: TypeAlias = "list[str | None]"
Rows: TypeAlias = NDArray[np.bool_]

_ABSENT: Mapping[str, None] = {"S": None, "N": None}
_OTHER = "\0another type"  # compared by identity: a record may hold the same text
_BANDS: dict[str | None, float] = {None: math.nan}
_BANDS.update(BANDS.items())
_FIRST, _LAST = int(FIRST.timestamp()), int(LAST.timestamp())


class Columns:
    """The attributes of many items, by the names of Fields, which reads one item.

    `odd` marks the rows in which something is not as specified. What a column holds there means nothing: Fields reads
    these rows, and finds the issues. All other rows are what Fields would make of them, without an issue.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.odd: Rows = np.zeros(len(items), dtype=bool)

    def text(self, attribute: str, *, required: bool | Rows = False) -> Texts:
        """Strings, None where there is none. Equal ones are one object, which saves memory."""
        held = self._held(attribute, "S")
        self.odd |= self._rows(not text for text in held) & required
        known: dict[str | None, str | None] = {}
        texts = [known.setdefault(text, text) for text in held]
        try:
            "".join(text for text in known if text).encode()
        except UnicodeEncodeError:
            return [text and sound(text) for text in texts]
        return texts

    def choice(self, attribute: str, allowed: Iterable[str]) -> Texts:
        """Strings of which each is in `allowed`."""
        known: Mapping[str | None, str] = {text: text for text in allowed}
        texts = [known.get(text) for text in self._held(attribute, "S")]
        self.odd |= self._rows(text is None for text in texts)
        return texts

    def band(self, attribute: str, *, required: bool | Rows = False) -> NDArray[np.float64]:
        """Bands, NaN where there is none."""
        return self._numbers((_BANDS.get(text, -1.0) for text in self._held(attribute, "S")), required)

    def number(self, attribute: str, *, stored: str, required: bool | Rows = False) -> NDArray[np.float64]:
        """Numbers of at least 0, stored as type `stored` (S or N); NaN where there is none."""
        held = self._held(attribute, stored)
        plain = (math.nan if t is None else float(t) if t.replace(".", "", 1).isdecimal() else -1.0 for t in held)
        return self._numbers(plain, required)

    def count(self, attribute: str, *, required: bool | Rows = False) -> NDArray[np.float64]:
        """Whole numbers of at least 0, NaN where there is none."""
        held = self._held(attribute, "N")
        whole = (math.nan if t is None else float(t) if t.isdecimal() else -1.0 for t in held)
        return self._numbers(whole, required)

    def moment(self, attribute: str) -> NDArray[np.datetime64]:
        """Times in UTC from Unix seconds."""
        held = self._held(attribute, "N")
        whole = (int(t) if t and t.isdecimal() and len(t) < 12 else -1 for t in held)
        seconds = np.fromiter(whole, dtype="int64", count=len(held))
        self.odd |= (seconds < _FIRST) | (seconds >= _LAST)
        return (seconds * 1_000_000).astype("datetime64[us]")

    def _held(self, attribute: str, letter: str) -> Texts:
        """What each item holds as type `letter`, None where it has no such attribute. Another type is odd."""
        held: Texts = [item.get(attribute, _ABSENT).get(letter, _OTHER) for item in self.items]
        if _OTHER in held:
            self.odd |= self._rows(text is _OTHER for text in held)
        return held

    def _numbers(self, values: Iterable[float], required: bool | Rows) -> NDArray[np.float64]:
        numbers = np.fromiter(values, dtype="float64", count=len(self.items))
        # At the limit all digits count, and Fields compares them.
        self.odd |= (numbers < 0) | (numbers >= 1e15) | (np.isnan(numbers) & required)
        return numbers

    def _rows(self, values: Iterable[bool]) -> Rows:
        return np.fromiter(values, dtype=bool, count=len(self.items))
