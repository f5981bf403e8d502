"""Reading the records of a period whole, for what their lists cannot tell, on the Audit page."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import streamlit as st

from analysis import consistency
from data.dynamodb.store import Cost
from data.records import evaluations, flashcards
from data.records.rows import WHOLE_BATCH
from data.schema import EVALUATIONS, FLASHCARD_SETS, Table
from queries import source
from ui.components.filters import Period
from ui.quality import shared
from ui.shell.page import KEPT, Page
from wording import formats

MOST_WHOLE = 5_000  # newest records of each table that one click reads whole


@dataclass(frozen=True, slots=True)
class Whole:
    """What reading records whole has found so far: `read` of `wanted`, of `listed` in the period."""

    findings: pd.DataFrame
    read: int
    wanted: int
    listed: int
    cost: Cost
    read_at: datetime

    @property
    def complete(self) -> bool:
        """Whether every record of the period was asked for."""
        return self.read == self.wanted == self.listed


def kept(period: Period) -> Whole | None:
    """What has been read whole of this period."""
    found: Whole | None = st.session_state.get(_key(period))
    return found


def offer(evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, page: Page, period: Period) -> None:
    """Offer to read the period's records whole, with the cost; do so after a click, until the end or another click."""
    wanted = {EVALUATIONS: _keys(EVALUATIONS, evaluation_rows), FLASHCARD_SETS: _keys(FLASHCARD_SETS, set_rows)}
    listed = sum(len(keys) for keys in wanted.values())
    if not listed:
        return
    st.subheader("Transcripts, feedback and cards", anchor=False)
    if read := kept(period):
        st.text(_said_of(read, page))
    asked = {table: keys[:MOST_WHOLE] for table, keys in wanted.items()}
    number = sum(len(keys) for keys in asked.values())
    few = f" (the newest {MOST_WHOLE:,} of each table)" if number < listed else ""
    st.text(
        "The lists come without the long texts, which keeps them cheap. Whether word counts fit the transcripts, "
        "feedback is JSON, and sets hold the cards they say takes the whole records: "
        f"{formats.count(number, 'record')}{few}. That costs {_cost(asked, page)}."
    )
    if st.button("Read them whole" if read is None else "Read them whole again", key="audit_whole"):
        shared.follow(
            _in_batches(asked, number, listed),
            _key(period),
            lambda step: (step.read / step.wanted, f"{step.read:,} of {formats.count(step.wanted, 'record')}"),
        )


def _in_batches(wanted: dict[Table, list[tuple[str, str]]], number: int, listed: int) -> Generator[Whole]:
    """Read the records of these keys whole, a batch at a time, and keep what is found in them, not their texts."""
    store = source.store()
    found, cost, before = consistency.none(), Cost(), 0
    for table, keys in wanted.items():
        if table is EVALUATIONS:
            batches = (answer.map(consistency.in_whole_evaluations) for answer in evaluations.whole(store, keys))
        else:
            batches = (answer.map(consistency.in_whole_sets) for answer in flashcards.whole(store, keys))
        for n, batch in enumerate(batches, 1):
            found = consistency.together(found, batch.value)
            cost += batch.cost
            asked = before + min(n * WHOLE_BATCH, len(keys))
            yield Whole(found, asked, number, listed, cost, batch.read_at)
        before += len(keys)


def _key(period: Period) -> str:
    return f"{KEPT}whole_{period.days}"


def _said_of(whole: Whole, page: Page) -> str:
    said = f"{formats.count(whole.read, 'record')} read whole {formats.ago(whole.read_at, page.now)}, "
    said += f"{formats.cost(whole.cost)}; what they showed is among the findings."
    if whole.read < whole.wanted:
        said += f" Stopped before the end: {whole.wanted - whole.read:,} were not read."
    if whole.wanted < whole.listed:
        said += f" {whole.listed - whole.wanted:,} older ones were not asked for."
    return said


def _keys(table: Table, rows: pd.DataFrame | None) -> list[tuple[str, str]]:
    if rows is None:
        return []
    known = rows[list(table.key_names)].dropna()
    return list(dict.fromkeys(known.itertuples(index=False, name=None)))


def _cost(wanted: dict[Table, list[tuple[str, str]]], page: Page) -> str:
    """What reading these records whole costs, in words."""
    if page.settings.source == "demo":
        return "nothing in the demo"
    estimates = [source.facts(table).batch_cost(len(keys)) for table, keys in wanted.items() if keys]
    known = [cost for cost in estimates if cost]
    if len(known) < len(estimates):
        return "what their size makes it cost, and DynamoDB has not counted that yet"
    return f"about {formats.cost(sum(known, Cost()))}"
