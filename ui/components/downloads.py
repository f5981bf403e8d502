"""Buttons that take a table or a report away as a file, made only when it is asked for."""

from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from exports import spreadsheets
from ui.shell.page import Page


def table(
    rows: pd.DataFrame,
    what: str,
    page: Page,
    *,
    period: str,
    codes: Mapping[str, str],
    key: str,
    label: str = "Take away as CSV",
    complete: bool | None = None,
) -> None:
    """A button for all of `rows`, also those that are not on screen.

    `complete` is whether all that the page has read is, unless given. `codes` tell the file's name from others.
    """
    whole = page.complete if complete is None else complete
    st.download_button(
        label,
        lambda: spreadsheets.csv(
            rows, what, period=period, zone=page.zone, source=page.source, made=page.now, complete=whole
        ),
        file_name=spreadsheets.file_name(what, codes, page.now.astimezone(page.zone)),
        mime="text/csv",
        on_click="ignore",
        key=key,
        help="Everything that matches the filters, as a file for Excel or another spreadsheet.",
    )


def report(make: Callable[[], bytes], label: str, user_id: str, page: Page, *, suffix: str, mime: str) -> None:
    """A button for a report about a student."""
    st.download_button(
        label,
        make,
        file_name=spreadsheets.file_name("report", {"of": user_id}, page.now.astimezone(page.zone), suffix),
        mime=mime,
        on_click="ignore",
        key=f"report_{suffix}",
        help="One page for the student or the parents: levels, trends, charts and what the numbers mean.",
    )
