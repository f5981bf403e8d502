"""Where every student stands, worked out once for all who may see the same students; and a list of them with reasons.

A click works out nothing of all students that was worked out before: what a list shows, counts and groups is known by
what was read and by what was chosen.
"""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

import pandas as pd

from analysis import attention, practice
from analysis.attention import Aim, Flag, Group, Row, Rules, Student
from analysis.levels import progress
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.records.jobs import Key
from data.roster import Roster
from data.schema import EVALUATIONS, STATUSES, TYPES
from queries import abandoned, background, noise, records, source
from queries.background import LoadProgress
from queries.once import Once, Same
from queries.session import Session, cache

T = TypeVar("T")

NO_CLASS = "-"
"""Stands for the students without a class where a class is chosen."""
WEEK = timedelta(days=7)
LOOK_BACK = (progress.WINDOW + WEEK).days
"""Days of records that it takes to say what is new since last week: levels of then look back as far as those of now."""


_PER_STUDENT = 400
"""From so many evaluations in the table for each student asked for, to ask for each costs less than to ask for all: a
student is one Query of one or two read units, and half a year of everybody is one for some seventy evaluations."""


@dataclass(frozen=True, slots=True)
class Evaluations:
    """The evaluations of some days, newest first; `of` are the students that they were asked for, None for all."""

    read: Read[Once[pd.DataFrame]]
    days: int
    of: frozenset[str] | None = None

    @property
    def read_at(self) -> datetime:
        """What is said of the students is said as of then."""
        return self.read.read_at

    @property
    def first(self) -> datetime:
        """Since when they count."""
        return self.read_at - timedelta(days=self.days)

    @property
    def key(self) -> tuple[Hashable, ...]:
        """By which they are told from others."""
        return self.days, self.read_at, self.of

    def rows(self) -> pd.DataFrame:
        """All of them, also those before `first` that levels and trends look back at."""
        return self.read.value()


def evaluations(session: Session, days: int, roster: Roster, class_name: str | None) -> Evaluations:
    """The evaluations of the last LOOK_BACK days or `days`, whichever is more, of a class or of all that may be seen.

    A class, or the classes of a teacher who may see no other, is asked for student by student where that costs less
    than the school does: so it costs the same in a school of any size. Everybody's that are on hand are brought up to
    date instead, which costs less still. All ways give the same numbers.
    """
    span = _span(days)
    students = _asked(session, roster, class_name)
    if students is not None and _by_student(students, span):
        try:
            read = session.answer(records.of_students.later, tuple(sorted(students)), span).read
        except Failure as failure:
            if failure.kind != "index_missing":
                raise
        else:
            # The school's index lists no record of another status.
            return Evaluations(read.map(lambda rows: _listed_ones(rows, span, read.read_at)), days, students)
    return Evaluations(session.answer(records.period.later, span).read, days)


def loading(session: Session, days: int, roster: Roster, class_name: str | None) -> LoadProgress | None:
    """How far the evaluations that these students need are read, where that takes long; None where it does not.

    As long as somebody asks, it is read on.
    """
    students = _asked(session, roster, class_name)
    if students is not None and _by_student(students, _span(days)):
        return None
    return background.progress(records.period, EVALUATIONS, _span(days))


def newest(session: Session, days: int) -> Evaluations:
    """Everybody's evaluations of a few days, for a first look while the others are read."""
    return Evaluations(session.answer(records.period.later, days).read, days)


def _span(days: int) -> int:
    return max(days, LOOK_BACK)


def _by_student(students: frozenset[str], span: int) -> bool:
    # Nobody's evaluations cost nothing: a teacher of no class has none to wait for.
    return not students or (cache.peek(records.period.later, span) is None and _is_cheaper(len(students)))


def _asked(session: Session, roster: Roster, class_name: str | None) -> frozenset[str] | None:
    """The students of a class that may be seen; without a class, all that may be seen. None for everybody."""
    if class_name is None:
        return session.members
    if class_name == NO_CLASS:
        return None
    return frozenset(filter(session.gate.admits, roster.members(class_name)))


def _is_cheaper(students: int) -> bool:
    try:
        return source.facts(EVALUATIONS).items >= _PER_STUDENT * students
    except Failure:
        return False


def _listed_ones(every: Once[pd.DataFrame], days: int, read_at: datetime) -> Once[pd.DataFrame]:
    begin = (read_at - timedelta(days=days)).replace(microsecond=0)

    def listed() -> pd.DataFrame:
        rows = every()
        return rows[rows["status"].isin(STATUSES) & (rows["created_at"] >= begin)].reset_index(drop=True)

    return Once(listed, is_final=True)


def missing(session: Session, asked: Evaluations) -> pd.DataFrame:
    """The evaluations of the days of `asked` whose results are missing, but for those that a person gave up."""
    every = asked.rows()
    recent = every[every["created_at"] >= asked.first]
    return attention.missing(abandoned.labelled(recent, _given_up(session, asked)), asked.read_at)


def _given_up(session: Session, asked: Evaluations) -> frozenset[Key]:
    keys = session.derive(
        ("missing", *asked.key), lambda: abandoned.candidates(asked.rows(), asked.first, asked.read_at)
    )
    return abandoned.marked(session, keys)


def _students(session: Session, asked: Evaluations, given_up: frozenset[Key]) -> list[Student]:
    noises = noise.of_everybody()
    return session.derive(
        ("levels", *asked.key, given_up, *noises.values()),
        lambda: attention.everybody(abandoned.labelled(asked.rows(), given_up), asked.first, asked.read_at, noises),
    )


@dataclass(frozen=True, eq=False)
class Listing:
    """Students with their reasons to look at, most urgent first, as they stood at `now`; counted since `first`."""

    key: tuple[Hashable, ...]
    rows: list[Row]
    skills: tuple[str, ...]
    first: datetime
    now: datetime

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def counts(self) -> Counter[str]:
        """How many students meet each rule."""
        return Counter(rule for row in self.rows for rule in {flag.rule for flag in row.flags})

    @cached_property
    def flagged(self) -> list[Row]:
        """Those who meet any rule."""
        return [row for row in self.rows if row.flags]

    def meeting(self, rule: str) -> list[Row]:
        """Those who meet a rule."""
        return [row for row in self.flagged if any(flag.rule == rule for flag in row.flags)]

    @cached_property
    def active(self) -> int:
        """How many have an evaluation in the period."""
        return sum(1 for row in self.rows if row.student.evaluations)

    @cached_property
    def lost(self) -> int:
        """Their missing results."""
        return sum(row.student.lost for row in self.rows)

    @cached_property
    def levels(self) -> dict[str, list[float]]:
        """Their levels in each skill, NaN where unknown."""
        return {
            skill: [row.student.standings[skill].progress.level for row in self.rows if row.student.standings]
            for skill in self.skills
        }

    @cached_property
    def groups(self) -> list[Group]:
        """By their weakest criterion."""
        return attention.groups([row.student for row in self.rows], self.skills)

    @cached_property
    def scale(self) -> tuple[int, int]:
        """Whole bands between which all of their newest attempts lie, two apart at least."""
        bands = [band for row in self.rows for s in row.student.standings.values() for band in s.recent] or [4.0, 7.0]
        low = math.floor(min(bands))
        return low, max(math.ceil(max(bands)), low + 2)

    def derive(self, session: Session, name: str, *key: Hashable, make: Callable[[], T]) -> T:
        """What is worked out of these students and of the evaluations that they were listed from."""
        return session.derive((name, *self.key, *key), make)


@dataclass(frozen=True, slots=True)
class Week:
    """What changed in a list since seven days ago: reasons that are new, reasons that are resolved, targets reached.

    What is not said any more because time has passed, or because nobody practises, is not resolved. `new` and `gone`
    have the students with just these reasons, the most urgent first; `reached` has (user_id, skill).
    """

    new: tuple[Row, ...]
    gone: tuple[Row, ...]
    reached: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Activity:
    """Evaluations of the students of a list: of each week and skill as practice.weeks has them, and of the period."""

    weeks: pd.DataFrame
    by_skill: dict[str, int]
    """Of each skill, of every status."""
    evaluations: int
    """Of whatever type."""


def listing(
    session: Session, asked: Evaluations, roster: Roster, class_name: str | None, skills: tuple[str, ...], rules: Rules
) -> Listing:
    """The students of a class (None: all) and of some skills, as they stood when the evaluations were read."""
    given_up = _given_up(session, asked)
    students = _students(session, asked, given_up)
    key = (*asked.key, given_up, *noise.of_everybody().values(), Same(roster), class_name, rules)

    def make() -> Listing:
        # Whoever chooses a skill waits for nothing that is known of both.
        of_both = session.derive(
            ("reasons", *key),
            lambda: _with_reasons(_listed(students, roster), class_name, rules, asked.read_at, roster),
        )
        return Listing((*key, skills), _by_urgency(of_both, skills), skills, asked.first, asked.read_at)

    return session.derive(("listing", *key, skills), make)


def first_look(session: Session, asked: Evaluations, roster: Roster, class_name: str | None, rules: Rules) -> Listing:
    """The students of the newest evaluations with what is certain from these alone: missing results.

    No levels, and nobody is called inactive: what these look back at is not read yet.
    """
    given_up = _given_up(session, asked)
    certain = Rules(away=None, below=None, weakest=None, falling=False, lost=rules.lost)
    key = ("first look", *asked.key, given_up, Same(roster), class_name, certain)

    def make() -> Listing:
        students = attention.without_standings(abandoned.labelled(asked.rows(), given_up), asked.first, asked.read_at)
        rows = _by_urgency(_with_reasons(students, class_name, certain, asked.read_at, roster), TYPES)
        return Listing(key, rows, TYPES, asked.first, asked.read_at)

    return session.derive(key, make)


def since_last_week(session: Session, listed: Listing, asked: Evaluations, roster: Roster, rules: Rules) -> Week:
    """What is new in `listed` since seven days ago: the same rules on the records of then, by the class list of now.

    `asked` are the evaluations that it was made from, and reach LOOK_BACK days back or their days, whichever is more.
    """
    then = listed.now - WEEK
    noises = noise.of_everybody()

    def before() -> pd.DataFrame:
        every = asked.rows()
        return every[every["created_at"] < then]

    first = then - timedelta(days=asked.days)
    keys = session.derive(("missing then", *asked.key), lambda: abandoned.candidates(before(), first, then))
    given_up = abandoned.marked(session, keys)

    def make_earlier() -> _Earlier:
        students = attention.everybody(abandoned.labelled(before(), given_up), first, then, noises)
        return _Earlier.of(_listed(students, roster), roster, rules, then)

    earlier = session.derive(("week before", *asked.key, given_up, *noises.values(), Same(roster), rules), make_earlier)

    def make() -> Week:
        new, gone, reached = [], [], []
        still_missing = _missing_since(asked.rows(), given_up, first, then, listed.now, listed.skills)
        for row in listed.rows:
            user_id = row.student.user_id
            had = earlier.rows.get(user_id)
            was = attention.of_skills(had.flags, had.student, listed.skills) if had else []
            if added := _without(row.flags, was):
                new.append(Row(row.student, added))
            dropped = _without(was, row.flags)
            if resolved := [
                f for f in dropped if _is_resolved(f, row.student, roster, then, listed.now, still_missing)
            ]:
                gone.append(Row(row.student, resolved))
            reached += [
                (student, skill)
                for student, skill in _reached(row.student, roster)
                if (student, skill) not in earlier.reached and _has_practised(row.student, skill, then)
            ]
        return Week(tuple(new), tuple(gone), tuple(reached))

    return listed.derive(session, "week", given_up, rules, make=make)


def _missing_since(
    every: pd.DataFrame,
    given_up: frozenset[Key],
    first: datetime,
    then: datetime,
    now: datetime,
    skills: tuple[str, ...],
) -> frozenset[str]:
    """Who has a result in these skills from before `then` that is missing still, however long ago it was."""
    missing = attention.missing(abandoned.labelled(every[every["created_at"] >= first], given_up), now)
    if skills != TYPES:
        missing = missing[missing["kind"].isin(skills)]
    return frozenset(missing.loc[missing["created_at"] < then, "user_id"].dropna())


def _is_resolved(
    flag: Flag, student: Student, roster: Roster, then: datetime, now: datetime, still_missing: frozenset[str]
) -> bool:
    """Whether a reason that is not said any more has been mended, and not just become old."""
    if flag.rule == "lost":
        return student.user_id not in still_missing
    if flag.skill is None:
        return True  # away: only who has come back is not any more
    test_at = roster.student(student.user_id).test_at
    is_over = flag.rule == "below" and test_at is not None and then < test_at <= now
    return _has_practised(student, flag.skill, then) and not is_over


def _has_practised(student: Student, skill: str, then: datetime) -> bool:
    last = student.standings[skill].progress.last if skill in student.standings else None
    return last is not None and last >= then


@dataclass(frozen=True, slots=True)
class _Earlier:
    """How the students stood at an earlier time: the reasons of those who had any, and who had reached a target."""

    rows: dict[str, Row]
    """Without their standings, which nobody looks at again."""
    reached: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, students: Sequence[Student], roster: Roster, rules: Rules, then: datetime) -> "_Earlier":
        rows = _with_reasons(students, None, rules, then, roster)
        return cls(
            {row.student.user_id: Row(replace(row.student, standings={}), row.flags) for row in rows if row.flags},
            frozenset(one for student in students for one in _reached(student, roster)),
        )


def _reached(student: Student, roster: Roster) -> Iterator[tuple[str, str]]:
    """The student with each skill in which the target is reached."""
    target = roster.student(student.user_id).target
    for skill, standing in student.standings.items():
        if progress.standing(standing.progress, target) == "reached":
            yield student.user_id, skill


def _without(flags: Sequence[Flag], others: Sequence[Flag]) -> list[Flag]:
    """Those of `flags` whose reason is none of `others`; its number may differ."""
    reasons = {(flag.rule, flag.skill, flag.criterion) for flag in others}
    return [flag for flag in flags if (flag.rule, flag.skill, flag.criterion) not in reasons]


def activity(session: Session, listed: Listing, asked: Evaluations, zone: str) -> Activity:
    """How much the students of a list practised; `asked` are the evaluations that it was made from."""

    def make() -> Activity:
        every = asked.rows()
        of_period = every[every["created_at"] >= listed.first]
        own = of_period[of_period["user_id"].isin([row.student.user_id for row in listed.rows])]
        kinds = own["evaluation_type"].value_counts()
        return Activity(
            practice.weeks(own, listed.first, listed.now, zone),
            {skill: int(kinds.get(skill, 0)) for skill in TYPES},
            len(own),
        )

    return listed.derive(session, "activity", zone, make=make)


def _listed(everybody: Sequence[Student], roster: Roster) -> list[Student]:
    """Those who were active in the period, then those of the roster who were not."""
    active = [student for student in everybody if student.evaluations]
    named = roster.students
    away = [student for student in everybody if not student.evaluations and student.user_id in named]
    return [*active, *away, *attention.absent(roster, everybody)]


def _with_reasons(
    students: Sequence[Student], class_name: str | None, rules: Rules, now: datetime, roster: Roster
) -> list[Row]:
    """The students of a class (None: all), each with the reasons of both skills."""
    rows = []
    for student in students:
        entry = roster.student(student.user_id)
        if class_name is None or (entry.class_name or NO_CLASS) == class_name:
            rows.append(Row(student, attention.flags(student, Aim(entry.target, entry.test_at), rules, now)))
    return rows


def _by_urgency(rows: Sequence[Row], skills: tuple[str, ...]) -> list[Row]:
    """Who practises one of the skills or misses a result in one, with its reasons alone, most urgent first."""
    if skills != TYPES:
        rows = [
            Row(row.student.only(skills), attention.of_skills(row.flags, row.student, skills))
            for row in rows
            # Of a student nobody saw nothing is known that could be filtered by skill.
            if not row.student.standings or row.student.works_on(skills)
        ]
    return sorted(rows, key=lambda row: attention.urgency(row.flags))
