"""The door of the demo's engine: a WSGI app around moto's that lets in this dashboard's own calls alone."""

import io
import re
from collections.abc import Callable, Iterable
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qs

_DYNAMODB = frozenset(
    f"DynamoDB_20120810.{call}"
    for call in (
        *("BatchGetItem", "BatchWriteItem", "GetItem", "Query", "Scan", "UpdateItem"),
        *("CreateTable", "DescribeTable", "UpdateTable", "RestoreTableToPointInTime"),
        *("DescribeContinuousBackups", "UpdateContinuousBackups", "ListTagsOfResource", "TagResource"),
    )
)
_IAM = frozenset(("CreateRole", "GetRole", "SimulatePrincipalPolicy"))
_LAMBDA = re.compile(
    r"(GET|POST) /2015-03-31/functions/?|(GET|PUT) /2015-03-31/functions/[^/]+/configuration"
    r"|GET /2015-03-31/functions/[^/]+/aliases|GET /2019-09-30/functions/[^/]+/concurrency|GET /2017-03-31/tags/[^/]+"
)
_CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,\s]+)/\d+/[a-z0-9-]+/([a-z0-9-]+)/aws4_request,")
_LONGEST_FORM = 100_000  # bytes; IAM's calls are forms


class Door:
    """Passes a request on when it carries the key of this start, comes from no page, and is a call the demo makes.

    A browser tells by Origin which page sends a request, and by Host which name it was led here by.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], key: str) -> None:
        self._app = app
        self._key = key

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The engine's answer, or 403 without a word of what it would have taken."""
        if self._is_ours(environ):
            return self._app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]

    def _is_ours(self, environ: dict[str, Any]) -> bool:
        here = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        if "HTTP_ORIGIN" in environ or environ.get("HTTP_HOST") != here:
            return False
        signed = _CREDENTIAL.match(environ.get("HTTP_AUTHORIZATION", ""))
        if not signed or not compare_digest(signed[1].encode(), self._key.encode()):
            return False
        return _is_call(signed[2], environ)


def _is_call(service: str, environ: dict[str, Any]) -> bool:
    """Whether the demo makes this call of this service."""
    call = f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')}"
    if service == "lambda":
        return bool(_LAMBDA.fullmatch(call))
    if call != "POST /":
        return False
    if service == "dynamodb":
        return environ.get("HTTP_X_AMZ_TARGET") in _DYNAMODB
    return service == "iam" and _form(environ).get("Action", [""])[0] in _IAM


def _form(environ: dict[str, Any]) -> dict[str, list[str]]:
    """The request's body, a form, left for the engine to read again; empty when it is none or too long."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > _LONGEST_FORM:
        return {}
    body = environ["wsgi.input"].read(int(length))
    environ["wsgi.input"] = io.BytesIO(body)
    return parse_qs(body.decode("utf-8", "replace"))
