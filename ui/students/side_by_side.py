"""The parts of the Compare page: the choice of two, their bands as one table, feedback and transcripts side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from analysis import comparison, tasks
from data.records.evaluations import Evaluation
from data.schema import COMPLETED, OVERALL
from ui.components import markup
from ui.shell.clock import Clock
from ui.shell.navigation import COMPARE, EVALUATION, OVERVIEW, STUDENT, href, link
from ui.students import feedback, record
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES

_MOST_PARTS = 20  # parts of a feedback that stand each beside its counterpart, and no more
_SIDES = ("Earlier", "Later")
_LONGEST_LABEL = 200  # characters
_WIDGETS = {"a": "compare_a", "b": "compare_b"}


def choose(history: pd.DataFrame, first: str, second: str, clock: Clock) -> None:
    """Two select boxes of the student's evaluations, and a button that swaps them; both are kept in the address."""
    names = _labels(history, clock)
    for asked, widget in zip((first, second), _WIDGETS.values(), strict=True):
        names.setdefault(asked, foreign_text.visible(f"{asked} (not in the history)"))
        st.session_state[widget] = asked
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _choice("First evaluation", names, "a")
        st.button("⇄ Swap", on_click=_swap, args=(first, second), key="compare_swap")
        _choice("Second evaluation", names, "b")


def _choice(label: str, names: dict[str, str], key: str) -> None:
    st.selectbox(
        label,
        list(names),
        format_func=lambda evaluation_id: names.get(evaluation_id, evaluation_id),
        key=_WIDGETS[key],
        on_change=_keep,
    )


def newer_first(first: Evaluation, second: Evaluation) -> None:
    """A way to swap where the first is the newer one, so that the changes would run backwards in time."""
    if first.created_at and second.created_at and first.created_at > second.created_at:
        ids = first.evaluation_id, second.evaluation_id
        st.button(
            "The first is newer: swap?", on_click=_swap, args=ids, key="compare_newer", icon=":material/swap_horiz:"
        )


def too_few(history: pd.DataFrame, user_id: str) -> None:
    """That there are no two to compare, and the way back."""
    if history.empty:
        st.info(
            "IDs are case-sensitive. A record without a readable time is in no list.",
            title="No evaluations found",
        )
        link(OVERVIEW, "Back to Students")
    else:
        st.text("This student has one evaluation so far: there is nothing to compare it with.")
        link(STUDENT, "Back to student", user_id=user_id)


def not_found(evaluation_ids: Sequence[str], user_id: str) -> None:
    """That the student has no such evaluations, what that may mean, and where to go from there."""
    for evaluation_id in evaluation_ids:
        markup.show(markup.paragraph(f"There is no evaluation “{evaluation_id}” of student “{user_id}”."))
    st.text("It may be another student's, since only evaluations of one student are compared, or have been deleted.")
    with st.container(horizontal=True):
        link(COMPARE, "Compare the latest two of this student", user_id=user_id)
        link(STUDENT, "Back to student", user_id=user_id)


def opened(first: Evaluation, second: Evaluation, clock: Clock) -> None:
    """What each of the two is, with a link to it."""
    for column, heading, one in zip(
        st.columns(2, gap="medium"), _dates(first, second, clock), (first, second), strict=True
    ):
        with column:
            skill = SKILL_NAMES.get(one.type or "", one.type or "Unknown skill")
            state = "" if one.status == COMPLETED else record.status(one, clock)
            to_it = href(EVALUATION, evaluation_id=one.evaluation_id, user_id=one.user_id)
            parts = [markup.bold(heading), skill, *filter(None, [state]), markup.anchor(to_it, "Open evaluation")]
            markup.show(markup.ways(parts))


def technical(first: Evaluation, second: Evaluation, clock: Clock) -> None:
    """Status, model, ID and record of each, folded."""
    for one in (first, second):
        st.text(f"{foreign_text.visible(record.type_of(one))} · {formats.exact(one.created_at, clock.zone)}")
        record.technical(
            one,
            ("Status", record.status(one, clock)),
            ("Model", one.model_used or "Unknown"),
            ids=[("Evaluation ID", one.evaluation_id)],
        )


def bands(first: Evaluation, second: Evaluation, clock: Clock) -> None:
    """The bands of both in one table, and what to know before they are compared."""
    for note in _notes(first, second):
        markup.show(markup.line(note))
    same = comparison.same_skill(first, second)
    overall = f"{SKILL_NAMES.get(first.type or '', 'Overall')} band"
    listed = comparison.rows(first, second)
    of_task = {record.task_of(one) for one in (first, second)}
    names = tasks.criterion_names(of_task.pop() if len(of_task) == 1 else None)
    lines = [
        [
            overall if row.band == OVERALL else names[row.band],
            formats.band(row.first),
            formats.band(row.second),
            *([markup.signed(formats.change(row.change) or formats.UNKNOWN)] if same else []),
        ]
        for row in listed
    ]
    header = ["Criterion", *_dates(first, second, clock), *(["Change"] if same else [])]
    if lines:
        markup.show(markup.table(header, lines, "Bands of both evaluations", narrow=True))


def feedbacks(first: Evaluation, second: Evaluation, clock: Clock) -> None:
    """The feedback of both: the parts that both have beside each other, then what only one has."""
    one, other = first.feedback, second.feedback
    captions = _captions(first, second, clock)
    for column, evaluation in zip(st.columns(2, gap="medium"), (first, second), strict=True):
        with column:
            record.repairs(evaluation)
    if isinstance(one, dict) and isinstance(other, dict):
        # By what they are called on screen: models write a part's name in any case.
        keys = [{feedback.name(key): key for key in reversed(whole)} for whole in (one, other)]
        names = dict.fromkeys(map(feedback.name, feedback.in_order(one)))
        shared = [name for name in names if name in keys[1]][:_MOST_PARTS]
        for name in shared:
            markup.show(markup.heading(name))
            _side_by_side(captions, feedback.layout(one[keys[0][name]], 1), feedback.layout(other[keys[1][name]], 1))
        rest = [
            {key: content for key, content in whole.items() if key not in {own[name] for name in shared}}
            for whole, own in zip((one, other), keys, strict=True)
        ]
        if shared and any(rest):
            markup.show(markup.heading("Only in one evaluation"))
        if not shared or any(rest):
            _side_by_side(captions, *(feedback.ordered(dict(whole)) for whole in rest))
        return
    _side_by_side(captions, *(_whole(evaluation) for evaluation in (first, second)))


def transcripts(first: Evaluation, second: Evaluation, clock: Clock) -> None:
    """The transcripts of both, with words, length and pace."""
    texts = [
        markup.quiet(record.speech(one)) + markup.paragraph(one.transcript)
        if one.transcript
        else markup.quiet("The record has no transcript.")
        for one in (first, second)
    ]
    _side_by_side(_captions(first, second, clock), *texts)


def _labels(history: pd.DataFrame, clock: Clock) -> dict[str, str]:
    """What each evaluation of the history is called in a list; no two are called the same."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for row in history.to_dict("records"):
        evaluation_id, kind, at = row["evaluation_id"], row["evaluation_type"], formats.time_or_none(row["created_at"])
        if evaluation_id is None:
            continue
        band = formats.band(row[OVERALL]) if row["status"] == COMPLETED else row["status"] or "status unknown"
        when = "no readable time" if at is None else formats.exact(at, clock.zone)
        name = foreign_text.short(f"{SKILL_NAMES.get(kind, kind or 'kind unknown')} · {band} · {when}", _LONGEST_LABEL)
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
            "the criteria of both."
        )
    of_task = [record.task_of(one) for one in (first, second)]
    if first.type == second.type and None not in of_task and of_task[0] != of_task[1]:
        notes.append(f"The first is Task {of_task[0]}, the second Task {of_task[1]}, which ask for different things.")
    models = [tasks.without_task(one.model_used) for one in (first, second) if one.model_used]
    if len(models) == len(set(models)) == 2:  # of one that is not recorded nobody knows
        notes.append("Scored by different models: part of a difference may be theirs.")
    return notes


def _captions(first: Evaluation, second: Evaluation, clock: Clock) -> tuple[Markup, Markup]:
    """Which of the two something is of, for a phone, where they stand below each other."""
    earlier, later = _dates(first, second, clock)
    return markup.quiet(earlier), markup.quiet(later)


def _dates(first: Evaluation, second: Evaluation, clock: Clock) -> tuple[str, str]:
    """What the columns are called: earlier and later with their dates, and times where these are of one day."""
    moments = formats.time_or_none(first.created_at), formats.time_or_none(second.created_at)
    days = [None if at is None else formats.day(at, clock.zone, clock.now) for at in moments]
    names = []
    backwards = moments[0] is not None and moments[1] is not None and moments[0] > moments[1]
    for side, at, day in zip(reversed(_SIDES) if backwards else _SIDES, moments, days, strict=True):
        time = f", {at.astimezone(clock.zone):%H:%M}" if at is not None and days[0] == days[1] else ""
        names.append(f"{side} · {day or 'unknown date'}{time}")
    return names[0], names[1]


def _side_by_side(captions: tuple[Markup, Markup], first: Markup, second: Markup) -> None:
    for column, caption, part in zip(st.columns(2, gap="medium"), captions, (first, second), strict=True):
        with column:
            markup.show(caption, part)


def _whole(evaluation: Evaluation) -> Markup:
    if evaluation.unread:
        return record.unread(evaluation)
    return markup.paragraph("No feedback.") if evaluation.feedback is None else feedback.ordered(evaluation.feedback)


def _keep() -> None:
    """Both choices into the address: a default that moved on would make another pair of a copied link."""
    for key, widget in _WIDGETS.items():
        st.query_params[key] = st.session_state[widget]


def _swap(first: str, second: str) -> None:
    st.query_params["a"], st.query_params["b"] = second, first
