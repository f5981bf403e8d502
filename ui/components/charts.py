"""Frames in, Plotly figures out. One palette, one axis for bands, local times. Text of others is escaped."""

import html
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis import progress
from analysis.bands import band_range, nearest_half
from analysis.progress import Trend
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from wording import foreign_text, formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES

_TINTS = {WRITING: "rgba(0,114,178,0.15)", SPEAKING: "rgba(213,94,0,0.15)"}
_QUIET = "#767676"
_DASHES = ("dot", "dash", "dashdot", "longdash")
_SYMBOLS = ("diamond-open", "square-open", "triangle-up-open", "x-thin-open")

_SHORTEST = pd.Timedelta(days=14)
_LONGEST = 50  # characters of others' words in a figure
_PAUSE = pd.Timedelta(days=35)
_SETTLING = pd.Timedelta(days=1)
_LINES, _LINE = 3, 15  # lines for the names of models, which may stand close to each other; pixels of each
_NEAR = 0.3  # of the axis
_TICKS = 8
_FEW_WEEKS, _NARROW = 8, 320
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

CONFIG = {"displayModeBar": False, "scrollZoom": False}


class Finished(go.Figure):  # type: ignore[misc] # Plotly has no types
    """A figure that nobody changes any more: Streamlit asks for it as a dict each time, and gets the same one."""

    def __init__(self, figure: go.Figure) -> None:
        super().__init__()
        self._finished: dict[str, Any] = figure.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """The same one each time."""
        return self._finished


def band_trend(
    evaluations: pd.DataFrame, skill: str, *, zone: ZoneInfo, trend: Trend | None = None, target: float = math.nan
) -> go.Figure:
    """Bands of one skill over time: attempts as points, the level as a line, the trend's interval, the target.

    `evaluations` are completed ones of `skill`; those without a time or a band are left out by the caller. Points carry
    [evaluation_id, user_id] as customdata. A thin upright line stands where a model judged for the first time.
    """
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    times = _local(timed["created_at"], zone)
    figure = go.Figure()
    if trend is not None and trend.when is not None:
        _interval(figure, trend, timed["created_at"], skill, zone)
    levels = progress.levels(timed[OVERALL].to_numpy())
    figure.add_scatter(
        x=times,
        y=levels,
        name="level (median of three)",
        mode="lines",
        line={"color": SKILL_COLOURS[skill], "width": 3, "shape": "hv"},
        hoverinfo="skip",
    )
    models = timed["model_used"].map(lambda model: _literal(model or "model unknown"))
    figure.add_scatter(
        x=times,
        y=timed[OVERALL],
        name="one attempt",
        mode="markers",
        marker={"color": SKILL_COLOURS[skill], "size": 9, "opacity": 0.6, "line": {"width": 1, "color": "#ffffff"}},
        customdata=timed[["evaluation_id", "user_id"]].to_numpy(),
        text=models,
        hovertemplate="%{y}<br>%{x|%-d %b %Y, %H:%M}<br>%{text}<extra></extra>",
    )
    shown = [timed[OVERALL]]
    if not math.isnan(target):
        shown.append(pd.Series([target]))
        figure.add_hline(
            y=target,
            line={"color": _QUIET, "width": 2, "dash": "dot"},
            annotation={"text": f"target {formats.band(target)}", "font": {"size": 12}},
            annotation_position="top left",
        )
    for n, (when, model) in enumerate(new_models(timed)):
        at = when.astimezone(zone).replace(tzinfo=None)
        _mark(figure, at, _literal(model, 29), line=n % _LINES, among=times)
    figure.update_xaxes(range=_time_range(times))
    return _framed(figure, pd.concat(shown), f"Time ({zone.key})", height=340)


def new_models(timed: pd.DataFrame) -> list[tuple[datetime, str]]:
    """When each model judged for the first time after the first day, oldest first. `timed` is oldest first."""
    named = timed[timed["model_used"].notna()].drop_duplicates("model_used")
    if named.empty:
        return []
    later = named[named["created_at"] > timed["created_at"].iloc[0] + _SETTLING]
    return [
        (when.to_pydatetime(), str(model)) for when, model in zip(later["created_at"], later["model_used"], strict=True)
    ]


def criteria_over_time(evaluations: pd.DataFrame, skill: str, *, zone: ZoneInfo) -> go.Figure:
    """A small chart per criterion, all with the same axes: attempts as points, the level as a line."""
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    names = CRITERIA[skill]
    figure = make_subplots(
        rows=2,
        cols=2,
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=list(names.values()),
        vertical_spacing=0.16,
        horizontal_spacing=0.06,
    )
    for n, (criterion, name) in enumerate(names.items()):
        known = timed[timed[criterion].notna()]
        place = {"row": n // 2 + 1, "col": n % 2 + 1}
        times = _local(known["created_at"], zone)
        figure.add_scatter(
            x=times,
            y=known[criterion],
            mode="markers",
            marker={"color": SKILL_COLOURS[skill], "size": 6, "opacity": 0.5},
            hovertemplate=f"{html.escape(name)} %{{y}}<br>%{{x|%-d %b %Y, %H:%M}}<extra></extra>",
            **place,
        )
        figure.add_scatter(
            x=times,
            y=progress.levels(known[criterion].to_numpy()),
            mode="lines",
            line={"color": SKILL_COLOURS[skill], "width": 2, "shape": "hv"},
            hoverinfo="skip",
            **place,
        )
    low, high = band_range(pd.concat([timed[criterion] for criterion in names]))
    figure.update_layout(height=380, margin={"l": 10, "r": 10, "t": 30, "b": 20}, showlegend=False, dragmode=False)
    figure.update_annotations(font={"size": 12})
    figure.update_yaxes(range=[low, high], dtick=1, tickformat=".1f", fixedrange=True)
    figure.update_xaxes(fixedrange=True, type="date", nticks=4, range=_time_range(_local(timed["created_at"], zone)))
    return figure


def level_counts(levels: Mapping[str, Sequence[float]]) -> go.Figure:
    """How many students are at which level, to the nearest half band, per skill. NaN are left out."""
    figure = go.Figure()
    known = {skill: [nearest_half(v) for v in values if not math.isnan(v)] for skill, values in levels.items()}
    every = [band for values in known.values() for band in values]
    low, high = (min(every), max(every)) if every else (4.0, 7.0)
    ticks = [low + n / 2 for n in range(round(2 * (high - low)) + 1)]
    for skill, values in known.items():
        figure.add_bar(
            x=[formats.band(tick) for tick in ticks],
            y=[values.count(tick) for tick in ticks],
            name=SKILL_NAMES[skill],
            marker={"color": SKILL_COLOURS[skill]},
            hovertemplate=f"%{{y}} at %{{x}} in {SKILL_NAMES[skill]}<extra></extra>",
        )
    figure.update_xaxes(title="Level (band)", type="category", fixedrange=True)
    return _bars(figure, "Students")


def weekly(counts: pd.DataFrame, zone: ZoneInfo) -> go.Figure:
    """Evaluations per week and skill, stacked. `counts` has start (a Monday, local) and a column per skill shown."""
    figure = go.Figure()
    for skill, name in SKILL_NAMES.items():
        if skill not in counts:
            continue
        figure.add_bar(
            x=counts["start"],
            y=counts[skill],
            name=name,
            marker={"color": SKILL_COLOURS[skill]},
            hovertemplate=f"%{{y}} {name}, week of %{{x|%-d %b %Y}}<extra></extra>",
        )
    # Plotly's own ticks stand on Sundays.
    every = math.ceil(len(counts) / _TICKS)
    figure.update_xaxes(
        title=f"Week, from Monday ({zone.key})",
        type="date",
        fixedrange=True,
        tickvals=counts["start"].iloc[::-every],
        tickformat="%-d %b",
    )
    framed = _bars(figure, "Evaluations")
    return framed.update_layout(barmode="stack", legend={"traceorder": "normal"}, showlegend=True)


def calendar(days: pd.DataFrame, zone: ZoneInfo) -> go.Figure:
    """Attempts per day: a column per week, a row per weekday. `days` has day (local date) and attempts (int)."""
    weekday = days["day"].dt.day_of_week
    mondays = days["day"] - pd.to_timedelta(weekday, unit="D")
    grid = days.assign(week=mondays, weekday=weekday).pivot(index="weekday", columns="week", values="attempts")
    on = [[pd.Timestamp(week) + pd.Timedelta(days=int(row)) for week in grid.columns] for row in grid.index]
    figure = go.Figure(
        go.Heatmap(
            z=grid.where(grid > 0).to_numpy(),
            x=grid.columns,
            y=[_WEEKDAYS[row] for row in grid.index],
            customdata=[[f"{day.day} {day:%b %Y}" for day in row] for row in on],
            colorscale=[[0, "#9dc3dc"], [1, "#00456b"]],
            zmin=1,
            zmax=max(4, int(days["attempts"].max())),
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{z} on %{customdata}<extra></extra>",
            hoverongaps=False,
        )
    )
    figure.update_layout(height=210, margin={"l": 10, "r": 10, "t": 10, "b": 30}, dragmode=False)
    if len(grid.columns) <= _FEW_WEEKS:  # stretched, a day would look like a week
        figure.update_layout(width=_NARROW)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(title=f"Week, from Monday ({zone.key})", type="date", fixedrange=True, showgrid=False)
    return figure


def profile(criteria: pd.DataFrame, skill: str) -> go.Figure:
    """Each criterion's latest band as a bar, with the median of all attempts as a mark.

    `criteria` has the columns name, latest, median.
    """
    rows = criteria.iloc[::-1]
    figure = go.Figure()
    figure.add_bar(
        x=rows["latest"],
        y=rows["name"],
        orientation="h",
        marker={"color": SKILL_COLOURS[skill]},
        text=[formats.band(value) for value in rows["latest"]],
        textposition="inside",
        insidetextanchor="start",
        name="latest",
        hovertemplate="%{y}: latest %{x}<extra></extra>",
    )
    figure.add_scatter(
        x=rows["median"],
        y=rows["name"],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 22, "line": {"width": 3}, "color": _QUIET},
        name="median of all shown",
        hovertemplate="%{y}: median %{x}<extra></extra>",
    )
    figure.update_layout(
        height=270,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.35, "yanchor": "top", "x": 0},
        bargap=0.35,
    )
    figure.update_xaxes(range=[0, 9], dtick=1, title="Band", fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
    return figure


# Nothing of the skills' colours: completed is quiet, failed is the red of every failure, unfinished is grey.
_JOBS = {"completed": "#8fb3c9", "failed": "#d1453b", "unfinished": "#8a8f98"}


def job_bars(counts: pd.DataFrame, zone: ZoneInfo) -> go.Figure:
    """Jobs per hour or day, stacked. `counts` has start (local), completed, failed, unfinished; zeros stay."""
    figure = go.Figure()
    for name, colour in _JOBS.items():
        figure.add_bar(
            x=counts["start"],
            y=counts[name],
            name=name,
            marker={"color": colour},
            hovertemplate=f"%{{y}} {name}<br>%{{x|%-d %b %Y, %H:%M}}<extra></extra>",
        )
    figure.update_layout(barmode="stack")
    figure.update_xaxes(title=f"Time ({zone.key})", fixedrange=True, type="date")
    return _bars(figure, "Jobs")


def model_bands(
    over_time: pd.DataFrame, takeovers: Sequence[tuple[datetime, str]], skill: str, zone: ZoneInfo
) -> go.Figure:
    """The median band of each model per day or week, and a mark with its words at each takeover.

    `over_time` has the columns start (local, without a zone), model, median, scored; `takeovers` are (when, words).
    """
    figure = go.Figure()
    for n, (model, known) in enumerate(over_time.sort_values("start").groupby("model", sort=True)):
        name = _literal(str(model))
        # A line across months without the model would claim bands that nobody got: a point without a band breaks it.
        pauses = known[known["start"].diff() > _PAUSE].assign(median=math.nan, scored=0)
        rows = pd.concat([pauses.assign(start=pauses["start"] - _PAUSE / 2), known]).sort_values("start")
        figure.add_scatter(
            x=rows["start"],
            y=rows["median"],
            name=name,
            mode="lines+markers",
            line={"color": SKILL_COLOURS[skill], "width": 1, "dash": ("solid", *_DASHES)[n % 5]},
            marker={"symbol": ("circle", *_SYMBOLS)[n % 5], "size": 8},
            customdata=rows[["scored"]].to_numpy(),
            # Not the name itself: in a template, “%{…}” in it would be filled in.
            text=[name] * len(rows),
            hovertemplate="%{text}<br>median %{y} of %{customdata[0]}<br>%{x|%-d %b %Y}<extra></extra>",
            showlegend=True,
        )
    for when, words in takeovers:
        _mark(figure, when.astimezone(zone).replace(tzinfo=None), _literal(words))
    framed = _framed(figure, over_time["median"], f"Time ({zone.key})", height=320)
    return framed.update_layout(yaxis_title="Median band")


def _local(times: pd.Series, zone: ZoneInfo) -> pd.Series:
    local: pd.Series = times.dt.tz_convert(zone.key).dt.tz_localize(None)
    return local


def _interval(figure: go.Figure, trend: Trend, times: pd.Series, skill: str, zone: ZoneInfo) -> None:
    """What the 95 % interval leaves open: the wedge between the steepest and the flattest line, and the line itself."""
    if trend.when is None:
        return
    begin, end = max(times.min(), pd.Timestamp(trend.when - progress.WINDOW)), times.max()
    middle = pd.Timestamp(trend.when)
    # Around the wedge, through its waist twice.
    corners = [(begin, trend.low), (middle, 0), (end, trend.high), (end, trend.low), (middle, 0), (begin, trend.high)]
    figure.add_scatter(
        x=[when.tz_convert(zone.key).tz_localize(None) for when, _ in corners],
        y=[trend.level + slope * ((when - middle) / progress.MONTH) for when, slope in corners],
        name="95 % interval of the trend",
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=_TINTS[skill],
        hoverinfo="skip",
    )


def _literal(said: str, longest: int = _LONGEST) -> str:
    """Text of others for a figure, as Plotly shows it letter for letter; no longer than there is room for."""
    line = foreign_text.visible(" ".join(said[:200].split()))
    return html.escape(line if len(line) <= longest else f"{line[: longest - 1]}…")


def _time_range(times: pd.Series) -> list[pd.Timestamp] | None:
    """The range of an axis for local times, at least two weeks: around one attempt, Plotly would show microseconds."""
    if times.empty:
        return None
    first, last = times.min(), times.max()
    around = max((last - first) * 0.05, (_SHORTEST - (last - first)) / 2)
    return [first - around, last + around]


def _mark(figure: go.Figure, at: datetime, words: str, *, line: int = 0, among: pd.Series | None = None) -> None:
    """An upright line with words above it, as Plotly takes them, on one of several lines.

    `among` are the times of the axis: near its ends, the words stand on the inner side, where there is room.
    """
    anchor = "center"
    if among is not None and among.max() > among.min():
        place = (pd.Timestamp(at) - among.min()) / (among.max() - among.min())
        anchor = "left" if place < _NEAR else "right" if place > 1 - _NEAR else "center"
    figure.add_shape(
        type="line", x0=at, x1=at, y0=0, y1=1, yref="paper", line={"color": _QUIET, "width": 2, "dash": "dash"}
    )
    figure.add_annotation(
        x=at,
        y=1,
        yref="paper",
        xanchor=anchor,
        yanchor="bottom",
        yshift=_LINE * line,
        text=words,
        showarrow=False,
        font={"size": 12},
    )
    figure.update_layout(margin={"t": max(30 + _LINE * line, figure.layout.margin.t or 0)})


def _bars(figure: go.Figure, counted: str) -> go.Figure:
    figure.update_layout(
        height=280,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0},
        dragmode=False,
    )
    figure.update_yaxes(title=counted, fixedrange=True, rangemode="tozero")
    return figure


def _framed(figure: go.Figure, bands: pd.Series, time_title: str, *, height: int) -> go.Figure:
    low, high = band_range(bands)
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": figure.layout.margin.t or 10, "b": 40},
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
        hovermode="closest",
        dragmode=False,
        clickmode="event+select",
    )
    figure.update_yaxes(range=[low, high], dtick=0.5, tickformat=".1f", title="Band", fixedrange=True, showgrid=True)
    figure.update_xaxes(title=time_title, fixedrange=True, type="date")
    return figure
