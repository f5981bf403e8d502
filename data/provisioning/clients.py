"""Clients of Lambda, IAM, CloudWatch and SNS, and the account that the credentials belong to."""

import json
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.client import Store, client_config, is_amazons
from data.dynamodb.credentials import open_session
from data.dynamodb.errors import UNREADABLE, Failure, Service, explain

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

# Of what is not JSON, such as a network's sign-in page or half of an answer, botocore makes a response without these.
_PARTS = {
    "DescribeAlarms": "MetricAlarms",
    "GetFunctionConfiguration": "FunctionName",
    "GetTopicAttributes": "Attributes",
    "ListAliases": "Aliases",
    "SimulatePrincipalPolicy": "EvaluationResults",
}


@dataclass(slots=True)
class Clients:
    """Clients in the account of a Store; those of CloudWatch and SNS only where alarms have a topic to tell."""

    functions: "LambdaClient"
    roles: "IAMClient"
    alarms: Any = None
    topics: Any = None

    @classmethod
    def open(cls, store: Store, **credentials: str) -> "Clients":
        """Clients beside `store`; Failure of kind not_offered when that is an endpoint of DynamoDB alone."""
        # Elsewhere boto3 finds the endpoint as it found DynamoDB's: by variables and the profile.
        endpoint = store.client.meta.endpoint_url if store.settings.source == "demo" else None
        try:
            functions = _client(store, "lambda", endpoint, **credentials)
            resolved = functions.meta.endpoint_url
            if not store.real_aws and is_amazons(resolved):
                raise Failure("not_offered", case="endpoint")
            if endpoint is None and not is_amazons(resolved):
                # Only now is it known whether this computer's own proxy is in the way.
                endpoint = resolved
                functions = _client(store, "lambda", endpoint, **credentials)
            # botocore makes {} of what is not JSON, which is an answer of GetFunctionConcurrency: no limit.
            functions.meta.events.register("before-parse.lambda", _require_json)
            roles = _client(store, "iam", endpoint, **credentials)
            if not store.settings.alarm_topic:
                return cls(functions, roles)
            more = (_client(store, name, endpoint, **credentials) for name in ("cloudwatch", "sns"))
            return cls(functions, roles, *more)
        except (BotoCoreError, ValueError) as error:
            raise explain(error, "connect", "", service="lambda") from error


def caller_account(store: Store) -> str:
    """The account of the credentials (sts:GetCallerIdentity, which needs no permission); Failure when AWS refuses."""
    endpoint = ""
    try:
        client = _client(store, "sts", None)
        endpoint = client.meta.endpoint_url
        return str(budget.answer(client.get_caller_identity, "GetCallerIdentity")["Account"])
    except (ClientError, BotoCoreError, Late, *UNREADABLE) as error:
        failure = explain(error, "GetCallerIdentity", "the credentials", service="sts")
        if failure.kind in ("unreachable", "too_slow"):
            failure = replace(failure, case="account", detail=endpoint)
        raise failure from error


_opening = Lock()


def _client(store: Store, service: str, endpoint: str | None, **credentials: Any) -> Any:
    """With the Store's own credentials: what a file or a variable names may have become another account's since."""
    core = open_session(store.client.meta.region_name) if store.session is None else store.session
    with _opening:  # a session is for one thread at a time
        return core.create_client(
            service,
            store.client.meta.region_name,
            endpoint_url=endpoint,
            config=client_config(endpoint),
            **credentials,
        )


def call(operation: str, resource: str, send: Any, service: Service = "lambda", **request: Any) -> Any:
    """The answer to one request about `resource`; Failure when there is none."""
    named = f"function:{resource}" if service == "lambda" else resource
    try:
        answer = budget.answer(lambda: send(**request), operation, resource)
    except (ClientError, BotoCoreError, Late, *UNREADABLE) as error:
        raise explain(error, operation, named, service=service) from error
    if _PARTS.get(operation, "ResponseMetadata") not in answer:
        raise garbled(operation, resource, service)
    return answer


def garbled(operation: str, resource: str, service: Service = "lambda") -> Failure:
    """The failure of an answer that is none."""
    named = f"function:{resource}" if service == "lambda" else resource
    return explain(ValueError("an answer without what was asked for"), operation, named, service=service)


def _require_json(response_dict: Any, **_: Any) -> None:
    if response_dict["status_code"] < 300 and response_dict["status_code"] != HTTPStatus.NO_CONTENT:
        json.loads(response_dict["body"])
