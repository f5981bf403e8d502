"""Headers as browsers send them: not very many, and no cookie that takes Python long to read."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

MOST_HEADERS = 100
"""Of a request, as many as Apache takes. To make a dict of Starlette's takes the square of them."""
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
                await _refuse(scope, receive, send)
                return
            if any(name == b"cookie" and b"\\" in value for name, value in scope["headers"]):
                scope = {**scope, "headers": [_without_backslashes(*header) for header in scope["headers"]]}
        await self._app(scope, receive, send)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
    else:
        await PlainTextResponse("Too many headers or cookies", 431, {"Connection": "close"})(scope, receive, send)


def _without_backslashes(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header, without the cookies that have a backslash where it is of cookies."""
    if name != b"cookie":
        return name, value
    return name, b";".join(cookie for cookie in value.split(b";") if b"\\" not in cookie)
