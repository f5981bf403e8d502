"""The class: who was active, and where each one stands."""

import streamlit as st

from analysis import bands
from ui import filters, formats, reads, tables
from ui.page import STUDENT, open_page

with open_page("Overview") as page:
    if user_id := filters.student_finder():
        page.go(STUDENT, user_id=user_id)
    period = filters.period()

    with page.part("The class"):
        evaluations = page.read(reads.period, period.days)
        students = bands.students(evaluations)
        known = students[students["user_id"].notna()].reset_index(drop=True)
        with st.container(horizontal=True):
            st.metric(
                "Active students",
                f"{len(known):,}",
                help=f"Students with at least one evaluation in the last {period.name}.",
                width="content",
            )
            st.metric("Evaluations", f"{len(evaluations):,}", help="Of every status.", width="content")
            failed = int(students["failed"].sum())
            st.metric(
                "Failed",
                f"{failed:,}",
                help="Evaluations that ended without a result, through no fault of the student.",
                width="content",
            )
        if known.empty:
            st.info(
                f"Nobody was active in the last {period.name}. Choose a longer period, or open a student by id above.",
                title="No evaluations here",
            )
        else:
            st.text("Select a student to see the history.")
            chosen = tables.pick(
                tables.students(known),
                tables.students_columns(page.zone),
                key="students",
                alt=f"{formats.count(len(known), 'student')} active in the last {period.name}, last seen first",
            )
            if chosen is not None:
                page.go(STUDENT, user_id=known["user_id"][chosen])
