"""Issues of the Data quality page: how many there are, by kind, and the records of one kind."""

from collections.abc import Callable, Iterable

import pandas as pd
import streamlit as st

from analysis import consistency
from data.dynamodb.reads import Read
from queries.quality import Issues, Records
from queries.session import Session
from ui.components import downloads, filters, grid, markup
from ui.components.filters import Period
from ui.quality import deep_check
from ui.shell import address
from ui.shell.clock import Clock
from ui.shell.navigation import AUDIT, href
from ui.students import record
from wording import formats

_NAMES = {consistency.OF_EVALUATIONS: "Evaluation", consistency.OF_SETS: "Flashcard set"}
_KINDS_GRID, _RECORDS_GRID = "audit_kinds", "audit_records"


def of_period(records: Records, session: Session, period: Period) -> Issues:
    """All findings of the period: from the lists, and from whole records where they have been read."""
    kept = deep_check.kept(period, session)
    if kept:
        session.count(Read(None, kept.cost, kept.read_at, kept.complete))
    return records.issues(kept.findings if kept else None)


def counts(issues: Issues, session: Session, period: Period) -> None:
    """How much was looked at, and how much of it has a finding."""
    looked = f"Created in the last {period.name}. Records with an unknown status are not counted."
    of = issues.records
    # Of what was not loaded, and of full records that were not checked, nothing is known.
    has_evaluations, has_sets = issues.evaluations is not None, issues.sets is not None
    numbers = (
        ("Evaluations", issues.evaluations, looked),
        ("Flashcard sets", issues.sets, looked),
        (
            "Score errors",
            of[consistency.SCORES] if has_evaluations else None,
            "Evaluations with at least one such issue.",
        ),
        (
            "Format errors",
            of[consistency.SCHEMA] if has_evaluations and has_sets else None,
            "Evaluations and sets with at least one such issue.",
        ),
        (
            "Repaired",
            of[consistency.REPAIRED] if deep_check.kept(period, session) else None,
            "Records whose text had to be repaired before it could be read.",
        ),
        (
            "Warnings",
            of[consistency.NOTES] if has_evaluations else None,
            "Evaluations whose overall band is up to half a band off their criteria: this may be intended.",
        ),
    )
    with st.container(horizontal=True):
        for name, number, explain in numbers:
            st.metric(name, formats.whole(number), help=explain, width="content", border=True)


def by_kind(issues: Issues, session: Session, clock: Clock, period: Period) -> None:
    """Findings by kind; or the records of one kind in their place, which is in the URL as `?finding=`."""
    kinds = issues.kinds
    code = address.value("finding")
    if code in set(kinds["kind"]):
        _records(issues.of(code), code, session, clock, period)
        return
    if kinds.empty:
        if issues.evaluations is None or issues.sets is None:
            return  # nobody can say that there are none
        st.info("The deep check also looks into the full records.", title=f"No problems in the last {period.name}")
        return
    if code:
        markup.show(markup.quiet(f"“{code}” was not found in the last {period.name}."))

    def act(row: int) -> None:
        address.put(finding=str(kinds["kind"][row]), **{filters.ISSUES_PAGE: ""})

    # The grid remembers which row was chosen, not which kind: other kinds make another grid.
    with st.container(key=_KINDS_GRID):
        grid.on_pick(
            pd.DataFrame(
                {
                    "Issue": kinds["name"],
                    "Severity": kinds["group"],
                    "Records": kinds["records"],
                    "Students": kinds["students"],
                    "What it means": kinds["meaning"],
                    "Example": kinds["example"],
                }
            ),
            {
                # Not pinned: on a phone it would hide all others.
                "Issue": st.column_config.TextColumn(width=330, pinned=False),
                "Severity": st.column_config.TextColumn(width=95),
                "Records": st.column_config.NumberColumn(width=70),
                "Students": st.column_config.NumberColumn(width=80),
                "What it means": st.column_config.TextColumn(width=560),
                "Example": st.column_config.TextColumn(width=420),
            },
            act,
            opens="Issue",
            key=grid.key_of(_KINDS_GRID, kinds["kind"]),
            alt=f"{formats.count(len(kinds), 'kind')} of issues with counts",
        )
    _download(
        lambda: _table(issues.rows, with_kind=True), issues.students, "All issues", "audit_all", session, clock, period
    )


def _records(findings: pd.DataFrame, code: str, session: Session, clock: Clock, period: Period) -> None:
    kind = consistency.describe(code)
    all_issues = markup.anchor(href(AUDIT, finding=""), "All issues")
    markup.show(markup.breadcrumb([all_issues, kind.name]), markup.heading(kind.name, 3), markup.line(kind.meaning))
    st.text(f"{formats.count(len(findings), 'record')}, newest first")
    page = filters.page(len(findings), filters.ISSUES_PAGE)
    on_page = findings.iloc[page.start : page.stop]
    with st.container(key=_RECORDS_GRID):
        picked = grid.pick(
            _table(on_page),
            {
                "Date": grid.moment("Date", clock.zone, pinned=True),
                "Details": st.column_config.TextColumn(width=460),
            },
            opens="ID",
            key=grid.key_of(_RECORDS_GRID, [code, *on_page["id"].map(str)]),
            alt=f"Records of the kind “{kind.name}”, newest first",
        )
    students = findings["user_id"].dropna()
    _download(lambda: _table(findings), students, kind.name, "audit_one", session, clock, period)
    if picked is not None:
        row = on_page.iloc[picked]
        record.go_to(row["table"] == consistency.OF_SETS, row["id"], row["user_id"])


def _download(
    rows: Callable[[], pd.DataFrame],
    students: Iterable[str],
    what: str,
    key: str,
    session: Session,
    clock: Clock,
    period: Period,
) -> None:
    downloads.table(
        rows,
        what,
        session,
        clock,
        period=f"the last {period.name}",
        codes={"of": f"{period.days}d", "from": "audit"},
        key=key,
        students=students,
    )


def _table(findings: pd.DataFrame, *, with_kind: bool = False) -> pd.DataFrame:
    kinds = [consistency.describe(kind) for kind in findings["kind"]] if with_kind else []
    return pd.DataFrame(
        {
            "Date": findings["created_at"],
            **(
                {"Issue": [kind.name for kind in kinds], "Severity": [kind.group for kind in kinds]}
                if with_kind
                else {}
            ),
            "Details": findings["detail"],
            "Student": findings["user_id"],
            "ID": findings["id"],
            "Record": findings["table"].map(_NAMES),
        }
    )
