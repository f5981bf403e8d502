"""The class: who needs attention and why, where each one stands, how much was practised."""

import streamlit as st

from analysis.levels import progress
from queries import background, standings
from ui.components import filters
from ui.shell import loading
from ui.shell.boundary import done, part
from ui.shell.page import open_page
from ui.students import class_list, overview
from ui.students.choice import choose

with open_page("Students") as (session, clock):
    roster = class_list.used(session.visitor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        choice, period = choose(roster), filters.period()
        rules = overview.rules()
    with st.container(horizontal=True, vertical_alignment="center"):
        flags = st.container(width="content")
        class_list.button(session, max(period.days or 0, progress.WINDOW.days))
        filters.clear(*overview.FILTERS)
    table = st.container()

    with table, part("The class"):
        # Levels and trends look back 180 days, whatever the period.
        days = period.days or progress.WINDOW.days
        if loading.follow(lambda: standings.loading(session, days, roster, choice.class_name), session):
            newest = standings.newest(session, background.FIRST_STEP)
            overview.first_look(standings.first_look(session, newest, roster, choice.class_name, rules), clock, roster)
            done()
        asked = standings.evaluations(session, days, roster, choice.class_name)
        listed = standings.listing(session, asked, roster, choice.class_name, choice.skills, rules)
        with flags:
            flag = overview.flagged(listed)
        if not len(listed):
            overview.nobody(period)
            done()
        overview.since_last_week(standings.since_last_week(session, listed, asked, roster, rules), roster)
        overview.listing(overview.matching(listed, flag), listed, choice, flag, period, session, clock, roster)
        overview.way(asked, session)
        levels, activity = st.tabs(["Levels", "Activity"])
        with levels, part("The levels"):
            overview.distribution(listed)
        with activity, part("The evaluations per week"):
            practised = standings.activity(session, listed, asked, clock.zone.key)
            overview.headline(listed, practised, choice, period)
            overview.volume(practised, choice)
