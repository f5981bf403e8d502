"""What a page says of a flashcard set whose cards are not there."""

import pytest

from data.records import flashcards
from ui.students import cards


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("completed", "This set has no cards."),
        ("failed", "No cards: creating this set failed. To try again, upload the document once more."),
        ("processing", "Still being created."),
        ("lost", "This set has no cards."),
    ],
)
def test_a_set_without_cards_is_only_being_created_while_it_is(status: str, sentence: str) -> None:
    deck = flashcards.parse({"set_id": {"S": "s"}, "user_id": {"S": "u"}, "status": {"S": status}})
    assert cards.none(deck) == sentence
