"""The class at a glance: what each rule means at its boundary, who counts, weeks, and that no order matters."""

import gc
import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import attention, practice
from analysis.attention import Aim, Flag, Group, Rules, Standing, Student
from analysis.levels import attempts, growth, progress
from analysis.levels.criteria import Weakest
from analysis.levels.progress import DEFAULT_NOISES, MONTH, Noise, Progress, Trend
from data import roster
from data.schema import SPEAKING, TYPES, WRITING
from tests.support.attempts import MICROSECOND, NAN, NOW, ago, alike, attempt, frame, shuffled
from tests.support.examples import examples

FIRST = ago(30)
HO_CHI_MINH = "Asia/Ho_Chi_Minh"
NONE = Rules(away=None, below=None, weakest=None, falling=False, lost=False)
QUIET = dict.fromkeys(TYPES, Noise(growth.Noise(0.2), 0.2))
"""Everybody is alike and scores are good."""


def everybody(*rows: dict[str, Any], first: datetime = FIRST) -> dict[str, Student]:
    """The students of those rows by id, in their order."""
    students = attention.everybody(frame(*rows), first, NOW, DEFAULT_NOISES)
    assert len({student.user_id for student in students}) == len(students)
    return {student.user_id: student for student in students}


# --- the rules --------------------------------------------------------------------------------------------------------

UNCLEAR = Trend("no clear change", 0.0, -0.3, 0.3, ago(90))
DECLINING = Trend("declining", -0.5, -0.8, -0.2, ago(90))
PAUSED = Trend("paused", -0.5, -0.8, -0.2, ago(90), "declining")


def student(
    level: float = 7.0,
    trend: Trend = UNCLEAR,
    weakest: Weakest | None = None,
    *,
    lost: int = 0,
    practised_since: int = 0,
    last_seen: datetime | None = NOW,
    skills: Sequence[str] = (WRITING,),
) -> Student:
    """A student who stands so in each of `skills`; the margin of the level is half a band."""
    standing = Standing(Progress(level, 0.5, 8, last_seen, trend, weakest), None, ())
    return Student("u", dict.fromkeys(skills, standing), 3, lost, last_seen, practised_since)


def low(gap: float, margin: float = 0.25, criterion: str = "a") -> Weakest:
    return Weakest(criterion, 5.0, gap, margin)


def below(amount: float, weight: float, skill: str = WRITING, needed: float = NAN) -> Flag:
    return Flag("below", amount, skill, weight=weight, needed=needed)


BELOW = replace(NONE, below=1.0)
WEAKEST = replace(NONE, weakest=1.0)
FALLING = replace(NONE, falling=True)
LOSING = replace(NONE, lost=True)
FLAGS: dict[str, tuple[Student, Rules, list[Flag]]] = {
    "a student of whom nothing is to be said": (student(), Rules(), []),
    "away: fourteen days exactly": (student(last_seen=ago(14)), Rules(), [Flag("away", 14.0)]),
    "a microsecond less": (student(last_seen=ago(14) + MICROSECOND), Rules(), []),
    "four weeks weigh twice": (student(last_seen=ago(28)), Rules(), [Flag("away", 28.0, weight=2.0)]),
    "a year, no more than thrice": (student(last_seen=ago(365)), Rules(), [Flag("away", 365.0, weight=3.0)]),
    "seen by a clock that is ahead": (student(last_seen=ago(-1)), replace(Rules(), away=0), []),
    "a rule of no days at all flags everybody": (student(), Rules(away=0), [Flag("away", 0.0, weight=3.0)]),
    "never seen": (student(last_seen=None, skills=()), Rules(), [Flag("away", math.inf)]),
    "away is off": (student(last_seen=None, skills=()), replace(Rules(), away=None), []),
    # The target is 7.0, and the most that the level may be half a band above it.
    "below by one band surely": (student(5.5), BELOW, [below(1.5, 1.0)]),
    "a little less": (student(5.51), BELOW, []),
    "by two": (student(4.5), BELOW, [below(2.5, 2.0)]),
    "by far, no more than thrice": (student(1.0), BELOW, [below(6.0, 3.0)]),
    "a smaller rule": (student(6.0), replace(NONE, below=0.25), [below(1.0, 2.0)]),
    "no bands at all": (student(6.5), replace(NONE, below=0.0), [below(0.5, 3.0)]),
    "above the target": (student(7.25), replace(NONE, below=0.0), []),
    "no level is not below": (student(NAN), replace(NONE, below=0.0), []),
    "who does not practise is away, not below": (student(3.0, PAUSED), BELOW, []),
    "below is off": (student(3.0), NONE, []),
    "below in both skills": (student(5.0, skills=TYPES), BELOW, [below(2.0, 1.5), below(2.0, 1.5, SPEAKING)]),
    "weakest by exactly one band": (
        student(weakest=low(1.0)), WEAKEST, [Flag("weakest", 1.0, WRITING, "a", weight=0.875)],
    ),
    "surer weighs more": (
        student(weakest=low(1.5, 0.1)), WEAKEST, [Flag("weakest", 1.5, WRITING, "a", weight=1.2)],
    ),
    "a little less weak": (student(weakest=low(0.99)), WEAKEST, []),
    "weak by any gap": (
        student(weakest=low(0.3)), replace(NONE, weakest=0.0), [Flag("weakest", 0.3, WRITING, "a", weight=2.0)],
    ),
    "weakest is off": (student(weakest=low(3.0)), NONE, []),
    # Its interval ends 0.2 below zero: 1, and twice the 0.1 that is steady.
    "declining": (student(trend=DECLINING), FALLING, [Flag("falling", -0.5, WRITING, weight=3.0)]),
    "declining a little": (
        student(trend=replace(DECLINING, high=-0.05)), FALLING, [Flag("falling", -0.5, WRITING, weight=1.5)],
    ),
    "rising": (student(trend=replace(DECLINING, word="rising")), FALLING, []),
    "steady": (student(trend=replace(DECLINING, word="steady")), FALLING, []),
    "was declining, long ago": (student(trend=PAUSED), FALLING, []),
    "declining is off": (student(trend=DECLINING), NONE, []),
    "one lost": (student(lost=1), LOSING, [Flag("lost", 1, weight=2.0)]),
    "one, but something else was practised since": (
        student(lost=1, practised_since=1), LOSING, [Flag("lost", 1, weight=1.5)],
    ),
    "five lost are one flag": (student(lost=5), LOSING, [Flag("lost", 5, weight=3.0)]),
    "none lost": (student(lost=0), LOSING, []),
    "lost is off": (student(lost=3), NONE, []),
    "all at once, the weightiest first, then by rule": (
        student(5.0, DECLINING, low(1.5, 0.1), lost=2, last_seen=ago(21)),
        Rules(),
        [
            Flag("lost", 2, weight=3.0),
            Flag("falling", -0.5, WRITING, weight=3.0),
            below(2.0, 1.5),
            Flag("away", 21.0, weight=1.5),
            Flag("weakest", 1.5, WRITING, "a", weight=1.2),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("who", "rules", "expected"), FLAGS.values(), ids=FLAGS)
def test_who_is_flagged(who: Student, rules: Rules, expected: list[Flag]) -> None:
    flags = attention.flags(who, Aim(7.0), rules, NOW)
    # Weights have digits; all else is as it is.
    assert alike([replace(flag, weight=0) for flag in flags], [replace(flag, weight=0) for flag in expected])
    assert [flag.weight for flag in flags] == pytest.approx([flag.weight for flag in expected])
    assert attention.urgency(flags) == pytest.approx(-sum(flag.weight for flag in expected))
    # Without a target nobody is below it.
    without = [flag.rule for flag in expected if flag.rule != "below"]
    assert [flag.rule for flag in attention.flags(who, Aim(), rules, NOW)] == without


# The level is 6.0 to 7.0 or 5.5 to 6.5, the trend 0.3 a month at best, the target 7.5.
TESTS: dict[str, tuple[float, float, list[Flag]]] = {
    # level, months to the test
    "in reach at the best": (6.5, 1.7, []),
    "out of reach": (6.5, 1.6, [below(1.0, 1.5, needed=1 / 1.6)]),
    "further, and so weightier": (6.0, 1.0, [below(1.5, 2.0, needed=1.5)]),
    "far below, but there is time": (5.0, 9.0, []),
    "the test is now: as without one": (6.5, 0.0, []),
    "the test was": (6.0, -1.0, [below(1.5, 1.0)]),
    "a day away": (6.5, 1 / growth.DAYS_A_MONTH, [below(1.0, 1.5, needed=growth.DAYS_A_MONTH)]),
    "the target is within the margin": (7.0, 0.01, []),
}


@pytest.mark.parametrize(("level", "months", "expected"), TESTS.values(), ids=TESTS)
def test_with_a_test_to_come_it_is_the_path_to_the_target_that_counts(
    level: float, months: float, expected: list[Flag]
) -> None:
    aim = Aim(7.5, test_at=NOW + months * MONTH)
    flags = attention.flags(student(level), aim, BELOW, NOW)
    assert alike([replace(f, weight=0, needed=0) for f in flags], [replace(f, weight=0, needed=0) for f in expected])
    for flag, other in zip(flags, expected, strict=True):
        assert (flag.weight, flag.needed) == pytest.approx((other.weight, other.needed), rel=1e-6, nan_ok=True)
        # With a test to come a small rule weighs no more than half a band does.
        (small,) = attention.flags(student(level), aim, replace(NONE, below=0.25), NOW)
        assert small.weight == pytest.approx(2.0 if months > 0 and level == 6.5 else 3.0)
    assert attention.flags(student(level, PAUSED), aim, BELOW, NOW) == []


@pytest.mark.parametrize(
    ("trend", "pace"),
    [
        (Trend("rising", 0.2, 0.1, 0.3, ago(90)), 0.2),
        (Trend("steady", 0.0, -0.1, 0.1, ago(90)), 0.0),
        (DECLINING, -0.5),
        (UNCLEAR, NAN),
        (Trend("not enough data"), NAN),
    ],
)
def test_beside_the_pace_that_a_test_takes_stands_that_of_today_where_it_is_told(trend: Trend, pace: float) -> None:
    (flag,) = attention.flags(student(5.0, trend), Aim(7.5, test_at=NOW + 2 * MONTH), BELOW, NOW)
    assert (flag.needed, flag.pace) == pytest.approx((1.25, pace), nan_ok=True)


def test_more_and_surer_reasons_come_first() -> None:
    in_order = [
        [Flag("lost", 1, weight=2.0), Flag("away", 20, weight=1.4)],
        [Flag("falling", -0.5, weight=3.0)],
        [Flag("below", 1, weight=1.2), Flag("weakest", 1, weight=1.0)],
        [Flag("lost", 1, weight=2.0)],
        [Flag("away", 14)],
        [],
    ]
    for order in (in_order, in_order[::-1]):
        assert sorted(order, key=attention.urgency) == in_order


def test_who_is_in_the_roster_but_never_came_is_absent() -> None:
    class_list = roster.parse(b"user_id,name\nu,Ann\nv,Bob\nw,Cao\n")
    missing = attention.absent(class_list, [student()])
    assert missing == [Student(name, {}, 0, 0, None) for name in "vw"]
    for each in missing:
        assert each.weakest is None
        assert alike(attention.flags(each, Aim(7.0), Rules(), NOW), [Flag("away", math.inf)])
    assert attention.absent(roster.Roster(), [student()]) == []
    assert [each.user_id for each in attention.absent(class_list, iter(()))] == ["u", "v", "w"]


def test_groups_are_of_those_who_share_a_weakest_criterion_the_largest_first() -> None:
    def who(name: str, **weak: tuple[str, float]) -> Student:
        standings = {
            skill: Standing(Progress(weakest=Weakest(*weak[skill], 1.0, 0.5) if skill in weak else None), None, ())
            for skill in TYPES
        }
        return Student(name, standings, 1, 0, NOW)

    class_ = [
        who("a", writing=("grammar_band", 5.5)),
        who("b", writing=("grammar_band", 5.0), speaking=("fluency_band", 4.0)),
        who("c", writing=("grammar_band", 5.0)),
        who("d", writing=("coherence_band", 4.0)),
        who("e"),
        Student("f", {}, 0, 0, None),
    ]
    grammar = Group(WRITING, "grammar_band", (("b", 5.0), ("c", 5.0), ("a", 5.5)))
    coherence, fluency = Group(WRITING, "coherence_band", (("d", 4.0),)), Group(SPEAKING, "fluency_band", (("b", 4.0),))
    for order in (class_, class_[::-1]):
        assert attention.groups(order, TYPES) == [grammar, fluency, coherence]
        assert attention.groups(order, (WRITING,)) == [grammar, coherence]
    assert grammar.middle == 5.0
    assert attention.groups([], TYPES) == []
    assert attention.groups([each.only([SPEAKING]) for each in class_], TYPES) == [fluency]


def test_the_weakest_of_both_skills_is_the_one_farthest_below() -> None:
    standings = {
        skill: Standing(Progress(weakest=low(gap, criterion=name)), None, ())
        for skill, name, gap in ((WRITING, "a", 1.0), (SPEAKING, "b", 1.5))
    }
    both = Student("u", standings, 1, 0, NOW)
    assert both.weakest == (SPEAKING, low(1.5, criterion="b"))
    assert both.only([WRITING]).weakest == (WRITING, low(1.0))
    assert both.only([]).weakest is None


# --- who counts, and what was lost ------------------------------------------------------------------------------------


def failed(when: datetime | float | None, **more: Any) -> dict[str, Any]:
    return attempt(when, NAN, status="failed", **more)


def processing(when: datetime | float, **more: Any) -> dict[str, Any]:
    return attempt(when, NAN, status="processing", **more)


SECOND = 1 / 86400
HOUR = 1 / 24
LOST: dict[str, tuple[list[dict[str, Any]], int, int]] = {
    # rows, lost, and of these with practice since
    "failed, and nothing since": ([failed(2)], 1, 0),
    "done again": ([failed(2), attempt(1.5)], 0, 0),
    "within a day exactly": ([failed(2), attempt(1)], 0, 0),
    "a second more: something else was practised": ([failed(2), attempt(1 - SECOND)], 1, 1),
    "done before": ([attempt(3), failed(2)], 1, 0),
    "done at the same moment is not since": ([failed(2), attempt(2)], 1, 0),
    "a second later is": ([failed(2), attempt(2 - SECOND)], 0, 0),
    "done again in the other skill": ([failed(2), attempt(1.5, kind=SPEAKING)], 1, 0),
    "done again by somebody else": ([failed(2), attempt(1.5, user="v")], 1, 0),
    "done again, although without a band": ([failed(2), attempt(1.5, NAN)], 0, 0),
    "tried again in vain": ([failed(3), failed(2)], 2, 0),
    "of several, those of the last day are done again": ([failed(5), failed(4), failed(3), attempt(2.5)], 2, 2),
    "two before it, one after": ([failed(5), failed(4.5), attempt(4.25), failed(2)], 1, 0),
    "in both skills": ([failed(2), failed(2, kind=SPEAKING)], 2, 0),
    "waiting": ([processing(HOUR / 5)], 0, 0),
    "overdue": ([processing(5 * HOUR)], 0, 0),
    "nearly stuck": ([processing(6 * HOUR - SECOND)], 0, 0),
    "stuck": ([processing(6 * HOUR)], 1, 0),
    "stuck, then done again": ([processing(2), attempt(1.9)], 0, 0),
    "stuck and failed": ([processing(2), failed(1)], 2, 0),
    "when the period began": ([failed(FIRST), attempt(FIRST - timedelta(days=1))], 1, 0),
    "before the period": ([failed(FIRST - timedelta(seconds=1)), attempt(28, kind=SPEAKING)], 0, 0),
    "without a time": ([failed(None), attempt(29, kind=SPEAKING)], 0, 0),
    "an unknown status": ([attempt(2, NAN, status="queued")], 0, 0),
    "no status": ([attempt(2, NAN, status=None)], 0, 0),
    "of no known type": ([failed(2, kind=None), attempt(1.5, kind=None)], 1, 0),
}


@pytest.mark.parametrize(("rows", "lost", "since"), LOST.values(), ids=LOST)
def test_what_was_lost(rows: list[dict[str, Any]], lost: int, since: int) -> None:
    for order in (rows, rows[::-1]):
        student = everybody(*order)["u"]
        assert (student.lost, student.practised_since) == (lost, since)
        timed = frame(*order)
        assert len(attention.missing(timed[timed["created_at"] >= FIRST].query("user_id == 'u'"), NOW)) == lost


def test_what_is_missing_has_the_same_columns_where_nothing_is() -> None:
    some = attention.missing(frame(attempt(1, status="failed"), attempt(2, user="v")), NOW)
    none = attention.missing(frame(attempt(1), attempt(2, user=None)), NOW)
    assert (len(some), len(none)) == (1, 0)
    assert list(some.columns) == list(none.columns)
    # Somebody's whose student cannot be read is missing all the same, and nobody's later result is its own.
    unread = frame(attempt(1, user=None, status="failed"), attempt(0.5, user=None), attempt(0.5, user="v"))
    assert len(attention.missing(unread, NOW)) == 1


def test_collecting_goes_on_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "_MANY", 3)
    rows = [attempt(n) for n in range(3)]
    everybody(*rows)
    assert (gc.isenabled(), gc.get_freeze_count()) == (True, 0)
    gc.disable()
    try:
        everybody(*rows)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_everybody_is_listed_the_last_seen_first_and_counted_in_the_period() -> None:
    students = everybody(
        attempt(FIRST, user="at its beginning"),
        attempt(FIRST - MICROSECOND, user="just before"),
        attempt(3, user="b"),
        attempt(3, user="a"),
        failed(1, user="only failed"),
        processing(2, user="only waiting"),
        attempt(1.5, kind="reading", user="of no known type"),
        attempt(None, user="at no time"),
        attempt(1, user=None),
        attempt(-0.01, user="of a clock that is ahead"),
        attempt(300, user="long ago"),
    )
    assert [(name, student.evaluations) for name, student in students.items()] == [
        ("of a clock that is ahead", 1),
        ("only failed", 1),
        ("of no known type", 1),
        ("only waiting", 1),
        ("a", 1),
        ("b", 1),
        ("at its beginning", 1),
        ("just before", 0),
        ("long ago", 0),
    ]
    assert students["only failed"].last_seen == ago(1)
    for name in ("only failed", "long ago", "of a clock that is ahead"):  # seen, but it has no level yet
        assert students[name].standings[WRITING].progress.attempts == 0
        assert students[name].standings[WRITING].recent == ()
    assert students["just before"].standings[WRITING].progress.level == 6.0
    assert students["just before"].standings[WRITING].change is None
    # Away by the days since then, whatever the period.
    aim = Aim()
    assert attention.flags(students["long ago"], aim, Rules(away=301), NOW) == []
    assert alike(attention.flags(students["long ago"], aim, Rules(away=300), NOW), [Flag("away", 300.0)])


def test_a_time_in_the_future_makes_nobody_active_who_has_another() -> None:
    tomorrow, hour = ago(-1), timedelta(hours=1)
    rows = [attempt(20, user="u"), failed(-1, user="u"), failed(-1, user="only ahead"), attempt(19, user="v")]
    students = everybody(*rows, attempt(NOW + hour, user="a clock"), attempt(NOW + hour + MICROSECOND, user="v"))
    seen = {name: student.last_seen for name, student in students.items()}
    assert list(seen.items()) == [("only ahead", tomorrow), ("a clock", NOW + hour), ("v", ago(19)), ("u", ago(20))]
    flags = attention.flags(students["u"], Aim(), Rules(), NOW)
    assert [(flag.rule, flag.amount) for flag in flags if flag.rule == "away"] == [("away", 20.0)]


def test_evaluations_are_counted_in_the_period_and_levels_look_back_further() -> None:
    rows = [*[attempt(40 + n, 5.0) for n in range(5)], attempt(2, 5.0), failed(1), attempt(3, 7.0, kind=SPEAKING)]
    student = everybody(*rows)["u"]
    assert (student.evaluations, student.last_seen) == (3, ago(1))
    assert (student.standings[WRITING].progress.level, student.standings[WRITING].progress.attempts) == (5.0, 6)
    assert student.standings[WRITING].recent == (5.0,) * 6
    assert student.standings[SPEAKING].recent == (7.0,)
    assert list(student.standings) == list(TYPES)


def test_the_newest_twelve_bands_of_180_days_are_kept_in_order() -> None:
    assert everybody(*[attempt(20 - n, n / 2) for n in range(15)])["u"].standings[WRITING].recent == tuple(
        n / 2 for n in range(3, 15)
    )
    year = everybody(attempt(300, 4.0), attempt(200, 4.0), attempt(100, 6.0), first=ago(365))["u"]
    assert (year.evaluations, year.standings[WRITING].recent) == (3, (6.0,))
    assert year.standings[WRITING].change is not None


@pytest.mark.parametrize("rows", [[], [attempt(1, user=None)], [attempt(None)]], ids=len)
def test_nobody_at_all(rows: list[dict[str, Any]]) -> None:
    assert everybody(*rows) == {}


def test_a_class_with_nothing_wrong_is_a_short_list_and_one_who_falls_is_on_it() -> None:
    rows = [
        attempt(3 + 7 * n, 6.0 + (0.5 if (n + who) % 2 else 0.0), f"u{who}", kind)
        for who in range(12)
        for n in range(20)
        for kind in TYPES
    ]
    rows += [attempt(3 + 7 * n, 4.0 + n // 4 / 2, "falls") for n in range(20)]
    table = frame(*rows)
    students = attention.everybody(table, FIRST, NOW, progress.estimate_noises(table, NOW))
    flagged = {each.user_id: [flag.rule for flag in attention.flags(each, Aim(6.5), Rules(), NOW)] for each in students}
    assert {name: rules for name, rules in flagged.items() if rules} == {"falls": ["falling", "below"]}
    assert attention.groups(students, TYPES) == []


# --- weeks ------------------------------------------------------------------------------------------------------------


def weeks(*rows: dict[str, Any], first: datetime, now: datetime, zone: str) -> list[tuple[str, int, int]]:
    """(Monday, writing, speaking) of each week."""
    table = practice.weeks(frame(*rows), first, now, zone)
    assert list(table.columns) == ["start", WRITING, SPEAKING]
    assert all(table[skill].dtype == "int64" for skill in TYPES)
    return [(str(start.date()), writing, speaking) for start, writing, speaking in table.itertuples(index=False)]


def test_empty_weeks_are_zeros_and_only_known_types_count() -> None:
    counts = weeks(
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
    assert counts == [
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
    counts = weeks(*rows, first=first, now=now, zone=zone)
    starts = [datetime.fromisoformat(start) for start, _, _ in counts]
    assert {late - early for early, late in itertools.pairwise(starts)} == {timedelta(days=7)}
    assert (starts[0].weekday(), len(starts)) == (0, 53)
    assert sum(writing for _, writing, _ in counts) == len(rows)
    # A week in which clocks change is an hour longer or shorter: of one attempt every six hours it has 28 or 27 or 29.
    assert {writing for _, writing, _ in counts[1:-1]} <= {27, 28, 29}
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
    table, numbered = frame(*rows), [{**row, "id": f"e{n:03}"} for n, row in enumerate(rows)]
    students = []
    for user in sorted({row["user_id"] for row in rows if row["user_id"]}):
        own = [row for row in numbered if row["user_id"] == user and row["created_at"]]
        if not own:
            continue
        standings = {}
        for skill in TYPES:
            cohort = attempts.of_student(table[table["user_id"] == user], skill)
            (standing,) = progress.progress(cohort, NOW, QUIET[skill])
            (change,) = progress.changes(cohort, first, NOW, QUIET[skill])
            recent = sorted(
                (row["created_at"], row["id"], row["overall_band"])
                for row in own
                if (row["evaluation_type"], row["status"]) == (skill, "completed")
                and NOW - progress.WINDOW <= row["created_at"] <= NOW
                and not math.isnan(row["overall_band"])
            )
            standings[skill] = Standing(standing, change, tuple(band for *_, band in recent[-12:]))
        lost = since = 0
        lost_in = {skill: [0, 0] for skill in TYPES}
        for row in own:
            old = row["status"] == "processing" and NOW - row["created_at"] >= timedelta(hours=6)
            later = [
                other["created_at"] - row["created_at"]
                for other in own
                if other["status"] == "completed"
                and other["evaluation_type"] == row["evaluation_type"] is not None
                and other["created_at"] > row["created_at"]
            ]
            if row["created_at"] >= first and (old or row["status"] == "failed"):
                numbers = not later or min(later) > timedelta(days=1), bool(later) and min(later) > timedelta(days=1)
                lost, since = lost + numbers[0], since + numbers[1]
                if row["evaluation_type"] in TYPES:
                    of_skill = lost_in[row["evaluation_type"]]
                    of_skill[:] = of_skill[0] + numbers[0], of_skill[1] + numbers[1]
        seen = [row["created_at"] for row in own]
        last = max([time for time in seen if time <= NOW + timedelta(hours=1)] or seen)
        by_skill = tuple((skill, *of_skill) for skill, of_skill in lost_in.items() if of_skill[0])
        students.append(Student(user, standings, sum(time >= first for time in seen), lost, last, since, by_skill))
    return sorted(students, key=lambda each: each.last_seen or NOW, reverse=True)


@examples(12)
@given(ROWS, PERIODS)
def test_the_class_is_what_plain_loops_find_of_each_alone(rows: list[dict[str, Any]], first: datetime) -> None:
    assert alike(attention.everybody(frame(*rows), first, NOW, QUIET), naive(rows, first))


@examples(12)
@given(ROWS, PERIODS, st.randoms())
def test_order_and_what_is_older_than_needed_change_nothing(
    rows: list[dict[str, Any]], first: datetime, random: Any
) -> None:
    table = frame(*rows)
    other = shuffled(table, random)
    one, by_week = attention.everybody(table, first, NOW, QUIET), practice.weeks(table, first, NOW, HO_CHI_MINH)
    # Its row labels as they were, and all alike, as in frames that were joined.
    for again in (other, other.set_axis([0] * len(other))):
        two = attention.everybody(again, first, NOW, QUIET)
        assert repr(one) == repr(two)
        assert_frame_equal(by_week, practice.weeks(again, first, NOW, HO_CHI_MINH))
    enough = table[table["created_at"] >= min(first, NOW - progress.WINDOW)]
    kept = {each.user_id for each in attention.everybody(enough, first, NOW, QUIET)}
    assert alike([each for each in one if each.user_id in kept], attention.everybody(enough, first, NOW, QUIET))


@examples(12)
@given(ROWS, PERIODS, st.sampled_from([NAN, 5.0, 7.0]))
def test_the_reasons_of_a_skill_are_those_of_a_student_who_is_looked_at_in_it_alone(
    rows: list[dict[str, Any]], first: datetime, target: float
) -> None:
    for each in attention.everybody(frame(*rows), first, NOW, QUIET):
        of_both = attention.flags(each, Aim(target), Rules(), NOW)
        for skills in (TYPES, TYPES[:1], TYPES[1:]):
            alone = attention.flags(each.only(skills), Aim(target), Rules(), NOW)
            assert alike(attention.of_skills(of_both, each, skills), alone)


@examples(12)
@given(ROWS, st.integers(-60, 60))
def test_moving_everything_by_weeks_moves_only_the_times(rows: list[dict[str, Any]], number: int) -> None:
    shift = timedelta(weeks=number)
    moved = frame(*[{**row, "created_at": row["created_at"] and row["created_at"] + shift} for row in rows])
    one = attention.everybody(frame(*rows), FIRST, NOW, QUIET)
    two = attention.everybody(moved, FIRST + shift, NOW + shift, QUIET)
    assert [each.user_id for each in one] == [each.user_id for each in two]
    aim = Aim(7.0)
    for here, there in zip(one, two, strict=True):
        assert here.last_seen is not None
        assert there.last_seen == here.last_seen + shift
        assert (here.evaluations, here.lost, here.practised_since) == (
            there.evaluations,
            there.lost,
            there.practised_since,
        )
        flags = attention.flags(here, aim, Rules(), NOW), attention.flags(there, aim, Rules(), NOW + shift)
        assert alike(*flags)
    table = practice.weeks(frame(*rows), FIRST, NOW, HO_CHI_MINH)
    later = practice.weeks(moved, FIRST + shift, NOW + shift, HO_CHI_MINH)
    assert_frame_equal(table.assign(start=table["start"] + shift), later)


@examples(50)
@given(
    st.builds(
        student,
        st.one_of(st.just(NAN), st.integers(0, 36).map(lambda quarters: quarters / 4)),
        st.sampled_from([UNCLEAR, DECLINING, PAUSED]),
        st.one_of(st.none(), st.builds(low, st.floats(0.25, 4), st.floats(0, 0.2))),
        lost=st.integers(0, 3),
        last_seen=st.one_of(st.none(), st.floats(-1, 100).map(ago)),
        skills=st.sampled_from([(), (WRITING,), TYPES]),
    ),
    st.builds(
        Aim,
        target=st.sampled_from([NAN, 0.0, 6.5, 9.0]),
        test_at=st.sampled_from([None, ago(3), ago(-3), ago(-200)]),
    ),
    st.tuples(st.integers(0, 90), st.floats(0, 4), st.floats(0, 4)),
    st.tuples(st.integers(0, 90), st.floats(0, 4), st.floats(0, 4)),
    st.booleans(),
)
def test_a_stricter_rule_adds_no_flag_and_no_weight_is_beyond_bounds(
    who: Student,
    aim: Aim,
    some: tuple[int, float, float],
    more: tuple[int, float, float],
    off: bool,
) -> None:
    strict = Rules(some[0] + more[0], some[1] + more[1], some[2] + more[2], falling=not off, lost=not off)
    loose, flags = (attention.flags(who, aim, rules, NOW) for rules in (Rules(*some), strict))
    assert {(flag.rule, flag.skill) for flag in flags} <= {(flag.rule, flag.skill) for flag in loose}
    assert all(0 <= flag.weight <= 3 for flag in [*flags, *loose])
    assert attention.flags(who, aim, NONE, NOW) == []
    assert attention.urgency(loose) <= attention.urgency([]) == 0


def test_the_helpers_say_when() -> None:
    # Guards the tests: NOW is a Monday, and the period begins before it.
    assert (NOW.weekday(), FIRST < NOW) == (0, True)


def test_next_steps_are_of_the_weightiest_reason_of_each_rule() -> None:
    writing, speaking, lost = Flag("below", 2.0, "writing"), Flag("below", 1.0, "speaking"), Flag("lost", 1)
    away, falling = Flag("away", 20), Flag("falling", -0.3, "writing")
    assert attention.to_act_on([writing, speaking, lost]) == [writing, lost]
    assert attention.to_act_on([away, lost, falling, writing]) == [away, lost, falling]
    assert attention.to_act_on([]) == []
