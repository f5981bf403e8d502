"""Plain text that others wrote, with the characters that nobody sees made visible."""

import json
import re

# Characters that nobody sees and that reorder, end or hide text: shown as a picture or by number. Not the two joiners
# U+200C and U+200D, which Persian, Hindi and emoji are written with.
_HIDDEN = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_HIDDEN |= {127: "␡"} | {code: f"[U+{code:04X}]" for code in (*range(0x80, 0xA0), *range(0x202A, 0x202F))}
_HIDDEN |= {code: f"[U+{code:04X}]" for code in (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF)}
_HIDDEN |= {code: f"[U+{code:04X}]" for code in (*range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC))}
# Letters of “tags”, which carry whole sentences unseen. (They also make the flags of England, Scotland and Wales.)
_HIDDEN |= {code: f"[U+{code:04X}]" for code in (*range(0xE0000, 0xE0100), *range(0xE01F0, 0xE1000))}
_HIDDEN |= {code: f"[U+{code:04X}]" for code in range(0x1D173, 0x1D17B)}
# What Python calls printable: fillers of Hangul, and marks of which nothing is seen. Not variation selectors, which are
# in emoji and Japanese names.
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_HIDDEN |= {ord(letter): f"[U+{ord(letter):04X}]" for letter in _UNSEEN}
_HAS_UNSEEN = re.compile(f"[{_UNSEEN}]")
# A browser takes the square of the marks on one letter: Chromium 0.7 s of 20,000, more than 12 s of 120,000.
_MARK = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
)
_MARKS = re.compile(f"({_MARK}{{30}})({_MARK}+)")

_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in _HIDDEN}


def visible(text: str) -> str:
    r"""The text with hidden control characters made visible, as plain text; of marks on a letter thirty.

    >>> visible("a\u3164b"), visible("e" + "\u0301" * 35) == "e" + "\u0301" * 30 + "[5 more marks]"
    ('a[U+3164]b', True)
    """
    # The first looks are quick, and most texts need no second one.
    if not text.isascii():
        text = _MARKS.sub(lambda marks: f"{marks[1]}[{len(marks[2]):,} more marks]", text)
    if text.isprintable() and (text.isascii() or not _HAS_UNSEEN.search(text)):
        return text
    return text.translate(_HIDDEN)


def one_line(text: str) -> str:
    r"""The same on one line, whatever is in it.

    >>> one_line("an error\nin two lines")
    'an error␊in two lines'
    """
    return visible(text).replace("\n", "␊")


def short(text: str, longest: int) -> str:
    """Plain text for a place that shows no more than so many characters, hidden ones visible; cut ones are counted.

    >>> short("a name", 6), short("a longer name", 6)
    ('a name', 'a long… (13 characters)')
    """
    return visible(text if len(text) <= longest else f"{text[:longest]}… ({len(text):,} characters)")


def escaped(source: str) -> str:
    r"""JSON text with hidden characters as escapes: still the same JSON.

    >>> escaped('"a\u202eb"') == r'"a\u202eb"'
    True
    """
    return source if source.isprintable() else source.translate(_ESCAPES)
