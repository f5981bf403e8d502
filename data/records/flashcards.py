"""Records and frames of the flashcard sets table."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard

from data.dynamodb.reads import Item
from data.records import frames, salvage
from data.records.columns import Reading, always, completed
from data.records.parse import Fields, Issue, Json, Outcome, count, item_json, moment, one_of, text
from data.records.rows import Records
from data.schema import COMPLETED, FLASHCARD_SETS, STATUSES

_PAIRS = "cards as pairs instead of question and answer"
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")
_DEEPEST = 3  # objects around the list of cards
_SIDES = (("question", "answer"), ("front", "back"), ("term", "definition"), ("word", "meaning"), ("q", "a"))


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `back` is empty when the record has none; `more` holds what else it carries."""

    front: str
    back: str
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class FlashcardSet:
    """One set as far as it can be read; None where it cannot, and `issues` says why. `raw` is the item as JSON.

    `original` is the text of the cards where it was mended or breaks off, `unread` where it holds no cards.
    """

    set_id: str
    user_id: str
    document_id: str | None
    status: str | None
    cards: tuple[Card, ...]
    total_cards: int | None
    page_count: int | None
    chunk_count: int | None
    created_at: datetime | None
    original: str
    unread: str
    unknown: Mapping[str, Json]
    issues: tuple[Issue, ...]
    raw: str


def document_name(document_id: str | None) -> str:
    """A document's name out of its key in S3, without folders and ending; empty where there is none.

    >>> document_name("uploads/user-1/Cell biology.pdf"), document_name(None)
    ('Cell biology', '')
    """
    last = (document_id or "").rstrip("/").rpartition("/")[2]
    return _ENDING.sub("", last) or last


def parse(item: Item) -> FlashcardSet:
    """An item of the table as a record; never fails."""
    summary, fields = _records.summary(item)
    total = summary["total_cards"]
    cards, original, unread = _cards(fields, total)
    if summary["status"] == COMPLETED:
        if "flashcards" not in item:
            fields.note("flashcards", "missing, although the set is completed")
        elif total is not None and total != len(cards):
            fields.note("total_cards", f"says {total}, but {len(cards)} can be read")
    return FlashcardSet(
        set_id=summary["set_id"] or "",
        user_id=summary["user_id"] or "",
        document_id=summary["document_id"],
        status=summary["status"],
        cards=cards,
        total_cards=total,
        page_count=summary["page_count"],
        chunk_count=summary["chunk_count"],
        created_at=summary["created_at"],
        original=original,
        unread=unread,
        unknown=fields.unknown(FLASHCARD_SETS),
        issues=tuple(fields.issues),
        raw=item_json(item),
    )


_records = Records(
    FLASHCARD_SETS,
    {
        "status": Reading(one_of(STATUSES), always),
        "total_cards": Reading(count, completed),
        "page_count": Reading(count),
        "chunk_count": Reading(count),
        "set_id": Reading(text, always),
        "user_id": Reading(text, always),
        "document_id": Reading(text, completed),
        "created_at": Reading(moment, always),
    },
    frames.FLASHCARD_SETS,
    parse,
)
frame, history = _records.frame, _records.history
period, update = _records.period, _records.update
whole, get, find = _records.whole, _records.get, _records.find


def _cards(fields: Fields, total: int | None) -> tuple[tuple[Card, ...], str, str]:
    """The cards; their text where it was mended; the text in which there are none."""
    read = salvage.attribute(fields, "flashcards")
    remarks: dict[str, Outcome] = {}
    entries = None if read.failure else _entries(read.value, total, remarks)
    if read.broken and isinstance(read.value, dict) and _sides(read.value):
        entries = None  # an object that breaks off is no whole card
    if entries is None:
        if not read.failure and (read.text or read.value is not None):
            fields.note("flashcards", "breaks off in the first card" if read.broken else "no list of cards", "unread")
        if read.value is None:
            return (), "", read.unread
        return (), "", read.text or json.dumps(read.value, ensure_ascii=False, indent=2)
    cards = tuple(_card(entry, remarks) for entry in entries)
    if read.broken:
        remarks[f"breaks off after {len(cards)} whole {'card' if len(cards) == 1 else 'cards'}"] = "broken"
    for reason, outcome in sorted(remarks.items()):
        fields.note("flashcards", reason, outcome)
    return cards, read.original or (read.text if "mended" in remarks.values() else ""), ""


def _entries(value: Json, total: int | None, remarks: dict[str, Outcome], depth: int = 0) -> list[Json] | None:
    """What should be cards, in its order, wherever it lies; None where there is no list of them."""
    if isinstance(value, list):
        several = bool(value) and all(isinstance(entry, list) and any(map(_is_card, entry)) for entry in value)
        return [card for entry in value for card in entry] if several else value  # type: ignore[union-attr]
    if not isinstance(value, dict):
        return None
    if _sides(value):
        remarks["one card, not a list of cards"] = "mended"
        return [value]
    lists = [entry for entry in value.values() if isinstance(entry, list)]
    with_cards = [entry for entry in lists if any(map(_is_card, entry))] or (lists if len(lists) == 1 else [])
    if not with_cards and len(value) > 1 and all(isinstance(v, dict) and _sides(v) for v in value.values()):
        with_cards = [list(value.values())]
    if with_cards:
        several = len(with_cards) > 1
        remarks["several lists of cards" if several else "an object around the list of cards"] = "mended"
        return [card for entry in with_cards for card in entry]
    if len(value) == total and total > 1 and all(isinstance(answer, str) for answer in value.values()):
        remarks[_PAIRS] = "mended"
        return [[question, answer] for question, answer in value.items()]
    if depth < _DEEPEST:
        for inner in value.values():
            if isinstance(inner, dict) and (entries := _entries(inner, total, remarks, depth + 1)) is not None:
                remarks["an object around the list of cards"] = "mended"
                return entries
    return None


def _is_card(entry: Json) -> bool:
    if isinstance(entry, dict):
        return _sides(entry) is not None or _within(entry) is not None
    return _is_pair(entry)


def _is_pair(entry: Json) -> TypeGuard[list[Json]]:
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(side, str) for side in entry)


def _sides(entry: dict[str, Json]) -> tuple[str | None, str | None, int] | None:
    """The keys of a card's two sides as it has them, None for one that it lacks; and which of _SIDES they are."""
    keys: dict[str, str] = {}
    for key in entry:
        keys.setdefault(key.strip().casefold(), key)
    for number, (front, back) in enumerate(_SIDES):
        if front in keys or back in keys:
            return keys.get(front), keys.get(back), number
    return None


def _within(entry: dict[str, Json]) -> dict[str, Json] | None:
    """The card in an object around it alone, such as {"card": {...}}."""
    (inner,) = entry.values() if len(entry) == 1 else (None,)
    return inner if isinstance(inner, dict) and _sides(inner) else None


def _card(entry: Json, remarks: dict[str, Outcome]) -> Card:
    if _is_pair(entry):
        remarks[_PAIRS] = "mended"
        return Card(_say(entry[0]), _say(entry[1]), {})
    if not isinstance(entry, dict):
        remarks["a card that is not a question and an answer"] = ""
        return Card(_say(entry), "", {})
    if inner := _within(entry):
        remarks["an object around each card"] = "mended"
        entry = inner
    if sides := _sides(entry):
        front, back, number = sides
        if number:
            usual = " and ".join(_SIDES[number])
            remarks[f"cards say {usual} instead of question and answer"] = "mended"
        elif front is None or back is None:
            remarks["a card without a question or without an answer"] = ""
        elif (front, back) != _SIDES[0]:
            remarks[f"cards say {front} and {back} instead of question and answer"] = "mended"
        more = {key: value for key, value in entry.items() if key not in (front, back)}
        return Card(_say(entry.get(front or "")), _say(entry.get(back or "")), more)
    remarks["a card with neither a question nor an answer"] = ""
    first, *rest = [f"{key}: {_say(value)}" for key, value in entry.items()] or [""]
    return Card(first, "\n".join(rest), {})


def _say(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
