"""A browser that is not there, or does not start, leaves the tests after it alone."""

import pytest

from tests.support import browser, engines


class Driver:
    """Playwright, as far as starting Chromium needs it; Chromium does not start."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.chromium = self

    def start(self) -> "Driver":
        self.calls.append("start")
        return self

    def stop(self) -> None:
        self.calls.append("stop")

    def launch(self, **_: object) -> None:
        raise RuntimeError("Chromium does not start")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver()
    monkeypatch.setattr(browser, "sync_playwright", lambda: driver)
    return driver


def test_without_chromium_playwright_is_not_started(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise engines.MissingError("Chromium is not there")

    monkeypatch.setattr(browser, "chromium", missing)
    with pytest.raises(engines.MissingError):
        browser._browser.__wrapped__()
    assert driver.calls == []


def test_playwright_is_stopped_where_chromium_does_not_start(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "chromium", lambda: "/usr/bin/chromium")
    with pytest.raises(RuntimeError):
        browser._browser.__wrapped__()
    assert driver.calls == ["start", "stop"]
