"""One cache for all answers: value, time, cost, wholeness and last failure under one key, shared by all visitors.

An answer is fresh for some minutes. After that it is read again; where that fails, the last answer of the last hour is
served with the failure (stale-if-error, RFC 5861). Each key has a lock, so that ten who ask cost what one does.
"""

import logging
import pickle
import threading
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any, Generic, ParamSpec, TypeVar

from cachetools import LRUCache, TTLCache

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
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
_LONG = 2**20
"""Bytes from which on an answer is kept compressed."""
_DERIVED = 64
_DERIVED_ENTRIES = 500_000
"""At most so many values that were worked out are kept, and all of their entries, such as a list's students."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer; where it is stale, because a fresh one could not be had, the failure of that."""

    read: Read[T]
    failure: Failure | None = None


class Query(Generic[P, T]):
    """A question that can be asked of the cache: how it is answered, by which key it is known.

    `students` says whose records its arguments ask for; without it, it is everybody's.
    """

    def __init__(self, load: Callable[P, Read[T]], students: Callable[..., Iterable[str]] | None = None) -> None:
        self._load = load
        self._students = students
        self.__doc__ = load.__doc__
        self.name = getattr(load, "__name__", type(self).__name__)

    def key(self, *args: Any) -> Hashable:
        """A digest: the arguments themselves may name hundreds of records."""
        return self.name, blake2b(repr(args).encode(), digest_size=16).digest()

    def students(self, *args: Any) -> Iterable[str] | None:
        """Whose records are asked for; None for everybody's, of which each visitor is given what they may see."""
        return None if self._students is None else self._students(*args)

    def load(self, last: Read[Any] | None, now: datetime, *args: Any) -> Read[Any]:
        """A fresh answer as it is kept. `last` is the one before, for queries that only read what is new."""
        del last, now
        load: Callable[..., Read[T]] = self._load
        return load(*args).map(packed)

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """Whether what is kept answers this."""
        del kept, args
        return True

    def reaches(self, kept: Read[Any], now: datetime, *args: Any) -> bool:
        """Whether what is kept is good enough to stand in for an answer that cannot be had."""
        del now
        return self.covers(kept, *args)

    def take(self, kept: Read[Any], now: datetime, *args: Any) -> Read[T]:
        """The answer, out of what is kept. What a page does to its own stays with it."""
        del now, args
        return kept.map(_unpacked)

    @property
    def is_bounded(self) -> bool:
        """Whether its answers count into the cache's bytes and may be dropped for others."""
        return True

    @cached_property
    def later(self) -> "Query[P, Once[T]]":
        """The same, but a value is made only where it is asked for.

        It is for pages whose clicks show what was worked out before: of a large school it takes a tenth of a second.
        """
        return _Later(self)


def packed(value: object) -> bytes:
    """A value as it is kept. As itself it would grow with each look: pandas notes in a frame who shares its columns.

    A long one is compressed, to a fifth where it is rows: else a large school's period has no room and is read anew by
    each click.
    """
    plain = _pickled(value)
    return plain if len(plain) < _LONG else zlib.compress(plain, 1)


def _pickled(value: object) -> bytes:
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def _unpacked(kept: bytes) -> Any:
    # A pickle begins with 0x80, what zlib has made with 0x78.
    plain = kept if kept[:1] == pickle.PROTO else zlib.decompress(kept)
    return pickle.loads(plain)  # noqa: S301 - `packed` has made it in this process: of no file, browser or network


class _Later(Query[P, Once[T]]):
    """What a query answers, as something that makes the value; it is read, kept and brought up to date as one."""

    def __init__(self, asked: Query[P, T]) -> None:
        self.name, self._asked = asked.name, asked

    @property
    def is_bounded(self) -> bool:
        """As the query."""
        return self._asked.is_bounded

    def key(self, *args: Any) -> Hashable:
        """The query's."""
        return self._asked.key(*args)

    def students(self, *args: Any) -> Iterable[str] | None:
        """As the query."""
        return self._asked.students(*args)

    def load(self, last: Read[Any] | None, now: datetime, *args: Any) -> Read[Any]:
        """As the query."""
        return self._asked.load(last, now, *args)

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """As the query."""
        return self._asked.covers(kept, *args)

    def reaches(self, kept: Read[Any], now: datetime, *args: Any) -> bool:
        """As the query."""
        return self._asked.reaches(kept, now, *args)

    def take(self, kept: Read[Any], now: datetime, *args: Any) -> Read[Once[T]]:
        """What makes the answer."""
        return kept.map(lambda _: Once(lambda: self._asked.take(kept, now, *args).value, is_final=True))


query = Query
"""Makes a function that reads everybody's records a query."""


def query_of(students: Callable[..., Iterable[str]]) -> Callable[[Callable[P, Read[T]]], Query[P, T]]:
    """Makes a function a query that reads the records of the students whom `students` takes from its arguments."""
    return lambda load: Query(load, students)


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
    wishes: int = 0
    """How often somebody wanted it read anew: what was wished during a read is not answered by that read."""
    failure: Failure | None = None
    failed_at: datetime = _NEVER
    _wishing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def is_fresh(self, within: timedelta, now: datetime) -> bool:
        """Whether there is an answer younger than `within`, and nobody wants a newer one."""
        # What was read at a time to come was read before the clock was set back: how old it is, nobody knows.
        age = timedelta.max if self.read is None else abs(now - self.read.read_at)
        return age < within and not (self.is_outdated or self.is_changed)

    def base(self, now: datetime) -> Read[Any] | None:
        """What is there to be brought up to date; None where all is to be read, as after the clock was set back."""
        return None if self.is_outdated or self.read is None or self.read.read_at - now >= FRESH else self.read

    def recent_failure(self, now: datetime) -> Failure | None:
        """Why a read failed a moment ago."""
        return self.failure if abs(now - self.failed_at) < RETRY else None

    def keep(self, read: Read[Any], size: int, wishes: int) -> None:
        """Keep an answer, in place of the one before; `wishes` is how many there were when the read began."""
        self.read, self.size, self.failure = read, size, None
        with self._wishing:
            if self.wishes == wishes:
                self.is_outdated = self.is_changed = False

    def fail(self, failure: Failure, now: datetime) -> None:
        """Remember that reading failed. Whoever may not read the data any more shall not see it from here either.

        But not where nobody was asked, because the time of one page was over: that says nothing to another's.
        """
        if failure.case == "not_asked":
            return
        self.failure, self.failed_at = failure.to_keep(), now
        if not failure.passing:
            self.read, self.size = None, 0

    def outdate(self) -> None:
        """Read anew next time, however short ago that failed."""
        with self._wishing:
            self.failure, self.is_outdated = None, True
            self.wishes += 1

    def change(self) -> None:
        """What was read has been changed: read what is new next time."""
        with self._wishing:
            self.is_changed = True
            self.wishes += 1

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


@dataclass(slots=True, eq=False)
class _Derived:
    """A value that is worked out, and how many entries it counts for."""

    once: Once[Any]
    size: int = _DERIVED_ENTRIES // _DERIVED
    is_weighed: bool = False


def _octets(kept: object) -> int:
    """Bytes that an answer takes: as it is kept, or for one that is no bytes, of what it would be."""
    return len(kept if isinstance(kept, bytes) else _pickled(kept))


def _entries(value: object) -> int:
    """How many entries a value has, or the largest of its fields."""
    parts = [value]
    if is_dataclass(value):
        parts += [getattr(value, part.name) for part in fields(value)]
    return max(
        (len(part) for part in parts if isinstance(part, Sized) and not isinstance(part, str | bytes)), default=0
    )


class Cache:
    """All answers. Safe to share between threads. `clock` says what time it is, here and on the pages."""

    def __init__(self, clock: Callable[[], datetime] = _now, octets: int = BYTES) -> None:
        self.clock = clock
        self._lock = threading.RLock()
        # What nobody asked for longest goes first; what is too old to be served goes by itself.
        self._entries: TTLCache[Hashable, Entry] = TTLCache(
            octets,
            STALE.total_seconds(),
            timer=lambda: self.clock().timestamp(),
            getsizeof=lambda entry: max(entry.size, octets // ENTRIES),
        )
        self._pinned: dict[Hashable, Entry] = {}
        self._derived: LRUCache[Hashable, _Derived] = LRUCache(_DERIVED_ENTRIES, getsizeof=lambda one: one.size)

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
        entry, now = self.entry(asked, *args), self.clock()
        kept = entry.read
        # Nobody waits for what is there, also while more of it is read.
        if kept is not None and entry.is_fresh(within, now) and asked.covers(kept, *args):
            return Answer(asked.take(kept, now, *args))
        with entry.mine(budget.remaining()) as is_mine:
            if not is_mine:
                raise Failure("too_slow", case="queued")
            kept = entry.read
            if kept is not None and entry.is_fresh(within, now) and asked.covers(kept, *args):
                return Answer(asked.take(kept, now, *args))
            if failure := entry.recent_failure(now):
                if last := self._last(asked, entry, now, *args):
                    return Answer(last, failure)
                if failure.passing and failure.kind not in MENDED_ELSEWHERE:
                    raise failure.to_keep()
            wishes = entry.wishes
            try:
                read = asked.load(entry.base(now), now, *args)
            except Failure as error:
                entry.fail(error, now)
                if not (last := self._last(asked, entry, now, *args)):
                    raise
                request_id = error.request_id or "none"
                # The name first: what is logged is counted by it.
                line = "%s: the answer of %s is shown, because: %s (request %s)"
                log.warning(line, asked.name, last.read_at, error.kind, request_id)
                return Answer(last, error)
            self._keep(asked.key(*args), entry, read, wishes, is_bounded=asked.is_bounded)
            return Answer(asked.take(read, now, *args))

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

    def peek(self, asked: Query[..., T], *args: Any) -> tuple[datetime, Callable[[], Read[T]]] | None:
        """When what is kept was read, however long ago, and how to take it: nobody is asked for anything.

        None where nothing is kept, or it does not reach so far.
        """
        kept = self.entry(asked, *args).read
        if kept is None or not asked.covers(kept, *args):
            return None
        return kept.read_at, lambda: asked.take(kept, self.clock(), *args)

    def kept(self, asked: Query[..., Any], *args: Any) -> Read[Any] | None:
        """What is kept, however old it is, unless somebody wants all of it read anew and that has not just failed."""
        entry = self.entry(asked, *args)
        has_failed = entry.recent_failure(self.clock()) is not None
        return None if entry.is_outdated and not has_failed else entry.read

    def has_fresh(self, asked: Query[..., Any], *args: Any, within: timedelta = FRESH) -> bool:
        """Whether the answer needs no read, as far as can be told without asking."""
        entry = self.entry(asked, *args)
        kept = entry.read
        return kept is not None and entry.is_fresh(within, self.clock()) and asked.covers(kept, *args)

    def change(self, asked: Query[..., Any], *args: Any) -> None:
        """Let the next one who asks see what has changed, because this dashboard has changed it."""
        with self._lock:
            entry = (self._entries if asked.is_bounded else self._pinned).get(asked.key(*args))
        if entry is not None:  # else nobody has it, and nothing is put in the place of other answers
            entry.change()

    def change_every(self, asked: Query[..., Any]) -> None:
        """The same, whatever the arguments: what has changed may be in any of these answers."""
        with self._lock:
            entries = [entry for key, entry in self._entries.items() if isinstance(key, tuple) and key[0] == asked.name]
        for entry in entries:
            entry.change()

    def outdate(self, asked: Query[..., Any], *args: Any) -> None:
        """Let the next one who asks read anew."""
        self.entry(asked, *args).outdate()

    def derive(self, key: Hashable, make: Callable[[], U]) -> U:
        """What `make` works out, once for each key. It is shared and must not be changed."""
        with self._lock:
            if key not in self._derived:
                self._derived[key] = _Derived(Once(make, is_final=True))
            derived = self._derived[key]
        try:
            # Outside of the lock: whoever asks for something else does not wait for this.
            value: U = derived.once()
        except Exception:  # whatever it was: it is raised, and the next one who asks tries again
            with self._lock:
                self._derived.pop(key, None)
            raise
        if not derived.is_weighed:
            # Put in anew, so that its size counts.
            with self._lock, suppress(ValueError):  # one that is larger than all may be is not kept
                derived.is_weighed = True
                if self._derived.pop(key, None) is derived:
                    derived.size = max(derived.size, _entries(value))
                    self._derived[key] = derived
        return value

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
        if kept is None or abs(now - kept.read_at) > STALE or not asked.reaches(kept, now, *args):
            return None
        return asked.take(kept, now, *args)

    def _keep(self, key: Hashable, entry: Entry, read: Read[Any], wishes: int, *, is_bounded: bool) -> None:
        entry.keep(read, _octets(read.value) if is_bounded else 0, wishes)
        if is_bounded:
            # Put in anew, so that its size and its age count.
            with self._lock, suppress(ValueError):  # one that is larger than all of the cache is not kept
                self._entries.pop(key, None)
                self._entries[key] = entry
