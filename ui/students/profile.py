"""A student's skills side by side: level and reasons first, what to do next, then the trend and the criteria."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

import pandas as pd
import streamlit as st
from markupsafe import Markup

from analysis import attention, bands, practice, tasks
from analysis.attention import Aim, Flag, Rules
from analysis.bands import SkillBands
from analysis.levels import attempts, progress
from analysis.levels.attempts import Cohort
from analysis.levels.progress import Forecast, Noise, Progress
from data.roster import Roster, Student
from data.schema import CRITERIA, OVERALL, TYPES, WRITING
from queries import noise, records
from queries.session import Session
from ui.components import charts, downloads, filters, grid, markup, plots
from ui.components.filters import Period
from ui.shell import address
from ui.shell.boundary import done
from ui.shell.clock import Clock
from ui.shell.navigation import COMPARE, EVALUATION, OVERVIEW, go, href, link
from ui.shell.page import fragment, set_title
from ui.shell.reads import PageSession
from ui.students import breadcrumb, finder, tables
from wording import formats, verdicts
from wording.skills import SKILL_COLOURS, SKILL_NAMES

_OF_TASK = {None: "", 1: ", Task 1", 2: ", Task 2"}
_LINKED = 3  # records whose results are missing
_CALENDAR = timedelta(days=371)  # 53 weeks
SMALLEST_CLASS = 6
"""A median of fewer students would tell about single ones."""
_LARGEST_CLASS = 300
"""An uploaded class list may put anybody into a class, and each one of it is a request."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of the student on screen."""

    name: str
    cohort: Cohort
    noise: Noise
    progress: Progress
    forecast: Forecast | None
    aim: Aim

    @property
    def target(self) -> float:
        """NaN where the roster names none."""
        return self.aim.target


def standing(history: pd.DataFrame, period: Period, clock: Clock) -> attention.Student | None:
    """The student as the list has them, of whom missing results are counted in `period`; None without a time."""
    students = attention.everybody(history, _first(period, clock), clock.now, noise.of_everybody())
    return students[0] if students else None


def of_history(history: pd.DataFrame, entry: Student, clock: Clock, seen: attention.Student | None) -> dict[str, Skill]:
    """Each skill's attempts and progress. `seen` has the progress, where it was worked out from the same history."""
    aim, noises = Aim(entry.target, entry.test_at), noise.of_everybody()
    skills = {}
    for name in TYPES:
        cohort = attempts.of_student(history, name)
        if seen is None:
            (now,) = progress.progress(cohort, clock.now, noises[name])
        else:
            now = seen.standings[name].progress
        skills[name] = Skill(name, cohort, noises[name], now, progress.forecast(now, aim.target, clock.now), aim)
    return skills


def choose_task(history: pd.DataFrame) -> int | None:
    """The chosen Writing task, None for both; there is a choice where the records tell of both."""
    written = history.loc[history["evaluation_type"] == WRITING, "model_used"].map(tasks.of_model)
    if set(written.dropna()) != set(tasks.TASKS) and not address.value("task"):
        return None
    return filters.task()


def of_task(evaluations: pd.DataFrame, task: int | None) -> pd.DataFrame:
    """Those of a Writing task alone, of both where it is None; Speaking stays."""
    if task is None:
        return evaluations
    is_other = (evaluations["evaluation_type"] == WRITING) & (evaluations["model_used"].map(tasks.of_model) != task)
    return evaluations[~is_other].reset_index(drop=True)


def none_left(of_task: pd.DataFrame, history: pd.DataFrame, period: Period) -> str:
    """That the filters have left no evaluation of a student who has some, and which one to change."""
    task = "" if of_task is history else f"of Writing Task {address.value('task')}"
    if of_task.empty:
        return f"This student has no evaluations {task}. Choose “All” as the Writing task."
    what = f"{task} or another skill" if task else "of this student"
    return f"Choose a longer period: the last {period.name} have no evaluations {what}."


def ask_whose(here: str, label: str, roster: Roster) -> NoReturn:
    """For an address that names no student: a way to find one for the page `here`, and a link to Students."""
    if user_id := finder.student_finder(roster):
        go(here, user_id=user_id)
    link(OVERVIEW, label)
    done()


def title(entry: Student, what: str = "", *, here: bool = False) -> None:
    """Who this is, and what of theirs is on the page; `here` is the student's own page."""
    name = entry.label
    set_title(f"{name} · {what}" if what else name, breadcrumb.of_student(entry, here=here))


def facts(entry: Student, seen: attention.Student | None, clock: Clock) -> None:
    """Class, target and last activity in a line, and the ID to copy."""
    aim = Aim(entry.target, entry.test_at)
    active = None if seen is None else f"last active {formats.ago(seen.last_seen, clock.now)}"
    parts = [part for part in (entry.class_name, verdicts.target_of(aim, clock.now), active) if part]
    with st.container(horizontal=True, vertical_alignment="center"):
        if parts:
            markup.show_beside(markup.line(" · ".join(parts)))
        markup.show_beside(markup.to_copy(entry.user_id, "the student's ID"))


def reasons(flags: Sequence[Flag], task: int | None) -> None:
    """Why the student is on the list of those who need attention: by both Writing tasks, whichever is chosen."""
    if flags:
        markup.show_beside(markup.chips(map(verdicts.flag, flags)))
        if task is not None:
            markup.show_beside(markup.quiet("Both Writing tasks"))


def flags_of(seen: attention.Student | None, entry: Student, rules: Rules, clock: Clock) -> list[Flag]:
    """The reasons, the weightiest first."""
    return [] if seen is None else attention.flags(seen, Aim(entry.target, entry.test_at), rules, clock.now)


def next_step(
    flags: Sequence[Flag],
    seen: attention.Student | None,
    history: pd.DataFrame,
    entry: Student,
    period: Period,
    clock: Clock,
) -> None:
    """What follows from the weightiest reasons, with links to the records whose results are missing."""
    if seen is None:
        return
    steps = attention.to_act_on(flags)
    if not flags and seen.weakest is not None:
        skill, low = seen.weakest
        steps = [Flag("weakest", low.gap, skill, low.criterion)]
    if not steps:
        return
    sentences: list[str] = []
    for flag in steps:
        sentence = verdicts.next_step(flag, seen, Aim(entry.target, entry.test_at), clock.zone, clock.now)
        missing = _missing(history, entry, period, clock) if flag.rule == "lost" else []
        sentences += [f"{sentence[:-1]}:" if missing else sentence, *missing, " "]
    markup.show(markup.next_step(*sentences))


def _missing(history: pd.DataFrame, entry: Student, period: Period, clock: Clock) -> list[str]:
    """Links to the newest records whose results are missing, each called after its skill and time."""
    rows = attention.missing(history[history["created_at"] >= _first(period, clock)], clock.now)
    linked: list[str] = []
    for row in rows.head(_LINKED).to_dict("records"):
        at = formats.stamp(row["created_at"], clock.zone, clock.now)
        name = f"{SKILL_NAMES.get(row['kind'], 'Evaluation')} of {at}"
        address = href(EVALUATION, evaluation_id=row["evaluation_id"], user_id=entry.user_id)
        linked += [", " if linked else " ", markup.anchor(address, name)]
    more = f" and {len(rows) - _LINKED} more" if len(rows) > _LINKED else ""
    return [*linked, f"{more}."] if linked else []


def _first(period: Period, clock: Clock) -> datetime:
    return period.first(clock.now) or clock.now - progress.WINDOW


def beside(user_id: str, task: int | None, session: Session, clock: Clock, roster: Roster) -> Mapping[str, float]:
    """The class's median level per skill, in Writing of one task where one is chosen, read when the reader wants it.

    Nothing for a class too small to hide one.
    """
    student = roster.student(user_id)
    members = roster.members(student.class_name) if student.class_name else []
    if not SMALLEST_CLASS <= len(members) <= _LARGEST_CLASS:
        return {}
    if not filters.switch(
        "Compare with class median",
        key="beside",
        explain=f"Reads the last 180 days of each of the class's {len(members)} students: one request each. "
        f"A median of fewer than {SMALLEST_CLASS} students is not shown.",
    ):
        return {}
    classmates = of_task(session.read(records.of_students, tuple(sorted(members)), progress.WINDOW.days), task)
    medians, noises = {}, noise.of_everybody()
    for skill in TYPES:
        cohort = attempts.of_students(classmates, skill)
        levels = [p.level for p in progress.progress(cohort, clock.now, noises[skill])]
        scored = [level for level in levels if not math.isnan(level)]
        if len(scored) >= SMALLEST_CLASS:
            medians[skill] = progress.median(scored)
    if few := [SKILL_NAMES[skill] for skill in TYPES if skill not in medians]:
        st.text(
            f"No class median in {' and '.join(few)}: fewer than {SMALLEST_CLASS} students of the class have a level."
        )
    return medians


def cards(
    history: pd.DataFrame,
    task: int | None,
    skills: Mapping[str, Skill],
    medians: Mapping[str, float],
    clock: Clock,
) -> None:
    """Both skills side by side: level, way to the target, trend, and what they come from."""
    history = bands.future_last(history, clock.now)
    for column, skill in zip(st.columns(len(skills), gap="medium"), skills.values(), strict=True):
        with column, st.container(border=True, height="stretch", key=f"card_{skill.name}"):
            st.subheader(
                f"{SKILL_NAMES[skill.name]}{_OF_TASK[task if skill.name == WRITING else None]}",
                anchor=False,
                help=f"{verdicts.LEVEL_HELP} {verdicts.TREND_HELP}",
            )
            markup.show(_card(skill, bands.skill_bands(history, skill.name), medians, clock))


def _card(skill: Skill, numbers: SkillBands, medians: Mapping[str, float], clock: Clock) -> Markup:
    of_class = f"class median {medians[skill.name]:.1f}" if skill.name in medians else ""
    way = verdicts.path(skill.progress, skill.aim, clock.now)
    where = " · ".join(filter(None, (verdicts.target(skill.progress, skill.target), way, of_class)))
    evidence = verdicts.evidence(skill.progress, clock.zone, clock.now) if numbers.scored else "No results yet"
    latest = f"latest {formats.band(numbers.latest)}" if numbers.scored else ""
    says = [markup.line(where)] if where else []
    if skill.progress.attempts:
        says.append(markup.line(_trend(skill, clock)))
    says.append(markup.quiet(" · ".join(filter(None, (f"{evidence[0].upper()}{evidence[1:]}", latest)))))
    dim = skill.progress.paused or not skill.progress.attempts
    return markup.figure(verdicts.level(skill.progress), SKILL_COLOURS[skill.name], *says, dim=dim)


@dataclass(frozen=True, slots=True)
class Axes:
    """The ranges of the charts of both skills, which are compared: one for bands, one for times."""

    bands: tuple[float, float]
    span: tuple[datetime, datetime] | None


def trends(recent: pd.DataFrame, skills: Mapping[str, Skill], clock: Clock) -> None:
    """Per skill: attempts and level over time, on the same axes. A click on a point opens it."""
    if not skills:
        return
    scored = {name: bands.scored(recent, name) for name in skills}
    levels = {name: _levels(skill.cohort, scored[name], skill.noise) for name, skill in skills.items()}
    axes = _axes(
        scored,
        *(scored[name][OVERALL] for name in skills),
        *(levels[name]["level"] for name in skills),
        pd.Series([skill.target for skill in skills.values()]),
    )
    for column, skill in zip(st.columns(len(skills), gap="medium"), skills.values(), strict=True):
        with column:
            _skill(scored[skill.name], levels[skill.name], skill, axes, clock)


def criteria(recent: pd.DataFrame, skills: Mapping[str, Skill], clock: Clock) -> None:
    """Per skill: the latest criteria, and how each moved, on the same axes."""
    if not skills:
        return
    scored = {name: bands.scored(recent, name) for name in skills}
    axes = _axes(scored, *(scored[name][criterion] for name in skills for criterion in CRITERIA[name]))
    for column, skill in zip(st.columns(len(skills), gap="medium"), skills.values(), strict=True):
        with column:
            st.subheader(SKILL_NAMES[skill.name], anchor=False)
            if scored[skill.name].empty:
                st.text(f"No completed {SKILL_NAMES[skill.name]} evaluation in this period.")
            else:
                _criteria(recent, scored[skill.name], skill, axes, clock)


def _axes(scored: Mapping[str, pd.DataFrame], *of: pd.Series) -> Axes:
    times = pd.concat([rows["created_at"] for rows in scored.values()]).dropna()
    span = None if times.empty else (times.min().to_pydatetime(), times.max().to_pydatetime())
    return Axes(bands.band_range(pd.concat(list(of))), span)


def practice_calendar(recent: pd.DataFrame, period: Period, clock: Clock) -> None:
    """The rhythm of practice: a calendar of attempts."""
    oldest = formats.time_or_none(recent["created_at"].min()) or clock.now
    # A record may be dated after today: of those days there is no calendar.
    first = min(max(period.first(clock.now) or oldest, clock.now - _CALENDAR), clock.now)
    days = practice.days(recent, first, clock.now, clock.zone.key)
    if not days["attempts"].any():
        st.subheader("Practice", anchor=False)
        st.text("No practice in the last 12 months.")
        return
    practised = int((days["attempts"] > 0).sum())
    st.subheader("Practice", anchor=False, help="Evaluations of every status per day. Darker = more practice.")
    summary = (
        f"{formats.count(int(days['attempts'].sum()), 'evaluation')} on {formats.count(practised, 'day')}; "
        f"longest gap {formats.count(practice.longest_pause(days), 'day')}"
    )
    st.text(summary)
    plots.show(charts.calendar, days, key="calendar", alt=f"Calendar: {summary}.")


def listing(recent: pd.DataFrame, user_id: str, period: Period, session: PageSession) -> None:
    """The history with its filters, which run by themselves: the charts above stay as they are."""
    complete = session.complete

    @st.fragment
    def chosen() -> None:
        with fragment("The history", session) as (look, clock):
            if look.gate.admits(user_id):  # still, after how long it may have been on screen
                _history(recent, user_id, period, look, clock, complete)

    chosen()


def _history(
    recent: pd.DataFrame, user_id: str, period: Period, session: Session, clock: Clock, complete: bool
) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        skill, status = filters.skill(), filters.status()
        link(COMPARE, "Compare evaluations", user_id=user_id)
    rows = grid.matching(recent, evaluation_type=skill, status=status)
    st.text(formats.of(len(rows), len(recent), "evaluation"))
    row = grid.pick(
        tables.history(rows, clock),
        tables.history_columns(),
        opens="Date",
        key="history",
        alt="Evaluations of this student, newest first",
    )
    downloads.table(
        tables.with_issue_text(rows),
        "history",
        session,
        clock,
        period=f"the last {period.name}" if period.days else "all",
        codes={"of": user_id},
        key="take_history",
        chosen={
            "Writing task": filters.task_of_address(),
            "Skill": skill and SKILL_NAMES[skill],
            "Status": filters.status_name(status),
        },
        complete=complete,
    )
    if row is not None:
        go(EVALUATION, **ids_of(rows.iloc[row]))


def ids_of(evaluation: pd.Series) -> dict[str, str]:
    """The ids in the address of an evaluation's page."""
    return {"evaluation_id": evaluation["evaluation_id"], "user_id": evaluation["user_id"]}


def _title(skill: Skill, clock: Clock) -> str:
    """What to see in the chart."""
    sentences = [_trend(skill, clock)]
    if skill.progress.trend.word == "no clear change":
        sentences[-1] += f" ({verdicts.interval(skill.progress.trend)})"
    if skill.forecast:
        sentences.append(verdicts.forecast(skill.forecast, skill.target, clock.zone))
    return ". ".join(sentences)


def _trend(skill: Skill, clock: Clock) -> str:
    if not skill.progress.attempts:
        return verdicts.evidence(skill.progress, clock.zone, clock.now)
    return verdicts.trend(skill.progress.trend, skill.progress.last, clock.zone, clock.now)


def _levels(cohort: Cohort, scored: pd.DataFrame, noise: Noise) -> pd.DataFrame:
    """The level after each of the attempts on screen, worked out from all: time, level, low, high."""
    on_screen = set(scored["evaluation_id"])
    places = [place for place, evaluation_id in enumerate(cohort.ids) if evaluation_id in on_screen]
    level, margin = (values[places] for values in progress.levels(cohort, noise))
    times = pd.DatetimeIndex(cohort.times[places].astype("datetime64[us]")).tz_localize("UTC")
    return pd.DataFrame({"time": times, "level": level, "low": level - margin, "high": level + margin})


def _skill(scored: pd.DataFrame, levels: pd.DataFrame, skill: Skill, axes: Axes, clock: Clock) -> None:
    name = SKILL_NAMES[skill.name]
    st.subheader(name, anchor=False)
    if scored.empty:
        st.text(f"No completed {name} evaluation in this period.")
        return
    sentence = _title(skill, clock)
    st.text(f"{sentence}.")
    picked = plots.pick(
        charts.band_trend,
        scored,
        levels,
        skill.name,
        zone=clock.zone,
        target=skill.target,
        bands=axes.bands,
        span=axes.span,
        key=f"trend_{skill.name}",
        alt=f"{name} bands over time. Level {verdicts.level(skill.progress)}. {sentence}.",
    )
    if picked:
        evaluation_id, user_id = picked
        go(EVALUATION, evaluation_id=evaluation_id, user_id=user_id)
    untimed = int(scored["created_at"].isna().sum())
    if untimed:
        st.text(
            f"{formats.count(untimed, 'evaluation')} without a readable time: not in the chart, but under Evaluations."
        )


def _criteria(recent: pd.DataFrame, scored: pd.DataFrame, skill: Skill, axes: Axes, clock: Clock) -> None:
    """The latest criteria, and how each moved."""
    name = SKILL_NAMES[skill.name]
    profile = bands.criteria_profile(bands.future_last(recent, clock.now), skill.name)
    st.text(f"Latest criteria: {_weakest(profile)}")
    plots.show(
        charts.profile,
        profile,
        skill.name,
        key=f"profile_{skill.name}",
        alt=f"{name} criteria: "
        + ", ".join(f"{n} {formats.band(v)}" for n, v in zip(profile["name"], profile["latest"], strict=True)),
    )
    names = tasks.criteria(skill.name, tasks.shared(scored))
    weakest = verdicts.weakest(names, skill.progress.weakest)
    st.text(f"Each criterion over time. {weakest}.")
    plots.show(
        charts.criteria_over_time,
        scored,
        {criterion: _levels(skill.cohort.with_bands(n), scored, skill.noise) for n, criterion in enumerate(names)},
        skill.name,
        names,
        zone=clock.zone,
        bands=axes.bands,
        span=axes.span,
        key=f"criteria_{skill.name}",
        alt=f"{name} criteria over time, a small chart each. {weakest}.",
    )


def _weakest(profile: pd.DataFrame) -> str:
    """Which criterion is lowest, in words."""
    recorded = profile[profile["latest"].notna()]
    if recorded.empty:
        return "not recorded"
    lowest = recorded["latest"].min()
    names = recorded["name"][recorded["latest"] == lowest].tolist()
    if len(names) == len(recorded):
        return f"all at {formats.band(lowest)}"
    return f"lowest in {' and '.join(names)}, {formats.band(lowest)}"
