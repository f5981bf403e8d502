"""What a job's status means at a given time, on and around both thresholds; and whether it was done again."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import job_states
from analysis.job_states import State, Thresholds, state
from tests.support.examples import examples

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


@pytest.mark.parametrize(
    ("created_at", "expected"),
    [
        (NOW, "waiting"),
        (ago(minutes=14, seconds=59), "waiting"),
        (ago(minutes=14, seconds=59, microseconds=999_999), "waiting"),
        (ago(minutes=15), "overdue"),  # a Lambda that began then has been stopped by now
        (ago(minutes=15, seconds=1), "overdue"),
        (ago(hours=5, minutes=59, seconds=59), "overdue"),
        (ago(hours=6), "stuck"),
        (ago(hours=6, seconds=1), "stuck"),
        (ago(days=365), "stuck"),
        (NOW + timedelta(minutes=5), "waiting"),  # a Lambda's clock that is ahead of ours
        (None, "unknown"),
    ],
    ids=["now", "14:59", "14:59.999999", "15:00", "15:01", "5:59:59", "6:00:00", "6:00:01", "a year", "ahead", "never"],
)
def test_a_processing_job_is_waiting_overdue_or_stuck_by_its_age(created_at: datetime | None, expected: State) -> None:
    assert state("processing", created_at, NOW) == expected


@pytest.mark.parametrize("created_at", [NOW, ago(days=30), None], ids=["now", "old", "never"])
def test_a_finished_job_has_no_age(created_at: datetime | None) -> None:
    assert state("completed", created_at, NOW) == "completed"
    assert state("failed", created_at, NOW) == "failed"


@pytest.mark.parametrize("status", [None, "", "queued", "Processing"])
def test_any_other_status_is_unknown(status: str | None) -> None:
    assert state(status, ago(hours=1), NOW) == "unknown"


def test_thresholds_can_be_chosen() -> None:
    quick = Thresholds(overdue=timedelta(minutes=1), stuck=timedelta(minutes=2))
    assert state("processing", ago(seconds=59), NOW, quick) == "waiting"
    assert state("processing", ago(minutes=1), NOW, quick) == "overdue"
    assert state("processing", ago(minutes=2), NOW, quick) == "stuck"


def test_zones_do_not_matter() -> None:
    hanoi = datetime.fromisoformat("2026-03-01T18:50:00+07:00")
    assert state("processing", hanoi, NOW) == "waiting"


# --- done again -------------------------------------------------------------------------------------------------------

Job = tuple[str | None, str | None, str | None, datetime | None]  # status, student, kind, time
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
THEN = ago(days=3)


def frame(*jobs: Job) -> pd.DataFrame:
    """Jobs as the pages read them."""
    table = pd.DataFrame(list(jobs), columns=["status", "user_id", "kind", "created_at"], dtype="object")
    return table.assign(created_at=pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]"))


def failed(when: datetime | None = THEN, user: str | None = "u", kind: str | None = "writing") -> Job:
    return "failed", user, kind, when


def done(when: datetime | None, user: str | None = "u", kind: str | None = "writing") -> Job:
    return "completed", user, kind, when


AGAIN: dict[str, tuple[list[Job], str]] = {
    "nothing else": ([failed()], ""),
    "a microsecond later": ([failed(), done(THEN + MICROSECOND)], "recovered"),
    "a day later exactly": ([failed(), done(THEN + DAY)], "recovered"),
    "and a microsecond": ([failed(), done(THEN + DAY + MICROSECOND)], "practised_since"),
    "within a day, and later too": ([failed(), done(THEN + DAY), done(NOW)], "recovered"),
    "at the same moment": ([failed(), done(THEN)], ""),
    "before": ([failed(), done(THEN - MICROSECOND)], ""),
    "of somebody else": ([failed(), done(THEN + DAY, "v")], ""),
    "of another kind": ([failed(), done(THEN + DAY, kind="speaking")], ""),
    "failed again": ([failed(), failed(THEN + DAY)], ""),
    "stuck": ([("processing", "u", "writing", THEN), done(THEN + DAY)], "recovered"),
    "stuck, and practice since": ([("processing", "u", "writing", THEN), done(NOW)], "practised_since"),
    "overdue": ([("processing", "u", "writing", ago(hours=1)), done(NOW)], "recovered"),
    "waiting is not missing": ([("processing", "u", "writing", ago(minutes=1)), done(NOW)], ""),
    "completed is not missing": ([done(THEN), done(THEN + MICROSECOND)], ""),
    "unknown is not missing": ([("queued", "u", "writing", THEN), done(NOW)], ""),
    "nobody's": ([failed(user=None), done(THEN + DAY, None)], ""),
    "of no kind": ([failed(kind=None), done(THEN + DAY, kind=None)], ""),
    "without a time": ([failed(None), done(NOW)], ""),
    "done without a time": ([failed(), done(None)], ""),
}


@pytest.mark.parametrize(("jobs", "expected"), AGAIN.values(), ids=AGAIN)
def test_done_again_within_a_day_or_something_else_since(jobs: list[Job], expected: str) -> None:
    for order in itertools.permutations(range(len(jobs))):
        table = frame(*[jobs[n] for n in order])
        # Labels as they come, and twice the same, as in frames that were joined.
        for labelled in (table, table.set_axis([0] * len(table))):
            states = job_states.with_states(labelled, NOW)
            place = order.index(0)
            assert states["recovered"].tolist()[place] is (expected == "recovered")
            assert states["practised_since"].tolist()[place] is (expected == "practised_since")
            assert states.index.equals(labelled.index)
            assert job_states.totals(states).recovered == (expected == "recovered")


@pytest.mark.parametrize(
    ("of_failed", "of_done", "is_recovered"),
    [
        ("a.pdf", "a.pdf", True),
        ("a.pdf", "b.pdf", False),
        ("a.pdf", None, False),  # nobody knows whether these cards are of that document
        (None, "b.pdf", True),
        ("", "b.pdf", True),
        (None, None, True),
    ],
)
def test_a_document_is_done_again_by_cards_from_itself_alone(
    of_failed: str | None, of_done: str | None, is_recovered: bool
) -> None:
    jobs = [failed(kind="flashcards"), failed(THEN, "v", "flashcards"), done(THEN + DAY / 2, kind="flashcards")]
    table = frame(*jobs, failed(), done(THEN + DAY))
    table["document_id"] = pd.Series([of_failed, of_failed, of_done, None, None], dtype="object")
    states = job_states.with_states(table, NOW)
    assert states["recovered"].tolist() == [is_recovered, False, False, True, False]
    assert not states["practised_since"].any()


def test_no_jobs_have_no_states() -> None:
    states = job_states.with_states(frame(), NOW)
    assert list(states.columns) == ["status", "user_id", "kind", "created_at", "state", "recovered", "practised_since"]
    assert len(states) == 0
    assert job_states.totals(states) == job_states.Totals(0, 0, 0, 0, 0, 0)


@examples(30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["completed", "failed", "processing", "queued", None]),
            st.sampled_from(["u", "v", None]),
            st.sampled_from(["writing", "flashcards", None]),
            st.one_of(st.none(), st.integers(0, 12).map(lambda n: NOW - n * DAY / 3)),
            st.sampled_from(["a.pdf", "b.pdf", None]),
        ),
        max_size=15,
    )
)
def test_the_states_are_what_plain_loops_find(jobs: list[Any]) -> None:
    table = frame(*(job[:4] for job in jobs))
    table["document_id"] = pd.Series([document for *_, document in jobs], dtype="object")
    states = job_states.with_states(table, NOW)
    for (status, user, kind, when, document), row in zip(jobs, states.to_dict("records"), strict=True):
        missing = state(status, when, NOW) in ("failed", "overdue", "stuck") and None not in (user, kind, when)
        waits = [
            later - when
            for other, *same, later, its in jobs
            if missing and other == "completed" and same == [user, kind] and later and later > when
            if document in (None, its)
        ]
        assert row["state"] == state(status, when, NOW)
        assert row["recovered"] is bool(waits and min(waits) <= DAY)
        assert row["practised_since"] is bool(waits and min(waits) > DAY)
