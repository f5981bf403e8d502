"""What the parts of Audit share: long reads that a click ends, grids whose rows open a record, files of rows."""

import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import NoReturn, TypeVar

import pandas as pd
import streamlit as st

from data.dynamodb import budget
from ui.components import downloads
from ui.components.filters import Period
from ui.shell.page import EVALUATION, FLASHCARDS, Page

T = TypeVar("T")


def follow(steps: Generator[T], key: str, say: Callable[[T], tuple[float, str]]) -> None:
    """Run to the end, or until the next click anywhere; the last step stays in the session as `key`."""
    st.session_state.pop(key, None)
    with st.container(border=True):
        bar = st.progress(0.0, "Starting…")
        # A click needs no answer: it ends this run at the next step, which closes `steps`.
        st.button("Stop", key="audit_stop")
    with budget.lifted(), closing(steps):
        for step in steps:
            st.session_state[key] = step
            bar.progress(*say(step))
    st.rerun()


def grid_key(name: str, rows: Iterable[str]) -> str:
    """The key of a grid that shows just these rows."""
    return f"{name}_{zlib.crc32('|'.join(rows).encode(errors='replace')):08x}"


def open_record(is_set: bool, record_id: str, user_id: str, page: Page) -> NoReturn:
    """Leave for the page of a record."""
    if is_set:
        page.go(FLASHCARDS, set_id=record_id, user_id=user_id)
    page.go(EVALUATION, evaluation_id=record_id, user_id=user_id)


def download(
    label: str, rows: pd.DataFrame, what: str, page: Page, period: Period | None, *, key: str, complete: bool = True
) -> None:
    """A button that saves `rows`; the file says that they are of `period`, or of all time."""
    downloads.table(
        rows,
        what,
        page,
        period="all time" if period is None else f"the last {period.name}",
        codes={"of": "all" if period is None else f"{period.days}d", "from": "audit"},
        key=key,
        label=label,
        complete=complete if period is None else None,
        students=rows["Student"].dropna(),
    )
