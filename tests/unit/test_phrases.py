"""Remarks come out of feedback of any shape; phrases recur as a person would count them, and say where."""

import itertools
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.phrases import (
    MOST_CHARACTERS,
    Feedback,
    Phrase,
    RecurringFeedback,
    Remark,
    feedback_of,
    find_recurring,
    newest,
    recurring,
    remarks,
)
from data.demo.sample import sample
from data.letters import composed
from data.records import evaluations
from data.schema import COMPLETED, CRITERION_NAMES
from tests.support.items import EVALUATION, changed
from tests.support.work import is_linear

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def one(number: int, *texts: str, kind: Any = "weakness", user: str = "u", criterion: str | None = None) -> Feedback:
    """What evaluation `number` says; a higher number is older."""
    of_kind = tuple(Remark(text, kind, criterion) for text in texts)
    return Feedback(f"e{number}", user, NOON - timedelta(days=number), of_kind)


def counts(*feedback: Feedback, students: int = 1) -> dict[str, int]:
    """Each phrase with its number of evaluations."""
    return {phrase.text: phrase.evaluations for phrase in recurring(feedback, students=students)}


# --- remarks


def test_the_writing_shape() -> None:
    feedback = {"strengths": ["Clear."], "weaknesses": ["Short.", "Few examples."], "suggestions": ["Read more."]}
    assert remarks(feedback) == (
        Remark("Clear.", "strength", None),
        Remark("Short.", "weakness", None),
        Remark("Few examples.", "weakness", None),
        Remark("Read more.", "suggestion", None),
    )


def test_the_speaking_shape() -> None:
    feedback = {
        "fluency": {"band": "6.5", "comment": "Some pauses."},
        "pronunciation": {"band": 7, "comment": "Clear."},
        "suggestions": ["Record an answer."],
    }
    assert remarks(feedback) == (
        Remark("Some pauses.", "remark", "fluency_band"),
        Remark("Clear.", "remark", "pronunciation_band"),
        Remark("Record an answer.", "suggestion", None),
    )


@pytest.mark.parametrize(
    ("key", "criterion"),
    [
        ("fluency", "fluency_band"),
        ("Fluency and Coherence", "fluency_band"),
        ("fluency_band", "fluency_band"),
        ("coherence", "coherence_band"),
        ("coherenceAndCohesion", "coherence_band"),
        ("lexical_resource", "lexical_band"),
        ("Vocabulary", "lexical_band"),
        ("grammaticalRange", "grammar_band"),
        ("grammar (2)", "grammar_band"),
        ("task_response", "task_achievement_band"),
        ("taskAchievement", "task_achievement_band"),
        ("pronunciation", "pronunciation_band"),
        ("summary", None),
        ("multitasking", None),
    ],
)
def test_a_key_names_a_criterion(key: str, criterion: str | None) -> None:
    assert remarks({key: "Said of it."}) == (Remark("Said of it.", "remark", criterion),)
    assert criterion is None or criterion in CRITERION_NAMES


def test_kind_and_criterion_hold_for_what_is_inside() -> None:
    feedback = {"grammar": {"strengths": [{"text": "Good."}], "areas_for_improvement": ["Tenses."]}}
    assert remarks(feedback) == (
        Remark("Good.", "strength", "grammar_band"),
        Remark("Tenses.", "suggestion", "grammar_band"),
    )


@pytest.mark.parametrize("feedback", [None, 42, 6.5, True, "", "  ", "6.5", "-", [], {}, {"band": "7.0"}, [[None]]])
def test_what_says_nothing_is_no_remark(feedback: Any) -> None:
    assert remarks(feedback) == ()


def test_text_and_lists_are_remarks_as_they_are() -> None:
    assert remarks("Only a sentence.") == (Remark("Only a sentence.", "remark", None),)
    assert [r.text for r in remarks(["A list", ["of remarks"]])] == ["A list", "of remarks"]


# --- phrases


def test_a_sentence_said_twice_recurs_as_it_was_first_written_with_the_newest_first() -> None:
    phrases = recurring([one(1, "Articles are Missing before nouns."), one(5, "articles are missing before nouns.")])
    assert phrases == [
        Phrase("articles are missing before nouns.", "weakness", None, (("e1", "u"), ("e5", "u"))),
    ]
    assert (phrases[0].evaluations, phrases[0].students) == (2, 1)


def test_twice_in_one_evaluation_is_once() -> None:
    assert counts(one(1, "Articles are missing.", "Articles are missing."), one(2, "Tenses are wrong.")) == {}
    # The same evaluation twice is one.
    assert counts(one(1, "Articles are missing."), one(1, "Articles are missing.")) == {}


def test_the_longest_run_is_told_and_none_of_its_parts() -> None:
    assert counts(
        one(1, "In this essay the range of vocabulary is wide, and much more."),
        one(2, "Sadly, the range of vocabulary is wide in the first part."),
    ) == {"range of vocabulary is wide": 2}


def test_a_shorter_phrase_is_told_where_it_is_said_more_often() -> None:
    assert counts(
        one(1, "Today a good range of vocabulary helps."),
        one(2, "Again a good range of vocabulary helped."),
        one(3, "Use a wider range of vocabulary!"),
    ) == {"range of vocabulary": 3, "good range of vocabulary": 2}


def test_a_shorter_phrase_that_only_longer_ones_hold_is_not_told() -> None:
    assert counts(
        one(1, "Speaks at length without effort."),
        one(2, "Speaks at length without effort."),
        one(3, "Speaks at length but hesitates."),
        one(4, "Speaks at length but hesitates."),
    ) == {"Speaks at length without effort.": 2, "Speaks at length but hesitates.": 2}


def test_no_phrase_begins_or_ends_in_a_stop_word_but_a_whole_sentence_may() -> None:
    assert counts(one(1, "One of the main ideas and this."), one(2, "Some of the main ideas are there.")) == {}
    assert counts(one(1, "It is clear what this refers to."), one(2, "It is clear what this refers to.")) == {
        "It is clear what this refers to.": 2
    }


def test_a_short_sentence_recurs_where_its_key_says_what_it_is() -> None:
    assert counts(one(1, "Articles"), one(2, "articles.")) == {"articles.": 2}
    assert counts(one(1, "Articles", kind="remark"), one(2, "articles", kind="remark")) == {}
    assert counts(one(1, "None"), one(2, "None")) == {}
    # A word inside another sentence is no recurring sentence.
    assert counts(one(1, "Articles"), one(2, "Articles are missing.")) == {}


def test_sentences_are_told_apart_inside_one_text() -> None:
    texts = "Well done. Check your verbs again! New line\nhere it is", "Nothing new; Check your verbs again! Bye"
    assert counts(*(one(n, text) for n, text in enumerate(texts))) == {"Check your verbs again": 2}
    assert counts(one(1, "Use links, e.g. moreover or thus."), one(2, "Use links, e.g. moreover or thus.")) == {
        "Use links, e.g. moreover or thus.": 2
    }


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Vary “very” in essays.", "Vary “good” in essays.", "Vary “…” in essays."),
        ("Vary “very” in essays.", "Vary “very” in essays.", "Vary “very” in essays."),
        ('Vary "very" in essays.', "Vary ‘the big one’ in essays.", "Vary “…” in essays."),
        ("Vary ('very') in essays.", "Vary (`good`) in essays.", "Vary (“…”) in essays."),
        ("It appears 4 times here.", "It appears 12 times here.", "It appears … times here."),
        ("It appears 4 times here.", "It appears 4 times here.", "It appears 4 times here."),
        ("About 30% of verbs fail.", "About 7.5% of verbs fail.", "About …% of verbs fail."),
        ("Don't give up so soon.", "Don’t give up so soon.", "Don’t give up so soon."),
    ],
)
def test_quoted_words_and_numbers_make_no_difference(first: str, second: str, expected: str) -> None:
    assert counts(one(1, first), one(2, second)) == {expected: 2}


def test_one_sentence_around_changing_words_is_one_phrase() -> None:
    assert counts(
        one(1, "Collect ten collocations about food and use five of them next time."),
        one(2, "Collect ten collocations about old towns and use five of them next time."),
    ) == {"Collect ten collocations … use five of them next time": 2}


def test_a_phrase_with_a_gap_has_one_whole_sentence_as_its_example() -> None:
    (phrase,) = recurring([
        one(1, "Collect ten collocations about food and use five of them next time."),
        one(2, "Collect ten collocations about old towns and use five of them next time."),
    ])  # fmt: skip
    assert phrase.example == "Collect ten collocations about old towns and use five of them next time."
    (whole,) = recurring([one(1, "Check every verb."), one(2, "Check every verb.")])
    assert whole.example == ""


def test_kinds_and_criteria_are_counted_apart() -> None:
    said_of = "A wide range of words."
    phrases = recurring(
        [
            *(one(n, said_of, kind="strength") for n in (1, 2)),
            *(one(n, said_of, kind="remark", criterion="lexical_band") for n in (3, 4, 5)),
            one(6, said_of),
        ]
    )
    assert [(p.kind, p.criterion, p.evaluations) for p in phrases] == [
        ("remark", "lexical_band", 3),
        ("strength", None, 2),
    ]


def test_a_group_counts_students() -> None:
    said_to = [one(1, "Check every verb."), one(2, "Check every verb."), one(3, "Check every verb.", user="v")]
    assert [(p.students, p.evaluations) for p in recurring(said_to, students=2)] == [(2, 3)]
    assert recurring(said_to[:2], students=2) == []
    # What only one student hears in full does not hide what both hear.
    assert counts(
        *(one(n, "Check every verb and every noun you wrote.") for n in (1, 2)),
        one(3, "Check every verb twice.", user="v"),
        students=2,
    ) == {"Check every verb": 3}


def test_the_most_frequent_comes_first() -> None:
    often = [one(n, "Check every verb.") for n in range(4)]
    rare = [one(n, "Read the question.") for n in range(4, 6)]
    assert list(counts(*rare, *often)) == ["Check every verb.", "Read the question."]


@pytest.mark.parametrize(
    "sentence",
    [
        "Bạn nên dùng nhiều từ nối hơn.",
        "ใช้คำศัพท์ได้หลากหลาย",
        "词汇量丰富，但语法错误较多。",
        "語彙が豊富です。",
        "انتبه إلى أزمنة الأفعال.",
        "कृपया क्रियाओं की जाँच करें।",
        "동사의 시제를 확인하세요.",
        "Don’t — ever — give up!",
        "👩‍🏫 Well done today ✅",
    ],
)
def test_any_script_recurs_by_whole_sentences(sentence: str) -> None:
    assert counts(one(1, sentence), one(2, sentence), one(3, "Other words.")) == {sentence: 2}


def test_scripts_without_spaces_have_no_shorter_phrases_but_sentences_of_their_own() -> None:
    assert counts(one(1, "词汇量丰富。语法错误较多。"), one(2, "语法错误较多。词汇量很好。")) == {"语法错误较多。": 2}
    assert counts(one(1, "“very”用了4次太多"), one(2, "“good”用了12次太多")) == {"“…”用了…次太多": 2}


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert (
        len(
            counts(
                one(1, "Ch\u00fa \u00fd c\u1ea5u tr\u00fac c\u00e2u"),
                one(2, "Chu\u0301 y\u0301 c\u00e2\u0301u tru\u0301c c\u00e2u"),
            )
        )
        == 1
    )


def test_nothing_recurs_in_nothing() -> None:
    assert recurring([]) == []
    assert recurring([one(1)]) == []
    assert recurring([one(1), one(2, "")]) == []


def test_times_that_are_unknown_come_last() -> None:
    timeless = Feedback("e0", "u", None, (Remark("Check every verb.", "weakness", None),))
    (phrase,) = recurring([timeless, one(9, "Check every verb."), one(1, "Check every verb.")])
    assert phrase.said_in == (("e1", "u"), ("e9", "u"), ("e0", "u"))


def test_a_very_long_feedback_is_cut_and_says_so() -> None:
    short = one(1, "Check every verb.")
    long = one(2, "Check every verb.", *(f"Sentence number {n} is of its own kind. " * 200 for n in range(50)))
    assert (short.cut, long.cut) == (False, True)
    assert counts(short, long) == {"Check every verb.": 2}
    late = one(2, "x " * MOST_CHARACTERS, "Check every verb.")
    assert counts(short, late) == {}


def test_a_phrase_is_not_shown_at_any_length() -> None:
    (text,) = counts(one(1, "word" * 500), one(2, "word" * 500))
    assert len(text) == 300


@pytest.mark.parametrize(
    "unit",
    ["A very long remark. ", "x", "a ", "word“", "'", "中文没有空格。", ".\n", "alpha beta gamma delta "],
)
def test_feedback_takes_work_in_proportion_to_its_size(unit: str) -> None:
    assert is_linear(lambda text: recurring([one(n, text) for n in range(5)]), unit)


WORDS = st.lists(
    st.sampled_from(["the", "of", "verbs", "nouns", "Check", "check", "every", "“x”", "“y”", "4", "7.", "词"])
)
SAID = st.builds(
    one,
    st.integers(0, 6),
    WORDS.map(" ".join) | st.text(max_size=30),
    kind=st.sampled_from(["strength", "weakness", "remark"]),
    user=st.sampled_from(["u", "v", "w"]),
    criterion=st.sampled_from([None, "grammar_band"]),
)


def test_of_one_evaluation_told_twice_the_order_does_not_choose_which_is_taken() -> None:
    twice = [one(1, "7. verbs 7.", kind="strength", criterion=criterion) for criterion in (None, "grammar_band")]
    twice.append(one(1, "7. verbs 7.", kind="weakness"))
    other = one(2, "7. verbs 7.", kind="strength")
    orders = [[other, *order] for order in permutations(twice)]
    assert len({tuple(recurring(order)) for order in orders}) == 1


@given(st.lists(SAID, max_size=9).flatmap(lambda given: st.tuples(st.just(given), st.permutations(given))))
def test_the_order_has_no_effect(orders: tuple[list[Feedback], list[Feedback]]) -> None:
    given, again = orders
    assert recurring(given) == recurring(again)


@given(st.lists(SAID, max_size=9), st.integers(1, 3))
def test_counts_are_of_evaluations_that_there_are(given: list[Feedback], students: int) -> None:
    keys = {feedback.key: feedback for feedback in given}
    for phrase in recurring(given, students=students):
        assert 2 <= phrase.evaluations <= len(keys)
        assert students <= phrase.students <= phrase.evaluations
        assert len(set(phrase.said_in)) == phrase.evaluations
        assert set(phrase.said_in) <= set(keys)
        times = [keys[key].at for key in phrase.said_in]
        assert times == sorted(times, reverse=True, key=lambda at: at or NOON)
        assert phrase.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_gives_remarks_with_something_in_them(feedback: Any) -> None:
    for remark in remarks(feedback):
        assert any(letter.isalpha() or not letter.isascii() for letter in remark.text)


# --- evaluations


def whole(records: list[dict[str, Any]]) -> list[evaluations.Evaluation]:
    items = [
        {
            name: {"N": str(v)} if isinstance(v, int) else {"S": v}
            for name, v in record.items()
            if isinstance(v, (int, str))
        }
        for record in records
    ]
    return [evaluations.parse(item) for item in items]


def test_a_letter_with_thousands_of_marks_takes_no_longer_than_its_length() -> None:
    """Normalizing sorts the marks of a letter by insertion."""
    assert is_linear(composed, "\u0301\u0316", sizes=(20_000, 80_000, 320_000))
    # A vowel of Tibetan is a letter to Unicode, and taken apart into two marks.
    assert is_linear(composed, "\u0f73", sizes=(4_000, 16_000, 64_000))
    assert composed("a" + "\u0301" * 40 + "b") == "\xe1" + "\u0301" * 29 + "b"
    assert composed("A\u030a Đ") == "\xc5 Đ"


def test_the_demos_own_remarks_recur() -> None:
    completed = [r for r in sample(NOON).evaluations if r.get("status") == COMPLETED and r["user_id"] == "user-102"]
    completed.sort(key=lambda record: record["created_at"], reverse=True)
    read = whole(completed[:20])
    told_of = find_recurring(read)
    assert isinstance(told_of, RecurringFeedback)
    assert (told_of.evaluations, told_of.students, told_of.cut) == (20, 1, 0)
    assert len(told_of.phrases) > 10
    texts = {phrase.text for phrase in told_of.phrases}
    assert any("“…”" in text for text in texts)
    assert not any("{" in text for text in texts)
    # Each phrase is in the feedback of those that are said to have said it, and in no other's.
    for phrase in told_of.phrases:
        parts = [part.strip(" .").casefold() for part in phrase.text.replace("“…”", " … ").split(" … ")]
        parts = [part for part in parts if part]
        holding = {
            one.key
            for one in map(feedback_of, read)
            for remark in one.remarks
            if (remark.kind, remark.criterion) == (phrase.kind, phrase.criterion)
            and all(part in remark.text.casefold() for part in parts)
        }
        assert holding == set(phrase.said_in), phrase.text


def test_the_demos_odd_records_do_no_harm() -> None:
    odd = whole([record for record in sample(NOON).evaluations if record["user_id"] == "user-099"])
    read = find_recurring(odd)
    assert read.cut == 1
    assert {phrase.text: phrase.kind for phrase in read.phrases} == {"Clear.": "strength", "Short.": "weakness"}


def test_a_class_hears_the_same() -> None:
    by_student: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in sample(NOON).evaluations:
        if record.get("status") == COMPLETED and json.loads(json.dumps(record.get("feedback", ""))):
            by_student[record["user_id"]].append(record)
    two_each = itertools.chain.from_iterable(records[-2:] for records in by_student.values())
    read = find_recurring(whole(list(two_each)), students=2)
    assert read.phrases[0].students > 10
    assert all(2 <= phrase.students <= read.students for phrase in read.phrases)


def test_the_newest_completed_are_chosen() -> None:
    records = [
        {"evaluation_id": f"e{n}", "user_id": f"u{n % 2}", "status": status, "created_at": 1733644800 - n}
        for n, status in enumerate(
            ["completed", "failed", "completed", "completed", "processing", "completed", "completed"]
        )
    ]
    items: Any = [
        {name: {"N": str(v)} if isinstance(v, int) else {"S": v} for name, v in record.items()} for record in records
    ]
    rows = evaluations.frame([*items, {"user_id": {"S": "u0"}, "status": {"S": "completed"}}])
    assert newest(rows, 3) == (("e0", "u0"), ("e2", "u0"), ("e3", "u1"))
    assert newest(rows, 2, of_each=True) == (("e0", "u0"), ("e2", "u0"), ("e3", "u1"), ("e5", "u1"))
    assert newest(rows.iloc[:0], 2) == ()


def test_what_cannot_be_read_is_counted_and_never_mined_while_what_was_mended_counts() -> None:
    texts = [
        json.dumps({"weaknesses": ["Articles are often missing"]}),
        '```json\n{"weaknesses": ["Articles are often missing",]}\n```',
        '{"weaknesses": ["Articles are often missing", "Ver',
        "{weaknesses: [Articles are often missing]}",
        "Articles are often missing",
    ]
    records = [changed(EVALUATION, evaluation_id={"S": f"e{n}"}, feedback={"S": text}) for n, text in enumerate(texts)]
    answer = find_recurring(map(evaluations.parse, records))
    assert [(phrase.text, phrase.evaluations) for phrase in answer.phrases] == [("Articles are often missing", 3)]
    assert (answer.evaluations, len(answer.unread), answer.asked) == (3, 2, 5)
