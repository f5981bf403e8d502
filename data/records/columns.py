"""Reads the declared attributes of many items at once, or of one item: the same values, the same issues."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.dynamodb.columnar import Columnar
from data.dynamodb.reads import Item
from data.records.frames import MOMENT, Schema
from data.records.parse import MISSING, Fields, Note, Value
from data.schema import COMPLETED, Table

Context: TypeAlias = tuple[str | None, str | None]
"""Status and evaluation type of a record (None: not text), which decide what else it must have."""

_Texts: TypeAlias = tuple[list[Any], NDArray[np.intp]]
"""Each different text of an attribute, None where there is none, and which of them each row has."""

_ABSENT: Mapping[str, None] = {"S": None, "N": None}
_OTHER: Any = object()  # stands for a value of another type than the declared one
_NAT = np.iinfo("int64").min


@dataclass(frozen=True, slots=True)
class Reading:
    """How an attribute is read, which records must have it, and the remark about one that has not."""

    reader: Callable[[Value, Note], Any]
    required: Callable[[Context], bool] = lambda _: False
    missing: str = MISSING


def always(_: Context) -> bool:
    """Every record must have it."""
    return True


def completed(context: Context) -> bool:
    """Completed records must have it."""
    return context[0] == COMPLETED


def one(fields: Fields, table: Table, readings: Mapping[str, Reading]) -> dict[str, Any]:
    """The attributes of one item, None where there is none; their issues are in `fields` then."""
    item = fields.item
    status, kind = (item.get(name, _ABSENT).get("S") for name in ("status", "evaluation_type"))
    values = {}
    for name, reading in readings.items():
        text = item.get(name, _ABSENT).get(table.types[name], _OTHER)
        missing = reading.missing if not text and reading.required((status, kind)) else ""
        values[name] = fields.read(name, reading.reader, missing)
    return values


def frame(items: Sequence[Item], table: Table, readings: Mapping[str, Reading], schema: Schema) -> pd.DataFrame:
    """A row per item, in the order given; `issues` are about these columns only.

    Each different text of an attribute is read once, and equal ones become one object. What is odd is read again by
    row, where its issue belongs.
    """
    letters = {name: table.types[name] for name in readings}
    stored = _in_columns(items, letters) if isinstance(items, Columnar) else _by_row(items, letters)
    contexts, context_of = _contexts(stored["status"], stored.get("evaluation_type", stored["status"]))
    columns: dict[str, Any] = {}
    odd: dict[int, Fields] = {}
    for name, reading in readings.items():
        texts, codes = stored[name]
        values, is_odd = _read(texts, letters[name], reading.reader)
        if any(is_odd) or not all(texts):
            required = np.array([reading.required(context) for context in contexts], dtype=bool)[context_of]
            missing = required & np.array([not text for text in texts], dtype=bool)[codes]
            for row in np.flatnonzero(missing | np.array(is_odd, dtype=bool)[codes]).tolist():
                fields = odd.setdefault(row, Fields(items[row]))
                codes[row] = len(values)
                values.append(fields.read(name, reading.reader, reading.missing if missing[row] else ""))
        columns[name] = _column(values, codes, schema[name].dtype)
    issues = [tuple(odd[row].issues) if row in odd else () for row in range(len(items))]
    columns["issues"] = pd.Series(issues, dtype=np.dtype(object))
    return pd.DataFrame({name: columns[name] for name in schema})


def _by_row(items: Sequence[Item], letters: Mapping[str, str]) -> dict[str, _Texts]:
    # Row by row, although columns are wanted: the many small dictionaries of a row lie side by side in memory, and
    # to go through all of them for each column takes twice as long.
    pairs = [*letters.items()]
    held = [[item.get(name, _ABSENT).get(letter, _OTHER) for name, letter in pairs] for item in items]
    stored = zip(letters, zip(*held, strict=True) if held else ((),) * len(letters), strict=True)
    return {name: _different(texts) for name, texts in stored}


def _different(texts: Sequence[Any]) -> _Texts:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return [*places], np.fromiter(map(places.__getitem__, texts), np.intp, len(texts))


def _in_columns(items: Columnar, letters: Mapping[str, str]) -> dict[str, _Texts]:
    stored = {name: items.different(name) for name in letters}
    for row, item in items.odd.items():
        for name, letter in letters.items():
            if item.get(name, _ABSENT).get(letter, _OTHER) is _OTHER:
                texts, codes = stored[name]
                codes[row] = len(texts)
                texts.append(_OTHER)
    return stored


def _contexts(statuses: _Texts, kinds: _Texts) -> tuple[list[Context], NDArray[np.intp]]:
    """Each different context, and which of them each row has."""
    pairs, context_of = np.unique(statuses[1] * len(kinds[0]) + kinds[1], return_inverse=True)
    return [(statuses[0][pair // len(kinds[0])], kinds[0][pair % len(kinds[0])]) for pair in pairs.tolist()], context_of


def _read(texts: Sequence[Any], letter: str, reader: Callable[[Value, Note], Any]) -> tuple[list[Any], list[bool]]:
    """The value of each text, and whether there is something to say about it."""
    values: list[Any] = [None] * len(texts)
    is_odd = [text is _OTHER for text in texts]
    remarks: list[str] = []
    note = remarks.append
    for place, text in enumerate(texts):
        if text is not None and text is not _OTHER:
            values[place] = reader({letter: text}, note)
            if remarks:
                is_odd[place] = True
                remarks.clear()
    return values, is_odd


def _column(values: list[Any], codes: NDArray[np.intp], dtype: str) -> Any:
    if dtype == MOMENT:
        microseconds = np.array([_NAT if value is None else value for value in values], dtype="int64").take(codes)
        return pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")
    column = np.array(values, dtype=dtype).take(codes)
    # The dtype is given each time: pandas' own guess makes NaN of a text that is None.
    return pd.Series(column, dtype=column.dtype, copy=False)
