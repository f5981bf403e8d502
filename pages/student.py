"""One student: latest bands, how they moved, the criteria, the history, the flashcard sets."""

from collections.abc import Mapping

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from ui import cards, filters, reads, recurring, skills
from ui.page import OVERVIEW, STUDENT, open_page

with open_page("Student") as page:
    user_id = page.param("user_id")
    if user_id is None:
        skills.ask_whose(STUDENT, "Or choose from the students who were active", page)
    page.require(user_id)
    skills.title(user_id, page)
    period = filters.since()

    page.ahead((reads.history, user_id), (reads.sets, user_id))
    history = None
    with page.part("The evaluations"):
        history = page.student_rows(EVALUATIONS, reads.history, user_id)
        if history is not None and history.empty:
            named = user_id in page.roster.students
            st.info(
                f"{'The roster names this student.' if named else 'Check the id: upper and lower case matter.'} "
                "A record without a readable time is in no list.",
                title="No evaluations of this student",
            )
            page.link(OVERVIEW, "Back to the overview")
        elif history is not None:
            shown = bands.since(history, period.first(page.now))
            of_skills = skills.of_history(history, user_id, page)
            medians: Mapping[str, float] = {}
            with page.part("The comparison with the class"):
                medians = skills.beside(user_id, page)
            skills.headline(history, shown, of_skills, medians, page)
            skills.take_away(of_skills, user_id, period, page)
            if shown.empty:
                st.info(f"Choose a longer period: the last {period.name} have no evaluations of this student.")
            else:
                skills.trends(shown, of_skills, page)
                skills.practice(shown, period, page)
                skills.listing(shown, user_id, period, page)

    if history is not None and len(history):
        recurring.of_student(user_id, history, page)
    st.subheader("Flashcard sets", anchor=False)
    with page.part("The flashcard sets"):
        cards.sets_of(user_id, page)
