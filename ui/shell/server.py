"""The server around the pages: what every answer tells the browser to refuse, and the browser at the start."""

import asyncio
import re
import webbrowser
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from threading import Thread

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.starlette import App

_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)


def _inline_scripts() -> str:
    """Streamlit's page has an inline script, which is allowed by its hash and no other."""
    page = (Path(st.__file__).parent / "static/index.html").read_text(encoding="utf-8")
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in _SCRIPT.findall(page)]
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
        is_download = "/media/" in scope["path"]

        async def send_with(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if is_download:
                    headers["Cache-Control"] = "no-store"
                if is_https:
                    headers.update(_OVER_HTTPS)
                    message["headers"] = [_secured(name, value) for name, value in message["headers"]]
            await send(message)

        await self._app(scope, receive, send_with)


MIDDLEWARE = [Middleware(SecurityHeaders)]


@asynccontextmanager
async def opened(_: App) -> AsyncIterator[None]:
    """For as long as the server runs. At its start the browser opens, as `streamlit run` does for other dashboards."""
    if not st.get_option("server.headless"):
        host = st.get_option("server.address") or "localhost"
        url = f"http://{f'[{host}]' if ':' in host else host}:{st.get_option('server.port')}"
        # The server answers a moment after this has begun.
        asyncio.get_running_loop().call_later(
            1, lambda: Thread(target=webbrowser.open, args=(url,), daemon=True).start()
        )
    yield


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    is_bare_cookie = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_bare_cookie else value
