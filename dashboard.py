"""The entrypoint of `streamlit run`: the server with its headers; for each visitor the pages, and the one asked for."""

import streamlit as st

from ui.server.lifespan import MIDDLEWARE, check_settings, opened, take_unreadable_secrets_for_broken
from ui.server.sealed import seal_sign_ins

if __name__ == "__main__":  # Streamlit runs this file for every visitor
    # Not at the top: the server imports this file before its runtime is there, and caches declared then would warn.
    from ui.shell.navigation import menu, navigation
    from ui.students.finder import beside

    page = navigation()
    menu()
    beside()
    page.run()
else:  # the server imports it, once
    check_settings()
    take_unreadable_secrets_for_broken()
    seal_sign_ins()
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=opened)
