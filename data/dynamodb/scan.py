"""Reads of a whole table, only for a user who accepted the cost: that of whole records, whatever `attributes` are."""

from collections.abc import Iterator, Sequence
from typing import Any

from data.dynamodb.client import Store
from data.dynamodb.reads import Item, Read, follow
from data.schema import Table

_PAGE = 400  # records of a page: about what fits into DynamoDB's 1 MB, and soon enough there to show progress


def where(store: Store, table: Table, attribute: str, value: str, *, attributes: Sequence[str]) -> Read[list[Item]]:
    """Every item whose `attribute` is `value`."""
    request = _request(store, table, attributes)
    request["ExpressionAttributeNames"]["#f"] = attribute
    request |= {"FilterExpression": "#f = :f", "ExpressionAttributeValues": {":f": {"S": value}}}
    return follow(store.pages("Scan", store.client.scan, request))


def pages(
    store: Store, table: Table, attributes: Sequence[str], *, segment: int = 0, segments: int = 1
) -> Iterator[Read[Sequence[Item]]]:
    """A segment of the table, a page at a time; the next request is made when the next page is asked for."""
    request = _request(store, table, attributes) | {"Segment": segment, "TotalSegments": segments, "Limit": _PAGE}
    return store.pages("Scan", store.client.scan, request)


def is_empty(store: Store, table: Table) -> bool:
    """Whether the table has no item at all."""
    name = store.settings.name(table)
    request = {"TableName": name, "Limit": 1, "ConsistentRead": True}
    return not store.call("Scan", name, None, store.client.scan, **request)["Items"]


def _request(store: Store, table: Table, attributes: Sequence[str]) -> dict[str, Any]:
    places = {f"#a{i}": a for i, a in enumerate(attributes)}
    return {
        "TableName": store.settings.name(table),
        "ProjectionExpression": ",".join(places),
        "ExpressionAttributeNames": places,
    }
