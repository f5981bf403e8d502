"""Figures are made once for what goes into them, and never mixed up."""

import inspect
import json
import math
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


def sent(figure: Figure) -> Any:
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
    assert once == sent(Figure(charts.weekly(weeks(1, 2))))
    assert len(once["data"]) == 1
    # By these the browser gives it the colours of the page, light or dark.
    assert once["layout"]["template"]["layout"]


def test_no_more_figures_are_kept_than_said() -> None:
    def empty(number: int) -> charts.Figure:
        del number
        return {"data": [], "layout": {}}

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
    made = charts.criteria_over_time(
        evaluations, levels, "writing", names, zone=ZoneInfo("UTC"), bands=(4.0, 8.0), span=None
    )
    figure = Figure(made)
    assert [note.text for note in figure.layout.annotations] == list(names.values())
    assert figure.layout.height == 190 * rows
    assert {trace.yaxis for trace in figure.data} <= {f"y{n or ''}" for n in [0, *range(2, criteria + 1)]}
    places = [
        (figure.layout[f"xaxis{n or ''}"].domain, figure.layout[f"yaxis{n or ''}"].domain)
        for n in [0, *range(2, criteria + 1)]
    ]
    assert len(set(places)) == criteria
    assert all(0 <= low < high <= 1 for place in places for low, high in place)


TIMES = pd.to_datetime(["2026-03-01", "2026-03-02", "2026-09-01"], utc=True)
ATTEMPTS = pd.DataFrame(
    {
        **{"created_at": TIMES, "evaluation_id": ["a", "b", "c"], "user_id": "u", "model_used": ["m", "m", "n"]},
        **{"overall_band": [5.0, 6.0, math.nan], "lexical_band": [5.0, math.nan, 6.0]},
    }
)
LEVELS = pd.DataFrame({"time": TIMES, "level": [5.0, 5.5, 6.0], "low": 4.5, "high": 6.5})
JOBS = pd.DataFrame(
    {"start": pd.date_range("2026-03-28 20:00", periods=30, freq="h", tz="UTC", unit="us"), "completed": range(30)}
).assign(failed=1, abandoned=[0] * 29 + [1], unfinished=0)
MODELS = pd.DataFrame({"start": TIMES.tz_localize(None), "model": ["m", "n", "m"], "median": 6.0, "scored": [1, 2, 3]})
AXES: dict[str, Any] = {"zone": ZoneInfo("Europe/Berlin"), "bands": (4.0, 8.0), "span": (TIMES[0], TIMES[-1])}
MADE = {
    "band_trend": lambda: charts.band_trend(ATTEMPTS, LEVELS, "writing", target=6.5, **AXES),
    "criteria_over_time": lambda: charts.criteria_over_time(
        ATTEMPTS, {"lexical_band": LEVELS}, "writing", {"lexical_band": "Lexical"}, **AXES
    ),
    "level_counts": lambda: charts.level_counts({"writing": [5.1, 6.2, math.nan], "speaking": []}),
    "weekly": lambda: charts.weekly(weeks(*range(20))),
    "calendar": lambda: charts.calendar(pd.DataFrame({"day": TIMES.tz_localize(None), "attempts": [1, 0, 2]})),
    "profile": lambda: charts.profile(
        pd.DataFrame({"name": ["a", "b"], "latest": [5.0, math.nan], "median": [5.0, 6.0]}), "writing"
    ),
    "job_bars": lambda: charts.job_bars(JOBS, ZoneInfo("Europe/Berlin"), [f"{n}" for n in range(30)], "3"),
    "model_bands": lambda: charts.model_bands(MODELS, [(TIMES[1].to_pydatetime(), "new")], "writing", ZoneInfo("UTC")),
}


def test_plotly_knows_every_property_of_every_figure() -> None:
    """Figures are made without Plotly's classes, which would check each of them on every page."""
    functions = {
        name
        for name, made in vars(charts).items()
        if inspect.isfunction(made) and not name.startswith("_") and made.__module__ == charts.__name__
    }
    assert functions == {*MADE, "new_models"}
    for name, make in MADE.items():
        figure = make()
        assert Figure(figure).data, name
        # As JSON has it: what is sent is what was made, letter for letter.
        assert json.loads(plotly.io.to_json(figure, validate=False)) == json.loads(json.dumps(_without_nan(figure))), (
            name
        )


def _without_nan(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_nan(value) for name, value in part.items()}
    if isinstance(part, (list, tuple)):
        return [_without_nan(value) for value in part]
    return None if isinstance(part, float) and math.isnan(part) else part


def test_models_whose_names_begin_alike_are_told_apart() -> None:
    rows = MODELS.assign(model=[f"{'m' * 60}{n}" for n in range(3)])
    figure = charts.model_bands(rows, [], "writing", ZoneInfo("UTC"))
    assert len({line["name"] for line in figure["data"]}) == 3


@pytest.mark.parametrize(
    ("model", "mark"),
    [
        ("gemini-2.5-pro", "gemini-2.5-pro is new"),
        ("m" * 43, f"{'m' * 43} is new"),
        ("m" * 44, f"{'m' * 42}… is new"),
        ("m" * 900, f"{'m' * 42}… is new"),
        ('the "new" <b>&', 'the "new" &lt;b&gt;&amp; is new'),
    ],
)
def test_the_mark_of_a_new_model_says_that_it_is_new_however_long_its_name(model: str, mark: str) -> None:
    figure = charts.model_bands(MODELS, [(TIMES[1].to_pydatetime(), model)], "writing", ZoneInfo("UTC"))
    assert [words["text"] for words in figure["layout"]["annotations"]] == [mark]
