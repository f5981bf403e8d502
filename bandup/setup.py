"""Setup from a terminal or a script: the plan, and its application. It never asks."""

import argparse
import getpass
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from bandup.terminal import say, say_json
from data.dynamodb import budget
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.environment import read_settings
from data.provisioning.apply import Event, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Check, Step, Target
from data.provisioning.drill import Drill
from data.provisioning.drill import run as run_drill
from data.provisioning.place import Place, where
from data.provisioning.plan import Look, Plan, look, plan
from data.provisioning.roles import NOT_SIMULATED
from data.provisioning.verdict import Verdict, failed_exit_code, judge
from data.schema import TABLES
from data.settings import SettingsError
from queries.source import open_clients, open_store
from wording import account, failures

_FAILED = 1

_DRILL_STOPPED = (
    "Stopped. A restore that was begun goes on in AWS: run it again within 24 hours, and it goes on with the same copy."
)
_ABOUT = "Show what would bring both tables and the Lambdas into the declared state, or do it."
_EPILOG = (
    "Exit code: 0 in sync and proven, 2 changes are pending (with --apply: are left) or something is broken, 3 "
    "something could not be checked, 1 an error or a wrong use."
)


@dataclass(slots=True)
class Report:
    """What one call compared and did. `steps` are those of the plan that the options ask for."""

    plan: Plan = field(default_factory=lambda: Plan(()))
    steps: Sequence[Step] = ()
    left_out: list[tuple[Step, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    place: Place | None = None
    verdict: Verdict | None = None
    drills: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = commands.add_parser("setup", help=_ABOUT, description=_ABOUT, epilog=_EPILOG)
    todo = parser.add_mutually_exclusive_group()
    todo.add_argument("--apply", action="store_true", help="do it (for aws: needs BANDUP_ALLOW_CHANGES=1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    parser.add_argument("--required-only", action="store_true", help="leave out what is only recommended")
    parser.add_argument(
        "--accept-index-warnings",
        action="store_true",
        help="add an index although sampled records would be invisible in it, or their like be refused",
    )
    parser.add_argument(
        "--account", default="", metavar="ID", help="the account to be changed; --apply on real AWS needs it"
    )
    todo.add_argument(
        "--drill",
        action="store_true",
        help="restore the newest state of each table to a copy, compare it with the table, and say how to delete it",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run with these options; the exit code."""
    report = Report()
    try:
        code = _run(options, report)
    except SettingsError as error:
        report.error, code = str(error), _FAILED
    except Failure as failure:
        report.error = failures.sentences(failure, "terminal")
        code = _FAILED if report.verdict else failed_exit_code(failure)
    except KeyboardInterrupt:  # SIGTERM too
        report.error = _DRILL_STOPPED if options.drill else account.stopped(report.events)
        code = _FAILED
    if options.json:
        say_json(_as_json(report, code))
    elif report.error:
        say(report.error, is_problem=True)
    return code


def _run(options: argparse.Namespace, report: Report) -> int:
    store = open_store(read_settings())
    with budget.limited():
        report.place = where(store)
    _tell(options, account.place(report.place, "terminal"))
    if options.drill:
        return _drill(store, options, report)
    clients = _clients(store)
    verdict = _compare(store, clients, options, report)
    if not options.json:
        _print_plan(report, options, verdict)
    if not options.apply:
        return verdict.exit_code
    report.error = _unconfirmed(report.place, options.account)
    if report.error:
        return _FAILED
    accepted = _without_warnings(store, options, report)
    _tell(options, "")
    for event in apply(store, accepted, who=_who(), clients=clients):
        report.events.append(event)
        suffix = f" · {account.message(event, 'terminal')}" if event.state != "running" else ""
        _tell(options, f"{event.state:12} {event.step.what}{suffix}")
    verdict = _compare(store, clients, options, report)
    _print_verdict(options, verdict)
    failed = any(event.state in ("failed", "skipped") for event in report.events)
    return _FAILED if failed else verdict.exit_code


def _drill(store: Store, options: argparse.Namespace, report: Report) -> int:
    """Restore each table to a copy and compare it: 0 alike, 2 differences, 1 an error, 3 to be run again soon."""
    report.error = _unconfirmed(report.place, options.account) if report.place else ""
    if report.error:
        return _FAILED
    codes = set()
    for table in TABLES:
        target = Target(table, store.settings.name(table))
        try:
            codes.add(_drill_of(target, store, options, report))
        except Failure as failure:  # the other table is tried all the same
            why = f"{target.name}: {failures.sentences(failure, 'terminal')}"
            report.error = " ".join(filter(None, (report.error, why)))
            codes.add(_drill_code(failure))
    return next(code for code in (2, _FAILED, 3, 0) if code in codes)


def _drill_of(target: Target, store: Store, options: argparse.Namespace, report: Report) -> int:
    region, settings = store.client.meta.region_name, store.settings
    _tell(options, account.drill_cost(store.facts(target.table), settings))
    code = 3
    for result in run_drill(store, target, who=_who(), now=datetime.now(UTC)):
        if isinstance(result, str):
            _tell(options, result)
            continue
        if isinstance(result, Drill):
            passed, code = result.passed, 0 if result.passed else 2
            lines = account.drill(result, region, settings)
        else:
            passed, code = None, _drill_code(result.why)
            why = failures.sentences(result.why, "terminal")
            lines = account.drill_unfinished(target.name, result.copy, why, region, settings)
        report.drills.append({"table": target.name, "copy": result.copy, "passed": passed, "lines": lines})
        for line in lines:
            _tell(options, line)
    return code


def _drill_code(failure: Failure) -> int:
    """3 where it may go better within 24 hours, with the same copy; 1 where something is to be mended before."""
    return 3 if failure.passing else _FAILED


def _who() -> str:
    """Who makes a change, for the log; by number where the computer has no name for them, as in many containers."""
    try:
        return f"terminal user {getpass.getuser()}"
    except (KeyError, OSError, ImportError):
        return f"terminal user {os.getuid() if hasattr(os, 'getuid') else 'unknown'}"


def _unconfirmed(place: Place, account_id: str) -> str:
    """Why nothing is applied at this place; empty where it may be."""
    if isinstance(place.account, Failure):
        return failures.sentences(place.account, "terminal") if place.real_aws or account_id else ""
    if place.real_aws and not account_id:
        return f"This is real AWS: to apply, give --account {place.account}, the account that is to be changed."
    if account_id and account_id != place.account:
        here = f"account {place.account}" if place.account else "no account of AWS's"
        return f"Nothing was done: this is {here}, not {account_id}."
    return ""


def _clients(store: Store) -> Clients | Failure:
    try:
        return open_clients(store)
    except Failure as failure:
        return failure


def _compare(store: Store, clients: Clients | Failure, options: argparse.Namespace, report: Report) -> Verdict:
    with budget.limited():
        report.plan = plan(store, clients=clients)
    report.steps = [step for step in report.plan.steps if step.required or not options.required_only]
    report.verdict = judge(report.plan, required_only=options.required_only)
    return report.verdict


def _without_warnings(store: Store, options: argparse.Namespace, report: Report) -> list[Step]:
    """The steps but for indexes about which a sample of the records warns, unless the options accept that."""
    accepted = []
    for step in report.steps:
        if step.action == "index" and not options.accept_index_warnings:
            sample = look(store, step)
            if sample.warns:
                reason = f"{warning(sample)} Give --accept-index-warnings to add it all the same."
                report.left_out.append((step, reason))
                _tell(options, f"left out     {step.what} · {reason}")
                continue
        accepted.append(step)
    return accepted


def warning(sample: Look) -> str:
    """What a look at a sample warns of, in a sentence or two."""
    return " ".join([*account.sample_warnings(sample), *(f"Example: {example}." for example in sample.examples)])


def _print_plan(report: Report, options: argparse.Namespace, verdict: Verdict) -> None:
    for owner, check in report.plan.lines:
        say(f"{check.level:12} {owner} · {check.subject} · {account.fact(check, 'terminal')}")
    if any(check.subject == "Role" for _, check in report.plan.lines):
        say(f"{'note':12} {NOT_SIMULATED}")
    say()
    for step in report.steps:
        say(f"step         {step.what} ({step.why}). Cost: {step.cost.rstrip('.')}. Undo: {step.undo}")
        if step.warning:
            say(f"{'stack':12} {step.warning}")
    _print_verdict(options, verdict)


def _print_verdict(options: argparse.Namespace, verdict: Verdict) -> None:
    for problem in verdict.problems:
        _tell(options, f"{problem.state:20} {account.problem(problem, 'terminal')}")
    _tell(options, f"{verdict.state}: {account.headline(verdict, 'terminal')}")


def _tell(options: argparse.Namespace, line: str) -> None:
    if not options.json:
        say(line)


def _as_json(report: Report, code: int) -> dict[str, Any]:
    verdict = report.verdict
    return {
        "exit_code": code,
        "verdict": _verdict_word(report, code),
        "headline": account.headline(verdict, "terminal") if verdict else report.error,
        "problems": [
            {"state": problem.state, **_check(problem.owner, problem.check)}
            for problem in (verdict.problems if verdict else ())
        ],
        "where": {**asdict(report.place), "account": _account_id(report.place)} if report.place else None,
        "error": report.error or None,
        "drills": report.drills,
        "checks": [_check(owner, check) for owner, check in report.plan.lines],
        "steps": [_step(step) for step in report.steps],
        "left_out": [{**_step(step), "reason": reason} for step, reason in report.left_out],
        "events": [
            {"what": event.step.what, "state": event.state, "message": account.message(event, "terminal")}
            for event in report.events
        ],
    }


def _verdict_word(report: Report, code: int) -> str | None:
    """The verdict's state; where there is none, why. None after a drill, which judges no account."""
    if report.verdict:
        return report.verdict.state
    if report.drills:
        return None
    return "error" if code == _FAILED else "could not be checked"


def _account_id(place: Place) -> str | None:
    return place.account if isinstance(place.account, str) else None


def _check(owner: str, check: Check) -> dict[str, str]:
    fact = account.fact(check, "terminal")
    return {"of": owner, "subject": check.subject, "level": check.level, "fact": fact}


def _step(step: Step) -> dict[str, Any]:
    fields = {name: getattr(step, name) for name in ("action", "what", "required", "cost", "undo", "stack")}
    return {**fields, "table": step.target.name}
