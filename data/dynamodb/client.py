"""The one door to DynamoDB: opens the client, sends every request, follows every page, tells what it cost."""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import botocore.loaders
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.cost import Cost
from data.dynamodb.credentials import open_session
from data.dynamodb.decode import decode_fast
from data.dynamodb.errors import UNREADABLE, Failure, explain
from data.dynamodb.facts import TableFacts, table_facts
from data.dynamodb.reads import Item, Read, stopped
from data.schema import Table
from data.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_changes = logging.getLogger("bandup.changes")
_FACTS_SECONDS = 300.0
# An index follows its table within a second, under load later. https://docs.aws.amazon.com/amazondynamodb/latest/
# developerguide/GSI.html#GSI.Writes
_LAG_SECONDS = 120.0
# botocore's variables as (name in a file, environment variables, default, conversion): neither profile nor files.
_NO_FILES: Any = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(slots=True)
class Store:
    """A DynamoDB client with its settings. Safe to share between threads."""

    settings: Settings
    client: "DynamoDBClient"
    session: botocore.session.Session | None = field(default=None, repr=False)
    """What has the client's credentials: clients of other services must not act for another account."""
    _facts: dict[str, tuple[float, TableFacts]] = field(default_factory=dict)
    _written: dict[str, dict[tuple[str, str], tuple[float, str]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, settings: Settings, endpoint: str | None = None, **credentials: str) -> "Store":
        """A Store on `endpoint` (given for the demo) or where boto3's chain leads; Failure when it cannot."""
        url = endpoint or settings.endpoint
        try:
            # The demo must start whatever profiles and files this computer has: a missing profile would stop it.
            core = botocore.session.Session(_NO_FILES) if settings.source == "demo" else open_session(settings.region)
            # As boto3.client does; boto3 itself would bring S3's transfers along, a tenth of a second of imports.
            keys: Any = credentials
            # Looking for credentials may ask a server, or start a program.
            client = budget.answer(
                lambda: core.create_client(
                    "dynamodb",
                    settings.region,
                    endpoint_url=url,
                    config=client_config(url),
                    **keys,
                ),
                "connect",
            )
        except (BotoCoreError, Late, ValueError) as error:
            raise explain(error, "connect", "") from error
        decode_fast(client)
        return cls(settings, cast("DynamoDBClient", client), core)

    @property
    def real_aws(self) -> bool:
        """Whether the tables are, or may be, Amazon's: by the endpoint that the client has resolved."""
        meta = getattr(self.client, "meta", None)
        return self.settings.source == "aws" and may_be_amazons(str(getattr(meta, "endpoint_url", "")))

    def facts(self, table: Table) -> TableFacts:
        """What DescribeTable says, at most five minutes old. It costs no read units."""
        name = self.settings.name(table)
        kept = self._facts.get(name)
        if kept and time.monotonic() - kept[0] < _FACTS_SECONDS:
            return kept[1]
        description = self.call("DescribeTable", name, None, self.client.describe_table, TableName=name)
        try:
            facts = table_facts(description["Table"])
        except (KeyError, TypeError) as error:
            raise explain(error, "DescribeTable", name) from error
        with self._lock:
            self._facts[name] = (time.monotonic(), facts)
        return facts

    def forget(self) -> None:
        """Ask DescribeTable anew next time."""
        with self._lock:
            self._facts.clear()

    def wrote(self, table: str, key: tuple[str, str], status: str) -> None:
        """Remember the status that was just written to an item: the indexes of its table may not show it yet."""
        with self._lock:
            self._written.setdefault(table, {})[key] = (time.monotonic(), status)

    def written(self, table: str) -> dict[tuple[str, str], str]:
        """The statuses that were written to a table a short while ago, by both keys of the items."""
        oldest = time.monotonic() - _LAG_SECONDS
        with self._lock:
            kept = {key: write for key, write in self._written.get(table, {}).items() if write[0] > oldest}
            self._written[table] = kept
        return {key: status for key, (_, status) in kept.items()}

    def pages(
        self,
        operation: str,
        send: Callable[..., Any],
        request: dict[str, Any],
        index: str | None = None,
        cap: int | None = None,
    ) -> Iterator[Read[Sequence[Item]]]:
        """Each page of a Query or Scan; the last one is complete unless `cap` items cut it."""
        request = {**request, "ReturnConsumedCapacity": "TOTAL"}
        count = 0
        while True:
            if cap is not None:
                # One more than the cap tells a full last page from a cut one.
                request["Limit"] = cap + 1 - count
            response = self.call(operation, request["TableName"], index, send, **request)
            items, last = response["Items"], response.get("LastEvaluatedKey")
            if cap is not None and count + len(items) > cap:
                yield Read(items[: cap - count], self.cost(response), complete=False, notes=(stopped(cap),))
                return
            count += len(items)
            yield Read(items, self.cost(response), complete=not last)
            if not last:
                return
            request["ExclusiveStartKey"] = last

    def cost(self, response: Mapping[str, Any]) -> Cost:
        """What one answer cost."""
        capacity = response.get("ConsumedCapacity") or []
        parts = capacity if isinstance(capacity, list) else [capacity]
        if not self.settings.metered:
            return Cost(1, None)
        spent = (Cost(0, float(part.get("CapacityUnits") or 0.0), self._price(part.get("TableName"))) for part in parts)
        return sum(spent, Cost(1))

    def _price(self, table: str | None) -> float | None:
        """The price of a table's read units, as far as what DescribeTable last said of it tells."""
        kept = self._facts.get(str(table).rpartition("/")[2])
        return kept[1].price if kept else None

    def require_changes_allowed(self) -> None:
        """Failure of kind read_only where nothing may be changed."""
        if not self.settings.allow_changes:
            raise Failure("read_only")

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
            except (ClientError, BotoCoreError, Late, *UNREADABLE) as error:
                if attempts and isinstance(error, UNREADABLE):
                    continue
                request_id = _request_id(response)
                raise explain(error, operation, table, index, arn=self._arn(table), request_id=request_id) from error
            return response

    def _send(self, send: Callable[[], Any], operation: str, table: str) -> Any:
        # The demo's engine is in this process: on a busy computer it is slow, but it does answer.
        if self.settings.source == "demo":
            with budget.lifted():
                return send()
        return budget.answer(send, operation, table)

    def _arn(self, table: str) -> str:
        """The ARN of a table, with * for the account as long as it is not known."""
        if kept := self._facts.get(table):
            return kept[1].arn
        client: Any = self.client
        meta = client.meta
        partition, region = getattr(meta, "partition", "aws"), getattr(meta, "region_name", "*")
        return f"arn:{partition}:dynamodb:{region}:*:table/{table}"


def log_change(who: str, what: str, result: str) -> None:
    """One line in the log of changes: when, who, what, result; also where an id or an answer would begin another."""
    line = f"{datetime.now(UTC).isoformat(timespec='seconds')} · {who} · {what} · {result}"
    _changes.warning("%s", line if line.isprintable() else repr(line)[1:-1])


def is_amazons(url: str) -> bool:
    """Whether the host is named as Amazon's are in any partition: sovereign, China, dual-stack, FIPS, VPC endpoints."""
    # A name that ends with a dot is the same one.
    return f".{(urlsplit(url).hostname or '').rstrip('.')}".endswith(_suffixes())


def may_be_amazons(url: str) -> bool:
    """Whether Amazon may be behind it: named as its own hosts are, a private name over HTTPS, or a public address.

    An emulator is reached without TLS, on this computer, by a private address or by a container's name.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    try:
        return ip_address(host).is_global
    except ValueError:
        if _NUMBER.fullmatch(host.rpartition(".")[2]):  # an address in another spelling, which systems know
            return True
        is_local = host.endswith((".localhost", ".localstack.cloud")) or "." not in host
    return is_amazons(url) or (parts.scheme == "https" and not is_local)


_NUMBER = re.compile("0x[0-9a-f]*|[0-9]+")


@cache
def _suffixes() -> tuple[str, ...]:
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    names = {
        outputs[kind] for p in partitions for outputs in [p["outputs"]] for kind in ("dnsSuffix", "dualStackDnsSuffix")
    }
    return tuple(f".{name}" for name in sorted(names))


def client_config(endpoint: str | None) -> Config:
    """Timeouts and retries for every client. A loopback endpoint is never reached through a proxy."""
    host = urlsplit(endpoint).hostname if endpoint else None
    loopback = host in ("127.0.0.1", "localhost", "::1")
    return Config(
        connect_timeout=3,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=32,
        proxies={} if loopback else None,
    )


# What botocore makes of any answer at all is a response without these.
_PARTS = {
    "Query": "Items",
    "Scan": "Items",
    "BatchGetItem": "Responses",
    "DescribeContinuousBackups": "ContinuousBackupsDescription",
    "DescribeTable": "Table",
    "ListTagsOfResource": "Tags",
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
