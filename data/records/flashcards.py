"""Records and frames of the flashcard sets table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from data.dynamodb.reads import Item
from data.records import cards, frames, salvage
from data.records.cards import Card
from data.records.columns import Reading, always, completed
from data.records.parse import Fields, Issue, Json, count, indented, item_json, moment, one_of, text
from data.records.rows import Records
from data.schema import COMPLETED, FLASHCARD_SETS, STATUSES

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")


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
    deck, original, unread = _cards(fields, total)
    if summary["status"] == COMPLETED:
        if "flashcards" not in item:
            fields.note("flashcards", "missing, although the set is completed")
        elif total is not None and total != len(deck):
            fields.note("total_cards", f"says {total}, but {len(deck)} can be read")
    return FlashcardSet(
        set_id=summary["set_id"] or "",
        user_id=summary["user_id"] or "",
        document_id=summary["document_id"],
        status=summary["status"],
        cards=deck,
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
    read = salvage.attribute(fields, "flashcards", cards.in_lines)
    remarks: cards.Remarks = {}
    # An object that breaks off is no whole card.
    has_none = read.failure or (read.broken and cards.is_card(read.value))
    value = read.value
    if "several" in read.mends and isinstance(value, list) and isinstance(value[0], list):
        first, last = value[0], value[-1]
        is_again = last == first or (read.broken and isinstance(last, list) and last == first[: len(last)])
        if is_again and all(piece == first for piece in value[:-1]):
            value = first  # a model that repeated itself
    deck, reason = None, "breaks off in the first card" if read.broken else "no list of cards"
    try:
        deck = None if has_none else cards.read(value, total, remarks, broken=read.broken)
    except cards.TooManyError:
        reason = f"more than {cards.MOST:,} entries"
    if deck is None:
        if not read.failure and (read.text or read.value is not None):
            fields.note("flashcards", reason, "unread")
        if read.value is None:
            return (), "", read.unread
        return (), "", read.text or indented(read.value)
    if read.broken:
        remarks[f"breaks off after {len(deck)} whole {'card' if len(deck) == 1 else 'cards'}"] = "broken"
    for reason, outcome in sorted(remarks.items()):
        fields.note("flashcards", reason, outcome)
    return deck, read.original or (read.text if "mended" in remarks.values() else ""), ""
