"""What is kept on the shelf: asked for once, side by side, not for too long, and never a failure."""

import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from data.failures import Failure
from data.shelf import Shelf
from data.store import Cost, Read
from ui import reads

MINUTE = timedelta(minutes=1)


def answer(value: Any, age: timedelta = timedelta()) -> Read[Any]:
    return Read(value, Cost(1, 0.5), datetime.now(UTC) - age)


class Asked:
    """Gives one answer after the other, and counts."""

    def __init__(self, *answers: Read[Any] | Exception) -> None:
        self.answers, self.times = list(answers), 0

    def __call__(self) -> Read[Any]:
        self.times += 1
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        return given


def test_an_answer_is_asked_for_once_and_kept() -> None:
    shelf, ask = Shelf(MINUTE, 10), Asked(answer(1))
    assert [shelf.begin("key", ask).result().value for _ in range(3)] == [1, 1, 1]
    assert ask.times == 1


def test_an_old_answer_is_asked_for_anew_and_so_is_a_forgotten_one() -> None:
    shelf, ask = Shelf(MINUTE, 10), Asked(answer(1, 2 * MINUTE), answer(2), answer(3))
    assert [shelf.begin("key", ask).result().value for _ in range(3)] == [1, 2, 2]
    shelf.forget("key")
    shelf.forget("nothing there")
    assert shelf.begin("key", ask).result().value == 3


def test_a_failure_is_said_and_not_kept() -> None:
    shelf, ask = Shelf(MINUTE, 10), Asked(Failure("throttled", "Too much.", "Wait."), answer(2))
    with pytest.raises(Failure):
        shelf.begin("key", ask).result()
    assert shelf.begin("key", ask).result().value == 2


def test_what_is_on_its_way_is_shared_and_different_answers_come_side_by_side() -> None:
    shelf, together, release = Shelf(MINUTE, 10), threading.Barrier(3, timeout=10), threading.Event()

    def slow() -> Read[Any]:
        together.wait()
        release.wait(10)
        return answer(1)

    one, two = shelf.begin("one", slow), shelf.begin("two", slow)
    together.wait()  # passes only when both are at work
    assert shelf.begin("one", slow) is one
    release.set()
    assert (one.result().value, two.result().value) == (1, 1)


def test_the_answer_that_nobody_wanted_for_longest_makes_room() -> None:
    shelf = Shelf(MINUTE, 2)
    asked = {key: Asked(answer(key)) for key in "abc"}
    for key in "abac":
        shelf.begin(key, asked[key]).result()
    for key in "ac":
        shelf.begin(key, asked[key]).result()
    assert {key: ask.times for key, ask in asked.items()} == {"a": 1, "b": 1, "c": 1}
    shelf.begin("b", asked["b"]).result()
    assert asked["b"].times == 2


def test_what_is_asked_sees_the_context_of_who_asks() -> None:
    setting: ContextVar[str] = ContextVar("setting", default="none")
    setting.set("mine")
    assert Shelf(MINUTE, 1).begin("key", lambda: answer(setting.get())).result().value == "mine"


def test_what_a_page_does_to_its_frame_stays_with_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reads, "store", lambda: None)
    frame = pd.DataFrame({"a": [1, 2]})
    shared = reads.Shared(lambda *_: answer(frame))
    mine = shared("x").value
    mine["a"] = 0
    mine["b"] = 1
    mine.loc[0, "a"] = 9
    other = shared("x").value
    assert other["a"].tolist() == [1, 2]
    assert list(other.columns) == ["a"]


def test_refresh_reads_the_whole_period_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(reads, "store", lambda: None)

    def read(what: str) -> Callable[..., Read[Any]]:
        def ask(*_: Any) -> Read[Any]:
            asked.append(what)
            return answer(pd.DataFrame({"created_at": pd.to_datetime([], utc=True)}))

        return ask

    monkeypatch.setattr(reads.evaluations, "period", read("read"))
    monkeypatch.setattr(reads.evaluations, "update", read("update"))
    reads.period(30)
    reads.period(30)
    reads.period(7)
    assert asked == ["read"]
    reads.period.clear(30)
    reads.period(30)
    assert asked == ["read", "read"]
