"""What is said of a student in a skill: level, trend, change, target and forecast, with every boundary."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student_t

from analysis.levels import attempts, criteria, growth, progress
from analysis.levels.progress import DEFAULT_NOISES, MONTH, WINDOW, Change, Noise, Progress, Trend
from data.schema import CRITERIA, SPEAKING, WRITING
from tests.support.attempts import MICROSECOND, NAN, NOW, ago, alike, attempt, frame, shuffled
from tests.support.examples import examples
from wording import verdicts

Rows = list[dict[str, Any]]
DEFAULT = Noise()
QUIET = Noise(growth.Noise(0.2), 0.2)
"""Everybody is alike and scores are good: 1.96 standard errors are the margin."""


def of(*rows: dict[str, Any], skill: str = WRITING, now: datetime = NOW, noise: Noise = DEFAULT) -> Progress:
    """The progress of a history of those rows."""
    (result,) = progress.progress(attempts.of_student(frame(*rows), skill), now, noise)
    return result


def changed(*rows: dict[str, Any], first: datetime, now: datetime = NOW, noise: Noise = QUIET) -> Change | None:
    (result,) = progress.changes(attempts.of_student(frame(*rows), WRITING), first, now, noise)
    return result


def weekly(*bands: float, newest: float = 0, **more: Any) -> Rows:
    """An attempt a week, the last one `newest` days ago."""
    return [attempt(newest + 7 * (len(bands) - 1 - n), band, **more) for n, band in enumerate(bands)]


# --- the level --------------------------------------------------------------------------------------------------------


def test_one_attempt_is_a_level_with_a_wide_margin() -> None:
    result = of(attempt(3, 6.5, grammar_band=5.0))
    # By default the noise is 0.5, known by two degrees of freedom.
    assert (result.level, result.attempts, result.last) == (6.5, 1, ago(3))
    assert result.margin == pytest.approx(student_t.ppf(0.975, 2) * 0.5)
    assert (result.low, result.high) == (result.level - result.margin, result.level + result.margin)
    assert alike((result.trend, result.weakest), (Trend("not enough data"), None))
    assert result.criteria == {name: 5.0 if name == "grammar_band" else 6.5 for name in CRITERIA[WRITING]}
    assert of(attempt(3, 6.5), noise=QUIET).margin == pytest.approx(1.959964 * 0.2)


def test_without_an_attempt_nothing_is_known() -> None:
    for rows in ([], [attempt(181)], [attempt(1, kind=SPEAKING)], [attempt(1, NAN)]):
        result = of(*rows)
        assert alike(result, Progress(criteria=dict.fromkeys(CRITERIA[WRITING], NAN)))
        assert (result.paused, progress.standing(result, 5.0), progress.forecast(result, 5.0, NOW)) == (
            False,
            None,
            None,
        )
    assert list(of(skill=SPEAKING).criteria) == list(CRITERIA[SPEAKING])


def test_attempts_of_the_same_moment_are_a_mean_and_no_trend() -> None:
    result = of(*[attempt(2, band) for band in (5.0, 6.0, 7.0, 6.5, 5.5)])
    assert alike((result.level, result.trend), (6.0, Trend("not enough data")))


def test_only_the_last_180_days_count_to_the_microsecond() -> None:
    rows = [attempt(NOW - WINDOW, 4.0), attempt(1, 6.0), attempt(0, 6.0)]
    assert of(*rows).attempts == 3
    assert of(*rows[1:], noise=QUIET).level == 6.0
    for late in (of(*rows, now=NOW + MICROSECOND), of(attempt(NOW - WINDOW - MICROSECOND, 4.0), *rows[1:])):
        assert (late.attempts, late.level) == (2, 6.0)
    old = [attempt(181 + n, 3.0) for n in range(9)]
    fresh = weekly(5, 5.5, 5.5, 6, 6, 6.5, 7)
    assert alike(of(*fresh, *old), of(*fresh))


def test_an_attempt_of_a_clock_that_is_ahead_counts_when_its_time_has_come() -> None:
    rows, ahead = weekly(5, 5.5, 5.5, 6, 6), attempt(NOW + MICROSECOND, 9.0)
    assert alike(of(*rows, ahead), of(*rows))
    assert changed(*rows, ahead, first=ago(30)) == changed(*rows, first=ago(30))
    assert changed(*rows[:1], ahead, first=ago(7)) is None
    later = of(*rows, ahead, now=NOW + MICROSECOND)
    assert (later.attempts, later.last) == (6, NOW + MICROSECOND)
    assert of(ahead).attempts == 0
    table = frame(*rows, ahead)
    assert progress.estimate_noises(table, NOW) == progress.estimate_noises(table[:-1], NOW)


def test_levels_are_those_that_stood_after_each_attempt() -> None:
    days, bands = (300, 200, 150, 149, 60, 20, 20, 1), (4.0, 5.0, 5.5, 6.5, 6.0, 7.0, 5.5, 6.5)
    rows = [attempt(day, band) for day, band in zip(days, bands, strict=True)]
    levels, margins = progress.levels(attempts.of_student(frame(*rows), WRITING), DEFAULT)
    for n, day in enumerate(days):
        if n != 5:  # of two at the same moment, the first stood alone
            then = of(*rows[: n + 1], now=ago(day))
            assert (levels[n], margins[n]) == (pytest.approx(then.level), pytest.approx(then.margin))


# --- the trend --------------------------------------------------------------------------------------------------------

STEPS = [5.5] * 8 + [6.0] * 8
SLOW = tuple(5 + n / 2 for n in range(5))
WORDS: dict[str, tuple[Rows, Noise, str]] = {
    "nothing": ([], DEFAULT, "not enough data"),
    "eight weeks of 5.5, then eight of 6.0": (weekly(*STEPS), DEFAULT, "rising"),
    "and the other way round": (weekly(*STEPS[::-1]), DEFAULT, "declining"),
    "four, however clear": ([attempt(90 - 30 * n, 4.0 + n) for n in range(4)], QUIET, "not enough data"),
    "five in exactly four weeks": (weekly(*SLOW), QUIET, "rising"),
    "a microsecond less": (
        [attempt(28 - 1e-6 / 86_400, 5.0), *weekly(*SLOW[1:])], QUIET, "not enough data",
    ),
    "five upwards, of a noise that nobody knows": (weekly(5, 5.5, 5.5, 5.5, 6), DEFAULT, "no clear change"),
    "all alike for half a year": (weekly(*[6.0] * 26), QUIET, "steady"),
    "all alike for five weeks may still be anything": (weekly(*[6.0] * 5), QUIET, "no clear change"),
    "to and fro": (weekly(*[5.5, 6.5] * 8), DEFAULT, "no clear change"),
    "thirty days ago exactly": (weekly(*STEPS, newest=30), DEFAULT, "rising"),
    "a microsecond more": (weekly(*STEPS, newest=30 + 1e-6 / 86_400), DEFAULT, "paused"),
    "one, long ago": ([attempt(31)], DEFAULT, "paused"),
}  # fmt: skip


@pytest.mark.parametrize(("rows", "noise", "word"), WORDS.values(), ids=WORDS)
def test_the_word_of_a_trend(rows: Rows, noise: Noise, word: str) -> None:
    result = of(*rows, noise=noise)
    assert result.trend.word == word
    assert result.paused is (word == "paused")
    enough = len(rows) >= 5 and word != "not enough data"
    assert all(math.isnan(number) is not enough for number in (result.trend.slope, result.trend.low, result.trend.high))
    assert result.trend.since == (rows[0]["created_at"] if enough else None)
    if enough:
        assert result.trend.low < result.trend.slope < result.trend.high


@pytest.mark.parametrize(
    ("slope", "reach", "beyond", "enough", "word"),
    [
        (0.05, 0.05, 0, True, "steady"),
        (-0.05, 0.05, 0, True, "steady"),
        (0.05, 0.0501, 0, True, "no clear change"),
        (0.05, 0.01, 1, True, "rising"),
        (-0.05, 0.01, -1, True, "declining"),
        (0.5, 0.1, 1, False, "not enough data"),
        (NAN, NAN, 0, False, "not enough data"),
    ],
)
def test_the_word_by_slope_and_interval(slope: float, reach: float, beyond: int, enough: bool, word: str) -> None:
    now, late = (progress._trend(slope, reach, beyond, enough, ago(90), ago(day), NOW) for day in (30, 31))
    assert (now.word, now.was, late.word, late.was) == (word, None, "paused", word)


def test_who_practised_100_days_ago_is_paused_and_was_rising() -> None:
    rows = [attempt(100 + 7 * (11 - n), 4.0 + n // 2 / 2) for n in range(12)]
    result = of(*rows, noise=QUIET)
    assert (result.trend.word, result.trend.was, result.paused) == ("paused", "rising", True)
    assert result.trend.slope > 0
    assert result.last == ago(100)
    assert progress.forecast(result, 8.0, NOW) is None
    # The same eighty days earlier had a forecast.
    then = of(*rows, noise=QUIET, now=ago(80))
    assert then.trend.word == "rising"
    assert progress.forecast(then, 8.0, ago(80)) is not None


# --- the target -------------------------------------------------------------------------------------------------------


def at(level: float, margin: float = 0.5, attempts: int = 8, **more: Any) -> Progress:
    return Progress(level, margin, attempts, NOW, **more)


@pytest.mark.parametrize(
    ("student", "target", "expected"),
    [
        (at(7.5), 7.0, "reached"),
        (at(7.49), 7.0, "unsure"),
        (at(6.5), 7.0, "unsure"),
        (at(6.49), 7.0, "below"),
        (at(7.5, attempts=2), 7.0, "reached"),
        (at(9.0, attempts=1), 4.0, "unsure"),
        (at(3.0, attempts=1), 4.0, "below"),
        (at(NAN, NAN, 0), 4.0, None),
        (at(6.5), NAN, None),
    ],
)
def test_a_target_is_reached_with_the_margin_above_it(student: Progress, target: float, expected: str | None) -> None:
    assert progress.standing(student, target) == expected


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        (at(7.0), "Close to target 7.0"),
        (at(6.5, 2.2, attempts=1), "Close to target 7.0"),
        (at(7.5, 2.2, attempts=1), "Close to target 7.0"),
        (at(6.4, 2.2, attempts=1), "0.6 to target 7.0"),
        (at(4.8, 2.2, attempts=1), "2.2 to target 7.0"),
        (at(7.6, 2.2, attempts=1), "Above target 7.0, not yet sure"),
        (at(6.7, 0.1), "0.3 to target 7.0"),  # surely below it
        (at(7.6, 0.1), "Target 7.0 reached"),
    ],
)
def test_a_wide_margin_brings_nobody_close_to_a_target(student: Progress, expected: str) -> None:
    assert verdicts.target(student, 7.0) == expected


@pytest.mark.parametrize("noise", [DEFAULT, QUIET, Noise(growth.Noise(0.1))])
def test_from_one_attempt_no_target_is_reached(noise: Noise) -> None:
    assert progress.standing(of(attempt(120, 9.0), noise=noise), 4.0) == "unsure"


def rising(end: float, slope: float, errors: Sequence[float] = (0.15, 0.05, 0.003), **more: Any) -> Progress:
    """Who rises: band and slope now, with the 95 % margin of each and the covariance, all as Progress keeps them."""
    band, pace, covariance = errors
    trend = Trend("rising", slope, slope - pace, slope + pace, ago(90))
    return at(end, 0.3, trend=trend, end=(end, band**2, covariance), **more)


@examples(60)
@given(
    st.floats(5, 6.5),
    st.floats(0.15, 0.6),
    st.floats(0.01, 0.4),
    st.floats(0.05, 0.6),
    st.floats(-0.9, 0.9),
    st.floats(6.5, 8),
)
def test_a_forecast_is_what_a_scan_of_all_months_finds(
    end: float, slope: float, band: float, share: float, correlation: float, target: float
) -> None:
    pace = slope * share
    student = rising(end, slope, (band, pace, correlation * band * pace))
    result = progress.forecast(student, target, NOW)
    months = np.arange(-5, 13, 0.002)
    variance = band**2 + 2 * months * correlation * band * pace + (months * pace) ** 2
    inside = months[(target - end - slope * months) ** 2 <= variance]
    if progress.standing(student, target) == "reached" or not len(inside) or inside[-1] < 0.01 or inside[-1] > 11.98:
        assert result is None or result.last <= NOW + 0.02 * MONTH or result.last > NOW + 11.9 * MONTH
    else:
        assert result is not None
        assert (result.first - NOW) / MONTH == pytest.approx(max(0, inside[0]), abs=0.005)
        assert (result.last - NOW) / MONTH == pytest.approx(inside[-1], abs=0.005)


FORECASTS: dict[str, tuple[Progress, float, bool]] = {
    "a band away at 0.5 a month": (rising(6.0, 0.5), 7.0, True),
    "as far as a year": (rising(5.0, 0.2), 7.0, False),
    "no target": (rising(6.0, 0.5), NAN, False),
    "one that nobody reaches": (rising(6.0, 0.5), math.inf, False),
    "reached": (rising(7.5, 0.5), 7.0, False),
    "passed, by the line itself": (rising(7.2, 0.5), 7.0, False),
    "steady": (replace(rising(6.0, 0.5), trend=Trend("steady", 0.02, -0.05, 0.09, ago(9))), 7.0, False),
    "no clear change": (replace(rising(6.0, 0.5), trend=Trend("no clear change", 0.3, 0.1, 0.5, ago(9))), 7.0, False),
    "declining": (replace(rising(6.0, 0.5), trend=Trend("declining", -0.5, -0.6, -0.4, ago(9))), 5.0, False),
    "paused": (replace(rising(6.0, 0.5), trend=Trend("paused", 0.5, 0.4, 0.6, ago(9), "rising")), 7.0, False),
    "a slope that may as well be none": (rising(6.0, 0.5, (0.15, 0.5, 0.0)), 7.0, False),
    "nothing known": (Progress(), 7.0, False),
}


@pytest.mark.parametrize(("student", "target", "given_"), FORECASTS.values(), ids=FORECASTS)
def test_when_there_is_a_forecast(student: Progress, target: float, given_: bool) -> None:
    result = progress.forecast(student, target, NOW)
    assert (result is not None) is given_
    if result:
        assert NOW <= result.first <= result.last <= NOW + timedelta(days=365)


def test_a_forecast_of_real_attempts_by_least_squares() -> None:
    # 4.0 to 6.5 in 18 weeks.
    bands = [4.0 + n // 3 / 2 for n in range(18)]
    student = of(*weekly(*bands), noise=QUIET)
    ahead = progress.forecast(student, 7.0, NOW)
    x = np.stack([np.ones(18), np.arange(-17, 1) * 7 / growth.DAYS_A_MONTH], axis=1)
    end, slope = np.linalg.lstsq(x, np.array(bands), rcond=None)[0]
    months = np.arange(0, 12, 0.001)
    path = np.stack([np.ones(len(months)), months])
    variance = np.einsum("im,ij,jm->m", path, 0.2**2 * np.linalg.inv(x.T @ x), path)
    inside = months[np.abs(7.0 - end - slope * months) <= 1.959964 * np.sqrt(variance)]
    assert ahead is not None
    assert (ahead.first - NOW) / MONTH == pytest.approx(inside[0], abs=0.002)
    assert (ahead.last - NOW) / MONTH == pytest.approx(inside[-1], abs=0.002)


def test_the_pace_to_a_target() -> None:
    student = at(6.0, 0.25, trend=Trend("rising", 0.2, 0.1, 0.3, ago(90)))
    assert progress.pace_needed(student, 7.0, NOW + 4 * MONTH, NOW) == pytest.approx(0.25)
    assert progress.pace_needed(student, 7.0, NOW, NOW) == math.inf
    # 6.25 at most, and 0.3 a month at best: 2.5 months.
    for months, possible in ((2.51, True), (2.49, False), (0, False), (-3, False)):
        assert progress.within_reach(student, 7.0, NOW + months * MONTH, NOW) is possible
    assert progress.within_reach(student, 6.25, NOW, NOW)
    # Nobody loses by a trend that falls; where none is known, half a band a month may be hoped for.
    falling = replace(student, trend=Trend("declining", -0.4, -0.5, -0.3, ago(90)))
    assert progress.within_reach(falling, 6.25, NOW + 9 * MONTH, NOW)
    assert not progress.within_reach(falling, 6.3, NOW + 9 * MONTH, NOW)
    for months, possible in ((1.51, True), (1.49, False)):
        assert progress.within_reach(at(6.0, 0.25), 7.0, NOW + months * MONTH, NOW) is possible


# --- the change -------------------------------------------------------------------------------------------------------

PERIODS = {"7": 7.0, "30": 30.0, "90": 90.0, "180": 180.0, "365": 365.0, "all": 20_000.0}


@pytest.mark.parametrize("days", PERIODS.values(), ids=PERIODS)
def test_the_change_over_every_period(days: float) -> None:
    # A quarter of a band a month for a year and a half, to this day, without noise.
    rows = [attempt(540 - 3 * n, 4.0 + 0.25 * 3 * n / growth.DAYS_A_MONTH) for n in range(181)]
    result = changed(*rows, first=ago(days))
    since = rows[[row["created_at"] >= ago(days) for row in rows].index(True)]["created_at"]
    assert result is not None
    assert result.since == (ago(days) if days <= 180 else since)
    assert result.bands == pytest.approx(0.25 * ((NOW - result.since) / MONTH), rel=0.06)
    assert result.beyond_noise


@pytest.mark.parametrize("days", PERIODS.values(), ids=PERIODS)
@pytest.mark.parametrize(
    ("rows", "since"),
    [
        ([], None),
        ([attempt(1, 6.0)], None),  # there is nothing to compare it with
        ([attempt(1, 6.0), attempt(1, 8.0)], None),
        ([attempt(1, 6.0, kind=SPEAKING), attempt(60, 6.0, kind=SPEAKING)], None),
        ([attempt(100, 5.0), attempt(5, 7.0)], 100),
        ([attempt(6, 5.0), attempt(5, 7.0)], 6),
        ([attempt(70, 5.0), attempt(60, 7.0)], 70),
        ([attempt(330, 5.0), attempt(190, 7.0)], 330),
        ([attempt(200, 5.0), attempt(190, 6.0), attempt(182, 7.0)], 200),
        ([attempt(360, 5.0), attempt(1, 7.0)], 360),
        ([attempt(900, 5.0), attempt(800, 7.0)], 900),
        ([attempt(900, 5.0), attempt(500, 7.0)], 900),
    ],
)
def test_there_is_a_change_where_the_skill_was_practised(rows: Rows, since: float | None, days: float) -> None:
    result = changed(*rows, first=ago(days))
    practised = [row for row in rows if row["created_at"] >= ago(days)]
    reach = max(days, 180)
    if (
        since is None
        or not practised
        or not any(ago(reach) <= r["created_at"] < practised[-1]["created_at"] for r in rows)
    ):
        assert result is None
    else:
        assert result is not None
        assert result.since == max(ago(days), min(row["created_at"] for row in rows if row["created_at"] >= ago(reach)))
        assert 0 < result.bands < 2.5
        assert result.margin > 0


def test_the_change_by_hand() -> None:
    # Two attempts two months apart, 5 and 6, noise 0.4: of (-1, 0) * 2 months around the middle the squares are 2, the
    # prior counts 1: the pace is 0.5 * 2 / 3, its error 0.4 / sqrt(3).
    rows = [attempt(2 * growth.DAYS_A_MONTH, 5.0), attempt(0, 6.0)]
    noise = Noise(growth.Noise(0.4))
    result = changed(*rows, first=ago(90), noise=noise)
    assert result is not None
    assert (result.bands, result.margin) == (pytest.approx(2 / 3), pytest.approx(1.959964 * 2 * 0.4 / math.sqrt(3)))
    half = changed(*rows, first=ago(growth.DAYS_A_MONTH), noise=noise)
    assert half is not None
    assert (half.bands, half.margin) == (pytest.approx(result.bands / 2), pytest.approx(result.margin / 2))


def test_a_change_between_two_lines_has_the_errors_of_both() -> None:
    # Two years apart, so two lines; each of one attempt is its band with the noise of one.
    result = changed(attempt(730, 5.0), attempt(0, 6.5), first=ago(20_000), noise=Noise(growth.Noise(0.4)))
    assert result == Change(1.5, pytest.approx(1.959964 * 0.4 * math.sqrt(2)), ago(730))
    assert result.beyond_noise
    # Seen from the other end, with the same errors.
    pairs = [(900, 5.0), (860, 5.5), (800, 6.0), (100, 7.0), (0, 7.5)]
    ahead, back = (
        changed(*[attempt(at(day), band) for day, band in pairs], first=ago(20_000))
        for at in (lambda day: day, lambda day: 900 - day)
    )
    assert ahead is not None
    assert alike(ahead, back and replace(back, bands=-back.bands))
    assert not Change(0.5, 0.5, NOW).beyond_noise
    assert Change(-0.51, 0.5, NOW).beyond_noise


# --- what always holds ------------------------------------------------------------------------------------------------

BANDS = st.one_of(st.integers(0, 18).map(lambda halves: halves / 2), st.just(NAN))
ROWS = st.lists(
    st.builds(
        lambda days, seconds, band, user, grammar: attempt(
            None if days is None else ago(days, seconds=seconds), band, user, grammar_band=grammar
        ),
        st.one_of(st.none(), st.integers(-2, 400)),
        st.sampled_from([0, 0, 1, 86_399]),
        BANDS,
        st.sampled_from(["u", "v", "w\0", None]),
        BANDS,
    ),
    max_size=30,
)
NOISES = st.sampled_from([DEFAULT, QUIET, Noise(growth.Noise(0.6, 0.6, 15.0, 4.0), 0.5)])
FIRSTS = st.sampled_from(list(PERIODS.values()))
USERS = ["u", "v", "w\0"]


def everything(table: Any, noise: Noise, days: float, now: datetime = NOW) -> list[Any]:
    """All that is said of three students."""
    cohort = attempts.of_students(table, WRITING, USERS)
    return [progress.progress(cohort, now, noise), progress.changes(cohort, now - timedelta(days=days), now, noise)]


@examples(12)
@given(ROWS, NOISES, FIRSTS, st.randoms())
def test_order_and_others_change_nothing(rows: Rows, noise: Noise, days: float, random: Any) -> None:
    table = frame(*rows)
    one = everything(table, noise, days)
    assert repr(everything(shuffled(table, random), noise, days)) == repr(one)
    for n, user in enumerate(USERS):
        own = attempts.of_student(table[table["user_id"] == user], WRITING)
        alone = [progress.progress(own, NOW, noise), progress.changes(own, ago(days), NOW, noise)]
        assert alike([part[n] for part in one], [part[0] for part in alone])
    there = everything(table, noise, days, NOW.astimezone(timezone(timedelta(hours=7))))
    assert alike(there, one)


def mapped(value: Any, move: Callable[[datetime], datetime]) -> Any:
    """The same with its times moved."""
    if isinstance(value, datetime):
        return move(value)
    if isinstance(value, list):
        return [mapped(each, move) for each in value]
    if isinstance(value, Progress | Trend | Change):
        return replace(value, **{name: mapped(getattr(value, name), move) for name in type(value).__dataclass_fields__})
    return value


@examples(12)
@given(ROWS, NOISES, FIRSTS, st.integers(-400, 400))
def test_moving_everything_by_whole_days_moves_only_the_times(
    rows: Rows, noise: Noise, days: float, shift: int
) -> None:
    by = timedelta(days=shift)
    moved = frame(*[{**row, "created_at": row["created_at"] and row["created_at"] + by} for row in rows])
    one = everything(frame(*rows), noise, days)
    assert alike(mapped(one, lambda time: time + by), everything(moved, noise, days, NOW + by))


@examples(12)
@given(ROWS, NOISES)
def test_turned_upside_down_a_rise_is_a_fall(rows: Rows, noise: Noise) -> None:
    opposite = {"rising": "declining", "declining": "rising"}
    down = [{**row, "overall_band": 9 - row["overall_band"]} for row in rows]
    for up, fall in zip(*(everything(frame(*each), noise, 180)[0] for each in (rows, down)), strict=True):
        assert fall.trend.word == opposite.get(up.trend.word, up.trend.word)
        assert fall.trend.was == opposite.get(up.trend.was, up.trend.was)
        assert alike([fall.trend.slope, fall.level, fall.margin], [-up.trend.slope, 9 - up.level, up.margin])


@examples(12)
@given(ROWS, st.integers(0, 30), BANDS, NOISES)
def test_a_later_attempt_changes_no_earlier_level(rows: Rows, days: int, band: float, noise: Noise) -> None:
    def levels(*more: dict[str, Any]) -> list[tuple[float, float]]:
        cohort = attempts.of_student(frame(*rows, *more), WRITING)
        return list(zip(*(part.tolist() for part in progress.levels(cohort, noise)), strict=True))

    before, after = levels(), levels(attempt(-3 - days, band))
    assert len(after) == len(before) + (not math.isnan(band))
    assert alike(after[: len(before)], before)


def test_the_noise_is_estimated_by_skill_from_half_a_year() -> None:
    random = np.random.default_rng(1)
    rows = [
        attempt(
            7 * n + 1 + (since := 0 if user < 10 else 180),
            band := 6 + 0.3 * random.normal() + (since > 0) * random.normal(),
            f"u{user}",
            grammar_band=band + random.normal(),
        )
        for user in range(20)
        for n in range(24)
    ]
    noises = progress.estimate_noises(frame(*rows, attempt(1, kind=SPEAKING)), NOW)
    assert noises[SPEAKING] == DEFAULT_NOISES[SPEAKING] == Noise(growth.DEFAULT, criteria.DEFAULT_SCATTER)
    assert noises[WRITING].overall.sd == pytest.approx(0.3, rel=0.15)
    assert noises[WRITING].overall.students == 10
    assert noises[WRITING].criteria > 0.4
    assert progress.estimate_noises(frame(), NOW) == DEFAULT_NOISES


@given(st.lists(BANDS, max_size=9))
def test_the_median_is_that_of_numpy(values: list[float]) -> None:
    student = [value for value in values if not math.isnan(value)]
    assert alike(progress.median(values), float(np.median(student)) if student else NAN)
