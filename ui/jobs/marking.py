"""Marking overdue and stuck jobs as failed: exactly which, then one conditional update each, then the results."""

import pandas as pd
import streamlit as st

from data.records import jobs
from data.records.jobs import FLASHCARDS, Marked
from data.schema import SPEAKING, WRITING
from queries import records, source
from queries.session import cache
from ui.components import grid, markup
from ui.shell import sign_in
from ui.shell.page import Page
from wording import formats

KINDS = {WRITING: "Writing", SPEAKING: "Speaking", FLASHCARDS: "Flashcards"}
_ASKING = "_marking"
_RESULTS = "_marked"


def offer(rows: pd.DataFrame, page: Page) -> None:
    """Mark overdue and stuck jobs of the list as failed: the list of exactly which, then one update each. For ops."""
    if not page.visitor.is_ops:
        _dismiss()
        return
    _shown_results()
    open_ones = rows[rows["state"].isin(["overdue", "stuck"])]
    if open_ones.empty:
        st.session_state.pop(_ASKING, None)
        return
    if not page.settings.allow_changes:
        st.text("Overdue and stuck jobs can be marked as failed where BANDUP_ALLOW_CHANGES=1 is set.")
        return
    if _ASKING not in st.session_state:
        which = formats.count(len(open_ones), "overdue or stuck job")
        if st.button(f"Mark {which} of this list as failed…", key="mark_ask"):
            st.session_state[_ASKING] = open_ones
            st.rerun()
        return
    asked: pd.DataFrame = st.session_state[_ASKING]
    with st.container(border=True):
        st.text(
            f"{formats.count(len(asked), 'job')} will be set to failed, each only if it is still processing, and not "
            "changed meanwhile. Nothing else is changed. There is no retry: the record does not hold the job's input."
        )
        st.dataframe(
            grid.literal(
                pd.DataFrame(
                    {
                        "When": asked["created_at"],
                        "Kind": asked["kind"].map(lambda kind: KINDS.get(kind, kind)),
                        "Student": asked["user_id"],
                        "Id": asked["job_id"],
                    }
                )
            ),
            hide_index=True,
            column_config={"When": grid.moment("When", page.zone)},
            key="mark_preview",
            alt="The jobs that will be marked as failed",
        )
        with st.container(horizontal=True):
            if st.button(f"Mark these {formats.count(len(asked), 'job')} as failed", key="mark_go"):
                _mark(asked, page)
            if st.button("Leave them", key="mark_leave"):
                _dismiss()
                st.rerun()


def is_open() -> bool:
    """Whether an action is open; auto-refresh pauses then."""
    return _ASKING in st.session_state


def _dismiss() -> None:
    st.session_state.pop(_ASKING, None)


def _mark(asked: pd.DataFrame, page: Page) -> None:
    who = sign_in.require_ops("mark jobs as failed").name
    wanted = list(zip(jobs.keys(asked), asked["created_at"], strict=True))
    results: list[Marked] = []
    try:
        with st.spinner("Marking…", show_time=True):
            results = list(jobs.mark_failed(source.store(), wanted, who=who, now=page.now))
    finally:
        st.session_state[_RESULTS] = results
        _dismiss()
        for changed in (records.period, records.sets_period):
            cache.change(changed)
    st.rerun()


def _shown_results() -> None:
    results: list[Marked] = st.session_state.get(_RESULTS, [])
    if not results:
        return
    done = sum(one.result == "marked" for one in results)
    with st.container(border=True):
        st.text(f"{done:,} of {formats.count(len(results), 'job')} marked as failed.")
        markup.show(
            markup.bullets(markup.inline(f"{one.key.job_id} of {one.key.user_id}: {one.message}") for one in results)
        )
        st.button("Close", on_click=lambda: st.session_state.pop(_RESULTS, None), key="mark_close")
