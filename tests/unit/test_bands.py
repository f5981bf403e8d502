"""Bands over time: the latest, the change, criteria, a class side by side, and who comes before whom."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from analysis import bands
from analysis.bands import SkillBands
from data.records import evaluations
from data.records.frames import newest_first

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attempt(n: int, overall: str | None = "6.0", kind: str = "writing", **changes: Any) -> dict[str, Any]:
    """The n-th attempt of user-1 as DynamoDB sends it, a day after the one before; None leaves an attribute out."""
    texts = {
        "evaluation_id": f"eval-{n}",
        "user_id": "user-1",
        "evaluation_type": kind,
        "status": "completed",
        "overall_band": overall,
        **changes,
    }
    item: dict[str, Any] = {name: {"S": value} for name, value in texts.items() if value is not None}
    item.setdefault("created_at", {"N": str(int((START + timedelta(days=n)).timestamp()))})
    return item


def history(*items: dict[str, Any]) -> pd.DataFrame:
    """As a page gets it: newest first, equal times in the order given, unknown times last."""
    return newest_first(evaluations.frame(items))


def timeless(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "created_at"}


def at_start(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "created_at": {"N": str(int(START.timestamp()))}}


@pytest.mark.parametrize(
    ("others", "is_first"),
    [
        ([], True),
        ([attempt(6)], True),
        ([attempt(4, kind="speaking")], True),
        ([attempt(4, status="failed", overall=None)], True),
        ([attempt(4)], False),
        ([attempt(4, "unreadable")], False),
        ([timeless(attempt(4))], False),
    ],
    ids=["alone", "later", "other skill", "failed", "earlier", "earlier without a band", "at an unknown time"],
)
def test_an_evaluation_is_the_first_of_its_skill_only_where_that_is_sure(
    others: list[dict[str, Any]], is_first: bool
) -> None:
    assert bands.is_first(history(attempt(5), *others), "eval-5") is is_first
    assert bands.is_first(history(timeless(attempt(5)), *others), "eval-5") is False
    assert bands.is_first(history(*others), "eval-5") is False


def same(one: SkillBands, other: SkillBands) -> bool:
    is_latest = one.latest == other.latest or (math.isnan(one.latest) and math.isnan(other.latest))
    return one.scored == other.scored and is_latest


NAN = math.nan
SKILLS: dict[str, tuple[list[dict[str, Any]], SkillBands]] = {
    "nothing": ([], SkillBands(NAN, 0)),
    "one attempt": ([attempt(1, "6.5")], SkillBands(6.5, 1)),
    "up": ([attempt(1, "6.0"), attempt(2, "6.5")], SkillBands(6.5, 2)),
    "down": ([attempt(1, "7.0"), attempt(2, "6.0")], SkillBands(6.0, 2)),
    "the latest is not the best": (
        [attempt(1, "8.0"), attempt(2, "6.0"), attempt(3, "6.0")],
        SkillBands(6.0, 3),
    ),
    "a zero is a band": ([attempt(1, "0.0")], SkillBands(0.0, 1)),
    "unreadable bands are passed over": (
        [attempt(1, "5.0"), attempt(2, "N/A"), attempt(3, None), attempt(4, "6.0")],
        SkillBands(6.0, 2),
    ),
    "failed and processing are passed over": (
        [attempt(1, "5.0"), attempt(2, "9.0", status="failed"), attempt(3, "9.0", status="processing")],
        SkillBands(5.0, 1),
    ),
    "the other skill is not mixed in": (
        [attempt(1, "5.0"), attempt(2, "9.0", "speaking")],
        SkillBands(5.0, 1),
    ),
    "an unknown skill is not mixed in": (
        [attempt(1, "5.0"), attempt(2, "9.0", "reading"), attempt(3, "9.0", evaluation_type=None)],
        SkillBands(5.0, 1),
    ),
    "without a time it is the oldest": (
        [timeless(attempt(9, "9.0")), attempt(1, "5.0")],
        SkillBands(5.0, 2),
    ),
    "of equal times the first given is the latest": (
        [at_start(attempt(1, "6.0")), at_start(attempt(2, "7.0"))],
        SkillBands(6.0, 2),
    ),
}


@pytest.mark.parametrize(("items", "expected"), SKILLS.values(), ids=SKILLS)
def test_a_skill_is_its_latest_band_and_how_many(items: list[dict[str, Any]], expected: SkillBands) -> None:
    assert same(bands.skill_bands(history(*items), "writing"), expected)


def test_what_is_dated_in_the_future_is_no_latest_band() -> None:
    table = history(attempt(1, "5.0"), attempt(2, "6.0"), attempt(3, "9.0"))
    now = table["created_at"].iloc[1].to_pydatetime()
    assert bands.skill_bands(bands.future_last(table, now), "writing").latest == 6.0
    assert bands.future_last(table, now + timedelta(days=9)) is table
    only = table.iloc[:1]
    assert bands.skill_bands(bands.future_last(only, now), "writing").latest == 9.0


def test_scored_keeps_the_order_of_the_history() -> None:
    table = history(attempt(1), attempt(2, "N/A"), attempt(3, status="failed"), attempt(4))
    assert bands.scored(table, "writing")["evaluation_id"].tolist() == ["eval-4", "eval-1"]


def test_the_criteria_of_a_skill_have_their_latest_median_and_attempts() -> None:
    profile = bands.criteria_profile(
        history(
            attempt(1, coherence_band="5.0", lexical_band="5.0"),
            attempt(2, coherence_band="7.0", lexical_band="6.0"),
            attempt(3, coherence_band="N/A", lexical_band="8.0"),
            attempt(4, "9.0", "speaking", lexical_band="9.0"),
        ),
        "writing",
    )
    assert profile["criterion"].tolist() == [
        "task_achievement_band",
        "coherence_band",
        "lexical_band",
        "grammar_band",
    ]
    by_name = profile.set_index("criterion")
    assert by_name.loc["lexical_band", ["latest", "median", "attempts"]].tolist() == [8.0, 6.0, 3]
    # The latest is of the latest attempt, unreadable there or not: an older one in its place would mislead.
    assert math.isnan(by_name.loc["coherence_band", "latest"])
    assert by_name.loc["coherence_band", ["median", "attempts"]].tolist() == [6.0, 2]
    assert math.isnan(by_name.loc["grammar_band", "median"])
    assert by_name.loc["grammar_band", "attempts"] == 0


def test_criteria_of_nothing_are_unknown() -> None:
    profile = bands.criteria_profile(history(), "speaking")
    assert len(profile) == 4
    assert profile["latest"].isna().all()
    assert profile["attempts"].tolist() == [0, 0, 0, 0]


FOUR = (
    attempt(1, "5.0"),
    attempt(2, "6.0", "speaking"),
    attempt(3, None, status="failed"),
    attempt(4, "6.5"),
)


@pytest.mark.parametrize(
    ("evaluation_id", "before", "older", "newer"),
    [
        ("eval-4", "eval-1", "eval-3", None),  # before: of the same skill, and with a result
        ("eval-3", "eval-1", "eval-2", "eval-4"),
        ("eval-2", None, "eval-1", "eval-3"),
        ("eval-1", None, None, "eval-2"),
        ("eval-9", None, None, None),
    ],
    ids=["last", "failed", "the only one of its skill", "first", "not in it"],
)
def test_the_neighbours_of_an_evaluation(
    evaluation_id: str, before: str | None, older: str | None, newer: str | None
) -> None:
    table = history(*FOUR)
    rows = [
        None if row is None else row["evaluation_id"]
        for row in (
            bands.before(table, evaluation_id),
            bands.older(table, evaluation_id),
            bands.newer(table, evaluation_id),
        )
    ]
    assert rows == [before, older, newer]


def test_what_came_before_is_not_of_the_other_writing_task() -> None:
    first, second, untold = "gemini-writing_task1", "gemini-writing_task2", "gemini"
    models = {1: second, 2: untold, 3: first, 4: second, 5: first, 6: untold}
    table = history(*(attempt(n, model_used=model) for n, model in models.items()))
    previous = {n: bands.before(table, f"eval-{n}") for n in (2, 4, 5, 6)}
    assert {n: None if row is None else row["evaluation_id"] for n, row in previous.items()} == {
        2: "eval-1",
        4: "eval-2",  # which does not tell its task
        5: "eval-3",
        6: "eval-5",
    }
    of_both = history(attempt(1, model_used=first), attempt(2, model_used=second))
    assert bands.before(of_both, "eval-2") is None


def test_without_a_time_nobody_knows_what_came_before() -> None:
    table = history(attempt(1), timeless(attempt(2)))
    assert bands.before(table, "eval-2") is None
    assert bands.older(table, "eval-2") is None
    assert bands.older(table, "eval-1") is None


def test_an_evaluation_of_no_known_skill_has_none_before() -> None:
    table = history(attempt(1, evaluation_type=None), attempt(2, evaluation_type=None))
    assert bands.before(table, "eval-2") is None
    older = bands.older(table, "eval-2")
    assert older is not None
    assert older["evaluation_id"] == "eval-1"


def test_walking_through_equal_times_meets_everyone_once() -> None:
    table = history(*(at_start(attempt(n)) for n in range(4)))
    met, here = [], table.iloc[0]
    while here is not None:
        met.append(here["evaluation_id"])
        here = bands.older(table, met[-1])
    assert met == table["evaluation_id"].tolist()


def test_since_includes_its_first_moment_and_leaves_out_unknown_times() -> None:
    table = history(attempt(1), attempt(2), attempt(3), timeless(attempt(4)))
    first = START + timedelta(days=2)
    assert bands.since(table, first)["evaluation_id"].tolist() == ["eval-3", "eval-2"]
    assert bands.since(table, first + timedelta(seconds=1))["evaluation_id"].tolist() == ["eval-3"]
    assert bands.since(table, first).index.tolist() == [0, 1]
    assert len(bands.since(table, None)) == 4
