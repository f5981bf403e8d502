"""A large school: the first look and the whole of it, a class of 30 in it, levels of everybody, clicks, the memory.

`python -m bench --only school` measures it at 20,000 evaluations; `--full` at 1,000,000, which takes a quarter of an
hour, most of it to fill the engine.
"""

import asyncio
import gc
import resource
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import orjson
import pandas as pd

from analysis import attention
from analysis.attention import Aim, Rules
from analysis.levels import progress
from bench.load import process
from bench.pages import metering
from bench.support.report import Report, median, seconds, size
from bench.support.worlds import World, use
from bench.visitors import arrive
from data.records import evaluations
from data.roster import Roster, Student
from queries import source, standings
from queries.access.gate import Gate
from queries.access.gate import Visitor as Person
from queries.packed import Packed
from queries.session import Session
from tests.support import browser
from tests.support.process import forget_everything

T = TypeVar("T")

_CLASS = 30
_DAYS = progress.WINDOW.days
_FULL = 1_000_000
_CLICKS = 20
_CHOICES = 3  # of the filter that is clicked
_LONGEST = 300.0  # seconds until a school is there


def run(report: Report, own: list[World]) -> None:
    """All of it; `own` are worlds of one engine, the smallest first."""
    large = own[-1]
    full = large.count >= _FULL
    _class_in_a_school(report, own)
    _rows(report, large, full=full)
    _everybody(report, large, full=full)
    asyncio.run(_students(report, large))
    asyncio.run(_audit(report, large))


def _class_in_a_school(report: Report, own: list[World]) -> None:
    """A class of 30, cold, in a school of each size; and its numbers by the way of the whole school."""
    ids = [f"user-{n:06d}" for n in range(_CLASS)]
    roster = Roster({name: Student(name, name, "Class") for name in ids})
    rows, spent = [], []
    for world in own:
        by_class, class_cost = _read(world, roster, "Class")
        way = "by student" if by_class.of else "with everybody"
        rows.append((world, way, class_cost[0], f"{class_cost[1]:g}", len(_of(by_class, ids))))
        spent.append(class_cost)
    report.table("A class of 30, cold", ("evaluations", "way", "requests", "read units", "records"), rows)
    requests, units = (max(column) for column in zip(*spent, strict=True))
    report.goal(
        "6",
        f"a class of 30, cold, in a school of {own[0].count:,} to {own[-1].count:,}: at most 40 requests, 60 units",
        f"{requests} requests, {units:g} units",
        met=requests <= 40 and units <= 60,
    )
    by_school, _ = _read(own[-1], roster, None)
    one, other = (_of(asked, ids) for asked in (by_class, by_school))
    now, first = by_class.read_at, by_class.first
    students = [attention.everybody(rows, first, now, progress.DEFAULT_NOISES) for rows in (one, other)]
    same = one.equals(other) and repr(students[0]) == repr(students[1])
    report.goal("6", f"the same records and levels by class and by school, {own[-1]}", f"{len(one)} records", met=same)


def _read(world: World, roster: Roster, class_name: str | None) -> tuple[standings.Evaluations, tuple[int, float]]:
    use(world)
    forget_everything()
    session = Session(Gate(Person(None, "ops"), roster))
    source.store()
    with metering() as meter:
        asked = standings.evaluations(session, _DAYS, roster, class_name)
        asked.rows()
    return asked, (len(meter.requests), meter.units)


def _of(asked: standings.Evaluations, ids: list[str]) -> pd.DataFrame:
    rows = asked.rows()
    since = asked.read_at - timedelta(days=_DAYS)  # what is at the edge is of the moment that each was read
    return rows[rows["user_id"].isin(ids) & (rows["created_at"] >= since + timedelta(minutes=10))].sort_values(
        ["created_at", "evaluation_id"], ignore_index=True
    )


def _rows(report: Report, world: World, *, full: bool) -> None:
    """Client CPU of a row read, beside that of orjson on the same answers, in turn; bytes of a row kept."""
    store = world.store()
    last = world.loaded_at + timedelta(hours=1)
    first = last - timedelta(days=28 if full else 366)
    evaluations.period(store, last, last)
    bodies: list[bytes] = []

    def kept(response_dict: dict[str, bytes], **_: object) -> None:
        bodies.append(response_dict["body"])

    ours, alone = [], []
    for n in range(8):
        if not n:
            store.client.meta.events.register_first("before-parse.dynamodb.Query", kept, unique_id="bench-bodies")
        cpu, rows = _cpu(lambda: evaluations.period(store, first, last).value)
        if not n:
            store.client.meta.events.unregister("before-parse.dynamodb.Query", unique_id="bench-bodies")
            continue
        ours.append(cpu / len(rows))
        gc.disable()  # else orjson's share is that of the collector, which our own decoding holds off
        alone.append(_cpu(lambda: deque(map(orjson.loads, bodies), maxlen=0))[0] / len(rows))
        gc.enable()
    ratio = median([one / other for one, other in zip(ours, alone, strict=True)])
    report.goal(
        "3",
        f"client CPU a row read: at most 8 µs ({len(rows):,} rows)",
        f"{median(ours) * 1e6:.1f} µs, {ratio:.1f} times orjson alone ({median(alone) * 1e6:.1f} µs)",
        met=median(ours) <= 8e-6,
    )
    octets = Packed.of(rows).octets / len(rows)
    report.goal("3", "bytes a row kept: at most 120", f"{octets:.0f}", met=octets <= 120)


def _everybody(report: Report, world: World, *, full: bool) -> None:
    """Levels, trends and flags of everybody, from rows that are there."""
    asked, _ = _read(world, Roster(), None)
    rows, now, first = asked.rows(), asked.read_at, asked.first
    noises = progress.estimate_noises(rows, now)
    times, rules = [], Rules()
    for _ in range(3):
        cpu, students = _cpu(lambda: attention.everybody(rows, first, now, noises))
        flags, _ = _cpu(lambda of=students: [attention.flags(student, Aim(), rules, now) for student in of])  # type: ignore[misc]
        times.append(cpu + flags)
    report.goal(
        "6",
        f"levels, trends and flags of {len(students):,} students: at most 1 s of CPU",
        seconds(median(times)),
        met=median(times) <= 1 if full else None,
    )


async def _students(report: Report, world: World) -> None:
    """Students: until something is there, until all is, clicks, memory."""
    visit = await _visit(world, "overview")
    goal = f"first useful screen of a school of {world}: at most 3 s"
    report.goal("1", goal, seconds(visit.first), met=visit.first <= 3)
    report.goal("1", f"all of it, without an error ({world})", visit.whole_or_why, met=visit.is_whole)
    report.goal(
        "4",
        f"a click on Students, {world}: at most 80 ms of CPU, 60 KB",
        f"{seconds(visit.cpu)}, {size(median(visit.sent))}; the first of each choice at most {seconds(visit.slowest)}",
        met=visit.cpu <= 0.08 and median(visit.sent) <= 60_000,
    )
    report.goal("4", f"memory of the server, {world}: below 600 MB", size(visit.memory), met=visit.memory < 600e6)


async def _audit(report: Report, world: World) -> None:
    """Data quality with its models, of a year."""
    visit = await _visit(world, "audit", audit="12m")
    report.goal("1", f"first screen of Data quality, {world}: at most 3 s", seconds(visit.first), met=visit.first <= 3)
    report.goal("1", f"all of Data quality, without an error ({world})", visit.whole_or_why, met=visit.is_whole)
    report.goal(
        "4",
        f"a click on Data quality, {world}: at most 100 ms",
        f"{seconds(median(visit.times))} wall, {seconds(visit.cpu)} of CPU",
        met=median(visit.times) <= 0.1,
    )


@dataclass(frozen=True, slots=True)
class _Visit:
    """Seconds until something was there and until all was; the slowest click of those that nobody had made before; of
    the others the CPU of one, each one's time and bytes; memory."""

    first: float
    whole: float
    is_whole: bool
    errors: list[str]
    slowest: float
    cpu: float
    times: list[float]
    sent: list[int]
    memory: float

    @property
    def whole_or_why(self) -> str:
        """What to say of the whole."""
        return ", ".join([seconds(self.whole), *self.errors[:1]])


async def _visit(world: World, page: str, **params: str) -> _Visit:
    """A page on a server of its own, whose first visitor comes once it has started."""
    with browser.serving({**world.environ, "BANDUP_ROSTER": ""}) as server:
        visitor, first, _ = await arrive(server.url, page, **params)
        begin = time.perf_counter()
        while visitor.again and time.perf_counter() - begin < _LONGEST:
            await asyncio.sleep(1)
            for fragment in list(visitor.again):
                await visitor.rerun(fragment, by_itself=True)
        whole = first + time.perf_counter() - begin
        is_whole = not visitor.errors and not visitor.again
        await visitor.rerun()
        slowest = max([(await visitor.click(number))[0] for number in range(_CHOICES)])
        before, times, sent = process(server.pid).cpu, [], []
        for number in range(_CLICKS):
            took, came = await visitor.click(number)
            times.append(took)
            sent.append(came)
        after = process(server.pid)
        await visitor.socket.close()
        cpu = (after.cpu - before) / _CLICKS
        return _Visit(first, whole, is_whole, visitor.errors, slowest, cpu, times, sent, after.memory)


def _cpu(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of CPU of this process, and the result."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    result = work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, result
