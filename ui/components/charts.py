"""Frames in, Plotly figures out. One palette, one axis for bands, local times. Text of others is escaped.

A figure is what Plotly's JSON has: dicts, lists, texts and numbers. Plotly's own classes check each property as it is
set, which took half of the time of a student's page; `tests/unit/test_plots.py` lets them check what is made here.
"""

import html
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis import tasks
from analysis.bands import band_range, nearest_half
from analysis.levels.progress import WINDOW
from data.schema import OVERALL
from wording import foreign_text, formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES

_QUIET = "#767676"
_DASHES = ("dot", "dash", "dashdot", "longdash")
_SYMBOLS = ("diamond-open", "square-open", "triangle-up-open", "x-thin-open")

_SHORTEST = pd.Timedelta(days=14)
# Plotly would write a day as Nov 20; everywhere else here it is 20 Nov.
_DAYS_AND_MONTHS = [
    {"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"},
    {"dtickrange": ["M1", None], "value": "%b %Y"},
]
_LONGEST = 50  # characters of others' words in a figure
_IS_NEW = " is new"
_PAUSE = pd.Timedelta(days=35)
_MOST_MODELS = 10  # the latest, of what a record may name anew each time
_SETTLING = pd.Timedelta(days=1)
_TICKS = 8
_FEW_WEEKS, _NARROW = 8, 320
_WEEK = pd.Timedelta(days=7)
_FEW = 8  # counted on one bar: each has its tick
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Figure: TypeAlias = dict[str, Any]
"""Its traces as `data`, and its `layout`."""
Part: TypeAlias = dict[str, Any]
"""A trace, an axis, a shape or an annotation."""

CONFIG = {"displayModeBar": False, "scrollZoom": False}


class Finished(go.Figure):  # type: ignore[misc] # Plotly has no types
    """A figure that nobody changes any more: Streamlit asks for it as a dict each time, and gets the same one."""

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        # Streamlit's, by which the browser gives the figure the colours of the page.
        template = super().to_dict()["layout"]["template"]
        self._finished: Figure = figure | {"layout": figure["layout"] | {"template": template}}

    def to_dict(self) -> Figure:
        """The same one each time."""
        return self._finished


def band_trend(
    evaluations: pd.DataFrame,
    levels: pd.DataFrame,
    skill: str,
    *,
    zone: ZoneInfo,
    target: float,
    bands: tuple[float, float],
    span: tuple[datetime, datetime] | None,
) -> Figure:
    """Bands of one skill over time: attempts as points, the level as a line in its soft margin, the target.

    `evaluations` are completed ones of `skill`; those without a time or a band are left out by the caller. Points carry
    [evaluation_id, user_id] as customdata. A small tick stands where a model judged for the first time. `bands` and
    `span` are the ranges of the axes, the same for charts that are compared.
    """
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    stretches = _stretches(levels, zone)
    attempts = {
        "type": "scatter",
        "x": _texts(_local(timed["created_at"], zone)),
        "y": timed[OVERALL].tolist(),
        "name": "Attempt",
        "mode": "markers",
        "marker": {
            "color": SKILL_COLOURS[skill],
            "size": 9,
            "opacity": 0.6,
            "line": {"width": 1, "color": "#ffffff"},
        },
        "cliponaxis": False,
        "customdata": timed[["evaluation_id", "user_id"]].to_numpy().tolist(),
        "hovertemplate": "%{y:.1f}<br>%{x|%-d %b %Y, %H:%M}<extra></extra>",
    }
    shapes, notes = [], _newest_level(stretches)
    if not math.isnan(target):
        across = {"x0": 0, "x1": 1, "xref": "x domain", "y0": target, "y1": target, "yref": "y"}
        shapes.append({"type": "line", "line": {"color": _QUIET, "width": 2, "dash": "dot"}, **across})
        left = {"x": 0, "xref": "x domain", "xanchor": "left", "y": target, "yref": "y", "yanchor": "bottom"}
        notes.append({"text": f"target {formats.band(target)}", "font": {"size": 12}, "showarrow": False, **left})
    for when, _ in new_models(timed)[-_MOST_MODELS:]:
        mark, words = _mark(when, "new model", zone, size=11)
        # A small tick on the upper edge.
        shapes.append(mark | {"y0": 0.95, "line": {"color": _QUIET, "width": 2}})
        notes.append(words)
    layout = {
        **_framed(bands, height=300),
        "xaxis": _dates(span, zone),
        "margin": {"l": 10, "r": 64, "t": 24, "b": 30},
        "showlegend": False,
        "shapes": shapes,
        "annotations": notes,
    }
    return {"data": [*_levels(stretches, skill), attempts], "layout": layout}


def new_models(timed: pd.DataFrame) -> list[tuple[datetime, str]]:
    """When each model judged for the first time after the first day, oldest first. `timed` is oldest first."""
    named = timed[timed["model_used"].notna()]
    named = named.assign(model=named["model_used"].map(tasks.without_task)).drop_duplicates("model")
    if named.empty:
        return []
    later = named[named["created_at"] > timed["created_at"].iloc[0] + _SETTLING]
    return [(when.to_pydatetime(), str(model)) for when, model in zip(later["created_at"], later["model"], strict=True)]


def criteria_over_time(
    evaluations: pd.DataFrame,
    levels: Mapping[str, pd.DataFrame],
    skill: str,
    names: Mapping[str, str],
    *,
    zone: ZoneInfo,
    bands: tuple[float, float],
    span: tuple[datetime, datetime] | None,
) -> Figure:
    """A small chart per criterion of `names`, on the same axes: attempts as points, levels (time, level) as a line."""
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    rows = -(-len(names) // 2)
    layout: Part = {
        "height": 190 * rows,
        "margin": {"l": 10, "r": 10, "t": 30, "b": 20},
        "showlegend": False,
        "dragmode": False,
        "annotations": [],
    }
    traces: list[Part] = []
    for n, (criterion, name) in enumerate(names.items()):
        x, y = _place(n, rows)
        number = str(n + 1) if n else ""
        layout[f"xaxis{number}"] = {
            **_dates(span, zone),
            "domain": x,
            "anchor": f"y{number}",
            "showticklabels": n + 2 >= len(names),
            "nticks": 4,
        }
        layout[f"yaxis{number}"] = _bands(bands, 1) | {
            "domain": y,
            "anchor": f"x{number}",
            "showticklabels": n % 2 == 0,
        }
        above = {"x": sum(x) / 2, "xref": "paper", "xanchor": "center", "y": y[1], "yref": "paper", "yanchor": "bottom"}
        layout["annotations"].append({"text": name, "font": {"size": 12}, "showarrow": False, **above})
        axes = {"type": "scatter", "xaxis": f"x{number}", "yaxis": f"y{number}"}
        scored = timed[timed[criterion].notna()]
        traces.append(
            axes
            | {
                "x": _texts(_local(scored["created_at"], zone)),
                "y": scored[criterion].tolist(),
                "mode": "markers",
                "marker": {"color": SKILL_COLOURS[skill], "size": 6, "opacity": 0.5},
                "cliponaxis": False,
                "hovertemplate": f"{_literal(name)} %{{y:.1f}}<br>%{{x|%-d %b %Y, %H:%M}}<extra></extra>",
            }
        )
        traces += [axes | _level(stretch, skill, width=2) for stretch in _stretches(levels[criterion], zone)]
    return {"data": traces, "layout": layout}


def _place(n: int, rows: int) -> tuple[list[float], list[float]]:
    """Where the nth of small charts stands in two columns: from where to where, of the whole width and height."""
    row, column = divmod(n, 2)
    width, between = 0.47, 0.06
    gap = 0.32 / rows
    height = (1 - gap * (rows - 1)) / rows
    left, bottom = column * (width + between), (rows - 1 - row) * (height + gap)
    return [left, left + width], [bottom, bottom + height]


def level_counts(levels: Mapping[str, Sequence[float]]) -> Figure:
    """How many students are at which level, to the nearest half band, per skill. NaN are left out."""
    rounded = {skill: [nearest_half(v) for v in values if not math.isnan(v)] for skill, values in levels.items()}
    every = [band for values in rounded.values() for band in values]
    low, high = (min(every), max(every)) if every else (4.0, 7.0)
    ticks = [low + n / 2 for n in range(round(2 * (high - low)) + 1)]
    bars = [
        {
            "type": "bar",
            "x": [formats.band(tick) for tick in ticks],
            "y": [values.count(tick) for tick in ticks],
            "name": SKILL_NAMES[skill],
            "marker": {"color": SKILL_COLOURS[skill]},
            "hovertemplate": f"%{{y}} at %{{x}} in {SKILL_NAMES[skill]}<extra></extra>",
        }
        for skill, values in rounded.items()
    ]
    layout = _bars(bars, "Students")
    layout["xaxis"] = {"title": {"text": "Level (band)"}, "type": "category", "fixedrange": True}
    return {"data": bars, "layout": layout}


def weekly(counts: pd.DataFrame) -> Figure:
    """Evaluations per week and skill, stacked. `counts` has start (a Monday, local) and a column per skill shown."""
    bars = [
        {
            "type": "bar",
            "x": _texts(counts["start"]),
            "y": counts[skill].tolist(),
            "name": name,
            "marker": {"color": SKILL_COLOURS[skill]},
            "width": 0.8 * _WEEK / pd.Timedelta(milliseconds=1),  # Plotly cannot tell it from a single week
            "hovertemplate": f"%{{y}} {name}, week of %{{x|%-d %b %Y}}<extra></extra>",
        }
        for skill, name in SKILL_NAMES.items()
        if skill in counts
    ]
    # Plotly's own ticks stand on Sundays.
    every = math.ceil(len(counts) / _TICKS)
    last = counts["start"].iloc[-1]
    first = min(counts["start"].iloc[0], last - (_FEW_WEEKS - 1) * _WEEK)
    layout = _bars(bars, "Evaluations") | {"barmode": "stack", "showlegend": True}
    layout["legend"]["traceorder"] = "normal"
    layout["xaxis"] = {
        "title": {"text": "Week, from Monday"},
        "type": "date",
        "range": [_text(first - _WEEK / 2), _text(last + _WEEK / 2)],
        "fixedrange": True,
        "tickvals": _texts(counts["start"].iloc[::-every]),
        "tickformat": "%-d %b",
    }
    return {"data": bars, "layout": layout}


def calendar(days: pd.DataFrame) -> Figure:
    """Attempts per day: a column per week, a row per weekday. `days` has day (local date) and attempts (int)."""
    weekday = days["day"].dt.day_of_week
    mondays = days["day"] - pd.to_timedelta(weekday, unit="D")
    grid = days.assign(week=mondays, weekday=weekday).pivot(index="weekday", columns="week", values="attempts")
    # All seven rows, and so many weeks that a day is no wider than it is high.
    weeks = pd.date_range(end=mondays.max(), periods=max(_FEW_WEEKS, len(grid.columns)), freq=_WEEK)
    grid = grid.reindex(index=range(7), columns=weeks)
    cells = {
        "type": "heatmap",
        "z": grid.where(grid > 0).to_numpy().tolist(),
        "x": _texts(weeks.to_series()),
        "y": list(_WEEKDAYS),
        "customdata": [[formats.full_date(day) for day in weeks + pd.Timedelta(days=row)] for row in grid.index],
        "colorscale": [[0, "#9dc3dc"], [1, "#00456b"]],
        "zmin": 1,
        "zmax": max(4, int(days["attempts"].max())),
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        "hovertemplate": "%{z} on %{customdata}<extra></extra>",
        "hoverongaps": False,
    }
    is_short = len(weeks) <= _FEW_WEEKS
    layout = {
        "height": 210,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 30},
        "dragmode": False,
        **({"width": _NARROW} if is_short else {}),  # stretched, a day would look like a week
        "yaxis": {"autorange": "reversed", "fixedrange": True, "showgrid": False},
        "xaxis": {
            "title": {"text": "Week, from Monday"},
            "type": "date",
            "fixedrange": True,
            "showgrid": False,
            "tickvals": _texts(weeks[:: -math.ceil(len(weeks) / (4 if is_short else _TICKS))].to_series()),
            "tickformat": "%-d %b",
        },
    }
    return {"data": [cells], "layout": layout}


def profile(criteria: pd.DataFrame, skill: str) -> Figure:
    """Each criterion's latest band as a bar, with the median of all attempts as a mark.

    `criteria` has the columns name, latest, median.
    """
    rows = criteria.iloc[::-1]
    bars = {
        "type": "bar",
        "x": rows["latest"].tolist(),
        "y": rows["name"].tolist(),
        "orientation": "h",
        "marker": {"color": SKILL_COLOURS[skill]},
        "text": [formats.band(value) for value in rows["latest"]],
        "textposition": "inside",
        "insidetextanchor": "start",
        "name": "latest",
        "hovertemplate": "%{y}: latest %{x}<extra></extra>",
    }
    marks = {
        "type": "scatter",
        "x": rows["median"].tolist(),
        "y": rows["name"].tolist(),
        "mode": "markers",
        "marker": {"symbol": "line-ns-open", "size": 22, "line": {"width": 3}, "color": _QUIET},
        "name": "Median in this period",
        "hovertemplate": "%{y}: median %{x}<extra></extra>",
    }
    layout = {
        "height": 270,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 40},
        "legend": {"orientation": "h", "y": -0.35, "yanchor": "top", "x": 0},
        "bargap": 0.35,
        "xaxis": {"range": [0, 9], "dtick": 1, "title": {"text": "Band"}, "fixedrange": True},
        "yaxis": {"automargin": True, "fixedrange": True},
    }
    return {"data": [bars, marks], "layout": layout}


# Nothing of the skills' colours: completed is quiet, failed is the red of every failure, unfinished is grey.
_JOBS = {"completed": "#8fb3c9", "failed": "#d1453b", "abandoned": "#c9b458", "unfinished": "#8a8f98"}


def job_bars(counts: pd.DataFrame, zone: ZoneInfo, codes: Sequence[str] = (), chosen: str = "") -> Figure:
    """Jobs per hour or day, stacked; zeros stay. `counts` has start, completed, failed, abandoned, unfinished.

    `codes` is what each bar carries for whoever selects it; where one is `chosen`, the others are faint.
    """
    is_hourly = _is_hourly(counts)
    local = counts["start"].dt.tz_convert(zone)
    # Plotly's axis knows no zones. Where clocks change, hours stay apart and their labels say what the clock does.
    offset = local.iloc[0].utcoffset() if is_hourly else None
    places = _texts(
        local.dt.tz_localize(None).dt.normalize() if offset is None else (counts["start"] + offset).dt.tz_localize(None)
    )
    labels = [
        f"{formats.full_date(start)}, {start:%H:%M}" if is_hourly else formats.full_date(start) for start in local
    ]
    bars = [
        {
            "type": "bar",
            "x": places,
            "y": counts[name].tolist(),
            "name": name,
            "marker": {"color": colour, "opacity": [0.35 if chosen and code != chosen else 1 for code in codes] or 1},
            **({"customdata": list(codes)} if codes else {}),
            "hovertext": labels,
            "hovertemplate": f"%{{y}} {name}<br>%{{hovertext}}<extra></extra>",
        }
        for name, colour in _JOBS.items()
        if name != "abandoned" or counts[name].any()
    ]
    axis: Part = {"fixedrange": True, "type": "date", "tickformat": "%-d %b\n%H:%M" if is_hourly else "%-d %b"}
    if is_hourly and any(start.utcoffset() != offset for start in local):
        every = next(step for step in (1, 3, 6) if len(local) <= step * _TICKS or step == 6)
        ticks = [(place, start) for place, start in zip(places, local, strict=True) if start.hour % every == 0]
        axis |= {
            "tickvals": [place for place, _ in ticks],
            "ticktext": [f"{start:%H:%M}<br>{start.day} {start:%b}" for _, start in ticks],
        }
    layout = _bars(bars, "Jobs") | {"barmode": "stack", "height": 220, "clickmode": "event+select", "xaxis": axis}
    return {"data": bars, "layout": layout}


def _is_hourly(counts: pd.DataFrame) -> bool:
    # A day may have 23 hours.
    return len(counts) > 1 and counts["start"].iloc[1] - counts["start"].iloc[0] <= pd.Timedelta(hours=1)


def model_bands(
    over_time: pd.DataFrame, takeovers: Sequence[tuple[datetime, str]], skill: str, zone: ZoneInfo
) -> Figure:
    """The median band of each model per day or week, and a mark at each takeover that says which model is new.

    `over_time` has the columns start (local, without a zone), model, median, scored; `takeovers` are (when, model).
    """
    lines: list[Part] = []
    by_model = list(over_time.sort_values("start").groupby("model", sort=True))
    names = foreign_text.numbered(_literal(str(model)) for model, _ in by_model)
    for n, ((_, bands), name) in enumerate(zip(by_model, names, strict=True)):
        # A line across months without the model would claim bands that nobody got: a point without a band breaks it.
        pauses = bands[bands["start"].diff() > _PAUSE].assign(median=math.nan, scored=0)
        rows = pd.concat([pauses.assign(start=pauses["start"] - _PAUSE / 2), bands]).sort_values("start")
        lines.append(
            {
                "type": "scatter",
                "x": _texts(rows["start"]),
                "y": rows["median"].tolist(),
                "name": name,
                "mode": "lines+markers",
                "line": {"color": SKILL_COLOURS[skill], "width": 1, "dash": ("solid", *_DASHES)[n % 5]},
                "marker": {"symbol": ("circle", *_SYMBOLS)[n % 5], "size": 8},
                "customdata": rows[["scored"]].to_numpy().tolist(),
                # Not the name itself: in a template, “%{…}” in it would be filled in.
                "text": [name] * len(rows),
                "hovertemplate": "%{text}<br>median %{y} of %{customdata[0]}<br>%{x|%-d %b %Y}<extra></extra>",
                "showlegend": True,
            }
        )
    # The end of what is said must stay, so what is cut is the name.
    marks = [
        _mark(when, f"{_literal(name, _LONGEST - len(_IS_NEW))}{_IS_NEW}", zone, size=12) for when, name in takeovers
    ]
    layout = _framed(band_range(over_time["median"]), height=320) | {"xaxis": _dates()}
    layout["yaxis"]["title"] = {"text": "Median band"}
    layout["margin"]["t"] = 30 if marks else 10
    layout |= {"shapes": [mark for mark, _ in marks], "annotations": [words for _, words in marks]}
    return {"data": lines, "layout": layout}


def _local(times: pd.Series, zone: ZoneInfo) -> pd.Series:
    local: pd.Series = times.dt.tz_convert(zone.key).dt.tz_localize(None)
    return local


def _texts(times: pd.Series) -> list[str]:
    """Local times as Plotly takes them, to the millisecond, which is what it can tell apart."""
    texts: list[str] = times.to_numpy(dtype="datetime64[ms]").astype(str).tolist()
    return texts


def _text(time: datetime) -> str:
    return _texts(pd.Series([time]))[0]


def _levels(stretches: Sequence[pd.DataFrame], skill: str) -> list[Part]:
    """The level as a line in a soft band for its margin.

    A level of one day has no line: its margin is an upright bar.
    """
    soft = f"rgba{(*bytes.fromhex(SKILL_COLOURS[skill][1:]), 0.15)}"
    traces: list[Part] = []
    for stretch in stretches:
        times = _texts(stretch["time"])
        margin = {
            "type": "scatter",
            "x": [*times, *times[::-1]],
            "y": [*stretch["high"], *stretch["low"][::-1]],
            "name": "Margin",
            "mode": "lines",
            "line": {"width": 0 if len(stretch) > 1 else 8, "color": soft},
            "fill": "toself",
            "fillcolor": soft,
            "hoverinfo": "skip",
        }
        traces += [margin, _level(stretch, skill, width=3) | {"name": "Level"}]
    return traces


def _level(stretch: pd.DataFrame, skill: str, width: int) -> Part:
    return {
        "type": "scatter",
        "x": _texts(stretch["time"]),
        "y": stretch["level"].tolist(),
        "mode": "lines",
        "line": {"color": SKILL_COLOURS[skill], "width": width},
        "hoverinfo": "skip",
    }


def _newest_level(stretches: Sequence[pd.DataFrame]) -> list[Part]:
    """The words at the end of the line; none where there is no level."""
    return [
        {
            "x": _text(last["time"]),
            "y": last["level"],
            "text": f"<b>level {formats.level(last['level'])}</b>",
            "showarrow": False,
            "xanchor": "left",
            "xshift": 8,
            "font": {"size": 12},
        }
        for last in (stretch.iloc[-1] for stretch in stretches[-1:])
    ]


def _stretches(levels: pd.DataFrame, zone: ZoneInfo) -> list[pd.DataFrame]:
    """The levels at the end of each local day with an attempt; parted where a level owes nothing to the one before.

    `levels` are oldest first.
    """
    local = levels.assign(time=_local(levels["time"], zone))
    days = local["time"].to_numpy(dtype="datetime64[D]")
    ends = local[np.append(days[1:] != days[:-1], True)[: len(days)]]
    pauses = np.flatnonzero(np.diff(ends["time"].to_numpy()) > np.timedelta64(WINDOW)) + 1
    return [ends.iloc[first:last] for first, last in pairwise([0, *pauses, len(ends)]) if first < last]


def _literal(text: str, longest: int = _LONGEST) -> str:
    """Text of others for a figure, as Plotly shows it letter for letter; no longer than there is room for."""
    line = foreign_text.visible(" ".join(text[:200].split()))
    # Plotly knows no entity for a quotation mark.
    return html.escape(line if len(line) <= longest else f"{line[: longest - 1]}…", quote=False)


def _mark(when: datetime, words: str, zone: ZoneInfo, size: int) -> tuple[Part, Part]:
    """An upright line at a time, and words above it, as Plotly takes them."""
    at = _text(when.astimezone(zone).replace(tzinfo=None))
    line = {"color": _QUIET, "width": 2, "dash": "dash"}
    above = {"x": at, "y": 1, "yref": "paper", "yanchor": "bottom"}
    return (
        {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line},
        {"text": words, "font": {"size": size}, "showarrow": False, **above},
    )


def _bars(bars: Sequence[Part], counted: str) -> Part:
    """The layout of bars, all of which are counts of `counted`."""
    heights: Counter[str] = Counter()
    for bar in bars:
        heights.update(dict(zip(bar["x"], bar["y"], strict=True)))
    most = max(heights.values(), default=0)
    # Of few, Plotly would write halves.
    whole = {"dtick": 1, "range": [0, max(4, most * 1.05)]} if most <= _FEW else {"rangemode": "tozero"}
    return {
        "height": 280,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 40},
        "legend": {"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0},
        "dragmode": False,
        "yaxis": {"title": {"text": counted}, "fixedrange": True, **whole},
    }


def _framed(bands: tuple[float, float], *, height: int) -> Part:
    """The layout of a chart of bands over time."""
    return {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 40},
        "legend": {"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
        "hovermode": "closest",
        "dragmode": False,
        "clickmode": "event+select",
        "yaxis": _bands(bands, 0.5) | {"title": {"text": "Band"}, "showgrid": True},
    }


def _bands(bands: tuple[float, float], every: float) -> Part:
    """An axis of bands."""
    return {"range": list(bands), "dtick": every, "tickformat": ".1f", "fixedrange": True}


def _dates(span: tuple[datetime, datetime] | None = None, zone: ZoneInfo | None = None) -> Part:
    """An axis of local times, over `span`, or over what is there.

    It is of two weeks at least: around one attempt, Plotly would show microseconds.
    """
    axis: Part = {"fixedrange": True, "type": "date", "tickformatstops": _DAYS_AND_MONTHS}
    if span is not None:
        first, last = (pd.Timestamp(time).tz_convert(zone).tz_localize(None) for time in span)
        around = max((last - first) * 0.05, (_SHORTEST - (last - first)) / 2)
        axis["range"] = [_text(first - around), _text(last + around)]
    return axis
