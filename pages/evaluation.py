"""One evaluation: bands and what changed, the feedback, the transcript, the raw record."""

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from queries import records
from ui.components import markup
from ui.shell import address
from ui.shell.boundary import done, part
from ui.shell.navigation import COMPARE, EVALUATION, OVERVIEW, STUDENT, go, href, link
from ui.shell.page import open_page, require, set_title
from ui.students import breadcrumb, class_list, feedback, finder, profile, record, unindexed
from wording import formats

with open_page("Evaluation") as (session, clock):
    evaluation_id, user_id = address.id_of("evaluation_id"), address.id_of("user_id")
    if evaluation_id is None:
        if typed := finder.id_finder("Search evaluations (ID)", "e.g. eval-abc123"):
            go(EVALUATION, evaluation_id=typed)
        link(OVERVIEW, "Browse all students")
        done()
    if user_id is not None:
        require(user_id, session)
        session.ahead((records.evaluation, evaluation_id, user_id), (records.history, user_id))
    evaluation = record.opened(
        records.evaluation, records.evaluations_called, "evaluation", evaluation_id, user_id, session
    )

    entry = class_list.used(session.visitor).student(evaluation.user_id)
    set_title(record.title(evaluation, clock), breadcrumb.of_student(entry))
    name = markup.anchor(href(STUDENT, user_id=entry.user_id), entry.label)
    ways = [markup.joined(["of ", name])]
    line = st.container()

    previous, is_first, whole = None, False, None
    with part("The change since the previous evaluation"):
        history = unindexed.rows(EVALUATIONS, records.history, evaluation.user_id, session)
        if history is not None:
            previous = bands.before(history, evaluation.evaluation_id)
            whole = history if session.complete else None
            is_first = session.complete and bands.is_first(history, evaluation.evaluation_id)
            for label, other in (
                ("← Previous", bands.older(history, evaluation.evaluation_id)),
                ("Next →", bands.newer(history, evaluation.evaluation_id)),
            ):
                if other is not None:
                    ways.append(markup.anchor(href(EVALUATION, **profile.ids_of(other)), label))
            if previous is not None:
                ids = {"a": previous["evaluation_id"], "b": evaluation.evaluation_id}
                to_compare = href(COMPARE, user_id=evaluation.user_id, **ids)
                ways.append(markup.anchor(to_compare, "Compare with previous"))
    with line:
        markup.show(markup.ways(ways))

    record.outcome(evaluation, whole, clock, for_ops=session.visitor.is_ops)
    record.bands(evaluation, previous, clock, is_first=is_first)
    columns = st.columns([3, 2] if evaluation.transcript else 1, gap="large")
    with columns[0], part("The feedback"):
        st.subheader("Feedback", anchor=False)
        if evaluation.unread:
            markup.show(record.unread(evaluation))
        elif evaluation.feedback is None:
            st.text("No feedback.")
        else:
            markup.show(feedback.ordered(evaluation.feedback))
            record.repairs(evaluation)
    if evaluation.transcript:
        with columns[1], part("The transcript"):
            st.subheader("Transcript", anchor=False)
            st.text(record.speech(evaluation))
            markup.show(markup.paragraph(evaluation.transcript))
    record.technical(
        evaluation,
        ("Status", record.status(evaluation, clock)),
        ("Model", evaluation.model_used or "Unknown"),
        ("Created", formats.exact(evaluation.created_at, clock.zone)),
        ids=[("Evaluation ID", evaluation.evaluation_id), ("Student ID", evaluation.user_id)],
    )
