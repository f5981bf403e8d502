"""The dashboard as it is, with a clock that can be moved and a view of its inside: what `bench/refresh.py` starts.

`/_bench?ahead=3600` moves the clock to an hour ahead of the real one; `/_bench` tells what the server holds.
"""

import gc
import pickle
import sys
import time
from datetime import datetime as real
from datetime import timedelta, tzinfo
from types import SimpleNamespace
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import Runtime
from streamlit.runtime.caching import cache_utils

from bench import ROOT

_ahead = 0.0
_cost = {"requests": 0, "units": 0.0}
_TELLING = (
    "data.dynamodb.store",
    "ui.shell.page",
    "queries.cache",
    "queries.window",
    "queries.records",
    "ui.shell.sign_in",
)
"""The modules that ask what time it is."""


class _OfAny(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, real)


class Moved(real, metaclass=_OfAny):
    """A datetime whose now is ahead; what it gives are plain datetimes."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        """The moved time."""
        return real.now(tz) + timedelta(seconds=_ahead)


def _monotonic() -> float:
    return time.monotonic() + _ahead


# How old a kept answer is, by the same clock. The limits on waiting keep the real one.
cache_utils.TTLCACHE_TIMER = _monotonic


def move() -> None:
    """Give the modules of the dashboard, which must be loaded, this clock; and count what they ask DynamoDB."""
    for name in _TELLING:
        module: Any = sys.modules[name]
        module.datetime = Moved
    store: Any = sys.modules["data.dynamodb.store"]
    store.time = SimpleNamespace(**{**vars(time), "monotonic": _monotonic})
    events = sys.modules["queries.source"].store().client.meta.events
    events.register("before-call.dynamodb", _sent, unique_id="bench-sent")
    events.register("after-call.dynamodb", _came, unique_id="bench-came")


def _sent(model: Any, **_: Any) -> None:
    if not model.name.startswith(("Describe", "List")):
        _cost["requests"] += 1


def _came(parsed: Any, **_: Any) -> None:
    capacity = parsed.get("ConsumedCapacity") or []
    for part in capacity if isinstance(capacity, list) else [capacity]:
        _cost["units"] += float(part.get("CapacityUnits") or 0.0)


def held() -> dict[str, float]:
    """What the server holds: Python's own blocks of memory, what sessions and older answers hold, and what it asked."""
    gc.collect()
    cache = sys.modules["queries.session"].cache
    states = [info.session.session_state for info in Runtime.instance()._session_mgr.list_active_sessions()]
    values = [value for state in states for value in state.filtered_state.values()]
    return {
        **_cost,
        "blocks": sys.getallocatedblocks(),
        "questions": len(cache._entries),
        "questions_bytes": cache.octets,
        "session_values": len(values),
        "session_bytes": sum(_octets(value) for value in values),
    }


def _octets(value: Any) -> int:
    try:
        return len(pickle.dumps(value))
    except Exception:  # noqa: BLE001 - whatever cannot be pickled is small here, and shows in the blocks
        return 0


def _answer(request: Request) -> JSONResponse:
    global _ahead  # noqa: PLW0603 - the one clock of this process
    if (ahead := request.query_params.get("ahead")) is not None:
        if sys.modules["ui.shell.page"].datetime is not Moved:  # type: ignore[attr-defined]
            move()
        _ahead = float(ahead)
        return JSONResponse({})
    return JSONResponse(held())


if __name__ != "__main__":  # the server imports it
    app = st.App(ROOT / "dashboard.py", routes=[Route("/_bench", _answer)])
