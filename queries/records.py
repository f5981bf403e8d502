"""The questions about records: a student's, one record's, everybody's of a period."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis import phrases
from analysis.phrases import RecurringFeedback
from data.dynamodb.reads import Read, combine
from data.records import evaluations, flashcards, frames, jobs
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.jobs import FLASHCARDS, Key
from data.schema import EVALUATIONS, FLASHCARD_SETS
from queries import source
from queries.cache import FRESH, STALE, Cache, Query, packed, query, query_of
from queries.window import Window

MOST_REASONS = 2_000
"""As many reasons are kept, the newest: a page asks for 500 at most."""

period = Window(
    "evaluations",
    # Each time with the Store of then, which is another one once the credentials were looked for anew.
    lambda *span: evaluations.period(source.store(), *span),
    lambda *span: evaluations.update(source.store(), *span),
    keys=EVALUATIONS.key_names,
)
"""Everybody's evaluations of the last days."""
sets_period = Window(
    "flashcard sets",
    lambda *span: flashcards.period(source.store(), *span),
    lambda *span: flashcards.update(source.store(), *span),
    keys=FLASHCARD_SETS.key_names,
)
"""Everybody's flashcard sets of the last days."""


@query
def evaluations_between(first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """Everybody's evaluations of a period that need not reach until now."""
    return evaluations.period(source.store(), first, last)


@query
def sets_between(first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """Everybody's flashcard sets of a period that need not reach until now."""
    return flashcards.period(source.store(), first, last)


def _of_keys(keys: Iterable[tuple[str, ...]], *_: object) -> Iterable[str]:
    return (key[-1] for key in keys)


def _first(user_id: str, *_: object) -> tuple[str]:
    return (user_id,)


def _second(_: str, user_id: str) -> tuple[str]:
    return (user_id,)


def _called(_: str, user_ids: tuple[str, ...] | None) -> Iterable[str]:
    """An id alone does not say whose record it is. Asked of all students, it is for those who may see all."""
    return ("",) if user_ids is None else user_ids


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why a job failed, as its record said then; `is_there` is False where there was no such record.

    Not `is_sure` where this dashboard has just marked the job, and the record that was read did not say so yet.
    """

    text: str | None
    is_there: bool
    read_at: datetime
    is_sure: bool = True


class _Reasons(Query[[tuple[Key, ...]], dict[Key, str | None]]):
    """Why jobs failed. Each reason is kept by itself: one more failure reads one more record, not all of them again."""

    def __init__(self) -> None:
        self.name = "failure_reasons"

    def key(self, *args: Any) -> Hashable:
        """That of the tables: where one cannot be read, it keeps nobody from what is asked of the other alone."""
        keys: tuple[Key, ...] = args[0]
        return self.name, tuple(sorted({key.table for key in keys}))

    def students(self, *args: Any) -> Iterable[str]:
        """Whose jobs these are."""
        return _of_keys(*args)

    def load(self, last: Read[Any] | None, now: datetime, *args: Any) -> Read[dict[Key, _Reason]]:
        """What is not known, or was read some minutes ago. What nobody has asked for lately is not kept."""
        (keys,) = args
        known: dict[Key, _Reason] = {} if last is None else last.value
        asked = {
            key: known[key] for key in keys if key in known and known[key].is_sure and now - known[key].read_at < FRESH
        }
        read = jobs.reasons(source.store(), [key for key in dict.fromkeys(keys) if key not in asked])
        # A table is read as it was up to a second ago: what we have written ourselves may not be in it yet.
        unsure = _just_written([key for key, text in read.value.items() if text is None])
        for key in keys:
            if key not in asked:
                asked[key] = _Reason(read.value.get(key), key in read.value, read.read_at, key not in unsure)
        others = [key for key, one in known.items() if key not in asked and now - one.read_at <= STALE]
        others.sort(key=lambda key: known[key].read_at, reverse=True)
        kept = {key: known[key] for key in others[: max(0, MOST_REASONS - len(asked))]}
        return read.map(lambda _: {**kept, **asked})

    def covers(self, kept: Read[Any], *args: Any) -> bool:
        """Whether all are known, none of them from long before the last read."""
        (keys,) = args
        reasons: dict[Key, _Reason] = kept.value
        return all(
            key in reasons and reasons[key].is_sure and kept.read_at - reasons[key].read_at < FRESH for key in keys
        )

    def reaches(self, kept: Read[Any], now: datetime, *args: Any) -> bool:
        """Whether all are known, however long before the last read, if not too long ago."""
        (keys,) = args
        return all(key in kept.value and abs(now - kept.value[key].read_at) <= STALE for key in keys)

    def take(self, kept: Read[Any], now: datetime, *args: Any) -> Read[dict[Key, str | None]]:
        """The reasons of those jobs whose records are there, as old as the oldest of them."""
        del now
        (keys,) = args
        reasons: dict[Key, _Reason] = {key: kept.value[key] for key in keys}
        read_at = min((one.read_at for one in reasons.values()), default=kept.read_at)
        return replace(kept, value={key: one.text for key, one in reasons.items() if one.is_there}, read_at=read_at)


def _just_written(keys: list[Key]) -> set[Key]:
    """Those of the jobs that this dashboard has changed a short while ago."""
    if not keys:
        return set()
    store = source.store()
    written = {table: store.written(store.settings.name(table)) for table in {key.of for key in keys}}
    return {key for key in keys if (key.job_id, key.user_id) in written[key.of]}


failure_reasons = _Reasons()
"""Why these jobs failed."""


@query_of(_first)
def history(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's evaluations, newest first."""
    return evaluations.history(source.store(), user_id, by_scan=by_scan)


@query_of(_first)
def sets(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's flashcard sets, newest first."""
    return flashcards.history(source.store(), user_id, by_scan=by_scan)


class _OfStudents(Query[[tuple[str, ...], int], pd.DataFrame]):
    """The evaluations of some students in the last so many days of the cache's clock, one Query each."""

    def __init__(self) -> None:
        self.name = "of_students"

    def students(self, *args: Any) -> Iterable[str]:
        """Those that are asked for."""
        user_ids: tuple[str, ...] = args[0]
        return user_ids

    def load(self, last: Read[Any] | None, now: datetime, *args: Any) -> Read[Any]:
        """All of it, anew each time."""
        del last
        user_ids, days = args
        first = now - timedelta(days=days)
        read = evaluations.of_students(source.store(), user_ids, first, now + frames.AHEAD)
        return read.map(packed)


of_students = _OfStudents()
"""The evaluations of some students in the last so many days."""


@query_of(_second)
def evaluation(evaluation_id: str, user_id: str) -> Read[Evaluation | None]:
    """One evaluation by both keys."""
    return evaluations.get(source.store(), evaluation_id, user_id)


@query_of(_called)
def evaluations_called(evaluation_id: str, user_ids: tuple[str, ...] | None) -> Read[list[Evaluation]]:
    """The evaluations of an id, whoever's they are; or only those of some students."""
    return evaluations.find(source.store(), evaluation_id, user_ids)


@query_of(_of_keys)
def recurring(keys: tuple[phrases.Key, ...], students: int = 1) -> Read[RecurringFeedback]:
    """What the feedback of these evaluations (at least one) keeps saying; their texts are not kept."""
    whole = combine(evaluations.whole(source.store(), keys))
    return whole.map(lambda records: phrases.find_recurring(records, students=students))


@query_of(_second)
def flashcard_set(set_id: str, user_id: str) -> Read[FlashcardSet | None]:
    """One flashcard set by both keys."""
    return flashcards.get(source.store(), set_id, user_id)


@query_of(_called)
def sets_called(set_id: str, user_ids: tuple[str, ...] | None) -> Read[list[FlashcardSet]]:
    """The flashcard sets of an id, whoever's they are; or only those of some students."""
    return flashcards.find(source.store(), set_id, user_ids)


def changed(cache: Cache, keys: Iterable[Key]) -> None:
    """Let everybody see what has become of jobs that this dashboard itself has just changed."""
    for window in (period, sets_period):
        cache.change(window)
    # Which period or whose records were asked for does not show in what the cache knows them by.
    for every in (evaluations_between, sets_between, of_students, evaluations_called, sets_called):
        cache.change_every(every)
    for key in keys:
        one, of_student = (flashcard_set, sets) if key.table == FLASHCARDS else (evaluation, history)
        cache.change(one, key.job_id, key.user_id)
        for by_scan in ((), (True,)):
            cache.change(of_student, key.user_id, *by_scan)
