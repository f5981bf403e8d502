"""Jobs of both tables: what the Lambdas finished, failed, or never came back from; and marking those as failed."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

import pandas as pd

from data.dynamodb import query
from data.dynamodb.client import Store, log_change
from data.dynamodb.errors import Failure
from data.dynamodb.facts import BATCH
from data.dynamodb.reads import Item, Read, combine
from data.records import frames, salvage
from data.records.parse import Fields, Json, moment, plain, text
from data.schema import EVALUATIONS, FAILED, FLASHCARD_SETS, PROCESSING, Table

FLASHCARDS = "flashcards"
_TABLES: Mapping[str, Table] = {"evaluations": EVALUATIONS, FLASHCARDS: FLASHCARD_SETS}
MARKED_IN = "failure_reason"
"""The attribute in which marking says who gave a job up."""
LONGEST_REASON = 5_000
"""Characters: thousands of reasons are kept together, of which no class's shall take the room of all others'."""
_REASONS = ("error", "error_message", MARKED_IN)
_MARK = re.compile(
    r"Marked as failed by (.{1,320}) at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d): it was still processing"
)
_TELLING = ("error", "fail", "reason", "exception", "message", "cause")

_CHANGED = "it finished or was changed meanwhile, and was left alone"

Result: TypeAlias = Literal["marked", "changed meanwhile", "failed", "not known"]


class Key(NamedTuple):
    """What identifies a job: its kind of table (`evaluations` or `flashcards`) and both keys."""

    table: str
    job_id: str
    user_id: str

    @classmethod
    def of_rows(cls, jobs: pd.DataFrame) -> list["Key"]:
        """The key of each row."""
        return [cls(*row) for row in jobs[["table", "job_id", "user_id"]].itertuples(index=False)]

    @property
    def of(self) -> Table:
        """The declared table."""
        return _TABLES.get(self.table, EVALUATIONS)

    @property
    def item_key(self) -> dict[str, str]:
        """Both keys as GetItem takes them."""
        return dict(zip(self.of.key_names, (self.job_id, self.user_id), strict=True))


@dataclass(frozen=True, slots=True)
class Mark:
    """Who gave a job up, and when: what marking writes as its failure_reason."""

    who: str
    when: datetime

    def __str__(self) -> str:
        return f"Marked as failed by {self.who} at {self.when.isoformat(timespec='seconds')}: it was still processing"

    @classmethod
    def parse(cls, reason: str | None) -> "Mark | None":
        """The mark in a failure_reason; None for any other text."""
        match = _MARK.fullmatch(reason or "")
        try:
            return Mark(match[1], datetime.fromisoformat(match[2])) if match else None
        except ValueError:  # the 31st of February: nothing that we wrote
            return None


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one job that was to be marked as failed."""

    key: Key
    result: Result
    message: str | Failure


def combined(evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None) -> pd.DataFrame:
    """The jobs of both tables (`frames.JOBS`), newest first, from a frame of each; None for one that was not read."""
    parts = []
    if evaluation_rows is not None:
        named = evaluation_rows.rename(columns={"evaluation_id": "job_id", "evaluation_type": "kind"})
        parts.append(named.assign(table="evaluations", document_id=None)[[*frames.JOBS]])
    if set_rows is not None:
        named = set_rows.rename(columns={"set_id": "job_id"})
        parts.append(named.assign(table=FLASHCARDS, kind=FLASHCARDS, model_used=None)[[*frames.JOBS]])
    whole = frames.JOBS.typed(frames.joined(parts))
    # A job that changes status while it is read can be in two answers: the finished one is the later one.
    whole["_open"] = whole["status"] == PROCESSING
    whole = whole.sort_values("_open", kind="stable").drop_duplicates(["table", "job_id", "user_id"])
    return frames.newest_first(whole.drop(columns="_open"))


def reasons(store: Store, keys: Sequence[Key]) -> Read[dict[Key, str | None]]:
    """Why each of these jobs failed, by what their records say; None where a record says nothing.

    The records, which may be large, are in memory a batch at a time.
    """
    causes: dict[Key, str | None] = {}
    reads: list[Read[list[Item]]] = []
    for name, table in _TABLES.items():
        asked = [key.item_key for key in keys if key.table == name]
        for start in range(0, max(1, len(asked)), BATCH):
            read = query.batch_get(store, table, asked[start : start + BATCH])
            reads.append(read.map(lambda _: []))
            for item in read.value:
                fields = Fields(item)
                key = Key(name, *(fields.read(attribute, text) or "" for attribute in table.key_names))
                causes[key] = reason(item, table)
    return combine(reads).map(lambda _: causes)


def reason(item: Item, table: Table) -> str | None:
    """Why a job failed: an error attribute, feedback with an error in it, or any attribute not in the specification.

    That somebody gave it up comes before what its record may have said already. A long one is cut: its record has all
    of it.
    """
    whole = _reason(item, table)
    if whole is None or len(whole) <= LONGEST_REASON:
        return whole
    return f"{whole[:LONGEST_REASON]}… ({len(whole):,} characters)"


def _reason(item: Item, table: Table) -> str | None:
    mark = plain(item[MARKED_IN]) if MARKED_IN in item else None
    if isinstance(mark, str) and Mark.parse(mark):
        return mark
    for name in _REASONS:
        if words := _words(plain(item[name])) if name in item else "":
            return words
    read = salvage.attribute(Fields(item), "feedback")
    feedback = read.unread or read.value
    if isinstance(feedback, dict):
        for name, value in feedback.items():
            if any(word in name.lower() for word in _TELLING) and _words(value):
                return _words(value)
    elif isinstance(feedback, str) and feedback.strip():
        return feedback
    unknown = {name: plain(value) for name, value in item.items() if name not in table.types}
    telling = sorted(unknown, key=lambda name: (not any(word in name.lower() for word in _TELLING), name))
    for name in telling:
        is_telling = any(word in name.lower() for word in _TELLING)
        # A number that is called otherwise, such as when a record expires, is no reason.
        if (words := _words(unknown[name])) and (is_telling or not isinstance(unknown[name], int | float)):
            return words if is_telling else f"{name}: {words}"
    return None


def mark_failed(
    store: Store, open_jobs: Iterable[tuple[Key, datetime]], *, who: str, now: datetime
) -> Iterator[Marked]:
    """Set each job's status to failed, with a failure_reason that says who did it, if it is still processing.

    The update is conditional: `status` must still be processing and `created_at` unchanged, so a job that finished
    meanwhile is left alone. Failure of kind read_only where changes are not allowed.
    """
    store.require_changes_allowed()
    for key, created_at in open_jobs:
        what = f"mark {key.table} {key.job_id} of {key.user_id} as failed"
        outcome = _mark(store, key, created_at, who, now, what)
        log_change(who, what, outcome.result)
        yield outcome


def _mark(store: Store, key: Key, created_at: datetime, who: str, now: datetime, what: str) -> Marked:
    name = store.settings.name(key.of)
    about: dict[str, Any] = {
        "TableName": name,
        "Key": {attribute: {"S": value} for attribute, value in key.item_key.items()},
        "ReturnConsumedCapacity": "TOTAL",
    }
    mark = str(Mark(who, now))
    try:
        stored = store.call(
            "GetItem",
            name,
            None,
            store.client.get_item,
            **about,
            ConsistentRead=True,
            ProjectionExpression="#c",
            ExpressionAttributeNames={"#c": "created_at"},
        )
        # A number has up to 38 digits, and may be milliseconds or text: the condition is on what is stored, not on the
        # time that was read from it.
        value = stored.get("Item", {}).get("created_at", {})
        if not value or moment(value, lambda _: None) != round(created_at.timestamp() * 1_000_000):
            return Marked(key, "changed meanwhile", _CHANGED)
        log_change(who, what, "begun")  # what ends this program may not let it say more
        store.call(
            "UpdateItem",
            name,
            None,
            store.client.update_item,
            **about,
            UpdateExpression="SET #s = :failed, #r = :why",
            ConditionExpression="#s = :processing AND #c = :created",
            ExpressionAttributeNames={"#s": "status", "#c": "created_at", "#r": MARKED_IN},
            ExpressionAttributeValues={
                ":failed": {"S": FAILED},
                ":processing": {"S": PROCESSING},
                ":created": value,
                ":why": {"S": mark},
            },
        )
    except Failure as failure:
        result = _after(store, about, mark, failure)
        if result == "changed meanwhile":
            return Marked(key, result, _CHANGED)
        if result == "not known":
            return Marked(key, result, replace(failure, case="in_doubt"))
        if result == "failed":
            return Marked(key, result, failure.to_keep())
    store.wrote(name, (key.job_id, key.user_id), FAILED)
    return Marked(key, "marked", "marked as failed")


def _after(store: Store, about: Mapping[str, Any], mark: str, failure: Failure) -> Result:
    """What became of a job whose marking ended in this failure."""
    if failure.operation != "UpdateItem":
        return "failed"
    # Where an answer is lost, boto3 asks again, and finds the job changed: by what it asked for itself.
    is_marked = _is_marked(store, about, mark)
    if is_marked:
        return "marked"
    # What is late is still on its way, and may be done after that look.
    is_late = failure.in_doubt and failure.kind == "too_slow"
    if is_late or (is_marked is None and (failure.in_doubt or failure.kind == "changed")):
        return "not known"
    return "changed meanwhile" if failure.kind == "changed" else "failed"


def _is_marked(store: Store, about: Mapping[str, Any], mark: str) -> bool | None:
    """Whether a job has this mark; None where that cannot be asked."""
    try:
        stored = store.call(
            "GetItem",
            about["TableName"],
            None,
            store.client.get_item,
            **about,
            ConsistentRead=True,
            ProjectionExpression="#r",
            ExpressionAttributeNames={"#r": MARKED_IN},
        )
    except Failure:
        return None
    return bool(stored.get("Item", {}).get(MARKED_IN) == {"S": mark})


def _words(value: Json) -> str:
    """What a value says; nothing where it is a flag or empty."""
    if value is None or isinstance(value, bool) or value in ({}, []):
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
