"""The parts of the Compare page: the choice of two, their bands as one table, feedback and transcripts side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from analysis import comparison
from data.records.evaluations import Evaluation
from data.records.parse import Json
from data.schema import COMPLETED, OVERALL, SPEAKING_CRITERIA, WRITING_CRITERIA
from ui.components import markup
from ui.components.markup import Html
from ui.shell.page import COMPARE, EVALUATION, OVERVIEW, STUDENT, Page
from ui.students import feedback, record
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES

_MOST_PARTS = 20  # parts of a feedback that stand each beside its counterpart, and no more
_SIDES = ("First", "Second")
_CRITERIA = {**WRITING_CRITERIA, **SPEAKING_CRITERIA}
_WIDGETS = {"a": "compare_a", "b": "compare_b"}


def choose(history: pd.DataFrame, first: str, second: str, page: Page) -> None:
    """Two select boxes of the student's evaluations, and a button that swaps them; both are kept in the address."""
    names = _labels(history, page)
    for asked, widget in zip((first, second), _WIDGETS.values(), strict=True):
        names.setdefault(asked, foreign_text.visible(f"{asked} (not in the history)"))
        st.session_state[widget] = asked
    for column, side, key in zip(st.columns(2, gap="medium"), _SIDES, _WIDGETS.values(), strict=True):
        column.selectbox(
            f"{side} evaluation",
            list(names),
            format_func=lambda evaluation_id: names.get(evaluation_id, evaluation_id),
            key=key,
            on_change=_keep,
        )
    st.button("⇄ Swap", on_click=_swap, args=(first, second), key="compare_swap")


def too_few(history: pd.DataFrame, user_id: str, page: Page) -> None:
    """That there are no two to compare, and the way back."""
    if history.empty:
        st.info(
            "Check the id: upper and lower case matter. A record without a readable time is in no list.",
            title="No evaluations of this student",
        )
        page.link(OVERVIEW, "Back to the overview")
    else:
        st.text("This student has one evaluation so far: there is nothing to compare it with.")
        page.link(STUDENT, "Back to the student", user_id=user_id)


def not_found(evaluation_ids: Sequence[str], user_id: str, page: Page) -> None:
    """That the student has no such evaluations, what that may mean, and where to go from there."""
    for evaluation_id in evaluation_ids:
        markup.show(markup.paragraph(f"There is no evaluation “{evaluation_id}” of student “{user_id}”."))
    st.text("It may be another student's, since only evaluations of one student are compared, or have been deleted.")
    with st.container(horizontal=True):
        page.link(COMPARE, "Compare the latest two of this student", user_id=user_id)
        page.link(STUDENT, "Back to the student", user_id=user_id)


def facts(first: Evaluation, second: Evaluation, page: Page) -> None:
    """What each of the two is, with a link to it, and what is odd in it."""
    for column, side, one in zip(st.columns(2, gap="medium"), _SIDES, (first, second), strict=True):
        with column:
            record.facts(
                (side, SKILL_NAMES.get(one.type or "", one.type or "kind unknown")),
                ("When", formats.exact(one.created_at, page.zone)),
                ("Status", record.status(one.status, one.created_at, page)),
                ("Model", one.model_used or "unknown"),
            )
            page.link(EVALUATION, f"Open the {side.lower()}", evaluation_id=one.evaluation_id, user_id=one.user_id)
            record.problems(one.issues)


def bands(first: Evaluation, second: Evaluation) -> None:
    """The bands of both in one table, and what to know before they are compared."""
    for note in _notes(first, second):
        markup.show(markup.line(markup.inline(note)))
    same = comparison.same_skill(first, second)
    overall = f"{SKILL_NAMES.get(first.type or '', 'Overall')} band"
    listed = comparison.rows(first, second)
    lines = [
        [
            markup.inline(overall if row.band == OVERALL else _CRITERIA[row.band]),
            Html(formats.band(row.first)),
            Html(formats.band(row.second)),
            *([Html(formats.change(row.change) or formats.UNKNOWN)] if same else []),
        ]
        for row in listed
    ]
    header = ["Criterion", *_SIDES, *(["Change"] if same else [])]
    if lines:
        markup.show(markup.table(header, lines, "Bands of both evaluations", narrow=True))


def feedbacks(first: Evaluation, second: Evaluation, page: Page) -> None:
    """The feedback of both: the parts that both have beside each other, then what only one has."""
    one, other = first.feedback, second.feedback
    captions = _captions(first, second, page)
    if isinstance(one, dict) and isinstance(other, dict):
        shared = [part for part in one if part in other][:_MOST_PARTS]
        for part in shared:
            markup.show(markup.heading(feedback.name(part)))
            _side_by_side(captions, *(feedback.layout(whole[part], depth=1) for whole in (one, other)))
        rest = [{part: said for part, said in whole.items() if part not in shared} for whole in (one, other)]
        if shared and any(rest):
            markup.show(markup.heading("Only in one of them"))
        if not shared or any(rest):
            _side_by_side(captions, *(feedback.layout(dict(whole)) for whole in rest))
        return
    _side_by_side(captions, *(_whole(whole) for whole in (one, other)))


def transcripts(first: Evaluation, second: Evaluation, page: Page) -> None:
    """The transcripts of both, with words, length and pace."""
    shown = [
        Html(markup.quiet(markup.inline(record.speech(one))) + markup.paragraph(one.transcript))
        if one.transcript
        else markup.quiet(markup.inline("The record has no transcript."))
        for one in (first, second)
    ]
    _side_by_side(_captions(first, second, page), *shown)


def _labels(history: pd.DataFrame, page: Page) -> dict[str, str]:
    """What each evaluation of the history is called in a list; no two are called the same."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for row in history.to_dict("records"):
        evaluation_id, kind, at = row["evaluation_id"], row["evaluation_type"], formats.known(row["created_at"])
        if evaluation_id is None:
            continue
        band = formats.band(row[OVERALL]) if row["status"] == COMPLETED else row["status"] or "status unknown"
        local = None if at is None else at.astimezone(page.zone)
        when = f"{local.day} {local:%b %Y, %H:%M}" if local else "no readable time"
        name = foreign_text.visible(f"{SKILL_NAMES.get(kind, kind or 'kind unknown')} · {band} · {when}")
        if name in used:
            name = foreign_text.visible(f"{name} · {evaluation_id}")
        used.add(name)
        names[evaluation_id] = name
    return names


def _notes(first: Evaluation, second: Evaluation) -> list[str]:
    notes = []
    kinds = [SKILL_NAMES.get(one.type or "", f"“{one.type}”") for one in (first, second)]
    if first.type is None or second.type is None:
        notes.append("Of which skill they are is not recorded, so their bands are not compared.")
    elif not comparison.same_skill(first, second):
        notes.append(
            f"The first is {kinds[0]}, the second {kinds[1]}: bands of different skills are not compared. These are "
            "the criteria that both have."
        )
    if first.model_used != second.model_used:
        models = [one.model_used or "a model that is not recorded" for one in (first, second)]
        notes.append(
            f"They were judged by different models, {models[0]} and {models[1]}: part of a difference may be theirs."
        )
    if first.created_at and second.created_at and first.created_at > second.created_at:
        notes.append("The first is the newer one, so the changes run backwards in time. Swap them to read on.")
    return notes


def _captions(first: Evaluation, second: Evaluation, page: Page) -> tuple[Html, Html]:
    """Which of the two something is of, for a phone, where they stand below each other."""

    def caption(side: str, one: Evaluation) -> Html:
        at = formats.known(one.created_at)
        local = None if at is None else at.astimezone(page.zone)
        when = f" · {local.day} {local:%b %Y}" if local else ""
        return markup.quiet(markup.inline(f"{side}{when}"))

    return caption(_SIDES[0], first), caption(_SIDES[1], second)


def _side_by_side(captions: tuple[Html, Html], first: Html, second: Html) -> None:
    for column, caption, part in zip(st.columns(2, gap="medium"), captions, (first, second), strict=True):
        with column:
            markup.show(caption, part)


def _whole(whole: Json) -> Html:
    return markup.paragraph("The record has no feedback.") if whole is None else feedback.layout(whole)


def _keep() -> None:
    """Both choices into the address: a default that moved on would make another pair of a copied link."""
    for key, widget in _WIDGETS.items():
        st.query_params[key] = st.session_state[widget]


def _swap(first: str, second: str) -> None:
    st.query_params["a"], st.query_params["b"] = second, first
