"""One student: who, why, how they are and what next; then progress, criteria, evaluations, feedback, flashcard sets."""

from collections.abc import Mapping

import streamlit as st

from analysis import bands
from data.schema import EVALUATIONS
from queries import abandoned, records
from ui.components import filters
from ui.shell import address
from ui.shell.boundary import part
from ui.shell.navigation import OVERVIEW, STUDENT, link
from ui.shell.page import open_page, require
from ui.students import cards, class_list, overview, profile, recurring, report, unindexed

with open_page("Student") as (session, clock):
    roster = class_list.used(session.visitor)
    user_id = address.id_of("user_id")
    if user_id is None:
        profile.ask_whose(STUDENT, "Browse all students", roster)
    require(user_id, session)
    entry = roster.student(user_id)
    profile.title(entry, here=True)
    head = st.container()
    controls = st.container(horizontal=True, vertical_alignment="bottom")

    session.ahead((records.history, user_id), (records.sets, user_id))
    history = recent = None
    is_whole = False
    with head, part("The evaluations"):
        history = unindexed.rows(EVALUATIONS, records.history, user_id, session)
        is_whole = session.complete  # of the student's own records: the class's are read later
        if history is None or history.empty:
            profile.facts(entry, None, clock)
        if history is not None and history.empty:
            st.info(
                f"{'The class list has this student. ' if user_id in roster.students else 'IDs are case-sensitive. '}"
                "A record without a readable time is in no list.",
                title="No evaluations found",
            )
            link(OVERVIEW, "Back to Students")
        elif history is not None:
            given_up = abandoned.marked(session, abandoned.candidates(history, None, clock.now))
            history = abandoned.labelled(history, given_up)
    if history is not None and not history.empty:
        listed, seen = filters.period_of_address(), None
        with controls:
            period = filters.since()
            task = profile.choose_task(history)
            of_task = profile.of_task(history, task)
        recent = bands.since(of_task, period.first(clock.now))
        medians: Mapping[str, float] = {}
        of_skills: Mapping[str, profile.Skill] = {}
        with controls, part("The comparison with the class"):
            medians = profile.beside(user_id, task, session, clock, roster)
        with head, part("The levels"):
            seen = profile.standing(history, listed, clock)
            of_skills = profile.of_history(of_task, entry, clock, seen if of_task is history else None)
            flags = profile.flags_of(seen, entry, overview.rules_of_address(), clock)
            profile.facts(entry, seen, clock)
            with st.container(horizontal=True, vertical_alignment="center"):
                with st.container(width="stretch", gap="small"):
                    profile.reasons(flags, task)
                    profile.next_step(flags, seen, history, entry, listed, clock)
                with part("The report"):
                    # Of both Writing tasks: a parent does not know which one is chosen here.
                    of_all = of_skills if of_task is history else profile.of_history(history, entry, clock, seen)
                    report.buttons(flags, of_all, entry, period, session, clock, complete=is_whole)
            profile.cards(of_task, task, of_skills, medians, clock)

    if history is None or recent is None:
        st.subheader("Flashcards", anchor=False)
        with part("The flashcard sets"):
            cards.sets_of(user_id, session, clock)
    else:
        progress, criteria, evaluations, phrases, sets = st.tabs(
            ["Progress", "Criteria", "Evaluations", "Feedback", "Flashcards"]
        )
        for tab in (progress, criteria, evaluations) if recent.empty else ():
            with tab:
                st.info(profile.none_left(of_task, history, period))
        if not recent.empty:
            with progress, part("The progress"):
                profile.trends(recent, of_skills, clock)
                profile.practice_calendar(recent, period, clock)
            with criteria, part("The criteria"):
                profile.criteria(recent, of_skills, clock)
            with evaluations, part("The history"):
                profile.listing(recent, user_id, period, session)
        with phrases:
            recurring.of_student(user_id, of_task, session, clock, roster)
        with sets, part("The flashcard sets"):
            cards.sets_of(user_id, session, clock)
