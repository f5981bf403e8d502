"""One job of the Jobs page: its record, how long it waited, what else its student tried, its log."""

from datetime import datetime, timedelta
from urllib.parse import quote

import pandas as pd
import streamlit as st

from analysis.fingerprints import SILENT
from data.dynamodb.errors import Failure
from data.records.flashcards import FlashcardSet
from data.records.jobs import FLASHCARDS, Key
from data.schema import COMPLETED, FAILED, SPEAKING, WRITING
from queries import records, source
from ui.components import grid
from ui.jobs import marking
from ui.shell.page import EVALUATION, STUDENT, Page
from ui.shell.page import FLASHCARDS as FLASHCARDS_PAGE
from ui.students import record
from wording import formats


def addressed(page: Page) -> Key | None:
    """The job that the URL names."""
    job_id, user_id = page.param("job_id"), page.param("user_id")
    if job_id is None:
        return None
    if user_id is None:
        st.text("The link names a job, but not whose: choose it in the list.")
        return None
    return Key(FLASHCARDS if page.param("table") == FLASHCARDS else "evaluations", job_id, user_id)


def show(key: Key, jobs: pd.DataFrame, page: Page) -> None:
    """One job: its record, how long it waited, what else the student tried, whether it was done again."""
    st.subheader("One job", anchor=False)
    found = (
        page.read(records.flashcard_set, key.job_id, key.user_id)
        if key.table == FLASHCARDS
        else page.read(records.evaluation, key.job_id, key.user_id)
    )
    if found is None:
        record.not_found("job", key.job_id, key.user_id, page)
        return
    kind = FLASHCARDS if isinstance(found, FlashcardSet) else (found.type or "unknown")
    age = None if found.created_at is None else page.now - found.created_at
    unfinished = found.status not in (COMPLETED, FAILED)
    record.facts(
        ("Student", key.user_id),
        ("Job", key.job_id),
        ("Kind", marking.KINDS.get(kind, kind)),
        ("Status", record.status(found.status, found.created_at, page)),
        ("Started", f"{formats.exact(found.created_at, page.zone)} · {formats.ago(found.created_at, page.now)}"),
        (
            "Waited",
            (formats.duration(age) if age else "unknown") if unfinished else "the record does not say when it ended",
        ),
        ("Done again since", _done_again(key, kind, jobs, page)),
        *((("What it says", _why(key, jobs)),) if found.status == FAILED else ()),
    )
    with st.container(horizontal=True):
        page.link(STUDENT, "This student", user_id=key.user_id)
        if key.table == FLASHCARDS:
            page.link(FLASHCARDS_PAGE, "Open the set", set_id=key.job_id, user_id=key.user_id)
        else:
            page.link(EVALUATION, "Open the evaluation", evaluation_id=key.job_id, user_id=key.user_id)
        if link := _logs(key, kind, found.created_at, page):
            st.link_button("The Lambda's log around that minute (CloudWatch)", link)
    record.problems(found.issues)
    record.unknown(found.unknown)
    record.raw(found.raw)
    others = jobs[(jobs["user_id"] == key.user_id) & (jobs["job_id"] != key.job_id)]
    near = others[(others["created_at"] - found.created_at).abs() <= timedelta(days=1)] if found.created_at else others
    st.text(
        f"Other jobs of this student within a day: {len(near):,}"
        if found.created_at
        else f"Other jobs of this student in the period: {len(near):,}"
    )
    if len(near):
        st.dataframe(
            grid.literal(
                pd.DataFrame(
                    {
                        "When": near["created_at"],
                        "Kind": near["kind"].map(lambda kind: marking.KINDS.get(kind, kind)),
                        "Status": grid.state_labels(near, page.now),
                        "Id": near["job_id"],
                    }
                )
            ),
            hide_index=True,
            column_config={"When": grid.moment("When", page.zone)},
            key="near_jobs",
            alt="Other jobs of this student at that time",
        )


def _done_again(key: Key, kind: str, jobs: pd.DataFrame, page: Page) -> str:
    mine = jobs[(jobs["user_id"] == key.user_id) & (jobs["kind"] == kind)]
    own = mine[mine["job_id"] == key.job_id]
    if own.empty or own["state"].iloc[0] == COMPLETED:
        return "-"
    later = mine[(mine["status"] == COMPLETED) & (mine["created_at"] > own["created_at"].iloc[0])]
    if later.empty:
        return "no, not in this period"
    return f"yes, {formats.exact(later['created_at'].min(), page.zone)}"


def _why(key: Key, jobs: pd.DataFrame) -> str:
    own = jobs[(jobs["table"] == key.table) & (jobs["job_id"] == key.job_id) & (jobs["user_id"] == key.user_id)]
    said = own["why"].dropna().tolist()
    return said[0] if said else SILENT if len(own) else "not in the chosen period; see the raw record"


def _logs(key: Key, kind: str, created_at: datetime | None, page: Page) -> str | None:
    """The Lambda's CloudWatch log around a job's start, on real AWS.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_Link_To_Page.html
    """
    functions = {WRITING: 0, SPEAKING: 1, FLASHCARDS: 2}
    if not page.settings.real_aws or created_at is None or kind not in functions:
        return None
    try:
        region = source.facts(key.of).region
    except Failure:
        return None
    name = page.settings.functions[functions[kind]]
    first, last = (int((created_at + timedelta(minutes=m)).timestamp() * 1000) for m in (-1, 16))
    group = quote(quote(f"/aws/lambda/{name}", safe=""), safe="").replace("%", "$")
    query = quote(f"?start={first}&end={last}", safe="").replace("%", "$")
    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}/log-events{query}"
    )
