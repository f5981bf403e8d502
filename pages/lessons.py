"""Lessons: whom to teach what together, what their feedback says again and again, as a sheet to print and a file."""

import streamlit as st

from analysis.attention import Rules
from analysis.levels import progress
from queries import standings
from ui.components import markup
from ui.shell import address, loading
from ui.shell.boundary import done, part
from ui.shell.page import open_page
from ui.students import class_list, lessons
from ui.students.choice import choose
from wording import foreign_text

with open_page("Lessons") as (session, clock):
    roster = class_list.used(session.visitor)
    with part("The groups"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            choice = choose(roster)
        if loading.follow(lambda: standings.loading(session, progress.WINDOW.days, roster, choice.class_name), session):
            done()
        asked = standings.evaluations(session, progress.WINDOW.days, roster, choice.class_name)
        groups = standings.listing(session, asked, roster, choice.class_name, choice.skills, Rules()).groups
        code = address.value("group")
        group = next((one for one in groups if one.code == code), None)
        if group is not None:
            lessons.plan(group, asked, choice, session, clock, roster)
        else:
            if code:
                markup.show(
                    markup.quiet(f"The link asks for group “{foreign_text.short(code, 60)}”, which there is not.")
                )
            lessons.cards(groups, asked, session, roster)
