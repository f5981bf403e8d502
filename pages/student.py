"""One student: latest bands, how they moved, the criteria, the history, the flashcard sets."""

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from ui import cards, filters, formats, reads, skills, tables
from ui.page import EVALUATION, OVERVIEW, STUDENT, open_page

with open_page("Student") as page:
    user_id = page.param("user_id")
    if user_id is None:
        if found := filters.student_finder():
            page.go(STUDENT, user_id=found)
        page.link(OVERVIEW, "Or choose from the students who were active")
        page.done()
    page.require(user_id)
    st.code(user_id, language=None, width="content")
    period = filters.since()

    with page.part("The evaluations"):
        history = page.student_rows(EVALUATIONS, reads.history, user_id)
        if history is not None and history.empty:
            st.info(
                "Check the id: upper and lower case matter. A record without a readable time is in no list.",
                title="No evaluations of this student",
            )
            page.link(OVERVIEW, "Back to the overview")
        elif history is not None:
            shown = bands.since(history, period.first(page.now))
            skills.headline(history, shown, page)
            if shown.empty:
                st.info(f"Choose a longer period: the last {period.name} have no evaluations of this student.")
            else:
                skills.trends(shown, page)
                st.subheader("History", anchor=False)
                with st.container(horizontal=True):
                    skill, status = filters.skill(), filters.status()
                rows = tables.matching(shown, evaluation_type=skill, status=status)
                st.text(
                    f"{len(rows):,} of {formats.count(len(shown), 'evaluation')}, newest first. Select one to read it."
                )
                chosen = tables.pick(
                    tables.history(rows, page.now),
                    tables.history_columns(page.zone),
                    key="history",
                    alt="Evaluations of this student, newest first",
                )
                if chosen is not None:
                    page.go(EVALUATION, **skills.address(rows.iloc[chosen]))

    st.subheader("Flashcard sets", anchor=False)
    with page.part("The flashcard sets"):
        cards.sets_of(user_id, page)
