"""Charts and text for paper, in millimetres: the only place that knows matplotlib, which is loaded when first used.

matplotlib's settings are those of the whole process, so everything here happens inside `settings()`, one at a time.
"""

import functools
import html
import io
import logging
import math
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.bands import band_range
from analysis.progress import Times
from wording import foreign_text, formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.transforms import TransformedBbox

INK, QUIET, RULE = "#0f1720", "#4a5560", "#c9d1d9"
WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 15.0
"""An A4 page."""
SANS = "DejaVu Sans"
"""Comes with matplotlib: Latin, with all of Vietnamese, Greek, Cyrillic, Arabic, Hebrew."""

_INCH = 25.4
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
    """Bands over time: attempts, the level after each, the target (NaN for none), from `begin` to `end`.

    All times are local, without a zone; `zone` is its name. A line is broken where nothing was done for `pause`.
    """

    skill: str
    times: Sequence[pd.Timestamp]
    bands: Sequence[float]
    levels: Sequence[float]
    target: float
    begin: pd.Timestamp
    end: pd.Timestamp
    zone: str
    pause: timedelta


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
        mpl.rcParams.update(
            {
                "font.family": [SANS],
                "font.size": 8,
                "pdf.fonttype": 42,
                "svg.fonttype": "path",
                "svg.hashsalt": "bandup",
                "axes.edgecolor": QUIET,
                "axes.labelcolor": INK,
                "axes.linewidth": 0.6,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.axisbelow": True,
                "text.color": INK,
                "text.parse_math": False,
                "xtick.color": QUIET,
                "ytick.color": QUIET,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "grid.color": "#e3e8ec",
                "grid.linewidth": 0.6,
                "hatch.linewidth": 0.6,
                "legend.frameon": False,
                "legend.borderpad": 0,
                "legend.columnspacing": 1.2,
                "legend.handlelength": 1.6,
            }
        )
        yield


def bands(figure: "Figure", box: Box, shown: Bands) -> None:
    """Attempts as dots, the level as a line, the target as a dotted line with its number."""
    axes = _axes(figure, box, left=11, top=6)
    colour, many = SKILL_COLOURS[shown.skill], len(shown.times) > _MANY
    axes.plot(
        np.array(shown.times, dtype="datetime64[us]"),
        list(shown.bands),
        linestyle="none",
        marker="o",
        markersize=2 if many else 4.5,
        markerfacecolor=colour if many else "white",
        markeredgecolor=colour,
        markeredgewidth=0 if many else 1,
        alpha=0.4 if many else 1,
        label="one attempt",
        zorder=3,
    )
    axes.plot(*_line(shown), color=colour, linewidth=1.4 if many else 2, label="level", zorder=4 if many else 2)
    if not math.isnan(shown.target):
        label = f"target {formats.band(shown.target)}"
        axes.axhline(shown.target, color=INK, linewidth=1.2, linestyle=(0, (1, 2)), label=label, zorder=1)
    low, high = band_range(pd.Series([*shown.bands, *shown.levels, shown.target]))
    axes.set_ylim(low, high)
    step = 0.5 if high - low < 4 else 1
    axes.set_yticks([n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1f}")
    axes.grid(axis="y")
    axes.set_ylabel("Band")
    _dates(axes, shown)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=3)


def profile(figure: "Figure", box: Box, skill: str, criteria: Sequence[tuple[str, float]]) -> None:
    """A bar for each criterion (name, level) with its number; only a dash where the level is NaN."""
    axes = _axes(figure, box, left=38, top=1)
    places = range(len(criteria))
    lengths = [0.0 if math.isnan(level) else level for _, level in criteria]
    axes.barh(list(places), lengths, height=0.6, color=SKILL_COLOURS[skill])
    for place, (_, level) in enumerate(criteria):
        axes.annotate(
            formats.band(level), (lengths[place], place), (3, 0), textcoords="offset points", va="center", weight="bold"
        )
    axes.set_yticks(list(places), [name for name, _ in criteria])
    axes.set_ylim(len(criteria) - 0.5, -0.5)
    # Room for the number behind a bar of 9.
    axes.set_xlim(0, 10)
    axes.spines["bottom"].set_bounds(0, 9)
    axes.set_xticks(range(0, 10, 3))
    axes.set_xticks(range(10), minor=True)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("Band, 0 to 9")


def practice(figure: "Figure", box: Box, shown: Counts) -> None:
    """A bar for each week, month or year, one skill on the other."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    axes = _axes(figure, box, left=11, top=6)
    places = np.arange(len(shown.starts))
    below = np.zeros(len(places))
    for n, (skill, numbers) in enumerate(shown.numbers.items()):
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
    labels = [_start(shown.unit, start) for start in shown.starts]
    axes.set_xticks(places[::step].tolist(), labels[::step])
    axes.set_xlabel("Week beginning on" if shown.unit == "week" else shown.unit.capitalize())
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2)


def svg(draw: Callable[["Figure", Box], None], width: float, height: float, alt: str, name: str) -> str:
    """A chart as SVG inside HTML. Its letters are shapes, so that it looks the same everywhere; `alt` says it in words.

    `name` tells it from the other charts of the page.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(width / _INCH, height / _INCH))
    draw(figure, Box(0, 0, width, height))
    buffer = io.StringIO()
    nothing: dict[str, None] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    drawn = buffer.getvalue()
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    # An id may be on a page only once.
    drawn = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", drawn)
    head = (
        f'<svg class="chart" role="img" aria-label="{html.escape(alt)}" '
        f'viewBox="0 0 {width * 72 / _INCH:.3f} {height * 72 / _INCH:.3f}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return head + drawn[drawn.index(">") + 1 :]


class Sheet:
    """An A4 page to write on. `figure` is for charts."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415

        self.figure = Figure(figsize=(WIDTH / _INCH, HEIGHT / _INCH))

    def write(
        self,
        said: str,
        box: Box,
        size: float,
        *,
        bold: bool = False,
        colour: str = INK,
        lines: int = 99,
        families: tuple[str, ...] = (SANS,),
    ) -> float:
        """Write in lines as wide as the box, cut with “…” after `lines`; where the last one ends, from the top."""
        height, properties = size * 1.32 / 72 * _INCH, _font(size, families, bold=bold)
        wrapped = wrap(said, box.width, size, bold=bold, lines=lines, families=families)
        for n, line in enumerate(wrapped):
            y = box.y + n * height
            drawn = self.figure.text(
                box.x / WIDTH,
                1 - y / HEIGHT,
                line,
                fontproperties=properties,
                color=colour,
                va="top",
                ha="left",
                parse_math=False,
            )
            # Heaps of combining marks reach far beyond their line.
            drawn.set_clip_box(self._band(y - 0.35 * height, y + 1.35 * height))
            drawn.set_clip_on(True)
        return box.y + len(wrapped) * height

    def rule(self, y: float) -> None:
        """A thin line across the page."""
        from matplotlib.lines import Line2D  # noqa: PLC0415

        at = 1 - y / HEIGHT
        self.figure.add_artist(Line2D([MARGIN / WIDTH, 1 - MARGIN / WIDTH], [at, at], color=RULE, linewidth=0.8))

    def pdf(self, title: str, made: datetime) -> bytes:
        """The page as PDF."""
        buffer = io.BytesIO()
        about = {"Title": title, "Creator": "BandUp dashboard", "Producer": None, "CreationDate": made}
        self.figure.savefig(buffer, format="pdf", metadata=about)
        return buffer.getvalue()

    def _band(self, top: float, bottom: float) -> "TransformedBbox":
        from matplotlib.transforms import Bbox, TransformedBbox  # noqa: PLC0415

        return TransformedBbox(Bbox.from_extents(0, 1 - bottom / HEIGHT, 1, 1 - top / HEIGHT), self.figure.transFigure)


def wrap(
    said: str, width: float, size: float, *, bold: bool = False, lines: int = 99, families: tuple[str, ...] = (SANS,)
) -> list[str]:
    """Text in lines of that width, a word that is longer than a line broken; cut with “…” after `lines`."""

    def wide(part: str) -> float:
        return _width(part, size, families, bold=bold)

    found, space = [""], wide("n n") - wide("nn")
    used = 0.0
    for word in said.split():
        length = wide(word)
        if found[-1] and used + space + length <= width:
            found[-1] += f" {word}"
            used += space + length
            continue
        if found[-1]:
            found.append("")
        if length <= width:
            found[-1], used = word, length
            continue
        for character in word:
            if found[-1] and wide(found[-1] + character) > width:
                found.append("")
            found[-1] += character
        used = wide(found[-1])
    if len(found) > lines:
        last = found[lines - 1]
        while last and wide(f"{last}…") > width:
            last = last[:-1]
        found = [*found[: lines - 1], f"{last}…"]
    return found


def printable(said: str) -> str:
    """Text on one line as fonts can draw it: hidden characters by number, no halves of characters.

    >>> printable("a\\x1b\\u202eb\\n c\\u200bd")
    'a[U+001B][U+202E]b c[U+200B]d'
    """
    whole = said.encode("utf-8", "replace").decode("utf-8")
    return "".join(_character(character) for character in foreign_text.visible(" ".join(whole.split())))


def spelled(said: str) -> str:
    """The text with signs and emoji that no font of this computer can draw by number, letters as they are."""
    return "".join(
        f"[U+{ord(character):04X}]"
        if not unicodedata.category(character).startswith(("L", "M")) and _family(character) is None
        else character
        for character in said
    )


def families(said: str) -> tuple[str, ...] | None:
    """The font families that can draw this text on this computer; None when some character has none."""
    needed = {SANS: None}
    for character in said:
        family = _family(character)
        if family is None:
            return None
        needed[family] = None
    return tuple(needed)


# Fonts that claim every character and draw a placeholder for it.
_PLACEHOLDERS = ("last resort", "lastresort", "adobe blank", "fallback")
_JOINERS = "\u200c\u200d"


def _axes(figure: "Figure", box: Box, left: float, top: float, bottom: float = 10) -> "Axes":
    """Axes inside a box, with room for what stands around them."""
    width, height = (float(side) * _INCH for side in figure.get_size_inches())
    return figure.add_axes(
        (
            (box.x + left) / width,
            1 - (box.y + box.height - bottom) / height,
            (box.width - left - 3) / width,
            (box.height - top - bottom) / height,
        )
    )


def _line(shown: Bands) -> tuple[Times, list[float]]:
    """The level over time, broken by pauses; of very many attempts the last one of each stretch of time."""
    stretch = (shown.times[-1] - shown.times[0]) / _POINTS
    points: list[tuple[pd.Timestamp, float]] = []
    place = -1
    for n, (moment, level) in enumerate(zip(shown.times, shown.levels, strict=True)):
        at = math.floor((moment - shown.times[0]) / stretch) if len(shown.times) > _POINTS and stretch else n
        if at == place:
            points[-1] = (moment, level)
            continue
        if points and moment - points[-1][0] > shown.pause:
            points.append((points[-1][0] + shown.pause / 2, math.nan))
        points.append((moment, level))
        place = at
    return np.array([moment for moment, _ in points], dtype="datetime64[us]"), [level for _, level in points]


def _dates(axes: "Axes", shown: Bands) -> None:
    from matplotlib.dates import AutoDateLocator, num2date  # noqa: PLC0415

    pad = max((shown.end - shown.begin) * 0.03, pd.Timedelta(hours=12))
    axes.set_xlim(shown.begin - pad, shown.end + pad)  # type: ignore[arg-type]
    days = (shown.end - shown.begin) / pd.Timedelta(days=1)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5))

    def said(value: float, _: float) -> str:
        moment = num2date(value)
        if days > 100:
            return f"{moment:%Y}" if days > 1500 else f"{moment:%b %Y}"
        return f"{moment.day} {moment:%b}" if days > 3 else f"{moment.day} {moment:%b %H:%M}"

    axes.xaxis.set_major_formatter(said)
    axes.set_xlabel(f"Date ({shown.zone})")


def _start(unit: str, start: pd.Timestamp) -> str:
    if unit == "week":
        return f"{start.day} {start:%b}"
    return f"{start:%b %Y}" if unit == "month" else f"{start:%Y}"


def _character(character: str) -> str:
    if "\u2400" <= character <= "\u2421":  # pictures of control characters, which few fonts have
        return f"[U+{127 if character == '␡' else ord(character) - 0x2400:04X}]"
    if "\ufe00" <= character <= "\ufe0f":  # they choose between the colours of an emoji
        return ""
    if unicodedata.category(character) == "Cf" and character not in _JOINERS:
        return f"[U+{ord(character):04X}]"
    return character


@functools.lru_cache(maxsize=10_000)
def _family(character: str) -> str | None:
    """The family of the first font of this computer that can draw a character; the usual one comes first."""
    from matplotlib import font_manager  # noqa: PLC0415

    if character in (" ", *_JOINERS):
        return SANS
    listed = {entry.name for entry in font_manager.fontManager.ttflist}
    for family in [SANS, *sorted(listed - {SANS}, key=_preference)]:
        if any(word in family.casefold() for word in _PLACEHOLDERS):
            continue
        # Names are bold, the rest is not: a family that has it in one weight alone would leave a box in the other.
        if all(_draws(_font(10, (family,), bold=bold), character) for bold in (True, False)):
            return family
    return None


def _preference(family: str) -> tuple[bool, bool, str]:
    """Letters without serifs first, then by name, so that it is the same each time."""
    name = family.casefold()
    return "sans" not in name, "serif" in name or "mono" in name, family


def _draws(properties: "FontProperties", character: str) -> bool:
    """Whether the font that would be taken has an outline for it (pictures of emoji have none)."""
    from matplotlib import font_manager  # noqa: PLC0415
    from matplotlib.ft2font import LoadFlags  # noqa: PLC0415

    try:
        font = font_manager.get_font(font_manager.findfont(properties, fallback_to_default=False))
        if not font.get_char_index(ord(character)):
            return False
        font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
        return len(font.get_path()[0]) > 0
    except (OSError, RuntimeError, ValueError):
        return False


@functools.lru_cache(maxsize=5_000)
def _width(said: str, size: float, families: tuple[str, ...], *, bold: bool) -> float:
    """How wide a line is, in millimetres."""
    ruler = _ruler()
    pixels, _, _ = ruler.get_text_width_height_descent(said, _font(size, families, bold=bold), ismath=False)
    return float(pixels) / float(ruler.dpi) * _INCH


@functools.cache
def _ruler() -> "RendererAgg":
    """At a resolution at which letters are as wide as in print."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415

    return RendererAgg(8, 8, 1200)


@functools.cache
def _font(size: float, families: tuple[str, ...], *, bold: bool) -> "FontProperties":
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    return FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")
