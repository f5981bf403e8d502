"""What pages read, through Streamlit's caches. The only module that uses st.cache_data and st.cache_resource."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from data import evaluations, flashcards, jobs
from data.evaluations import Evaluation
from data.flashcards import FlashcardSet
from data.jobs import Key
from data.periods import Kept
from data.schema import TABLES
from data.settings import Settings
from data.store import Read, Store, TableFacts

if TYPE_CHECKING:
    from data.wiring import Clients

_TTL = timedelta(minutes=5)
_READING = "Reading from DynamoDB…"


def settings() -> Settings:
    """The settings; SettingsError when a variable cannot be used."""
    return Settings.read(os.environ)


@st.cache_resource(show_spinner="Starting…")
def store() -> Store:
    """The Store, shared by all visitors. Not cached when it cannot be opened."""
    chosen = settings()
    if chosen.source != "demo":
        return Store.open(chosen)
    from data.demo import open_demo  # noqa: PLC0415 - who reads real tables does without it

    return open_demo(chosen)


@st.cache_resource(show_spinner=False)
def clients() -> "Clients":
    """Clients of Lambda and IAM beside the Store; Failure where they cannot be had."""
    # Only Setup asks for them.
    from data.demo import open_demo_clients  # noqa: PLC0415
    from data.wiring import Clients  # noqa: PLC0415

    opened = store()
    return open_demo_clients(opened) if opened.settings.source == "demo" else Clients.open(opened)


def account() -> str:
    """The account that the credentials belong to, asked of AWS each time, because a change depends on it."""
    from data.wiring import caller_account  # noqa: PLC0415 - only Setup asks

    return caller_account(store())


def forget() -> None:
    """Ask anew what the tables look like."""
    facts.clear()
    store().forget()


@st.cache_data(ttl=_TTL, max_entries=20, show_spinner=_READING)
def failure_reasons(keys: tuple[Key, ...]) -> Read[dict[Key, str | None]]:
    """Why these jobs failed."""
    return jobs.reasons(store(), keys)


@st.cache_data(ttl=_TTL, show_spinner=False)
def facts() -> tuple[TableFacts, ...]:
    """What DescribeTable says of both tables."""
    return tuple(store().facts(table) for table in TABLES)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def history(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's evaluations, newest first."""
    return evaluations.history(store(), user_id, by_scan=by_scan)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def sets(user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's flashcard sets, newest first."""
    return flashcards.of_student(store(), user_id, by_scan=by_scan)


@dataclass(frozen=True, slots=True)
class Recent:
    """Everybody's records of the last days, newest first: kept for all visitors, and brought up to date when stale."""

    kept: Callable[[], Kept]

    def __call__(self, days: int) -> Read[pd.DataFrame]:
        """Those of the last `days` days."""
        with st.spinner(_READING):
            answer = self.kept().last_days(days, datetime.now(UTC))
        # A copy on write: what a page does to its frame stays with the page.
        return answer.map(lambda rows: rows.copy(deep=False))

    def clear(self, _days: int) -> None:
        """Read all anew next time."""
        self.kept().forget()


@st.cache_resource(show_spinner=False)
def _kept_evaluations() -> Kept:
    return Kept(partial(evaluations.period, store()), partial(evaluations.update, store()), _TTL)


@st.cache_resource(show_spinner=False)
def _kept_sets() -> Kept:
    return Kept(partial(flashcards.period, store()), partial(flashcards.update, store()), _TTL)


period = Recent(_kept_evaluations)
sets_period = Recent(_kept_sets)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def evaluation(evaluation_id: str, user_id: str) -> Read[Evaluation | None]:
    """One evaluation by both keys."""
    return evaluations.get(store(), evaluation_id, user_id)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def evaluations_called(evaluation_id: str) -> Read[list[Evaluation]]:
    """The evaluations of an id, whoever's they are."""
    return evaluations.find(store(), evaluation_id)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def flashcard_set(set_id: str, user_id: str) -> Read[FlashcardSet | None]:
    """One flashcard set by both keys."""
    return flashcards.get(store(), set_id, user_id)


@st.cache_data(ttl=_TTL, max_entries=200, show_spinner=_READING)
def sets_called(set_id: str) -> Read[list[FlashcardSet]]:
    """The flashcard sets of an id, whoever's they are."""
    return flashcards.find(store(), set_id)
