"""What changed in a list since a week ago: what is new, what is resolved and not just old, which target was reached."""

from typing import Any

import pytest

from analysis.attention import Rules
from data import roster
from data.dynamodb.cost import Cost
from data.dynamodb.reads import Read
from data.schema import FAILED, SPEAKING, TYPES, WRITING
from queries import abandoned, standings
from queries.access.gate import Gate, Visitor
from queries.once import Once
from queries.session import Session, cache
from queries.standings import Evaluations, Listing, Week
from tests.support.attempts import NOW, attempt, frame

RULES = Rules(away=14, below=0.5, weakest=0.5, falling=True, lost=True)


@pytest.fixture(autouse=True)
def nobody_gave_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No result was given up by hand."""
    monkeypatch.setattr(abandoned, "marked", lambda *_: frozenset())


def week(*attempts: dict[str, Any], target: str = "7", test_date: str = "", skills: tuple[str, ...] = TYPES) -> Week:
    """What changed for the student u, who is in the class list."""
    return looked_at(*attempts, target=target, test_date=test_date, skills=skills)[1]


def looked_at(
    *attempts: dict[str, Any], target: str = "7", test_date: str = "", skills: tuple[str, ...] = TYPES
) -> tuple[Listing, Week]:
    """The list with the student u, who is in the class list, and what changed in it."""
    cache.clear()  # what is worked out is known by when it was read
    students = roster.parse(f"user_id,target_band,test_date\nu,{target},{test_date}\n".encode())
    rows = frame(*attempts).sort_values("created_at", ascending=False, ignore_index=True)
    session = Session(Gate(Visitor(None, "ops"), students))
    asked = Evaluations(Read(Once(lambda: rows), Cost(), NOW), 30)
    listed = standings.listing(session, asked, students, None, skills, RULES)
    return listed, standings.since_last_week(session, listed, asked, students, RULES)


def resolved(changed: Week) -> set[str]:
    """The rules that are not met any more because something was mended."""
    return {flag.rule for row in changed.gone for flag in row.flags}


STEADY = [attempt(days, 7.5) for days in range(1, 60, 4)]


def test_a_result_that_was_made_again_is_resolved() -> None:
    assert "lost" in resolved(week(*STEADY, attempt(7.5, status=FAILED), attempt(6.8, 7.5)))


def test_a_result_that_is_missing_for_so_long_that_it_does_not_count_is_not_resolved() -> None:
    assert "lost" not in resolved(week(*STEADY, attempt(35.5, status=FAILED)))


def test_a_skill_shows_whose_results_in_it_are_missing_and_no_others() -> None:
    lost = [attempt(days, status=FAILED, kind=kind) for days, kind in ((2, SPEAKING), (3, SPEAKING), (4, "reading"))]
    counts = {}
    for skills in (TYPES, (WRITING,), (SPEAKING,)):
        listed, changed = looked_at(*STEADY, *lost, skills=skills)
        assert len(listed) == 1
        new = {flag.rule for row in changed.new for flag in row.flags}
        counts[skills] = listed.lost, listed.counts["lost"], "lost" in new
    assert counts == {TYPES: (3, 1, True), (WRITING,): (0, 0, False), (SPEAKING,): (2, 1, True)}
    # Of whom no result in the skill ever came: only there.
    assert len(looked_at(*lost, skills=(SPEAKING,))[0]) == 1
    assert len(looked_at(*lost, skills=(WRITING,))[0]) == 0


def test_a_missing_result_is_resolved_in_its_own_skill() -> None:
    spoken = [attempt(7.5, status=FAILED, kind=SPEAKING), attempt(20, 7.0, kind=SPEAKING)]
    attempts = [*STEADY, attempt(7.5, status=FAILED), attempt(6.8, 7.5), *spoken]
    assert "lost" in resolved(week(*attempts, skills=(WRITING,)))
    assert "lost" not in resolved(week(*attempts, skills=(SPEAKING,)))
    assert "lost" not in resolved(week(*attempts))


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
