"""How long a page may wait for AWS: a time for the whole run, within which every call has its own."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TypeVar

THREADS = "side-by-side"
"""What the names of the threads that ask side by side begin with."""
PAGE_SECONDS = 30.0
"""What a run of a page waits in all."""
CALL_SECONDS = 12.0
"""What one call may take of it, its retries included, so that one that hangs leaves time for the others."""

_clock = time.monotonic

T = TypeVar("T")
U = TypeVar("U")


@dataclass
class Late(Exception):
    """No answer in time. `asked` is False where the time was over before the call, or the same had just hung."""

    seconds: float
    asked: bool

    @property
    def span(self) -> str:
        """The seconds, in words."""
        return f"{self.seconds:.2g} s" if self.seconds < 10 else f"{self.seconds:.0f} s"


@dataclass(slots=True)
class _Limit:
    seconds: float
    ends: float
    hung: dict[tuple[str, ...], float] = field(default_factory=dict)


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


@contextmanager
def limited(seconds: float | None = None) -> Iterator[None]:
    """All calls inside wait so long in all; PAGE_SECONDS unless told. A limit inside another cannot outlast it."""
    outer = _limit.get()
    if outer and seconds is None:
        yield
        return
    span = PAGE_SECONDS if seconds is None else seconds
    inner = _Limit(span, _clock() + span, outer.hung if outer else {})
    token = _limit.set(outer if outer and outer.ends < inner.ends else inner)
    try:
        yield
    finally:
        _limit.reset(token)


@contextmanager
def lifted() -> Iterator[None]:
    """No limit inside, and the time that this takes is not counted outside: for what shows how far it has come."""
    outer = _limit.get()
    began = _clock()
    token = _limit.set(None)
    try:
        yield
    finally:
        _limit.reset(token)
        if outer:
            outer.ends += _clock() - began


def remaining() -> float:
    """The seconds that are left; PAGE_SECONDS where nothing limits them."""
    limit = _limit.get()
    return PAGE_SECONDS if limit is None else max(0.0, limit.ends - _clock())


def answer(send: Callable[[], T], *what: str) -> T:
    """What `send` returns or raises; Late when that is not soon enough. `what` names the call.

    Where there is a limit, `send` runs in a thread of its own, which is left behind when it is late: nothing else holds
    whatever hangs, be it the network, a name server, or an answer that comes in a byte at a time.
    """
    limit = _limit.get()
    if limit is None:
        return send()
    if (left := limit.ends - _clock()) <= 0:
        raise Late(limit.seconds, asked=False)
    if what in limit.hung:
        raise Late(limit.hung[what], asked=False)
    span = min(left, CALL_SECONDS)
    try:
        return _within(span, send)
    except TimeoutError:
        limit.hung[what] = span
        raise Late(span, asked=True) from None


def pause(seconds: float) -> None:
    """Sleep, but not beyond the limit."""
    time.sleep(min(seconds, remaining()))


def side_by_side(ask: Callable[[T], U], of: Iterable[T], most: int = 64) -> list[U]:
    """`ask` of each value, `most` at a time, under the limit that holds here. Raises what the first one raised."""
    values = list(of)
    if len(values) == 1:
        return [ask(values[0])]
    # A thread does not know the context that it was started from.
    contexts = [copy_context() for _ in values]
    with ThreadPoolExecutor(min(most, max(1, len(values))), thread_name_prefix=THREADS) as pool:
        return list(pool.map(lambda context, value: context.run(ask, value), contexts, values))


def _within(seconds: float, send: Callable[[], T]) -> T:
    """What `send` returns or raises; TimeoutError when it does neither in time."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(send())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is awaited
            future.set_exception(error)

    # A daemon and no executor's thread: Python waits for those at its end, and here that is for what hangs.
    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="call").start()
    return future.result(seconds)
