"""The requests that bring a table into the declared state, as DynamoDB takes them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from data.schema import PITR_DAYS, Index, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_request(table: Table, name: str) -> dict[str, Any]:
    """The CreateTable request for `table` under `name`, with its indexes.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
    """
    keys = {*table.key_names, *(key for index in table.indexes for key in (index.partition_key, index.sort_key))}
    return {
        "TableName": name,
        "AttributeDefinitions": _definitions({a.name: a.type for a in table.attributes if a.name in keys}),
        "KeySchema": _key_schema(*table.key_names),
        "GlobalSecondaryIndexes": [index_request(index) for index in table.indexes],
        "BillingMode": table.billing_mode,
        "Tags": [{"Key": key, "Value": value} for key, value in table.tags.items()],
    }


def index_request(index: Index) -> dict[str, Any]:
    """One global secondary index as CreateTable and UpdateTable take it."""
    return {
        "IndexName": index.name,
        "KeySchema": _key_schema(index.partition_key, index.sort_key),
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.attributes)},
    }


def index_update(table: Table, index: Index, name: str, types: Mapping[str, str]) -> dict[str, Any]:
    """The UpdateTable request that adds `index`; `types` are the key attributes that the table already declares."""
    added = {key: table.types[key] for key in (index.partition_key, index.sort_key)}
    return {
        "TableName": name,
        "AttributeDefinitions": _definitions({**types, **added}),
        "GlobalSecondaryIndexUpdates": [{"Create": index_request(index)}],
    }


def pitr_request(name: str) -> dict[str, Any]:
    """The UpdateContinuousBackups request that turns PITR on."""
    specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": PITR_DAYS}
    return {"TableName": name, "PointInTimeRecoverySpecification": specification}


def create(client: "DynamoDBClient", table: Table, name: str) -> None:
    """Create the table at once and wait until it can be used: for benchmarks and tests."""
    with suppress(client.exceptions.ResourceInUseException):  # a busy engine took long, was asked again, and has it
        client.create_table(**create_request(table, name))
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})


def _definitions(types: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def _key_schema(partition_key: str, sort_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]
