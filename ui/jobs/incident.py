"""One incident of the Jobs page, with an address of its own: what failed, since when, whom, its timeline, its jobs."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import pandas as pd
import streamlit as st

from analysis import job_states
from analysis.incidents import GAP, Incident, began
from data.records.jobs import FLASHCARDS
from data.roster import Roster
from queries import all_jobs
from queries.session import Session
from ui.components import charts, markup, plots
from ui.jobs import detail, listing
from ui.jobs.listing import Span
from ui.shell import address
from ui.shell.clock import Clock
from ui.shell.navigation import JOBS, STUDENT, href
from ui.shell.page import set_title
from ui.students import record
from wording import formats
from wording.incidents import cause, remedy, state, title

_AROUND = timedelta(hours=3)  # of the timeline, before its first failure and after its last
_MOST_STUDENTS = 40


def addressed() -> str:
    """The code of the incident that the address names; empty where it names none."""
    return address.value("incident")


def span(code: str, clock: Clock) -> Span | None:
    """From a day before it began, so that a link is good on later days; None where that cannot be one's code.

    None also where it is longer ago than windows reach: all since then would be read, and anew at each look.
    """
    moment = began(code)
    if moment is None or moment > clock.now:
        return None
    first = moment - timedelta(days=1)
    if clock.now - first > timedelta(days=all_jobs.LONGEST_WINDOW):
        return None
    return Span("the time since this incident began", first, clock.now)


def not_there(*, is_known: bool = True) -> None:
    """That the link leads to no incident, and the way back; not `is_known` where some of the failures were not read."""
    if is_known:
        st.info(
            "Its jobs may have been marked as failed since, the link may be incomplete, or it began more than "
            f"{all_jobs.LONGEST_WINDOW - 1} days ago.",
            title="No such incident",
        )
    else:
        st.info(
            "It may be among the jobs or error messages that were not loaded.",
            title="Incident not found in what was loaded",
        )
    markup.show(markup.anchor(href(JOBS), "All jobs"))


def find(incidents: Sequence[Incident], code: str) -> Incident | None:
    """The incident of this code."""
    return next((one for one in incidents if one.is_called(code)), None)


def show(one: Incident, jobs: pd.DataFrame, session: Session, clock: Clock, roster: Roster) -> None:
    """Since when, whom, over or not, and what to do; then its timeline and its jobs."""
    name = title(one.signature)
    set_title(name, markup.breadcrumb([markup.anchor(href(JOBS), "Jobs"), name]), tab=cause(one.signature))
    rows = one.rows(jobs)
    # Of what failed later, and so soon that it may be of this incident, not all reasons were read.
    is_cut_off = one.as_of < clock.now and one.as_of - one.last <= GAP
    later, more = (" or later", " or more") if is_cut_off else ("", "")
    status = f"{'✓' if one.is_over else '▲'} {state(one, clock.now, clock.zone)}"
    record.facts(
        ("Status", status),
        (
            "First seen",
            f"{'before ' if one.may_be_older else ''}{formats.exact(one.first, clock.zone)} · "
            f"{formats.ago(one.first, clock.now)}",
        ),
        ("Last seen", f"{formats.exact(one.last, clock.zone)}{later} · {formats.ago(one.last, clock.now)}"),
        ("Jobs", f"{one.jobs:,}{more}"),
        ("Students", f"{len(one.students):,}{more}"),
        ("Recovered", f"{one.recovered:,} of {one.jobs:,}{more}"),
    )
    about_cause = remedy(one.signature)
    markup.show(
        markup.heading("Error message", 3),
        markup.code(one.signature),
        *([markup.line(about_cause)] if about_cause else []),
    )
    _students(one, rows, roster)
    _timeline(one, rows, jobs, clock)
    markup.show(markup.heading(formats.count(len(rows), "job"), 3))
    listing.show(rows.reset_index(drop=True), "one incident", {}, session, clock, roster)


def _students(one: Incident, rows: pd.DataFrame, roster: Roster) -> None:
    """Who has no result yet, first, and who has one that is likely of other work, with what to do; then the others."""
    left = list(one.students)
    lost, since = ~rows["recovered"] & ~rows["practised_since"], rows["practised_since"]
    for heading, of, condition in (
        ("No result yet", lost, ""),
        ("Practised since", since, " if this one still matters"),
        ("Recovered", rows["recovered"], None),
    ):
        concerned = set(rows.loc[of, "user_id"].dropna())
        several = [user_id for user_id in left if user_id in concerned]
        left = [user_id for user_id in left if user_id not in concerned]
        if several:
            links = [
                markup.anchor(href(STUDENT, user_id=user_id), roster.student(user_id).label)
                for user_id in several[:_MOST_STUDENTS]
            ]
            more = len(several) - len(links)
            markup.show(
                markup.heading(f"{heading}: {formats.count(len(several), 'student')}", 3),
                markup.ways([*links, *([f"and {more:,} more"] if more else [])]),
            )
        if several and condition is not None:
            markup.show(markup.next_step(_ways_to_do_again(rows.loc[of, "kind"].dropna().unique(), condition)))


def _ways_to_do_again(kinds: Collection[str], condition: str) -> str:
    """How jobs of these kinds are repeated, in sentences."""
    ways = dict.fromkeys(record.way_to_do_again(kind) for kind in sorted(kinds, key=FLASHCARDS.__ne__))
    is_lost = any(kind != FLASHCARDS for kind in kinds)
    return " ".join([*(f"{way}{condition}." for way in ways), *([detail.NO_RETRY] if is_lost else [])])


def _timeline(one: Incident, rows: pd.DataFrame, jobs: pd.DataFrame, clock: Clock) -> None:
    """Its failures among the completed jobs of the same types, from before it to after it."""
    first, last = one.first - _AROUND, min(one.last + _AROUND, clock.now)
    completed = jobs[(jobs["state"] == "completed") & jobs["kind"].isin(rows["kind"])]
    around = job_states.between(pd.concat([completed, rows]), first, last)
    counts = job_states.over_time(around, first, last, clock.zone.key)
    unit = "hour" if job_states.is_hourly(first, last) else "day"
    heading = f"Failures of this incident and completed jobs of the same type per {unit}"
    st.text(heading)
    plots.show(charts.job_bars, counts, clock.zone, key="incident_bars", alt=heading)
