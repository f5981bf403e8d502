"""What a job's status means at a given time, and how the jobs of a period stand: totals and rates."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.fingerprints import signature
from data.records.frames import JOB_COUNTS, JOB_RATES
from data.records.jobs import Key, Mark
from data.schema import COMPLETED, FAILED, PROCESSING

State: TypeAlias = Literal["completed", "failed", "abandoned", "waiting", "overdue", "stuck", "unknown"]

ABANDONED = "abandoned"
"""No status of a record: what stands in its place once it is known that a person marked the job as failed."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a processing job is overdue (a Lambda runs 15 minutes at most) and stuck (nothing retries for six hours).

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    overdue: timedelta = timedelta(minutes=15)
    stuck: timedelta = timedelta(hours=6)


USUAL = Thresholds()
"""What holds unless somebody chooses others on Jobs."""

Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

_DAY = pd.Timedelta(days=1)
_ENDS = pd.Index(JOB_COUNTS).drop("start")
FEWEST_FINISHED = 20
"""Jobs, below which a failure rate says nothing."""


def state(
    status: str | None, created_at: datetime | None, now: datetime, thresholds: Thresholds = Thresholds()
) -> State:
    """The state of a job; unknown where the status is none of the three, or a processing job has no time.

    >>> from datetime import UTC
    >>> state("processing", datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, 15, tzinfo=UTC))
    'overdue'
    """
    if status == COMPLETED:
        return "completed"
    if status == FAILED:
        return "failed"
    if status == ABANDONED:
        return "abandoned"
    if status != PROCESSING or created_at is None:
        return "unknown"
    age = now - created_at
    if age < thresholds.overdue:
        return "waiting"
    return "overdue" if age < thresholds.stuck else "stuck"


DONE_AGAIN = timedelta(days=1)
"""A result of the same student and kind within a day of a failure is the same work done again; a later one is not.

Of a document that is known, only cards from that one are.
"""


def with_states(jobs: pd.DataFrame, now: datetime, thresholds: Thresholds = Thresholds()) -> pd.DataFrame:
    """The jobs with `state`, `recovered` and `practised_since`, both only of failed, overdue and stuck ones.

    Recovered: the student's next completed job of the same kind, and of the same document where that is known, began
    within a day. Practised since: it began later, so that it is likely another piece of work.
    """
    status = jobs["status"].astype("object")
    ended = status.where(status.isin([COMPLETED, FAILED, ABANDONED]), "unknown")
    # By place, because frames that were joined have labels twice.
    states = ended.to_numpy(dtype="object", copy=True)
    # Few are open, and one by one all of them would take longer than the rest of the page.
    waiting = (jobs["status"] == PROCESSING).to_numpy(dtype=bool, na_value=False)
    states[waiting] = [
        state(PROCESSING, None if pd.isna(began) else began, now, thresholds) for began in jobs["created_at"][waiting]
    ]
    labelled = jobs.assign(state=pd.Series(states, index=jobs.index, dtype="object"))
    missing = labelled["state"].isin(["failed", "overdue", "stuck"]).to_numpy()
    wait = _until_next_result(jobs, missing)
    again = wait <= np.timedelta64(DONE_AGAIN)
    return labelled.assign(recovered=again, practised_since=~np.isnat(wait) & ~again)


def _until_next_result(jobs: pd.DataFrame, missing: np.ndarray[Any, np.dtype[np.bool_]]) -> Any:
    """How long after each of the jobs that are `missing` the student's next completed one of its kind began, else NaT.

    By place. Jobs without a student, a kind or a time have none and are none.
    """
    wait = np.full(len(jobs), np.timedelta64("NaT", "us"), dtype="timedelta64[us]")
    students, kinds = (pd.factorize(jobs[name])[0] for name in ("user_id", "kind"))
    usable = (students >= 0) & (kinds >= 0) & jobs["created_at"].notna().to_numpy()
    affected = np.zeros(students.max(initial=-1) + 1, dtype=bool)
    affected[students[missing & usable]] = True
    done = (jobs["status"] == COMPLETED).to_numpy(dtype=bool, na_value=False) & usable
    done[done] = affected[students[done]]
    begun, ended = np.flatnonzero(missing & usable), np.flatnonzero(done)
    if not (len(begun) and len(ended)):
        return wait
    times = jobs["created_at"].to_numpy(dtype="datetime64[us]")
    both = np.concatenate([begun, ended])
    group = students[both] * (kinds.max() + 1) + kinds[both]
    documents = _documents(jobs, both)
    named = documents >= 0
    of_document = np.unique(group * (documents.max() + 2) + documents + 1, return_inverse=True)[1]
    is_begun = np.arange(len(both)) < len(begun)
    # What names no document may be of any of them, so that every later result counts.
    for begins, ends, of in (
        (is_begun & ~named, ~is_begun, group),
        (is_begun & named, ~is_begun & named, of_document),
    ):
        wait[both[begins]] = _until_next(times[both[begins]], times[both[ends]], of[begins], of[ends])
    return wait


def _documents(jobs: pd.DataFrame, places: Places) -> Places:
    """A number for the document of each of these jobs; -1 where it is of none that is known."""
    if "document_id" not in jobs:
        return np.full(len(places), -1)
    documents = jobs["document_id"].iloc[places]
    codes: Places = pd.factorize(documents.where(documents != ""))[0]
    return codes


def _until_next(begun: Any, ended: Any, of_begun: Places, of_ended: Places) -> Any:
    """How long after each of the times `begun` the next one of those `ended` in the same group is, else NaT."""
    wait = np.full(len(begun), np.timedelta64("NaT", "us"), dtype="timedelta64[us]")
    if not (len(begun) and len(ended)):
        return wait
    # Group, then time, as one number, so that the next one is found by a binary search. Times go in by their rank: as
    # microseconds they would not fit.
    rank = np.unique(np.concatenate([begun, ended]), return_inverse=True)[1]
    size = len(rank)
    order = np.argsort(of_ended * size + rank[len(begun) :], kind="stable")
    place = (of_ended * size + rank[len(begun) :])[order]
    later = np.searchsorted(place, of_begun * size + rank[: len(begun)], side="right")
    there = later < len(order)
    later = order[np.minimum(later, len(order) - 1)]
    there &= of_ended[later] == of_begun
    wait[there] = (ended[later] - begun)[there]
    return wait


def with_reasons(jobs: pd.DataFrame, reasons: Mapping[Key, str | None]) -> pd.DataFrame:
    """Jobs that have states with `why` and `signature`: of each failed one whose reason was read, else None.

    A job whose reason says that a person gave it up is abandoned: it has not failed, and nothing of it is to recover.
    """
    # By place, because frames that were joined have labels twice.
    why, signatures = (np.full(len(jobs), None, dtype="object") for _ in range(2))
    state = jobs["state"].to_numpy(dtype="object", copy=True)
    failed = np.flatnonzero(state == "failed")
    for place, key in zip(failed, Key.of_rows(jobs.iloc[failed]), strict=True):
        if key in reasons:
            why[place] = reasons[key]
            if Mark.parse(reasons[key]):
                state[place] = ABANDONED
            else:
                signatures[place] = signature(reasons[key])
    is_failed = state != ABANDONED
    return jobs.assign(
        recovered=jobs["recovered"] & is_failed,
        practised_since=jobs["practised_since"] & is_failed,
        **{
            name: pd.Series(values, index=jobs.index, dtype="object")
            for name, values in (("state", state), ("why", why), ("signature", signatures))
        },
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """How a period's jobs stand. `recovered` are those of failed, overdue and stuck that were done again since.

    `abandoned` were marked as failed by a person: they count neither as failed nor as finished.
    """

    failed: int
    overdue: int
    stuck: int
    waiting: int
    completed: int
    recovered: int
    abandoned: int = 0

    @property
    def not_recovered(self) -> int:
        """Failed, overdue and stuck jobs that were not done again."""
        return self.failed + self.overdue + self.stuck - self.recovered

    @property
    def finished(self) -> int:
        """Jobs that came to an end, well or not."""
        return self.failed + self.completed

    @property
    def failure_rate(self) -> float:
        """Failed of finished, 0 to 1; NaN where nothing finished."""
        return self.failed / self.finished if self.finished else math.nan


def totals(jobs: pd.DataFrame) -> Totals:
    """Totals of jobs that have states."""
    count = jobs["state"].value_counts()
    return Totals(
        failed=int(count.get("failed", 0)),
        overdue=int(count.get("overdue", 0)),
        stuck=int(count.get("stuck", 0)),
        waiting=int(count.get("waiting", 0)),
        completed=int(count.get("completed", 0)),
        recovered=int(jobs["recovered"].sum()),
        abandoned=int(count.get("abandoned", 0)),
    )


def between(jobs: pd.DataFrame, first: datetime, last: datetime) -> pd.DataFrame:
    """The jobs created from `first` up to, but not including, `last`."""
    return jobs[(jobs["created_at"] >= first) & (jobs["created_at"] < last)].reset_index(drop=True)


def is_hourly(first: datetime, last: datetime) -> bool:
    """Whether jobs of such a stretch of time are counted by the hour, up to two days; else by the day."""
    return last - first <= timedelta(days=2)


def over_time(jobs: pd.DataFrame, first: datetime, last: datetime, zone: str) -> pd.DataFrame:
    """How the jobs of each hour or local day (see `is_hourly`) ended; empty ones are zeros (`frames.JOB_COUNTS`).

    Hours are those that pass, not those of the wall clock, which come twice or not at all where clocks change.
    """
    begin, end = (pd.Timestamp(moment).tz_convert(zone) for moment in (first, last))
    if is_hourly(first, last):
        begin = (begin - (begin.tz_localize(None) - begin.tz_localize(None).floor("h"))).tz_convert("UTC")
        starts = pd.date_range(begin, end.tz_convert("UTC") + pd.Timedelta(hours=1), freq="h", unit="us")
    else:
        days = pd.date_range(begin.tz_localize(None).normalize(), end.tz_localize(None) + _DAY, freq="D", unit="us")
        # Where clocks change at midnight, a day begins with the first of two, or after the one that never was.
        is_first = np.ones(len(days), dtype=bool)
        starts = days.tz_localize(zone, ambiguous=is_first, nonexistent="shift_forward").tz_convert("UTC")
    # The last start is only the end of the hour or day before it.
    place = starts.searchsorted(pd.DatetimeIndex(jobs["created_at"]), side="right") - 1
    end_of_job = _ENDS.get_indexer(pd.Index(jobs["state"]))
    end_of_job[end_of_job < 0] = _ENDS.tolist().index("unfinished")
    within = (place >= 0) & (place < len(starts) - 1)
    number = place[within] * len(_ENDS) + end_of_job[within]
    counts = np.bincount(number, minlength=(len(starts) - 1) * len(_ENDS)).reshape(-1, len(_ENDS))
    return JOB_COUNTS.typed(pd.DataFrame({"start": starts[:-1]} | dict(zip(_ENDS, counts.T, strict=True))))


def rates(jobs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Per value of `column` (kind or model_used): value, failed, finished, most failed first; only finished jobs."""
    finished = jobs[jobs["state"].isin(["failed", "completed"])]
    of_job, values = pd.factorize(finished[column].fillna("Unknown").to_numpy(dtype="object"), sort=True)
    failed = of_job[(finished["state"] == "failed").to_numpy()]
    table = pd.DataFrame(
        {
            "value": values,
            "failed": np.bincount(failed, minlength=len(values)),
            "finished": np.bincount(of_job, minlength=len(values)),
        }
    )
    return JOB_RATES.typed(table.sort_values(["failed", "finished"], ascending=False, ignore_index=True))
