"""The entrypoint of `streamlit run`: declares the pages and runs the one that was asked for."""

from ui.page import navigation

navigation().run()
