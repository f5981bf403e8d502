"""The parts of the Jobs page: incidents, the top line, the chart, errors, rates."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd
import streamlit as st

from analysis import job_states
from analysis.incidents import Incident, code_of, errors, failures_over_time
from analysis.job_states import FEWEST_FINISHED, Thresholds, Totals
from data.roster import Roster
from queries import all_jobs, records
from queries.all_jobs import AllJobs
from queries.cache import FRESH
from queries.session import Session
from ui.components import charts, downloads, filters, grid, markup, plots
from ui.jobs import listing, marking
from ui.jobs.listing import Span
from ui.shell import address, navigation
from ui.shell.boundary import part
from ui.shell.clock import Clock
from ui.shell.navigation import EVALUATION, JOBS, STUDENT, go, href
from ui.students import finder
from wording import formats
from wording.incidents import figures, hanging, names, title

_REFRESH = {"off": None, "10s": 10, "60s": 60}
_NOT_READ = {**listing.NAMES, "reasons": "The error messages"}
_MOST_INCIDENTS = 3


def thresholds() -> Thresholds:
    """When a job is overdue and stuck, settable for this visit."""
    with st.popover("Status definitions"):
        definitions = st.container()
        overdue = st.number_input("Overdue after (min)", 1, 24 * 60, 15, key="_overdue_minutes")
        stuck = st.number_input("Stuck after (h)", 1, 24 * 7, 6, key="_stuck_hours")
    limits = Thresholds(timedelta(minutes=overdue), timedelta(hours=stuck))
    first, last = formats.duration(limits.overdue), formats.duration(limits.stuck)
    # Where stuck comes first, no job is overdue.
    open_ones = f"Overdue: {first} to {last}. Stuck: over {last}." if overdue < stuck * 60 else f"Stuck: over {first}."
    definitions.text(f"Waiting: under {first}. {open_ones} Abandoned: marked as failed by a person.")
    return limits


def jobs_of(
    session: Session,
    clock: Clock,
    first: datetime,
    last: datetime,
    limits: Thresholds,
    seconds: int | None,
    began: datetime | None = None,
) -> AllJobs:
    """All jobs of that time with states, failed ones with reason and signature. What could not be read is said.

    `began` is when the incident began that a link is about.
    """
    within = timedelta(seconds=seconds - 1) if seconds else FRESH
    every = all_jobs.between(session, first, last, clock.now, limits, within, explained_from=began)
    for what, failure in every.failures.items():
        with part(_NOT_READ[what]):
            raise failure
    if every.unread or "reasons" in every.failures:
        session.lack(clock.now)
    if every.unread:
        if began is None:
            older = formats.count(every.unread, "older failed job")
            st.text(f"The error messages of {older} were not loaded: choose a shorter period.")
        else:
            others = formats.count(every.unread, "failed job")
            st.text(f"The error messages of {others} were not loaded: some may belong to this incident.")
    return every


def incident_list(
    incidents: Sequence[Incident], jobs: pd.DataFrame, every: AllJobs, period: Span, roster: Roster, clock: Clock
) -> None:
    """Whether anything is failing or hangs, then what goes on, then the newest: a sentence each, with its students.

    `jobs` are those of the period, `every` has all that was read. Of jobs that could not be read nobody can say that
    nothing is wrong with them.
    """
    ongoing = sum(not one.is_over for one in incidents)
    unread = "" if not every.failures and not every.unread else " in what could be read"
    if ongoing:
        headline = f"{formats.count(ongoing, 'incident')} not over{unread}."
    elif incidents:
        headline = (
            f"No incident is going on{unread}: {formats.count(len(incidents), 'incident')} in {period.name}, all over."
        )
    else:
        headline = f"No incidents{unread} in {period.name}."
    markup.show(markup.bold(" ".join(filter(None, [headline, hanging(jobs, clock.now, clock.zone)]))))
    first = max(_MOST_INCIDENTS, ongoing)
    _incidents(incidents[:first], roster, clock)
    if older := incidents[first:]:
        with st.expander(f"Show {formats.count(len(older), 'older incident')}"):
            _incidents(older, roster, clock)


def _incidents(several: Sequence[Incident], roster: Roster, clock: Clock) -> None:
    if several:
        markup.show(
            markup.entries(
                [
                    markup.joined(
                        [
                            "✓ " if one.is_over else "▲ ",
                            markup.anchor(href(JOBS, incident=one.code), title(one.signature)),
                        ]
                    ),
                    markup.joined(
                        [
                            f"{figures(one, clock.now, clock.zone)} · ",
                            names(one, lambda user_id: roster.student(user_id).label),
                        ]
                    ),
                ]
                for one in several
            )
        )


def top_line(now: Totals, before: Totals, period: Span) -> None:
    """Failed, not recovered, overdue, stuck and the failure rate; a click on one lists its jobs."""
    with st.container(horizontal=True):
        for name, code, value, old, explain in (
            (
                "Failed",
                "failed",
                now.failed,
                before.failed,
                "Jobs that ended without a result. Abandoned jobs are not counted.",
            ),
            # How many were overdue or stuck then is not known any more: most have ended since.
            (
                "Not recovered",
                listing.NOT_RECOVERED,
                now.not_recovered,
                None,
                "Failed, overdue and stuck jobs without a result within a day.",
            ),
            ("Overdue", "overdue", now.overdue, None, "Processing for longer than a Lambda can run."),
            ("Stuck", "stuck", now.stuck, None, "Processing for so long that AWS does not try it again."),
            *(
                (("Abandoned", "abandoned", now.abandoned, None, "Marked as failed by a person."),)
                if now.abandoned
                else ()
            ),
        ):
            note = "" if old is None else f"{period.before_name}: {old:,}"
            before_too = "" if old is None else ", and in the period of the same length before"
            _figure(name, code, f"{value:,}", note, f"{explain} In {period.name}{before_too}.")
        _figure(
            "Failure rate",
            "failed",
            _rate(now.failed, now.finished),
            f"{now.failed:,} of {now.finished:,} · {period.before_name}: {_rate(before.failed, before.finished)}",
            "Failed jobs as a share of all that finished (completed or failed). No rate below 20 finished jobs.",
        )


def _figure(name: str, code: str, value: str, note: str, explain: str) -> None:
    """A number in a frame; its name filters the list."""
    is_on = address.value("state") == code and name != "Failure rate"
    with st.container(border=True, width="content", height="stretch", gap=None):
        st.button(
            name,
            type="tertiary",
            icon=":material/filter_alt:" if is_on else None,
            help=explain,
            key=f"only_{name}",
            on_click=address.put,
            kwargs=dict.fromkeys(listing.FILTERS, "") | ({} if is_on else {"state": code, listing.BELOW: "figures"}),
        )
        st.metric(name, value, label_visibility="collapsed")
        if note:
            markup.show(markup.quiet(note))


def timeline(jobs: pd.DataFrame, period: Span, clock: Clock) -> None:
    """Jobs per hour or day by how they ended; a click on a bar lists its jobs."""
    counts = job_states.over_time(jobs, period.first, min(period.last, clock.now), clock.zone.key)
    local = counts["start"].dt.tz_convert(clock.zone)
    worst = counts.sort_values("failed", kind="stable").tail(1).to_dict("records")
    heading = f"Jobs per {'hour' if period.is_hourly else 'day'}"
    if worst and worst[0]["failed"]:
        start, failed = worst[0]["start"].tz_convert(clock.zone), worst[0]["failed"]
        stamp = f"{start.day} {start:%b, %H:%M}" if period.is_hourly else f"{start.day} {start:%b}"
        heading += f": most failures on {stamp}, {failed:,} of {failed + worst[0]['completed']:,} finished"
    st.text(heading)
    codes = tuple(listing.bar(start, period) for start in local)
    during = address.value(listing.DURING)
    plots.on_pick(
        charts.job_bars,
        counts,
        clock.zone,
        codes,
        during if during in codes else "",
        act=lambda code: address.put(**{listing.DURING: code, listing.BELOW: "bars", "incident": ""}),
        key=f"job_bars_{during}",
        alt=heading,
    )


def rates(jobs: pd.DataFrame) -> None:
    """Failure rate by kind and by model, with the number behind each."""
    for column, (name, of) in zip(st.columns(2), (("kind", "Type"), ("model_used", "Model")), strict=True):
        table = job_states.rates(jobs, name)
        with column:
            columns = pd.DataFrame(
                {
                    of: table["value"].map(lambda value: marking.KINDS.get(value, value)),
                    "Failed": [
                        f"{failed:,} of {finished:,}"
                        for failed, finished in zip(table["failed"], table["finished"], strict=True)
                    ],
                    "Rate": [
                        _rate(failed, finished)
                        for failed, finished in zip(table["failed"], table["finished"], strict=True)
                    ],
                }
            )
            heading = f"Failure rate by {of.lower()}"
            st.text(heading)
            st.dataframe(grid.literal(columns), hide_index=True, key=f"rates_{name}", alt=heading)


def error_table(failed: pd.DataFrame, period: Span, session: Session, clock: Clock) -> None:
    """Errors, most jobs first; one that is chosen filters the list."""
    if failed.empty:
        st.text("No failures in this period.")
        return
    table = errors(failed)
    st.subheader("Errors", anchor=False)
    headings = ["Error", "Jobs", "Students", "First seen", "Last seen", "Recovered"]
    named = table.set_axis(headings, axis="columns")
    history = failures_over_time(failed, period.first, min(period.last, clock.now))

    def act(row: int) -> None:
        code = code_of(str(table["signature"][row]))
        address.put(**{listing.ERROR: code, "reason": "", "state": "failed", listing.BELOW: ""})

    grid.on_pick(
        # Two messages may differ only behind what the column has room for.
        named.assign(
            **{
                "Error": table["signature"].map(title),
                "History": table["signature"].map(history),
                "Full message": table["signature"],
            }
        ),
        {
            "Error": st.column_config.TextColumn(width=300),
            "Full message": st.column_config.TextColumn(width=560),
            **{name: grid.moment(name, clock.zone) | {"width": 150} for name in ("First seen", "Last seen")},
            "History": st.column_config.BarChartColumn(width=110, help=f"Failed jobs over {period.name}.", y_min=0),
        },
        act,
        opens="Error",
        key="errors",
        alt="Errors, most jobs first",
    )
    downloads.table(
        named,
        "failures",
        session,
        clock,
        period=period.name,
        codes={"of": "groups"},
        key="take_failures",
        students=failed["user_id"].dropna(),
    )


def jump(session: Session) -> None:
    """One box for an exact id of an evaluation, a set or a student."""
    typed = finder.id_finder("Search by ID", "e.g. eval-abc123", "Of an evaluation, a set or a student.", width=160)
    if not typed:
        return
    if not address.may_be_id(typed):
        st.text("This is too long to be an ID.")
        return
    with part("The search for this id"):
        if session.read(records.evaluations_called, typed, session.own):
            go(EVALUATION, evaluation_id=typed)
        if session.read(records.sets_called, typed, session.own):
            go(navigation.FLASHCARDS, set_id=typed)
        is_own = session.gate.admits(typed) and address.may_be_id(typed, is_sort_key=True)
        if is_own and (len(session.read(records.history, typed)) or len(session.read(records.sets, typed))):
            go(STUDENT, user_id=typed)
        message = f"There is no evaluation, flashcard set or student “{typed}”. IDs are case-sensitive."
        markup.show(markup.paragraph(message))


def refresh_seconds() -> int | None:
    """How often the page reads again by itself, `?again=`; None when never, or while an action is open."""
    names = {"off": "Off", "10s": "10 seconds", "60s": "1 minute"}
    code = filters.option("Auto-refresh", names, key="again", default="off", width=130)
    return marking.paused(_REFRESH[code])


def _rate(failed: int, finished: int) -> str:
    if finished < FEWEST_FINISHED:
        return f"{formats.UNKNOWN} (under {FEWEST_FINISHED} jobs)"
    return f"{failed / finished:.1%}"
