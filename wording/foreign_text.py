"""Plain text that others wrote, with the characters that nobody sees made visible."""

import json

# Characters that nobody sees and that reorder, end or hide text: shown as a picture or by number. Not the two joiners
# U+200C and U+200D, which Persian, Hindi and emoji are written with.
_HIDDEN = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_HIDDEN |= {127: "␡"} | {code: f"[U+{code:04X}]" for code in (*range(0x80, 0xA0), *range(0x202A, 0x202F))}
_HIDDEN |= {code: f"[U+{code:04X}]" for code in (0xAD, 0x61C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF)}
_HIDDEN |= {code: f"[U+{code:04X}]" for code in (*range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC))}
# Letters of “tags”, which carry whole sentences unseen. (They also make the flags of England, Scotland and Wales.)
_HIDDEN |= {code: f"[U+{code:04X}]" for code in range(0xE0000, 0xE0080)}

_ESCAPES = {code: json.dumps(chr(code))[1:-1] for code in _HIDDEN}


def visible(text: str) -> str:
    """The text with hidden control characters made visible, as plain text."""
    # The first look is quick, and most texts need no second one.
    return text if text.isprintable() else text.translate(_HIDDEN)


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
