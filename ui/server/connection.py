"""A browser's HTTP connection, read with bounds: uvicorn and h11 read what comes before anybody asks who is there."""

import re
from typing import cast

from h11 import _abnf, _readers
from uvicorn.protocols.http.h11_impl import H11Protocol

_SLICE = 16_384
"""Bytes that are read at a time: h11 looks at the length of a head only where it has not come whole."""


class BoundedConnection(H11Protocol):
    """Reads a little at a time, and no body that does not say its length, which the doors refuse."""

    def data_received(self, data: bytes) -> None:
        """Take what has come, for as long as anything of it may matter."""
        for start in range(0, len(data), _SLICE):
            part = data[start : start + _SLICE]
            now = cast("H11Protocol", self.transport.get_protocol())
            if now is not self:  # it has become a websocket
                now.data_received(part)
            elif self.transport.is_closing() or self._is_endless():
                return
            else:
                super().data_received(part)

    def _is_endless(self) -> bool:
        return any(name == b"transfer-encoding" for name, _ in self.headers or ())


def read_headers_in_one_go() -> None:
    """Have h11 read a header's blanks once. It tries each way to share them between both sides of an empty value."""
    blanks = f":{_abnf.OWS}"
    pattern = _abnf.header_field.replace(blanks, f"{blanks}+", 1)  # possessive: a value begins with no blank
    _readers.header_field_re = re.compile(pattern.encode("ascii"))
