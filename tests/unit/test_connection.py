"""What h11 and uvicorn read of a request before anybody asks who is there: no more of it than its length is worth."""

import asyncio
import re
from typing import Any

import pytest
from h11 import _abnf, _readers
from uvicorn import Config
from uvicorn.server import ServerState

from tests.support.work import is_linear
from ui.server import connection
from ui.server.connection import BoundedConnection

LINES = ("a:", "a: ", "a:b", "a: b ", "a:\t b c\t", "a: b\x01", "a:  \0", "a b: c", ": b", "a:\0")


class Transport(asyncio.Transport):
    """A browser's end that has sent something."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return False

    def get_protocol(self) -> Any:
        return self.of

    def pause_reading(self) -> None:
        pass


def sent(data: bytes, *more: bytes) -> BoundedConnection:
    """A connection that has been sent this."""

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.sleep(60)

    async def run() -> BoundedConnection:
        one, transport = BoundedConnection(Config(app), ServerState(), {}), Transport()
        transport.of = one  # type: ignore[attr-defined]
        one.connection_made(transport)
        for part in (data, *more):
            one.data_received(part)
        await asyncio.sleep(0)  # the app begins
        return one

    return asyncio.run(run())


@pytest.fixture
def header(monkeypatch: pytest.MonkeyPatch) -> "re.Pattern[bytes]":
    """How h11 reads a header here."""
    monkeypatch.setattr(_readers, "header_field_re", _readers.header_field_re)
    connection.read_headers_in_one_go()
    return _readers.header_field_re


@pytest.mark.parametrize("end", ["", "\0", "x", "\x0b"])
@pytest.mark.parametrize("unit", [" ", "\t", "a ", " a", "a", "\x01"])
@pytest.mark.parametrize("begin", ["a:", "a", "a: b"])
def test_a_header_takes_work_in_proportion_to_its_length(
    header: "re.Pattern[bytes]", begin: str, unit: str, end: str
) -> None:
    assert is_linear(lambda text: header.fullmatch((begin + text).encode()), unit, end)


@pytest.mark.parametrize("line", LINES)
def test_a_header_is_read_as_h11_reads_it(header: "re.Pattern[bytes]", line: str) -> None:
    own, theirs = (one.fullmatch(line.encode()) for one in (header, re.compile(_abnf.header_field.encode())))
    assert (own and own.groupdict()) == (theirs and theirs.groupdict())


def test_of_a_body_that_does_not_say_its_length_nothing_is_read() -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"1\r\nx\r\n" * 40_000
    assert len(sent(head + chunks, chunks, chunks).cycle.body) < 10_000
    length = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
    assert len(sent(length + b"x" * 60_000).cycle.body) == 60_000
