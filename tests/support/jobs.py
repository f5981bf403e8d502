"""Jobs that have states."""

from datetime import datetime, timedelta

import pandas as pd

from analysis import job_states
from analysis.job_states import Thresholds
from data.records.jobs import Key


def jobs_of_states(now: datetime, reason: str = "boom | of\nuser-1", **counts: int) -> pd.DataFrame:
    """So many jobs of each state, the failed ones with a reason."""
    ages = {"stuck": 400, "overdue": 60}
    rows = [
        {
            "table": "evaluations",
            "job_id": f"{state}-{n}",
            "user_id": f"user-{n}",
            "kind": "writing",
            "status": "processing" if state in ages else state,
            "model_used": "m",
            "created_at": now - timedelta(minutes=ages.get(state, 30)),
        }
        for state, count in counts.items()
        for n in range(count)
    ]
    names = ["table", "job_id", "user_id", "kind", "status", "model_used", "created_at"]
    jobs = pd.DataFrame(rows, columns=names)
    jobs["created_at"] = pd.to_datetime(jobs["created_at"], utc=True).astype("datetime64[us, UTC]")
    labelled = job_states.with_states(jobs, now, Thresholds())
    return job_states.with_reasons(labelled, dict.fromkeys(Key.of_rows(jobs), reason))
