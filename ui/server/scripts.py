"""Our scripts in Streamlit's own page: served from here, as the policy of middleware.py asks, and named in its head."""

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.server.paths import is_file

_FILES = sorted(Path(__file__).parent.glob("*.js"))
_SCRIPTS = {f"bandup/{file.name}": file.read_text(encoding="utf-8") for file in _FILES}
_TAGS = "".join(f'<script src="./{path}"></script>' for path in _SCRIPTS).encode() + b"</head>"


class Scripts:
    """Serves the scripts, and names them in the head of each page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; add to pages on their way back."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif script := next((text for path, text in _SCRIPTS.items() if scope["path"].endswith(f"/{path}")), ""):
            response = Response(script, media_type="text/javascript", headers={"Cache-Control": "no-cache"})
            await response(scope, receive, send)
        elif "text/html" in Headers(scope=scope).get("accept", "") and not is_file(scope):
            plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
            await self._app({**scope, "headers": plain}, receive, _naming(send))
        else:
            await self._app(scope, receive, send)


def _naming(send: Send) -> Send:
    """`send`, but a page is sent in one piece, with the scripts in its head."""
    start: Message = {}
    body = b""

    async def send_named(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start":
            start = message
            if not Headers(scope=message).get("content-type", "").startswith("text/html"):
                start = {}
                await send(message)
        elif not start:
            await send(message)
        else:
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            page = body.replace(b"</head>", _TAGS, 1)
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(page))
            # They tell of the page without the scripts.
            for name in ("etag", "last-modified"):
                del headers[name]
            await send(start)
            await send({"type": "http.response.body", "body": page})

    return send_named
