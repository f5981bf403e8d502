"""Buttons for files, each made when it is asked for, after asking again who may have it."""

from collections.abc import Callable, Iterable, Mapping

import pandas as pd
import streamlit as st

from exports import spreadsheets
from queries.gate import Refused
from ui.shell import sign_in
from ui.shell.page import Page


def button(
    label: str,
    make: Callable[[], bytes],
    page: Page,
    *,
    students: Iterable[str],
    file_name: str,
    mime: str,
    key: str,
    explain: str | None = None,
) -> None:
    """A button for a file about `students`, which `make` makes."""
    st.download_button(
        label, guarded(make, page, students), file_name=file_name, mime=mime, on_click="ignore", key=key, help=explain
    )


def guarded(make: Callable[[], bytes], page: Page, students: Iterable[str]) -> Callable[[], bytes]:
    """`make`, but Refused where whoever opened the page may no longer see what was on it.

    A download runs outside of any page run, as long as its tab is open: the sign-in may have ended by then, the role
    or the classes be others, or a student have moved to another class.
    """
    sent, visitor, names = page.request, page.visitor, frozenset(students)

    def checked() -> bytes:
        now = sign_in.recognise(sent)
        gate = sign_in.gate_of(now)
        if now != visitor or not all(map(gate.admits, names)):
            raise Refused("What you may see has changed since this page was opened. Reload it.")
        return make()

    return checked


def table(
    rows: pd.DataFrame,
    what: str,
    page: Page,
    *,
    period: str,
    codes: Mapping[str, str],
    key: str,
    students: Iterable[str] | None = None,
    label: str = "Take away as CSV",
    complete: bool | None = None,
) -> None:
    """A button for all of `rows`, also those that are not on screen.

    `students` are those whom the rows are about: their column user_id unless given. `complete` is whether all that the
    page has read is, unless given. `codes` tell the file's name from others.
    """
    whole = page.complete if complete is None else complete
    button(
        label,
        lambda: spreadsheets.csv(
            rows, what, period=period, zone=page.zone, source=page.source, made=page.now, complete=whole
        ),
        page,
        students=rows["user_id"].dropna() if students is None else students,
        file_name=spreadsheets.file_name(what, codes, page.now.astimezone(page.zone)),
        mime="text/csv",
        key=key,
        explain="Everything that matches the filters, as a file for Excel or another spreadsheet.",
    )


def report(make: Callable[[], bytes], label: str, user_id: str, page: Page, *, suffix: str, mime: str) -> None:
    """A button for a report about a student."""
    button(
        label,
        make,
        page,
        students=[user_id],
        file_name=spreadsheets.file_name("report", {"of": user_id}, page.now.astimezone(page.zone), suffix),
        mime=mime,
        key=f"report_{suffix}",
        explain="One page for the student or the parents: levels, trends, charts and what the numbers mean.",
    )
