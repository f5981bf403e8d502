"""Records of a table that no list shows, or only some, on the Audit page."""

import pandas as pd
import streamlit as st

from data.dynamodb.store import Read
from data.records import orphans
from data.records.orphans import Progress
from data.schema import FLASHCARD_SETS, Table
from queries import source
from ui.components import grid, markup
from ui.components.markup import Html
from ui.quality import shared
from ui.shell import sign_in
from ui.shell.page import KEPT, Page
from wording import formats

_GRID = "audit_unlisted"


def offer(table: Table, page: Page) -> None:
    """For ops: offer to count the records of `table` that no list shows, with the cost; what was found, once done."""
    facts = source.facts(table)
    key = f"{KEPT}unlisted_{table.variable}"
    progress: Progress | None = st.session_state.get(key)
    markup.show(markup.heading(facts.name))
    if progress:
        _found(progress, table, facts.name, page)
    st.text(f"Reading the whole table costs {page.scan_cost(facts)}.")
    if st.button("Count them" if progress is None else "Count them again", key=f"count_{table.variable}"):
        sign_in.require_ops("read a whole table")
        shared.follow(
            orphans.count(source.store(), table),
            key,
            lambda step: (
                min(0.99, step.read / max(facts.items, step.read, 1)),
                f"{step.read:,} of about {max(facts.items, step.read):,} records · {formats.cost(step.cost)}",
            ),
        )


def _found(progress: Progress, table: Table, name: str, page: Page) -> None:
    ago = formats.ago(progress.read_at, page.now)
    page.keep(Read(None, progress.cost, progress.read_at, progress.complete))
    st.text(
        f"{formats.count(progress.read, 'record')} read {ago}, {formats.cost(progress.cost)}: "
        f"{progress.unlisted:,} missing from some list."
        + ("" if progress.complete else " Stopped before the end: there may be more.")
    )
    if not progress.unlisted:
        return
    rows = [
        [markup.inline(reason), Html(f"{number:,}"), markup.inline(orphans.REASONS[reason])]
        for reason, number in progress.reasons.items()
    ]
    markup.show(markup.table(["Why", "Records", "Where it still is"], rows, f"Why records of {name} are missing"))
    few = len(progress.kept) < progress.unlisted
    if few:
        st.text(f"The keys of {len(progress.kept):,} of them were kept. Tick one to open it.")
    else:
        st.text("Tick one to open it.")
    shown = pd.DataFrame(
        {
            "Id": [record.record_id for record in progress.kept],
            "Why": ["; ".join(record.reasons) for record in progress.kept],
            "Student": [record.user_id for record in progress.kept],
        }
    )
    with st.container(key=f"{_GRID}_{table.variable}"):
        picked = grid.pick(
            shown,
            {"Id": st.column_config.TextColumn(pinned=True), "Why": st.column_config.TextColumn(width=420)},
            key=shared.grid_key(_GRID, [table.variable, *shown["Id"]]),
            alt=f"Records of {name} that some list does not show",
        )
    what = f"Records of {name} that some list does not show"
    key = f"audit_csv_{table.variable}"
    shared.download(
        "Download this list (CSV)", shown, what, page, None, complete=progress.complete and not few, key=key
    )
    if picked is not None:
        record = progress.kept[picked]
        shared.open_record(table is FLASHCARD_SETS, record.record_id, record.user_id, page)
