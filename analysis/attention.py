"""The class at a glance: where each student stands, and by which rules one needs the teacher's attention."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import pandas as pd

from analysis import job_states, progress
from analysis.progress import Attempts, Progress, Weakest
from data.roster import Roster
from data.schema import FAILED, PROCESSING, TYPES

Rule: TypeAlias = Literal["lost", "falling", "below", "weakest", "away"]
RULES: tuple[Rule, ...] = ("lost", "falling", "below", "weakest", "away")
"""Every rule, the most urgent first."""

_RECENT = 12  # attempts of a sparkline


@dataclass(frozen=True, slots=True)
class Rules:
    """When a student needs attention; None and False switch a rule off.

    `away`: days without an evaluation. `below`: bands below the target. `weakest`: bands by which the lowest criterion
    is below the median of the others. `falling`: the trend is. `lost`: a failed job that was not done again.
    """

    away: int | None = 14
    below: float | None = 1.0
    weakest: float | None = 1.0
    falling: bool = True
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that a student meets. `amount` is in days (away), bands (below, weakest), bands a month, or results."""

    rule: Rule
    amount: float
    skill: str | None = None
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """One skill of one student: progress, change since the period began (NaN unknown), the newest bands in order."""

    progress: Progress
    change: float
    recent: tuple[float, ...]

    @property
    def weakest(self) -> Weakest | None:
        """The lowest criterion."""
        return progress.weakest(self.progress.criteria)


@dataclass(frozen=True, slots=True)
class Student:
    """One student of the class. `evaluations` are those of the period, `lost` the failed ones never done again."""

    user_id: str
    standings: dict[str, Standing]
    evaluations: int
    lost: int
    last_seen: datetime | None

    def only(self, skills: Sequence[str]) -> "Student":
        """The student with some of the skills' standings; what counts evaluations stays as it is."""
        return replace(self, standings={name: s for name, s in self.standings.items() if name in skills})

    @property
    def weakest(self) -> tuple[str, Weakest] | None:
        """The skill and the criterion that is farthest below the others, of both skills."""
        found = [(skill, standing.weakest) for skill, standing in self.standings.items()]
        known = [(skill, low) for skill, low in found if low is not None]
        return max(known, key=lambda pair: pair[1].gap) if known else None


@dataclass(frozen=True, slots=True)
class Row:
    """A student with the reasons to look at."""

    student: Student
    flags: list[Flag]


def everybody(evaluations: pd.DataFrame, first: datetime, now: datetime) -> list[Student]:
    """Everybody with an evaluation, last seen first; what is counted is counted from `first` to `now`.

    `evaluations` are in any order, and reach back 180 days or to `first`, whichever is earlier: levels and trends look
    back 180 days. Evaluations whose student cannot be read are left out: they are nobody's.
    """
    known = evaluations[evaluations["user_id"].notna()]
    shown = known[known["created_at"] >= first]
    gone = _lost(known, now)
    lost_ones = gone[gone["created_at"] >= first]["user_id"].value_counts()
    skills = {skill: progress.by_student(known, skill) for skill in TYPES}
    nothing = {skill: progress.attempts(known.iloc[:0], skill) for skill in TYPES}
    counts = shown["user_id"].value_counts()
    last = known[known["created_at"].notna()].groupby("user_id", sort=True)["created_at"].max()
    found = [
        Student(
            user_id=user_id,
            standings={skill: _standing(skills[skill].get(user_id, nothing[skill]), first, now) for skill in TYPES},
            evaluations=int(counts.get(user_id, 0)),
            lost=int(lost_ones.get(user_id, 0)),
            last_seen=last_seen,
        )
        for user_id, last_seen in zip(map(str, last.index), last, strict=True)
    ]
    return sorted(found, key=lambda student: student.last_seen or now, reverse=True)


def absent(roster: Roster, present: Iterable[Student]) -> list[Student]:
    """The roster's students who are not among those `present`: nothing is known of them but that."""
    seen = {student.user_id for student in present}
    return [Student(user_id, {}, 0, 0, None) for user_id in roster.students if user_id not in seen]


def flags(student: Student, target: float, rules: Rules, now: datetime) -> list[Flag]:
    """The rules that a student meets, the most urgent first."""
    found: list[Flag] = []
    if rules.lost and student.lost:
        found.append(Flag("lost", student.lost))
    for skill, standing in student.standings.items():
        trend, low = standing.progress.trend, standing.weakest
        if rules.falling and trend.word == "falling":
            found.append(Flag("falling", trend.slope, skill))
        if rules.below is not None and target - standing.progress.level >= rules.below:
            found.append(Flag("below", target - standing.progress.level, skill))
        if rules.weakest is not None and low is not None and low.gap >= rules.weakest:
            found.append(Flag("weakest", low.gap, skill, low.criteria))
    if rules.away is not None:
        away = math.inf if student.last_seen is None else (now - student.last_seen) / timedelta(days=1)
        if away >= rules.away:
            found.append(Flag("away", away))
    return sorted(found, key=lambda flag: RULES.index(flag.rule))


def urgency(found: list[Flag]) -> tuple[int, int]:
    """What to sort by, most urgent first: how urgent the first flag is, then how many there are."""
    return (min((RULES.index(flag.rule) for flag in found), default=len(RULES)), -len(found))


@dataclass(frozen=True, slots=True)
class Group:
    """Students who share a weakest criterion: (user_id, its level), lowest first; `middle` is the median level."""

    skill: str
    criterion: str
    students: tuple[tuple[str, float], ...]

    @property
    def middle(self) -> float:
        """The median of the students' levels in the criterion."""
        return progress.median([level for _, level in self.students])


def groups(students: Iterable[Student], skills: Sequence[str]) -> list[Group]:
    """The students by their weakest criterion of each skill, the largest group first; a tie puts one into several.

    Of four criteria, three that tie are no weakness: they are in no group.
    """
    found: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for student in students:
        for skill in skills:
            low = student.standings[skill].weakest if skill in student.standings else None
            if low is None or not low.gap:
                continue
            for criterion in low.criteria:
                found.setdefault((skill, criterion), []).append((student.user_id, low.level))
    whole = [
        Group(skill, criterion, tuple(sorted(members, key=lambda member: (member[1], member[0]))))
        for (skill, criterion), members in found.items()
    ]
    return sorted(whole, key=lambda group: (-len(group.students), group.skill, group.criterion))


def lost(evaluations: pd.DataFrame, now: datetime) -> int:
    """How many of these evaluations failed or got stuck and were not done again."""
    return len(_lost(evaluations, now))


def _lost(evaluations: pd.DataFrame, now: datetime) -> pd.DataFrame:
    if not evaluations["status"].isin([FAILED, PROCESSING]).any():
        return evaluations.iloc[:0]  # mostly so, and looking closer takes longer
    labelled = job_states.with_states(evaluations.rename(columns={"evaluation_type": "kind"}), now)
    return labelled[labelled["state"].isin(["failed", "stuck"]) & ~labelled["recovered"]]


def _standing(attempts: Attempts, first: datetime, now: datetime) -> Standing:
    found = progress.progress(attempts, now)
    # Only what is in the window: what else was read, for a longer period, must not change a number.
    window = attempts.since(now - progress.WINDOW)
    recent = tuple(window.bands[-_RECENT:].tolist())
    return Standing(found, found.level - progress.level_before(window, first), recent)
