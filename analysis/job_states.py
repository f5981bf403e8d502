"""What a job's status means at a given time, and how the jobs of a period stand: totals, rates, groups of failures."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import pandas as pd

from data.schema import COMPLETED, FAILED, PROCESSING

State: TypeAlias = Literal["completed", "failed", "waiting", "overdue", "stuck", "unknown"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a processing job is overdue (a Lambda runs 15 minutes at most) and stuck (nothing retries for six hours).

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """

    overdue: timedelta = timedelta(minutes=15)
    stuck: timedelta = timedelta(hours=6)


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
    if status != PROCESSING or created_at is None:
        return "unknown"
    age = now - created_at
    if age < thresholds.overdue:
        return "waiting"
    return "overdue" if age < thresholds.stuck else "stuck"


def with_states(jobs: pd.DataFrame, now: datetime, thresholds: Thresholds = Thresholds()) -> pd.DataFrame:
    """The jobs with `state`, and with `recovered`: a failed, overdue or stuck one that was done again since.

    Done again means: a later completed job of the same kind by the same student.
    """
    ended = jobs["status"].astype("object").map({COMPLETED: "completed", FAILED: "failed"}).fillna("unknown")
    # By place, because frames that were joined have labels twice.
    states = ended.to_numpy(dtype="object", copy=True)
    # Few are open, and one by one all of them would take longer than the rest of the page.
    waiting = (jobs["status"] == PROCESSING).to_numpy(dtype=bool, na_value=False)
    states[waiting] = [
        state(PROCESSING, None if pd.isna(began) else began, now, thresholds) for began in jobs["created_at"][waiting]
    ]
    done = jobs[jobs["status"] == COMPLETED].groupby(["user_id", "kind"], dropna=True)["created_at"].max()
    last = pd.MultiIndex.from_frame(jobs[["user_id", "kind"]])
    again = pd.Series(done.reindex(last).array, index=jobs.index) > jobs["created_at"]
    labelled = jobs.assign(state=pd.Series(states, index=jobs.index, dtype="object"))
    lost = labelled["state"].isin(["failed", "overdue", "stuck"])
    return labelled.assign(recovered=lost & again)


@dataclass(frozen=True, slots=True)
class Totals:
    """How a period's jobs stand. `recovered` are those of failed, overdue and stuck that were done again since."""

    failed: int
    overdue: int
    stuck: int
    waiting: int
    completed: int
    recovered: int

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
    )


def between(jobs: pd.DataFrame, first: datetime, last: datetime) -> pd.DataFrame:
    """The jobs created from `first` up to, but not including, `last`."""
    return jobs[(jobs["created_at"] >= first) & (jobs["created_at"] < last)].reset_index(drop=True)


def over_time(jobs: pd.DataFrame, first: datetime, last: datetime, zone: str) -> pd.DataFrame:
    """Completed, failed and unfinished jobs per hour (up to two days) or per local day; empty ones are zeros.

    Columns: start (datetime64, local, no zone), completed, failed, unfinished (int).
    """
    hourly = last - first <= timedelta(days=2)
    unit = "h" if hourly else "D"
    begin, end = (pd.Timestamp(moment).tz_convert(zone).tz_localize(None).floor(unit) for moment in (first, last))
    starts = pd.date_range(begin, end, freq=unit)
    local = jobs["created_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.floor(unit)
    kind = jobs["state"].map({"completed": "completed", "failed": "failed"}).fillna("unfinished")
    counts = pd.crosstab(local, kind) if len(jobs) else pd.DataFrame(index=starts)
    counts = counts.reindex(index=starts, columns=["completed", "failed", "unfinished"], fill_value=0)
    return counts.rename_axis(index="start", columns=None).reset_index()


def rates(jobs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Per value of `column` (kind or model_used): value, failed, finished, most failed first; only finished jobs."""
    finished = jobs[jobs["state"].isin(["failed", "completed"])]
    named = finished.assign(value=finished[column].fillna("not recorded"))
    table = named.groupby("value")["state"].agg(failed=lambda states: int((states == "failed").sum()), finished="size")
    return table.reset_index().sort_values(["failed", "finished"], ascending=False, ignore_index=True)


def groups(failed: pd.DataFrame, first: datetime, last: datetime, parts: int = 4) -> pd.DataFrame:
    """Failures by `signature` and part of the period: a row per signature, most frequent first.

    Columns: signature, the parts' starts (datetimes, oldest first), total. `failed` has signature and created_at.
    """
    edges = [first + (last - first) * n / parts for n in range(parts)]
    places = [max(n for n, edge in enumerate(edges) if moment >= edge) for moment in failed["created_at"]]
    table = pd.crosstab(failed["signature"], pd.Series(places, index=failed.index, dtype="int64"))
    table = table.reindex(columns=range(parts), fill_value=0)
    table.columns = pd.Index(edges, dtype="object")
    table = table.assign(total=table.sum(axis=1)).rename_axis("signature").reset_index()
    return table.sort_values(["total", "signature"], ascending=[False, True], ignore_index=True)
