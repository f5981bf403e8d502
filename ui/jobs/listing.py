"""Which jobs the Jobs page shows: the period and the filters, all in the address, and the list of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pandas as pd
import streamlit as st

from analysis import job_states
from analysis.incidents import code_of
from data.records.jobs import FLASHCARDS, Key
from data.records.parse import FIRST
from data.roster import Roster
from data.schema import COMPLETED
from queries.session import Session
from ui.components import downloads, filters, grid, markup
from ui.jobs import marking
from ui.shell import address
from ui.shell.clock import Clock
from wording import foreign_text, formats
from wording.incidents import title
from wording.skills import ALL_NAMES

STATES = {
    "failed": "Failed",
    "overdue": "Overdue",
    "stuck": "Stuck",
    "waiting": "Waiting",
    "completed": "Completed",
    "abandoned": "Abandoned",
}
LOST = "lost"
NOT_RECOVERED = "missing"
_SHOWN = {LOST: "Not completed", NOT_RECOVERED: "Not recovered", **STATES}
DURING = "during"
BELOW = "list"
"""What the list stands below: whoever clicks on a figure or a bar of the chart has the answer right there."""
ERROR = "error"
"""The error that was chosen, by its code: the address has no words of a message."""
FILTERS = ("state", "kind", "model", "student", ERROR, "reason", "text", DURING, BELOW)
"""What Clear filters takes out of the address."""
_PERIODS = {"1h": ("1 hour", 1), "24h": ("24 hours", 24), "7d": ("7 days", 168), "30d": ("30 days", 720)}
_CUSTOM = "custom"
_SEARCHED = ["job_id", "user_id", "kind", "status", "model_used", "why"]
_COLUMNS = ["created_at", "table", "kind", "status", "state", "recovered", "user_id", "why", "model_used", "job_id"]


@dataclass(frozen=True, slots=True)
class Span:
    """The chosen period; `before` is the one of the same length that ends where it begins."""

    name: str
    first: datetime
    last: datetime

    @property
    def before(self) -> datetime:
        """Where the period before begins."""
        return self.first - (self.last - self.first)

    @property
    def before_name(self) -> str:
        """What the period before is called under a figure.

        >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
        >>> [Span("", now - timedelta(hours=hours), now).before_name for hours in (1, 24, 168)]
        ['previous hour', 'previous 24 hours', 'previous 7 days']
        """
        hours = round((self.last - self.first) / timedelta(hours=1))
        if hours <= 24:
            return "previous hour" if hours == 1 else f"previous {hours} hours"
        # A day may have 23 or 25 hours.
        return f"previous {formats.count(round(hours / 24), 'day')}"

    @property
    def is_hourly(self) -> bool:
        """Whether the chart has a bar for each hour, else for each day."""
        return job_states.is_hourly(self.first, self.last)


@dataclass(frozen=True, slots=True)
class Period:
    """A choice of periods, `?jobs=`; with `custom` two dates, `?from=` and `?to=`."""

    code: str
    begin: date
    end: date

    def span(self, clock: Clock) -> Span:
        """The period as of now."""
        if self.code == _CUSTOM:
            return Span(
                f"{formats.full_date(self.begin)} to {formats.full_date(self.end)}",
                _midnight(self.begin, clock),
                _midnight(self.end + timedelta(days=1), clock),
            )
        name, hours = _PERIODS[self.code]
        return Span(f"the last {name}", clock.now - timedelta(hours=hours), clock.now)


@dataclass(frozen=True, slots=True)
class JobsFilter:
    """Which jobs of the period to list; empty texts and None for any. `during` is a bar of the chart.

    `error` is a whole signature, empty for one that no job of the period has.
    """

    kind: str
    state: str
    model: str
    student: str
    reason: str
    text: str
    during: tuple[datetime, datetime] | None = None
    error: str | None = None

    def rows(self, jobs: pd.DataFrame) -> pd.DataFrame:
        """Those of `jobs`, which are of the period."""
        rows = jobs[self._has_state(jobs)]
        if self.during:
            rows = rows[(rows["created_at"] >= self.during[0]) & (rows["created_at"] < self.during[1])]
        if self.kind != filters.ALL:
            rows = rows[rows["kind"] == self.kind]
        if self.error is not None:
            rows = rows[rows["signature"] == self.error]
        for columns, text in (
            (["model_used"], self.model),
            (["user_id"], self.student),
            (["signature", "why"], self.reason),
            (_SEARCHED, self.text),
        ):
            # Not for an empty frame: it has no strings to join.
            if text and len(rows):
                joined = rows[columns].fillna("").agg(" ".join, axis=1)
                rows = rows[joined.str.casefold().str.contains(text.casefold(), regex=False)]
        return rows.reset_index(drop=True)

    def words(self, clock: Clock) -> dict[str, str | None]:
        """Filters and what each is set to; None or nothing for all."""
        return {
            "Status": _SHOWN.get(self.state, self.state),
            "Type": None if self.kind == filters.ALL else marking.KINDS.get(self.kind, self.kind),
            "Model": self.model,
            "Student ID": self.student,
            "Error": self.error,
            "Error message": self.reason,
            "Search": self.text,
            "Time": self.during and " to ".join(formats.exact(moment, clock.zone) for moment in self.during),
        }

    def _has_state(self, jobs: pd.DataFrame) -> "pd.Series[bool]":
        if self.state == LOST:
            return jobs["state"] != COMPLETED
        if self.state == NOT_RECOVERED:
            return jobs["state"].isin(["failed", "overdue", "stuck"]) & ~jobs["recovered"]
        return jobs["state"] == self.state


def period(clock: Clock) -> Period | None:
    """The choice of a period; None while its dates make no sense."""
    names = {code: name for code, (name, _) in _PERIODS.items()} | {_CUSTOM: "Custom"}
    code = filters.choice("Period", names, key="jobs", default="7d")
    today = clock.local.date()
    if code != _CUSTOM:
        return Period(code, today, today)
    begin = filters.day("From", key="from", default=today - timedelta(days=14))
    end = filters.day("To", key="to", default=today)
    if begin > end:
        st.text("Start date must be before end date.")
        return None
    return Period(code, begin, end)


def choose(jobs: pd.DataFrame, clock: Clock, *, is_known: bool) -> JobsFilter:
    """The filters over the list of `jobs`, all in the address; `is_known` is whether all error messages were read."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        state = filters.choice("Status", _SHOWN, key="state", default=LOST)
        kind = filters.choice("Type", {filters.ALL: "All", **marking.KINDS}, key="kind", default=filters.ALL)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("More filters"):
            model = filters.search("Model", "gemini", key="model")
            student = filters.search("Student ID", "user-456", key="student")
            reason = filters.search("Error message", "ThrottlingException", key="reason")
            text = filters.search("Search jobs", "eval-abc123", key="text")
        during = _during(clock)
        error = _error(jobs, is_known)
        for words in filter(None, (model, student, reason, text)):
            markup.show_beside(markup.chip(foreign_text.short(words, 60)))
        filters.clear(*FILTERS)
    return JobsFilter(kind, state, model, student, reason, text, during, error)


def _error(jobs: pd.DataFrame, is_known: bool) -> str | None:
    """The error that the address names, said beside the way out of it; empty where none of these jobs has it."""
    code = address.value(ERROR)
    if not code:
        return None
    error = next((text for text in jobs["signature"].dropna().unique() if code_of(text) == code), "")
    if error:
        markup.show_beside(markup.chip(foreign_text.short(title(error), 60)))
    else:
        where = "in this period" if is_known else "among the error messages that were loaded"
        markup.show_beside(markup.quiet(f"The link's error is not {where}."))
    return error


def _during(clock: Clock) -> tuple[datetime, datetime] | None:
    """The bar of the chart that the address names, as an interval; said beside the way out of it."""
    code = address.value(DURING)
    if not code:
        return None
    local = _local(code, clock)
    if local is None:
        markup.show_beside(markup.quiet(f"The link's time “{code}” is none."))
        return None
    # By the wall clock: a day may have 23 or 25 hours.
    is_hour = "T" in code
    first = local.astimezone(UTC)
    last = first + timedelta(hours=1) if is_hour else _midnight(local.date() + timedelta(days=1), clock)
    day = formats.day(first, clock.zone, clock.now)
    end = last.astimezone(clock.zone)
    # Where the clocks change meanwhile, the times alone would make no sense.
    form = "%H:%M" if end.utcoffset() == local.utcoffset() else "%H:%M %Z"
    markup.show_beside(markup.chip(f"{day}, {local:{form}} to {end:{form}}" if is_hour else day))
    return first, last


def _local(code: str, clock: Clock) -> datetime | None:
    """The local time that a bar begins; None for anything else."""
    try:
        moment = datetime.fromisoformat(code)
        local = moment.astimezone(clock.zone) if moment.tzinfo else moment.replace(tzinfo=clock.zone)
    except (ValueError, OverflowError):
        return None
    # Nothing can be reckoned from the first and the last years that there are: the day before or after is none.
    return local if FIRST.year <= local.year <= clock.now.year + 1 else None


def bar(start: pd.Timestamp, period: Span) -> str:
    """What the address calls the bar of the chart that begins then, by the local clock."""
    if not period.is_hourly:
        return f"{start:%Y-%m-%d}"
    code, local = f"{start:%Y-%m-%dT%H}{f':{start:%M}' if start.minute else ''}", start.to_pydatetime()
    # Of an hour that comes twice, the second one says so.
    is_second = local.fold and local.utcoffset() != local.replace(fold=0).utcoffset()
    return f"{code}{start.isoformat()[-6:]}" if is_second else code


def show(
    rows: pd.DataFrame,
    period: str,
    chosen: Mapping[str, str | None],
    session: Session,
    clock: Clock,
    roster: Roster,
) -> None:
    """The list of the jobs that the filters have left. A click on a job opens it in its place, also in the address."""
    columns = pd.DataFrame(
        {
            "Job": [
                f"{marking.KINDS.get(kind, kind) or 'Unknown'} · {formats.stamp(created_at, clock.zone, clock.now)}"
                for kind, created_at in zip(rows["kind"], rows["created_at"], strict=True)
            ],
            "Status": [
                formats.state(state, clock.now - created_at) + (" · recovered" if recovered else "")
                for state, created_at, recovered in zip(
                    rows["state"], rows["created_at"], rows["recovered"], strict=True
                )
            ],
            "Student": [user_id and roster.student(user_id).label_with_id for user_id in rows["user_id"]],
            # Before the message, of which the model may be all that tells two rows apart, far behind.
            "Model": rows["model_used"],
            "Error message": rows["why"],
            "Date": rows["created_at"],
            "ID": rows["job_id"],
        }
    )

    def act(row: int) -> None:
        job = Key.of_rows(rows.iloc[[row]])[0]
        address.put(table=job.table, job_id=job.job_id, user_id=job.user_id)

    grid.on_pick(
        columns,
        {
            "Date": grid.moment("Date", clock.zone),
            "Error message": st.column_config.TextColumn(width=330),
        },
        act,
        opens="Job",
        key="job_rows",
        alt="Jobs, newest first",
    )
    if not rows.empty:
        downloads.table(
            rows[_COLUMNS],
            "jobs",
            session,
            clock,
            period=period,
            codes={"of": "list"},
            key="take_jobs",
            chosen=chosen,
        )


def _midnight(day: date, clock: Clock) -> datetime:
    return datetime.combine(day, time(), tzinfo=clock.zone).astimezone(UTC)


NAMES = {"evaluations": f"The {ALL_NAMES} jobs", FLASHCARDS: "The flashcard jobs"}
"""The jobs of a table."""
