"""Setup: is everything wired, what would mend it, and do it; restore; take away."""

import streamlit as st

from queries import source
from ui.setup import provisioning
from ui.shell.page import forget, open_page
from wording import formats

with open_page("Setup", for_ops=True) as page:
    store = source.store()
    with page.part("The comparison with the account"):
        seen = provisioning.seen(store)
        left = len(seen.steps)
        st.text(
            f"{'In sync' if not left else formats.count(left, 'step')} · checked {formats.ago(seen.at, page.now)}, "
            f"{formats.exact(seen.at, page.zone)}. Nothing is changed before you press Apply."
        )
        st.button("Check again", on_click=forget, key="check_again")

        st.subheader("Proof", anchor=False, help="Each Lambda, the variable that names its table, the table, its role.")
        provisioning.proof(seen.proofs)

        st.subheader("Plan", anchor=False)
        with page.part("The plan"):
            provisioning.plan(store, seen.steps, page, key="plan")

        st.subheader("Checklist", anchor=False)
        provisioning.checklist(seen.plan.checks, page)

        st.subheader("Restore a table", anchor=False, help="To a new table; the old one is left as it is.")
        with page.part("The restore"):
            provisioning.restore(store, seen.plan.checks, page)

    st.subheader("Take away", anchor=False)
    with page.part("The texts"):
        provisioning.take_away(store)
