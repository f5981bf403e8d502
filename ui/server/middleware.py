"""What stands between the network and Streamlit: who may ask at all, and what every answer tells the browser."""

import asyncio
import logging
import re
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st
from google.protobuf.message import DecodeError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime import Runtime

from queries.access.gate import Refused, Visitor
from queries.access.rules import local
from ui.components import markup
from ui.server.headers import CLOSE, refuse
from ui.server.paths import base_path, is_file
from ui.server.sealed import user_of
from ui.shell import sign_in
from ui.shell.rate import Pace, Rate
from ui.shell.sign_in import Request, recognise

log = logging.getLogger(__name__)

MOST_OF_FRAME = 100_000
"""Bytes of a frame that a browser may send: reading its JSON stops everybody else's pages for that long. A page's own
has a few thousand."""
MOST_BEFORE_SIGN_IN = 32_000
"""The same before somebody has signed in: of widgets, Streamlit keeps twenty times as much for minutes."""
MOST_WIDGETS = 1_000
"""Of a frame, as of marks of messages that the browser has kept; no page has a tenth of it."""
MOST_FILES = 20
"""That one person asks for within ten seconds: all visitors' files are made by the same few threads."""
_FILES_SECONDS = 10.0
_AT_ONCE, _A_SECOND = 20, 5.0
"""Runs of one visitor, or of one address where nobody has signed in, from all of their tabs: each takes the server a
tenth of a second, and many at once keep it from answering anybody else."""
_OF_NOBODY = 20.0
"""The same of all who have not signed in together."""
_LIGHT = 0.2
"""What any other frame counts for."""
_MOST_WAITING = 40
"""Frames of one line in a row that had to wait: no page sends as many, and they are worked off when it has left."""
_LONGEST_WAIT = 15.0  # seconds; who would wait for longer is sent away, and may come again
_MOST_PACES = 1_000  # persons and addresses whose pace is remembered
_MOST_NAMES = 20
"""Of files that are to be uploaded, in one frame; a page takes one."""
_SIGN_INS_A_SECOND = 4.0
"""That begin, likewise that come back from the provider or end: each asks the provider and takes some 0.1 s of the
server, and nobody is asked who he is."""
MOST_OF_SESSION = 20_000_000  # bytes of uploads that are kept
MOST_OF_ALL = 200_000_000
LEAST_OF_FILE = 16_384
"""Bytes that a file counts for: its name, type and place are kept beside what it holds."""
_UPLOAD_SECONDS = 300.0
_PLACE = re.compile(r"[\w-]{1,64}/[\w-]{1,64}", re.ASCII)  # of an upload: its session and the id that its page gave it
_FORM = re.compile(r"multipart/form-data; ?boundary=([\w'()+,./:=?-]{1,70})", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE)
_LOG_SECONDS = 60.0
_LOGGED_VISITORS = 100
_JSON = ("json_value", "json_trigger_value")
"""Kinds of values of components of one's own, of which no page has any."""
_RUNS = frozenset(("rerun_script", "stop_script"))
_BACKEND = "backend_operation_request"
_FILE = "backend_operation_request.deferred_file"
_OF_VISITORS = frozenset(("app_heartbeat", _FILE, "backend_operation_request.dataframe_chunk", "file_urls_request"))
"""Frames beside runs that a page sends; clear_cache, set_run_on_save, load_git_info and debug_* are a developer's, and
so are the backend's other operations, which write files on the server."""

_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


def _inline_scripts() -> str:
    """Streamlit's page has an inline script, and printing has one: these are allowed by their hashes and no others."""
    page = (Path(st.__file__).parent / "static/index.html").read_text(encoding="utf-8")
    scripts = [*_SCRIPT.findall(page), markup.PRINTS]
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    return " ".join(f"'sha256-{digest}'" for digest in hashes)


POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src 'self' 'wasm-unsafe-eval' {_inline_scripts()}",  # protobuf asks whether there is WebAssembly
        "style-src 'self' 'unsafe-inline'",  # Streamlit and Plotly make their styles while they run
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "media-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # addresses hold ids
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


_OVER_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}


class SecurityHeaders:
    """Adds HEADERS to every answer; over HTTPS, cookies go back over HTTPS alone; downloads are kept nowhere."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; add to answers on their way back."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Told by the proxy. Whoever pretends only makes his own browser stricter.
        is_https = scope["scheme"] == "https" or Headers(scope=scope).get("x-forwarded-proto") == "https"
        is_download = is_file(scope)

        has_started = False

        async def send_with(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if is_download:
                    headers["Cache-Control"] = "no-store"
                if is_https:
                    headers.update(_OVER_HTTPS)
                    message["headers"] = [_secured(name, value) for name, value in message["headers"]]
            await send(message)

        try:
            await self._app(scope, receive, send_with)
        except ClientDisconnect:  # who has left waits for no answer
            return
        except Exception:  # whatever it was, its answer needs the headers too; the log has it
            if has_started:
                raise
            # Starlette's own answer to an error is made outside, and would have none of these headers.
            log.exception("A request could not be answered")
            await PlainTextResponse("Internal Server Error", 500)(scope, receive, send_with)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    is_bare_cookie = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_bare_cookie else value


class SameOrigin:
    """Refuses what a page of another origin sends, before Streamlit is asked.

    Streamlit takes every port of this computer for its own, and looks up its public address for any other origin.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes from no page or from one of ours."""
        if scope["type"] in ("http", "websocket") and not _is_same_origin(Headers(scope=scope)):
            await refuse(scope, receive, send)
            return
        await self._app(scope, receive, send)


@dataclass(slots=True)
class _Line:
    """A websocket: how fast its frames may come, how many in a row had to wait, how often it may ask for files."""

    scope: Scope
    paces: Sequence[Pace]
    files: Rate
    waited: int = 0

    async def is_flooded(self, weight: float) -> bool:
        """Wait for the next frame's turn; whether there were too many, or are in all."""
        if any(pace.delay > _LONGEST_WAIT for pace in self.paces):
            return True
        has_waited = False
        for pace in self.paces:  # one after the other: who waits for the first takes no turn of the second yet
            if wait := pace.book(weight):
                has_waited = True
                await asyncio.sleep(wait)
        self.waited = self.waited + 1 if has_waited else 0
        return self.waited > _MOST_WAITING


class Doors:
    """Holds the ways into Streamlit beside the pages: frames of the websocket, uploads, metrics.

    A run of a page asks for itself who is there. Everything else that a browser may ask is for those who may look, and
    what only a developer's menu sends is for nobody.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._logged: dict[str, float] = {}
        self._paces: dict[str, Pace] = {}
        self._files: dict[str, Rate] = {}
        self._of_nobody = Pace(_AT_ONCE, _OF_NOBODY)
        self._uploading: Counter[str] = Counter()
        # Each of its own: who comes back does not wait for those who begin.
        self._beginning, self._returning, self._ending = (Pace(1, _SIGN_INS_A_SECOND) for _ in range(3))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may come in."""
        path = scope.get("path", "")
        if scope["type"] in ("http", "websocket") and not path.isprintable():
            # A line break at the end would be no path of these, and still lead to Streamlit's route.
            await refuse(scope, receive, send)
        elif scope["type"] == "http" and "transfer-encoding" in Headers(scope=scope):
            # No browser sends a body without its length, and to read one of tiny parts stops everybody else's pages,
            # also once it has been refused: the connection ends.
            await refuse(scope, receive, send, 411, "Length Required")
        elif scope["type"] == "websocket":
            line = _Line(scope, *self._limits_of(scope))
            await self._app(scope, partial(self._frame, line, receive, send), send)
        elif scope["type"] == "http" and "/_stcore/metrics" in path and not _may_measure(scope):
            await refuse(scope, receive, send)
        elif scope["type"] == "http" and path == f"{base_path()}/oauth2callback" and not _has_state(scope):
            # The provider sends back here after a sign-out, which Streamlit would take for a sign-in that went wrong.
            await RedirectResponse(f"{base_path()}/", 302)(scope, receive, send)
        elif scope["type"] == "http" and path == f"{base_path()}/oauth2callback":
            await self._in_turn(self._returning, scope, receive, send)
        elif scope["type"] == "http" and path == f"{base_path()}/auth/login":
            await self._in_turn(self._beginning, scope, receive, send)
        elif scope["type"] == "http" and path == f"{base_path()}/auth/logout" and _is_led_here(scope):
            await refuse(scope, receive, send)
        elif scope["type"] == "http" and path == f"{base_path()}/auth/logout":
            # Asked for without the button, it would only drop the cookie, of which there may be a copy.
            if user := user_of(HTTPConnection(scope)):
                sign_in.end(user)
            await self._in_turn(self._ending, scope, receive, send)
        elif scope["type"] == "http" and "/_stcore/upload_file/" in path and scope["method"] != "OPTIONS":
            await self._upload(path.rpartition("/_stcore/upload_file/")[2], scope, receive, send)
        elif scope["type"] == "http" and "/_stcore/agent/" in path:
            # Programs would open pages there by another way than the websocket, whose frames are looked at.
            await refuse(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _in_turn(self, pace: Pace, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what asks the provider once it is its turn; send it away where too many wait."""
        if pace.delay > _LONGEST_WAIT:
            text = "Too many people sign in or out at this moment. Try again in a minute."
            await PlainTextResponse(text, 503, {"Retry-After": "60", **CLOSE})(scope, receive, send)
            return
        await asyncio.sleep(pace.book())
        await self._app(scope, receive, send)

    def _limits_of(self, scope: Scope) -> tuple[Sequence[Pace], Rate]:
        """How fast frames of this visitor may come, and how often they may ask for files, on all of their lines.

        Frames come as they like where nobody signs in, on this computer alone.
        """
        visitor = _visitor(scope)
        if visitor is not None and visitor.email is None:
            return (), Rate(MOST_FILES, _FILES_SECONDS)
        # One that is idle may be held by open lines: dropped, the next line of the same person would begin anew.
        if len(self._paces) > _MOST_PACES:
            self._paces = {who: pace for who, pace in self._paces.items() if not pace.is_idle}
            self._files = {who: files for who, files in self._files.items() if not files.is_idle}
        who = visitor.email if visitor and visitor.email else f"nobody at {_address(scope)}"
        own = self._paces.setdefault(who, Pace(_AT_ONCE, _A_SECOND))
        files = self._files.setdefault(who, Rate(MOST_FILES, _FILES_SECONDS))
        return (own, self._of_nobody) if visitor is None else (own,), files

    async def _frame(self, line: "_Line", receive: Receive, send: Send) -> Message:
        """The next frame that Streamlit may have. Others are dropped; a bad one ends the line, and too many do.

        What is long is looked at only if it is a visitor's.
        """
        scope = line.scope
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            is_small = len(message.get("bytes") or b"") <= MOST_BEFORE_SIGN_IN
            kind = _kind(message) if is_small or _visitor(scope) is not None else None
            if await line.is_flooded(1.0 if kind in _RUNS else _LIGHT):
                self._log(scope, "too many at once")
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            is_allowed = kind in _RUNS or (kind in _OF_VISITORS and (not is_small or _visitor(scope) is not None))
            if is_allowed and (kind != _FILE or line.files.admits()):
                return message
            self._log(scope, kind)
            if kind is None or kind in _RUNS:
                await send({"type": "websocket.close", "code": 1002})
                return {"type": "websocket.disconnect", "code": 1002}

    async def _upload(self, place: str, scope: Scope, receive: Receive, send: Send) -> None:
        """An upload by somebody who may look, while there is room for a whole one more."""
        if _visitor(scope) is None or not _PLACE.fullmatch(place):
            await refuse(scope, receive, send)
            return
        if scope["method"] != "PUT":
            await self._app(scope, receive, send)
            return
        kinds = Headers(scope=scope).getlist("content-type")
        form = _FORM.fullmatch(kinds[0]) if len(kinds) == 1 else None
        if form is None:
            # Starlette would take the codec that it names, of which some take the square of the text, and all are kept.
            await refuse(scope, receive, send, 415, "Unsupported Media Type")
            return
        session = place.partition("/")[0]
        kept, all_kept = _kept_bytes(session)
        one = int(st.get_option("server.maxUploadSize")) * 1024 * 1024
        full = kept + (self._uploading[session] + 1) * one > MOST_OF_SESSION
        if full or all_kept + (self._uploading.total() + 1) * one > MOST_OF_ALL:
            await refuse(scope, receive, send, 413, "Too many files. Open the page anew.")
            return
        self._uploading[session] += 1
        body = _OnePart(form[1], receive)
        try:
            async with asyncio.timeout(_UPLOAD_SECONDS):
                await self._app(scope, body.receive, send)
        except ClientDisconnect:
            if body.parts <= 1:
                raise
            await refuse(scope, receive, send, 400, "One file at a time.")
        except TimeoutError:
            await refuse(scope, receive, send, 408, "The upload took too long.")
        finally:
            self._uploading[session] -= 1
            self._uploading += Counter()  # drops those at zero
            # Streamlit asks before it reads the file, and what comes after its page is gone would stay for good. Who
            # lost the connection for a moment may come back to it.
            sessions: Any = Runtime.instance()._session_mgr
            if sessions.get_session_info(session) is None:
                Runtime.instance().uploaded_file_mgr.remove_session_files(session)

    def _log(self, scope: Scope, kind: str | None) -> None:
        """One line a minute for each address, whatever comes from it."""
        now, who = time.monotonic(), _address(scope)
        self._logged = {one: at for one, at in self._logged.items() if now - at < _LOG_SECONDS}
        if who not in self._logged and len(self._logged) < _LOGGED_VISITORS:
            self._logged[who] = now
            log.warning("A frame was refused: %s", kind or "not of Streamlit's protocol")


@dataclass(slots=True)
class _OnePart:
    """A form as it comes in, of one part: to read the head of each of very many stops everybody else's pages."""

    boundary: str
    rest: Receive
    parts: int = -1
    _tail: bytes = b""

    async def receive(self) -> Message:
        """What has come; the end of it, where there is more than one part."""
        message = await self.rest()
        mark, text = f"--{self.boundary}".encode(), self._tail + message.get("body", b"")
        self.parts += text.count(mark)
        self._tail = text[1 - len(mark) :]
        return {"type": "http.disconnect"} if self.parts > 1 else message


def _kind(message: Message) -> str | None:
    """The kind of a frame; None for one that Streamlit cannot or should not read."""
    data = message.get("bytes")
    if data is None or len(data) > MOST_OF_FRAME:
        return None
    try:
        frame = BackMsg.FromString(data)
        if len(frame.rerun_script.widget_states.widgets) > MOST_WIDGETS:
            return None
        if len(frame.file_urls_request.file_names) > _MOST_NAMES:
            return None
        if len(frame.rerun_script.cached_message_hashes) > MOST_WIDGETS:
            return None
        if any(one.WhichOneof("value") in _JSON for one in frame.rerun_script.widget_states.widgets):
            return None
    except DecodeError:
        return None
    kind = str(frame.WhichOneof("type"))
    return f"{kind}.{frame.backend_operation_request.WhichOneof('payload')}" if kind == _BACKEND else kind


def _visitor(scope: Scope) -> Visitor | None:
    """Who sends this, by the rules as they are now; None for somebody who may not look."""
    connection = HTTPConnection(scope)
    try:
        return recognise(Request(user_of(connection), dict(connection.headers), _address(scope)))
    except (Refused, ValueError, OSError):  # the last where the secret that signs cookies cannot be read
        return None


def _has_state(scope: Scope) -> bool:
    """Whether an answer of the provider says to which sign-in it belongs."""
    return any(part.startswith(b"state=") for part in scope["query_string"].split(b"&", 100))


def _is_led_here(scope: Scope) -> bool:
    """Whether a page of another site leads the browser here, which sends the cookie along but no Origin."""
    return Headers(scope=scope).get("sec-fetch-site") in ("cross-site", "same-site")


def _may_measure(scope: Scope) -> bool:
    """Whether the server's own figures may be read: by ops, and by programs on this computer."""
    visitor = _visitor(scope)
    if visitor is not None:
        return visitor.role == "ops"
    try:
        local("127.0.0.1", dict(Headers(scope=scope)), _address(scope))
    except Refused:
        return False
    return True


def _address(scope: Scope) -> str:
    """The address that a request comes from."""
    client = scope.get("client")
    return client[0] if client else ""


def _kept_bytes(session: str) -> tuple[int, int]:
    """How many bytes of uploads Streamlit keeps: of a session, and of all."""
    manager: Any = Runtime.instance().uploaded_file_mgr
    sizes = {
        one: sum(max(LEAST_OF_FILE, len(file.data)) for file in list(files.values()))
        for one, files in list(manager.file_storage.items())
    }
    return sizes.get(session, 0), sum(sizes.values())


def _is_same_origin(headers: Headers) -> bool:
    """Whether every Origin is this very host and port: letter for letter, as Streamlit compares them next.

    A Host that is none Streamlit would take for a foreign one, and ask the internet for its own address.
    """
    hosts = headers.getlist("host")
    here = {f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts}
    is_host = len(hosts) <= 1 and all(map(_HOST.fullmatch, hosts))
    return is_host and here.issuperset(headers.getlist("origin"))
