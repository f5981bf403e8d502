"""Jobs of both tables: what the Lambdas finished, failed, or never came back from; and marking those as failed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import pandas as pd

from data.dynamodb import changes
from data.dynamodb.errors import Failure
from data.dynamodb.store import Item, Read, Store, combine
from data.records import rows
from data.records.parse import Fields, Json, plain
from data.schema import EVALUATIONS, FAILED, FLASHCARD_SETS, PROCESSING, Table

FLASHCARDS = "flashcards"
_TABLES: Mapping[str, Table] = {"evaluations": EVALUATIONS, FLASHCARDS: FLASHCARD_SETS}

_COLUMNS = ["table", "job_id", "user_id", "kind", "status", "model_used", "created_at"]
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


def combined(evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None) -> pd.DataFrame:
    """The jobs of both tables, newest first, from frames of evaluations and of flashcard sets; None for one not read.

    Columns: table ("evaluations" or "flashcards"), job_id, user_id, kind (writing, speaking, flashcards or what the
    record says), status, model_used (str or None), created_at (datetime64[us, UTC]).
    """
    frames = []
    if evaluation_rows is not None:
        named = evaluation_rows.rename(columns={"evaluation_id": "job_id", "evaluation_type": "kind"})
        frames.append(named.assign(table="evaluations")[_COLUMNS])
    if set_rows is not None:
        named = set_rows.rename(columns={"set_id": "job_id"})
        frames.append(named.assign(table=FLASHCARDS, kind=FLASHCARDS, model_used=None)[_COLUMNS])
    whole = rows.joined(frames).astype({"model_used": "object"})
    # A job that changes status while it is read can be in two answers: the finished one is the later one.
    whole["_open"] = whole["status"] == PROCESSING
    whole = whole.sort_values("_open", kind="stable").drop_duplicates(["table", "job_id", "user_id"])
    return rows.newest_first(whole.drop(columns="_open"))


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


def _words(value: Json) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
