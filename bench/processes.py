"""What several processes serve: clicks a second of one server and of two, in turn, each visitor staying at one of them.

`python -m bench.processes` takes three minutes. The visitors click as fast as they are answered; what they take of the
processors is said beside it, because a second server can only use what they leave.
"""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.processes")

from bench.load import COUNT, process
from bench.support.addresses import PARAMS
from bench.support.report import Report, median
from bench.support.worlds import World, quiet, worlds
from bench.visitors import arrive
from tests.support import browser, engines

_PAGES = ("overview", "student")
_VISITORS = 12
_SECONDS = 10.0
_ROUNDS = 3


async def _clicks(url: str, page: str, together: asyncio.Barrier) -> int:
    """How often a visitor is answered, from when all are there."""
    visitor = (await arrive(url, page, **PARAMS.get(page, {})))[0]
    for number in range(3):
        await visitor.click(number)  # the first of each choice is worked out once
    await together.wait()
    until, count = time.monotonic() + _SECONDS, 0
    while time.monotonic() < until:
        await visitor.click(count)
        count += 1
    await visitor.socket.close()
    return count


async def _throughput(urls: Sequence[str]) -> float:
    """Clicks a second of all visitors together."""
    together = asyncio.Barrier(_VISITORS)
    visits = (
        _clicks(urls[number % len(urls)], _PAGES[number // len(urls) % len(_PAGES)], together)
        for number in range(_VISITORS)
    )
    return sum(await asyncio.gather(*visits)) / _SECONDS


def _serve(world: World, servers: int) -> tuple[float, float]:
    """Clicks a second, and the share of a processor that the visitors take."""
    with ExitStack() as stack:
        urls = [stack.enter_context(browser.serving(world.environ)).url for _ in range(servers)]
        began, cpu = time.monotonic(), process(os.getpid()).cpu
        clicks = asyncio.run(_throughput(urls))
        return clicks, (process(os.getpid()).cpu - cpu) / (time.monotonic() - began)


def main() -> int:
    """Fill an engine, then serve with one and with two processes in turn."""
    quiet()
    report = Report()
    with worlds({"dynoxide": (COUNT,)}) as (world,):
        rounds = [(_serve(world, 1), _serve(world, 2)) for _ in range(_ROUNDS)]
    rows = [(n, *(f"{value:.2f}" for served in both for value in served)) for n, both in enumerate(rounds, 1)]
    names = ("round", "one: clicks a second", "visitors' CPU", "two: clicks a second", "visitors' CPU")
    report.table(f"{_VISITORS} visitors on Students and Student, {os.cpu_count()} processors", names, rows)
    print(f"two processes serve {median([two[0] / one[0] for one, two in rounds]):.2f} times as much")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except engines.MissingError as missing:
        sys.exit(str(missing))
