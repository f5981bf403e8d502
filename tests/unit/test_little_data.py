"""Charts of little data: whole numbers, dates, cells of usual width, whole dots."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from plotly.graph_objects import Figure

from analysis import practice
from data.schema import SPEAKING, WRITING
from ui.components import charts

MONDAY = pd.Timestamp("2026-03-02")
ZONE = "Asia/Ho_Chi_Minh"


def in_one_week() -> pd.DataFrame:
    """Days of a student all of whose evaluations lie in one week, as in the cases."""
    times = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in (3, 3, 5)]
    rows = pd.DataFrame({"created_at": pd.Series(times).astype("datetime64[us, UTC]")})
    return practice.days(rows, times[0], times[-1] + timedelta(hours=1), ZONE)


@pytest.mark.parametrize("days", [in_one_week(), in_one_week().iloc[:1]], ids=["a week", "a day"])
def test_a_calendar_of_one_week_has_seven_rows_dates_and_cells_of_usual_width(days: pd.DataFrame) -> None:
    figure = Figure(charts.calendar(days))
    (cells,) = figure.data
    assert list(cells.y) == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert len(cells.x) == 8
    assert set(pd.Series(pd.to_datetime(list(cells.x))).diff().dropna()) == {pd.Timedelta(days=7)}
    assert figure.layout.xaxis.tickformat == "%-d %b"
    assert {pd.Timestamp(tick).day_name() for tick in figure.layout.xaxis.tickvals} == {"Monday"}
    assert figure.layout.width


def test_a_calendar_shows_what_was_counted() -> None:
    (cells,) = Figure(charts.calendar(in_one_week())).data
    counted = pd.DataFrame(cells.z, index=list(cells.y))
    assert counted.iloc[:, -1].dropna().to_dict() == {"Tue": 2, "Thu": 1}
    assert counted.iloc[:, :-1].isna().all().all()


@pytest.mark.parametrize("numbers", [(1, 0), (2, 3), (0, 0)])
def test_few_are_counted_in_whole_numbers_and_one_week_is_no_wider_than_others(numbers: tuple[int, int]) -> None:
    counts = pd.DataFrame({"start": [MONDAY], WRITING: [numbers[0]], SPEAKING: [numbers[1]]})
    figure = Figure(charts.weekly(counts))
    assert figure.layout.yaxis.dtick == 1
    assert figure.layout.yaxis.range[1] >= sum(numbers)
    first, last = map(pd.Timestamp, figure.layout.xaxis.range)
    assert last - first == pd.Timedelta(weeks=8)
    assert first < MONDAY < last
    assert all(pd.Timedelta(milliseconds=bar.width) < pd.Timedelta(weeks=1) for bar in figure.data)


def test_many_are_counted_as_plotly_sees_fit() -> None:
    starts = [MONDAY + n * pd.Timedelta(weeks=1) for n in range(12)]
    figure = Figure(charts.weekly(pd.DataFrame({"start": starts, WRITING: range(12), SPEAKING: range(12)})))
    assert figure.layout.yaxis.dtick is None
    first, last = map(pd.Timestamp, figure.layout.xaxis.range)
    assert last - first == pd.Timedelta(weeks=12)


def test_dots_at_the_ends_of_the_axis_are_whole() -> None:
    evaluations = pd.DataFrame(
        {
            "evaluation_id": ["a", "b"],
            "user_id": "u",
            "created_at": pd.to_datetime(["2026-03-02", "2026-03-03"], utc=True),
            "overall_band": [0.0, 9.0],
            "model_used": "m",
        }
    )
    levels = pd.DataFrame({"time": evaluations["created_at"], "level": 4.0, "low": 3.0, "high": 5.0})
    span = (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC))
    made = charts.band_trend(
        evaluations, levels, WRITING, zone=ZoneInfo(ZONE), target=math.nan, bands=(-0.1, 9.1), span=span
    )
    figure = Figure(made)
    dots = next(trace for trace in figure.data if trace.mode == "markers")
    assert dots.cliponaxis is False
    # A day is written as in the calendar and everywhere else.
    assert figure.layout.xaxis.tickformatstops[0].value.startswith("%-d %b")
