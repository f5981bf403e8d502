"""What pages read, through Streamlit's caches. The only module that uses st.cache_data and st.cache_resource."""

import os
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from data import evaluations, flashcards, jobs
from data.periods import Kept
from data.schema import TABLES
from data.settings import Settings
from data.shelf import Shelf
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


@st.cache_data(ttl=_TTL, show_spinner=False)
def facts() -> tuple[TableFacts, ...]:
    """What DescribeTable says of both tables."""
    return tuple(store().facts(table) for table in TABLES)


@dataclass(frozen=True, slots=True)
class Shared:
    """A read that is made once for all visitors and kept for five minutes; Refresh clears it."""

    ask: Callable[..., Read[Any]]

    def __call__(self, *args: Any) -> Read[Any]:
        """The answer, which is waited for."""
        return self.wait(self.begin(*args))

    def begin(self, *args: Any) -> "Future[Read[Any]]":
        """Have it read meanwhile, unless it is there."""
        return _shelf().begin((self.ask, args), partial(self.ask, store(), *args))

    def wait(self, begun: "Future[Read[Any]]") -> Read[Any]:
        """What was begun, once it is there. May raise Failure."""
        return _wait(begun)

    def clear(self, *args: Any) -> None:
        """Read it anew next time."""
        _shelf().forget((self.ask, args))


@dataclass(frozen=True, slots=True)
class Recent:
    """Everybody's records of the last so many days, likewise; when they are stale, they are brought up to date."""

    kept: Callable[[], Kept]

    def __call__(self, days: int) -> Read[pd.DataFrame]:
        """The answer, newest first, which is waited for."""
        return self.wait(self.begin(days))

    def begin(self, days: int) -> "Future[Read[Any]]":
        """Have it read meanwhile, unless it is there or part of what is."""
        return _shelf().begin((self.kept, days), partial(self.kept().last_days, days, datetime.now(UTC)))

    def wait(self, begun: "Future[Read[Any]]") -> Read[pd.DataFrame]:
        """What was begun, once it is there. May raise Failure."""
        return _wait(begun)

    def clear(self, days: int) -> None:
        """Read all of it anew next time."""
        _shelf().forget((self.kept, days))
        self.kept().forget()


def _wait(begun: "Future[Read[Any]]") -> Read[Any]:
    if not begun.done():
        with st.spinner(_READING):
            wait([begun])
    # A shallow copy, which pandas copies on write: what a page does to its frame stays with the page.
    return begun.result().map(lambda value: value.copy(deep=False) if isinstance(value, pd.DataFrame) else value)


@st.cache_resource(show_spinner=False)
def _shelf() -> Shelf:
    return Shelf(_TTL, most=500)


@st.cache_resource(show_spinner=False)
def _kept_evaluations() -> Kept:
    return Kept(partial(evaluations.period, store()), partial(evaluations.update, store()), _TTL)


@st.cache_resource(show_spinner=False)
def _kept_sets() -> Kept:
    return Kept(partial(flashcards.period, store()), partial(flashcards.update, store()), _TTL)


def _history(opened: Store, user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    return evaluations.history(opened, user_id, by_scan=by_scan)


def _sets(opened: Store, user_id: str, by_scan: bool = False) -> Read[pd.DataFrame]:
    return flashcards.of_student(opened, user_id, by_scan=by_scan)


period = Recent(_kept_evaluations)  # of everybody: (days)
sets_period = Recent(_kept_sets)
history = Shared(_history)  # of a student, newest first: (user_id), and True to scan the table
sets = Shared(_sets)
evaluation = Shared(evaluations.get)  # by both keys: (evaluation_id, user_id)
flashcard_set = Shared(flashcards.get)
evaluations_called = Shared(evaluations.find)  # of an id, whoever's they are
sets_called = Shared(flashcards.find)
failure_reasons = Shared(jobs.reasons)  # why these jobs failed: (keys)
