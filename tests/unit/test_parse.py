"""What odd records become: read as far as they can be, each departure named, nothing lost and nothing raised."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import cards, evaluations, flashcards
from data.records.cards import Card
from data.records.evaluations import Evaluation
from data.records.flashcards import FlashcardSet
from data.records.parse import Issue, Json, indented, item_json, plain, sound
from data.schema import BANDS
from tests.support.examples import examples
from tests.support.items import EVALUATION, SET, Item, changed, fuzzed, items, json_texts

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SEED_TIME = datetime(2024, 12, 8, 8, 0, tzinfo=UTC)  # 1733644800, the time of the specification's three examples


def evaluation(**attributes: Item | None) -> Evaluation:
    return evaluations.parse(changed(EVALUATION, **attributes))


def flashcard_set(**attributes: Item | None) -> FlashcardSet:
    return flashcards.parse(changed(SET, **attributes))


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def test_a_record_as_specified_has_no_issues() -> None:
    assert evaluation().issues == ()
    assert flashcard_set().issues == ()


# --- bands

BAND_CASES: dict[str, tuple[Item | None, float, tuple[str, str] | None]] = {
    # stored value, the band, (value, reason) of the issue
    "zero": ({"S": "0.0"}, 0.0, None),
    "half": ({"S": "6.5"}, 6.5, None),
    "nine": ({"S": "9.0"}, 9.0, None),
    "number": ({"N": "7"}, 7.0, ("7", "stored as a number, not as text such as “7.0”")),
    "number with a half": ({"N": "7.5"}, 7.5, ("7.5", "stored as a number, not as text such as “7.0”")),
    "number out of range": ({"N": "12"}, math.nan, ("12", "outside 0 to 9")),
    "number with an exponent": ({"N": "1e1"}, math.nan, ("1e1", "not a number")),
    "empty": ({"S": ""}, math.nan, ("", "empty")),
    "spaces": ({"S": "  "}, math.nan, ("  ", "empty")),
    "no decimal": ({"S": "7"}, 7.0, ("7", "not written with one decimal, such as “7.0”")),
    "two decimals": ({"S": "7.00"}, 7.0, ("7.00", "not written with one decimal, such as “7.0”")),
    "space around": ({"S": " 7.0\n"}, 7.0, (" 7.0\n", "not written with one decimal, such as “7.0”")),
    "comma": ({"S": "7,0"}, 7.0, ("7,0", "written with a comma, not as “7.0”")),
    "words": ({"S": "N/A"}, math.nan, ("N/A", "not a number")),
    "not-a-number": ({"S": "NaN"}, math.nan, ("NaN", "not a number")),
    "infinity": ({"S": "inf"}, math.nan, ("inf", "not a number")),
    "above nine": ({"S": "9.5"}, math.nan, ("9.5", "outside 0 to 9")),
    "below zero": ({"S": "-1"}, math.nan, ("-1", "outside 0 to 9")),
    "quarter": ({"S": "6.25"}, 6.25, ("6.25", "not a whole or half band")),
    "hundreds of digits": ({"S": "9" * 400}, math.nan, ("9" * 80 + "… (400 characters)", "outside 0 to 9")),
    "NULL": ({"NULL": True}, math.nan, ("null", "NULL")),
    "map": ({"M": {"band": {"S": "7.0"}}}, math.nan, ('{"band": "7.0"}', "stored as a map, not as text such as “7.0”")),
    "boolean": ({"BOOL": True}, math.nan, ("true", "stored as true or false, not as text such as “7.0”")),
    "missing": (None, math.nan, ("", "missing, although the evaluation is completed")),
}


@pytest.mark.parametrize(("stored", "band", "issue"), BAND_CASES.values(), ids=BAND_CASES)
@pytest.mark.parametrize("attribute", ["overall_band", "grammar_band"])
def test_a_band_is_read_or_named(
    attribute: str, stored: Item | None, band: float, issue: tuple[str, str] | None
) -> None:
    read = evaluation(**{attribute: stored})
    assert same(read.bands[attribute], band)
    assert read.issues == (() if issue is None else (Issue(attribute, *issue),))
    # The rest of the record is read all the same.
    assert read.bands["lexical_band"] == 6.5
    assert read.created_at == SEED_TIME
    assert read.feedback == {"strengths": ["Clear."]}


def test_the_overall_band_is_one_of_the_bands() -> None:
    assert evaluation(overall_band={"S": "8.5"}).overall == 8.5


@pytest.mark.parametrize("status", ["processing", "failed", "queued"])
def test_only_completed_evaluations_need_bands(status: str) -> None:
    read = evaluation(status={"S": status}, feedback=None, **dict.fromkeys(BANDS))
    assert {issue.attribute for issue in read.issues} <= {"status"}


def test_only_the_criteria_of_its_type_are_expected() -> None:
    read = evaluation(evaluation_type={"S": "speaking"}, **dict.fromkeys(BANDS))
    missing = {issue.attribute for issue in read.issues}
    assert missing == {"overall_band", "fluency_band", "lexical_band", "grammar_band", "pronunciation_band"}


# --- times

TIME_CASES: dict[str, tuple[Item | None, datetime | None, tuple[str, str] | None]] = {
    "seconds": ({"N": "1733644800"}, SEED_TIME, None),
    "seconds with an exponent": ({"N": "1.7336448E9"}, SEED_TIME, None),
    "seconds with a zero fraction": ({"N": "1733644800.0"}, SEED_TIME, None),
    "text": ({"S": "1733644800"}, SEED_TIME, ("1733644800", "stored as text, not as a number")),
    "milliseconds": ({"N": "1733644800500"}, SEED_TIME.replace(microsecond=500_000), "in milliseconds, not in seconds"),
    "milliseconds as text": (
        {"S": "1733644800000"},
        SEED_TIME,
        ("1733644800000", "stored as text, not as a number; in milliseconds, not in seconds"),
    ),
    "float": ({"N": "1733644800.25"}, SEED_TIME.replace(microsecond=250_000), "with a fraction of a second"),
    "float with 38 digits": (
        {"N": "1733644800.2500000000000000000000000001"},
        SEED_TIME.replace(microsecond=250_000),
        "with a fraction of a second",
    ),
    "1970": ({"N": "86400"}, None, "in the year 1970, before 2000"),
    "zero": ({"N": "0"}, None, "in the year 1970, before 2000"),
    "last second of 1999": ({"N": "946684799"}, None, "in the year 1999, before 2000"),
    "first second of 2000": ({"N": "946684800"}, datetime(2000, 1, 1, tzinfo=UTC), None),
    "last second of 2099": ({"N": "4102444799"}, datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC), None),
    "first second of 2100": ({"N": "4102444800"}, None, "not a plausible time"),
    "negative": ({"N": "-1733644800"}, None, "not a plausible time"),
    "38 digits": ({"N": "1" * 38}, None, "not a plausible time"),
    "largest number": ({"N": "9.9E+125"}, None, "not a plausible time"),
    "smallest number": ({"N": "1E-130"}, None, "in the year 1970, before 2000"),
    "huge exponent in text": ({"S": "1e999999"}, None, "not a plausible time"),
    "written": ({"S": "2024-12-08T08:00:00Z"}, SEED_TIME, "a written time, not Unix seconds"),
    "written in another zone": ({"S": "2024-12-08T15:00:00+07:00"}, SEED_TIME, "a written time, not Unix seconds"),
    "written without a zone": (
        {"S": "2024-12-08T08:00:00"},
        None,
        "a written time without a zone, not Unix seconds",
    ),
    "written, 1969": ({"S": "1969-07-20T20:17:00Z"}, None, "not a plausible time"),
    # Brought to UTC, these two fall off the calendar.
    "written, before the year 1": ({"S": "0001-01-01T00:00:00+14:00"}, None, "not a plausible time"),
    "written, after the year 9999": ({"S": "9999-12-31T23:59:59-14:00"}, None, "not a plausible time"),
    "words": ({"S": "yesterday"}, None, "not a time"),
    "not-a-number": ({"S": "NaN"}, None, "not a time"),
    "empty": ({"S": ""}, None, ("", "not a time")),
    "NULL": ({"NULL": True}, None, ("null", "NULL")),
    "list": ({"L": [{"N": "1733644800"}]}, None, ("[1733644800]", "stored as a list, not as a number of seconds")),
    "missing": (None, None, ("", "missing")),
}


@pytest.mark.parametrize(("stored", "moment", "issue"), TIME_CASES.values(), ids=TIME_CASES)
@pytest.mark.parametrize(("parse", "base"), [(evaluations.parse, EVALUATION), (flashcards.parse, SET)])
def test_a_time_is_read_or_named(
    parse: Callable[[Item], Any],
    base: Item,
    stored: Item | None,
    moment: datetime | None,
    issue: tuple[str, str] | str | None,
) -> None:
    read = parse(changed(base, created_at=stored))
    if isinstance(issue, str):
        assert stored is not None
        issue = (next(iter(stored.values())), issue)
    assert read.created_at == moment
    assert read.issues == (() if issue is None else (Issue("created_at", *issue),))
    assert read.user_id == "user-1"


# --- counts and other numbers

COUNT_CASES: dict[str, tuple[Item | None, int | None, str | None]] = {
    "number": ({"N": "185"}, 185, None),
    "zero": ({"N": "0"}, 0, None),
    "zero fraction": ({"N": "185.0"}, 185, None),
    "text": ({"S": "185"}, 185, "stored as text, not as a number"),
    "fraction": ({"N": "18.5"}, None, "not a whole number"),
    "negative": ({"N": "-1"}, None, "below zero"),
    "38 digits": ({"N": "9" * 38}, None, "impossibly large"),
    "words": ({"S": "many"}, None, "not a number"),
    "infinity": ({"S": "Infinity"}, None, "not a number"),
    "NULL": ({"NULL": True}, None, "NULL"),
    "boolean": ({"BOOL": False}, None, "stored as true or false, not as a number"),
    "set": ({"NS": ["1", "2"]}, None, "stored as a set, not as a number"),
    "missing": (None, None, None),
}


@pytest.mark.parametrize(("stored", "count", "reason"), COUNT_CASES.values(), ids=COUNT_CASES)
def test_a_count_is_read_or_named(stored: Item | None, count: int | None, reason: str | None) -> None:
    read = evaluation(word_count=stored)
    assert read.word_count == count
    assert [(i.attribute, i.reason) for i in read.issues] == ([] if reason is None else [("word_count", reason)])
    pages = flashcard_set(page_count=stored)
    assert pages.page_count == count
    assert [(i.attribute, i.reason) for i in pages.issues] == ([] if reason is None else [("page_count", reason)])


def test_a_completed_set_needs_its_number_of_cards_and_its_document() -> None:
    read = flashcard_set(total_cards=None, document_id=None)
    assert {(i.attribute, i.reason) for i in read.issues} == {("total_cards", "missing"), ("document_id", "missing")}


DURATION_CASES: dict[str, tuple[Item, float | None, str | None]] = {
    "as specified": ({"S": "120.5"}, 120.5, None),
    "number": ({"N": "120.5"}, 120.5, "stored as a number, not as text"),
    "comma": ({"S": "120,5"}, None, "not a number"),
    "not-a-number": ({"S": "nan"}, None, "not a number"),
    "negative": ({"S": "-3"}, None, "below zero"),
    "clock": ({"S": "2:00"}, None, "not a number"),
    "four months": ({"S": "10000000"}, 1e7, None),
    "longer": ({"S": "10000001"}, None, "impossibly large"),
    "ages": ({"S": "1e14"}, None, "impossibly large"),
}


@pytest.mark.parametrize(("stored", "seconds", "reason"), DURATION_CASES.values(), ids=DURATION_CASES)
def test_a_duration_is_read_or_named(stored: Item, seconds: float | None, reason: str | None) -> None:
    read = evaluation(duration=stored)
    assert read.duration == seconds
    assert [(i.attribute, i.reason) for i in read.issues] == ([] if reason is None else [("duration", reason)])


# --- text, status and type

TEXT_CASES: dict[str, tuple[str, Item | None, str | None, tuple[str, str] | None]] = {
    "id missing": ("user_id", None, None, ("", "missing")),
    "id empty": ("user_id", {"S": ""}, None, ("", "empty")),
    "id as a number": ("user_id", {"N": "456"}, "456", ("456", "stored as a number, not as text")),
    "status missing": ("status", None, None, ("", "missing")),
    "status unknown": ("status", {"S": "queued"}, "queued", ("queued", "not one of processing, completed, failed")),
    "status in capitals": (
        "status",
        {"S": "Completed"},
        "Completed",
        ("Completed", "not one of processing, completed, failed"),
    ),
    "status NULL": ("status", {"NULL": True}, None, ("null", "NULL")),
    "type missing": ("evaluation_type", None, None, ("", "missing")),
    "type unknown": ("evaluation_type", {"S": "reading"}, "reading", ("reading", "not one of writing, speaking")),
    "model missing": ("model_used", None, None, None),
    "model empty": ("model_used", {"S": ""}, "", None),
    "model as a list": (
        "model_used",
        {"L": [{"S": "a"}, {"N": "1"}]},
        '["a", 1]',
        ('["a", 1]', "stored as a list, not as text"),
    ),
    "model as binary": ("model_used", {"B": b"\x00\xff"}, '"AP8="', ('"AP8="', "stored as binary, not as text")),
    "transcript NULL": ("transcript", {"NULL": True}, None, ("null", "NULL")),
    "transcript with NUL": ("transcript", {"S": "a\x00b"}, "a\x00b", None),
    "transcript right to left": ("transcript", {"S": "مرحبا \u202e bidi"}, "مرحبا \u202e bidi", None),
    "transcript of emoji": ("transcript", {"S": "👩‍🏫🏳️‍🌈"}, "👩‍🏫🏳️‍🌈", None),
    # DynamoDB sends no lone surrogate, another engine might: nothing could show one.
    "transcript with a lone surrogate": ("transcript", {"S": "a\ud800b"}, "a\ufffdb", None),
}


@pytest.mark.parametrize(("attribute", "stored", "value", "issue"), TEXT_CASES.values(), ids=TEXT_CASES)
def test_text_is_read_or_named(
    attribute: str, stored: Item | None, value: str | None, issue: tuple[str, str] | None
) -> None:
    read = evaluation(**{attribute: stored})
    field = {"evaluation_type": "type"}.get(attribute, attribute)
    assert getattr(read, field) == (value if value is not None or attribute != "user_id" else "")
    assert [i for i in read.issues if i.attribute == attribute] == ([] if issue is None else [Issue(attribute, *issue)])


def test_a_record_without_anything_is_still_a_record() -> None:
    read = evaluations.parse({})
    assert (read.evaluation_id, read.user_id, read.type, read.status) == ("", "", None, None)
    named = {(issue.attribute, issue.reason) for issue in read.issues}
    assert named == {(a, "missing") for a in ("evaluation_id", "user_id", "evaluation_type", "status", "created_at")}
    assert flashcards.parse({}).cards == ()


def test_a_long_unreadable_value_is_shortened_in_its_issue_only() -> None:
    long = "x" * 390_000
    read = evaluation(overall_band={"S": long})
    (issue,) = read.issues
    assert issue.value == "x" * 80 + "… (390,000 characters)"
    assert long in read.raw


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("plain", "plain"),
        ("\ud83d\ude00", "😀"),  # a pair written as two escapes is one character
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud800x", "\ufffdx"),
        ("x\udfff", "x\ufffd"),
    ],
    ids=["plain", "pair", "reversed pair", "high", "low at the end"],
)
def test_sound_text_can_be_encoded(text: str, whole: str) -> None:
    assert sound(text) == whole
    assert sound(text).encode()


# --- feedback


def nested(depth: int) -> Any:
    inner: Any = "the bottom"
    for _ in range(depth):
        inner = {"in": inner}
    return inner


NOT_AN_OBJECT = "without named parts"
FEEDBACK_CASES: dict[str, tuple[Item | None, Any, str | None]] = {
    "object": ({"S": '{"strengths": []}'}, {"strengths": []}, None),
    "ten deep": ({"S": json.dumps(nested(10))}, nested(10), None),
    "list": ({"S": '["a", 1]'}, ["a", 1], NOT_AN_OBJECT),
    "string": ({"S": '"Only a sentence."'}, "Only a sentence.", NOT_AN_OBJECT),
    "number": ({"S": "42"}, 42, NOT_AN_OBJECT),
    "true": ({"S": "true"}, True, NOT_AN_OBJECT),
    "null": ({"S": "null"}, None, NOT_AN_OBJECT),
    "text": ({"S": "Good essay, {unfinished"}, None, "cannot be read"),
    "the specification's example": ({"S": '{"strengths":[...]}'}, None, "cannot be read"),
    "empty": ({"S": " \n"}, None, "empty"),
    "100,000 deep": ({"S": "[" * 100_000 + "]" * 100_000}, None, "nested too deep"),
    "native map": (
        {"M": {"strengths": {"L": [{"S": "Clear."}]}}},
        {"strengths": ["Clear."]},
        "stored as a map, not as text",
    ),
    "native list": ({"L": [{"S": "Clear."}]}, ["Clear."], "stored as a list, not as text"),
    "native number": ({"N": "42"}, 42, "stored as a number, not as text"),
    "NULL": ({"NULL": True}, None, "stored as NULL, not as text"),
    "missing": (None, None, "missing, although the evaluation is completed"),
    "NaN and Infinity": (
        {"S": '{"a": NaN, "b": Infinity, "c": -Infinity}'},
        {"a": "NaN", "b": "Infinity", "c": "-Infinity"},
        None,
    ),
    "duplicate keys": (
        {"S": '{"a": 1, "a": 2, "a": 3, "a (2)": 4}'},
        {"a": 1, "a (2)": 2, "a (3)": 3, "a (2) (2)": 4},
        "the same name twice",
    ),
    "lone surrogates": ({"S": '{"a": "\\ud800", "b": "\\ud83d\\ude00"}'}, {"a": "\ufffd", "b": "😀"}, None),
    "lone surrogates as keys": (
        {"S": '{"\\ud800": 1, "\\ud801": 2}'},
        {"\ufffd": 1, "\ufffd (2)": 2},
        "the same name twice",
    ),
    "NUL": ({"S": '{"a": "\\u0000"}'}, {"a": "\x00"}, None),
    "long fraction": (
        {"S": '{"a": 0.1234567890123456789012345678901}'},
        {"a": "0.1234567890123456789012345678901"},
        None,
    ),
    "exponent out of range": ({"S": '{"a": 1e999}'}, {"a": "1e999"}, None),
    # Python's int() refuses these; they are JSON all the same.
    "5,000 digits": ({"S": '{"a": %s}' % ("7" * 5000)}, {"a": "7" * 5000}, None),
    "390 KB": ({"S": json.dumps({"notes": "x" * 390_000})}, {"notes": "x" * 390_000}, None),
}


@pytest.mark.parametrize(("stored", "value", "reason"), FEEDBACK_CASES.values(), ids=FEEDBACK_CASES)
def test_feedback_is_decoded_or_named(stored: Item | None, value: Any, reason: str | None) -> None:
    read = evaluation(feedback=stored)
    assert read.feedback == value
    assert type(read.feedback) is type(value)
    if reason is None:
        assert read.issues == ()
    else:
        (issue,) = read.issues
        assert issue.attribute == "feedback"
        assert issue.reason.startswith(reason)
    assert read.overall == 7.0
    assert json.loads(read.raw)["model_used"] == "gemini-writing_task2"


def test_feedback_of_one_key_sixty_thousand_times_is_read() -> None:
    # 390 KB of the same key: looking for a free name from the start each time would take minutes.
    read = evaluation(feedback={"S": "{" + ",".join(['"a":1'] * 60_000) + "}"})
    assert isinstance(read.feedback, dict)
    assert len(read.feedback) == 60_000
    assert [issue.reason for issue in read.issues] == ["the same name twice"]


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["lists", "objects"])
def test_no_depth_of_nesting_raises(opening: str) -> None:
    # Around the interpreter's own limit lies the danger: decoded, but too deep for the next step.
    closing = "]" if opening == "[" else "}"
    for depth in range(20, 1200, 20):
        text = opening * depth + "1" + closing * depth
        json.dumps(evaluation(feedback={"S": text}).feedback)
        read = flashcard_set(flashcards={"S": text})
        assert read.cards or read.unread


# --- flashcards

TWO = (Card("One?", "1", {}), Card("Two?", "2", {}))
FLASHCARD_CASES: dict[str, tuple[Item | None, tuple[Card, ...], str, list[str]]] = {
    # stored, the cards, the unread text, the reasons in order
    "front and back": (
        {"S": '[{"front": "One?", "back": "1"}, {"front": "Two?", "back": "2"}]'},
        TWO,
        "",
        ["flashcards: cards say front and back instead of question and answer"],
    ),
    "term and definition": (
        {"S": '[{"term": "One?", "definition": "1"}, {"question": "Two?", "answer": "2"}]'},
        TWO,
        "",
        ["flashcards: cards say term and definition instead of question and answer"],
    ),
    "more on a card": (
        {"S": '[{"question": "One?", "answer": "1", "hint": "h"}, {"question": "Two?", "answer": "2"}]'},
        (Card("One?", "1", {"hint": "h"}), TWO[1]),
        "",
        [],
    ),
    "answer missing": (
        {"S": '[{"question": "One?"}, {"question": "Two?", "answer": "2"}]'},
        (Card("One?", "", {}), TWO[1]),
        "",
        ["flashcards: a card without a question or without an answer"],
    ),
    "keys that say nothing": (
        {"S": '[{"x": "One?", "y": 1}, {}]'},
        (Card("x: One?", "y: 1", {}), Card("", "", {})),
        "",
        ["flashcards: a card with neither a question nor an answer"],
    ),
    "strings for cards": (
        {"S": '["One?", null]'},
        (Card("One?", "", {}), Card("", "", {})),
        "",
        ["flashcards: a card that is not a question and an answer"],
    ),
    "sides that are not text": (
        {"S": '[{"question": ["One?"], "answer": 1}, {"question": null, "answer": {"a": 2}}]'},
        (Card('["One?"]', "1", {}), Card("", '{"a": 2}', {})),
        "",
        [],
    ),
    "native list": (
        {
            "L": [
                {"M": {"question": {"S": "One?"}, "answer": {"S": "1"}}},
                {"M": {"question": {"S": "Two?"}, "answer": {"S": "2"}}},
            ]
        },
        TWO,
        "",
        ["flashcards: stored as a list, not as text"],
    ),
    "object around the list": (
        {"S": '{"cards": [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]}'},
        TWO,
        "",
        ["flashcards: an object around the list of cards"],
    ),
    "truncated": (
        {"S": '[{"question": "One?", "answer": "1"}, {"question": "Two?", "ans'},
        TWO[:1],
        "",
        [
            "flashcards: breaks off after 1 whole card",
            "total_cards: says 2, but 1 can be read",
        ],
    ),
    "truncated in the first card": (
        {"S": '[{"question": "One?'},
        (),
        '[{"question": "One?',
        [
            "flashcards: cannot be read",
            "total_cards: says 2, but 0 can be read",
        ],
    ),
    "encoded twice": (
        {"S": json.dumps(json.dumps([{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]))},
        TWO,
        "",
        ["flashcards: encoded twice"],
    ),
    "text": (
        {"S": "Sorry, no cards."},
        (),
        "Sorry, no cards.",
        [
            "flashcards: cannot be read",
            "total_cards: says 2, but 0 can be read",
        ],
    ),
    "number": (
        {"S": "42"},
        (),
        "42",
        ["flashcards: no list of cards", "total_cards: says 2, but 0 can be read"],
    ),
    "null": (
        {"S": "null"},
        (),
        "",
        ["flashcards: no list of cards", "total_cards: says 2, but 0 can be read"],
    ),
    "object without a list": (
        {"S": '{"error": "none"}'},
        (),
        '{"error": "none"}',
        ["flashcards: no list of cards", "total_cards: says 2, but 0 can be read"],
    ),
    "more than anybody learns": (
        {"S": json.dumps([["One?", "1"]] * 10_001)},
        (),
        json.dumps([["One?", "1"]] * 10_001),
        ["flashcards: more than 10,000 entries", "total_cards: says 2, but 0 can be read"],
    ),
    "more than anybody learns, beside others": (
        {"S": json.dumps([{"cards": [["One?", "1"]] * 10_001}, {"cards": [["Two?", "2"]]}])},
        (),
        json.dumps([{"cards": [["One?", "1"]] * 10_001}, {"cards": [["Two?", "2"]]}]),
        ["flashcards: more than 10,000 entries", "total_cards: says 2, but 0 can be read"],
    ),
    "empty list": ({"S": "[]"}, (), "", ["total_cards: says 2, but 0 can be read"]),
    "empty": ({"S": ""}, (), "", ["flashcards: empty", "total_cards: says 2, but 0 can be read"]),
    "NULL": (
        {"NULL": True},
        (),
        "",
        ["flashcards: stored as NULL, not as text", "total_cards: says 2, but 0 can be read"],
    ),
    "missing": (None, (), "", ["flashcards: missing, although the set is completed"]),
    "100,000 deep": (
        {"S": "[" * 100_000},
        (),
        "[" * 100_000,
        [
            "flashcards: nested too deep to read",
            "total_cards: says 2, but 0 can be read",
        ],
    ),
}


@pytest.mark.parametrize(("stored", "cards", "unread", "reasons"), FLASHCARD_CASES.values(), ids=FLASHCARD_CASES)
def test_flashcards_are_read_or_named(
    stored: Item | None, cards: tuple[Card, ...], unread: str, reasons: list[str]
) -> None:
    read = flashcard_set(flashcards=stored)
    assert read.cards == cards
    assert read.unread == unread
    assert [f"{issue.attribute}: {issue.reason}" for issue in read.issues] == reasons
    assert (read.page_count, read.created_at) == (3, SEED_TIME)


def test_a_total_that_disagrees_is_named_with_its_value() -> None:
    read = flashcard_set(total_cards={"N": "15"})
    assert read.cards == TWO
    assert read.issues == (Issue("total_cards", "15", "says 15, but 2 can be read"),)


@pytest.mark.parametrize("status", ["processing", "failed"])
def test_a_set_that_is_not_completed_needs_no_cards(status: str) -> None:
    read = flashcard_set(status={"S": status}, flashcards=None, total_cards=None, document_id=None)
    assert read.issues == ()
    assert read.total_cards is None


# --- unknown attributes and the raw record


def test_unknown_attributes_are_kept_and_are_no_issue() -> None:
    read = evaluation(essay_title={"S": "On cities"}, attempt={"N": "3"}, extra={"M": {"a": {"NULL": True}}})
    assert read.unknown == {"attempt": 3, "essay_title": "On cities", "extra": {"a": None}}
    assert read.issues == ()
    assert flashcard_set(deck={"SS": ["b", "a"]}).unknown == {"deck": ["a", "b"]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"S": "x"}, "x"),
        ({"N": "3"}, 3),
        ({"N": "-0.5"}, -0.5),
        ({"N": "12345678901234567890123456789012345678"}, "12345678901234567890123456789012345678"),
        ({"N": "0.1234567890123456789012345678901234567"}, "0.1234567890123456789012345678901234567"),
        ({"N": "1E+125"}, 1e125),
        ({"B": b"\x00\x01"}, "AAE="),
        ({"BS": [b"b", b"a"]}, ["YQ==", "Yg=="]),
        ({"NS": ["2", "1"]}, [1, 2]),
        ({"BOOL": True}, True),
        ({"NULL": True}, None),
        ({"L": [{"L": []}, {"M": {}}]}, [[], {}]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_attribute_values_become_plain_python(value: Item, expected: Any) -> None:
    assert plain(value) == expected


def test_the_raw_record_keeps_every_digit() -> None:
    digits = "1234567890.1234567890123456789012345678"
    text = item_json({"n": {"N": digits}, "in": {"L": [{"N": digits}]}, "set": {"NS": [digits]}})
    assert text.count(digits) == 3
    assert json.loads(text, parse_float=Decimal)["in"] == [Decimal(digits)]


@pytest.mark.parametrize("depth", [1, 5, 6, 30, 90])
def test_no_depth_makes_the_text_of_a_record_many_times_what_is_stored(depth: int) -> None:
    number = cards.MOST + 1  # too many to be cards: their text is shown
    stored: Item = {"L": [{"NULL": True}] * number}
    value: Json = [None] * number
    for _ in range(depth):
        stored, value = {"M": {"a": stored}}, {"a": value}
    texts = [item_json({"flashcards": stored}), indented(value), flashcards.parse({"flashcards": stored}).unread]
    assert json.loads(texts[0])["flashcards"] == json.loads(texts[1]) == json.loads(texts[2])
    assert max(map(len, texts)) < 4 * len(json.dumps(value))


@pytest.mark.parametrize(
    "text", ["a\x00b", "שלום\u202e", "👩‍🏫", '"\\\n', "\ud800"], ids=["NUL", "RTL", "emoji", "quotes", "lone"]
)
def test_the_raw_record_is_json_whatever_the_text(text: str) -> None:
    raw = item_json({"a": {"S": text}})
    assert json.loads(raw) == {"a": sound(text)}
    assert raw.encode()


# --- frames


def test_what_a_frame_lacks_is_none_in_text_nan_in_numbers_and_nat_in_times() -> None:
    # One whole and one bare record side by side: pandas would otherwise make the bare one's text NaN.
    table = evaluations.frame([EVALUATION, {}])
    assert table["user_id"].tolist() == ["user-1", None]
    assert table["model_used"].tolist() == ["gemini-writing_task2", None]
    assert math.isnan(table["overall_band"][1])
    assert table["created_at"].tolist() == [SEED_TIME, pd.NaT]
    sets = flashcards.frame([{}, SET])
    assert sets["document_id"].tolist() == [None, "uploads/notes.pdf"]
    assert math.isnan(sets["total_cards"][0])


@pytest.mark.parametrize("items", [[], [{}], [EVALUATION, SET]], ids=["none", "bare", "two"])
def test_frames_have_their_documented_columns_and_types(items: list[Item]) -> None:
    check_evaluations(evaluations.frame(items), len(items))
    check_sets(flashcards.frame(items), len(items))


def test_a_frame_names_issues_of_its_own_columns_only() -> None:
    table = evaluations.frame([changed(EVALUATION, overall_band={"N": "7"}, feedback={"S": "not JSON"})])
    assert [issue.attribute for issue in table["issues"][0]] == ["overall_band"]


TEXTS = ("evaluation_id", "user_id", "evaluation_type", "status", "model_used")
SET_TEXTS = ("set_id", "user_id", "document_id", "status")
SET_COUNTS = ("total_cards", "page_count", "chunk_count")


def check_evaluations(table: pd.DataFrame, length: int) -> None:
    assert len(table) == length
    numbers = (*BANDS, "duration", "word_count")
    assert list(table.columns) == [*TEXTS[:4], *BANDS, "model_used", "duration", "word_count", "created_at", "issues"]
    check_types(table, TEXTS, numbers)
    for band in BANDS:
        assert table[band].dropna().between(0, 9).all()


def check_sets(table: pd.DataFrame, length: int) -> None:
    assert len(table) == length
    assert list(table.columns) == [*SET_TEXTS, *SET_COUNTS, "created_at", "issues"]
    check_types(table, SET_TEXTS, SET_COUNTS)


def check_types(table: pd.DataFrame, texts: tuple[str, ...], numbers: tuple[str, ...]) -> None:
    assert {name: str(table[name].dtype) for name in table.columns} == {
        **dict.fromkeys(texts, "object"),
        **dict.fromkeys(numbers, "float64"),
        "created_at": "datetime64[us, UTC]",
        "issues": "object",
    }
    for name in texts:
        for value in table[name]:
            assert value is None or (isinstance(value, str) and value.encode() is not None)
    for issues in table["issues"]:
        assert isinstance(issues, tuple)
        check_issues(issues)


def check_issues(issues: tuple[Issue, ...]) -> None:
    for issue in issues:
        assert issue.attribute
        assert issue.reason
        assert f"{issue.attribute}{issue.value}{issue.reason}".encode()


# --- whatever DynamoDB can hold


def check_record(read: Evaluation | FlashcardSet, item: Item) -> None:
    """Nothing of the item is lost, and all of it can be written out."""
    raw = json.loads(read.raw)
    assert set(raw) == set(item)
    assert read.raw.encode()
    for name, value in item.items():
        if "N" in value:
            assert f"{json.dumps(name, ensure_ascii=False)}: {value['N']}" in read.raw
        if "S" in value:
            assert raw[name] == sound(value["S"])
    assert json.dumps(read.unknown, ensure_ascii=False).encode()
    check_issues(read.issues)
    assert read.created_at is None or read.created_at > EPOCH


@fuzzed
@given(items)
def test_any_item_is_an_evaluation(item: Item) -> None:
    read = evaluations.parse(item)
    check_record(read, item)
    assert set(read.bands) == set(BANDS)
    assert all(math.isnan(band) or 0 <= band <= 9 for band in read.bands.values())
    assert json.dumps(read.feedback, ensure_ascii=False).encode()
    for text in (read.evaluation_id, read.user_id, read.type, read.status, read.transcript, read.model_used):
        assert text is None or text.encode() is not None


@fuzzed
@given(items)
def test_any_item_is_a_flashcard_set(item: Item) -> None:
    read = flashcards.parse(item)
    check_record(read, item)
    for text in (read.set_id, read.user_id, read.document_id, read.status, read.unread):
        assert text is None or text.encode() is not None
    for card in read.cards:
        assert json.dumps([card.front, card.back, dict(card.more)], ensure_ascii=False).encode()
    for count in (read.total_cards, read.page_count, read.chunk_count):
        assert count is None or count >= 0


@examples(60)
@given(st.lists(items, max_size=4))
def test_any_items_are_frames(several: list[Item]) -> None:
    check_evaluations(evaluations.frame(several), len(several))
    check_sets(flashcards.frame(several), len(several))


@fuzzed
@given(st.text(st.characters(), max_size=60) | json_texts)
def test_any_text_is_feedback_and_flashcards(text: str) -> None:
    read = evaluation(feedback={"S": text})
    assert json.dumps(read.feedback, ensure_ascii=False).encode()
    assert json.loads(read.raw)["feedback"] == sound(text)
    cards = flashcard_set(flashcards={"S": text})
    assert json.dumps([[c.front, c.back, dict(c.more)] for c in cards.cards] + [cards.unread]).encode()
