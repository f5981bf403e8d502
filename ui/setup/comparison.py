"""The account compared with what is declared: each Lambda's chain, and each property of both tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import streamlit as st
from markupsafe import Markup

from data.dynamodb.client import Store
from data.provisioning.drift import Check, Level
from data.provisioning.lambdas import Proof
from data.provisioning.place import Place, where
from data.provisioning.plan import Plan, plan
from data.provisioning.roles import NOT_SIMULATED
from data.provisioning.verdict import State, Verdict, judge
from ui.components import markup
from ui.setup.plan import clients
from ui.shell.clock import Clock
from ui.shell.page import KEPT
from wording import account, formats

_GREEN, _AMBER, _RED, _GREY = "#2e8b57", "#b8860b", "#d1453b", "#7f8790"
_LEVELS: dict[Level, tuple[str, str]] = {
    "ok": (_GREEN, "ok"),
    "building": (_AMBER, "being built"),
    "recommended": (_AMBER, "recommended"),
    "unchecked": (_GREY, "not checked"),
    "not_offered": (_GREY, "not available"),
    "missing": (_RED, "to do"),
    "blocked": (_RED, "blocked"),
}
_STATES: dict[State, str] = {
    "in sync": _GREEN,
    "changes pending": _AMBER,
    "broken": _RED,
    "could not be checked": _GREY,
}
_WORST: tuple[Level, ...] = ("missing", "blocked", "unchecked", "building", "recommended", "not_offered", "ok")
_MARKS: dict[Level, str] = {
    "ok": "✓",
    "building": "◔",
    "recommended": "!",
    "unchecked": "",
    "not_offered": "",
    "missing": "✕",
    "blocked": "✕",
}
_LINKS = ("Lambda", "Variable", "Table", "Keys", "Role")
_COMPARISON = f"{KEPT}comparison"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared, once: it stays on screen until it is asked for anew or something was applied."""

    plan: Plan
    place: Place
    at: datetime

    @property
    def verdict(self) -> Verdict:
        """What all of it comes to."""
        return judge(self.plan)


def compare(store: Store) -> Comparison:
    """The comparison, kept in the session for as long as the Store leads there; Failure when AWS does not answer."""
    kept: Comparison | None = st.session_state.get(_COMPARISON)
    if kept and kept.place.is_of(store):
        return kept
    with st.spinner("Comparing with the account…", show_time=True):
        comparison = Comparison(plan(store, clients=clients()), where(store), datetime.now(UTC))
    st.session_state[_COMPARISON] = comparison
    return comparison


def banner(verdict: Verdict) -> None:
    """The verdict of all checks: red, amber, grey or green, with each problem where there are several."""
    several = len(verdict.problems) > 1
    problems = [markup.bullets(f"{of.state}: {account.problem(of)}" for of in verdict.problems)] if several else []
    headline = account.counts(verdict) if several else account.headline(verdict)
    markup.show(markup.banner(_STATES[verdict.state], headline, *problems))


def proof(compared: Plan) -> None:
    """From each Lambda to its table: as a picture, red where it breaks, grey where that is not known; and in full."""
    chains = compared.proofs
    markup.show(*(_picture(chain, compared.checks) for chain in chains))
    rows = []
    for chain in chains:
        name = markup.bold(chain.function.label)
        cells = ([link for link in chain.links if link.subject == subject] for subject in _LINKS)
        rows.append([name, *(markup.joined(map(_link, links)) for links in cells)])
    markup.show(markup.table(["", *_LINKS], rows, "From each Lambda to its table"))
    markup.show(markup.quiet(NOT_SIMULATED))


def _picture(chain: Proof, checks: Sequence[Check]) -> Markup:
    """Lambda -> variable -> table -> indexes -> role. What comes after a Lambda that is not there is not known."""
    table = chain.function.table
    own = [check for check in checks if check.target.table is table]
    nodes = [
        ("Lambda", chain.name, _of(chain.links, "Lambda")),
        ("Variable", table.variable, _of(chain.links, "Variable")),
        ("Table", own[0].target.name, _of(own, "Table", "Partition key", "Sort key")),
        ("Indexes", "by student, by status", [check.level for check in own if check.subject.startswith("Index ")]),
        ("Role", "", _of(chain.links, "Role")),
    ]
    beyond: Level = "not_offered" if "not_offered" in nodes[0][2] else "unchecked"
    drawn, words = [], []
    for name, called, levels in nodes:
        worst: Level = next((level for level in _WORST if level in levels), beyond)
        colour, word = _LEVELS[worst]
        label = called if worst == "ok" else f"{called}: {word}" if called else word
        drawn.append((colour, _MARKS[worst], name, label))
        words.append(f"{name} {word}")
    return markup.chain(chain.function.label, drawn, f"{chain.function.label}: {'; '.join(words)}")


def _of(checks: Sequence[Check], *subjects: str) -> list[Level]:
    return [check.level for check in checks if check.subject in subjects]


def checklist(checks: Sequence[Check], clock: Clock) -> None:
    """Every declared property of both tables and how it stands."""
    for target in dict.fromkeys(check.target for check in checks):
        markup.show(markup.heading(target.name))
        rows = [[check.subject, _level(check.level), _fact(check, clock)] for check in checks if check.target == target]
        markup.show(markup.table(["What", "State", "Fact"], rows, f"Checklist of {target.name}"))


def alarms(lines: Sequence[tuple[str, Check]], clock: Clock) -> None:
    """How the alarms stand, where there are to be some."""
    if lines:
        markup.show(markup.heading("CloudWatch alarms"))
        rows = [[owner, _level(check.level), _fact(check, clock)] for owner, check in lines]
        markup.show(markup.table(["What", "State", "Fact"], rows, "CloudWatch alarms"))


def _link(link: Check) -> Markup:
    return _level(link.level) + markup.line(account.fact(link))


def _level(level: Level) -> Markup:
    colour, word = _LEVELS[level]
    return markup.unbroken(markup.dot(colour), word)


def _fact(check: Check, clock: Clock) -> str:
    if not check.pitr or not check.pitr.enabled:
        return account.fact(check)
    first, last = (formats.exact(moment, clock.zone) for moment in (check.pitr.earliest, check.pitr.latest))
    return f"{check.fact}; restorable from {first} to {last}"
