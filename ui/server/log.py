"""What the server itself logs: one line each, whatever a browser sent, and not more than a few a minute of one kind."""

import logging
import time
import traceback
from pathlib import Path

from wording.foreign_text import one_line, short

_LOGGERS = ("streamlit", "uvicorn", "websockets", "asyncio")  # the last says a hundred times a second: no file is left
_OURS = ("ui.server.", "queries.access.", "ui.shell.ended", "ui.shell.sign_in")  # what any request may make them say
_FAILING = (
    "data.dynamodb.errors",
    "queries.cache",
    "queries.background",
    "ui.shell.boundary",
    "ui.students.class_list",
)
_ELSEWHERE = ("python_multipart.multipart",)  # a line for each upload that is none
_MOST = 10
_MOST_KINDS = 1_000  # that are counted at a time
_SECONDS = 60.0
_LONGEST = 500  # characters
_FRAMES = 6  # of an error, the innermost ones


class _Counting(logging.Filter):
    """Counts what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self._logged: dict[tuple[str | int, ...], list[float]] = {}

    def admits(self, *what: str | int) -> bool:
        """Whether this may be logged once more: not after some of it in a minute."""
        now = time.monotonic()
        if what not in self._logged and len(self._logged) >= _MOST_KINDS:
            self._logged = {one: times for one, times in list(self._logged.items()) if now - times[-1] < _SECONDS}
            if len(self._logged) >= _MOST_KINDS:
                what = ()  # all others together: forgotten for them, each that was counted would have its lines anew
        recent = [at for at in self._logged.get(what, []) if now - at < _SECONDS]
        self._logged[what] = [*recent, now][-_MOST:]
        return len(recent) < _MOST


class OneLine(_Counting):
    """Makes a record one line in which nothing steers a terminal; refuses it after some of the same place in a minute.

    Streamlit logs what a browser names, such as a fragment or why a provider refused, before anybody has signed in.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        record.msg, record.args = one_line(short(_text(record), _LONGEST)), ()
        record.exc_info = record.exc_text = record.stack_info = None
        return self.admits(record.pathname, record.lineno)


class Few(_Counting):
    """Refuses a record after some of the same place about the same in a minute: what fails may fail at each click.

    What a record is about is its first argument, such as the part of a page or the operation.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        about = short(str(record.args[0]), _LONGEST) if isinstance(record.args, tuple) and record.args else ""
        return self.admits(record.pathname, record.lineno, about)


def _text(record: logging.LogRecord) -> str:
    """What a record says, with the kind and the places of an error; its own words may quote a student's work."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return record.getMessage()
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{record.getMessage()}: {type(error).__name__} at {places or 'an unknown place'}"


def keep_to_lines() -> None:
    """Have all of the server's loggers that are there log so, and what fails on pages not again and again.

    Each has a handler of its own. The log of changes is left as it is.
    """
    for name, logger in list(logging.root.manager.loggerDict.items()):
        is_servers = name.partition(".")[0] in _LOGGERS or name.startswith(_OURS)
        if is_servers and isinstance(logger, logging.Logger):
            logger.addFilter(OneLine())
    for name in _ELSEWHERE:
        logging.root.manager.getLogger(name).addFilter(OneLine())
    for name in _FAILING:  # which need not be there yet
        logging.root.manager.getLogger(name).addFilter(Few())
