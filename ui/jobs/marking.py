"""Giving up overdue and stuck jobs: a dialog that lists exactly which, one conditional update each, the results."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

import pandas as pd
import streamlit as st
from streamlit.errors import StreamlitAPIException

from data.dynamodb.errors import Failure
from data.records import jobs
from data.records.jobs import FLASHCARDS, Key, Marked
from data.roster import Roster
from queries import records, source
from queries.access.gate import Refused
from queries.session import Session, cache
from ui.components import grid, markup
from ui.shell import sign_in
from ui.shell.boundary import part
from ui.shell.clock import Clock
from ui.shell.page import recheck
from wording import failures, formats
from wording.skills import SKILL_NAMES

KINDS = {**SKILL_NAMES, FLASHCARDS: "Flashcards"}
_ASKING = "_marking"
_RUN = "_marking_run"
_RESULTS = "_marked"
_PAUSED = "_marking_paused"
"""Session key: whether auto-refresh, where it is on, paused when the page as a whole ran last."""
_STEP = 0.5
"""Seconds of marking between two looks for a click on Stop."""


def offer(rows: pd.DataFrame, session: Session, clock: Clock, roster: Roster) -> None:
    """Mark overdue and stuck jobs of the list as failed: exactly which in a dialog, then one update each. For ops."""
    _button(rows, session)
    if st.session_state.get(_PAUSED, is_open()) != is_open():
        # A click runs this part of the page alone, and how often that runs by itself is for the whole page to say.
        st.rerun()
    if is_open():
        _ask(clock, roster)


def _button(rows: pd.DataFrame, session: Session) -> None:
    """What was marked last, and the button that asks for more; without it, or without the right, no dialog is open."""
    if not session.visitor.is_ops:
        _dismiss()
        _show_results(with_jobs=False)
        return
    _show_results()
    open_ones = rows[rows["state"].isin(["overdue", "stuck"])]
    if open_ones.empty and _RUN not in st.session_state:
        _dismiss()
        return
    if not source.settings().allow_changes:
        st.text("Overdue and stuck jobs can be marked as failed where BANDUP_ALLOW_CHANGES=1 is set.")
        _dismiss()
        return
    if not open_ones.empty and st.button(f"Mark {len(open_ones):,} as failed…", key="mark_ask"):
        st.session_state[_ASKING] = open_ones


def _ask(clock: Clock, roster: Roster) -> None:
    asked: pd.DataFrame = st.session_state[_ASKING]
    jobs_asked = formats.count(len(asked), "job")

    @st.dialog(f"Mark {jobs_asked} as failed?", width="large", on_dismiss=_dismiss)
    def confirm() -> None:
        # It runs by itself while the page stays: whoever may not mark any more sees what the page says to that.
        if not recheck().visitor.is_ops:
            _dismiss()
            st.rerun()
        if run := st.session_state.get(_RUN):
            with part("The marking as failed"):
                _step(run)
            return
        st.text(
            "The records get the status “failed”. Jobs that finish meanwhile are skipped. This cannot be undone. No "
            "job is run again. This page then lists them as abandoned, and the failure rate leaves them out."
        )
        st.dataframe(
            grid.literal(
                pd.DataFrame(
                    {
                        "Date": asked["created_at"],
                        "Type": asked["kind"].map(lambda kind: KINDS.get(kind, kind)),
                        "Status": [
                            formats.state(state, clock.now - created_at)
                            for state, created_at in zip(asked["state"], asked["created_at"], strict=True)
                        ],
                        "Student": [user_id and roster.student(user_id).label_with_id for user_id in asked["user_id"]],
                        "ID": asked["job_id"],
                    }
                )
            ),
            hide_index=True,
            column_config={"Date": grid.moment("Date", clock.zone)},
            key="mark_preview",
            alt="The jobs that will be marked as failed",
        )
        with st.container(horizontal=True):
            if st.button(f"Mark {jobs_asked} as failed", key="mark_go", type="primary"):
                st.session_state[_RUN] = _Run.of(asked)
                _again()
            if st.button("Cancel", key="mark_leave"):
                _dismiss()
                st.rerun()

    confirm()


@dataclass(slots=True)
class _Run:
    """Jobs that are being marked: how many in all, those that wait, and what became of the others."""

    total: int
    waiting: list[tuple[Key, datetime]]
    results: list[Marked] = field(default_factory=list)

    @classmethod
    def of(cls, asked: pd.DataFrame) -> "_Run":
        return cls(len(asked), list(zip(Key.of_rows(asked), asked["created_at"], strict=True)))


def is_open() -> bool:
    """Whether an action is open; auto-refresh pauses then."""
    return _ASKING in st.session_state


def paused(seconds: int | None) -> int | None:
    """How often a page reads again that would do so every so many seconds: not while an action is open."""
    if seconds is None:
        st.session_state.pop(_PAUSED, None)
        return None
    st.session_state[_PAUSED] = is_open()
    return None if is_open() else seconds


def _dismiss() -> None:
    """Close the dialog. What was marked until then is told on the page."""
    st.session_state.pop(_ASKING, None)
    run: _Run | None = st.session_state.pop(_RUN, None)
    if run and run.results:
        st.session_state[_RESULTS] = run


def _step(run: "_Run") -> None:
    """Mark for half a second, then let the dialog run again, which takes a click on Stop: no click ends a run of it."""
    if not run.waiting:  # the first of them could not even be asked for
        _end(run)
    # As many elements as the preview has, whose buttons would stay in sight until the end.
    st.text(f"Marking… {len(run.results):,} of {run.total:,}")
    st.progress(len(run.results) / (len(run.results) + len(run.waiting)))
    if st.button("Stop", key="mark_stop"):
        _end(run)
    end = time.monotonic() + _STEP
    tried = []
    try:
        while run.waiting and time.monotonic() < end:
            who = sign_in.require_ops("mark jobs as failed").name
            one = run.waiting.pop(0)
            tried.append(one[0])
            # Kept before anything is drawn: the tab may be gone by then, and what was done is to be told. At the time
            # of now: the dialog may have been open for long.
            run.results += jobs.mark_failed(source.store(), [one], who=who, now=cache.clock())
    except Failure:
        run.waiting.clear()
        raise
    except Refused:  # the page says what was done until then, to who may still look
        _end(run)
    finally:
        records.changed(cache, tried)
    if run.waiting:
        _again()
    _end(run)


def _again() -> NoReturn:
    """Run the dialog again, or where all of the page runs just now, the page."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def _end(run: "_Run") -> None:
    _dismiss()
    st.session_state[_RESULTS] = run
    st.rerun()


def _show_results(*, with_jobs: bool = True) -> None:
    """What became of them; not `with_jobs` to whoever has lost the right meanwhile: whose they are is for ops."""
    run: _Run | None = st.session_state.get(_RESULTS)
    if not run or not run.results:
        return
    done = sum(one.result == "marked" for one in run.results)
    unsure = sum(one.result == "not known" for one in run.results)
    left = run.total - len(run.results)
    with st.container(border=True):
        st.text(
            f"{done:,} of {formats.count(run.total, 'job')} marked as failed."
            + (f" {unsure:,} more may have been: press Refresh." if unsure else "")
            + (f" Stopped: {formats.count(left, 'job')} not tried and unchanged." if left else "")
        )
        if with_jobs:
            markup.show(
                markup.bullets(
                    f"{one.key.job_id} of {one.key.user_id}: {failures.sentences(one.message)}" for one in run.results
                )
            )
        st.button("Close", on_click=lambda: st.session_state.pop(_RESULTS, None), key="mark_close")
