"""A value that is made by whoever needs it first, while the others wait for it; and what it is known by."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Same:
    """Stands for an object in a key: equal to what stands for the very same object."""

    of: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.of is self.of

    def __hash__(self) -> int:
        return id(self.of)


class Once(Generic[T]):
    """A value, made at the first call and kept. Not kept when it cannot be made: the next call tries again.

    `is_final`: it will never be made anew, so that what it was made of need not stay in memory.
    """

    def __init__(self, make: Callable[[], T], *, is_final: bool = False) -> None:
        self._make: Callable[[], T] | None = make
        self._is_final = is_final
        self._lock = threading.Lock()
        self._kept: list[T] = []

    def __call__(self) -> T:
        """The value, made now if it is not there yet."""
        with self._lock:
            if not self._kept and self._make is not None:
                self._kept.append(self._make())
                if self._is_final:
                    self._make = None
            return self._kept[0]

    def forget(self) -> None:
        """Make it anew next time."""
        with self._lock:
            self._kept.clear()
