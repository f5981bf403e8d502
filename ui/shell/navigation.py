"""The pages: their menu, and the ways from one to another."""

from pathlib import Path
from secrets import token_hex
from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from queries.access.gate import Refused
from ui.components import markup
from ui.shell import address, sign_in

OVERVIEW = "pages/overview.py"
STUDENT = "pages/student.py"
LESSONS = "pages/lessons.py"
EVALUATION = "pages/evaluation.py"
COMPARE = "pages/compare.py"
FLASHCARDS = "pages/flashcards.py"
JOBS = "pages/jobs.py"
AUDIT = "pages/audit.py"
SETUP = "pages/setup.py"

_FOR_OPS = "Operations"
MENU = {
    "Teaching": {
        OVERVIEW: ("Students", "group"),
        LESSONS: ("Lessons", "school"),
        FLASHCARDS: ("Flashcards", "cards_stack"),
    },
    _FOR_OPS: {
        JOBS: ("Jobs", "schedule"),
        AUDIT: ("Data quality", "fact_check"),
        SETUP: ("Setup", "settings"),
    },
}
"""Group -> page -> its name and icon."""
_UNLISTED = {STUDENT: "Student", EVALUATION: "Evaluation", COMPARE: "Compare"}
"""To these pages links lead, from where it is known what to show."""
_LOGO = str(Path(__file__).with_name("logo.svg"))

_HERE = "_here"
FRAMED = "_framed"
"""Session key that says that the entrypoint has declared the pages."""


def navigation(*, from_entrypoint: bool = True) -> StreamlitPage:
    """Declare the pages. A page that runs without the entrypoint (a deep link on a fresh server) declares them too."""
    if from_entrypoint:
        st.session_state[FRAMED] = True
    listed = {page: title for pages in MENU.values() for page, (title, _) in pages.items()}
    here = st.navigation(
        [
            # The default page's path counts for nothing: it is at the root.
            st.Page(page, title=title, url_path=_stem(page), default=page == OVERVIEW)
            for page, title in {**listed, **_UNLISTED}.items()
        ],
        position="hidden",
    )
    st.session_state[_HERE] = here.url_path
    return here


def menu() -> None:
    """The menu on the side, in two groups. Streamlit's own, with groups, is no list for a screen reader.

    What the visitor may not open is not in it. Its address still works, and the page itself refuses.
    """
    st.logo(_LOGO, size="large")
    try:
        visitor = sign_in.current()
    except Refused:
        return
    with st.sidebar, st.container(key="menu", gap="xxsmall"):
        for group, pages in MENU.items():
            if group != _FOR_OPS or visitor.is_ops:
                markup.show(markup.quiet(group))
                for page, (title, icon) in pages.items():
                    st.page_link(page, label=title, icon=f":material/{icon}:", query_params=address.carried())


def go(page: str, **ids: str) -> NoReturn:
    """Leave for a page, as one entry of the browser's history; the filters travel along."""
    # Only for another page does Streamlit make two, of which `history.js` leaves out the first.
    leaves = st.session_state.get(_HERE) != _path(page)
    token = {address.OPENING: token_hex(4)} if leaves else {}
    st.switch_page(page, query_params={**token, **address.carried(), **ids})


def href(page: str, **ids: str) -> str:
    """The address of a page, relative to any; the filters travel along, `ids` may replace one, or end it if empty."""
    named = {**address.carried(), **ids}
    query = urlencode({key: value for key, value in named.items() if value}, doseq=True)
    return f"./{_path(page)}{query and '?'}{query}"


def link(page: str, label: str, **ids: str) -> None:
    """A link to another page; the filters travel along."""
    st.page_link(page, label=label, query_params={**address.carried(), **ids})


def _path(page: str) -> str:
    """Where a page is; the default one is at the root."""
    return "" if page == OVERVIEW else _stem(page)


def _stem(page: str) -> str:
    """What a page is called in addresses."""
    return Path(page).stem
