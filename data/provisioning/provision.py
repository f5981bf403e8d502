"""Brings the tables into the declared state: plan, look, apply, verify, restore. `python -m bandup setup --help`.

Nothing is ever deleted or replaced, and every step may be repeated: it looks first whether it is still needed.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from data.dynamodb import changes
from data.dynamodb.errors import Failure
from data.dynamodb.store import Cost, Item, Store
from data.provisioning.account import Actual, look_up
from data.provisioning.drift import Check, Step, Target, checks, steps
from data.provisioning.lambdas import Clients, proofs, set_variable, update_status
from data.schema import PITR_DAYS, TABLES, Index, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

State: TypeAlias = Literal["running", "waiting", "done", "already", "not_offered", "failed", "skipped"]

T = TypeVar("T")

_LOOK_ITEMS = 1_000
_LOOK_PAGE = 250
_EXAMPLES = 3
_SENT = 5  # times that one change is asked for, where AWS accepts it and then shows nothing of it
# How often a step is tried again after a failure of each kind; after any other kind it is not. Rejected is also what
# comes too late: somebody else has just added that index.
_RETRIES = {"throttled": 8, "service": 8, "busy": 20, "limit": 4, "too_slow": 2, "unreachable": 2, "rejected": 1}


@dataclass(frozen=True, slots=True)
class Plan:
    """What was compared and what would be done. Two plans of the same steps are the same plan."""

    checks: tuple[Check, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, required ones and recommended ones."""
        return steps(self.checks)

    @property
    def blocked(self) -> tuple[Check, ...]:
        """What cannot be mended from here."""
        return tuple(check for check in self.checks if check.level == "blocked")


@dataclass(frozen=True, slots=True)
class Look:
    """What a sample of a table says about an index to be added: per key attribute, how many records lack it or hold
    another type, with up to three of their keys as examples."""

    target: Target
    index: str
    sampled: int
    whole: bool
    cost: Cost
    missing: Mapping[str, int]
    wrong: Mapping[str, int]
    examples: tuple[str, ...]

    @property
    def warns(self) -> bool:
        """Whether some record would be invisible in the index, or its like be refused once there is one."""
        return bool(self.missing or self.wrong)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a step."""

    step: Step
    state: State
    message: str


@dataclass(slots=True)
class Clock:
    """How long to wait; tests give one that does not."""

    sleep: Callable[[float], None] = time.sleep
    poll_seconds: float = 2.0
    patience_seconds: float = 900.0
    _waited: float = field(default=0.0)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait once more; False once patience is over."""
        span = self.poll_seconds if seconds is None else seconds
        if self._waited + span > self.patience_seconds:
            return False
        self.sleep(span)
        self._waited += span
        return True

    def fresh(self) -> "Clock":
        """The same patience, anew."""
        return Clock(self.sleep, self.poll_seconds, self.patience_seconds)


def targets(store: Store) -> tuple[Target, ...]:
    """Both tables by their names in this account."""
    return tuple(Target(table, store.settings.name(table)) for table in TABLES)


def plan(store: Store, wanted: Sequence[Target] | None = None) -> Plan:
    """Compare what is declared with what the account has. Failure when AWS does not say. Reads no records."""
    found: list[Check] = []
    for target in wanted or targets(store):
        found += checks(target, look_up(store, target.name))
    return Plan(tuple(found))


def look(store: Store, step: Step, limit: int = _LOOK_ITEMS) -> Look:
    """Sample up to `limit` records for what an index step would hide or cause to be refused.

    Records without a key attribute are not in the index. Once the index exists, DynamoDB refuses writes in which a key
    attribute is of another type.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html
    """
    target, index = step.target, step.target.table.index(step.detail)
    keys = (index.partition_key, index.sort_key)
    wanted = list(dict.fromkeys([*target.table.key_names, *keys]))
    names = {f"#a{n}": name for n, name in enumerate(wanted)}
    request: dict[str, Any] = {
        "TableName": target.name,
        "ProjectionExpression": ",".join(names),
        "ExpressionAttributeNames": names,
        "ReturnConsumedCapacity": "TOTAL",
    }
    items: list[Item] = []
    requests, units = 0, 0.0
    whole = False
    while len(items) < limit and not whole:
        request["Limit"] = min(_LOOK_PAGE, limit - len(items))
        answer = store.call("Scan", target.name, None, store.client.scan, **request)
        requests += 1
        units += float(answer.get("ConsumedCapacity", {}).get("CapacityUnits") or 0)
        items += answer["Items"]
        whole = "LastEvaluatedKey" not in answer
        request["ExclusiveStartKey"] = answer.get("LastEvaluatedKey")
    return _judge(target, index, items, whole, Cost(requests, units if store.settings.metered else None))


def _judge(target: Target, index: Index, items: Sequence[Item], whole: bool, cost: Cost) -> Look:
    missing: dict[str, int] = {}
    wrong: dict[str, int] = {}
    examples: list[str] = []
    for item in items:
        odd = []
        for key in (index.partition_key, index.sort_key):
            if key not in item:
                missing[key] = missing.get(key, 0) + 1
                odd.append(f"no {key}")
            elif target.table.types[key] not in item[key]:
                wrong[key] = wrong.get(key, 0) + 1
                odd.append(f"{key} is of type {next(iter(item[key]))}")
        if odd and len(examples) < _EXAMPLES:
            ids = " / ".join(item[name].get("S", "?") for name in target.table.key_names)
            examples.append(f"{ids}: {', '.join(odd)}")
    return Look(target, index.name, len(items), whole, cost, missing, wrong, tuple(examples))


def apply(
    store: Store, shown: Sequence[Step], *, who: str, clock: Clock | None = None, clients: Clients | None = None
) -> Iterator[Event]:
    """Carry out exactly the steps that were shown; events come as things happen.

    Failure of kind read_only where changes are not allowed, changed (before anything is done) where the account no
    longer needs one of the steps or cannot take it any more. A step that fails does not stop those that do not need it.
    `clients` are for steps that set a Lambda's variable. `who` is for the log; empty logs nothing (the demo's own).
    """
    changes.require_allowed(store.settings)
    _same_or_changed(store, shown, clients)
    lost: set[str] = set()
    for step in shown:
        if step.target.name in lost:
            yield Event(step, "skipped", "not tried, because the table could not be created")
            continue
        result = Event(step, "running", step.what)
        yield result
        patience = (clock or Clock()).fresh()
        for result in (
            _wire(clients, step, patience) if step.action == "variable" else _carry_out(store, step, patience)
        ):
            yield result
        if who:
            changes.record(who, step.what, f"{result.state}: {result.message}")
        if step.action == "create" and result.state == "failed":
            lost.add(step.target.name)
    store.forget()


def _same_or_changed(store: Store, shown: Sequence[Step], clients: Clients | None) -> None:
    wanted = tuple(dict.fromkeys(step.target for step in shown if step.action != "variable"))
    found = list(plan(store, wanted).checks) if wanted else []
    if clients and any(step.action == "variable" for step in shown):
        found += [link for proof in proofs(store, clients, ()) for link in proof.links if link.subject != "Role"]
    still = set(steps(found))
    gone = [step for step in shown if step not in still]
    if not gone:
        return
    # No step may be gone only because it could not be asked whether it is needed.
    unsure = {
        check.fact for check in found if check.level == "unchecked" and check.target in {step.target for step in gone}
    }
    what = "; ".join(step.what for step in gone)
    raise Failure(
        "changed",
        f"Whether this is still to be done {' '.join(sorted(unsure))} It is about: {what}."
        if unsure
        else f"The account has changed since this plan was made: {what}.",
        "Nothing was done. Look at the new plan, then apply that.",
    )


def _carry_out(store: Store, step: Step, clock: Clock) -> Iterator[Event]:
    """Ask for a step and follow it until it has come about, whoever asked, or cannot."""
    sent = failures = 0
    while True:
        seconds = None
        try:
            actual = look_up(store, step.target.name)
            if not _needed(step, actual):
                if actual is None or actual.settled or step.action in ("tags", "pitr", "protect"):
                    yield Event(step, "done" if sent else "already", _fact(step, actual))
                    return
                message = _progress(actual)
            elif actual is None or actual.settled:
                if sent == _SENT:
                    yield Event(step, "failed", "It was asked for, but does not come about. Verify, and plan again.")
                    return
                _send(store, step, actual)
                sent += 1
                if sent == 1:
                    continue
                message = "asked for again"
            else:
                message = _progress(actual)
        except Failure as failure:
            if failure.kind == "not_offered":
                yield Event(step, "not_offered", "not offered by this endpoint")
                return
            failures += 1
            if failures > _RETRIES.get(failure.kind, 0):
                yield Event(step, "failed", str(failure))
                return
            # Somebody else may be doing the same, or AWS may want us slower: look again after a while.
            message, seconds = failure.what, _pause(failures)
        yield Event(step, "waiting", message)
        if not clock.wait(seconds):
            yield Event(step, "waiting", "still going on in AWS; verify again later")
            return


def _wire(clients: Clients | None, step: Step, clock: Clock) -> Iterator[Event]:
    """Set a Lambda's variable and follow its update."""
    if clients is None:
        yield Event(step, "not_offered", "not offered by this endpoint")
        return
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
                    yield Event(step, "waiting", "still going on in AWS; verify again later")
                    return
            yield Event(step, "failed" if status == "Failed" else "done", f"last update {status.lower()}")
        except Failure as failure:
            failures += 1
            if failures > _RETRIES.get(failure.kind, 0) or not clock.wait(_pause(failures)):
                yield Event(step, "failed", str(failure))
                return
            yield Event(step, "waiting", failure.what)
        else:
            return


def _pause(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(10.0, 0.5 * 2.0**failures)


def _needed(step: Step, actual: Actual | None) -> bool:
    """Whether the step is still to be done; Failure where that cannot be asked."""
    if actual is None:
        return True
    if step.action == "tags":
        held = _told(actual.tags)
        return any(held.get(key) != step.target.table.tags[key] for key in step.detail.split(","))
    if step.action == "pitr":
        return not _told(actual.pitr).enabled
    if step.action == "billing":
        return actual.billing != step.target.table.billing_mode
    if step.action == "index":
        return step.detail not in actual.indexes
    return step.action == "protect" and not actual.protected


def _told(answer: T | Failure) -> T:
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
        raise Failure("missing", f"There is no table {name} any more.", "Plan again.")
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
    building = [f"{name} {index.status}{', being filled' if index.backfilling else ''}" for name, index in
                actual.indexes.items() if index.status != "ACTIVE"]  # fmt: skip
    return "; ".join([f"table {actual.status}", *building])


def _fact(step: Step, actual: Actual | None) -> str:
    if step.action == "index" and actual is not None and step.detail in actual.indexes:
        return f"{step.detail} is {actual.indexes[step.detail].status}"
    return "as declared"


def restore(store: Store, source: str, target: str, at: datetime | None, *, who: str) -> None:
    """Restore `source` as it was `at` (None: the latest possible) to a NEW table `target`. It goes on in AWS.

    A restore brings along neither tags, PITR, deletion protection nor alarms: plan for `target` afterwards.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    changes.require_allowed(store.settings)
    if look_up(store, target) is not None:
        raise Failure("rejected", f"There is a table {target} already.", "Choose a name that is not taken.")
    what = f"restore {source} as of {at or 'the latest time'} to {target}"
    when: dict[str, Any] = {"UseLatestRestorableTime": True} if at is None else {"RestoreDateTime": at}
    try:
        store.call(
            "RestoreTableToPointInTime",
            source,
            None,
            store.client.restore_table_to_point_in_time,
            SourceTableName=source,
            TargetTableName=target,
            **when,
        )
    except Failure as failure:
        changes.record(who, what, f"failed: {failure}")
        raise
    changes.record(who, what, "started")


def create_request(table: Table, name: str) -> dict[str, Any]:
    """The CreateTable request for `table` under `name`, with its indexes.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
    """
    keys = {*table.key_names, *(key for index in table.indexes for key in (index.partition_key, index.sort_key))}
    return {
        "TableName": name,
        "AttributeDefinitions": _definitions({a.name: a.type for a in table.attributes if a.name in keys}),
        "KeySchema": _key_schema(*table.key_names),
        "GlobalSecondaryIndexes": [index_request(index) for index in table.indexes],
        "BillingMode": table.billing_mode,
        "Tags": [{"Key": key, "Value": value} for key, value in table.tags.items()],
    }


def index_request(index: Index) -> dict[str, Any]:
    """One global secondary index as CreateTable and UpdateTable take it."""
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.partition_key, index.sort_key),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.attributes)},
    }


def index_update(table: Table, index: Index, name: str, types: Mapping[str, str]) -> dict[str, Any]:
    """The UpdateTable request that adds `index`; `types` are the key attributes that the table already declares."""
    wanted = {key: table.types[key] for key in (index.partition_key, index.sort_key)}
    return {
        "TableName": name,
        "AttributeDefinitions": _definitions({**types, **wanted}),
        "GlobalSecondaryIndexUpdates": [{"Create": index_request(index)}],
    }


def pitr_request(name: str) -> dict[str, Any]:
    """The UpdateContinuousBackups request that turns PITR on."""
    specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": PITR_DAYS}
    return {"TableName": name, "PointInTimeRecoverySpecification": specification}


def create(client: "DynamoDBClient", table: Table, name: str) -> None:
    """Create the table at once and wait until it can be used: for the demo and for tests."""
    client.create_table(**create_request(table, name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def _definitions(types: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _key_schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
