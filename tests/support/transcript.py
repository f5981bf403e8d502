"""All the words of a page as plain text, an element a line: what the snapshots in tests/pages/words hold."""

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

_CODE = 200
"""Characters of what Setup offers to copy, which has tests of its own."""
_ROWS = 2
"""Of a grid: enough to see how its cells are worded."""


def of(app: AppTest, *, beside: bool = False) -> str:
    """The words of a page, in the order in which they stand there; with `beside`, also those at its side."""
    side = [] if beside else list(app.sidebar)
    return "\n".join(line for node in app._tree if node not in side for line in _lines(node))


def _lines(node: Any) -> Iterator[str]:
    if getattr(node, "proto", None) is None:
        return
    proto = MessageToDict(node.proto)
    proto |= next((proto[kind] for kind in ("expander", "popover", "tab") if kind in proto), {})
    texts = [
        str(proto[name]) for name in ("label", "title", "body", "delta", "codeText", "placeholder") if name in proto
    ]
    texts += [option if isinstance(option, str) else option.get("content", "") for option in proto.get("options", [])]
    text = " | ".join(text for text in texts if text != "---")
    if node.type == "html":
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)  # no words
        text = unescape(re.sub(r"<[^>]+>", "", re.sub(r"<(p|div|h\d|li|tr|td|th|dt|dd|span|br)\b", r" <\1", text)))
    if node.type == "code" and len(text) > _CODE:
        text = f"{text[:_CODE]}… ({len(text)} characters)"
    if text:
        yield f"{node.type}: {' '.join(text.split())}"
    if node.type == "dataframe":
        yield from _grid(node.value, json.loads(proto.get("columns") or "{}"))
    if node.type == "plotly_chart":
        yield from _chart(json.loads(proto["spec"]))
    yield from (f"  {name}: {proto[name]}" for name in ("alt", "help") if name in proto)


def _grid(frame: Any, columns: dict[str, Any]) -> Iterator[str]:
    heads = [columns.get(name, {}).get("label") or name for name in frame.columns]
    yield f"dataframe of {len(frame)}: {' | '.join(map(str, heads))}"
    for row in frame.head(_ROWS).itertuples(index=False):
        yield f"  row: {' | '.join(' '.join(str(cell).split()) for cell in row)}"
    yield from (f"  {name}: {column['help']}" for name, column in columns.items() if column.get("help"))


def _chart(spec: dict[str, Any]) -> Iterator[str]:
    names = [trace["name"] for trace in spec["data"] if trace.get("name")]
    layout = spec["layout"]
    axes = [
        axis["title"]["text"] for name, axis in layout.items() if "axis" in name and axis.get("title", {}).get("text")
    ]
    notes = [note["text"] for note in layout.get("annotations", []) if note.get("text")]
    yield f"plotly_chart: {' | '.join([*names, *axes, *notes])}"
