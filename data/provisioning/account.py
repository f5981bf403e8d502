"""What the account has of a table right now: keys, billing, indexes, tags, protection, PITR."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure, explain

Keys: TypeAlias = tuple[tuple[str, str], ...]
"""(attribute, type) of the partition key and, if there is one, of the sort key."""


@dataclass(frozen=True, slots=True)
class ActualIndex:
    """A global secondary index. `attributes` is None when it carries all of them; `backfilling` while it is filled."""

    status: str
    keys: Keys
    attributes: frozenset[str] | None
    backfilling: bool = False


@dataclass(frozen=True, slots=True)
class Pitr:
    """Point-in-time recovery. The window is None while it is off; `days` None where the endpoint does not say."""

    enabled: bool
    days: int | None = None
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Actual:
    """A table as it is. Tags and PITR are a Failure where they could not be asked for: unknown is not absent."""

    name: str
    status: str
    arn: str
    keys: Keys
    types: Mapping[str, str]
    billing: str
    indexes: Mapping[str, ActualIndex]
    protected: bool
    items: int
    size_bytes: int
    tags: Mapping[str, str] | Failure
    pitr: Pitr | Failure

    @property
    def settled(self) -> bool:
        """Whether the table and all its indexes have finished changing."""
        return self.status == "ACTIVE" and all(index.status == "ACTIVE" for index in self.indexes.values())


def look_up(store: Store, name: str) -> Actual | None:
    """The table of that name as it is, None when there is none; Failure when AWS does not say."""
    client = store.client
    try:
        table = store.call("DescribeTable", name, None, client.describe_table, TableName=name)["Table"]
    except Failure as failure:
        if failure.kind == "missing":
            return None
        raise
    try:
        return _actual(store, name, table)
    except (KeyError, TypeError) as error:
        raise explain(error, "DescribeTable", name) from error


def _actual(store: Store, name: str, table: Any) -> Actual:
    types = {part["AttributeName"]: part["AttributeType"] for part in table["AttributeDefinitions"]}
    arn = table.get("TableArn", "")
    return Actual(
        name=name,
        status=table["TableStatus"],
        arn=arn,
        keys=_keys(table["KeySchema"], types),
        types=types,
        # Absent where it was never anything but provisioned.
        billing=table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
        indexes={index["IndexName"]: _index(index, table, types) for index in table.get("GlobalSecondaryIndexes", [])},
        protected=bool(table.get("DeletionProtectionEnabled")),
        items=int(table.get("ItemCount", 0)),
        size_bytes=int(table.get("TableSizeBytes", 0)),
        tags=_tags(store, name, arn),
        pitr=_pitr(store, name),
    )


def _tags(store: Store, name: str, arn: str) -> Mapping[str, str] | Failure:
    tags: dict[str, str] = {}
    request: dict[str, Any] = {"ResourceArn": arn}
    try:
        while True:
            answer = store.call("ListTagsOfResource", name, None, store.client.list_tags_of_resource, **request)
            tags |= {tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])}
            if not answer.get("NextToken"):
                return tags
            request["NextToken"] = answer["NextToken"]
    except Failure as failure:
        return failure
    except (KeyError, TypeError) as error:
        return explain(error, "ListTagsOfResource", name)


def _pitr(store: Store, name: str) -> Pitr | Failure:
    try:
        answer = store.call(
            "DescribeContinuousBackups", name, None, store.client.describe_continuous_backups, TableName=name
        )
        recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    except Failure as failure:
        return failure
    except KeyError as error:
        return explain(error, "DescribeContinuousBackups", name)
    return Pitr(
        enabled=recovery.get("PointInTimeRecoveryStatus") == "ENABLED",
        days=recovery.get("RecoveryPeriodInDays"),
        earliest=recovery.get("EarliestRestorableDateTime"),
        latest=recovery.get("LatestRestorableDateTime"),
    )


def _index(index: Any, table: Any, types: Mapping[str, str]) -> ActualIndex:
    projection = index.get("Projection", {})
    carried = {part["AttributeName"] for part in [*table["KeySchema"], *index["KeySchema"]]}
    carried |= set(projection.get("NonKeyAttributes", []))
    return ActualIndex(
        status=index.get("IndexStatus", "ACTIVE"),
        keys=_keys(index["KeySchema"], types),
        attributes=None if projection.get("ProjectionType") == "ALL" else frozenset(carried),
        backfilling=bool(index.get("Backfilling")),
    )


def _keys(schema: Any, types: Mapping[str, str]) -> Keys:
    ordered = sorted(schema, key=lambda part: part["KeyType"] != "HASH")
    return tuple((part["AttributeName"], types.get(part["AttributeName"], "?")) for part in ordered)
