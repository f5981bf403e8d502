"""Reads by key: one item, many items, or a whole partition, newest first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from data.dynamodb import budget, decode
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.facts import BATCH
from data.dynamodb.reads import Item, Read, follow
from data.schema import Table

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)  # seconds between the requests for what a BatchGetItem left out


def get(store: Store, table: Table, key: Mapping[str, str]) -> Read[Item | None]:
    """One item by both keys (GetItem), None when there is none."""
    name = store.settings.name(table)
    response = store.call(
        "GetItem",
        name,
        None,
        store.client.get_item,
        TableName=name,
        Key={attribute: {"S": value} for attribute, value in key.items()},
        ReturnConsumedCapacity="TOTAL",
    )
    return Read(response.get("Item"), store.cost(response))


def partition(
    store: Store,
    table: Table,
    key: tuple[str, str],
    *,
    index: str | None = None,
    between: tuple[str, int, int] | None = None,
    cap: int | None = None,
    attributes: Sequence[str] | None = None,
) -> Read[list[Item]]:
    """All items of one partition, newest first, following every page.

    `key` is (attribute, value); `between` (sort key, first, last), both ends included. Stops after `cap` items, and
    then says so. `attributes` are those the caller needs: what an index lacks of them is fetched from the table itself.
    """
    return follow(pages(store, table, key, index=index, between=between, cap=cap, attributes=attributes))


def pages(
    store: Store,
    table: Table,
    key: tuple[str, str],
    *,
    index: str | None = None,
    between: tuple[str, str | int, str | int] | None = None,
    cap: int | None = None,
    attributes: Sequence[str] | None = None,
    in_columns: bool = False,
) -> Iterator[Read[Sequence[Item]]]:
    """What `partition` reads, a page at a time; the next request is made when the next page is asked for.

    A page is complete when it is the last one and nothing was cut off. `in_columns`: a page of which nothing but
    `attributes` is needed is a Columnar of them, where it can be read as one.
    """
    condition, names, values = "#p = :p", {"#p": key[0]}, {":p": {"S": key[1]}}
    if between:
        condition += " AND #s BETWEEN :lo AND :hi"
        names["#s"] = between[0]
        values |= {":lo": {"N": str(between[1])}, ":hi": {"N": str(between[2])}}
    request: dict[str, Any] = {
        "TableName": store.settings.name(table),
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        "ScanIndexForward": False,
    }
    lacking: set[str] | Failure = set()
    if index:
        request["IndexName"] = index
        lacking = _lacking(store, table, index, attributes or ())
    send: Callable[..., Any] = store.client.query
    if in_columns:
        send = decode.in_columns(send, {name: table.types[name] for name in attributes or ()})
    for page in store.pages("Query", send, request, index, cap):
        if isinstance(lacking, Failure):
            yield replace(page, notes=(lacking, *page.notes))
        elif lacking and page.value:
            note = (
                f"The index {index} does not carry {', '.join(sorted(lacking))}: these came from the table, at a "
                "higher cost. Setup can show how the index should be."
            )
            whole = _complete(store, table, page.value, attributes or ())
            yield replace(page, value=whole.value, cost=page.cost + whole.cost, notes=(note, *page.notes))
        else:
            yield page


def batch_get(
    store: Store, table: Table, keys: Sequence[Mapping[str, str]], attributes: Sequence[str] | None = None
) -> Read[list[Item]]:
    """The items of `keys` that there are, in no order, whole or only `attributes` of them. No key twice."""
    return _batches(store, table, [{name: {"S": value} for name, value in key.items()} for key in keys], attributes)


def _lacking(store: Store, table: Table, index: str, attributes: Sequence[str]) -> set[str] | Failure:
    """Which of `attributes` the index does not carry."""
    try:
        facts = store.facts(table).indexes.get(index)
    except Failure as failure:
        return replace(failure, index=index)
    return set() if facts is None or facts.attributes is None else set(attributes) - facts.attributes


def _complete(store: Store, table: Table, items: Sequence[Item], attributes: Sequence[str]) -> Read[list[Item]]:
    """The same items, same order, with `attributes`, by BatchGetItem. One deleted meanwhile stays as it was."""
    # An index that changes while it is read can tell a record twice; BatchGetItem refuses a key twice.
    keys = list({_identity(table, item): {k: item[k] for k in table.key_names} for item in items}.values())
    read = _batches(store, table, keys, attributes)
    whole = {_identity(table, item): item for item in read.value}
    return read.map(lambda _: [whole.get(_identity(table, item), item) for item in items])


def _batches(
    store: Store, table: Table, keys: Sequence[Mapping[str, Any]], attributes: Sequence[str] | None
) -> Read[list[Item]]:
    name = store.settings.name(table)
    projection: dict[str, Any] = {}
    if attributes is not None:
        places = {f"#a{i}": a for i, a in enumerate(dict.fromkeys([*table.key_names, *attributes]))}
        projection = {"ProjectionExpression": ",".join(places), "ExpressionAttributeNames": places}
    items: list[Item] = []
    cost = Cost()
    for start in range(0, len(keys), BATCH):
        pending: Any = {name: {"Keys": list(keys[start : start + BATCH]), **projection}}
        for pause in (*_PAUSES, None):
            response = store.call(
                "BatchGetItem",
                name,
                None,
                store.client.batch_get_item,
                RequestItems=pending,
                ReturnConsumedCapacity="TOTAL",
            )
            cost += store.cost(response)
            items += response["Responses"].get(name, [])
            pending = response.get("UnprocessedKeys")
            if not pending:
                break
            if pause is None:
                raise Failure("throttled", case="unprocessed", operation="BatchGetItem", resource=name)
            budget.pause(pause)
    return Read(items, cost)


def _identity(table: Table, item: Item) -> tuple[str, ...]:
    return tuple(item[key]["S"] for key in table.key_names)
