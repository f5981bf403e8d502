"""The parts of the Overview page: who is shown, who needs attention and why, the class in charts, groups to teach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import streamlit as st

from analysis import attention, practice, progress
from analysis.attention import Row, Rules, Student
from data.roster import Roster
from data.schema import CRITERIA, TYPES
from ui.components import charts, downloads, filters, grid, plots
from ui.components.filters import Period
from ui.shell.page import STUDENT, Page
from ui.students import recurring
from wording import formats, verdicts
from wording.skills import SKILL_NAMES

_RULES = {
    "lost": "Result lost",
    "falling": "Falling",
    "below": "Below target",
    "weakest": "One weak criterion",
    "away": "Away",
}
_FLAGGED = "any"
_NO_CLASS = "-"
_UNFOLDED = "_rules_unfolded"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader wants to see. `class_name`, `skill` and `flag` are None for all; `flag` may be any or a rule."""

    class_name: str | None
    skill: str | None
    flag: str | None

    @property
    def skills(self) -> tuple[str, ...]:
        """The skills on screen."""
        return TYPES if self.skill is None else (self.skill,)


def choose(roster: Roster) -> Choice:
    """Which students to show: by class, skill and flag, all in the address."""
    classes = {"": "All", **{name: name for name in roster.classes}}
    if roster.classes and any(not student.class_name for student in roster.students.values()):
        classes[_NO_CLASS] = "(no class)"
    # Without classes there is nothing to choose, but a link that asks for one must not show all without a word.
    asks = bool(roster.classes or filters.value("class"))
    wanted = filters.option("Class", classes, key="class", default="") if asks else ""
    skills = {filters.ALL: "Both", **SKILL_NAMES}
    skill = filters.choice("Skill", skills, key="of", default=filters.ALL)
    flag = filters.choice(
        "Show", {filters.ALL: "Everybody", _FLAGGED: "Needs attention", **_RULES}, key="flag", default=filters.ALL
    )
    return Choice(wanted or None, None if skill == filters.ALL else skill, None if flag == filters.ALL else flag)


def rules() -> Rules:
    """The rules of attention, readable and settable, in the address; 0 switches one off."""
    standard = Rules()
    # Unfolded once the address changes the rules, so that what it says is seen; never folded under the reader's hand.
    changed = any(filters.value(rule) for rule in attention.RULES)
    unfolded = st.session_state[_UNFOLDED] = changed or st.session_state.get(_UNFOLDED, False)
    with (
        st.expander("When does a student need attention?", expanded=unfolded),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        lost = filters.switch(
            "A result is lost", key="lost", default=True, explain="A job failed and was never done again successfully."
        )
        falling = filters.switch("The trend is falling", key="falling", default=True, explain=verdicts.TREND_HELP)
        below = filters.number(
            "Bands below the target",
            key="below",
            default=standard.below or 0,
            step=0.5,
            most=9,
            explain="The level is at least so far below the target that the roster names. 0 switches the rule off.",
        )
        weakest = filters.number(
            "Criterion below the rest",
            key="weakest",
            default=standard.weakest or 0,
            step=0.5,
            most=9,
            explain="A criterion's level is at least so far below the median of the others. 0 switches the rule off.",
        )
        away = filters.number(
            "Days away",
            key="away",
            default=standard.away or 0,
            step=1,
            most=progress.WINDOW.days,
            explain="No evaluation of any kind for so many days. 0 switches the rule off.",
        )
    return Rules(math.floor(away) or None, below or None, weakest or None, falling, lost)


def listed(everybody: Sequence[Student], page: Page) -> list[Student]:
    """Those who were active in the period, then those of the roster who were not."""
    active = [student for student in everybody if student.evaluations]
    named = page.roster.students
    away = [student for student in everybody if not student.evaluations and student.user_id in named]
    return [*active, *away, *attention.absent(page.roster, everybody)]


def rows(students: Sequence[Student], choice: Choice, wanted: Rules, page: Page) -> list[Row]:
    """The students of the chosen class and skill with their flags, most urgent first."""
    found = []
    for student in students:
        known = page.student(student.user_id)
        if choice.class_name is not None and (known.class_name or _NO_CLASS) != choice.class_name:
            continue
        # Of a student nobody saw nothing is known that could be filtered by skill.
        if choice.skill is not None and student.standings and not student.standings[choice.skill].recent:
            continue
        shown = student.only(choice.skills)
        found.append(Row(shown, attention.flags(shown, known.target, wanted, page.now)))
    return sorted(found, key=lambda row: attention.urgency(row.flags))


def matching(every: Sequence[Row], choice: Choice) -> list[Row]:
    """The rows with the chosen flag."""
    if choice.flag is None:
        return list(every)
    if choice.flag == _FLAGGED:
        return [row for row in every if row.flags]
    return [row for row in every if any(flag.rule == choice.flag for flag in row.flags)]


def of_rows(evaluations: pd.DataFrame, every: Sequence[Row]) -> pd.DataFrame:
    """The evaluations of these students."""
    return evaluations[evaluations["user_id"].isin([row.student.user_id for row in every])]


def headline(every: Sequence[Row], period: Period) -> None:
    """The few numbers that matter, of the chosen class and skill."""
    active = [row for row in every if row.student.evaluations]
    flagged = sum(1 for row in every if row.flags)
    evaluations, lost = (sum(getattr(row.student, name) for row in active) for name in ("evaluations", "lost"))
    within = f"in the last {period.name}"
    with st.container(horizontal=True):
        for label, number, explain in (
            ("Active students", len(active), f"Students with at least one evaluation {within}."),
            ("Evaluations", evaluations, f"Of these students {within}, of every skill and status."),
            ("Need attention", flagged, "Students who meet at least one of the rules below, which you can set."),
            ("Results lost", lost, f"Jobs {within} that failed or got stuck, and were not done again successfully."),
        ):
            st.metric(label, f"{number:,}", help=explain, width="content")


def nobody(period: Period) -> None:
    """That there is nobody to show, and what to do."""
    st.info(
        f"Nobody was active in the last {period.name}. Choose a longer period, another class or skill, or open a "
        "student by id above.",
        title="No students here",
    )


def listing(found: Sequence[Row], every: int, choice: Choice, period: Period, page: Page) -> None:
    """The students as a table, most urgent first; choosing one opens the student. And the same as a file."""
    named = page.roster
    if not found:
        st.text(f"None of these {formats.count(every, 'student')}. “Everybody” shows them all.")
        return
    st.text(
        f"{len(found):,} of {formats.count(every, 'student')}, those who need attention first. "
        "Tick one to see the history; a column's head sorts."
    )
    frame = grid.students(found, named, choice.skills)
    chosen = grid.pick(
        frame,
        grid.students_columns(found, page.zone, period.name),
        key="students",
        alt=f"Students of the last {period.name}, those who need attention first, with the reasons",
    )
    if chosen is not None:
        page.go(STUDENT, user_id=found[chosen].student.user_id)
    downloads.table(
        grid.students_file(found, named, choice.skills),
        "students",
        page,
        period=f"the last {period.name}; levels and trends from the last 180 days",
        codes={"period": f"{period.days}d", "class": choice.class_name or "all"},
        key="take_students",
    )


def distribution(every: Sequence[Row], choice: Choice) -> None:
    """How many students are at which level."""
    levels = {
        skill: [row.student.standings[skill].progress.level for row in every if row.student.standings]
        for skill in choice.skills
    }
    middles = {skill: progress.lower_median(values) for skill, values in levels.items()}
    known = [f"{formats.band(m)} in {SKILL_NAMES[skill]}" for skill, m in middles.items() if not math.isnan(m)]
    st.subheader("Levels now", anchor=False, help=verdicts.LEVEL_HELP)
    if not known:
        st.text("No level is known yet: nobody here has a completed evaluation of the last 180 days.")
        return
    title = f"Half of the students are at or above {' and '.join(known)}"
    st.text(title)
    plots.show(charts.level_counts, levels, key="levels", alt=f"{title}.")


def volume(evaluations: pd.DataFrame, first: datetime, choice: Choice, page: Page) -> None:
    """Evaluations of the chosen skills per week, weeks without one as zeros."""
    counts = practice.weeks(evaluations, first, page.now, page.zone.key)
    totals = counts[list(choice.skills)].sum(axis=1)
    st.subheader(
        "Evaluations per week", anchor=False, help="Of every status. The first and the last week are not whole."
    )
    said = [
        formats.count(int(totals.sum()), f"{SKILL_NAMES[choice.skill]} evaluation" if choice.skill else "evaluation")
    ]
    whole = totals.iloc[1:-1]  # the others would make a usual week look smaller
    if len(whole) > 1:
        said.append(f"{whole.median():.0f} in a usual week")
    if empty := int((whole == 0).sum()):
        said.append(f"{formats.count(empty, 'week')} without one")
    of_period = evaluations[evaluations["created_at"] >= first]
    if choice.skill is None and (odd := len(of_period) - int(totals.sum())):
        said.append(f"{odd:,} more of neither skill")
    title = ", ".join(said)
    st.text(title)
    plots.show(charts.weekly, counts[["start", *choice.skills]], page.zone, key="weekly", alt=f"{title}.")


def groups(evaluations: pd.DataFrame, every: Sequence[Row], choice: Choice, page: Page) -> None:
    """Students by their weakest criterion: whom to teach what together."""
    st.subheader("Groups to teach", anchor=False, help=verdicts.WEAKEST_HELP)
    found = attention.groups([row.student for row in every], choice.skills)
    if not found:
        st.text("Nobody's criteria differ enough to form a group.")
        return
    names = {f"{group.skill}.{group.criterion}": _group_name(group) for group in found}
    code = filters.option(
        "Students whose weakest criterion is", names, key="group", default=next(iter(names)), width=420
    )
    group = next(g for g in found if f"{g.skill}.{g.criterion}" == code)
    st.text(
        f"{formats.count(len(group.students), 'student')}, lowest level first. "
        f"Half of them are at or below {formats.band(group.middle)} in {CRITERIA[group.skill][group.criterion]}. "
        "Tick one to see the history."
    )
    chosen = grid.pick(
        grid.group(group.students, page.roster),
        grid.group_columns(CRITERIA[group.skill][group.criterion]),
        key="group_rows",
        alt=f"Students whose weakest criterion is {names[code]}, lowest level first",
    )
    if chosen is not None:
        page.go(STUDENT, user_id=group.students[chosen][0])
    members = [user_id for user_id, _ in group.students]
    of_group = evaluations[evaluations["user_id"].isin(members) & (evaluations["evaluation_type"] == group.skill)]
    recurring.of_group(recurring.group_keys(of_group), page)


def _group_name(group: attention.Group) -> str:
    name = f"{SKILL_NAMES[group.skill]}: {CRITERIA[group.skill][group.criterion]}"
    return f"{name} ({formats.count(len(group.students), 'student')})"
