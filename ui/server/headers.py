"""Headers as browsers send them: not very many, and no cookie that takes Python long to read."""

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_HEADERS = 100
"""Of a request, as many as Apache takes. To make a dict of Starlette's takes the square of them."""
CLOSE = {"Connection": "close"}
MOST_COOKIES = 200
"""No browser sends more; each is read several times."""


class PlainHeaders:
    """Refuses a request with very many headers or cookies, and takes cookies with a backslash out of one.

    Python below 3.11.10 and 3.12.6 takes the square of the backslashes that a cookie has in quotation marks
    (CVE-2024-7592). None of ours or Streamlit's has any; another server on this computer may have set one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what a browser may have sent."""
        if scope["type"] in ("http", "websocket"):
            cookies = sum(value.count(b";") for name, value in scope["headers"] if name == b"cookie")
            if len(scope["headers"]) > MOST_HEADERS or cookies > MOST_COOKIES:
                await refuse(scope, receive, send, 431, "Too many headers or cookies")
                return
            if any(name == b"cookie" and b"\\" in value for name, value in scope["headers"]):
                scope = without_cookies(scope, lambda cookie: "\\" in cookie)
        await self._app(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send, status: int = 403, text: str = "Forbidden") -> None:
    """Answer so, and close a websocket. The connection ends: what follows of a body would be read to its end."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse(text, status, CLOSE)(scope, receive, send)


def without_cookies(scope: Scope, is_dropped: Callable[[str], bool]) -> Scope:
    """A request without the cookies, each a name with its value, of which `is_dropped` says so."""

    def kept(name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name != b"cookie":
            return name, value
        cookies = value.decode("latin-1").split(";")
        return name, ";".join(cookie for cookie in cookies if not is_dropped(cookie)).encode("latin-1")

    return {**scope, "headers": [kept(*header) for header in scope["headers"]]}
