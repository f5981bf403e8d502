"""The server where the machine around it fails: nothing to write to, connections that are cut, a restart."""

import asyncio
import os
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench.visitors import Visitor, arrive, connected
from tests.support import browser, engines

pytestmark = [pytest.mark.usefixtures("chromium"), pytest.mark.slow]

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
