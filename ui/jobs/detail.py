"""One job of the Jobs page: its record, how long it took, what to do, what else its student tried, its log."""

import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pandas as pd
import streamlit as st

from analysis import job_states
from analysis.fingerprints import SILENT
from analysis.job_states import Thresholds
from data.dynamodb.errors import Failure
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.jobs import FLASHCARDS, Key
from data.roster import Roster
from data.schema import COMPLETED, FAILED, FUNCTIONS
from data.settings import FunctionName
from queries import records, source
from queries.session import Session
from ui.components import grid, markup
from ui.jobs import marking
from ui.shell import address, navigation
from ui.shell.boundary import part
from ui.shell.clock import Clock
from ui.shell.navigation import EVALUATION, STUDENT, link
from ui.shell.page import recheck
from ui.students import record, tables
from wording import formats

_CONSOLES = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""Where the pages of AWS are, by partition. Of the secret regions nobody outside knows."""
NO_RETRY = "The record does not keep the work, so a job cannot be run again."
_PLAIN = re.compile(r"[\w ./()+,=@:-]+")
"""A key of S3 that is the same between double quotes in every shell."""


def addressed() -> Key | None:
    """The job that the URL names."""
    job_id, user_id = address.id_of("job_id"), address.id_of("user_id")
    if job_id is None:
        return None
    if user_id is None:
        st.text("The link names a job, but not whose: choose it in the list.")
        return None
    return Key(FLASHCARDS if address.id_of("table") == FLASHCARDS else "evaluations", job_id, user_id)


def offer(jobs: pd.DataFrame, session: Session, clock: Clock, roster: Roster, limits: Thresholds) -> None:
    """The job that the address names, in a dialog over the list."""
    key = addressed()
    if key is None or marking.is_open():
        return

    @st.dialog("Job", width="large", on_dismiss=_close)
    def one() -> None:
        # It runs by itself while the page stays: whoever may not see the student any more sees what the page says.
        if not recheck().admits(key.user_id) and session.gate.admits(key.user_id):
            st.rerun()
        with part("This job"):
            show(key, jobs, session, clock, roster, limits)

    one()


def _close() -> None:
    address.put(job_id="", user_id="", table="")


def show(key: Key, jobs: pd.DataFrame, session: Session, clock: Clock, roster: Roster, limits: Thresholds) -> None:
    """One job: what to do, its record, how long it waited, what else the student tried."""
    if not session.gate.admits(key.user_id):
        record.not_found("job", key.job_id, key.user_id, session)
        return
    job = (
        session.read(records.flashcard_set, key.job_id, key.user_id)
        if key.table == FLASHCARDS
        else session.read(records.evaluation, key.job_id, key.user_id)
    )
    if job is None:
        record.not_found("job", key.job_id, key.user_id, session)
        return
    kind = FLASHCARDS if isinstance(job, FlashcardSet) else (job.type or "unknown")
    age = None if job.created_at is None else clock.now - job.created_at
    unfinished = job.status not in (COMPLETED, FAILED)
    why = _why(key, jobs) if job.status == FAILED else None
    if job.status != COMPLETED:
        # As they are recorded: what a person gave up may have been done again all the same.
        of_student = job_states.with_states(jobs[jobs["user_id"] == key.user_id], clock.now, limits)
        _advise(job, kind, clock, _own(key, of_student), limits)
    record.facts(
        ("Student", roster.student(key.user_id).label_with_id),
        ("ID", key.job_id),
        ("Type", marking.KINDS.get(kind, kind)),
        ("Status", record.status(job, clock, limits)),
        ("Started", f"{formats.exact(job.created_at, clock.zone)} · {formats.ago(job.created_at, clock.now)}"),
        (
            "Duration",
            (formats.duration(age) if age else "unknown") if unfinished else "Not recorded",
        ),
        ("Later succeeded", _later_success(key, kind, jobs, clock)),
        *((("Error message", why),) if why else ()),
    )
    with st.container(horizontal=True):
        link(STUDENT, "Student profile", user_id=key.user_id)
        if key.table == FLASHCARDS:
            link(navigation.FLASHCARDS, "Open set", set_id=key.job_id, user_id=key.user_id)
        else:
            link(EVALUATION, "Open evaluation", evaluation_id=key.job_id, user_id=key.user_id)
        if url := _logs(key, kind, job.created_at):
            st.link_button("Open CloudWatch logs", url)
    record.problems(job.issues)
    record.unknown(job, above=why)
    record.raw(job.raw)
    _other_jobs(key, job.created_at, jobs, clock, limits)


def _other_jobs(key: Key, created_at: datetime | None, jobs: pd.DataFrame, clock: Clock, limits: Thresholds) -> None:
    """What else the student tried within a day of this job; in the whole period where nobody knows when that was."""
    others = jobs[(jobs["user_id"] == key.user_id) & (jobs["job_id"] != key.job_id)]
    near = others[(others["created_at"] - created_at).abs() <= timedelta(days=1)] if created_at else others
    st.text(
        f"Other jobs by this student (24 h): {len(near):,}"
        if created_at
        else f"Other jobs by this student in this period: {len(near):,}"
    )
    if len(near):
        st.dataframe(
            grid.literal(
                pd.DataFrame(
                    {
                        "Date": near["created_at"],
                        "Type": near["kind"].map(lambda kind: marking.KINDS.get(kind, kind)),
                        "Status": tables.state_labels(near, clock.now, limits),
                        "ID": near["job_id"],
                    }
                )
            ),
            hide_index=True,
            column_config={"Date": grid.moment("Date", clock.zone)},
            key="near_jobs",
            alt="Other jobs of this student at that time",
        )


def _later_success(key: Key, kind: str, jobs: pd.DataFrame, clock: Clock) -> str:
    mine = jobs[(jobs["user_id"] == key.user_id) & (jobs["kind"] == kind)]
    own = mine[mine["job_id"] == key.job_id]
    if own.empty or own["state"].iloc[0] == COMPLETED:
        return formats.UNKNOWN
    later = mine[(mine["status"] == COMPLETED) & (mine["created_at"] > own["created_at"].iloc[0])]
    if document := own["document_id"].iloc[0]:
        later = later[later["document_id"] == document]
    if later.empty:
        return "Not in this period"
    return f"{formats.exact(later['created_at'].min(), clock.zone)}"


def _advise(job: Evaluation | FlashcardSet, kind: str, clock: Clock, own: pd.DataFrame, limits: Thresholds) -> None:
    """What to do about a job without a result of its own; `own` is its row, none where it is not in the period."""
    state = job_states.state(job.status, job.created_at, clock.now, limits)
    advice = record.advice(kind, own)
    if advice == record.NOTHING_TO_DO:
        markup.show(markup.bold(advice))
        return
    if state == "waiting":
        markup.show(markup.next_step(f"Wait: a job may take up to {formats.duration(limits.overdue)}."))
        return
    sentences = [advice, *([] if kind == FLASHCARDS else [NO_RETRY])]
    document = job.document_id if isinstance(job, FlashcardSet) else None
    command = _again(document) if document else ""
    if command:
        sentences.append("This command copies it onto itself in S3; put in the bucket's name:")
    if state == "overdue":
        sentences.insert(0, "Wait: AWS may try it again until 6 hours after its start. If there is no result by then:")
    if state != "failed" and source.store().real_aws:
        sentences.insert(0, "See in the log how its run ended.")
    markup.show(markup.next_step(" ".join(sentences)))
    if command:
        st.code(command, language=None, wrap_lines=True)


def _again(document: str) -> str:
    """The command that uploads a document anew: the record has its S3 key, but not its bucket.

    Empty where a letter of the key might mean something to a shell: its name is the student's, and what ends a
    quotation is not the same in sh, PowerShell and cmd.
    """
    target = f'"s3://BUCKET/{document}"'
    return f"aws s3 cp {target} {target} --metadata-directive REPLACE" if _PLAIN.fullmatch(document) else ""


def _own(key: Key, jobs: pd.DataFrame) -> pd.DataFrame:
    return jobs[(jobs["table"] == key.table) & (jobs["job_id"] == key.job_id) & (jobs["user_id"] == key.user_id)]


def _why(key: Key, jobs: pd.DataFrame) -> str:
    own = _own(key, jobs)
    reasons = own["why"].dropna().tolist()
    return reasons[0] if reasons else SILENT if len(own) else "Not in this period: see the raw record"


def _logs(key: Key, kind: str, created_at: datetime | None) -> str | None:
    """The Lambda's CloudWatch log around a job's start, on real AWS whose console has a known address.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_Link_To_Page.html
    """
    names = (
        name
        for function, name in zip(FUNCTIONS, source.settings().functions, strict=True)
        if function.table is key.of and function.evaluation_type in (None, kind)
    )
    name = next(names, None)
    if not source.store().real_aws or created_at is None or name is None:
        return None
    try:
        facts = source.facts(key.of)
    except Failure:
        return None
    region, console = facts.region, _CONSOLES.get(facts.partition)
    if console is None:
        return None
    try:
        log_group = source.log_group(name)
    except Failure:
        # Reading alone is enough for this page: who may not ask Lambda is led to the group that is usual.
        log_group = FunctionName.parse(name).log_group
    first, last = (int((created_at + timedelta(minutes=m)).timestamp() * 1000) for m in (-1, 16))
    group = quote(quote(log_group, safe=""), safe="").replace("%", "$")
    query = quote(f"?start={first}&end={last}", safe="").replace("%", "$")
    return (
        f"https://{region}.{console}/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{group}/log-events{query}"
    )
