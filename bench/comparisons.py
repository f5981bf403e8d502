"""One question against what a team has today: the ten newest evaluations of a student, on the same engine."""

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pandas as pd
from boto3.dynamodb.conditions import Attr

from bench.support import dataset
from bench.support.report import Report, median, seconds
from bench.support.worlds import FULL_SIZE, World
from data.dynamodb.client import Store
from data.records import evaluations
from data.schema import BY_STUDENT
from tests.support import engines

NEWEST = 10
_ADMIN = engines.NODE_MODULES / "dynamodb-admin/dist/dynamodb-admin.js"


def run(report: Report, worlds: list[World], rounds: int) -> None:
    """Each way on each world; the largest size of dynoxide and of DynamoDB Local counts."""
    rows = []
    for world in worlds:
        store = world.store()
        ours, ours_units = _repeated(lambda store=store: _ours(store), rounds)
        # The scan takes as long as the table is large.
        scan, scan_units = _repeated(lambda world=world: _scan(world), 1 if world.count > 20_000 else 3)
        with _admin(world) as url:
            admin = _repeated(lambda url=url, world=world: _through_admin(url, world), rounds)[0] if url else None
        rows += [
            (world, "the dashboard's read", seconds(ours), f"{ours_units:g}"),
            (world, "scan, filter, DataFrame (boto3's Table)", seconds(scan), f"{scan_units:g}"),
            (world, "dynamodb-admin", seconds(admin) if admin else "not installed", "not told"),
        ]
        if world.count == max(w.count for w in worlds):
            report.goal(
                "2",
                f"50x faster than scan + filter at {world}",
                f"{scan / ours:.0f}x ({seconds(scan)} to {seconds(ours)})",
                met=scan >= 50 * ours if world.count >= FULL_SIZE else None,
            )
            report.goal(
                "2",
                f"500x fewer read units than scan + filter at {world}",
                f"{scan_units / ours_units:.0f}x ({scan_units:g} to {ours_units:g})",
                met=scan_units >= 500 * ours_units if world.count >= FULL_SIZE else None,
            )
            report.goal(
                "2",
                f"faster than dynamodb-admin at {world}",
                f"{admin / ours:.1f}x ({seconds(admin)} to {seconds(ours)})" if admin else "npm package not installed",
                met=bool(admin and admin > ours),
            )
    report.table(f"The {NEWEST} newest evaluations of a student", ("evaluations", "way", "median", "read units"), rows)


def _repeated(ask: Any, rounds: int) -> tuple[float, float]:
    """The median time and the units of one; the first answer is checked, not timed, unless it is the only one."""
    times, units = [], 0.0
    for _ in range(rounds + (rounds > 1)):
        begin = time.perf_counter()
        ids, units = ask()
        times.append(time.perf_counter() - begin)
        assert len(ids) == NEWEST, ids
    return median(times[1:] or times), units or 0.0


def _ours(store: Store) -> tuple[list[str], float]:
    read = evaluations.history(store, dataset.STUDENT)
    return read.value["evaluation_id"].head(NEWEST).tolist(), float(read.cost.read_units or 0)


def _scan(world: World) -> tuple[list[str], float]:
    """How most dashboards on DynamoDB begin. The Limit is for dynoxide, which is slow with larger pages."""
    table = boto3.resource("dynamodb", endpoint_url=world.url, region_name=engines.REGION, **engines.CREDENTIALS).Table(
        world.settings.evaluations
    )
    items, units = [], 0.0
    request: Any = {
        "FilterExpression": Attr("user_id").eq(dataset.STUDENT),
        "ReturnConsumedCapacity": "TOTAL",
        "Limit": 400,
    }
    while True:
        answer = table.scan(**request)
        items += answer["Items"]
        units += float(answer["ConsumedCapacity"]["CapacityUnits"])
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    frame = pd.DataFrame(items).sort_values("created_at", ascending=False)
    return frame["evaluation_id"].head(NEWEST).tolist(), units


@contextmanager
def _admin(world: World) -> Iterator[str | None]:
    """The URL of a dynamodb-admin on this engine, None where it is not installed."""
    if not _ADMIN.exists():
        yield None
        return
    port = engines.free_port()
    process = subprocess.Popen(
        ["node", str(_ADMIN), "--port", str(port), "--host", "127.0.0.1", "--dynamo-endpoint", world.url],
        env={**os.environ, "AWS_REGION": engines.REGION},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                urllib.request.urlopen(url, timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def _through_admin(url: str, world: World) -> tuple[list[str], float]:
    """What its page asks for a Query on the index. It cannot sort newest first, so the page must hold all of them."""
    condition = {"user_id": {"value": dataset.STUDENT, "operator": "=", "type": "S"}}
    query = urllib.parse.urlencode(
        {"operationType": "query", "queryableSelection": BY_STUDENT, "filters": json.dumps(condition), "pageSize": 100}
    )
    name = world.settings.evaluations
    with urllib.request.urlopen(f"{url}/tables/{name}/items?{query}", timeout=60) as answer:  # noqa: S310
        items = json.load(answer)["Items"]
    return [item["evaluation_id"] for item in items[::-1][:NEWEST]], 0.0
