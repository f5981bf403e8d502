"""The state of jobs and wiring for cron and monitoring: a line, an exit code, JSON, metrics. It changes nothing."""

import argparse
import math
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.incidents import Incident, incidents
from analysis.job_states import FEWEST_FINISHED, Thresholds, Totals, totals
from bandup import notify
from bandup.files import held, write_whole
from bandup.terminal import say, say_json
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.environment import read_settings
from data.messages import Notifications, dashboard_url
from data.provisioning import verdict
from data.provisioning.plan import plan
from data.provisioning.verdict import judge
from data.records.frames import AHEAD
from data.roster import Roster
from data.settings import SettingsError, value_of
from queries import all_jobs, source
from queries.access.gate import Gate, Visitor
from queries.all_jobs import AllJobs
from queries.session import Session
from wording import account, failures, formats
from wording.incidents import cause, sentence
from wording.skills import ALL_NAMES

Status: TypeAlias = Literal["ok", "warning", "critical", "unknown"]

EXIT_CODES: dict[Status, int] = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}
_WIRING: dict[verdict.State, Status] = {
    "broken": "critical",
    "changes pending": "warning",
    "could not be checked": "unknown",
    "in sync": "ok",
}
# What is not known may be critical, so it comes before a warning.
_WORST: tuple[Status, ...] = ("critical", "unknown", "warning", "ok")
_PERIOD = re.compile(r"(\d{1,4})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_BY_REASON = ("not_recovered", "recovered", "abandoned", "failure_rate")
"""Figures that are not known as long as a failed job's reason may say that a person gave it up."""
_TABLES = {"evaluations": f"{ALL_NAMES} jobs", "flashcards": "flashcard jobs", "reasons": "error messages"}
_MOST_REASONS = 5_000  # of an incident that lasts, or of very many that were marked by hand
_OPEN_FOR = timedelta(days=1)
"""So far back is looked for overdue and stuck jobs at least: a job is stuck after hours, whatever the period."""
WAIT = 30.0
"""Seconds for which a check with --notify waits for another one that is at it."""
_ABOUT = "Say whether jobs and wiring are well: one line and an exit code, as monitoring plugins do."
_EPILOG = (
    "Exit code: 0 ok, 1 warning, 2 critical, 3 unknown: something could not be read, or wrong usage. A limit is MAX "
    "(above it critical) or WARN,CRIT (above the first a warning). It costs what opening Jobs and Setup costs."
)


@dataclass(frozen=True, slots=True)
class Limit:
    """Above `warning` a figure is a warning, above `critical` it is critical."""

    warning: float
    critical: float

    @classmethod
    def count(cls, text: str) -> "Limit":
        """A limit out of `MAX` or `WARN,CRIT`; ValueError for anything else."""
        return cls._of([float(part) for part in text.split(",")], math.inf)

    @classmethod
    def rate(cls, text: str) -> "Limit":
        """The same of a rate, in percent or from 0 to 1: above that no rate would ever be above it."""
        parts = [part.strip() for part in text.split(",")]
        return cls._of([float(part.removesuffix("%")) / (100 if part.endswith("%") else 1) for part in parts], 1)

    @classmethod
    def _of(cls, numbers: list[float], most: float) -> "Limit":
        if len(numbers) > 2 or not all(math.isfinite(n) and 0 <= n <= most for n in numbers):
            raise ValueError(numbers)
        if numbers[0] > numbers[-1]:
            raise ValueError(numbers)
        return cls(numbers[0], numbers[-1])

    def judge(self, value: float) -> Status:
        """The status of a figure."""
        return "critical" if value > self.critical else "warning" if value > self.warning else "ok"


@dataclass(slots=True)
class Report:
    """What one call has learned. `jobs` is None where they could not be read; `problems` are sentences.

    `incidents` are those of the period, `every_incident` all that were read. Of `jobs`, one table's may be missing
    where not `has_every_job`, some given up by hand may count as failed where not `has_every_reason`, and of the
    incidents some may be missing where not `is_whole`.
    `url` is the dashboard's address, empty where nobody says it; `source` is where the jobs are, None where not known.
    """

    source: str | None = None
    jobs: Totals | None = None
    incidents: list[Incident] = field(default_factory=list)
    every_incident: list[Incident] = field(default_factory=list)
    has_every_job: bool = False
    has_read_reasons: bool = False
    has_every_reason: bool = False
    is_whole: bool = False
    wiring: dict[str, int] | None = None
    statuses: list[Status] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    cost: str = ""
    url: str = ""

    @property
    def ongoing(self) -> list[Incident]:
        """The incidents of the period that are not over."""
        return [one for one in self.incidents if not one.is_over]

    @property
    def status(self) -> Status:
        """The worst of all."""
        return next((status for status in _WORST if status in self.statuses), "ok")

    def add(self, status: Status, problem: str = "") -> None:
        """Count a result; a sentence where it is not well."""
        self.statuses.append(status)
        if problem and status != "ok":
            self.problems.append(problem)


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = commands.add_parser("check", help=_ABOUT, description=_ABOUT, epilog=_EPILOG)
    period = _flag(_period, "30m, 24h, 7d ...")
    limit: dict[str, Any] = {"type": _flag(Limit.count, "MAX or WARN,CRIT"), "metavar": "LIMIT"}
    parser.add_argument("--period", type=period, help="look at jobs of the last 30m, 24h, 7d ... (24h)")
    parser.add_argument("--max-failed", help="failed jobs", **limit)
    parser.add_argument("--max-stuck", help="stuck jobs (0)", **limit)
    parser.add_argument("--max-overdue", help=f"overdue jobs (0,{FEWEST_FINISHED})", **limit)
    rate = limit | {"type": _flag(Limit.rate, "MAX or WARN,CRIT, in % or from 0 to 1")}
    parser.add_argument("--max-failure-rate", help="failed of finished, in %% or 0 to 1 (25%%)", **rate)
    whole = _flag(_whole, "a whole number")
    parser.add_argument(
        "--min-finished", type=whole, help=f"finished jobs below which no rate is judged ({FEWEST_FINISHED})"
    )
    parser.add_argument("--skip-wiring", action="store_true", help="look at the jobs alone")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a line")
    parser.add_argument("--prometheus", type=Path, metavar="FILE", help="write metrics for the textfile collector")
    parser.add_argument(
        "--notify",
        action="store_true",
        help="tell BANDUP_NOTIFY_URL and BANDUP_NOTIFY_TOPIC of incidents: begun, going on, over, once each",
    )
    parser.add_argument(
        "--notify-after", type=period, default="4h", metavar="TIME", help="when an incident goes on (4h)"
    )
    parser.set_defaults(run=run, usage_code=EXIT_CODES["unknown"])


def run(options: argparse.Namespace) -> int:
    """Run with these options; the exit code."""
    try:
        with ExitStack() as until_the_end:
            return _run(options, until_the_end)
    except Exception as error:  # noqa: BLE001 - Python would end with 1, which is a warning here
        say(f"BANDUP UNKNOWN - An error in the check itself: {type(error).__name__}")
        return EXIT_CODES["unknown"]


def _run(options: argparse.Namespace, until_the_end: ExitStack) -> int:
    report, now = Report(), datetime.now(UTC)
    try:
        settings = read_settings()
        report.source, report.url = settings.source, dashboard_url(os.environ)
        _from_environment(options)
        notifications = Notifications.read(os.environ) if options.notify else None
        state = _state(report, notify.path_of(notifications), until_the_end) if notifications else None
        now = datetime.now(UTC)  # it may have waited for another check
        source.start()
        with budget.limited():
            session = Session(Gate(Visitor(None, "ops"), Roster()))
            since = now - options.period
            if notifications and state:
                since = state.since(now, options.period, notifications.targets)
            _check_jobs(session, options, report, since, now)
            report.cost = formats.cost(session.cost)
            if not options.skip_wiring:
                _check_wiring(report)
        if notifications and state:
            _notify(report, options, notifications, state, now, is_demo=settings.source == "demo")
    except SettingsError as error:
        report.add("unknown", str(error))
    except Failure as failure:
        report.add("unknown", failures.sentences(failure, "terminal"))
    except Exception as error:  # noqa: BLE001 - Python would end with 1, which is a warning here
        report.add("unknown", f"An error in the check itself: {type(error).__name__}.")
    if options.prometheus:
        try:
            text = "\n".join([*_metrics(report, now), ""])
            write_whole(options.prometheus, text, mode=0o644)  # another user's collector reads it
        except OSError as error:
            report.add("unknown", f"{options.prometheus} could not be written: {error.strerror or error}.")
    if options.json:
        say_json(_as_json(report, now))
    else:
        say(_line(report, options, now))
    return EXIT_CODES[report.status]


def _from_environment(options: argparse.Namespace) -> None:
    """What no flag says is taken from a variable, else it is the usual one; SettingsError names a variable."""
    for name, (parse, usual) in _USUAL.items():
        if getattr(options, name) is not None:
            continue
        variable = f"BANDUP_CHECK_{name.upper()}"
        text = value_of(os.environ, variable).strip()
        try:
            setattr(options, name, parse(text or usual) if text or usual else None)
        except ValueError as error:
            flag = f"--{name.replace('_', '-')}"
            raise SettingsError(f"{variable} is “{text}”: give what {flag} takes.") from error


def _state(report: Report, path: Path, until_the_end: ExitStack) -> "notify.State | None":
    """What was told, for this check alone until its end; None where another one is telling, or nothing can be kept."""
    try:
        if until_the_end.enter_context(held(path, WAIT)):
            return notify.State.load(path)
    except OSError as error:
        report.add("unknown", _not_kept(path, error))
        return None
    report.add("unknown", f"Another check was still telling of incidents after {WAIT:g} seconds, so nothing was sent.")
    return None


def _not_kept(path: Path, error: OSError) -> str:
    return f"{path} could not be written, so not all was sent: {error.strerror or error}."


def _notify(
    report: Report,
    options: argparse.Namespace,
    notifications: Notifications,
    state: "notify.State",
    now: datetime,
    *,
    is_demo: bool,
) -> None:
    """Tell of what is new about incidents; what could not be told is unknown to whom it should reach."""
    if report.jobs is None:
        return
    try:
        problems = notify.tell(
            report.every_incident,
            state,
            notifications,
            now,
            options.notify_after,
            is_whole=report.is_whole,
            is_read=report.has_every_job and report.has_read_reasons,
            is_demo=is_demo,
        )
        for problem in problems:
            report.add("unknown", problem)
    except OSError as error:
        report.add("unknown", _not_kept(state.path, error))


def _check_jobs(session: Session, options: argparse.Namespace, report: Report, since: datetime, now: datetime) -> None:
    try:
        first = now - options.period
        open_since = min(first, now - _OPEN_FOR)
        every = all_jobs.between(
            session, min(since, open_since), now + AHEAD, now, Thresholds(), most_reasons=_MOST_REASONS
        )
    except Failure as failure:
        report.add("unknown", f"The jobs could not be read. {failures.sentences(failure, 'terminal')}")
        return
    for what, missing in every.failures.items():
        report.add("unknown", f"The {_TABLES[what]} could not be read. {failures.sentences(missing, 'terminal')}")
    created = every.jobs["created_at"]
    is_open = every.jobs["state"].isin(["overdue", "stuck"])
    of_period = every.jobs[(created < now + AHEAD) & ((created >= first) | (is_open & (created >= open_since)))]
    unexplained = _unexplained(of_period, every)
    if unexplained and "reasons" not in every.failures:
        report.add("unknown", f"{formats.count(unexplained, 'failed job')} more than can be explained at once.")
    # Days are read whole: what was over before this check's time was told by others, or is not to be told.
    report.every_incident = [one for one in incidents(every.jobs, now) if one.last >= since]
    report.incidents = [one for one in report.every_incident if one.last >= first]
    report.has_every_job = session.complete and not every.failures.keys() - {"reasons"}
    report.has_read_reasons = "reasons" not in every.failures
    report.has_every_reason = report.has_read_reasons and not unexplained
    report.is_whole = session.complete and not every.failures and not every.unread
    report.jobs = figures = totals(of_period)
    # What a person gave up says failed too: as long as the reasons are not known, no more than so many failed.
    at_most = "up to " if unexplained else ""
    for what, value, limit in (
        (f"{at_most}{figures.failed:,} failed", figures.failed, options.max_failed),
        (f"{figures.stuck:,} stuck", figures.stuck, options.max_stuck),
        (f"{figures.overdue:,} overdue", figures.overdue, options.max_overdue),
    ):
        if limit:
            report.add(limit.judge(value), what)
    if figures.finished >= max(1, options.min_finished):
        rate = figures.failure_rate
        report.add(
            options.max_failure_rate.judge(rate), f"{at_most}{rate:.1%} of {figures.finished:,} finished jobs failed"
        )


def _unexplained(jobs: pd.DataFrame, every: AllJobs) -> int:
    """How many of these failed jobs have a reason that was not read."""
    failed = jobs[jobs["state"] == "failed"]
    if "reasons" in every.failures:
        return len(failed)
    return 0 if every.unread_until is None else int((failed["created_at"] <= every.unread_until).sum())


def _check_wiring(report: Report) -> None:
    """As Setup sees it: what is broken is critical, what is to be done a warning, what nobody could look at unknown."""
    try:
        clients: Any = source.clients()
    except Failure as failure:
        clients = failure
    try:
        compared = plan(source.store(), clients=clients)
    except Failure as failure:
        report.add("unknown", f"The wiring could not be checked. {failures.sentences(failure, 'terminal')}")
        return
    report.wiring = dict.fromkeys(("critical", "warning", "unknown"), 0)
    for problem in judge(compared, required_only=True).problems:
        status = _WIRING[problem.state]
        report.wiring[status] += 1
        report.add(status, account.problem(problem, "terminal"))


def _line(report: Report, options: argparse.Namespace, now: datetime) -> str:
    """`BANDUP STATUS - what | performance data`, on one line."""
    ongoing = [sentence(one, now, ZoneInfo("UTC")) for one in report.ongoing]
    demo = ["Demo data"] if report.source == "demo" else []
    parts = [part.removesuffix(".") for part in (*demo, *report.problems, *ongoing)]
    if report.jobs:
        parts.append(
            f"{report.jobs.failed:,} failed, {report.jobs.not_recovered:,} not recovered, {report.jobs.overdue:,} "
            f"overdue, {report.jobs.stuck:,} stuck, {report.jobs.completed:,} completed"
        )
    # A bar begins the performance data, and foreign text may hold one, or a line break.
    text = " ".join("; ".join(parts).replace("|", "/").split())
    data = " ".join(_performance(report, options))
    return f"BANDUP {report.status.upper()} - {text}" + (f" | {data}" if data else "")


def _performance(report: Report, options: argparse.Namespace) -> Iterator[str]:
    """Figures for monitoring. What is not known is left out: a zero would be a claim."""
    if report.jobs is None or not report.has_every_job:
        return
    figures = report.jobs
    for name, value, limit in (
        ("failed", figures.failed, options.max_failed),
        ("not_recovered", figures.not_recovered, None),
        ("overdue", figures.overdue, options.max_overdue),
        ("stuck", figures.stuck, options.max_stuck),
        ("completed", figures.completed, None),
        ("abandoned", figures.abandoned, None),
    ):
        if name in _BY_REASON and not report.has_every_reason:
            continue
        yield f"{name}={value};{_bounds(limit)};0" if limit else f"{name}={value};;;0"
    if report.is_whole:
        yield f"incidents={len(report.ongoing)};;;0"
    if report.has_every_reason and not math.isnan(figures.failure_rate):
        limit = options.max_failure_rate
        yield f"failure_rate={figures.failure_rate:.1%};{_bounds(limit, 100)};0;100"


def _bounds(limit: Limit, times: int = 1) -> str:
    """Both as performance data has them: digits and a point, never 1e+06."""
    return ";".join(f"{bound * times:.6f}".rstrip("0").rstrip(".") for bound in (limit.warning, limit.critical))


def _as_json(report: Report, now: datetime) -> dict[str, Any]:
    return {
        "status": report.status,
        "source": report.source,
        "problems": report.problems,
        "jobs": None if report.jobs is None else _figures(report.jobs, report),
        "wiring": report.wiring,
        "incidents": [
            {
                "error": cause(one.signature),
                "sentence": sentence(one, now, ZoneInfo("UTC")),
                "first_seen": one.first.isoformat(),
                "last_seen": one.last.isoformat(),
                "jobs": one.jobs,
                "students": len(one.students),
                "recovered": one.recovered,
                "over": one.is_over,
                "link": notify.link(one.code, report.url),
            }
            for one in report.incidents
        ],
        "incomplete": [
            name
            for name, is_complete in (("jobs", report.has_every_job), ("incidents", report.is_whole))
            if not is_complete
        ],
        "cost": report.cost or None,
        "checked_at": now.isoformat(timespec="seconds"),
    }


def _figures(figures: Totals, report: Report) -> dict[str, float | None]:
    names = ("failed", "not_recovered", "overdue", "stuck", "waiting", "completed", "recovered", "abandoned")
    rate = figures.failure_rate
    every = {name: getattr(figures, name) for name in names} | {"failure_rate": None if math.isnan(rate) else rate}
    return every if report.has_every_reason else every | dict.fromkeys(_BY_REASON)


def _metrics(report: Report, now: datetime) -> Iterator[str]:
    """Metrics in Prometheus' text format. What is not known is left out: a zero would be a claim."""
    yield from _gauge("bandup_check_status", "0 ok, 1 warning, 2 critical, 3 unknown.", EXIT_CODES[report.status])
    yield from _gauge("bandup_check_time_seconds", "When the check ran.", int(now.timestamp()))
    if report.source:
        yield from _gauge("bandup_check_is_demo", "1 where it looked at sample data.", int(report.source == "demo"))
    if report.jobs and report.has_every_job:
        yield "# HELP bandup_jobs Jobs of the period by what became of them, open ones of a day at least."
        yield "# TYPE bandup_jobs gauge"
        figures = _figures(report.jobs, report)
        rate = figures.pop("failure_rate")
        known = {name: value for name, value in figures.items() if value is not None}
        yield from (f'bandup_jobs{{state="{name}"}} {value}' for name, value in known.items())
        if rate is not None:
            yield from _gauge("bandup_failure_ratio", "Failed of finished jobs, 0 to 1.", rate)
    if report.is_whole:
        yield from _gauge("bandup_incidents_ongoing", "Incidents that go on.", len(report.ongoing))
    if report.wiring is not None:
        yield "# HELP bandup_wiring_problems Lines of the checklist that are not well."
        yield "# TYPE bandup_wiring_problems gauge"
        yield from (f'bandup_wiring_problems{{status="{name}"}} {value}' for name, value in report.wiring.items())


def _gauge(name: str, explain: str, value: float) -> tuple[str, str, str]:
    return f"# HELP {name} {explain}", f"# TYPE {name} gauge", f"{name} {value}"


def _flag(parse: Callable[[str], Any], form: str) -> Callable[[str], Any]:
    """The same for argparse, which would else name the function where a value cannot be used."""

    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"“{text}” is none: give {form}") from error

    return parsed


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _period(text: str) -> timedelta:
    match = _PERIOD.fullmatch(text)
    if not match or int(match[1]) == 0:
        raise ValueError(text)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


_USUAL: dict[str, tuple[Callable[[str], Any], str]] = {
    "period": (_period, "24h"),
    "max_failed": (Limit.count, ""),
    "max_stuck": (Limit.count, "0"),
    "max_overdue": (Limit.count, f"0,{FEWEST_FINISHED}"),
    "max_failure_rate": (Limit.rate, "25%"),
    "min_finished": (_whole, str(FEWEST_FINISHED)),
}
