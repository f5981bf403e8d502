"""Items of a long answer in columns, parsed by Arrow: to make a dictionary of every value took most of the time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from numpy.typing import NDArray

from data.dynamodb.reads import Item


@dataclass(frozen=True, slots=True)
class Columnar(Sequence[Item]):
    """Some attributes of the items of an answer, as text: a column for each, None where an item has none of it.

    As a sequence, to be sliced without a step, these are items that have those attributes alone. `odd` holds the items,
    by row, of which an attribute has another type than its letter in `letters`.
    """

    letters: Mapping[str, str]
    columns: Mapping[str, pa.StringArray]
    odd: Mapping[int, Item]
    rows: int

    @classmethod
    def parse(cls, items: bytes, letters: Mapping[str, str]) -> "Columnar":
        """A JSON list of items; ValueError where that is not what it is, also for half of a letter in a text.

        Of what is not in `letters`, and of what stands beside a letter in an attribute, nothing is looked at.
        """
        str(items, "utf-8")  # Arrow would take other bytes for text
        fields = [(name, pa.struct({letter: pa.string()})) for name, letter in letters.items()]
        answer = pa.json.read_json(
            pa.BufferReader(b'{"Items":%b}' % items),
            # All of it is one row, which must be in one block. With threads of its own, Arrow takes longer for it.
            pa.json.ReadOptions(use_threads=False, block_size=len(items) + 16),
            pa.json.ParseOptions(pa.schema({"Items": pa.list_(pa.struct(fields))}), unexpected_field_behavior="ignore"),
        )
        parsed = answer["Items"].combine_chunks().flatten()
        if len(answer) != 1 or answer["Items"].null_count or parsed.null_count:
            raise ValueError("no list of items")
        columns = {name: parsed.field(name).field(letter) for name, letter in letters.items()}
        odd = {row for name, texts in columns.items() for row in _without(texts, parsed.field(name))}
        whole = orjson.loads(items) if odd else []
        return cls(letters, columns, {row: whole[row] for row in odd}, len(parsed))

    def different(self, name: str) -> tuple[list[str | None], NDArray[np.intp]]:
        """Each different text of an attribute, None as well where there is none, and which of them each row has."""
        encoded = self.columns[name].dictionary_encode()
        texts = encoded.dictionary.to_pylist()
        codes = np.array(encoded.indices.fill_null(len(texts)), dtype=np.intp)
        return [*texts, None] if encoded.null_count else texts, codes

    def __len__(self) -> int:
        return self.rows

    @overload
    def __getitem__(self, place: int) -> Item: ...

    @overload
    def __getitem__(self, place: slice) -> "Columnar": ...

    def __getitem__(self, place: int | slice) -> "Item | Columnar":
        if isinstance(place, slice):
            begin, end, _ = place.indices(self.rows)
            columns = {name: texts[begin:end] for name, texts in self.columns.items()}
            odd = {row - begin: item for row, item in self.odd.items() if begin <= row < end}
            return Columnar(self.letters, columns, odd, max(0, end - begin))
        row = range(self.rows)[place]
        if row in self.odd:
            return self.odd[row]
        held = ((name, texts[row].as_py()) for name, texts in self.columns.items())
        return {name: {self.letters[name]: text} for name, text in held if text is not None}


def _without(texts: pa.StringArray, values: pa.StructArray) -> list[int]:
    """The rows that have a value, but no text in it."""
    if texts.null_count == values.null_count:
        return []
    rows: list[int] = pc.indices_nonzero(pc.and_(values.is_valid(), texts.is_null())).to_pylist()
    return rows
