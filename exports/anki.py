"""A flashcard set as a deck for Anki. Text of others is shown there letter for letter, as it is here."""

import hashlib
import html
import io
import itertools
import json
import re
import sqlite3
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from data.records.cards import Card
from data.records.flashcards import FlashcardSet
from exports import spreadsheets
from wording import foreign_text, formats

if TYPE_CHECKING:
    import genanki

# Never to change: Anki knows by it that a note is of this kind, and updates it when the set is imported again.
_MODEL = 1_764_028_800_001
_FIELDS = ("Question", "Answer", "More")
_LONGEST_NAME = 100
_NO_HTML = str.maketrans({"<": "‹", ">": "›", '"': "”", "'": "’", "`": "’"})
# MathJax would take “\(x\)” for a formula; these are the classes that its versions leave alone.
_SIDE = '<div dir="auto" class="side mathjax_ignore tex2jax_ignore">{{%s}}</div>'
_CSS = """.card { font-family: sans-serif; font-size: 20px; line-height: 1.5; text-align: center; }
.side { white-space: pre-wrap; overflow-wrap: anywhere; }
.more { font-size: 16px; text-align: start; margin-top: 1em; }"""


def package(chosen: FlashcardSet, *, zone: ZoneInfo, source: str, made: datetime) -> bytes:
    """The cards of a set as an .apkg file, which Anki opens: a deck “BandUp::name of the document”, without media.

    Deck and notes have ids that follow from the set and the card, so that importing again updates what is there.
    """
    # Here, because most visitors take no deck away.
    import genanki  # noqa: PLC0415

    deck = genanki.Deck(
        _number("deck", chosen.set_id, chosen.user_id), _name(chosen), _about(chosen, zone, source, made)
    )
    model = _model()
    seen: dict[str, int] = {}
    for card in chosen.cards:
        seen[card.front] = seen.get(card.front, 0) + 1
        deck.add_note(
            genanki.Note(
                model=model,
                fields=_fields(card),
                tags=["bandup", f"bandup-set::{_tag(chosen.set_id)}"],
                # By the question, not the place: an answer that was mended stays the same card.
                guid=genanki.guid_for(json.dumps([chosen.set_id, chosen.user_id, card.front, seen[card.front]])),
            )
        )
    return _packed(genanki.Package(deck), made.timestamp())


def _packed(deck: "genanki.Package", timestamp: float) -> bytes:
    """Made in memory: genanki's own `write_to_file` leaves a copy of the cards in the folder for temporary files."""
    database = sqlite3.connect(":memory:")
    try:
        deck.write_to_db(database.cursor(), timestamp, itertools.count(int(timestamp * 1000)))
        database.commit()
        collection = database.serialize()
    finally:
        database.close()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("collection.anki2", collection)
        archive.writestr("media", "{}")
    return buffer.getvalue()


def _model() -> "genanki.Model":
    import genanki  # noqa: PLC0415

    return genanki.Model(
        _MODEL,
        "BandUp card",
        fields=[{"name": name} for name in _FIELDS],
        templates=[
            {
                "name": "Card",
                "qfmt": _SIDE % "Question",
                "afmt": "{{FrontSide}}<hr id=answer>"
                + _SIDE % "Answer"
                + '{{#More}}<div class="more">'
                + _SIDE % "More"
                + "</div>{{/More}}",
            }
        ],
        css=_CSS,
    )


def _fields(card: Card) -> list[str]:
    # A note without a question would have no card.
    return [_literal(part) for part in (card.front or "(no question)", card.back, "\n".join(spreadsheets.more(card)))]


def _literal(text: str) -> str:
    """Text as a field, which is HTML. Square brackets too: “[sound:…]” would play a file, “[latex]” run a program."""
    escaped = html.escape(_storable(text)).replace("[", "&#91;").replace("]", "&#93;")
    return "<br>".join(re.split(r"\r\n|[\r\n]", escaped))


def _storable(text: str) -> str:
    """Hidden characters visible, line ends kept, halves of surrogate pairs (SQLite takes none) replaced."""
    lines = re.split(r"\r\n|[\r\n]", text)
    return "\n".join(foreign_text.visible(line) for line in lines).encode("utf-8", "replace").decode("utf-8")


def _name(chosen: FlashcardSet) -> str:
    """The document's name, without what makes more of it: “::” is a deck inside a deck, and versions of Anki until
    2025 take a deck's name for HTML. Escaped it would read as “&lt;” in the others."""
    document = (chosen.document_id or "").rstrip("/").split("/")[-1] or chosen.set_id or "flashcards"
    plain = _storable(document).translate(_NO_HTML)
    safe = re.sub(":{2,}", ":", " ".join(plain.split())).strip(": ")
    return f"BandUp::{safe[:_LONGEST_NAME].strip(': ') or 'flashcards'}"


def _about(chosen: FlashcardSet, zone: ZoneInfo, source: str, made: datetime) -> str:
    """The deck's description."""
    parts = {
        "Flashcards": formats.count(len(chosen.cards), "card"),
        "Set": chosen.set_id,
        "Document": chosen.document_id or "unknown",
        "Created": formats.zoned(chosen.created_at, zone),
        "Source": source,
        "Made": formats.zoned(made, zone),
    }
    if spreadsheets.missing_cards(chosen):
        parts["Complete"] = "no: cards that cannot be read are not in it"
    return "<br>".join(f"{name}: {_literal(value)}" for name, value in parts.items())


def _tag(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[:_LONGEST_NAME] or "unknown"


def _number(*of: str) -> int:
    """An id of the size of Anki's own, which are times in milliseconds, always the same for the same words."""
    digest = hashlib.sha256(json.dumps(of).encode()).digest()
    return (1 << 40) + int.from_bytes(digest[:8]) % (1 << 40)
