"""What fails again and again is said each time, and logged some times a minute."""

import logging

import pytest

from ui.shell import boundary, rate
from ui.shell.boundary import part


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
