"""Which fonts of this computer draw a text, and how wide it is then."""

import functools
import unicodedata
from typing import TYPE_CHECKING

from wording import foreign_text

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.ft2font import FT2Font

INCH = 25.4
"""Millimetres."""
SANS = "DejaVu Sans"
"""Comes with matplotlib: Latin, with all of Vietnamese, Greek, Cyrillic, Arabic, Hebrew."""

Families = tuple[str, ...]

# Fonts that claim every character and draw a placeholder for it.
_PLACEHOLDERS = ("last resort", "lastresort", "adobe blank", "fallback")
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Text on one line as fonts can draw it: hidden characters by number, no halves of characters.

    >>> printable("a\\x1b\\u202eb\\n c\\u200bd")
    'a[U+001B][U+202E]b c[U+200B]d'
    """
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(_printable(character) for character in foreign_text.visible(" ".join(whole.split())))


def _printable(character: str) -> str:
    if "\u2400" <= character <= "\u2421":  # pictures of control characters, which few fonts have
        return f"[U+{127 if character == '␡' else ord(character) - 0x2400:04X}]"
    if "\ufe00" <= character <= "\ufe0f":  # they choose between the colours of an emoji
        return ""
    if unicodedata.category(character) == "Cf" and character not in _JOINERS:
        return f"[U+{ord(character):04X}]"
    return character


@functools.lru_cache(maxsize=200)
def drawable(text: str) -> tuple[str, Families | None]:
    """The text, its signs and emoji that no font has by number; and the font families that draw it.

    The families are None where some letter is in no font of this computer. Only inside `charts.settings()`.
    """
    from matplotlib import font_manager  # noqa: PLC0415 - most pages draw nothing for paper

    families, missing = [SANS], set(text) - {" ", *_JOINERS}
    others = {entry.name for entry in font_manager.fontManager.ttflist} - {SANS}
    for family in (SANS, *sorted(others, key=_preference)):
        if not missing:
            break
        if letters := _letters(family, missing):
            missing -= letters
            families.append(family)
    signs = {sign for sign in missing if not unicodedata.category(sign).startswith(("L", "M"))}
    spelled = text.translate({ord(sign): f"[U+{ord(sign):04X}]" for sign in signs})
    return spelled, None if missing - signs else tuple(dict.fromkeys(families))


def _preference(family: str) -> tuple[bool, bool, str]:
    """Letters without serifs first, then by name, so that it is the same each time."""
    name = family.casefold()
    return "sans" not in name, "serif" in name or "mono" in name, family


def _letters(family: str, characters: set[str]) -> set[str]:
    """Those characters of which a family has an outline, as pictures of emoji have none, in both weights.

    Names are bold, the rest is not: a family that has them in one weight alone would leave a box in the other.
    """
    from matplotlib import font_manager  # noqa: PLC0415

    if any(word in family.casefold() for word in _PLACEHOLDERS):
        return set()
    for bold in (True, False):
        try:
            path = font_manager.findfont(style(10, (family,), bold=bold), fallback_to_default=False)
            font = font_manager.get_font(path)
        except (OSError, RuntimeError, ValueError):
            return set()
        characters = {character for character in characters if _has_outline(font, character)}
    return characters


def _has_outline(font: "FT2Font", character: str) -> bool:
    from matplotlib.ft2font import LoadFlags  # noqa: PLC0415

    if not font.get_char_index(ord(character)):
        return False
    try:
        font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
        return len(font.get_path()[0]) > 0
    except RuntimeError:
        return False


@functools.cache
def style(size: float, families: Families = (SANS,), *, bold: bool = False) -> "FontProperties":
    """Letters of that size, each from the first family that has it."""
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415

    return FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")


@functools.lru_cache(maxsize=5_000)
def width(text: str, style: "FontProperties") -> float:
    """How wide a line is, in millimetres."""
    pixels, _, _ = _ruler().get_text_width_height_descent(text, style, ismath=False)
    return float(pixels) / float(_ruler().dpi) * INCH


@functools.cache
def _ruler() -> "RendererAgg":
    """At a resolution at which letters are as wide as in print."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415

    return RendererAgg(8, 8, 1200)
