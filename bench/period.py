"""Reading a year of summary rows: client CPU, wall time and memory, beside boto3's Table.query and the engine alone."""

import http.client
import json
import multiprocessing
import os
import re
import resource
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pandas as pd
from boto3.dynamodb.conditions import Key
from botocore.config import Config

from bench.support.report import Report, median, seconds, size
from bench.support.worlds import FULL_SIZE, World
from data.records import evaluations, periods
from data.schema import BY_STATUS, STATUSES
from tests.support import engines

_PARTS = 4  # as data/records/periods.py


@dataclass(frozen=True, slots=True)
class Run:
    """One read of the period in a process of its own. `memory` is what the process grew by at its peak."""

    rows: int
    wall: float
    cpu: float
    memory: float
    frame: float


def run(report: Report, world: World, rounds: int) -> None:
    """All ways in turn, `rounds` times."""
    runs: dict[str, list[Run]] = {}
    # The engine's first answers are slower than its later ones, and nobody's fault.
    _alone(world, _PARTS)
    for _ in range(rounds):
        for name, way in (
            ("the engine alone, one after the other", _engine_alone),
            ("the engine alone, in four parts", _engine_in_parts),
            ("the dashboard", _ours),
            ("the dashboard, in one part", _ours_in_one_part),
            ("boto3's Table.query + DataFrame", _table_query),
            ("Query pages of 1 MB into JSON", _json),
        ):
            runs.setdefault(name, []).append(_apart(way, world))
    medians = {
        name: Run(
            *(median([getattr(r, field) for r in several]) for field in ("rows", "wall", "cpu", "memory", "frame"))
        )
        for name, several in runs.items()
    }
    rows = [
        (
            name,
            f"{r.rows:,.0f}" if r.rows else "-",
            seconds(r.wall),
            seconds(r.cpu),
            size(r.memory) if r.frame else "-",
            size(r.frame) if r.frame else "-",
        )
        for name, r in medians.items()
    ]
    columns = ("way", "rows", "wall", "client CPU", "memory at most", "frame")
    report.table(f"Reading a year at {world}, each in a process of its own", columns, rows)
    full = world.count >= FULL_SIZE
    ours, today = medians["the dashboard"], medians["boto3's Table.query + DataFrame"]
    ratio = median(
        [t.cpu / o.cpu for t, o in zip(runs["boto3's Table.query + DataFrame"], runs["the dashboard"], strict=True)]
    )
    report.goal(
        "3",
        f"4x less client CPU than Table.query + DataFrame, {ours.rows:,.0f} rows",
        f"{ratio:.1f}x",
        met=ratio >= 4 if full else None,
    )
    ratio = median(
        [j.cpu / o.cpu for j, o in zip(runs["Query pages of 1 MB into JSON"], runs["the dashboard"], strict=True)]
    )
    report.goal(
        "3",
        "no more client CPU than Query pages of 1 MB into JSON",
        f"{ratio:.1f}x less",
        met=ratio >= 1 if full else None,
    )
    for name, most in (("the engine alone, one after the other", 1.5), ("the engine alone, in four parts", 1.15)):
        ratio = median([o.wall / e.wall for o, e in zip(runs["the dashboard"], runs[name], strict=True)])
        report.goal("3", f"wall time within {most}x of {name}", f"{ratio:.2f}x", met=ratio <= most if full else None)
    ratio = median([o.memory / o.frame for o in runs["the dashboard"]])
    report.goal("3", "memory below 5x the frame", f"{ratio:.1f}x", met=ratio < 5 if full else None)
    faster = median(
        [one.wall / o.wall for one, o in zip(runs["the dashboard, in one part"], runs["the dashboard"], strict=True)]
    )
    report.goal("3", "reading in parts is faster than in one", f"{faster:.2f}x", met=faster > 1.1 if full else None)
    assert today.rows == ours.rows, (today.rows, ours.rows)
    _later_looks(report, world)


def _later_looks(report: Report, world: World) -> None:
    """A second visit, six minutes later."""
    store = world.store()
    first, last = _bounds(world)
    begin = time.perf_counter()
    before = evaluations.period(store, first, last)
    whole = time.perf_counter() - begin
    begin = time.perf_counter()
    later = evaluations.update(store, before, first, last)
    again = time.perf_counter() - begin
    columns = ("visit", "requests", "read units", "time")
    report.table(
        f"A second visit to a year at {world}",
        columns,
        [
            ("first", before.cost.requests, f"{before.cost.read_units:g}", seconds(whole)),
            ("second", later.cost.requests, f"{later.cost.read_units:g}", seconds(again)),
        ],
    )
    old = before.cost.read_units or 0
    new = later.cost.read_units or 0
    same = len(later.value) == len(before.value)
    report.goal(
        "3",
        "a second visit re-reads only what can have changed",
        f"{new:g} of {old:g} units",
        met=same and new < old / 20,
    )


def _bounds(world: World) -> tuple[datetime, datetime]:
    return world.loaded_at - timedelta(days=366), world.loaded_at + timedelta(hours=1)


def _apart(way: Callable[[World], Run], world: World) -> Run:
    """Run in a fresh process, so that memory and caches are its own."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(way, world, sender))
    process.start()
    sender.close()  # so that a child that fails ends the wait
    answer: Run = receiver.recv()
    process.join()
    return answer


def _child(way: Callable[[World], Run], world: World, sender: Any) -> None:
    sender.send(way(world))


def _measured(read: Callable[[], pd.DataFrame]) -> Run:
    """Time, CPU and the growth of this process. `read` is ready to go: its client is open."""
    floor = _resident()
    peak = [floor]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], _resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    frame = read()
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    done.set()
    watcher.join()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    held = float(frame.memory_usage(deep=True).sum()) if frame.size else 0.0
    return Run(len(frame), wall, cpu, max(peak[0], _resident()) - floor, held)


def _resident() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * float(os.sysconf("SC_PAGE_SIZE"))


def _ours(world: World) -> Run:
    store = world.store()
    first, last = _bounds(world)
    evaluations.period(store, last, last)  # opens connections, and asks what the index carries
    return _measured(lambda: evaluations.period(store, first, last).value)


def _ours_in_one_part(world: World) -> Run:
    periods._PARTS = 1
    return _ours(world)


def _table_query(world: World) -> Run:
    """Summary rows the way boto3's own guide reads them."""
    resource = boto3.resource(
        "dynamodb",
        endpoint_url=world.url,
        region_name=engines.REGION,
        config=Config(read_timeout=60),
        **engines.CREDENTIALS,
    )
    table = resource.Table(world.settings.evaluations)
    first, last = (int(moment.timestamp()) for moment in _bounds(world))

    def read() -> pd.DataFrame:
        items: list[Any] = []
        for status in STATUSES:
            request: Any = {
                "IndexName": BY_STATUS,
                "KeyConditionExpression": Key("status").eq(status) & Key("created_at").between(first, last),
                "ScanIndexForward": False,
            }
            while True:
                answer = table.query(**request)
                items += answer["Items"]
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        frame = pd.DataFrame(items)
        bands = [name for name in frame if name.endswith("_band")]
        frame = frame.astype(dict.fromkeys((*bands, "duration", "word_count"), "float64"))
        frame["created_at"] = pd.to_datetime(frame["created_at"].astype("int64"), unit="s", utc=True)
        return frame.sort_values("created_at", ascending=False, ignore_index=True)

    return _measured(read)


def _json(world: World) -> Run:
    """Summary rows as AWS's own tools for NoSQL take them away: page after page, as the JSON that came."""
    client: Any = boto3.client("dynamodb", endpoint_url=world.url, region_name=engines.REGION, **engines.CREDENTIALS)
    first, last = (str(int(moment.timestamp())) for moment in _bounds(world))

    def read() -> pd.DataFrame:
        items: list[Any] = []
        for status in STATUSES:
            pages = client.get_paginator("query").paginate(
                TableName=world.settings.evaluations,
                IndexName=BY_STATUS,
                KeyConditionExpression="#status = :status AND created_at BETWEEN :first AND :last",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":status": {"S": status}, ":first": {"N": first}, ":last": {"N": last}},
                ScanIndexForward=False,
            )
            for page in pages:
                items += page["Items"]
        json.dumps(items)
        return pd.DataFrame(index=range(len(items)))  # nothing of it is a frame but how many there are

    return _measured(read)


def _engine_alone(world: World) -> Run:
    return _alone(world, 1)


def _engine_in_parts(world: World) -> Run:
    return _alone(world, _PARTS)


def _alone(world: World, parts: int) -> Run:
    """The bytes of the same answers over a bare connection, thrown away: what no client can be faster than."""
    first, last = (int(moment.timestamp()) for moment in _bounds(world))
    edges = [first + (last - first) * n // parts for n in range(parts + 1)]
    stretches = [
        (status, edges[n] + (n > 0), edges[n + 1])
        for status in STATUSES
        for n in range(parts if status == "completed" else 1)
        if status == "completed" or n == 0
    ]
    stretches = [s if s[0] == "completed" else (s[0], first, last) for s in stretches]

    def read() -> pd.DataFrame:
        with ThreadPoolExecutor(len(stretches)) as pool:
            list(pool.map(lambda stretch: _drain(world, *stretch), stretches))
        return pd.DataFrame()

    return replace(_measured(read), frame=0.0)


def _drain(world: World, status: str, first: int, last: int) -> None:
    host, port = world.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port))
    # Local engines want a signature to be there, and do not check it.
    scope = f"{engines.CREDENTIALS['aws_access_key_id']}/20260101/{engines.REGION}/dynamodb/aws4_request"
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.Query",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": "20260101T000000Z",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
    }
    request: dict[str, Any] = {
        "TableName": world.settings.evaluations,
        "IndexName": BY_STATUS,
        "KeyConditionExpression": "#s = :s AND #c BETWEEN :first AND :last",
        "ExpressionAttributeNames": {"#s": "status", "#c": "created_at"},
        "ExpressionAttributeValues": {":s": {"S": status}, ":first": {"N": str(first)}, ":last": {"N": str(last)}},
        "ScanIndexForward": False,
        "ReturnConsumedCapacity": "TOTAL",
    }
    while True:
        connection.request("POST", "/", json.dumps(request), headers)
        body = connection.getresponse().read()
        # Only the key is read, wherever it stands in the answer.
        answer = re.search(rb'"LastEvaluatedKey":(\{.*?\}\})', body)
        if not answer:
            return
        request["ExclusiveStartKey"] = json.loads(answer[1])
