"""What moto does the long way round for each attribute of each record, done straight: it took most of a read's time."""

from collections.abc import Callable
from functools import cache
from typing import Any

_LETTERS = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))


@cache
def take() -> None:
    """Have moto take them, once and for this process."""
    from moto.core.serialize import AttributePicker  # noqa: PLC0415 - as in engine.start_engine
    from moto.dynamodb.models.dynamo_type import Item  # noqa: PLC0415 - as in engine.start_engine

    Item.project = _project(Item, Item.project)  # type: ignore[method-assign]
    AttributePicker.__call__ = _pick(AttributePicker.__call__)  # type: ignore[method-assign]


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
