"""What a page waits for: limits and what they do to calls, one after the other and side by side; every page's sum."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from data.dynamodb import budget
from data.dynamodb.budget import Late
from data.dynamodb.client import Store
from queries import records
from queries.session import cache
from tests.support import proxy
from tests.support.outage import PAGES, Shown, checked, each_page, refresh, visit, words
from tests.support.proxy import Proxy
from ui.shell import badge

HANGS = 5.0
"""Seconds that a call hangs which is not waited for: much longer than any limit here, on a busy machine too."""


def slow(seconds: float) -> Callable[[], str]:
    """A call that takes so long."""

    def send() -> str:
        time.sleep(seconds)
        return "late"

    return send


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call may take 0.2 s, a page 0.5 s."""
    monkeypatch.setattr(budget, "CALL_SECONDS", 0.2)
    monkeypatch.setattr(budget, "PAGE_SECONDS", 0.5)


def test_without_a_limit_a_call_takes_what_it_takes_in_its_own_thread(brief: None) -> None:
    assert budget.answer(slow(0.3)) == "late"
    assert budget.answer(threading.current_thread) is threading.current_thread()


def test_under_a_limit_an_answer_and_an_error_come_back_as_they_are() -> None:
    with budget.limited():
        assert budget.answer(lambda: 7, "Query", "a") == 7
        with pytest.raises(ZeroDivisionError):
            budget.answer(lambda: 1 / 0, "Query", "a")


def test_a_call_that_hangs_ends_after_its_own_time_and_is_not_made_again_in_that_run(brief: None) -> None:
    with budget.limited():
        begin = time.monotonic()
        with pytest.raises(Late) as first:
            budget.answer(slow(HANGS), "Query", "a")
        with pytest.raises(Late) as second:
            budget.answer(lambda: pytest.fail("asked again"), "Query", "a")
        assert time.monotonic() - begin < HANGS
        assert (first.value.asked, second.value.asked) == (True, False)
        # Another table is.
        assert budget.answer(lambda: 7, "Query", "b") == 7
    with budget.limited():
        assert budget.answer(lambda: 7, "Query", "a") == 7


def test_calls_that_hang_one_after_the_other_take_no_longer_than_the_page_may(brief: None) -> None:
    begin = time.monotonic()
    with budget.limited():
        for n in range(10):
            with pytest.raises(Late):
                budget.answer(slow(HANGS), "Query", str(n))
            budget.pause(0.3)
    assert time.monotonic() - begin < HANGS


def test_calls_side_by_side_are_under_the_same_limit_and_keep_their_order(brief: None) -> None:
    def ask(n: int) -> int:
        return budget.answer(lambda: n, "Query", str(n))

    def hang(n: int) -> str:
        return budget.answer(slow(HANGS), "Query", str(n))

    with budget.limited():
        assert budget.side_by_side(ask, range(5)) == [0, 1, 2, 3, 4]
        begin = time.monotonic()
        with pytest.raises(Late):
            budget.side_by_side(hang, range(5))
        assert time.monotonic() - begin < HANGS
    assert budget.side_by_side(ask, []) == []


def test_a_limit_inside_a_limit_may_be_shorter_but_not_longer() -> None:
    with budget.limited(10):
        with budget.limited(1):
            assert budget.remaining() <= 1
        assert budget.remaining() > 9
        with budget.limited(60), budget.limited():
            assert budget.remaining() <= 10
        with budget.lifted():
            assert budget.remaining() == budget.PAGE_SECONDS
        assert budget.remaining() <= 10


def test_what_is_lifted_out_of_a_limit_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(budget, "_clock", lambda: now[0])
    with budget.limited():
        now[0] = 10
        with budget.lifted():
            now[0] = 100
        assert budget.remaining() == 20


class Clock:
    """A clock that only calls move, each of which takes all the time that it is given and ends without an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.calls: list[float] = []
        monkeypatch.setattr(budget, "_clock", lambda: self.now)
        monkeypatch.setattr(budget, "_within", self.hang)

    def hang(self, seconds: float, _: Callable[[], Any]) -> Any:
        self.now += seconds
        self.calls.append(seconds)
        raise TimeoutError


@each_page
@pytest.mark.parametrize("real", [False, True], ids=["an endpoint", "real AWS"])
def test_no_page_waits_more_than_30_seconds_in_all_when_every_call_hangs(
    page: Shown, real: bool, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(aws, page)
    if real:
        monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    clock = Clock(monkeypatch)
    refresh(app, page)
    assert clock.calls
    assert sum(clock.calls) <= 30
    assert max(clock.calls) <= 12
    # The next click, with nothing remembered of the one before.
    clock.now, clock.calls = clock.now + 600, []
    checked(app.run(), page)
    assert sum(clock.calls) <= 30


def test_a_page_that_hangs_for_real_is_over_after_the_seconds_that_it_names(aws: Proxy) -> None:
    page = PAGES["evaluation"]
    begin = time.monotonic()
    app = visit(aws, page, lambda: aws.fail(proxy.hang(60)))
    took = time.monotonic() - begin
    assert "DynamoDB did not answer GetItem on " in words(app)
    assert " within 12 s." in words(app)
    assert 11 < took < 60


def test_the_badge_waits_less_than_the_page_and_leaves_the_rest_standing(
    aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(aws, PAGES["overview"])
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    monkeypatch.setattr(badge, "_SECONDS", 0.5)
    aws.fail(proxy.hang(60), proxy.operation("DescribeTable"))
    begin = time.monotonic()
    refresh(app, PAGES["overview"])
    assert time.monotonic() - begin < 60
    text = words(app)
    assert "AWS · account not known · us-east-1" in text
    assert PAGES["overview"].data in text
    assert "It could not be checked what the index" in text


def test_who_waits_for_another_visitors_read_waits_no_longer_than_the_page_may(
    aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGES["flashcards"]
    app = visit(aws, page)
    entry = cache.entry(records.flashcard_set, page.params["set_id"], page.params["user_id"])
    entry.outdate()
    monkeypatch.setattr(budget, "PAGE_SECONDS", 0.5)
    with entry.turn:
        begin = time.monotonic()
        checked(app.run(), page)
        assert time.monotonic() - begin < 30
    assert "Another visitor of this dashboard is waiting for the same answer." in words(app)
    monkeypatch.setattr(budget, "PAGE_SECONDS", 30.0)
    assert page.data in words(refresh(app, page))


def test_what_runs_after_a_click_with_progress_has_no_limit(aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGES["audit"]
    app = visit(aws, page)
    seen: list[bool] = []
    real = budget.answer

    def note(send: Callable[[], Any], *what: str) -> Any:
        if what[0] == "BatchGetItem":
            seen.append(budget._limit.get() is None)
        return real(send, *what)

    monkeypatch.setattr(budget, "answer", note)
    checked(app.button(key="audit_whole").click().run(), page)
    assert seen
    assert all(seen)
