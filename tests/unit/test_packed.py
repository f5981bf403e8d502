"""Frames that are kept small come out again as they went in: every value with its type, every dtype, every order."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from bench.support import dataset
from data.records import evaluations, flashcards
from data.records.frames import joined, newest_first
from data.schema import EVALUATIONS
from queries.packed import Packed
from tests.support.items import EVALUATION, Item, changed, items


def check(frame: pd.DataFrame) -> Packed:
    """Packed and unpacked, a frame is the same, None and NaN apart; so is its beginning."""
    packed = Packed.of(frame)
    for rows in (None, 0, 2, len(frame) + 1):
        again, part = packed.head(rows), frame if rows is None else frame.head(rows)
        assert_frame_equal(again, part, check_exact=True)
        for name in part:
            if part[name].dtype == object:
                assert [type(value) for value in again[name]] == [type(value) for value in part[name]]
    return packed


@given(st.lists(items, max_size=6))
def test_whatever_was_read_comes_out_again(several: list[Item]) -> None:
    for of in (evaluations, flashcards):
        # Twice, so that values repeat and are coded.
        check(newest_first(joined([of.frame(several), of.frame(several)])))


ODD_COLUMNS = pytest.mark.parametrize(
    "values",
    [
        [],
        [None, None],
        ["a", None, "a", "a"],
        [None, math.nan, "a", "a"],
        [1, 1.0, True, 1],
        [True, "1", 1, 1],
        [[1], [1], [1], [1]],
        ["\ud800", "a", "b", "c"],
        [f"id-{n}" for n in range(300)],
        [(), (), ("an issue",), ()],
    ],
    ids=repr,
)


@ODD_COLUMNS
def test_odd_columns_come_out_again(values: list[object]) -> None:
    check(pd.DataFrame({"column": pd.Series(values, dtype="object")}))


def check_parts(frame: pd.DataFrame) -> None:
    """Cut anywhere and joined again, or with its rows in another order, a frame is the same."""
    whole = Packed.of(frame)
    for edge in {0, len(frame) // 4, len(frame) // 2, len(frame)}:
        again = Packed.joined([Packed.of(frame.iloc[:edge]), Packed.of(frame.iloc[edge:])])
        assert_frame_equal(again.head(), frame, check_exact=True)
        for name in frame:
            if frame[name].dtype == object:
                assert [type(value) for value in again.head()[name]] == [type(value) for value in frame[name]]
    backwards = np.arange(len(frame))[::-1]
    assert_frame_equal(whole.take(backwards).head(), frame.iloc[::-1].reset_index(drop=True), check_exact=True)
    assert_frame_equal(whole.take(backwards[:2]).head(), frame.iloc[::-1][:2].reset_index(drop=True), check_exact=True)


@given(st.lists(items, max_size=6))
def test_parts_are_joined_as_if_they_had_been_read_at_once(several: list[Item]) -> None:
    for of in (evaluations, flashcards):
        check_parts(joined([of.frame(several), of.frame(several)]))


@ODD_COLUMNS
def test_parts_of_odd_columns_are_joined(values: list[object]) -> None:
    check_parts(pd.DataFrame({"column": pd.Series(values * 4, dtype="object")}))


def test_a_value_that_no_row_has_any_more_takes_no_memory() -> None:
    frame = pd.DataFrame({"a": pd.Series([f"user-{n % 300}" for n in range(900)], dtype="object")})
    few = Packed.of(frame).take(np.arange(0, 900, 300))
    assert Packed.joined([few, few]).octets < Packed.of(frame).octets / 20


def test_what_repeats_only_in_all_parts_together_is_kept_once() -> None:
    part = Packed.of(pd.DataFrame({"a": pd.Series([f"user-{n}" for n in range(3_000)], dtype="object")}))
    assert Packed.joined([part] * 9).octets < 3 * part.octets


def test_more_than_256_different_values_come_out_again() -> None:
    check(pd.DataFrame({"a": [float(n % 300) for n in range(900)], "b": [f"user-{n % 300}" for n in range(900)]}))


def test_what_is_done_to_a_frame_stays_with_it() -> None:
    packed = Packed.of(evaluations.frame([EVALUATION, changed(EVALUATION, overall_band={"S": "5.0"})]))
    before = packed.head()
    one = packed.head()
    one.loc[:, "overall_band"] = 0.0
    one.loc[:, "user_id"] = "another"
    one.loc[0, "created_at"] = datetime(2000, 1, 1, tzinfo=UTC)
    assert_frame_equal(packed.head(), before)


def test_a_row_takes_at_most_120_bytes() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=12)
    summary = [
        {name: value for name, value in item.items() if name in EVALUATIONS.summary}
        for item in dataset.evaluations(5_000, now)
    ]
    frame = newest_first(evaluations.frame(summary))
    assert check(frame).octets <= 120 * len(frame)
