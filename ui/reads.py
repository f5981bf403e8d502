"""What pages read, through Streamlit's caches. The only module that uses st.cache_data and st.cache_resource."""

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from analysis import attention, phrases
from analysis.phrases import Found
from data import roster
from data.demo import sample
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Read, Store, TableFacts, combine
from data.records import evaluations, flashcards, jobs
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.jobs import Key
from data.records.periods import Kept
from data.roster import Roster
from data.schema import TABLES, Table
from data.settings import Settings
from ui.older import AGE, Older, Question

if TYPE_CHECKING:
    from data.provisioning.lambdas import Clients

log = logging.getLogger(__name__)

_TTL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; where it is an older one, because a fresh one could not be had, the failure of that."""

    read: Read[Any]
    failure: Failure | None = None


def settings() -> Settings:
    """The settings; SettingsError when a variable cannot be used."""
    return Settings.read(os.environ)


@st.cache_resource(show_spinner="Starting…")
def store() -> Store:
    """The Store, shared by all visitors. Not cached when it cannot be opened."""
    chosen = settings()
    if chosen.source == "aws":
        return Store.open(chosen)
    from data.demo.engine import open_demo  # noqa: PLC0415 - who reads real tables does without it

    # The demo's start is this computer's work, which may be slow.
    with budget.lifted():
        return open_demo(chosen)


def start() -> None:
    """Have the demo's engine running, whoever starts it: also who waits for another visitor's start has time left."""
    if settings().source == "demo":
        with budget.lifted():
            store()


@st.cache_resource(show_spinner=False)
def clients() -> "Clients":
    """Clients of Lambda and IAM beside the Store; Failure where they cannot be had."""
    # Only Setup asks for them.
    from data.demo.engine import open_demo_clients  # noqa: PLC0415
    from data.provisioning.lambdas import Clients  # noqa: PLC0415

    opened = store()
    if opened.settings.source == "aws":
        return Clients.open(opened)
    with budget.lifted():
        return open_demo_clients(opened)


def account() -> str:
    """The account that the credentials belong to, asked of AWS each time, because a change depends on it."""
    from data.provisioning.lambdas import caller_account  # noqa: PLC0415 - only Setup asks

    return caller_account(store())


_OPENED = (store, clients)


def ask(cached: Callable[..., Read[Any]], *args: Any) -> Answer:
    """The answer of a cached read of this module; an older one where a fresh one fails for a while. Raises Failure."""
    question = _question(cached, args)
    now = datetime.now(UTC)
    with question.mine(budget.remaining()) as mine:
        if not mine:
            raise Failure(
                "too_slow",
                "Another visitor of this dashboard is waiting for the same answer.",
                "Wait a moment, then press Refresh.",
            )
        if (failure := question.recent_failure(now)) and (last := _last(cached, args, question, now)):
            return Answer(last, failure)
        try:
            fresh = cached(*args)
        except Failure as error:
            question.fail(error, now)
            if isinstance(cached, Recent) and not error.passing:
                cached.kept().drop()
            if not (last := _last(cached, args, question, now)):
                raise
            request_id = error.request_id or "none"
            log.warning("The answer of %s is shown, because: %s (request %s)", last.read_at, error.kind, request_id)
            return Answer(last, error)
        if isinstance(cached, Recent):
            question.failure = None  # it keeps its own last answer
        else:
            _older().keep(question, fresh)
        return Answer(fresh)


def _question(cached: Callable[..., Read[Any]], args: tuple[Any, ...]) -> Question:
    """The question that this read asks, known by a digest: the arguments themselves may name hundreds of jobs."""
    said = blake2b(repr(args).encode(), digest_size=16).digest()
    return _older().of((cached, said))


def _last(
    cached: Callable[..., Read[Any]], args: tuple[Any, ...], question: Question, now: datetime
) -> Read[Any] | None:
    return cached.older(*args) if isinstance(cached, Recent) else question.answer(now)


def ask_ahead(wanted: Sequence[tuple[Any, ...]]) -> list[Answer | Exception]:
    """The answers of several reads, each with its arguments, asked for side by side; in its place what was raised."""

    def one(read: tuple[Any, ...]) -> Answer | Exception:
        try:
            return ask(read[0], *read[1:])
        except Exception as error:  # noqa: BLE001 - raised where the answer is wanted, which only that part lacks
            return error

    # A click that needs nothing new: threads would take longer than the answers.
    if all(_is_there(read[0], read[1:]) for read in wanted):
        return [one(read) for read in wanted]
    with st.spinner("Reading from DynamoDB…", show_time=True):
        return budget.side_by_side(one, wanted)


def _is_there(cached: Callable[..., Read[Any]], args: tuple[Any, ...]) -> bool:
    """Whether the answer is kept and fresh, as far as can be told without asking."""
    now = datetime.now(UTC)
    return cached.is_there(*args) if isinstance(cached, Recent) else _question(cached, args).is_fresh(_TTL, now)


class _OwnThreads(logging.Filter):
    """Streamlit warns of threads that draw without a page; ours only read, and their spinner is the page's."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is about something else."""
        return f"Thread '{budget.THREADS}" not in record.getMessage()


logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").addFilter(_OwnThreads())


def ask_again(cached: Callable[..., Read[Any]], *args: Any) -> None:
    """Let the next `ask` read afresh."""
    clear: Callable[..., None] = getattr(cached, "clear")  # noqa: B009 - what the caches add is in no type
    clear(*args)
    _question(cached, args).retry()


def forget() -> None:
    """Ask anew what the tables look like."""
    _facts.clear()
    try:
        store().forget()
    except Failure as failure:
        log.info("There is no store to forget anything: %s", failure.kind)


def class_list() -> Roster:
    """The server's roster: the file's, the demo's own, or an empty one; RosterError when the file cannot be used."""
    chosen = settings()
    if chosen.roster:
        try:
            changed = os.stat(chosen.roster).st_mtime_ns
        except OSError:
            changed = 0  # reading it will say what is wrong
        return _roster_file(chosen.roster, changed)
    return _sample_roster() if chosen.source == "demo" else Roster()


@st.cache_resource(show_spinner=False, max_entries=2)
def _roster_file(path: str, changed: int) -> Roster:
    del changed  # part of the key: a file that was saved again is read again
    return roster.read(path)


@st.cache_resource(show_spinner=False)
def _sample_roster() -> Roster:
    return roster.parse(sample.roster().encode())


def sign_in_anew(failure: Failure) -> None:
    """After a failure about credentials or region, look for them anew next time: a file may have newer ones then."""
    if failure.kind in ("credentials", "expired", "region"):
        for opened in _OPENED:
            opened.clear()


@st.cache_resource(show_spinner=False)
def _older() -> Older:
    return Older()


@st.cache_data(ttl=_TTL, max_entries=20, show_spinner="Reading why these jobs failed from DynamoDB…", show_time=True)
def failure_reasons(keys: tuple[Key, ...]) -> Read[dict[Key, str | None]]:
    """Why these jobs failed."""
    return jobs.reasons(store(), keys)


def facts(table: Table) -> TableFacts:
    """What DescribeTable says of a table."""
    return _facts(table.variable)


@st.cache_data(ttl=_TTL, show_spinner="Asking DynamoDB what the table looks like…", show_time=True)
def _facts(variable: str) -> TableFacts:
    return store().facts(next(table for table in TABLES if table.variable == variable))


@st.cache_data(
    ttl=_TTL, max_entries=200, show_spinner="Reading the student's evaluations from DynamoDB…", show_time=True
)
def history(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's evaluations, newest first."""
    return evaluations.history(store(), user_id, by_scan=by_scan)


@st.cache_data(
    ttl=_TTL, max_entries=200, show_spinner="Reading the student's flashcard sets from DynamoDB…", show_time=True
)
def sets(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's flashcard sets, newest first."""
    return flashcards.of_student(store(), user_id, by_scan=by_scan)


@st.cache_resource(ttl=_TTL, max_entries=8, show_spinner="Working out levels and trends…")
def students(
    _evaluations: pd.DataFrame, days: int, read_at: datetime, classes: tuple[str, ...] | None
) -> tuple[attention.Student, ...]:
    """Where everybody stands, counted over the last `days`, worked out once per reading. Shared, never changed.

    `classes` are those that the visitor may see, None for all: `_evaluations` are theirs, so it is part of the key.
    """
    del classes
    return tuple(attention.everybody(_evaluations, read_at - timedelta(days=days), read_at))


@st.cache_data(ttl=_TTL, max_entries=50, show_spinner="Reading this class's evaluations from DynamoDB…", show_time=True)
def of_students(user_ids: tuple[str, ...], days: int) -> Read[pd.DataFrame]:
    """The evaluations of some students in the last `days` days, one Query each."""
    now = datetime.now(UTC)
    return evaluations.of_students(store(), user_ids, now - timedelta(days=days), now + timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class Recent:
    """Everybody's records of the last days, newest first: kept for all visitors, and brought up to date when stale."""

    kept: Callable[[], Kept]

    def __call__(self, days: int) -> Read[pd.DataFrame]:
        """Those of the last `days` days."""
        with st.spinner("Reading everybody's records from DynamoDB…", show_time=True):
            answer = self.kept().last_days(days, datetime.now(UTC))
        # A copy on write: what a page does to its frame stays with the page.
        return answer.map(lambda rows: rows.copy(deep=False))

    def clear(self, _days: int) -> None:
        """Read all anew next time."""
        self.kept().forget()

    def is_there(self, days: int) -> bool:
        """Whether the answer is kept and fresh."""
        return self.kept().is_fresh(days, datetime.now(UTC))

    def older(self, days: int) -> Read[pd.DataFrame] | None:
        """The last answer, for when a fresh one fails."""
        answer = self.kept().older(days, datetime.now(UTC), AGE)
        return None if answer is None else answer.map(lambda rows: rows.copy(deep=False))


@st.cache_resource(show_spinner=False)
def _kept_evaluations() -> Kept:
    return Kept(
        # Each time with the Store of then, which is another one once the credentials were looked for anew.
        lambda *span: evaluations.period(store(), *span),
        lambda *span: evaluations.update(store(), *span),
        _TTL,
    )


@st.cache_resource(show_spinner=False)
def _kept_sets() -> Kept:
    return Kept(lambda *span: flashcards.period(store(), *span), lambda *span: flashcards.update(store(), *span), _TTL)


period = Recent(_kept_evaluations)
sets_period = Recent(_kept_sets)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner="Reading the evaluation from DynamoDB…", show_time=True)
def evaluation(evaluation_id: str, user_id: str) -> Read[Evaluation | None]:
    """One evaluation by both keys."""
    return evaluations.get(store(), evaluation_id, user_id)


@st.cache_data(
    ttl=_TTL, max_entries=200, show_spinner="Reading the evaluations of this id from DynamoDB…", show_time=True
)
def evaluations_called(evaluation_id: str) -> Read[list[Evaluation]]:
    """The evaluations of an id, whoever's they are."""
    return evaluations.find(store(), evaluation_id)


@st.cache_data(ttl=_TTL, max_entries=50, show_spinner="Reading feedback from DynamoDB…", show_time=True)
def recurring(keys: tuple[phrases.Key, ...], students: int = 1) -> Read[Found]:
    """What the feedback of these evaluations (at least one) keeps saying; their texts are not kept."""
    whole = combine(evaluations.whole(store(), keys))
    return whole.map(lambda records: phrases.found(records, students=students))


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner="Reading the flashcard set from DynamoDB…", show_time=True)
def flashcard_set(set_id: str, user_id: str) -> Read[FlashcardSet | None]:
    """One flashcard set by both keys."""
    return flashcards.get(store(), set_id, user_id)


@st.cache_data(
    ttl=_TTL, max_entries=200, show_spinner="Reading the flashcard sets of this id from DynamoDB…", show_time=True
)
def sets_called(set_id: str) -> Read[list[FlashcardSet]]:
    """The flashcard sets of an id, whoever's they are."""
    return flashcards.find(store(), set_id)
