"""Reads the declared attributes of many items at once; one item is read the same way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from data.dynamodb.reads import Item
from data.records.frames import MOMENT, Schema
from data.records.parse import MISSING, Fields, Note, Value
from data.schema import COMPLETED, Table

Context: TypeAlias = tuple[str | None, str | None]
"""Status and evaluation type of a record (None: not text), which decide what else it must have."""

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


def read(
    items: Sequence[Item], table: Table, readings: Mapping[str, Reading]
) -> tuple[dict[str, list[Any]], dict[int, Fields]]:
    """A list of values per attribute, None where there is none; and by row, Fields with the issues of an odd item.

    Each different value of an attribute is read once, and equal ones are one object. What is odd is read again by row,
    where its issue belongs.
    """
    # Row by row, although columns are wanted: the many small dictionaries of a row lie side by side in memory, and
    # to go through all of them for each column takes twice as long.
    letters = [(name, table.types[name]) for name in readings]
    held = [[item.get(name, _ABSENT).get(letter, _OTHER) for name, letter in letters] for item in items]
    stored = dict(zip(readings, zip(*held, strict=True) if held else ((),) * len(letters), strict=True))
    rows_of: dict[Context, list[int]] = {}
    for row, context in enumerate(zip(stored["status"], stored.get("evaluation_type", stored["status"]), strict=True)):
        rows_of.setdefault(context, []).append(row)
    columns: dict[str, list[Any]] = {}
    odd: dict[int, Fields] = {}
    remarks: list[str] = []
    note = remarks.append
    for name, letter in letters:
        reading, texts = readings[name], stored[name]
        values: dict[str | None, Any] = dict.fromkeys(texts)
        remarkable = set()
        for text in values:
            if text is _OTHER:
                remarkable.add(text)
            elif text is not None:
                values[text] = reading.reader({letter: text}, note)
                if remarks:
                    remarkable.add(text)
                    remarks.clear()
        columns[name] = list(map(values.__getitem__, texts))
        again = {row: "" for row, text in enumerate(texts) if text in remarkable} if remarkable else {}
        if None in values or "" in values:
            for context, rows in rows_of.items():
                if reading.required(context):
                    again |= {row: reading.missing for row in rows if not texts[row]}
        for row, missing in again.items():
            fields = odd.setdefault(row, Fields(items[row]))
            columns[name][row] = fields.read(name, reading.reader, missing)
    return columns, odd


def frame(items: Sequence[Item], table: Table, readings: Mapping[str, Reading], schema: Schema) -> pd.DataFrame:
    """A row per item, in the order given; `issues` are about these columns only."""
    columns, odd = read(items, table, readings)
    columns["issues"] = [tuple(odd[row].issues) if row in odd else () for row in range(len(items))]
    # The dtype is given each time: pandas' own guess makes NaN of a text that is None.
    return pd.DataFrame({name: _series(columns[name], column.dtype) for name, column in schema.items()})


def _series(values: list[Any], dtype: str) -> Any:
    if dtype != MOMENT:
        return pd.Series(values, dtype=dtype)
    microseconds = np.array([_NAT if value is None else value for value in values], dtype="int64")
    return pd.DatetimeIndex(microseconds.view("datetime64[us]")).tz_localize("UTC")
