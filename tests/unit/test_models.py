"""Models compared: numbers checked by hand, takeovers with their boundaries, the interval against its definition."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy.stats import sem, ttest_1samp
from scipy.stats import t as student_t

from analysis import models, tasks
from analysis.models import Shift
from data.demo.sample import sample
from data.records import evaluations
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from tests.support.examples import examples
from tests.support.items import serialized
from tests.support.work import is_linear

START = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def scored(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Completed evaluations from (model, day, band, student); day None is no time. Newest last."""
    frame = evaluations.frame([]).astype(object)
    records = [
        {
            **dict.fromkeys(frame.columns),
            **dict.fromkeys(CRITERIA[WRITING], math.nan),
            "evaluation_id": f"e{n}",
            "user_id": student,
            "evaluation_type": WRITING,
            "status": "completed",
            OVERALL: band,
            "model_used": model,
            "created_at": None if day is None else START + timedelta(days=day),
            "issues": (),
        }
        for n, (model, day, band, student) in enumerate(rows)
    ]
    table = pd.DataFrame(records, columns=frame.columns, dtype="object").astype({OVERALL: "float64"})
    return table.assign(created_at=pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]"))


def used(model: str, first: int, count: int, band: float = 6.0) -> list[tuple[Any, ...]]:
    """`count` evaluations of `model`, one a day from day `first`."""
    return [(model, first + n, band, f"u{n}") for n in range(count)]


def test_count_median_and_spread_of_each_model() -> None:
    table = models.by_model(
        scored(
            *[("new", 10 + n, band, "u") for n, band in enumerate((5.0, 6.0, 6.5, 7.0, 8.0))],
            ("old", 1, 4.0, "u"),
            ("old", 2, 5.5, "v"),
            ("old", 3, math.nan, "w"),  # no band: not counted
        )
    )
    # new: 5 6 6.5 7 8: quartiles are the 2nd and the 4th. old: 4 5.5: a quarter of the way, and three quarters.
    columns = ["type", "model", "scored", "students", "median", "q1", "q3", "spread"]
    assert table[columns].to_numpy().tolist() == [
        [WRITING, "old", 2, 2, 4.75, 4.375, 5.125, 0.75],
        [WRITING, "new", 5, 1, 6.5, 6.0, 7.0, 1.0],
    ]
    assert table["first"].tolist() == [START + timedelta(days=1), START + timedelta(days=10)]


NAMELESS = (None, "", "task2", "-Task 1")


def test_a_model_that_the_record_does_not_name_is_none() -> None:
    rows = [(name, day, 6.0, "u") for day, name in enumerate(NAMELESS * 9)]
    assert models.by_model(scored(*rows)).empty
    assert models.over_time(scored(*rows), WRITING, "UTC").empty
    # Nor did one take over from it, nor it from one.
    for mixed in (rows + used("b", 50, 9), used("b", -50, 9) + rows):
        assert models.takeovers(scored(*mixed), WRITING) == []
        assert models.by_model(scored(*mixed))["model"].tolist() == ["b"]


TASKS: dict[str, tuple[int | None, str]] = {
    "gemini-writing_task2": (2, "gemini-writing"),
    "gemini-writing-task-1-v2": (1, "gemini-writing-v2"),
    "Task 2 judge": (2, " judge"),
    "TASK1": (1, ""),
    "gemini-2.5-flash": (None, "gemini-2.5-flash"),
    "writing_task12": (None, "writing_task12"),
    "writing_task3": (None, "writing_task3"),
    "": (None, ""),
    "x" * 200 + "_task2": (None, "x" * 200 + "_task2"),
}


@pytest.mark.parametrize("name", TASKS)
def test_the_task_is_told_apart_from_the_model(name: str) -> None:
    assert (tasks.of_model(name), tasks.without_task(name)) == TASKS[name]


def test_another_task_is_not_another_model() -> None:
    rows = used("m_task1", 0, 9) + used("m_task2", 20, 9) + used("n-task1", 40, 9) + used("n-task2", 50, 9)
    assert models.by_model(scored(*rows))[["model", "scored"]].to_numpy().tolist() == [["m", 18], ["n", 18]]
    (takeover,) = models.takeovers(scored(*rows), WRITING)
    assert (takeover.model, takeover.replaced, takeover.at) == ("n", ("m",), START + timedelta(days=40))


def test_nothing_scored_gives_no_rows_and_no_takeovers() -> None:
    nothing = scored()
    assert models.by_model(nothing).empty
    assert models.takeovers(nothing, WRITING) == []
    assert models.over_time(nothing, WRITING, "UTC").empty


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (used("a", 0, 5) + used("b", 10, 5), [("b", ("a",), 10)]),
        (used("a", 0, 4) + used("b", 10, 5), []),  # four before are a trial
        (used("a", 0, 5) + used("b", 10, 4), []),  # so are four after
        (used("a", 0, 5) + used("b", 4, 5), []),  # a had judged only four when b came
        (used("a", 0, 5) + used("b", 10, 9) + used("a", 20, 1), [("b", ("a",), 10)]),  # 1 of 10 is a tenth
        (used("a", 0, 5) + used("b", 10, 8) + used("a", 20, 1), []),  # 1 of 9 is more
        (used("a", 0, 30) + used("b", 1, 30), []),  # side by side
        (used("a", 0, 5) + used("b", 10, 5) + used("c", 20, 5), [("b", ("a",), 10), ("c", ("b",), 20)]),  # a chain
        (used("a", 0, 5) + used("z", 0, 5) + used("b", 10, 5), [("b", ("a", "z"), 10)]),  # from two at once
        (used("a", 0, 5) + used("b", 10, 5) + used("c", 10, 5), [("b", ("a",), 10), ("c", ("a",), 10)]),  # by two
        (used("b", 10, 5), []),
        # A trial of b, alone or among a's, and its takeover later.
        (used("b", 2, 1) + used("a", 0, 30) + used("b", 40, 9), [("b", ("a",), 40)]),
        (used("b", -9, 4) + used("a", 0, 30) + used("b", 40, 5), [("b", ("a",), 40)]),
        (used("b", 10, 5) + used("a", 0, 45) + used("b", 50, 9), [("b", ("a",), 50)]),  # a tenth before
        (used("b", 10, 6) + used("a", 0, 45) + used("b", 50, 9), []),  # more than a tenth: side by side for a while
        (used("b", 2, 1) + used("a", 0, 30) + used("b", 40, 4), []),
        # Side by side, of which the last five happen to be b's.
        (used("a", 0, 30) + used("b", 1, 34), []),
        ([("a", None, 6.0, "u")] * 9 + used("b", 10, 9), []),  # without a time, nothing comes before
    ],
)
def test_when_a_model_took_over(rows: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    results = models.takeovers(scored(*rows), WRITING)
    assert [(t.model, t.replaced, (t.at - START).days) for t in results] == expected
    assert models.takeovers(scored(*rows), SPEAKING) == []


def chain(length: int) -> pd.DataFrame:
    """So many models, each of which took over from the one before."""
    return scored(*[row for n in range(length) for row in used(f"m{n:03}", 10 * n, 8)])


def test_work_grows_with_the_number_of_models_and_no_faster() -> None:
    assert [t.replaced for t in models.takeovers(chain(3), WRITING)] == [("m000",), ("m001",)]
    assert is_linear(lambda text: models.takeovers(chain(len(text)), WRITING), "m", sizes=(10, 40, 160))


def test_of_many_models_those_that_gave_the_most_bands_are_compared() -> None:
    few = chain(models.MOST)
    kept, others = models.most_used(few)
    assert kept is few
    assert others == 0
    nameless = [(name, day, 6.0, "u") for day, name in enumerate(NAMELESS * 9)]
    more = [*used("most-task1", 5000, 9), *used("least", 6000, 6), *used("least-task2", 6010, 1), *nameless]
    many = pd.concat([few, scored(*more)], ignore_index=True)
    kept, others = models.most_used(many)
    # Of those with as many bands, the first ones by name.
    assert others == 2
    left_out = {f"m{models.MOST - 1:03}", "least", "least-task2"}
    assert {*kept["model_used"]} == {*many["model_used"]} - left_out
    assert len(kept) == len(many) - 15
    speaking = many.assign(evaluation_type=SPEAKING)
    assert models.most_used(pd.concat([few, speaking], ignore_index=True))[1] == 2


def test_evaluations_are_put_in_order_once_for_all_takeovers(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    scored_of = models.scored

    def counted(evaluations: pd.DataFrame, skill: str) -> pd.DataFrame:
        sizes.append(len(evaluations))
        return scored_of(evaluations, skill)

    monkeypatch.setattr(models, "scored", counted)
    counts = []
    for length in (2, 9):
        frame = chain(length)
        sizes.clear()
        shifts = models.shifts(frame, WRITING)
        assert [takeover for takeover, _ in shifts] == models.takeovers(frame, WRITING)
        assert all(shift.students == 8 for _, shift in shifts)
        counts.append(len(sizes))
    assert counts[0] == counts[1]


def test_the_shift_compares_each_student_with_himself() -> None:
    # Six students: 6.0 before; afterwards 0.5 lower in five of them, 0.5 higher in one. u0 has five before, of which
    # the last four count (mean 6.0), and u1 five after, of which the first four count (mean 5.5).
    before = [("old", n, 6.0, f"u{n}") for n in range(6)]
    after = [("new", 20 + n, 6.5 if n == 5 else 5.5, f"u{n}") for n in range(6)]
    more = [("old", -9, 9.0, "u0"), ("old", -8, 7.0, "u0"), ("old", -7, 5.0, "u0"), ("old", -6, 6.0, "u0")]
    more += [("new", 30 + n, 5.5, "u1") for n in range(3)]
    more += [("new", 40, 9.0, "u1"), ("old", 1, 1.0, "only before")]
    rows = scored(*before, *after, *more, ("new", 50, 9.0, "only after"), ("new", 51, 9.0, None))
    ((_, shift),) = models.shifts(rows, WRITING)
    expected = ttest_1samp([-0.5] * 5 + [0.5], 0).confidence_interval(0.95)
    assert (shift.students, shift.mean) == (6, pytest.approx(-1 / 3))
    assert (shift.low, shift.high) == pytest.approx((expected.low, expected.high))
    assert not shift.beyond_chance
    # Five are 20 days apart but for u0, whose median time before is day -6.5, and u1, day 30.5 after.
    assert shift.days == 20


def test_the_shift_compares_each_writing_task_with_itself() -> None:
    # Task 2 gets a band more than Task 1; the new model gives half a band less, and judged more of Task 2.
    rows = []
    for n in range(8):
        old = [("old-task1", 5.0)] * 3 + [("old-task2", 6.0)]
        new = [("new-task1", 4.5)] + [("new-task2", 5.5)] * 3
        rows += [(model, 4 * n + i, band, f"u{n}") for i, (model, band) in enumerate(old)]
        rows += [(model, 100 + 4 * n + i, band, f"u{n}") for i, (model, band) in enumerate(new)]
    rows += [("old-task1", 0, 5.0, "other task"), ("new-task2", 150, 6.0, "other task")]
    ((_, shift),) = models.shifts(scored(*rows), WRITING)
    assert (shift.students, shift.mean) == (8, -0.5)


def test_without_common_students_there_is_no_shift() -> None:
    rows = scored(*used("old", 0, 5), *[("new", 20 + n, 6.0, f"v{n}") for n in range(5)])
    ((_, shift),) = models.shifts(rows, WRITING)
    assert shift.students == 0
    assert all(math.isnan(number) for number in (shift.mean, shift.low, shift.high, shift.days))
    assert not shift.beyond_chance


@pytest.mark.parametrize(
    ("low", "high", "beyond"), [(0.1, 0.4, True), (-0.4, -0.1, True), (-0.1, 0.4, False), (0.0, 0.4, False)]
)
def test_a_shift_is_beyond_chance_where_its_interval_leaves_zero_out(low: float, high: float, beyond: bool) -> None:
    assert Shift(9, (low + high) / 2, low, high, 3.0).beyond_chance is beyond
    assert not Shift(4, 1.0, math.nan, math.nan, 3.0).beyond_chance


VALUES = st.lists(st.integers(-18, 18).map(lambda halves: halves / 2), max_size=60)


@given(VALUES, st.randoms())
def test_the_interval_of_a_mean_is_students(values: list[float], random: Any) -> None:
    results = models.mean_interval(np.array(values))
    assert models.mean_interval(np.array(random.sample(values, len(values)))) == pytest.approx(results, nan_ok=True)
    if not values:
        assert all(map(math.isnan, results))
        return
    assert results[0] == pytest.approx(np.mean(values))
    if len(values) < 5 or len(set(values)) == 1:
        assert all(map(math.isnan, results[1:]))
    else:
        expected = student_t.interval(0.95, len(values) - 1, np.mean(values), sem(values))
        assert results[1:] == pytest.approx(expected)


def test_differences_that_are_alike_but_for_their_digits_have_no_interval() -> None:
    thirds = np.array([6 + 1 / 3 - 6, 5 + 1 / 3 - 5, 1 / 3, 8 + 1 / 3 - 8, 7.5 + 1 / 3 - 7.5])
    assert len(set(thirds.tolist())) > 1
    mean, low, high = models.mean_interval(thirds)
    assert (mean, math.isnan(low), math.isnan(high)) == (pytest.approx(1 / 3), True, True)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    inside = 0
    for _ in range(2_000):
        _, low, high = models.mean_interval(0.25 + 0.35 * random.normal(size=42))
        inside += low <= 0.25 <= high
    assert 0.93 < inside / 2_000 < 0.97


def test_days_and_weeks_are_the_readers_own_and_gaps_stay_gaps() -> None:
    # 20:00 UTC on a Sunday is Monday in Ho Chi Minh City.
    late = scored(("m", 8 / 24 + 6, 6.0, "u"), ("m", 8 / 24 + 6.01, 7.0, "v"), ("m", 20, 5.0, "u"))
    days = models.over_time(late, WRITING, "Asia/Ho_Chi_Minh")
    assert [str(day.date()) for day in days["start"]] == ["2026-03-09", "2026-03-22"]
    assert days[["median", "scored"]].to_numpy().tolist() == [[6.5, 2], [5.0, 1]]
    weeks = models.over_time(scored(("m", 0, 6.0, "u"), ("m", 3, 7.0, "u"), ("m", 40, 7.0, "u")), WRITING, "UTC")
    assert [str(day.date()) for day in weeks["start"]] == ["2026-03-02", "2026-04-06"]
    assert weeks["scored"].tolist() == [2, 1]


def test_the_sample_changes_models_half_way_in_both_skills() -> None:
    frame = evaluations.frame(serialized(sample(START).evaluations))
    (writing,), (speaking,) = (models.takeovers(frame, skill) for skill in (WRITING, SPEAKING))
    assert writing.replaced == ("gemini-writing",)
    assert (writing.model, speaking.model) == ("gemini-2.5-pro-writing", "gemini-3.0-flash-audio")
    for takeover in (writing, speaking):
        assert abs((START - takeover.at).days - 182) < 10


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c-task1", "c-task2", "task1", None]),
        st.one_of(st.none(), st.integers(0, 30)),
        st.sampled_from([4.0, 5.5, 6.0, 9.0, math.nan]),
        st.sampled_from(["u", "v", "w", None]),
    ),
    max_size=40,
)


@examples(15)
@given(ROWS, st.randoms())
def test_the_order_of_evaluations_never_changes_a_result(rows: list[tuple[Any, ...]], random: Any) -> None:
    one = scored(*rows)
    other = one.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32))).reset_index(drop=True)
    assert_frame_equal(models.by_model(one), models.by_model(other))
    assert_frame_equal(models.over_time(one, WRITING, "UTC"), models.over_time(other, WRITING, "UTC"))
    assert models.takeovers(one, WRITING) == models.takeovers(other, WRITING)
    assert repr(models.shifts(one, WRITING)) == repr(models.shifts(other, WRITING))
