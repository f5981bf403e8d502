"""Frames in, Plotly figures out. One palette, one axis for bands, local times. Text of others is escaped."""

import html
import math
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd
import plotly.graph_objects as go

from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from ui import formats

# Okabe and Ito's colours for colour-blind readers, https://jfly.uni-koeln.de/color/
COLOURS = {WRITING: "#0072B2", SPEAKING: "#D55E00"}
NAMES = {WRITING: "Writing", SPEAKING: "Speaking"}
_DASHES = ("dot", "dash", "dashdot", "longdash")
_SYMBOLS = ("diamond-open", "square-open", "triangle-up-open", "x-thin-open")

_PAUSE = pd.Timedelta(days=35)

CONFIG = {"displayModeBar": False, "scrollZoom": False}


def band_trend(evaluations: pd.DataFrame, skill: str, *, criteria: bool, zone: ZoneInfo) -> go.Figure:
    """Bands of one skill over time. Points carry [evaluation_id, user_id] as customdata.

    `evaluations` are completed ones of `skill`; those without a time or a band are left out by the caller.
    """
    timed = evaluations[evaluations["created_at"].notna()].sort_values("created_at")
    times = timed["created_at"].dt.tz_convert(zone.key).dt.tz_localize(None)
    ids = timed[["evaluation_id", "user_id"]].to_numpy()
    figure = go.Figure()
    shown = [timed[OVERALL]]
    if criteria:
        for n, (criterion, name) in enumerate(CRITERIA[skill].items()):
            shown.append(timed[criterion])
            figure.add_scatter(
                x=times,
                y=timed[criterion],
                name=name,
                mode="lines+markers",
                line={"color": COLOURS[skill], "dash": _DASHES[n], "width": 1},
                marker={"symbol": _SYMBOLS[n], "size": 7},
                opacity=0.75,
                customdata=ids,
                hovertemplate=f"{html.escape(name)} %{{y}}<br>%{{x|%-d %b %Y, %H:%M}}<extra></extra>",
            )
    models = timed["model_used"].map(lambda model: html.escape(model or "model unknown"))
    figure.add_scatter(
        x=times,
        y=timed[OVERALL],
        name=f"{NAMES[skill]} band",
        mode="lines+markers",
        line={"color": COLOURS[skill], "width": 2},
        marker={"size": 9},
        customdata=ids,
        text=models,
        hovertemplate="%{y}<br>%{x|%-d %b %Y, %H:%M}<br>%{text}<extra></extra>",
        showlegend=criteria,
    )
    return _framed(figure, pd.concat(shown), f"Time ({zone.key})", criteria=criteria)


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
        marker={"color": COLOURS[skill]},
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
        marker={"symbol": "line-ns-open", "size": 22, "line": {"width": 3}, "color": "#767676"},
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
    figure.update_layout(
        barmode="stack",
        height=280,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0},
        dragmode=False,
    )
    figure.update_yaxes(title="Jobs", fixedrange=True, rangemode="tozero")
    figure.update_xaxes(title=f"Time ({zone.key})", fixedrange=True, type="date")
    return figure


def model_bands(
    over_time: pd.DataFrame, takeovers: Sequence[tuple[datetime, str]], skill: str, zone: ZoneInfo
) -> go.Figure:
    """The median band of each model per day or week, and a mark with its words at each takeover.

    `over_time` has the columns start (local, without a zone), model, median, scored; `takeovers` are (when, words).
    """
    figure = go.Figure()
    for n, (model, known) in enumerate(over_time.sort_values("start").groupby("model", sort=True)):
        name = html.escape(str(model))
        # A line across months without the model would claim bands that nobody got: a point without a band breaks it.
        pauses = known[known["start"].diff() > _PAUSE].assign(median=math.nan, scored=0)
        rows = pd.concat([pauses.assign(start=pauses["start"] - _PAUSE / 2), known]).sort_values("start")
        figure.add_scatter(
            x=rows["start"],
            y=rows["median"],
            name=name,
            mode="lines+markers",
            line={"color": COLOURS[skill], "width": 1, "dash": ("solid", *_DASHES)[n % 5]},
            marker={"symbol": ("circle", *_SYMBOLS)[n % 5], "size": 8},
            customdata=rows[["scored"]].to_numpy(),
            hovertemplate=f"{name}<br>median %{{y}} of %{{customdata[0]}}<br>%{{x|%-d %b %Y}}<extra></extra>",
            showlegend=True,
        )
    for when, words in takeovers:
        at = when.astimezone(zone).replace(tzinfo=None)
        figure.add_shape(
            type="line", x0=at, x1=at, y0=0, y1=1, yref="paper", line={"color": "#767676", "width": 2, "dash": "dash"}
        )
        figure.add_annotation(
            x=at, y=1, yref="paper", yanchor="bottom", text=html.escape(words), showarrow=False, font={"size": 12}
        )
    framed = _framed(figure, over_time["median"], f"Time ({zone.key})", criteria=False)
    return framed.update_layout(margin={"t": 30 if takeovers else 10}, yaxis_title="Median band")


def _framed(figure: go.Figure, bands: pd.Series, time_title: str, *, criteria: bool) -> go.Figure:
    low, high = band_range(bands)
    figure.update_layout(
        height=440 if criteria else 320,
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": -0.25, "yanchor": "top", "x": 0},
        hovermode="closest",
        dragmode=False,
        clickmode="event+select",
    )
    figure.update_yaxes(range=[low, high], dtick=0.5, tickformat=".1f", title="Band", fixedrange=True, showgrid=True)
    figure.update_xaxes(title=time_title, fixedrange=True, type="date")
    return figure


def band_range(bands: pd.Series) -> tuple[float, float]:
    """The range of a band axis: what the data needs, never less than two bands, so that noise makes no mountain.

    >>> band_range(pd.Series([6.5, 6.5])), band_range(pd.Series([3.0, 8.5])), band_range(pd.Series([9.0]))
    ((5.4, 7.6), (2.9, 8.6), (6.9, 9.1))
    """
    known = bands.dropna()
    low, high = (math.floor(known.min() * 2) / 2, math.ceil(known.max() * 2) / 2) if len(known) else (4.0, 7.0)
    missing = max(0.0, 2.0 - (high - low))
    low, high = low - missing / 2, high + missing / 2
    if high > 9:
        low, high = max(0.0, low - (high - 9)), 9.0
    if low < 0:
        low, high = 0.0, max(high, 2.0)
    return round(low - 0.1, 2), round(high + 0.1, 2)
