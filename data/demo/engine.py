"""The demo source: a DynamoDB in this process, which nobody else reaches, with sample data; gone when it stops."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from data.demo import shortcuts, wire
from data.demo.sample import Record, sample
from data.dynamodb.client import Store
from data.dynamodb.errors import explain
from data.provisioning.clients import Clients
from data.provisioning.requests import create_request, pitr_request
from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, TABLES, Table
from data.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CREDENTIALS = {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}  # boto3 signs with something
_ROLE = "bandup-evaluators"
_BATCH = 25  # items that one BatchWriteItem takes

_lock = threading.Lock()
_stores: dict[Settings, Store] = {}


def open_demo(settings: Settings) -> Store:
    """The demo's Store. It is made and filled once per process, however many ask at the same time."""
    with _lock:
        if settings not in _stores:
            store = open_empty(settings)
            _create(store)
            fill_own(store, datetime.now(UTC))
            _stores[settings] = store
        return _stores[settings]


def open_empty(settings: Settings) -> Store:
    """A Store on the engine in this process, which may have no tables yet."""
    shortcuts.take()
    store = Store.open(settings, wire.ENDPOINT, **_CREDENTIALS)
    wire.connect(store.client)
    return store


def _create(store: Store) -> None:
    """Both tables as Setup would leave them, without its looks before and after each step: nobody else is here."""
    for table in TABLES:
        name = store.settings.name(table)
        with suppress(store.client.exceptions.ResourceInUseException):  # other settings with the same names
            store.client.create_table(**create_request(table, name))
        store.client.update_continuous_backups(**pitr_request(name))


def open_demo_clients(store: Store) -> Clients:
    """Lambda and IAM beside the demo tables, with three functions; one names another table, to be mended."""
    clients = Clients.open(store, **_CREDENTIALS)
    wire.connect(clients.functions)
    wire.connect(clients.roles)
    with _lock:
        pages = clients.functions.get_paginator("list_functions").paginate()
        deployed = {function["FunctionName"] for page in pages for function in page["Functions"]}
        if not deployed.issuperset(store.settings.functions):
            _deploy(store.settings, clients, deployed)
    return clients


def _deploy(settings: Settings, clients: Clients, deployed: set[str]) -> None:
    role = _role(clients)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    return None\n")
    for function, name in zip(FUNCTIONS, settings.functions, strict=True):
        if name in deployed:
            continue
        right = settings.name(function.table)
        variables = {function.table.variable: f"{right}-staging" if "Speaking" in function.label else right}
        clients.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler="handler.handle",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {**variables, "GEMINI_API_KEY": "no-real-key"}},
        )


def _role(clients: Clients) -> str:
    """The ARN of the role that the functions run as."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    try:
        return clients.roles.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    except clients.roles.exceptions.EntityAlreadyExistsException:
        return clients.roles.get_role(RoleName=_ROLE)["Role"]["Arn"]


def fill(store: Store, now: datetime) -> dict[Table, int]:
    """Write the sample into both tables of `store`; how many records each got. Failure when that does not succeed."""
    data = sample(now)
    records = {EVALUATIONS: data.evaluations, FLASHCARD_SETS: data.sets}
    for table, of_table in records.items():
        try:
            write(store.client, store.settings.name(table), of_table)
        except (BotoCoreError, ClientError) as error:
            raise explain(error, "BatchWriteItem", store.settings.name(table)) from error
    return {table: len(of_table) for table, of_table in records.items()}


def fill_own(store: Store, now: datetime) -> None:
    """Put the sample into both tables of the demo's `store`.

    Straight into the engine: as requests, that would be half the time of a start.
    """
    from moto.core.models import DEFAULT_ACCOUNT_ID  # noqa: PLC0415 - as in wire
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415 - as in wire

    engine = dynamodb_backends[DEFAULT_ACCOUNT_ID][store.client.meta.region_name]
    data = sample(now)
    for table, records in ((EVALUATIONS, data.evaluations), (FLASHCARD_SETS, data.sets)):
        for item in _items(records):
            engine.put_item(store.settings.name(table), item)


def write(client: "DynamoDBClient", table: str, records: list[Record]) -> None:
    """Put plain records into the table named `table`."""
    puts = [{"PutRequest": {"Item": item}} for item in _items(records)]
    for start in range(0, len(puts), _BATCH):
        requests: Any = {table: puts[start : start + _BATCH]}
        while requests:
            requests = client.batch_write_item(RequestItems=requests).get("UnprocessedItems")


def _items(records: list[Record]) -> Iterator[dict[str, Any]]:
    """Plain records as DynamoDB's attribute values."""
    serialize: Any = TypeSerializer().serialize
    for record in records:
        yield {name: serialize(value) for name, value in record.items()}
