"""Records and frames of the flashcard sets table."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from data.dynamodb.store import Item, Read, Store
from data.records import periods, rows
from data.records.columns import Columns
from data.records.parse import Fields, Issue, Json, item_json
from data.schema import COMPLETED, FLASHCARD_SETS, STATUSES

_DECLARED = set(FLASHCARD_SETS.types)
_SIDES = (("question", "answer"), ("front", "back"), ("term", "definition"), ("word", "meaning"), ("q", "a"))


@dataclass(frozen=True, slots=True)
class Card:
    """One card. `back` is empty when the record has none; `more` holds what else it carries."""

    front: str
    back: str
    more: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class FlashcardSet:
    """One set as far as it can be read; None where it cannot, and `issues` says why. `raw` is the item as JSON."""

    set_id: str
    user_id: str
    document_id: str | None
    status: str | None
    cards: tuple[Card, ...]
    total_cards: int | None
    page_count: int | None
    chunk_count: int | None
    created_at: datetime | None
    unread: str
    unknown: Mapping[str, Json]
    issues: tuple[Issue, ...]
    raw: str


def parse(item: Item) -> FlashcardSet:
    """An item of the table as a record; never fails. `unread` is the flashcards' text when it holds no cards."""
    fields = Fields(item)
    summary = _summary(fields)
    cards, unread = _cards(fields)
    total = summary["total_cards"]
    if summary["status"] == COMPLETED:
        if "flashcards" not in item:
            fields.note("flashcards", "missing, although the set is completed")
        elif not math.isnan(total) and int(total) != len(cards):
            fields.note("total_cards", f"says {int(total)}, but {len(cards)} can be read")
    return FlashcardSet(
        set_id=summary["set_id"] or "",
        user_id=summary["user_id"] or "",
        document_id=summary["document_id"],
        status=summary["status"],
        cards=cards,
        total_cards=_or_none(total),
        page_count=_or_none(summary["page_count"]),
        chunk_count=_or_none(summary["chunk_count"]),
        created_at=summary["created_at"],
        unread=unread,
        unknown=fields.unknown(_DECLARED),
        issues=tuple(fields.issues),
        raw=item_json(item),
    )


def frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per set, in the order given.

    Columns: set_id, user_id, document_id, status (str or None); total_cards, page_count, chunk_count (float64, NaN
    unknown); created_at (datetime64[us, UTC], NaT unknown); issues (tuple of Issue, about these columns only).
    """
    return rows.to_frame(items, FLASHCARD_SETS, _columns, _summary, _TYPES)


def of_student(store: Store, user_id: str, *, by_scan: bool = False) -> Read[pd.DataFrame]:
    """A student's sets of every status, newest first, those without a readable time last."""
    read = rows.of_student(store, FLASHCARD_SETS, user_id, by_scan=by_scan)
    return read.map(lambda items: rows.newest_first(frame(items)))


def period(store: Store, first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """Everybody's sets created from `first` to `last`, newest first."""
    return periods.read(store, FLASHCARD_SETS, frame, first, last)


def update(store: Store, before: Read[pd.DataFrame], first: datetime, last: datetime) -> Read[pd.DataFrame]:
    """What `period` would give now, reading only what can have changed since `before`."""
    return periods.update(store, FLASHCARD_SETS, frame, before, first, last)


def whole(store: Store, keys: Iterable[tuple[str, str]]) -> Iterator[Read[list[FlashcardSet]]]:
    """The sets of `keys` (set_id, user_id) with their cards, a batch at a time."""
    return rows.whole(store, FLASHCARD_SETS, keys, parse)


def get(store: Store, set_id: str, user_id: str) -> Read[FlashcardSet | None]:
    """One set by both keys, None when there is none."""
    read = store.get(FLASHCARD_SETS, {"set_id": set_id, "user_id": user_id})
    return read.map(lambda item: None if item is None else parse(item))


def find(store: Store, set_id: str) -> Read[list[FlashcardSet]]:
    """The sets of that id: one as a rule, several only when students share the id."""
    read = store.query(FLASHCARD_SETS, ("set_id", set_id), cap=100)
    return read.map(lambda items: [parse(item) for item in items])


_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("set_id", "user_id", "document_id", "status"), "object"),
    **dict.fromkeys(("total_cards", "page_count", "chunk_count"), "float64"),
}


def _summary(fields: Fields) -> dict[str, Any]:
    status = fields.text("status", required=True)
    if status is not None and status not in STATUSES:
        fields.note("status", "not one of processing, completed, failed")
    done = status == COMPLETED
    counts = {
        name: fields.count(name, required=done and name == "total_cards")
        for name in ("total_cards", "page_count", "chunk_count")
    }
    return {
        "set_id": fields.text("set_id", required=True),
        "user_id": fields.text("user_id", required=True),
        "document_id": fields.text("document_id", required=done),
        "status": status,
        **{name: math.nan if count is None else float(count) for name, count in counts.items()},
        "created_at": fields.moment("created_at"),
    }


def _columns(columns: Columns) -> dict[str, Any]:
    """What `_summary` reads, of many records at once."""
    statuses = columns.choice("status", STATUSES)
    done = np.array([status == COMPLETED for status in statuses], dtype=bool)
    return {
        "set_id": columns.text("set_id", required=True),
        "user_id": columns.text("user_id", required=True),
        "document_id": columns.text("document_id", required=done),
        "status": statuses,
        "total_cards": columns.count("total_cards", required=done),
        "page_count": columns.count("page_count"),
        "chunk_count": columns.count("chunk_count"),
        "created_at": columns.moment("created_at"),
    }


def _cards(fields: Fields) -> tuple[tuple[Card, ...], str]:
    """The cards, and the text in which none could be found."""
    noted = len(fields.issues)
    held = fields.json("flashcards")
    if held is None and "flashcards" in fields.item and len(fields.issues) == noted:
        fields.note("flashcards", "not a list of cards")
    if isinstance(held, str):
        held = _salvage(fields, held)
    if isinstance(held, dict):
        lists = [value for value in held.values() if isinstance(value, list)]
        if len(lists) == 1:
            fields.note("flashcards", "an object around the list of cards")
            held = lists[0]
    if held is None:
        return (), ""
    if not isinstance(held, list):
        fields.note("flashcards", "not a list of cards")
        return (), held if isinstance(held, str) else json.dumps(held, ensure_ascii=False, indent=2)
    odd: set[str] = set()
    cards = tuple(_card(entry, odd) for entry in held)
    for reason in sorted(odd):
        fields.note("flashcards", reason)
    return cards, ""


def _salvage(fields: Fields, text: str) -> Json:
    """The whole entries at the start of a list that breaks off; the text itself when there are none."""
    decoder, entries, position = json.JSONDecoder(), [], text.find("[") + 1
    if text[:position].strip() != "[":
        return text
    while True:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            _, end = decoder.raw_decode(text, position)
            entries.append(fields.decode("flashcards", text[position:end]))
            position = end
        except (ValueError, RecursionError):
            break
    if not entries:
        return text
    # What breaks off was no JSON as a whole; a list that is whole here was encoded as JSON twice.
    whole = text[position:].strip() == "]"
    fields.note(
        "flashcards", "a JSON list inside a JSON string" if whole else f"breaks off after {len(entries)} whole cards"
    )
    return entries


def _card(entry: Json, odd: set[str]) -> Card:
    if not isinstance(entry, dict):
        odd.add("a card that is not a question and an answer")
        return Card(_say(entry), "", {})
    for front, back in _SIDES:
        if front in entry or back in entry:
            if front != "question":
                odd.add(f"cards say {front} and {back} instead of question and answer")
            elif front not in entry or back not in entry:
                odd.add("a card without a question or without an answer")
            more = {key: value for key, value in entry.items() if key not in (front, back)}
            return Card(_say(entry.get(front)), _say(entry.get(back)), more)
    odd.add("a card with neither a question nor an answer")
    first, *rest = [f"{key}: {_say(value)}" for key, value in entry.items()] or [""]
    return Card(first, "\n".join(rest), {})


def _say(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _or_none(number: float) -> int | None:
    return None if math.isnan(number) else int(number)
