"""Jobs: incidents first, then what failed, what hangs, why, since when, for whom; and giving up what never ends."""

import streamlit as st

from analysis import job_states
from analysis.incidents import began, incidents, of_period
from analysis.job_states import Thresholds
from queries import all_jobs
from ui.components import markup
from ui.jobs import detail, incident, listing, marking, summary
from ui.shell import address, loading
from ui.shell.boundary import done, part
from ui.shell.page import fragment, open_page
from ui.students import class_list
from wording import formats

with open_page("Jobs") as (page_session, page_clock):
    code = incident.addressed()
    limits = Thresholds()
    chosen = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if not code:
            chosen = listing.period(page_clock)
            summary.jump(page_session)
            limits = summary.thresholds()
        seconds = summary.refresh_seconds()

    @st.fragment(run_every=seconds)
    def live() -> None:
        """Everything that is read again by itself."""
        with fragment("The jobs", page_session) as (session, clock):
            roster = class_list.used(session.visitor)
            period = incident.span(code, clock) if code else chosen.span(clock) if chosen else None
            if period is None:
                if code:
                    incident.not_there()
                done()
            first = period.first if code else period.before
            if loading.follow(lambda: all_jobs.loading(first, period.last, clock.now), page_session):
                done()
            every = summary.jobs_of(session, clock, first, period.last, limits, seconds, began(code) if code else None)
            as_of = min(clock.now, period.last, every.known_until or clock.now)
            opened = incidents(every.jobs, as_of, every.known_since)
            if code:
                if one := incident.find(opened, code):
                    incident.show(one, every.jobs, session, clock, roster)
                    detail.offer(every.jobs, session, clock, roster, limits)
                else:
                    incident.not_there(is_known=not every.failures and not every.unread)
                done()
            jobs = job_states.between(every.jobs, period.first, period.last)
            before = job_states.between(every.jobs, period.before, period.first)
            opened = of_period(opened, period.first)
            summary.incident_list(opened, jobs, every, period, roster, clock)
            summary.top_line(job_states.totals(jobs), job_states.totals(before), period)
            places = {"figures": st.container(key="below_figures")}
            if jobs.empty:
                st.info("Choose a longer period above.", title=f"No jobs in {period.name}")
                done()
            summary.timeline(jobs, period, clock)
            places["bars"] = st.container(key="below_bars")
            summary.error_table(jobs[jobs["state"] == "failed"], period, session, clock)
            with places.get(address.value(listing.BELOW)) or st.container(key="below_errors"):
                heading = st.container()
                choice = listing.choose(jobs, clock, is_known=not every.failures and not every.unread)
                rows = choice.rows(jobs)
                with heading:
                    markup.show(markup.heading(formats.of(len(rows), len(jobs), "job"), 3))
                listing.show(rows, period.name, choice.words(clock), session, clock, roster)
                with part("The button that marks jobs as failed"):
                    marking.offer(rows, session, clock, roster)
            summary.rates(jobs)
            detail.offer(every.jobs, session, clock, roster, limits)
        session.show_cost(of_page=False)

    live()
