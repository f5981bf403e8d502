"""The report about a student: to download, to print, and with the teacher's comment."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from analysis.attention import Flag
from data.roster import Student
from exports.report import html, pdf, words
from exports.report.words import LONGEST_COMMENT, Report
from queries import source
from queries.session import Session
from ui.components import downloads, printing
from ui.components.filters import Period
from ui.shell.clock import Clock
from ui.students.profile import Skill


def buttons(
    flags: Sequence[Flag],
    skills: Mapping[str, Skill],
    entry: Student,
    period: Period,
    session: Session,
    clock: Clock,
    *,
    complete: bool,
) -> None:
    """Download and print the report about a student, with a comment that is kept for this visit.

    `skills` are of all attempts, and `complete` says whether all were read. `flags` are the reasons of the list that
    the reader came from, as at the head of the page.
    """
    user_id = entry.user_id
    key = f"_comment_{user_id}"
    teacher, comment = st.session_state.get(key) or (_teacher(entry, session), "")
    settings = source.settings()
    about = Report(
        student=entry,
        skills={s.name: words.Skill(s.cohort, s.noise, s.progress, s.forecast) for s in skills.values()},
        first=period.first(clock.now),
        zone=clock.zone,
        made=clock.now,
        complete=complete,
        flags=flags,
        school=settings.school,
        teacher=teacher,
        comment=comment,
        invented=settings.source == "demo",
    )
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        downloads.report(
            partial(pdf.render, about),
            "Download report (PDF)",
            user_id,
            session,
            clock,
            suffix="pdf",
            mime="application/pdf",
            primary=True,
        )
        printing.button("Print", partial(html.render, about), session, students=[user_id], key="report_print")
        with st.popover("Comment ✓" if comment else "Add comment", icon=":material/edit_note:"):
            _form(key, teacher, comment)
            downloads.report(
                partial(html.render, about),
                "Printable report (HTML)",
                user_id,
                session,
                clock,
                suffix="html",
                mime="text/html",
            )


def _form(key: str, teacher: str, comment: str) -> None:
    """A form, because a download takes what the page last ran with, not what is being typed."""
    with st.form(f"{key}_form", border=False):
        named = st.text_input("Teacher", teacher, max_chars=80)
        typed = st.text_area("Comment in the report", comment, max_chars=LONGEST_COMMENT, height=160)
        if st.form_submit_button("Save comment"):
            st.session_state[key] = named.strip(), typed.strip()
            st.rerun()


def _teacher(entry: Student, session: Session) -> str:
    """Who teaches the student: as the class list says, else the teacher who is signed in."""
    return entry.teacher or session.visitor.teaches
