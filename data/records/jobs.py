"""Jobs of both tables: what the Lambdas finished, failed, or never came back from; and marking those as failed."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple, TypeAlias

import pandas as pd

from data.dynamodb import budget, changes
from data.dynamodb.errors import Failure
from data.dynamodb.store import Item, Read, Store, combine
from data.records import evaluations, flashcards, periods, rows
from data.records.parse import Fields, Json, plain
from data.schema import EVALUATIONS, FAILED, FLASHCARD_SETS, PROCESSING, Table

FLASHCARDS = "flashcards"
_TABLES: Mapping[str, Table] = {"evaluations": EVALUATIONS, FLASHCARDS: FLASHCARD_SETS}

_REASONS = ("error", "error_message", "failure_reason")
_TELLING = ("error", "fail", "reason", "exception", "message", "cause")

Result: TypeAlias = Literal["marked", "changed meanwhile", "failed"]


class Key(NamedTuple):
    """What identifies a job: its kind of table (`evaluations` or `flashcards`) and both keys."""

    table: str
    job_id: str
    user_id: str

    @property
    def of(self) -> Table:
        """The declared table."""
        return _TABLES.get(self.table, EVALUATIONS)

    @property
    def item_key(self) -> dict[str, str]:
        """Both keys as GetItem takes them."""
        return dict(zip(self.of.key_names, (self.job_id, self.user_id), strict=True))


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one job that was to be marked as failed."""

    key: Key
    result: Result
    message: str


@dataclass
class Partly(Exception):
    """The jobs of the table `lacking` could not be read, because of `failure`; `read` holds the other table's."""

    lacking: str
    failure: Failure
    read: Read[pd.DataFrame]


def period(store: Store, first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """Jobs of both tables created from `first` to `last`, newest first.

    Columns: table ("evaluations" or "flashcards"), job_id, user_id, kind (writing, speaking, flashcards or what the
    record says), status, model_used (str or None), created_at (datetime64[us, UTC]). Raises Partly where only one
    table can be read, and Failure where neither can.
    """
    return _of_both(lambda name, table: periods.read(store, table, partial(_frame, name), first, last))


def update(store: Store, before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """What `period` would give now, reading only what can have changed since `before`; its cost is that alone."""

    def one(name: str, table: Table) -> Read[pd.DataFrame]:
        known = before.map(lambda jobs: jobs[jobs["table"] == name])
        return periods.update(store, table, partial(_frame, name), known, first, last, keys=("job_id", "user_id"))

    return _of_both(one)


def keys(jobs: pd.DataFrame) -> list[Key]:
    """The key of each row."""
    return [Key(*row) for row in jobs[["table", "job_id", "user_id"]].itertuples(index=False)]


def reasons(store: Store, wanted: Sequence[Key]) -> Read[dict[Key, str | None]]:
    """Why each of these jobs failed, by what their records say; None where a record says nothing."""
    said: dict[Key, str | None] = {}
    parts = []
    for name, table in _TABLES.items():
        found = store.batch_get(table, [key.item_key for key in wanted if key.table == name])
        parts.append(found)
        for item in found.value:
            fields = Fields(item)
            key = Key(name, *(fields.text(attribute) or "" for attribute in table.key_names))
            said[key] = reason(item, table)
    return combine(parts).map(lambda _: said)


def reason(item: Item, table: Table) -> str | None:
    """Why a job failed: an error attribute, feedback with an error in it, or any attribute not in the specification."""
    for name in _REASONS:
        if said := _words(plain(item[name])) if name in item else "":
            return said
    feedback = Fields(item).json("feedback") if "feedback" in item else None
    if isinstance(feedback, dict):
        for name, value in feedback.items():
            if any(word in name.lower() for word in _TELLING) and _words(value):
                return _words(value)
    elif isinstance(feedback, str) and feedback.strip():
        return feedback
    unknown = {name: plain(value) for name, value in item.items() if name not in table.types}
    telling = sorted(unknown, key=lambda name: (not any(word in name.lower() for word in _TELLING), name))
    for name in telling:
        if said := _words(unknown[name]):
            return said if any(word in name.lower() for word in _TELLING) else f"{name}: {said}"
    return None


def mark_failed(store: Store, wanted: Iterable[tuple[Key, datetime]], *, who: str, now: datetime) -> Iterator[Marked]:
    """Set each job's status to failed, with a failure_reason that says who did it, if it is still processing.

    The update is conditional: `status` must still be processing and `created_at` unchanged, so a job that finished
    meanwhile is left alone. Failure of kind read_only where changes are not allowed.
    """
    changes.require_allowed(store.settings)
    for key, created_at in wanted:
        marked = _mark(store, key, created_at, who, now)
        changes.record(who, f"mark {key.table} {key.job_id} of {key.user_id} as failed", marked.result)
        yield marked


def _mark(store: Store, key: Key, created_at: datetime, who: str, now: datetime) -> Marked:
    name = store.settings.name(key.of)
    said = f"Marked as failed by {who} at {now.isoformat(timespec='seconds')}: it was still processing"
    try:
        store.call(
            "UpdateItem",
            name,
            None,
            store.client.update_item,
            TableName=name,
            Key={attribute: {"S": value} for attribute, value in key.item_key.items()},
            UpdateExpression="SET #s = :failed, #r = :said",
            ConditionExpression="#s = :processing AND #c = :created",
            ExpressionAttributeNames={"#s": "status", "#c": "created_at", "#r": "failure_reason"},
            ExpressionAttributeValues={
                ":failed": {"S": FAILED},
                ":processing": {"S": PROCESSING},
                ":created": {"N": f"{created_at.timestamp():.6f}".rstrip("0").rstrip(".")},
                ":said": {"S": said},
            },
            ReturnConsumedCapacity="TOTAL",
        )
    except Failure as failure:
        if failure.kind == "changed":
            return Marked(key, "changed meanwhile", "it finished or was changed meanwhile, and was left alone")
        return Marked(key, "failed", str(failure))
    return Marked(key, "marked", "marked as failed")


def _of_both(read: Callable[[str, Table], Read[pd.DataFrame]]) -> Read[pd.DataFrame]:
    """What `read` gives for both tables, side by side."""

    def one(named: tuple[str, Table]) -> Read[pd.DataFrame] | Failure:
        try:
            return read(*named)
        except Failure as failure:
            return failure.to_keep()

    parts = dict(zip(_TABLES, budget.side_by_side(one, _TABLES.items()), strict=True))
    known = [part for part in parts.values() if isinstance(part, Read)]
    failed = [(name, part) for name, part in parts.items() if isinstance(part, Failure)]
    if not known:
        raise failed[0][1]
    whole = combine(part.map(lambda jobs: [jobs]) for part in known).map(_joined)
    for name, failure in failed:
        raise Partly(name, failure, replace(whole, complete=False))
    return whole


def _frame(name: str, items: Sequence[Item]) -> pd.DataFrame:
    if name == FLASHCARDS:
        frame = flashcards.frame(items)
        frame = frame.rename(columns={"set_id": "job_id"}).assign(kind=FLASHCARDS, model_used=None)
    else:
        frame = evaluations.frame(items)
        frame = frame.rename(columns={"evaluation_id": "job_id", "evaluation_type": "kind"})
    return frame.assign(table=name)[["table", "job_id", "user_id", "kind", "status", "model_used", "created_at"]]


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    whole = rows.joined(frames).astype({"model_used": "object"})
    # A job that changes status while it is read can be in two answers: the finished one is the later one.
    whole["_open"] = whole["status"] == PROCESSING
    whole = whole.sort_values("_open", kind="stable").drop_duplicates(["table", "job_id", "user_id"])
    return rows.newest_first(whole.drop(columns="_open"))


def _words(value: Json) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
