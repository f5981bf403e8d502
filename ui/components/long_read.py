"""A read that takes long: its progress, until its end or the next click."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TypeVar

import streamlit as st

from data.dynamodb import budget
from queries.session import Session
from ui.shell.page import recheck

T = TypeVar("T")


def follow(steps: Generator[T], key: str, say: Callable[[T], tuple[float, str]], session: Session) -> None:
    """Run to the end, or until the next click anywhere; the last step stays in the session as `key`.

    It takes minutes, in which a role or classes may be taken away: then the page runs again.
    """
    st.session_state.pop(key, None)
    with st.container(border=True):
        bar = st.progress(0.0, "Starting…")
        # A click needs no answer: it ends this run at the next step, which closes `steps`.
        st.button("Stop", key="long_read_stop")
    with budget.lifted(), closing(steps):
        for step in steps:
            gate = recheck()
            if (gate.visitor, gate.members) != (session.visitor, session.members):
                break
            st.session_state[key] = step
            bar.progress(*say(step))
    st.rerun()
