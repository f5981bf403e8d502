"""The deck for Anki: opened by Anki itself, and imported again."""

import io
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from anki.collection import Collection, ImportAnkiPackageRequest
from anki.notes import Note
from hypothesis import given
from hypothesis import strategies as st

from data.demo.sample import SEED_SET
from data.records import flashcards
from data.records.cards import Card
from data.records.flashcards import FlashcardSet
from data.records.parse import Issue
from exports import anki

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def a_set(*cards: Card, **more: Any) -> FlashcardSet:
    fields: dict[str, Any] = {
        "set_id": "set-1",
        "user_id": "user-1",
        "document_id": "uploads/user-1/Cell biology.pdf",
        "status": "completed",
        "cards": cards,
        "total_cards": len(cards),
        "page_count": 3,
        "chunk_count": 4,
        "created_at": MADE - timedelta(days=2),
        "original": "",
        "unread": "",
        "unknown": {},
        "issues": (),
        "raw": "{}",
    }
    return FlashcardSet(**{**fields, **more})


def made(chosen: FlashcardSet, when: datetime = MADE) -> bytes:
    return anki.package(chosen, zone=ZONE, source="Demo", made=when)


class Desk:
    """An Anki collection that packages are imported into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.collection = Collection(str(folder / "collection.anki2"))

    def take(self, package: bytes) -> None:
        path = self.folder / "set.apkg"
        path.write_bytes(package)
        self.collection.import_anki_package(ImportAnkiPackageRequest(package_path=str(path)))

    @property
    def notes(self) -> list[Note]:
        return [self.collection.get_note(number) for number in sorted(self.collection.find_notes(""))]

    @property
    def fields(self) -> list[list[str]]:
        return [note.fields for note in self.notes]

    @property
    def decks(self) -> list[str]:
        """The names of the decks that hold cards."""
        cards = [self.collection.get_card(number) for number in self.collection.find_cards("")]
        return sorted({self.collection.decks.name(card.did) for card in cards})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path)
    yield opened
    opened.collection.close()


def test_anki_opens_it_with_a_card_for_each(desk: Desk) -> None:
    desk.take(made(a_set(Card("What?", "That.", {}), Card("Why?", "So.", {"hint": "short", "pages": [1, 2]}))))
    assert desk.fields == [["What?", "That.", ""], ["Why?", "So.", "hint: short<br>pages: &#91;1, 2&#93;"]]
    assert desk.decks == ["BandUp::Cell biology.pdf"]
    assert desk.collection.card_count() == 2
    assert desk.notes[0].tags == ["bandup", "bandup-set::set-1"]
    deck = desk.collection.decks.by_name("BandUp::Cell biology.pdf")
    assert deck
    for text in (
        "2 cards",
        "set-1",
        "uploads/user-1/Cell biology.pdf",
        "27 Feb 2026, 19:00 (Asia/Ho_Chi_Minh)",
        "Demo",
    ):
        assert text in deck["desc"]


def test_the_specifications_set_goes_in(desk: Desk) -> None:
    chosen = flashcards.parse(
        {name: {"S": value} if isinstance(value, str) else {"N": str(value)} for name, value in SEED_SET.items()}
    )
    assert chosen.cards
    desk.take(made(chosen))
    assert [note.fields[:2] for note in desk.notes] == [[card.front, card.back] for card in chosen.cards]


def test_importing_again_updates_and_doubles_nothing(desk: Desk) -> None:
    desk.take(made(a_set(Card("What?", "That.", {}), Card("Why?", "So.", {}))))
    desk.take(made(a_set(Card("What?", "That.", {}), Card("Why?", "So.", {})), MADE + timedelta(minutes=1)))
    assert desk.fields == [["What?", "That.", ""], ["Why?", "So.", ""]]
    desk.take(
        made(
            a_set(Card("New?", "Yes.", {}), Card("Why?", "Better.", {}), Card("What?", "That.", {})),
            MADE + timedelta(days=1),
        )
    )
    assert sorted(desk.fields) == [["New?", "Yes.", ""], ["What?", "That.", ""], ["Why?", "Better.", ""]]
    assert desk.collection.card_count() == 3
    assert desk.decks == ["BandUp::Cell biology.pdf"]


def test_cards_that_ask_the_same_all_stay(desk: Desk) -> None:
    twice = a_set(Card("What?", "One.", {}), Card("What?", "Two.", {}), Card("", "Three.", {}), Card("", "", {}))
    for _ in range(2):
        desk.take(made(twice))
    assert desk.fields == [
        ["What?", "One.", ""],
        ["What?", "Two.", ""],
        ["(no question)", "Three.", ""],
        ["(no question)", "", ""],
    ]
    assert desk.collection.card_count() == 4


def test_sets_of_two_students_stay_apart(desk: Desk) -> None:
    for user_id in ("user-1", "user-2"):
        desk.take(made(a_set(Card("What?", user_id, {}), user_id=user_id)))
    assert sorted(desk.fields) == [["What?", "user-1", ""], ["What?", "user-2", ""]]


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "a & b < c > d \"e\" 'f'",
    "[sound:http://x.example/a.mp3] [latex]\\input{/etc/passwd}[/latex] [anki:tts lang=en_US]x[/anki:tts]",
    "\\(x^2\\) $x$ {{c1::cloze}} {{Answer}}",
    "two\nlines\r\nthree\ttab",
    "Nguyễn 日本語 متن ไทย 🙂",
    "a\x1fb\x00c\u202ed",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_wrote_is_shown_letter_for_letter(desk: Desk, text: str) -> None:
    desk.take(made(a_set(Card(text, text, {text: text}), document_id=text)))
    (note,) = desk.notes
    card = note.cards()[0]
    sides = card.question() + card.answer()
    for live in ("<img", "<script", "[sound:", "[latex]", "[anki:", "{{", "\x1f", "\x00", "\u202e"):
        # `{{` in a field is text: only a template is filled in.
        assert live not in sides or live == "{{"
    assert not card.question_av_tags() + card.answer_av_tags()
    plain = desk.collection.media.strip_av_tags(note.fields[0])
    assert plain == note.fields[0]
    assert len(desk.decks) == 1
    assert desk.decks[0].count("::") == 1
    assert 'class="side mathjax_ignore tex2jax_ignore"' in sides


def test_line_breaks_stay(desk: Desk) -> None:
    desk.take(made(a_set(Card("a\nb\r\nc\rd", "x", {}))))
    assert desk.fields[0][0] == "a<br>b<br>c<br>d"


@pytest.mark.parametrize(
    ("document_id", "name"),
    [
        ("a/b/Notes::part 1.pdf", "BandUp::Notes:part 1.pdf"),
        ("a/b/", "BandUp::b"),
        ("::", "BandUp::flashcards"),
        (None, "BandUp::set-1"),
        ("x" * 300, f"BandUp::{'x' * 100}"),
        ("a\nb\tc", "BandUp::a b c"),
        ("<img src=x onerror=\"alert('1')\">.pdf", "BandUp::‹img src=x onerror=”alert(’1’)”›.pdf"),
    ],
)
def test_the_deck_bears_the_documents_name(desk: Desk, document_id: str | None, name: str) -> None:
    desk.take(made(a_set(Card("a", "b", {}), document_id=document_id)))
    assert desk.decks == [name]


def test_it_says_when_cards_are_missing(desk: Desk) -> None:
    broken = (Issue("flashcards", "[...", "breaks off after 1 whole card", "broken"),)
    for chosen in (
        a_set(Card("a", "b", {}), total_cards=5),
        a_set(Card("a", "b", {}), total_cards=None, issues=broken),
    ):
        desk.take(made(chosen))
        deck = desk.collection.decks.by_name("BandUp::Cell biology.pdf")
        assert deck
        assert "cards that cannot be read are not in it" in deck["desc"]


def test_nothing_stays_in_the_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made(a_set(Card("a", "b", {})))
    assert list(tmp_path.iterdir()) == []


def test_the_same_set_has_the_same_ids_in_every_process() -> None:
    # Written down, because a change would double every deck that somebody has imported.
    assert anki._number("deck", "set-1", "user-1") == 1878645203688
    first, second = (guids(made(a_set(Card("a", "b", {})), MADE + timedelta(days=days))) for days in (0, 1))
    assert first == second == ["ydCCjyCm&A"]


def guids(package: bytes) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(zipfile.ZipFile(io.BytesIO(package)).read("collection.anki2"))
        return [guid for (guid,) in database.execute("select guid from notes order by id")]


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=4))
def test_no_text_stops_it(cards: list[tuple[str, str]]) -> None:
    chosen = a_set(*(Card(front, back, {front: back}) for front, back in cards))
    assert len(guids(made(replace(chosen, document_id=cards[0][0] if cards else None)))) == len(cards)
