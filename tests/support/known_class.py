"""A class whose records are known."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from data.demo import engine
from data.dynamodb.client import Store
from data.schema import COMPLETED, CRITERIA, EVALUATIONS, FAILED, OVERALL, WRITING
from exports import spreadsheets

DAY = 86_400


def completed(user_id: str, days: float, band: float, kind: str = WRITING, **changes: Any) -> dict[str, Any]:
    """A record of so many days ago whose criteria are as its band."""
    return {
        "evaluation_id": f"{user_id}-{kind}-{days:g}",
        "user_id": user_id,
        "evaluation_type": kind,
        "status": COMPLETED,
        OVERALL: f"{band:.1f}",
        **dict.fromkeys(CRITERIA[kind], f"{band:.1f}"),
        "feedback": json.dumps({"weaknesses": ["Check every verb."]}),
        "created_at": int(datetime.now(UTC).timestamp() - days * DAY),
        **changes,
    }


def failed(user_id: str, days: float, kind: str = WRITING) -> dict[str, Any]:
    """A job of so many days ago that failed."""
    record = completed(user_id, days, 0.0, kind, status=FAILED)
    return {name: value for name, value in record.items() if not name.endswith("_band") and name != "feedback"}


def put(store: Store, *records: dict[str, Any]) -> None:
    """Write them into the evaluations."""
    engine.write(store.client, store.settings.name(EVALUATIONS), list(records))


def read(files: dict[str, Callable[[], bytes]], beginning: str) -> tuple[str, pd.DataFrame]:
    """The last such file's name (the first run is of the bare page) and what pandas reads of it."""
    name = [name for name in files if name.startswith(beginning) and name.endswith(".csv")][-1]
    return name, pd.read_csv(io.BytesIO(files[name]()), skiprows=spreadsheets.HEAD, encoding="utf-8-sig")
