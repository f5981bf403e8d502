"""The one door to DynamoDB: paged reads that follow every page, their cost, and what a table looks like."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.decode import decode_fast
from data.dynamodb.errors import Failure, explain
from data.schema import Table
from data.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

Item = dict[str, Any]
"""An item as DynamoDB sends it: attribute name -> {type letter: value}."""
T = TypeVar("T")
U = TypeVar("U")

# On demand, us-east-1, after November 2024; other regions differ by some tens of per cent.
# https://aws.amazon.com/dynamodb/pricing/on-demand/
USD_PER_READ_UNIT = 0.125e-6
# An eventually consistent read costs half a unit for each 4 KB.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
BYTES_PER_READ_UNIT = 8192

_BATCH = 100  # keys that one BatchGetItem takes
_SCAN_PAGE = 400  # records of a page: about what fits into DynamoDB's 1 MB, and soon enough there to show progress
_FACTS_SECONDS = 300.0
# botocore's variables as (name in a file, environment variables, default, conversion): neither profile nor files.
_NO_FILES: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading cost. `read_units` is None where the engine does not meter."""

    requests: int = 0
    read_units: float | None = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        if self.read_units is None or other.read_units is None:
            return Cost(self.requests + other.requests, None)
        return Cost(self.requests + other.requests, self.read_units + other.read_units)

    @property
    def usd(self) -> float | None:
        """US dollars at the on-demand price of us-east-1; None where not metered."""
        return None if self.read_units is None else self.read_units * USD_PER_READ_UNIT


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """An answer: the value, what it cost, when it was read, and whether it is whole.

    `notes` are sentences for the reader, such as that the read stopped at a cap.
    """

    value: T
    cost: Cost
    read_at: datetime
    complete: bool = True
    notes: tuple[str, ...] = ()

    def map(self, change: Callable[[T], U]) -> "Read[U]":
        """The same answer with another value."""
        return Read(change(self.value), self.cost, self.read_at, self.complete, self.notes)


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index as DescribeTable tells it. `attributes` is None when it carries all of them."""

    status: str
    attributes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as DescribeTable tells it. Size and count are refreshed by DynamoDB about every six hours."""

    name: str
    arn: str
    items: int
    size_bytes: int
    indexes: Mapping[str, IndexFacts]

    @property
    def region(self) -> str:
        """The region in the table's ARN."""
        return self.arn.split(":")[3] if self.arn.count(":") >= 5 else ""

    @property
    def account(self) -> str:
        """The account in the table's ARN, as text."""
        return self.arn.split(":")[4] if self.arn.count(":") >= 5 else ""

    @property
    def scan_cost(self) -> Cost:
        """What reading the whole table once would cost, by the size that DynamoDB last counted."""
        units = self.size_bytes / BYTES_PER_READ_UNIT
        return Cost(max(1, -(-self.size_bytes // 1_048_576)), units)

    def batch_cost(self, records: int) -> Cost | None:
        """What reading so many whole records by their keys would cost, at the average size; None while unknown."""
        if not self.items or not self.size_bytes:
            return None
        # Each record is rounded up to 4 KB: on average by half of that, a quarter of a unit.
        each = max(0.5, self.size_bytes / self.items / BYTES_PER_READ_UNIT + 0.25)
        return Cost(-(-records // _BATCH), records * each)


@dataclass(slots=True)
class _Tally:
    """Adds up what one read costs while its pages come in; one per read, used by one thread at a time."""

    metered: bool
    requests: int = 0
    units: float = 0.0

    def add(self, response: Mapping[str, Any]) -> None:
        self.requests += 1
        capacity = response.get("ConsumedCapacity") or []
        for part in capacity if isinstance(capacity, list) else [capacity]:
            self.units += float(part.get("CapacityUnits") or 0.0)

    @property
    def cost(self) -> Cost:
        return Cost(self.requests, self.units if self.metered else None)


@dataclass(slots=True)
class Store:
    """A DynamoDB client with its settings. Safe to share between threads."""

    settings: Settings
    client: "DynamoDBClient"
    _facts: dict[str, tuple[float, TableFacts]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, settings: Settings, endpoint: str | None = None, **credentials: str) -> "Store":
        """A Store on `endpoint` (given for the demo) or where boto3's chain leads; Failure when it cannot."""
        url = endpoint or settings.endpoint
        try:
            # The demo must start whatever profiles and files this computer has: a missing profile would stop it.
            core = botocore.session.Session(_NO_FILES if settings.source == "demo" else None)
            # As boto3.client does; boto3 itself would bring S3's transfers along, a tenth of a second of imports.
            keys: Any = credentials
            # Looking for credentials may ask a server, or start a program.
            client = budget.answer(
                lambda: core.create_client(
                    "dynamodb",
                    settings.region,
                    endpoint_url=url,
                    config=client_config(url, patient=settings.source == "demo"),
                    **keys,
                ),
                "connect",
            )
        except (BotoCoreError, Late, ValueError) as error:
            raise explain(error, "connect", "") from error
        decode_fast(client)
        return cls(settings, cast("DynamoDBClient", client))

    def facts(self, table: Table) -> TableFacts:
        """What DescribeTable says, at most five minutes old. It costs no read units."""
        name = self.settings.name(table)
        known = self._facts.get(name)
        if known and time.monotonic() - known[0] < _FACTS_SECONDS:
            return known[1]
        description = self.call("DescribeTable", name, None, self.client.describe_table, TableName=name)
        try:
            facts = _table_facts(description["Table"])
        except (KeyError, TypeError) as error:
            raise explain(error, "DescribeTable", name) from error
        with self._lock:
            self._facts[name] = (time.monotonic(), facts)
        return facts

    def forget(self) -> None:
        """Ask DescribeTable anew next time."""
        with self._lock:
            self._facts.clear()

    def get(self, table: Table, key: Mapping[str, str]) -> Read[Item | None]:
        """One item by both keys (GetItem), None when there is none."""
        name, tally = self.settings.name(table), _Tally(self.settings.metered)
        response = self.call(
            "GetItem",
            name,
            None,
            self.client.get_item,
            TableName=name,
            Key={k: {"S": v} for k, v in key.items()},
            ReturnConsumedCapacity="TOTAL",
        )
        tally.add(response)
        return Read(response.get("Item"), tally.cost, _now())

    def query(
        self,
        table: Table,
        partition: tuple[str, str],
        *,
        index: str | None = None,
        between: tuple[str, int, int] | None = None,
        cap: int | None = None,
        attributes: Sequence[str] | None = None,
    ) -> Read[list[Item]]:
        """All items of one partition, newest first, following every page.

        `partition` is (attribute, value); `between` (sort key, first, last), both ends included. Stops after `cap`
        items, and then says so. `attributes` are those the caller needs: what an index lacks of them is fetched from
        the table itself.
        """
        return follow(self.query_pages(table, partition, index=index, between=between, cap=cap, attributes=attributes))

    def query_pages(
        self,
        table: Table,
        partition: tuple[str, str],
        *,
        index: str | None = None,
        between: tuple[str, str | int, str | int] | None = None,
        cap: int | None = None,
        attributes: Sequence[str] | None = None,
    ) -> Iterator[Read[list[Item]]]:
        """What `query` reads, a page at a time; the next request is made when the next page is asked for.

        A page is complete when it is the last one and nothing was cut off.
        """
        name = self.settings.name(table)
        condition, names, values = "#p = :p", {"#p": partition[0]}, {":p": {"S": partition[1]}}
        if between:
            condition += " AND #s BETWEEN :lo AND :hi"
            names["#s"] = between[0]
            values |= {":lo": {"N": str(between[1])}, ":hi": {"N": str(between[2])}}
        request: dict[str, Any] = {
            "TableName": name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": False,
            "ReturnConsumedCapacity": "TOTAL",
        }
        lacking: set[str] = set()
        unchecked: list[str] = []
        if index:
            request["IndexName"] = index
            lacking = self._lacking(table, index, attributes or (), unchecked)
        for page in self._pages("Query", request, cap, index):
            items, cost, notes = page.value, page.cost, unchecked.copy()
            if lacking and items:
                tally = _Tally(self.settings.metered)
                items = self._complete(table, items, attributes or (), tally)
                cost += tally.cost
                notes.append(
                    f"The index {index} does not carry {', '.join(sorted(lacking))}: these came from the table, at a "
                    "higher cost. Setup can show how the index should be."
                )
            yield Read(items, cost, _now(), page.complete, (*notes, *page.notes))

    def scan(self, table: Table, attribute: str, value: str, *, attributes: Sequence[str]) -> Read[list[Item]]:
        """Every item whose `attribute` is `value`, from the whole table. Only for a user who accepted the cost."""
        name = self.settings.name(table)
        places = {f"#a{i}": a for i, a in enumerate(attributes)}
        request: dict[str, Any] = {
            "TableName": name,
            "FilterExpression": "#f = :f",
            "ExpressionAttributeNames": {"#f": attribute, **places},
            "ExpressionAttributeValues": {":f": {"S": value}},
            "ProjectionExpression": ",".join(places),
            "ReturnConsumedCapacity": "TOTAL",
        }
        return follow(self._pages("Scan", request, None, None))

    def scan_pages(
        self, table: Table, attributes: Sequence[str], *, segment: int = 0, segments: int = 1
    ) -> Iterator[Read[list[Item]]]:
        """A segment of the whole table, a page at a time; the next request is made when the next page is asked for.

        Only for a user who accepted the cost, which is that of whole records, whatever `attributes` there are.
        """
        name = self.settings.name(table)
        places = {f"#a{i}": a for i, a in enumerate(attributes)}
        request: dict[str, Any] = {
            "TableName": name,
            "ProjectionExpression": ",".join(places),
            "ExpressionAttributeNames": places,
            "Segment": segment,
            "TotalSegments": segments,
            "Limit": _SCAN_PAGE,
            "ReturnConsumedCapacity": "TOTAL",
        }
        while True:
            tally = _Tally(self.settings.metered)
            response = self.call("Scan", name, None, self.client.scan, **request)
            tally.add(response)
            last = response.get("LastEvaluatedKey")
            yield Read(response["Items"], tally.cost, _now(), not last)
            if not last:
                return
            request["ExclusiveStartKey"] = last

    def _pages(
        self, operation: str, request: dict[str, Any], cap: int | None, index: str | None
    ) -> Iterator[Read[list[Item]]]:
        """Each page of an answer; the last one is complete unless `cap` cut it."""
        send: Callable[..., Any] = self.client.query if operation == "Query" else self.client.scan
        seen = 0
        while True:
            if cap is not None:
                # One more than wanted tells a full last page from a cut one.
                request["Limit"] = cap + 1 - seen
            tally = _Tally(self.settings.metered)
            response = self.call(operation, request["TableName"], index, send, **request)
            tally.add(response)
            items, last = response["Items"], response.get("LastEvaluatedKey")
            if cap is not None and seen + len(items) > cap:
                yield Read(items[: cap - seen], tally.cost, _now(), complete=False, notes=(stopped(cap),))
                return
            seen += len(items)
            yield Read(items, tally.cost, _now(), complete=not last)
            if not last:
                return
            request["ExclusiveStartKey"] = last

    def _lacking(self, table: Table, index: str, attributes: Sequence[str], notes: list[str]) -> set[str]:
        """Which of `attributes` the index does not carry."""
        try:
            facts = self.facts(table).indexes.get(index)
        except Failure as failure:
            log.warning("DescribeTable failed: %s (request %s)", failure, failure.request_id)
            notes.append(f"It could not be checked what the index {index} carries. {failure}")
            return set()
        if facts is None or facts.attributes is None:
            return set()
        return set(attributes) - facts.attributes

    def _complete(self, table: Table, items: list[Item], attributes: Sequence[str], tally: _Tally) -> list[Item]:
        """The same items, same order, with `attributes`, by BatchGetItem. One deleted meanwhile stays as it was."""
        # An index that changes while it is read can tell a record twice; BatchGetItem refuses a key twice.
        keys = list({_identity(table, item): {k: item[k] for k in table.key_names} for item in items}.values())
        whole = {_identity(table, item): item for item in self._batches(table, keys, attributes, tally)}
        return [whole.get(_identity(table, item), item) for item in items]

    def batch_get(
        self, table: Table, keys: Sequence[Mapping[str, str]], attributes: Sequence[str] | None = None
    ) -> Read[list[Item]]:
        """The items of `keys` that there are, in no order, whole or only `attributes` of them. No key twice."""
        tally = _Tally(self.settings.metered)
        wanted = [{name: {"S": value} for name, value in key.items()} for key in keys]
        return Read(self._batches(table, wanted, attributes, tally), tally.cost, _now())

    def _batches(
        self, table: Table, keys: Sequence[Mapping[str, Any]], attributes: Sequence[str] | None, tally: _Tally
    ) -> list[Item]:
        name = self.settings.name(table)
        projection: dict[str, Any] = {}
        if attributes is not None:
            places = {f"#a{i}": a for i, a in enumerate(dict.fromkeys([*table.key_names, *attributes]))}
            projection = {"ProjectionExpression": ",".join(places), "ExpressionAttributeNames": places}
        items: list[Item] = []
        for start in range(0, len(keys), _BATCH):
            wanted: Any = {name: {"Keys": list(keys[start : start + _BATCH]), **projection}}
            for wait in (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, None):
                response = self.call(
                    "BatchGetItem",
                    name,
                    None,
                    self.client.batch_get_item,
                    RequestItems=wanted,
                    ReturnConsumedCapacity="TOTAL",
                )
                tally.add(response)
                items += response["Responses"].get(name, [])
                wanted = response.get("UnprocessedKeys")
                if not wanted:
                    break
                if wait is None:
                    raise Failure(
                        "throttled",
                        f"DynamoDB left some records of {name} unread, also after retries.",
                        "Wait a minute, then press Refresh.",
                    )
                budget.pause(wait)
        return items

    def call(self, operation: str, table: str, index: str | None, send: Callable[..., Any], **request: Any) -> Any:
        """Send a request; a Failure about `operation` on `table` and `index` when it does not succeed."""
        # boto3 retries what AWS refuses or leaves unanswered, but not an answer that nobody can read.
        attempts = 3 if operation in _PARTS else 1
        while True:
            attempts -= 1
            response: Any = None
            try:
                response = self._send(lambda: send(**request), operation, table)
                _check(operation, response)
            except (ClientError, BotoCoreError, Late, *_UNREADABLE) as error:
                if attempts and isinstance(error, _UNREADABLE):
                    continue
                arn, request_id = self._arn(table), _request_id(response)
                failure = explain(error, operation, table, index, arn=arn, request_id=request_id)
                # Setup asks for what may not be there; that is no failure to it.
                level = logging.INFO if failure.kind in ("missing", "not_offered") else logging.WARNING
                name, request_id = type(error).__name__, failure.request_id or "none"
                log.log(level, "%s on %s failed: %s (request %s)", operation, table, name, request_id)
                raise failure from error
            return response

    def _send(self, send: Callable[[], Any], operation: str, table: str) -> Any:
        # The demo's engine is in this process: on a busy computer it is slow, but it does answer.
        if self.settings.source == "demo":
            with budget.lifted():
                return send()
        return budget.answer(send, operation, table)

    def _arn(self, table: str) -> str:
        """The ARN of a table, with * for the account as long as it is not known."""
        if known := self._facts.get(table):
            return known[1].arn
        client: Any = self.client
        meta = client.meta
        partition, region = getattr(meta, "partition", "aws"), getattr(meta, "region_name", "*")
        return f"arn:{partition}:dynamodb:{region}:*:table/{table}"


def client_config(endpoint: str | None, *, patient: bool = False) -> Config:
    """Timeouts and retries for every client. A loopback endpoint is never reached through a proxy.

    `patient` is for the demo's own engine.
    """
    host = urlsplit(endpoint).hostname if endpoint else None
    loopback = host in ("127.0.0.1", "localhost", "::1")
    return Config(
        connect_timeout=3,
        read_timeout=120 if patient else 5,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
        proxies={} if loopback else None,
    )


def combine(reads: Iterable[Read[list[U]]]) -> Read[list[U]]:
    """Several reads of lists as one: costs added, the oldest time, whole only if all are."""
    parts = list(reads)
    return Read(
        [value for part in parts for value in part.value],
        sum((part.cost for part in parts), Cost()),
        min(part.read_at for part in parts),
        all(part.complete for part in parts),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def follow(pages: Iterable[Read[list[U]]]) -> Read[list[U]]:
    """The pages of one read as one: whole if the last one is."""
    parts = list(pages)
    return replace(combine(parts), complete=parts[-1].complete)


def stopped(cap: int) -> str:
    """The note of a read that `cap` cut off."""
    return f"Stopped after {cap:,} records; there are more."


# What botocore's parser runs into where an answer is not DynamoDB's; it catches none of these itself.
_UNREADABLE = (ResponseParserError, ValueError, AttributeError, KeyError, TypeError, RecursionError)
# What botocore makes of any answer at all is a response without these.
_PARTS = {
    "Query": "Items",
    "Scan": "Items",
    "BatchGetItem": "Responses",
    "DescribeTable": "Table",
    # Of an item that is not there, nothing but its cost is told, which every request asks for.
    "GetItem": "ConsumedCapacity",
}


def _check(operation: str, response: Mapping[str, Any]) -> None:
    """ValueError when the answer is none of DynamoDB's: a network's sign-in page, say, comes with status 200."""
    content = response["ResponseMetadata"]["HTTPHeaders"].get("content-type", "")
    if "json" not in content:
        raise ValueError(f"an answer of type “{content}”")
    if (part := _PARTS.get(operation)) and part not in response:
        raise ValueError(f"an answer without {part}")


def _request_id(response: Any) -> str:
    try:
        return str(response["ResponseMetadata"]["RequestId"])
    except (KeyError, TypeError):
        return ""


def _identity(table: Table, item: Item) -> tuple[str, ...]:
    return tuple(item[key]["S"] for key in table.key_names)


def _table_facts(description: Any) -> TableFacts:
    keys = {part["AttributeName"] for part in description["KeySchema"]}
    indexes = {}
    for index in description.get("GlobalSecondaryIndexes", []):
        projection = index.get("Projection", {})
        carried = keys | {part["AttributeName"] for part in index["KeySchema"]}
        carried |= set(projection.get("NonKeyAttributes", []))
        everything = projection.get("ProjectionType") == "ALL"
        indexes[index["IndexName"]] = IndexFacts(
            index.get("IndexStatus", ""), None if everything else frozenset(carried)
        )
    return TableFacts(
        name=description["TableName"],
        arn=description.get("TableArn", ""),
        items=int(description.get("ItemCount", 0)),
        size_bytes=int(description.get("TableSizeBytes", 0)),
        indexes=indexes,
    )


def _now() -> datetime:
    return datetime.now(UTC)
