"""Jobs: what failed, what hangs, why, since when, for whom; and marking what never ends as failed."""

import streamlit as st

from analysis import jobs as analysis
from ui import job, marking
from ui import jobs as parts
from ui.page import Page, open_page

with open_page("Jobs") as page:
    parts.jump(page)
    seconds = parts.refresh_seconds()

    def show(now_page: Page) -> None:
        """All but what it cost."""
        with now_page.part("The jobs"):
            period = parts.span(now_page)
            limits = parts.thresholds()
            if period is None:
                return
            every = parts.seen(now_page, period, limits, seconds)
            jobs = analysis.between(every, period.first, period.last)
            before = analysis.between(every, period.before, period.first)
            parts.top_line(analysis.totals(jobs), analysis.totals(before), period)
            if jobs.empty:
                st.info("Choose a longer period above.", title=f"No jobs in {period.name}")
                return
            parts.timeline(jobs, period, now_page)
            parts.rates(jobs)
            parts.failure_groups(jobs[jobs["state"] == "failed"], period, now_page)
            st.subheader("Jobs", anchor=False)
            rows = parts.choose(jobs, period)
            with now_page.part("Marking as failed"):
                marking.offer(rows, now_page)
            parts.listing(rows, len(jobs), period, now_page)
            if key := job.addressed(now_page):
                with now_page.part("This job"):
                    job.show(key, every, now_page)

    @st.fragment(run_every=seconds)
    def live() -> None:
        """Everything that is read again by itself."""
        now_page = page.fresh()
        show(now_page)
        now_page.cost_line()

    live()
