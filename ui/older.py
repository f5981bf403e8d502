"""Answers that are no longer fresh, kept a while for when a fresh one cannot be had: bounded in age and in bytes."""

import pickle
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from data.dynamodb.errors import Failure
from data.dynamodb.store import Read

AGE = timedelta(hours=1)
BYTES = 64 * 2**20
QUESTIONS = 2_000
RETRY = timedelta(seconds=30)
"""After a fresh read has failed, so long nobody but who presses Refresh waits for the next one."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Question:
    """What somebody asked: whose turn it is to ask it, its last answer, and the failure since."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    pickled: bytes = b""
    read_at: datetime = _NEVER
    failure: Failure | None = None
    failed_at: datetime = _NEVER
    asked_at: datetime = _NEVER
    stale: bool = False

    def is_fresh(self, span: timedelta, now: datetime) -> bool:
        """Whether there is an answer no older than `span`, and nobody wants a newer one."""
        return bool(self.pickled) and not self.stale and now - self.read_at < span

    def answer(self, now: datetime) -> Read[Any] | None:
        """The last answer, unless it is too old."""
        if not self.pickled or now - self.read_at > AGE:
            self.pickled = b""
            return None
        answer: Read[Any] = pickle.loads(self.pickled)  # noqa: S301 - our own bytes, which never leave this process
        return answer

    def recent_failure(self, now: datetime) -> Failure | None:
        """Why a fresh read failed a moment ago."""
        return self.failure if now - self.failed_at < RETRY else None

    def fail(self, failure: Failure, now: datetime) -> None:
        """Remember that asking failed. Whoever may not read the data any more shall not see it from here either."""
        self.failure, self.failed_at = failure.to_keep(), now
        if not failure.passing:
            self.pickled = b""

    def retry(self) -> None:
        """Ask afresh next time, however short ago that failed."""
        self.failure, self.stale = None, True

    @contextmanager
    def mine(self, seconds: float) -> Iterator[bool]:
        """Whether it became one's turn within so many seconds; it is over at the end."""
        got = self.turn.acquire(timeout=seconds)
        try:
            yield got
        finally:
            if got:
                self.turn.release()


class Older:
    """All questions with their last answers. Safe to share between threads."""

    def __init__(self) -> None:
        self._questions: OrderedDict[Hashable, Question] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: Hashable) -> Question:
        """The question of that key, made anew when it is not known (any more)."""
        with self._lock:
            is_known = key in self._questions
            question = self._questions.setdefault(key, Question())
            self._questions.move_to_end(key)
            question.asked_at = datetime.now(UTC)
            # One that is known makes nothing longer, and looking at all of them takes a while.
            if not is_known:
                self._shed()
            return question

    def keep(self, question: Question, answer: Read[Any]) -> None:
        """Keep an answer, in place of the one before; what nobody asked for longest is dropped for it."""
        question.failure, question.stale = None, False
        if question.read_at == answer.read_at and question.pickled:
            return
        pickled = pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)
        with self._lock:
            question.pickled, question.read_at = pickled, answer.read_at
            self._shed()

    @property
    def octets(self) -> int:
        """How much is kept."""
        return sum(len(question.pickled) for question in self._questions.values())

    def _shed(self) -> None:
        now = datetime.now(UTC)
        for key, question in list(self._questions.items()):
            if now - question.read_at > AGE:
                question.pickled = b""
                if now - question.asked_at > AGE and not question.turn.locked():
                    del self._questions[key]
        while len(self._questions) > QUESTIONS or self.octets > BYTES:
            self._questions.popitem(last=False)
