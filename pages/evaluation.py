"""One evaluation: bands and what changed, the feedback, the transcript, the raw record."""

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from queries import records
from ui.components import filters, markup
from ui.shell.page import COMPARE, EVALUATION, OVERVIEW, STUDENT, open_page
from ui.students import feedback, profile, record
from wording import formats
from wording.skills import SKILL_NAMES

with open_page("Evaluation") as page:
    evaluation_id, user_id = page.param("evaluation_id"), page.param("user_id")
    if evaluation_id is None:
        if typed := filters.id_finder("Find an evaluation by id", "such as eval-abc123"):
            page.go(EVALUATION, evaluation_id=typed)
        page.link(OVERVIEW, "Or start from a student")
        page.done()
    if user_id is not None:
        page.require(user_id)
    if user_id is None:
        found = page.read(records.evaluations_called, evaluation_id)
        evaluation = record.only_one(found, "an evaluation", EVALUATION, evaluation_id)
        if evaluation is None and found:
            page.done()
    else:
        page.ahead((records.evaluation, evaluation_id, user_id), (records.history, user_id))
        evaluation = page.read(records.evaluation, evaluation_id, user_id)
    if evaluation is None:
        record.not_found("evaluation", evaluation_id, user_id, page)
        page.done()

    record.facts(
        ("Student", page.called(evaluation.user_id)),
        ("Evaluation", evaluation.evaluation_id),
        ("Kind", SKILL_NAMES.get(evaluation.type or "", evaluation.type or "unknown")),
        ("Status", record.status(evaluation.status, evaluation.created_at, page)),
        ("When", f"{formats.exact(evaluation.created_at, page.zone)} · {formats.ago(evaluation.created_at, page.now)}"),
        ("Model", evaluation.model_used or "unknown"),
    )
    links = st.container(horizontal=True, vertical_alignment="center")
    with links:
        page.link(STUDENT, "All of this student", user_id=evaluation.user_id)

    previous = None
    with page.part("The change since the evaluation before"):
        history = page.student_rows(EVALUATIONS, records.history, evaluation.user_id)
        if history is not None:
            previous = bands.before(history, evaluation.evaluation_id)
            for label, other in (
                ("← Previous", bands.older(history, evaluation.evaluation_id)),
                ("Next →", bands.newer(history, evaluation.evaluation_id)),
            ):
                if other is not None and links.button(label, key=label):
                    page.go(EVALUATION, **profile.address(other))
            if previous is not None:
                with links:
                    ids = {"a": previous["evaluation_id"], "b": evaluation.evaluation_id}
                    page.link(COMPARE, "Compare with the one before", user_id=evaluation.user_id, **ids)

    record.bands(evaluation, previous, page)
    record.problems(evaluation.issues)
    columns = st.columns([3, 2] if evaluation.transcript else 1, gap="large")
    with columns[0], page.part("The feedback"):
        st.subheader("Feedback", anchor=False)
        if evaluation.feedback is None:
            st.text("The record has no feedback.")
        else:
            markup.show(feedback.layout(evaluation.feedback))
    if evaluation.transcript:
        with columns[1], page.part("The transcript"):
            st.subheader("Transcript", anchor=False)
            st.text(record.speech(evaluation))
            markup.show(markup.paragraph(evaluation.transcript))
    record.unknown(evaluation.unknown)
    record.raw(evaluation.raw)
