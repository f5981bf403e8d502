"""A browser's websocket with bounds on what never becomes a frame of Streamlit's: pings, and parts of one message."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from ui.shell.rate import Rate

MOST_CONTROLS = 20
"""Pings and pongs within ten seconds. No browser's page sends pings; a proxy may, a few a minute."""
_CONTROL_SECONDS = 10.0
MOST_PARTS = 1_000
"""Of one message: empty ones count for nothing in its size, and each takes room."""


class BoundedWebsocket(WebSocketsSansIOProtocol):
    """Ends at once where somebody floods it, or reads nothing for so long that a ping had no answer.

    uvicorn answers each ping, read or not, keeps each part of a message, and waits for what it wrote to be read before
    it lets go of a line: all of it stays in memory for as long as somebody likes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._controls = Rate(MOST_CONTROLS, _CONTROL_SECONDS)

    def data_received(self, data: bytes) -> None:
        """Take what has come. A handshake that cannot be read is refused at once: uvicorn would never answer it."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def handle_ping(self) -> None:
        """Answer one of few."""
        if self._may_go_on(self._controls.admits()):
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take one of few."""
        if self._may_go_on(self._controls.admits()):
            super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """Take the next part of a message of not too many."""
        if self._may_go_on(len(self.frames) < MOST_PARTS):
            super().handle_cont(event)

    def keepalive_timeout(self) -> None:
        """Let go of who has not answered."""
        super().keepalive_timeout()
        self.transport.abort()

    def _may_go_on(self, is_within: bool) -> bool:
        """Whether the line goes on; it ends for good where something is not `is_within` its bounds."""
        if self.transport.is_closing():
            return False
        if not is_within:
            self.logger.warning("A websocket was ended: too many pings, or parts of a message")
            self.transport.abort()
        return is_within
