"""Charts on a page. Plotly takes longer to make a figure than a page takes for all else, so each is made once."""

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import streamlit as st

from ui.components import charts
from ui.components.charts import Finished

_MOST = 200
_made: OrderedDict[bytes, Finished] = OrderedDict()
_lock = threading.Lock()


def show(make: Callable[..., Any], *args: Any, key: str, alt: str, **named: Any) -> None:
    """Show the figure that `make`, a function of ui.charts, makes of the arguments; `alt` is its text alternative."""
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


def _figure(make: Callable[..., Any], *args: Any, **named: Any) -> Finished:
    """The figure, shared by all who see the same. What differs in anything is another one."""
    said = pickle.dumps((make.__name__, args, sorted(named.items())))
    digest = blake2b(said, digest_size=16).digest()
    with _lock:
        if digest in _made:
            _made.move_to_end(digest)
            return _made[digest]
    figure = Finished(make(*args, **named))
    with _lock:
        _made[digest] = figure
        while len(_made) > _MOST:
            _made.popitem(last=False)
    return figure
