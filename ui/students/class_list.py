"""The class list on the page: which one is used and what is wrong with it, and one's own for this visit."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from data import roster
from data.roster import Roster, RosterError
from queries import records, source
from queries.access.gate import Visitor
from queries.session import cache
from ui.components import grid, markup
from ui.shell.boundary import part
from ui.shell.page import fragment
from ui.shell.reads import PageSession
from wording import foreign_text, formats

log = logging.getLogger(__name__)

_UPLOADED = "_roster"
_OPEN = "_class_list_open"
_TURN = "_roster_turn"
_PARSED = "_class_list_parsed"
_NARROWED = "_roster_narrowed"
_LABELS = {
    "user_id": "Student ID",
    "name": "Name",
    "class": "Class",
    "target_band": "Target band",
    "test_date": "Test date",
    "teacher": "Teacher",
}
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_PREVIEWED = 5  # students
_LISTED = 20  # reasons why lines are not used, or not as they stand
_NAMED = 3  # of the lines that have one of them
_MOST = 100  # students in a list of names


def used(visitor: Visitor) -> Roster:
    """The class list for a page, which says above what comes next where something is wrong with the server's."""
    if st.session_state.get(_UPLOADED) is None and (text := _trouble(visitor)):
        with st.container(border=True):
            markup.show(markup.line(f"⚠ {text}"))
    return of_visit(visitor)


def of_visit(visitor: Visitor) -> Roster:
    """The class list uploaded for this visit, or the server's; an empty one when that cannot be used.

    Whoever is limited to some classes gets nobody else's students of either: what an uploaded list names would
    otherwise be read, counted and compared.
    """
    uploaded: Roster | None = st.session_state.get(_UPLOADED)
    if uploaded is not None:
        return _seen_by(visitor, uploaded)
    return _server(visitor)


def why_no_names(visitor: Visitor) -> str:
    """Why no student can be searched by name; empty where the class list has some."""
    if of_visit(visitor).students:
        return ""
    if st.session_state.get(_UPLOADED) is not None:
        return "your class list has none of your students"
    try:
        return "there is no student in your classes" if source.class_list().students else "there is no class list"
    except RosterError:
        return "the class list cannot be read"


def _seen_by(visitor: Visitor, uploaded: Roster) -> Roster:
    return uploaded if visitor.classes is None else _within(uploaded, _server(visitor))


def _server(visitor: Visitor) -> Roster:
    try:
        # Whoever is limited to some classes shall not see the names of the others.
        return source.class_list(visitor.classes)
    except RosterError as error:
        log.warning("%s", error.in_log)
        return source.NO_ROSTER


def _within(uploaded: Roster, own: Roster) -> Roster:
    """The students of an uploaded list who are in one's own; the same object as long as both are the same."""
    kept: tuple[Roster, Roster, Roster] | None = st.session_state.get(_NARROWED)
    if kept is None or kept[0] is not uploaded or kept[1] is not own:
        kept = st.session_state[_NARROWED] = (uploaded, own, uploaded.within(own.students.keys()))
    return kept[2]


def button(session: PageSession, days: int) -> None:
    """A button that opens the class list in a dialog, where one's own can be looked at and taken into use.

    `days` are those of which the page reads everybody's records: the class list is compared with them.
    """
    st.button("Class list", on_click=_open, icon=":material/groups:", key="class_list")
    if not st.session_state.get(_OPEN):
        return

    @st.dialog("Class list", width="large", on_dismiss=_close)
    def opened() -> None:
        with fragment("The class list", session) as (look, _):
            _content(look, days)

    opened()


def _open() -> None:
    st.session_state[_OPEN] = True


def _close() -> None:
    """Close the dialog, and forget a file that was not used."""
    st.session_state.pop(_OPEN, None)
    st.session_state.pop(_PARSED, None)
    # An uploader cannot be emptied, only replaced by another one.
    st.session_state[_TURN] = _turn() + 1


def _turn() -> int:
    return int(st.session_state.get(_TURN, 0))


def _content(session: PageSession, days: int) -> None:
    uploaded = st.file_uploader(
        "Upload a class list (CSV or Excel). Only you see it, until you close this tab",
        type=["csv", "tsv", "txt", "xlsx"],
        key=f"roster_file_{_turn()}",
        help="One column must hold the student IDs. Name, class, target band, test date and teacher are optional.",
    )
    if uploaded is None:
        _in_use(session, days)
        return
    fresh = _read(uploaded)
    if fresh is None:
        st.text("The previous class list is still in use.")
        st.button("Cancel", on_click=_cancel, key="class_list_cancel")
        return
    _preview(fresh)
    _compare(_seen_by(session.visitor, fresh), session, days)
    with st.container(horizontal=True):
        if st.button("Use this class list", type="primary", key="class_list_use"):
            st.session_state[_UPLOADED] = fresh
            _close()
            st.rerun()
        st.button("Cancel", on_click=_cancel, key="class_list_cancel")


def _cancel() -> None:
    _close()
    _open()


# --- the file ---------------------------------------------------------------------------------------------------------


def _read(uploaded: UploadedFile) -> Roster | None:
    """The class list in a file; None with what is wrong, and with columns to choose from where they are not clear."""
    parsed = _parsed(uploaded, {})
    if isinstance(parsed, RosterError) and parsed.headings:
        _problem(parsed)
        if chosen := _mapping(parsed.headings):
            parsed = _parsed(uploaded, chosen)
        else:
            return None
    if isinstance(parsed, RosterError):
        _problem(parsed)
        return None
    return parsed


def _parsed(uploaded: UploadedFile, mapping: Mapping[str, str]) -> Roster | RosterError:
    """Read once per file and mapping, not at every run: a large one takes a second or two.

    What came without a mapping is kept, which is why one is chosen, and what came with the last one.
    """
    key = uploaded.file_id, tuple(mapping.items())
    kept: dict[tuple[str, object], Roster | RosterError] = st.session_state.get(_PARSED, {})
    if key not in kept:
        try:
            fresh: Roster | RosterError = roster.parse(uploaded.getvalue(), mapping)
        except RosterError as error:
            if isinstance(error.__cause__, OSError):
                return error  # it may be read in a moment
            fresh = error
        plain = uploaded.file_id, ()
        st.session_state[_PARSED] = {**({plain: kept[plain]} if plain in kept else {}), key: fresh}
        return fresh
    return kept[key]


def _mapping(headings: Sequence[str]) -> dict[str, str]:
    """Which heading holds which column, as far as chosen."""
    options = list(dict.fromkeys(filter(None, headings)))
    # A box tells its options by what they show.
    labels = dict(zip(options, foreign_text.numbered(foreign_text.short(one, 60) for one in options), strict=True))
    chosen: dict[str, str] = {}
    st.text("Which columns are these?")
    for first in range(0, len(_LABELS), 3):
        for place, column in zip(st.columns(3), list(_LABELS)[first : first + 3], strict=True):
            heading = place.selectbox(
                _LABELS[column],
                options,
                index=None,
                placeholder="Not chosen",
                format_func=labels.__getitem__,
                key=f"column_{column}_{_turn()}",
            )
            if heading:
                chosen[column] = heading
    return chosen


def _problem(error: RosterError) -> None:
    markup.show(markup.paragraph(str(error)))
    _lines(error)


def _preview(fresh: Roster) -> None:
    layout = fresh.layout
    skipped = f", {formats.count(layout.skipped, 'row')} skipped" if layout.skipped else ""
    markup.show(markup.heading(f"{formats.count(len(fresh.students), 'student')} can be used{skipped}", 3))
    students = list(fresh.students.values())[:_PREVIEWED]
    rows = pd.DataFrame(
        {
            "Student ID": [student.user_id for student in students],
            "Name": [student.name for student in students],
            "Class": [student.class_name for student in students],
            "Target band": [formats.band(student.target) for student in students],
            "Test date": [formats.full_date(s.test_at) if s.test_at else "" for s in students],
            "Teacher": [student.teacher for student in students],
        }
    )
    named = [_LABELS[column] for column in _LABELS if column in layout.columns]
    st.dataframe(
        grid.literal(rows[named]), hide_index=True, key="class_list_preview", alt="The first students of the file"
    )
    markup.show(markup.quiet(f"{_format(fresh)} {' '.join(fresh.remarks)}"))
    _lines(fresh)


def _format(fresh: Roster) -> str:
    layout = fresh.layout
    if layout.worksheet:
        return f"Worksheet “{layout.worksheet}”."
    return f"{layout.encoding}, separated by {_SEPARATORS.get(layout.separator, f'“{layout.separator}”')}."


def _lines(of: Roster | RosterError) -> None:
    """Why lines are not used, or not as they stand: each reason once, with its lines."""
    reasons: dict[tuple[str, bool], list[int]] = {}
    for problem in of.problems:
        reasons.setdefault((problem.reason, problem.skipped), []).append(problem.line)
    first = list(reasons.items())[:_LISTED]
    for (reason, skipped), lines in first:
        markup.show(markup.line(f"{_rows(lines)}{' skipped' if skipped else ''}: {reason}."))
    if more := len(of.problems) + of.more_problems - sum(len(lines) for _, lines in first):
        st.text(f"And {more:,} more.")


def _rows(lines: Sequence[int]) -> str:
    """Lines of the file, which are in order.

    >>> _rows([2]), _rows([2, 3, 4]), _rows([2, 4]), _rows([2, 4, 6, 8, 10])
    ('Row 2', 'Rows 2 to 4', 'Rows 2, 4', 'Rows 2, 4, 6 and 2 more')
    """
    if len(lines) == 1:
        return f"Row {lines[0]}"
    if len(lines) > 2 and lines[-1] - lines[0] == len(lines) - 1:
        return f"Rows {lines[0]} to {lines[-1]}"
    more = f" and {len(lines) - _NAMED:,} more" if len(lines) > _NAMED else ""
    return f"Rows {', '.join(map(str, lines[:_NAMED]))}{more}"


# --- the one in use ---------------------------------------------------------------------------------------------------


def _in_use(session: PageSession, days: int) -> None:
    visitor = session.visitor
    current = of_visit(visitor)
    uploaded: Roster | None = st.session_state.get(_UPLOADED)
    own = uploaded is not None
    if current.students:
        settings = source.settings()
        is_demo = settings.source == "demo" and not settings.roster
        origin = "your own, in this tab" if own else "demo class list" if is_demo else "from the server settings"
        named = formats.count(len(current.students), "student")
        st.text(f"In use: {named} in {formats.count(len(current.classes), 'class', 'classes')}, {origin}.")
    elif own:
        st.text("In use: no student. Remove your class list to see your classes again.")
    else:
        st.text("No class list is in use: students are shown by their IDs, without classes and targets.")
    if uploaded is not None and (others := len(uploaded.students) - len(current.students)):
        st.text(f"Left out: {formats.count(others, 'student')} of the list, in no class of yours.")
    if own or visitor.is_ops:
        _lines(current)
        if current.remarks:
            markup.show(markup.quiet(" ".join(current.remarks)))
    _compare(current, session, days)
    with st.container(horizontal=True):
        st.download_button(
            "Download template (CSV)",
            roster.TEMPLATE.encode(),
            file_name="roster-template.csv",
            mime="text/csv",
            on_click="ignore",
            key="template",
        )
        if own and st.button("Remove my class list", key="forget_roster"):
            st.session_state.pop(_UPLOADED, None)
            st.session_state.pop(_NARROWED, None)
            _close()
            st.rerun()


def _compare(current: Roster, session: PageSession, days: int) -> None:
    """Students of the class list without records, and those with records who are not in it.

    Where the page has read everybody's: a school that is read class by class is not read for this.
    """
    if not current.students or cache.peek(records.period, days) is None:
        return
    with part("The comparison with the records"):
        active = set(session.answer(records.period, days).read.value["user_id"].dropna())
        absent = [student.label_with_id for student in current.students.values() if student.user_id not in active]
        unlisted = sorted(active - current.students.keys())
        if absent:
            with st.expander(f"{formats.count(len(absent), 'student')} of the list without recent records"):
                st.text(f"No records in the last {days} days:")
                _names(absent)
        if unlisted:
            with st.expander(f"{formats.count(len(unlisted), 'student')} with recent records, but not in the list"):
                _names(unlisted)


def _names(names: Sequence[str]) -> None:
    more = f", and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    markup.show(markup.paragraph(f"{', '.join(names[:_MOST])}{more}"))


def _trouble(visitor: Visitor) -> str:
    """What is wrong with the server's class list: where and why for ops, in a sentence for teachers; else empty."""
    tell = "Please tell whoever runs this dashboard."
    try:
        server = source.class_list()
    except RosterError as error:
        if visitor.is_ops:
            return f"{error} Students are shown by their IDs until it can be read."
        return f"The class list cannot be read, so students are shown by their IDs. {tell}"
    layout = server.layout
    if not layout.lost:
        return ""
    lines = formats.count(layout.lost, "row")
    if visitor.is_ops:
        first = next(p for p in server.problems if p.skipped and not p.of_nobody and p.line > layout.header_line)
        return f"{lines} of the class list {source.settings().roster} skipped. Row {first.line}: {first.reason}."
    # How many there are in other classes is nothing to somebody who may not see these.
    some = lines if visitor.classes is None else "Some rows"
    return f"{some} of the class list cannot be used, so names or classes may be missing. {tell}"
