"""Compares what is declared with what the account has: a checklist, and the steps that would make them agree.

Only what data/schema.py declares is compared: what AWS or others have added is no drift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Literal, TypeAlias

from data.dynamodb.errors import Failure
from data.provisioning.account import Actual, Keys, Pitr
from data.schema import BY_STATUS, PARTITION_WRITE_UNITS, PITR_DAYS, Index, Table

Level: TypeAlias = Literal["ok", "recommended", "unchecked", "not_offered", "building", "missing", "blocked"]
Action: TypeAlias = Literal["create", "billing", "tags", "pitr", "index", "protect", "variable", "alarms"]

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
STACK_TAG = "aws:cloudformation:stack-name"

_TYPES = {"S": "String", "N": "Number", "B": "Binary"}


@dataclass(frozen=True, slots=True)
class Target:
    """A declared table and the name that it has, or is to have, in the account."""

    table: Table
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change. `detail` is what the action needs: an index's name, tag keys, a function's name.

    `stack` is the CloudFormation stack that owns what is changed, empty where none is known.
    """

    action: Action
    target: Target
    detail: str
    what: str
    required: bool
    cost: str
    undo: str
    stack: str = ""

    @property
    def warning(self) -> str:
        """What a stack does to the change; empty where no stack owns it."""
        if not self.stack:
            return ""
        return (
            f"The CloudFormation stack {self.stack} owns it: make this change in that stack's template, or its next "
            "deployment may set it back."
        )

    @property
    def why(self) -> str:
        """Who asks for it."""
        return "required by the specification" if self.required else "recommended"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist: what was looked at, how it stands, the fact behind it, and the step that mends it.

    The fact is a Failure where that kept us from knowing it.
    """

    target: Target
    subject: str
    level: Level
    fact: str | Failure
    step: Step | None = None
    pitr: Pitr | None = None


def checks(target: Target, actual: Actual | None) -> tuple[Check, ...]:
    """The checklist of one table."""
    if actual is None:
        return _checks_of_nothing(target)
    first = _identity(target, actual)
    if any(check.level == "blocked" for check in first):
        # Another's table: nothing else of it is our business.
        return first
    rest = (
        _billing(target, actual),
        _tags(target, actual),
        _pitr(target, actual),
        *(_index(target, index, actual) for index in target.table.indexes),
        _protection(target, actual),
    )
    stack = "" if isinstance(actual.tags, Failure) else actual.tags.get(STACK_TAG, "")
    return (*first, *(_owned(check, stack) for check in rest))


def _owned(check: Check, stack: str) -> Check:
    return replace(check, step=replace(check.step, stack=stack)) if check.step and stack else check


def steps(checklist: Sequence[Check]) -> tuple[Step, ...]:
    """The steps of a checklist, in an order that works."""
    return tuple(check.step for check in checklist if check.step)


def _create_step(target: Target) -> Step:
    """Create the table, whole: keys, billing, tags and both indexes at once, while there is nothing to copy."""
    table = target.table
    indexes = " and ".join(index.name for index in table.indexes)
    tags = ", ".join(f"{key}={value}" for key, value in table.tags.items())
    keys = f"{table.partition_key} (String), {table.sort_key} (String)"
    what = f"Create the table {target.name}: keys {keys}, on-demand, tags {tags}, with the indexes {indexes}"
    cost = (
        "Nothing while it is empty; then per request and per GB stored. Each index adds a write to every write, "
        "and the one by status two to every change of status."
    )
    return Step("create", target, "", what, True, cost, "Yes, by deleting the table (not from here)")


def _pitr_step(target: Target, days: int = 0) -> Step:
    what = f"Turn on point-in-time recovery of {target.name}, {PITR_DAYS} days back"
    if days:
        what = f"Keep point-in-time recovery of {target.name} for {PITR_DAYS} days instead of {days}"
    cost = "Per GB and month (US$ 0.20 in us-east-1)"
    return Step("pitr", target, "", what, True, cost, "Yes, but turning it off loses the history")


def index_step(target: Target, index: Index) -> Step:
    """Add an index to a table that exists."""
    what = f"Add the index {index.name} to {target.name}"
    cost = "Once a write for each record; then one more for every write, and storage"
    if index.name == BY_STATUS:
        # A changed key is a deletion and a put: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
        cost = (
            "Once a write for each record; then one more for every new record, two for every change of status, and "
            "storage"
        )
    return Step("index", target, index.name, what, False, cost, "Yes, by deleting the index (not from here)")


def _protect_step(target: Target) -> Step:
    what = f"Protect {target.name} against deletion"
    return Step("protect", target, "", what, False, "None", "Yes, it can be turned off again")


def _checks_of_nothing(target: Target) -> tuple[Check, ...]:
    after = "comes with the table"
    indexes = [Check(target, f"Index {index.name}", "recommended", after) for index in target.table.indexes]
    return (
        Check(target, "Table", "missing", f"There is no table {target.name}", _create_step(target)),
        *(Check(target, name, "missing", after) for name in ("Partition key", "Sort key", "Billing mode", "Tags")),
        Check(target, "Point-in-time recovery", "missing", "off", _pitr_step(target)),
        *indexes,
        Check(target, "Deletion protection", "recommended", "off", _protect_step(target)),
    )


def _identity(target: Target, actual: Actual) -> tuple[Check, ...]:
    level: Level = "blocked"
    fact = f"The table is {actual.status}: wait, or see the AWS console"
    if actual.status in ("ACTIVE", "UPDATING", "CREATING"):
        level = "building" if actual.status == "CREATING" else "ok"
        fact = f"{actual.status}, about {actual.items:,} records"
    keys = zip_longest(("Partition key", "Sort key"), target.table.key_names, actual.keys[:2])
    return (Check(target, "Table", level, fact), *(_key(target, *key) for key in keys))


def _key(target: Target, subject: str, name: str, held: tuple[str, str] | None) -> Check:
    kind = target.table.types[name]
    if held == (name, kind):
        return Check(target, subject, "ok", f"{name} ({_TYPES[kind]})")
    has = f"{held[0]} ({_TYPES.get(held[1], held[1])})" if held else "none"
    fact = (
        f"It is {has}, not {name} ({_TYPES[kind]}). Keys cannot be changed: this is something else's, or was made "
        f"wrong. Give another name in {target.table.variable}, and copy the records yourself."
    )
    return Check(target, subject, "blocked", fact)


def _billing(target: Target, actual: Actual) -> Check:
    if actual.billing == target.table.billing_mode:
        return Check(target, "Billing mode", "ok", "On demand (PAY_PER_REQUEST)")
    what = f"Switch {target.name} to on-demand billing"
    cost = "Per request instead of per hour; cheaper at low use, dearer at steady high use"
    step = Step(
        "billing",
        target,
        target.table.billing_mode,
        what,
        True,
        cost,
        "Yes, at any time; back to on-demand up to four times in 24 hours",
    )
    return Check(target, "Billing mode", "missing", f"{actual.billing}, not on demand", step)


def _tags(target: Target, actual: Actual) -> Check:
    if isinstance(actual.tags, Failure):
        return _unknown(target, "Tags", actual.tags)
    step = tags_step(target, actual.tags)
    if step is None:
        return Check(target, "Tags", "ok", ", ".join(f"{key}={value}" for key, value in target.table.tags.items()))
    has = (f"{key} is {actual.tags.get(key, 'missing')}" for key in step.detail.split(","))
    return Check(target, "Tags", "missing", ", ".join(has), step)


def tags_step(target: Target, tags: Mapping[str, str]) -> Step | None:
    """What sets the tags that are not as declared, and says which values it replaces; None where all are."""
    wrong = {key: value for key, value in target.table.tags.items() if tags.get(key) != value}
    if not wrong:
        return None
    parts = (f"{key}={value}{f' instead of {tags[key]}' if key in tags else ''}" for key, value in wrong.items())
    what = f"Tag {target.name} with {', '.join(parts)} (others stay)"
    undo = "Yes, by setting them back" if set(wrong) & set(tags) else "Yes, by untagging"
    return Step("tags", target, ",".join(wrong), what, True, "None", undo)


def _pitr(target: Target, actual: Actual) -> Check:
    subject = "Point-in-time recovery"
    if isinstance(actual.pitr, Failure):
        return _unknown(target, subject, actual.pitr)
    if not actual.pitr.enabled:
        return Check(target, subject, "missing", "off", _pitr_step(target))
    if actual.pitr.days and actual.pitr.days < PITR_DAYS:
        fact = f"on, but for {actual.pitr.days} of {PITR_DAYS} days"
        return Check(target, subject, "missing", fact, _pitr_step(target, actual.pitr.days), actual.pitr)
    days = f"{actual.pitr.days} days" if actual.pitr.days else "period not told"
    return Check(target, subject, "ok", f"on, {days}", pitr=actual.pitr)


def _index(target: Target, index: Index, actual: Actual) -> Check:
    subject = f"Index {index.name}"
    types = target.table.types
    declared: Keys = tuple((key, types[key]) for key in (index.partition_key, index.sort_key))
    held = actual.indexes.get(index.name)
    if held is None:
        clash = [key for key, kind in declared if actual.types.get(key, kind) != kind]
        if clash:
            fact = f"{clash[0]} is declared as another type by another key of this table: remove that one first."
            return Check(target, subject, "blocked", fact)
        return Check(target, subject, "recommended", "missing: lists need scans", index_step(target, index))
    if held.keys != declared:
        has = ", ".join(f"{name} ({_TYPES.get(kind, kind)})" for name, kind in held.keys)
        fact = (
            f"An index of this name has the keys {has}. If nothing uses it, delete it in the AWS console; plan again."
        )
        return Check(target, subject, "blocked", fact)
    if held.status != "ACTIVE":
        fact = f"{held.status}{', being filled' if held.backfilling else ''}"
        return Check(target, subject, "building", fact)
    lacking = set() if held.attributes is None else set(target.table.summary) - held.attributes
    if lacking:
        fact = f"works, but does not carry {', '.join(sorted(lacking))}: lists read these from the table, at a cost"
        return Check(target, subject, "recommended", fact)
    projected = (
        "all attributes: lists cost more than they need" if held.attributes is None else "the summary attributes"
    )
    limit = ""
    if index.name == BY_STATUS:
        limit = f"; records of one status share a partition, which takes {PARTITION_WRITE_UNITS:,} write units a second"
    return Check(target, subject, "ok", f"{index.partition_key}, {index.sort_key}; projects {projected}{limit}")


def _protection(target: Target, actual: Actual) -> Check:
    if actual.protected:
        return Check(target, "Deletion protection", "ok", "on")
    return Check(target, "Deletion protection", "recommended", "off", _protect_step(target))


def _unknown(target: Target, subject: str, failure: Failure) -> Check:
    if failure.kind == "not_offered":
        return Check(target, subject, "not_offered", "not offered by this endpoint")
    return Check(target, subject, "unchecked", failure.to_keep())
