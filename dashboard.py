"""The entrypoint of `streamlit run`: the server with its headers; for each visitor the pages, and the one asked for."""

import streamlit as st

from ui.shell.server import MIDDLEWARE, opened

if __name__ == "__main__":  # Streamlit runs this file for every visitor
    # Not at the top: the server imports this file before its runtime is there, and caches declared then would warn.
    from ui.shell.page import navigation

    navigation().run()
else:  # the server imports it, once
    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=opened)
