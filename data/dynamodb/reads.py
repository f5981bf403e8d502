"""What a read answers: the value, its cost and time, and whether it is whole; several of them as one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure

Item = dict[str, Any]
"""An item as DynamoDB sends it: attribute name -> {type letter: value}."""
T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Read(Generic[T_co]):
    """An answer: the value, what it cost, when it was read, and whether it is whole.

    `notes` are sentences for the reader, such as that the read stopped at a cap, or a Failure where it is not known
    what an index carries.
    """

    value: T_co
    cost: Cost
    read_at: datetime = field(default_factory=lambda: _now())  # noqa: PLW0108 - a benchmark replaces _now
    complete: bool = True
    notes: tuple[str | Failure, ...] = ()

    def map(self, change: Callable[[T_co], U]) -> "Read[U]":
        """The same answer with another value."""
        return Read(change(self.value), self.cost, self.read_at, self.complete, self.notes)


def combine(reads: Iterable[Read[Sequence[U]]]) -> Read[list[U]]:
    """Several reads of lists as one: costs added, the oldest time, whole only if all are."""
    parts = list(reads)
    return Read(
        [value for part in parts for value in part.value],
        sum((part.cost for part in parts), Cost()),
        min(part.read_at for part in parts),
        all(part.complete for part in parts),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def follow(pages: Iterable[Read[Sequence[U]]]) -> Read[list[U]]:
    """The pages of one read as one: whole if the last one is."""
    parts = list(pages)
    return replace(combine(parts), complete=parts[-1].complete)


def stopped(cap: int) -> str:
    """The note of a read that `cap` cut off."""
    return f"Stopped after {cap:,} records; there are more."


def _now() -> datetime:
    return datetime.now(UTC)
