"""Answers that are kept for a while and shared: asked for once, side by side, whoever and however many want them."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from typing import Any

from data.store import Read

_THREADS = 16


class Shelf:
    """Up to `most` answers, each at most `fresh` old. What failed is asked for anew."""

    def __init__(self, fresh: timedelta, most: int) -> None:
        self._fresh, self._most = fresh, most
        self._answers: dict[Hashable, Future[Read[Any]]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="shelf")

    def begin(self, key: Hashable, ask: Callable[[], Read[Any]]) -> "Future[Read[Any]]":
        """The answer that is kept under `key` or on its way; else `ask` for it, without waiting."""
        with self._lock:
            known = self._answers.pop(key, None)
            if known is None or not self._good(known):
                known = self._pool.submit(copy_context().run, ask)
            self._answers[key] = known  # the last one now, so that the first is the one that nobody wanted for longest
            if len(self._answers) > self._most:
                del self._answers[next(iter(self._answers))]
        return known

    def forget(self, key: Hashable) -> None:
        """Ask anew next time."""
        with self._lock:
            self._answers.pop(key, None)

    def _good(self, answer: "Future[Read[Any]]") -> bool:
        if not answer.done():
            return True
        return answer.exception() is None and datetime.now(UTC) - answer.result().read_at < self._fresh
