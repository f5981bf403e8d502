"""The parts of the Jobs page: the top line, charts, groups of failures, the list."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from analysis import job_states
from analysis.fingerprints import signature
from analysis.job_states import Thresholds, Totals
from data.dynamodb.errors import Failure
from data.dynamodb.store import Cost, Read
from data.records import jobs as job_records
from data.records.jobs import FLASHCARDS, Key
from data.schema import COMPLETED
from queries import records
from queries.cache import FRESH, Query
from ui.components import charts, downloads, filters, grid, markup, plots
from ui.jobs import marking
from ui.shell.page import EVALUATION, STUDENT, Page
from ui.shell.page import FLASHCARDS as FLASHCARDS_PAGE
from wording import formats

STATES = {"failed": "Failed", "overdue": "Overdue", "stuck": "Stuck", "waiting": "Waiting", "completed": "Completed"}
_PERIODS = {"1h": ("1 hour", 1), "24h": ("24 hours", 24), "7d": ("7 days", 168), "30d": ("30 days", 720)}
_CUSTOM = "custom"
_REFRESH = {"off": None, "10s": 10, "60s": 60}
_MOST_REASONS = 500
_JOBS_OF = {"evaluations": "The Writing and Speaking jobs", FLASHCARDS: "The flashcard jobs"}
PARTS = 4
_LONGEST_WINDOW = 400  # days: what is longer is read for whoever asks, so that it need not be kept up to date
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


def span(page: Page) -> Span | None:
    """A choice of periods, `?jobs=`; with `custom` two dates, `?from=` and `?to=`. None while they make no sense."""
    names = {code: name for code, (name, _) in _PERIODS.items()} | {_CUSTOM: "Custom"}
    code = filters.choice("Period", names, key="jobs", default="7d")
    if code != _CUSTOM:
        name, hours = _PERIODS[code]
        return Span(f"the last {name}", page.now - timedelta(hours=hours), page.now)
    today = page.now.astimezone(page.zone).date()
    with st.container(horizontal=True):
        begin = filters.day("From", key="from", default=today - timedelta(days=14))
        end = filters.day("To", key="to", default=today)
    if begin > end:
        st.text("The period ends before it begins: change one of the dates.")
        return None
    return Span(f"{begin:%d %b %Y} to {end:%d %b %Y}", _midnight(begin, page), _midnight(end + timedelta(days=1), page))


def thresholds() -> Thresholds:
    """When a job is overdue and stuck, settable for this visit."""
    default = Thresholds()
    with st.popover("What the states mean"):
        st.text(
            "A job is waiting while it is processing and young. A Lambda function runs 15 minutes at most, so an older "
            "one is overdue: its run is over, though AWS may try again. Nothing tries again after six hours: one that "
            "old is stuck and never ends by itself."
        )
        overdue = st.number_input("Overdue after minutes", 1, 24 * 60, 15, key="_overdue_minutes")
        stuck = st.number_input("Stuck after hours", 1, 24 * 7, 6, key="_stuck_hours")
    return replace(default, overdue=timedelta(minutes=overdue), stuck=timedelta(hours=stuck))


def seen(page: Page, period: Span, limits: Thresholds, seconds: int | None) -> pd.DataFrame:
    """All jobs of the period and the one before, with states; failed ones of the period with reason, signature."""
    jobs = job_states.with_states(_jobs(page, period, seconds), page.now, limits)
    failed = jobs[(jobs["state"] == "failed") & (jobs["created_at"] >= period.first)]
    why, signatures = (pd.Series(None, index=jobs.index, dtype="object") for _ in range(2))
    if len(failed):
        asked = failed.head(_MOST_REASONS)
        wanted = tuple(job_records.keys(asked))
        said: dict[Key, str | None] = {}
        with page.part("What the failures say"):
            said = page.read(records.failure_reasons, wanted)
        if len(failed) > len(wanted):
            st.text(f"The reasons of the newest {len(wanted):,} of {len(failed):,} failures were read.")
        read = [(place, said[key]) for place, key in zip(asked.index, wanted, strict=True) if key in said]
        places = [place for place, _ in read]
        why[places] = [reason for _, reason in read]
        signatures[places] = [signature(reason) for _, reason in read]
    return jobs.assign(why=why, signature=signatures)


def top_line(now: Totals, before: Totals, period: Span) -> None:
    """Failed, overdue, stuck, completed and the failure rate, each against the period before."""
    with st.container(horizontal=True):
        for name, value, old, explain in (
            ("Failed", now.failed, before.failed, "Jobs that ended without a result."),
            ("Overdue", now.overdue, before.overdue, "Processing for longer than a Lambda can run."),
            ("Stuck", now.stuck, before.stuck, "Processing for longer than anything tries again."),
            ("Completed", now.completed, before.completed, "Jobs that ended with a result."),
        ):
            change = value - old
            st.metric(
                name,
                f"{value:,}",
                f"{change:+,}" if change else 0,
                delta_color="off",
                delta_description=f"{old:,} before",
                help=f"{explain} In {period.name}, and in the period of the same length before.",
                width="content",
            )
        st.metric(
            "Failure rate",
            _percent(now.failure_rate),
            delta_description=f"{now.failed:,} of {now.finished:,} finished · before {_percent(before.failure_rate)}, "
            f"{before.failed:,} of {before.finished:,}",
            help="Failed of all that finished. Jobs that are still processing do not count.",
            width="content",
        )
    if now.recovered:
        st.text(
            f"{formats.count(now.recovered, 'lost job')} of these {'was' if now.recovered == 1 else 'were'} done again "
            "since: a later job of the same kind by the same student was completed."
        )


def timeline(jobs: pd.DataFrame, period: Span, page: Page) -> None:
    """Completed, failed and unfinished per hour or day."""
    counts = job_states.over_time(jobs, period.first, min(period.last, page.now), page.zone.key)
    worst = counts.sort_values("failed", kind="stable").tail(1).to_dict("records")
    unit = "hour" if period.last - period.first <= timedelta(days=2) else "day"
    title = f"Jobs per {unit}"
    if worst and worst[0]["failed"]:
        start, failed = worst[0]["start"], worst[0]["failed"]
        stamp = f"{start:%d %b, %H:%M}" if unit == "hour" else f"{start:%d %b}"
        title += f": most failures on {stamp}, {failed:,} of {failed + worst[0]['completed']:,} finished"
    st.text(title)
    plots.show(charts.job_bars, counts, page.zone, key="job_bars", alt=title)


def rates(jobs: pd.DataFrame) -> None:
    """Failure rate by kind and by model, with the number behind each."""
    for column, (name, of) in zip(st.columns(2), (("kind", "Kind"), ("model_used", "Model")), strict=True):
        table = job_states.rates(jobs, name)
        with column:
            shown = pd.DataFrame(
                {
                    of: table["value"].map(lambda value: marking.KINDS.get(value, value)),
                    "Failed": [
                        f"{failed:,} of {finished:,}"
                        for failed, finished in zip(table["failed"], table["finished"], strict=True)
                    ],
                    "Rate": [
                        _percent(failed / finished) if finished >= 20 else "too few for a rate"
                        for failed, finished in zip(table["failed"], table["finished"], strict=True)
                    ],
                }
            )
            st.dataframe(grid.literal(shown), hide_index=True, key=f"rates_{name}", alt=f"Failures by {of.lower()}")


def failure_groups(failed: pd.DataFrame, period: Span, page: Page) -> None:
    """What failures say, by part of the period; a row that is chosen filters the list."""
    if failed.empty:
        st.text("No failures in this period.")
        return
    table = job_states.groups(failed.dropna(subset=["signature"]), period.first, period.last)
    edges = parts(period)
    hourly = period.last - period.first <= timedelta(days=2)
    labels = [f"from {edge.astimezone(page.zone):{'%H:%M' if hourly else '%d %b'}}" for edge in edges]
    shown = table.set_axis(["What they say", *labels, "All"], axis="columns")
    st.text("What failures say, and when. Tick one to see its jobs below.")

    def act(row: int) -> None:
        filters.put(reason=str(table["signature"][row]), state="failed", part="")

    grid.on_pick(
        shown[["What they say", "All", *labels]],
        {"What they say": st.column_config.TextColumn(width="large")},
        act,
        key="failure_groups",
        alt="Failures by what they say and part of the period",
    )
    downloads.table(
        shown,
        "failures",
        page,
        period=period.name,
        codes={"of": "groups"},
        key="take_failures",
        students=failed["user_id"].dropna(),
    )


def parts(period: Span) -> list[datetime]:
    """Where each quarter of the period begins."""
    return [period.first + (period.last - period.first) * n / PARTS for n in range(PARTS)]


def choose(jobs: pd.DataFrame, period: Span) -> pd.DataFrame:
    """The filters over the list, all in the URL, and what they leave."""
    every = "All"
    with st.container(horizontal=True):
        kind = filters.choice("Kind", {filters.ALL: every, **marking.KINDS}, key="kind", default=filters.ALL)
        state = filters.choice("State", {"lost": "All but completed", **STATES}, key="state", default="lost")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        model = filters.search("Model", key="model")
        student = filters.search("Student id", key="student")
        reason = filters.search("What it says", key="reason")
        wanted = filters.search("Any text", key="text")
        numbers = {"": "All", **{str(n): str(n) for n in range(1, PARTS + 1)}}
        part = filters.choice("Quarter of the period", numbers, key="part", default="")
    rows = jobs[jobs["state"] != COMPLETED] if state == "lost" else jobs[jobs["state"] == state]
    if kind != filters.ALL:
        rows = rows[rows["kind"] == kind]
    for column, value in (("model_used", model), ("user_id", student)):
        if value:
            rows = rows[rows[column].fillna("").str.casefold().str.contains(value.casefold(), regex=False)]
    if reason:
        rows = rows[rows["signature"].fillna("").str.startswith(reason)]
    if part:
        edges = [*parts(period), period.last]
        rows = job_states.between(rows, edges[int(part) - 1], edges[int(part)])
    if wanted:
        columns = ["job_id", "user_id", "kind", "status", "model_used", "why"]
        joined = rows[columns].fillna("").agg(" ".join, axis=1) if len(rows) else pd.Series(dtype="object")
        rows = rows[joined.str.casefold().str.contains(wanted.casefold(), regex=False)] if len(rows) else rows
    return rows.reset_index(drop=True)


def listing(rows: pd.DataFrame, total: int, period: Span, page: Page) -> None:
    """The list; a click puts a job into the URL, from where it is shown."""
    st.text(formats.to_tick(len(rows), total, "job", "see all of it"))
    shown = pd.DataFrame(
        {
            "When": rows["created_at"],
            "Kind": rows["kind"].map(lambda kind: marking.KINDS.get(kind, kind)),
            "State": [
                formats.state(state, page.now - created_at) + (" · done again" if recovered else "")
                for state, created_at, recovered in zip(
                    rows["state"], rows["created_at"], rows["recovered"], strict=True
                )
            ],
            "Student": rows["user_id"],
            "What it says": rows["why"],
            "Model": rows["model_used"],
            "Id": rows["job_id"],
        }
    )

    def act(row: int) -> None:
        chosen = job_records.keys(rows.iloc[[row]])[0]
        filters.put(table=chosen.table, job_id=chosen.job_id, user_id=chosen.user_id)

    grid.on_pick(
        shown,
        {
            "When": grid.moment("When", page.zone, pinned=True),
            "What it says": st.column_config.TextColumn(width="large"),
        },
        act,
        key="job_rows",
        alt="Jobs, newest first",
    )
    if not rows.empty:
        downloads.table(
            rows[_COLUMNS],
            "jobs",
            page,
            period=period.name,
            codes={"of": "list"},
            key="take_jobs",
        )


def jump(page: Page) -> None:
    """One box for an exact id of an evaluation, a set or a student."""
    typed = filters.id_finder("Go to an exact id", "evaluation, set or student")
    if not typed:
        return
    with page.part("The search for this id"):
        if page.read(records.evaluations_called, typed):
            page.go(EVALUATION, evaluation_id=typed)
        if page.read(records.sets_called, typed):
            page.go(FLASHCARDS_PAGE, set_id=typed)
        if len(page.read(records.history, typed)) or len(page.read(records.sets, typed)):
            page.go(STUDENT, user_id=typed)
        said = f"There is no evaluation, flashcard set or student “{typed}”. Upper and lower case matter."
        markup.show(markup.paragraph(said))


def refresh_seconds() -> int | None:
    """How often the page reads again by itself, `?again=`; None when never, or while an action is open."""
    code = filters.choice(
        "Read again", {"off": "Off", "10s": "Every 10 s", "60s": "Every minute"}, key="again", default="off"
    )
    return None if marking.is_open() else _REFRESH[code]


def _jobs(page: Page, period: Span, seconds: int | None) -> pd.DataFrame:
    """The jobs from the begin of the period before on, of the tables that can be read.

    What reaches until now comes from the windows that every page shares, and a later look reads only what is new.
    """
    within = timedelta(seconds=seconds - 1) if seconds else FRESH
    days = math.ceil((page.now - period.before) / timedelta(days=1))
    if period.last >= page.now and days <= _LONGEST_WINDOW:
        arguments: tuple[Any, ...] = (days,)
        queries: dict[str, Query[..., pd.DataFrame]] = {
            "evaluations": records.period,
            FLASHCARDS: records.sets_period,
        }
    else:
        arguments = (period.before, period.last)
        queries = {"evaluations": records.evaluations_between, FLASHCARDS: records.sets_between}
    page.ahead(*((query, *arguments) for query in queries.values()), within=within)
    answers: dict[str, Read[pd.DataFrame]] = {}
    failures: dict[str, Failure] = {}
    for table, query in queries.items():
        try:
            answers[table] = page.answer_within(within, query, *arguments)
        except Failure as error:
            failures[table] = error
    if not answers:
        raise failures["evaluations"]
    for table, failure in failures.items():
        page.keep(Read(None, Cost(), page.now, complete=False))
        with page.part(_JOBS_OF[table]):
            raise failure.to_keep()
    versions = tuple((table, answer.read_at) for table, answer in answers.items())
    frames = {table: answer.value for table, answer in answers.items()}
    return page.session.derive(
        ("jobs", versions, arguments),
        lambda: job_records.combined(frames.get("evaluations"), frames.get(FLASHCARDS)),
    )


def _midnight(day: date, page: Page) -> datetime:
    return datetime.combine(day, time(), tzinfo=page.zone).astimezone(UTC)


def _percent(rate: float) -> str:
    return formats.UNKNOWN if math.isnan(rate) else f"{rate * 100:.1f} %"
