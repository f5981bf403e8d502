"""Two evaluations of a student side by side: bands, criteria, feedback, transcript."""

import streamlit as st

from analysis import comparison
from data.schema import EVALUATIONS
from queries import records
from ui.shell.page import COMPARE, STUDENT, open_page
from ui.students import profile, side_by_side

with open_page("Compare") as page:
    user_id, first_id, second_id = page.param("user_id"), page.param("a"), page.param("b")
    if user_id is None:
        profile.ask_whose(COMPARE, "Or choose from the students who were active", page)
    page.require(user_id)
    profile.title(user_id, page)
    page.link(STUDENT, "All of this student", user_id=user_id)

    history = None
    with page.part("The choice of evaluations"):
        history = page.student_rows(EVALUATIONS, records.history, user_id)
    if history is not None and (pair := comparison.pair(history, first_id, second_id)):
        first_id, second_id = pair
        if not history.empty:
            side_by_side.choose(history, first_id, second_id, page)
    if first_id is None or second_id is None:
        if history is not None:
            side_by_side.too_few(history, user_id, page)
        page.done()
    if first_id == second_id:
        st.info("Choose another one on either side.", title="This is the same evaluation twice")
        page.done()

    page.ahead((records.evaluation, first_id, user_id), (records.evaluation, second_id, user_id))
    first = page.read(records.evaluation, first_id, user_id)
    second = page.read(records.evaluation, second_id, user_id)
    if first is None or second is None:
        side_by_side.not_found([i for i, e in ((first_id, first), (second_id, second)) if e is None], user_id, page)
        page.done()

    with page.part("The bands"):
        side_by_side.bands(first, second)
        side_by_side.facts(first, second, page)
    st.subheader("Feedback", anchor=False)
    with page.part("The feedback"):
        side_by_side.feedbacks(first, second, page)
    if first.transcript or second.transcript:
        st.subheader("Transcript", anchor=False)
        with page.part("The transcripts"):
            side_by_side.transcripts(first, second, page)
