"""The dashboard as it is, with a clock that can be moved and a view of its inside: what `bench/refresh.py` starts.

`/_bench?ahead=3600` moves the clock to an hour ahead of the real one; `/_bench` tells what the server holds.
"""

import gc
import pickle
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime import Runtime

from bench import ROOT

_ahead = 0.0
_cost = {"requests": 0, "units": 0.0}


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=_ahead)


def move() -> None:
    """Give the dashboard, which must be loaded, this clock; and count what it asks DynamoDB."""
    modules: Any = sys.modules
    modules["queries.session"].cache.clock = modules["data.dynamodb.reads"]._now = _now
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
        if sys.modules["queries.session"].cache.clock is not _now:
            move()
        _ahead = float(ahead)
        return JSONResponse({})
    return JSONResponse(held())


if __name__ != "__main__":  # the server imports it
    app = st.App(ROOT / "dashboard.py", routes=[Route("/_bench", _answer)])
