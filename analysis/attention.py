"""The class at a glance: where each student stands, and by which rules one needs the teacher's attention."""

import gc
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis import attempts, job_states, progress
from analysis.attempts import Cohort
from analysis.criteria import Weakest
from analysis.progress import Change, Noises, Progress
from data.roster import Roster
from data.schema import FAILED, PROCESSING, TYPES

Rule: TypeAlias = Literal["lost", "falling", "below", "weakest", "away"]
RULES: tuple[Rule, ...] = ("lost", "falling", "below", "weakest", "away")
"""Every rule, as addresses name them: missing result, declining, below target, weak criterion, inactive."""

_RECENT = 12  # attempts of a sparkline
_MOST = 3.0  # what one reason may weigh: no single one hides all the others


@dataclass(frozen=True, slots=True)
class Rules:
    """When a student needs attention; None and False switch a rule off.

    `away`: days without an evaluation. `below`: bands by which the level is surely below the target; with a test date,
    the target cannot be reached by then. `weakest`: bands by which a criterion is below the others, if that repeats.
    `falling`: the trend declines. `lost`: a failed job that was not done again.
    """

    away: int | None = 14
    below: float | None = 1.0
    weakest: float | None = 1.0
    falling: bool = True
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a student wants to be: the target, NaN without one, and when the test is, None without one."""

    target: float = math.nan
    test_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule that a student meets. `amount` is in days (away), bands (below, weakest), bands a month, or results.

    `weight` says how much and how sure: 1 is a reason that just counts. `needed` is the pace to the target by the day
    of the test, in bands a month, NaN without a test. `pace` is that of today, NaN unless the trend is told.
    """

    rule: Rule
    amount: float
    skill: str | None = None
    criterion: str | None = None
    weight: float = 1.0
    needed: float = math.nan
    pace: float = math.nan


@dataclass(frozen=True, slots=True)
class Standing:
    """One skill of one student: progress, change in the period (None without practice in it), the newest bands."""

    progress: Progress
    change: Change | None
    recent: tuple[float, ...]

    @property
    def weakest(self) -> Weakest | None:
        """The weakest criterion, where one is."""
        return self.progress.weakest


@dataclass(frozen=True, slots=True)
class Student:
    """One student of the class. `evaluations` are those of the period.

    `lost` are its failed ones that were not done again, `practised_since` how many of these have a later result.
    """

    user_id: str
    standings: dict[str, Standing]
    evaluations: int
    lost: int
    last_seen: datetime | None
    practised_since: int = 0

    def only(self, skills: Sequence[str]) -> "Student":
        """The student with some of the skills' standings; what counts evaluations stays as it is."""
        return replace(self, standings={name: s for name, s in self.standings.items() if name in skills})

    @property
    def weakest(self) -> tuple[str, Weakest] | None:
        """The skill and the criterion that is farthest below the others, of both skills."""
        named = [(skill, s.weakest) for skill, s in self.standings.items() if s.weakest is not None]
        return max(named, key=lambda pair: pair[1].gap) if named else None


@dataclass(frozen=True, slots=True)
class Row:
    """A student with the reasons to look at."""

    student: Student
    flags: list[Flag]


def everybody(evaluations: pd.DataFrame, first: datetime, now: datetime, noises: Noises) -> list[Student]:
    """Everybody with an evaluation, last seen first; what is counted is counted from `first` to `now`.

    `evaluations` are in any order, and reach back 180 days or to `first`, whichever is earlier: levels and trends look
    back 180 days. Evaluations whose student cannot be read are left out: they are nobody's.
    """
    own = _own(evaluations)
    with _collecting_paused():
        present = _present(own, first, now)
        names = tuple(student.user_id for student in present)
        standings = [_standings(attempts.of_students(own, skill, names), first, now, noises[skill]) for skill in TYPES]
        return [
            replace(student, standings=dict(zip(TYPES, of_skills, strict=True)))
            for student, *of_skills in zip(present, *standings, strict=True)
        ]


def without_standings(evaluations: pd.DataFrame, first: datetime, now: datetime) -> list[Student]:
    """Everybody with an evaluation, last seen first, but nothing of levels: where what they look back at is not read.

    `evaluations` reach from `first` to `now`.
    """
    return _present(_own(evaluations), first, now)


def _own(evaluations: pd.DataFrame) -> pd.DataFrame:
    is_own = evaluations["user_id"].notna() & evaluations["created_at"].notna()
    return evaluations if is_own.all() else evaluations[is_own]  # mostly all of them, and copying a school takes long


def _present(own: pd.DataFrame, first: datetime, now: datetime) -> list[Student]:
    """The students of `own` without standings, last seen first, those of equal times by id."""
    codes, owners = pd.factorize(own["user_id"])
    newest_first = own["created_at"].argsort(kind="stable").to_numpy()[::-1]
    last = own["created_at"].iloc[newest_first[np.unique(codes[newest_first], return_index=True)[1]]]
    counts = np.bincount(codes[(own["created_at"] >= first).to_numpy()], minlength=len(owners))
    gone = missing(own, now)
    gone = gone[gone["created_at"] >= first]
    lost = gone["user_id"].value_counts().to_dict()
    since = gone.loc[gone["practised_since"], "user_id"].value_counts().to_dict() if len(gone) else lost
    students = [
        Student(user_id, {}, count, lost.get(user_id, 0), last_seen, since.get(user_id, 0))
        for user_id, count, last_seen in zip(owners, counts.tolist(), last.dt.to_pydatetime(), strict=True)
    ]
    students.sort(key=lambda student: student.user_id)
    return sorted(students, key=lambda student: student.last_seen or now, reverse=True)


@contextmanager
def _collecting_paused() -> Iterator[None]:
    """Half a million new objects make Python look for garbage again and again, in vain: a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def absent(everyone: Roster, present: Iterable[Student]) -> list[Student]:
    """The roster's students who are not among those `present`: nothing is known of them but that."""
    seen = {student.user_id for student in present}
    return [Student(user_id, {}, 0, 0, None) for user_id in everyone.students if user_id not in seen]


def flags(student: Student, aim: Aim, rules: Rules, now: datetime) -> list[Flag]:
    """The rules that a student meets, the weightiest first."""
    reasons: list[Flag] = []
    if rules.lost and student.lost:
        weight = student.lost - 0.5 * student.practised_since + 1
        reasons.append(Flag("lost", student.lost, weight=min(_MOST, weight)))
    for skill, standing in student.standings.items():
        trend, low = standing.progress.trend, standing.weakest
        if rules.falling and trend.word == "declining":
            sure = -trend.high / progress.STEADY
            reasons.append(Flag("falling", trend.slope, skill, weight=min(_MOST, 1 + sure)))
        if rules.below is not None and (below := _below(standing.progress, aim, rules.below, skill, now)):
            reasons.append(below)
        if rules.weakest is not None and low is not None and low.gap >= rules.weakest:
            weight = 0.5 + _times(low.gap - low.margin, rules.weakest) / 2
            reasons.append(Flag("weakest", low.gap, skill, low.criterion, min(_MOST, weight)))
    if rules.away is not None:
        away = math.inf if student.last_seen is None else (now - student.last_seen) / timedelta(days=1)
        if away >= rules.away:
            reasons.append(Flag("away", away, weight=1.0 if math.isinf(away) else _times(away, rules.away)))
    return sorted(reasons, key=lambda flag: (-flag.weight, RULES.index(flag.rule)))


def _below(standing: Progress, aim: Aim, least: float, skill: str, now: datetime) -> Flag | None:
    """Below the target beyond the margin; with a test to come, only where the path to the target is lost."""
    target, sure = aim.target, aim.target - standing.high
    if math.isnan(sure) or standing.paused:
        return None
    missing = target - standing.level
    if aim.test_at is not None and aim.test_at > now:
        if progress.within_reach(standing, target, aim.test_at, now):
            return None
        needed = progress.pace_needed(standing, target, aim.test_at, now)
        pace = standing.trend.slope if standing.trend.word in ("rising", "declining", "steady") else math.nan
        weight = min(_MOST, 1 + sure / max(least, 0.5))
        return Flag("below", missing, skill, weight=weight, needed=needed, pace=pace)
    return Flag("below", missing, skill, weight=_times(sure, least)) if sure >= least else None


def _times(amount: float, least: float) -> float:
    """How many times what a rule asks for; a rule that asks for nothing is met as much as can be."""
    return min(_MOST, amount / least) if least else _MOST


def urgency(reasons: Sequence[Flag]) -> float:
    """What to sort by, most urgent first: all reasons together, each by how much and how sure."""
    return -sum(flag.weight for flag in reasons)


@dataclass(frozen=True, slots=True)
class Group:
    """Students who share a weakest criterion: (user_id, its level), lowest first; `middle` is the median level."""

    skill: str
    criterion: str
    students: tuple[tuple[str, float], ...]

    @property
    def code(self) -> str:
        """Names it in an address."""
        return f"{self.skill}.{self.criterion}"

    @property
    def middle(self) -> float:
        """The median of the students' levels in the criterion."""
        return progress.median([level for _, level in self.students])


def groups(students: Iterable[Student], skills: Sequence[str]) -> list[Group]:
    """The students by their weakest criterion of each skill, the largest group first; nobody without one."""
    members: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for student in students:
        for skill in skills:
            low = student.standings[skill].weakest if skill in student.standings else None
            if low is not None:
                members.setdefault((skill, low.criterion), []).append((student.user_id, low.level))
    whole = [
        Group(skill, criterion, tuple(sorted(of_group, key=lambda member: (member[1], member[0]))))
        for (skill, criterion), of_group in members.items()
    ]
    return sorted(whole, key=lambda group: (-len(group.students), group.skill, group.criterion))


def lost(evaluations: pd.DataFrame, now: datetime) -> int:
    """How many of these evaluations failed or got stuck and were not done again."""
    return len(missing(evaluations, now))


def missing(evaluations: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """These evaluations that failed or got stuck and were not done again; `kind` is their type."""
    if not evaluations["status"].isin([FAILED, PROCESSING]).any():
        return evaluations.iloc[:0]  # mostly so, and looking closer takes longer
    labelled = job_states.with_states(evaluations.rename(columns={"evaluation_type": "kind"}), now)
    return labelled[labelled["state"].isin(["failed", "stuck"]) & ~labelled["recovered"]]


def _standings(cohort: Cohort, first: datetime, now: datetime, noise: progress.Noise) -> list[Standing]:
    # Only what is in the window: what else was read, for a longer period, must not change a number.
    recent = progress.window(cohort, now).newest(_RECENT)
    bands = [tuple(cohort.bands[a:b].tolist()) for a, b in zip(recent.starts, recent.stops, strict=True)]
    known, changed = progress.progress(cohort, now, noise), progress.changes(cohort, first, now, noise)
    return [Standing(*parts) for parts in zip(known, changed, bands, strict=True)]
