"""A student's two skills side by side: the numbers that matter, the trend, the criteria."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import NoReturn

import pandas as pd
import streamlit as st

from analysis import attention, bands, practice, progress
from analysis.progress import Attempts, Forecast, Progress
from data.schema import TYPES
from exports import report
from exports.report import Report
from queries import records
from ui.components import charts, downloads, filters, grid, markup, plots
from ui.components.filters import Period
from ui.shell.page import COMPARE, EVALUATION, OVERVIEW, Page
from wording import formats, verdicts
from wording.skills import SKILL_NAMES

_CALENDAR = timedelta(days=371)  # 53 weeks
SMALLEST_CLASS = 6
"""A median of fewer students would tell about single ones."""


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of the student on screen. `target` is NaN where the roster names none."""

    name: str
    attempts: Attempts
    progress: Progress
    forecast: Forecast | None
    target: float


def of_history(history: pd.DataFrame, user_id: str, page: Page) -> dict[str, Skill]:
    """Each skill's attempts and progress."""
    target = page.student(user_id).target
    found = {}
    for name in TYPES:
        attempts = progress.attempts(history, name)
        now = progress.progress(attempts, page.now)
        ahead = progress.forecast(now.level, target, now.trend, page.now)
        found[name] = Skill(name, attempts, now, ahead, target)
    return found


def ask_whose(here: str, label: str, page: Page) -> NoReturn:
    """For an address that names no student: a way to find one for the page `here`, and a link to the overview."""
    if found := filters.student_finder(page.roster):
        page.go(here, user_id=found)
    page.link(OVERVIEW, label)
    page.done()


def title(user_id: str, page: Page) -> None:
    """Who this is: the name where the roster knows it, the id to copy, class and target."""
    known = page.student(user_id)
    if known.name:
        markup.show(markup.heading(known.name, 3))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.code(user_id, language=None, wrap_lines=True, width="content")
        facts = [known.class_name] if known.class_name else []
        facts += [] if math.isnan(known.target) else [f"target {formats.band(known.target)}"]
        if facts:
            markup.show(markup.line(markup.inline(" · ".join(facts))))


def beside(user_id: str, page: Page) -> Mapping[str, float]:
    """The class's median level per skill, read when the reader wants it; nothing for a class too small to hide one."""
    known = page.student(user_id)
    members = page.roster.members(known.class_name) if known.class_name else []
    if len(members) < SMALLEST_CLASS:
        return {}
    if not filters.switch(
        "Compare with the class",
        key="beside",
        explain=f"Reads the last 180 days of each of the class's {len(members)} students: one request each. "
        f"A median of fewer than {SMALLEST_CLASS} students is not shown.",
    ):
        return {}
    classmates = page.read(records.of_students, tuple(sorted(members)), progress.WINDOW.days)
    medians = {}
    for skill in TYPES:
        levels = [progress.progress(a, page.now).level for a in progress.by_student(classmates, skill).values()]
        scored = [level for level in levels if not math.isnan(level)]
        if len(scored) >= SMALLEST_CLASS:
            medians[skill] = progress.median(scored)
    if few := [SKILL_NAMES[skill] for skill in TYPES if skill not in medians]:
        st.text(
            f"No class median in {' and '.join(few)}: fewer than {SMALLEST_CLASS} students of the class have a level."
        )
    return medians


def headline(
    history: pd.DataFrame, shown: pd.DataFrame, skills: Mapping[str, Skill], medians: Mapping[str, float], page: Page
) -> None:
    """Level and trend per skill, evaluations in the period, last seen, results lost."""
    with st.container(horizontal=True):
        for skill in skills.values():
            st.metric(
                f"{SKILL_NAMES[skill.name]} level",
                formats.band(skill.progress.level),
                delta_description=_beneath(skill, history, medians),
                help=f"{verdicts.LEVEL_HELP} {verdicts.TREND_HELP}",
                width="content",
            )
        st.metric(
            "Evaluations shown",
            f"{len(shown):,}",
            delta_description=f"of {len(history):,} in all",
            help="Of every status, in the chosen period.",
            width="content",
        )
        last_seen = formats.known(history["created_at"].max())
        st.metric(
            "Last seen",
            formats.ago(last_seen, page.now),
            delta_description=formats.exact(last_seen, page.zone),
            help="When the newest evaluation was started.",
            width="content",
        )
        lost = attention.lost(shown, page.now)
        st.metric(
            "Results lost",
            f"{lost:,}",
            delta_description="in the period shown",
            help="Jobs that failed or got stuck, and were not done again successfully.",
            width="content",
        )


def trends(shown: pd.DataFrame, skills: Mapping[str, Skill], page: Page) -> None:
    """Per skill: attempts, level and trend over time, the criteria. A click on a point opens it."""
    for column, skill in zip(st.columns(2), skills.values(), strict=True):
        with column:
            _skill(shown, skill, page)


def take_away(skills: Mapping[str, Skill], user_id: str, period: Period, page: Page) -> None:
    """The report for a parent, as PDF and to print from the browser."""
    first = period.first(page.now)
    about = Report(
        student=page.student(user_id),
        skills={s.name: report.Skill(s.attempts, s.progress, s.forecast) for s in skills.values()},
        period="all the time" if first is None else f"the last {period.name}",
        first=first,
        zone=page.zone,
        source=page.source,
        made=page.now,
        complete=page.complete,
    )
    with st.container(horizontal=True):
        downloads.report(
            partial(report.pdf, about), "Report as PDF", user_id, page, suffix="pdf", mime="application/pdf"
        )
        downloads.report(partial(report.html, about), "Report to print", user_id, page, suffix="html", mime="text/html")


def practice_calendar(shown: pd.DataFrame, period: Period, page: Page) -> None:
    """The rhythm of practice: a calendar of attempts."""
    oldest = formats.known(shown["created_at"].min()) or page.now
    first = max(period.first(page.now) or oldest, page.now - _CALENDAR)
    if not (shown["created_at"] >= first).any():
        st.subheader("Practice", anchor=False)
        st.text("No evaluation in the last 53 weeks, which is as far as the calendar goes.")
        return
    days = practice.days(shown, first, page.now, page.zone.key)
    practised = int((days["attempts"] > 0).sum())
    st.subheader("Practice", anchor=False, help="Evaluations of every status per day; the darker, the more.")
    said = (
        f"{formats.count(int(days['attempts'].sum()), 'evaluation')} on {formats.count(practised, 'day')}; "
        f"the longest pause lasted {formats.count(practice.longest_pause(days), 'day')}"
    )
    st.text(said)
    plots.show(charts.calendar, days, page.zone, key="calendar", alt=f"Calendar: {said}.")


def listing(shown: pd.DataFrame, user_id: str, period: Period, page: Page) -> None:
    """The history with its filters, which run by themselves: the charts above stay as they are."""
    st.subheader("History", anchor=False)
    complete = page.complete

    @st.fragment
    def chosen() -> None:
        now_page = page.fresh()
        with now_page.part("The history"):
            if now_page.may_see(user_id):  # still, after how long it may have been on screen
                _history(shown, user_id, period, now_page, complete)

    chosen()


def _history(shown: pd.DataFrame, user_id: str, period: Period, page: Page, complete: bool) -> None:
    with st.container(horizontal=True):
        skill, status = filters.skill(), filters.status()
    rows = grid.matching(shown, evaluation_type=skill, status=status)
    st.text(formats.to_tick(len(rows), len(shown), "evaluation", "read it"))
    chosen = grid.pick(
        grid.history(rows, page.now),
        grid.history_columns(page.zone),
        key="history",
        alt="Evaluations of this student, newest first",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        downloads.table(
            grid.with_issue_text(rows),
            "history",
            page,
            period=f"the last {period.name}" if period.days else "all",
            codes={"of": user_id},
            key="take_history",
            complete=complete,
        )
        page.link(COMPARE, "Compare two evaluations", user_id=user_id)
    if chosen is not None:
        page.go(EVALUATION, **address(rows.iloc[chosen]))


def address(evaluation: pd.Series) -> dict[str, str]:
    """The ids in the address of an evaluation's page."""
    return {"evaluation_id": evaluation["evaluation_id"], "user_id": evaluation["user_id"]}


def _beneath(skill: Skill, history: pd.DataFrame, medians: Mapping[str, float]) -> str:
    numbers = bands.skill_bands(history, skill.name)
    if not numbers.scored:
        return "none completed yet"
    said = [verdicts.trend(skill.progress.trend) if skill.progress.attempts else "nothing in the last 180 days"]
    if skill.name in medians:
        said.append(f"class median {formats.band(medians[skill.name])}")
    return " · ".join([*said, f"latest {formats.band(numbers.latest)}", f"best {formats.band(numbers.best)}"])


def _sentence(skill: Skill, page: Page) -> str:
    """What to see in the chart."""
    found, trend = skill.progress, skill.progress.trend
    if not found.attempts:
        return "No completed attempt in the last 180 days"
    said = f"Level {formats.band(found.level)}, {verdicts.trend(trend)}"
    if limits := verdicts.interval(trend):
        said += f" ({limits})"
    said += f", {verdicts.evidence(found)}"
    if skill.forecast:
        said += f". {verdicts.forecast(skill.forecast, skill.target, page.zone)}"
    return said


def _skill(shown: pd.DataFrame, skill: Skill, page: Page) -> None:
    name = SKILL_NAMES[skill.name]
    scored = bands.scored(shown, skill.name)
    st.subheader(name, anchor=False, help=verdicts.TREND_HELP)
    if scored.empty:
        st.text(f"No completed {name} evaluation in this period.")
        return
    sentence = _sentence(skill, page)
    st.text(f"{sentence}. Select a point to open it.")
    picked = plots.pick(
        charts.band_trend,
        scored,
        skill.name,
        zone=page.zone,
        trend=skill.progress.trend,
        target=skill.target,
        key=f"trend_{skill.name}",
        alt=f"{name} bands over time. {sentence}.",
    )
    if picked:
        evaluation_id, user_id = picked
        page.go(EVALUATION, evaluation_id=evaluation_id, user_id=user_id)
    untimed = int(scored["created_at"].isna().sum())
    if untimed:
        st.text(
            f"{formats.count(untimed, 'evaluation')} without a readable time: not in the chart, but in the history."
        )
    _criteria(shown, scored, skill, page)


def _criteria(shown: pd.DataFrame, scored: pd.DataFrame, skill: Skill, page: Page) -> None:
    """The latest criteria, and how each moved."""
    name = SKILL_NAMES[skill.name]
    profile = bands.criteria_profile(shown, skill.name)
    st.text(f"Criteria of the latest one: {_weakest(profile)}")
    plots.show(
        charts.profile,
        profile,
        skill.name,
        key=f"profile_{skill.name}",
        alt=f"{name} criteria: "
        + ", ".join(f"{n} {formats.band(v)}" for n, v in zip(profile["name"], profile["latest"], strict=True)),
    )
    low = progress.weakest(skill.progress.criteria)
    said = (
        f"Weakest now: {verdicts.criteria(skill.name, low.criteria)}, level {formats.band(low.level)}, "
        f"{formats.band(low.gap)} below the rest"
        if low and low.gap
        else "No criterion stands out now"
    )
    st.text(f"Each criterion over time. {said}.")
    plots.show(
        charts.criteria_over_time,
        scored,
        skill.name,
        zone=page.zone,
        key=f"criteria_{skill.name}",
        alt=f"{name} criteria over time, a small chart each. {said}.",
    )


def _weakest(profile: pd.DataFrame) -> str:
    """Which criterion is lowest, in words."""
    known = profile[profile["latest"].notna()]
    if known.empty:
        return "not recorded"
    lowest = known["latest"].min()
    names = known["name"][known["latest"] == lowest].tolist()
    if len(names) == len(known):
        return f"all at {formats.band(lowest)}"
    return f"lowest in {' and '.join(names)}, {formats.band(lowest)}"
