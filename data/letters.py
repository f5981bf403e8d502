"""Letters and the marks on them."""

import unicodedata

_TWO_MARKS = frozenset("\u0f73\u0f75\u0f81")
"""Vowels of Tibetan that Unicode has as letters, but takes apart into marks."""
MOST_MARKS = 30
"""On one letter, as Unicode's Stream-Safe Text Format (UAX 15): what more stands there is nobody's name and no word."""


def composed(text: str) -> str:
    """Text with composed letters, without the marks beyond thirty: to bring more in order takes the square of them."""
    if text.isascii():
        return text
    marks, kept = 0, []
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) or letter in _TWO_MARKS else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))
