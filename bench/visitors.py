"""Clicks as the server sees them: visitors over Streamlit's own websocket, each clicking now and then."""

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import browser
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from bench.pages import PARAMS, names
from bench.report import Report, seconds, size
from bench.worlds import World

EVERY = 5.0  # seconds between two clicks of a visitor, on average
_CROWDS = (1, 10, 30)


@dataclass(slots=True)
class Visitor:
    """One browser's end of the websocket."""

    socket: ClientConnection
    page: str
    query: str
    widgets: dict[str, WidgetState] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)

    async def rerun(self) -> tuple[float, int]:
        """Ask for a run, wait for its end: how long it took, and how many bytes came."""
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.widget_states.widgets.extend(self.widgets.values())
        message.rerun_script.context_info.timezone = "Asia/Ho_Chi_Minh"
        begin, came = time.perf_counter(), 0
        await self.socket.send(message.SerializeToString())
        while True:
            data = await self.socket.recv()
            assert isinstance(data, bytes)
            came += len(data)
            answer = ForwardMsg.FromString(data)
            kind = answer.WhichOneof("type")
            if kind == "page_info_changed":
                self.query = answer.page_info_changed.query_string
            elif kind == "delta" and answer.delta.WhichOneof("type") == "new_element":
                self._see(answer)
            elif kind == "script_finished" and answer.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                return time.perf_counter() - begin, came

    def _see(self, answer: ForwardMsg) -> None:
        """Remember what can be clicked: switches, and choices of one."""
        element = answer.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "checkbox":
            self.widgets.setdefault(element.checkbox.id, WidgetState(id=element.checkbox.id, bool_value=False))
        elif kind == "button_group" and len(element.button_group.options) > 1:
            self.options[element.button_group.id] = len(element.button_group.options)

    async def click(self, number: int) -> tuple[float, int]:
        """Turn a switch where there is one, else run the page again, as selecting a row does."""
        switches = list(self.widgets.values())
        if switches:
            switch = switches[number % len(switches)]
            switch.bool_value = not switch.bool_value
        return await self.rerun()


async def _arrive(url: str, page: str) -> tuple[Visitor, int]:
    """A new visitor, once the page is there; and how many bytes that took."""
    socket = await connect(
        url.replace("http", "ws", 1) + "/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=60
    )  # type: ignore[list-item]
    visitor = Visitor(socket, "" if page == "overview" else page, urlencode(PARAMS.get(page, {})))
    _, came = await visitor.rerun()
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
