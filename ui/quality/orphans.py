"""Records that are missing from an index, so that no list shows them, on the Data quality page."""

import pandas as pd
import streamlit as st

from data.dynamodb.reads import Read
from data.records import orphans
from data.records.orphans import CountProgress
from data.schema import FLASHCARD_SETS, Table
from queries import source
from queries.session import Session
from ui.components import downloads, grid, long_read, markup
from ui.shell import sign_in
from ui.shell.clock import Clock
from ui.shell.page import KEPT
from ui.students import record
from wording import formats

_GRID = "audit_unlisted"


def offer(table: Table, session: Session, clock: Clock) -> None:
    """For ops: offer to count the records of `table` that no list shows, with the cost; what was found, once done."""
    facts = source.facts(table)
    key = f"{KEPT}unlisted_{table.variable}"
    progress: CountProgress | None = st.session_state.get(key)
    markup.show(markup.heading(facts.name))
    if progress:
        _result(progress, table, facts.name, session, clock)
    st.text(f"Reading the whole table costs {formats.estimate(source.scan_cost(table), source.settings())}.")
    if st.button("Scan table" if progress is None else "Scan table again", key=f"count_{table.variable}"):
        sign_in.require_ops("read a whole table")
        long_read.follow(
            orphans.count(source.store(), table),
            key,
            lambda step: (
                min(0.99, step.read / max(facts.items, step.read, 1)),
                f"{step.read:,} of about {max(facts.items, step.read):,} records · {formats.cost(step.cost)}",
            ),
            session,
        )


def _result(progress: CountProgress, table: Table, name: str, session: Session, clock: Clock) -> None:
    ago = formats.ago(progress.read_at, clock.now)
    session.count(Read(None, progress.cost, progress.read_at, progress.complete))
    st.text(
        f"{formats.count(progress.read, 'record')} read {ago}, {formats.cost(progress.cost)}: "
        f"{progress.unlisted:,} missing from an index."
        + ("" if progress.complete else " Stopped before the end: there may be more.")
    )
    if not progress.unlisted:
        return
    rows = [[reason, f"{number:,}", orphans.REASONS[reason]] for reason, number in progress.reasons.items()]
    markup.show(markup.table(["Why", "Records", "Still visible in"], rows, f"Why records of {name} are missing"))
    few = len(progress.kept) < progress.unlisted
    if few:
        st.text(f"The keys of {len(progress.kept):,} of them were kept.")
    columns = pd.DataFrame(
        {
            "ID": [one.record_id for one in progress.kept],
            "Why": ["; ".join(one.reasons) for one in progress.kept],
            "Student": [one.user_id for one in progress.kept],
        }
    )
    with st.container(key=f"{_GRID}_{table.variable}"):
        picked = grid.pick(
            columns,
            {"ID": st.column_config.TextColumn(pinned=True), "Why": st.column_config.TextColumn(width=420)},
            opens="ID",
            key=grid.key_of(_GRID, [table.variable, *columns["ID"]]),
            alt=f"Records of {name} that are missing from an index",
        )
    downloads.table(
        columns,
        f"Records of {name} that are missing from an index",
        session,
        clock,
        period="all time",
        codes={"of": "all", "from": "audit"},
        key=f"audit_csv_{table.variable}",
        complete=progress.complete and not few,
        students=columns["Student"].dropna(),
    )
    if picked is not None:
        unlisted = progress.kept[picked]
        record.go_to(table is FLASHCARD_SETS, unlisted.record_id, unlisted.user_id)
