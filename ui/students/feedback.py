"""A model's feedback, whatever its JSON looks like, laid out to be read."""

import json
import re
from collections.abc import Iterable, Iterator

from markupsafe import Markup

from analysis.phrases import Kind, kind_of
from data.records.parse import Json, indented
from ui.components import markup
from wording.sections import KINDS

_NAMES = {
    "strengths": "Strengths",
    "weaknesses": "Weaknesses",
    "suggestions": "Suggestions",
    "improvements": "Improvements",
    "summary": "Summary",
    "task_achievement": "Task achievement",
    "task_response": "Task response",
    "coherence": "Coherence and cohesion",
    "lexical": "Lexical resource",
    "grammar": "Grammatical range and accuracy",
    "fluency": "Fluency and coherence",
    "pronunciation": "Pronunciation",
    "comment": "Comment",
    "band": "Band",
    "score": "Score",
}
_ORDER: list[Kind] = list(KINDS)
_DEEPEST = 6
_MOST = 2_000
"""Entries that are laid out: a thousand are read by nobody, and a hundred thousand keep all visitors waiting."""


def layout(feedback: Json, depth: int = 0) -> Markup:
    """The feedback as headings, paragraphs and lists; its own keys where we have no better word for them.

    `depth` is how far inside a feedback this part of it stands. Of very many entries the first are laid out.
    """
    cut, left_out = _cut(feedback, iter(range(_MOST)))
    return _value(cut, depth) + (markup.paragraph(f"[{left_out:,} more]") if left_out else "")


def _cut(value: Json, room: Iterator[int]) -> tuple[Json, int]:
    """As much of a value as there is room for, and how many entries were left out at the outermost places."""
    if not isinstance(value, (dict, list)):
        return value, 0
    kept: list[tuple[str, Json]] = []
    left_out = 0
    entries: Iterable[tuple[str, Json]] = value.items() if isinstance(value, dict) else (("", one) for one in value)
    for key, entry in entries:
        if next(room, None) is None:
            left_out += 1
            continue
        part, more = _cut(entry, room)
        kept.append((key, part))
        left_out += more
    return dict(kept) if isinstance(value, dict) else [part for _, part in kept], left_out


def ordered(feedback: Json) -> Markup:
    """The whole feedback, its parts `in_order`."""
    return layout({key: feedback[key] for key in in_order(feedback)} if isinstance(feedback, dict) else feedback)


def in_order(keys: Iterable[str]) -> list[str]:
    """The parts of a feedback: what to improve first, then strengths, then the rest as it comes.

    >>> in_order(["fluency", "strengths", "suggestions", "weaknesses", "grammar"])
    ['weaknesses', 'suggestions', 'strengths', 'fluency', 'grammar']
    """
    return sorted(keys, key=lambda key: _ORDER.index(kind_of(key) or "remark"))


def name(key: str) -> str:
    """What a part of the feedback is called."""
    return _NAMES.get(_folded(key), key)


def _folded(key: str) -> str:
    return re.sub(r"[\s_-]+", "_", key.strip()).casefold()


def _value(value: Json, depth: int) -> Markup:
    if depth >= _DEEPEST and isinstance(value, (dict, list)):
        return markup.paragraph(indented(value))
    if isinstance(value, dict):
        return markup.joined(_entry(key, entry, depth) for key, entry in value.items()) if value else _nothing()
    if isinstance(value, list):
        if not value:
            return _nothing()
        return markup.bullets(
            _value(entry, depth + 1) if isinstance(entry, (dict, list)) else _say(entry) for entry in value
        )
    return markup.paragraph(_say(value))


def _entry(key: str, value: Json, depth: int) -> Markup:
    if isinstance(value, (dict, list)):
        return markup.heading(name(key), min(6, 4 + depth)) + markup.indented(_value(value, depth + 1))
    text = _say(value)
    if depth == 0 or len(text) > 200 or "\n" in text:
        return markup.heading(name(key), min(6, 4 + depth)) + markup.paragraph(text)
    if key in ("comment", "comments"):
        return markup.paragraph(text)
    return markup.line(f"{name(key)}: {text}")


def _say(value: Json) -> str:
    if value is None:
        return "(nothing)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _nothing() -> Markup:
    return markup.paragraph("(nothing)")
