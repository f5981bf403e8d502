"""Whether the three Lambdas write where the dashboard reads: function -> variable -> table -> keys -> role.

Other variables of a Lambda are secrets: they are never kept, shown or logged, and sent back unchanged when one is set.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.errors import Failure, Service, explain
from data.dynamodb.store import Store, client_config
from data.provisioning.drift import Check, Level, Step, Target
from data.schema import BY_STUDENT, FUNCTIONS, LAMBDA_ACTIONS, Function

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

log = logging.getLogger(__name__)

# What no evaluator needs; a role that may do it is told, for somebody to narrow.
_BEYOND = (
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:Scan",
    "dynamodb:DeleteTable",
    "dynamodb:UpdateTable",
    "dynamodb:UpdateContinuousBackups",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """One Lambda's chain, link by link."""

    function: Function
    name: str
    links: tuple[Check, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """What would mend it from here."""
        return tuple(link.step for link in self.links if link.step)


@dataclass(slots=True)
class Clients:
    """Clients of Lambda and IAM in the account of a Store."""

    functions: "LambdaClient"
    roles: "IAMClient"

    @classmethod
    def open(cls, store: Store, **credentials: str) -> "Clients":
        """Clients beside `store`; Failure of kind not_offered when that is an endpoint of DynamoDB alone."""
        settings = store.settings
        endpoint = store.client.meta.endpoint_url if settings.source == "demo" else None
        if settings.source == "aws" and not settings.real_aws:
            endpoint = os.environ.get("AWS_ENDPOINT_URL_LAMBDA") or os.environ.get("AWS_ENDPOINT_URL")
            if not endpoint:
                raise Failure(
                    "not_offered",
                    "This endpoint is a DynamoDB alone, without Lambda and IAM.",
                    "Nothing: against real AWS the Lambdas are checked.",
                )
        try:
            session = boto3.Session(**credentials, region_name=store.client.meta.region_name)  # type: ignore[arg-type]
            config = client_config(endpoint)
            return cls(
                session.client("lambda", endpoint_url=endpoint, config=config),
                session.client("iam", endpoint_url=endpoint, config=config),
            )
        except (BotoCoreError, ValueError) as error:
            raise explain(error, "connect", "", service="lambda") from error


@dataclass(frozen=True, slots=True)
class _Configuration:
    """What we keep of a function's configuration: of its variables only the one that names the table."""

    value: str | None
    readable: bool
    updated: str
    role: str


def proofs(store: Store, clients: Clients, tables: Sequence[Check]) -> tuple[Proof, ...]:
    """The chain of each Lambda. `tables` are the checks of both tables, for the links in the middle."""
    found = []
    for function, name in zip(FUNCTIONS, store.settings.functions, strict=True):
        found.append(Proof(function, name, _links(store, clients, function, name, tables)))
    return tuple(found)


def unreachable(store: Store, failure: Failure) -> tuple[Proof, ...]:
    """The chains where Lambda cannot be asked at all."""
    level: Level = "not_offered" if failure.kind == "not_offered" else "unchecked"
    fact = failure.what if failure.kind == "not_offered" else f"could not be checked. {failure}"
    return tuple(
        Proof(
            function, name, (Check(Target(function.table, store.settings.name(function.table)), "Lambda", level, fact),)
        )
        for function, name in zip(FUNCTIONS, store.settings.functions, strict=True)
    )


def set_variable(clients: Clients, step: Step) -> bool:
    """Make the one request that sets a Lambda's variable: the whole environment, one variable changed, with RevisionId.

    False when it is so already. UpdateFunctionConfiguration replaces the whole environment, so nothing is sent unless
    all of it could be read, and AWS refuses it when somebody else changed the function in between.
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    """
    function = next(f for f in FUNCTIONS if f.label == step.detail.partition("/")[0])
    name = step.detail.partition("/")[2]
    told = _ask(clients, name)
    environment = told.get("Environment", {})
    if environment.get("Error"):
        raise Failure(
            "unexpected",
            f"The environment of {name} cannot be read, so nothing was sent: it would be lost.",
            "Give these credentials kms:Decrypt on the function's key, then plan again.",
        )
    variables = dict(environment.get("Variables", {}))
    if variables.get(function.table.variable) == step.target.name:
        return False
    variables[function.table.variable] = step.target.name
    _call(
        "UpdateFunctionConfiguration",
        name,
        clients.functions.update_function_configuration,
        FunctionName=name,
        Environment={"Variables": variables},
        **({"RevisionId": told["RevisionId"]} if told.get("RevisionId") else {}),
    )
    return True


def update_status(clients: Clients, step: Step) -> Iterator[str]:
    """The LastUpdateStatus of a step's Lambda, asked anew each time."""
    while True:
        yield str(_ask(clients, step.detail.partition("/")[2]).get("LastUpdateStatus", "Successful"))


def caller_account(store: Store) -> str:
    """The account of the credentials (sts:GetCallerIdentity, which needs no permission); Failure when AWS refuses."""
    try:
        session = boto3.Session(region_name=store.client.meta.region_name)
        client = session.client("sts", config=client_config(None))
        return str(budget.answer(client.get_caller_identity, "GetCallerIdentity")["Account"])
    except (ClientError, BotoCoreError, Late, ValueError) as error:
        raise _failure(error, "GetCallerIdentity", "the credentials", "sts") from error


def _links(store: Store, clients: Clients, function: Function, name: str, tables: Sequence[Check]) -> tuple[Check, ...]:
    target = Target(function.table, store.settings.name(function.table))
    try:
        told = _ask(clients, name)
    except Failure as failure:
        if failure.kind == "missing":
            fact = f"There is no function {name}. Deploy it, or name it in {function.variable}."
            return (Check(target, "Lambda", "missing", fact),)
        return (Check(target, "Lambda", "unchecked", f"could not be checked. {failure}"),)
    has = _configuration(told, function)
    links = [_state(target, name, has), _variable(target, function, name, has)]
    links += _middle(target, tables)
    links.append(_role(store, clients, target, has.role))
    return tuple(links)


def _configuration(told: Any, function: Function) -> _Configuration:
    environment = told.get("Environment", {})
    return _Configuration(
        value=environment.get("Variables", {}).get(function.table.variable),
        readable=not environment.get("Error"),
        updated=told.get("LastUpdateStatus", "Successful"),
        role=told.get("Role", ""),
    )


def _state(target: Target, name: str, has: _Configuration) -> Check:
    if has.updated == "Failed":
        return Check(target, "Lambda", "missing", f"{name}: its last update failed; see the AWS console")
    if has.updated == "InProgress":
        return Check(target, "Lambda", "building", f"{name}: an update is in progress")
    return Check(target, "Lambda", "ok", f"{name}, last update successful")


def _variable(target: Target, function: Function, name: str, has: _Configuration) -> Check:
    variable = function.table.variable
    if not has.readable:
        return Check(target, "Variable", "unchecked", f"{variable} could not be read: the environment is encrypted")
    if has.value == target.name:
        return Check(target, "Variable", "ok", f"{variable} = {target.name}")
    step = Step(
        "variable",
        target,
        f"{function.label}/{name}",
        f"Set {variable} of {name} to {target.name} (its other variables stay)",
        True,
        "None",
        "Yes, by setting it back",
    )
    fact = f"{variable} is not set" if has.value is None else f"{variable} names {has.value}, not {target.name}"
    return Check(target, "Variable", "missing", fact, step)


def _middle(target: Target, tables: Sequence[Check]) -> list[Check]:
    """The table's existence and keys, as the tables' own checklist has them."""
    own = {check.subject: check for check in tables if check.target == target}
    links = []
    if table := own.get("Table"):
        links.append(Check(target, "Table", table.level, f"{target.name}: {table.fact}"))
    keys = [own[subject] for subject in ("Partition key", "Sort key") if subject in own]
    if keys:
        worst: Level = next((key.level for key in keys if key.level != "ok"), "ok")
        links.append(Check(target, "Keys", worst, "; ".join(key.fact for key in keys)))
    return links


def _role(store: Store, clients: Clients, target: Target, role: str) -> Check:
    if store.settings.source == "demo":
        return Check(target, "Role", "not_offered", "the demo cannot simulate policies; on AWS the role is proven here")
    try:
        arn = store.facts(target.table).arn
        allowed = _allowed(clients, role, (*LAMBDA_ACTIONS, *_BEYOND), arn)
        on_index = _allowed(clients, role, ("dynamodb:Query",), f"{arn}/index/{BY_STUDENT}")
    except Failure as failure:
        return Check(target, "Role", "unchecked", f"could not be checked. {failure}")
    lacking = [action for action in LAMBDA_ACTIONS if action not in allowed]
    if lacking:
        return Check(target, "Role", "missing", f"{role} may not {', '.join(lacking)} on {target.name}")
    beyond = [action for action in _BEYOND if action in allowed]
    also = f"; it may also {', '.join(beyond)}" if beyond else ""
    if not on_index:
        fact = "may do what it must on the table, but may not query its indexes (the policy below adds them)"
        return Check(target, "Role", "recommended", fact + also)
    if beyond:
        return Check(target, "Role", "recommended", f"may do what it must{also}")
    return Check(target, "Role", "ok", "may do what it must, and none of what it need not")


def _allowed(clients: Clients, role: str, actions: Sequence[str], resource: str) -> set[str]:
    """Which of `actions` the policies of `role` allow on `resource`."""
    allowed: set[str] = set()
    request: dict[str, Any] = {
        "PolicySourceArn": role,
        "ActionNames": list(actions),
        "ResourceArns": [resource],
    }
    while True:
        simulate = clients.roles.simulate_principal_policy
        answer = _call("SimulatePrincipalPolicy", role, simulate, service="iam", **request)
        results = answer.get("EvaluationResults", [])
        allowed |= {r["EvalActionName"] for r in results if r.get("EvalDecision") == "allowed"}
        if not answer.get("IsTruncated"):
            return allowed
        request["Marker"] = answer["Marker"]


def _ask(clients: Clients, name: str) -> Any:
    return _call("GetFunctionConfiguration", name, clients.functions.get_function_configuration, FunctionName=name)


def _call(operation: str, resource: str, send: Any, service: Service = "lambda", **request: Any) -> Any:
    try:
        return budget.answer(lambda: send(**request), operation, resource)
    except (ClientError, BotoCoreError, Late, ResponseParserError, ValueError) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        if code in ("PreconditionFailedException", "ResourceConflictException"):
            raise Failure("busy", f"{resource} was changed by somebody else just now.", "Plan again.") from error
        named = f"function:{resource}" if service == "lambda" else resource
        raise _failure(error, operation, named, service) from error


def _failure(error: Exception, operation: str, resource: str, service: Service) -> Failure:
    failure = explain(error, operation, resource, service=service)
    level = logging.INFO if failure.kind == "missing" else logging.WARNING
    name, request_id = type(error).__name__, failure.request_id or "none"
    log.log(level, "%s on %s failed: %s (request %s)", operation, resource, name, request_id)
    return failure
