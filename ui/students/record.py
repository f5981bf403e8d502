"""What the pages of one evaluation and of one flashcard set share: finding it, its facts, what is odd in it."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import pandas as pd
import streamlit as st

from analysis import job_states
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.parse import Issue, Json
from data.schema import CRITERIA, OVERALL
from ui.components import markup
from ui.components.markup import Html
from ui.shell.page import OVERVIEW, Page
from ui.students import feedback
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES

R = TypeVar("R", Evaluation, FlashcardSet)


def only_one(found: Sequence[R], noun: str, page_file: str, id_name: str) -> R | None:
    """The one record of an id; a choice of students when several share it."""
    if len(found) <= 1:
        return found[0] if found else None
    st.text(f"{formats.count(len(found), 'student')} have {noun} of this id. Whose?")
    by_student = {record.user_id: record for record in found}
    chosen = st.selectbox(
        "Student",
        list(by_student),
        format_func=foreign_text.visible,
        index=None,
        key=f"whose_{page_file}_{id_name}",
    )
    return by_student.get(chosen) if chosen else None


def not_found(noun: str, record_id: str, user_id: str | None, page: Page) -> None:
    """That there is no such record, and the way back."""
    of_student = f" of student “{user_id}”" if user_id else ""
    markup.show(markup.paragraph(f"There is no {noun} “{record_id}”{of_student}."))
    st.text("Check the id: upper and lower case matter. It may also have been deleted.")
    if page.visitor.classes is not None:
        st.text("Or it belongs to a student who is in no class of yours.")
    page.link(OVERVIEW, "Back to the overview")


def facts(*pairs: tuple[str, str]) -> None:
    """Names and values, each literally, side by side while there is room."""
    markup.show(markup.pairs(pairs))


def status(value: str | None, created_at: datetime | None, page: Page) -> str:
    """Icon and word for a record's status, with its age while it is processing."""
    name = job_states.state(value, created_at, page.now)
    if name == "unknown":
        return f"? {value or 'unknown'}"
    return formats.state(name, None if created_at is None else page.now - created_at)


def bands(evaluation: Evaluation, previous: pd.Series | None, page: Page) -> None:
    """The overall band and the criteria, each with the change since the evaluation before."""
    skill = evaluation.type or ""
    names = {OVERALL: f"{SKILL_NAMES.get(skill, 'Overall')} band", **CRITERIA.get(skill, {})}
    extra = [b for b, value in evaluation.bands.items() if b not in names and not math.isnan(value)]
    names |= {band: f"{band} (not of this kind)" if skill in CRITERIA else band for band in extra}
    with st.container(horizontal=True):
        for band, name in names.items():
            value = evaluation.bands[band]
            difference = math.nan if previous is None else value - previous[band]
            change = formats.change(difference)
            st.metric(
                name,
                formats.band(value),
                None if change is None else (change if difference else 0),
                delta_color="off",
                help=_why_unknown(evaluation, band) if math.isnan(value) else None,
                width="content",
            )
    if previous is not None:
        st.text(
            f"Changes are against this student's {SKILL_NAMES.get(skill, '')} evaluation before this one, of "
            f"{formats.exact(formats.known(previous['created_at']), page.zone)}."
        )
    elif evaluation.status == "completed" and skill in CRITERIA:
        st.text(f"No earlier completed {SKILL_NAMES[skill]} evaluation to compare with.")


def problems(issues: Sequence[Issue]) -> None:
    """What in the record departs from the specification."""
    if not issues:
        return
    with st.expander(
        f"{formats.count(len(issues), 'attribute')} of this record could not be read as specified", icon="⚠️"
    ):
        markup.show(
            markup.bullets(
                Html(
                    markup.code(issue.attribute)
                    + (f" {markup.inline('“' + issue.value + '”')}" if issue.value else "")
                    + f": {markup.inline(issue.reason)}"
                )
                for issue in issues
            )
        )


def speech(evaluation: Evaluation) -> str:
    """Words, length and pace of a recording; what is not recorded is said to be unknown."""
    words, seconds = evaluation.word_count, evaluation.duration
    parts = [
        "words unknown" if words is None else formats.count(words, "word"),
        "length unknown" if seconds is None else formats.duration(timedelta(seconds=seconds)),
    ]
    if words is not None and seconds:
        parts.append(f"{words / seconds * 60:.0f} words per minute")
    return " · ".join(parts)


def unknown(attributes: Mapping[str, Json]) -> None:
    """Attributes that the specification does not name."""
    if attributes:
        st.subheader("Also in the record", anchor=False, help="Attributes that the specification does not name.")
        markup.show(feedback.layout(dict(attributes)))


def raw(item: str) -> None:
    """The whole item, folded. Hidden characters are written as JSON can write them, so that a copy is the same JSON."""
    with st.expander("Raw record (JSON)"):
        st.code(
            foreign_text.escaped(item),
            language=None,
            wrap_lines=True,
            height=500 if item.count("\n") > 30 or len(item) > 4000 else "content",
        )


def _why_unknown(evaluation: Evaluation, band: str) -> str:
    for issue in evaluation.issues:
        if issue.attribute == band:
            return "Unknown: the record departs from the specification here. See the list below the bands."
    if evaluation.status == "completed":
        return "Unknown: the record does not hold it."
    return "There is no band until the evaluation is completed."
