"""Clicks as the server sees them: visitors over Streamlit's own websocket, each clicking now and then."""

import asyncio
import json
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import StringArray
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.support.addresses import PARAMS, names
from bench.support.report import Report, seconds, size
from bench.support.worlds import World
from tests.support import browser

EVERY = 5.0  # seconds between two clicks of a visitor, on average
_CROWDS = (1, 10, 30)
_QUIET = ("-skill", "-of", "-kind", "-sets")
"""Ends of the ids of filters over what has been read."""


@dataclass(slots=True)
class Visitor:
    """One browser's end of the websocket: what is on its screen that can be clicked, and what it sends as a browser."""

    socket: ClientConnection
    page: str
    query: str
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    switches: list[str] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    grids: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)
    """Fragments that want to run again by themselves, and after how many seconds."""
    errors: list[str] = field(default_factory=list)
    """What pages showed instead of what was asked for."""
    session: str = ""
    _hash: str = ""
    _pages: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The page that is on screen; the overview's is empty."""
        return next((page for page, name in self._pages.items() if name == self._hash), self.page)

    async def rerun(self, fragment: str = "", pressed: str = "", *, by_itself: bool = False) -> tuple[float, int]:
        """Ask for a run, wait for its end: how long it took, and how many bytes came."""
        message = BackMsg()
        run = message.rerun_script
        run.query_string = self.query
        if self._hash:
            run.page_script_hash = self._hash
        else:
            run.page_name = self.page
        run.widget_states.widgets.extend(self.widgets.values())
        if pressed:
            run.widget_states.widgets.append(WidgetState(id=pressed, trigger_value=True))
        run.fragment_id, run.is_auto_rerun = fragment, by_itself
        run.context_info.timezone = "Asia/Ho_Chi_Minh"
        begin, came = time.perf_counter(), 0
        if not fragment:
            self._forget_screen()
        await self.socket.send(message.SerializeToString())
        while True:
            data = await self.socket.recv()
            assert isinstance(data, bytes)
            came += len(data)
            answer = ForwardMsg.FromString(data)
            kind = answer.WhichOneof("type")
            if kind == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif kind == "new_session":
                self._begin(answer)
            elif kind == "navigation":
                self._pages = {page.url_pathname: page.page_script_hash for page in answer.navigation.app_pages}
                # A deep link begins as the entrypoint's run, and says here which page it came to.
                self._hash = answer.navigation.page_script_hash
            elif kind == "auto_rerun":
                self.again[answer.auto_rerun.fragment_id] = answer.auto_rerun.interval
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self._see(answer)
            elif kind == "page_not_found":
                self.errors.append(f"no page {answer.page_not_found.page_name}")
            elif kind == "script_finished" and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                if answer.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self.errors.append("the page does not compile")
                if not fragment:
                    self.widgets = {name: state for name, state in self.widgets.items() if name in self._on_screen()}
                return time.perf_counter() - begin, came

    def _begin(self, answer: ForwardMsg) -> None:
        """A run begins; when the page switches to another, it is the second one and the screen is that page's."""
        begun = answer.new_session
        self.session = begun.initialize.session_id or self.session
        if self._hash != begun.page_script_hash or not answer.metadata.run.fragment_ids:
            self._hash = begun.page_script_hash
            self._forget_screen()

    def _forget_screen(self) -> None:
        for seen in (self.choices, self.lists, self.buttons, self.fragments, self.again, self.switches, self.grids):
            seen.clear()

    def _on_screen(self) -> set[str]:
        return {*self.switches, *self.choices, *self.lists, *self.grids}

    def _see(self, answer: ForwardMsg) -> None:
        """Remember what can be clicked, with its value: the server may have set another than was sent."""
        element, fragment = answer.delta.new_element, answer.delta.fragment_id
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == Alert.ERROR:
            self.errors.append(element.alert.body)
        elif kind == "text" and element.text.body.startswith("⚠"):
            self.errors.append(element.text.body)
        if kind not in ("checkbox", "button_group", "selectbox", "dataframe", "button"):
            return
        seen: Any = getattr(element, kind)
        if not seen.id or getattr(seen, "disabled", False) or seen.form_id:
            return
        if fragment:
            self.fragments[seen.id] = fragment
        if kind == "button":
            self.buttons[seen.label] = seen.id
        elif kind == "checkbox":
            _add(self.switches, seen.id)
            self._value(seen, WidgetState(id=seen.id, bool_value=seen.value if seen.set_value else seen.default))
        elif kind == "button_group":
            options = [option.content for option in seen.options]
            self.choices[seen.id] = options
            chosen = list(seen.raw_values) if seen.set_value else [options[n] for n in seen.default]
            self._value(seen, WidgetState(id=seen.id, string_array_value=StringArray(data=chosen)))
        elif kind == "selectbox" and seen.options:
            self.lists[seen.id] = list(seen.options)
            first = seen.options[seen.default] if seen.HasField("default") else None
            value = seen.raw_value if seen.set_value else first
            if value is not None:
                self._value(seen, WidgetState(id=seen.id, string_value=value))
        elif kind == "dataframe":
            _add(self.grids, seen.id)

    def _value(self, seen: Any, state: WidgetState) -> None:
        if seen.set_value or seen.id not in self.widgets:
            self.widgets[seen.id] = state

    async def click(self, number: int) -> tuple[float, int]:
        """Choose in a filter that needs nothing new; else turn a switch; else run the page again, as a tick does."""
        for name, options in self.choices.items():
            if name.endswith(_QUIET):
                return await self.choose(name, options[number % len(options)])
        switch = self.switches[number % len(self.switches)] if self.switches else ""
        if switch:
            self.widgets[switch].bool_value = not self.widgets[switch].bool_value
        return await self.rerun(self.fragments.get(switch, ""))

    async def choose(self, name: str, value: str) -> tuple[float, int]:
        """Choose from a list or from buttons of which one is chosen."""
        if name in self.choices:
            self.widgets[name] = WidgetState(id=name, string_array_value=StringArray(data=[value]))
        else:
            self.widgets[name] = WidgetState(id=name, string_value=value)
        return await self.rerun(self.fragments.get(name, ""))

    async def select_row(self, grid: str, row: int) -> tuple[float, int]:
        """Select a row of a table; where that opens another page, the run ends there."""
        chosen = json.dumps({"selection": {"rows": [row], "columns": [], "cells": []}})
        self.widgets[grid] = WidgetState(id=grid, string_value=chosen)
        return await self.rerun(self.fragments.get(grid, ""))

    async def press(self, button: str) -> tuple[float, int]:
        """Press a button."""
        return await self.rerun(self.fragments.get(button, ""), button)

    async def go(self, page: str, **params: str) -> tuple[float, int]:
        """Follow a link to another page."""
        self.page, self.query = page, urlencode(params)
        self._hash = self._pages.get(page, "")
        self.widgets.clear()
        return await self.rerun()


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


async def connected(url: str, session: str = "") -> ClientConnection:
    """A websocket as Streamlit's page opens it: for a new session, or for an earlier one that was left."""
    # The second word is a token that is not there without sign-in, but keeps its place.
    words = ["streamlit", "none", session] if session else ["streamlit"]
    return await connect(
        url.replace("http", "ws", 1) + "/_stcore/stream",
        subprotocols=[Subprotocol(word) for word in words],
        max_size=None,
        open_timeout=60,
    )


async def arrive(url: str, page: str, **params: str) -> tuple[Visitor, float, int]:
    """A new visitor, once the page is there; how long that took, and how many bytes."""
    visitor = Visitor(await connected(url), "" if page == "overview" else page, urlencode(params))
    return visitor, *await visitor.rerun()


async def _arrive(url: str, page: str) -> tuple[Visitor, int]:
    visitor, _, came = await arrive(url, page, **PARAMS.get(page, {}))
    return visitor, came


async def _crowd(url: str, page: str, visitors: int, clicks: int) -> list[float]:
    """Every click's time, with so many visitors who each click every few seconds."""
    arrived = [(await _arrive(url, page))[0] for _ in range(visitors)]
    for visitor in arrived:
        await visitor.click(0)
    rng = random.Random(456)

    async def practise(visitor: Visitor) -> list[float]:
        times = []
        for number in range(clicks):
            # One visitor alone waits for nobody: no need to spread the clicks.
            await asyncio.sleep(rng.expovariate(1 / EVERY) if visitors > 1 else 0.2)
            times.append((await visitor.click(number))[0])
        return times

    several = await asyncio.gather(*(practise(visitor) for visitor in arrived))
    for visitor in arrived:
        await visitor.socket.close()
    return [value for times in several for value in times]


async def _bytes(url: str, page: str) -> tuple[int, int]:
    """How many bytes the first view takes, and how many a click after that (the largest of four)."""
    visitor, first = await _arrive(url, page)
    again = max([(await visitor.click(number))[1] for number in range(4)])
    await visitor.socket.close()
    return first, again


@contextmanager
def _server(world: World) -> Iterator[str]:
    with browser.dashboard(world.environ) as url:
        yield url


def run(report: Report, world: World, large: World, clicks: int) -> None:
    """Clicks on the Student page by 1, 10 and 30 visitors; bytes of a click on every page."""
    rows = []
    with _server(world) as url:
        for visitors in _CROWDS:
            times = asyncio.run(_crowd(url, "student", visitors, clicks if visitors > 1 else clicks * 4))
            p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
            rows.append((visitors, len(times), seconds(p50), seconds(p95)))
    report.table(
        f"Clicks on the Student page at {world}: each visitor clicks every {EVERY:g} s on average",
        ("visitors", "clicks", "p50", "p95"),
        rows,
    )
    report.goal("4", "Student: p95 under 100 ms with 30 visitors", seconds(p95), met=p95 < 0.1)
    sizes = []
    with _server(large) as url:
        for page in names():
            first, again = asyncio.run(_bytes(url, page))
            sizes.append((page, first, again))
    report.table(
        f"Bytes to the browser at {large}",
        ("page", "first view", "click"),
        [(page, size(first), size(again)) for page, first, again in sizes],
    )
    heavy = [f"{page} {size(again)}" for page, _, again in sizes if again >= 100_000]
    report.goal(
        "4",
        f"below 100 KB sent per click, every page, {large}",
        ", ".join(heavy) if heavy else f"at most {size(max(again for _, _, again in sizes))}",
        met=not heavy,
    )
