"""The demo source: a DynamoDB in this process, on a loopback port, filled with sample data; gone when it stops."""

import io
import json
import logging
import threading
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeSerializer

from data.demo.sample import Record, sample
from data.dynamodb.store import Store
from data.provisioning.lambdas import Clients
from data.provisioning.provision import Clock, apply, plan
from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS
from data.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CREDENTIALS = {"aws_access_key_id": "demo", "aws_secret_access_key": "demo"}
_ROLE = "bandup-evaluators"
_BATCH = 25  # items that one BatchWriteItem takes

_lock = threading.Lock()
_stores: dict[Settings, Store] = {}


def open_demo(settings: Settings) -> Store:
    """The demo's Store. The engine starts and is filled once per process, however many ask at the same time."""
    with _lock:
        if settings not in _stores:
            store = Store.open(settings, start_engine(), **_CREDENTIALS)
            required = [step for step in plan(store).steps if step.required]
            for _ in apply(store, required, who="", clock=Clock(poll_seconds=0.05)):
                pass
            fill(store, datetime.now(UTC))
            _stores[settings] = store
        return _stores[settings]


def open_demo_clients(store: Store) -> Clients:
    """Lambda and IAM beside the demo tables, with three functions; one names another table, to be mended."""
    clients = Clients.open(store, **_CREDENTIALS)
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


def start_engine() -> str:
    """Start moto's server on a free loopback port; its URL. It lives as long as the process."""
    # Imported here because only the demo needs it, and it takes half a second.
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


def fill(store: Store, now: datetime) -> None:
    """Write the sample into both tables of `store`."""
    data = sample(now)
    write(store.client, store.settings.name(EVALUATIONS), data.evaluations)
    write(store.client, store.settings.name(FLASHCARD_SETS), data.sets)


def write(client: "DynamoDBClient", table: str, records: list[Record]) -> None:
    """Put plain records into the table named `table`."""
    serialize: Any = TypeSerializer().serialize
    puts = [{"PutRequest": {"Item": {k: serialize(v) for k, v in record.items()}}} for record in records]
    for start in range(0, len(puts), _BATCH):
        requests: Any = {table: puts[start : start + _BATCH]}
        while requests:
            requests = client.batch_write_item(RequestItems=requests).get("UnprocessedItems")
