"""The roster on the page: which one is used, what is wrong with it, one's own for this visit, a template."""

import streamlit as st

from data import roster
from data.roster import Roster, RosterError
from queries import source
from ui.components import markup
from ui.shell.page import ROSTER, Page
from wording import formats


def panel(page: Page) -> None:
    """Everything about the roster, folded."""
    with st.expander("Roster: names, classes and targets"), page.part("The roster"):
        own = st.session_state.get(ROSTER) is not None
        _upload()
        used = page.roster
        if not own:
            _server_problem()
        if used.students:
            origin = "uploaded for this visit" if own else "from the dashboard's settings or the demo"
            named = formats.count(len(used.students), "student")
            st.text(f"In use: {named} in {formats.count(len(used.classes), 'class', 'classes')}, {origin}.")
        else:
            st.text("No roster is in use: students are shown by their ids, without classes and targets.")
        for problem in used.problems[:20]:
            markup.show(markup.line(markup.inline(f"Line {problem.line} is not used: {problem.reason}.")))
        if len(used.problems) > 20:
            st.text(f"And {len(used.problems) - 20:,} more lines that are not used.")
        with st.container(horizontal=True):
            st.download_button(
                "Template",
                roster.TEMPLATE.encode(),
                file_name="roster-template.csv",
                mime="text/csv",
                on_click="ignore",
                key="template",
            )
            if own:
                st.button("Stop using my roster", on_click=_forget, key="forget_roster")


def _upload() -> None:
    """A file of the reader's own. It is read here and kept for this visit only."""
    uploaded = st.file_uploader(
        "Use my own for this visit (CSV with user_id, name, class, target_band)",
        type="csv",
        key=f"roster_file_{st.session_state.get(_TURN, 0)}",
        help="It stays in this visit's memory: nobody else sees it, and it is gone when you close or reload the page.",
    )
    if uploaded is None:
        return
    try:
        fresh: Roster | None = roster.parse(uploaded.getvalue())
    except RosterError as error:
        markup.show(markup.paragraph(f"{error} The roster before stays in use."))
        return
    # What is above on the page was drawn with the roster before: once more, with this one.
    if st.session_state.get(ROSTER) != fresh:
        st.session_state[ROSTER] = fresh
        st.rerun()


def _server_problem() -> None:
    try:
        source.class_list()
    except RosterError as error:
        markup.show(markup.paragraph(str(error)))


_TURN = "_roster_turn"


def _forget() -> None:
    st.session_state.pop(ROSTER, None)
    # An uploader cannot be emptied, only replaced by another one.
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
