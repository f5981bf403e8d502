"""Items as DynamoDB sends them, whole and changed."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeSerializer
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from data.schema import CRITERIA, WRITING
from tests.support.examples import examples

Item = dict[str, Any]


EVALUATION: Item = {
    "evaluation_id": {"S": "eval-1"},
    "user_id": {"S": "user-1"},
    "evaluation_type": {"S": "writing"},
    "status": {"S": "completed"},
    "overall_band": {"S": "7.0"},
    **{criterion: {"S": "6.5"} for criterion in CRITERIA[WRITING]},
    "feedback": {"S": '{"strengths": ["Clear."]}'},
    "model_used": {"S": "gemini-writing_task2"},
    "created_at": {"N": "1733644800"},
}


SET: Item = {
    "set_id": {"S": "set-1"},
    "user_id": {"S": "user-1"},
    "document_id": {"S": "uploads/notes.pdf"},
    "status": {"S": "completed"},
    "flashcards": {"S": '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]'},
    "total_cards": {"N": "2"},
    "page_count": {"N": "3"},
    "chunk_count": {"N": "5"},
    "created_at": {"N": "1733644800"},
}


def changed(item: Item, **attributes: Item | None) -> Item:
    """The item with some attributes replaced, and without those that are None."""
    return {name: value for name, value in {**item, **attributes}.items() if value is not None}


# Includes lone surrogates, NUL, right-to-left and characters beyond the first plane.
texts = st.text(st.characters(), max_size=12) | st.sampled_from(
    ["7.0", "7,5", "N/A", "completed", "writing", "speaking", "1733644800", "[1, 2", "\ud800", "2024-12-08T08:00:00Z"]
)


json_texts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
).map(json.dumps)


# As DynamoDB sends numbers: up to 38 digits, no sign but minus, no leading zeros.
numbers = st.builds(
    lambda digits, places: f"{Decimal(digits).scaleb(-places):f}",
    st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-5, 10) | st.integers(10**9, 2 * 10**12),
    st.integers(0, 30) | st.just(0),
).map(lambda number: number if len(number.strip("-0.").replace(".", "")) <= 38 else "7")


binaries = st.binary(max_size=6)


scalars = st.one_of(
    st.builds(lambda v: {"S": v}, texts | json_texts),
    st.builds(lambda v: {"N": v}, numbers),
    st.builds(lambda v: {"B": v}, binaries),
    st.builds(lambda v: {"BOOL": v}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda v: {"SS": v}, st.lists(texts, min_size=1, max_size=3, unique=True)),
    st.builds(lambda v: {"NS": v}, st.lists(numbers, min_size=1, max_size=3, unique=True)),
    st.builds(lambda v: {"BS": v}, st.lists(binaries, min_size=1, max_size=3, unique=True)),
)


# Names are UTF-8 in DynamoDB, so that two never become the same when they are made sound.
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


values = st.recursive(
    scalars,
    lambda inner: (
        st.builds(lambda v: {"L": v}, st.lists(inner, max_size=3))
        | st.builds(lambda v: {"M": v}, st.dictionaries(names, inner, max_size=3))
    ),
    max_leaves=6,
)


declared = st.sampled_from(sorted({*EVALUATION, *SET, "duration", "word_count", "transcript", "fluency_band"}))


items = st.dictionaries(declared | names, values, max_size=10) | st.builds(
    lambda base, change: {**base, **change},
    st.sampled_from([EVALUATION, SET]),
    st.dictionaries(declared, values, max_size=3),
)


fuzzed = settings(examples(150), suppress_health_check=[HealthCheck.too_slow])


def serialized(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Plain records as DynamoDB sends them."""
    serialize: Any = TypeSerializer().serialize
    return [{name: serialize(value) for name, value in record.items()} for record in records]
