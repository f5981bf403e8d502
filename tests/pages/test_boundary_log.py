"""What fails again and again is said each time, and logged some times a minute."""

import logging
from copy import deepcopy

import pytest

from ui.shell import boundary, rate
from ui.shell.boundary import part


def test_an_error_of_going_too_deep_is_a_few_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    deep: object = []
    for _ in range(900):
        deep = [deep]
    with caplog.at_level(logging.ERROR, "ui.shell.boundary"), part("The list"):
        deepcopy(deep)
    (record,) = caplog.records
    lines = record.getMessage().splitlines()
    assert lines[0] == "The list failed with RecursionError:"
    assert any(line.strip().startswith("…") for line in lines)
    assert len(lines) < 150


def test_a_part_that_fails_at_each_click_does_not_flood_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = [1_000.0]
    monkeypatch.setattr(rate.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(boundary, "_failed", {})

    def fail(name: str) -> None:
        with part(name):
            raise KeyError(name)

    with caplog.at_level(logging.ERROR, "ui.shell.boundary"):
        for _ in range(150):
            fail("The list")
        fail("The chart")
        assert [record.args[0] for record in caplog.records if record.args] == ["The list"] * 10 + ["The chart"]
        now[0] += 61
        fail("The list")
    assert len(caplog.records) == 12
