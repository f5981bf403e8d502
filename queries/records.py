"""The questions about records: a student's, one record's, everybody's of a period."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from analysis import phrases
from analysis.phrases import Found
from data.dynamodb.store import Read, combine
from data.records import evaluations, flashcards, jobs
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.jobs import Key
from queries import source
from queries.cache import query
from queries.window import Window

period = Window(
    "evaluations",
    # Each time with the Store of then, which is another one once the credentials were looked for anew.
    lambda *span: evaluations.period(source.store(), *span),
    lambda *span: evaluations.update(source.store(), *span),
)
"""Everybody's evaluations of the last days."""
sets_period = Window(
    "flashcard sets",
    lambda *span: flashcards.period(source.store(), *span),
    lambda *span: flashcards.update(source.store(), *span),
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


@query
def failure_reasons(keys: tuple[Key, ...]) -> Read[dict[Key, str | None]]:
    """Why these jobs failed."""
    return jobs.reasons(source.store(), keys)


@query
def history(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's evaluations, newest first."""
    return evaluations.history(source.store(), user_id, by_scan=by_scan)


@query
def sets(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's flashcard sets, newest first."""
    return flashcards.of_student(source.store(), user_id, by_scan=by_scan)


@query
def of_students(user_ids: tuple[str, ...], days: int) -> Read[pd.DataFrame]:
    """The evaluations of some students in the last `days` days, one Query each."""
    now = datetime.now(UTC)
    return evaluations.of_students(source.store(), user_ids, now - timedelta(days=days), now + timedelta(hours=1))


@query
def evaluation(evaluation_id: str, user_id: str) -> Read[Evaluation | None]:
    """One evaluation by both keys."""
    return evaluations.get(source.store(), evaluation_id, user_id)


@query
def evaluations_called(evaluation_id: str) -> Read[list[Evaluation]]:
    """The evaluations of an id, whoever's they are."""
    return evaluations.find(source.store(), evaluation_id)


@query
def recurring(keys: tuple[phrases.Key, ...], students: int = 1) -> Read[Found]:
    """What the feedback of these evaluations (at least one) keeps saying; their texts are not kept."""
    whole = combine(evaluations.whole(source.store(), keys))
    return whole.map(lambda records: phrases.found(records, students=students))


@query
def flashcard_set(set_id: str, user_id: str) -> Read[FlashcardSet | None]:
    """One flashcard set by both keys."""
    return flashcards.get(source.store(), set_id, user_id)


@query
def sets_called(set_id: str) -> Read[list[FlashcardSet]]:
    """The flashcard sets of an id, whoever's they are."""
    return flashcards.find(source.store(), set_id)
