"""Boxes that find a student by name or ID, on the side of every page, and a record by its ID."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from analysis import names
from data.roster import Roster, Student
from queries.access.gate import Refused
from ui.components import markup
from ui.shell import sign_in
from ui.shell.boundary import Done, part
from ui.shell.navigation import STUDENT, href
from ui.students import class_list
from wording import foreign_text, formats

_SOUGHT = "_sought"
_BESIDE = "_search"
_OFFERED = "_offered"
_MOST = 8  # results on the side
_LONGEST = 1_024  # characters that are sought: no ID has more


def beside() -> None:
    """The search on the side of every page: results as one types, each a link."""
    with suppress(Done), st.sidebar, part("The search"), suppress(Refused):
        roster = class_list.of_visit(sign_in.current())
        here = st.query_params.get("user_id", "")
        if here in st.session_state.get(_OFFERED, ()):
            st.session_state[_BESIDE] = ""  # a result was opened
        query = st.text_input(
            "Search students (name or ID)", placeholder="e.g. Nguyen or user-456", type="search", live=True, key=_BESIDE
        ).strip()[:_LONGEST]
        matches = names.search(roster.students.values(), query)
        # Also one who is in no class list: the student's page says whether there are records.
        offered = matches[:_MOST] or ([roster.student(query)] if query else [])
        st.session_state[_OFFERED] = {student.user_id for student in offered} - {here}
        if query:
            with st.container(key="search_results", gap="xxsmall"):
                _results(query, matches, offered, class_list.why_no_names(sign_in.current()))


def _results(query: str, matches: Sequence[Student], offered: Sequence[Student], why_not: str) -> None:
    """The links; `why_not` is why no name could be searched, else empty."""
    links = [
        [
            markup.anchor(href(STUDENT, user_id=student.user_id), student.label),
            *filter(None, [" · ".join(filter(None, (student.class_name, student.name and student.user_id)))]),
        ]
        for student in offered
    ]
    if not matches:
        links = [[markup.anchor(href(STUDENT, user_id=query), f"Open ID {foreign_text.short(query, 40)}")]]
    more = [markup.quiet(f"and {len(matches) - _MOST:,} more")] if len(matches) > _MOST else []
    counted = f"{formats.count(len(matches), 'student')} found" if matches else "No students found"
    if why_not:
        counted = f"Names cannot be searched: {why_not}"
    markup.show(markup.matches(query, len(matches), markup.quiet(counted), markup.entries(links), *more))


def student_finder(roster: Roster) -> str | None:
    """A box for a student's exact id, or a part of the name; the id once one student was found or chosen."""
    named = any(student.name for student in roster.students.values())
    typed = id_finder(
        "Search students (name or ID)" if named else "Search students (ID)",
        "e.g. Nguyen or user-456" if named else "e.g. user-456",
        "The exact id (user_id) works for every student, also for one who was not active lately."
        + (" A part of a name works for those in the roster." if named else ""),
    )
    if typed is not None:
        st.session_state[_SOUGHT] = typed
    sought = st.session_state.get(_SOUGHT)
    if not sought:
        return None
    namesakes = names.search(roster.students.values(), sought, partial_ids=False)
    if sought in roster.students or not namesakes:
        del st.session_state[_SOUGHT]
        return str(sought)
    if len(namesakes) == 1:
        del st.session_state[_SOUGHT]
        return namesakes[0].user_id
    user_id = st.selectbox(
        f"{len(namesakes)} students match",
        [student.user_id for student in namesakes],
        format_func=lambda user_id: _introduced(roster.student(user_id)),
        index=None,
        key="_which",
        width=420,
    )
    if user_id is not None:
        del st.session_state[_SOUGHT]
    return user_id


def _introduced(student: Student) -> str:
    return foreign_text.visible(
        " · ".join(part for part in (student.name, student.class_name, student.user_id) if part)
    )


def id_finder(label: str, example: str, explain: str | None = None, width: int = 320) -> str | None:
    """A box for an exact id; the id once it was entered."""
    with (
        st.form("find", border=False, width="content"),
        st.container(horizontal=True, vertical_alignment="bottom", width="content"),
    ):
        typed = st.text_input(label, placeholder=example, help=explain, max_chars=1024, width=width)
        sent = st.form_submit_button("Open")
    return typed.strip() if sent and typed.strip() else None
