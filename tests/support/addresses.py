"""The addresses of the pages."""

import pytest

PATHS = {
    "/": "Active students",
    "/student?user_id=user-101": "Writing level",
    "/evaluation?evaluation_id=speak-xyz789&user_id=user-456": "Well, I'd like to talk about...",
    "/compare?user_id=user-102": "Second evaluation",
    "/flashcards?user_id=user-099": "3 of 3 sets",
    "/flashcards?set_id=flashcard-set-123&user_id=user-456": "What is...",
    "/jobs": "What failures say, and when.",
    "/audit": "What no list shows",
    "/setup": "Checklist",
}


paths = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.split("?")[0] + path.partition("?")[2][:3])
