"""A model's feedback, whatever its JSON looks like, laid out to be read."""

import json

from data.records.parse import Json
from ui.components import markup
from ui.components.markup import Html

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
        return markup.paragraph(json.dumps(value, ensure_ascii=False, indent=2))
    if isinstance(value, dict):
        return Html("".join(_entry(key, entry, depth) for key, entry in value.items())) if value else _nothing()
    if isinstance(value, list):
        if not value:
            return _nothing()
        return markup.bullets(
            _value(entry, depth + 1) if isinstance(entry, (dict, list)) else markup.inline(_say(entry))
            for entry in value
        )
    return markup.paragraph(_say(value))


def _entry(key: str, value: Json, depth: int) -> Html:
    if isinstance(value, (dict, list)):
        return Html(markup.heading(name(key), min(6, 4 + depth)) + markup.indented(_value(value, depth + 1)))
    said = _say(value)
    if depth == 0 or len(said) > 200 or "\n" in said:
        return Html(markup.heading(name(key), min(6, 4 + depth)) + markup.paragraph(said))
    if key in ("comment", "comments"):
        return markup.paragraph(said)
    return markup.line(markup.inline(f"{name(key)}: {said}"))


def _say(value: Json) -> str:
    if value is None:
        return "(nothing)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _nothing() -> Html:
    return markup.paragraph("(nothing)")
