"""Every frame that is handed around has its declared columns: without a row, with one odd record, and with many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis import bands, consistency, incidents, job_states, models, practice
from data.demo.sample import sample
from data.records import evaluations, flashcards, frames, jobs
from data.records.frames import Schema
from data.records.jobs import Key
from data.schema import TYPES, WRITING
from tests.support.frames import check
from tests.support.items import EVALUATION, SET, Item, changed, serialized

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = NOW - timedelta(days=60)
ZONE = "Asia/Ho_Chi_Minh"
ODD = {"status": {"S": "queued"}, "created_at": {"S": "yesterday"}, "user_id": {"NULL": True}}
MANY = sample(NOW)
RECORDS: dict[str, tuple[list[Item], list[Item]]] = {
    "none": ([], []),
    "a bare one": ([{}], [{}]),
    "one without a time": ([changed(EVALUATION, created_at=None)], [changed(SET, created_at=None)]),
    "an odd one": ([changed(EVALUATION, overall_band={"N": "12"}, **ODD)], [changed(SET, **ODD)]),
    "many": (serialized(MANY.evaluations), serialized(MANY.sets)),
}


def both(of: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """The jobs of both tables, with states."""
    return job_states.with_states(jobs.combined(*of), NOW)


def explained(of: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    """The failed jobs of both tables, with a reason each."""
    every = both(of)
    return job_states.with_reasons(every, dict.fromkeys(Key.of_rows(every), "late")).query("state == 'failed'")


def findings(of: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    return consistency.together(consistency.in_evaluations(of[0]), consistency.in_sets(of[1]))


MADE: dict[str, tuple[Callable[[tuple[pd.DataFrame, pd.DataFrame]], pd.DataFrame], Schema]] = {
    "evaluations": (lambda of: of[0], frames.EVALUATIONS),
    "flashcard sets": (lambda of: of[1], frames.FLASHCARD_SETS),
    "jobs": (lambda of: jobs.combined(*of), frames.JOBS),
    "jobs of one table": (lambda of: jobs.combined(None, of[1]), frames.JOBS),
    "jobs with states": (both, frames.JOBS_WITH_STATES),
    "job counts": (lambda of: job_states.over_time(both(of), FIRST, NOW, ZONE), frames.JOB_COUNTS),
    "job rates": (lambda of: job_states.rates(both(of), "kind"), frames.JOB_RATES),
    "errors": (lambda of: incidents.errors(explained(of)), frames.ERRORS),
    "findings": (findings, frames.FINDINGS),
    "kinds of findings": (lambda of: consistency.by_kind(findings(of)), frames.FINDING_KINDS),
    "models": (lambda of: models.by_model(of[0]), frames.MODELS),
    "bands by model": (lambda of: models.over_time(of[0], WRITING, ZONE), frames.MODEL_BANDS),
    "weeks": (lambda of: practice.weeks(of[0], FIRST, NOW, ZONE), frames.WEEKS),
    "days": (lambda of: practice.days(of[0], FIRST, NOW, ZONE), frames.DAYS),
    "profile": (lambda of: bands.criteria_profile(of[0], WRITING), frames.PROFILE),
}


@pytest.mark.parametrize("records", RECORDS)
@pytest.mark.parametrize("name", MADE)
def test_a_frame_has_its_declared_columns(name: str, records: str) -> None:
    make, schema = MADE[name]
    items, sets = RECORDS[records]
    check(make((evaluations.frame(items), flashcards.frame(sets))), schema)


def test_every_declared_frame_is_checked_and_says_what_its_columns_mean() -> None:
    declared = [value for name, value in vars(frames).items() if name.isupper() and isinstance(value, dict)]
    assert all(any(schema is checked for _, checked in MADE.values()) for schema in declared)
    assert all(column.meaning for schema in declared for column in schema.values())
    assert set(TYPES) < set(frames.WEEKS)


def test_jobs_know_of_which_document_they_are() -> None:
    evaluation, of_set = evaluations.frame([EVALUATION]), flashcards.frame([SET])
    assert jobs.combined(evaluation, of_set).set_index("kind")["document_id"].to_dict() == {
        evaluation["evaluation_type"][0]: None,
        "flashcards": SET["document_id"]["S"],
    }
