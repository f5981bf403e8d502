"""Whole columns at once give what one record after the other gives: the same frame, the same issues, the same order."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data.records import evaluations, flashcards
from data.records.columns import Columns
from data.records.parse import Fields
from data.schema import EVALUATIONS, FLASHCARD_SETS, SPEAKING_CRITERIA, TYPES
from tests.support.items import EVALUATION, SET, Item, changed, fuzzed, items, values

SPEAKING: Item = {
    **{name: value for name, value in EVALUATION.items() if not name.endswith("_band")},
    "evaluation_type": {"S": "speaking"},
    "overall_band": {"S": "6.0"},
    **{criterion: {"S": "6.0"} for criterion in SPEAKING_CRITERIA},
    "duration": {"S": "120.5"},
    "word_count": {"N": "185"},
}
FAILED: Item = {name: EVALUATION[name] for name in ("evaluation_id", "user_id", "evaluation_type", "created_at")} | {
    "status": {"S": "failed"}
}


def one_by_one(
    several: list[Item], summarise: Callable[[Fields], dict[str, Any]], types: Mapping[str, str]
) -> pd.DataFrame:
    """The frame as it was built before columns were read at once."""
    records = []
    for item in several:
        fields = Fields(item)
        records.append({**summarise(fields), "issues": tuple(fields.issues)})
    table = pd.DataFrame(records, columns=[*types, "created_at", "issues"], dtype="object").astype(dict(types))
    return table.assign(created_at=pd.to_datetime(table["created_at"], utc=True).astype("datetime64[us, UTC]"))


def check(several: list[Item]) -> None:
    """Both frames are the same both ways, None and NaN apart."""
    for made, expected in (
        (evaluations.frame(several), one_by_one(several, evaluations._summary, evaluations._TYPES)),
        (flashcards.frame(several), one_by_one(several, flashcards._summary, flashcards._TYPES)),
    ):
        assert_frame_equal(made, expected, check_exact=True)
        for name in made.columns:
            if made[name].dtype == object:
                assert [type(value) for value in made[name]] == [type(value) for value in expected[name]]


def test_what_is_as_specified_is_read_as_columns() -> None:
    several = [EVALUATION, SPEAKING, FAILED, changed(SPEAKING, duration=None, word_count=None, model_used=None)] * 2
    columns = Columns(several, EVALUATIONS)
    evaluations._columns(columns)
    assert not columns.odd.any()
    check(several)
    decks = [SET, changed(SET, page_count=None)]
    sets = Columns(decks, FLASHCARD_SETS)
    flashcards._columns(sets)
    assert not sets.odd.any()
    check(decks)


ODD = {
    "an attribute of another type": {"overall_band": {"N": "7"}},
    "a band in other words": {"overall_band": {"S": "7,0"}},
    "a missing band": {"grammar_band": None},
    "an unknown status": {"status": {"S": "queued"}},
    "NULL": {"model_used": {"NULL": True}},
    "an empty id": {"user_id": {"S": ""}},
    "a time in milliseconds": {"created_at": {"N": "1733644800000"}},
    "a time with a fraction": {"created_at": {"N": "1733644800.25"}},
    "a time as text": {"created_at": {"S": "1733644800"}},
    "the first second of the year 2000": {"created_at": {"N": "946684800"}},
    "the second before": {"created_at": {"N": "946684799"}},
    "a lone surrogate": {"user_id": {"S": "a\ud800b"}},
    "what marks another type": {"user_id": {"S": "\0another type"}},
    "digits of another script": {"created_at": {"N": "١٧٣٣٦٤٤٨٠٠"}},
    "a negative duration that a float takes for zero": {"duration": {"S": "-1e-400"}},
    "a duration at the limit": {"duration": {"S": "1000000000000000.01"}},
    "a duration with spaces": {"duration": {"S": " 12.5 "}},
    "a duration with an underscore": {"duration": {"S": "1_0"}},
    "a duration of two points": {"duration": {"S": "1.2.3"}},
    "a duration that is a point": {"duration": {"S": "."}},
    "a count with a fraction": {"word_count": {"N": "1.5"}},
    "a superscript": {"word_count": {"N": "²"}},
    "a count that is no float": {"word_count": {"N": "9" * 38}},
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("base", [EVALUATION, SPEAKING], ids=TYPES)
def test_an_odd_record_among_plain_ones(name: str, base: Item) -> None:
    check([base, changed(base, **ODD[name]), base, changed(SET, **ODD[name])])


nearly = st.builds(
    lambda base, change: changed(base, **change),
    st.sampled_from([EVALUATION, SPEAKING, FAILED, SET]),
    st.dictionaries(
        st.sampled_from(sorted({*EVALUATIONS.summary, *FLASHCARD_SETS.summary})), st.none() | values, max_size=2
    ),
)


@fuzzed
@given(st.lists(nearly | items, max_size=5))
def test_any_records_give_the_same_frame_both_ways(several: list[Item]) -> None:
    check(several)


def test_equal_texts_are_one_object() -> None:
    # The frames of long periods are kept for all visitors: names of models and students are there once, not per row.
    several = [changed(EVALUATION, user_id={"S": "".join(["user", str(n % 2)])}) for n in range(4)]
    table = evaluations.frame(several)
    assert table["user_id"][0] is table["user_id"][2]
    assert table["status"][0] is table["status"][1]
