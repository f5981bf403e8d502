"""Setup from a terminal or a script: the plan, and its application. It never asks."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from data.dynamodb.errors import Failure
from data.dynamodb.store import Store
from data.provisioning.drift import Check, Step
from data.provisioning.lambdas import Clients, Proof, proofs, unreachable
from data.provisioning.provision import Clock, Event, Look, apply, look, plan
from data.settings import Settings, SettingsError
from queries.source import open_clients, open_store

IN_SYNC, FAILED, STEPS = 0, 1, 2

_EPILOG = (
    "Exit code: 0 in sync, 2 there are steps (with --apply: some are left) or something is still being built, "
    "1 an error, or something is blocked that no step can mend."
)


@dataclass(slots=True)
class Report:
    """What one call found and did."""

    checks: list[Check] = field(default_factory=list)
    proofs: Sequence[Proof] = ()
    steps: list[Step] = field(default_factory=list)
    left_out: list[tuple[Step, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    error: str = ""


def main(arguments: Sequence[str]) -> int:
    """Run with command line `arguments`; the exit code."""
    options = _parser().parse_args(arguments)
    report = Report()
    try:
        code = _run(options, report)
    except (Failure, SettingsError) as error:
        report.error = str(error)
        code = FAILED
    if options.json:
        print(for_terminal(json.dumps(_as_json(report, code), ensure_ascii=False, indent=2)))
    elif report.error:
        print(for_terminal(report.error), file=sys.stderr)
    return code


def _run(options: argparse.Namespace, report: Report) -> int:
    settings = Settings.read(os.environ)
    store = open_store(settings)
    clients = _clients(store)
    _compare(store, clients, options, report)
    code, verdict = _verdict(report, options)
    if not options.json:
        _print_plan(report, verdict)
    if not options.apply:
        return code
    chosen = _leave_out_what_warns(store, options, report)
    _tell(options, "")
    ready = clients if isinstance(clients, Clients) else None
    for event in apply(store, chosen, who=f"terminal user {getpass.getuser()}", clock=Clock(), clients=ready):
        report.events.append(event)
        _tell(options, f"{event.state:12} {event.step.what}{f' · {event.message}' if event.state != 'running' else ''}")
    if any(event.state in ("failed", "skipped") for event in report.events):
        return FAILED
    after = Report()
    _compare(store, clients, options, after)
    report.checks, report.proofs = after.checks, after.proofs
    report.steps = after.steps
    code, verdict = _verdict(report, options)
    _tell(options, verdict)
    return code


def _verdict(report: Report, options: argparse.Namespace) -> tuple[int, str]:
    """The exit code, and why. What no step can mend, and what is not yet there, is not in sync."""
    counted = [c for c in report.checks if not (options.required_only and c.subject.startswith("Index "))]
    blocked = [f"{check.target.name} · {check.subject}" for check in counted if check.level == "blocked"]
    building = [f"{check.target.name} · {check.subject}" for check in counted if check.level == "building"]
    if report.steps:
        return STEPS, f"{len(report.steps)} steps"
    if blocked:
        return FAILED, f"not in sync: no step can mend {', '.join(blocked)}"
    if building:
        return STEPS, f"not in sync yet: still being built: {', '.join(building)}"
    return IN_SYNC, "in sync"


def _clients(store: Store) -> Clients | Failure:
    try:
        return open_clients(store)
    except Failure as failure:
        return failure


def _compare(store: Store, clients: Clients | Failure, options: argparse.Namespace, report: Report) -> None:
    compared = plan(store)
    report.checks = list(compared.checks)
    report.proofs = (
        unreachable(store, clients) if isinstance(clients, Failure) else proofs(store, clients, compared.checks)
    )
    every = [*compared.steps, *(step for proof in report.proofs for step in proof.steps)]
    report.steps = [step for step in every if step.required or not options.required_only]


def _leave_out_what_warns(store: Store, options: argparse.Namespace, report: Report) -> list[Step]:
    chosen = []
    for step in report.steps:
        if step.action == "index" and not options.accept_index_warnings:
            seen = look(store, step)
            if seen.warns:
                reason = f"{warning(seen)} Give --accept-index-warnings to add it all the same."
                report.left_out.append((step, reason))
                _tell(options, f"left out     {step.what} · {reason}")
                continue
        chosen.append(step)
    return chosen


def warning(seen: Look) -> str:
    """What a look found, in a sentence or two."""
    parts = [
        f"{count:,} of {seen.sampled:,} sampled records have no {key} and would not be in the index."
        for key, count in seen.missing.items()
    ]
    parts += [
        f"{count:,} of {seen.sampled:,} sampled records have a {key} of another type: once the index exists, DynamoDB "
        "refuses such writes of the Lambdas."
        for key, count in seen.wrong.items()
    ]
    return " ".join([*parts, *(f"Example: {example}." for example in seen.examples)])


def for_terminal(text: str) -> str:
    """The same, for where there is no button to press: failures say what to do on the page.

    >>> for_terminal("Press Refresh to see it; else wait, then press Refresh.")
    'Run this again to see it; else wait, then run this again.'
    """
    return text.replace("press Refresh", "run this again").replace("Press Refresh", "Run this again")


def _print(line: str = "") -> None:
    print(for_terminal(line), flush=True)


def _print_plan(report: Report, verdict: str) -> None:
    for check in report.checks:
        _print(f"{check.level:12} {check.target.name} · {check.subject} · {check.fact}")
    for proof in report.proofs:
        for link in proof.links:
            _print(f"{link.level:12} {proof.function.label} · {link.subject} · {link.fact}")
    _print()
    for step in report.steps:
        _print(f"step         {step.what} ({step.why}). Cost: {step.cost}. Undo: {step.undo}")
    _print(verdict)


def _tell(options: argparse.Namespace, line: str) -> None:
    if not options.json:
        _print(line)


def _as_json(report: Report, code: int) -> dict[str, Any]:
    links = [(proof.function.label, link) for proof in report.proofs for link in proof.links]
    return {
        "exit_code": code,
        "error": report.error or None,
        "checks": [
            {"of": owner, "subject": check.subject, "level": check.level, "fact": check.fact}
            for owner, check in [*((check.target.name, check) for check in report.checks), *links]
        ],
        "steps": [_step(step) for step in report.steps],
        "left_out": [{**_step(step), "reason": reason} for step, reason in report.left_out],
        "events": [
            {"what": event.step.what, "state": event.state, "message": event.message} for event in report.events
        ],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "action": step.action,
        "table": step.target.name,
        "what": step.what,
        "required": step.required,
        "cost": step.cost,
        "undo": step.undo,
    }


class Parser(argparse.ArgumentParser):
    """A parser whose wrong usage ends with exit code 1: 2 says that there are steps."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and how it is meant."""
        self.print_usage(sys.stderr)
        self.exit(FAILED, f"{self.prog}: {message}\n")


def _parser() -> Parser:
    parser = Parser("python -m bandup setup", epilog=_EPILOG)
    parser.description = "Show what would bring both tables and the Lambdas into the declared state, or do it."
    parser.add_argument("--apply", action="store_true", help="do it (for aws: needs BANDUP_ALLOW_CHANGES=1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    parser.add_argument("--required-only", action="store_true", help="leave out what is only recommended")
    parser.add_argument(
        "--accept-index-warnings",
        action="store_true",
        help="add an index although sampled records would be invisible in it, or their like be refused",
    )
    return parser
