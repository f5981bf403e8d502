"""Setup: is everything wired, what would mend it, and do it; restore; take away."""

import streamlit as st

from queries import source
from ui.setup.comparison import alarms, banner, checklist, compare, proof
from ui.setup.plan import show_plan
from ui.setup.restore import show_restore
from ui.setup.settings import show_settings
from ui.setup.templates import show_templates
from ui.shell.boundary import part
from ui.shell.page import forget, open_page
from wording import account, formats

with open_page("Setup", for_ops=True) as (_, clock):
    store = source.store()
    comparison = None
    with part("The comparison with the account"):
        comparison = compare(store)
        banner(comparison.verdict)
        st.text(account.place(comparison.place))
        st.text(
            f"Checked {formats.ago(comparison.at, clock.now)}, {formats.exact(comparison.at, clock.zone)}. "
            "Nothing changes until you click Apply."
        )
        st.button("Re-check", on_click=forget, key="check_again")
        st.subheader("Plan", anchor=False)
        with part("The plan"):
            show_plan(store, comparison.plan.steps, key="plan")

    connections, properties, recovery, texts, settings = st.tabs(
        ["Connections", "Checklist", "Restore", "Export", "Settings"]
    )
    if comparison:
        with connections:
            proof(comparison.plan)
        with properties:
            checklist(comparison.plan.checks, clock)
            alarms(comparison.plan.alarms, clock)
        with recovery, part("The restore form"):
            show_restore(store, comparison.plan.checks, clock)
    else:
        for tab, missing in (
            (connections, "The way from each Lambda function to its table appears"),
            (properties, "How each property of the tables stands appears"),
            (recovery, "Restoring a table to a point in time appears"),
        ):
            with tab:
                st.text(f"{missing} here once the account can be read.")
    with texts, part("The export"):
        show_templates(store)
    with settings, part("The settings"):
        show_settings()
