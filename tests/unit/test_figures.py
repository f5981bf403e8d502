"""Figures are made once for what goes into them, and never mixed up."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.io
import pytest

from ui.components import charts, plots

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture(autouse=True)
def nothing_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_made", type(plots._made)())


def weeks(*counts: int) -> pd.DataFrame:
    starts = pd.date_range("2026-03-02", periods=len(counts), freq="7D")
    return pd.DataFrame({"start": starts, "writing": counts})


def test_equal_arguments_share_a_figure_that_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = charts.weekly

    def weekly(counts: pd.DataFrame, zone: ZoneInfo) -> object:
        made.append(len(counts))
        return real(counts, zone)

    assert plots._figure(weekly, weeks(1, 2), ZONE) is plots._figure(weekly, weeks(1, 2), ZONE)
    assert made == [2]


def sent(figure: Any) -> Any:
    """What the browser gets of a figure."""
    return json.loads(plotly.io.to_json(figure.to_dict(), validate=False))


@pytest.mark.parametrize(
    ("counts", "zone"), [(weeks(1, 3), ZONE), (weeks(1, 2, 0), ZONE), (weeks(1, 2), ZoneInfo("Asia/Tokyo"))]
)
def test_whatever_differs_is_another_figure(counts: pd.DataFrame, zone: ZoneInfo) -> None:
    assert sent(plots._figure(charts.weekly, counts, zone)) != sent(plots._figure(charts.weekly, weeks(1, 2), ZONE))


def test_other_words_among_thousands_of_rows_are_another_figure() -> None:
    """A sample of the rows would not do to tell frames apart."""
    rows = pd.DataFrame({"name": ["Grammar"] * 30_000, "latest": 6.0, "median": 6.0})
    other = rows.copy()
    other.loc[29_999, "latest"] = 7.0
    assert plots._figure(charts.profile, rows, "writing") is not plots._figure(charts.profile, other, "writing")


def test_a_kept_figure_is_what_plotly_makes() -> None:
    once = sent(plots._figure(charts.weekly, weeks(1, 2), ZONE))
    assert once == sent(charts.weekly(weeks(1, 2), ZONE))
    assert len(once["data"]) == 1


def test_no_more_figures_are_kept_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "_MOST", 3)
    first = plots._figure(charts.weekly, weeks(0), ZONE)
    for count in range(1, 3):
        plots._figure(charts.weekly, weeks(count), ZONE)
    assert plots._figure(charts.weekly, weeks(0), ZONE) is first
    plots._figure(charts.weekly, weeks(3), ZONE)
    assert len(plots._made) == 3
    # What nobody asked for longest is the one that went.
    assert plots._figure(charts.weekly, weeks(0), ZONE) is first
