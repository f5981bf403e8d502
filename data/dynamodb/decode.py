"""DynamoDB's answers to Query and Scan decoded by orjson: botocore's own parser takes most of the time of a long read.

Whoever asks for columns gets them from Arrow. botocore still signs, sends, retries and checks the CRC32. It also still
parses everything but the items, every error, and every answer in which an item is not plain text, numbers, flags and
NULLs.
"""

import gc
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson

from data.dynamodb.columnar import Columnar

if TYPE_CHECKING:
    from botocore.client import BaseClient

_OPERATIONS = ("Query", "Scan")
_LETTERS = {"S", "N", "BOOL", "NULL"}
# Inside of a text, quotation marks have a backslash before them; and no attribute's value is a list.
_ITEMS = re.compile(rb'"Items"\s*:\s*(?=\[)')
_asked_for: ContextVar[Mapping[str, str] | None] = ContextVar("asked_for", default=None)


def decode_fast(client: "BaseClient") -> None:
    """Let orjson decode the items that this client reads; the answers look the same as before."""
    for operation in _OPERATIONS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _decode, unique_id=f"orjson-{operation}")


def in_columns(send: Callable[..., Any], letters: Mapping[str, str]) -> Callable[..., Any]:
    """`send`, whose answer has a Columnar of the attributes of `letters` for its items, where they can be read as one.

    `letters` are the types that the attributes should have: S or N.
    """

    def sent(**request: Any) -> Any:
        token = _asked_for.set(letters)
        try:
            return send(**request)
        finally:
            _asked_for.reset(token)

    return sent


def _decode(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the items out of the body before botocore parses it. What is doubtful stays in, for botocore to judge."""
    if response_dict["status_code"] >= 300:
        return
    letters = _asked_for.get()
    split = letters and _columnar(response_dict["body"], letters)
    if split:
        response_dict["body"], customized_response_dict["Items"] = split
        return
    # Tens of thousands of new dictionaries make Python look for garbage again and again, in vain.
    collecting = gc.isenabled()
    gc.disable()
    try:
        answer = orjson.loads(response_dict["body"])
        items = answer.pop("Items")
        if not _plain(items):
            return
        rest = orjson.dumps(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    finally:
        if collecting:
            gc.enable()
    response_dict["body"] = rest
    customized_response_dict["Items"] = items


def _columnar(body: bytes, letters: Mapping[str, str]) -> tuple[bytes, Columnar] | None:
    """The body without its items, and those; None where anything about it is doubtful."""
    start = _ITEMS.search(body)
    if not start:
        return None
    try:
        # The last bracket of the body need not be that of the items. It is, where their number is that of the rest.
        begin, end = start.end(), body.rindex(b"]") + 1
        rest = body[:begin] + b"[]" + body[end:]
        items = Columnar.parse(body[begin:end], letters)
        if orjson.loads(rest)["Count"] != len(items) or not _plain([*items.odd.values()]):
            return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return rest, items


def _plain(items: Any) -> bool:
    """Whether these are items of which botocore would make what they already are; TypeError where they are no items."""
    if type(items) is not list:
        return False
    values = list(chain.from_iterable(map(dict.values, items)))
    return (
        set(map(type, values)) <= {dict}
        and set(map(len, values)) <= {1}
        and _LETTERS.issuperset(chain.from_iterable(values))
    )
