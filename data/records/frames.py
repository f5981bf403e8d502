"""The columns of each frame that is handed around, and how frames of records are joined and sorted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from data import schema
from data.schema import BANDS, TYPES, Table

TEXT = "object"
NUMBER = "float64"
COUNT = "int64"
MOMENT = "datetime64[us, UTC]"
DAY = "datetime64"
"""The begin of a local day or week, without a zone, in any unit."""
AHEAD = timedelta(hours=1)
"""How far what is there may be dated past now: the Lambdas' clocks may run before ours. Later is a mistake."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its dtype, its meaning with the unit, and whether it can be unknown: None, NaN or NaT by its dtype."""

    dtype: str
    meaning: str
    nullable: bool = False


class Schema(dict[str, Column]):
    """The columns of a frame, in order."""

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """These columns with their dtypes, which pandas guesses otherwise where a frame is empty or of texts."""
        own = frame[[*self]]
        # Most have it, and each that is asked for takes pandas a while.
        others = {
            name: column.dtype for name, column in self.items() if column.dtype not in (DAY, str(own[name].dtype))
        }
        times = [name for name, dtype in others.items() if dtype == MOMENT]
        # What is NaT alone has no zone yet.
        zoned = own.assign(**{name: pd.to_datetime(own[name], utc=True) for name in times})
        return zoned.astype(others)


def _records(table: Table, numbers: Iterable[str]) -> Schema:
    """What every index of `table` carries, as its attributes are declared; all can be unknown."""
    dtypes = {**dict.fromkeys(numbers, NUMBER), "created_at": MOMENT}
    columns = {a.name: Column(dtypes.get(a.name, TEXT), a.description, nullable=True) for a in table.attributes}
    in_order = [*(name for name in table.summary if name != "created_at"), "created_at"]
    issues = Column("object", "tuple of Issue: what departs from the specification in these columns")
    return Schema({name: columns[name] for name in in_order} | {"issues": issues})


EVALUATIONS = _records(schema.EVALUATIONS, (*BANDS, "duration", "word_count"))
FLASHCARD_SETS = _records(schema.FLASHCARD_SETS, ("total_cards", "page_count", "chunk_count"))

# What other frames share. A record's keys and time are unknown where they cannot be read.
_TABLE = Column(TEXT, "evaluations or flashcards")
_USER = Column(TEXT, "student", nullable=True)
_CREATED = Column(MOMENT, "when the record was created", nullable=True)
_START = Column(DAY, "begin of the day or week")

JOBS = Schema(
    {
        "table": _TABLE,
        "job_id": Column(TEXT, "evaluation_id or set_id", nullable=True),
        "user_id": _USER,
        "kind": Column(TEXT, "writing, speaking, flashcards or what the record says", nullable=True),
        "status": Column(TEXT, "processing, completed, failed or what the record says", nullable=True),
        "model_used": Column(TEXT, "AI model; none for flashcards", nullable=True),
        "document_id": Column(TEXT, "S3 key of the document of a flashcard set; none for evaluations", nullable=True),
        "created_at": _CREATED,
    }
)
"""The jobs of both tables."""

JOBS_WITH_STATES = Schema(
    {
        **JOBS,
        "state": Column(TEXT, "completed, failed, abandoned, waiting, overdue, stuck, unknown"),
        "recovered": Column("bool", "a failed, overdue or stuck job that was done again within a day"),
        "practised_since": Column("bool", "such a job with a later result that is likely other work"),
    }
)
_ENDS = ("completed", "failed", "abandoned", "unfinished")
JOB_COUNTS = Schema(
    {"start": Column(MOMENT, "begin of the hour or local day")}
    | {name: Column(COUNT, f"{name} jobs") for name in _ENDS}
)
JOB_RATES = Schema(
    {
        "value": Column(TEXT, "kind or model"),
        "failed": Column(COUNT, "failed jobs"),
        "finished": Column(COUNT, "failed or completed jobs"),
    }
)
ERRORS = Schema(
    {
        "signature": Column(TEXT, "what failure messages of one cause have in common"),
        "jobs": Column(COUNT, "failed jobs"),
        "students": Column(COUNT, "students of these"),
        "first": Column(MOMENT, "when the first of them was created", nullable=True),
        "last": Column(MOMENT, "when the last of them was created", nullable=True),
        "recovered": Column(COUNT, "those that were done again within a day"),
    }
)
FINDINGS = Schema(
    {
        "kind": Column(TEXT, "code of the kind of finding"),
        "table": Column(TEXT, "evaluations or sets"),
        "id": Column(TEXT, "evaluation_id or set_id", nullable=True),
        "user_id": _USER,
        "created_at": _CREATED,
        "detail": Column(TEXT, "what does not add up in this record"),
    }
)
"""Findings of the consistency check, one per record and kind."""

FINDING_KINDS = Schema(
    {
        "kind": Column(TEXT, "code of the kind of finding"),
        "group": Column(TEXT, "Score error, Warning, Format error or Repaired"),
        "name": Column(TEXT, "name of the kind"),
        "meaning": Column(TEXT, "the kind in plain words"),
        "records": Column(COUNT, "records with such a finding"),
        "students": Column(COUNT, "students with such a record"),
        "example": Column(TEXT, "detail of the newest one"),
    }
)
MODELS = Schema(
    {
        "type": Column(TEXT, "evaluation type"),
        "model": Column(TEXT, "AI model"),
        "scored": Column(COUNT, "completed evaluations with a band"),
        "students": Column(COUNT, "students of these"),
        "median": Column(NUMBER, "overall band"),
        "q1": Column(NUMBER, "lower quartile, band"),
        "q3": Column(NUMBER, "upper quartile, band"),
        "spread": Column(NUMBER, "q3 - q1, bands"),
        "first": Column(MOMENT, "first use", nullable=True),
        "last": Column(MOMENT, "last use", nullable=True),
    }
)
MODEL_BANDS = Schema(
    {
        "start": _START,
        "model": Column(TEXT, "AI model"),
        "median": Column(NUMBER, "overall band"),
        "scored": Column(COUNT, "completed evaluations with a band"),
    }
)
WEEKS = Schema({"start": _START, **{kind: Column(COUNT, f"{kind} evaluations") for kind in TYPES}})
DAYS = Schema({"day": _START, "attempts": Column(COUNT, "evaluations")})
PROFILE = Schema(
    {
        "criterion": Column(TEXT, "attribute of the criterion"),
        "name": Column(TEXT, "name of the criterion"),
        "latest": Column(NUMBER, "band in the newest evaluation", nullable=True),
        "median": Column(NUMBER, "band", nullable=True),
        "attempts": Column(COUNT, "evaluations with a band in it"),
    }
)


def joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames, which have the same columns."""
    filled = [frame for frame in frames if not frame.empty] or [*frames[:1]]
    return pd.concat(filled, ignore_index=True)


def newest_first(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by time, equal times in the order given (which is DynamoDB's), unknown times last."""
    return table.sort_values("created_at", ascending=False, kind="stable", na_position="last", ignore_index=True)
