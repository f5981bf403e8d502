"""What each page costs at each size: requests, read units as the engine meters them, bytes and time."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.testing.v1 import AppTest

from bench import ROOT
from bench.support import dataset
from bench.support.addresses import PARAMS, names
from bench.support.report import Report, median, seconds, size
from bench.support.worlds import World, use
from data.dynamodb import query, reads
from data.dynamodb.reads import Item
from data.schema import BY_STUDENT, EVALUATIONS, FLASHCARD_SETS
from queries import source
from queries.session import cache
from tests.support.process import forget_everything

SAME_AT_EVERY_SIZE = ("student", "evaluation", "flashcards")

_FAR = 0.2  # seconds
_VISITORS = 10
_LATER = timedelta(minutes=1)
# Requests that need the answer of another one: on Jobs, the reasons of those that failed; on Compare, the latest two;
# in a lesson, the feedback of the group's students.
_CHAINS = {"jobs": 2, "compare": 2, "lessons": 2}


@dataclass(slots=True)
class Meter:
    """What really went to the engine and came back, DescribeTable apart, which is free."""

    requests: list[tuple[str, str]] = field(default_factory=list)
    free: int = 0
    units: float = 0.0
    bytes: int = 0

    @property
    def repeated(self) -> int:
        """How many requests were made that had been made already."""
        return sum(count - 1 for count in Counter(self.requests).values())

    @property
    def scans(self) -> int:
        """How many of them were scans."""
        return sum(operation == "Scan" for operation, _ in self.requests)


@contextmanager
def metering() -> Iterator[Meter]:
    """Meter what the dashboard's own client sends and gets."""
    meter = Meter()
    events = source.store().client.meta.events

    def sent(model: Any, params: Any, **_: Any) -> None:
        if model.name.startswith(("Describe", "List")):
            meter.free += 1
        else:
            meter.requests.append((model.name, str(params["body"])))

    def came(parsed: Any, http_response: Any, **_: Any) -> None:
        meter.bytes += len(http_response.content)
        capacity = parsed.get("ConsumedCapacity") or []
        for part in capacity if isinstance(capacity, list) else [capacity]:
            meter.units += float(part.get("CapacityUnits") or 0.0)

    events.register("before-call.dynamodb", sent, unique_id="bench-sent")
    events.register("after-call.dynamodb", came, unique_id="bench-came")
    try:
        yield meter
    finally:
        events.unregister("before-call.dynamodb", sent, unique_id="bench-sent")
        events.unregister("after-call.dynamodb", came, unique_id="bench-came")


@contextmanager
def far_away(waits: list[tuple[float, float]]) -> Iterator[None]:
    """Every request takes a while longer, as to a region far away; when each began and ended goes into `waits`."""
    events = source.store().client.meta.events

    def delay(request: Any, **_: Any) -> None:
        if not request.headers["X-Amz-Target"].decode().split(".")[1].startswith(("Describe", "List")):
            begin = time.perf_counter()
            time.sleep(_FAR)
            waits.append((begin, time.perf_counter()))

    events.register("before-send.dynamodb", delay, unique_id="bench-far")
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", delay, unique_id="bench-far")


def one_after_another(waits: list[tuple[float, float]]) -> int:
    """How many of these had to wait for each other: the longest chain.

    >>> one_after_another([(0, 1), (0.1, 1.1), (1.2, 2)])
    2
    """
    chain, free = 0, 0.0
    for begin, end in sorted(waits, key=lambda wait: wait[1]):
        if begin >= free:
            chain, free = chain + 1, end
    return chain


def chain(world: World, name: str) -> int:
    """How many requests of a first visit wait for one another."""
    waits: list[tuple[float, float]] = []
    app = _open(world, name)
    with far_away(waits):
        app.run()
    return one_after_another(waits)


@contextmanager
def script_time(runs: list[float]) -> Iterator[None]:
    """How long the script of a page runs, into `runs`: AppTest itself looks for its end only now and then."""
    run = ScriptRunner._run_script

    def timed(self: ScriptRunner, *args: Any) -> None:
        begin = time.perf_counter()
        run(self, *args)
        runs.append(time.perf_counter() - begin)

    ScriptRunner._run_script = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        ScriptRunner._run_script = run  # type: ignore[method-assign]


@dataclass(slots=True)
class Visit:
    """One visit to a page that nobody had read yet, and a click there that needs nothing new."""

    cold: float
    warm: float
    first: Meter
    again: Meter


def _open(world: World, name: str) -> AppTest:
    """The page, with nothing read yet and not run yet."""
    use(world)
    forget_everything()
    app = _app(name, PARAMS.get(name, {}))
    source.store()  # opened before the clock starts: that is once per server, not per page
    return app


def _app(name: str, params: Mapping[str, str]) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=600)
    app.switch_page(f"pages/{name}.py")
    for key, value in params.items():
        app.query_params[key] = value
    return app


def visit(world: World, name: str) -> Visit:
    """Open the page with nothing read yet, then run it again."""
    app = _open(world, name)
    cold: list[float] = []
    warm: list[float] = []
    with metering() as first, script_time(cold):
        app.run()
    assert not app.exception, (name, app.exception)
    with metering() as again, script_time(warm):
        app.run()
    return Visit(sum(cold), sum(warm), first, again)


def run(report: Report, worlds: list[World], rounds: int) -> None:
    """Every page at every size, one size after the other in each round."""
    visits: dict[tuple[str, World], list[Visit]] = {}
    for name in names():
        visit(worlds[0], name)  # imports
        # A page whose cost grows takes long enough to be read only once or twice.
        for _ in range(3 * rounds if name in SAME_AT_EVERY_SIZE else min(rounds, 2)):
            for world in worlds:
                visits.setdefault((name, world), []).append(visit(world, name))
    chains = {name: chain(worlds[0], name) for name in names()}
    _tables(report, visits, chains)
    _goals(report, worlds, visits)
    slow = [f"{name} {count}" for name, count in chains.items() if count > _CHAINS.get(name, 1)]
    report.goal("1", "independent requests in parallel", ", ".join(slow) or "all", met=not slow)
    _several_visitors(report, worlds[0])


def _several_visitors(report: Report, world: World) -> None:
    """Jobs, reading again by itself a minute later, by one visitor and by ten."""
    requests = []
    for visitors in (1, _VISITORS):
        _open(world, "jobs").run()
        clock, now, later = cache.clock, reads._now, cache.clock() + _LATER
        cache.clock = reads._now = lambda later=later: later  # type: ignore[misc]
        try:
            with metering() as meter:
                for _ in range(visitors):
                    app = _app("jobs", {"again": "10s"}).run()
                    assert not app.exception, app.exception
        finally:
            cache.clock, reads._now = clock, now
        requests.append(len(meter.requests))
    report.goal(
        "1",
        f"Jobs read again by {_VISITORS} visitors costs what one does ({world})",
        f"{requests[1]} requests, of one visitor {requests[0]}",
        met=requests[0] == requests[1] > 0,
    )


def _tables(report: Report, visits: dict[tuple[str, World], list[Visit]], chains: dict[str, int]) -> None:
    rows = []
    for (name, world), several in visits.items():
        first, again = several[-1].first, several[-1].again
        rows.append(
            (
                name,
                world,
                len(first.requests),
                chains[name],
                f"{first.units:g}",
                size(first.bytes),
                seconds(median([v.cold for v in several])),
                len(again.requests),
                seconds(median([v.warm for v in several])),
            )
        )
    columns = (
        "page",
        "evaluations",
        "requests",
        "one after another",
        "read units",
        "bytes",
        "cold",
        "requests again",
        "warm",
    )
    report.table("What a page costs (AppTest in one process; cold: nothing read yet; warm: run again)", columns, rows)


def _goals(report: Report, worlds: list[World], visits: dict[tuple[str, World], list[Visit]]) -> None:
    for name in SAME_AT_EVERY_SIZE:
        for engine in dict.fromkeys(world.engine for world in worlds):
            own = [world for world in worlds if world.engine == engine]
            if len(own) < 2:
                continue
            times = [median([v.cold for v in visits[name, world]]) for world in own]
            units = {visits[name, world][-1].first.units for world in own}
            met = max(times) <= 1.3 * min(times) and len(units) == 1
            figure = f"{max(times) / min(times):.2f}x, units {', '.join(f'{u:g}' for u in sorted(units))}"
            report.goal("1", f"{name}: time within 1.3x and units equal at {_sizes(own)} ({engine})", figure, met=met)
        world = worlds[-1]
        units, least = visits[name, world][-1].first.units, least_units(world, name)
        report.goal(
            "1",
            f"{name}: at most 1.1x of the least units for what is shown",
            f"{units:g} of {least:g}: {units / least:.2f}x",
            met=units <= 1.1 * least,
        )
    every = [(name, visit) for (name, _), several in visits.items() for visit in several]
    for goal, bad in (
        ("no scan on any page", [name for name, v in every if v.first.scans]),
        ("nothing read twice in one run", [name for name, v in every if v.first.repeated]),
        ("a click that needs no new data makes no request", [name for name, v in every if v.again.requests]),
    ):
        report.goal("1", goal, "none" if not bad else ", ".join(sorted(set(bad))), met=not bad)


def _sizes(worlds: list[World]) -> str:
    return ", ".join(f"{world.count:,}" for world in worlds)


def least_units(world: World, name: str) -> float:
    """The least read units for what the page shows: sizes added up, rounded up to 4 KB per request, half a unit each.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
    """
    store = world.store()
    if name == "student":
        return sum(
            _units(query.partition(store, table, ("user_id", dataset.STUDENT), index=BY_STUDENT).value)
            for table in (EVALUATIONS, FLASHCARD_SETS)
        )
    if name == "flashcards":
        key = {"set_id": dataset.SET, "user_id": dataset.STUDENT}
        return _units([query.get(store, FLASHCARD_SETS, key).value or {}])
    # The record, one Query back (previous of its skill, and just before) and one forward: a row or two each.
    key = {"evaluation_id": dataset.EVALUATION, "user_id": dataset.STUDENT}
    return _units([query.get(store, EVALUATIONS, key).value or {}]) + 0.5 + 0.5


def _units(items: list[Item]) -> float:
    return 0.5 * max(1, math.ceil(sum(item_bytes(item) for item in items) / 4096))


def item_bytes(item: Item) -> int:
    """The size of an item of texts and numbers as DynamoDB counts it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    total = 0
    for name, value in item.items():
        ((kind, held),) = value.items()
        digits = held.strip("-").replace(".", "").strip("0") if kind == "N" else ""
        total += len(name.encode()) + (1 + math.ceil(len(digits) / 2) if kind == "N" else len(held.encode()))
    return total
