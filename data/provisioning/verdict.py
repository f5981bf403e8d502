"""The verdict of all checks of a plan: in sync, changes pending, broken, or could not be checked."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from data.dynamodb.errors import Failure, Kind
from data.provisioning import alarms
from data.provisioning.drift import Check
from data.provisioning.plan import Plan

State: TypeAlias = Literal["in sync", "changes pending", "broken", "could not be checked"]

_ORDER: tuple[State, ...] = ("broken", "changes pending", "could not be checked")
_EXIT_CODES: dict[State, int] = {"in sync": 0, "changes pending": 2, "broken": 2, "could not be checked": 3}
# Failures after which nothing is known of the account, but for reasons that are not this program's or its settings'.
_UNCHECKED: frozenset[Kind] = frozenset(
    {"access_denied", "busy", "garbled", "service", "throttled", "too_slow", "unreachable"}
)

# What a table that is yet to be created does not bring along.
_ALONE = ("Lambda", "Variable", *alarms.SUBJECTS)


@dataclass(frozen=True, slots=True)
class Problem:
    """A check that keeps a plan from being in sync. `owner` is the table, Lambda or topic that it is about."""

    state: State
    owner: str
    check: Check


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the account stands, with every problem, the worst first. `not_offered` is what the endpoint does not have."""

    problems: tuple[Problem, ...]
    not_offered: tuple[str, ...] = ()

    @property
    def state(self) -> State:
        """The worst state among the problems."""
        return self.problems[0].state if self.problems else "in sync"

    @property
    def exit_code(self) -> int:
        """0 in sync and proven, 2 pending or broken, 3 could not be checked."""
        return _EXIT_CODES[self.state]


def judge(plan: Plan, *, required_only: bool = False) -> Verdict:
    """The verdict of a plan. With `required_only`, what is only recommended does not count."""
    created = {check.target for check in plan.checks if check.step and check.step.action == "create"}
    problems = []
    for owner, check in plan.lines:
        # What comes with a table that is yet to be created is no problem of its own.
        comes_along = check.target in created and not check.step and check.subject not in _ALONE
        recommended = check.subject.startswith("Index ") or check.subject in alarms.SUBJECTS
        recommended = recommended or bool(check.step and not check.step.required)
        if (state := _state(check, plan.real_aws)) and not comes_along and not (required_only and recommended):
            problems.append(Problem(state, owner, check))
    # A proof repeats what is wrong with its table.
    own = [p for p in problems if p.owner == p.check.target.name or p.check.subject not in ("Table", "Keys")]
    missing = dict.fromkeys(check.subject for _, check in plan.lines if check.level == "not_offered")
    return Verdict(tuple(sorted(own, key=lambda p: _ORDER.index(p.state))), tuple(missing))


def failed_exit_code(failure: Failure) -> int:
    """The exit code where comparing itself failed: 3 when AWS could not be asked, 1 for an error to be mended here."""
    return 3 if failure.kind in _UNCHECKED else 1


def _state(check: Check, real_aws: bool) -> State | None:
    """What a check means for the whole; None where it is well, or only advice that no step can follow.

    AWS offers everything: what is not offered there was answered by something else, and proves nothing.
    """
    if check.level == "unchecked" or (real_aws and check.level == "not_offered"):
        return "could not be checked"
    if check.level == "building":
        return "changes pending"
    if check.level == "blocked" or (check.step and check.step.action == "variable"):
        return "broken"
    if check.level == "missing":
        return "changes pending" if check.step else "broken"
    return "changes pending" if check.step else None
