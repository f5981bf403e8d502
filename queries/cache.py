"""One cache for all answers: value, time, cost, wholeness and last failure under one key, shared by all visitors.

An answer is fresh for some minutes. After that it is read again; where that fails, the last answer of the last hour is
served with the failure (stale-if-error, RFC 5861). Each key has a lock, so that ten who ask cost what one does.
"""

import logging
import pickle
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Generic, ParamSpec, TypeVar

import pandas as pd
from cachetools import LRUCache, TTLCache

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Read
from queries.once import Once

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

FRESH = timedelta(minutes=5)
STALE = timedelta(hours=1)
"""How old an answer may be that stands in for one that cannot be had."""
RETRY = timedelta(seconds=30)
"""After a read has failed, so long nobody but who presses Refresh waits for the next one."""
MENDED_ELSEWHERE = ("expired", "index_building")
"""Failures that pass, but as soon as somebody mends them or waits for them: the next one who asks may know."""
_NEVER = datetime.min.replace(tzinfo=UTC)
BYTES = 64 * 2**20
ENTRIES = 2_000
"""At most so many: a small answer counts as this part of the bytes."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer; where it is stale, because a fresh one could not be had, the failure of that."""

    read: Read[T]
    failure: Failure | None = None


class Query(Generic[P, T]):
    """A question that can be asked of the cache: how it is answered, by which key it is known."""

    def __init__(self, load: Callable[P, Read[T]]) -> None:
        self._load = load
        self.__doc__ = load.__doc__
        self.name = getattr(load, "__name__", type(self).__name__)

    def key(self, *args: Any) -> Hashable:
        """A digest: the arguments themselves may name hundreds of jobs."""
        return self.name, blake2b(repr(args).encode(), digest_size=16).digest()

    def load(self, last: Read[Any] | None, *args: Any) -> Read[Any]:
        """A fresh answer, to be kept. `last` is the one before, for queries that only read what is new."""
        del last
        load: Callable[..., Read[T]] = self._load
        return load(*args)

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """Whether what is kept answers this."""
        del kept, args
        return True

    def reaches(self, kept: Read[Any], *args: Any) -> bool:
        """Whether what is kept is good enough to stand in for an answer that cannot be had."""
        return self.covers(kept, *args)

    def take(self, kept: Read[Any], *args: Any) -> Read[T]:
        """The answer, out of what is kept. Frames are copied on write: what a page does to its own stays with it."""
        del args
        return kept.map(_own)

    @property
    def is_bounded(self) -> bool:
        """Whether its answers count into the cache's bytes and may be dropped for others."""
        return True


def _own(value: Any) -> Any:
    return value.copy(deep=False) if isinstance(value, pd.DataFrame) else value


def query(load: Callable[P, Read[T]]) -> Query[P, T]:
    """Make a function that reads a query."""
    return Query(load)


@dataclass(slots=True)
class Entry:
    """What the cache knows under one key."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    read: Read[Any] | None = None
    size: int = 0
    is_outdated: bool = False
    """Somebody wants all of it read anew."""
    is_changed: bool = False
    """What was read has been changed since, by this dashboard itself."""
    failure: Failure | None = None
    failed_at: datetime = _NEVER

    def is_fresh(self, within: timedelta, now: datetime) -> bool:
        """Whether there is an answer younger than `within`, and nobody wants a newer one."""
        return self.read is not None and not (self.is_outdated or self.is_changed) and now - self.read.read_at < within

    def recent_failure(self, now: datetime) -> Failure | None:
        """Why a read failed a moment ago."""
        return self.failure if now - self.failed_at < RETRY else None

    def keep(self, read: Read[Any], size: int) -> None:
        """Keep an answer, in place of the one before."""
        self.read, self.size, self.failure = read, size, None
        self.is_outdated = self.is_changed = False

    def fail(self, failure: Failure, now: datetime) -> None:
        """Remember that reading failed. Whoever may not read the data any more shall not see it from here either."""
        self.failure, self.failed_at = failure.to_keep(), now
        if not failure.passing:
            self.read, self.size = None, 0

    def outdate(self) -> None:
        """Read anew next time, however short ago that failed."""
        self.failure, self.is_outdated = None, True

    @contextmanager
    def mine(self, seconds: float) -> Iterator[bool]:
        """Whether it became one's turn within so many seconds; it is over at the end."""
        is_mine = self.turn.acquire(timeout=seconds)
        try:
            yield is_mine
        finally:
            if is_mine:
                self.turn.release()


def _now() -> datetime:
    return datetime.now(UTC)


class Cache:
    """All answers. Safe to share between threads. `clock` says what time it is."""

    def __init__(self, clock: Callable[[], datetime] = _now, octets: int = BYTES) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        # What nobody asked for longest goes first; what is too old to be served goes by itself.
        self._entries: TTLCache[Hashable, Entry] = TTLCache(
            octets,
            STALE.total_seconds(),
            timer=lambda: self._clock().timestamp(),
            getsizeof=lambda entry: max(entry.size, octets // ENTRIES),
        )
        self._pinned: dict[Hashable, Entry] = {}
        self._derived: LRUCache[Hashable, Once[Any]] = LRUCache(16)

    def entry(self, asked: Query[..., Any], *args: Any) -> Entry:
        """What is known of this question."""
        key = asked.key(*args)
        with self._lock:
            if not asked.is_bounded:
                return self._pinned.setdefault(key, Entry())
            if key not in self._entries:
                self._entries[key] = Entry()
            return self._entries[key]

    def answer(self, asked: Query[..., T], *args: Any, within: timedelta = FRESH) -> Answer[T]:
        """The answer, fresh if it can be had, else the last one with the failure. Failure where there is neither."""
        entry, now = self.entry(asked, *args), self._clock()
        with entry.mine(budget.remaining()) as is_mine:
            if not is_mine:
                raise Failure(
                    "too_slow",
                    "Another visitor of this dashboard is waiting for the same answer.",
                    "Wait a moment, then press Refresh.",
                )
            kept = entry.read
            if kept is not None and entry.is_fresh(within, now) and asked.covers(kept, *args):
                return Answer(asked.take(kept, *args))
            if failure := entry.recent_failure(now):
                if last := self._last(asked, entry, now, *args):
                    return Answer(last, failure)
                if failure.passing and failure.kind not in MENDED_ELSEWHERE:
                    raise failure.to_keep()
            try:
                read = asked.load(None if entry.is_outdated else kept, *args)
            except Failure as error:
                entry.fail(error, now)
                if not (last := self._last(asked, entry, now, *args)):
                    raise
                request_id = error.request_id or "none"
                log.warning("The answer of %s is shown, because: %s (request %s)", last.read_at, error.kind, request_id)
                return Answer(last, error)
            self._keep(asked.key(*args), entry, read, is_bounded=asked.is_bounded)
            return Answer(asked.take(read, *args))

    def answers(
        self, questions: Sequence[tuple[Any, ...]], within: timedelta = FRESH
    ) -> "list[Answer[Any] | Exception]":
        """The answers of several questions, each a query with its arguments, read side by side; or what was raised."""

        def one(question: tuple[Any, ...]) -> Answer[Any] | Exception:
            try:
                return self.answer(question[0], *question[1:], within=within)
            except Exception as error:  # noqa: BLE001 - raised where the answer is asked for: only that part lacks it
                return error

        # What needs nothing new: threads would take longer than the answers.
        if all(self.has_fresh(*question, within=within) for question in questions):
            return [one(question) for question in questions]
        return budget.side_by_side(one, questions)

    def has_fresh(self, asked: Query[..., Any], *args: Any, within: timedelta = FRESH) -> bool:
        """Whether the answer needs no read, as far as can be told without asking."""
        entry = self.entry(asked, *args)
        kept = entry.read
        return kept is not None and entry.is_fresh(within, self._clock()) and asked.covers(kept, *args)

    def change(self, asked: Query[..., Any], *args: Any) -> None:
        """Let the next one who asks see what has changed, because this dashboard has changed it."""
        self.entry(asked, *args).is_changed = True

    def outdate(self, asked: Query[..., Any], *args: Any) -> None:
        """Let the next one who asks read anew."""
        self.entry(asked, *args).outdate()

    def derive(self, key: Hashable, make: Callable[[], U]) -> U:
        """What `make` works out, once for each key. It is shared and must not be changed."""
        with self._lock:
            if key not in self._derived:
                self._derived[key] = Once(make)
            derived: Once[U] = self._derived[key]
        try:
            # Outside of the lock: whoever asks for something else does not wait for this.
            return derived()
        except Exception:
            with self._lock:
                self._derived.pop(key, None)
            raise

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._pinned.clear()
            self._derived.clear()

    @property
    def octets(self) -> int:
        """Bytes of all answers that count."""
        with self._lock:
            return int(self._entries.currsize)

    def _last(self, asked: Query[..., T], entry: Entry, now: datetime, *args: Any) -> Read[T] | None:
        kept = entry.read
        if kept is None or now - kept.read_at > STALE or not asked.reaches(kept, *args):
            return None
        return asked.take(kept, *args)

    def _keep(self, key: Hashable, entry: Entry, read: Read[Any], *, is_bounded: bool) -> None:
        entry.keep(read, len(pickle.dumps(read.value, pickle.HIGHEST_PROTOCOL)) if is_bounded else 0)
        if is_bounded:
            # Put in anew, so that its size and its age count.
            with self._lock, suppress(ValueError):  # one that is larger than all of the cache is not kept
                self._entries.pop(key, None)
                self._entries[key] = entry
