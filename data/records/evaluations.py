"""Records and frames of the evaluations table."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data.dynamodb.reads import Item
from data.records import frames, salvage
from data.records.columns import Context, Reading, always, completed
from data.records.parse import Issue, Json, band, count, duration, item_json, moment, one_of, text, unique
from data.records.rows import Records
from data.records.salvage import Salvaged
from data.schema import BANDS, COMPLETED, CRITERIA, EVALUATIONS, OVERALL, STATUSES, TYPES


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation as far as it can be read. Bands are NaN, the rest None, where it cannot; `issues` says why.

    `feedback` is the decoded JSON; `original` its text where that was mended or breaks off, `unread` where it cannot be
    read. `unknown` holds attributes that the specification does not name, `raw` the whole item as JSON text.
    """

    evaluation_id: str
    user_id: str
    type: str | None
    status: str | None
    bands: Mapping[str, float]
    transcript: str | None
    feedback: Json
    original: str
    unread: str
    model_used: str | None
    created_at: datetime | None
    duration: float | None
    word_count: int | None
    unknown: Mapping[str, Json]
    issues: tuple[Issue, ...]
    raw: str

    @property
    def overall(self) -> float:
        """The Writing or Speaking band, NaN when unknown."""
        return self.bands[OVERALL]


def parse(item: Item) -> Evaluation:
    """An item of the table as a record; never fails."""
    summary, fields = _records.summary(item)
    transcript = fields.read("transcript", text)
    read = salvage.attribute(fields, "feedback")
    feedback = _feedback(read)
    if "feedback" not in item:
        if summary["status"] == COMPLETED:
            fields.note("feedback", _MISSING)
    elif read.broken:
        fields.note("feedback", f"breaks off after “{_last(feedback)}”", "broken")
    elif read.text and not (read.failure or isinstance(feedback, dict)):
        fields.note("feedback", "without named parts")
    return Evaluation(
        evaluation_id=summary["evaluation_id"] or "",
        user_id=summary["user_id"] or "",
        type=summary["evaluation_type"],
        status=summary["status"],
        bands={name: math.nan if summary[name] is None else summary[name] for name in BANDS},
        transcript=transcript,
        feedback=feedback,
        original=read.original,
        unread=read.unread,
        model_used=summary["model_used"],
        created_at=summary["created_at"],
        duration=summary["duration"],
        word_count=summary["word_count"],
        unknown=fields.unknown(EVALUATIONS),
        issues=tuple(fields.issues),
        raw=item_json(item),
    )


def _feedback(read: Salvaged) -> Json:
    """The decoded feedback; pieces whose parts have different names as one."""
    pieces = read.value
    if "several" in read.mends and isinstance(pieces, list):
        if all(piece == pieces[0] for piece in pieces):
            return pieces[0]  # a model that repeated itself
        parts = [part for piece in pieces if isinstance(piece, dict) for part in piece.items()]
        whole, repeated = unique(parts)
        if not repeated and all(isinstance(piece, dict) for piece in pieces):
            return whole
    return pieces


def _last(value: Json) -> str:
    """The last text of a feedback, its end."""
    while isinstance(value, (dict, list)) and value:
        value = [*value.values()][-1] if isinstance(value, dict) else value[-1]
    words = value if isinstance(value, str) else json.dumps(value)
    return words if len(words) <= _LONGEST_LAST else f"…{words[-_LONGEST_LAST:]}"


_LONGEST_LAST = 60  # characters
_MISSING = "missing, although the evaluation is completed"


def _band(name: str) -> Reading:
    def required(context: Context) -> bool:
        return completed(context) and (name == OVERALL or name in CRITERIA.get(context[1] or "", ()))

    return Reading(band, required, _MISSING)


_records = Records(
    EVALUATIONS,
    {
        "evaluation_type": Reading(one_of(TYPES), always),
        "status": Reading(one_of(STATUSES), always),
        "evaluation_id": Reading(text, always),
        "user_id": Reading(text, always),
        **{name: _band(name) for name in BANDS},
        "model_used": Reading(text),
        "duration": Reading(duration),
        "word_count": Reading(count),
        "created_at": Reading(moment, always),
    },
    frames.EVALUATIONS,
    parse,
)
frame, history, of_students = _records.frame, _records.history, _records.of_students
period, update = _records.period, _records.update
whole, get, find = _records.whole, _records.get, _records.find
