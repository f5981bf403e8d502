"""Figures are made once for what goes into them, and never mixed up."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.io
import pytest
from plotly.graph_objects import Figure

from ui.components import charts, plots


@pytest.fixture(autouse=True)
def nothing_made() -> None:
    plots._figure.cache_clear()


def weeks(*counts: int) -> pd.DataFrame:
    starts = pd.date_range("2026-03-02", periods=len(counts), freq="7D")
    return pd.DataFrame({"start": starts, "writing": counts})


def test_equal_arguments_share_a_figure_that_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = charts.weekly

    def weekly(counts: pd.DataFrame) -> object:
        made.append(len(counts))
        return real(counts)

    assert plots._figure(weekly, weeks(1, 2)) is plots._figure(weekly, weeks(1, 2))
    assert made == [2]


def sent(figure: Any) -> Any:
    """What the browser gets of a figure."""
    return json.loads(plotly.io.to_json(figure.to_dict(), validate=False))


@pytest.mark.parametrize("counts", [weeks(1, 3), weeks(1, 2, 0), weeks(1, 2).rename(columns={"writing": "speaking"})])
def test_whatever_differs_is_another_figure(counts: pd.DataFrame) -> None:
    assert sent(plots._figure(charts.weekly, counts)) != sent(plots._figure(charts.weekly, weeks(1, 2)))


def test_other_words_among_thousands_of_rows_are_another_figure() -> None:
    """A sample of the rows would not do to tell frames apart."""
    rows = pd.DataFrame({"name": ["Grammar"] * 30_000, "latest": 6.0, "median": 6.0})
    other = rows.copy()
    other.loc[29_999, "latest"] = 7.0
    assert plots._figure(charts.profile, rows, "writing") is not plots._figure(charts.profile, other, "writing")


def test_a_kept_figure_is_what_plotly_makes() -> None:
    once = sent(plots._figure(charts.weekly, weeks(1, 2)))
    assert once == sent(charts.weekly(weeks(1, 2)))
    assert len(once["data"]) == 1


def test_no_more_figures_are_kept_than_said() -> None:
    def empty(number: int) -> Figure:
        del number
        return Figure()

    first = plots._figure(empty, 0)
    for number in range(1, plots._MOST):
        plots._figure(empty, number)
    assert plots._figure(empty, 0) is first
    second = plots._figure(empty, 1)
    for number in range(plots._MOST, 2 * plots._MOST - 1):
        plots._figure(empty, number)
    # What nobody asked for longest is the one that went.
    assert plots._figure(empty, 1) is second
    assert plots._figure(empty, 0) is not first


@pytest.mark.parametrize(("criteria", "rows"), [(1, 1), (2, 1), (4, 2), (5, 3), (6, 3)])
def test_a_skill_may_have_any_number_of_criteria(criteria: int, rows: int) -> None:
    names = {f"band_{n}": f"Criterion {n}" for n in range(criteria)}
    times = pd.to_datetime(["2026-03-01", "2026-03-02"], utc=True)
    evaluations = pd.DataFrame({"created_at": times, "evaluation_id": ["a", "b"], **dict.fromkeys(names, 6.0)})
    levels = dict.fromkeys(names, pd.DataFrame({"time": times, "level": [6.0, 6.0]}))
    figure = charts.criteria_over_time(
        evaluations, levels, "writing", names, zone=ZoneInfo("UTC"), bands=(4.0, 8.0), span=None
    )
    assert [note.text for note in figure.layout.annotations] == list(names.values())
    assert figure.layout.height == 190 * rows
    assert {trace.yaxis for trace in figure.data} <= {f"y{n or ''}" for n in [0, *range(2, criteria + 1)]}
