"""Failure messages of one cause fall into one group, those of different causes do not."""

from typing import Any

import pytest

from analysis import fingerprints
from analysis.fingerprints import SILENT, signature

# Each line: messages that say the same of different cases. As Lambda, botocore, httpx, Gemini and our own code write.
GROUPS = [
    [
        "Task timed out after 900.05 seconds",
        "Task timed out after 899.98 seconds",
        "Task timed out after 900 seconds",
        "Task timed out after 3 seconds",
    ],
    [
        "ThrottlingException: Too many requests to model gemini-2.5-flash, retry after 31 ms (request 7f3a9c0d11e2)",
        "ThrottlingException: Too many requests to model gemini-2.5-flash, retry after 9 ms (request 480112395123)",
        "ThrottlingException: Too many requests to model gemini-2.5-flash, retry after 1200 ms (request abcdefabcdef)",
    ],
    [
        "JSONDecodeError: Expecting ',' delimiter: line 1 column 4 (char 3)",
        "JSONDecodeError: Expecting ',' delimiter: line 12 column 381 (char 10442)",
    ],
    [
        "Audio file uploads/audio/user-101/4f8c2a1b.webm could not be decoded: no audio stream",
        "Audio file uploads/audio/user-140/9d1e77c0.mp3 could not be decoded: no audio stream",
    ],
    [
        "ReadTimeoutError: HTTPSConnectionPool(host='models.example', port=443): Read timed out. (60)",
        "ReadTimeoutError: HTTPSConnectionPool(host='models.example', port=443): Read timed out. (30)",
    ],
    ["The essay has only 12 words; at least 50 are needed", "The essay has only 3 words; at least 50 are needed"],
    [
        "RequestId: 8f14e45f-ceea-467f-a9a1-0b6c8d0d2f11 Error: Runtime exited with error: signal: killed",
        "RequestId: c9f0f895-fb98-4b91-8a3e-5d2f0c1b7e42 Error: Runtime exited with error: signal: killed",
    ],
    [
        "An error occurred (NoSuchKey) when calling GetObject: s3://bandup/uploads/a1b2.pdf does not exist",
        "An error occurred (NoSuchKey) when calling GetObject: s3://bandup/uploads/zz/9.pdf does not exist",
    ],
    [
        "User: arn:aws:sts::123456789012:assumed-role/x/y is not authorized to perform: bedrock:InvokeModel",
        "User: arn:aws:sts::210987654321:assumed-role/z/w is not authorized to perform: bedrock:InvokeModel",
    ],
    [
        "ValidationException: Too many input tokens. Max input tokens: 8192, request input token count: 9011",
        "ValidationException: Too many input tokens. Max input tokens: 8192, request input token count: 14,202",
    ],
    ["No text found on any of 3 pages", "No text found on any of 48 pages"],
    [
        "PDF uploads/documents/user-1/vocab.pdf is encrypted",
        "PDF uploads/documents/user-77/My-List_v2.pdf is encrypted",
    ],
    ["503 Service Unavailable at 2026-03-01T12:00:00Z", "503 Service Unavailable at 2026-11-20 08:15:31.123+07:00"],
    ["connect ECONNREFUSED 10.0.3.17:5432", "connect ECONNREFUSED 10.0.9.201:5432"],
    [
        "user-104: audio longer than allowed (612.4 s)",
        "user-131: audio longer than allowed (1,204 s)",
    ],
    ["Model returned band 11 for eval-abc123", "Model returned band 10 for eval-9f8e7d"],
    ["KeyError: 'overall_band'"],
    ["KeyError: 'feedback'"],
    [
        "MemoryError at 0x7f1c2a3b4c5d",
        "MemoryError at 0x7f9e00aa10ff",
    ],
    [
        "Could not reach https://api.example.com/v1/score?id=77&x=2",
        "Could not reach https://api.example.com/v1/score?id=1234",
    ],
    ["ResourceExhausted: 429 Quota exceeded for quota metric 'requests' and limit '60'"],
    ["Transcription confidence 0.31 is too low", "Transcription confidence 0.07 is too low"],
    ["Disk full: 512 MB of 512 MB used", "Disk full: 10240 MB of 10240 MB used", "Disk full: 1 MB of 2 MB used"],
    ["Retry 3 of 5 failed after 60s", "Retry 1 of 5 failed after 120s"],
    ["Unsupported audio codec", "Unsupported  audio\ncodec"],
    ["Notify teacher@school.example failed", "Notify other.person+x@mail.example failed"],
    [
        "Provisioned throughput exceeded for table bandup-evaluations after 5 attempts",
        "Provisioned throughput exceeded for table bandup-evaluations after 12 attempts",
    ],
]
MESSAGES = [(n, message) for n, group in enumerate(GROUPS) for message in group]


def test_there_are_enough_messages_to_mean_something() -> None:
    assert len(MESSAGES) >= 50
    assert len({signature(message) for _, message in MESSAGES}) == len(GROUPS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0][:40])
def test_messages_of_one_cause_have_one_signature(group: list[str]) -> None:
    assert len({signature(message) for message in group}) == 1


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (None, SILENT),
        ("", SILENT),
        ("   \n", SILENT),
        ("Task timed out after 900.05 seconds", "Task timed out after <n> seconds"),
        ("at 12:30:05 on 2026-03-01", "at <time> on <time>"),
        ("HTTP 429", "HTTP <n>"),
        ("gemini-2.5-flash is overloaded", "gemini-2.5-flash is overloaded"),  # a model's name is no number
        ("x" * 400, "x" * 159 + "…"),
        ("request 0f9 failed", "request 0f9 failed"),  # too short to be an id
    ],
)
def test_what_varies_is_taken_out_and_what_tells_stays(message: str | None, expected: str) -> None:
    assert signature(message) == expected


def test_a_signature_of_a_signature_is_itself() -> None:
    for _, message in MESSAGES:
        assert signature(signature(message)) == signature(message)


class Counting:
    """A pattern that counts the characters that it is asked to look at."""

    def __init__(self, pattern: Any, counts: list[int]) -> None:
        self.pattern, self.counts = pattern, counts

    def sub(self, word: str, text: str) -> str:
        self.counts.append(len(text))
        return str(self.pattern.sub(word, text))


@pytest.mark.parametrize("piece", ["a-", "a1-", "a/", "a.", "user-", "a@", "1,", "arn:aws-", "é-", "\n"])
def test_a_message_costs_no_more_however_long_it_is(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    counting = tuple((word, Counting(pattern, counts)) for word, pattern in fingerprints._VARYING)
    monkeypatch.setattr(fingerprints, "_VARYING", counting)
    steps = []
    for length in (10_000, 60_000, 600_000):
        counts.clear()
        signature((piece * length)[:length])
        steps.append(sum(counts))
    assert steps[0] == steps[1] == steps[2]
    assert steps[0] <= 10_000 * len(counting)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("cannot open ./a/b.json now", "cannot open <file> now"),
        ("cannot open /var/task/app.py now", "cannot open <file> now"),
        ("key=uploads/x.pdf is gone", "key=<file> is gone"),
        ("-x.y+z@mail.example bounced", "<e-mail> bounced"),
        ("of flashcard-set-ef72985d, of session_9", "of <id>, of <id>"),
    ],
)
def test_files_addresses_and_ids_are_taken_out_wherever_they_begin(message: str, expected: str) -> None:
    assert signature(message) == expected
