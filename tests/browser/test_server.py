"""The server around the pages: what every answer tells the browser, that the pages work with it, how it starts."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import copy
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support import browser, engines, oidc
from tests.support.addresses import PATHS
from tests.support.browser import Visitor
from tests.support.people import PEOPLE, ROLES
from ui.server import lifespan, middleware, websocket

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


def answer_of(path: str, headers: dict[str, str] | None = None) -> Any:
    """The server's answer around a page that sets two cookies."""

    def page(_: Any) -> Response:
        response = Response("")
        response.set_cookie("bare", "1")
        response.set_cookie("safe", "1", secure=True)
        return response

    app = Starlette(routes=[Route("/{path:path}", page)], middleware=lifespan.MIDDLEWARE)
    return TestClient(app).get(path, headers=headers)


def test_the_policy_lets_scripts_come_from_here_alone() -> None:
    directives = dict(directive.split(" ", 1) for directive in middleware.POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["frame-ancestors"] == "'none'"
    assert directives["connect-src"] == "'self'"
    scripts = directives["script-src"].split()
    assert [source for source in scripts if not source.startswith("'sha256-")] == ["'self'", "'wasm-unsafe-eval'"]
    # Streamlit's inline script, and the one that prints.
    assert len(scripts) == 4
    # No host, no scheme that leads elsewhere, no eval.
    assert not {"*", "https:", "http:", "'unsafe-eval'"} & set(middleware.POLICY.replace(";", "").split())


def test_cookies_are_for_https_alone_where_the_dashboard_is_reached_so() -> None:
    plain = answer_of("/")
    assert [cookie.count("Secure") for cookie in plain.headers.get_list("set-cookie")] == [0, 1]
    assert "strict-transport-security" not in plain.headers
    proxied = answer_of("/", {"X-Forwarded-Proto": "https"})
    assert [cookie.count("Secure") for cookie in proxied.headers.get_list("set-cookie")] == [1, 1]
    assert proxied.headers["strict-transport-security"] == "max-age=31536000"


def test_downloads_are_kept_nowhere() -> None:
    assert answer_of("/media/0123.csv").headers["cache-control"] == "no-store"
    for path in ("/static/js/index.js", "/static/media/font.woff2"):
        assert "cache-control" not in answer_of(path).headers


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "http://127.0.0.1:8501"),
        ({"server.address": "::1"}, "http://[::1]:8501"),
        ({"server.address": "0.0.0.0"}, "http://localhost:8501"),  # noqa: S104
        ({"server.address": "::"}, "http://localhost:8501"),
        ({"server.address": None}, "http://localhost:8501"),
        ({"server.baseUrlPath": "/bandup/"}, "http://127.0.0.1:8501/bandup"),
        ({"server.sslCertFile": "cert.pem", "server.port": 8443}, "https://127.0.0.1:8443"),
        ({"browser.serverAddress": "dashboard.example.org"}, "http://dashboard.example.org:8501"),
        ({"server.headless": True}, None),
    ],
    ids=lambda value: str(value) if value else "",
)
def test_the_browser_opens_at_the_start(
    options: dict[str, object], url: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {"server.address": "127.0.0.1", "server.port": 8501, "server.headless": False}
    for name, value in {**before, **options}.items():
        option = copy(config.get_config_options()[name])
        option.set_value(value, "a test")
        monkeypatch.setitem(config.get_config_options(), name, option)
    opened: list[str] = []
    monkeypatch.setattr(lifespan.webbrowser, "open", opened.append)

    async def start() -> None:
        app: Any = None
        async with lifespan.opened(app):
            await asyncio.sleep(1.3)

    # In a thread, because Playwright keeps a loop in the one where other tests have opened a browser.
    with ThreadPoolExecutor() as pool:
        pool.submit(asyncio.run, start()).result()
    assert opened == ([url] if url else [])
    assert capsys.readouterr().out == f"The dashboard is at {url or 'http://127.0.0.1:8501'} until Ctrl+C ends it.\n"


def test_streamlit_run_opens_the_browser_and_ends_when_told(tmp_path: Path) -> None:
    note, port = tmp_path / "opened", engines.free_port()
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {note}\n', encoding="utf-8")
    script.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.headless=false", f"--server.port={port}"],
        cwd=engines.ROOT,
        env={**os.environ, "BROWSER": str(script), "BANDUP_ENV_FILE": os.devnull},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(300):
            if note.exists() and note.read_text(encoding="utf-8"):
                break
            time.sleep(0.1)
        assert note.read_text(encoding="utf-8").strip() == f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    # Nothing but where to look: no warning of caches without a runtime, of missing secrets, of a second start.
    assert output.decode().splitlines() == [
        f"The dashboard is at http://127.0.0.1:{port} until Ctrl+C ends it.",
        "Stopping",
    ]


def test_it_ends_when_told_while_somebody_looks(chromium: None, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with browser.serving(log=log) as running, browser.visiting(running.url) as visitor:
        visitor.open("/")
        os.kill(running.pid, signal.SIGTERM)
        visitor.page.wait_for_timeout(5000)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", urlsplit(running.url).port or 0))
    assert log.read_text(encoding="utf-8").splitlines()[-1] == "Stopping"


def test_a_frame_that_would_take_seconds_to_read_is_not_kept(demo_url: str) -> None:
    async def sent() -> int:
        url = f"{demo_url.replace('http', 'ws', 1)}/_stcore/stream"
        async with connect(url, subprotocols=[Subprotocol("streamlit")]) as client:
            with suppress(ConnectionClosed):
                await client.send(bytes(middleware.MOST_OF_FRAME + 1))
            await client.wait_closed()
            return client.close_code or 0

    with ThreadPoolExecutor(1) as pool:  # in this thread, the browser of other tests has a loop already
        assert pool.submit(asyncio.run, sent()).result() == 1009  # uvicorn's word, not the middleware's


def _line_of(demo_url: str, send: Callable[[ClientConnection], Coroutine[Any, Any, Any]]) -> bool:
    """Whether a websocket is still open once all of this is sent and looked at."""

    async def sent() -> bool:
        url = f"{demo_url.replace('http', 'ws', 1)}/_stcore/stream"
        async with connect(url, subprotocols=[Subprotocol("streamlit")], ping_interval=None) as client:
            with suppress(ConnectionClosed):
                await asyncio.wait_for(send(client), 60)
                for _ in range(2):  # the answer to a ping is written with those before it, and may come all the same
                    await asyncio.wait_for(await client.ping(), 60)
                return True
            return False

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, sent()).result()


@pytest.mark.parametrize(
    ("pings", "is_open"), [(websocket.MOST_CONTROLS - 2, True), (websocket.MOST_CONTROLS, False), (50_000, False)]
)
def test_pings_whose_answers_nobody_reads_end_a_websocket(demo_url: str, pings: int, is_open: bool) -> None:
    async def flood(client: ClientConnection) -> None:
        client.transport.pause_reading()
        for number in range(pings):
            await client.ping(f"{number:0125}".encode())
        client.transport.resume_reading()

    assert _line_of(demo_url, flood) is is_open


@pytest.mark.parametrize(
    ("parts", "is_open"), [(websocket.MOST_PARTS, True), (websocket.MOST_PARTS + 1, False), (50_000, False)]
)
def test_a_message_of_very_many_parts_ends_a_websocket(demo_url: str, parts: int, is_open: bool) -> None:
    run = BackMsg()
    run.rerun_script.query_string = ""
    whole = run.SerializeToString()
    assert _line_of(demo_url, lambda client: client.send([whole, *[b""] * (parts - 2)])) is is_open


MESSAGE = b"\x82\x81\0\0\0\0x"  # masked with nothing
PING, PONG = b"\x89\x81\0\0\0\0p", b"\x8a\x01p"
BEAT = BackMsg(app_heartbeat=True).SerializeToString()
HEARTBEAT = bytes((0x82, 0x80 + len(BEAT), 0, 0, 0, 0)) + BEAT


@contextmanager
def _raw_websocket(demo_url: str) -> Iterator[socket.socket]:
    """An open websocket, frames of which are written and read as bytes."""
    parts = urlsplit(demo_url)
    handshake = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        line.sendall(handshake.encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 101")
        yield line


@pytest.mark.parametrize(
    ("messages", "is_open"), [(middleware._AT_ONCE, True), (websocket.MOST_WAITING + 50, False), (50_000, False)]
)
def test_very_many_messages_at_once_end_a_websocket(demo_url: str, messages: int, is_open: bool) -> None:
    answer = b""
    with _raw_websocket(demo_url) as line, suppress(ConnectionError):
        line.sendall(HEARTBEAT * messages)
        line.sendall(PING)
        while PONG not in answer and (more := line.recv(1_000)):
            answer += more
    assert (PONG in answer) is is_open


def test_who_goes_on_after_the_end_is_cut_off(demo_url: str) -> None:
    """Else what they send is read for ten seconds more, in which nobody is answered."""
    with _raw_websocket(demo_url) as line:
        line.sendall(MESSAGE)  # no frame of Streamlit's protocol: the server says goodbye
        assert line.recv(1000)[:1] == b"\x88"
        sent = 0
        with suppress(ConnectionError):
            while sent < 1_000:
                line.sendall(MESSAGE)
                sent += 1
                time.sleep(0.01)
        assert sent < 900


def test_a_header_of_blanks_is_refused_at_once_and_a_body_without_a_length_ends_the_connection(demo_url: str) -> None:
    parts = urlsplit(demo_url)
    head = f"PUT / HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode()
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(head + b"a:" + b" " * 62_000 + b"\0\r\n\r\n")  # took half a minute
        assert line.recv(100).startswith(b"HTTP/1.1 400")
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 40_000)
        with suppress(ConnectionResetError):  # of what came too late to be read
            assert line.recv(100).startswith(b"HTTP/1.1 411")
            while line.recv(10_000):
                pass


def test_nobody_writes_lines_of_their_own_into_the_log(tmp_path: Path) -> None:
    run = BackMsg()
    run.rerun_script.fragment_id = "x\n2026-11-27 · root · all · marked\x1b[2K"
    refused = "/oauth2callback?state=x&error=e&error_description=%1b%5b2K%0aforged%0a"

    async def sent(url: str) -> None:
        async with connect(f"{url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=[Subprotocol("a")]) as client:
            for _ in range(20):
                await client.send(run.SerializeToString())
                await asyncio.sleep(0.2)  # what is asked for while the page runs is asked for once

    log, secrets = tmp_path / "log", tmp_path / "secrets.toml"
    with oidc.provider(PEOPLE) as provider:  # without sign-in, what a provider says is not even read
        secrets.write_text(provider.secrets() + ROLES, encoding="utf-8")
    with browser.dashboard(log=log, secrets=secrets) as url, ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, sent(url)).result()
        for _ in range(15):
            connection = HTTPConnection(urlsplit(url).netloc)
            connection.request("GET", refused)
            connection.getresponse().read()
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(line.isprintable() and not line.startswith(("forged", "2026-11-27 · root")) for line in lines)
    for what in ("fragment", "forged"):  # of each kind, ten a minute
        assert 1 < sum(what in line for line in lines) <= 10
    assert len(lines) < 30


def _into(lines: list[str]) -> Callable[[str], None]:
    """Playwright looks at a function's signature, and a list's own append has none."""
    return lambda what: lines.append(what)  # noqa: PLW0108


@pytest.fixture(scope="module")
def strict(demo_url: str) -> Iterator[tuple[Visitor, list[str]]]:
    """A visitor, and what the browser finds against the policy."""
    with browser.visiting(demo_url) as visitor:
        against: list[str] = []
        visitor.context.expose_function("against", _into(against))
        visitor.run_first(
            "addEventListener('securitypolicyviolation', e => against(`${e.violatedDirective} ${e.blockedURI}`))"
        )
        yield visitor, against


@pytest.fixture
def visitor(strict: tuple[Visitor, list[str]]) -> Iterator[Visitor]:
    """A visitor whose browser must have found nothing against the policy in the end."""
    visitor, against = strict
    against.clear()
    yield visitor
    assert against == []


@pytest.mark.parametrize("path", PATHS)
def test_no_page_does_anything_against_the_policy(visitor: Visitor, path: str) -> None:
    answer = visitor.page.goto(visitor.url + path)
    assert answer
    assert {name: answer.headers.get(name.lower()) for name in middleware.HEADERS} == middleware.HEADERS
    visitor.open(path)
    visitor.sees(PATHS[path])


def test_charts_grids_cards_and_downloads_work_under_the_policy(visitor: Visitor) -> None:
    visitor.open("/student?user_id=user-101")
    assert visitor.page.locator(".st-key-trend_writing .scatterlayer .point").count() > 3
    visitor.page.locator(".st-key-trend_writing").hover()
    visitor.open("/flashcards?set_id=flashcard-set-odd-2&user_id=user-099")
    visitor.page.keyboard.press("Space")
    visitor.sees("1 of 2 · answer")
    visitor.open("/audit")
    visitor.page.evaluate("delete window.showSaveFilePicker")
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name="Download CSV").click()
    assert "# All issues" in saved.value.path().read_text(encoding="utf-8-sig")
    assert "/media/" in saved.value.url
    assert visitor.context.request.get(saved.value.url).headers["cache-control"] == "no-store"


def test_a_script_from_elsewhere_or_in_the_page_does_not_run(demo_url: str) -> None:
    with browser.visiting(demo_url) as visitor:
        visitor.open("/")
        ran = visitor.page.evaluate(
            """async () => {
                const script = document.createElement("script");
                script.textContent = "window.injected = true";
                document.body.append(script);
                const far = await fetch("https://example.org/").then(() => true, () => false);
                return [window.injected === true, far];
            }"""
        )
        assert ran == [False, False]
        assert visitor.foreign == []


def test_no_other_page_can_show_the_dashboard_in_a_frame(demo_url: str, visitor: Visitor, tmp_path: Path) -> None:
    page = tmp_path / "frame.html"
    page.write_text(f'<iframe src="{demo_url}"></iframe>', encoding="utf-8")
    with browser.visiting(demo_url) as other:
        other.page.goto(page.as_uri())
        other.page.wait_for_timeout(2000)
        assert all("stApp" not in frame.content() for frame in other.page.frames[1:])
