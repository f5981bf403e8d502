"""A long answer in columns gives the rows that botocore's own items give, and the rest of it as botocore reads it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data.dynamodb.columnar import Columnar
from data.records import evaluations, flashcards
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from tests.support.answers import body, parsed
from tests.support.items import EVALUATION, SET, Item, changed, fuzzed, items, values

LETTERS = {table: {name: table.types[name] for name in table.summary} for table in TABLES}
FRAMES = {EVALUATIONS: evaluations.frame, FLASHCARD_SETS: flashcards.frame}
PLAIN = {EVALUATIONS: EVALUATION, FLASHCARD_SETS: SET}


def check(answer: bytes) -> list[bool]:
    """Both ways give the same, as records of either table; whether they came in columns."""
    general = parsed(answer, fast=False)
    ways = []
    for table, frame in FRAMES.items():
        given = parsed(answer, fast=True, letters=LETTERS[table])
        ways.append(isinstance(given["Items"], Columnar))
        assert {**given, "Items": 0} == {**general, "Items": 0}
        one, other = frame(given["Items"]), frame(general["Items"])
        assert_frame_equal(one, other, check_exact=True)
        for name in one.columns:
            if one[name].dtype == object:
                assert [*map(type, one[name])] == [*map(type, other[name])]
    return ways


DIGITS = "9" * 38
ODD: dict[str, tuple[dict[str, Item | None], bool]] = {
    "nothing": ({}, True),
    "an attribute that is not there": ({"model_used": None, "document_id": None}, True),
    "a key that is not there": ({"user_id": None}, True),
    "NULL": ({"user_id": {"NULL": True}}, True),
    "a flag": ({"user_id": {"BOOL": False}}, True),
    "a number for text": ({"user_id": {"N": DIGITS}}, True),
    "text for a number": ({"created_at": {"S": "1733644800"}}, True),
    "a number of 38 digits": ({"created_at": {"N": f"1733644800.{DIGITS[:28]}"}}, True),
    "a number of too many digits": ({"created_at": {"N": "1" * 5_000}}, True),
    "text like a time": ({"user_id": {"S": "2024-12-08T08:00:00Z"}}, True),
    "empty text": ({"user_id": {"S": ""}}, True),
    "a letter, a quotation mark, a line": ({"user_id": {"S": '𝛼"\\\n\x00\u2028"Items":[]'}}, True),
    "a band with a comma": ({"overall_band": {"S": "7,0"}}, True),
    "an unknown attribute": ({"x": {"S": "a"}}, True),
    "an unknown attribute that is a map": ({"x": {"M": {"Items": {"L": [{"NULL": True}]}}}}, True),
    "an unknown attribute that is binary": ({"x": {"B": b"\xff"}}, True),
    "an attribute named like the items": ({"Items": {"L": []}, 'x"Items': {"L": []}}, True),
    "a set": ({"user_id": {"SS": ["b", "a"]}}, False),
    "a set of numbers": ({"user_id": {"NS": ["1"]}}, False),
    "binary": ({"user_id": {"B": b"\x00\xff"}}, False),
    "a list": ({"user_id": {"L": [{"S": "a"}]}}, False),
    "a map": ({"user_id": {"M": {"a": {"N": "1"}}}}, False),
    "half of a letter": ({"user_id": {"S": "a\ud800b"}}, False),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_record_among_plain_ones_is_the_same_both_ways(name: str) -> None:
    change, in_columns = ODD[name]
    for plain in PLAIN.values():
        assert check(body([plain, changed(plain, **change), plain])) == [in_columns] * 2


nearly = st.builds(
    lambda base, change: changed(base, **change),
    st.sampled_from([EVALUATION, SET]),
    st.dictionaries(
        st.sampled_from(sorted({*EVALUATIONS.summary, *FLASHCARD_SETS.summary, "x"})), st.none() | values, max_size=2
    ),
)


@fuzzed
@given(st.lists(nearly | items, max_size=5))
def test_any_records_are_the_same_both_ways(several: list[Item]) -> None:
    check(body(several))


KEY = {"evaluation_id": {"S": 'e]},"Items":[{'}, "user_id": {"S": "2024-12-08T08:00:00Z"}, "created_at": {"N": "1"}}


@pytest.mark.parametrize("several", [[], [{}], [EVALUATION], [EVALUATION] * 2_000], ids=len)
def test_the_rest_of_the_answer_is_botocores(several: list[Item]) -> None:
    capacity = {"TableName": "t", "CapacityUnits": 128.5}
    for more in ({}, {"LastEvaluatedKey": KEY}, {"ConsumedCapacity": capacity}):
        check(body(several, **more))
    spaced = body(several, ConsumedCapacity=capacity).replace(b'"Items":[', b'"Items" : [ \n')
    assert check(spaced) == [True, True]
    assert check(body(several, ConsumedCapacity=capacity)) == [True, True]


E = b'{"evaluation_id":{"S":"e"}}'
DOUBTFUL = {
    "nothing": b"",
    "another document": b"<html>",
    "a list": b"[]",
    "half of an answer": body([EVALUATION])[:-9],
    "half of an item": body([EVALUATION])[:60],
    "no bytes of text": body([EVALUATION]).replace(b"eval-1", b"\xff\xfe"),
    "halves of letters as bytes": body([EVALUATION]).replace(b"eval-1", b"\xed\xa0\x80"),
    "very deep": b'{"Count":1,"Items":[{"x":' + b"[" * 100_000 + b"]}",
    "deep": b'{"Count":1,"Items":[{"user_id":' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "no items": b'{"Count":0}',
    "items that are null": b'{"Count":0,"Items":null}',
    "an item that is null": b'{"Count":1,"Items":[null]}',
    "an item that is text": b'{"Count":1,"Items":["S"]}',
    "an attribute that is text": b'{"Count":1,"Items":[{"user_id":"S"}]}',
    "a number without quotation marks": b'{"Count":1,"Items":[{"created_at":{"N":5}}]}',
    "an item twice over": b'{"Count":1,"Items":[%b,"Items":[%b]}' % (E, E),
    "the same name twice": b'{"Count":1,"Items":[{"user_id":{"S":"a"},"user_id":{"S":"b"}}]}',
    "a list behind the items": b'{"Items":[%b],"Count":1,"More":[]}' % E,
    "no count": b'{"Items":[%b],"More":[]}' % E,
    "another count": b'{"Items":[%b],"Count":2}' % E,
    "no letter": b'{"Count":1,"Items":[{"user_id":{}}]}',
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_is_doubtful_is_left_to_botocore(name: str) -> None:
    for letters in LETTERS.values():
        assert parsed(DOUBTFUL[name], fast=True, letters=letters) == parsed(DOUBTFUL[name], fast=False)


@pytest.mark.parametrize(
    "item",
    [
        b'{"x":"S"}',
        b'{"x":{"VEC":[1]}}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"user_id":{"S":"a","N":"1"}}',
    ],
    ids=["no attribute value", "a letter of the future", "deep", "beside a letter"],
)
def test_what_nobody_asked_for_is_not_looked_at(item: bytes) -> None:
    given = parsed(b'{"Count":1,"Items":[%b]}' % item, fast=True, letters=LETTERS[EVALUATIONS])
    assert [*given["Items"]] == [{"user_id": {"S": "a"}} if b"user_id" in item else {}]


def test_a_page_is_a_sequence_of_items_of_what_was_asked_for() -> None:
    listed = [changed(EVALUATION, evaluation_id={"S": f"e{n}"}, feedback=None) for n in range(5)]
    listed[3]["user_id"] = {"NULL": True}
    page: Any = parsed(body(listed), fast=True, letters=LETTERS[EVALUATIONS])["Items"]
    assert isinstance(page, Columnar)
    assert ([*page], page[-1], len(page)) == (listed, listed[-1], 5)
    for part in (slice(4), slice(3, None), slice(1, 4), slice(0), slice(9)):
        assert [*page[part]] == listed[part]
        assert_frame_equal(evaluations.frame(page[part]), evaluations.frame(listed[part]))
    with pytest.raises(IndexError):
        page[5]
