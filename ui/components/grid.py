"""Tables on a page: their columns, hidden characters made visible, and the record that a click on its name opens."""

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from wording import foreign_text, formats

Columns = Mapping[str, Any]

_CLICK = "_open"
_NO_NAME = "Open"
_LONGEST = 2_000  # characters of a cell; the whole text is where the record is


def moment(label: str, zone: ZoneInfo, *, pinned: bool = False) -> Any:
    """A column of times in the reader's zone."""
    return st.column_config.DatetimeColumn(
        label, format="D MMM YYYY, HH:mm", timezone=zone.key, width="medium", pinned=pinned
    )


def relative(label: str, zone: ZoneInfo) -> Any:
    """A column of times as how long ago they were."""
    return st.column_config.DatetimeColumn(label, format="distance", timezone=zone.key)


def right_aligned(label: str, explain: str | None = None) -> Any:
    """A column of numbers that are written as text."""
    return st.column_config.TextColumn(label, help=explain, alignment="right")


def key_of(name: str, rows: Iterable[str]) -> str:
    """The key of a grid that shows just these rows: it remembers which row was chosen, not which record that was."""
    return f"{name}_{zlib.crc32('|'.join(rows).encode(errors='replace')):08x}"


def matching(rows: pd.DataFrame, **values: str | None) -> pd.DataFrame:
    """The rows whose columns have the wanted values; None stands for any."""
    for column, value in values.items():
        if value is not None:
            rows = rows[rows[column] == value]
    return rows.reset_index(drop=True)


def literal(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for a grid: hidden characters visible, and no cell so long that the browser labours over it."""
    readable = rows.copy()
    for name in readable.columns:
        if not pd.api.types.is_numeric_dtype(readable[name].dtype) and not isinstance(
            readable[name].dtype, pd.DatetimeTZDtype
        ):
            readable[name] = readable[name].map(
                lambda cell: foreign_text.short(cell, _LONGEST) if isinstance(cell, str) else cell
            )
    return readable


def pick(
    rows: pd.DataFrame,
    columns: Columns,
    *,
    opens: str,
    order: Sequence[str] | None = None,
    bold: Mapping[str, Sequence[bool]] | None = None,
    key: str,
    alt: str,
) -> int | None:
    """A table of which a row is opened by a click on its cell in the column `opens`; its position, None before.

    By keyboard, the box at the beginning of the row does the same. Of all columns, those of `order` are in sight. The
    columns of `bold` are changes in bands; it says which of them stand out.
    """
    event = _grid(rows, columns, opens, key, alt, "rerun", order, bold)
    return None if event is None else _opened(event, key, len(rows))


def on_pick(
    rows: pd.DataFrame, columns: Columns, act: Callable[[int], None], *, opens: str, key: str, alt: str
) -> None:
    """A table that calls `act` with a row's position, once each time that one is opened.

    For pages that stay: there the choice lives on in the grid, while the rows under it may change.
    """

    number = len(rows)

    def changed() -> None:
        row = _opened(st.session_state[key], key, number)
        if row is not None:
            act(row)

    _grid(rows, columns, opens, key, alt, changed)


def _grid(
    rows: pd.DataFrame,
    columns: Columns,
    opens: str,
    key: str,
    alt: str,
    on_select: Any,
    order: Sequence[str] | None = None,
    bold: Mapping[str, Sequence[bool]] | None = None,
) -> Any:
    if rows.empty:
        st.text("Nothing matches these filters.")
        return None
    cells = literal(rows)
    cells[opens] = [_button(str(name)) if name else _NO_NAME for name in cells[opens]]
    named = {name: columns.get(opens, {}).get(name) for name in ("label", "width", "help")}
    button = st.column_config.ButtonColumn(
        **named,
        pinned=columns.get(opens, {}).get("pinned", True),
        type="tertiary",
        alignment="left",
        key=f"{key}{_CLICK}",
        on_click=on_select if callable(on_select) else None,
    )
    return st.dataframe(
        _with_bold(cells, bold, key) if bold else cells,
        column_config={**columns, opens: button},
        column_order=order,
        hide_index=True,
        key=key,
        on_select=on_select,
        # Not cells: whoever comes by with the Tab key would choose the first one.
        selection_mode="single-row",
        placeholder=formats.UNKNOWN,
        alt=f"{alt}. Shift and Space choose a row.",
    )


def _button(name: str) -> str:
    """A name for a button: Streamlit would draw an icon for such a word, and read what stands in brackets as JSON."""
    name = name.replace(":material/", ":\u2060material/")
    return f"\u2060{name}" if name.lstrip().startswith("[") else name


def _with_bold(cells: pd.DataFrame, bold: Mapping[str, Sequence[bool]], key: str) -> Styler:
    """The table, a second one of all cells as texts, and the name of each bold cell: the browser gets all of them."""
    styled = cells.style.set_uuid(f"{zlib.crc32(key.encode()):x}").format(_change, subset=list(bold))
    # Of small charts and of times the texts are not looked at, and they are the longest.
    styled = styled.format(_nothing, subset=[name for name in cells.columns if _has_no_text(cells[name])])
    for name, stands_out in bold.items():
        weights = ["font-weight:700" if is_bold else "" for is_bold in stands_out]
        styled = styled.apply(lambda _, weights=weights: weights, subset=[name])
    return styled


def _has_no_text(column: "pd.Series[Any]") -> bool:
    return isinstance(column.dtype, pd.DatetimeTZDtype) or any(isinstance(cell, list) for cell in column)


def _nothing(_: Any) -> str:
    return ""


def _change(value: Any) -> str:
    return formats.change(value) or ""


def _opened(event: Any, key: str, number: int) -> int | None:
    """The position of the row that was opened, of `number` rows; the click can be older than these."""
    click = st.session_state.get(f"{key}{_CLICK}")
    positions = [click["row"]] if click else event["selection"]["rows"]
    return next((int(row) for row in positions if row < number), None)
