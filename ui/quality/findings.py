"""Findings of the Audit page: how many there are, by kind, and the records of one kind."""

import pandas as pd
import streamlit as st

from analysis import consistency
from data.dynamodb.store import Read
from ui.components import filters, grid, markup
from ui.components.filters import Period
from ui.quality import deep_check, shared
from ui.shell.page import Page
from wording import formats

_NAMES = {consistency.OF_EVALUATIONS: "Evaluation", consistency.OF_SETS: "Flashcard set"}
_KINDS_GRID, _RECORDS_GRID = "audit_kinds", "audit_records"


def of_period(
    evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, page: Page, period: Period
) -> pd.DataFrame:
    """All findings of the period: from the lists, and from whole records where they have been read."""
    found = []
    if evaluation_rows is not None:
        found.append(consistency.in_evaluations(evaluation_rows))
    if set_rows is not None:
        found.append(consistency.in_sets(set_rows))
    if kept := deep_check.kept(period):
        found.append(kept.findings)
        page.keep(Read(None, kept.cost, kept.read_at, kept.complete))
    # What was read whole was read for the classes of that time.
    shown: pd.DataFrame = page.only_seen(consistency.together(*found))
    return shown


def counts(
    found: pd.DataFrame, evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, period: Period
) -> None:
    """How much was looked at, and how much of it has a finding."""
    groups = found["kind"].map(lambda kind: consistency.describe(kind).group)
    looked = f"Created in the last {period.name}, of every status but unknown ones."
    numbers = [
        ("Evaluations", None if evaluation_rows is None else len(evaluation_rows), looked),
        ("Flashcard sets", None if set_rows is None else len(set_rows), looked),
        *(
            (name, len(found.loc[groups == group, ["table", "id", "user_id"]].drop_duplicates()), explain)
            for name, group, explain in (
                ("Scores that do not follow", consistency.SCORES, "Evaluations with at least one such finding."),
                ("Break the schema", consistency.SCHEMA, "Evaluations and sets with at least one such finding."),
                ("Notes", consistency.NOTES, "Evaluations up to half a band off their criteria, which may be meant."),
            )
        ),
    ]
    with st.container(horizontal=True):
        for name, number, explain in numbers:
            st.metric(name, formats.whole(number), help=explain, width="content")


def by_kind(found: pd.DataFrame, page: Page, period: Period) -> None:
    """Findings by kind; the chosen kind is in the URL as `?finding=`, and its records follow."""
    st.subheader("Findings", anchor=False)
    kinds = consistency.by_kind(found)
    if kinds.empty:
        st.info(f"All that can be told from the lists of the last {period.name} adds up.", title="No findings")
        return
    st.text("Tick a kind to see its records.")
    # The grid remembers which row was chosen, not which kind: other kinds make another grid.
    with st.container(key=_KINDS_GRID):
        picked = grid.pick(
            pd.DataFrame(
                {
                    "Records": kinds["records"],
                    "Kind": kinds["name"],
                    "Group": kinds["group"],
                    "Students": kinds["students"],
                    "What it means": kinds["meaning"],
                    "Newest example": kinds["example"],
                }
            ),
            {
                # Pinned is what is narrow: on a phone, a wide pinned column would hide all others.
                "Records": st.column_config.NumberColumn(width=70, pinned=True),
                "Kind": st.column_config.TextColumn(width=400),
                "Group": st.column_config.TextColumn(width=80),
                "Students": st.column_config.NumberColumn(width=80),
                "What it means": st.column_config.TextColumn(width=560),
                "Newest example": st.column_config.TextColumn(width=420),
            },
            key=shared.grid_key(_KINDS_GRID, kinds["kind"]),
            alt=f"{formats.count(len(kinds), 'kind')} of findings with counts",
        )
    if picked is not None:
        filters.put(finding=kinds["kind"][picked])
    chosen = filters.value("finding")
    everything = _table(found, with_kind=True)
    shared.download("Download all findings (CSV)", everything, "All findings", page, period, key="audit_all")
    if chosen and chosen not in set(kinds["kind"]):
        said = markup.inline(f"“{chosen}” was not found in the last {period.name}.")
        markup.show(markup.quiet(said))
    elif chosen:
        _records(found[found["kind"] == chosen].reset_index(drop=True), chosen, page, period)


def _records(found: pd.DataFrame, code: str, page: Page, period: Period) -> None:
    kind = consistency.describe(code)
    markup.show(markup.heading(kind.name, 3), markup.line(markup.inline(kind.meaning)))
    st.text(f"{formats.count(len(found), 'record')}, newest first. Tick one to open it.")
    shown = _table(found)
    with st.container(key=_RECORDS_GRID):
        picked = grid.pick(
            shown,
            {
                "When": grid.moment("When", page.zone, pinned=True),
                "What was found": st.column_config.TextColumn(width=460),
            },
            key=shared.grid_key(_RECORDS_GRID, [code, *found["id"].map(str)]),
            alt=f"Records of the kind “{kind.name}”, newest first",
        )
    shared.download("Download this list (CSV)", shown, kind.name, page, period, key="audit_one")
    if picked is not None:
        row = found.iloc[picked]
        shared.open_record(row["table"] == consistency.OF_SETS, row["id"], row["user_id"], page)


def _table(found: pd.DataFrame, *, with_kind: bool = False) -> pd.DataFrame:
    kinds = [consistency.describe(kind) for kind in found["kind"]] if with_kind else []
    return pd.DataFrame(
        {
            "When": found["created_at"],
            **({"Kind": [kind.name for kind in kinds], "Group": [kind.group for kind in kinds]} if with_kind else {}),
            "What was found": found["detail"],
            "Student": found["user_id"],
            "Id": found["id"],
            "Record": found["table"].map(_NAMES),
        }
    )
