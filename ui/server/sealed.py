"""A seal on the sign-in cookie. Streamlit cuts a long one in pieces and signs each alone: those of two fit together."""

import hmac
import json
import re
from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.auth_util import get_cookie_with_chunks
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette import starlette_auth_routes
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from ui.server.headers import without_cookies

_SEAL = "bandup_seal"
_OF_SIGN_IN = re.compile(rf"{USER_COOKIE_NAME}(_[0-9]+)?")
"""The names of the cookie and of its pieces."""


def seal_sign_ins() -> None:
    """Have Streamlit keep of each sign-in what the provider has said and a seal on all of it together."""
    keep = starlette_auth_routes._set_auth_cookie

    async def keep_sealed(response: Response, user: dict[str, Any], tokens: dict[str, Any]) -> None:
        await keep(response, sealed(user), tokens)

    setattr(starlette_auth_routes, "_set_auth_cookie", keep_sealed)  # noqa: B010 - to mypy, a function stays what it is


def sealed(user: Mapping[str, Any]) -> dict[str, Any]:
    """What the provider has said of somebody, with a seal."""
    return {**user, _SEAL: _seal(user)}


def user_of(connection: HTTPConnection) -> dict[str, Any]:
    """Whom the cookie names, as the provider has; empty where it names nobody or this server has not sealed it."""
    cookie = get_cookie_with_chunks(partial(_signed, connection), USER_COOKIE_NAME)
    try:
        user = json.loads(cookie) if cookie else {}
    except ValueError:
        return {}
    if not isinstance(user, dict):
        return {}
    return user if hmac.compare_digest(str(user.get(_SEAL)).encode(), _seal(user).encode()) else {}


class SealedAlone:
    """Takes a sign-in cookie without its seal out of a request: to Streamlit and to us, it comes from nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            if any(map(_OF_SIGN_IN.fullmatch, connection.cookies)) and not _is_sealed(connection):
                scope = without_cookies(scope, _is_of_sign_in)
        await self._app(scope, receive, send)


def _is_sealed(connection: HTTPConnection) -> bool:
    try:
        return bool(user_of(connection))
    except (ValueError, OSError):  # the secret that signs cookies cannot be read
        return False


def _is_of_sign_in(cookie: str) -> bool:
    return _OF_SIGN_IN.fullmatch(cookie.partition("=")[0].strip()) is not None


def _seal(user: Mapping[str, Any]) -> str:
    words = json.dumps({name: value for name, value in user.items() if name != _SEAL}, sort_keys=True)
    return hmac.new(f"{_SEAL}\0{get_cookie_secret()}".encode(), words.encode(), sha256).hexdigest()


def _signed(connection: HTTPConnection, name: str) -> bytes | None:
    """The content of a cookie that this server has signed."""
    value = connection.cookies.get(name)
    return None if value is None else decode_signed_value(get_cookie_secret(), name, value.encode("latin-1", "replace"))
