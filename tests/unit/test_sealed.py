"""The seal on the sign-in cookie: of the pieces of two sign-ins there is no third."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.support.people import GROUPS
from ui.server import sealed as sealing
from ui.server.sealed import SealedAlone, sealed

SECRET = "b" * 32


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A server that answers whom Streamlit would take for who sends a request."""
    for module in (sealing, starlette_websocket):
        monkeypatch.setattr(module, "get_cookie_secret", lambda: SECRET)

    def page(request: Request) -> JSONResponse:
        cookie = starlette_websocket._get_signed_cookie_with_chunks(request.cookies, "_streamlit_user")
        return JSONResponse({"user": json.loads(cookie or b"{}"), "others": request.cookies.get("theme")})

    return TestClient(Starlette(routes=[Route("/", page)], middleware=[Middleware(SealedAlone)]))


def cookies(user: Mapping[str, Any]) -> dict[str, str]:
    """The cookies that Streamlit sets for somebody."""
    jar: dict[str, str] = {}

    def put(name: str, value: str) -> None:
        jar[name] = create_signed_value(SECRET, name, value).decode()

    def signed(name: str, value: str) -> bytes:
        return create_signed_value(SECRET, name, value)

    set_cookie_with_chunks(put, signed, "_streamlit_user", dict(user), cookie_attr_size=80)
    return jar


def user(client: TestClient, jar: Mapping[str, str]) -> Any:
    header = "; ".join(f"{name}={value}" for name, value in {"theme": "dark", **jar}.items())
    answer = client.get("/", headers={"Cookie": header}).json()
    assert answer["others"] == "dark"
    return answer["user"]


@pytest.mark.parametrize("groups", [GROUPS[:1], GROUPS], ids=["in one piece", "in several"])
def test_a_sign_in_is_taken_as_it_was_kept(client: TestClient, groups: list[str]) -> None:
    person = sealed({"sub": "1", "groups": groups, "name": "Hồ “Linh”", "iat": 1_795_900_000})
    assert user(client, cookies(person)) == person


def test_the_pieces_of_two_sign_ins_are_nobodys(client: TestClient) -> None:
    before = cookies(sealed({"iat": 1_795_900_000, "sub": "1", "groups": [*GROUPS, "bandup-ops"]}))
    after = cookies(sealed({"iat": 1_795_900_001, "sub": "1", "groups": [*GROUPS, "no-more-ops"]}))
    assert before.keys() == after.keys()
    pieces = [name for name in before if name != "_streamlit_user"]
    for cut in range(1, len(pieces)):
        for first, second in ((before, after), (after, before)):
            assert user(client, {**first, **{name: second[name] for name in pieces[cut:]}}) == {}
            assert user(client, first) != {}


def test_a_cookie_without_a_seal_or_with_anothers_is_nobodys(client: TestClient) -> None:
    person = {"iat": 1_795_900_000, "sub": "1"}
    assert user(client, cookies(person)) == {}
    assert user(client, cookies({**sealed(person), "sub": "2"})) == {}
    assert user(client, cookies({**person, "bandup_seal": None})) == {}
    assert user(client, {"_streamlit_user": "forged", "_streamlit_user_1": "too"}) == {}
