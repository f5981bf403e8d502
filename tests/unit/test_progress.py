"""Level, trend and forecast of one student in one skill: published and hand-computed numbers, and every boundary."""

import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from analysis import progress
from analysis.progress import MONTH, WINDOW, Trend, Weakest
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from tests.support.attempts import NOW, ago, attempt, frame

NAN = math.nan
PER_DAY = MONTH / timedelta(days=1)  # a slope per day, times this, is one per month
START = datetime(2026, 1, 5, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def trend(days: Sequence[float], scores: Sequence[float]) -> Trend:
    """The trend of scores at such times, in days after START."""
    times = [(START + timedelta(days=day)).replace(tzinfo=None) for day in days]
    return progress.trend(np.array(times, dtype="datetime64[us]"), np.array(scores, dtype="float64"))


def of(*rows: dict[str, Any], skill: str = WRITING, now: datetime = NOW) -> progress.Progress:
    """The progress of a history of those rows."""
    return progress.progress(progress.attempts(frame(*rows), skill), now)


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


# --- the slope and its interval, against what others published -------------------------------------------------------


def test_the_example_of_sen() -> None:
    # P. K. Sen, Estimates of the regression coefficient based on Kendall's tau, JASA 63 (1968), pages 1379-1389.
    # Its interval of 93 % ends at the 4th and the 18th of 21 slopes. So does one of 95 %: (21 - 1.96 * 6.66) / 2 = 4.0.
    # The numbers are also in SciPy's own test of theilslopes.
    days = [1, 2, 3, 4, 10, 12, 18]
    found = trend(days, [9, 15, 19, 20, 45, 55, 78])
    assert found.slope == pytest.approx(4 * PER_DAY)
    assert (found.low / PER_DAY, found.high / PER_DAY) == (
        pytest.approx(3.71, abs=0.005),
        pytest.approx(4.38, abs=0.01),
    )
    assert found.word == "rising"


def test_the_sodium_of_the_environmental_protection_agency() -> None:
    # USEPA (2009), Statistical Analysis of Groundwater Monitoring Data at RCRA Facilities, Unified Guidance, EPA
    # 530/R-09-007, Example 17-7, page 17-36. R's EnvStats gives its slope as 1.3333333 and its interval of 95 % as
    # 0.3992083 to 2.3333333: https://search.r-project.org/CRAN/refmans/EnvStats/html/kendallTrendTest.html
    # There the ranks 11.5 and 34.5 are interpolated, here rounded: the lower end may be the 11th slope or the 12th.
    years = [89.6, 90.1, 90.8, 91.1, 92.1, 93.1, 94.1, 95.6, 96.1, 96.3]
    sodium = [56, 53, 51, 55, 52, 60, 62, 59, 61, 63]
    a_year = 1000  # days, so that a tenth is a whole number of them
    found = trend([round((year - 89.6) * a_year) for year in years], sodium)
    assert found.slope * a_year / PER_DAY == pytest.approx(1.3333333)
    assert found.high * a_year / PER_DAY == pytest.approx(2.3333333)
    slopes = sorted(
        (sodium[late] - sodium[early]) / (years[late] - years[early])
        for early, late in itertools.combinations(range(10), 2)
    )
    assert slopes[10] < 0.3992083 < slopes[11]
    assert found.low * a_year / PER_DAY == pytest.approx(slopes[11])


def test_an_example_in_which_times_repeat() -> None:
    # The example of ci.theil in R's package statpsych, after Hollander and Wolfe (1999): 15 pairs, of which several
    # have the same x. https://dgbonett.github.io/statpsych/reference/ci.theil.html
    # It gives 0.5, and 0.3243243 to 0.75.
    scores = [21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19]
    days = [67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51]
    pairs = sorted(zip(days, scores, strict=True))
    found = trend(*zip(*pairs, strict=True))
    assert found.slope == pytest.approx(0.5 * PER_DAY)
    assert found.low == pytest.approx(0.3243243 * PER_DAY)
    assert found.high == pytest.approx(0.75 * PER_DAY)


def test_six_attempts_by_hand() -> None:
    # Bands per ten days of the 15 pairs, in order: 0 0 | .25 .25 .25 .25 | .3 | 1/3 1/3 1/3 | .375 | .5 .5 .5 .5.
    # The 8th is the slope. Two pairs of bands tie: the variance is (6*5*17 - 2*(2*1*9)) / 18 = 26.33, 1.96 times its
    # root 10.06. Ranks: (15 - 10.06) / 2 = 2.47, so the 2nd: 0; and 12.53 + 1, so the 14th: 0.5.
    found = trend([0, 10, 20, 30, 40, 50], [5, 5, 5.5, 6, 6, 6.5])
    assert found.slope == pytest.approx(PER_DAY / 30)
    assert found.low == 0
    assert found.high == pytest.approx(PER_DAY / 20)
    # An interval that ends at exactly zero does not exclude it.
    assert found.word == "not enough evidence"
    falling = trend([0, 10, 20, 30, 40, 50], [6.5, 6, 6, 5.5, 5, 5])
    assert (falling.word, falling.high) == ("not enough evidence", 0)
    # The line passes through the medians: 5.75, and the 25th day.
    assert (found.level, found.when) == (5.75, START + timedelta(days=25))


HALF_BANDS = st.integers(0, 18).map(lambda halves: halves / 2)
DAYS = st.integers(0, 180)
SESSIONS = st.lists(st.tuples(DAYS, HALF_BANDS), min_size=4, max_size=25)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(DAYS, st.sampled_from([5.5, 6.0, 6.5])), min_size=5, max_size=25, unique_by=lambda pair: pair[0])
)
def test_slope_and_interval_are_those_of_scipy_when_no_day_has_two_attempts(pairs: list[tuple[int, float]]) -> None:
    days, scores = zip(*sorted(pairs), strict=True)
    found = trend(days, scores)
    if math.isnan(found.slope):
        # Fewer than 14 days; or so few that SciPy takes the ends of all slopes for the interval, which they are not.
        assert days[-1] - days[0] < 14 or len(days) == 5
        return
    theirs = theilslopes(scores, np.array(days) / PER_DAY, alpha=0.95)
    assert found.slope == pytest.approx(theirs.slope)
    assert found.low == pytest.approx(theirs.low_slope)
    assert found.high == pytest.approx(theirs.high_slope)


@settings(deadline=None, max_examples=150)
@given(SESSIONS)
def test_the_slope_is_that_of_scipy_and_inside_the_interval_whatever_ties(pairs: list[tuple[int, float]]) -> None:
    days, scores = zip(*sorted(pairs), strict=True)
    found = trend(days, scores)
    if not math.isnan(found.slope):
        with np.errstate(invalid="ignore"):
            assert found.slope == pytest.approx(theilslopes(scores, np.array(days) / PER_DAY).slope)
        assert found.low <= found.slope <= found.high
    else:
        assert found == progress.NOTHING or found.word == "not enough evidence"


@pytest.mark.parametrize(
    "session",
    [
        (1, 1, 1, 1),  # four in perfect order come about in 2 of 24 ways
        (2, 2),  # both of the second day above both of the first: 2 of 6
        (1, 3),
        (1, 1, 2),
        (2, 3),
        (1, 1, 1, 1, 1),  # 2 of 120 ways: the fewest that can show a trend
        (3, 3),
        (2, 2, 2),
        (1, 2, 3),
        (1, 1, 1, 1, 1, 1),
    ],
    ids=str,
)
def test_scores_in_no_order_are_called_a_trend_in_at_most_one_case_of_twenty(session: tuple[int, ...]) -> None:
    # All orders of distinct bands, over days with so many attempts each.
    days = [20 * n for n, attempts in enumerate(session) for _ in range(attempts)]
    scores = [4 + n / 2 for n in range(len(days))]
    words = [trend(days, order).word for order in itertools.permutations(scores)]
    assert sum(word in ("rising", "falling") for word in words) / len(words) <= 0.05


@pytest.mark.parametrize(
    ("days", "scores"),
    [
        ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9)),
        ((0, 0, 1, 1, 2), (5, 6, 7, 8, 9)),
        ((0, 0, 0, 1, 1, 1), (5, 5, 5, 6, 6, 6)),
        ((0, 0, 0, 0, 1), (5, 5, 5, 5, 6)),
        ((0, 0, 1, 2, 2), (6, 6, 6, 6, 6)),
    ],
)
def test_the_variance_is_that_of_all_orders(days: tuple[int, ...], scores: tuple[int, ...]) -> None:
    # Kendall's S of an order: pairs that go up, less pairs that go down; its mean over all orders is zero.
    def s(order: tuple[int, ...]) -> int:
        pairs = itertools.combinations(zip(days, order, strict=True), 2)
        return sum(int(np.sign((late - early) * (higher - lower))) for (early, lower), (late, higher) in pairs)

    exact = np.mean([s(order) ** 2 for order in itertools.permutations(scores)])
    found = progress._variance(np.array(days, dtype="float64"), np.array(scores, dtype="float64"))
    assert found == pytest.approx(exact)


# --- the word ---------------------------------------------------------------------------------------------------------

RISING = [5.0, 5.5, 6.0, 6.5, 7.0]
WORDS: dict[str, tuple[list[float], list[float], str]] = {
    "nothing at all": ([], [], "not enough evidence"),
    "one": ([0], [6.0], "not enough evidence"),
    "three, however clear": ([0, 30, 60], [4.0, 5.0, 6.0], "not enough evidence"),
    "four in perfect order are still a matter of luck": ([0, 20, 40, 60], [4, 5, 6, 7], "not enough evidence"),
    "four alike are steady": ([0, 20, 40, 60], [6, 6, 6, 6], "steady"),
    "five in perfect order rise": ([0, 10, 20, 30, 40], RISING, "rising"),
    "and fall the other way round": ([0, 10, 20, 30, 40], RISING[::-1], "falling"),
    "exactly fourteen days": ([0, 3, 7, 10, 14], RISING, "rising"),
    "a second less": ([0, 3, 7, 10, 14 - 1 / 86400], RISING, "not enough evidence"),
    "a microsecond less": ([0, 3, 7, 10, 14 - 1e-6 / 86400], RISING, "not enough evidence"),
    "all on one day": ([0, 0.1, 0.2, 0.3, 0.4], RISING, "not enough evidence"),
    "all at the same moment": ([0] * 5, RISING, "not enough evidence"),
    "two sessions of two, one above the other": ([0, 0.1, 20, 20.1], [5, 5.5, 6, 6.5], "not enough evidence"),
    "all alike": ([0, 10, 20, 30, 40, 50], [6] * 6, "steady"),
    "all alike, some on the same day": ([0, 0.1, 20, 20.1], [6] * 4, "steady"),
    "nearly all alike, most on the same day": ([0, 0.1, 0.2, 0.3, 20], [6, 6, 6, 6, 6.5], "not enough evidence"),
    # Half a band in 60.875 days is a quarter in a month: four in 487 days, and no pair of these differs by more.
    "the interval is exactly a quarter of a band either way": (
        [0, 487, 974, 1461, 1948], [2, 6, 5, 5.5, 1.5], "steady",
    ),
    "a day less makes it more on one side": ([0, 486, 974, 1461, 1948], [2, 6, 5, 5.5, 1.5], "not enough evidence"),
    "and on the other": ([0, 487, 974, 1461, 1947], [2, 6, 5, 5.5, 1.5], "not enough evidence"),
    "slow, but nothing else: a rise of 0.1 a month is no less a rise": (
        [0, 152, 304, 456, 608], [5, 5.5, 6, 6.5, 7], "rising",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("days", "scores", "word"), WORDS.values(), ids=WORDS)
def test_the_word_of_a_trend(days: list[float], scores: list[float], word: str) -> None:
    found = trend(days, scores)
    assert found.word == word
    if word in ("rising", "falling", "steady"):
        assert not any(math.isnan(number) for number in (found.slope, found.low, found.high, found.level))
        assert found.when is not None


def test_all_alike_has_an_interval_of_no_width() -> None:
    for days in ([0, 10, 20, 30], [0, 0, 20, 20], [0, 0, 0, 0, 20], list(range(30))):
        found = trend(days, [6.0] * len(days))
        assert (found.word, found.slope, found.low, found.high) == ("steady", 0, 0, 0)


def test_the_hour_of_an_attempt_does_not_matter_only_its_day() -> None:
    morning = trend([0, 10, 20, 30, 40], RISING)
    evening = trend([0.1, 10.99, 20.5, 30.7, 40.2], RISING)
    assert evening == morning


def test_only_the_last_180_days_count_to_the_microsecond() -> None:
    rows = [attempt(NOW - WINDOW, 4.0), attempt(1, 6.0), attempt(0, 6.0)]
    assert (of(*rows).attempts, of(*rows).level) == (3, 6.0)
    for late in (of(*rows, now=NOW + MICROSECOND), of(attempt(NOW - WINDOW - MICROSECOND, 4.0), *rows[1:])):
        assert late.attempts == 2
    nothing = of(rows[0], now=NOW + MICROSECOND)
    assert (nothing.attempts, nothing.last, nothing.trend.word) == (0, None, "not enough evidence")
    assert math.isnan(nothing.level)
    assert set(nothing.criteria) == set(CRITERIA[WRITING])
    assert all(math.isnan(level) for level in nothing.criteria.values())


def test_old_attempts_take_no_part_in_the_trend() -> None:
    fresh = [attempt(10 * n, 6.0) for n in range(5)]
    assert of(*fresh, *[attempt(181 + n, 3.0) for n in range(9)]).trend == of(*fresh).trend


def test_an_attempt_of_a_clock_that_is_ahead_counts_as_the_newest() -> None:
    found = of(attempt(3, 5.0), attempt(2, 5.0), attempt(1, 5.0), attempt(-0.01, 9.0), attempt(-0.02, 9.0))
    assert (found.level, found.attempts, found.last) == (9.0, 5, ago(-0.02))


def test_now_is_the_same_moment_in_every_zone() -> None:
    rows = frame(*[attempt(10 * n, 5 + n / 2) for n in range(6)])
    attempts = progress.attempts(rows, WRITING)
    there = NOW.astimezone(timezone(timedelta(hours=7)))
    assert progress.progress(attempts, there) == progress.progress(attempts, NOW)


# --- the level --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "level"),
    [
        ([], NAN),
        ([6.5], 6.5),
        ([6.0, 6.5], 6.25),  # of two, between them
        ([5.0, 9.0, 6.0], 6.0),  # one lucky attempt does not count
        ([9.0, 5.0, 6.0, 5.5], 5.5),  # only the last three
        ([9.0, 9.0, 9.0, 0.0, 0.0, 0.0], 0.0),  # a zero is a band
    ],
)
def test_the_level_is_the_median_of_the_last_three(scores: list[float], level: float) -> None:
    found = of(*[attempt(len(scores) - n, score) for n, score in enumerate(scores)])
    assert same(found.level, level)
    assert found.attempts == len(scores)
    if scores:
        assert same(progress.levels(scores)[-1], level)


def test_what_cannot_be_read_is_no_attempt() -> None:
    found = of(
        attempt(5, 5.0),
        attempt(4, NAN),  # no band
        attempt(None, 9.0),  # no time
        attempt(3, 9.0, status="failed"),
        attempt(2, 9.0, status="processing"),
        attempt(2, 9.0, status=None),
        attempt(1, 9.0, kind=SPEAKING),
        attempt(1, 9.0, kind="reading"),
        attempt(1, 9.0, kind=None),
    )
    assert (found.level, found.attempts, found.last) == (5.0, 1, ago(5))


def test_attempts_of_the_same_moment_are_ordered_by_their_ids() -> None:
    rows = [attempt(1, band, evaluation_id=name) for name, band in zip("abcd", (4.0, 5.0, 6.0, 9.0), strict=True)]
    for order in itertools.permutations(rows):
        attempts = progress.attempts(frame(*order), WRITING)
        assert attempts.ids.tolist() == ["a", "b", "c", "d"]
        assert progress.progress(attempts, NOW).level == 6.0


def test_the_levels_of_criteria_take_the_known_ones_of_the_last_three() -> None:
    found = of(
        attempt(9, 5.0, grammar_band=1.0),  # one too old
        attempt(3, 6.0, grammar_band=5.0, lexical_band=NAN, coherence_band=7.0),
        attempt(2, 6.0, grammar_band=6.0, lexical_band=NAN, coherence_band=NAN),
        attempt(1, 6.0, grammar_band=4.0, lexical_band=NAN, coherence_band=8.0),
    )
    known = {name: level for name, level in found.criteria.items() if name != "lexical_band"}
    assert known == {"task_achievement_band": 6.0, "coherence_band": 7.5, "grammar_band": 5.0}
    assert math.isnan(found.criteria["lexical_band"])
    assert progress.weakest(found.criteria) == Weakest(("grammar_band",), 5.0, 1.75)


def test_speaking_has_its_own_criteria() -> None:
    found = of(attempt(1, 6.0, kind=SPEAKING, pronunciation_band=5.0), skill=SPEAKING)
    assert list(found.criteria) == list(CRITERIA[SPEAKING])
    assert found.criteria["pronunciation_band"] == 5.0


@pytest.mark.parametrize(
    ("moment", "level"),
    [
        (ago(20), NAN),  # nothing before
        (ago(20) + MICROSECOND, 4.0),
        (ago(10), 4.0),  # an attempt at the moment itself is not before it
        (ago(10) + MICROSECOND, 5.0),
        (NOW, 7.0),  # of 6, 8, 7
        (ago(20) + WINDOW, 7.0),  # the same three
        (ago(2) + WINDOW, 7.5),  # of 8 and 7
        (ago(1) + WINDOW, 7.0),
        (ago(1) + WINDOW + MICROSECOND, NAN),
    ],
    ids=str,
)
def test_the_level_just_before_a_moment(moment: datetime, level: float) -> None:
    rows = frame(attempt(20, 4.0), attempt(10, 6.0), attempt(2, 8.0), attempt(1, 7.0))
    attempts = progress.attempts(rows, WRITING)
    assert same(progress.level_before(attempts, moment), level)


# --- the weakest criterion --------------------------------------------------------------------------------------------

WEAKEST: dict[str, tuple[dict[str, float], Weakest | None]] = {
    "none known": (dict.fromkeys("abcd", NAN), None),
    "no criteria": ({}, None),
    "one known is not the lowest of anything": ({"a": 5.0, "b": NAN, "c": NAN, "d": NAN}, None),
    "two known": ({"a": 5.0, "b": NAN, "c": 6.5, "d": NAN}, Weakest(("a",), 5.0, 1.5)),
    "two known and alike": ({"a": 5.0, "b": NAN, "c": 5.0, "d": NAN}, None),
    "all alike": (dict.fromkeys("abcd", 6.0), None),
    "against the median of the other three": ({"a": 6.0, "b": 4.5, "c": 9.0, "d": 5.0}, Weakest(("b",), 4.5, 1.5)),
    "two tie, and each is below the median of the rest": (
        {"a": 5.0, "b": 6.0, "c": 5.0, "d": 7.0}, Weakest(("a", "c"), 5.0, 1.0),
    ),
    "three tie: one higher does not make them weak": (
        {"a": 5.0, "b": 5.0, "c": 5.0, "d": 9.0}, None,
    ),
    "a zero is a band": ({"a": 0.0, "b": 1.0, "c": 1.0, "d": 1.0}, Weakest(("a",), 0.0, 1.0)),
}  # fmt: skip


@pytest.mark.parametrize(("criteria", "expected"), WEAKEST.values(), ids=WEAKEST)
def test_the_weakest_criterion(criteria: dict[str, float], expected: Weakest | None) -> None:
    assert progress.weakest(criteria) == expected


# --- the forecast -----------------------------------------------------------------------------------------------------


def rising(low: float, high: float) -> Trend:
    return Trend("rising", (low + high) / 2, low, high, 6.0, NOW)


FORECASTS: dict[str, tuple[float, float, Trend, tuple[float, float] | None]] = {
    # level, target, trend, and months until the first and the last moment
    "one band at half to two bands a month": (6.0, 7.0, rising(0.5, 2.0), (0.5, 2.0)),
    "an interval of no width": (6.0, 6.5, rising(0.25, 0.25), (2.0, 2.0)),
    "at the latest in just under a year": (6.0, 7.0, rising(PER_DAY / 364.99, 1.0), (1.0, 364.99 / PER_DAY)),
    "at the latest in more than a year": (6.0, 7.0, rising(PER_DAY / 365.01, 1.0), None),
    "reached": (7.0, 7.0, rising(0.5, 2.0), None),
    "more than reached": (7.5, 7.0, rising(0.5, 2.0), None),
    "no target": (6.0, NAN, rising(0.5, 2.0), None),
    "no level": (NAN, 7.0, rising(0.5, 2.0), None),
    "a target that nobody reaches": (6.0, math.inf, rising(0.5, 2.0), None),
    "steady": (6.0, 7.0, Trend("steady", 0.1, 0.0, 0.2, 6.0, NOW), None),
    "falling": (6.0, 7.0, Trend("falling", -0.5, -1.0, -0.2, 6.0, NOW), None),
    "not enough evidence": (6.0, 7.0, progress.NOTHING, None),
    "the smallest slope there is": (6.0, 7.0, rising(5e-324, 1.0), None),
    "a slope near it": (6.0, 7.0, rising(1e-300, 1e-300), None),
    "a very steep one": (6.0, 6.5, rising(1e300, 1e300), (0.0, 0.0)),
}


@pytest.mark.parametrize(("level", "target", "pace", "months"), FORECASTS.values(), ids=FORECASTS)
def test_when_a_target_may_be_reached(
    level: float, target: float, pace: Trend, months: tuple[float, float] | None
) -> None:
    found = progress.forecast(level, target, pace, NOW)
    assert (found is None) is (months is None)
    if found and months:
        assert (found.first - NOW) / MONTH == pytest.approx(months[0])
        assert (found.last - NOW) / MONTH == pytest.approx(months[1])


def test_a_forecast_is_a_range_that_begins_after_now() -> None:
    found = of(*[attempt(60 - 10 * n, 4.5 + n / 2) for n in range(7)])
    reached = progress.forecast(found.level, 9.0, found.trend, NOW)
    assert found.trend.word == "rising"
    assert reached is not None
    assert NOW < reached.first <= reached.last <= NOW + timedelta(days=365)


# --- everybody --------------------------------------------------------------------------------------------------------


def test_by_student_gives_each_the_attempts_of_a_history_of_their_own() -> None:
    users = ["b", "a", "B", "ü", "a ", "10", "9"]
    rows = [attempt(n, 4 + n % 11 / 2, user=users[n % 7]) for n in range(40)]
    found = progress.by_student(frame(*rows, attempt(1, 9.0, user=None)), WRITING)
    assert set(found) == set(users)
    for user in users:
        alone = progress.attempts(frame(*[row for row in rows if row["user_id"] == user]), WRITING)
        assert found[user].times.tolist() == alone.times.tolist()
        assert found[user].bands.tolist() == alone.bands.tolist()


@pytest.mark.parametrize("user", ["a\0", "\0", "a\0b", "x" * 1024, "👩‍🏫"], ids=ascii)
def test_an_id_is_taken_letter_for_letter(user: str) -> None:
    found = progress.by_student(frame(attempt(1, 5.0, user="a"), attempt(1, 7.0, user=user)), WRITING)
    assert {name: attempts.bands.tolist() for name, attempts in found.items()} == {"a": [5.0], user: [7.0]}


def test_nobody_has_no_attempts() -> None:
    assert progress.by_student(frame(), WRITING) == {}
    assert progress.by_student(frame(attempt(1, user=None)), WRITING) == {}
    assert len(progress.attempts(frame(), WRITING)) == 0


# --- what always holds ------------------------------------------------------------------------------------------------

BANDS = st.one_of(HALF_BANDS, st.just(NAN))
ROWS = st.lists(
    st.builds(
        lambda days, seconds, band, user, grammar: attempt(
            None if days is None else ago(days, seconds=seconds), band, user, grammar_band=grammar
        ),
        st.one_of(st.none(), st.integers(-2, 200)),
        st.sampled_from([0, 0, 1, 86_399]),
        BANDS,
        st.sampled_from(["u", "v", "w\0", None]),
        BANDS,
    ),
    max_size=30,
)


def shuffled(table: pd.DataFrame, random: Any) -> pd.DataFrame:
    return table.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32)))


@given(st.lists(BANDS, max_size=30), BANDS)
def test_a_later_attempt_changes_no_earlier_level(scores: list[float], later: float) -> None:
    before, after = progress.levels(scores), progress.levels([*scores, later])
    assert len(before) == len(scores)
    assert repr(after[:-1]) == repr(before)


@settings(deadline=None, max_examples=60)
@given(ROWS, st.randoms())
def test_the_order_of_a_history_changes_nothing(rows: list[dict[str, Any]], random: Any) -> None:
    table = frame(*rows)
    other = shuffled(table, random)
    for index in (other, other.reset_index(drop=True)):
        one, two = (progress.attempts(each, WRITING) for each in (table, index))
        assert one.ids.tolist() == two.ids.tolist()
        assert repr(progress.progress(one, NOW)) == repr(progress.progress(two, NOW))
        assert same(progress.level_before(one, ago(30)), progress.level_before(two, ago(30)))


@settings(deadline=None, max_examples=60)
@given(ROWS, st.integers(-400, 400))
def test_moving_everything_by_whole_days_moves_only_the_times(rows: list[dict[str, Any]], days: int) -> None:
    # Whole days, because attempts of the same day (UTC) are not compared with each other.
    shift = timedelta(days=days)
    one = of(*rows)
    two = of(*[{**row, "created_at": row["created_at"] and row["created_at"] + shift} for row in rows], now=NOW + shift)
    assert two.last == (one.last and one.last + shift)
    assert two.trend.when == (one.trend.when and one.trend.when + shift)
    assert repr((one.level, one.attempts, one.criteria)) == repr((two.level, two.attempts, two.criteria))
    for name in ("word", "slope", "low", "high", "level"):
        assert repr(getattr(one.trend, name)) == repr(getattr(two.trend, name))


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_one_student_never_changes_the_progress_of_another(rows: list[dict[str, Any]]) -> None:
    everybody = progress.by_student(frame(*rows), WRITING)
    for user in ("u", "v", "w\0"):
        # The ids stay as they are among all, because they order attempts of the same moment.
        alone = frame(*rows)
        own = progress.attempts(alone[alone["user_id"] == user], WRITING)
        if user in everybody:
            assert repr(progress.progress(everybody[user], NOW)) == repr(progress.progress(own, NOW))
        else:
            assert len(own) == 0


@given(SESSIONS)
@settings(deadline=None, max_examples=100)
def test_turned_upside_down_a_rise_is_a_fall(pairs: list[tuple[int, float]]) -> None:
    days, scores = zip(*sorted(pairs), strict=True)
    up, down = trend(days, scores), trend(days, [9 - score for score in scores])
    opposite = {"rising": "falling", "falling": "rising"}
    assert down.word == opposite.get(up.word, up.word)
    assert same(down.slope, -up.slope)


@given(st.lists(BANDS, max_size=9))
def test_the_median_is_that_of_numpy(values: list[float]) -> None:
    known = [value for value in values if not math.isnan(value)]
    assert same(progress.median(values), float(np.median(known)) if known else NAN)


def test_a_column_of_bands_is_where_the_schema_says() -> None:
    # Guards the helpers: with another name every attempt would be without a band.
    assert frame(attempt(1, 6.5))[OVERALL].tolist() == [6.5]
