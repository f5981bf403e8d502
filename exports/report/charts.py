"""The charts of the report, in millimetres.

matplotlib is loaded when first used. Its settings are those of the whole process, so everything is drawn inside
`settings()`, one at a time.
"""

import logging
import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.levels.attempts import Times
from analysis.levels.growth import Floats
from exports.report.fonts import INCH, SANS
from wording import formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, RULE = "#0f1720", "#4a5560", "#c9d1d9"
COLUMN, BANDS, PROFILE, PRACTICE = 86.0, 46.0, 28.0, 40.0
"""How wide a chart is, and how high each kind."""

_MANY = 60  # attempts from which they are small dots
_POINTS = 120  # of a line; more than that in a chart this small is a thicket
_DRAWING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Box:
    """A place, from the top left corner of the page."""

    x: float
    y: float
    width: float
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands over time: attempts, the level after each with its margin, the target (NaN: none), `begin` to `end`.

    All times are local, without a zone. The axis of bands is from `low` to `high`. A line is broken where nothing was
    done for `pause`.
    """

    skill: str
    times: Sequence[pd.Timestamp]
    bands: Sequence[float]
    levels: Sequence[float]
    margins: Sequence[float]
    target: float
    begin: pd.Timestamp
    end: pd.Timestamp
    pause: timedelta
    low: float = 0.0
    high: float = 9.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Attempts per week, month or year (`unit`) and skill, with the local times at which these begin."""

    unit: str
    starts: Sequence[pd.Timestamp]
    numbers: Mapping[str, Sequence[int]]


@contextmanager
def settings() -> Iterator[None]:
    """Only inside of this may anything be drawn; what it was set to before comes back at the end."""
    # Here and below, because most pages draw nothing for paper.
    import matplotlib as mpl  # noqa: PLC0415

    # It would warn of each font that has no bold letters.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    with _DRAWING, mpl.rc_context():
        # Whatever style this computer's user has set for plots of their own.
        mpl.rcdefaults()
        mpl.rc("font", family=[SANS], size=8)
        mpl.rc("text", color=INK, parse_math=False)
        mpl.rc("pdf", fonttype=42)
        mpl.rc("svg", fonttype="path", hashsalt="bandup")
        mpl.rc("axes", edgecolor=QUIET, labelcolor=INK, linewidth=0.6, axisbelow=True)
        mpl.rc("axes.spines", top=False, right=False)
        mpl.rc("xtick", color=QUIET, labelcolor=INK)
        mpl.rc("ytick", color=QUIET, labelcolor=INK)
        mpl.rc("grid", color="#e3e8ec", linewidth=0.6)
        mpl.rc("hatch", linewidth=0.6)
        mpl.rc("legend", frameon=False, borderpad=0, columnspacing=1.2, handlelength=1.6)
        yield


def bands(figure: "Figure", box: Box, chart: Bands) -> None:
    """Attempts as dots, the level as a line, the target as a dotted line with its number."""
    axes = _axes(figure, box, left=11, top=6, bottom=6)
    colour, many = SKILL_COLOURS[chart.skill], len(chart.times) > _MANY
    axes.plot(
        np.array(chart.times, dtype="datetime64[us]"),
        list(chart.bands),
        linestyle="none",
        marker="o",
        markersize=2 if many else 4.5,
        markerfacecolor=colour if many else "white",
        markeredgecolor=colour,
        markeredgewidth=0 if many else 1,
        alpha=0.4 if many else 1,
        label="attempt",
        zorder=3,
        clip_on=False,  # a dot at the end of the axis is whole too
    )
    times, levels, margins = _line(chart)
    axes.fill_between(times, levels - margins, levels + margins, color=colour, alpha=0.15, linewidth=0, zorder=1)
    axes.plot(times, levels, color=colour, linewidth=1.4 if many else 2, label="level", zorder=4 if many else 2)
    if not math.isnan(chart.target):
        label = f"target {formats.band(chart.target)}"
        axes.axhline(chart.target, color=INK, linewidth=1.2, linestyle=(0, (1, 2)), label=label, zorder=1)
    low, high = chart.low, chart.high
    axes.set_ylim(low, high)
    step = 0.5 if high - low < 4 else 1
    axes.set_yticks([n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1f}")
    axes.grid(axis="y")
    axes.set_ylabel("Band")
    _dates(axes, chart)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)


def profile(figure: "Figure", box: Box, skill: str, criteria: Sequence[tuple[str, float]]) -> None:
    """A bar for each criterion (name, level) with its number; only a dash where the level is NaN."""
    axes = _axes(figure, box, left=49, top=1, bottom=6)
    places = range(len(criteria))
    lengths = [0.0 if math.isnan(level) else level for _, level in criteria]
    axes.barh(list(places), lengths, height=0.6, color=SKILL_COLOURS[skill])
    for place, (_, level) in enumerate(criteria):
        axes.annotate(
            formats.level(level),
            (lengths[place], place),
            (3, 0),
            textcoords="offset points",
            va="center",
            weight="bold",
        )
    axes.set_yticks(list(places), [name for name, _ in criteria])
    axes.set_ylim(len(criteria) - 0.5, -0.5)
    # Room for the number behind a bar of 9.
    axes.set_xlim(0, 10)
    axes.spines["bottom"].set_bounds(0, 9)
    axes.set_xticks(range(0, 10, 3))
    axes.set_xticks(range(10), minor=True)
    axes.tick_params(axis="y", length=0)


def practice(figure: "Figure", box: Box, counts: Counts) -> None:
    """A bar for each week, month or year, one skill on the other."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes = _axes(figure, box, left=11, top=6)
    places = np.arange(len(counts.starts))
    below = np.zeros(len(places))
    for n, (skill, numbers) in enumerate(counts.numbers.items()):
        axes.bar(
            places,
            list(numbers),
            bottom=below,
            width=0.8,
            label=SKILL_NAMES[skill],
            color=SKILL_COLOURS[skill],
            # A pattern too: grey paper shows no colours.
            hatch="////" if n else "",
            edgecolor="white",
            linewidth=0.3,
        )
        below += np.array(numbers)
    axes.set_xlim(-0.7, max(len(places), 4) - 0.3)
    axes.set_ylim(0, max(4.0, float(below.max()) * 1.05))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.grid(axis="y")
    axes.set_ylabel("Attempts")
    step = math.ceil(len(places) / 5)
    labels = [_start(counts.unit, start) for start in counts.starts]
    axes.set_xticks(places[::step].tolist(), labels[::step])
    axes.set_xlabel("Week beginning on" if counts.unit == "week" else counts.unit.capitalize())
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)


def _axes(figure: "Figure", box: Box, left: float, top: float, bottom: float = 10) -> "Axes":
    """Axes inside a box, with room for what stands around them."""
    width, height = (float(side) * INCH for side in figure.get_size_inches())
    return figure.add_axes(
        (
            (box.x + left) / width,
            1 - (box.y + box.height - bottom) / height,
            (box.width - left - 3) / width,
            (box.height - top - bottom) / height,
        )
    )


def _line(chart: Bands) -> tuple[Times, Floats, Floats]:
    """Level and margin over time, broken by pauses; of very many attempts the last one of each stretch of time."""
    stretch = (chart.times[-1] - chart.times[0]) / _POINTS
    points: list[tuple[pd.Timestamp, float, float]] = []
    place = -1
    for n, point in enumerate(zip(chart.times, chart.levels, chart.margins, strict=True)):
        moment = point[0]
        at = math.floor((moment - chart.times[0]) / stretch) if len(chart.times) > _POINTS and stretch else n
        if at == place:
            points[-1] = point
            continue
        if points and moment - points[-1][0] > chart.pause:
            points.append((points[-1][0] + chart.pause / 2, math.nan, math.nan))
        points.append(point)
        place = at
    times, levels, margins = zip(*points, strict=True)
    return np.array(times, dtype="datetime64[us]"), np.array(levels), np.array(margins)


def _dates(axes: "Axes", chart: Bands) -> None:
    from matplotlib.dates import AutoDateLocator, num2date  # noqa: PLC0415

    pad = max((chart.end - chart.begin) * 0.03, pd.Timedelta(hours=12))
    axes.set_xlim(chart.begin - pad, chart.end + pad)  # type: ignore[arg-type]
    days = (chart.end - chart.begin) / pd.Timedelta(days=1)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5))

    def label(value: float, _: float) -> str:
        moment = num2date(value)
        if days > 100:
            return f"{moment:%Y}" if days > 1500 else f"{moment:%b %Y}"
        return f"{moment.day} {moment:%b}" if days > 3 else f"{moment.day} {moment:%b %H:%M}"

    axes.xaxis.set_major_formatter(label)


def _start(unit: str, start: pd.Timestamp) -> str:
    if unit == "week":
        return f"{start.day} {start:%b}"
    return f"{start:%b %Y}" if unit == "month" else f"{start:%Y}"
