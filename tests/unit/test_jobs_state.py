"""What a job's status means at a given time, on and around both thresholds."""

from datetime import UTC, datetime, timedelta

import pytest

from analysis.job_states import State, Thresholds, state

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
