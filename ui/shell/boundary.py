"""Error boundaries: a part of a page that fails says so in its place, and the rest stands."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import streamlit as st

from data import traces
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from queries import source
from queries.access.gate import Refused
from ui.shell.rate import Rate
from wording import failures

log = logging.getLogger(__name__)

NOT_SHOWN = "could not be loaded"
"""What is said of a part that failed."""
_MOST_LOGGED, _LOG_SECONDS = 10, 60.0  # of each kind of failure: a visitor may bring one about at each click
_failed: dict[tuple[str, ...], Rate] = {}


class Done(Exception):
    """Nothing more to show; the footer still is."""


def done() -> NoReturn:
    """Show nothing more but the footer."""
    raise Done


@contextmanager
def part(name: str) -> Iterator[None]:
    """A part of the page that may fail without taking the rest along.

    `name` is what is then said to have failed: “The levels could not be loaded.”
    """
    try:
        # A fragment that runs by itself has no limit around it yet.
        with budget.limited():
            yield
    except Done:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: _panel logs it and tells the reader
        _panel(name, error)


def _panel(name: str, error: Exception) -> None:
    """What failed, why and what to do, in the place where it happened."""
    if isinstance(error, Refused):
        # A right may go in the middle of something: what was done until then is done.
        message, remedy = str(error), "Nothing further was done."
    elif isinstance(error, Failure):
        log.warning("%s: %s (request %s)", name, error.kind, error.request_id or "none")
        source.reopen_after(error)
        message = f"{name} {NOT_SHOWN}. {failures.cause(error)}"
        remedy = failures.remedy(error)
    else:
        # What an exception says may quote a student's work, so the log has its kind and its place.
        trace = traces.places(error)
        failure = name, type(error).__name__, *trace[-1:]
        if _failed.setdefault(failure, Rate(_MOST_LOGGED, _LOG_SECONDS)).admits():
            log.error("%s failed with %s:\n%s", name, type(error).__name__, "".join(trace))
        message = f"{name} {NOT_SHOWN}, because something went wrong."
        remedy = "The log has the details. The rest of the page is not affected."
    with st.container(border=True):
        st.text(f"⚠ {message}")
        st.text(remedy)
