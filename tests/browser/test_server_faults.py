"""The server where the machine around it fails: nothing to write to, connections that are cut, a restart."""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg

from bench.visitors import Visitor, arrive, connected
from tests.support import browser, engines
from tests.support.browser import Server

pytestmark = [pytest.mark.usefixtures("chromium"), pytest.mark.slow]

CONNECTED = "[data-test-connection-state=CONNECTED]"
NOWHERE = "/proc/none"  # where nothing can be written, not even by root
ROOMS: dict[str, tuple[dict[str, str], Path]] = {
    "no home": ({"HOME": NOWHERE, "BANDUP_STATE": NOWHERE}, Path(os.devnull)),
    "no room for the log": ({}, Path("/dev/full")),
}


@pytest.mark.parametrize(("environ", "log"), ROOMS.values(), ids=ROOMS)
def test_where_nothing_can_be_written_pages_and_reports_are_there(environ: dict[str, str], log: Path) -> None:
    with browser.dashboard(environ, log=log) as url, browser.visiting(url) as visitor:
        visitor.open("/student?user_id=user-456")
        visitor.page.evaluate("delete window.showSaveFilePicker")
        with visitor.page.expect_download(timeout=90_000) as saved:
            visitor.page.get_by_role("button", name="Download report").click()
        assert saved.value.path().read_bytes().startswith(b"%PDF")


async def _arrived_and_cut(url: str) -> Visitor:
    """A visitor whose connection was cut three times, as by a proxy that lets none live for long."""
    visitor, _, _ = await arrive(url, "student", user_id="user-456")
    session = visitor.session
    for _ in range(3):
        await visitor.socket.close()
        await _goes_on(url, visitor)
        assert visitor.session == session
    await visitor.socket.close()
    return visitor


async def _goes_on(url: str, visitor: Visitor) -> None:
    visitor.socket = await connected(url, visitor.session)
    await visitor.rerun()


def _done(what: Coroutine[Any, Any, Any]) -> Any:
    # In a thread of its own: in this one, the browser of other tests has a loop already.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, what).result()


def test_a_tab_goes_on_after_cut_connections_and_a_restart_of_the_server() -> None:
    port = engines.free_port()
    with browser.dashboard(port=port) as url:
        visitor = _done(_arrived_and_cut(url))
        on_screen = set(visitor.widgets)
    with browser.dashboard(port=port) as url:
        _done(_goes_on(url, visitor))
    assert visitor.errors == []
    assert set(visitor.widgets) == on_screen


async def _beside_who_reads_nothing(server: Server) -> Visitor:
    """A visitor, while others ask for pages and a file and take nothing of what comes; then the server is to end."""
    files = (Path(st.__file__).parent / "static/static/js").glob("*.js")
    largest = max(files, key=lambda file: file.stat().st_size).name
    run = BackMsg()
    run.rerun_script.query_string = ""
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port)) as reader:
        reader.sendall(f"GET /static/js/{largest} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        idle = [await connected(server.url) for _ in range(3)]
        for one in idle:
            one.transport.pause_reading()
            for _ in range(50):
                await one.send(run.SerializeToString())
        visitor, _, _ = await arrive(server.url, "student", user_id="user-456")
        os.kill(server.pid, signal.SIGTERM)
        while Path(f"/proc/{server.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z":
            await asyncio.sleep(0.1)
        for one in idle:
            one.transport.abort()
    return visitor


def test_who_reads_nothing_holds_up_no_visitor_and_not_the_end() -> None:
    with browser.serving() as server:
        visitor = _done(asyncio.wait_for(_beside_who_reads_nothing(server), 150))
    assert visitor.errors == []
    assert visitor.widgets


class Relay:
    """A proxy of connections that cuts all it has when told to, as some do with each that lives for long."""

    def __init__(self, port: int) -> None:
        self._port, self._open = port, set[socket.socket]()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._port))
                except OSError:
                    near.close()
                    continue
                self._open |= {near, far}
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                to.sendall(data)
        self._end(source, to)

    def _end(self, *sockets: socket.socket) -> None:
        for one in sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
            self._open.discard(one)

    def cut(self) -> None:
        """End every connection."""
        self._end(*self._open)


@contextmanager
def relaying(port: int) -> Iterator[tuple[Relay, str]]:
    """A relay to this port, and its URL."""
    relay = Relay(port)
    try:
        yield relay, f"http://127.0.0.1:{relay.listener.getsockname()[1]}"
    finally:
        relay.listener.close()
        relay.cut()


def test_open_tabs_come_back_by_themselves_with_their_filters_and_place() -> None:
    port = engines.free_port()
    paths = ("/?skill=writing&flag=any", "/student?user_id=user-456&skill=speaking")
    with relaying(port) as (relay, url), browser.visiting(url) as visitor:
        tabs: list[browser.Visitor] = []
        with browser.dashboard(port=port):
            for path in paths:
                tabs.append(browser.Visitor(visitor.context, visitor.context.new_page(), url))
                tabs[-1].open(path)
            headings = [tab.page.locator("h1").first.inner_text() for tab in tabs]
            for _ in range(3):
                relay.cut()
                for tab in tabs:
                    tab.page.wait_for_selector(f"{CONNECTED}", timeout=30_000)
        for tab in tabs:
            tab.page.wait_for_selector(f"[data-testid=stApp]:not({CONNECTED})", timeout=30_000)
        with browser.dashboard(port=port):
            for path, tab, heading in zip(paths, tabs, headings, strict=True):
                tab.page.wait_for_selector(CONNECTED, timeout=60_000)
                tab.idle()
                assert tab.page.url == url + path
                assert tab.page.locator("h1").first.inner_text() == heading
                assert tab.page.get_by_text("could not be loaded").count() == 0
                tab.page.get_by_role("button", name="Refresh").click()
                tab.idle()
                assert tab.page.url == url + path
