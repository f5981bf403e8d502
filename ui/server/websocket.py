"""A browser's websocket with bounds on what no page sends: very many tiny frames, of any kind."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from ui.shell.rate import Rate

MOST_CONTROLS = 20
"""Pings and pongs within ten seconds. No browser's page sends pings; a proxy may, a few a minute."""
_CONTROL_SECONDS = 10.0
MOST_PARTS = 1_000
"""Of one message: empty ones count for nothing in its size, and each takes room."""
MOST_WAITING = 100
"""Messages that have come before the first of them was looked at."""
MOST_LATE = 20
"""Messages that were on their way when this side had said goodbye."""
_SLICE = 4_096
"""Bytes that are read at a time, so that of what floods a line not much is read before it ends."""


class BoundedWebsocket(WebSocketsSansIOProtocol):
    """Ends at once where somebody floods it, or reads nothing for so long that a ping had no answer.

    uvicorn reads 43,000 frames at a time, in which it answers nobody else. It answers each ping, read or not, keeps
    each part of a message, reads on for ten seconds after the end, and lets go of a line only once what it wrote has
    been read.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._controls = Rate(MOST_CONTROLS, _CONTROL_SECONDS)
        self._late = 0

    def data_received(self, data: bytes) -> None:
        """Take what has come. A handshake that cannot be read is refused at once: uvicorn would never answer it."""
        for start in range(0, len(data), _SLICE):
            super().data_received(data[start : start + _SLICE])
            if self.transport.is_closing():
                return
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

    def send_receive_event_to_app(self) -> None:
        """Hand on a message, of not too many that wait."""
        self._late += self.close_sent
        if self._may_go_on(self.queue.qsize() < MOST_WAITING and self._late <= MOST_LATE):
            super().send_receive_event_to_app()

    def keepalive_timeout(self) -> None:
        """Let go of who has not answered."""
        super().keepalive_timeout()
        self.transport.abort()

    def _may_go_on(self, is_within: bool) -> bool:
        """Whether the line goes on; it ends for good where something is not `is_within` its bounds."""
        if self.transport.is_closing():
            return False
        if not is_within:
            self.logger.warning("A websocket was ended: too many pings, messages or parts of one")
            self.transport.abort()
        return is_within
