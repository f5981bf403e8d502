"""The frame of every page: who may open it, title, source badge, the fragments inside, and the footer with its cost."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import chain
from typing import NoReturn

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from queries import source
from queries.access.gate import Gate, Refused, Visitor
from queries.session import Question, Session, cache
from ui.components import markup
from ui.shell import address, badge, sign_in
from ui.shell.boundary import Done, done, part
from ui.shell.clock import Clock
from ui.shell.navigation import FRAMED, navigation
from ui.shell.reads import PageSession
from wording import foreign_text

log = logging.getLogger(__name__)

_RETRIED = "_retried"
_heading: ContextVar[DeltaGenerator] = ContextVar("heading")
KEPT = "_kept_"
"""Session keys that begin so hold what was read from AWS; Refresh forgets them."""


@contextmanager
def open_page(title: str, *, for_ops: bool = False) -> Iterator[tuple[PageSession, Clock]]:
    """Open a page: every page's first statement. What fails inside becomes a panel, not a traceback.

    Whoever may not see it gets a sentence, and nothing is read.
    """
    st.set_page_config(page_title=f"{title} · BandUp", page_icon="📗", layout="wide")
    if not st.session_state.get(FRAMED):
        # A deep link on a server that nobody has opened at “/” yet: Streamlit ran the page without the entrypoint.
        # Widgets drawn in such a run lose their first click, so nothing is drawn before the next run, which has it.
        navigation(from_entrypoint=False)
        if _RETRIED not in st.session_state:
            st.session_state[_RETRIED] = True
            st.rerun()
    try:
        visitor = sign_in.current()
        _name(visitor)
        if for_ops:
            visitor.require_ops(f"open {title}")
        gate = sign_in.gate_of(visitor)
    except Refused as refused:
        _refuse(title, refused)
    with budget.limited():
        markup.wide_page()
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            _heading.set(st.empty())
            _heading.get().title(title, anchor=False)
            freshness = st.container(horizontal=True, vertical_alignment="center", width="content", gap="small")
        clock = Clock.of_reader()
        session = PageSession(gate, clock=clock)
        with freshness:
            markup.show_beside(markup.chip(badge.text()))
        address.remarks()
        with suppress(Done), part(f"The page “{title}”"):
            source.start()
            yield session, clock
        with freshness:
            session.show_age()
            st.button(
                "Refresh", type="tertiary", on_click=refresh, args=(session.asked, session.looked), key="_refresh"
            )
        st.divider()
        session.show_cost()


def set_title(title: str, above: Markup | None = None, *, tab: str = "") -> None:
    """Give heading and browser tab the name of the record on screen. It may be text of others.

    `above` is the breadcrumb, `tab` the tab's name where it is another: the browser's history keeps it. A fragment that
    runs by itself has no heading, and leaves the page's as it is.
    """
    if place := _heading.get(None):
        st.set_page_config(page_title=f"{foreign_text.short(tab or title, 60)} · BandUp")
        place.html(str((above or "") + markup.heading(title, 1)), width="content")


@contextmanager
def fragment(name: str, session: PageSession) -> Iterator[tuple[PageSession, Clock]]:
    """A part that runs by itself while the page stays: it asks again who may look, its clock and cost begin anew."""
    clock = Clock.of_reader()
    session.looked.clear()
    look = PageSession(recheck(), asked=session.looked, clock=clock)
    with suppress(Done), part(name):
        yield look, clock


def recheck() -> Gate:
    """What the visitor may see as of now, for fragments, which run without open_page: where it would refuse, the page
    runs again."""
    try:
        return sign_in.gate_of(sign_in.current())
    except Refused:
        st.rerun()


def require(user_id: str, session: Session) -> None:
    """Show nothing of a student whose work the visitor may not see, but why. Before anything of theirs is read."""
    if not session.gate.admits(user_id):
        markup.show(markup.paragraph(f"“{user_id}” is not in a class of yours, so there is nothing to see here."))
        done()


def refresh(*questions: Iterable[Question]) -> None:
    """Forget what this page had read, so that the next run reads it again.

    Streamlit calls what a button does before the page asks who is there, and all visitors would wait for the reads.
    """
    try:
        sign_in.current()
    except Refused:
        return
    for query, *args in chain.from_iterable(questions):
        cache.outdate(query, *args)
    try:
        source.store().forget()
    except Failure as failure:
        log.info("There is no store to forget anything: %s", failure.kind)
    forget()


def forget() -> None:
    """Forget what this session has read from AWS and kept, so that it is read anew."""
    for key in [key for key in st.session_state if str(key).startswith(KEPT)]:
        del st.session_state[key]


def _refuse(title: str, refused: Refused) -> NoReturn:
    """A sentence instead of the page, what would help, and the end of the run."""
    st.title(title, anchor=False)
    markup.show(markup.paragraph(str(refused)))
    if refused.way == "sign in":
        if st.button("Sign in", key="sign_in"):
            st.login()
    elif refused.way == "sign out":
        st.button("Sign out", on_click=sign_in.sign_out, key="sign_out")
    st.stop()


def _name(visitor: Visitor) -> None:
    """Who is signed in, and the way out."""
    if visitor.email is None:
        return
    with st.sidebar:
        markup.show(markup.quiet(f"{visitor.email}, {visitor.described}"))
        st.button("Sign out", on_click=sign_in.sign_out, key="sign_out")
