"""Jobs: what failed, what hangs, why, since when, for whom; and marking what never ends as failed."""

import streamlit as st

from analysis import job_states
from ui.jobs import detail, marking, summary
from ui.shell.page import Page, open_page

with open_page("Jobs") as page:
    summary.jump(page)
    seconds = summary.refresh_seconds()

    def show(now_page: Page) -> None:
        """All but what it cost."""
        with now_page.part("The jobs"):
            period = summary.span(now_page)
            limits = summary.thresholds()
            if period is None:
                return
            every = summary.seen(now_page, period, limits, seconds)
            jobs = job_states.between(every, period.first, period.last)
            before = job_states.between(every, period.before, period.first)
            summary.top_line(job_states.totals(jobs), job_states.totals(before), period)
            if jobs.empty:
                st.info("Choose a longer period above.", title=f"No jobs in {period.name}")
                return
            summary.timeline(jobs, period, now_page)
            summary.rates(jobs)
            summary.failure_groups(jobs[jobs["state"] == "failed"], period, now_page)
            st.subheader("Jobs", anchor=False)
            rows = summary.choose(jobs, period)
            with now_page.part("Marking as failed"):
                marking.offer(rows, now_page)
            summary.listing(rows, len(jobs), period, now_page)
            if key := detail.addressed(now_page):
                with now_page.part("This job"):
                    detail.show(key, every, now_page)

    @st.fragment(run_every=seconds)
    def live() -> None:
        """Everything that is read again by itself."""
        now_page = page.fresh()
        show(now_page)
        now_page.cost_line()

    live()
