"""Cards out of what a set's text holds, in every shape that models give them: objects, pairs, columns, lines, tables.

Nothing is added or put in another order. What has to be taken for something else than it says gets a remark.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias, TypeGuard

from data.records.parse import Json, Outcome, unique

Remarks: TypeAlias = dict[str, Outcome]
_PAIRS = "cards as pairs instead of question and answer"
_SEVERAL = "several lists of cards"
_WRAPPED = "an object around the list of cards"
_USUAL = "question and answer"
_LONGEST = 60  # characters of a key that may name a side
_DEEPEST = 8  # objects around the list of cards
MOST = 10_000
"""Entries of a list of cards, or of what stands around it: nobody learns more, and to look at each takes its time."""
# What the sides of a card are called, the usual words first: each row has those of the front and those of the back.
_SIDES = (
    (("question", "q", "ques", "prompt"), ("answer", "a", "ans", "correct answer", "solution", "response")),
    (("front", "recto"), ("back", "verso")),
    (
        ("term", "word", "vocabulary", "vocab", "expression", "idiom", "concept", "phrase"),
        ("definition", "meaning", "def", "description", "translation", "explanation"),
    ),
    (("câu hỏi", "cau hoi"), ("câu trả lời", "đáp án", "trả lời", "cau tra loi", "dap an", "tra loi")),
    (("mặt trước", "mat truoc"), ("mặt sau", "mat sau")),
    (("từ", "từ vựng", "thuật ngữ", "tu vung"), ("nghĩa", "định nghĩa", "nghia", "dinh nghia")),
    (("问题", "問題"), ("答案", "回答")),
    (("frage",), ("antwort",)),
    (("pregunta",), ("respuesta",)),
)
_WEAK = frozenset(
    ("a", "prompt", "response", "concept", "phrase", "translation", "explanation", "solution", "expression", "ques")
).union(("description", "ans", "def", "correct answer", "từ", "nghĩa", "nghia"))
"""Words that name a side only beside one of the other."""
_QUALIFIERS = frozenset(("text", "side", "content", "card", "flashcard", "the"))
_ROWS = {word: row for row, words in enumerate(_SIDES) for side in words for word in side}
_TEXTS = frozenset(("text", "value", "content", "S", "N"))
_WORDS = re.compile(r"[^\W\d_]+")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FRONTS, _BACKS = ("|".join(word for row in _SIDES for word in row[side]) for side in (0, 1))
_LABEL = re.compile(
    rf"(?:[\s>#*_+•-]|\d{{1,4}}[.)])*?(?:(?P<front>{_FRONTS})|(?P<back>{_BACKS}))"
    r"[ ]?\d{0,4}[*_]{0,3}[ ]?[:：][*_]{0,3}(?P<text>.*)",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"[\s*_=-]{3,}|[#*_\s]*(?:(?:flash)?card|thẻ)[ ]?(?:no\.?|number|#)?[ ]?\d{1,4}[ ]?[:.)]?[*_\s]*", re.IGNORECASE
)
_FENCE = re.compile(r"\s*(?:`{3,}|~{3,})[\w+-]*\s*")
_TABLE_RULE = re.compile(r"\|?(?:[ ]*:?-+:?[ ]*\|)+(?:[ ]*:?-+:?[ ]*)?")
_CELL_END = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `back` is empty when the record has none; `more` holds what else it carries."""

    front: str
    back: str
    more: Mapping[str, Json]


class TooManyError(ValueError):
    """There are more entries than MOST."""


def read(value: Json, total: int | None, remarks: Remarks, *, broken: bool = False) -> tuple[Card, ...] | None:
    """The cards of a decoded text, in its order, wherever they lie; None where there is no list of them. TooManyError.

    `total` is how many there should be; `remarks` gets what departs from objects with question and answer. Of a text
    that is `broken`, what breaks off is no card, nor is what stands before the first one.
    """
    entries = _entries(value, total, remarks, 0)
    if entries and len(entries) > MOST:
        raise TooManyError
    if entries and broken:
        last = entries[-1]
        is_half = isinstance(last, dict) and _is_last_in(last, value) and not (is_whole(last) and _is_said(last))
        entries = entries[:-1] if is_half else entries
        entries = entries if any(map(_is_card, entries)) else None
    return None if entries is None else tuple(_card(entry, remarks) for entry in entries)


def _is_said(card: dict[str, Json]) -> bool:
    """Whether both sides of a card say something, and are no lists, of which one may break off."""
    sides = _sides(card)
    return sides is not None and not any(isinstance(card.get(side or ""), list) for side in sides[:2])


def _is_last_in(entry: dict[str, Json], value: Json) -> bool:
    """Whether a text that breaks off does so in this entry: an object at its end, in no list."""
    while isinstance(value, dict) and value:
        value = [*value.values()][-1]
        if value is entry:
            return True
    return False


def is_card(value: Json) -> bool:
    """Whether it is one card as an object."""
    return isinstance(value, dict) and _sides(value) is not None


def is_whole(value: dict[str, Json]) -> bool:
    """Whether it is a card with both of its sides, and not a model's prompt and response."""
    sides = _sides(value)
    return sides is not None and None not in sides[:2] and not sides[2].endswith("response")


def in_lines(text: str) -> list[Json] | None:
    """The cards of a text with lines such as “Q: ...” and “A: ...”, or with a table of Markdown; None of any other.

    >>> in_lines("Two cards:\\n**Q1:** One?\\n**A1:** 1")
    [{'Q': 'One?', 'A': '1'}]
    """
    lines = [line.rstrip() for line in text.split("\n", 4 * MOST)]
    if len(lines) > 4 * MOST:
        return None
    lines = [line for line in lines if not _FENCE.fullmatch(line)] if _FENCE.fullmatch(lines[0]) else lines
    return _tabled(lines) or _labelled(lines)


def _entries(value: Json, total: int | None, remarks: Remarks, depth: int) -> list[Json] | None:
    """What should be cards; None where there is no list of them."""
    if isinstance(value, (dict, list)) and len(value) > MOST:
        raise TooManyError
    if isinstance(value, list):
        return _listed(value, remarks, depth)
    if not isinstance(value, dict):
        return None
    if (entries := _numbered(value)) is not None:
        remarks[_WRAPPED] = "mended"
        return entries
    if (sides := _sides(value)) and not any(map(_holds_cards, value.values())):
        columns = _columns(value, sides)
        remarks["one card, not a list of cards" if columns is None else _PAIRS] = "mended"
        return [value] if columns is None else columns
    lists = [entry for entry in value.values() if isinstance(entry, list)]
    if with_cards := [entry for entry in lists if any(map(_is_card, entry))]:
        remarks[_SEVERAL if len(with_cards) > 1 else _WRAPPED] = "mended"
        return [card for entry in with_cards for card in _headless(entry)]
    if len(value) > 1 and len(beside := [entry for entry in value.values() if is_card(entry)]) > 1:
        remarks[_WRAPPED] = "mended"
        return beside
    if len(value) == total and total > 1 and all(isinstance(answer, str) for answer in value.values()):
        remarks[_PAIRS] = "mended"
        return [[question, answer] for question, answer in value.items()]
    for inner in value.values() if depth < _DEEPEST else ():
        if isinstance(inner, (dict, list)) and (entries := _entries(inner, total, remarks, depth + 1)) is not None:
            remarks[_WRAPPED] = "mended"
            return entries
    if len(lists) != 1:
        return None
    remarks[_WRAPPED] = "mended"
    return lists[0]


def _listed(value: list[Json], remarks: Remarks, depth: int) -> list[Json] | None:
    """The cards of a list, of the lists in it, or of those in its objects; deeper inside only what has cards."""
    if any(map(_is_card, value)):
        return _headless(value)
    if value and all(isinstance(entry, list) and any(map(_is_card, entry)) for entry in value):
        return [card for entry in value if isinstance(entry, list) for card in _headless(entry)]
    if value and depth < _DEEPEST and all(isinstance(entry, (dict, list)) for entry in value):
        groups = [_entries(entry, None, {}, depth + 1) for entry in value]
        groups = [group for group in groups if group and any(map(_is_card, group))]
        if groups:
            remarks[_SEVERAL if len(groups) > 1 else _WRAPPED] = "mended"
            return [card for group in groups if group for card in group]
    return None if depth else value


def _headless(value: list[Json]) -> list[Json]:
    """A list of pairs without a first one that only names their sides."""
    first = value[0] if value else None
    names = _sides(dict.fromkeys(side for side in first if isinstance(side, str))) if _is_pair(first) else None
    return value[1:] if names and None not in names[:2] else value


def _numbered(value: dict[str, Json]) -> list[Json] | None:
    """The cards of an object with keys such as “question 1” and “answer 1”."""
    cards: dict[str, dict[str, Json]] = {}
    for key, entry in value.items():
        name = key.rstrip("0123456789()_- ")
        cards.setdefault(key[len(name) :].strip("()_- "), {})[name] = entry
    is_whole = all((sides := _sides(card)) and None not in sides[:2] for card in cards.values())
    return [*cards.values()] if len(cards) > 1 and is_whole else None


def _columns(value: dict[str, Json], sides: "_Sides") -> list[Json] | None:
    """The cards of an object with a list of fronts and one of backs, as many."""
    front, back = (value.get(side or "") for side in sides[:2])
    if not (isinstance(front, list) and isinstance(back, list) and 0 < len(front) == len(back)):
        return None
    return [[question, answer] for question, answer in zip(front, back, strict=True)]


def _is_card(entry: Json) -> bool:
    if isinstance(entry, dict):
        return _sides(entry) is not None or _within(entry) is not None
    return _is_pair(entry)


def _holds_cards(value: Json) -> bool:
    """Whether it is a list with a card as an object, of which what stands beside it only says something."""
    return isinstance(value, list) and any(isinstance(entry, dict) and _is_card(entry) for entry in value)


def _is_pair(entry: Json) -> TypeGuard[list[Json]]:
    if not (isinstance(entry, list) and len(entry) == 2):
        return False
    return isinstance(entry[0], str) and isinstance(entry[1], (str, int, float))


_Sides: TypeAlias = tuple[str | None, str | None, str]


def _sides(entry: dict[str, Json]) -> _Sides | None:
    """The keys of a card's two sides as it has them, None for one that it lacks; and what they are called."""
    keys: dict[str, str] = {}
    for key, value in entry.items():
        if (side := _side(key[: _LONGEST + 1])) in _ROWS and not _is_around(value):
            keys.setdefault(side, key)
    if not keys:
        return None
    half: _Sides | None = None
    for row in sorted({_ROWS[side] for side in keys}):
        fronts, backs = _SIDES[row]
        front, back = (next((word for word in words if word in keys), "") for words in (fronts, backs))
        if front and back:
            return keys[front], keys[back], f"{front} and {back}"
        if half is None and (front or back) and not _WEAK.intersection((front, back)):
            half = keys.get(front), keys.get(back), front or back
    return half


def _is_around(value: Json) -> bool:
    """Whether cards may lie in it, so that it is no side of one."""
    if isinstance(value, dict):
        return any(isinstance(part, (dict, list)) for part in value.values())
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)


@lru_cache(maxsize=256)
def _side(key: str) -> str:
    """What a key calls a side: in any case and number, without words such as “text”.

    >>> _side("frontSide"), _side("Question_Text"), _side("ANSWERS:")
    ('front', 'question', 'answer')
    """
    words = [word.casefold() for word in _WORDS.findall(_INNER_CAPITAL.sub("_", key))] if len(key) <= _LONGEST else []
    word = " ".join([word for word in words if word not in _QUALIFIERS] or words)
    return word.removesuffix("s") if len(word) > 1 else word


def _within(entry: dict[str, Json]) -> dict[str, Json] | None:
    """The card in an object around it, such as {"card": {...}, "tags": [...]}, with what stands beside it."""
    inner = [(key, value) for key, value in entry.items() if isinstance(value, dict) and _sides(value)]
    if len(inner) != 1 or not isinstance(inner[0][1], dict):
        return None
    beside = {key: value for key, value in entry.items() if key != inner[0][0]}
    return unique([*inner[0][1].items(), *beside.items()])[0]


def _card(entry: Json, remarks: dict[str, Outcome]) -> Card:
    if _is_pair(entry):
        remarks[_PAIRS] = "mended"
        return Card(_say(entry[0]), _say(entry[1]), {})
    if not isinstance(entry, dict):
        remarks["a card that is not a question and an answer"] = ""
        return Card(_say(entry), "", {})
    if (inner := _within(entry)) and not _sides(entry):
        remarks["an object around each card"] = "mended"
        entry = inner
    if sides := _sides(entry):
        front, back, called = sides
        if front is None or back is None:
            remarks["a card without a question or without an answer"] = ""
        elif called != _USUAL:
            remarks[f"cards say {called} instead of question and answer"] = "mended"
        elif f"{front} and {back}" != _USUAL:
            remarks[f"cards say {front} and {back} instead of question and answer"] = "mended"
        if any(isinstance(side := entry.get(key or ""), dict) and _only_text(side) for key in (front, back)):
            remarks["an object around each side"] = "mended"
        more = {key: value for key, value in entry.items() if key not in (front, back)}
        return Card(_say(entry.get(front or "")), _say(entry.get(back or "")), more)
    remarks["a card with neither a question nor an answer"] = ""
    first, *rest = [f"{key}: {_say(value)}" for key, value in entry.items()] or [""]
    return Card(first, "\n".join(rest), {})


def _say(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, dict) and (text := _only_text(value)) is not None:
        return text
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _only_text(value: dict[str, Json]) -> str | None:
    """The text in an object that says no more, such as {"text": "..."} or {"S": "..."} as DynamoDB has it."""
    (key, text), *more = value.items() if value else [("", None)]
    return text if key in _TEXTS and isinstance(text, str) and not more else None


# --- texts that are no JSON


def _labelled(lines: list[str]) -> list[Json] | None:
    """The cards of lines that say which side they are; lines without belong to the side before."""
    cards: list[dict[str, list[str]]] = []
    side: list[str] = []
    for line in lines:
        if match := _LABEL.fullmatch(line):
            if match["front"]:
                cards.append({})
            label = match["front"] or match["back"]
            if not cards or label in cards[-1]:
                return None
            side = cards[-1][label] = [match["text"]]
        elif not _RULE.fullmatch(line):
            side.append(line)
    whole: list[Json] = []
    for card in cards:
        sides = _sides(dict.fromkeys(card))
        if not sides or None in sides[:2]:
            return None
        whole.append({label: "\n".join(text).strip() for label, text in card.items()})
    return whole or None


def _tabled(lines: list[str]) -> list[Json] | None:
    """The cards of the rows of tables whose heads name both sides."""
    cards: list[Json] = []
    head: list[str] = []
    for before, line in zip(["", *lines], lines, strict=False):
        if _TABLE_RULE.fullmatch(line.strip()):
            head = _cells(before)
            sides = _sides(dict.fromkeys(head))
            if not sides or None in sides[:2]:
                return None
        elif head and "|" in line and not _TABLE_RULE.fullmatch(line.strip()):
            cells = _cells(line)
            if len(cells) != len(head):
                return None
            cards.append(dict(zip(head, cells, strict=True)))
        else:
            head = []
    return cards or None


def _cells(row: str) -> list[str]:
    cells = _CELL_END.split(row.strip().removeprefix("|"))
    return [
        cell.strip().replace("\\|", "|") for cell in (cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells)
    ]
