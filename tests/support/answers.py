"""Answers to Query as DynamoDB writes them, and what botocore makes of them, with and without our own decoding."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.parsers import ResponseParserError, create_parser

from data.dynamodb import decode
from tests.support import engines

_MODEL = boto3.Session(**engines.CREDENTIALS, region_name="us-east-1").client("dynamodb").meta.service_model
_SHAPE = _MODEL.operation_model("Query").output_shape


def body(items: Any, **more: Any) -> bytes:
    """An answer as DynamoDB writes it."""
    count = len(items) if isinstance(items, list) else 1
    answer = {"Items": items, "Count": count, "ScannedCount": count, **more}
    return json.dumps(answer, default=lambda value: base64.b64encode(value).decode(), separators=(",", ":")).encode()


def parsed(answer: bytes, *, fast: bool, letters: Mapping[str, str] | None = None) -> Any:
    """What botocore gives for an answer to Query, or the name of what it raises; in columns where `letters` are given.

    Not `fast`: botocore alone.
    """
    response: dict[str, Any] = {"status_code": 200, "headers": {}, "body": answer}
    items: dict[str, Any] = {}

    def send() -> None:
        decode._decode(response, items)

    try:
        if fast:
            (decode.in_columns(send, letters) if letters else send)()
        given = create_parser("json").parse(response, _SHAPE)
    except (ResponseParserError, AttributeError, TypeError, KeyError, ValueError, RecursionError) as error:
        return type(error).__name__
    return {**given, **items} if items else given
