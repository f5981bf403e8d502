"""The addresses of the pages."""

import pytest

PATHS = {
    "/": "All students",
    "/student?user_id=user-101": "Download report",
    "/evaluation?evaluation_id=speak-xyz789&user_id=user-456": "Well, I'd like to talk about...",
    "/compare?user_id=user-102": "Second evaluation",
    "/flashcards?user_id=user-099": "3 sets",
    "/flashcards?set_id=flashcard-set-123&user_id=user-456": "What is...",
    "/lessons": "median level",
    "/jobs": "Errors",
    "/audit": "Missing from indexes",
    "/setup": "Checklist",
}


paths = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.split("?")[0] + path.partition("?")[2][:3])
