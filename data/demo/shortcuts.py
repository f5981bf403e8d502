"""What moto does the long way round at each request, record and attribute, done straight.

It took most of a read's time, and a third of the time in which the demo is filled.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_LETTERS = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))
_LARGEST_ITEM = 405_000  # bytes, where moto draws the line
_METHODS = "method_names_from_class"  # moto looks through a class of some hundred methods at each request


@cache
def take() -> None:
    """Have moto take them, once and for this process."""
    # botocore and moto read the same descriptions of services, each for itself.
    JSONFileLoader.load_file = _for_all(JSONFileLoader.load_file)  # type: ignore[method-assign]
    # Imported here as in wire.
    from moto.core import responses  # noqa: PLC0415
    from moto.core.serialize import AttributePicker  # noqa: PLC0415
    from moto.dynamodb.models import dynamo_type, table  # noqa: PLC0415

    setattr(responses, _METHODS, cache(getattr(responses, _METHODS)))
    dynamo_type.Item.__init__ = _make(dynamo_type)  # type: ignore[method-assign]
    dynamo_type.Item.project = _project(dynamo_type.Item, dynamo_type.Item.project)  # type: ignore[method-assign]
    table.Table.all_items = _all_items  # type: ignore[assignment, method-assign]
    AttributePicker.__call__ = _pick(AttributePicker.__call__)  # type: ignore[method-assign]


def _for_all(load_file: Callable[..., Any]) -> Callable[..., Any]:
    """A file that one loader has read is there for all."""
    by_path = cache(lambda path: load_file(JSONFileLoader(), path))
    return lambda _, path: by_path(path)


def _make(types: Any) -> Callable[..., Any]:
    """An item whose size is asked once. moto asks it at each attribute, of all attributes before it."""

    def made(item: Any, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
        item.hash_key, item.range_key, item.attrs = hash_key, range_key, types.LimitedSizeDict()
        for name, value in attrs.items():
            dict.__setitem__(item.attrs, name, types.DynamoType(value))
        if item.size() > _LARGEST_ITEM:
            raise types.ItemSizeTooLarge

    return made


def _all_items(table: Any) -> list[Any]:
    """All items by their keys, which each Query begins with. moto compares wrapped values, each pair of them twice."""
    if not table.range_key_attr:
        return sorted(table.items.values(), key=lambda item: item.hash_key.cast_value)
    items = (item for of_key in table.items.values() for item in of_key.values())
    return sorted(items, key=lambda item: (item.hash_key.cast_value, item.range_key.cast_value))


def _project(item_type: Any, project: Callable[..., Any]) -> Callable[..., Any]:
    """Some attributes of an item as they are. moto makes JSON of the whole item for each, and items of that again."""

    def taken(item: Any, paths: list[list[str]]) -> Any:
        if any(len(path) != 1 or "[" in path[0] for path in paths):
            return project(item, paths)
        projected = item_type(item.hash_key, item.range_key, {})
        projected.attrs.update({name: item.attrs[name] for (name,) in paths if name in item.attrs})
        return projected

    return taken


def _pick(pick: Callable[..., Any]) -> Callable[..., Any]:
    """A member of an attribute's value by its name. moto looks for each of the ten under up to twelve names."""

    def picked(picker: Any, context: Any) -> Any:
        value = context.obj
        if type(value) is dict and context.key in _LETTERS and value.keys() <= _LETTERS:
            return value.get(context.key)
        return pick(picker, context)

    return picked
