"""The parts of the Lessons page: groups by weakest criterion, and the lesson of one with its sheet and file."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from analysis.attention import Group
from analysis.phrases import Key
from data.roster import Roster
from data.schema import CRITERIA
from exports import lesson
from exports.lesson import Lesson
from queries import source
from queries.session import Session
from queries.standings import Evaluations
from ui.components import downloads, grid, markup, printing
from ui.shell import address
from ui.shell.clock import Clock
from ui.shell.navigation import LESSONS, STUDENT, go, href
from ui.shell.page import set_title
from ui.students import recurring, tables
from ui.students.choice import Choice
from wording import formats, verdicts
from wording.skills import SKILL_NAMES

_NAMES = 4  # of students on a card


def cards(groups: Sequence[Group], asked: Evaluations, session: Session, roster: Roster) -> None:
    """A card per group: criterion, students, median level, and the way to its lesson, for ops with its cost."""
    if not groups:
        st.info("Groups appear when a criterion is weak again and again.", title="No groups yet")
        return
    for first in range(0, len(groups), 3):
        for column, group in zip(st.columns(3), groups[first : first + 3], strict=False):
            with column, st.container(border=True):
                _card(group, recurring.cost(_keys(group, asked, session), session), roster)


def _card(group: Group, cost: str, roster: Roster) -> None:
    names = [roster.student(user_id).label for user_id, _ in group.students]
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    markup.show(
        markup.heading(CRITERIA[group.skill][group.criterion], 3),
        markup.line(
            f"{SKILL_NAMES[group.skill]} · {formats.count(len(names), 'student')} · median level {group.middle:.1f}"
        ),
        markup.quiet(f"{', '.join(names[:_NAMES])}{more}"),
        *([markup.quiet(cost)] if cost else []),
    )
    # Not a link: one to the page where it stands leaves the address as it is.
    st.button("Plan lesson", on_click=_open, args=(group.code,), key=f"plan_{group.code}")


def _open(name: str) -> None:
    """Open the lesson of a group, with its feedback."""
    address.put(group=name, lesson="on")


def plan(group: Group, asked: Evaluations, choice: Choice, session: Session, clock: Clock, roster: Roster) -> None:
    """The lesson of one group: its students, their common feedback, the sheet and the file."""
    criterion, members = CRITERIA[group.skill][group.criterion], [user_id for user_id, _ in group.students]
    title = f"{criterion} · {SKILL_NAMES[group.skill]}"
    all_groups = markup.anchor(href(LESSONS, group="", lesson=""), "Lessons")
    set_title(title, markup.breadcrumb([all_groups, title]))
    st.text(f"{formats.count(len(members), 'student')} · median level {group.middle:.1f}", help=verdicts.WEAKEST_HELP)
    buttons = st.container(horizontal=True)
    row = grid.pick(
        tables.group(group.students, roster),
        tables.group_columns(criterion),
        opens="Student",
        key=grid.key_of("lesson_students", members),
        alt=f"Students with weakest criterion {criterion}, lowest level first",
    )
    if row is not None:
        go(STUDENT, user_id=members[row])
    keys = _keys(group, asked, session)
    is_whole = asked.read.complete and session.complete
    of_group = [] if is_whole else ["Not all evaluations could be read: more students may belong here."]
    feedback, of_feedback = recurring.of_group(keys, session, clock, roster)
    notes = of_group + of_feedback
    entries = [(roster.student(user_id), level) for user_id, level in group.students]
    sheet = Lesson(
        group.skill,
        group.criterion,
        entries,
        group.middle,
        feedback,
        clock.zone,
        clock.now,
        school=source.settings().school,
        teacher=session.visitor.teaches,
        notes=notes,
    )
    with buttons:
        printing.button(
            "Print lesson sheet",
            partial(lesson.html, sheet),
            session,
            students=members,
            key="lesson_print",
            primary=True,
        )
        downloads.table(
            lesson.rows(sheet),
            "lesson",
            session,
            clock,
            period="levels from the last 180 days",
            codes={"group": group.code},
            key="lesson_csv",
            chosen=choice.words,
            complete=session.complete and not notes and not (feedback and feedback.unread),
        )


def _keys(group: Group, asked: Evaluations, session: Session) -> tuple[Key, ...]:
    """The evaluations whose feedback a group may have in common; looked for once, not at each click."""
    return session.derive(
        ("feedback of a group", *asked.key, group),
        lambda: recurring.keys_of_group(group, asked.rows()),
    )
