"""The class at a glance: where each student stands, and by which rules one needs the teacher's attention."""

import gc
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis import job_states
from analysis.levels import attempts, progress
from analysis.levels.attempts import Cohort, Owners
from analysis.levels.criteria import Weakest
from analysis.levels.progress import Change, Noises, Progress
from data.records.frames import AHEAD
from data.roster import Roster
from data.schema import FAILED, PROCESSING, TYPES

Rule: TypeAlias = Literal["lost", "falling", "below", "weakest", "away"]
RULES: tuple[Rule, ...] = ("lost", "falling", "below", "weakest", "away")
"""Every rule, as addresses name them: missing result, declining, below target, weak criterion, inactive."""

_RECENT = 12  # attempts of a sparkline
_MANY = 50_000  # evaluations, of which so many objects are made that looking for garbage among them takes long
_STEPS = 3  # what follows from more reasons nobody does at once
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
        """The weakest criterion, where one is. Of who has stopped, nothing is said in the present tense."""
        return None if self.progress.paused else self.progress.weakest


@dataclass(frozen=True, slots=True)
class Student:
    """One student of the class. `evaluations` are those of the period.

    `lost` are its failed ones that were not done again, `practised_since` how many of these have a later result;
    `lost_in` has both for each skill with any: (skill, lost, practised since). Some may be of unknown type.
    """

    user_id: str
    standings: dict[str, Standing]
    evaluations: int
    lost: int
    last_seen: datetime | None
    practised_since: int = 0
    lost_in: tuple[tuple[str, int, int], ...] = ()

    def only(self, skills: Sequence[str]) -> "Student":
        """The student with the standings and missing results of some skills; `evaluations` stays as it is.

        What is of unknown type is in all skills together and in no other choice of them.
        """
        standings = {name: s for name, s in self.standings.items() if name in skills}
        if set(TYPES) <= set(skills):
            return replace(self, standings=standings)
        lost_in = tuple(of_skill for of_skill in self.lost_in if of_skill[0] in skills)
        lost, since = sum(number for _, number, _ in lost_in), sum(number for _, _, number in lost_in)
        return replace(self, standings=standings, lost=lost, practised_since=since, lost_in=lost_in)

    def works_on(self, skills: Sequence[str]) -> bool:
        """Whether any attempt in one of these skills is known, or misses its result."""
        is_lost = any(name in skills for name, _, _ in self.lost_in)
        return is_lost or any(self.standings[name].recent for name in skills if name in self.standings)

    @property
    def weakest(self) -> tuple[str, Weakest] | None:
        """The skill and the criterion that is farthest below the others, of the skills that are practised."""
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
    with _collecting_paused() if len(own) >= _MANY else nullcontext():
        # Made in the order in which they are looked at: otherwise that takes longer, of a school's.
        owners, last = _last_seen_first(own, now)
        by_skill = [_standings(attempts.of_owners(own, skill, owners), first, now, noises[skill]) for skill in TYPES]
        standings = [dict(zip(TYPES, of_student, strict=True)) for of_student in zip(*by_skill, strict=True)]
        return _present(own, owners, last, standings, first, now)


def without_standings(evaluations: pd.DataFrame, first: datetime, now: datetime) -> list[Student]:
    """Everybody with an evaluation, last seen first, but nothing of levels: where what they look back at is not read.

    `evaluations` reach from `first` to `now`.
    """
    own = _own(evaluations)
    owners, last = _last_seen_first(own, now)
    return _present(own, owners, last, [{} for _ in last], first, now)


def _own(evaluations: pd.DataFrame) -> pd.DataFrame:
    is_own = evaluations["user_id"].notna() & evaluations["created_at"].notna()
    return evaluations if is_own.all() else evaluations[is_own]  # mostly all of them, and copying a school takes long


def _last_seen_first(own: pd.DataFrame, now: datetime) -> tuple[Owners, list[datetime]]:
    """Whose `own` are, the last seen first, those of equal times by id; and when each was.

    A time in the future is a mistake, and counts only where a student has no other.
    """
    by_id = Owners.of(own)
    times = own["created_at"]
    last = times.groupby(by_id.places).max()
    if (last > now + AHEAD).any():
        last = times.where(times <= now + AHEAD).groupby(by_id.places).max().fillna(last)
    last = last.sort_values(ascending=False, kind="stable")
    return by_id.in_order(last.index.to_numpy()), last.dt.to_pydatetime().tolist()


def _present(
    own: pd.DataFrame,
    owners: Owners,
    last: list[datetime],
    standings: list[dict[str, Standing]],
    first: datetime,
    now: datetime,
) -> list[Student]:
    of_period = (own["created_at"] >= first).to_numpy()
    counts = np.bincount(owners.places[of_period], minlength=len(last))
    # Whether one was done again is for later ones to say: none before the period is needed.
    gone = missing(own.loc[of_period, ["user_id", "evaluation_type", "status", "created_at"]], now)
    lost, since = (Counter(of_each) for of_each in (gone["user_id"], gone["user_id"][gone["practised_since"]]))
    lost_in = _lost_in(gone)
    return [
        Student(user_id, of_skills, count, lost[user_id], last_seen, since[user_id], lost_in.get(user_id, ()))
        for user_id, of_skills, count, last_seen in zip(owners.students, standings, counts.tolist(), last, strict=True)
    ]


def _lost_in(gone: pd.DataFrame) -> dict[str, tuple[tuple[str, int, int], ...]]:
    """Of each student: the skills with missing results, how many, and how many of these were practised since."""
    later = gone[gone["practised_since"]]
    lost, since = (Counter(zip(of["user_id"], of["kind"], strict=True)) for of in (gone, later))
    of_student: dict[str, tuple[tuple[str, int, int], ...]] = {}
    for user_id in dict.fromkeys(gone["user_id"]):
        of_student[user_id] = tuple(
            (skill, number, since[user_id, skill]) for skill in TYPES if (number := lost[user_id, skill])
        )
    return of_student


@contextmanager
def _collecting_paused() -> Iterator[None]:
    """Half a million new objects make Python look for garbage again and again, in vain: a third of the time.

    Not for few: what becomes old here does not count as new to Python, which looks through all only once a quarter is.
    Done at every click, that kept the pages that visitors had left.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            # They are kept, so they become old ones, which are seldom looked through; new ones would be at once.
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def absent(everyone: Roster, present: Iterable[Student]) -> list[Student]:
    """The roster's students who are not among those `present`: nothing is known of them but that."""
    seen = {student.user_id for student in present}
    return [Student(user_id, {}, 0, 0, None) for user_id in everyone.students if user_id not in seen]


def flags(student: Student, aim: Aim, rules: Rules, now: datetime) -> list[Flag]:
    """The rules that a student meets, the weightiest first."""
    reasons: list[Flag] = []
    least = None if math.isnan(aim.target) else rules.below
    if rules.lost:
        reasons += _lost(student)
    for skill, standing in student.standings.items():
        trend, low = standing.progress.trend, standing.weakest
        if rules.falling and trend.word == "declining":
            sure = -trend.high / progress.STEADY
            reasons.append(Flag("falling", trend.slope, skill, weight=min(_MOST, 1 + sure)))
        if least is not None and (below := _below(standing.progress, aim, least, skill, now)):
            reasons.append(below)
        if rules.weakest is not None and low is not None and low.gap >= rules.weakest:
            weight = 0.5 + _times(low.gap - low.margin, rules.weakest) / 2
            reasons.append(Flag("weakest", low.gap, skill, low.criterion, min(_MOST, weight)))
    if rules.away is not None:
        away = math.inf if student.last_seen is None else (now - student.last_seen) / timedelta(days=1)
        if away >= rules.away:
            reasons.append(Flag("away", away, weight=1.0 if math.isinf(away) else _times(away, rules.away)))
    return _weightiest_first(reasons)


def _weightiest_first(reasons: Iterable[Flag]) -> list[Flag]:
    return sorted(reasons, key=lambda flag: (-flag.weight, RULES.index(flag.rule)))


def _lost(student: Student) -> list[Flag]:
    weight = student.lost - 0.5 * student.practised_since + 1
    return [Flag("lost", student.lost, weight=min(_MOST, weight))] if student.lost else []


def of_skills(reasons: Sequence[Flag], student: Student, skills: Sequence[str]) -> list[Flag]:
    """The reasons that a student has who is looked at in some skills only: as `flags` gives of `Student.only`."""
    kept = [flag for flag in reasons if flag.rule != "lost" and (flag.skill is None or flag.skill in skills)]
    if len(kept) < len(reasons) and any(flag.rule == "lost" for flag in reasons):
        return _weightiest_first([*_lost(student.only(skills)), *kept])
    return kept


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


def to_act_on(reasons: Sequence[Flag]) -> list[Flag]:
    """The weightiest reason of each rule, as many as there may be next steps; `reasons` are weightiest first."""
    of_rule = {flag.rule: flag for flag in reversed(reasons)}
    return [flag for flag in reasons if of_rule[flag.rule] is flag][:_STEPS]


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
    """The students by their weakest criterion of each skill, the largest group first; nobody without one, and nobody
    who has stopped practising the skill."""
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


def missing(evaluations: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """These evaluations that failed or got stuck and were not done again; `kind` is their type."""
    is_open = evaluations["status"].isin([FAILED, PROCESSING])
    # Few students have one, and nobody else's evaluations matter: looking closer at a whole school takes longer.
    concerned = is_open | evaluations["user_id"].isin(evaluations["user_id"][is_open])
    of_these = evaluations[concerned].rename(columns={"evaluation_type": "kind"})
    labelled = job_states.with_states(of_these, now)
    return labelled[labelled["state"].isin(["failed", "stuck"]) & ~labelled["recovered"]]


def _standings(cohort: Cohort, first: datetime, now: datetime, noise: progress.Noise) -> list[Standing]:
    # Only what is in the window: what else was read, for a longer period, must not change a number.
    recent = progress.window(cohort, now).newest(_RECENT)
    bands = cohort.bands.tolist()
    newest = [tuple(bands[a:b]) for a, b in zip(recent.starts.tolist(), recent.stops.tolist(), strict=True)]
    both = progress.progress_and_changes(cohort, first, now, noise)
    return [Standing(*parts) for parts in zip(*both, newest, strict=True)]
