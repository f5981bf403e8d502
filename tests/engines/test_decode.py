"""Answers decoded by orjson are those that botocore makes, item for item; and what botocore guards stays guarded."""

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.dynamodb import decode, query
from data.dynamodb.client import Store
from data.dynamodb.columnar import Columnar
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.schema import BY_STUDENT, EVALUATIONS
from tests.support import engines
from tests.support.answers import body, parsed
from tests.support.items import EVALUATION, Item, changed, fuzzed, texts, values
from tests.support.records import attempt, put, raw_client
from tests.support.settings import settings

WHOLE = {
    "plain": [EVALUATION, changed(EVALUATION, model_used={"NULL": True}, x={"BOOL": False})],
    "none": [],
    "an empty item": [{}],
    "a map": [changed(EVALUATION, feedback={"M": {"a": {"L": [{"S": "b"}]}}})],
    "binary": [{"x": {"B": b"\x00\xff"}, "y": {"BS": [b"1"]}}],
    "a lone surrogate": [{"user_id": {"S": "\ud800"}}],
    "a letter of the future": [{"x": {"VEC": [1, 2]}}],
    "two letters": [{"x": {"S": "a", "N": "1"}}],
    "no letter": [{"x": {}}],
    "null beside": [{"x": {"S": "a", "N": None}}],
    "a number that is none": [{"x": {"S": 5}}],
    "a value that is text": [{"x": "S"}],
    "an item that is text": ["S"],
    "items that are text": "S",
    "items that are a number": 5,
    "items that are null": None,
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_answer_is_the_one_that_botocore_gives(name: str) -> None:
    key = {"evaluation_id": {"S": "e"}, "user_id": {"S": "u"}}
    capacity = {"TableName": "t", "CapacityUnits": 128.5}
    for more in ({}, {"LastEvaluatedKey": key, "ConsumedCapacity": capacity}, {"ConsumedCapacity": 5}):
        answer = body(WHOLE[name], **more)
        assert parsed(answer, fast=True) == parsed(answer, fast=False)


@pytest.mark.parametrize("answer", [b"", b"[]", b'"x"', b"{", b"null", b"\xff", b"[" * 100_000, b"{}"])
def test_what_is_no_answer_is_left_to_botocore(answer: bytes) -> None:
    assert parsed(answer, fast=True) == parsed(answer, fast=False)


@fuzzed
@given(st.lists(st.dictionaries(texts.filter(str.isprintable), values, max_size=4), max_size=3))
def test_any_items_are_the_same_both_ways(items: list[Item]) -> None:
    answer = body(items)
    assert parsed(answer, fast=True) == parsed(answer, fast=False)


def test_the_engines_items_are_the_same_both_ways(store: Store) -> None:
    put(
        store,
        EVALUATIONS,
        [attempt(n, essay="é “quoted” \n\u2028 👩‍🏫", passed=n % 2 == 0, none=None) for n in range(30)],
    )
    request: dict[str, Any] = {
        "TableName": store.settings.name(EVALUATIONS),
        "IndexName": BY_STUDENT,
        "KeyConditionExpression": "user_id = :u",
        "ExpressionAttributeValues": {":u": {"S": "user-1"}},
        "ReturnConsumedCapacity": "TOTAL",
    }
    fast, plain = store.client.query(**request), raw_client(store).query(**request)
    assert {**fast, "ResponseMetadata": 0} == {**plain, "ResponseMetadata": 0}
    assert fast["ResponseMetadata"].keys() == plain["ResponseMetadata"].keys()
    scan = {"TableName": request["TableName"]}
    assert store.client.scan(**scan)["Items"] == raw_client(store).scan(**scan)["Items"]


def test_botocore_parses_no_item_that_is_plain() -> None:
    response = {"status_code": 200, "headers": {}, "body": body([EVALUATION] * 3)}
    taken: dict[str, Any] = {}
    decode._decode(response, taken)
    assert taken == {"Items": [EVALUATION] * 3}
    assert json.loads(response["body"]) == {"Count": 3, "ScannedCount": 3}


@contextmanager
def answering(bodies: list[tuple[int, bytes, dict[str, str]]]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives one answer after the other; the last one for ever. Also the signatures that it got."""
    signed: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            signed.append(self.headers.get("Authorization", ""))
            status, content, headers = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            self.send_response(status)
            for name, value in {"Content-Type": "application/x-amz-json-1.0", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing on the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", signed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


GOOD = body([EVALUATION], ConsumedCapacity={"CapacityUnits": 0.5})


@pytest.mark.parametrize("in_columns", [False, True])
def test_an_answer_that_the_network_damaged_is_asked_for_again(in_columns: bool) -> None:
    checksum = {"x-amz-crc32": str(zlib.crc32(GOOD))}
    damaged = GOOD.replace(b"7.0", b"9.0")
    with answering([(200, damaged, checksum), (200, GOOD, checksum)]) as (url, signed):
        store = Store.open(settings(url), **engines.CREDENTIALS)
        attributes = [*EVALUATION]
        (page,) = query.pages(store, EVALUATIONS, ("user_id", "u"), attributes=attributes, in_columns=in_columns)
    assert isinstance(page.value, Columnar) == in_columns
    assert [*page.value] == [EVALUATION]
    assert page.cost == Cost(1, 0.5)
    assert len(signed) == 2
    assert all(signature.startswith("AWS4-HMAC-SHA256") for signature in signed)


def test_a_server_error_is_tried_again_and_a_refusal_is_explained() -> None:
    with answering([(500, b"", {}), (200, GOOD, {})]) as (url, _):
        store = Store.open(settings(url), **engines.CREDENTIALS)
        assert query.partition(store, EVALUATIONS, ("user_id", "u")).value == [EVALUATION]
    refusal = b'{"__type": "com.amazonaws.dynamodb.v20120810#AccessDeniedException", "Items": [], "message": "no"}'
    with answering([(400, refusal, {"x-amzn-RequestId": "REQ-9"})]) as (url, _), pytest.raises(Failure) as caught:
        query.partition(Store.open(settings(url), **engines.CREDENTIALS), EVALUATIONS, ("user_id", "u"))
    assert (caught.value.kind, caught.value.request_id) == ("access_denied", "REQ-9")
