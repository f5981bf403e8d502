"""The class: who needs attention and why, where each one stands, how much was practised, whom to teach together."""

from datetime import timedelta

import streamlit as st

from analysis import attention, progress
from queries import records
from ui.components import filters
from ui.shell.page import STUDENT, open_page
from ui.students import class_list, overview

with open_page("Overview") as page:
    if user_id := filters.student_finder(page.roster):
        page.go(STUDENT, user_id=user_id)
    with st.container(horizontal=True, vertical_alignment="top"):
        period = filters.period()
        choice = overview.choose(page.roster)
    figures, table = st.container(), st.container()
    rules = overview.rules()
    class_list.panel(page)

    with table, page.part("The class"):
        # Levels and trends look back 180 days, whatever the period.
        days = period.days or progress.WINDOW.days
        answer = page.answer(records.period, max(days, progress.WINDOW.days))
        everybody = page.session.derive(
            ("levels", days, answer.read_at),
            lambda: attention.everybody(answer.value, answer.read_at - timedelta(days=days), answer.read_at),
        )
        every = overview.rows(overview.listed(everybody, page), choice, rules, page)
        shown = overview.matching(every, choice)
        with figures:
            overview.headline(every, period)
        if not every:
            overview.nobody(period)
            page.done()
        overview.listing(shown, len(every), choice, period, page)
        columns = st.columns(2)
        with columns[0], page.part("The levels"):
            overview.distribution(every, choice)
        with columns[1], page.part("The evaluations per week"):
            overview.volume(overview.of_rows(answer.value, every), page.now - timedelta(days=days), choice, page)
        with page.part("The groups to teach"):
            overview.groups(answer.value, every, choice, page)
