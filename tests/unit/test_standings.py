"""What changed in a list since a week ago: what is new, what is resolved and not just old, which target was reached."""

from typing import Any

import pytest

from analysis.attention import Rules
from data import roster
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Read
from data.schema import FAILED, TYPES
from queries import abandoned, standings
from queries.access.gate import Gate, Visitor
from queries.once import Once
from queries.session import Session, cache
from queries.standings import Evaluations, Week
from tests.support.attempts import NOW, attempt, frame

RULES = Rules(away=14, below=0.5, weakest=0.5, falling=True, lost=True)


@pytest.fixture(autouse=True)
def nobody_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No result was given up by hand."""
    monkeypatch.setattr(abandoned, "marked", lambda *_: frozenset())


def week(*attempts: dict[str, Any], target: str = "7", test_date: str = "") -> Week:
    """What changed for the student u, who is in the class list."""
    cache.clear()  # what is worked out is known by when it was read
    students = roster.parse(f"user_id,target_band,test_date\nu,{target},{test_date}\n".encode())
    rows = frame(*attempts).sort_values("created_at", ascending=False, ignore_index=True)
    session = Session(Gate(Visitor(None, "ops"), students))
    asked = Evaluations(Read(Once(lambda: rows), Cost(), NOW), 30)
    listed = standings.listing(session, asked, students, None, TYPES, RULES)
    return standings.since_last_week(session, listed, asked, students, RULES)


def resolved(changed: Week) -> set[str]:
    """The rules that are not met any more because something was mended."""
    return {flag.rule for row in changed.gone for flag in row.flags}


STEADY = [attempt(days, 7.5) for days in range(1, 60, 4)]


def test_a_result_that_was_made_again_is_resolved() -> None:
    assert "lost" in resolved(week(*STEADY, attempt(7.5, status=FAILED), attempt(6.8, 7.5)))


def test_a_result_that_is_missing_for_so_long_that_it_does_not_count_is_not_resolved() -> None:
    assert "lost" not in resolved(week(*STEADY, attempt(35.5, status=FAILED)))


def test_who_came_back_is_not_inactive_any_more() -> None:
    assert "away" in resolved(week(*[attempt(days, 7.5) for days in range(25, 90, 4)], attempt(2, 7.5)))


def test_nothing_is_resolved_by_who_stops_practising() -> None:
    falling = [attempt(days, 4.0 + days / 40) for days in range(33, 150, 3)]
    assert resolved(week(*falling)) == set()


def test_a_test_that_has_passed_resolves_nothing() -> None:
    # Until the test every pace was too slow; afterwards only what is far below the target is said.
    attempts = [attempt(days, 6.5) for days in range(2, 120, 3)]
    assert "below" not in resolved(week(*attempts, target="7", test_date="2026-05-30"))


def test_a_target_is_reached_by_practice_and_not_by_old_attempts_that_count_no_more() -> None:
    # Half a year ago somebody had their lowest results, which a week ago made the level lower still.
    low = [attempt(days, 3.0) for days in range(181, 187)]
    high = [attempt(days, 7.5) for days in range(40, 180, 4)]
    assert week(*low, *high).reached == ()
    slower = [attempt(days, 6.5) for days in range(8, 100, 6)]
    assert week(*slower, *(attempt(days / 2, 8.5) for days in range(1, 13))).reached == (("u", "writing"),)
