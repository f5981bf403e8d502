"""The line through noisy bands: by hand, published, by dense algebra and SciPy; and the noise of everybody."""

import math
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import linregress, norm
from scipy.stats import t as student_t

from analysis.levels import growth
from analysis.levels.growth import DAYS_A_MONTH, DEFAULT, LOOKED_AT_DAILY, PACE, ROUNDING, Lines, Noise, Panel
from bench.calibration import Simulation
from tests.support.examples import examples

NAN = math.nan
ALONE = Noise(sd=1.0, freedom=0.0)
"""Nothing is known of others: what least squares makes of one student's attempts."""

Attempts = Sequence[tuple[float, float]]


def panel(*students: Attempts) -> Panel:
    """Students as (day, band), each oldest first."""
    counts = np.array([len(attempts) for attempts in students], dtype="int64")
    stops = np.cumsum(counts)
    days, bands = np.array([pair for attempts in students for pair in attempts]).reshape(-1, 2).T
    return Panel(stops - counts, stops, days, bands)


def monthly(*bands: float) -> Attempts:
    """An attempt a month."""
    return [(n * DAYS_A_MONTH, band) for n, band in enumerate(bands)]


def one(attempts: Attempts, noise: Noise) -> dict[str, float]:
    """The line of one student."""
    return of(growth.fit(panel(attempts), noise), 0)


def of(lines: Lines, student: int) -> dict[str, float]:
    return {field.name: float(getattr(lines, field.name)[student]) for field in fields(Lines)}


def dense(attempts: Attempts, noise: Noise) -> dict[str, float]:
    """The same by the textbook: the whole covariance matrix, inverted."""
    days, bands = np.array(attempts).T
    v = noise.share * np.exp(-np.abs(days[:, np.newaxis] - days) / noise.memory) + (1 - noise.share) * np.eye(len(days))
    x = np.stack([np.ones(len(days)), (days - days[-1]) / DAYS_A_MONTH], axis=1)
    weights = np.linalg.inv(v)
    information = x.T @ weights @ x
    steep = len(days) >= 3 and days[-1] > days[0]
    own, freedom = 0.0, 0
    if steep:
        covariance = np.linalg.inv(information)
        residuals = bands - x @ covariance @ x.T @ weights @ bands
        freedom = len(days) - 2
        own = max(float(residuals @ weights @ residuals), freedom * ROUNDING)
    infinite = math.isinf(noise.freedom)
    total = math.inf if infinite else noise.freedom + freedom
    variance = noise.sd**2 if infinite else (noise.freedom * noise.sd**2 + own) / total
    with_pace = variance * np.linalg.inv(information + np.diag([0, variance / PACE**2]))
    # From the newest band, so that digits are not lost; the prior holds the pace alone.
    level, pace = with_pace @ x.T @ weights @ (bands - bands[-1]) / variance
    expected = {
        "level": level + bands[-1],
        "level_error": with_pace[0, 0] ** 0.5,
        "pace": pace,
        "pace_error": with_pace[1, 1] ** 0.5,
        "level_pace": with_pace[0, 1],
        "sd": variance**0.5,
        "freedom": total,
        **dict.fromkeys(["end", "end_error", "slope", "slope_error", "end_slope"], NAN),
    }
    if steep:
        end, slope = covariance @ x.T @ weights @ (bands - bands[-1])
        covariance = variance * covariance
        expected |= {"end": end + bands[-1], "end_error": covariance[0, 0] ** 0.5, "slope": slope}
        expected |= {"slope_error": covariance[1, 1] ** 0.5, "end_slope": covariance[0, 1]}
    return expected


# --- by hand, and published -------------------------------------------------------------------------------------------

BY_HAND: dict[str, tuple[Attempts, Noise, dict[str, float]]] = {
    # x = -2, -1, 0; the mean of 5, 6, 6 is 17/3, the slope (6 - 5) / 2, the residuals -1/6, 1/3, -1/6: 1/6 in all.
    "three by least squares": (
        monthly(5, 6, 6),
        ALONE,
        {"slope": 0.5, "end": 37 / 6, "sd": 6**-0.5, "freedom": 1, "slope_error": 12**-0.5, "end_error": 5**0.5 / 6},
    ),
    "on a line: no score is known better than its rounding": (
        monthly(5, 5.5, 6), ALONE, {"slope": 0.5, "end": 6, "sd": ROUNDING**0.5},
    ),
    # With noise of SD 0.4 the prior of the pace counts as much as one square of months: 1 / (2 + 1) of 0.5 a month.
    "two pull the pace from 0": (monthly(5, 6), Noise(0.4), {"pace": 1 / 3, "level": 5.5 + 1 / 6, "slope": NAN}),
    "one is its band, with the noise of one": (
        [(3, 6.5)], Noise(0.5), {"level": 6.5, "level_error": 0.5, "pace": 0, "pace_error": PACE, "slope": NAN},
    ),
    # Two of the same moment share their mood: the variance of their mean is (1 + share) / 2.
    "two at once": ([(3, 6), (3, 7)], Noise(1.0, 0.5), {"level": 6.5, "level_error": 0.75**0.5, "slope": NAN}),
    "three at once are no line": ([(3, 6)] * 3, ALONE, {"slope": NAN, "end": NAN}),
    "none": ([], Noise(0.5), {"level": NAN, "pace": NAN, "slope": NAN, "end": NAN}),
    # (2 * 0.25 + 1 * 1/6) / 3
    "beside two degrees of freedom of the others": (
        monthly(5, 6, 6), Noise(0.5, freedom=2.0), {"sd": (2 / 9) ** 0.5, "freedom": 3, "slope": 0.5},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("attempts", "noise", "expected"), BY_HAND.values(), ids=BY_HAND)
def test_the_line_by_hand(attempts: Attempts, noise: Noise, expected: dict[str, float]) -> None:
    # Alone, and between others.
    others = (monthly(9, 1, 5, 4), [(0.0, 3.0)])
    for line in (one(attempts, noise), of(growth.fit(panel(others[0], attempts, others[1]), noise), 1)):
        assert {name: line[name] for name in expected} == pytest.approx(expected, nan_ok=True)


def test_the_norris_data_of_nist() -> None:
    # Statistical Reference Datasets, linear regression: https://www.itl.nist.gov/div898/strd/lls/data/Norris.shtml
    y = "0.1 338.8 118.1 888.0 9.2 228.1 668.5 998.5 449.1 778.9 559.2 0.3 0.1 778.1 668.8 339.3 448.9 10.8"
    y += " 557.7 228.3 998.0 888.8 119.6 0.3 0.6 557.6 339.3 888.0 998.5 778.9 10.2 117.6 228.9 668.4 449.2 0.2"
    x = "0.2 337.4 118.2 884.6 10.1 226.5 666.3 996.3 448.6 777.0 558.2 0.4 0.6 775.5 666.9 338.0 447.5 11.6"
    x += " 556.0 228.1 995.8 887.6 120.2 0.3 0.3 556.8 339.1 887.2 999.0 779.0 11.1 118.3 229.2 669.1 448.9 0.5"
    pairs = sorted(zip(map(float, x.split()), map(float, y.split()), strict=True))
    line = one([(month * DAYS_A_MONTH, value) for month, value in pairs], ALONE)
    assert line["slope"] == pytest.approx(1.00211681802045, rel=1e-12)
    assert line["slope_error"] == pytest.approx(0.429796848199937e-3, rel=1e-9)
    assert line["sd"] == pytest.approx(0.884796396144373, rel=1e-9)
    assert line["end"] - line["slope"] * pairs[-1][0] == pytest.approx(-0.262323073774029, rel=1e-9)


# --- against dense algebra and SciPy ----------------------------------------------------------------------------------

ATTEMPTS = st.lists(
    st.tuples(
        st.integers(0, 720).map(lambda quarters: quarters / 4), st.integers(0, 18).map(lambda halves: halves / 2)
    ),
    min_size=1,
    max_size=20,
).map(sorted)
NOISES = st.builds(
    Noise,
    sd=st.floats(0.2, 1),
    share=st.sampled_from(growth.SHARES),
    memory=st.sampled_from(growth.MEMORIES),
    freedom=st.sampled_from([0.5, 2.0, 17.3, math.inf]),
)


@examples(80)
@given(st.lists(ATTEMPTS, min_size=1, max_size=5), NOISES)
def test_the_filter_is_generalised_least_squares(students: list[Attempts], noise: Noise) -> None:
    lines = growth.fit(panel(*students), noise)
    for n, attempts in enumerate(students):
        assert of(lines, n) == pytest.approx(dense(attempts, noise), rel=1e-6, abs=1e-8, nan_ok=True)


@examples(60)
@given(ATTEMPTS)
def test_without_a_mood_it_is_ordinary_least_squares(attempts: Attempts) -> None:
    line = one(attempts, ALONE) if len(attempts) > 2 else {"slope": NAN}
    days, bands = np.array(attempts).T
    if len(days) < 3 or days[0] == days[-1]:
        assert math.isnan(line["slope"])
        return
    theirs = linregress(days / DAYS_A_MONTH, bands)
    assert line["slope"] == pytest.approx(theirs.slope, abs=1e-9)
    if line["sd"] > ROUNDING**0.5 * 1.001:
        assert line["slope_error"] == pytest.approx(theirs.stderr)


@examples(30)
@given(st.lists(ATTEMPTS.filter(lambda a: len(a) > 2 and a[0][0] < a[-1][0]), min_size=1, max_size=4), NOISES)
def test_the_restricted_likelihood_is_the_textbooks(students: list[Attempts], noise: Noise) -> None:
    total = weighted = freedom = 0.0
    for attempts in students:
        days, bands = np.array(attempts).T
        v = noise.share * np.exp(-np.abs(np.subtract.outer(days, days)) / noise.memory)
        v += (1 - noise.share) * np.eye(len(days))
        x = np.stack([np.ones(len(days)), days / DAYS_A_MONTH], axis=1)
        p = np.linalg.inv(v) - np.linalg.inv(v) @ x @ np.linalg.inv(x.T @ np.linalg.inv(v) @ x) @ x.T @ np.linalg.inv(v)
        weighted += float(bands @ p @ bands)
        freedom += len(days) - 2
        total += np.linalg.slogdet(v)[1] + np.linalg.slogdet(x.T @ np.linalg.inv(v) @ x)[1]
    total += freedom * math.log(max(weighted / freedom, ROUNDING))
    assert growth._likelihood(panel(*students), noise.share, noise.memory) == pytest.approx(-total / 2, abs=1e-5)


@pytest.mark.parametrize("freedom", [1.0, 3.0, 6.0, 30.0, math.inf])
def test_margin_and_bar_are_student_s(freedom: float) -> None:
    at = np.ones(1)
    lines = Lines(*([at] * 11), freedom=at * freedom)
    assert lines.margin(at * 0.5)[0] == pytest.approx(student_t.ppf(0.975, freedom) * 0.5, rel=1e-6)
    # As unlikely by chance as 3.15 standard errors where the noise is known.
    bar = student_t.isf(norm.sf(LOOKED_AT_DAILY), freedom)
    for ratio, expected in ((1.001, 1), (0.999, 0), (-0.999, 0), (-1.001, -1), (NAN, 0)):
        sloping = replace(lines, slope=at * bar * ratio)
        assert sloping.beyond_chance.tolist() == [expected]


# --- what always holds ------------------------------------------------------------------------------------------------


@examples(40)
@given(ATTEMPTS, st.lists(ATTEMPTS, max_size=4), NOISES, st.integers(-400, 400))
def test_others_change_nothing_days_move_nothing_and_upside_down_is_the_opposite(
    attempts: list[tuple[float, float]], others: list[Attempts], noise: Noise, shift: int
) -> None:
    line = one(attempts, noise)
    assert of(growth.fit(panel(*others, attempts, *others), noise), len(others)) == pytest.approx(line, nan_ok=True)
    moved = one([(day + shift, band) for day, band in attempts], noise)
    assert moved == pytest.approx(line, nan_ok=True)
    opposite = {**line, "level": 9 - line["level"], "end": 9 - line["end"]}
    opposite |= {name: -line[name] for name in ("pace", "slope")}
    assert one([(day, 9 - band) for day, band in attempts], noise) == pytest.approx(opposite, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("students", [(), ([],), ([], [], [])], ids=len)
def test_nobody_and_nothing(students: tuple[Attempts, ...]) -> None:
    nothing = panel(*students)
    lines = growth.fit(nothing, DEFAULT)
    assert len(lines.level) == len(students)
    assert np.isnan(lines.level).all()
    assert lines.beyond_chance.tolist() == [0] * len(students)
    assert nothing.spans.tolist() == [0] * len(students)
    assert growth.estimate_noise(nothing) == DEFAULT


# --- the noise --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sd", "mood"), [(0.3, 0.0), (0.5, 0.0), (0.7, 0.0), (0.5, 0.5), (0.7, 0.3)])
def test_the_noise_that_was_simulated_comes_back(sd: float, mood: float) -> None:
    cohort = Simulation(1, 200).world(lambda at: 0.2 * at / DAYS_A_MONTH, rate=8, sd=sd, mood=mood, base=5.0).cohort
    noise = growth.estimate_noise(cohort.panel)
    assert noise.students == 200
    assert noise.sd == pytest.approx(math.sqrt(sd**2 + ROUNDING), rel=0.12)
    assert noise.share == pytest.approx(mood * sd**2 / (sd**2 + ROUNDING), abs=0.16)
    if mood:
        assert noise.memory in (15.0, 30.0, 60.0)  # 30, and its neighbours
    else:
        assert noise.share == 0
        assert noise.freedom > 20  # everybody is alike


def test_students_who_scatter_differently_have_a_noise_of_their_own() -> None:
    # Variances of a scaled inverse chi-square with 6 degrees of freedom.
    random = np.random.default_rng(2)
    spreads = 0.5 * np.sqrt(6 / random.chisquare(6, 400))
    students = [[(7.0 * n, 6 + float(sd) * random.normal()) for n in range(20)] for sd in spreads]
    assert 4 < growth.estimate_noise(panel(*students)).freedom < 9


@pytest.mark.parametrize(("students", "default"), [(9, True), (10, False)])
def test_with_too_few_students_the_default_is_taken(students: int, default: bool) -> None:
    random = np.random.default_rng(3)
    usable = [[(7.0 * n, 6 + random.normal()) for n in range(8)] for _ in range(students)]
    # Of two attempts, or of one moment: they tell no noise.
    others: list[Attempts] = [[(0, 5), (9, 6)], [(4, 5), (4, 6), (4, 9)], []] * 9
    noise = growth.estimate_noise(panel(*usable, *others))
    assert (noise == DEFAULT) is default
    assert noise.students == (0 if default else students)


def test_bands_without_any_noise_still_have_that_of_their_rounding() -> None:
    for bands in ((5, 5.5, 6, 6.5, 7, 7.5), (6, 6, 6, 6, 6, 6)):
        noise = growth.estimate_noise(panel(*[monthly(*bands)] * 12))
        assert (noise.sd, noise.share, noise.freedom) == (pytest.approx(ROUNDING**0.5), 0, math.inf)


def test_prior_freedom_is_smyths() -> None:
    # As fitFDist of the Bioconductor package limma: the variance of log variances beyond what chance makes.
    random = np.random.default_rng(4)
    freedom = random.integers(4, 20, 60).astype(float)
    variances = 0.25 * 5 / random.chisquare(5, 60) * random.chisquare(freedom) / freedom
    e = np.log(variances) - digamma(freedom / 2) + np.log(freedom / 2)
    beyond = np.sum((e - e.mean()) ** 2) / 59 - polygamma(1, freedom / 2).mean()
    half: float = brentq(lambda x: float(polygamma(1, x)) - beyond, 1e-6, 1e6)
    assert growth._prior_freedom(variances, freedom) == pytest.approx(2 * half)
    assert growth._prior_freedom(np.full(60, 0.25), freedom) == math.inf
    # Fewer than four degrees of freedom say little, and nine students too.
    assert growth._prior_freedom(variances, np.minimum(freedom, 3.0)) == DEFAULT.freedom
    assert growth._prior_freedom(variances[:9], freedom[:9]) == DEFAULT.freedom


@pytest.mark.parametrize("x", [1e-3, 0.1, 0.5, 1.0, 2.5, 40.0, 1e4, 1e7])
def test_inverse_trigamma(x: float) -> None:
    assert growth._inverse_trigamma(float(polygamma(1, x))) == pytest.approx(x, rel=1e-6)


def test_more_students_than_the_sample_give_the_same_noise_each_time() -> None:
    random = np.random.default_rng(5)
    students = [[(7.0 * n, 6 + 0.5 * random.normal()) for n in range(6)] for _ in range(growth.LARGEST_SAMPLE + 1)]
    noise = growth.estimate_noise(panel(*students))
    assert noise == growth.estimate_noise(panel(*students))
    assert noise.students == 201
    assert noise.sd == pytest.approx(0.5, rel=0.1)
