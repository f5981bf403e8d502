"""Buttons for files, each made when it is asked for, after asking again who may have it."""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock

import pandas as pd
import streamlit as st

from exports import spreadsheets
from queries.access.gate import Refused
from queries.once import Once
from queries.session import Session
from ui.shell import badge, sign_in
from ui.shell.clock import Clock

_JOINED = 30.0  # seconds


def button(
    label: str,
    make: Callable[[], bytes],
    session: Session,
    *,
    students: Iterable[str],
    file_name: str,
    mime: str,
    key: str,
    explain: str | None = None,
    primary: bool = False,
) -> None:
    """A button for a file about `students`, which `make` makes."""
    st.download_button(
        label,
        guarded(make, session, students),
        file_name=file_name,
        mime=mime,
        on_click="ignore",
        key=key,
        help=explain,
        type="primary" if primary else "secondary",
    )


def guarded(make: Callable[[], bytes], session: Session, students: Iterable[str]) -> Callable[[], bytes]:
    """`make`, but Refused where whoever opened the page may no longer see what was on it.

    A download runs outside of any page run, as long as its tab is open: the sign-in may have ended by then, the role
    or the classes be others, or a student have moved to another class.
    """
    sent, visitor, names = sign_in.request(), session.visitor, frozenset(students)
    joined = _joined(make)

    def checked() -> bytes:
        now = sign_in.recognise(sent)
        gate = sign_in.gate_of(now)
        if now != visitor or not all(map(gate.admits, names)):
            raise Refused("What you may see has changed since this page was opened. Reload it.")
        return joined()

    return checked


def _joined(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """`make`, whose answer serves all who ask within some seconds: however often a button is pressed, it runs once."""
    lock = Lock()
    last: list[tuple[float, Once[bytes]]] = []

    def joined() -> bytes:
        with lock:
            if not last or time.monotonic() - last[0][0] > _JOINED:
                last[:] = [(time.monotonic(), Once(make))]
            once = last[0][1]
        return once()

    return joined


def table(
    rows: pd.DataFrame | Callable[[], pd.DataFrame],
    what: str,
    session: Session,
    clock: Clock,
    *,
    period: str,
    codes: Mapping[str, str],
    key: str,
    chosen: Mapping[str, str | None] | None = None,
    students: Iterable[str] | None = None,
    complete: bool | None = None,
) -> None:
    """A button for all of `rows`, also those that are not on screen.

    `students` are those whom the rows are about: their column user_id unless given, which they must be where `rows` are
    made on demand. `chosen` are the filters, and what each is set to. `complete` is whether all that the page has read
    is, unless given. `codes` tell the file's name from others.
    """
    whole = session.complete if complete is None else complete
    if students is None:
        if callable(rows):
            raise TypeError("whom rows are about must be said before they are made: who may have them is asked then")
        students = rows["user_id"].dropna()
    button(
        "Download CSV",
        lambda: spreadsheets.csv(
            rows() if callable(rows) else rows,
            what,
            period=period,
            zone=clock.zone,
            source=badge.text(),
            made=clock.now,
            complete=whole,
            chosen=chosen,
        ),
        session,
        students=students,
        file_name=spreadsheets.file_name(what, codes, clock.local),
        mime="text/csv",
        key=key,
        explain="All rows that match the filters (opens in Excel or another spreadsheet).",
    )


def report(
    make: Callable[[], bytes],
    label: str,
    user_id: str,
    session: Session,
    clock: Clock,
    *,
    suffix: str,
    mime: str,
    primary: bool = False,
) -> None:
    """A button for a report about a student."""
    button(
        label,
        make,
        session,
        students=[user_id],
        file_name=spreadsheets.file_name("report", {"of": user_id}, clock.local, suffix),
        mime=mime,
        key=f"report_{suffix}",
        explain="One page for the student or the parents: levels, trends, charts and what the numbers mean.",
        primary=primary,
    )
