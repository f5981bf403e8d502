"""Frames of records kept small: equal values of a column are kept once, and ids as Arrow keeps text.

A frame with Python objects takes 450 bytes a row, and a school's year has a million. What comes out again is equal to
what went in, value by value and type by type.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

Array: TypeAlias = Any
_TEXT = pd.StringDtype("pyarrow", na_value=pd.NA)


@dataclass(frozen=True, slots=True)
class _Coded:
    """A column whose values repeat: each different one once, and which one each row has."""

    values: Array
    codes: Array

    def head(self, rows: int) -> Array:
        return self.values.take(self.codes[:rows])

    def take(self, places: Array) -> "_Coded":
        return _Coded(self.values, self.codes[places])

    @property
    def octets(self) -> int:
        return int(self.codes.nbytes) + _octets(self.values)


@dataclass(frozen=True, slots=True)
class _Text:
    """A column of texts that do not repeat."""

    values: Array

    def head(self, rows: int) -> Array:
        return self.values[:rows].to_numpy(dtype="object", na_value=None)

    def take(self, places: Array) -> "_Text":
        return _Text(self.values.take(places))

    @property
    def octets(self) -> int:
        return int(self.values.nbytes)


@dataclass(frozen=True, slots=True)
class _Plain:
    """A column as it is."""

    values: Array

    def head(self, rows: int) -> Array:
        return self.values[:rows].copy()

    def take(self, places: Array) -> "_Plain":
        return _Plain(self.values[places])

    @property
    def octets(self) -> int:
        return _octets(self.values)


_Column: TypeAlias = _Coded | _Text | _Plain


@dataclass(frozen=True, slots=True)
class Packed:
    """The rows of a frame, with its columns in order."""

    columns: dict[str, _Column]
    rows: int

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Packed":
        """A frame, packed; its index is that of its rows' places."""
        return cls({name: _packed(frame[name]) for name in frame.columns}, len(frame))

    @classmethod
    def joined(cls, parts: Sequence["Packed"]) -> "Packed":
        """The rows of all parts, which have the same columns, one part after the other."""
        some = [part for part in parts if part.rows] or [*parts[:1]]
        if len(some) == 1:
            return some[0]
        columns = {name: _joined([part.columns[name] for part in some]) for name in some[0].columns}
        return cls(columns, sum(part.rows for part in some))

    def __len__(self) -> int:
        return self.rows

    def take(self, places: Array) -> "Packed":
        """The rows at these places, in this order."""
        return Packed({name: column.take(places) for name, column in self.columns.items()}, len(places))

    def head(self, rows: int | None = None, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """The first rows as a frame; all of them, and all columns, unless told."""
        count = self.rows if rows is None else min(rows, self.rows)
        chosen = {name: self.columns[name].head(count) for name in columns or self.columns}
        # Each dtype is given: pandas' own guess makes NaN of a text that is None.
        return pd.DataFrame({name: _series(values) for name, values in chosen.items()}, index=pd.RangeIndex(count))

    @property
    def octets(self) -> int:
        """Bytes in memory."""
        return sum(column.octets for column in self.columns.values())


def _packed(column: pd.Series) -> _Column:
    if not isinstance(column.dtype, np.dtype):
        return _Plain(column.array.copy())
    plain = column.to_numpy()
    try:
        codes, different = pd.factorize(plain)
    except TypeError:  # of values that have no hash
        return _Plain(plain)
    unknown = codes == -1
    if plain.dtype == object and not _come_back(plain[unknown], different):
        return _Plain(plain)
    if 2 * len(different) <= len(plain):
        if unknown.any():
            codes[unknown] = len(different)
            different = np.append(different, plain[unknown][:1])
        return _Coded(different, codes.astype(_code_type(different)))
    if plain.dtype == object and set(map(type, different)) == {str}:
        try:
            return _Text(pd.array(plain, dtype=_TEXT))
        except UnicodeError:  # half of a letter, as no text that was read has
            return _Plain(plain)
    return _Plain(plain)


def _joined(parts: Sequence[_Column]) -> _Column:
    """A column of several parts; packed anew only where the parts are packed in different ways."""
    if all(isinstance(part, _Coded) for part in parts) and len({part.values.dtype for part in parts}) == 1:
        return _joined_codes([part for part in parts if isinstance(part, _Coded)])
    if all(isinstance(part, _Text) for part in parts):
        values = pd.concat([pd.Series(part.values, copy=False) for part in parts], ignore_index=True).array
        # What did not repeat in any of the parts may in all of them.
        return (
            _Text(values)
            if 2 * len(values.unique()) > len(values)
            else _packed(_series(_Text(values).head(len(values))))
        )
    if all(isinstance(part, _Plain) and not isinstance(part.values, np.ndarray) for part in parts):
        return _Plain(pd.concat([pd.Series(part.values, copy=False) for part in parts], ignore_index=True).array)
    return _packed(pd.concat([_series(part.head(_rows(part))) for part in parts], ignore_index=True))


def _joined_codes(parts: Sequence[_Coded]) -> _Coded:
    every = np.concatenate([part.values for part in parts])
    if every.dtype == object:
        # By type as well: 1, 1.0 and True are equal.
        places: dict[Any, int] = {}
        of_each = np.array([places.setdefault((type(value), value), len(places)) for value in every], dtype=np.int64)
    else:
        of_each, _ = pd.factorize(every, use_na_sentinel=False)
    edges = np.cumsum([0, *(len(part.values) for part in parts)])
    codes = np.concatenate([of_each[edges[n] + part.codes.astype(np.int64)] for n, part in enumerate(parts)])
    # Without the values that no row has any more; the first of equal ones stands for all.
    first = np.unique(of_each, return_index=True)[1]
    used = np.bincount(codes, minlength=len(first)) > 0
    different = every[first[used]]
    return _Coded(different, (np.cumsum(used) - 1)[codes].astype(_code_type(different)))


def _rows(column: _Column) -> int:
    return len(column.codes if isinstance(column, _Coded) else column.values)


def _code_type(different: Array) -> Any:
    return np.min_scalar_type(max(0, len(different) - 1))


def _come_back(unknown: Array, different: Array) -> bool:
    """Whether each row gets its own value back: None and NaN are one to factorize, as are 1, 1.0 and True."""
    kinds = set(map(type, different))
    return all(value is None for value in unknown) and not kinds & {float, int, bool}


def _series(values: Array) -> pd.Series:
    series: pd.Series = pd.Series(values, dtype=values.dtype, copy=False)
    return series


def _octets(values: Array) -> int:
    """Bytes of an array, with those of the objects in it."""
    return int(pd.Series(values, copy=False).memory_usage(index=False, deep=True))
