"""What the pages of one evaluation and of one flashcard set share: finding it, its facts, what is odd in it."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NoReturn, TypeVar

import pandas as pd
import streamlit as st
from markupsafe import Markup

from analysis import job_states, tasks
from analysis.job_states import USUAL, Thresholds
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.jobs import FLASHCARDS, MARKED_IN, Mark
from data.records.parse import Issue
from data.schema import COMPLETED, CRITERIA, FAILED, OVERALL
from queries.cache import Query
from queries.session import Session
from ui.components import markup
from ui.shell import navigation
from ui.shell.boundary import done
from ui.shell.clock import Clock
from ui.shell.navigation import EVALUATION, JOBS, OVERVIEW, go, href, link
from ui.students import feedback
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES

R = TypeVar("R", Evaluation, FlashcardSet)

NOTHING_TO_DO = "Nothing to do: the student has a result from a later job."
_OUTCOMES = {
    "failed": "This evaluation failed.",
    "abandoned": "This evaluation was given up: it has no result.",
    "stuck": "This evaluation is stuck: it has had no result for hours.",
}
"""What became of an evaluation from which no result is to be expected."""
_RESULTS = {FLASHCARDS: "flashcards", **{skill: f"{name} results" for skill, name in SKILL_NAMES.items()}}


def opened(
    one: Query[[str, str], R | None],
    called: Query[[str, tuple[str, ...] | None], list[R]],
    noun: str,
    record_id: str,
    user_id: str | None,
    session: Session,
) -> R:
    """The record of an address; a choice of students where it names none and several share the id.

    Without a record, or a choice, the page ends here.
    """
    if user_id is not None:
        record = session.read(one, record_id, user_id)
    else:
        by_student = {record.user_id: record for record in session.read(called, record_id, session.own)}
        record = _choice(by_student, noun, record_id) if len(by_student) > 1 else next(iter(by_student.values()), None)
        if record is None and by_student:
            done()
    if record is None:
        not_found(noun, record_id, user_id, session)
        done()
    return record


def _choice(by_student: Mapping[str, R], noun: str, record_id: str) -> R | None:
    st.text(f"{formats.count(len(by_student), 'student')} have {noun}s with this ID.")
    key = f"whose_{noun}_{record_id}"
    user_id = st.selectbox("Student", list(by_student), format_func=foreign_text.visible, index=None, key=key)
    return None if user_id is None else by_student.get(user_id)


def not_found(noun: str, record_id: str, user_id: str | None, session: Session) -> None:
    """That there is no such record, and the way back."""
    of_student = f" of student “{user_id}”" if user_id else ""
    markup.show(markup.paragraph(f"There is no {noun} “{record_id}”{of_student}."))
    st.text("IDs are case-sensitive. It may also have been deleted.")
    if session.visitor.classes is not None:
        st.text("Or it belongs to a student in another class.")
    link(OVERVIEW, "Back to Students")


def go_to(is_set: bool, record_id: str, user_id: str) -> NoReturn:
    """Leave for the page of a record."""
    if is_set:
        go(navigation.FLASHCARDS, set_id=record_id, user_id=user_id)
    go(EVALUATION, evaluation_id=record_id, user_id=user_id)


def facts(*pairs: tuple[str, str]) -> None:
    """Names and values, each literally, side by side while there is room."""
    markup.show(markup.pairs(pairs))


def status(record: Evaluation | FlashcardSet, clock: Clock, limits: Thresholds = USUAL) -> str:
    """Icon and word for a record's status, with its age while it is processing, or who gave it up and when."""
    name, mark = _state(record, clock, limits), _mark(record)
    if name == "unknown":
        return f"? {record.status or 'unknown'}"
    label = formats.state(name, None if record.created_at is None else clock.now - record.created_at)
    if mark is None:
        return label
    after = "" if name == "abandoned" else ", although given up"
    return f"{label}{after} by {mark.who} at {formats.exact(mark.when, clock.zone)}"


def outcome(evaluation: Evaluation, history: pd.DataFrame | None, clock: Clock, *, for_ops: bool) -> None:
    """Of an evaluation from which no result is to be expected: what became of it, what to do, the job `for_ops`.

    `history` is the student's, whole; None where it is not known: then nobody can say whether it was done again.
    """
    sentence = _OUTCOMES.get(_state(evaluation, clock))
    if sentence is None:
        return
    ids = {"job_id": evaluation.evaluation_id, "user_id": evaluation.user_id}
    ways = [markup.anchor(href(JOBS, table="evaluations", **ids), "Open job")] if for_ops else []
    own = None
    if history is not None:
        jobs = job_states.with_states(history.rename(columns={"evaluation_type": "kind"}), clock.now)
        own = jobs[jobs["evaluation_id"] == evaluation.evaluation_id]
    line = markup.joined([markup.bold(sentence), " ", advice(evaluation.type, own)])
    markup.show(markup.ways([line, *ways]))


def advice(kind: str | None, own: pd.DataFrame | None) -> str:
    """What to do about a job of this kind that has no result.

    `own` is its row among its student's jobs with states; without one nobody can say whether it was done again.
    """
    again = way_to_do_again(kind)
    if own is None or own.dropna(subset=["kind", "created_at"]).empty:
        return f"{again}, unless there is a later result."
    if own["recovered"].any():
        return NOTHING_TO_DO
    if own["practised_since"].any():
        return f"{again} if this one still matters: there are later {_RESULTS.get(kind or '', 'results')}."
    return f"{again}."


def way_to_do_again(kind: str | None) -> str:
    """How a job of this kind is repeated. Only of a document the record names what it was made from."""
    return "Upload the document again" if kind == FLASHCARDS else "Ask the student to submit again"


def _state(record: Evaluation | FlashcardSet, clock: Clock, limits: Thresholds = USUAL) -> job_states.State:
    name = job_states.state(record.status, record.created_at, clock.now, limits)
    return "abandoned" if name == "failed" and _mark(record) is not None else name


def _mark(record: Evaluation | FlashcardSet) -> Mark | None:
    """Who gave its job up, where somebody did: it may have finished later all the same."""
    reason = record.unknown.get(MARKED_IN)
    return Mark.parse(reason) if isinstance(reason, str) else None


def bands(evaluation: Evaluation, previous: pd.Series | None, clock: Clock, *, is_first: bool) -> None:
    """The overall band and the criteria, each with the change since the evaluation before.

    `is_first` says that there surely is none before; without one it may only not be known.
    """
    skill = evaluation.type or ""
    task = task_of(evaluation)
    names = {OVERALL: f"{SKILL_NAMES.get(skill, 'Overall')} band", **tasks.criteria(skill, task)}
    extra = [b for b, value in evaluation.bands.items() if b not in names and not math.isnan(value)]
    names |= {band: f"{band} (other skill)" if skill in CRITERIA else band for band in extra}
    if evaluation.status != COMPLETED and all(math.isnan(value) for value in evaluation.bands.values()):
        names = {OVERALL: names[OVERALL]}  # the criteria would say the same
    with st.container(border=True):
        markup.show(markup.scores([_score(evaluation, previous, band, name) for band, name in names.items()]))
    if evaluation.status != COMPLETED and _state(evaluation, clock) != "failed":  # that is said at the top
        markup.show(markup.line(status(evaluation, clock)))
    if previous is not None and not math.isnan(evaluation.bands[OVERALL]):
        at = formats.time_or_none(previous["created_at"])
        day = "an unknown date" if at is None else formats.day(at, clock.zone, clock.now)
        markup.show(markup.quiet(f"Change since {day} (previous {SKILL_NAMES.get(skill, 'evaluation')})."))
    elif is_first and evaluation.status == COMPLETED and skill in CRITERIA:
        markup.show(markup.quiet(f"First {SKILL_NAMES[skill]} evaluation."))


def _score(evaluation: Evaluation, previous: pd.Series | None, band: str, name: str) -> tuple[str, str, str]:
    """A band with its change, or why it is not known."""
    value = evaluation.bands[band]
    if math.isnan(value):
        return name, formats.band(value), markup.quiet(_why_unknown(evaluation, band))
    change = formats.change(math.nan if previous is None else value - previous[band])
    return name, formats.band(value), "" if change is None else markup.signed(change)


def title(evaluation: Evaluation, clock: Clock) -> str:
    """Skill, date and time."""
    at = formats.time_or_none(evaluation.created_at)
    when = "date unknown" if at is None else formats.exact(at, clock.zone)
    return f"{type_of(evaluation)} · {when}"


def type_of(evaluation: Evaluation) -> str:
    """Skill, and the Writing task where the record tells it."""
    task = task_of(evaluation)
    skill = SKILL_NAMES.get(evaluation.type or "", evaluation.type or "Unknown skill")
    return skill if task is None else f"{skill}, Task {task}"


def task_of(evaluation: Evaluation) -> int | None:
    """The Writing task, where the record tells it."""
    return tasks.of_record(evaluation.type, evaluation.model_used, evaluation.unknown)


def repairs(record: Evaluation | FlashcardSet) -> None:
    """What was mended so that the text could be read, or where it breaks off; and the text as it is stored, folded."""
    if not record.original:
        return
    for outcome, name in (("mended", "Repaired"), ("broken", "Incomplete")):
        if reasons := [issue.reason for issue in record.issues if issue.outcome == outcome]:
            markup.show(markup.quiet(f"{name}: {'; '.join(reasons)}."))
    with st.expander("Original text"):
        markup.show(markup.paragraph(record.original))


def unread(evaluation: Evaluation) -> Markup:
    """Feedback that could not be read, as it is stored."""
    return markup.quiet("This feedback could not be read. Original text:") + markup.paragraph(evaluation.unread)


def speech(evaluation: Evaluation) -> str:
    """Words, length and pace of a recording; what is not recorded is said to be unknown."""
    words, seconds = evaluation.word_count, evaluation.duration
    parts = [
        "– words" if words is None else formats.count(words, "word"),
        "length unknown" if seconds is None else formats.duration(timedelta(seconds=seconds)),
    ]
    if words is not None and seconds:
        parts.append(f"{words / seconds * 60:.0f} words per minute")
    return " · ".join(parts)


def technical(record: Evaluation | FlashcardSet, *pairs: tuple[str, str], ids: Sequence[tuple[str, str]]) -> None:
    """What teachers need not see, folded: names and values, IDs to copy, what is odd in the record, the whole item."""
    odd = len(record.issues)
    label = f"Technical details · Data problems in this record ({odd})" if odd else "Technical details"
    with st.expander(label, icon="⚠️" if odd else None):
        facts(*pairs)
        for name, text in ids:
            markup.show(markup.quiet(name))
            markup.show(markup.to_copy(text, name))
        if odd:
            markup.show(markup.heading("Data problems"), _listed(record.issues))
        unknown(record)
        markup.show(markup.heading("Raw record (JSON)"))
        _json(record.raw)


def problems(issues: Sequence[Issue]) -> None:
    """What in the record does not match the expected format, folded."""
    if issues:
        with st.expander(f"Data problems in this record ({len(issues)})", icon="⚠️"):
            markup.show(_listed(issues))


def _listed(issues: Sequence[Issue]) -> Markup:
    return markup.bullets(
        markup.code(issue.attribute)
        + markup.joined([" ", f"“{issue.value}”"] if issue.value else [])
        + markup.joined([": ", issue.reason])
        for issue in issues
    )


def unknown(record: Evaluation | FlashcardSet, above: str | None = None) -> None:
    """Attributes that the specification does not name, but for who gave the job up: the status says that.

    A text that stands `above` already is left out.
    """
    ours = {MARKED_IN} if _mark(record) else set()
    ours |= {name for name, value in record.unknown.items() if above is not None and value == above}
    if attributes := {name: value for name, value in record.unknown.items() if name not in ours}:
        markup.show(markup.heading("Other fields"), feedback.layout(attributes))


def raw(item: str) -> None:
    """The whole item, folded."""
    with st.expander("Raw record (JSON)"):
        _json(item)


def _json(item: str) -> None:
    """Hidden characters are written as JSON can write them, so that a copy is the same JSON."""
    markup.show(markup.block_to_copy(foreign_text.escaped(item), "the record"))


def _why_unknown(evaluation: Evaluation, band: str) -> str:
    for issue in evaluation.issues:
        if issue.attribute == band:
            return "Unknown: see Technical details."
    if evaluation.status == COMPLETED:
        return "Unknown: not in the record."
    return "No band." if evaluation.status == FAILED else "No band until the evaluation is completed."
