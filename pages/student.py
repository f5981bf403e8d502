"""One student: latest bands, how they moved, the criteria, the history, the flashcard sets."""

from collections.abc import Mapping

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from queries import records
from ui.components import filters
from ui.shell.page import OVERVIEW, STUDENT, open_page
from ui.students import cards, profile, recurring

with open_page("Student") as page:
    user_id = page.param("user_id")
    if user_id is None:
        profile.ask_whose(STUDENT, "Or choose from the students who were active", page)
    page.require(user_id)
    profile.title(user_id, page)
    period = filters.since()

    page.ahead((records.history, user_id), (records.sets, user_id))
    history = None
    with page.part("The evaluations"):
        history = page.student_rows(EVALUATIONS, records.history, user_id)
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
            of_skills = profile.of_history(history, user_id, page)
            medians: Mapping[str, float] = {}
            with page.part("The comparison with the class"):
                medians = profile.beside(user_id, page)
            profile.headline(history, shown, of_skills, medians, page)
            profile.take_away(of_skills, user_id, period, page)
            if shown.empty:
                st.info(f"Choose a longer period: the last {period.name} have no evaluations of this student.")
            else:
                profile.trends(shown, of_skills, page)
                profile.practice_calendar(shown, period, page)
                profile.listing(shown, user_id, period, page)

    if history is not None and len(history):
        recurring.of_student(user_id, history, page)
    st.subheader("Flashcard sets", anchor=False)
    with page.part("The flashcard sets"):
        cards.sets_of(user_id, page)
