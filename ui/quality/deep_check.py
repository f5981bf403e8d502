"""Reading the records of a period whole, for what their lists cannot tell, on the Data quality page."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import streamlit as st

from analysis import consistency
from data.dynamodb.cost import Cost
from data.records import evaluations, flashcards
from data.records.rows import WHOLE_BATCH
from data.schema import EVALUATIONS, TABLES, Table
from queries import source
from queries.quality import Records
from queries.session import Session
from ui.components import long_read
from ui.components.filters import Period
from ui.shell.clock import Clock
from ui.shell.page import KEPT
from wording import formats

MOST_WHOLE = 5_000  # newest records of each table that one click reads whole


@dataclass(frozen=True, slots=True)
class Whole:
    """What reading records whole has found so far: `read` of `requested`, of `listed` in the period.

    `of` are the students whose records it could be, None for all.
    """

    findings: pd.DataFrame
    read: int
    requested: int
    listed: int
    cost: Cost
    read_at: datetime
    of: frozenset[str] | None

    @property
    def complete(self) -> bool:
        """Whether every record of the period was asked for."""
        return self.read == self.requested == self.listed


def kept(period: Period, session: Session) -> Whole | None:
    """What has been read whole of this period, of the students who may be seen now."""
    whole: Whole | None = st.session_state.get(_key(period))
    return whole if whole and whole.of == session.members else None


def offer(records: Records, session: Session, clock: Clock, period: Period) -> None:
    """Offer to read the period's records whole, for ops with the cost; do so after a click, until another one."""
    keys_of = {table: records.keys(table, MOST_WHOLE) for table in TABLES}
    listed = sum(number for _, number in keys_of.values())
    if not listed:
        return
    st.subheader("Deep check", anchor=False)
    if read := kept(period, session):
        st.text(_progress(read, session, clock))
    asked = {table: keys for table, (keys, _) in keys_of.items()}
    number = sum(len(keys) for keys in asked.values())
    price = ""
    if session.visitor.is_ops:  # it is worked out from everybody's records
        cost = source.batch_cost({table: len(keys) for table, keys in asked.items()})
        price = f" That costs {formats.estimate(cost, source.settings())}."
    few = f" (the newest {MOST_WHOLE:,} of each table)" if number < listed else ""
    st.text(
        f"Check {formats.count(number, 'full record')}{few} for word counts, feedback format and card counts.{price}"
    )
    if st.button("Run deep check" if read is None else "Run deep check again", key="audit_whole"):
        long_read.follow(
            _in_batches(asked, number, listed, session.members),
            _key(period),
            lambda step: (step.read / step.requested, f"{step.read:,} of {formats.count(step.requested, 'record')}"),
            session,
        )


def _in_batches(
    keys_of: dict[Table, list[tuple[str, str]]], number: int, listed: int, of: frozenset[str] | None
) -> Generator[Whole]:
    """Read the records of these keys whole, a batch at a time, and keep what is found in them, not their texts."""
    store = source.store()
    findings, cost, before = consistency.none(), Cost(), 0
    for table, keys in keys_of.items():
        if table is EVALUATIONS:
            batches = (answer.map(consistency.in_whole_evaluations) for answer in evaluations.whole(store, keys))
        else:
            batches = (answer.map(consistency.in_whole_sets) for answer in flashcards.whole(store, keys))
        for n, batch in enumerate(batches, 1):
            findings = consistency.together(findings, batch.value)
            cost += batch.cost
            asked = before + min(n * WHOLE_BATCH, len(keys))
            yield Whole(findings, asked, number, listed, cost, batch.read_at, of)
        before += len(keys)


def _key(period: Period) -> str:
    return f"{KEPT}whole_{period.days}"


def _progress(whole: Whole, session: Session, clock: Clock) -> str:
    text = f"{formats.count(whole.read, 'full record')} checked {formats.ago(whole.read_at, clock.now)}"
    text += f", {formats.cost(whole.cost)}" if session.visitor.is_ops else ""
    text += "; their problems are among the issues."
    if whole.read < whole.requested:
        text += f" Stopped before the end: {whole.requested - whole.read:,} were not checked."
    if whole.requested < whole.listed:
        text += f" {whole.listed - whole.requested:,} older ones were left out."
    return text
