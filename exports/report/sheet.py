"""An A4 page to write and draw on, in millimetres, saved as PDF."""

import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

from exports.report import fonts
from exports.report.charts import INK, QUIET, RULE, Box
from exports.report.fonts import INCH, SANS, Families

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

WIDTH, HEIGHT, MARGIN = 210.0, 297.0, 15.0


class Sheet:
    """An A4 page to write on. `figure` is for charts."""

    def __init__(self) -> None:
        from matplotlib.figure import Figure  # noqa: PLC0415

        self.figure = Figure(figsize=(WIDTH / INCH, HEIGHT / INCH))

    def write(
        self,
        text: str,
        box: Box,
        size: float,
        *,
        bold: bool = False,
        colour: str = INK,
        lines: int = 99,
        families: Families = (SANS,),
    ) -> float:
        """Write in lines as wide as the box, cut with “…” after `lines`; where the last one ends, from the top."""
        from matplotlib.transforms import Bbox, TransformedBbox  # noqa: PLC0415

        height, style = line_height(size), fonts.style(size, families, bold=bold)
        wrapped = wrap(text, box.width, style, lines=lines)
        for n, line in enumerate(wrapped):
            y = box.y + n * height
            # Heaps of combining marks reach far beyond their line.
            band = Bbox.from_extents(0, 1 - (y + 1.35 * height) / HEIGHT, 1, 1 - (y - 0.35 * height) / HEIGHT)
            clip: Any = {"clip_box": TransformedBbox(band, self.figure.transFigure), "clip_on": True}
            look: Any = {"color": colour, "va": "top", "parse_math": False}
            self.figure.text(box.x / WIDTH, 1 - y / HEIGHT, line, fontproperties=style, **look, **clip)
        return box.y + len(wrapped) * height

    def rule(self, y: float) -> None:
        """A thin line across the page."""
        from matplotlib.lines import Line2D  # noqa: PLC0415

        at = 1 - y / HEIGHT
        self.figure.add_artist(Line2D([MARGIN / WIDTH, 1 - MARGIN / WIDTH], [at, at], color=RULE, linewidth=0.8))

    def frame(self, box: Box) -> None:
        """A box to write in."""
        from matplotlib.patches import Rectangle  # noqa: PLC0415

        corner = (box.x / WIDTH, 1 - (box.y + box.height) / HEIGHT)
        size = (box.width / WIDTH, box.height / HEIGHT)
        look: Any = {"fill": False, "edgecolor": QUIET, "linewidth": 0.8, "transform": self.figure.transFigure}
        self.figure.add_artist(Rectangle(corner, *size, **look))

    def pdf(self, title: str, made: datetime) -> bytes:
        """The page as PDF."""
        buffer = io.BytesIO()
        about = {"Title": title, "Creator": "BandUp dashboard", "Producer": None, "CreationDate": made}
        self.figure.savefig(buffer, format="pdf", metadata=about)
        return buffer.getvalue()


def line_height(size: float) -> float:
    """How high a line of letters of that size is, in millimetres."""
    return size * 1.32 / 72 * INCH


def wrap(text: str, width: float, style: "FontProperties", *, lines: int) -> list[str]:
    """Text in lines of that width, a word that is longer than a line broken; cut with “…” after `lines`."""

    def fits(line: str) -> bool:
        return fonts.width(line, style) <= width

    wrapped = [""]
    for word in text.split():
        if fits(longer := f"{wrapped[-1]} {word}".lstrip()):
            wrapped[-1] = longer
            continue
        if wrapped[-1]:
            wrapped.append("")
        for character in word:
            if wrapped[-1] and not fits(wrapped[-1] + character):
                wrapped.append("")
            wrapped[-1] += character
    if len(wrapped) > lines:
        last = wrapped[lines - 1]
        while last and not fits(f"{last}…"):
            last = last[:-1]
        wrapped[lines - 1 :] = [f"{last}…"]
    return wrapped
