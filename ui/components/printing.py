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
    page = downloads.guarded(make, session, students)()
    # In no row: even what nobody sees takes room there, and would move what stands beside the button. See `wide_page`.
    with st.container(key=f"{key}{markup.OUT_OF_FLOW}"):
        markup.print_page(page)
