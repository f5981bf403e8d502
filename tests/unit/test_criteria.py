"""The weakest criterion: only a gap that repeats, of a size, beyond chance; and how much criteria scatter."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.levels import attempts, criteria
from analysis.levels.attempts import Cohort
from analysis.levels.criteria import BEYOND_CHANCE, DEFAULT_SCATTER, Weakest
from data.schema import CRITERIA, SPEAKING, WRITING
from tests.support.attempts import NAN, attempt, frame
from tests.support.examples import examples

NAMES = list(CRITERIA[WRITING])
TASK, COHERENCE = NAMES[:2]
Scores = tuple[float, ...]


def cohort(*students: list[Scores]) -> Cohort:
    """Students, each with the criteria of its attempts, oldest first."""
    counts = np.array([len(scores) for scores in students], dtype="int64")
    stops, size = np.cumsum(counts), int(counts.sum())
    scores = np.array([each for scores in students for each in scores]).reshape(-1, 4)
    return Cohort(
        WRITING,
        tuple(f"u{n}" for n in range(len(students))),
        stops - counts,
        stops,
        np.arange(size).astype("datetime64[D]").astype("datetime64[us]"),
        np.full(size, 6.0),
        scores,
        np.arange(size).astype("object"),
    )


def weakest(*scores: Scores, scatter: float = 0.1, level: float = 6.25) -> Weakest | None:
    return all_weakest(cohort(list(scores)), level, scatter)[0]


def all_weakest(of: Cohort, level: float, scatter: float) -> list[Weakest | None]:
    """Of students who are all at this level."""
    return criteria.weakest(of, level + criteria.offsets(of), scatter)


def low(by: float) -> Scores:
    """The first criterion is so far below the three others."""
    return (6 - by, 6, 6, 6)


SURE = 0.5 / BEYOND_CHANCE * 2  # the scatter with which a gap of 0.5 in four attempts is no more than chance
CASES: dict[str, tuple[list[Scores], float, str | None]] = {
    "no attempt": ([], 0.1, None),
    "seen twice does not repeat": ([low(2)] * 2, 0.1, None),
    "three times": ([low(2)] * 3, 0.1, TASK),
    "exactly a quarter": ([low(0), low(0.5)] * 2, 0.1, TASK),
    "less": ([low(0), low(0.5), low(0)], 0.01, None),
    # Gaps of 1/3, 1/6, 1/3 and 1/6 are a quarter each, whatever the digits of a third do.
    "a quarter in thirds": ([(6, 6.5, 6, 6.5), (6, 6.5, 6, 6), (6, 6, 6.5, 6.5), (6, 6, 6, 6.5)], 0.1, TASK),
    "as much as chance makes": ([low(0.5)] * 4, SURE, None),
    "a little more": ([low(0.5)] * 4, SURE * 0.999, TASK),
    "equal": ([low(0)] * 12, 0.1, None),
    "above the others is not weak": ([low(-1)] * 6, 0.5, None),
    "good and bad days cancel": ([(3.5, 4, 4, 4), (8.5, 9, 9, 9), (5.5, 6, 6, 6), (0.5, 1, 1, 1)], 0.2, TASK),
    "the larger of two gaps": ([(5, 4.5, 6, 6)] * 5, 0.1, COHERENCE),
    "half a year ago is mended": ([low(3)] * 9 + [low(0)] * 12, 0.1, None),
    "unknown ones are no attempts": ([low(2), low(2), (NAN, 6, 6, 6), (NAN, NAN, NAN, NAN)], 0.1, None),
    "three known are enough": ([(5, 6, NAN, 6)] * 3, 0.1, TASK),
    "of two nothing can be told": ([(5, 6, NAN, NAN)] * 9, 0.1, None),
    "a zero is a band": ([(0, 1, 1, 1)] * 3, 0.1, TASK),
}  # fmt: skip


@pytest.mark.parametrize(("scores", "scatter", "name"), CASES.values(), ids=CASES)
def test_the_weakest_criterion(scores: list[Scores], scatter: float, name: str | None) -> None:
    weak = weakest(*scores, scatter=scatter)
    assert (weak and weak.criterion) == name
    # Beside others, whose digits must not spill over.
    others = [[(5.5, 6, 6.5, 9), (0, 3.5, 7, 7.5)], [low(1)] * 7]
    between = all_weakest(cohort(others[0], scores, others[1], []), 6.25, scatter)
    assert between[1] == weak


def test_level_gap_and_margin_by_hand() -> None:
    # Task is 0.5, 1 and 1.5 below the others: 1 on average. Its own bands are 5.5, 5, 4.5 where the overall is 6.
    weak = weakest(low(0.5), low(1), low(1.5), scatter=0.3, level=6.5)
    assert weak == Weakest(TASK, pytest.approx(6.5 - 1), 1.0, pytest.approx(1.96 * 0.3 / math.sqrt(3)))


def test_speaking_has_its_own_names() -> None:
    rows = [attempt(n, 6.0, kind=SPEAKING, pronunciation_band=4.0) for n in range(4)]
    (weak,) = all_weakest(attempts.of_student(frame(*rows), SPEAKING), 6.0, 0.2)
    assert weak is not None
    assert weak.criterion == "pronunciation_band"


def test_offsets_are_means_of_the_newest_known_ones() -> None:
    scores = [(1.0, 1, 1, 1)] * 3 + [(5.0, 7, NAN, 6)] * 11 + [(5.0, NAN, NAN, 6)]
    offsets = criteria.offsets(cohort(scores, []))
    assert offsets[0].tolist() == pytest.approx([-1, 1, NAN, 0], nan_ok=True)
    assert np.isnan(offsets[1]).all()
    assert criteria.offsets(cohort()).shape == (0, 4)


@pytest.mark.parametrize(("students", "default"), [(9, True), (10, False)])
def test_scatter_by_hand_and_the_default_of_few(students: int, default: bool) -> None:
    # Task against the others: -1, 0, 1, so a variance of 1 with two degrees of freedom; each other against the mean of
    # the rest: a third of it the other way round. All together (1 + 3 / 9) / 4.
    one = [(5.0, 6, 6, 6), (6, 6, 6, 6), (7, 6, 6, 6)]
    short = [(1.0, 9, 9, 9), (9, 1, 1, 1)]  # of two attempts: not counted
    scatter = criteria.scatter(cohort(*[one] * students, *[short] * 5, []))
    assert scatter == (DEFAULT_SCATTER if default else pytest.approx(math.sqrt((1 + 3 / 9) / 4)))


def test_a_judge_without_scatter_still_rounds() -> None:
    assert criteria.scatter(cohort(*[[low(1)] * 5] * 12)) == pytest.approx(math.sqrt(0.25 / 12 * 4 / 3))
    assert criteria.scatter(cohort()) == criteria.scatter(cohort([], [])) == DEFAULT_SCATTER


def test_the_scatter_that_was_simulated_comes_back() -> None:
    random = np.random.default_rng(1)
    students = [[tuple(6 + 0.4 * random.normal(size=4)) for _ in range(8)] for _ in range(60)]
    # Against the mean of three others, 4/3 of the variance.
    assert criteria.scatter(cohort(*students)) == pytest.approx(0.4 * math.sqrt(4 / 3), rel=0.05)


BANDS = st.one_of(st.integers(0, 18).map(lambda halves: halves / 2), st.just(NAN))


@examples(40)
@given(st.lists(st.lists(st.tuples(*[BANDS] * 4), max_size=15), min_size=1, max_size=4), st.floats(0.05, 0.8))
def test_each_is_judged_alone_and_by_the_rules(students: list[list[Scores]], scatter: float) -> None:
    together: list[Any] = all_weakest(cohort(*students), 6.0, scatter)
    for scores, weak in zip(students, together, strict=True):
        assert weakest(*scores, scatter=scatter, level=6.0) == weak
        gaps: dict[str, list[float]] = {}
        for each in scores[-12:]:
            for name, band in zip(NAMES, each, strict=True):
                others = [other for place, other in zip(NAMES, each, strict=True) if place != name]
                rest = [other for other in others if not math.isnan(other)]
                if not math.isnan(band) and len(rest) >= 2:
                    gaps.setdefault(name, []).append(float(np.mean(rest)) - band)
        means = {name: float(np.mean(gap)) for name, gap in gaps.items() if len(gap) >= 3}
        sure = {n: m for n, m in means.items() if m > 0.2499999 and m > 2.4 * scatter / math.sqrt(len(gaps[n]))}
        assert (weak is None) is not bool(sure)
        if weak:
            assert weak.gap == pytest.approx(max(sure.values()))
            assert sure[weak.criterion] == pytest.approx(weak.gap)
