"""What the reader chose, kept in the URL so that a copied link shows the same.

The URL is the only truth: a widget takes its value from there on every run and writes a change back before the next.
(Streamlit's own bind="query-params" drops unknown values in silence, and forbids giving the filters to a page switch,
so that Back would lose them.)
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import streamlit as st

from data.roster import Roster, Student
from data.schema import COMPLETED, FAILED, PROCESSING, SPEAKING, WRITING
from ui.components import markup
from wording import foreign_text

ALL = "all"

LONGEST_DAYS = 365
_PERIODS = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "12m": ("12 months", LONGEST_DAYS)}
_LONGEST_SEARCH = 200
_MOST_REMARKS = 5  # on what the dashboard does not know
_TABLES = ("evaluations", "flashcards")
_SOUGHT = "_sought"

# Every filter's key in the URL, distinct on every page, so that all of them can travel along (see carried).
KEYS = (
    *("period", "since", "skill", "status", "sets", "cards"),
    *("jobs", "from", "to", "kind", "state", "model", "student", "reason", "text", "part", "again"),
    *("audit", "finding"),
    *("class", "of", "flag", "away", "below", "weakest", "falling", "lost", "group", "says", "lesson", "beside"),
)

# What else a link may hold: which record, whose, which two.
IDS = ("user_id", "evaluation_id", "set_id", "a", "b", "job_id", "table")
_FIRST_DAY = date(2000, 1, 1)  # before there was BandUp


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now; `days` is None for all there is."""

    name: str
    days: int | None

    def first(self, now: datetime) -> datetime | None:
        """When it begins."""
        return None if self.days is None else now - timedelta(days=self.days)


def carried() -> dict[str, list[str]]:
    """The filters in the URL, for links and page switches to take along: coming back, the reader finds them again."""
    return {key: [value(key)] for key in KEYS if key in st.query_params}


def given(key: str) -> str | None:
    """What the URL says of a filter or an id, the first where it says several; None when nothing."""
    said = st.query_params.get_all(key)
    return said[0] if said else None


def remarks() -> None:
    """Say what in the link cannot be used as it is, whatever page it leads to: a sentence each."""
    known = [key for key in st.query_params if key in KEYS or key in IDS]
    others = [foreign_text.short(key, 60) for key in st.query_params if key not in known]
    said = [f"The link holds “{key}”, which the dashboard does not know." for key in others[:_MOST_REMARKS]]
    for key in known:
        if len(st.query_params.get_all(key)) > 1:
            said.append(f"The link has {key} more than once: the first one is used.")
        if key in KEYS and len(given(key) or "") > _LONGEST_SEARCH:
            said.append(f"The link's {key} is too long: at most its first {_LONGEST_SEARCH} characters are used.")
    if (table := given("table")) and table not in _TABLES:
        said.append(f"The link asks for table “{foreign_text.short(table, 60)}”, which there is not.")
    for sentence in said:
        markup.show(markup.quiet(markup.inline(sentence)))


def period(key: str = "period") -> Period:
    """A choice of periods, `?period=`."""
    code = choice("Period", {code: name for code, (name, _) in _PERIODS.items()}, key=key, default="30d")
    return Period(*_PERIODS[code])


def since() -> Period:
    """A choice of periods or all there is, `?since=`."""
    periods: dict[str, tuple[str, int | None]] = {**_PERIODS, ALL: ("All", None)}
    code = choice("Period", {code: name for code, (name, _) in periods.items()}, key="since", default=ALL)
    return Period(*periods[code])


def skill() -> str | None:
    """A choice of skill, `?skill=`; None for both."""
    code = choice("Skill", {ALL: "Both", WRITING: "Writing", SPEAKING: "Speaking"}, key="skill", default=ALL)
    return None if code == ALL else code


def status(key: str = "status") -> str | None:
    """A choice of status, `?status=`; None for all."""
    names = {ALL: "All", COMPLETED: "Completed", PROCESSING: "Waiting", FAILED: "Failed"}
    code = choice("Status", names, key=key, default=ALL)
    return None if code == ALL else code


def choice(label: str, names: Mapping[str, str], *, key: str, default: str) -> str:
    """One of `names` (code in the URL -> our own words). Says so when a link asks for one that there is not."""
    asked = _asked(label, names, key, default)
    st.segmented_control(
        label,
        list(names),
        format_func=lambda code: names.get(code, code),
        key=key,
        required=True,
        wrap=True,
        on_change=_to_url,
        args=(key, default),
    )
    return asked


def option(
    label: str, names: Mapping[str, str], *, key: str, default: str, explain: str | None = None, width: int = 220
) -> str:
    """One of `names`, which may be many or the words of others: the list shows them literally."""
    asked = _asked(label, names, key, default)
    st.selectbox(
        label,
        list(names),
        format_func=lambda code: foreign_text.visible(names.get(code, code)),
        key=key,
        help=explain,
        on_change=_to_url,
        args=(key, default),
        width=width,
    )
    return asked


def _asked(label: str, names: Mapping[str, str], key: str, default: str) -> str:
    told = given(key)
    asked = default if told is None else told
    if asked not in names:
        said = f"The link asks for {label.lower()} “{foreign_text.short(asked, 60)}”, which there is not."
        markup.show(markup.quiet(markup.inline(said)))
        asked = default
    st.session_state[key] = asked
    return asked


def number(label: str, *, key: str, default: float, step: float, most: float, explain: str) -> float:
    """A number from 0 to `most`, in the URL as `?key=`. Says so when a link holds none."""
    asked = given(key) or ""
    chosen = default
    if asked:
        try:
            chosen = float(asked)
        except ValueError:
            chosen = math.nan
        if not 0 <= chosen <= most:
            said = f"The link's {label.lower()} “{foreign_text.short(asked, 60)}” is no number up to {most:g}."
            markup.show(markup.quiet(markup.inline(said)))
            chosen = default
    st.session_state[key] = chosen
    st.number_input(
        label,
        min_value=0.0,
        max_value=float(most),
        step=float(step),
        format="%g",
        key=key,
        help=explain,
        on_change=_to_url,
        args=(key, default),
        width=220,
    )
    return chosen


def value(key: str) -> str:
    """What the URL says of a filter; empty when nothing."""
    return (given(key) or "")[:_LONGEST_SEARCH]


def put(**chosen: str) -> None:
    """Set filters from code: those of a click elsewhere on the page."""
    for key, wanted in chosen.items():
        if not wanted:
            st.query_params.pop(key, None)
        elif st.query_params.get(key) != wanted:
            st.query_params[key] = wanted


def day(label: str, *, key: str, default: date) -> date:
    """A date since 2000, in the URL as `?key=2026-03-01`. Says so when a link holds none."""
    told = given(key)
    asked = default.isoformat() if told is None else told
    last = default + timedelta(days=366)
    try:
        chosen = date.fromisoformat(asked)
        problem = "" if _FIRST_DAY <= chosen <= last else f"is not between {_FIRST_DAY:%Y} and {last:%Y}"
    except ValueError:
        problem = "is no date"
    if problem:
        markup.show(
            markup.quiet(markup.inline(f"The link's {label.lower()} “{foreign_text.short(asked, 60)}” {problem}."))
        )
        chosen = default
    st.session_state[key] = chosen
    st.date_input(
        label,
        min_value=_FIRST_DAY,
        max_value=last,
        key=key,
        on_change=_to_url,
        args=(key, None),
        required=True,
        format="YYYY-MM-DD",
    )
    return chosen


def switch(label: str, *, key: str, default: bool = False, explain: str | None = None) -> bool:
    """An on/off switch, in the URL as `?key=on` or `?key=off` where that is not the default."""
    asked = given(key)
    if asked not in (None, "on", "off"):
        said = f"The link's “{label}” is “{foreign_text.short(asked or '', 60)}”, neither on nor off."
        markup.show(markup.quiet(markup.inline(said)))
    st.session_state[key] = {"on": True, "off": False}.get(asked or "", default)
    return st.toggle(label, key=key, help=explain, on_change=_to_url, args=(key, default))


def search(label: str, *, key: str) -> str:
    """Free text, in the URL as `?key=`; cut to 200 characters."""
    st.session_state[key] = value(key)
    return st.text_input(
        label, key=key, type="search", max_chars=_LONGEST_SEARCH, on_change=_to_url, args=(key, "")
    ).strip()


def student_finder(roster: Roster) -> str | None:
    """A box for a student's exact id, or a part of the name; the id once one student was found or chosen."""
    named = any(student.name for student in roster.students.values())
    typed = id_finder(
        "Find a student by name or id" if named else "Find a student by id",
        "such as user-456",
        "The exact id (user_id) works for every student, also for one who was not active lately."
        + (" A part of a name works for those in the roster." if named else ""),
    )
    if typed is not None:
        st.session_state[_SOUGHT] = typed
    sought = st.session_state.get(_SOUGHT)
    if not sought:
        return None
    found = roster.called(sought)
    if sought in roster.students or not found:
        del st.session_state[_SOUGHT]
        return str(sought)
    if len(found) == 1:
        del st.session_state[_SOUGHT]
        return found[0].user_id
    chosen = st.selectbox(
        f"{len(found)} students have this in their names: which one?",
        [student.user_id for student in found],
        format_func=lambda user_id: _introduced(roster.student(user_id)),
        index=None,
        key="_which",
        width=420,
    )
    if chosen is not None:
        del st.session_state[_SOUGHT]
    return chosen


def _introduced(student: Student) -> str:
    return foreign_text.visible(
        " · ".join(part for part in (student.name, student.class_name, student.user_id) if part)
    )


def id_finder(label: str, example: str, explain: str | None = None) -> str | None:
    """A box for an exact id; the id once it was entered."""
    with st.form("find", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(label, placeholder=example, help=explain, max_chars=1024, width=320)
        sent = st.form_submit_button("Open")
    return typed.strip() if sent and typed.strip() else None


def _to_url(key: str, default: str | bool | float | None) -> None:
    value = st.session_state[key]
    if value == default or value is None:
        st.query_params.pop(key, None)
    elif isinstance(value, bool):
        st.query_params[key] = "on" if value else "off"
    else:
        st.query_params[key] = f"{value:g}" if isinstance(value, float) else str(value)
