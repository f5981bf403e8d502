"""Columns of the tables: what each is called, how it is formatted, what its help says."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from analysis import jobs
from data.parse import Issue
from data.schema import BANDS, CRITERIA, OVERALL, SPEAKING, WRITING
from ui import formats

Columns = Mapping[str, Any]

ODD = "Unreadable or odd"

_BAND_NAMES = {OVERALL: "Band", **CRITERIA[WRITING], **CRITERIA[SPEAKING]}


def state_labels(rows: pd.DataFrame, now: datetime) -> list[str]:
    """Icon and word for each row's status and age; an unknown status is shown as it is."""
    labels = []
    for status, created_at in zip(rows["status"], rows["created_at"], strict=True):
        moment = formats.known(created_at)
        name = jobs.state(status, moment, now)
        if name == "unknown" and status not in (None, ""):
            labels.append(f"? {status}")
        else:
            labels.append(formats.state(name, None if moment is None else now - moment))
    return labels


def issue_text(issues: Iterable[Issue]) -> str:
    """Issues on one line."""
    return "; ".join(
        f"{issue.attribute}{f' “{issue.value}”' if issue.value else ''}: {issue.reason}" for issue in issues
    )


def band_text(values: pd.Series) -> pd.Series:
    """Bands as text: none is rounded, an unknown one reads as a dash, and they sort as they should (one digit each)."""
    return values.map(formats.band)


def moment(label: str, zone: ZoneInfo, *, pinned: bool = False) -> Any:
    """A column of times in the reader's zone."""
    return st.column_config.DatetimeColumn(
        f"{label} ({zone.key})", format="D MMM YYYY, HH:mm", timezone=zone.key, width="medium", pinned=pinned
    )


def history(rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """A student's history as it is shown: without the criteria and remarks that none of the rows has."""
    bands = [band for band in BANDS if band == OVERALL or rows[band].notna().any()]
    return _without_empty_remarks(
        {
            "When": rows["created_at"],
            "Skill": rows["evaluation_type"].map(
                lambda kind: {WRITING: "Writing", SPEAKING: "Speaking"}.get(kind, kind)
            ),
            "Status": state_labels(rows, now),
            ODD: [issue_text(issues) for issues in rows["issues"]],
            **{_BAND_NAMES[band]: band_text(rows[band]) for band in bands},
            "Model": rows["model_used"],
            "Id": rows["evaluation_id"],
        }
    )


def history_columns(zone: ZoneInfo) -> Columns:
    """Columns of `history`."""
    return {
        "When": moment("When", zone, pinned=True),
        **{name: _band_column(name) for name in _BAND_NAMES.values()},
        ODD: st.column_config.TextColumn(
            help="What in the record departs from the specification. The rest of the row is as recorded."
        ),
    }


def students(rows: pd.DataFrame) -> pd.DataFrame:
    """The class as it is shown."""
    return pd.DataFrame(
        {
            "Student": rows["user_id"],
            "Writing": band_text(rows[WRITING]),
            "Speaking": band_text(rows[SPEAKING]),
            "Evaluations": rows["evaluations"],
            "Failed": rows["failed"],
            "Last seen": rows["last_seen"],
        }
    )


def students_columns(zone: ZoneInfo) -> Columns:
    """Columns of `students`."""
    return {
        "Student": st.column_config.TextColumn(pinned=True, help="The student's id as the records have it (user_id)."),
        "Writing": _band_column("Writing", "The band of the latest completed Writing evaluation in the period."),
        "Speaking": _band_column("Speaking", "The band of the latest completed Speaking evaluation in the period."),
        "Evaluations": st.column_config.NumberColumn(help="Evaluations in the period, of every status."),
        "Failed": st.column_config.NumberColumn(help="Evaluations in the period that failed."),
        "Last seen": moment("Last seen", zone),
    }


def sets(rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Flashcard sets as they are shown."""
    return _without_empty_remarks(
        {
            "When": rows["created_at"],
            "Document": rows["document_id"].map(lambda key: (key or "").rsplit("/", 1)[-1] or None),
            "Status": state_labels(rows, now),
            ODD: [issue_text(issues) for issues in rows["issues"]],
            "Cards": rows["total_cards"],
            "Pages": rows["page_count"],
            "Chunks": rows["chunk_count"],
            "Id": rows["set_id"],
        }
    )


def sets_columns(zone: ZoneInfo) -> Columns:
    """Columns of `sets`."""
    return {
        "When": moment("When", zone, pinned=True),
        "Cards": st.column_config.NumberColumn(format="%d"),
        "Pages": st.column_config.NumberColumn(format="%d", help="Pages of the source document."),
        "Chunks": st.column_config.NumberColumn(format="%d", help="Pieces of text that were indexed."),
    }


def _without_empty_remarks(columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of `columns`, without the one for what is odd when nothing is."""
    frame = pd.DataFrame(columns)
    return frame if frame[ODD].any() else frame.drop(columns=ODD)


def _band_column(label: str, explain: str | None = None) -> Any:
    return st.column_config.TextColumn(label, help=explain, alignment="right")


def matching(rows: pd.DataFrame, **wanted: str | None) -> pd.DataFrame:
    """The rows whose columns have the wanted values; None stands for any."""
    for column, value in wanted.items():
        if value is not None:
            rows = rows[rows[column] == value]
    return rows.reset_index(drop=True)


def pick(rows: pd.DataFrame, columns: Columns, *, key: str, alt: str) -> int | None:
    """A table in which a click on a row, or on any of its cells, chooses it; the row's position, None before."""
    event = _grid(rows, columns, key, alt, "rerun")
    chosen = None if event is None else _chosen(event)
    return chosen[0] if chosen and chosen[0] < len(rows) else None


def on_pick(
    rows: pd.DataFrame, columns: Columns, act: Callable[[int, str | None], None], *, key: str, alt: str
) -> None:
    """A table that calls `act` with a row's position and the clicked column (None: the whole row), once per click.

    For pages that stay: there the choice lives on in the grid, while the rows under it may change.
    """

    def changed() -> None:
        chosen = _chosen(st.session_state[key])
        if chosen and chosen[0] < len(rows):
            act(*chosen)

    _grid(rows, columns, key, alt, changed)


def _grid(rows: pd.DataFrame, columns: Columns, key: str, alt: str, on_select: Any) -> Any:
    if rows.empty:
        st.text("Nothing matches these filters.")
        return None
    return st.dataframe(
        rows,
        column_config=columns,
        hide_index=True,
        key=key,
        on_select=on_select,
        selection_mode=["single-row", "single-cell"],
        placeholder=formats.UNKNOWN,
        alt=alt,
    )


def _chosen(event: Any) -> tuple[int, str | None] | None:
    picked: list[tuple[int, str | None]] = [(row, None) for row in event["selection"]["rows"]]
    picked += [(row, column) for row, column in event["selection"]["cells"]]
    return picked[0] if picked else None
