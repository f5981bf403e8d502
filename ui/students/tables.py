"""The tables about students, on a page and in files: history, flashcard sets, class, groups."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from analysis import attention, job_states, tasks
from analysis.attention import Row
from analysis.job_states import USUAL, Thresholds
from analysis.levels.progress import Progress
from data.records.flashcards import document_name
from data.records.parse import Issue
from data.roster import Roster, Student
from data.schema import BANDS, CRITERIA, CRITERION_NAMES, OVERALL, WRITING
from ui.components import grid
from ui.shell.clock import Clock
from wording import formats, verdicts
from wording.skills import SKILL_COLOURS, SKILL_NAMES

ODD = "Data problems"
_BAND_NAMES = {OVERALL: "Band", **CRITERION_NAMES}
_ALL_NAMES = {*_BAND_NAMES.values(), *(name for task in tasks.TASKS for name in tasks.criterion_names(task).values())}


def history(rows: pd.DataFrame, clock: Clock) -> pd.DataFrame:
    """A student's history as it is shown: without the criteria and remarks that none of the rows has."""
    bands = [band for band in BANDS if band == OVERALL or rows[band].notna().any()]
    names = {**_BAND_NAMES, **tasks.criterion_names(tasks.shared(rows))}
    return _without_empty_remarks(
        {
            "Date": [formats.stamp(moment, clock.zone, clock.now) for moment in rows["created_at"]],
            "Skill": [_skill(*of) for of in zip(rows["evaluation_type"], rows["model_used"], strict=True)],
            "Status": state_labels(rows, clock.now),
            ODD: [issue_text(issues) for issues in rows["issues"]],
            **{names[band]: _bands(rows, band) for band in bands},
            "ID": rows["evaluation_id"],
        }
    )


def history_columns() -> grid.Columns:
    """Columns of `history`."""
    return {
        **{name: grid.right_aligned(name) for name in _ALL_NAMES},
        ODD: st.column_config.TextColumn(
            help="What in the record does not match the expected format. The rest of the row is as recorded."
        ),
    }


def sets(rows: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """Flashcard sets as they are shown."""
    return _without_empty_remarks(
        {
            "Document": rows["document_id"].map(lambda key: document_name(key) or None),
            "Date": rows["created_at"],
            "Status": state_labels(rows, now),
            ODD: [issue_text(issues) for issues in rows["issues"]],
            "Cards": rows["total_cards"],
            "Pages": rows["page_count"],
            "ID": rows["set_id"],
        }
    )


def sets_columns(zone: ZoneInfo) -> grid.Columns:
    """Columns of `sets`."""
    return {
        "Date": grid.moment("Date", zone),
        "Cards": st.column_config.NumberColumn(format="%d"),
        "Pages": st.column_config.NumberColumn(format="%d", help="Pages of the source document."),
    }


def students(rows: Sequence[Row], roster: Roster, skills: Sequence[str]) -> pd.DataFrame:
    """The class as it is shown; without the columns that the roster says nothing for."""
    entries = [roster.student(row.student.user_id) for row in rows]
    columns: dict[str, Any] = {
        "Student": [student.label for student in entries],
        "Why": [verdicts.brief_reasons(row.flags) or None for row in rows],
        "Next step": [verdicts.action(row.flags) or None for row in rows],
    }
    for skill in skills:
        name = SKILL_NAMES[skill]
        standings = [row.student.standings.get(skill) for row in rows]
        columns |= {
            name: [formats.UNKNOWN if s is None else verdicts.level(s.progress) for s in standings],
            # To one decimal, as a grid without anything bold shows them; a zero has no sign.
            f"{name} change": [
                math.nan if s is None or s.change is None else round(s.change.bands, 1) + 0.0 for s in standings
            ],
            f"{name} attempts": [list(s.recent) if s else [] for s in standings],
        }
    columns |= {
        "Class": [student.class_name or None for student in entries],
        "Target": [formats.band(student.target) for student in entries],
        "Test": _tests(entries),
        "Weakest criterion": [_weakest(row.student) for row in rows],
        "Evaluations": [row.student.evaluations for row in rows],
        "Last active": pd.Series([row.student.last_seen for row in rows], dtype="datetime64[us, UTC]"),
        "Missing results": [row.student.lost for row in rows],
        "ID": [row.student.user_id for row in rows],
    }
    return pd.DataFrame(columns).drop(columns=_silent(entries))


def in_sight(skills: Sequence[str]) -> list[str]:
    """The columns of `students` that are in sight; the others can be added. Of one skill the change is in sight."""
    of_skills = [SKILL_NAMES[skill] for skill in skills]
    if len(skills) == 1:
        of_skills.append(f"{of_skills[0]} change")
    return ["Student", "Why", "Next step", *of_skills, "Target", "Last active"]


def beyond_noise(rows: Sequence[Row], skills: Sequence[str]) -> dict[str, list[bool]]:
    """For the column of changes in sight, if one is: which of them chance alone hardly makes.

    Not for columns that are out of sight: a grid with anything bold is twice as large and as long in the making.
    """
    if len(skills) != 1:
        return {}
    standings = [row.student.standings.get(skills[0]) for row in rows]
    return {f"{SKILL_NAMES[skills[0]]} change": [bool(s and s.change and s.change.beyond_noise) for s in standings]}


def students_columns(scale: tuple[int, int], zone: ZoneInfo, period: str, *, has_bold: bool = False) -> grid.Columns:
    """Columns of `students`; the small charts share one scale."""
    low, high = scale
    skills: dict[str, Any] = {}
    for skill, name in SKILL_NAMES.items():
        skills |= {
            name: grid.right_aligned(name, verdicts.LEVEL_HELP),
            f"{name} change": st.column_config.NumberColumn(
                "Change",
                width=70,
                help=f"{name}, in the last {period}. "
                f"{verdicts.CHANGE_IN_SIGHT_HELP if has_bold else verdicts.CHANGE_HELP}",
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
        "Why": st.column_config.TextColumn(width=330, help="Which rules of attention the student meets."),
        "Next step": st.column_config.TextColumn(
            width=150, help="For the weightiest reason. The student's page has more."
        ),
        **skills,
        "Target": grid.right_aligned("Target", "The band that the roster names."),
        "Test": _test_column(),
        "Weakest criterion": st.column_config.TextColumn(help=verdicts.WEAKEST_HELP),
        "Evaluations": st.column_config.NumberColumn(help=f"In the last {period}, of every skill and status."),
        "Last active": grid.relative("Last active", zone),
        "Missing results": st.column_config.NumberColumn(
            help="Failed or stuck jobs that did not succeed within a day."
        ),
    }


def students_file(rows: Sequence[Row], roster: Roster, skills: Sequence[str]) -> pd.DataFrame:
    """The class for a file: numbers as numbers, what the levels and trends come from, name and id apart."""
    records = []
    for row in rows:
        entry = roster.student(row.student.user_id)
        record: dict[str, Any] = {
            "user_id": entry.user_id,
            "name": entry.name,
            "class": entry.class_name,
            "target_band": entry.target,
            "test_date": None if entry.test_at is None else entry.test_at.date(),
            "why": verdicts.reasons(row.flags),
        }
        for skill in skills:
            standing = row.student.standings.get(skill)
            of_skill = standing.progress if standing else Progress()
            change = standing.change if standing else None
            record |= {
                f"{skill}_level": of_skill.level,
                f"{skill}_level_low": of_skill.low,
                f"{skill}_level_high": of_skill.high,
                f"{skill}_attempts": of_skill.attempts,
                f"{skill}_last": of_skill.last,
                f"{skill}_trend": of_skill.trend.word,
                f"{skill}_bands_per_month": of_skill.trend.slope,
                f"{skill}_slope_low": of_skill.trend.low,
                f"{skill}_slope_high": of_skill.trend.high,
                f"{skill}_change": change.bands if change else math.nan,
                f"{skill}_change_margin": change.margin if change else math.nan,
            }
        records.append(
            record
            | {
                "weakest_criterion": _weakest(row.student),
                "evaluations": row.student.evaluations,
                "last_seen": row.student.last_seen,
                "missing_results": row.student.lost,
                "missing_results_practised_since": row.student.practised_since,
            }
        )
    frame = pd.DataFrame(records)
    times = [name for name in frame.columns if name == "last_seen" or name.endswith("_last")]
    return frame.astype(dict.fromkeys(times, "datetime64[us, UTC]"))


def group(members: Sequence[tuple[str, float]], roster: Roster) -> pd.DataFrame:
    """A group to teach as it is shown."""
    entries = [roster.student(user_id) for user_id, _ in members]
    frame = pd.DataFrame(
        {
            "Student": [student.label for student in entries],
            "Level": [f"{level:.1f}" for _, level in members],
            "Target": [formats.band(student.target) for student in entries],
            "Test": _tests(entries),
            "Class": [student.class_name or None for student in entries],
            "ID": [student.user_id for student in entries],
        }
    )
    return frame.drop(columns=_silent(entries))


def group_columns(criterion: str) -> grid.Columns:
    """Columns of `group`."""
    return {
        "Student": st.column_config.TextColumn(pinned=True),
        "Level": grid.right_aligned("Level", f"The level in the skill, moved by how {criterion} differs from it."),
        "Target": grid.right_aligned("Target"),
        "Test": _test_column(),
    }


def _test_column() -> Any:
    return st.column_config.DateColumn("Test", format="D MMM YYYY", width=105, help="The day of the test.")


def _tests(entries: Sequence[Student]) -> list[date | None]:
    return [None if student.test_at is None else student.test_at.date() for student in entries]


def state_labels(rows: pd.DataFrame, now: datetime, limits: Thresholds = USUAL) -> list[str]:
    """Icon and word for each row's status and age; an unknown status is shown as it is."""
    labels = []
    for status, created_at in zip(rows["status"], rows["created_at"], strict=True):
        moment = formats.time_or_none(created_at)
        name = job_states.state(status, moment, now, limits)
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


def with_issue_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Records for a file: the attributes under their own names, numbers as numbers, what is odd in words."""
    return rows.assign(issues=[issue_text(issues) for issues in rows["issues"]])


def _without_empty_remarks(columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of `columns`, without the one for what is odd when nothing is."""
    frame = pd.DataFrame(columns)
    return frame if frame[ODD].any() else frame.drop(columns=ODD)


def _bands(rows: pd.DataFrame, band: str) -> list[str]:
    """A band of each row; nothing, rather than a dash, where the row's skill has no such criterion."""
    return [
        ""
        if math.isnan(value) and band != OVERALL and kind in CRITERIA and band not in CRITERIA[kind]
        else formats.band(value)
        for kind, value in zip(rows["evaluation_type"], rows[band], strict=True)
    ]


def _skill(evaluation_type: str | None, model_used: str | None) -> str | None:
    task = tasks.of_model(model_used) if evaluation_type == WRITING else None
    name = SKILL_NAMES.get(evaluation_type or "", evaluation_type)
    return name if task is None else f"{name}, Task {task}"


def _silent(entries: Sequence[Student]) -> list[str]:
    """The columns for which the roster says nothing; without names, the id is the first column already."""
    says: dict[str, list[Any]] = {
        "Class": [student.class_name for student in entries],
        "ID": [student.name for student in entries],
        "Target": [not math.isnan(student.target) for student in entries],
        "Test": [student.test_at for student in entries],
    }
    return [name for name, values in says.items() if not any(values)]


def _weakest(student: attention.Student) -> str | None:
    if student.weakest is None:
        return None
    skill, low = student.weakest
    return f"{CRITERION_NAMES[low.criterion]} {low.level:.1f} ({SKILL_NAMES[skill]})"
