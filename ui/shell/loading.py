"""A window that is read in the background: how far it is, until it is there. Who leaves the page ends the reading."""

from collections.abc import Callable

import streamlit as st

from queries.background import LoadProgress
from ui.shell.page import fragment
from ui.shell.reads import PageSession
from wording import formats

_SECONDS = 1.0


def follow(progress: Callable[[], LoadProgress | None], session: PageSession) -> bool:
    """Whether it is still being read: then its progress is shown, and once all is there, the page runs again."""
    if progress() is None:
        return False

    @st.fragment(run_every=_SECONDS)
    def look() -> None:
        with fragment("The progress of the loading", session):
            now = progress()
            if now is None:
                st.rerun()
            share = now.days / now.of
            st.progress(share, text=f"Loading records: newest {now.days:,} of {formats.count(now.of, 'day')}")

    look()
    return True
