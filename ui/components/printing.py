"""A button that opens the browser's print dialog with a page of its own."""

from collections.abc import Callable, Iterable

import streamlit as st

from queries.session import Session
from ui.components import downloads, markup


def button(
    label: str, make: Callable[[], bytes], session: Session, *, students: Iterable[str], key: str, primary: bool = False
) -> None:
    """A button that prints the HTML page about `students`, which `make` makes, after asking again who may have it."""
    if not st.button(label, key=key, icon=":material/print:", type="primary" if primary else "secondary"):
        return
    markup.print_page(downloads.guarded(make, session, students)())
