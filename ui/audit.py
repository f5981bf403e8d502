"""The parts of the Audit page: counts, findings by kind, the records of one kind, models, what no list shows."""

import math
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar

import pandas as pd
import streamlit as st

from analysis import models, scores
from analysis.models import Shift, Takeover
from data import deadline, evaluations, flashcards, unindexed
from data.rows import WHOLE_BATCH
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES, Table
from data.store import Cost, Read, TableFacts
from data.unindexed import Progress
from ui import access, charts, figures, filters, formats, reads, tables, takeaway, text
from ui.filters import Period
from ui.page import EVALUATION, FLASHCARDS, KEPT, Page
from ui.text import Html

T = TypeVar("T")

MOST_WHOLE = 5_000  # newest records of each table that one click reads whole
_NAMES = {scores.OF_EVALUATIONS: "Evaluation", scores.OF_SETS: "Flashcard set"}
_KINDS_GRID, _RECORDS_GRID, _UNLISTED_GRID = "audit_kinds", "audit_records", "audit_unlisted"


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


def findings(
    evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, page: Page, period: Period
) -> pd.DataFrame:
    """All findings of the period: from the lists, and from whole records where they have been read."""
    found = []
    if evaluation_rows is not None:
        found.append(scores.in_evaluations(evaluation_rows))
    if set_rows is not None:
        found.append(scores.in_sets(set_rows))
    if whole := _kept_whole(period):
        found.append(whole.findings)
        page.keep(Read(None, whole.cost, whole.read_at, whole.complete))
    # What was read whole was read for the classes of that time.
    shown: pd.DataFrame = page.only_seen(scores.together(*found))
    return shown


def counts(
    found: pd.DataFrame, evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, period: Period
) -> None:
    """How much was looked at, and how much of it has a finding."""
    groups = found["kind"].map(lambda kind: scores.describe(kind).group)
    looked = f"Created in the last {period.name}, of every status but unknown ones."
    numbers = [
        ("Evaluations", None if evaluation_rows is None else len(evaluation_rows), looked),
        ("Flashcard sets", None if set_rows is None else len(set_rows), looked),
        *(
            (name, len(found.loc[groups == group, ["table", "id", "user_id"]].drop_duplicates()), explain)
            for name, group, explain in (
                ("Scores that do not follow", scores.SCORES, "Evaluations with at least one such finding."),
                ("Break the schema", scores.SCHEMA, "Evaluations and sets with at least one such finding."),
                ("Notes", scores.NOTES, "Evaluations up to half a band off their criteria, which may be meant."),
            )
        ),
    ]
    with st.container(horizontal=True):
        for name, number, explain in numbers:
            st.metric(name, formats.whole(number), help=explain, width="content")


def by_kind(found: pd.DataFrame, page: Page, period: Period) -> None:
    """Findings by kind; the chosen kind is in the URL as `?finding=`, and its records follow."""
    st.subheader("Findings", anchor=False)
    kinds = scores.by_kind(found)
    if kinds.empty:
        st.info(f"All that can be told from the lists of the last {period.name} adds up.", title="No findings")
        return
    st.text("Tick a kind to see its records.")
    # The grid remembers which row was chosen, not which kind: other kinds make another grid.
    with st.container(key=_KINDS_GRID):
        picked = tables.pick(
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
            key=grid_key(_KINDS_GRID, kinds["kind"]),
            alt=f"{formats.count(len(kinds), 'kind')} of findings with counts",
        )
    if picked is not None:
        filters.put(finding=kinds["kind"][picked])
    chosen = filters.value("finding")
    everything = _table(found, with_kind=True)
    _download("Download all findings (CSV)", everything, "All findings", page, period, key="audit_all")
    if chosen and chosen not in set(kinds["kind"]):
        said = text.inline(f"“{chosen}” was not found in the last {period.name}.")
        text.show(text.quiet(said))
    elif chosen:
        _records(found[found["kind"] == chosen].reset_index(drop=True), chosen, page, period)


def read_whole(evaluation_rows: pd.DataFrame | None, set_rows: pd.DataFrame | None, page: Page, period: Period) -> None:
    """Offer to read the period's records whole, with the cost; do so after a click, until the end or another click."""
    wanted = {EVALUATIONS: _keys(EVALUATIONS, evaluation_rows), FLASHCARD_SETS: _keys(FLASHCARD_SETS, set_rows)}
    listed = sum(len(keys) for keys in wanted.values())
    if not listed:
        return
    st.subheader("Transcripts, feedback and cards", anchor=False)
    if whole := _kept_whole(period):
        st.text(_said_of(whole, page))
    asked = {table: keys[:MOST_WHOLE] for table, keys in wanted.items()}
    number = sum(len(keys) for keys in asked.values())
    few = f" (the newest {MOST_WHOLE:,} of each table)" if number < listed else ""
    st.text(
        "The lists come without the long texts, which keeps them cheap. Whether word counts fit the transcripts, "
        "feedback is JSON, and sets hold the cards they say takes the whole records: "
        f"{formats.count(number, 'record')}{few}. That costs {_whole_cost(asked, page)}."
    )
    if st.button("Read them whole" if whole is None else "Read them whole again", key="audit_whole"):
        _follow(
            _in_batches(asked, number, listed),
            _whole_key(period),
            lambda step: (step.read / step.wanted, f"{step.read:,} of {formats.count(step.wanted, 'record')}"),
        )


def model_table(rows: pd.DataFrame) -> None:
    """Bands by model for each type, in a frame of evaluations."""
    table = models.by_model(rows)
    if table.empty:
        st.text("No completed evaluation with a band in this period.")
        return
    lines = [
        [
            text.inline(charts.NAMES[row["type"]]),
            text.inline(row["model"]),
            *(Html(f"{row[name]:,}") for name in ("scored", "students")),
            Html(formats.band(row["median"])),
            Html(" to ".join(formats.band(row[quartile]) for quartile in ("q1", "q3"))),
            Html(formats.band(row["spread"])),
        ]
        for row in table.to_dict("records")
    ]
    header = ["Skill", "Model", "Evaluations", "Students", "Median band", "Middle half", "Spread"]
    text.show(text.table(header, lines, "Bands by model"))


def takeovers(rows: pd.DataFrame, skill: str, page: Page) -> None:
    """When a model took over in a skill, what that did to the bands, and bands over time with a mark there."""
    over_time = models.over_time(rows, skill, page.zone.key)
    if over_time.empty:
        return
    found = models.takeovers(rows, skill)
    st.subheader(charts.NAMES[skill], anchor=False)
    if not found:
        st.text("No model took over from another in this period.")
    said = [_said_of_shift(takeover, models.shift(rows, takeover), page) for takeover in found]
    if said:
        text.show(text.bullets(text.inline(sentence) for sentence in said))
    figures.show(
        charts.model_bands,
        over_time,
        [(t.at, f"{text.short(t.model, 36)} takes over") for t in found],
        skill,
        page.zone,
        key=f"models_{skill}",
        alt=f"{charts.NAMES[skill]} bands by model over time. {' '.join(said)}",
    )


def unlisted(table: Table, page: Page) -> None:
    """For ops: offer to count the records of `table` that no list shows, with the cost; what was found, once done."""
    facts = _facts(table)
    key = f"{KEPT}unlisted_{table.variable}"
    progress: Progress | None = st.session_state.get(key)
    text.show(text.heading(facts.name))
    if progress:
        _unlisted_found(progress, table, facts.name, page)
    st.text(f"Reading the whole table costs {_scan_cost(facts, page)}.")
    if st.button("Count them" if progress is None else "Count them again", key=f"count_{table.variable}"):
        access.require_ops("read a whole table")
        _follow(
            unindexed.count(reads.store(), table),
            key,
            lambda step: (
                min(0.99, step.read / max(facts.items, step.read, 1)),
                f"{step.read:,} of about {max(facts.items, step.read):,} records · {formats.cost(step.cost)}",
            ),
        )


def grid_key(name: str, rows: Iterable[str]) -> str:
    """The key of a grid that shows just these rows."""
    return f"{name}_{zlib.crc32('|'.join(rows).encode(errors='replace')):08x}"


def _records(found: pd.DataFrame, code: str, page: Page, period: Period) -> None:
    kind = scores.describe(code)
    text.show(text.heading(kind.name, 3), text.line(text.inline(kind.meaning)))
    st.text(f"{formats.count(len(found), 'record')}, newest first. Tick one to open it.")
    shown = _table(found)
    with st.container(key=_RECORDS_GRID):
        picked = tables.pick(
            shown,
            {
                "When": tables.moment("When", page.zone, pinned=True),
                "What was found": st.column_config.TextColumn(width=460),
            },
            key=grid_key(_RECORDS_GRID, [code, *found["id"].map(str)]),
            alt=f"Records of the kind “{kind.name}”, newest first",
        )
    _download("Download this list (CSV)", shown, kind.name, page, period, key="audit_one")
    if picked is not None:
        row = found.iloc[picked]
        _open(row["table"] == scores.OF_SETS, row["id"], row["user_id"], page)


def _open(is_set: bool, record_id: str, user_id: str, page: Page) -> NoReturn:
    if is_set:
        page.go(FLASHCARDS, set_id=record_id, user_id=user_id)
    page.go(EVALUATION, evaluation_id=record_id, user_id=user_id)


def _table(found: pd.DataFrame, *, with_kind: bool = False) -> pd.DataFrame:
    kinds = [scores.describe(kind) for kind in found["kind"]] if with_kind else []
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


def _download(
    label: str, rows: pd.DataFrame, what: str, page: Page, period: Period | None, *, key: str, complete: bool = True
) -> None:
    """A button that saves `rows`; the file says that they are of `period`, or of all time."""
    takeaway.table(
        rows,
        what,
        page,
        period="all time" if period is None else f"the last {period.name}",
        codes={"of": "all" if period is None else f"{period.days}d", "from": "audit"},
        key=key,
        label=label,
        complete=complete if period is None else None,
    )


def _follow(steps: Generator[T], key: str, say: Callable[[T], tuple[float, str]]) -> None:
    """Run to the end, or until the next click anywhere; the last step stays in the session as `key`."""
    st.session_state.pop(key, None)
    with st.container(border=True):
        bar = st.progress(0.0, "Starting…")
        # A click needs no answer: it ends this run at the next step, which closes `steps`.
        st.button("Stop", key="audit_stop")
    with deadline.lifted(), closing(steps):
        for step in steps:
            st.session_state[key] = step
            bar.progress(*say(step))
    st.rerun()


def _in_batches(wanted: dict[Table, list[tuple[str, str]]], number: int, listed: int) -> Generator[Whole]:
    """Read the records of these keys whole, a batch at a time, and keep what is found in them, not their texts."""
    store = reads.store()
    found, cost, before = scores.none(), Cost(), 0
    for table, keys in wanted.items():
        if table is EVALUATIONS:
            batches = (answer.map(scores.in_whole_evaluations) for answer in evaluations.whole(store, keys))
        else:
            batches = (answer.map(scores.in_whole_sets) for answer in flashcards.whole(store, keys))
        for n, batch in enumerate(batches, 1):
            found = scores.together(found, batch.value)
            cost += batch.cost
            asked = before + min(n * WHOLE_BATCH, len(keys))
            yield Whole(found, asked, number, listed, cost, batch.read_at)
        before += len(keys)


def _kept_whole(period: Period) -> Whole | None:
    kept: Whole | None = st.session_state.get(_whole_key(period))
    return kept


def _whole_key(period: Period) -> str:
    return f"{KEPT}whole_{period.days}"


def _said_of(whole: Whole, page: Page) -> str:
    said = f"{formats.count(whole.read, 'record')} read whole {formats.ago(whole.read_at, page.now)}, "
    said += f"{formats.cost(whole.cost)}; what they showed is among the findings."
    if whole.read < whole.wanted:
        said += f" Stopped before the end: {whole.wanted - whole.read:,} were not read."
    if whole.wanted < whole.listed:
        said += f" {whole.listed - whole.wanted:,} older ones were not asked for."
    return said


def _said_of_shift(takeover: Takeover, shift: Shift, page: Page) -> str:
    when = takeover.at.astimezone(page.zone)
    said = f"{takeover.model} took over from {' and '.join(takeover.replaced)} on {when.day} {when:%b %Y}. "
    students = formats.count(shift.students, "student")
    if math.isnan(shift.low):
        verb = "was" if shift.students == 1 else "were"
        return f"{said}Not enough evidence of a shift: {students} {verb} scored by both, six are needed."
    numbers = (
        f"median {_signed(shift.median)} over the {students} whom both scored, 95\u00a0% interval {_signed(shift.low)} "
        f"to {_signed(shift.high)}, {shift.days:.0f} days apart; what they learned in between is in it"
    )
    if not shift.shown:
        return f"{said}Not enough evidence of a shift: {numbers}."
    return f"{said}Bands are {'lower' if shift.median < 0 else 'higher'} since: {numbers}."


def _signed(shift: float) -> str:
    return f"{shift:+.2f}" if shift else "0"


def _unlisted_found(progress: Progress, table: Table, name: str, page: Page) -> None:
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
        [text.inline(reason), Html(f"{number:,}"), text.inline(unindexed.REASONS[reason])]
        for reason, number in progress.reasons.items()
    ]
    text.show(text.table(["Why", "Records", "Where it still is"], rows, f"Why records of {name} are missing"))
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
    with st.container(key=f"{_UNLISTED_GRID}_{table.variable}"):
        picked = tables.pick(
            shown,
            {"Id": st.column_config.TextColumn(pinned=True), "Why": st.column_config.TextColumn(width=420)},
            key=grid_key(_UNLISTED_GRID, [table.variable, *shown["Id"]]),
            alt=f"Records of {name} that some list does not show",
        )
    what = f"Records of {name} that some list does not show"
    key = f"audit_csv_{table.variable}"
    _download("Download this list (CSV)", shown, what, page, None, complete=progress.complete and not few, key=key)
    if picked is not None:
        record = progress.kept[picked]
        _open(table is FLASHCARD_SETS, record.record_id, record.user_id, page)


def _keys(table: Table, rows: pd.DataFrame | None) -> list[tuple[str, str]]:
    if rows is None:
        return []
    known = rows[list(table.key_names)].dropna()
    return list(dict.fromkeys(known.itertuples(index=False, name=None)))


def _scan_cost(facts: TableFacts, page: Page) -> str:
    if page.settings.source == "demo":
        return "nothing in the demo"
    if not facts.size_bytes:
        return "what its size makes it cost, and DynamoDB has not counted that yet (it does so about every six hours)"
    return (
        f"about {formats.cost(facts.scan_cost)}: {formats.size(facts.size_bytes)}, a size that DynamoDB refreshes "
        "about every six hours"
    )


def _whole_cost(wanted: dict[Table, list[tuple[str, str]]], page: Page) -> str:
    """What reading these records whole costs, in words."""
    if page.settings.source == "demo":
        return "nothing in the demo"
    estimates = [_facts(table).batch_cost(len(keys)) for table, keys in wanted.items() if keys]
    known = [cost for cost in estimates if cost]
    if len(known) < len(estimates):
        return "what their size makes it cost, and DynamoDB has not counted that yet"
    return f"about {formats.cost(sum(known, Cost()))}"


def _facts(table: Table) -> TableFacts:
    return reads.facts()[TABLES.index(table)]
