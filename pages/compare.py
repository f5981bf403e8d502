"""Two evaluations of a student side by side: bands, criteria, feedback, transcript."""

import streamlit as st

from analysis import comparison
from data.schema import EVALUATIONS
from queries import records
from ui.shell import address
from ui.shell.boundary import done, part
from ui.shell.navigation import COMPARE
from ui.shell.page import open_page, require
from ui.students import class_list, profile, side_by_side, unindexed

with open_page("Compare") as (session, clock):
    roster = class_list.used(session.visitor)
    user_id, first_id, second_id = address.id_of("user_id"), address.id_of("a"), address.id_of("b")
    if user_id is None:
        profile.ask_whose(COMPARE, "Browse all students", roster)
    require(user_id, session)
    profile.title(roster.student(user_id), "Compare evaluations")

    history = None
    with part("The choice of evaluations"):
        history = unindexed.rows(EVALUATIONS, records.history, user_id, session)
    if history is not None and (pair := comparison.pair(history, first_id, second_id)):
        first_id, second_id = pair
        if not history.empty:
            side_by_side.choose(history, first_id, second_id, clock)
    if first_id is None or second_id is None:
        if history is not None:
            side_by_side.too_few(history, user_id)
        done()
    if first_id == second_id:
        st.info("Choose another one on either side.", title="Choose two different evaluations")
        done()

    session.ahead((records.evaluation, first_id, user_id), (records.evaluation, second_id, user_id))
    first = session.read(records.evaluation, first_id, user_id)
    second = session.read(records.evaluation, second_id, user_id)
    if first is None or second is None:
        side_by_side.not_found([i for i, e in ((first_id, first), (second_id, second)) if e is None], user_id)
        done()

    with part("The bands"):
        side_by_side.newer_first(first, second)
        side_by_side.bands(first, second, clock)
        side_by_side.opened(first, second, clock)
    st.subheader("Feedback", anchor=False)
    with part("The feedback"):
        side_by_side.feedbacks(first, second, clock)
    if first.transcript or second.transcript:
        st.subheader("Transcript", anchor=False)
        with part("The transcripts"):
            side_by_side.transcripts(first, second, clock)
    with part("The technical details"):
        side_by_side.technical(first, second, clock)
