"""A restore drill: the newest restorable state of a table restored to a copy and compared with it. Nothing is deleted.

https://docs.aws.amazon.com/wellarchitected/latest/reliability-pillar/rel_backing_up_data_periodic_recovery_testing_data.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from data.dynamodb import query
from data.dynamodb.client import Store, log_change
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Item
from data.provisioning.account import Actual, look_up
from data.provisioning.apply import Clock
from data.provisioning.drift import Target
from data.provisioning.restore import restore, restored_from
from data.records.parse import moment
from data.schema import COMPLETED, EVALUATIONS, FAILED

_SAMPLE = 100
_LONGEST_NAME = 255
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was compared, as it is in the table and in the copy."""

    subject: str
    source: str
    copy: str

    @property
    def is_same(self) -> bool:
        """Whether both have it alike."""
        return self.source == self.copy


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill came to. `at` is the time of which the copy is; None where AWS does not tell it."""

    target: Target
    copy: str
    at: datetime | None
    lines: tuple[Line, ...]
    cost: Cost

    @property
    def passed(self) -> bool:
        """Whether everything that was compared is alike."""
        return all(line.is_same for line in self.lines)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A copy that is there, but could not be compared."""

    copy: str
    why: Failure


@dataclass(slots=True)
class _Contents:
    """What a scan has seen: how many records, the newest one's time, and keys of a sample."""

    count: int = 0
    newest: int = 0
    keys: list[dict[str, str]] = field(default_factory=list)
    cost: Cost = field(default_factory=Cost)


def begin(store: Store, target: Target, *, who: str, now: datetime) -> str:
    """Start restoring `target` to its copy of today and return the copy's name; go on with one that is there already.

    The day is that of UTC. A copy of the day before that is younger than 24 hours is gone on with too: whoever is told
    to start again does so where the day has changed meanwhile. Failure where changes are not allowed, the restore is
    refused, or another table has the copy's name.
    """
    store.require_changes_allowed()
    copy = _copy(target, now)
    if look_up(store, copy) is None:
        earlier = _copy(target, now - _DAY)
        if _is_young(store, target, earlier, now):
            return earlier
        restore(store, target.name, copy, None, who=who)
    elif restored_from(store, copy)[0] != target.name:
        raise Failure("rejected", case="no_copy", resource=copy, detail=target.name)
    return copy


def _copy(target: Target, day: datetime) -> str:
    ending = f"-drill-{day.astimezone(UTC):%Y%m%d}"
    return target.name[: _LONGEST_NAME - len(ending)] + ending


def _is_young(store: Store, target: Target, copy: str, now: datetime) -> bool:
    """Whether the copy is there, was restored from this table, and less than 24 hours ago."""
    try:
        origin, at = restored_from(store, copy)
    except Failure as failure:
        # A policy that names the copy of today alone denies any other.
        if failure.kind in ("missing", "access_denied"):
            return False
        raise
    return origin == target.name and at is not None and now - at < _DAY


def is_restored(store: Store, copy: str, *, was_there: bool = False) -> bool | None:
    """Whether the copy is whole; None where it is not there yet. Failure where it `was_there` and is no more."""
    actual = look_up(store, copy)
    if actual is None:
        if was_there:
            raise Failure("missing", case="copy_gone", resource=copy)
        return None
    return actual.settled


def run(
    store: Store, target: Target, *, who: str, now: datetime, clock: Clock | None = None
) -> Iterator[Drill | Unfinished | str]:
    """Restore, wait and compare: what goes on, in words, and last the result. Failure where there is no copy."""
    copy = begin(store, target, who=who, now=now)
    waiting = replace(clock or Clock(poll_seconds=10, patience_seconds=6 * 3600))
    yield f"restoring {target.name} to {copy}"
    was_there = False
    while not (restored := is_restored(store, copy, was_there=was_there)):
        was_there = was_there or restored is not None
        if not waiting.wait():
            yield Unfinished(copy, Failure("busy", case="restoring", resource=copy))
            return
    yield f"comparing {copy} with {target.name}"
    try:
        result: Drill | Unfinished = compare(store, target, copy, who=who)
    except Failure as failure:
        result = Unfinished(copy, failure)
    yield result


def compare(store: Store, target: Target, copy: str, *, who: str, ask: Callable[[], object] = lambda: None) -> Drill:
    """Compare the copy with its table, as it was when the copy was taken, and log the result.

    Both are read whole. What was deleted since, or a finished record that was changed since, is a difference. `ask` is
    called with each page that is read, and may raise to end it.
    """
    tables = look_up(store, target.name), look_up(store, copy)
    if tables[0] is None or tables[1] is None:
        raise Failure("missing", resource=copy if tables[0] else target.name, operation="DescribeTable")
    _, at = restored_from(store, copy)
    names = (target.name, copy)
    ours, theirs = (_contents(store, target, name, at, ask) for name in names)
    lines = [
        *(Line(subject, *(_schema(table, subject) for table in tables if table)) for subject in ("Keys", "Indexes")),
        Line("Records", f"{ours.count:,}", f"{theirs.count:,}"),
        Line("Newest record", _time(ours.newest), _time(theirs.newest)),
    ]
    cost = ours.cost + theirs.cost
    for index in target.table.indexes:
        # That one of them lacks it is in the line about indexes.
        if all(table is not None and index.name in table.indexes for table in tables):
            entries = [_contents(store, target, name, at, ask, index.name) for name in names]
            lines.append(Line(f"Records in {index.name}", *(f"{of.count:,}" for of in entries)))
            cost += entries[0].cost + entries[1].cost
    items = [_items(store, target, name, theirs.keys) for name in names]
    different = [key for key in items[1][0] if items[0][0].get(key) != items[1][0][key]]
    number = len(items[1][0])
    examples = f", different: {', '.join('/'.join(key) for key in different[:3])}" if different else ""
    alike = f"{number - len(different):,} alike{examples}"
    lines.append(Line(f"Sample of {number:,} finished records", f"{number:,} alike", alike))
    drill = Drill(target, copy, at, tuple(lines), cost + items[0][1] + items[1][1])
    differences = "; ".join(line.subject for line in lines if not line.is_same)
    result = f"different: {differences}" if differences else "passed"
    log_change(who, f"restore drill of {target.name} to {copy}", result)
    return drill


def _schema(table: Actual, subject: str) -> str:
    if subject == "Keys":
        return ", ".join(f"{name} ({kind})" for name, kind in table.keys)
    parts = []
    for name, index in sorted(table.indexes.items()):
        carried = "all attributes" if index.attributes is None else f"{len(index.attributes)} attributes"
        parts.append(f"{name} on {', '.join(f'{key} ({kind})' for key, kind in index.keys)} with {carried}")
    return "; ".join(parts) or "none"


def _contents(
    store: Store,
    target: Target,
    name: str,
    at: datetime | None,
    ask: Callable[[], object],
    index: str | None = None,
) -> _Contents:
    """The records of a table, or of one of its indexes, that were there by `at`."""
    # An index need not carry more than its keys.
    attributes = (*target.table.key_names, "created_at", *(() if index else ("status",)))
    request: dict[str, Any] = {
        "TableName": name,
        "ProjectionExpression": ",".join(f"#a{n}" for n in range(len(attributes))),
        "ExpressionAttributeNames": {f"#a{n}": attribute for n, attribute in enumerate(attributes)},
        **({"IndexName": index} if index else {}),
    }
    last = None if at is None else int(at.timestamp() * 1_000_000)
    contents = _Contents()
    finished, chance = 0, Random(0)
    for page in store.pages("Scan", store.client.scan, request, index):
        ask()
        contents.cost += page.cost
        for item in page.value:
            created = moment(item["created_at"], lambda _: None) if "created_at" in item else None
            if last is not None and created is not None and created > last:
                continue
            contents.count += 1
            contents.newest = max(contents.newest, created or 0)
            if item.get("status", {}).get("S") in (COMPLETED, FAILED):
                finished += 1
                key = {name: item[name]["S"] for name in target.table.key_names}
                place = finished - 1 if finished <= _SAMPLE else chance.randrange(finished)
                contents.keys[place : place + 1] = [key] if place < _SAMPLE else []
    return contents


def _items(
    store: Store, target: Target, name: str, keys: list[dict[str, str]]
) -> tuple[dict[tuple[str, ...], Item], Cost]:
    renamed = {"evaluations" if target.table is EVALUATIONS else "flashcard_sets": name}
    settings = replace(store.settings, **renamed)  # type: ignore[arg-type]
    read = query.batch_get(Store(settings, store.client), target.table, keys)
    return {tuple(item[key]["S"] for key in target.table.key_names): item for item in read.value}, read.cost


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).isoformat() if microseconds else "none"
