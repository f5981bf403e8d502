"""Evaluations as a page's frame, from a line of facts each: for the tests of a student's progress and of the class."""

import dataclasses
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.records import evaluations
from data.schema import BANDS, COMPLETED, CRITERIA, OVERALL, WRITING

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)  # a Monday
NAN = math.nan
MICROSECOND = timedelta(microseconds=1)


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


def shuffled(table: pd.DataFrame, random: Any) -> pd.DataFrame:
    """The same rows in another order, each with its label; `random` is hypothesis's."""
    return table.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32)))


def alike(one: Any, other: Any) -> bool:
    """Whether two results are equal but for the last digits; NaN is equal to itself."""
    if isinstance(one, float):
        return bool(one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True))
    if isinstance(one, dict):
        return list(one) == list(other) and alike(list(one.values()), list(other.values()))
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return type(one) is type(other) and all(alike(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)
