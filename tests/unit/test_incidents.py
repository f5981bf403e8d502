"""Incidents by the rule that is written down: what belongs together, when a new one begins, when one is over."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis import job_states
from analysis.incidents import GAP, errors, failures_over_time, incidents, of_period
from data.records.jobs import Key, Mark
from wording.incidents import hanging, names, sentence, title

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
THEN = NOW - timedelta(days=3)

Job = tuple[str, str | None, str | None, datetime | None, str | None]  # status, student, kind, time, reason


def explained(*jobs: Job) -> pd.DataFrame:
    """Jobs with states, reasons and signatures."""
    table = pd.DataFrame(list(jobs), columns=["status", "user_id", "kind", "created_at", "why"], dtype="object")
    times = pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]")
    table = table.assign(created_at=times, table="evaluations", job_id=[f"job-{n}" for n in range(len(table))])
    reasons = dict(zip(Key.of_rows(table), table["why"], strict=True))
    return job_states.with_reasons(job_states.with_states(table.drop(columns="why"), NOW), reasons)


def failed(
    when: datetime | None, why: str | None = "late", user: str | None = "u", kind: str | None = "writing"
) -> Job:
    return "failed", user, kind, when, why


def done(when: datetime, user: str = "v", kind: str | None = "writing") -> Job:
    return "completed", user, kind, when, None


@pytest.mark.parametrize(
    ("jobs", "sizes"),
    [
        ([], []),
        ([failed(THEN)], [1]),
        ([failed(THEN), failed(THEN + GAP)], [2]),
        ([failed(THEN), failed(THEN + GAP + SECOND)], [1, 1]),
        ([failed(THEN), failed(THEN + GAP), failed(THEN + 2 * GAP)], [3]),  # the gap counts from failure to failure
        ([failed(THEN), failed(THEN, "other")], [1, 1]),
        ([failed(THEN, "late 12"), failed(THEN, "late 13")], [2]),  # one fingerprint
        ([failed(THEN, None), failed(THEN, "")], [2]),  # that say nothing
        ([failed(None)], []),
        ([failed(THEN), failed(THEN, str(Mark("ops", NOW)))], [1]),  # given up by a person
        ([failed(THEN - n * timedelta(hours=1), f"cause {n % 8 * 'x'}") for n in range(96)], [1] * 96),
        ([failed(THEN - n * timedelta(minutes=10), f"cause {n % 8 * 'x'}") for n in range(96)], [12] * 8),
    ],
)
def test_failures_of_one_fingerprint_within_the_gap_are_one_incident(jobs: list[Job], sizes: list[int]) -> None:
    for order in (jobs, jobs[::-1]):
        assert [one.jobs for one in incidents(explained(*order), NOW)] == sizes


@pytest.mark.parametrize(
    ("jobs", "is_over"),
    [
        ([failed(THEN)], False),  # nothing has run since: nobody can know
        ([failed(THEN), done(THEN + SECOND)], True),
        ([failed(THEN), done(THEN - SECOND)], False),
        ([failed(THEN), done(THEN + SECOND, kind="speaking")], False),
        ([failed(THEN), failed(THEN, kind="speaking"), done(THEN + SECOND, kind="speaking")], False),
        ([failed(THEN, kind=None), done(THEN + SECOND, kind=None)], True),
        ([failed(THEN, kind=None), done(THEN + SECOND)], False),
        ([failed(NOW - GAP), done(NOW - SECOND)], False),
        ([failed(NOW - GAP - SECOND), done(NOW - SECOND)], True),
    ],
    ids=[
        "alone",
        "success",
        "before",
        "other kind",
        "one of two kinds",
        "unknown kind",
        "unknown and known",
        "at the gap",
        "past the gap",
    ],
)
def test_an_incident_is_over_after_the_gap_and_a_success(jobs: list[Job], is_over: bool) -> None:
    assert [one.is_over for one in incidents(explained(*jobs), NOW)] == [is_over]


def test_an_incident_that_is_not_over_matters_to_a_later_period_and_one_that_is_does_not() -> None:
    opened = incidents(explained(failed(THEN), failed(THEN, "other", kind="speaking"), done(THEN + SECOND)), NOW)
    assert [one.signature for one in of_period(opened, THEN + SECOND)] == ["other"]
    assert len(of_period(opened, THEN)) == 2


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (None, "23 Nov 12:00 to 13:00, 2 jobs"),
        (THEN - GAP, "23 Nov 12:00 to 13:00, 2 jobs"),
        (THEN - GAP + SECOND, "since before 23 Nov 12:00, until 13:00, 2 jobs"),
    ],
)
def test_an_incident_that_may_have_begun_before_what_was_read_says_so(since: datetime | None, expected: str) -> None:
    (one,) = incidents(explained(failed(THEN), failed(THEN + timedelta(hours=1))), NOW, since)
    assert expected in sentence(one, NOW, ZoneInfo("UTC"))
    (alone,) = incidents(explained(failed(THEN)), NOW, since)
    assert ("since before 23 Nov 12:00, 1 job" in sentence(alone, NOW, ZoneInfo("UTC"))) == ("before" in expected)


def test_what_goes_on_comes_first_then_the_newest() -> None:
    jobs = [failed(THEN, "old"), failed(NOW - GAP - 2 * SECOND, "new"), failed(NOW, "now"), done(NOW)]
    assert [one.signature for one in incidents(explained(*jobs), NOW)] == ["now", "new", "old"]


def test_an_incident_counts_its_students_and_who_recovered_and_keeps_its_code_while_it_goes_on() -> None:
    jobs = [failed(THEN), failed(THEN + SECOND, user="v"), failed(THEN + SECOND, user=None), done(THEN + GAP)]
    (one,) = incidents(explained(*jobs), NOW)
    assert (one.jobs, one.students, one.recovered) == (3, ("u", "v"), 1)
    (longer,) = incidents(explained(*jobs, failed(THEN + GAP)), NOW)
    assert longer.code == one.code
    assert len(longer.rows(explained(*jobs, failed(THEN + GAP)))) == longer.jobs == 4
    assert incidents(explained(failed(THEN, "other")), NOW)[0].code != one.code


def test_errors_are_a_row_each_most_jobs_first() -> None:
    jobs = [failed(THEN, "a"), failed(NOW, "b"), failed(THEN, "b", "v"), done(THEN + SECOND)]
    table = errors(explained(*jobs).query("state == 'failed'"))
    assert table.to_dict("list") == {
        "signature": ["b", "a"],
        "jobs": [2, 1],
        "students": [2, 1],
        "first": [pd.Timestamp(THEN), pd.Timestamp(THEN)],
        "last": [pd.Timestamp(NOW), pd.Timestamp(THEN)],
        "recovered": [1, 0],
    }
    jobs.append(failed(None, "c"))
    history = failures_over_time(explained(*jobs).query("state == 'failed'"), THEN, NOW + SECOND, 3)
    assert history == {"b": [1, 0, 1], "a": [1, 0, 0], "c": [0, 0, 0]}


def test_what_a_person_gave_up_is_abandoned_and_nothing_else() -> None:
    mark = str(Mark("ops@example", NOW))
    assert Mark.parse(mark) == Mark("ops@example", NOW)
    for text in (None, "", f"{mark}!", mark.replace("2026-11-26", "2026-11-31"), "Marked as failed by nobody"):
        assert Mark.parse(text) is None
    jobs = explained(failed(THEN, mark), failed(THEN, "late"), done(THEN + SECOND, "u"), done(THEN, "w"))
    totals = job_states.totals(jobs)
    assert (totals.failed, totals.abandoned, totals.recovered, totals.finished) == (1, 1, 1, 3)
    assert totals.not_recovered == 0
    counts = job_states.over_time(jobs, NOW - timedelta(days=7), NOW, "UTC")
    assert counts[["completed", "failed", "abandoned", "unfinished"]].sum().tolist() == [2, 1, 1, 0]
    assert job_states.rates(jobs, "kind").to_dict("records") == [{"value": "writing", "failed": 1, "finished": 3}]


def test_the_sentence_says_when_how_many_whom_and_whether_it_is_over() -> None:
    throttled = "ThrottlingException: Too many requests to model gemini-2.5-pro, retry after 7 ms"
    jobs = [failed(THEN, throttled), failed(THEN + timedelta(hours=1), throttled, "v"), done(THEN + GAP)]
    (one,) = incidents(explained(*jobs), NOW)
    assert sentence(one, NOW, ZoneInfo("Asia/Ho_Chi_Minh")) == (
        "Throttled: 23 Nov 19:00 to 20:00, 2 jobs, 2 students, 1 recovered. Over for 2 days."
    )
    (alone,) = incidents(explained(failed(NOW - SECOND)), NOW)
    assert sentence(alone, NOW, ZoneInfo("UTC")).endswith("0 recovered. Going on: last failure 1 s ago.")
    (quiet,) = incidents(explained(failed(THEN)), NOW)
    assert sentence(quiet, NOW, ZoneInfo("UTC")).endswith("No success since, for 3 days.")
    # Of a period that ended three days ago, nobody looked at what came later.
    (past,) = incidents(explained(failed(THEN)), THEN + GAP)
    assert sentence(past, NOW, ZoneInfo("UTC")).endswith("Not over by 23 Nov 14:00: what came later was not loaded.")
    assert names(one, {"u": "Mai", "v": "Long"}.__getitem__, most=1) == "Mai and 1 more"


def test_a_title_is_short_whatever_the_message() -> None:
    assert len(title("x" * 160)) == 80
    assert len(title("timed out " + "x" * 150)) < 100


@pytest.mark.parametrize(
    ("hours", "expected"),
    [
        ((), ""),
        ((0.1,), ""),
        ((7,), "1 job stuck (since 05:00)."),
        ((1,), "1 job overdue (since 11:00)."),
        ((7, 30, 1), "2 jobs stuck (oldest since 25 Nov, 06:00), 1 overdue."),
    ],
)
def test_what_hangs_is_counted_with_the_start_of_the_oldest(hours: tuple[float, ...], expected: str) -> None:
    jobs = explained(*(("processing", "u", "writing", NOW - timedelta(hours=h), None) for h in hours))
    assert hanging(jobs, NOW, ZoneInfo("UTC")) == expected
