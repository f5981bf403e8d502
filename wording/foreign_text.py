"""Plain text that others wrote, with the characters that nobody sees made visible."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from data.letters import MOST_MARKS

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
_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in _HIDDEN}


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Me") or unicodedata.combining(letter) != 0


@cache
def _marks() -> re.Pattern[str]:
    """More than thirty marks on one letter, of which a browser takes the square: Chromium 0.7 s of 20,000, more than
    12 s of 120,000."""
    everywhere = (*range(0x300, 0x1F000), *range(0xE0100, 0xE01F0))  # above are signs alone, and selectors
    codes = [code for code in everywhere if _is_mark(chr(code))]
    breaks = [n for n, code in enumerate(codes) if n == 0 or code != codes[n - 1] + 1]
    ranges = (codes[begin:end] for begin, end in pairwise([*breaks, len(codes)]))
    mark = "".join(f"{chr(of[0])}-{chr(of[-1])}" for of in ranges)
    return re.compile(f"([{mark}]{{{MOST_MARKS}}})([{mark}]+)")


def visible(text: str) -> str:
    r"""The text with hidden control characters made visible, as plain text; of marks on a letter thirty.

    >>> visible("a\u3164b"), visible("e" + "\u0301" * 35) == "e" + "\u0301" * 30 + "[5 more marks]"
    ('a[U+3164]b', True)
    """
    # The first looks are quick, and most texts need no second one.
    if len(text) > MOST_MARKS and not text.isascii():
        text = _marks().sub(lambda marks: f"{marks[1]}[{len(marks[2]):,} more marks]", text)
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


def numbered(texts: Iterable[str]) -> Iterator[str]:
    """The texts, and those that come again with a number: two may differ only behind what there is room for.

    >>> list(numbered(["a", "b", "a"])), list(numbered(["a", "a", "a (2)"]))
    (['a', 'b', 'a (2)'], ['a', 'a (2)', 'a (2) (2)'])
    """
    seen: Counter[str] = Counter()
    used: set[str] = set()
    for text in texts:
        seen[text] += 1
        name = text if text not in used else f"{text} ({max(2, seen[text])})"
        while name in used:
            seen[text] += 1
            name = f"{text} ({seen[text]})"
        used.add(name)
        yield name


def escaped(source: str) -> str:
    r"""JSON text with hidden characters as escapes, and marks on a letter after thirty: still the same JSON.

    >>> escaped('"a\u202eb"') == r'"a\u202eb"'
    True
    """
    if not source.isascii():
        source = _marks().sub(lambda marks: marks[1] + json.dumps(marks[2])[1:-1], source)
    return source if source.isprintable() else source.translate(_ESCAPES)
