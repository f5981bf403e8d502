"""Whether the three Lambdas write where the dashboard reads: function -> variable -> table -> keys -> role.

Other variables of a Lambda are secrets: they are never kept, shown or logged, and sent back unchanged when one is set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.clients import Clients, call, garbled
from data.provisioning.drift import STACK_TAG, Check, Level, Step, Target
from data.provisioning.roles import check_role
from data.schema import FUNCTIONS, Function
from data.settings import FunctionName

PUBLISHED = (
    "Published versions keep theirs: where one is invoked, through an alias or by its number, publish a new version "
    "and invoke that"
)


@dataclass(frozen=True, slots=True)
class _Invoked:
    """A configuration that an invocation runs. `label` says which version it is and how it is reached; empty for
    what is invoked by the function's bare name."""

    label: str
    configuration: Any


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


def proofs(store: Store, clients: Clients | Failure, tables: Sequence[Check] = ()) -> tuple[Proof, ...]:
    """The chain of each Lambda; where there are no clients to ask, why. `tables` are the checks of both tables."""
    chains = []
    for function, name in zip(FUNCTIONS, store.settings.functions, strict=True):
        target = Target(function.table, store.settings.name(function.table))
        if isinstance(clients, Failure):
            links: Sequence[Check] = [_unasked(target, clients)]
        else:
            links = _links(store, clients, target, function, name, tables)
        chains.append(Proof(function, name, tuple(links)))
    return tuple(chains)


def set_variable(clients: Clients, step: Step) -> bool:
    """Make the one request that sets a Lambda's variable: the whole environment, one variable changed, with RevisionId.

    False when it is so already. UpdateFunctionConfiguration replaces the whole environment, so nothing is sent unless
    all of it could be read, and AWS refuses it when somebody else changed the function in between.
    https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
    """
    function = next(f for f in FUNCTIONS if f.label == step.detail.partition("/")[0])
    name = step.detail.partition("/")[2]
    configuration = _ask(clients, name)
    environment = configuration.get("Environment", {})
    if environment.get("Error"):
        raise Failure("unexpected", case="environment", resource=name, service="lambda")
    variables = dict(environment.get("Variables", {}))
    value = variables.get(function.table.variable)
    if value == step.target.name:
        return False
    if step.what != _what(function, name, value, step.target.name):  # another one than was on screen
        raise Failure("changed", case="plan_changed", detail=step.what)
    variables[function.table.variable] = step.target.name
    try:
        call(
            "UpdateFunctionConfiguration",
            name,
            clients.functions.update_function_configuration,
            FunctionName=name,
            Environment={"Variables": variables},
            **({"RevisionId": configuration["RevisionId"]} if configuration.get("RevisionId") else {}),
        )
    except Failure as failure:
        if failure.kind == "access_denied" or not failure.code:  # the detail is a policy's name, or not AWS's at all
            raise
        # AWS's message may quote all variables: “exceeded the 4KB limit. String measured: …”.
        is_large = failure.code == "InvalidParameterValueException" and "4KB" in failure.detail
        case = "variables_full" if is_large else failure.case
        raise replace(failure, case=case, detail="") from None
    return True


def update_status(clients: Clients, step: Step) -> Iterator[str]:
    """The LastUpdateStatus of a step's Lambda, asked anew each time."""
    while True:
        yield str(_ask(clients, step.detail.partition("/")[2]).get("LastUpdateStatus", "Successful"))


def log_group(clients: Clients, name: str) -> str:
    """The log group that a Lambda writes to: its own where one is set, else the usual one.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    parts = FunctionName.parse(name)
    own = _ask(clients, parts.unqualified).get("LoggingConfig", {}).get("LogGroup")
    return str(own or parts.log_group)


def _unasked(target: Target, failure: Failure) -> Check:
    return Check(target, "Lambda", "not_offered" if failure.kind == "not_offered" else "unchecked", failure.to_keep())


def _links(
    store: Store, clients: Clients, target: Target, function: Function, name: str, tables: Sequence[Check]
) -> list[Check]:
    parts = FunctionName.parse(name)
    if elsewhere := _elsewhere(store, clients, target, parts):
        fact = f"could not be checked. {name} is in {elsewhere}: it may write there."
        return [Check(target, "Lambda", "unchecked", fact)]
    more: list[Check] = []
    try:
        latest = _ask(clients, parts.unqualified)
        invoked = [] if parts.qualifier else [_Invoked("", latest)]
        try:
            invoked += _published(clients, parts)
        except Failure as failure:
            if failure.kind == "missing":
                raise
            more.append(_unasked(target, failure))
    except Failure as failure:
        if failure.kind == "missing":
            fact = f"There is no function {name}. Deploy it, or name it in {function.variable}."
            return [Check(target, "Lambda", "missing", fact)]
        return [_unasked(target, failure)]
    if not invoked:
        return more
    more += _throttled(clients, target, parts)
    variables = [_variable(store, target, function, parts.unqualified, one) for one in invoked]
    is_wrong = _leads_to(store, target, _value(function, latest)) is False
    if is_wrong and any(check.level == "missing" for check in variables):
        step = _step(clients, target, function, parts.unqualified, latest)
        broken = next(n for n, check in enumerate(variables) if check.level == "missing")
        variables[broken] = replace(variables[broken], step=step)
    roles = dict.fromkeys(one.configuration.get("Role", "") for one in invoked)
    return [
        *(_state(target, name if not one.label else f"{parts.name} {one.label}", one) for one in invoked),
        *more,
        *variables,
        *_middle(target, tables),
        *(check_role(store, clients, target, role) for role in roles),
    ]


def _elsewhere(store: Store, clients: Clients, target: Target, parts: FunctionName) -> str:
    """Where a function is, and where the tables are, if that is not the same; empty if it is."""
    region = clients.functions.meta.region_name
    if parts.region not in (None, region):
        return f"{parts.region}, and the tables are in {region}"
    try:
        account = store.facts(target.table).account if parts.account else None
    except Failure:
        account = None
    if account and parts.account != account:
        return f"account {parts.account}, and the tables are in {account}"
    return ""


def _published(clients: Clients, parts: FunctionName) -> list[_Invoked]:
    """What each alias of a function runs, or what the one that is named does.

    An alias may share its calls between two versions.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html
    """
    if parts.qualifier == "$LATEST":
        return [_Invoked("", _ask(clients, parts.unqualified))]
    aliases = _aliases(clients, parts.unqualified)
    if parts.qualifier and parts.qualifier not in {alias["Name"] for alias in aliases}:
        configuration = _ask(clients, parts.unqualified, parts.qualifier)
        return [_Invoked(f"version {configuration.get('Version', parts.qualifier)}", configuration)]
    invoked = []
    for alias in aliases:
        if parts.qualifier in (None, alias["Name"]):
            others = alias.get("RoutingConfig") or {}
            for version in (alias["FunctionVersion"], *(others.get("AdditionalVersionWeights") or {})):
                configuration = _ask(clients, parts.unqualified, version)
                invoked.append(_Invoked(f"alias {alias['Name']} (version {version})", configuration))
    return invoked


def _aliases(clients: Clients, name: str) -> list[Any]:
    aliases: list[Any] = []
    request: dict[str, Any] = {"FunctionName": name}
    while True:
        answer = call("ListAliases", name, clients.functions.list_aliases, **request)
        aliases += answer.get("Aliases", [])
        if not answer.get("NextMarker"):
            return aliases
        request["Marker"] = answer["NextMarker"]


def _state(target: Target, name: str, invoked: _Invoked) -> Check:
    """Whether the function can be invoked.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """
    configuration = invoked.configuration
    state, reason = configuration.get("State", "Active"), configuration.get("StateReason", "")
    last_update = configuration.get("LastUpdateStatus", "Successful")
    why = f" ({reason.rstrip('.')})" if reason else ""
    if state == "Inactive":
        fact = f"{name} is inactive{why}: the next call fails, and wakes it. Invoke it once, then check again."
        return Check(target, "Lambda", "missing", fact)
    if state not in ("Active", "Pending"):
        return Check(target, "Lambda", "missing", f"{name} cannot be invoked: its state is {state}{why}")
    if last_update == "Failed":
        return Check(target, "Lambda", "missing", f"{name}: its last update failed; see the AWS console")
    if state == "Pending" or last_update == "InProgress":
        doing = "it is being created" if state == "Pending" else "an update is in progress"
        return Check(target, "Lambda", "building", f"{name}: {doing}")
    return Check(target, "Lambda", "ok", f"{name}, last update successful")


def _throttled(clients: Clients, target: Target, parts: FunctionName) -> list[Check]:
    """What keeps every call of a function from running, whichever version is invoked: no concurrency is left to it.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
    """
    name = parts.unqualified
    try:
        reserved = call(
            "GetFunctionConcurrency", name, clients.functions.get_function_concurrency, FunctionName=name
        ).get("ReservedConcurrentExecutions")
    except Failure as failure:
        return [_unasked(target, failure)]
    if reserved is not None and not isinstance(reserved, int):
        return [_unasked(target, garbled("GetFunctionConcurrency", name))]
    if reserved != 0:
        return []
    fact = (
        f"{name} runs no call: its reserved concurrency is 0. Somebody switched it off. To switch it on: “aws lambda "
        f"delete-function-concurrency --function-name {name}”"
    )
    return [Check(target, "Lambda", "missing", fact)]


def _value(function: Function, configuration: Any) -> str | None:
    """What a Lambda's variable holds."""
    value: str | None = configuration.get("Environment", {}).get("Variables", {}).get(function.table.variable)
    return value


def _leads_to(store: Store, target: Target, value: str | None) -> bool | Failure:
    """Whether it is the table's name or, as DynamoDB takes both, its ARN; why that is not known."""
    if not value or value == target.name or not value.startswith("arn:"):
        return value == target.name
    try:
        return value == store.facts(target.table).arn
    except Failure as failure:
        return False if failure.kind == "missing" else failure


def _variable(store: Store, target: Target, function: Function, name: str, invoked: _Invoked) -> Check:
    variable = function.table.variable
    environment = invoked.configuration.get("Environment", {})
    which = f"{invoked.label}: " if invoked.label else ""
    if environment.get("Error"):
        fact = f"{which}{variable} could not be read: the environment is encrypted"
        return Check(target, "Variable", "unchecked", fact)
    value = _value(function, invoked.configuration)
    leads_there = _leads_to(store, target, value)
    if isinstance(leads_there, Failure):
        return Check(target, "Variable", "unchecked", leads_there.to_keep())
    if leads_there:
        return Check(target, "Variable", "ok", f"{which}{variable} = {value}")
    fact = f"{which}{variable} is not set" if value is None else f"{which}{variable} names {value}, not {target.name}"
    if invoked.label:
        fact += (
            f". A published version keeps its variables: set it on {name}, then “aws lambda publish-version”, then "
            "point the alias at the new version with “aws lambda update-alias”"
        )
    return Check(target, "Variable", "missing", fact)


def _step(clients: Clients, target: Target, function: Function, name: str, latest: Any) -> Step | None:
    """The step that sets a function's variable; None where its environment cannot be read, and would be lost."""
    if latest.get("Environment", {}).get("Error"):
        return None
    what = _what(function, name, _value(function, latest), target.name)
    undo = "Yes, by setting it back"
    return Step("variable", target, f"{function.label}/{name}", what, True, "None", undo, _stack(clients, latest))


def _what(function: Function, name: str, old: str | None, new: str) -> str:
    instead = f" instead of {old}" if old else ""
    return f"Set {function.table.variable} of {name} to {new}{instead} (its other variables stay)"


def _stack(clients: Clients, configuration: Any) -> str:
    """The CloudFormation stack that owns a function, as far as these credentials may see."""
    arn = str(configuration.get("FunctionArn", ""))
    try:
        tags = call("ListTags", arn, clients.functions.list_tags, Resource=arn).get("Tags", {})
    except Failure:
        return ""
    return str(tags.get(STACK_TAG, ""))


def _middle(target: Target, tables: Sequence[Check]) -> list[Check]:
    """The table's existence and keys, as the tables' own checklist has them."""
    own = {check.subject: check for check in tables if check.target == target}
    links = []
    if table := own.get("Table"):
        links.append(Check(target, "Table", table.level, f"{target.name}: {table.fact}"))
    keys = [own[subject] for subject in ("Partition key", "Sort key") if subject in own]
    if keys:
        worst: Level = next((key.level for key in keys if key.level != "ok"), "ok")
        links.append(Check(target, "Keys", worst, "; ".join(str(key.fact) for key in keys)))
    return links


def _ask(clients: Clients, name: str, qualifier: str | None = None) -> Any:
    request: dict[str, Any] = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    return call("GetFunctionConfiguration", name, clients.functions.get_function_configuration, **request)
