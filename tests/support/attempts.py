"""Evaluations as a page's frame, from a line of facts each: for the tests of a student's progress and of the class."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from data.records import evaluations
from data.schema import BANDS, COMPLETED, CRITERIA, OVERALL, WRITING

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday


def ago(days: float = 0, **more: float) -> datetime:
    """So long before NOW."""
    return NOW - timedelta(days=days, **more)


def attempt(
    when: datetime | float | None, band: float = 6.0, user: str | None = "u", kind: str | None = WRITING, **changes: Any
) -> dict[str, Any]:
    """An evaluation at `when` (a time, days before NOW, or None: unreadable) whose criteria are as its band."""
    return {
        "user_id": user,
        "evaluation_type": kind,
        "status": COMPLETED,
        OVERALL: band,
        **dict.fromkeys(CRITERIA.get(kind or "", ()), band),
        "created_at": when if when is None or isinstance(when, datetime) else ago(when),
        **changes,
    }


def frame(*attempts: dict[str, Any]) -> pd.DataFrame:
    """A row per attempt, in the order given; each has an id of its own unless it brings one."""
    columns = evaluations.frame([]).columns
    empty = {**dict.fromkeys(columns), **dict.fromkeys(BANDS, math.nan), "issues": ()}
    rows = [{**empty, "evaluation_id": f"e{n:03}", **attempt} for n, attempt in enumerate(attempts)]
    table = pd.DataFrame(rows, columns=columns, dtype="object").astype(dict.fromkeys(BANDS, "float64"))
    return table.assign(created_at=pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]"))
