"""A working day in 24 minutes: visitors who click, leave and come back, on a real server; its errors, memory, times.

`python -m bench.load` takes 24 minutes and a bit.
"""

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.load")

from scipy.stats import theilslopes
from websockets.exceptions import WebSocketException

from bench.support.addresses import PARAMS, names
from bench.support.report import Report, seconds, size
from bench.support.worlds import World, quiet, worlds
from bench.visitors import EVERY, Visitor, arrive, connected
from tests.support import browser, engines

COUNT = 20_000
_AWAY = 20.0  # seconds that somebody who left stays away, on average; a session is kept for two minutes
_LOOK = 5.0  # seconds between two looks at the server's memory
_PRINT = 30.0
_PATIENCE = 60.0  # seconds after which a run counts as one that never ends
_WARM = 0.4  # the part of the time that is warm-up: until every page was seen, and the charts and answers kept are many
_FLAT = 0.01  # of the memory per minute; what is noise from one look to the next is several times as much
# What the server prints at its start. Every other line is a warning or worse, or says that it is none.
_BANNER = ("You can now view", "The dashboard is at", "URL:", "Local URL", "Network URL", "External URL", "Stopping")

_AT_ONCE = "arrive first"
"""All of them in one moment, at a server that has read nothing."""
_ARRIVALS = (_AT_ONCE, "arrive", "come back")

Rerun: TypeAlias = tuple[float, int]


@dataclass(slots=True)
class Seen:
    """What all visitors met."""

    times: list[tuple[str, str, float]] = field(default_factory=list)
    """Page, what was clicked, and seconds until its run was over."""
    errors: Counter[str] = field(default_factory=Counter)
    left: int = 0


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it is now: its resident bytes, its threads, and the seconds of CPU that it has used."""

    memory: float
    threads: int
    cpu: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at a moment, in seconds since the visitors came, after so many reruns."""

    at: float
    server: Process
    load: float
    reruns: int


async def practise(url: str, number: int, until: float, seen: Seen) -> None:
    """One visitor until the time is over: thinks, clicks, leaves, comes back."""
    rng = random.Random(456 + number)
    page, params = _somewhere(rng)
    visitor = await _timed(seen, page, _AT_ONCE, lambda: _newcomer(url, page, params))
    while visitor and time.monotonic() < until:
        try:
            await _think(visitor, rng.expovariate(1 / EVERY), seen)
            if rng.random() < 0.04:
                visitor = await _leave(visitor, url, until, rng, seen)
                continue
            kind, act = _any_click(visitor, rng)
            page = visitor.address
            await _timed(seen, page, kind, act)
        except (WebSocketException, OSError) as error:
            seen.errors[f"websocket: {type(error).__name__}"] += 1
            visitor = await _newcomer(url, *_somewhere(rng))
        seen.errors.update(f"{visitor.address or 'overview'}: {warned}" for warned in visitor.errors)
        visitor.errors.clear()
    if visitor:
        await visitor.socket.close()


async def _newcomer(url: str, page: str, params: dict[str, str]) -> Visitor:
    return (await arrive(url, page, **params))[0]


async def _timed(seen: Seen, page: str, kind: str, act: Callable[[], Awaitable[object]]) -> "Visitor | None":
    begin = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE):
            done = await act()
    except TimeoutError:
        seen.errors[f"{page or 'overview'}: no end of the run after {_PATIENCE:g} s ({kind})"] += 1
        return None
    seen.times.append((page or "overview", kind, time.perf_counter() - begin))
    return done if isinstance(done, Visitor) else None


async def _think(visitor: Visitor, wait: float, seen: Seen) -> None:
    """Wait. What runs again by itself does so meanwhile, as the browser's timer makes it."""
    end = time.monotonic() + wait
    while visitor.again:
        fragment, interval = next(iter(visitor.again.items()))
        if time.monotonic() + interval > end:
            break
        await asyncio.sleep(interval)
        page = visitor.address
        await _timed(seen, page, "by itself", lambda f=fragment: visitor.rerun(f, by_itself=True))
    await asyncio.sleep(max(0.0, end - time.monotonic()))


async def _leave(visitor: Visitor, url: str, until: float, rng: random.Random, seen: Seen) -> Visitor | None:
    """Close the page. Half come back to it as it was, as after a lost connection; half open another one."""
    await visitor.socket.close()
    seen.left += 1
    await asyncio.sleep(min(rng.expovariate(1 / _AWAY), until - time.monotonic()))
    if time.monotonic() >= until:
        return None
    if rng.random() < 0.5:
        visitor.socket = await connected(url, visitor.session)
        page = visitor.address
        await _timed(seen, page, "come back", visitor.rerun)
        return visitor
    page, params = _somewhere(rng)
    return await _timed(seen, page, "arrive", lambda: _newcomer(url, page, params))


def _somewhere(rng: random.Random) -> tuple[str, dict[str, str]]:
    """A page and what its address names: any page, mostly of any student."""
    page = rng.choice(names())
    params = PARAMS.get(page, {})
    if page in ("student", "flashcards") and rng.random() < 0.8:
        params = {"user_id": f"user-{rng.randrange(COUNT // 40):06d}"}
    return "" if page == "overview" else page, params


def _any_click(visitor: Visitor, rng: random.Random) -> tuple[str, Callable[[], Awaitable[Rerun]]]:
    """Something that can be clicked on this page: another page, a switch, a filter, a row, at times Refresh."""
    filters = [
        (name, options)
        for counts in (visitor.choices, visitor.lists)
        for name, options in counts.items()
        if len(options) > 1
    ]
    kinds = ["page"] * 3 + ["switch"] * 2 * bool(visitor.switches) + ["filter"] * 4 * bool(filters)
    kinds += ["row"] * 2 * bool(visitor.grids)
    kind = rng.choice(kinds)
    if rng.random() < 0.03 and "Refresh" in visitor.buttons:
        return "Refresh", lambda: visitor.press(visitor.buttons["Refresh"])
    if kind == "switch":
        return kind, lambda: visitor.click(rng.randrange(99))
    if kind == "filter":
        name, options = rng.choice(filters)
        return kind, lambda: visitor.choose(name, rng.choice(options))
    if kind == "row":
        return kind, lambda: visitor.select_row(rng.choice(visitor.grids), rng.randrange(4))
    page, params = _somewhere(rng)
    return kind, lambda: visitor.go(page, **params)


async def _watch(pid: int, begin: float, samples: list[Sample], seen: Seen) -> None:
    """Look at the server now and then, and tell at times."""
    facts = 0.0
    while True:
        samples.append(Sample(time.monotonic() - begin, process(pid), os.getloadavg()[0], len(seen.times)))
        last = samples[-1]
        if last.at >= facts:
            facts += _PRINT
            print(
                f"{last.at:5.0f} s  {size(last.server.memory):>9}  {last.server.threads:3} threads  "
                f"{len(seen.times):5,} reruns  {seen.errors.total()} errors  load {last.load:.1f}",
                flush=True,
            )
        await asyncio.sleep(_LOOK)


def process(pid: int) -> Process:
    """How a process is doing."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    # The name, which is second, may hold spaces.
    ticks = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    cpu = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
    return Process(float(facts["VmRSS"].split()[0]) * 1024, int(facts["Threads"]), cpu)


def warnings(log: str) -> list[str]:
    """Lines of a server's log that are a warning or worse: the level stands first, and ours have none below it."""
    lines = (line.strip() for line in log.splitlines())
    return [line for line in lines if line and not line.startswith(("INFO", "DEBUG")) and _is_said(line)]


def _is_said(line: str) -> bool:
    return not any(word in line for word in _BANNER)


async def _day(server: browser.Server, visitors: int, minutes: float, seen: Seen, samples: list[Sample]) -> None:
    begin = time.monotonic()
    watcher = asyncio.create_task(_watch(server.pid, begin, samples, seen))
    until = begin + minutes * 60
    await asyncio.gather(*(practise(server.url, number, until, seen) for number in range(visitors)))
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher


def run(report: Report, world: World, visitors: int, minutes: float) -> None:
    """Visitors on a server of their own, and what came of it."""
    seen, samples = Seen(), []
    log = Path(tempfile.mkdtemp()) / "log"
    with browser.serving(world.environ, "--logger.messageFormat=%(levelname)s %(name)s %(message)s", log=log) as server:
        asyncio.run(_day(server, visitors, minutes, seen, samples))
    warned = warnings(log.read_text(encoding="utf-8", errors="replace"))
    _tables(report, seen, warned, f"{visitors} visitors for {minutes:g} minutes at {world}")
    # Who arrives loads a page into an empty browser: that is no rerun.
    times = [value for _, kind, value in seen.times if kind not in _ARRIVALS]
    report.goal(
        "7",
        f"no error: {visitors} visitors, {minutes:g} minutes, {world}",
        f"{seen.errors.total()} on pages and connections, {len(warned)} lines of warning or worse in the log, "
        f"{len(times):,} reruns, {seen.left} left and came back",
        met=not seen.errors and not warned,
    )
    warm = [s for s in samples if s.at >= minutes * 60 * _WARM]
    # Theil-Sen: single peaks do not move it.
    rises = theilslopes([s.server.memory for s in warm], [s.at / 60 for s in warm]).slope
    level = statistics.median(s.server.memory for s in warm)
    report.goal(
        "7",
        f"memory flat after {minutes * _WARM:g} minutes: it rises by less than {_FLAT:.0%} a minute",
        f"{rises / 1e6:+.2f} MB a minute at {size(level)}",
        met=rises < _FLAT * level,
    )
    loads = [s.load for s in samples]
    p50, p95 = statistics.median(times), _slowest(times)
    spent = (warm[-1].server.cpu - warm[0].server.cpu) / max(1, warm[-1].reruns - warm[0].reruns)
    figure = (
        f"p50 {seconds(p50)}, p95 {seconds(p95)}, {seconds(spent)} of the server's CPU each; load average "
        f"{min(loads):.1f} to {max(loads):.1f} on {os.cpu_count()} processors"
    )
    report.goal("7", "a rerun: p95 at most 250 ms, 40 ms of CPU", figure, met=p95 <= 0.25 and spent <= 0.04)
    every = [value for _, kind, value in seen.times if kind in _ARRIVALS]
    later = [value for _, kind, value in seen.times if kind in _ARRIVALS and kind != _AT_ONCE]
    figure = (
        f"{seconds(_slowest(every))} of {len(every):,}; {seconds(_slowest(later))} of the {len(later):,} later ones"
    )
    report.goal("7", "who arrives: p95 at most 1 s", figure, met=_slowest(every) <= 1)


def _slowest(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1] if len(times) > 1 else max(times, default=0.0)


def _tables(report: Report, seen: Seen, warned: list[str], title: str) -> None:
    by_page: dict[str, list[float]] = {}
    for page, kind, value in seen.times:
        by_page.setdefault(page, []).append(value)
        by_page.setdefault(f"({kind})", []).append(value)
    rows = [
        (name, len(times), seconds(statistics.median(times)), seconds(statistics.quantiles(times, n=20)[-1]))
        for name, times in sorted(by_page.items())
        if len(times) > 1
    ]
    report.table(f"Reruns by page and by what was clicked: {title}", ("", "reruns", "p50", "p95"), rows)
    if seen.errors or warned:
        counts = [*seen.errors.most_common(20), *Counter(warned).most_common(40)]
        report.table("Errors", ("times", "what"), [(count, what[:300]) for what, count in counts])


def main() -> int:
    """Fill an engine, run; the exit code is 1 where a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=24.0)
    parser.add_argument("--visitors", type=int, default=30)
    chosen = parser.parse_args()
    quiet()
    report = Report()
    with worlds({"dynoxide": (COUNT,)}) as (world,):
        run(report, world, chosen.visitors, chosen.minutes)
    print(report.goals_text())
    return int(any(not goal.met for goal in report.goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except engines.MissingError as missing:
        sys.exit(str(missing))
