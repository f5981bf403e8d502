"""The link that somebody opened before signing in: where the sign-in, which Streamlit ends at “/”, leads back to."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server.paths import base_path

COOKIE = "bandup_link"
_MINUTES = 10
_LONGEST = 2500  # characters; a browser takes cookies of 4096 bytes
_PAGE = re.compile(r"/[a-z]*(\?[!-\[\]-~]*)?")  # below the base path: one page of ours, no folder, no other host


class ReturnLink:
    """Keeps the link in a cookie while its visitor is at the provider, bound to the `state` of that one sign-in.

    The link is the page that asked for the sign-in, and only ever a path of this dashboard.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; change the answers that lead to the provider and back."""
        base = base_path()
        change = {f"{base}/auth/login": _keep, f"{base}/oauth2callback": _follow}.get(scope.get("path", ""))
        if scope["type"] != "http" or change is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def send_changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                change(request, MutableHeaders(scope=message), base)
            await send(message)

        await self._app(scope, receive, send_changed)


def _keep(request: Request, headers: MutableHeaders, base: str) -> None:
    """On the way to the provider: the page that asked is the Referer."""
    link = _own(request.headers.get("referer", ""), request.headers.get("host", ""), base)
    state = parse_qs(urlsplit(headers.get("location", "")).query).get("state")
    if link and state:
        value = f"{urlsafe_b64encode(link.encode()).decode()}.{state[0]}"
        _set_cookie(headers, value, base, _MINUTES * 60)


def _follow(request: Request, headers: MutableHeaders, base: str) -> None:
    """On the way back, which leads to the base path: to the link instead, if it is of this sign-in."""
    if COOKIE not in request.cookies:
        return
    _set_cookie(headers, "", base, 0)
    link, _, state = request.cookies[COOKIE].partition(".")
    if not state or state != request.query_params.get("state") or headers.get("location") != f"{base}/":
        return
    try:
        path = urlsafe_b64decode(link.encode()).decode("ascii")
    except ValueError:
        return
    if _is_page(path, base):
        headers["location"] = path


def _own(url: str, host: str, base: str) -> str | None:
    """Path and query of a URL that is a page of this dashboard, else None."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    is_here = parts.scheme in ("http", "https") and parts.netloc == host
    return path if is_here and _is_page(path, base) else None


def _is_page(path: str, base: str) -> bool:
    return path.startswith(base) and len(path) <= _LONGEST and bool(_PAGE.fullmatch(path.removeprefix(base)))


def _set_cookie(headers: MutableHeaders, value: str, base: str, seconds: int) -> None:
    made = Response()
    made.set_cookie(COOKIE, value, max_age=seconds, path=base or "/", httponly=True, samesite="lax")
    headers.append("set-cookie", made.headers["set-cookie"])
