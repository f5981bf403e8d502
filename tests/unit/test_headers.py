"""Headers as browsers send them: how many, and which cookies reach Python's reader of cookies."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.support.work import is_linear
from ui.server import lifespan
from ui.server.headers import MOST_COOKIES, MOST_HEADERS


@pytest.fixture
def client() -> TestClient:
    def page(request: Request) -> JSONResponse:
        return JSONResponse(request.cookies)

    async def stream(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    routes: list[Any] = [Route("/", page), WebSocketRoute("/_stcore/stream", stream)]
    return TestClient(Starlette(routes=routes, middleware=lifespan.MIDDLEWARE), base_url="http://127.0.0.1:8501")


def headers(count: int) -> dict[str, str]:
    """So many more than a client sends by itself."""
    return {f"x-{number}": "" for number in range(count)}


def test_a_request_has_not_very_many_headers(client: TestClient) -> None:
    assert client.get("/", headers=headers(MOST_HEADERS - 10)).status_code == 200
    answer = client.get("/", headers=headers(MOST_HEADERS))
    assert (answer.status_code, answer.headers["connection"]) == (431, "close")
    assert "content-security-policy" in answer.headers
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        client.websocket_connect("/_stcore/stream", headers=headers(MOST_HEADERS)),
    ):
        pass
    assert closed.value.code == 1008


def test_a_request_has_not_very_many_cookies(client: TestClient) -> None:
    def status(count: int) -> int:
        return client.get("/", headers={"Cookie": "; ".join(f"a{number}=" for number in range(count))}).status_code

    assert [status(MOST_COOKIES), status(MOST_COOKIES + 2)] == [200, 431]


def test_a_cookie_with_a_backslash_reaches_nobody_and_the_others_do(client: TestClient) -> None:
    answer = client.get("/", headers={"Cookie": r'theme=dark; other="a\"b"; a=1'})
    assert answer.json() == {"theme": "dark", "a": "1"}


@pytest.mark.parametrize("unit", ["\\", "\\141", '\\"', "=", '"'])
def test_cookies_take_work_in_proportion_to_their_length(client: TestClient, unit: str) -> None:
    def ask(cookies: str) -> None:
        request = {"method": "GET", "scheme": "http", "path": "/", "query_string": b"", "server": ("127.0.0.1", 8501)}
        scope = {"type": "http", **request, "headers": [(b"cookie", f'a="{cookies}"'.encode())]}
        asyncio.run(client.app(scope, _nothing, _drop))

    assert is_linear(ask, unit)


async def _nothing() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def _drop(_: Any) -> None:
    """Take an answer."""
