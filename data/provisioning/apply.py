"""Carries out the steps of a plan, each until it has come about: `python -m bandup setup --apply`, and Setup's button.

Nothing is ever deleted or replaced, and every step may be repeated: it looks first whether it is still needed.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from data.dynamodb.client import Store, log_change
from data.dynamodb.errors import Failure
from data.provisioning.account import Actual, look_up
from data.provisioning.alarms import set_alarms
from data.provisioning.clients import Clients
from data.provisioning.drift import Step, steps, tags_step
from data.provisioning.lambdas import PUBLISHED, proofs, set_variable, update_status
from data.provisioning.plan import plan
from data.provisioning.requests import create_request, index_update, pitr_request
from data.schema import PITR_DAYS

State: TypeAlias = Literal["running", "waiting", "unfinished", "done", "already", "not_offered", "failed", "skipped"]

T = TypeVar("T")

_SENT = 5  # times that one change is asked for, where AWS accepts it and then shows nothing of it
# How often a step is tried again after a failure of each kind; after any other kind it is not. Rejected is also what
# comes too late: somebody else has just added that index.
_RETRIES = {"throttled": 8, "service": 8, "busy": 20, "limit": 4, "too_slow": 2, "unreachable": 2, "rejected": 1}
_BY_CLIENTS = ("variable", "alarms")
_NOT_COME_ABOUT = "It was asked for, but does not come about. Check again, and plan anew."
_STILL_GOING_ON = "still going on in AWS; check again later"
_NOT_ASKED_FOR = "not asked for yet: what is under way in AWS was not over in time. Apply again later."


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a step. Its last state is neither running nor waiting; unfinished is longer than we wait."""

    step: Step
    state: State
    message: str | Failure


@dataclass(slots=True)
class Clock:
    """How long to wait; tests give one that does not."""

    sleep: Callable[[float], None] = time.sleep
    poll_seconds: float = 2.0
    patience_seconds: float = 900.0
    _waited: float = field(default=0.0, init=False)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait once more; False once patience is over."""
        span = self.poll_seconds if seconds is None else seconds
        if self._waited + span > self.patience_seconds:
            return False
        self.sleep(span)
        self._waited += span
        return True


def apply(
    store: Store,
    accepted: Sequence[Step],
    *,
    who: str,
    clock: Clock | None = None,
    clients: Clients | Failure | None = None,
) -> Generator[Event, None, None]:
    """Carry out exactly the steps that were shown and accepted; events come as things happen.

    Failure of kind read_only where changes are not allowed, changed (before anything is done) where the account no
    longer needs one of the steps or cannot take it any more. A step that fails does not stop those that do not need it.
    `clients` are for steps that set a Lambda's variable or alarms. `who` is for the log; empty logs nothing (the demo's
    own).
    """
    store.require_changes_allowed()
    _require_unchanged(store, accepted, clients)
    lost: set[str] = set()
    for step in accepted:
        if step.target.name in lost:
            yield Event(step, "skipped", "not tried, because the table could not be created")
            continue
        event = Event(step, "running", step.what)
        yield event
        if who:
            log_change(who, step.what, "begun")  # what ends this program may not let it say more
        patience = replace(clock or Clock())  # with none of it used up
        if step.action == "variable" and isinstance(clients, Clients):
            events = _wire(clients, step, patience)
        elif step.action == "alarms" and isinstance(clients, Clients):
            events = _watch(store, clients, step, patience)
        else:
            events = _carry_out(store, step, patience)
        try:
            for event in events:
                yield event
        finally:  # also where nobody follows it any further
            if who:
                left = "left " if event.state in ("running", "waiting") else ""
                log_change(who, step.what, f"{left}{event.state}: {event.message}")
        if step.action == "create" and event.state == "failed":
            lost.add(step.target.name)
    store.forget()


def _require_unchanged(store: Store, accepted: Sequence[Step], clients: Clients | Failure | None) -> None:
    """Failure unless the account still needs every step."""
    tables = tuple(dict.fromkeys(step.target for step in accepted if step.action not in _BY_CLIENTS))
    checklist = list(plan(store, tables).checks) if tables else []
    if isinstance(clients, Clients):
        if any(step.action == "alarms" for step in accepted):
            checklist += [check for _, check in plan(store, clients=clients).lines if check.subject != "Role"]
        elif any(step.action == "variable" for step in accepted):
            checklist += [link for proof in proofs(store, clients) for link in proof.links if link.subject != "Role"]
    needed = set(steps(checklist))
    gone = [step for step in accepted if step not in needed]
    if not gone:
        return
    # No step may be gone only because it could not be asked whether it is needed.
    reasons: dict[str | Failure, None] = {}
    if isinstance(clients, Failure) and any(step.action in _BY_CLIENTS for step in gone):
        reasons[clients] = None
    targets = {step.target for step in gone if step.action != "alarms"}
    alarms = any(step.action == "alarms" for step in gone)
    reasons |= dict.fromkeys(
        c.fact
        for c in checklist
        if c.level == "unchecked" and (alarms if c.subject == "Alarms" else c.target in targets)
    )
    raise Failure(
        "changed",
        case="plan_unchecked" if reasons else "plan_changed",
        detail="; ".join(step.what for step in gone),
        reasons=tuple(reasons),
    )


def _carry_out(store: Store, step: Step, clock: Clock) -> Iterator[Event]:
    """Ask for a step and follow it until it has come about, whoever asked, or cannot."""

    def attempt(sent: int) -> Event | None:
        actual = look_up(store, step.target.name)
        if step.action == "create" and actual is not None and not _has_keys(step, actual):
            raise Failure("changed", case="table_other", resource=step.target.name)
        if not _needed(step, actual):
            if actual is None or actual.settled or step.action in ("tags", "pitr", "protect"):
                return Event(step, "done" if sent else "already", _fact(step, actual))
        elif actual is None or actual.settled:
            if sent == _SENT:
                return Event(step, "failed", _NOT_COME_ABOUT)
            if step.action == "tags" and not sent and actual is not None:
                now = tags_step(step.target, _answered(actual.tags))
                if now is None or now.what != step.what:  # somebody has set one meanwhile: that is not overwritten
                    raise Failure("changed", case="plan_changed", detail=step.what)
            _send(store, step, actual)
            return None
        return Event(step, "waiting", _progress(actual))

    def where_offered(sent: int) -> Event | None:
        try:
            return attempt(sent)
        except Failure as failure:
            if failure.kind == "not_offered":
                return Event(step, "not_offered", "not offered by this endpoint")
            raise

    return _persist(step, where_offered, clock)


def _watch(store: Store, clients: Clients, step: Step, clock: Clock) -> Iterator[Event]:
    """Set alarms, and look that they are as declared."""

    def attempt(sent: int) -> Event | None:
        if not set_alarms(clients, store.settings, step):
            return Event(step, "done" if sent else "already", "as declared")
        return Event(step, "failed", _NOT_COME_ABOUT) if sent == _SENT else None

    return _persist(step, attempt, clock)


def _persist(step: Step, attempt: Callable[[int], Event | None], clock: Clock) -> Iterator[Event]:
    """Try a step until it has come about or cannot.

    `attempt` gets how often the step was asked for. It answers None where it has asked for it now, an event of state
    waiting where it is on its way, else the last event.
    """
    sent = failures = 0
    while True:
        seconds = None
        try:
            event = attempt(sent)
            if event is None:
                sent += 1
                if sent == 1:
                    continue
                event = Event(step, "waiting", "asked for again")
            elif event.state != "waiting":
                yield event
                return
        except Failure as failure:
            failures += 1
            sent = max(sent, int(_may_be_made(failure)))
            if failure.case == "billing" or failures > _RETRIES.get(failure.kind, 0):
                yield Event(step, "failed", failure.to_keep())
                return
            # Somebody else may be doing the same, or AWS may want us slower: look again after a while.
            event, seconds = Event(step, "waiting", failure.to_keep()), _pause(failures)
        yield event
        if not clock.wait(seconds):
            yield Event(step, "unfinished", _STILL_GOING_ON if sent else _NOT_ASKED_FOR)
            return


def _may_be_made(failure: Failure) -> bool:
    """Whether it is the answer to a change that is lost, and not the change itself."""
    return failure.in_doubt and not failure.operation.startswith(("Describe", "Get", "List"))


def _wire(clients: Clients, step: Step, clock: Clock) -> Iterator[Event]:
    """Set a Lambda's variable and follow its update."""
    failures = 0
    sent = False
    while True:
        try:
            sent = set_variable(clients, step) or sent
            if not sent:
                yield Event(step, "already", "as declared")
                return
            for status in update_status(clients, step):
                if status != "InProgress":
                    break
                yield Event(step, "waiting", "Lambda is updating the function")
                if not clock.wait():
                    yield Event(step, "unfinished", _STILL_GOING_ON)
                    return
            if status == "Failed":
                yield Event(step, "failed", "last update failed")
            else:
                yield Event(step, "done", f"last update {status.lower()}. {PUBLISHED}")
        except Failure as failure:
            failures += 1
            sent = sent or _may_be_made(failure)
            if failures > _RETRIES.get(failure.kind, 0) or not clock.wait(_pause(failures)):
                yield Event(step, "failed", failure.to_keep())
                return
            yield Event(step, "waiting", failure.to_keep())
        else:
            return


def _pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(10.0, 0.5 * 2.0**failures)


def _has_keys(step: Step, actual: Actual) -> bool:
    return actual.keys == tuple((name, "S") for name in step.target.table.key_names)


def _needed(step: Step, actual: Actual | None) -> bool:
    """Whether the step is still to be done; Failure where that cannot be asked."""
    if actual is None:
        return True
    if step.action == "tags":
        tags = _answered(actual.tags)
        return any(tags.get(key) != step.target.table.tags[key] for key in step.detail.split(","))
    if step.action == "pitr":
        pitr = _answered(actual.pitr)
        return not pitr.enabled or (pitr.days or PITR_DAYS) < PITR_DAYS
    if step.action == "billing":
        return actual.billing != step.target.table.billing_mode
    if step.action == "index":
        return step.detail not in actual.indexes
    return step.action == "protect" and not actual.protected


def _answered(answer: T | Failure) -> T:
    if isinstance(answer, Failure):
        raise answer
    return answer


def _send(store: Store, step: Step, actual: Actual | None) -> None:
    """The one request that makes the change."""
    client, name, table = store.client, step.target.name, step.target.table
    if step.action == "create":
        store.call("CreateTable", name, None, client.create_table, **create_request(table, name))
        return
    if actual is None:
        raise Failure("missing", case="table_gone", resource=name)
    if step.action == "billing":
        store.call("UpdateTable", name, None, client.update_table, TableName=name, BillingMode=table.billing_mode)
    elif step.action == "protect":
        store.call("UpdateTable", name, None, client.update_table, TableName=name, DeletionProtectionEnabled=True)
    elif step.action == "index":
        request = index_update(table, table.index(step.detail), name, actual.types)
        store.call("UpdateTable", name, None, client.update_table, **request)
    elif step.action == "tags":
        tags = [{"Key": key, "Value": table.tags[key]} for key in step.detail.split(",")]
        store.call("TagResource", name, None, client.tag_resource, ResourceArn=actual.arn, Tags=tags)
    elif step.action == "pitr":
        store.call("UpdateContinuousBackups", name, None, client.update_continuous_backups, **pitr_request(name))


def _progress(actual: Actual) -> str:
    building = [
        f"{name} {index.status}{', being filled' if index.backfilling else ''}"
        for name, index in actual.indexes.items()
        if index.status != "ACTIVE"
    ]
    return "; ".join([f"table {actual.status}", *building])


def _fact(step: Step, actual: Actual | None) -> str:
    if step.action == "index" and actual is not None and step.detail in actual.indexes:
        return f"{step.detail} is {actual.indexes[step.detail].status}"
    return "as declared"
