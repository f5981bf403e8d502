"""A student's rows where the index is missing: the whole table is read, once somebody has accepted what that costs."""

import pandas as pd
import streamlit as st

from data.dynamodb.errors import Failure
from data.schema import Table
from queries import source
from queries.cache import Query
from queries.session import Session
from ui.shell import sign_in
from wording import failures, formats


def rows(table: Table, asked: Query[..., pd.DataFrame], user_id: str, session: Session) -> pd.DataFrame | None:
    """A student's rows of `table`. Without the index: what a scan would cost, and the rows only once accepted."""
    accepted = f"_scan_{table.variable}_{user_id}"
    try:
        return session.read(asked, user_id)
    except Failure as failure:
        if failure.kind != "index_missing":
            raise
        if not st.session_state.get(accepted):
            _offer(table, failure, accepted, session)
            return None
    sign_in.require_ops("read a whole table")
    scanned = session.read(asked, user_id, True)
    st.info("Read from the whole table, because the index is missing. Setup can add it.")
    return scanned


def _offer(table: Table, failure: Failure, accepted: str, session: Session) -> None:
    with st.container(border=True):
        st.text(failures.sentences(failure))
        if not session.visitor.is_ops:
            st.text("Ask an administrator to scan the table.")
            return
        st.text(f"Reading the whole table once costs {formats.estimate(source.scan_cost(table), source.settings())}.")
        st.button("Read the whole table", key=f"{accepted}_button", on_click=_accept, args=(accepted,))


def _accept(key: str) -> None:
    st.session_state[key] = True
