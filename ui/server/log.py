"""What the server itself logs: one line each, whatever a browser sent, and not more than a few a minute of one kind."""

import logging
import time

from wording.foreign_text import one_line, short

_LOGGERS = ("streamlit", "uvicorn", "websockets")
_MOST = 10
_SECONDS = 60.0
_LONGEST = 500  # characters


class OneLine(logging.Filter):
    """Makes a record one line in which nothing steers a terminal; refuses it after some of the same place in a minute.

    Streamlit logs what a browser names, such as a fragment or why a provider refused, before anybody has signed in.
    """

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[tuple[str, int], list[float]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        now, place = time.monotonic(), (record.pathname, record.lineno)
        recent = [at for at in self._logged.get(place, []) if now - at < _SECONDS]
        self._logged[place] = [*recent, now][-_MOST:]
        record.msg, record.args = one_line(short(record.getMessage(), _LONGEST)), ()
        return len(recent) < _MOST


def keep_to_lines() -> None:
    """Have all of the server's loggers that are there log so. Each has a handler of its own."""
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if name.partition(".")[0] in _LOGGERS and isinstance(logger, logging.Logger):
            logger.addFilter(OneLine())
