"""The parts of the Students page: who is shown, who needs attention and why, the class in charts."""

import math
from collections.abc import Sequence

import streamlit as st

from analysis import attention
from analysis.attention import Row, Rules
from analysis.levels import progress
from data.roster import Roster
from queries.session import Session
from queries.standings import Activity, Evaluations, Listing, Week
from ui.components import charts, downloads, filters, grid, markup, plots
from ui.components.filters import Period
from ui.shell import address
from ui.shell.clock import Clock
from ui.shell.navigation import STUDENT, go, href
from ui.students import tables
from ui.students.choice import Choice
from wording import formats, verdicts
from wording.skills import SKILL_NAMES

_RULES = {
    "lost": "Missing result",
    "falling": "Declining",
    "below": "Below target",
    "weakest": "Weak criterion",
    "away": "Inactive",
}
_STANDARD = Rules()
_AMOUNTS = {
    "below": (float(_STANDARD.below or 0), 9.0),
    "weakest": (float(_STANDARD.weakest or 0), 9.0),
    "away": (float(_STANDARD.away or 0), float(progress.WINDOW.days)),
}
"""The rules that are amounts, by their keys in the address: what is usual, and the most that can be asked for."""
_FLAGGED = "any"
_ON_PHONE = 20  # students in a phone's list, which has no pages of its own
_NEW = 3  # students with new reasons who are named
FILTERS = ("class", "of", "period", "flag", *attention.RULES)
"""What Clear filters takes out of the address."""


def flagged(listed: Listing) -> str | None:
    """The flag that the students shown must have: None for all, any, or a rule. Each says how many have it."""
    names = {filters.ALL: f"**{len(listed):,}** All students", _FLAGGED: f"**{len(listed.flagged):,}** Need attention"}
    # A rule that nobody meets is no choice, unless the link has made it.
    names |= {
        rule: f"**{listed.counts[rule]:,}** {name}"
        for rule, name in _RULES.items()
        if listed.counts[rule] or address.value("flag") == rule
    }
    flag = filters.choice("Show", names, key="flag", default=filters.ALL, is_labelled=False)
    return None if flag == filters.ALL else flag


def rules() -> Rules:
    """The rules of attention, readable and settable, in the address; 0 switches one off."""
    with st.popover("Attention rules (changed)" if _has_own_rules() else "Attention rules"):
        lost = filters.switch(
            "Missing result",
            key="lost",
            default=True,
            explain="A job failed or got stuck and did not succeed within a day.",
        )
        falling = filters.switch("Declining trend", key="falling", default=True, explain=verdicts.TREND_HELP)
        below = _amount(
            "Below target by (bands)",
            key="below",
            step=0.5,
            explain="The level, with all of its margin, is so far below the target. With a test date: the target is "
            "out of reach by then. 0 = off.",
        )
        weakest = _amount(
            "Weak criterion by (bands)",
            key="weakest",
            step=0.5,
            explain="A criterion is so far below the mean of the others, again and again. 0 = off.",
        )
        away = _amount(
            "Inactive for (days)",
            key="away",
            step=1,
            explain="No evaluation of any kind for so many days. 0 = off.",
        )
    return Rules(math.floor(away) or None, below or None, weakest or None, falling, lost)


def _has_own_rules() -> bool:
    return any(address.value(rule) for rule in attention.RULES)


def _amount(label: str, *, key: str, step: float, explain: str) -> float:
    default, most = _AMOUNTS[key]
    return filters.number(label, key=key, default=default, step=step, most=most, explain=explain)


def flag_name(flag: str | None) -> str | None:
    """Which students `flagged` has chosen, in words; None for all."""
    return "Need attention" if flag == _FLAGGED else flag and _RULES[flag]


def rules_of_address() -> Rules:
    """The rules as the address has them, for a page that only applies them; what it cannot mean is the standard."""

    def amount(key: str) -> float:
        default, most = _AMOUNTS[key]
        return address.read(key, default, lambda text: address.number(text, most))[0]

    return Rules(
        math.floor(amount("away")) or None,
        amount("below") or None,
        amount("weakest") or None,
        address.value("falling") != "off",
        address.value("lost") != "off",
    )


def matching(listed: Listing, flag: str | None) -> Sequence[Row]:
    """The rows with the chosen flag."""
    if flag is None:
        return listed.rows
    return listed.flagged if flag == _FLAGGED else listed.meeting(flag)


def headline(listed: Listing, practised: Activity, choice: Choice, period: Period) -> None:
    """The few numbers that matter, of the chosen class and skill: all of the students listed, the same for each."""
    flagged, lost, active = len(listed.flagged), listed.lost, listed.active
    number = practised.evaluations if choice.skill is None else practised.by_skill[choice.skill]
    every, within = len(listed), f"in the last {period.name}"
    with st.container(horizontal=True):
        for label, value, explain in (
            ("Active students", active, f"Of {every:,}: those with at least one evaluation {within}."),
            ("Evaluations", number, f"Of these students {within}, of every status."),
            ("Need attention", flagged, f"Of {every:,}: those who meet at least one of the rules below."),
            ("Missing results", lost, f"Jobs {within} that failed or got stuck and did not succeed within a day."),
        ):
            st.metric(label, f"{value:,}", help=explain, width="content")


def since_last_week(week: Week, roster: Roster) -> None:
    """How many have a reason that they did not have a week ago, and who, with the weightiest of these reasons."""
    if not week.new:
        return
    names = [f"{roster.student(row.student.user_id).label} ({verdicts.flag(row.flags[0])})" for row in week.new[:_NEW]]
    more = f" and {len(week.new) - _NEW:,} more" if len(week.new) > _NEW else ""
    # What does not fit is in the list below.
    markup.show(markup.cut_line(markup.chip(f"{len(week.new):,} new since last week"), f" {', '.join(names)}{more}"))


def nobody(period: Period) -> None:
    """That there is nobody to show, and what to do."""
    st.info(
        f"No activity in the last {period.name}. Choose a longer period, another class or skill, or search for a "
        "student at the side.",
        title="No students found",
    )


def listing(
    rows: Sequence[Row],
    listed: Listing,
    choice: Choice,
    flag: str | None,
    period: Period,
    session: Session,
    clock: Clock,
    roster: Roster,
) -> None:
    """The students as a table, most urgent first; choosing one opens the student. And all of them as a file."""
    if not rows:
        st.text(f"None of {formats.count(len(listed), 'student')} match. “All students” shows them.")
        return
    page = filters.page(len(rows))
    on_page = rows[page.start : page.stop]
    bold = tables.beyond_noise(on_page, choice.skills)
    # Its key changes with its rows; the container's stays.
    with st.container(key="desk"), st.container(key="students"):
        row = grid.pick(
            tables.students(on_page, roster, choice.skills),
            tables.students_columns(listed.scale, clock.zone, period.name, has_bold=bool(bold)),
            opens="Student",
            order=tables.in_sight(choice.skills),
            bold=bold,
            key=grid.key_of("students", [row.student.user_id for row in on_page]),
            alt=f"Students of the last {period.name}, sorted by need for attention, with the reasons",
        )
    with st.container(key="phone"):
        markup.show(markup.entries(_entry(row, choice, roster) for row in on_page[:_ON_PHONE]))
        if len(on_page) > _ON_PHONE:
            st.text(f"The {_ON_PHONE} most urgent of {len(on_page):,}. Search or filter for the others.")
    st.text(f"{formats.of(len(rows), len(listed), 'student')}. Sorted by: needs attention")
    if row is not None:
        go(STUDENT, user_id=on_page[row].student.user_id)
    downloads.table(
        lambda: tables.students_file(rows, roster, choice.skills),
        "students",
        session,
        clock,
        period=f"the last {period.name}; levels and trends from the last 180 days",
        codes={"period": f"{period.days}d", "class": choice.class_name or "all"},
        key="take_students",
        chosen={
            **choice.words,
            "Show": flag_name(flag),
            "Attention rules": "changed" if _has_own_rules() else None,
        },
        students=[row.student.user_id for row in rows],
    )


def first_look(listed: Listing, clock: Clock, roster: Roster) -> None:
    """While the rest is read: who was active in the newest days, those with missing results first."""
    days = (listed.now - listed.first).days
    st.text(
        f"Active in the last {formats.count(days, 'day')}. Levels, trends and other reasons appear once all is loaded."
    )
    if not listed.rows:
        st.text("Nobody so far.")
        return
    page = filters.page(len(listed))
    on_page = listed.rows[page.start : page.stop]
    row = grid.pick(
        tables.students(on_page, roster, ()),
        tables.students_columns(listed.scale, clock.zone, f"{days} days"),
        opens="Student",
        order=tables.in_sight(()),
        key=grid.key_of("newest", [row.student.user_id for row in on_page]),
        alt=f"Students of the last {days} days, those with missing results first",
    )
    if row is not None:
        go(STUDENT, user_id=on_page[row].student.user_id)


def way(asked: Evaluations, session: Session) -> None:
    """For ops: that a class was read without the rest of the school, which a school's cost depends on."""
    if asked.of is not None and session.visitor.is_ops:
        markup.show(markup.quiet(f"Read student by student: {formats.count(len(asked.of), 'student')}"))


def _entry(row: Row, choice: Choice, roster: Roster) -> list[str]:
    """A student as a phone's list has them: name, reasons, levels."""
    student = roster.student(row.student.user_id)
    levels = [
        f"{SKILL_NAMES[skill]} {verdicts.level(row.student.standings[skill].progress)}"
        for skill in choice.skills
        if skill in row.student.standings
    ]
    link = markup.anchor(href(STUDENT, user_id=student.user_id), student.label)
    step = f"Next step: {verdicts.action(row.flags)}" if row.flags else ""
    return [link, *filter(None, (verdicts.brief_reasons(row.flags), step, " · ".join(levels)))]


def distribution(listed: Listing) -> None:
    """How many students are at which level."""
    levels = listed.levels
    middles = {skill: progress.median(values) for skill, values in levels.items()}
    medians = [f"{SKILL_NAMES[skill]} {m:.1f}" for skill, m in middles.items() if not math.isnan(m)]
    st.subheader("Current levels", anchor=False, help=verdicts.LEVEL_HELP)
    if not medians:
        st.text("No results in the last 180 days.")
        return
    title = f"Median level: {', '.join(medians)}"
    st.text(title)
    plots.show(charts.level_counts, levels, key="levels", alt=f"{title}.")


def volume(practised: Activity, choice: Choice) -> None:
    """Evaluations of the chosen skills per week, weeks without one as zeros."""
    counts = practised.weeks
    totals = counts[list(choice.skills)].sum(axis=1)
    st.subheader(
        "Evaluations per week", anchor=False, help="Of every status. The first and the last week are not whole."
    )
    facts = [
        formats.count(int(totals.sum()), f"{SKILL_NAMES[choice.skill]} evaluation" if choice.skill else "evaluation")
    ]
    whole = totals.iloc[1:-1]  # the others would make a usual week look smaller
    if len(whole) > 1:
        facts.append(f"about {whole.median():.0f} a week")
    if empty := int((whole == 0).sum()):
        facts.append(f"{formats.count(empty, 'week')} without one")
    if choice.skill is None and (odd := practised.evaluations - int(totals.sum())):
        facts.append(f"{formats.count(odd, 'evaluation')} of unknown type")
    title = ", ".join(facts)
    st.text(title)
    plots.show(charts.weekly, counts[["start", *choice.skills]], key="weekly", alt=f"{title}.")
