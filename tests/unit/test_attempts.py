"""Attempts as arrays: what counts as one, whose it is, its place among others, and windows to the microsecond."""

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.levels import attempts
from analysis.levels.attempts import Cohort, Owners
from data.schema import CRITERIA, SPEAKING, WRITING
from tests.support.attempts import MICROSECOND, NAN, NOW, ago, attempt, frame, shuffled
from tests.support.examples import examples


def bands(cohort: Cohort, student: int = 0) -> list[float]:
    """The student's bands in the cohort's window."""
    return cohort.bands[cohort.starts[student] : cohort.stops[student]].tolist()


def of(*rows: dict[str, Any], skill: str = WRITING) -> Cohort:
    return attempts.of_student(frame(*rows), skill)


def test_what_cannot_be_read_is_no_attempt() -> None:
    cohort = of(
        attempt(5, 5.0),
        attempt(4, NAN),
        attempt(None, 9.0),
        attempt(3, 9.0, status="failed"),
        attempt(2, 9.0, status="processing"),
        attempt(2, 9.0, status=None),
        attempt(1, 9.0, kind=SPEAKING),
        attempt(1, 9.0, kind="reading"),
        attempt(1, 9.0, kind=None),
        attempt(6, 0.0),
    )
    assert (bands(cohort), cohort.firsts[0], cohort.lasts[0]) == ([0.0, 5.0], ago(6), ago(5))


def test_attempts_of_the_same_moment_are_ordered_by_their_ids() -> None:
    rows = [attempt(1, band, evaluation_id=name) for name, band in zip("abcd", (4.0, 5.0, 6.0, 9.0), strict=True)]
    for order in itertools.permutations(rows):
        cohort = of(*order)
        assert (cohort.ids.tolist(), bands(cohort)) == (["a", "b", "c", "d"], [4.0, 5.0, 6.0, 9.0])


def test_criteria_are_those_of_the_skill_with_gaps() -> None:
    cohort = of(attempt(1, 6.0, kind=SPEAKING, pronunciation_band=5.0, fluency_band=NAN), skill=SPEAKING)
    columns = dict(zip(CRITERIA[SPEAKING], cohort.criteria[0].tolist(), strict=True))
    expected = {"fluency_band": NAN, "lexical_band": 6.0, "grammar_band": 6.0, "pronunciation_band": 5.0}
    assert columns == pytest.approx(expected, nan_ok=True)


USERS = ["b", "a", "B", "ü", "a ", "10", "9", "a\0", "\0", "x" * 1024, "👩‍🏫"]


def test_everybody_has_the_attempts_of_a_history_of_their_own_letter_for_letter() -> None:
    rows = [
        attempt(n, 4 + n % 11 / 2, user=USERS[n % len(USERS)], evaluation_id=str(n), grammar_band=n % 10)
        for n in range(60)
    ]
    nobody = attempt(1, 9.0, user=None)
    everybody = attempts.of_students(frame(*rows, nobody), WRITING)
    some = attempts.of_students(frame(*rows, nobody), WRITING, ["never", "a", "ü"])
    assert everybody.students == tuple(sorted(USERS))
    assert some.students == ("never", "a", "ü")
    assert some.counts.tolist()[0] == 0
    assert (some.firsts[0], some.lasts[0]) == (None, None)
    for cohort in (everybody, some):
        for n, user in enumerate(cohort.students):
            alone = of(*[row for row in rows if row["user_id"] == user])
            part = slice(cohort.starts[n], cohort.stops[n])
            assert cohort.ids[part].tolist() == alone.ids.tolist()
            assert cohort.times[part].tolist() == alone.times.tolist()
            assert bands(cohort, n) == bands(alone)
            assert cohort.criteria[part].tolist() == alone.criteria.tolist()
            assert (cohort.firsts[n], cohort.lasts[n]) == (alone.firsts[0], alone.lasts[0])


def test_owners_in_another_order_have_the_same_attempts() -> None:
    table = frame(*[attempt(n, n / 2, user=[*USERS[:3], None][n % 4]) for n in range(12)])
    by_id = Owners.of(table)
    assert (by_id.students, by_id.places.tolist()) == (("B", "a", "b"), [2, 1, 0, -1] * 3)
    other = by_id.in_order(np.array([2, 0, 1]))
    assert (other.students, other.places.tolist()) == (("b", "B", "a"), [0, 2, 1, -1] * 3)
    assert Owners.among(table, other.students).places.tolist() == other.places.tolist()
    for owners in (by_id, other):
        cohort = attempts.of_owners(table, WRITING, owners)
        assert {name: bands(cohort, n) for n, name in enumerate(cohort.students)} == {
            "b": [4.0, 2.0, 0.0],
            "a": [4.5, 2.5, 0.5],
            "B": [5.0, 3.0, 1.0],
        }
    nobody = Owners.of(table.iloc[:0])
    assert nobody.in_order(np.array([], dtype="int64")).students == ()


def test_more_students_than_a_short_number_counts_are_in_order() -> None:
    count = 2**16 + 2
    ids, bands_of = [f"{n:06}" for n in range(count)], np.arange(count) % 10 / 1.0
    one = frame(attempt(1, 0.0))
    table = one.loc[[0] * (2 * count)].reset_index(drop=True)
    table["user_id"], table["overall_band"] = pd.Series(ids * 2, dtype="object"), np.tile(bands_of, 2)
    table.loc[count:, "created_at"] = pd.Timestamp(ago(2))
    cohort = attempts.of_students(table, WRITING)
    assert cohort.students == tuple(ids)
    assert cohort.counts.tolist() == [2] * count
    assert cohort.bands.tolist() == np.repeat(bands_of, 2).tolist()
    assert bool((np.diff(cohort.times)[::2] > np.timedelta64(0, "us")).all())


def test_nobody_and_nothing() -> None:
    for rows in ([], [attempt(1, user=None)], [attempt(None)]):
        assert len(attempts.of_students(frame(*rows), WRITING)) == 0
    cohort = of()
    assert (len(cohort), cohort.counts.tolist(), cohort.firsts[0], cohort.lasts[0]) == (1, [0], None, None)
    assert len(cohort.at_each_attempt(180)) == 0
    assert cohort.between(ago(9), NOW).counts.tolist() == [0]


BOUNDS: dict[str, tuple[datetime, datetime, list[float]]] = {
    "the first moment is in, the end is not": (ago(20), ago(5), [2, 3]),
    "a microsecond later": (ago(20) + MICROSECOND, ago(5) + MICROSECOND, [3, 4]),
    "all": (ago(10_000), NOW + MICROSECOND, [1, 2, 3, 4, 5]),
    "now is not before now": (ago(6), NOW, [4]),
    "nothing": (ago(4), ago(3), []),
    "the wrong way round": (ago(5), ago(20), []),
    "in another zone": (ago(20).astimezone(timezone(timedelta(hours=7))), ago(5), [2, 3]),
}


@pytest.mark.parametrize(("first", "end", "expected"), BOUNDS.values(), ids=BOUNDS)
def test_windows_to_the_microsecond(first: datetime, end: datetime, expected: list[float]) -> None:
    times = (30, 20, 10, 5, 0)
    rows = [attempt(day, float(n)) for n, day in enumerate(times, 1)]
    assert bands(of(*rows).between(first, end)) == expected
    others = [attempt(day, 9.0, user=user) for day in times for user in "tv"]
    cohort = attempts.of_students(frame(*others, *rows), WRITING)
    window = cohort.between(first, end)
    assert bands(window, 1) == expected
    # A window of a window, and the newest of it.
    assert bands(window.between(ago(10_000), NOW + MICROSECOND), 1) == expected
    assert bands(window.newest(2), 1) == expected[-2:]
    assert window.lasts[1] == (ago(times[int(expected[-1]) - 1]) if expected else None)


def test_as_it_stood_after_each_attempt() -> None:
    cohort = of(attempt(180, 1.0), attempt(180 - 1 / 86_400, 2.0), attempt(3, 3.0), attempt(0, 4.0), attempt(0, 5.0))
    after = cohort.at_each_attempt(180)
    expected = [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4, 5]]
    assert [bands(after, n) for n in range(len(after))] == expected
    later = of(attempt(180, 1.0), attempt(NOW + MICROSECOND, 2.0), attempt(180 - 1e-6 / 86_400, 3.0))
    assert [bands(later.at_each_attempt(180), n) for n in range(3)] == [[1], [1, 3], [3, 2]]
    # Of a window, only what is in it.
    part = cohort.between(ago(100), NOW + MICROSECOND).at_each_attempt(180)
    assert [bands(part, n) for n in range(len(part))] == [[3], [3, 4], [3, 4, 5]]


@examples(40)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(USERS[:4])), max_size=20), st.randoms())
def test_the_order_of_the_records_changes_nothing(pairs: list[tuple[int, str]], random: Any) -> None:
    table = frame(*[attempt(day, n / 2, user) for n, (day, user) in enumerate(pairs)])
    one = attempts.of_students(table, WRITING)
    for other in (shuffled(table, random), shuffled(table, random).set_axis([0] * len(table))):
        two = attempts.of_students(other, WRITING)
        assert (one.students, one.ids.tolist(), one.starts.tolist()) == (
            two.students,
            two.ids.tolist(),
            two.starts.tolist(),
        )
