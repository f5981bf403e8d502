"""Charts on a page. Plotly takes longer to make a figure than a page takes for all else, so each is made once."""

import pickle
import threading
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import streamlit as st
from cachetools import LRUCache, cached

from ui.components import charts
from ui.components.charts import Finished

_MOST = 200


def show(make: Callable[..., Any], *args: Any, key: str, alt: str, **named: Any) -> None:
    """Show the figure that `make`, a function of `charts`, makes of the arguments; `alt` is its text alternative."""
    figure = _figure(make, *args, **named)
    st.plotly_chart(
        figure,
        key=key,
        width="content" if "width" in figure.to_dict()["layout"] else "stretch",
        config=charts.CONFIG,
        alt=alt,
    )


def pick(make: Callable[..., Any], *args: Any, key: str, alt: str, **named: Any) -> Any | None:
    """The same, and what the point that the reader selected carries as customdata; None while none is selected."""
    event = st.plotly_chart(
        _figure(make, *args, **named),
        key=key,
        on_select="rerun",
        selection_mode="points",
        config=charts.CONFIG,
        alt=alt,
    )
    return next((p["customdata"] for p in event["selection"]["points"] if p.get("customdata")), None)


def on_pick(make: Callable[..., Any], *args: Any, act: Callable[[Any], None], key: str, alt: str, **named: Any) -> None:
    """The same for pages that stay: `act` is called with what the point carries, once each time one is selected."""

    def changed() -> None:
        points = st.session_state[key]["selection"]["points"]
        if carried := next((p["customdata"] for p in points if p.get("customdata")), None):
            act(carried)

    st.plotly_chart(
        _figure(make, *args, **named),
        key=key,
        on_select=changed,
        selection_mode="points",
        config=charts.CONFIG,
        alt=alt,
    )


def _digest(make: Callable[..., Any], *args: Any, **named: Any) -> bytes:
    return blake2b(pickle.dumps((make.__name__, args, sorted(named.items()))), digest_size=16).digest()


@cached(LRUCache(_MOST), key=_digest, lock=threading.Lock())
def _figure(make: Callable[..., Any], *args: Any, **named: Any) -> Finished:
    """The figure, shared by all who see the same. What differs in anything is another one."""
    return Finished(make(*args, **named))
