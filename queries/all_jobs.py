"""The jobs of both tables over a time, with their states, and why the failed ones failed: for Jobs and for `check`."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from analysis import job_states
from analysis.job_states import Thresholds
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.records.jobs import FLASHCARDS, Key, combined
from queries import background, records
from queries.background import LoadProgress
from queries.cache import FRESH, Query
from queries.once import Once
from queries.session import Session

LONGEST_WINDOW = 400
"""Days: what is longer is read for whoever asks, so that it need not be kept up to date."""
_MOST_REASONS = 500  # failed jobs of which a page asks why


@dataclass(slots=True)
class AllJobs:
    """Jobs with states, reasons and signatures. `failures` are of what could not be read: a table, or `reasons`.

    `unread` failed jobs of the period are too many for their reasons to be read; those up to `unread_until` are.
    From `known_since` until `known_until`, all jobs and reasons were asked for; until now where that is None.
    """

    jobs: pd.DataFrame
    failures: dict[str, Failure]
    unread: int = 0
    unread_until: datetime | None = None
    known_since: datetime | None = None
    known_until: datetime | None = None


def between(
    session: Session,
    first: datetime,
    last: datetime,
    now: datetime,
    limits: Thresholds,
    within: timedelta = FRESH,
    most_reasons: int = _MOST_REASONS,
    explained_from: datetime | None = None,
) -> AllJobs:
    """All jobs from `first` to `last`, with the reasons of those that failed, the newest `most_reasons` of them.

    With `explained_from` those come first that failed from then on, beginning there: what a link is about may be older.

    Failure when neither table can be read. What reaches until now comes from the windows that every page shares, and a
    later look reads only what is new.
    """
    frame, failures = _read(session, first, last, now, within)
    jobs = job_states.with_states(frame, now, limits)
    if not _is_window(first, last, now):
        jobs = jobs[~(jobs["created_at"] >= last)]
    failed = jobs[jobs["state"] == "failed"]
    if explained_from is not None:
        is_first = failed["created_at"] >= explained_from
        failed = pd.concat([failed[is_first].iloc[::-1], failed[~is_first]])
    reasons: dict[Key, str | None] = {}
    if len(failed):
        try:
            reasons = session.read(records.failure_reasons, tuple(Key.of_rows(failed.head(most_reasons))))
        except Failure as failure:
            failures["reasons"] = failure
    unread = failed["created_at"].iloc[most_reasons:]
    later = unread.iloc[:0] if explained_from is None else unread[unread >= explained_from]
    earlier = unread if explained_from is None else unread[unread < explained_from]
    known_since = _since(first, last, now)
    return AllJobs(
        job_states.with_reasons(jobs, reasons),
        failures,
        len(unread),
        _newest(unread),
        max(known_since, _newest(earlier) or known_since),
        _moment(later.min()),
    )


def _newest(times: "pd.Series[pd.Timestamp]") -> datetime | None:
    return _moment(times.max())


def _moment(time: pd.Timestamp) -> datetime | None:
    return None if pd.isna(time) else time.to_pydatetime()


def loading(first: datetime, last: datetime, now: datetime) -> LoadProgress | None:
    """How far the jobs from `first` to `last` are read, where that takes long; None where it does not."""
    return background.of_everything(_days(first, now)) if _is_window(first, last, now) else None


def _days(first: datetime, now: datetime) -> int:
    # One at least: a period may begin in the future.
    return max(1, math.ceil((now - first) / timedelta(days=1)))


def _since(first: datetime, last: datetime, now: datetime) -> datetime:
    """From when on jobs are read: a window has whole days."""
    return now - timedelta(days=_days(first, now)) if _is_window(first, last, now) else first


def _is_window(first: datetime, last: datetime, now: datetime) -> bool:
    return last >= now and _days(first, now) <= LONGEST_WINDOW


def _read(
    session: Session, first: datetime, last: datetime, now: datetime, within: timedelta
) -> tuple[pd.DataFrame, dict[str, Failure]]:
    if _is_window(first, last, now):
        arguments: tuple[Any, ...] = (_days(first, now),)
        queries: dict[str, Query[..., Once[pd.DataFrame]]] = {
            "evaluations": records.period.later,
            FLASHCARDS: records.sets_period.later,
        }
    else:
        # All of it is read anew each time: whoever looks every ten seconds has an answer of some minutes like others.
        # Whether work was done again is for the day after to say.
        arguments, within = (first, last + job_states.DONE_AGAIN), max(within, FRESH)
        queries = {"evaluations": records.evaluations_between.later, FLASHCARDS: records.sets_between.later}
    session.ahead(*((query, *arguments) for query in queries.values()), within=within)
    answers: dict[str, Read[Once[pd.DataFrame]]] = {}
    failures: dict[str, Failure] = {}
    for table, query in queries.items():
        try:
            answers[table] = session.answer_within(within, query, *arguments).read
        except Failure as failure:
            failures[table] = failure.to_keep()
            session.lack(now)
    if not answers:
        raise failures["evaluations"]
    versions = tuple((table, answer.read_at) for table, answer in answers.items())

    def make() -> pd.DataFrame:
        frames = {table: answer.value() for table, answer in answers.items()}
        return combined(frames.get("evaluations"), frames.get(FLASHCARDS))

    return session.derive(("jobs", versions, arguments), make), failures
