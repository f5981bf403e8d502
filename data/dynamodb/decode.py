"""DynamoDB's answers to Query and Scan decoded by orjson: botocore's own parser takes most of the time of a long read.

botocore still signs, sends, retries and checks the CRC32. It also still parses everything but the items, every error,
and every answer in which an item is not plain text, numbers, flags and NULLs.
"""

import gc
from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from botocore.client import BaseClient

_OPERATIONS = ("Query", "Scan")
_LETTERS = {"S", "N", "BOOL", "NULL"}


def decode_fast(client: "BaseClient") -> None:
    """Let orjson decode the items that this client reads; the answers look the same as before."""
    for operation in _OPERATIONS:
        client.meta.events.register(f"before-parse.dynamodb.{operation}", _decode, unique_id=f"orjson-{operation}")


def _decode(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the items out of the body before botocore parses it. What is doubtful stays in, for botocore to judge."""
    if response_dict["status_code"] >= 300:
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
