"""Many records read at once give what one after the other gives: the same frame, the same issues, the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from data.records import evaluations, flashcards
from data.records.frames import joined
from data.schema import BANDS, EVALUATIONS, FLASHCARD_SETS, OVERALL, SPEAKING_CRITERIA, TYPES, WRITING_CRITERIA
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


def check(several: list[Item]) -> None:
    """Read together, records give the rows that each gives alone; None and NaN apart."""
    for frame in (evaluations.frame, flashcards.frame):
        together = frame(several)
        alone = [frame([item]) for item in several]
        assert_frame_equal(together, joined([frame([]), *alone]), check_exact=True)
        for name in together.columns:
            if together[name].dtype == object:
                assert [type(v) for v in together[name]] == [type(v) for row in alone for v in row[name]]


def test_what_a_record_must_have_depends_on_its_own_status_and_type() -> None:
    bandless = changed(SPEAKING, **dict.fromkeys(BANDS))
    table = evaluations.frame([EVALUATION, bandless, FAILED, changed(bandless, evaluation_type={"S": "writing"})])
    assert [{issue.attribute for issue in issues} for issues in table["issues"]] == [
        set(),
        {OVERALL, *SPEAKING_CRITERIA},
        set(),
        {OVERALL, *WRITING_CRITERIA},
    ]


def test_a_record_has_the_issues_of_its_row_in_the_same_order() -> None:
    odd = changed(EVALUATION, status={"S": "queued"}, overall_band={"N": "7"}, created_at=None, user_id={"S": ""})
    (issues,) = evaluations.frame([odd])["issues"]
    assert [issue.attribute for issue in issues] == ["status", "user_id", "overall_band", "created_at"]
    assert evaluations.parse(odd).issues == issues


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
def test_any_records_together_give_the_rows_of_each_alone(several: list[Item]) -> None:
    check(several)


def test_equal_texts_are_one_object() -> None:
    # The frames of long periods are kept for all visitors: names of models and students are there once, not per row.
    several = [changed(EVALUATION, user_id={"S": "".join(["user", str(n % 2)])}) for n in range(4)]
    table = evaluations.frame(several)
    assert table["user_id"][0] is table["user_id"][2]
    assert table["status"][0] is table["status"][1]
