"""Compares what is declared with what the account has: a checklist, and the steps that would make them agree.

Only what data/schema.py declares is compared: what AWS or others have added is no drift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from data.dynamodb.errors import Failure
from data.provisioning.account import Actual, Keys, Pitr
from data.schema import PITR_DAYS, Index, Table

Level: TypeAlias = Literal["ok", "recommended", "unchecked", "not_offered", "building", "missing", "blocked"]
Action: TypeAlias = Literal["create", "billing", "tags", "pitr", "index", "protect", "variable"]

_TYPES = {"S": "String", "N": "Number", "B": "Binary"}


@dataclass(frozen=True, slots=True)
class Target:
    """A declared table and the name that it has, or is to have, in the account."""

    table: Table
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change. `detail` is what the action needs: an index's name, tag keys, a function's name."""

    action: Action
    target: Target
    detail: str
    what: str
    required: bool
    cost: str
    undo: str

    @property
    def why(self) -> str:
        """Who asks for it."""
        return "required by the specification" if self.required else "recommended"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist: what was looked at, how it stands, the fact behind it, and the step that mends it."""

    target: Target
    subject: str
    level: Level
    fact: str
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
    return (
        *first,
        _billing(target, actual),
        _tags(target, actual),
        _pitr(target, actual),
        *(_index(target, index, actual) for index in target.table.indexes),
        _protection(target, actual),
    )


def steps(found: Sequence[Check]) -> tuple[Step, ...]:
    """The steps of a checklist, in an order that works."""
    return tuple(check.step for check in found if check.step)


def create_step(target: Target) -> Step:
    """Create the table, whole: keys, billing, tags and both indexes at once, while there is nothing to copy."""
    table = target.table
    indexes = " and ".join(index.name for index in table.indexes)
    tags = ", ".join(f"{key}={value}" for key, value in table.tags.items())
    keys = f"{table.partition_key} (String), {table.sort_key} (String)"
    return Step(
        "create",
        target,
        "",
        f"Create the table {target.name}: keys {keys}, on-demand, tags {tags}, with the indexes {indexes}",
        True,
        "Nothing while it is empty; then per request and per GB stored. Each index adds a write to every write.",
        "Yes, by deleting the table (not from here)",
    )


def pitr_step(target: Target) -> Step:
    """Turn on point-in-time recovery."""
    return Step(
        "pitr",
        target,
        "",
        f"Turn on point-in-time recovery of {target.name}, {PITR_DAYS} days back",
        True,
        "Per GB and month (US$ 0.20 in us-east-1)",
        "Yes, but turning it off loses the history",
    )


def index_step(target: Target, index: Index) -> Step:
    """Add an index to a table that exists."""
    return Step(
        "index",
        target,
        index.name,
        f"Add the index {index.name} to {target.name}",
        False,
        "Once a write for each record; then one more for every write, and storage",
        "Yes, by deleting the index (not from here)",
    )


def protect_step(target: Target) -> Step:
    """Turn on deletion protection."""
    return Step(
        "protect",
        target,
        "",
        f"Protect {target.name} against deletion",
        False,
        "None",
        "Yes, it can be turned off again",
    )


def _checks_of_nothing(target: Target) -> tuple[Check, ...]:
    after = "comes with the table"
    table = target.table
    return (
        Check(target, "Table", "missing", f"There is no table {target.name}", create_step(target)),
        Check(target, "Partition key", "missing", after),
        Check(target, "Sort key", "missing", after),
        Check(target, "Billing mode", "missing", after),
        Check(target, "Tags", "missing", after),
        Check(target, "Point-in-time recovery", "missing", "off", pitr_step(target)),
        *(Check(target, f"Index {index.name}", "recommended", after) for index in table.indexes),
        Check(target, "Deletion protection", "recommended", "off", protect_step(target)),
    )


def _identity(target: Target, actual: Actual) -> tuple[Check, ...]:
    usable = actual.status in ("ACTIVE", "UPDATING", "CREATING")
    found = [
        Check(
            target,
            "Table",
            ("ok" if actual.status != "CREATING" else "building") if usable else "blocked",
            f"{actual.status}, about {actual.items:,} records"
            if usable
            else f"The table is {actual.status}: wait, or see the AWS console",
        )
    ]
    for position, (subject, name) in enumerate(
        (("Partition key", target.table.partition_key), ("Sort key", target.table.sort_key))
    ):
        kind = target.table.types[name]
        held = actual.keys[position] if position < len(actual.keys) else None
        if held == (name, kind):
            found.append(Check(target, subject, "ok", f"{name} ({_TYPES[kind]})"))
        else:
            has = f"{held[0]} ({_TYPES.get(held[1], held[1])})" if held else "none"
            found.append(
                Check(
                    target,
                    subject,
                    "blocked",
                    f"It is {has}, not {name} ({_TYPES[kind]}). Keys cannot be changed: this is something else's, "
                    f"or was made wrong. Give another name in {target.table.variable}, and copy the records yourself.",
                )
            )
    return tuple(found)


def _billing(target: Target, actual: Actual) -> Check:
    wanted = target.table.billing_mode
    if actual.billing == wanted:
        return Check(target, "Billing mode", "ok", "On demand (PAY_PER_REQUEST)")
    step = Step(
        "billing",
        target,
        wanted,
        f"Switch {target.name} to on-demand billing",
        True,
        "Per request instead of per hour; cheaper at low use, dearer at steady high use",
        "Yes, a day later at the earliest",
    )
    return Check(target, "Billing mode", "missing", f"{actual.billing}, not on demand", step)


def _tags(target: Target, actual: Actual) -> Check:
    if isinstance(actual.tags, Failure):
        return _unknown(target, "Tags", actual.tags)
    wanted = target.table.tags
    wrong = {key: value for key, value in wanted.items() if actual.tags.get(key) != value}
    if not wrong:
        return Check(target, "Tags", "ok", ", ".join(f"{key}={value}" for key, value in wanted.items()))
    shown = ", ".join(f"{key}={value}" for key, value in wrong.items())
    what = f"Tag {target.name} with {shown} (others stay)"
    step = Step(
        "tags",
        target,
        ",".join(wrong),
        what,
        True,
        "None",
        "Yes, by untagging",
    )
    has = ", ".join(f"{key} is {actual.tags[key]}" if key in actual.tags else f"{key} is missing" for key in wrong)
    return Check(target, "Tags", "missing", has, step)


def _pitr(target: Target, actual: Actual) -> Check:
    subject = "Point-in-time recovery"
    if isinstance(actual.pitr, Failure):
        return _unknown(target, subject, actual.pitr)
    if not actual.pitr.enabled:
        return Check(target, subject, "missing", "off", pitr_step(target))
    days = f"{actual.pitr.days} days" if actual.pitr.days else "period not told"
    return Check(target, subject, "ok", f"on, {days}", pitr=actual.pitr)


def _index(target: Target, index: Index, actual: Actual) -> Check:
    subject = f"Index {index.name}"
    types = target.table.types
    wanted: Keys = tuple((key, types[key]) for key in (index.partition_key, index.sort_key))
    held = actual.indexes.get(index.name)
    if held is None:
        clash = [key for key, kind in wanted if actual.types.get(key, kind) != kind]
        if clash:
            fact = f"{clash[0]} is declared as another type by another key of this table: remove that one first."
            return Check(target, subject, "blocked", fact)
        return Check(target, subject, "recommended", "missing: lists need scans", index_step(target, index))
    if held.keys != wanted:
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
    carries = "all attributes: lists cost more than they need" if held.attributes is None else "the summary"
    return Check(target, subject, "ok", f"{index.partition_key}, {index.sort_key}; carries {carries}")


def _protection(target: Target, actual: Actual) -> Check:
    if actual.protected:
        return Check(target, "Deletion protection", "ok", "on")
    return Check(target, "Deletion protection", "recommended", "off", protect_step(target))


def _unknown(target: Target, subject: str, failure: Failure) -> Check:
    if failure.kind == "not_offered":
        return Check(target, subject, "not_offered", "not offered by this endpoint")
    return Check(target, subject, "unchecked", f"could not be checked. {failure}")
