"""Answers kept for when a fresh one fails: bounded in bytes, number and age, and gone once AWS refuses the data."""

from datetime import UTC, datetime, timedelta

import pytest

from data.dynamodb.errors import Failure
from data.dynamodb.store import Cost, Read
from data.records.jobs import Key
from ui import older, reads
from ui.older import AGE, RETRY, Older

NOW = datetime.now(UTC)


def answer(value: object, at: datetime = NOW) -> Read[object]:
    return Read(value, Cost(1, 0.5), at, True, ("a note",))


def test_an_answer_comes_back_whole_and_as_a_copy() -> None:
    kept = Older()
    question = kept.of("a")
    value = {"x": [1]}
    kept.keep(question, answer(value))
    value["x"].append(2)
    assert kept.of("a") is question
    assert question.answer(NOW) == answer({"x": [1]})


def test_the_oldest_question_goes_first_when_the_bytes_are_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(older, "BYTES", 10_000)
    kept = Older()
    for name in ("a", "b", "c"):
        kept.keep(kept.of(name), answer("x" * 4_000))
        kept.of("a")
    assert kept.octets <= 10_000
    assert kept.of("a").answer(NOW)
    assert kept.of("c").answer(NOW)
    assert kept.of("b").answer(NOW) is None
    kept.keep(kept.of("huge"), answer("x" * 20_000))
    assert kept.octets <= 10_000


def test_there_are_never_more_questions_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(older, "QUESTIONS", 5)
    kept = Older()
    for n in range(50):
        kept.keep(kept.of(n), answer(n))
    assert len(kept._questions) <= 5


def test_a_question_about_hundreds_of_jobs_takes_no_more_memory_than_one_about_one() -> None:
    def asked(count: int, student: str = "anna") -> object:
        return reads._question(
            reads.failure_reasons, (tuple(Key("evaluations", f"{n}", student) for n in range(count)),)
        )

    assert asked(500) is asked(500)
    assert len({id(asked(500)), id(asked(499)), id(asked(500, "binh")), id(asked(500, "\udc80"))}) == 4
    assert {len(said) for _, said in reads._older()._questions} == {16}  # type: ignore[str-unpack,misc]


def test_an_answer_is_gone_from_memory_after_an_hour_even_if_nobody_asks_for_it() -> None:
    kept = Older()
    kept.keep(kept.of("a"), answer("x" * 1_000, NOW - AGE - timedelta(seconds=1)))
    kept.of("b")
    assert kept.octets == 0


def test_a_failure_is_remembered_for_half_a_minute_unless_somebody_presses_refresh() -> None:
    question = Older().of("a")
    failure = Failure("throttled", "Too much.", "Wait.")
    try:
        raise failure
    except Failure as raised:
        question.fail(raised, NOW)
    kept = question.recent_failure(NOW + RETRY / 2)
    assert kept == failure
    # It would hold on to all that the page had read by then.
    assert kept.__traceback__ is None
    assert question.recent_failure(NOW + RETRY) is None
    question.retry()
    assert question.recent_failure(NOW) is None


@pytest.mark.parametrize(("kind", "kept_then"), [("throttled", True), ("access_denied", False), ("missing", False)])
def test_what_aws_refuses_is_not_kept(kind: str, kept_then: bool) -> None:
    kept = Older()
    question = kept.of("a")
    kept.keep(question, answer("x"))
    question.fail(Failure(kind, "It failed.", "Mend it."), NOW)  # type: ignore[arg-type]
    assert (question.answer(NOW) is not None) is kept_then
    assert question.is_fresh(timedelta(minutes=5), NOW) is kept_then


def test_an_answer_is_fresh_until_it_is_old_or_somebody_presses_refresh() -> None:
    span = timedelta(minutes=5)
    kept = Older()
    question = kept.of("a")
    assert not question.is_fresh(span, NOW)
    kept.keep(question, answer(1))
    assert question.is_fresh(span, NOW + span - timedelta(seconds=1))
    assert not question.is_fresh(span, NOW + span)
    question.retry()
    assert not question.is_fresh(span, NOW)
    kept.keep(question, answer(1, NOW + timedelta(seconds=1)))
    assert question.is_fresh(span, NOW + timedelta(seconds=1))
