"""Reads many items an attribute at a time, where they are as specified; a row that is not is left to parse.py."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from data.dynamodb.store import Item
from data.records.parse import BANDS, FIRST, LAST, sound
from data.schema import Table

Texts: TypeAlias = "list[str | None]"
Rows: TypeAlias = NDArray[np.bool_]

_ABSENT: Mapping[str, None] = {"S": None, "N": None}
_OTHER = "\0another type"  # told by identity: a record may hold the same text
_BANDS: dict[str | None, float] = {None: math.nan}
_BANDS.update(BANDS.items())
_FIRST, _LAST = int(FIRST.timestamp()), int(LAST.timestamp())


class Columns:
    """The attributes of many items, by the names of Fields, which reads one item.

    `odd` marks the rows in which something is not as specified. What a column holds there means nothing: Fields reads
    these rows, and finds the issues. All other rows are what Fields would make of them, without an issue.
    """

    def __init__(self, items: Sequence[Item], table: Table) -> None:
        # Row by row, although columns are wanted: the many small dictionaries of a row lie side by side in memory, and
        # to go through all of them for each column takes twice as long.
        wanted = [(name, table.types[name]) for name in table.summary]
        rows = [[item.get(name, _ABSENT).get(letter, _OTHER) for name, letter in wanted] for item in items]
        columns = zip(*rows, strict=True) if rows else ((),) * len(wanted)
        self._columns: Mapping[str, Sequence[str | None]] = dict(zip(table.summary, columns, strict=True))
        self._length = len(items)
        self.odd: Rows = np.zeros(len(items), dtype=bool)

    def text(self, attribute: str, *, required: bool | Rows = False) -> Texts:
        """Strings, None where there is none. Equal ones are one object, which saves memory."""
        texts = self._held(attribute)
        if not all(texts):
            self.odd |= self._array((not text for text in texts), "bool") & required
        known: dict[str | None, str | None] = {}
        texts = [known.setdefault(text, text) for text in texts]
        try:
            "".join(text for text in known if text).encode()
        except UnicodeEncodeError:
            return [text and sound(text) for text in texts]
        return texts

    def choice(self, attribute: str, allowed: Iterable[str]) -> Texts:
        """Strings of which each is in `allowed`."""
        known: Mapping[str | None, str] = {text: text for text in allowed}
        texts = [known.get(text) for text in self._held(attribute)]
        if None in texts:
            self.odd |= self._array((text is None for text in texts), "bool")
        return texts

    def band(self, attribute: str, *, required: bool | Rows = False) -> NDArray[np.float64]:
        """Bands, NaN where there is none."""
        return self._numbers([_BANDS.get(text, -1.0) for text in self._held(attribute)], required)

    def number(self, attribute: str, *, required: bool | Rows = False) -> NDArray[np.float64]:
        """Numbers of at least 0, NaN where there is none."""
        return self._numbers(
            [
                math.nan if text is None else float(text) if text.replace(".", "", 1).isdecimal() else -1.0
                for text in self._held(attribute)
            ],
            required,
        )

    def count(self, attribute: str, *, required: bool | Rows = False) -> NDArray[np.float64]:
        """Whole numbers of at least 0, NaN where there is none."""
        return self._numbers(
            [math.nan if text is None else float(text) if text.isdecimal() else -1.0 for text in self._held(attribute)],
            required,
        )

    def moment(self, attribute: str) -> NDArray[np.datetime64]:
        """Times in UTC from Unix seconds."""
        whole = [int(t) if t and t.isdecimal() and len(t) < 12 else -1 for t in self._held(attribute)]
        seconds = np.array(whole, dtype="int64")
        self.odd |= (seconds < _FIRST) | (seconds >= _LAST)
        return (seconds * 1_000_000).astype("datetime64[us]")

    def _held(self, attribute: str) -> Sequence[str | None]:
        """What each item holds, None where it has no such attribute. Another type than the specified one is odd."""
        held = self._columns[attribute]
        if _OTHER in held:
            self.odd |= self._array((text is _OTHER for text in held), "bool")
        return held

    def _numbers(self, values: list[float], required: bool | Rows) -> NDArray[np.float64]:
        numbers = np.array(values, dtype="float64")
        # At the limit all digits count, and Fields compares them.
        self.odd |= (numbers < 0) | (numbers >= 1e15) | (np.isnan(numbers) & required)
        return numbers

    def _array(self, values: Iterable[int], dtype: str) -> NDArray[Any]:
        return np.fromiter(values, dtype=dtype, count=self._length)
