"""What would bring the account into the declared state, and what a sample of the records says about an index first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Item
from data.provisioning import alarms
from data.provisioning.account import look_up
from data.provisioning.clients import Clients
from data.provisioning.drift import Check, Step, Target, checks, steps
from data.provisioning.lambdas import Proof, proofs
from data.schema import TABLES, Index

_LOOK_ITEMS = 1_000
_LOOK_PAGE = 250
_EXAMPLES = 3
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_PARTITION_KEY_BYTES, _SORT_KEY_BYTES = 2_048, 1_024


@dataclass(frozen=True, slots=True)
class Plan:
    """What was compared and what would be done. Two plans of the same steps are the same plan."""

    checks: tuple[Check, ...]
    proofs: tuple[Proof, ...] = ()
    alarms: tuple[tuple[str, Check], ...] = ()
    real_aws: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, the required ones, then the recommended ones: of each the tables', the Lambdas', the alarms'.

        No required step waits for a recommended one, so that this order works as well.
        """
        of_alarms = steps([check for _, check in self.alarms])
        of_lambdas = (step for proof in self.proofs for step in proof.steps)
        return tuple(sorted((*steps(self.checks), *of_lambdas, *of_alarms), key=lambda step: not step.required))

    @property
    def lines(self) -> tuple[tuple[str, Check], ...]:
        """Every check with the name of the table, Lambda or topic that it is about."""
        links = [(proof.function.label, link) for proof in self.proofs for link in proof.links]
        return (*((check.target.name, check) for check in self.checks), *links, *self.alarms)


@dataclass(frozen=True, slots=True)
class Look:
    """What a sample of a table says about an index to be added: per key attribute, how many records lack it, hold
    another type, or a value that no key may have, with up to three of their keys as examples."""

    target: Target
    index: str
    sampled: int
    whole: bool
    cost: Cost
    missing: Mapping[str, int]
    wrong: Mapping[str, int]
    refused: Mapping[str, int]
    examples: tuple[str, ...]

    @property
    def warns(self) -> bool:
        """Whether some record would be invisible in the index, or its like be refused once there is one."""
        return bool(self.missing or self.wrong or self.refused)


def plan(store: Store, targets: Sequence[Target] = (), clients: Clients | Failure | None = None) -> Plan:
    """Compare what is declared with what the account has: `targets`, both tables unless given. Reads no records.

    The Lambdas and alarms too where `clients` are given, or the Failure for which there are none. Failure when AWS does
    not say; a table that these credentials may not look at is a check of its own.
    """
    targets = targets or [Target(table, store.settings.name(table)) for table in TABLES]
    checklist = tuple(check for target in targets for check in _compare(store, target))
    if not clients:
        return Plan(checklist, real_aws=store.real_aws)
    chains = proofs(store, clients, checklist)
    return Plan(checklist, chains, alarms.checks(store, clients, checklist, chains), store.real_aws)


def _compare(store: Store, target: Target) -> tuple[Check, ...]:
    try:
        return checks(target, look_up(store, target.name))
    except Failure as failure:
        if failure.kind != "access_denied":
            raise
        return (Check(target, "Table", "unchecked", failure.to_keep()),)


def look(store: Store, step: Step, limit: int = _LOOK_ITEMS) -> Look:
    """Sample up to `limit` records for what an index step would hide or cause to be refused.

    Records without a key attribute are not in the index. Once the index exists, DynamoDB refuses writes in which a key
    attribute is of another type.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html
    """
    target, index = step.target, step.target.table.index(step.detail)
    attributes = dict.fromkeys([*target.table.key_names, index.partition_key, index.sort_key])
    names = {f"#a{n}": name for n, name in enumerate(attributes)}
    request: dict[str, Any] = {
        "TableName": target.name,
        "ProjectionExpression": ",".join(names),
        "ExpressionAttributeNames": names,
        "ReturnConsumedCapacity": "TOTAL",
    }
    items: list[Item] = []
    cost = Cost()
    whole = False
    while len(items) < limit and not whole:
        request["Limit"] = min(_LOOK_PAGE, limit - len(items))
        answer = store.call("Scan", target.name, None, store.client.scan, **request)
        cost += store.cost(answer)
        items += answer["Items"]
        whole = "LastEvaluatedKey" not in answer
        request["ExclusiveStartKey"] = answer.get("LastEvaluatedKey")
    return _judge(target, index, items, whole, cost)


def _judge(target: Target, index: Index, items: Sequence[Item], whole: bool, cost: Cost) -> Look:
    missing: dict[str, int] = {}
    wrong: dict[str, int] = {}
    refused: dict[str, int] = {}
    examples: list[str] = []
    for item in items:
        odd = []
        for key, most in ((index.partition_key, _PARTITION_KEY_BYTES), (index.sort_key, _SORT_KEY_BYTES)):
            if key not in item:
                missing[key] = missing.get(key, 0) + 1
                odd.append(f"no {key}")
            elif target.table.types[key] not in item[key]:
                wrong[key] = wrong.get(key, 0) + 1
                odd.append(f"{key} is of type {next(iter(item[key]))}")
            elif why := _refusal(item[key], most):
                refused[key] = refused.get(key, 0) + 1
                odd.append(f"{key} {why}")
        if odd and len(examples) < _EXAMPLES:
            ids = " / ".join(item[name].get("S", "?") for name in target.table.key_names)
            examples.append(f"{ids}: {', '.join(odd)}")
    return Look(target, index.name, len(items), whole, cost, missing, wrong, refused, tuple(examples))


def _refusal(value: Mapping[str, Any], most: int) -> str:
    """Why DynamoDB would refuse this text as a key of an index; empty where it would not."""
    if "S" not in value:
        return ""
    size = len(value["S"].encode())
    return "is empty" if not size else f"has {size:,} bytes, more than {most:,}" if size > most else ""
