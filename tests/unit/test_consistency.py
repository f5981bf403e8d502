"""The rules of the audit as tables of cases: each with the boundary on either side."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from analysis import consistency
from analysis.bands import nearest_half
from data.demo.sample import ODD_STUDENT, SEED_EVALUATIONS, SEED_SET, sample
from data.records import evaluations, flashcards, frames
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from tests.support.examples import examples
from tests.support.items import serialized

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def attempt(skill: str = WRITING, band: str = "6.5", **changes: Any) -> dict[str, Any]:
    """A completed evaluation that adds up; None takes an attribute away."""
    record = {
        "evaluation_id": "eval-1",
        "user_id": "user-1",
        "evaluation_type": skill,
        "status": "completed",
        OVERALL: band,
        **dict.fromkeys(CRITERIA[skill], band),
        "feedback": '{"strengths": ["Clear."]}',
        "model_used": "m",
        "created_at": int(NOW.timestamp()),
        **changes,
    }
    return {name: value for name, value in record.items() if value is not None}


def deck(**changes: Any) -> dict[str, Any]:
    """A completed set of two cards that adds up."""
    record = {
        "set_id": "set-1",
        "user_id": "user-1",
        "document_id": "a.pdf",
        "status": "completed",
        "flashcards": '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]',
        "total_cards": 2,
        "created_at": int(NOW.timestamp()),
        **changes,
    }
    return {name: value for name, value in record.items() if value is not None}


def criteria(*bands: str, skill: str = WRITING) -> dict[str, str]:
    return dict(zip(CRITERIA[skill], bands, strict=True))


def listed(*records: dict[str, Any]) -> pd.DataFrame:
    """What is found in evaluations from their list alone."""
    return consistency.in_evaluations(evaluations.frame(serialized(records)))


def kinds(findings: pd.DataFrame, *, schema: bool = False) -> set[str]:
    """The codes of the kinds found, those of single attributes only if wanted."""
    return {kind for kind in findings["kind"] if schema or not kind.startswith(("schema:", "repaired:"))}


@pytest.mark.parametrize(
    ("bands", "rounded"),
    [
        ((6.0, 6.0, 6.0, 6.5), 6.0),  # 6.125
        ((6.0, 6.0, 6.5, 6.5), 6.5),  # 6.25, goes up
        ((6.0, 6.5, 6.5, 6.5), 6.5),  # 6.375
        ((6.5, 6.5, 6.5, 7.0), 6.5),  # 6.625
        ((7.0, 6.5, 7.0, 6.5), 7.0),  # 6.75, the seed's two examples; round() would tie to even
        ((4.0, 4.0, 4.0, 3.5), 4.0),  # 3.875
        ((0.0, 0.0, 0.0, 0.0), 0.0),
        ((0.0, 0.0, 0.5, 0.5), 0.5),  # 0.25
        ((9.0, 9.0, 9.0, 9.0), 9.0),
        ((9.0, 9.0, 9.0, 8.0), 9.0),  # 8.75
        ((9.0, 9.0, 8.5, 8.0), 8.5),  # 8.625
    ],
)
def test_the_mean_goes_to_the_nearest_half_and_a_quarter_goes_up(bands: tuple[float, ...], rounded: float) -> None:
    assert nearest_half(sum(bands) / 4) == rounded
    values = criteria(*(f"{band:.1f}" for band in bands))
    assert kinds(listed(attempt(band=f"{rounded:.1f}", **values))) == set()


@pytest.mark.parametrize(
    ("overall", "expected"),
    [
        ("6.5", set()),
        ("7.0", {"overall-half"}),  # half a band above
        ("6.0", {"overall-half"}),  # and below: some examiners round down
        ("7.5", {"overall"}),
        ("5.5", {"overall"}),
        ("9.0", {"overall"}),
        ("6.25", {"overall-half", "scale"}),
    ],
)
def test_the_overall_band_against_its_criteria(overall: str, expected: set[str]) -> None:
    # The criteria's mean is 6.25, so the band is 6.5.
    assert kinds(listed(attempt(**{OVERALL: overall}, **criteria("6.0", "6.0", "6.5", "6.5")))) == expected


def test_what_was_found_says_how_it_was_reckoned() -> None:
    listing = listed(attempt(**{OVERALL: "8.0"}, **criteria("6.0", "6.0", "6.5", "6.0")))
    assert listing["detail"].tolist() == ["overall 8.0; criteria 6.0 6.0 6.5 6.0, mean 6.125, rounded 6.0"]


@pytest.mark.parametrize("status", ["processing", "failed", "queued", None])
def test_only_a_completed_evaluation_owes_bands_that_follow(status: str | None) -> None:
    record = attempt(status=status, **{OVERALL: "9.0"}, grammar_band=None)
    assert kinds(listed(record)) == set()


@pytest.mark.parametrize(
    ("band", "off"),
    [
        ("0.0", False),
        ("9.0", False),
        ("8.5", False),
        ("9.5", True),
        ("-0.5", True),
        ("10", True),
        ("6.3", True),
        ("6.75", True),
        ("7", False),  # written oddly, but on the scale
        ("7,5", False),
        ("seven", False),  # no number: not on any scale
    ],
)
@pytest.mark.parametrize("attribute", [OVERALL, "coherence_band"])
def test_a_band_off_the_scale(attribute: str, band: str, off: bool) -> None:
    listing = listed(attempt(**{attribute: band}))
    assert ("scale" in kinds(listing)) is off
    if off:
        assert listing["detail"][listing["kind"] == "scale"].item() == f"{attribute} {band}"
        # It is there, so it is not missing as well.
        assert not kinds(listing) & {"no-band", "criterion-missing"}


@pytest.mark.parametrize("value", [None, "", "N/A", True])
def test_completed_without_a_band(value: Any) -> None:
    assert kinds(listed(attempt(**{OVERALL: value}))) == {"no-band"}


@pytest.mark.parametrize("skill", [WRITING, SPEAKING])
@pytest.mark.parametrize("value", [None, "", "N/A"])
def test_a_criterion_of_its_type_that_is_missing(skill: str, value: Any) -> None:
    for criterion in CRITERIA[skill]:
        listing = listed(attempt(skill, **{criterion: value}))
        assert kinds(listing) == {"criterion-missing"}
        assert criterion in listing["detail"][listing["kind"] == "criterion-missing"].item()


@pytest.mark.parametrize(
    ("skill", "criterion", "foreign"),
    [
        (WRITING, "fluency_band", True),
        (WRITING, "pronunciation_band", True),
        (WRITING, "lexical_band", False),
        (SPEAKING, "task_achievement_band", True),
        (SPEAKING, "coherence_band", True),
        (SPEAKING, "grammar_band", False),
    ],
)
@pytest.mark.parametrize("value", ["6.5", "N/A"])
def test_a_criterion_of_the_other_type(skill: str, criterion: str, foreign: bool, value: str) -> None:
    assert ("criterion-foreign" in kinds(listed(attempt(skill, **{criterion: value})))) is foreign


@pytest.mark.parametrize(("skill", "criterion"), [(WRITING, "fluency_band"), (SPEAKING, "task_achievement_band")])
@pytest.mark.parametrize("value", [None, "", " "])
def test_a_criterion_of_the_other_type_with_nothing_in_it_is_none(skill: str, criterion: str, value: Any) -> None:
    assert kinds(listed(attempt(skill) | {criterion: value})) == set()


def test_what_is_empty_is_not_named_beside_a_criterion_of_the_other_type() -> None:
    findings = listed(attempt(WRITING) | {"fluency_band": None, "pronunciation_band": "5.0"})
    of_kind = findings[findings["kind"] == "criterion-foreign"]
    assert of_kind["detail"].tolist() == ["pronunciation_band 5.0"]


def test_an_unknown_type_has_no_criteria_to_miss() -> None:
    assert kinds(listed(attempt(evaluation_type="reading", fluency_band="3.0"))) == set()


@pytest.mark.parametrize(
    ("words", "band", "few"),
    [
        (20, "4.0", True),
        (21, "4.0", False),
        (0, "4.0", True),
        (20, "1.0", False),
        (20, "1.5", True),
        (20, "0.0", False),
    ],
)
def test_a_band_on_few_words(words: int, band: str, few: bool) -> None:
    assert ("few-words" in kinds(listed(attempt(WRITING, band, word_count=words)))) is few
    # A short answer is normal in Speaking.
    assert "few-words" not in kinds(listed(attempt(SPEAKING, band, word_count=words)))


@pytest.mark.parametrize(
    ("seconds", "odd"),
    [("0", True), ("4.9", True), ("5", False), ("120.5", False), ("1800", False), ("1800.1", True), ("86400", True)],
)
def test_a_length_that_is_no_answer(seconds: str, odd: bool) -> None:
    assert kinds(listed(attempt(SPEAKING, duration=seconds))) == ({"length"} if odd else set())
    assert kinds(listed(attempt(WRITING, duration=seconds))) == set()  # nothing was recorded


@pytest.mark.parametrize(
    ("words", "seconds", "odd"),
    [
        (300, "60", False),
        (301, "60", True),  # 301 words a minute
        (40, "120", False),
        (39, "120", True),  # 19.5 words a minute
        (185, "120.5", False),  # the seed's example
        (5000, "3", False),  # the length is what is odd, and is said
    ],
)
def test_a_pace_at_which_nobody_speaks(words: int, seconds: str, odd: bool) -> None:
    assert ("pace" in kinds(listed(attempt(SPEAKING, word_count=words, duration=seconds)))) is odd
    assert kinds(listed(attempt(WRITING, word_count=words, duration=seconds))) == set()


@pytest.mark.parametrize(
    ("recorded", "spoken", "contradicts"),
    [
        (100, 100, False),
        (110, 100, False),  # a tenth
        (111, 100, True),
        (90, 100, False),
        (89, 100, True),
        (15, 10, False),  # five words, although that is half
        (16, 10, True),
        (5, 0, False),
        (6, 0, True),
    ],
)
def test_word_count_against_the_transcript(recorded: int, spoken: int, contradicts: bool) -> None:
    record = attempt(SPEAKING, word_count=recorded, transcript="word " * spoken)
    listing = consistency.in_whole_evaluations(map(evaluations.parse, serialized([record])))
    assert ("words" in kinds(listing)) is contradicts


def test_without_a_transcript_there_is_no_contradiction() -> None:
    record = attempt(SPEAKING, word_count=200)
    assert kinds(consistency.in_whole_evaluations(map(evaluations.parse, serialized([record])))) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, set()),
        ({"total_cards": 3}, {"total-cards"}),
        ({"total_cards": 2, "flashcards": "[]"}, {"no-cards"}),
        ({"flashcards": None}, {"no-cards"}),
        ({"flashcards": "nothing here"}, {"no-cards"}),
        ({"flashcards": '[{"question": " ", "answer": "1"}, {"question": "Two?", "answer": "2"}]'}, {"blank-cards"}),
        ({"flashcards": '[{"question": "One?"}, {"question": "Two?", "answer": "2"}]'}, {"blank-cards"}),
        # The same but for capitals and spaces; with another answer it is another card.
        (
            {"flashcards": '[{"question": "A  b", "answer": "1"}, {"question": "a B ", "answer": "1"}]'},
            {"duplicate-cards"},
        ),
        ({"flashcards": '[{"question": "A", "answer": "1"}, {"question": "A", "answer": "2"}]'}, set()),
        (
            {"flashcards": '[{"question": "", "answer": ""}, {"question": "", "answer": ""}]'},
            {"blank-cards"},
        ),
        ({"status": "failed", "flashcards": None, "total_cards": None}, set()),
        ({"status": "processing", "flashcards": "[]", "total_cards": 7}, set()),
    ],
)
def test_what_is_wrong_with_the_cards_of_a_set(changes: dict[str, Any], expected: set[str]) -> None:
    assert kinds(consistency.in_whole_sets(map(flashcards.parse, serialized([deck(**changes)])))) == expected


@pytest.mark.parametrize(("total", "expected"), [(0, {"no-cards"}), (1, set()), (None, set())])
def test_a_completed_set_that_says_it_has_no_cards(total: int | None, expected: set[str]) -> None:
    frame = flashcards.frame(serialized([deck(total_cards=total)]))
    assert kinds(consistency.in_sets(frame)) == expected
    assert kinds(consistency.in_sets(flashcards.frame(serialized([deck(total_cards=total, status="failed")])))) == set()


def test_every_issue_of_the_parsers_is_found_by_attribute_and_reason() -> None:
    record = attempt(status="queued", **{OVERALL: 7}, model_used=12, feedback="{broken")
    whole = consistency.in_whole_evaluations(map(evaluations.parse, serialized([record])))
    expected = {
        f"schema:evaluations:{i.attribute}:{i.reason}" for i in evaluations.parse(serialized([record])[0]).issues
    }
    assert "schema:evaluations:feedback:cannot be read" in expected
    assert kinds(whole, schema=True) == expected
    # From the list alone: all but the feedback.
    assert kinds(listed(record), schema=True) == expected - {"schema:evaluations:feedback:cannot be read"}


def test_what_was_mended_is_a_group_of_its_own_and_what_was_not_a_format_error() -> None:
    texts = {"fence": '```json\n{"a": "b"}\n```', "cut": '{"a": "b", "c', "lost": "Sorry."}
    records = [attempt(evaluation_id=name, feedback=text) for name, text in texts.items()]
    whole = consistency.in_whole_evaluations(map(evaluations.parse, serialized(records)))
    groups = {row["id"]: consistency.describe(row["kind"]).group for row in whole.to_dict("records")}
    assert groups == {"fence": consistency.REPAIRED, "cut": consistency.SCHEMA, "lost": consistency.SCHEMA}
    # The place where a text breaks off is its own; the kind is one.
    others = [attempt(evaluation_id=str(n), feedback=f'{{"a": "{n}", "c') for n in range(3)]
    again = consistency.in_whole_evaluations(map(evaluations.parse, serialized(others)))
    assert kinds(again, schema=True) == {"schema:evaluations:feedback:breaks off"}


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("created_at", 86_400, 86_400 * 800),  # in the year 1970, 1972
        ("flashcards", '[{"question": "a", "answer": "b"}, {"q', '[{"question": "a", "answer": "b"}, 1, 2, {"q'),
        ("flashcards", "{a", "[{]"),
    ],
)
def test_reasons_that_name_a_records_own_numbers_are_one_kind(attribute: str, one: Any, other: Any) -> None:
    first, second = (
        kinds(consistency.in_whole_sets([flashcards.parse(serialized([deck(**{attribute: value})])[0])]), schema=True)
        for value in (one, other)
    )
    assert {kind for kind in first if f":{attribute}:" in kind} & second


def test_kinds_are_counted_with_records_students_and_the_newest_example() -> None:
    records = [
        attempt(evaluation_id="a", user_id="u", **{OVERALL: "9.5"}, created_at=int(NOW.timestamp()) - 60),
        attempt(evaluation_id="b", user_id="u", **{OVERALL: "12"}),
        attempt(evaluation_id="c", user_id="v", **{OVERALL: "7.0"}),
    ]
    table = consistency.by_kind(listed(*records)).set_index("kind")
    assert table.index.tolist() == ["scale", "overall-half", "schema:evaluations:overall_band:outside 0 to 9"]
    assert table.loc["scale", ["records", "students", "example"]].tolist() == [2, 1, "overall_band 12"]
    assert table["group"].tolist() == [consistency.SCORES, consistency.NOTES, consistency.SCHEMA]


def test_what_both_the_list_and_the_whole_record_say_counts_once() -> None:
    record = attempt(**{OVERALL: 7})
    once = listed(record)
    again = consistency.in_whole_evaluations(map(evaluations.parse, serialized([record])))
    assert_frame_equal(consistency.together(once, again, once), once)


def test_nothing_gives_frames_without_rows_but_with_their_columns() -> None:
    for listing in (
        consistency.none(),
        consistency.together(),
        listed(),
        consistency.in_sets(flashcards.frame([])),
        consistency.in_whole_evaluations([]),
        consistency.in_whole_sets([]),
    ):
        assert list(listing.columns) == [*frames.FINDINGS]
        assert str(listing["created_at"].dtype) == "datetime64[us, UTC]"
        assert listing.empty
        assert consistency.by_kind(listing).empty


@pytest.mark.parametrize("code", ["", "x", "schema", "schema:sets", "schema:sets:flashcards:", "schema:sets:no_such:x"])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises(KeyError):
        consistency.describe(code)


def test_the_seed_documents_items() -> None:
    listing = consistency.together(
        listed(*SEED_EVALUATIONS),
        consistency.in_whole_evaluations(map(evaluations.parse, serialized(SEED_EVALUATIONS))),
        consistency.in_whole_sets(map(flashcards.parse, serialized([SEED_SET]))),
    )
    # The bands follow (mean 6.75, overall 7.0). The document's feedback is abridged to [...], which is no JSON; its
    # transcript to six words of 185; its fifteen cards to one.
    assert sorted(zip(listing["kind"], listing["id"], strict=True)) == [
        ("schema:evaluations:feedback:cannot be read", "eval-abc123"),
        ("schema:evaluations:feedback:cannot be read", "speak-xyz789"),
        ("total-cards", "flashcard-set-123"),
        ("words", "speak-xyz789"),
    ]


def test_in_the_sample_only_the_odd_student_and_the_seeds_have_findings() -> None:
    data = sample(NOW)
    listing = consistency.together(
        listed(*data.evaluations),
        consistency.in_whole_evaluations(map(evaluations.parse, serialized(data.evaluations))),
        consistency.in_sets(flashcards.frame(serialized(data.sets))),
        consistency.in_whole_sets(map(flashcards.parse, serialized(data.sets))),
    )
    assert set(listing["user_id"]) == {ODD_STUDENT, "user-456"}
    mine = listing[listing["user_id"] == ODD_STUDENT]
    by_kind = mine[~mine["kind"].str.startswith(("schema:", "repaired:"))].groupby("kind")["id"].agg(sorted).to_dict()
    assert by_kind == {
        "criterion-missing": ["eval-odd-08"],
        "no-band": ["eval-odd-02", "eval-odd-05"],
        "overall-half": ["eval-odd-01", "eval-odd-03", "eval-odd-04", "eval-odd-07"],
        "scale": ["eval-odd-06", "eval-odd-07"],
        "total-cards": ["flashcard-set-odd-3"],
    }


ODD_BANDS = st.sampled_from([None, "", "N/A", "9.5", "-1", "6.25", "7", "7,0", "0.0", "6.0", "6.5", "9.0", 7, True])
RECORDS = st.lists(
    st.builds(
        attempt,
        st.sampled_from([WRITING, SPEAKING]),
        evaluation_id=st.sampled_from(["a", "b", "c"]),
        user_id=st.sampled_from(["u", "v"]),
        evaluation_type=st.sampled_from([WRITING, SPEAKING, "reading", None]),
        status=st.sampled_from(["completed", "failed", "queued", None]),
        overall_band=ODD_BANDS,
        lexical_band=ODD_BANDS,
        fluency_band=ODD_BANDS,
        word_count=st.sampled_from([None, 0, 20, 21, 200]),
        duration=st.sampled_from([None, "0", "60", "9999"]),
        transcript=st.sampled_from([None, "", "one two three"]),
        created_at=st.sampled_from([None, 1, 1733644800, 1733644801, 1733644800000]),
    ),
    max_size=6,
    unique_by=lambda record: (record["evaluation_id"], record["user_id"]),
)


@examples(30)
@given(RECORDS, st.randoms())
def test_the_order_of_records_never_changes_what_is_found(records: list[dict[str, Any]], random: Any) -> None:
    shuffled = random.sample(records, len(records))
    assert_frame_equal(listed(*records), listed(*shuffled))
    whole = [consistency.in_whole_evaluations(map(evaluations.parse, serialized(some))) for some in (records, shuffled)]
    assert_frame_equal(*whole)
    assert_frame_equal(
        consistency.together(listed(*records), whole[0]), consistency.together(whole[1], listed(*shuffled))
    )
    assert_frame_equal(consistency.by_kind(whole[0]), consistency.by_kind(whole[1]))


@given(st.lists(st.sampled_from([n / 2 for n in range(19)]), min_size=4, max_size=4))
def test_a_rounded_mean_is_a_band_and_at_most_a_quarter_away(bands: list[float]) -> None:
    mean = sum(bands) / 4
    rounded = nearest_half(mean)
    assert (rounded * 2).is_integer()
    assert -0.25 < rounded - mean <= 0.25
    assert math.isclose(nearest_half(mean + 0.5), rounded + 0.5)


def test_a_time_that_is_unknown_comes_last() -> None:
    records = [
        attempt(evaluation_id=name, created_at=None if when is None else int((NOW + when).timestamp()), overall_band="")
        for name, when in (("a", None), ("b", timedelta(0)), ("c", timedelta(1)))
    ]
    listing = listed(*records)
    assert listing[listing["kind"] == "no-band"]["id"].tolist() == ["c", "b", "a"]
