"""Records and frames of the evaluations table."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from data.dynamodb.store import Item, Read, Store
from data.records import periods, rows
from data.records.columns import Columns
from data.records.parse import Fields, Issue, Json, item_json
from data.schema import BANDS, COMPLETED, CRITERIA, EVALUATIONS, OVERALL, STATUSES, TYPES

_DECLARED = set(EVALUATIONS.types)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation as far as it can be read. Bands are NaN, the rest None, where it cannot; `issues` says why.

    `feedback` is the decoded JSON, or the text itself when it is none. `unknown` holds attributes that the
    specification does not name, `raw` the whole item as JSON text.
    """

    evaluation_id: str
    user_id: str
    type: str | None
    status: str | None
    bands: Mapping[str, float]
    transcript: str | None
    feedback: Json
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
    fields = Fields(item)
    summary = _summary(fields)
    transcript = fields.text("transcript")
    noted = len(fields.issues)
    feedback = fields.json("feedback")
    if "feedback" not in item:
        if summary["status"] == COMPLETED:
            fields.note("feedback", "missing, although the evaluation is completed")
    elif not isinstance(feedback, dict) and len(fields.issues) == noted:
        fields.note("feedback", "JSON, but not an object")
    return Evaluation(
        evaluation_id=summary["evaluation_id"] or "",
        user_id=summary["user_id"] or "",
        type=summary["evaluation_type"],
        status=summary["status"],
        bands={band: summary[band] for band in BANDS},
        transcript=transcript,
        feedback=feedback,
        model_used=summary["model_used"],
        created_at=summary["created_at"],
        duration=None if math.isnan(summary["duration"]) else summary["duration"],
        word_count=None if math.isnan(summary["word_count"]) else int(summary["word_count"]),
        unknown=fields.unknown(_DECLARED),
        issues=tuple(fields.issues),
        raw=item_json(item),
    )


def frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per item, in the order given.

    Columns: evaluation_id, user_id, evaluation_type, status, model_used (str or None); the seven bands, duration (s)
    and word_count (float64, NaN unknown); created_at (datetime64[us, UTC], NaT unknown); issues (tuple of Issue, about
    these columns only).
    """
    return rows.to_frame(items, EVALUATIONS, _columns, _summary, _TYPES)


def history(store: Store, user_id: str, *, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's evaluations, newest first, those without a readable time last."""
    read = rows.of_student(store, EVALUATIONS, user_id, by_scan=by_scan)
    return read.map(lambda items: rows.newest_first(frame(items)))


def period(store: Store, first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """Everybody's evaluations created from `first` to `last`, newest first."""
    return periods.read(store, EVALUATIONS, frame, first, last)


def update(store: Store, before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """What `period` would give now, reading only what can have changed since `before`."""
    return periods.update(store, EVALUATIONS, frame, before, first, last)


def of_students(store: Store, user_ids: Iterable[str], first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """The evaluations of some students from `first` to `last`, newest first; one Query for each student."""
    read = rows.of_students(store, EVALUATIONS, user_ids, first, last)
    return read.map(lambda items: rows.newest_first(frame(items)))


def whole(store: Store, keys: Iterable[tuple[str, str]]) -> Iterator[Read[list[Evaluation]]]:
    """The evaluations of `keys` (evaluation_id, user_id) with their texts, a batch at a time."""
    return rows.whole(store, EVALUATIONS, keys, parse)


def get(store: Store, evaluation_id: str, user_id: str) -> Read[Evaluation | None]:
    """One evaluation by both keys, None when there is none."""
    read = store.get(EVALUATIONS, {"evaluation_id": evaluation_id, "user_id": user_id})
    return read.map(lambda item: None if item is None else parse(item))


def find(store: Store, evaluation_id: str) -> Read[list[Evaluation]]:
    """The evaluations of that id: one as a rule, several only when students share the id."""
    read = store.query(EVALUATIONS, ("evaluation_id", evaluation_id), cap=100)
    return read.map(lambda items: [parse(item) for item in items])


_TYPES: Mapping[str, str] = {
    "evaluation_id": "object",
    "user_id": "object",
    "evaluation_type": "object",
    "status": "object",
    **dict.fromkeys(BANDS, "float64"),
    "model_used": "object",
    "duration": "float64",
    "word_count": "float64",
}


def _summary(fields: Fields) -> dict[str, Any]:
    """The columns of a frame, but for the issues."""
    kind = fields.text("evaluation_type", required=True)
    status = fields.text("status", required=True)
    if kind is not None and kind not in TYPES:
        fields.note("evaluation_type", "neither writing nor speaking")
    if status is not None and status not in STATUSES:
        fields.note("status", "not one of processing, completed, failed")
    expected = {OVERALL, *CRITERIA.get(kind or "", ())} if status == COMPLETED else set()
    return {
        "evaluation_id": fields.text("evaluation_id", required=True),
        "user_id": fields.text("user_id", required=True),
        "evaluation_type": kind,
        "status": status,
        **{band: fields.band(band, required=band in expected) for band in BANDS},
        "model_used": fields.text("model_used"),
        "duration": _or_nan(fields.number("duration", stored="S")),
        "word_count": _or_nan(fields.count("word_count")),
        "created_at": fields.moment("created_at"),
    }


def _columns(columns: Columns) -> dict[str, Any]:
    """What `_summary` reads, of many records at once."""
    kinds = columns.choice("evaluation_type", TYPES)
    statuses = columns.choice("status", STATUSES)
    done = np.array([status == COMPLETED for status in statuses], dtype=bool)
    of = {kind: done & np.array([held == kind for held in kinds], dtype=bool) for kind in TYPES}
    required = {OVERALL: done}
    for kind, criteria in CRITERIA.items():
        for band in criteria:
            required[band] = required.get(band, False) | of[kind]
    return {
        "evaluation_id": columns.text("evaluation_id", required=True),
        "user_id": columns.text("user_id", required=True),
        "evaluation_type": kinds,
        "status": statuses,
        **{band: columns.band(band, required=required[band]) for band in BANDS},
        "model_used": columns.text("model_used"),
        "duration": columns.number("duration"),
        "word_count": columns.count("word_count"),
        "created_at": columns.moment("created_at"),
    }


def _or_nan(number: float | None) -> float:
    return math.nan if number is None else float(number)
