"""What a record's status means at a given time: a job that is still processing is waiting, overdue or stuck."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

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
