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
_PAUSE = pd.Timedelta(days=35)
_SETTLING = pd.Timedelta(days=1)
_TICKS = 8
_FEW_WEEKS, _NARROW = 8, 320
_WEEK = pd.Timedelta(days=7)
_FEW = 8  # counted on one bar: each has its tick
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
    evaluations: pd.DataFrame,
    levels: pd.DataFrame,
    skill: str,
    *,
    zone: ZoneInfo,
    target: float,
    bands: tuple[float, float],
    span: tuple[datetime, datetime] | None,
) -> go.Figure:
    """Bands of one skill over time: attempts as points, the level as a line in its soft margin, the target.

    `evaluations` are completed ones of `skill`; those without a time or a band are left out by the caller. Points carry
    [evaluation_id, user_id] as customdata. A small tick stands where a model judged for the first time. `bands` and
    `span` are the ranges of the axes, the same for charts that are compared.
    """
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    figure = go.Figure()
    _levels(figure, levels, skill, zone)
    figure.add_scatter(
        x=_local(timed["created_at"], zone),
        y=timed[OVERALL],
        name="Attempt",
        mode="markers",
        marker={"color": SKILL_COLOURS[skill], "size": 9, "opacity": 0.6, "line": {"width": 1, "color": "#ffffff"}},
        cliponaxis=False,
        customdata=timed[["evaluation_id", "user_id"]].to_numpy(),
        hovertemplate="%{y:.1f}<br>%{x|%-d %b %Y, %H:%M}<extra></extra>",
    )
    if not math.isnan(target):
        figure.add_hline(
            y=target,
            line={"color": _QUIET, "width": 2, "dash": "dot"},
            annotation={"text": f"target {formats.band(target)}", "font": {"size": 12}},
            annotation_position="top left",
        )
    for when, _ in new_models(timed):
        _tick(figure, when.astimezone(zone).replace(tzinfo=None))
    framed = _framed(figure, bands, height=300)
    if span is not None:
        framed.update_xaxes(range=_time_range(_local(pd.Series(pd.to_datetime(list(span), utc=True)), zone)))
    return framed.update_layout(margin={"t": 24, "r": 64, "b": 30}, showlegend=False)


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
) -> go.Figure:
    """A small chart per criterion of `names`, on the same axes: attempts as points, levels (time, level) as a line."""
    timed = evaluations[evaluations["created_at"].notna()].sort_values(["created_at", "evaluation_id"])
    rows = -(-len(names) // 2)
    figure = make_subplots(
        rows=rows,
        cols=2,
        shared_xaxes=True,
        shared_yaxes=True,
        subplot_titles=list(names.values()),
        vertical_spacing=0.32 / rows,
        horizontal_spacing=0.06,
    )
    for n, (criterion, name) in enumerate(names.items()):
        scored = timed[timed[criterion].notna()]
        place = {"row": n // 2 + 1, "col": n % 2 + 1}
        times = _local(scored["created_at"], zone)
        figure.add_scatter(
            x=times,
            y=scored[criterion],
            mode="markers",
            marker={"color": SKILL_COLOURS[skill], "size": 6, "opacity": 0.5},
            cliponaxis=False,
            hovertemplate=f"{html.escape(name)} %{{y:.1f}}<br>%{{x|%-d %b %Y, %H:%M}}<extra></extra>",
            **place,
        )
        for stretch in _stretches(levels[criterion], zone):
            figure.add_scatter(
                x=stretch["time"],
                y=stretch["level"],
                mode="lines",
                line={"color": SKILL_COLOURS[skill], "width": 2},
                hoverinfo="skip",
                **place,
            )
    figure.update_layout(
        height=190 * rows, margin={"l": 10, "r": 10, "t": 30, "b": 20}, showlegend=False, dragmode=False
    )
    figure.update_annotations(font={"size": 12})
    figure.update_yaxes(range=bands, dtick=1, tickformat=".1f", fixedrange=True)
    figure.update_xaxes(fixedrange=True, type="date", nticks=4, tickformatstops=_DAYS_AND_MONTHS)
    if span is not None:
        figure.update_xaxes(range=_time_range(_local(pd.Series(pd.to_datetime(list(span), utc=True)), zone)))
    return figure


def level_counts(levels: Mapping[str, Sequence[float]]) -> go.Figure:
    """How many students are at which level, to the nearest half band, per skill. NaN are left out."""
    figure = go.Figure()
    rounded = {skill: [nearest_half(v) for v in values if not math.isnan(v)] for skill, values in levels.items()}
    every = [band for values in rounded.values() for band in values]
    low, high = (min(every), max(every)) if every else (4.0, 7.0)
    ticks = [low + n / 2 for n in range(round(2 * (high - low)) + 1)]
    for skill, values in rounded.items():
        figure.add_bar(
            x=[formats.band(tick) for tick in ticks],
            y=[values.count(tick) for tick in ticks],
            name=SKILL_NAMES[skill],
            marker={"color": SKILL_COLOURS[skill]},
            hovertemplate=f"%{{y}} at %{{x}} in {SKILL_NAMES[skill]}<extra></extra>",
        )
    figure.update_xaxes(title="Level (band)", type="category", fixedrange=True)
    return _bars(figure, "Students")


def weekly(counts: pd.DataFrame) -> go.Figure:
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
            width=0.8 * _WEEK / pd.Timedelta(milliseconds=1),  # Plotly cannot tell it from a single week
            hovertemplate=f"%{{y}} {name}, week of %{{x|%-d %b %Y}}<extra></extra>",
        )
    # Plotly's own ticks stand on Sundays.
    every = math.ceil(len(counts) / _TICKS)
    last = counts["start"].iloc[-1]
    figure.update_xaxes(
        title="Week, from Monday",
        type="date",
        range=[min(counts["start"].iloc[0], last - (_FEW_WEEKS - 1) * _WEEK) - _WEEK / 2, last + _WEEK / 2],
        fixedrange=True,
        tickvals=counts["start"].iloc[::-every],
        tickformat="%-d %b",
    )
    framed = _bars(figure, "Evaluations")
    return framed.update_layout(barmode="stack", legend={"traceorder": "normal"}, showlegend=True)


def calendar(days: pd.DataFrame) -> go.Figure:
    """Attempts per day: a column per week, a row per weekday. `days` has day (local date) and attempts (int)."""
    weekday = days["day"].dt.day_of_week
    mondays = days["day"] - pd.to_timedelta(weekday, unit="D")
    grid = days.assign(week=mondays, weekday=weekday).pivot(index="weekday", columns="week", values="attempts")
    # All seven rows, and so many weeks that a day is no wider than it is high.
    weeks = pd.date_range(end=mondays.max(), periods=max(_FEW_WEEKS, len(grid.columns)), freq=_WEEK)
    grid = grid.reindex(index=range(7), columns=weeks)
    on = [[pd.Timestamp(week) + pd.Timedelta(days=int(row)) for week in grid.columns] for row in grid.index]
    figure = go.Figure(
        go.Heatmap(
            z=grid.where(grid > 0).to_numpy(),
            x=grid.columns,
            y=[_WEEKDAYS[row] for row in grid.index],
            customdata=[[formats.full_date(day) for day in row] for row in on],
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
    if len(weeks) <= _FEW_WEEKS:  # stretched, a day would look like a week
        figure.update_layout(width=_NARROW)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    figure.update_xaxes(
        title="Week, from Monday",
        type="date",
        fixedrange=True,
        showgrid=False,
        tickvals=list(weeks[:: -math.ceil(len(weeks) / (_TICKS if len(weeks) > _FEW_WEEKS else 4))]),
        tickformat="%-d %b",
    )
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
        name="Median in this period",
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
_JOBS = {"completed": "#8fb3c9", "failed": "#d1453b", "abandoned": "#c9b458", "unfinished": "#8a8f98"}


def job_bars(counts: pd.DataFrame, zone: ZoneInfo, codes: Sequence[str] = (), chosen: str = "") -> go.Figure:
    """Jobs per hour or day, stacked; zeros stay. `counts` has start, completed, failed, abandoned, unfinished.

    `codes` is what each bar carries for whoever selects it; where one is `chosen`, the others are faint.
    """
    figure, is_hourly = go.Figure(), _is_hourly(counts)
    local = counts["start"].dt.tz_convert(zone)
    # Plotly's axis knows no zones. Where clocks change, hours stay apart and their labels say what the clock does.
    offset = local.iloc[0].utcoffset() if is_hourly else None
    places = (
        local.dt.tz_localize(None).dt.normalize() if offset is None else (counts["start"] + offset).dt.tz_localize(None)
    )
    for name, colour in _JOBS.items():
        if name == "abandoned" and not counts[name].any():
            continue
        figure.add_bar(
            x=places,
            y=counts[name],
            name=name,
            marker={"color": colour, "opacity": [0.35 if chosen and code != chosen else 1 for code in codes] or 1},
            customdata=list(codes) or None,
            hovertext=[
                f"{formats.full_date(start)}, {start:%H:%M}" if is_hourly else formats.full_date(start)
                for start in local
            ],
            hovertemplate=f"%{{y}} {name}<br>%{{hovertext}}<extra></extra>",
        )
    figure.update_xaxes(fixedrange=True, type="date", tickformat="%-d %b\n%H:%M" if is_hourly else "%-d %b")
    if is_hourly and any(start.utcoffset() != offset for start in local):
        every = next(step for step in (1, 3, 6) if len(local) <= step * _TICKS or step == 6)
        ticks = [(place, start) for place, start in zip(places, local, strict=True) if start.hour % every == 0]
        figure.update_xaxes(
            tickvals=[place for place, _ in ticks],
            ticktext=[f"{start:%H:%M}<br>{start.day} {start:%b}" for _, start in ticks],
        )
    figure = _bars(figure, "Jobs")
    return figure.update_layout(barmode="stack", height=220, clickmode="event+select")


def _is_hourly(counts: pd.DataFrame) -> bool:
    # A day may have 23 hours.
    return len(counts) > 1 and counts["start"].iloc[1] - counts["start"].iloc[0] <= pd.Timedelta(hours=1)


def model_bands(
    over_time: pd.DataFrame, takeovers: Sequence[tuple[datetime, str]], skill: str, zone: ZoneInfo
) -> go.Figure:
    """The median band of each model per day or week, and a mark with its words at each takeover.

    `over_time` has the columns start (local, without a zone), model, median, scored; `takeovers` are (when, words).
    """
    figure = go.Figure()
    for n, (model, bands) in enumerate(over_time.sort_values("start").groupby("model", sort=True)):
        name = _literal(str(model))
        # A line across months without the model would claim bands that nobody got: a point without a band breaks it.
        pauses = bands[bands["start"].diff() > _PAUSE].assign(median=math.nan, scored=0)
        rows = pd.concat([pauses.assign(start=pauses["start"] - _PAUSE / 2), bands]).sort_values("start")
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
    framed = _framed(figure, band_range(over_time["median"]), height=320)
    return framed.update_layout(yaxis_title="Median band")


def _local(times: pd.Series, zone: ZoneInfo) -> pd.Series:
    local: pd.Series = times.dt.tz_convert(zone.key).dt.tz_localize(None)
    return local


def _levels(figure: go.Figure, levels: pd.DataFrame, skill: str, zone: ZoneInfo) -> None:
    """The level as a line in a soft band for its margin, its newest value at its end: columns time, level, low, high.

    A level of one day has no line: its margin is an upright bar.
    """
    soft = f"rgba{(*bytes.fromhex(SKILL_COLOURS[skill][1:]), 0.15)}"
    stretches = _stretches(levels, zone)
    for stretch in stretches:
        times = stretch["time"]
        figure.add_scatter(
            x=pd.concat([times, times[::-1]]),
            y=pd.concat([stretch["high"], stretch["low"][::-1]]),
            name="Margin",
            mode="lines",
            line={"width": 0 if len(stretch) > 1 else 8, "color": soft},
            fill="toself",
            fillcolor=soft,
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=times,
            y=stretch["level"],
            name="Level",
            mode="lines",
            line={"color": SKILL_COLOURS[skill], "width": 3},
            hoverinfo="skip",
        )
    for last in (stretch.iloc[-1] for stretch in stretches[-1:]):
        figure.add_annotation(
            x=last["time"],
            y=last["level"],
            text=f"<b>level {formats.level(last['level'])}</b>",
            showarrow=False,
            xanchor="left",
            xshift=8,
            font={"size": 12},
        )


def _stretches(levels: pd.DataFrame, zone: ZoneInfo) -> list[pd.DataFrame]:
    """The levels at the end of each local day with an attempt; parted where a level owes nothing to the one before."""
    local = levels.assign(time=_local(levels["time"], zone))
    local = local.groupby(local["time"].dt.normalize(), sort=True).tail(1)
    return [stretch for _, stretch in local.groupby((local["time"].diff() > WINDOW).cumsum())]


def _literal(text: str, longest: int = _LONGEST) -> str:
    """Text of others for a figure, as Plotly shows it letter for letter; no longer than there is room for."""
    line = foreign_text.visible(" ".join(text[:200].split()))
    return html.escape(line if len(line) <= longest else f"{line[: longest - 1]}…")


def _time_range(times: pd.Series) -> list[pd.Timestamp] | None:
    """The range of an axis for local times, at least two weeks: around one attempt, Plotly would show microseconds."""
    if times.empty:
        return None
    first, last = times.min(), times.max()
    around = max((last - first) * 0.05, (_SHORTEST - (last - first)) / 2)
    return [first - around, last + around]


def _tick(figure: go.Figure, at: datetime) -> None:
    """A small mark on the upper edge, with what begins there in a plain word."""
    figure.add_shape(type="line", x0=at, x1=at, y0=0.95, y1=1, yref="paper", line={"color": _QUIET, "width": 2})
    figure.add_annotation(
        x=at, y=1, yref="paper", yanchor="bottom", text="new model", showarrow=False, font={"size": 11}
    )


def _mark(figure: go.Figure, at: datetime, words: str) -> None:
    """An upright line with words above it, as Plotly takes them."""
    figure.add_shape(
        type="line", x0=at, x1=at, y0=0, y1=1, yref="paper", line={"color": _QUIET, "width": 2, "dash": "dash"}
    )
    figure.add_annotation(
        x=at,
        y=1,
        yref="paper",
        yanchor="bottom",
        text=words,
        showarrow=False,
        font={"size": 12},
    )
    figure.update_layout(margin={"t": 30})


def _bars(figure: go.Figure, counted: str) -> go.Figure:
    figure.update_layout(
        height=280,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0},
        dragmode=False,
    )
    heights = pd.concat([pd.Series(list(bar.y), index=list(bar.x)) for bar in figure.data]) if figure.data else None
    most = 0 if heights is None else heights.groupby(level=0).sum().max()
    # Of few, Plotly would write halves.
    whole = {"dtick": 1, "range": [0, max(4, most * 1.05)]} if most <= _FEW else {"rangemode": "tozero"}
    figure.update_yaxes(title=counted, fixedrange=True, **whole)
    return figure


def _framed(figure: go.Figure, bands: tuple[float, float], *, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": figure.layout.margin.t or 10, "b": 40},
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
        hovermode="closest",
        dragmode=False,
        clickmode="event+select",
    )
    figure.update_yaxes(range=bands, dtick=0.5, tickformat=".1f", title="Band", fixedrange=True, showgrid=True)
    figure.update_xaxes(fixedrange=True, type="date", tickformatstops=_DAYS_AND_MONTHS)
    return figure
