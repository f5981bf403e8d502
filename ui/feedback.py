"""A model's feedback, whatever its JSON looks like, laid out to be read."""

import json

from data.parse import Json
from ui import text
from ui.text import Html

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
    "grammar": "Grammar",
    "fluency": "Fluency and coherence",
    "pronunciation": "Pronunciation",
    "comment": "Comment",
    "band": "Band",
    "score": "Score",
}
_DEEPEST = 6


def layout(feedback: Json, depth: int = 0) -> Html:
    """The feedback as headings, paragraphs and lists; its own keys where we have no better word for them.

    `depth` is how far inside a feedback this part of it stands.
    """
    return _value(feedback, depth)


def name(key: str) -> str:
    """What a part of the feedback is called."""
    return _NAMES.get(key, key)


def _value(value: Json, depth: int) -> Html:
    if depth >= _DEEPEST and isinstance(value, (dict, list)):
        return text.paragraph(json.dumps(value, ensure_ascii=False, indent=2))
    if isinstance(value, dict):
        return Html("".join(_entry(key, entry, depth) for key, entry in value.items())) if value else _nothing()
    if isinstance(value, list):
        if not value:
            return _nothing()
        return text.bullets(
            _value(entry, depth + 1) if isinstance(entry, (dict, list)) else text.inline(_say(entry)) for entry in value
        )
    return text.paragraph(_say(value))


def _entry(key: str, value: Json, depth: int) -> Html:
    if isinstance(value, (dict, list)):
        return Html(text.heading(name(key), min(6, 4 + depth)) + text.indented(_value(value, depth + 1)))
    said = _say(value)
    if depth == 0 or len(said) > 200 or "\n" in said:
        return Html(text.heading(name(key), min(6, 4 + depth)) + text.paragraph(said))
    if key in ("comment", "comments"):
        return text.paragraph(said)
    return text.line(text.inline(f"{name(key)}: {said}"))


def _say(value: Json) -> str:
    if value is None:
        return "(nothing)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _nothing() -> Html:
    return text.paragraph("(nothing)")
