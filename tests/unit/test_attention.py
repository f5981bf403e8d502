"""The class at a glance: what each rule means at its boundary, who counts, weeks, and that no order matters."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import attention, practice, progress
from analysis.attention import RULES, Flag, Rules, Standing, Student
from analysis.progress import NOTHING, Progress, Trend
from data import roster
from data.schema import SPEAKING, TYPES, WRITING
from tests.support.attempts import NOW, ago, attempt, frame

FIRST = ago(30)
NAN = math.nan
HO_CHI_MINH = "Asia/Ho_Chi_Minh"
NONE = Rules(away=None, below=None, weakest=None, falling=False, lost=False)
FALLING = Trend("falling", -0.5, -0.9, -0.1, 6.0, NOW)
ALIKE = {"a": 6.0, "b": 6.0, "c": 6.0, "d": 6.0}


def active(evaluations: pd.DataFrame, first: datetime, now: datetime) -> list[attention.Student]:
    """Those with an evaluation since `first`."""
    return [student for student in attention.everybody(evaluations, first, now) if student.evaluations]


def students(*rows: dict[str, Any], first: datetime = FIRST) -> dict[str, Student]:
    """The students of those rows by id."""
    found = active(frame(*rows), first, NOW)
    assert len({student.user_id for student in found}) == len(found)
    return {student.user_id: student for student in found}


def student(
    level: float = 7.0,
    trend: Trend = NOTHING,
    criteria: dict[str, float] = ALIKE,
    lost: int = 0,
    last_seen: datetime | None = NOW,
    *,
    skills: Sequence[str] = (WRITING,),
) -> Student:
    """A student who stands so in each of `skills`."""
    standing = Standing(Progress(level, 3, trend, last_seen, criteria), 0.0, ())
    return Student("u", dict.fromkeys(skills, standing), 3, lost, last_seen)


# --- the rules --------------------------------------------------------------------------------------------------------

LOW = {"a": 5.0, "b": 6.0, "c": 6.0, "d": 6.0}  # a is 1.0 below the others
FLAGS: dict[str, tuple[Student, Rules, list[Flag]]] = {
    "a student of whom nothing is to be said": (student(), Rules(), []),
    "away: fourteen days exactly": (student(last_seen=ago(14)), Rules(), [Flag("away", 14.0)]),
    "a microsecond less": (student(last_seen=ago(14) + timedelta(microseconds=1)), Rules(), []),
    "13.99 days": (student(last_seen=ago(13.99)), Rules(), []),
    "seen by a clock that is ahead": (student(last_seen=ago(-1)), Rules(), []),
    "a rule of no days at all flags everybody": (student(), Rules(away=0), [Flag("away", 0.0)]),
    "never seen": (student(last_seen=None, skills=()), Rules(), [Flag("away", math.inf)]),
    "away is off": (student(last_seen=None, skills=()), replace(Rules(), away=None), []),
    # The target is 7.0.
    "below by exactly one band": (student(6.0), replace(NONE, below=1.0), [Flag("below", 1.0, WRITING)]),
    "a quarter less": (student(6.25), replace(NONE, below=1.0), []),
    "by 0.99": (student(6.01), replace(NONE, below=1.0), []),
    "at the target, when that is asked for": (student(7.0), replace(NONE, below=0.0), [Flag("below", 0.0, WRITING)]),
    "above it": (student(7.25), replace(NONE, below=0.0), []),
    "no level is not below": (student(NAN), replace(NONE, below=0.0), []),
    "below is off": (student(3.0), NONE, []),
    "below in both skills": (
        student(5.0, skills=TYPES),
        replace(NONE, below=1.0),
        [Flag("below", 2.0, WRITING), Flag("below", 2.0, SPEAKING)],
    ),
    "weakest by exactly one band": (
        student(criteria=LOW), replace(NONE, weakest=1.0), [Flag("weakest", 1.0, WRITING, ("a",))],
    ),
    "a quarter less weak": (student(criteria={**LOW, "a": 5.25}), replace(NONE, weakest=1.0), []),
    "two tie": (
        student(criteria={**LOW, "b": 5.0}), replace(NONE, weakest=1.0), [Flag("weakest", 1.0, WRITING, ("a", "b"))],
    ),
    "three tie: they are the median": (student(criteria={**LOW, "b": 5.0, "c": 5.0}), replace(NONE, weakest=0.5), []),
    "one criterion known": (student(criteria={"a": 2.0, "b": NAN}), replace(NONE, weakest=0.0), []),
    "weakest is off": (student(criteria=LOW), NONE, []),
    "falling": (student(trend=FALLING), replace(NONE, falling=True), [Flag("falling", -0.5, WRITING)]),
    "rising": (student(trend=replace(FALLING, word="rising")), replace(NONE, falling=True), []),
    "steady": (student(trend=replace(FALLING, word="steady")), replace(NONE, falling=True), []),
    "falling is off": (student(trend=FALLING), NONE, []),
    "one lost": (student(lost=1), replace(NONE, lost=True), [Flag("lost", 1)]),
    "three lost are one flag": (student(lost=3), replace(NONE, lost=True), [Flag("lost", 3)]),
    "none lost": (student(lost=0), replace(NONE, lost=True), []),
    "lost is off": (student(lost=3), NONE, []),
    "all at once, the most urgent first": (
        student(5.0, FALLING, LOW, 2, ago(20)),
        Rules(),
        [
            Flag("lost", 2),
            Flag("falling", -0.5, WRITING),
            Flag("below", 2.0, WRITING),
            Flag("weakest", 1.0, WRITING, ("a",)),
            Flag("away", 20.0),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("who", "rules", "expected"), FLAGS.values(), ids=FLAGS)
def test_who_is_flagged(who: Student, rules: Rules, expected: list[Flag]) -> None:
    assert attention.flags(who, 7.0, rules, NOW) == expected


def test_without_a_target_nobody_is_below_it() -> None:
    assert attention.flags(student(0.0), NAN, replace(NONE, below=0.0), NOW) == []


def test_what_is_urgent_comes_first_and_more_before_less() -> None:
    one = {rule: Flag(rule, 1.0) for rule in RULES}
    in_order: list[list[Flag]] = [
        [one["lost"], one["below"], one["away"]],
        [one["lost"], one["below"]],
        [one["lost"]],
        [one["falling"], one["falling"], one["away"]],
        [one["falling"]],
        [one["below"]],
        [one["weakest"]],
        [one["away"], one["away"]],
        [one["away"]],
        [],
    ]
    for order in (in_order, in_order[::-1]):
        assert sorted(order, key=attention.urgency) == in_order


def test_who_is_in_the_roster_but_never_came_is_absent() -> None:
    known = roster.parse(b"user_id,name\nu,Ann\nv,Bob\nw,Cao\n")
    present = [student()]
    missing = attention.absent(known, present)
    assert [each.user_id for each in missing] == ["v", "w"]
    for each in missing:
        assert (each.standings, each.evaluations, each.lost, each.last_seen, each.weakest) == ({}, 0, 0, None, None)
        assert attention.flags(each, 7.0, Rules(), NOW) == [Flag("away", math.inf)]
    assert attention.absent(roster.Roster(), present) == []
    assert [each.user_id for each in attention.absent(known, iter(()))] == ["u", "v", "w"]


# --- who counts, and what was lost ------------------------------------------------------------------------------------


def failed(when: datetime | float | None, **more: Any) -> dict[str, Any]:
    return attempt(when, NAN, status="failed", **more)


def processing(when: datetime | float, **more: Any) -> dict[str, Any]:
    return attempt(when, NAN, status="processing", **more)


SECOND = 1 / 86400
HOUR = 1 / 24
LOST: dict[str, tuple[list[dict[str, Any]], int]] = {
    "failed, and nothing since": ([failed(2)], 1),
    "done again": ([failed(2), attempt(1)], 0),
    "done before": ([attempt(3), failed(2)], 1),
    "done at the same moment is not since": ([failed(2), attempt(2)], 1),
    "a second later is": ([failed(2), attempt(2 - SECOND)], 0),
    "done again in the other skill": ([failed(2), attempt(1, kind=SPEAKING)], 1),
    "done again by somebody else": ([failed(2), attempt(1, user="v")], 1),
    "done again, although without a band": ([failed(2), attempt(1, NAN)], 0),
    "tried again in vain": ([failed(3), failed(2)], 2),
    "all of several are done again by one": ([failed(5), failed(4), failed(3), attempt(1)], 0),
    "two before it, one after": ([failed(5), failed(4), attempt(3), failed(2)], 1),
    "in both skills": ([failed(2), failed(2, kind=SPEAKING)], 2),
    "waiting": ([processing(HOUR / 5)], 0),
    "overdue": ([processing(5 * HOUR)], 0),
    "nearly stuck": ([processing(6 * HOUR - SECOND)], 0),
    "stuck": ([processing(6 * HOUR)], 1),
    "stuck, then done again": ([processing(2), attempt(1)], 0),
    "stuck and failed": ([processing(2), failed(1)], 2),
    "when the period began": ([failed(FIRST), attempt(FIRST - timedelta(days=1))], 1),
    "before the period": ([failed(FIRST - timedelta(seconds=1)), attempt(29, kind=SPEAKING)], 0),
    "without a time": ([failed(None), attempt(29, kind=SPEAKING)], 0),
    "an unknown status": ([attempt(2, NAN, status="queued")], 0),
    "no status": ([attempt(2, NAN, status=None)], 0),
    "of no known type": ([failed(2, kind=None), attempt(1, kind=None)], 1),
}


@pytest.mark.parametrize(("rows", "lost"), LOST.values(), ids=LOST)
def test_what_was_lost(rows: list[dict[str, Any]], lost: int) -> None:
    for order in (rows, rows[::-1]):
        assert students(*order)["u"].lost == lost


def test_only_those_seen_in_the_period_are_listed_the_last_seen_first() -> None:
    found = students(
        attempt(FIRST, user="at its beginning"),
        attempt(FIRST - timedelta(microseconds=1), user="just before"),
        attempt(3, user="b"),
        attempt(3, user="a"),
        failed(1, user="only failed"),
        processing(2, user="only waiting"),
        attempt(1.5, kind="reading", user="of no known type"),
        attempt(None, user="at no time"),
        attempt(1, user=None),
        attempt(-0.01, user="of a clock that is ahead"),
    )
    assert list(found) == [
        "of a clock that is ahead",
        "only failed",
        "of no known type",
        "only waiting",
        "a",
        "b",
        "at its beginning",
    ]
    assert [each.evaluations for each in found.values()] == [1] * 7
    assert found["only failed"].last_seen == ago(1)
    assert math.isnan(found["only failed"].standings[WRITING].progress.level)


def test_of_everybody_those_not_seen_in_the_period_have_their_level_and_when_they_were_seen() -> None:
    rows = frame(attempt(40, 6.5, user="earlier"), attempt(3, user="now"), attempt(None, user="at no time"))
    now, earlier = attention.everybody(rows, FIRST, NOW)
    assert (now.user_id, now.evaluations, earlier.user_id, earlier.evaluations) == ("now", 1, "earlier", 0)
    assert (earlier.last_seen, earlier.lost, earlier.standings[WRITING].progress.level) == (ago(40), 0, 6.5)
    assert earlier.standings[WRITING].change == 0.0
    # Away by the days since then, whatever the period.
    assert attention.flags(earlier, NAN, Rules(away=41), NOW) == []
    assert attention.flags(earlier, NAN, Rules(away=40), NOW) == [Flag("away", 40.0)]


def test_three_criteria_that_tie_make_no_group() -> None:
    low = {"task_achievement_band": 5.0, "coherence_band": 5.0}
    rows = [attempt(1, user="two", **low), attempt(1, user="three", **low, lexical_band=5.0)]
    found = attention.groups(students(*rows).values(), TYPES)
    assert {group.criterion: [user_id for user_id, _ in group.students] for group in found} == {
        "task_achievement_band": ["two"],
        "coherence_band": ["two"],
    }


def test_evaluations_are_counted_in_the_period_and_levels_look_back_further() -> None:
    found = students(
        *[attempt(40 + n, 5.0) for n in range(5)], attempt(2, 5.0), failed(1), attempt(3, 7.0, kind=SPEAKING)
    )["u"]
    assert (found.evaluations, found.last_seen) == (3, ago(1))
    assert (found.standings[WRITING].progress.level, found.standings[WRITING].progress.attempts) == (5.0, 6)
    assert found.standings[WRITING].recent == (5.0,) * 6
    assert found.standings[SPEAKING].recent == (7.0,)


def test_the_newest_twelve_bands_are_kept_in_order() -> None:
    found = students(*[attempt(20 - n, n / 2) for n in range(15)])["u"]
    assert found.standings[WRITING].recent == tuple(n / 2 for n in range(3, 15))


CHANGES: dict[str, tuple[list[tuple[float, float]], float, float]] = {
    # (days ago, band), the level now, and the change since the period began 30 days ago
    "three before, three after": ([(60, 5), (50, 5), (40, 6), (20, 6), (10, 6.5), (5, 7)], 6.5, 1.5),
    "one after takes part with two before": ([(60, 5), (50, 5), (40, 6), (20, 7)], 6.0, 1.0),
    "nothing before": ([(20, 6), (10, 6)], 6.0, NAN),
    "an attempt as the period begins is not before it": ([(30, 6), (10, 7)], 6.5, NAN),
    "a second before it is": ([(30 + SECOND, 6), (10, 7)], 6.5, 0.5),
    "down": ([(40, 7), (3, 5), (2, 5)], 5.0, -2.0),
    "what was read beyond 180 days changes nothing": ([(185, 4), (20, 6)], 6.0, NAN),
    "nor beside others": ([(185, 4), (40, 5), (20, 6)], 5.5, 0.5),
}


@pytest.mark.parametrize(("rows", "level", "change"), CHANGES.values(), ids=CHANGES)
def test_the_change_since_the_period_began(rows: list[tuple[float, float]], level: float, change: float) -> None:
    standing = students(*[attempt(*row) for row in rows])["u"].standings[WRITING]
    assert standing.progress.level == level
    assert repr(standing.change) == repr(float(change))


def test_in_a_period_of_a_year_levels_still_look_back_180_days() -> None:
    rows = [attempt(300, 4.0), attempt(200, 4.0), attempt(100, 6.0)]
    found = students(*rows, first=ago(365))["u"]
    assert (found.evaluations, found.standings[WRITING].progress.attempts) == (3, 1)
    assert math.isnan(found.standings[WRITING].change)


def test_the_weakest_of_both_skills_is_the_one_farthest_below() -> None:
    both = students(
        attempt(2, 6.0, grammar_band=5.0), attempt(1, 6.0, kind=SPEAKING, pronunciation_band=4.5, fluency_band=NAN)
    )["u"]
    assert both.weakest == (SPEAKING, progress.Weakest(("pronunciation_band",), 4.5, 1.5))
    assert students(attempt(1, 6.0))["u"].weakest is None


@pytest.mark.parametrize("rows", [[], [attempt(1, user=None)], [attempt(None)], [attempt(40)]], ids=len)
def test_nobody_at_all(rows: list[dict[str, Any]]) -> None:
    assert students(*rows) == {}


def test_a_class_in_which_nobody_speaks_has_no_speaking() -> None:
    found = students(attempt(1))["u"]
    assert list(found.standings) == list(TYPES)
    assert found.standings[SPEAKING].progress.attempts == 0
    assert found.standings[SPEAKING].recent == ()


# --- weeks ------------------------------------------------------------------------------------------------------------


def weeks(*rows: dict[str, Any], first: datetime, now: datetime, zone: str) -> list[tuple[str, int, int]]:
    """(Monday, writing, speaking) of each week."""
    table = practice.weeks(frame(*rows), first, now, zone)
    assert list(table.columns) == ["start", WRITING, SPEAKING]
    assert all(table[skill].dtype == "int64" for skill in TYPES)
    return [(str(start.date()), writing, speaking) for start, writing, speaking in table.itertuples(index=False)]


def test_empty_weeks_are_zeros_and_only_known_types_count() -> None:
    found = weeks(
        attempt(22),
        attempt(20, kind=SPEAKING),
        failed(20),
        processing(0),
        attempt(1, kind="reading"),
        attempt(1, kind=None),
        attempt(None),
        attempt(1, user=None),  # nobody's, but somebody practised
        first=ago(24),
        now=NOW,
        zone="UTC",
    )
    assert found == [
        ("2026-05-04", 1, 0),
        ("2026-05-11", 1, 1),
        ("2026-05-18", 0, 0),
        ("2026-05-25", 1, 0),
        ("2026-06-01", 1, 0),
    ]


@pytest.mark.parametrize("rows", [[], [attempt(None)], [attempt(1, kind="reading")], [attempt(99)]], ids=len)
def test_weeks_of_nothing_are_zeros(rows: list[dict[str, Any]]) -> None:
    expected = [("2026-05-25", 0, 0), ("2026-06-01", 0, 0)]
    assert weeks(*rows, first=ago(6), now=NOW, zone="UTC") == expected
    assert weeks(*rows, first=NOW, now=NOW, zone="UTC") == expected[1:]


@pytest.mark.parametrize("zone", [HO_CHI_MINH, "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize(
    "monday",
    # Clocks change on 29 March and 25 October 2026 in Berlin, on 8 March and 1 November in New York: Sundays.
    ["2026-03-02", "2026-03-09", "2026-03-23", "2026-03-30", "2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09"],
)
def test_a_week_begins_on_monday_at_midnight_where_the_reader_is(monday: str, zone: str) -> None:
    here = ZoneInfo(zone)
    midnight = datetime.fromisoformat(monday).replace(tzinfo=here)
    before, now = midnight.astimezone(UTC) - timedelta(seconds=1), midnight + timedelta(days=6, hours=23, minutes=59)
    rows = [attempt(midnight.astimezone(UTC)), attempt(before, kind=SPEAKING)]
    first = midnight - timedelta(days=7)
    earlier = str(first.date())
    assert weeks(*rows, first=first, now=now, zone=zone) == [(earlier, 0, 1), (monday, 1, 0)]
    assert weeks(*rows, first=before, now=now, zone=zone) == [(earlier, 0, 1), (monday, 1, 0)]
    # From the midnight itself, the week before is no part of it.
    assert weeks(*rows, first=midnight.astimezone(UTC), now=now, zone=zone) == [(monday, 1, 0)]


@pytest.mark.parametrize(("zone", "transitions"), [("Europe/Berlin", 2), ("America/New_York", 2), (HO_CHI_MINH, 0)])
def test_a_year_of_weeks_has_no_gap_where_clocks_change(zone: str, transitions: int) -> None:
    first, now = datetime(2025, 12, 31, 12, tzinfo=UTC), datetime(2026, 12, 31, 12, tzinfo=UTC)
    rows = [attempt(first + timedelta(hours=n)) for n in range(0, 365 * 24, 6)]
    found = weeks(*rows, first=first, now=now, zone=zone)
    starts = [datetime.fromisoformat(start) for start, _, _ in found]
    assert {late - early for early, late in itertools.pairwise(starts)} == {timedelta(days=7)}
    assert (starts[0].weekday(), len(starts)) == (0, 53)
    assert sum(writing for _, writing, _ in found) == len(rows)
    # A week in which clocks change is an hour longer or shorter: of one attempt every six hours it has 28 or 27 or 29.
    assert {writing for _, writing, _ in found[1:-1]} <= {27, 28, 29}
    offsets = [
        moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in (first + timedelta(hours=n) for n in range(8760))
    ]
    assert sum(one != other for one, other in itertools.pairwise(offsets)) == transitions


# --- what always holds ------------------------------------------------------------------------------------------------

BANDS = st.sampled_from([4.0, 5.5, 6.0, 7.5, NAN])
ROWS = st.lists(
    st.builds(
        lambda when, seconds, band, user, kind, status, grammar: attempt(
            None if when is None else ago(when, seconds=seconds),
            band,
            user,
            kind,
            status=status,
            grammar_band=grammar,
        ),
        st.one_of(st.none(), st.integers(-1, 220)),
        st.sampled_from([0, 0, 1, 40_000]),
        BANDS,
        st.sampled_from(["u", "u", "v", "w\0", None]),
        st.sampled_from([WRITING, WRITING, SPEAKING, "reading", None]),
        st.sampled_from(["completed", "completed", "completed", "failed", "processing", "queued", None]),
        BANDS,
    ),
    max_size=30,
)
PERIODS = st.sampled_from([ago(7), ago(30), ago(90), ago(200), ago(365)])


def naive(rows: list[dict[str, Any]], first: datetime) -> list[Student]:
    """The students by plain loops, one at a time."""
    numbered = [{**row, "id": f"e{n:03}"} for n, row in enumerate(rows)]
    found = []
    for user in sorted({row["user_id"] for row in rows if row["user_id"]}):
        own = [row for row in numbered if row["user_id"] == user and row["created_at"]]
        shown = [row for row in own if row["created_at"] >= first]
        if not shown:
            continue
        standings = {}
        for skill in TYPES:
            scored = [row for row in own if row["evaluation_type"] == skill and row["status"] == "completed"]
            scored = [row for row in scored if not math.isnan(row["overall_band"])]
            scored = sorted(scored, key=lambda row: (row["created_at"], row["id"]))
            recent = [row for row in scored if row["created_at"] >= NOW - progress.WINDOW]
            earlier = [row["overall_band"] for row in recent if row["created_at"] < first]
            alone = progress.progress(progress.attempts(frame(*rows).query("user_id == @user"), skill), NOW)
            assert alone.attempts == len(recent)
            level = progress.median([row["overall_band"] for row in recent[-3:]])
            assert repr(alone.level) == repr(level)
            change = level - progress.median(earlier[-3:])
            standings[skill] = Standing(alone, change, tuple(row["overall_band"] for row in recent[-12:]))
        lost = 0
        for row in shown:
            age = NOW - row["created_at"]
            over = row["status"] == "failed" or (row["status"] == "processing" and age >= timedelta(hours=6))
            again = any(
                other["status"] == "completed"
                and other["evaluation_type"] == row["evaluation_type"] is not None
                and other["created_at"] > row["created_at"]
                for other in own
            )
            lost += over and not again
        found.append(Student(user, standings, len(shown), lost, max(row["created_at"] for row in shown)))
    return sorted(found, key=lambda each: each.last_seen or NOW, reverse=True)


def text(found: list[Student]) -> list[str]:
    """Students to be compared: NaN is equal to itself, and a pandas time to Python's."""
    return [
        repr(replace(each, last_seen=each.last_seen and datetime.fromisoformat(str(each.last_seen)))) for each in found
    ]


@settings(deadline=None, max_examples=25)
@given(ROWS, PERIODS)
def test_the_class_is_what_plain_loops_find(rows: list[dict[str, Any]], first: datetime) -> None:
    assert text(active(frame(*rows), first, NOW)) == text(naive(rows, first))


@settings(deadline=None, max_examples=25)
@given(ROWS, PERIODS, st.randoms())
def test_the_order_of_evaluations_changes_nothing(rows: list[dict[str, Any]], first: datetime, random: Any) -> None:
    table = frame(*rows)
    other = table.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32)))
    one, by_week = active(table, first, NOW), practice.weeks(table, first, NOW, HO_CHI_MINH)
    # Its row labels as they were, and all alike, as in frames that were joined.
    for again in (other, other.set_axis([0] * len(other))):
        two = active(again, first, NOW)
        assert text(one) == text(two)
        for rules in (Rules(), Rules(away=0, below=0.0, weakest=0.0)):
            assert [attention.flags(each, 7.0, rules, NOW) for each in one] == [
                attention.flags(each, 7.0, rules, NOW) for each in two
            ]
        assert_frame_equal(by_week, practice.weeks(again, first, NOW, HO_CHI_MINH))


@settings(deadline=None, max_examples=25)
@given(ROWS, PERIODS)
def test_more_than_the_period_and_180_days_changes_nothing(rows: list[dict[str, Any]], first: datetime) -> None:
    table = frame(*rows)
    enough = table[table["created_at"] >= min(first, NOW - progress.WINDOW)]
    assert text(active(table, first, NOW)) == text(active(enough, first, NOW))


@settings(deadline=None, max_examples=25)
@given(ROWS, PERIODS)
def test_one_student_changes_nothing_of_another(rows: list[dict[str, Any]], first: datetime) -> None:
    table = frame(*rows)
    together = {each.user_id: each for each in active(table, first, NOW)}
    for user in ("u", "v", "w\0"):
        alone = active(table[table["user_id"] == user], first, NOW)
        assert text(alone) == text([together[user]] if user in together else [])


@settings(deadline=None, max_examples=25)
@given(ROWS, st.integers(-60, 60))
def test_moving_everything_by_weeks_moves_only_the_times(rows: list[dict[str, Any]], number: int) -> None:
    shift = timedelta(weeks=number)
    moved = frame(*[{**row, "created_at": row["created_at"] and row["created_at"] + shift} for row in rows])
    one, two = active(frame(*rows), FIRST, NOW), active(moved, FIRST + shift, NOW + shift)
    assert [each.user_id for each in one] == [each.user_id for each in two]
    for here, there in zip(one, two, strict=True):
        assert here.last_seen is not None
        assert there.last_seen == here.last_seen + shift
        assert (here.evaluations, here.lost, repr(here.weakest)) == (there.evaluations, there.lost, repr(there.weakest))
        assert attention.flags(here, 7.0, Rules(), NOW) == attention.flags(there, 7.0, Rules(), NOW + shift)
        for skill in TYPES:
            assert repr(here.standings[skill].change) == repr(there.standings[skill].change)
    table = practice.weeks(frame(*rows), FIRST, NOW, HO_CHI_MINH)
    later = practice.weeks(moved, FIRST + shift, NOW + shift, HO_CHI_MINH)
    assert_frame_equal(table.assign(start=table["start"] + shift), later)


@settings(deadline=None, max_examples=100)
@given(
    st.builds(
        student,
        st.one_of(st.just(NAN), st.integers(0, 36).map(lambda quarters: quarters / 4)),
        st.sampled_from([NOTHING, FALLING]),
        st.fixed_dictionaries(dict.fromkeys("abcd", BANDS)),
        st.integers(0, 3),
        st.one_of(st.none(), st.floats(-1, 100).map(ago)),
        skills=st.sampled_from([(), (WRITING,), TYPES]),
    ),
    st.sampled_from([NAN, 0.0, 6.5, 9.0]),
    st.tuples(st.integers(0, 90), st.floats(0, 4), st.floats(0, 4)),
    st.tuples(st.integers(0, 90), st.floats(0, 4), st.floats(0, 4)),
    st.booleans(),
)
def test_a_stricter_rule_adds_no_flag(
    who: Student, target: float, some: tuple[int, float, float], more: tuple[int, float, float], off: bool
) -> None:
    loose = Rules(*some)
    strict = Rules(some[0] + more[0], some[1] + more[1], some[2] + more[2], falling=not off, lost=not off)
    found = attention.flags(who, target, loose, NOW)
    assert [flag for flag in found if flag in attention.flags(who, target, strict, NOW)] == attention.flags(
        who, target, strict, NOW
    )
    assert attention.flags(who, target, NONE, NOW) == []
    assert attention.urgency(found) <= attention.urgency([])


def test_the_helpers_say_when() -> None:
    # Guards the tests: NOW is a Monday, and the period begins before it.
    assert (NOW.weekday(), pd.Timestamp(FIRST) < pd.Timestamp(NOW)) == (0, True)
