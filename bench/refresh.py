"""A day of the Jobs page reading again by itself, in minutes: the server's clock is moved before each look.

`python -m bench.refresh` looks every minute, 1,440 times; `--every 10` every 10 seconds, 8,640 times. Jobs keep coming.
Nothing may grow: the time and the cost of a look, the memory, what the session and the caches hold.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from pathlib import Path

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.refresh")

from scipy.stats import theilslopes

from bench.load import Process, process, warnings
from bench.support import dataset
from bench.support.report import Report, seconds, size
from bench.support.worlds import World, quiet, worlds
from bench.visitors import Visitor, arrive
from data.dynamodb.reads import Item
from data.schema import EVALUATIONS, PROCESSING
from tests.support import browser, engines

COUNT = 5_000
# Twice the page's seven days, because it shows the seven before as well: so as many jobs leave it as come.
DAYS = 14
_HOUR = 3600
_TAKES = timedelta(minutes=3)
_AT_FIRST = ("evaluation_id", "user_id", "evaluation_type", "created_at")
_WARM = 6  # hours that fill what is kept for one hour, and the charts, of which the last 200 are kept
_FLAT = 0.02  # of what there was, in a day


@dataclass(frozen=True, slots=True)
class Hour:
    """The server at the end of an hour: how long its looks took, what it asked and what it holds."""

    times: Sequence[float]
    server: Process
    held: dict[str, float]


class Lambdas:
    """Jobs that keep coming: for each one that leaves the fourteen days a like one, which ends three minutes later.

    So what a look finds is as much at the end as at the beginning, and what grows is the dashboard's.
    """

    def __init__(self, world: World) -> None:
        self._client = dataset.open_client(world.url)
        self._name = world.settings.name(EVALUATIONS)
        old = dataset.evaluations(COUNT, world.loaded_at, days=DAYS)
        self._coming = sorted(((_created(item) + timedelta(days=DAYS), item) for item in old), key=itemgetter(0))
        self._begun = 0
        self._ended = 0

    def work_until(self, now: datetime) -> None:
        """Begin and end what is due."""
        while self._coming[self._begun][0] <= now:
            self._put(self._begun, ended=False)
            self._begun += 1
        while self._coming[self._ended][0] <= now - _TAKES:
            self._put(self._ended, ended=True)
            self._ended += 1

    def _put(self, number: int, *, ended: bool) -> None:
        when, like = self._coming[number]
        item = {**like, "evaluation_id": {"S": f"next-{number:08d}"}, "created_at": {"N": f"{when.timestamp():.0f}"}}
        if not ended:
            item = {name: item[name] for name in _AT_FIRST} | {"status": {"S": PROCESSING}}
        self._client.put_item(TableName=self._name, Item=item)


def _created(item: Item) -> datetime:
    return datetime.fromtimestamp(int(item["created_at"]["N"]), UTC)


async def _look(server: browser.Server, world: World, every: int, hours: int) -> tuple[list[Hour], list[str]]:
    """Every look of so many hours."""
    visitor, _, _ = await arrive(server.url, "jobs", again=f"{every}s")
    # Streamlit answers the first run of a new session's page with a second one.
    await visitor.rerun()
    ((fragment, interval),) = visitor.again.items()
    assert interval == every, visitor.again
    lambdas, looks, times = Lambdas(world), [], []
    errors = list(visitor.errors)
    for number in range(1, hours * _HOUR // every + 1):
        now = world.loaded_at + timedelta(seconds=number * every)
        lambdas.work_until(now)
        _ask(server, f"?ahead={(now - datetime.now(UTC)).total_seconds()}")
        times.append((await visitor.rerun(fragment, by_itself=True))[0])
        errors += _told(visitor, number * every)
        if number * every % _HOUR == 0:
            looks.append(Hour(times, process(server.pid), _ask(server, "")))
            _print(looks)
            times = []
    await visitor.socket.close()
    return looks, errors


def _told(visitor: Visitor, at: int) -> list[str]:
    warned = [f"after {timedelta(seconds=at)}: {error}" for error in visitor.errors]
    visitor.errors.clear()
    return warned


def _ask(server: browser.Server, query: str) -> dict[str, float]:
    with urllib.request.urlopen(f"{server.url}/_bench{query}", timeout=60) as answer:  # noqa: S310
        held: dict[str, float] = json.load(answer)
    return held


def _print(hours: Sequence[Hour]) -> None:
    last, held = hours[-1], hours[-1].held
    print(
        f"{len(hours):2} h  {seconds(statistics.median(last.times)):>8} a look  {size(last.server.memory):>9}  "
        f"{held['blocks']:,} blocks  {last.server.threads} threads  {held['questions']} questions of "
        f"{size(held['questions_bytes'])}  session {held['session_values']} values of {size(held['session_bytes'])}",
        flush=True,
    )


def run(report: Report, world: World, every: int, hours: int) -> None:
    """Look, then compare the hours after the first two with each other."""
    log = Path(tempfile.mkdtemp()) / "log"
    options = ("--logger.messageFormat=%(levelname)s %(name)s %(message)s",)
    begin = time.perf_counter()
    with browser.serving(world.environ, *options, script="bench/support/shifted_clock.py", log=log) as server:
        seen, errors = asyncio.run(_look(server, world, every, hours))
    warned = warnings(log.read_text(encoding="utf-8", errors="replace"))
    looks = hours * _HOUR // every
    times = [value for hour in seen for value in hour.times]
    for line in [*errors, *warned][:20]:
        print(line)
    report.goal(
        "7",
        f"no error in {hours} h of reading again every {every} s: {looks:,} looks",
        f"{len(errors)} on the page, {len(warned)} lines of warning or worse in the log; a look took "
        f"{seconds(statistics.median(times))} in the median, all {(time.perf_counter() - begin) / 60:.0f} min, "
        f"load {os.getloadavg()[0]:.1f}",
        met=not errors and not warned,
    )
    steady = seen[_WARM:]
    for name, values, unit in (
        ("the server's CPU time for a look", _each(steady, lambda hour: hour.server.cpu, 3600 / every), seconds),
        ("the server's memory", [hour.server.memory for hour in steady], size),
        ("Python's blocks", [hour.held["blocks"] for hour in steady], "{:,.0f}".format),
        ("the session's state", [hour.held["session_bytes"] for hour in steady], size),
        ("questions with older answers", [hour.held["questions_bytes"] for hour in steady], size),
        ("threads", [float(hour.server.threads) for hour in steady], "{:.0f}".format),
        ("requests an hour", _each(steady, lambda hour: hour.held["requests"]), "{:,.0f}".format),
        ("read units an hour", _each(steady, lambda hour: hour.held["units"]), "{:,.0f}".format),
    ):
        # Theil-Sen, in parts of the level a day; the interval says how far single hours alone may move it.
        level = statistics.median(values) or 1.0
        rises, _, low, high = theilslopes([value / level for value in values], [n / 24 for n in range(len(values))])
        report.goal(
            "7",
            f"no growth of {name}: less than {_FLAT:.0%} a day",
            f"{unit(values[0])} at first, {unit(values[-1])} at last; {rises:+.1%} a day, 95% interval {low:+.1%} to "
            f"{high:+.1%}",
            met=rises <= _FLAT,
        )


def _each(hours: Sequence[Hour], total: Callable[[Hour], float], of: float = 1) -> list[float]:
    """What each hour added to a total, divided by `of`."""
    return [(total(b) - total(a)) / of for a, b in pairwise(hours)]


def main() -> int:
    """Fill an engine, look for a day; the exit code is 1 where something grew."""
    parser = argparse.ArgumentParser(prog="python -m bench.refresh", description=__doc__)
    parser.add_argument("--every", type=int, choices=(10, 60), default=60, help="seconds between two looks")
    parser.add_argument("--hours", type=int, default=24)
    chosen = parser.parse_args()
    quiet()
    report = Report()
    with worlds({"dynoxide": (COUNT,)}, days=DAYS) as (world,):
        run(report, world, chosen.every, chosen.hours)
    print(report.goals_text())
    return int(any(not goal.met for goal in report.goals))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except engines.MissingError as missing:
        sys.exit(str(missing))
