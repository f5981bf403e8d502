"""Which evaluations a person gave up: only the whole records say so, and a teacher misses no result of those."""

from datetime import datetime

import numpy as np
import pandas as pd

from analysis import attention
from analysis.job_states import ABANDONED
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.records.jobs import Key, Mark
from data.schema import FAILED
from queries import records
from queries.session import Session

UNREAD = "Which failed evaluations a person gave up could not be read: those too count as missing results here."
"""The note of numbers that are not whole for that."""
_MOST = 500  # whole records, the newest: a school that misses more results than that has another problem


def candidates(evaluations: pd.DataFrame, first: datetime | None, now: datetime) -> tuple[Key, ...]:
    """The failed evaluations since `first` that would count as missing results; `evaluations` are newest first."""
    recent = evaluations if first is None else evaluations[evaluations["created_at"] >= first]
    missing = attention.missing(recent, now)
    missing = missing[missing["status"] == FAILED].dropna(subset=["user_id", "evaluation_id"]).head(_MOST)
    return tuple(Key.of_rows(missing.assign(table="evaluations", job_id=missing["evaluation_id"])))


def marked(session: Session, keys: tuple[Key, ...]) -> frozenset[Key]:
    """Those of them that a person marked as failed, by what their records say.

    Where these cannot be read, none: nothing is hidden that nobody could look at. What was read is not whole then.
    """
    if not keys:
        return frozenset()
    try:
        reasons = session.read(records.failure_reasons, keys)
    except Failure:
        session.count(Read(None, Cost(), complete=False, notes=(UNREAD,)))
        return frozenset()
    return frozenset(key for key, reason in reasons.items() if Mark.parse(reason))


def labelled(evaluations: pd.DataFrame, given_up: frozenset[Key]) -> pd.DataFrame:
    """`evaluations` with the status `abandoned` where a person marked one as failed."""
    if not given_up:
        return evaluations
    pairs = {(key.job_id, key.user_id) for key in given_up}
    status = evaluations["status"].to_numpy(dtype="object", copy=True)
    # Of a school few have failed, and one by one all of them would take longer than the rest.
    failed = np.flatnonzero(status == FAILED)
    own = evaluations[["evaluation_id", "user_id"]].iloc[failed].itertuples(index=False, name=None)
    status[failed[[pair in pairs for pair in own]]] = ABANDONED
    return evaluations.assign(status=pd.Series(status, index=evaluations.index, dtype="object"))
