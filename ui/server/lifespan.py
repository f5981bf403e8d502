"""The server around the pages: its middleware, its start and its end."""

import asyncio
import gc
import os
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from threading import Thread, current_thread, main_thread
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.config import is_manually_set
from streamlit.errors import StreamlitSecretNotFoundError
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.secrets import Secrets
from streamlit.starlette import App
from streamlit.web.server.server_util import get_url
from streamlit.web.server.starlette import starlette_websocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets import http11

from data import roster
from data.dynamodb.errors import Failure
from data.environment import read_settings
from data.roster import RosterError
from data.settings import SettingsError
from ui.server.connection import BoundedConnection, read_headers_in_one_go
from ui.server.files import keep_new_files, let_files_go
from ui.server.headers import PlainHeaders
from ui.server.log import keep_to_lines
from ui.server.middleware import MOST_OF_FRAME, Doors, SameOrigin, SecurityHeaders
from ui.server.return_link import ReturnLink
from ui.server.scripts import Scripts
from ui.server.sealed import SealedAlone
from ui.server.websocket import BoundedWebsocket

_EVERY_INTERFACE = ("0.0.0.0", "::")  # noqa: S104 - no browser can open these
_USUAL_PORT = 8501
_OUTPUT = 1  # the file descriptor
_LONGEST_HEAD = 65_536
"""Bytes before a request's body, also of a websocket's: a sign-in with two hundred groups has 20 KB of cookies."""
_END_SECONDS = 10  # for answers that are under way: somebody who takes nothing of a file would hold up the end for good
_FIRST_PAGE = (
    *("ui.shell.loading", "ui.shell.navigation"),
    *("ui.students.class_list", "ui.students.finder", "ui.students.overview"),
)
"""The modules that pages/overview.py and dashboard.py import."""

MIDDLEWARE = [
    Middleware(SecurityHeaders),
    Middleware(PlainHeaders),
    Middleware(SameOrigin),
    Middleware(SealedAlone),
    Middleware(Doors),
    Middleware(ReturnLink),
    Middleware(Scripts),
]


def check_settings() -> None:
    """End the process with a sentence and exit code 1 where a setting, or the roster that one names, is unusable."""
    try:
        settings = read_settings()
        if settings.roster:
            roster.read(settings.roster)
    except SettingsError as error:
        sys.exit(str(error))
    except RosterError as error:
        sys.exit(f"BANDUP_ROSTER: {error.in_log}")


@asynccontextmanager
async def opened(_: App) -> AsyncIterator[None]:
    """For as long as the server runs. At its start it says where it is, and opens the browser there."""
    url = address()
    keep_to_lines()
    watch_no_files()
    keep_new_files()
    ask_nobody_for_an_address()
    if st.get_option("server.port") != _USUAL_PORT and not is_manually_set("server.port"):
        _say(f"Port {_USUAL_PORT} is taken, by another program or a dashboard that runs already.")
    if server := _uvicorn():
        server.config.ws_max_size = MOST_OF_FRAME  # Streamlit's is that of what it sends: 200 MB are kept of a frame
        if server.config.ws_protocol_class is WebSocketsSansIOProtocol:
            server.config.ws_protocol_class = BoundedWebsocket
            http11.MAX_LINE_LENGTH = _LONGEST_HEAD
        if server.config.http_protocol_class is H11Protocol:
            server.config.http_protocol_class = BoundedConnection
            read_headers_in_one_go()
        server.config.h11_max_incomplete_event_size = _LONGEST_HEAD
        server.config.timeout_graceful_shutdown = _END_SECONDS
        _end_quietly(server)  # before anybody is told how to end it
    _say(f"The dashboard is at {url} until Ctrl+C ends it.")
    if not st.get_option("server.headless"):
        # The server answers a moment after this has begun.
        asyncio.get_running_loop().call_later(
            1, lambda: Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        )
    Thread(target=get_ready, daemon=True).start()
    looking = asyncio.create_task(let_files_go())
    yield
    looking.cancel()


def watch_no_files() -> None:
    """Where no files are to be watched, have Streamlit watch none for those either who come back to a page.

    It does, as each phone does that was locked for a while, and looks at the files of all modules for each: a tenth of
    a second, in which the server answers nobody.
    """
    if st.get_option("server.fileWatcherType") == "none":
        setattr(AppSession, "register_file_watchers", lambda _: None)  # noqa: B010 - to mypy, a method stays what it is


def ask_nobody_for_an_address() -> None:
    """Have Streamlit ask the internet for no address of its own to compare an Origin with: they have been compared."""
    setattr(starlette_websocket, "is_url_from_allowed_origins", lambda _: False)  # noqa: B010 - as above


def take_unreadable_secrets_for_broken() -> None:
    """Have Streamlit take a secrets.toml that it may not open or cannot decode as it takes one with an error in it.

    Otherwise such a file ends the start, and each connection before its page could say what is wrong.
    """
    parse = Secrets._parse_toml_file

    def parse_or_break(self: Secrets, path: str) -> tuple[Mapping[str, Any], bool]:
        try:
            return parse(self, path)
        except StreamlitSecretNotFoundError:
            raise
        except (OSError, ValueError, RecursionError) as error:
            raise StreamlitSecretNotFoundError("{path} cannot be read", path=path) from error

    setattr(Secrets, "_parse_toml_file", parse_or_break)  # noqa: B010 - to mypy, a method stays what it is


def get_ready() -> None:
    """Load what the first page imports, and the demo, while its visitor's browser loads Streamlit's scripts."""
    for name in _FIRST_PAGE:
        import_module(name)
    # What is loaded by now stays: to look through it for garbage again and again takes longer than through all pages.
    gc.collect()
    gc.freeze()
    from queries import source  # noqa: PLC0415 - the server answers before it has loaded this

    with suppress(Failure):  # the page says it
        source.start()


def _say(line: str) -> None:
    """Print a line. Where there is no room for it, as on a full disk, the server starts and ends all the same."""
    with suppress(OSError):
        print(line, flush=True)


def address() -> str:
    """Where a browser on this computer finds the dashboard."""
    option = "browser.serverAddress" if is_manually_set("browser.serverAddress") else "server.address"
    host = st.get_option(option) or "localhost"
    if host in _EVERY_INTERFACE:
        host = "localhost"
    return get_url(f"[{host}]" if ":" in host else host)


def _uvicorn() -> Any:
    """The server itself, which nobody hands around: its signal handlers know it. None in a test."""
    if current_thread() is not main_thread():
        return None  # signals arrive in the main thread alone
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if hasattr(server, "should_exit") else None


def _end_quietly(server: Any) -> None:
    """Have Ctrl+C and SIGTERM end the server with exit code 0; uvicorn would raise the signal again in the end."""

    def end(*_: object) -> None:
        # The second one does not wait for connections that stay open.
        server.force_exit = server.should_exit
        server.should_exit = True
        if not server.force_exit:
            # Not print: the signal may come amid a line of ours, within which print refuses to be called.
            with suppress(OSError):
                os.write(_OUTPUT, b"Stopping\n")

    for number in signal.valid_signals():
        if getattr(signal.getsignal(number), "__self__", None) is server:
            signal.signal(number, end)
