"""The simulation that holds the model against the truth: what it simulates, its table, and a small form of it."""

import math
import sys

import numpy as np
import pytest

from bench import calibration
from bench.calibration import MOOD_DAYS, Result, Simulation

STUDENTS = 80
ROOM = {"%": 0.0, "bands": 0.03, "days": 12, "students": 2}
"""What a small sample may be off by; for shares it is binomial, see below."""
MISSES = {"the same, one alone, with moods"}
"""Goals that the whole simulation misses too: nobody can tell a mood from a trend by one student alone."""


def beyond_room(result: Result) -> bool:
    """Whether a goal is missed by more than chance makes of so few: 3.3 standard errors, for there are many cells."""

    def room(goal: float) -> float:
        return ROOM[result.unit] if result.unit != "%" else 3.3 * math.sqrt(goal * (1 - goal) / STUDENTS)

    least = result.least - (room(result.least) if result.least > -math.inf else 0)
    most = result.most + (room(result.most) if result.most < math.inf else 0)
    return not (result.low >= least and result.high <= most)


@pytest.mark.slow
def test_a_small_form_of_the_simulation_reaches_its_goals() -> None:
    results = calibration.run(STUDENTS)
    assert len({result.goal for result in results}) > 15
    assert {str(result) for result in results if beyond_room(result) and result.goal not in MISSES} == set()


@pytest.mark.parametrize(
    ("result", "met", "line"),
    [
        (Result("a", 0.92, 0.98, 0.92, 0.98), True, "pass  a: 92.0 to 98.0 % (goal at least 92 and at most 98)"),
        (Result("a", 0.9199, 0.98, 0.92, 0.98), False, "MISS  a: 92.0 to 98.0 % (goal at least 92 and at most 98)"),
        (Result("a", 0.92, 0.9801, 0.92, 0.98), False, "MISS  a: 92.0 to 98.0 % (goal at least 92 and at most 98)"),
        (Result("b", 0.2, 0.27, -math.inf, 0.27, "bands"), True, "pass  b: 0.20 to 0.27 bands (goal at most 0.27)"),
        (Result("c", 76, 76, -math.inf, 75, "days"), False, "MISS  c: 76 days (goal at most 75)"),
        (Result("d", math.nan, math.nan, 0.85, math.inf), False, "MISS  d: nan % (goal at least 85)"),
    ],
)
def test_a_goal_is_met_where_the_worst_and_the_best_are_within_it(result: Result, met: bool, line: str) -> None:
    assert (result.met, str(result)) == (met, line)


@pytest.mark.parametrize("missed", [0, 2])
def test_the_command_prints_every_goal_and_ends_with_1_where_one_is_missed(
    missed: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results = [Result("good", 0.9, 0.9, 0.8, 1), *[Result("bad", 0.7, 0.7, 0.8, 1)] * missed]
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(calibration, "run", lambda students, seed: asked.append((students, seed)) or results)
    monkeypatch.setattr(sys, "argv", ["calibration", "--students", "7", "--seed", "3"])
    assert calibration.main() == (missed > 0)
    lines = capsys.readouterr().out.splitlines()
    assert asked == [(7, 3)]
    assert lines[:-2] == [str(result) for result in results]
    assert lines[-1] == f"{1 + missed} goals, {missed} missed; 7 students a cell, seed 3"


@pytest.mark.parametrize(
    ("kind", "each"),
    [({"rate": 4}, 24), ({"rate": 8}, 48), ({"rate": None}, 26), ({"rate": 8, "bursts": True}, 48)],
    ids=str,
)
def test_a_world_is_its_truth_with_noise_rounded_to_half_bands(kind: dict[str, float | None], each: int) -> None:
    world, again = (Simulation(1, 100).world(lambda at: at / 180, base=5.0, **kind) for _ in range(2))
    cohort = world.cohort
    assert cohort.bands.tolist() == again.cohort.bands.tolist()
    assert cohort.bands.tolist() != Simulation(2, 100).world(lambda at: at / 180, base=5.0).cohort.bands.tolist()
    assert cohort.counts.mean() == pytest.approx(each, rel=0.1)
    assert (cohort.bands * 2 % 1 == 0).all()
    assert (cohort.panel.spans < 180).all()
    assert all((np.diff(cohort.days[a:b]) >= 0).all() for a, b in zip(cohort.starts, cohort.stops, strict=True))
    assert (world.truth.min(), world.truth.max()) == pytest.approx((5, 6), abs=0.05)
    assert (cohort.bands - world.truth).std() == pytest.approx(math.sqrt(0.5**2 + 0.25 / 12), rel=0.1)
    assert (cohort.bands - world.truth).mean() == pytest.approx(0, abs=0.05)
    assert [len(pool.cohort) for pool in world.pools()] == [40, 40, 20]


def test_a_mood_fades_in_thirty_days() -> None:
    mood = Simulation(1, 1)._mood(np.arange(0.0, 200_000, 10))
    assert mood.std() == pytest.approx(1, rel=0.05)
    assert np.corrcoef(mood[3:], mood[:-3])[0, 1] == pytest.approx(math.exp(-30 / MOOD_DAYS), abs=0.05)
