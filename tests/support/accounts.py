"""Accounts in the states that provisioning meets, and a way to see and to answer what goes over a client's wire."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from data.demo.engine import write
from data.dynamodb.client import Store
from data.provisioning.apply import Clock
from data.provisioning.clients import Clients
from data.provisioning.requests import create_request, index_request
from data.provisioning.roles import BEYOND
from data.schema import FUNCTIONS, LAMBDA_ACTIONS, TABLES, Table
from tests.support.proxy import Fault, Reply

Answer = Any
# Waits for nothing, yet loses patience as a real one would.
INSTANT = Clock(sleep=lambda _: None)
# DynamoDB Local takes about a second to fill an index.
QUICK = Clock(poll_seconds=0.05, patience_seconds=60)
FOREIGN_TAG = {"Key": "Owner", "Value": "ops"}
SECRETS = {"GEMINI_API_KEY": "s3cr3t-g3m1n1", "ODD": ' =\t"quoted" ü\\n{}', "EMPTY": ""}

PLANNING = {
    "DescribeTable",
    "ListTagsOfResource",
    "DescribeContinuousBackups",
    "GetFunctionConfiguration",
    "ListAliases",
    "GetFunctionConcurrency",
    "SimulatePrincipalPolicy",
}
"""What a plan asks of tables and Lambdas; nothing of it changes anything or reads a record."""


@dataclass
class Wire:
    """What clients sent, in order, as (operation, parameters); `answer` may answer an operation in AWS's place."""

    sent: list[tuple[str, Any]] = field(default_factory=list)
    answer: Callable[[str], Answer] = lambda _: None

    @property
    def operations(self) -> list[str]:
        """The names of what was sent."""
        return [operation for operation, _ in self.sent]

    @property
    def changes(self) -> list[str]:
        """What was sent to change something."""
        return [operation for operation in self.operations if not operation.startswith(("Describe", "List", "Get"))]


@contextmanager
def watching(*clients: Any) -> Iterator[Wire]:
    """A Wire of the clients, for as long as this lasts."""
    wire = Wire()

    def seen(model: Any, params: Mapping[str, Any], **_: Any) -> Answer:
        wire.sent.append((model.name, params))
        return wire.answer(model.name)

    for client in clients:
        # What this handler returns, botocore takes for the answer: nothing is sent, and nothing retried by botocore.
        client.meta.events.register_first("before-call", seen)
    try:
        yield wire
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", seen)


def refusal(code: str, status: int = 400, message: str = "injected") -> Answer:
    """AWS's answer that refuses."""
    metadata = {"HTTPStatusCode": status, "RequestId": "injected", "HTTPHeaders": {"content-type": "application/json"}}
    return SimpleNamespace(status_code=status), {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": metadata,
    }


def reply(**content: Any) -> Answer:
    """AWS's answer that grants."""
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": {"content-type": "application/json"}}
    return SimpleNamespace(status_code=200), {**content, "ResponseMetadata": metadata}


def failing(
    operation: str, code: str, times: int, status: int = 400, message: str = "injected"
) -> Callable[[str], Answer]:
    """An answer for a Wire that refuses an operation so many times."""
    left = [times]

    def answer(asked: str) -> Callable[[str], Answer]:
        if asked != operation or not left[0]:
            return None
        left[0] -= 1
        return refusal(code, status, message)

    return answer


def bare_request(table: Table, name: str, **changes: Any) -> dict[str, Any]:
    """A CreateTable request of the right keys and of nothing else that is declared."""
    return {
        "TableName": name,
        "KeySchema": create_request(table, name)["KeySchema"],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"} for key in table.key_names],
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        **changes,
    }


def with_index(table: Table, name: str, **changes: Any) -> dict[str, Any]:
    """A CreateTable request as declared, but with its first index changed."""
    request = create_request(table, name)
    first, *others = table.indexes
    return {**request, "GlobalSecondaryIndexes": [{**index_request(first), **changes}, *map(index_request, others)]}


def make_old(store: Store, records: int = 0, *, tags: bool = True) -> None:
    """Both tables as an old account has them: keys only, provisioned, a foreign tag and a wrong one, some records."""
    held = {"Tags": [FOREIGN_TAG, {"Key": "Environment", "Value": "staging"}]} if tags else {}
    for table in TABLES:
        # Where a busy engine takes more than five seconds, the client asks again: the table is there then.
        with suppress(store.client.exceptions.ResourceInUseException):
            store.client.create_table(**bare_request(table, store.settings.name(table), **held))
        if records:
            write(store.client, store.settings.name(table), [record(table, n) for n in range(records)])


def record(table: Table, n: int, **changes: Any) -> dict[str, Any]:
    """The n-th record."""
    keys = {table.partition_key: f"id-{n:04d}", "user_id": f"user-{n % 7}"}
    return {**keys, "status": "completed", "created_at": 1_733_644_800 + n, "odd": {"kept": [n, None]}, **changes}


def contents(store: Store, table: Table) -> list[Any]:
    """Every item, in an order of its own."""
    pages = store.client.get_paginator("scan").paginate(TableName=store.settings.name(table))
    items = [item for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def deploy(store: Store, clients: Clients, values: Mapping[str, str | None] | None = None) -> None:
    """The three Lambdas, with secrets. `values` are what their variable names, by label; without one it is right."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = clients.roles.create_role(RoleName=f"of-{store.settings.functions[0]}", AssumeRolePolicyDocument=document)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("handler.py", "def handle(event, context):\n    return None\n")
    for function, name in zip(FUNCTIONS, store.settings.functions, strict=True):
        value = (values or {}).get(function.label, store.settings.name(function.table))
        clients.functions.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="handler.handle",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": {**SECRETS, **({} if value is None else {function.table.variable: value})}},
        )


def simulation(allowed: Sequence[str] = LAMBDA_ACTIONS, more: str = "") -> Fault:
    """IAM's answer about what a role may do, as it goes over the wire; moto has none. `more` is in each result."""
    results = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>"
        f"{'allowed' if action in allowed else 'implicitDeny'}</EvalDecision>{more}</member>"
        for action in (*LAMBDA_ACTIONS, *BEYOND)
    )
    body = (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        "<SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>"
        f"<EvaluationResults>{results}</EvaluationResults></SimulatePrincipalPolicyResult>"
        "<ResponseMetadata><RequestId>REQ-IAM</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
    return lambda *_: Reply(200, body.encode(), {"Content-Type": "text/xml"})


class Simulator:
    """IAM's SimulatePrincipalPolicy for a role that may `allowed` on its table, `on_index` on its indexes; in pages."""

    def __init__(self, allowed: tuple[str, ...], on_index: bool = True, page: int = 3) -> None:
        self.allowed, self.on_index, self.page = allowed, on_index, page
        self.asked: list[dict[str, Any]] = []
        # Context keys on which the answer about an action depends: for all resources, and for the one asked about.
        self.missing: dict[str, list[str]] = {}
        self.missing_of_resource: dict[str, list[str]] = {}

    def simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        (resource,) = request["ResourceArns"]
        allowed = set(self.allowed) if "/index/" not in resource else {"dynamodb:Query"} if self.on_index else set()
        start = int(request.get("Marker", "0"))
        names = request["ActionNames"][start : start + self.page]
        more = start + self.page < len(request["ActionNames"])
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": name,
                    "EvalDecision": "allowed" if name in allowed else "implicitDeny",
                    "MissingContextValues": self.missing.get(name, []),
                    "ResourceSpecificResults": [{"MissingContextValues": self.missing_of_resource.get(name, [])}],
                }
                for name in names
            ],
            "IsTruncated": more,
            **({"Marker": str(start + self.page)} if more else {}),
        }
