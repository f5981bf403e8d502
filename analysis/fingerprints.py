"""What failure messages have in common: the message with everything that differs from case to case taken out."""

import re

SILENT = "No error message"

_LONGEST = 160
_READ = 2_000
"""Characters of a message that count: what tells causes apart stands at its beginning."""

# In this order: what contains others comes first. Each becomes the word in brackets. Messages are foreign text: where a
# pattern can fail at the end of a run of characters, it begins only where the run does, so that no run is read twice.
_VARYING: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("<url>", re.compile(r"\b(?:https?|s3)://[^\s\"'<>)\]]+")),
    ("<arn>", re.compile(r"\barn:aws[\w-]*:[^\s\"'<>,)\]]+")),
    ("<e-mail>", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+\b")),
    ("<time>", re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\b")),
    ("<time>", re.compile(r"\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\b")),
    ("<id>", re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b")),
    ("<file>", re.compile(r"(?<![\w<./-])/*(?:[\w.-]+/)+[\w.-]*\.[A-Za-z0-9]{2,5}\b")),
    ("<address>", re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b")),
    (
        "<id>",
        re.compile(
            r"\b(?:user|eval|speak|set|flashcard-set|session|req|request|job)[-_][\w-]{0,64}\d[\w-]*", re.IGNORECASE
        ),
    ),
    ("<id>", re.compile(r"\b0x[0-9a-fA-F]+\b")),
    ("<id>", re.compile(r"(?<=request )[\w-]{6,}|(?<=requestid: )[\w-]{6,}", re.IGNORECASE)),
    ("<id>", re.compile(r"\b\d{10,}\b")),
    # Long mixtures of letters and digits: request ids, hashes, keys.
    ("<id>", re.compile(r"\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9_-]{12,}\b")),
    ("<id>", re.compile(r"\b(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{6,}\b")),
    ("<n>", re.compile(r"(?<![\w<-])[-+]?\d[\d,.]*\d(?![\w-])|(?<![\w<-])[-+]?\d+(?![\w-])")),
    ("<n>", re.compile(r"(?<=\s)\d+(?=(?:ms|s|kb|mb|gb)\b|%)")),
)


def signature(message: str | None) -> str:
    """The message without ids, numbers, times, addresses and files, on one line, at most 160 characters.

    >>> signature("Task timed out after 900.05 seconds") == signature("Task timed out after 899.97 seconds")
    True
    >>> signature("user-104: request 7f3a9c0d11e2 denied at 12:30")
    '<id>: request <id> denied at <time>'
    >>> signature(None)
    'No error message'
    """
    if message is None or not message.strip():
        return SILENT
    text = message[:_READ]
    for word, pattern in _VARYING:
        text = pattern.sub(word, text)
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
