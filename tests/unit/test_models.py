"""Models compared: numbers checked by hand, takeovers with their boundaries, the interval against its definition."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import models
from data.demo.sample import sample
from data.records import evaluations
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from tests.support.items import serialized

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


def test_a_model_that_the_record_does_not_name_is_unknown() -> None:
    assert models.by_model(scored((None, 0, 6.0, "u"), ("", 1, 6.0, "u")))["model"].tolist() == ["unknown"]


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
        ([("a", None, 6.0, "u")] * 9 + used("b", 10, 9), []),  # without a time, nothing comes before
    ],
)
def test_when_a_model_took_over(rows: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    found = models.takeovers(scored(*rows), WRITING)
    assert [(t.model, t.replaced, (t.at - START).days) for t in found] == expected
    assert models.takeovers(scored(*rows), SPEAKING) == []


def test_the_shift_compares_each_student_with_himself() -> None:
    # Seven students: 6.0 before; afterwards 0.5 lower in six of them, 0.5 higher in one. u0 has five before, of which
    # the last three count (median 6.0), and u1 four after, of which the first three count (median 5.5).
    before = [("old", n, 6.0, f"u{n}") for n in range(7)]
    after = [("new", 20 + n, 6.5 if n == 6 else 5.5, f"u{n}") for n in range(7)]
    more = [("old", -9, 9.0, "u0"), ("old", -8, 9.0, "u0"), ("old", -7, 6.0, "u0"), ("old", -6, 6.0, "u0")]
    more += [("new", 30, 5.5, "u1"), ("new", 31, 5.5, "u1"), ("new", 32, 9.0, "u1"), ("old", 1, 1.0, "only before")]
    rows = scored(*before, *after, *more, ("new", 50, 9.0, "only after"), ("new", 51, 9.0, None))
    (takeover,) = models.takeovers(rows, WRITING)
    shift = models.shift(rows, takeover)
    # -0.5 six times and +0.5: the median is -0.5; of seven the interval is from the least to the greatest.
    assert (shift.students, shift.median, shift.low, shift.high) == (7, -0.5, -0.5, 0.5)
    assert not shift.shown
    # u2 to u6: 20 days apart; u0: its median time before is day -6, so 26; u1: day 30 after, so 29. Median 20.
    assert shift.days == 20


def test_six_students_who_all_fell_show_a_shift_and_five_do_not() -> None:
    for students, shown in ((6, True), (5, False)):
        rows = scored(
            *[("old", n, 7.0, f"u{n}") for n in range(students)],
            *[("new", 20 + n, 6.0, f"u{n}") for n in range(students)],
        )
        shift = models.shift(rows, models.takeovers(rows, WRITING)[0])
        assert shift.median == -1.0
        assert shift.shown is shown
        assert math.isnan(shift.low) is not shown


def test_without_common_students_there_is_no_shift() -> None:
    rows = scored(*used("old", 0, 5), *[("new", 20 + n, 6.0, f"v{n}") for n in range(5)])
    shift = models.shift(rows, models.takeovers(rows, WRITING)[0])
    assert shift.students == 0
    assert all(math.isnan(number) for number in (shift.median, shift.low, shift.high, shift.days))
    assert not shift.shown


@pytest.mark.parametrize(
    ("n", "k"),
    # From published tables of the sign test's interval: with so many values, the k-th from either end.
    [(6, 1), (7, 1), (8, 1), (9, 2), (10, 2), (11, 2), (12, 3), (15, 4), (20, 6), (25, 8), (30, 10), (50, 18)],
)
def test_the_interval_of_the_median_is_that_of_the_sign_test(n: int, k: int) -> None:
    assert models.median_interval(range(1, n + 1)) == ((n + 1) / 2, k, n + 1 - k)


@pytest.mark.parametrize("n", range(6))
def test_fewer_than_six_values_have_no_interval(n: int) -> None:
    median, low, high = models.median_interval([1.0] * n)
    assert math.isnan(low)
    assert math.isnan(high)
    assert math.isnan(median) is (n == 0)


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    # By counting: each of n values lies above or below the true median, all 2**n ways alike.
    for n in (6, 9, 12):
        _, low, _ = models.median_interval(range(1, n + 1))
        k = int(low)
        inside = sum(k <= sum(way) <= n - k for way in itertools.product((0, 1), repeat=n))
        one_further = sum(k + 1 <= sum(way) <= n - k - 1 for way in itertools.product((0, 1), repeat=n))
        assert inside / 2**n >= 0.95 > one_further / 2**n


def test_thousands_of_students_have_an_interval_too() -> None:
    median, low, high = models.median_interval(list(range(5001)))
    assert median == 2500
    # The normal approximation: half the width is 1.96 * sqrt(n) / 2.
    assert median - low == pytest.approx(1.96 * math.sqrt(5001) / 2, abs=2)
    assert high - median == median - low


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
    assert writing.replaced == ("gemini-writing_task1", "gemini-writing_task2")
    assert (writing.model, speaking.model) == ("gemini-2.5-pro-writing_task2", "gemini-3.0-flash-audio")
    for takeover in (writing, speaking):
        assert abs((START - takeover.at).days - 182) < 10


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", None]),
        st.one_of(st.none(), st.integers(0, 30)),
        st.sampled_from([4.0, 5.5, 6.0, 9.0, math.nan]),
        st.sampled_from(["u", "v", "w", None]),
    ),
    max_size=40,
)


@settings(deadline=None, max_examples=30)
@given(ROWS, st.randoms())
def test_the_order_of_evaluations_never_changes_a_result(rows: list[tuple[Any, ...]], random: Any) -> None:
    one = scored(*rows)
    other = one.sample(frac=1, random_state=np.random.RandomState(random.randrange(2**32))).reset_index(drop=True)
    assert_frame_equal(models.by_model(one), models.by_model(other))
    assert_frame_equal(models.over_time(one, WRITING, "UTC"), models.over_time(other, WRITING, "UTC"))
    found = models.takeovers(one, WRITING)
    assert found == models.takeovers(other, WRITING)
    for takeover in found:
        assert repr(models.shift(one, takeover)) == repr(models.shift(other, takeover))


@given(st.lists(st.floats(-9, 9, allow_nan=False), max_size=60), st.randoms())
def test_the_interval_holds_the_median_and_knows_no_order(values: list[float], random: Any) -> None:
    median, low, high = models.median_interval(values)
    assert repr(models.median_interval(random.sample(values, len(values)))) == repr((median, low, high))
    if not math.isnan(low):
        assert low <= median <= high
