"""Windows too long for one run of a page: read in the background, newest first, while somebody waits for them."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from data import traces
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.schema import EVALUATIONS, FLASHCARD_SETS, Table
from queries import records, source
from queries.cache import Cache
from queries.session import cache
from queries.window import Window

log = logging.getLogger(__name__)

MANY = 200_000
"""Records of a table from which on a window is not read in one go: a page would wait for seconds."""
FIRST_STEP = 7
"""Days that are read first, for a first look; of a million records a year this takes a second."""
_STEP = 28  # days
_LONGEST = 600.0
"""Seconds of one step: whoever else asks for the window waits for its lock, also where an answer only trickles in."""
_PATIENCE = 10.0  # seconds without a question after which everybody has left
_FIRST_LOOK = 3.0  # seconds, at most, in which nothing more is read while the first step is shown


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How far a window has been read: its newest `days` of `of` days."""

    days: int
    of: int


class Loader:
    """Reads one window in steps, in a thread, for as long as it is asked how far it is.

    After the first step it goes on with the next question: whoever asked is busy showing what is there.
    """

    def __init__(self, window: Window, of: Cache, clock: Callable[[], float] = time.monotonic) -> None:
        self._window, self._cache, self._clock = window, of, clock
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked = threading.Event()
        self._asked_at = 0.0
        self._days = 0
        self._error: Exception | None = None
        self._failed_at = 0.0

    def progress(self, days: int) -> LoadProgress | None:
        """How far it is; None where all is there. Raises what stopped it, once: the next question tries again.

        What stopped it while nobody asked any more is nobody's: whoever comes later gets a read of their own.
        """
        if (reached := self._reached()) >= days:
            return None
        with self._lock:
            if self._error is not None:
                error, self._error = self._error, None
                if self._clock() - self._failed_at <= _PATIENCE:
                    raise error
            self._asked_at, self._days = self._clock(), max(days, self._days)
            self._asked.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._read, daemon=True, name=f"window of {self._window.name}")
                self._thread.start()
        return LoadProgress(reached, days)

    def _reached(self) -> int:
        kept = self._cache.kept(self._window)
        return 0 if kept is None else int(kept.value.days)

    def _read(self) -> None:
        try:
            while (step := self._next()) is not None:
                self._extend(step)
                if step == FIRST_STEP:
                    self._asked.clear()
                    self._asked.wait(_FIRST_LOOK)
        except Exception as error:  # noqa: BLE001 - it is logged, and who asks for the answer gets it
            if not isinstance(error, Failure):
                what = self._window.name, type(error).__name__, "".join(traces.places(error))
                log.error("Reading %s in the background failed with %s:\n%s", *what)  # noqa: TRY400 - without its words
            with self._lock:
                self._error, self._failed_at = error, self._clock()
                self._thread, self._days = None, 0

    def _extend(self, days: int) -> None:
        before = self._reached()
        with budget.limited(_LONGEST):
            answer = self._cache.answer(self._window.later, days)
        if answer.failure is not None and self._reached() <= before:
            raise answer.failure

    def _next(self) -> int | None:
        """The days to read next; None where all is there or everybody has left, and then the thread is over."""
        reached = self._reached()
        with self._lock:
            step = next((days for days in _steps(self._days) if days > reached), None)
            if step is None or self._clock() - self._asked_at > _PATIENCE:
                self._thread, self._days = None, 0
                return None
        return step


def _steps(days: int) -> Iterator[int]:
    yield from range(FIRST_STEP, days, _STEP)
    yield days


_loaders: dict[str, Loader] = {}
_lock = threading.Lock()


def progress(window: Window, table: Table, days: int) -> LoadProgress | None:
    """How far a long window of a large table has been read; None where it is there, or is soon read in one go.

    As long as somebody asks, it is read on. What is there already is kept, whoever leaves.
    """
    kept: Any = cache.kept(window)
    if days <= FIRST_STEP or (kept is not None and kept.value.days >= days) or not _has_many(table):
        return None
    with _lock:
        loader = _loaders.setdefault(window.name, Loader(window, cache))
    return loader.progress(days)


def of_everything(days: int) -> LoadProgress | None:
    """How far both windows have been read: of the first that is not all there. None where both are."""
    for window, table in ((records.period, EVALUATIONS), (records.sets_period, FLASHCARD_SETS)):
        if (state := progress(window, table, days)) is not None:
            return state
    return None


def _has_many(table: Table) -> bool:
    try:
        return source.facts(table).items >= MANY
    except Exception:  # noqa: BLE001 - the read that follows says what is wrong, in its place
        return False
