"""The demo's shortcuts through moto: what is read with them is what is read without."""

import subprocess
import sys
from typing import Any

import pytest

from tests.support import engines

pytestmark = pytest.mark.slow  # two processes that fill the demo

_READ = """
import sys
from datetime import UTC, datetime
from data.demo import engine, shortcuts
from data.schema import TABLES
from data.settings import Settings

if sys.argv[1] == "without":
    shortcuts.take = lambda: None
store = engine.open_empty(Settings.read({}))
engine._create(store)
engine.fill_own(store, datetime(2026, 11, 27, tzinfo=UTC))
odd = {name: {"S": name} for name in ("evaluation_id", "user_id", "status", "created_at")}
values = [{"N": "1"}, {"B": b"1"}, {"SS": ["a"]}, {"NS": ["1"]}, {"BS": [b"1"]}, {"NULL": True}, {"BOOL": False},
          {"L": [{"S": "a"}, {"M": {"N": {"N": "1"}}}]}, {"M": {"S": {"S": "S"}, "L": {"L": []}, "none": {"M": {}}}}]
odd["created_at"] = {"N": "1733644800"}
odd |= {f"odd {n}": value for n, value in enumerate(values)} | {"feedback": values[-1], "overall_band": values[5]}
store.client.put_item(TableName=store.settings.name(TABLES[0]), Item=odd)
for table in TABLES:
    of = {"TableName": store.settings.name(table)}
    print(store.client.scan(**of)["Items"])
    print(store.client.scan(**of, ProjectionExpression="user_id, created_at, nothing")["Items"])
    for status in ("completed", "processing", "failed", "status"):
        answer = store.client.query(
            **of,
            IndexName="status-created_at-index",
            KeyConditionExpression="#s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}},
        )
        print(answer["Items"])
"""


def _read(how: str) -> list[Any]:
    ended = subprocess.run([sys.executable, "-c", _READ, how], cwd=engines.ROOT, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()
    return [eval(line) for line in ended.stdout.decode().splitlines()]  # noqa: S307 - our own lists


def test_what_is_read_is_the_same() -> None:
    quick, long = _read("with"), _read("without")
    assert quick == long
    assert min(map(len, quick)) == 0  # no set has the status “status”
    assert sum(map(len, quick)) > 1000
