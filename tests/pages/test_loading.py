"""A school that takes long to read: a first look at the newest, then the same page as if it had been read in one go."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from streamlit.testing.v1 import AppTest

from data.dynamodb.client import Store
from data.dynamodb.reads import Read
from queries import background, records
from queries.session import cache
from tests.support.app import OVERVIEW, at, words
from tests.support.known_class import completed, failed, put

LESSONS = "pages/lessons.py"
VARYING = re.compile(r"[\d.]+ requests?|[\d.]+ read units?|\d\d:\d\d")
"""What it cost, and the time."""


@pytest.fixture
def school(empty: Store, use: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """Three students, one of whom has not come for a while; one has a missing result."""
    monkeypatch.setenv("BANDUP_ROSTER", str(tmp_path / "none.csv"))
    put(
        empty,
        *(completed("falling", 57 - 8 * n, band) for n, band in enumerate((7.0, 6.5, 6.5, 6.0, 5.5, 5.5, 5.0, 4.5))),
        completed("away", 28, 6.0),  # not 30: that is the edge of a period, and time goes by
        completed("lost", 3, 6.0),
        failed("lost", 2),
    )
    use(empty)
    return empty


def opened(page: str) -> AppTest:
    return at(page, seconds=60).run()


def whole(page: str) -> AppTest:
    """The page once all is there."""
    for _ in range(300):
        app = opened(page)
        if not app.get("progress"):
            return app
        time.sleep(0.05)
    raise AssertionError("it never ends")


@pytest.mark.parametrize("page", [OVERVIEW[0], LESSONS, "pages/audit.py", "pages/jobs.py"])
def test_in_steps_the_page_is_the_one_that_is_read_in_one_go(
    page: str, school: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = opened(page)
    cache.clear()
    monkeypatch.setattr(background, "MANY", 0)
    in_steps = whole(page)
    # The last step has read less than all at once, and later.
    assert VARYING.sub("", words(in_steps)) == VARYING.sub("", words(at_once))
    for one, other in zip(in_steps.dataframe, at_once.dataframe, strict=True):
        assert_frame_equal(one.value, other.value, rtol=1e-4)


def test_the_first_look_has_what_is_certain_and_no_more(school: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "MANY", 0)
    # The others take their time.
    read = records.period._read

    def slow(first: datetime, last: datetime) -> Read[pd.DataFrame]:
        if cache.kept(records.period):
            time.sleep(3)
        return read(first, last)

    monkeypatch.setattr(records.period, "_read", slow)
    app = opened(OVERVIEW[0])
    assert not app.exception
    (table,) = (frame.value for frame in app.dataframe)
    reasons = zip(table["Student"], table["Why"].fillna(""), strict=True)
    assert dict(reasons) == {"lost": "1 missing result", "falling": ""}
    assert "Writing" not in table
    assert "Inactive" not in words(app)
