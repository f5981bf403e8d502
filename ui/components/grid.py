"""Columns of the tables: what each is called, how it is formatted, what its help says."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from analysis import job_states, progress
from analysis.attention import Row, Student
from data.records.parse import Issue
from data.roster import Roster
from data.roster import Student as Listed
from data.schema import BANDS, CRITERIA, OVERALL, SPEAKING, WRITING
from wording import foreign_text, formats, verdicts
from wording.skills import SKILL_COLOURS, SKILL_NAMES

Columns = Mapping[str, Any]

ODD = "Unreadable or odd"
_LONGEST = 2_000  # characters of a cell; the whole text is where the record is

_BAND_NAMES = {OVERALL: "Band", **CRITERIA[WRITING], **CRITERIA[SPEAKING]}


def state_labels(rows: pd.DataFrame, now: datetime) -> list[str]:
    """Icon and word for each row's status and age; an unknown status is shown as it is."""
    labels = []
    for status, created_at in zip(rows["status"], rows["created_at"], strict=True):
        moment = formats.known(created_at)
        name = job_states.state(status, moment, now)
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


def with_issue_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Records for a file: the attributes under their own names, numbers as numbers, what is odd in words."""
    return rows.assign(issues=[issue_text(issues) for issues in rows["issues"]])


def history_columns(zone: ZoneInfo) -> Columns:
    """Columns of `history`."""
    return {
        "When": moment("When", zone, pinned=True),
        **{name: _band_column(name) for name in _BAND_NAMES.values()},
        ODD: st.column_config.TextColumn(
            help="What in the record departs from the specification. The rest of the row is as recorded."
        ),
    }


def students(found: Sequence[Row], roster: Roster, skills: Sequence[str]) -> pd.DataFrame:
    """The class as it is shown; without the columns that the roster says nothing for."""
    known = [roster.student(row.student.user_id) for row in found]
    columns: dict[str, Any] = {
        "Student": [student.name or student.user_id for student in known],
        "Why": ["; ".join(verdicts.flag(flag) for flag in row.flags) or None for row in found],
    }
    for skill in skills:
        name = SKILL_NAMES[skill]
        standings = [row.student.standings.get(skill) for row in found]
        columns |= {
            name: [formats.UNKNOWN if s is None else formats.band(s.progress.level) for s in standings],
            f"{name} change": [math.nan if s is None else s.change for s in standings],
            f"{name} attempts": [list(s.recent) if s else [] for s in standings],
        }
    columns |= {
        "Class": [student.class_name or None for student in known],
        "Target": [formats.band(student.target) for student in known],
        "Weakest criterion": [_weakest(row.student) for row in found],
        "Evaluations": [row.student.evaluations for row in found],
        "Last seen": pd.Series([row.student.last_seen for row in found], dtype="datetime64[us, UTC]"),
        "Results lost": [row.student.lost for row in found],
        "Id": [row.student.user_id for row in found],
    }
    silent = _silent(known) + (["Target"] if all(math.isnan(student.target) for student in known) else [])
    return pd.DataFrame(columns).drop(columns=silent)


def students_columns(found: Sequence[Row], zone: ZoneInfo, period: str) -> Columns:
    """Columns of `students`; the small charts share one scale."""
    bands = [band for row in found for s in row.student.standings.values() for band in s.recent] or [4.0, 7.0]
    low, high = math.floor(min(bands)), max(math.ceil(max(bands)), math.floor(min(bands)) + 2)
    skills: dict[str, Any] = {}
    for skill, name in SKILL_NAMES.items():
        skills |= {
            name: _band_column(name, verdicts.LEVEL_HELP),
            f"{name} change": st.column_config.NumberColumn(
                "Change",
                format="%+g",
                width=64,
                help=f"The {name} level now against the level just before the last {period} began.",
            ),
            f"{name} attempts": st.column_config.LineChartColumn(
                "Attempts",
                width=90,
                y_min=low,
                y_max=high,
                color=SKILL_COLOURS[skill],
                help=f"The bands of up to twelve newest {name} attempts of the last 180 days, all on "
                f"a scale from {low} to {high}.",
            ),
        }
    return {
        "Student": st.column_config.TextColumn(
            pinned=True, width=130, help="The name in the roster, else the id of the records (user_id)."
        ),
        "Why": st.column_config.TextColumn(width=340, help="Which rules of attention the student meets."),
        **skills,
        "Target": _band_column("Target", "The band that the roster names."),
        "Weakest criterion": st.column_config.TextColumn(help=verdicts.WEAKEST_HELP),
        "Evaluations": st.column_config.NumberColumn(help=f"In the last {period}, of every skill and status."),
        "Last seen": moment("Last seen", zone),
        "Results lost": st.column_config.NumberColumn(help="Failed or stuck jobs that were not done again since."),
    }


def students_file(found: Sequence[Row], roster: Roster, skills: Sequence[str]) -> pd.DataFrame:
    """The class for a file: numbers as numbers, what the levels and trends come from, name and id apart."""
    records = []
    for row in found:
        known = roster.student(row.student.user_id)
        record: dict[str, Any] = {
            "user_id": known.user_id,
            "name": known.name,
            "class": known.class_name,
            "target_band": known.target,
            "why": "; ".join(verdicts.flag(flag) for flag in row.flags),
        }
        for skill in skills:
            standing = row.student.standings.get(skill)
            trend = standing.progress.trend if standing else progress.NOTHING
            record |= {
                f"{skill}_level": standing.progress.level if standing else math.nan,
                f"{skill}_change": standing.change if standing else math.nan,
                f"{skill}_attempts": standing.progress.attempts if standing else 0,
                f"{skill}_trend": trend.word,
                f"{skill}_bands_per_month": trend.slope,
                f"{skill}_interval_low": trend.low,
                f"{skill}_interval_high": trend.high,
            }
        records.append(
            record
            | {
                "weakest_criterion": _weakest(row.student),
                "evaluations": row.student.evaluations,
                "last_seen": row.student.last_seen,
                "results_lost": row.student.lost,
            }
        )
    frame = pd.DataFrame(records)
    if records:
        frame["last_seen"] = frame["last_seen"].astype("datetime64[us, UTC]")
    return frame


def group(members: Sequence[tuple[str, float]], roster: Roster) -> pd.DataFrame:
    """A group to teach as it is shown."""
    known = [roster.student(user_id) for user_id, _ in members]
    frame = pd.DataFrame(
        {
            "Student": [student.name or student.user_id for student in known],
            "Level": [formats.band(level) for _, level in members],
            "Class": [student.class_name or None for student in known],
            "Id": [student.user_id for student in known],
        }
    )
    return frame.drop(columns=_silent(known))


def group_columns(criterion: str) -> Columns:
    """Columns of `group`."""
    return {
        "Student": st.column_config.TextColumn(pinned=True),
        "Level": _band_column("Level", f"The median of {criterion} over the last three attempts."),
    }


def _silent(known: Sequence[Listed]) -> list[str]:
    """The columns for which the roster says nothing; without names, the id is the first column already."""
    return [name for name, of in (("Class", "class_name"), ("Id", "name")) if not any(getattr(s, of) for s in known)]


def _weakest(student: Student) -> str | None:
    found = student.weakest
    if found is None or not found[1].gap:
        return None
    skill, low = found
    return f"{verdicts.criteria(skill, low.criteria)} {formats.band(low.level)} ({SKILL_NAMES[skill]})"


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


def literal(rows: pd.DataFrame) -> pd.DataFrame:
    """The table for a grid: hidden characters visible, and no cell so long that the browser labours over it."""
    shown = rows.copy()
    for name in shown.columns:
        if not pd.api.types.is_numeric_dtype(shown[name].dtype) and not isinstance(
            shown[name].dtype, pd.DatetimeTZDtype
        ):
            shown[name] = shown[name].map(
                lambda cell: foreign_text.short(cell, _LONGEST) if isinstance(cell, str) else cell
            )
    return shown


def pick(rows: pd.DataFrame, columns: Columns, *, key: str, alt: str) -> int | None:
    """A table in which a row is chosen by the box at its beginning; the row's position, None before."""
    event = _grid(rows, columns, key, alt, "rerun")
    return None if event is None else _chosen(event, rows)


def on_pick(rows: pd.DataFrame, columns: Columns, act: Callable[[int], None], *, key: str, alt: str) -> None:
    """A table that calls `act` with a row's position, once each time that one is chosen.

    For pages that stay: there the choice lives on in the grid, while the rows under it may change.
    """

    def changed() -> None:
        chosen = _chosen(st.session_state[key], rows)
        if chosen is not None:
            act(chosen)

    _grid(rows, columns, key, alt, changed)


def _grid(rows: pd.DataFrame, columns: Columns, key: str, alt: str, on_select: Any) -> Any:
    if rows.empty:
        st.text("Nothing matches these filters.")
        return None
    return st.dataframe(
        literal(rows),
        column_config=columns,
        hide_index=True,
        key=key,
        on_select=on_select,
        # Not cells: whoever comes by with the Tab key would choose the first one.
        selection_mode="single-row",
        placeholder=formats.UNKNOWN,
        alt=f"{alt}. Shift and Space choose a row.",
    )


def _chosen(event: Any, rows: pd.DataFrame) -> int | None:
    """The position of the chosen row; the choice can be older than the rows."""
    return next((int(row) for row in event["selection"]["rows"] if row < len(rows)), None)
