"""What lies where below the server's base path."""

import streamlit as st
from starlette.types import Scope


def base_path() -> str:
    """The path that the dashboard lies below, empty or beginning with a slash."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def is_file(scope: Scope) -> bool:
    """Whether a file is asked for that a page has made, such as a download."""
    return bool(scope["path"].startswith(f"{base_path()}/media/"))
