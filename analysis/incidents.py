"""Incidents: failures of one fingerprint that are close in time; since when, whom they hit, whether they are over.

The rule: a failure belongs to the incident of its fingerprint whose last failure is at most `GAP` before it, else it
begins a new one. An incident is over once `GAP` has passed since its last failure and a job of each of its kinds that
began after that was completed. Until then nobody can know, and it goes on.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from data.records.frames import ERRORS
from data.records.parse import FIRST, LAST

GAP = timedelta(hours=2)
"""Failures farther apart than this are two incidents; AWS tries a failed job again within minutes, not hours."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Failures of one cause. `jobs` of them, the `students` (user_ids, in order), how many `recovered`."""

    signature: str
    first: datetime
    last: datetime
    jobs: int
    students: tuple[str, ...]
    recovered: int
    is_over: bool
    as_of: datetime
    """Until when was looked: of what came later nothing is known."""
    may_be_older: bool = False
    """Whether it may have begun earlier: so short before its first failure nobody looked."""

    @property
    def code(self) -> str:
        """Names it in an address: the same while it goes on."""
        return f"{code_of(self.signature)}-{self.first:%Y%m%dT%H%M%S}"

    def is_called(self, code: str) -> bool:
        """Whether a link of this code means it: who looks back less far sees the same incident begin later."""
        moment = began(code)
        if moment is None or self.code.partition("-")[0] != code.partition("-")[0]:
            return False
        return self.first.replace(microsecond=0) <= moment <= self.last

    def rows(self, jobs: pd.DataFrame) -> pd.DataFrame:
        """Its jobs out of jobs with signatures."""
        within = (jobs["created_at"] >= self.first) & (jobs["created_at"] <= self.last)
        return jobs[(jobs["signature"] == self.signature) & (jobs["state"] == "failed") & within]


def code_of(signature: str) -> str:
    """Names an error in an address, which shall hold no words of a message: it may quote a student's text.

    Nobody finds a message that is named as another one.

    >>> code_of("KeyError: 'feedback'")
    'd69406688d020625'
    """
    return blake2b(signature.encode(errors="replace"), digest_size=8).hexdigest()


def began(code: str) -> datetime | None:
    """When the incident of this code began; None where it is no code, or of a time that no record can have."""
    try:
        moment = datetime.strptime(code.partition("-")[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return moment if FIRST <= moment < LAST else None


def incidents(jobs: pd.DataFrame, now: datetime, since: datetime | None = None) -> list[Incident]:
    """The incidents among jobs with states and signatures as of `now`: those that go on, then the newest.

    `since` is from when on all failures and their reasons are known, where that is not forever.

    A failure without a time or a signature, because its record could not be read, is in none.
    """
    jobs = jobs.assign(kind=jobs["kind"].fillna(""))  # what is of no kind that can be read is a kind too
    failed = jobs[jobs["state"] == "failed"].dropna(subset=["created_at", "signature"])
    failed = failed.sort_values("created_at", kind="stable")
    completed = jobs[jobs["state"] == "completed"].dropna(subset=["created_at"])
    successes = completed.groupby("kind")["created_at"].max().to_dict()
    every = []
    for text, of_cause in failed.groupby("signature", sort=False):
        # A new one wherever the time since the failure before is longer than the gap.
        pauses = np.flatnonzero(of_cause["created_at"].diff() > GAP)
        times, kinds = of_cause["created_at"].dt.to_pydatetime().tolist(), of_cause["kind"].to_numpy()
        students, recovered = of_cause["user_id"].to_numpy(), of_cause["recovered"].to_numpy()
        for begin, end in pairwise([0, *pauses.tolist(), len(times)]):
            last = times[end - 1]
            later = [kind in successes and successes[kind] > last for kind in pd.unique(kinds[begin:end])]
            every.append(
                Incident(
                    str(text),
                    times[begin],
                    last,
                    end - begin,
                    _students(students[begin:end]),
                    int(recovered[begin:end].sum()),
                    now - last > GAP and all(later),
                    now,
                    since is not None and times[begin] - since < GAP,
                )
            )
    return sorted(every, key=lambda one: (one.is_over, -one.last.timestamp(), one.signature))


def of_period(several: Iterable[Incident], first: datetime) -> list[Incident]:
    """Those that matter for a period from `first` on: with a failure in it, or not over when it began."""
    return [one for one in several if one.last >= first or not one.is_over]


def errors(failed: pd.DataFrame) -> pd.DataFrame:
    """Failures by `signature`, most jobs first (`frames.ERRORS`)."""
    explained = failed.dropna(subset=["signature"])
    rows = [
        {
            "signature": text,
            "jobs": len(of_cause),
            "students": len(_students(of_cause["user_id"])),
            "first": of_cause["created_at"].min(),
            "last": of_cause["created_at"].max(),
            "recovered": int(of_cause["recovered"].sum()),
        }
        for text, of_cause in explained.groupby("signature")
    ]
    table = ERRORS.typed(pd.DataFrame(rows, columns=[*ERRORS]))
    return table.sort_values(["jobs", "signature"], ascending=[False, True], ignore_index=True)


def failures_over_time(failed: pd.DataFrame, first: datetime, last: datetime, parts: int = 24) -> dict[str, list[int]]:
    """By signature, how many failures fell into each of so many equal parts of the time from `first` to `last`."""
    placed = failed.dropna(subset=["signature", "created_at"])
    part = ((placed["created_at"] - first) / (last - first) * parts).clip(0, parts - 1).astype(int)
    by_cause = {str(text): [0] * parts for text in failed["signature"].dropna().unique()}
    for text, number in zip(placed["signature"], part, strict=True):
        by_cause[text][number] += 1
    return by_cause


def _students(user_ids: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({user_id for user_id in user_ids if isinstance(user_id, str)}))
