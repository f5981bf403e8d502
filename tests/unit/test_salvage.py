"""Texts that should be JSON and are not quite: what is certain is mended and named, and nothing is added."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.records import evaluations, flashcards, salvage
from data.records.cards import Card
from data.records.salvage import Salvaged
from tests.support.examples import examples
from tests.support.items import EVALUATION, SET, changed
from tests.support.nearly_json import SHAPES

WHOLE = {"strengths": ["Clear aim"], "weaknesses": ["Few links"]}
TEXT = json.dumps(WHOLE)

MENDED: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    # stored, what it holds, what was mended
    "in a fence": (f"```json\n{TEXT}\n```", WHOLE, ("fence",)),
    "in a fence without a name": (f"```\n{TEXT}\n```\n", WHOLE, ("fence",)),
    "in a fence of tildes": (f"~~~ json\n{TEXT}\n~~~", WHOLE, ("fence",)),
    "in a fence that nothing closes": (f"```json\n{TEXT}", WHOLE, ("fence",)),
    "in a fence among sentences": (f"Here:\n```json\n{TEXT}\n```\nAsk me for more!", WHOLE, ("fence", "around")),
    "after a sentence": (f"Sure! {TEXT}", WHOLE, ("around",)),
    "before a sentence": (f"{TEXT}\n\nHope that helps.", WHOLE, ("around",)),
    "after brackets that begin nothing": (f"See [1], {{draft}} and [Task 2]: {TEXT}", WHOLE, ("around",)),
    "a list among sentences": ('The cards: [{"q": "1"}] Good luck', [{"q": "1"}], ("around",)),
    "a comma after the last entry": ('{"strengths": ["Clear aim",], "weaknesses": ["Few links"],}', WHOLE, ("comma",)),
    "a comma after the whole": (f"{TEXT},", WHOLE, ("comma",)),
    "two commas": ('{"a": [1,, 2],, "b": [, 3]}', {"a": [1, 2], "b": [3]}, ("comma",)),
    "no comma between objects": ('[{"a": 1} {"b": 2}]', [{"a": 1}, {"b": 2}], ("no comma",)),
    "no comma between lines": ('{"a": "x"\n "b": "y"}', {"a": "x", "b": "y"}, ("no comma",)),
    "a raw line break": ('{"a": "one\ntwo"}', {"a": "one\ntwo"}, ("control",)),
    "a raw tab and a raw NUL": ('["a\tb\x00"]', ["a\tb\x00"], ("control",)),
    "a byte order mark": (f"\ufeff{TEXT}", WHOLE, ("mark",)),
    "a byte order mark and a fence": (f"\ufeff```json\n{TEXT}\n```", WHOLE, ("mark", "fence")),
    "encoded twice": (json.dumps(TEXT), WHOLE, ("twice",)),
    "encoded three times": (json.dumps(json.dumps(TEXT)), WHOLE, ("twice",)),
    "encoded twice, without its own quotes": (json.dumps(TEXT)[1:-1], WHOLE, ("twice",)),
    "encoded twice, in a fence": (json.dumps(f"```json\n{TEXT}\n```"), WHOLE, ("twice", "fence")),
    "a fence around what is encoded twice": (f"```json\n{json.dumps(TEXT)[1:-1]}\n```", WHOLE, ("twice", "fence")),
    "one string of JSON in an object": (json.dumps({"result": TEXT}), {"result": WHOLE}, ("twice",)),
    "one object per line": ('{"a": 1}\n{"b": 2}\n', [{"a": 1}, {"b": 2}], ("several",)),
    "one list per line": ('["a", "b"]\n["c", "d"]', [["a", "b"], ["c", "d"]], ("several",)),
    "objects one after the other": ('{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}], ("several",)),
    "objects with commas, and no list around": ('{"a": 1},\n{"b": 2}', [{"a": 1}, {"b": 2}], ("several",)),
    "two fences": ('```json\n{"a": 1}\n```\n```json\n{"b": 2}\n```', [{"a": 1}, {"b": 2}], ("fence", "several")),
    "as Python writes it": ("{'a': \"it's\", 'b': 'it\\'s', 'c': None, 'd': True}",
                            {"a": "it's", "b": "it's", "c": None, "d": True}, ("python",)),
    "a quotation mark in single quotes": ("['say \"yes\"',]", ['say "yes"'], ("python", "comma")),
    "backslashes that stand for nothing": (
        '{"a": "it\\\'s \\d \\u12 \\\\n"}', {"a": "it's \\d \\u12 \\n"}, ("backslash",)),
    "no-break spaces": ('{\xa0"a":\xa01 ,}', {"a": 1}, ("comma", "blank")),
    "blanks of other kinds alone": ('{\xa0"a":\u3000[\f1]}', {"a": [1]}, ("blank",)),
    "numbers as Python writes them": ('{"a": [nan, inf, -inf]}', {"a": ["nan", "inf", "-inf"]}, ("python",)),
    "without its first bracket and quotation mark": (TEXT[2:], WHOLE, ("opening",)),
    "a string of JSON in a fence": (f"```json\n{json.dumps(TEXT)}\n```", WHOLE, ("twice", "fence")),
    "a string of JSON among sentences": (f"Here: {json.dumps(TEXT)} Good luck", WHOLE, ("twice", "around")),
    "parts of a model's answer": (
        json.dumps({"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": TEXT}]}),
        {"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": WHOLE}]}, ("twice",)),
    "parts of another model's answer": (
        json.dumps({"parts": [{"text": "Hm", "thought": True}, {"text": f"```json\n{TEXT}\n```"}]}),
        {"parts": [{"text": "Hm", "thought": True}, {"text": WHOLE}]}, ("twice", "fence")),
    "parts of a model's answer, bit by bit": (
        json.dumps({"parts": [{"text": TEXT[:20]}, {"text": TEXT[20:]}]}), {"parts": WHOLE}, ("twice",)),
    "numbers as they are": ("[1.50, 12345678901234567890.5, NaN, -Infinity, 1e5,]",
                            [1.5, "12345678901234567890.5", "NaN", "-Infinity", 1e5], ("comma",)),
    "quotation marks inside a text": (
        '{"a": "He said "no" to "them".", "b": ["Uses "However" ("but")"]}',
        {"a": 'He said "no" to "them".', "b": ['Uses "However" ("but")']}, ("quotes",)),
    "a text that begins and ends so": (
        '[""However" is linked", "", "Uses "however""]', ['"However" is linked', "", 'Uses "however"'], ("quotes",)),
    "an apostrophe in single quotes": ("{'a': 'isn't', 'b': ['it's', 'x']}",
                                       {"a": "isn't", "b": ["it's", "x"]}, ("python", "quotes")),
    "curly quotation marks": ('{“a”: “x”, “b”: ["“y”"]}', {"a": "x", "b": ["“y”"]}, ("curly",)),
    "names without quotation marks": ('{a: "x", b_2: [1], $c: {d: true}}',
                                      {"a": "x", "b_2": [1], "$c": {"d": True}}, ("javascript",)),
    "undefined": ('{"a": undefined, "b": "x"}', {"a": None, "b": "x"}, ("javascript",)),
    "numbers in other forms, as they stand": (
        '{"a": 06.5, "b": +1, "c": 6., "d": [.5, 0x1F, 6.5/9, 80%], "e": "x"}',
        {"a": "06.5", "b": "+1", "c": "6.", "d": [".5", "0x1F", "6.5/9", "80%"], "e": "x"}, ("number",)),
    "comments": (
        '{// one\n"a": /* two, */ "x // y", # three\n\n# four\n"b": ["#5"] /* six */}',
        {"a": "x // y", "b": ["#5"]}, ("comment",)),
    "full-width commas and colons": ('{"a"：["x"，"y，z"]，"b":"："}', {"a": ["x", "y，z"], "b": "："}, ("signs",)),
    "semicolons, and equals signs": ('{"a" = ["x"; "y;z"]; "b" => "c"}', {"a": ["x", "y;z"], "b": "c"}, ("signs",)),
    "commas of Arabic and Chinese": ('{"a": ["x"، "y"]、 "b": "c"}', {"a": ["x", "y"], "b": "c"}, ("signs",)),
    "a comma before the first entry": (f"{{, {TEXT[1:]}", WHOLE, ("comma",)),
    "no comma before a name": ('{"a": "x" "b": 6.5 "c": [true]}', {"a": "x", "b": 6.5, "c": [True]}, ("no comma",)),
    "without its first bracket": (TEXT[1:], WHOLE, ("opening",)),
    "after a thought": (f'<think>First {{"strengths": ["a", "b"]}}?</think>\n{TEXT}', WHOLE, ("around",)),
    "in CDATA": (f"<![CDATA[{TEXT}]]>", WHOLE, ("around",)),
    "as HTML writes it": (TEXT.replace('"', "&quot;"), WHOLE, ("twice",)),
    "an entity of HTML in it": ("{&#34;a&#34;: &#34;x &amp;amp; y&#34;}", {"a": "x &amp; y"}, ("twice",)),
    "as CSV writes it": ('"' + TEXT.replace('"', '""') + '"', WHOLE, ("twice",)),
    "doubled quotation marks": (TEXT.replace('"', '""'), WHOLE, ("twice",)),
    "line breaks between entries as letters": (
        '{\\n  "a": ["x\\ny"],\\n  "b": "z"\\n}', {"a": ["x\ny"], "b": "z"}, ("twice",)),
    "strings of JSON beside others": (
        json.dumps({"role": "assistant", "content": f"```json\n{TEXT}\n```"}),
        {"role": "assistant", "content": WHOLE}, ("twice", "fence")),
    "each entry a string of JSON": (
        json.dumps({"a": '["x"]', "b": '{"c": "d",}'}), {"a": ["x"], "b": {"c": "d"}}, ("twice", "comma")),
    "a string of JSON deep inside": (
        json.dumps({"choices": [{"message": {"content": TEXT}}]}),
        {"choices": [{"message": {"content": WHOLE}}]}, ("twice",)),
    "objects as strings in a list": (json.dumps([TEXT, TEXT]), [WHOLE, WHOLE], ("twice",)),
    "tuples": ("[('a', 'b'), ('c',), ('d')]", [["a", "b"], ["c"], "d"], ("python",)),
    "letters as Python escapes them": ("{'a': 'x\\xa0y\\xe9'}", {"a": "x\xa0yé"}, ("python", "backslash")),
    "words in capitals": ('{"a": TRUE, "b": [NULL, nil]}', {"a": True, "b": [None, None]}, ("word",)),
    "single curly quotation marks": ("{‘a’: ‘It’s’, ‘b’: [‘x’]}", {"a": "It’s", "b": ["x"]}, ("curly",)),
    "quotation marks of other languages": (
        '{„a“: „b”, «c»: «d», ”e”: ”f”, "g": `h`}', {"a": "b", "c": "d", "e": "f", "g": "h"}, ("curly",)),
    "curly quotation marks with escapes": ('{“a”: “say \\"no\\" \\\\”}', {"a": 'say "no" \\'}, ("curly",)),
    "names of several words and numbers": (
        '{task-response: "x", điểm số: "y", 1: "z"}', {"task-response": "x", "điểm số": "y", "1": "z"},
        ("javascript",)),
    "a range of bands": ('{"a": 6.0–6.5, "b": ~6}', {"a": "6.0–6.5", "b": "~6"}, ("number",)),
    "invisible marks around and inside": ("\u200b" + TEXT.replace(":", ":\u200b") + "\u200f", WHOLE, ("mark", "blank")),
    "in single backticks": (f"`{TEXT}`", WHOLE, ("fence",)),
    "encoded five times": (
        json.dumps(json.dumps(json.dumps(json.dumps(TEXT)))), WHOLE, ("twice",)),
    "after the form that it should have": (f'In the form {{"a": [...], "b": text}}: {TEXT}', WHOLE, ("around",)),
    "half a surrogate pair": ('["\\ud800",]', ["\ufffd"], ("comma",)),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value", "mends"), MENDED.values(), ids=MENDED)
def test_what_is_certain_is_mended_and_named(text: str, value: Any, mends: tuple[str, ...]) -> None:
    read = salvage.salvage(text)
    assert (read.value, set(read.mends), read.broken, read.failure) == (value, set(mends), False, "")


BROKEN: dict[str, tuple[str, Any]] = {
    # stored, what of it is whole
    "in a list that has no entry yet": ('{"a": ["x"], "b": [', {"a": ["x"]}),
    "in a text": ('{"a": ["x", "y", "zz', {"a": ["x", "y"]}),
    "after a text": ('{"a": ["x", "y"', {"a": ["x", "y"]}),
    "in a key": ('{"a": "x", "b', {"a": "x"}),
    "before a value": ('{"a": "x", "b":', {"a": "x"}),
    "in a number, which may go on": ('{"a": "x", "b": 6', {"a": "x"}),
    "in a word": ('{"a": "x", "b": tru', {"a": "x"}),
    "in a backslash": ('["x", "y\\', ["x"]),
    "in an object of a list": ('[{"q": "1", "a": "2"}, {"q": "3", "a', [{"q": "1", "a": "2"}]),
    "in an object of an object": ('{"f": {"band": "6.0", "comment": "Some pau', {"f": {"band": "6.0"}}),
    "in a fence": ('```json\n{"a": ["x", "y\n```', {"a": ["x"]}),
    "after a sentence": ('Here: {"a": ["x", "y', {"a": ["x"]}),
    "in the third of several": ('{"q": "1"}\n{"q": "2"}\n{"q": "3', [{"q": "1"}, {"q": "2"}]),
    "at quotation marks that are not escaped": ('{"a": ["x"], "b": ["He said "yes", twice", "z"]}', {"a": ["x"]}),
    "at a bracket that closes something else": ('[{"q": "1"}, {"q": "2"]', [{"q": "1"}]),
    "encoded twice": (json.dumps('{"a": ["x"], "b": ["y')[:-1], {"a": ["x"]}),
    "encoded twice, in an object": (json.dumps({"a": '{"a": ["x"], "b": ["y'})[:-2], {"a": ["x"]}),
    "encoded twice, in a backslash": ('"{\\"a\\": [\\"x\\"], \\"b\\": \\', {"a": ["x"]}),
}


@pytest.mark.parametrize(("text", "value"), BROKEN.values(), ids=BROKEN)
def test_what_breaks_off_is_read_as_far_as_it_is_whole(text: str, value: Any) -> None:
    read = salvage.salvage(text)
    assert (read.value, read.broken, read.failure) == (value, True, "")


def test_texts_that_only_begin_like_json_are_left_alone() -> None:
    texts = {"question": "What is [1]?", "answer": "[1, 2]", "note": "[Task 2] and {more}", "more": ["{}", "[x]"]}
    read = salvage.salvage(json.dumps(texts))
    assert (read.value, read.untouched) == (texts, True)


UNREADABLE = {
    "nothing": "",
    "a sentence": "A good essay, but short.",
    "brackets in a sentence": "A good essay, {unfinished",
    "numbers in brackets": "See [1] and [2, 3].",
    "an empty object in a sentence": "The model returned {} again.",
    "an ellipsis": '{"strengths":[...],"weaknesses":[...]}',
    "cut in the first text": '{"strengths": ["Clea',
    "quotation marks that may end the text": '{"a": "He said "no", and left", "b": "x"}',
    "a quotation mark without its pair": '{"a": "He is 6\' 2" tall", "b": "x"}',
    "quotation marks around several texts": '{"a": "x "b", "c" y"}',
    "quotation marks around a bracket": '{"a": "x "[1]" y"}',
    "words without quotation marks": "{strengths: clear aim}",
    "an apostrophe after a word": "{'a': 'students' work'}",
    "curly quotation marks inside curly ones": "{“a”: “He said “no” to it”}",
    "no comma between texts on a line": '["a" "b"]',
    "no comma between texts of several words": '["a b" "c d"]',
    "three quotation marks": '{"a": """x""", "b": "y"}',
    "texts that are added up": '{"a": "x" + "y"}',
    "a comment that nothing closes": '{/* "a": "x"}',
    "what a list that cannot be read has inside": '[{"q": "1", "a": "x" y}, {"q": "2", "a": "z"}]',
    "what an object that cannot be read has inside": '{"a": "x" y, "b": ["c", "d"]}',
    "a curly quotation mark that is escaped": "{“a\\”: “b”}",
    "an apostrophe after a word, curly": "{‘a’: ‘students’ work’}",
    "quotation marks that are not all doubled": '{""a"": ""He said "no""}',
    "a string of JSON in what cannot be read": json.dumps({"a": "x", "b": '["c", "d"]'}).replace('"x"', '"x" y'),
    "a page of HTML": "<html><body>502 Bad Gateway</body></html>",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_not_certain_is_not_read(text: str) -> None:
    assert salvage.salvage(text) == Salvaged(failure=salvage.UNREADABLE)


def test_every_mend_has_words_without_json() -> None:
    named = {mend for _, _, mends in MENDED.values() for mend in mends}
    assert named | {"lines"} == set(salvage.MENDS)
    assert not [words for words in salvage.MENDS.values() if "json" in words.lower()]


# --- whatever comes

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=25,
)
containers = values.filter(lambda value: isinstance(value, (list, dict)))
pieces = st.lists(
    st.sampled_from(
        [*"\"'\\{}[]():,;= \n“”„«»‘’`1-~", '""', "```", "\ufeff", "true", "\\u", "\\x", "\\n", "&quot;", "</think>"]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)  # fmt: skip


lines = st.lists(
    st.sampled_from(["Q:", "A: x", "**Front 1:**", "Back:", "| Q | A |", "|---|---|", "| x | y |", "---", "x", "1. "]),
    max_size=12,
).map("\n".join)


def is_wrapped(value: Any) -> bool:
    """Whether it is, or is around, a text that may be JSON itself."""
    if isinstance(value, (dict, list)):
        return any(map(is_wrapped, value.values() if isinstance(value, dict) else value))
    return isinstance(value, str) and bool(re.search(r"[{\[]", value))


@examples(300)
@given(values.filter(lambda value: not is_wrapped(value)), st.sampled_from([None, 1]), st.booleans())
def test_valid_json_comes_out_equal(value: Any, indent: int | None, ascii_only: bool) -> None:
    read = salvage.salvage(json.dumps(value, indent=indent, ensure_ascii=ascii_only))
    assert (read.value, type(read.value), read.untouched) == (value, type(value), True)


@examples(300)
@given(containers.filter(lambda value: not is_wrapped(value)), st.sampled_from([None, 1]), st.data())
def test_what_was_cut_comes_out_as_a_prefix(value: Any, indent: int | None, data: st.DataObject) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    read = salvage.salvage(text[: data.draw(st.integers(0, len(text) - 1))])
    assert read.failure or (read.broken and is_prefix(read.value, value))


def is_prefix(part: Any, whole: Any) -> bool:
    """Whether it is the beginning of it: of a list whole entries, of an object also the beginning of its last one."""
    if isinstance(whole, dict) and isinstance(part, dict):
        keys = list(whole)[: len(part)]
        *before, last = keys or [None]
        equal = list(part) == keys and all(part[key] == whole[key] for key in before)
        return equal and (
            not keys or part[last] == whole[last] or (bool(part[last]) and is_prefix(part[last], whole[last]))
        )
    return isinstance(whole, list) and isinstance(part, list) and part == whole[: len(part)]


@examples(400)
@given(pieces | st.text(max_size=60))
def test_nothing_comes_out_that_was_not_in_the_text_and_nothing_raises(text: str) -> None:
    read = salvage.salvage(text)
    json.dumps(read.value)
    position = 0
    letters = re.sub(r"\\", "", text)  # an escape is written otherwise than it is meant
    for leaf in leaves(read.value):
        if "\\" in text:  # a decoded escape: only its plain words can be looked for
            continue
        position = letters.index(leaf, position) + len(leaf)


def leaves(value: Any) -> list[str]:
    """All texts in it, keys too, in their order."""
    if isinstance(value, dict):
        return [leaf for key, entry in value.items() for leaf in (re.sub(r"( \(\d+\))+$", "", key), *leaves(entry))]
    if isinstance(value, list):
        return [leaf for entry in value for leaf in leaves(entry)]
    return [value] if isinstance(value, str) else []


def test_bytes_that_are_no_text_cannot_be_read() -> None:
    read = evaluations.parse(changed(EVALUATION, feedback={"B": b"\x1f\x8b\xff"}))
    assert (read.feedback, read.unread) == (None, "H4v/")
    assert [issue.outcome for issue in read.issues] == ["", "unread"]


def test_the_sides_of_a_card_are_left_as_they_are() -> None:
    read = flashcards.parse(changed(SET, flashcards={"S": json.dumps([{"question": "JSON?", "answer": '{"a":1}'}])}))
    assert (read.cards, read.original) == ((Card("JSON?", '{"a":1}', {}),), "")
    read = flashcards.parse(changed(SET, flashcards={"S": '[{"side_a": "One?", "side_b": "1"}]'}))
    assert read.cards == (Card("side_a: One?", "side_b: 1", {}),)  # and not the answer of a card


@pytest.mark.parametrize(
    ("stored", "kind"),
    [({"B": b'[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]'}, "binary"),
     ({"L": [{"S": '{"question": "One?", "answer": "1"}'}, {"S": '{"question": "Two?", "answer": "2"}'}]}, "a list"),
     ({"M": {"cards": {"S": '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]'}}}, "a map")],
)  # fmt: skip
def test_cards_that_are_stored_otherwise_are_read(stored: dict[str, Any], kind: str) -> None:
    read = flashcards.parse(changed(SET, flashcards=stored))
    assert (read.cards, read.issues[0].reason) == (TWO, f"stored as {kind}, not as text")


def test_a_card_with_one_side_is_one_and_nothing_is_said_of_other_words() -> None:
    read = flashcards.parse(changed(SET, flashcards={"S": '[{"term": "One?"}, {"question": "Two?", "answer": "2"}]'}))
    assert read.cards == (Card("One?", "", {}), TWO[1])
    assert [issue.reason for issue in read.issues] == ["a card without a question or without an answer"]


@examples(200)
@given(pieces | lines)
def test_no_text_of_cards_raises(text: str) -> None:
    read = flashcards.parse(changed(SET, flashcards={"S": text}))
    assert bool(read.cards) <= (read.unread == "")


@examples(200)
@given(containers.filter(bool), st.data())
def test_commas_too_many_change_nothing_but_the_remark(value: Any, data: st.DataObject) -> None:
    text = re.sub(r'("(?:[^"\\]|\\.)*")|(?<=[^\[{,\s])\s*([\]}])', lambda m: m[1] or f",{m[2]}", json.dumps(value))
    read = salvage.salvage(text)
    if not is_wrapped(value) and "comma" in read.mends:
        assert (read.value, set(read.mends)) == (value, {"comma"})


# --- how long it takes


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_twice_the_text_takes_twice_the_steps(shape: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    steps = []
    for length in (500, 1_000):
        counted.characters = 0
        salvage.salvage(shape(length))
        steps.append(counted.characters)
    assert steps[1] <= 2.2 * steps[0] + 500
    assert steps[1] <= 12 * len(shape(1_000)) + 500


class Counted:
    """Counts the characters that the patterns of the salvage look at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.characters = 0
        for name, pattern in vars(salvage).copy().items():
            if isinstance(pattern, re.Pattern):
                monkeypatch.setattr(salvage, name, _Pattern(pattern, self))


class _Pattern:
    """A pattern that reports what it looked at: to the end of its match; without one, as far as it could have gone."""

    def __init__(self, pattern: re.Pattern[str], counted: Counted) -> None:
        self._pattern, self._counted = pattern, counted

    def match(self, text: str, at: int = 0) -> re.Match[str] | None:
        match = self._pattern.match(text, at)
        # Only what should be flat may fail to match: as far as it would go, there is no other bracket.
        limit = next((i for i in range(at + 1, len(text)) if text[i] in "[]{}"), len(text))
        self._counted.characters += (match.end() if match else limit) - at + 1
        return match

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        match = self._pattern.search(text, at)
        self._counted.characters += (match.end() if match else len(text)) - at + 1
        return match

    def sub(self, replacement: Any, text: str) -> str:
        self._counted.characters += len(text)
        return self._pattern.sub(replacement, text)


@pytest.mark.parametrize("depth", [90, 200, 1_000, 10_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[1,", "],")])
def test_no_depth_raises(depth: int, opening: str, closing: str) -> None:
    for text in (opening * depth, opening * depth + "1" + closing * depth, f"So: {opening * depth}1{closing * depth}"):
        read = salvage.salvage(text)
        json.dumps(read.value)
        assert depth < salvage.NESTING or read.failure == salvage.TOO_DEEP


def test_more_entries_than_anybody_writes_are_not_mended() -> None:
    # 400 KB hold so many only where they are a few characters long.
    assert salvage.salvage("[" + '"",' * 100_000).failure == salvage.TOO_MANY
    assert salvage.salvage(json.dumps([""] * 100_000)).untouched
    assert len(salvage.salvage(json.dumps([{"q": "1", "a": "2"}] * 20_000)[:-1]).value) == 20_000  # type: ignore[arg-type]


@pytest.mark.parametrize("begins", ["{", "[", "```", "{ ", '{"'])
def test_of_texts_inside_valid_json_no_more_are_looked_into_than_are_mended(
    begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    read = salvage._read
    monkeypatch.setattr(salvage, "_read", lambda text, steps: looked.append(text) or read(text, steps))  # type: ignore[func-returns-value]
    number = 3 * salvage._MOST_STEPS // 2
    for value in ([begins] * number, {f"a{n}": begins for n in range(number)}, [{"type": "text", "text": begins}] * 90):
        looked.clear()
        read_all = salvage.salvage(json.dumps(value))
        # It was readable before anybody looked inside, so it still is.
        assert (read_all.value, read_all.failure) == (value, "")
        assert len(looked) <= salvage._MOST_STEPS // salvage._TO_MEND


def test_the_stack_is_not_used_up_where_little_of_it_is_left() -> None:
    def at_depth(left: int) -> Salvaged:
        return at_depth(left - 1) if left else salvage.salvage('{"a": [1,]}')

    assert at_depth(sys.getrecursionlimit() // 2).value == {"a": [1]}


# --- the records

MENDS_OF_FEEDBACK = {
    "a fence": (f"```json\n{TEXT}\n```", WHOLE, [("a code block around it", "mended")]),
    "pieces of different names": (
        '{"strengths": ["Clear aim"]}\n{"weaknesses": ["Few links"]}', WHOLE,
        [("several pieces, one after the other", "mended")],
    ),
    "pieces of the same name": (
        '{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}],
        [("several pieces, one after the other", "mended"), ("without named parts", "")],
    ),
    "the same twice": (f"{TEXT}\n{TEXT}", WHOLE, [("several pieces, one after the other", "mended")]),
    "cut": (
        '{"strengths": ["Clear aim"], "weaknesses": [', {"strengths": ["Clear aim"]},
        [("breaks off after “Clear aim”", "broken")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("stored", "value", "issues"), MENDS_OF_FEEDBACK.values(), ids=MENDS_OF_FEEDBACK)
def test_mended_feedback_keeps_its_text_beside_it(stored: str, value: Any, issues: list[tuple[str, str]]) -> None:
    read = evaluations.parse(changed(EVALUATION, feedback={"S": stored}))
    assert (read.feedback, read.original, read.unread) == (value, stored, "")
    assert [(issue.reason, issue.outcome) for issue in read.issues] == issues


def test_where_a_long_text_was_the_last_its_end_is_what_is_named() -> None:
    text = json.dumps({"a": ["x" * 100 + " is the end.", "and"]})[:-6]
    read = evaluations.parse(changed(EVALUATION, feedback={"S": text}))
    assert read.issues[0].reason == f"breaks off after “…{'x' * 48} is the end.”"


def test_feedback_that_cannot_be_read_is_its_text_alone() -> None:
    read = evaluations.parse(changed(EVALUATION, feedback={"S": "A good essay."}))
    assert (read.feedback, read.original, read.unread) == (None, "", "A good essay.")
    assert [(issue.reason, issue.outcome) for issue in read.issues] == [("cannot be read", "unread")]
    assert evaluations.parse(EVALUATION).original == ""


TWO = (Card("One?", "1", {}), Card("Two?", "2", {}))
CARDS: dict[str, tuple[str, tuple[Card, ...], list[str]]] = {
    # stored, the cards, what is said
    "in a fence": ('```json\n[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]\n```', TWO,
                   ["a code block around it"]),
    "a comma after the last key": ('[{"question": "One?", "answer": "1",}, {"question": "Two?", "answer": "2"}]', TWO,
                                   ["a comma too many"]),
    "a comma after the last card": ('[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"},]', TWO,
                                    ["a comma too many"]),
    "a line break in a question": (
        '[{"question": "One\nor?", "answer": "1"}, {"question": "Two?", "answer": "2"}]',
        (Card("One\nor?", "1", {}), TWO[1]), ["a line break or another control character inside a text"]),
    "a sentence before": ('Two cards: [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]', TWO,
                          ["other text around it"]),
    "one per line": ('{"question": "One?", "answer": "1"}\n{"question": "Two?", "answer": "2"}', TWO,
                     ["several pieces, one after the other"]),
    "one per line, the last one cut": (
        '{"question": "One?", "answer": "1"}\n{"question": "Two?", "ans', TWO[:1],
        ["several pieces, one after the other", "breaks off after 1 whole card", "says 2, but 1 can be read"]),
    "a list per line": ('[{"question": "One?", "answer": "1"}]\n[{"question": "Two?", "answer": "2"}]', TWO,
                        ["several pieces, one after the other"]),
    "other case": ('[{"Question": "One?", "Answer": "1"}, {" question": "Two?", "answer ": "2"}]', TWO,
                   ["cards say  question and answer  instead of question and answer",
                    "cards say Question and Answer instead of question and answer"]),
    "front and back in other case": ('[{"Front": "One?", "BACK": "1"}, {"front": "Two?", "back": "2"}]', TWO,
                                     ["cards say front and back instead of question and answer"]),
    "pairs": ('[["One?", "1"], ["Two?", "2"]]', TWO, ["cards as pairs instead of question and answer"]),
    "questions as keys": ('{"One?": "1", "Two?": "2"}', TWO, ["cards as pairs instead of question and answer"]),
    "beside other keys": ('{"title": "Sums", "tags": ["a", "b"], "count": 2, "items": '
                          '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]}', TWO,
                          ["an object around the list of cards"]),
    "deeper": ('{"data": {"set": {"cards": '
               '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]}}}',
               TWO, ["an object around the list of cards"]),
    "in two lists": ('{"easy": [{"question": "One?", "answer": "1"}], "hard": [{"question": "Two?", "answer": "2"}]}',
                     TWO, ["several lists of cards"]),
    "numbered": ('{"1": {"question": "One?", "answer": "1"}, "2": {"question": "Two?", "answer": "2"}}', TWO,
                 ["an object around the list of cards"]),
    "an object around each": ('[{"card": {"question": "One?", "answer": "1"}}, '
                              '{"card": {"question": "Two?", "answer": "2"}}]',
                              TWO, ["an object around each card"]),
    "one card": ('{"question": "One?", "answer": "1"}', TWO[:1],
                 ["one card, not a list of cards", "says 2, but 1 can be read"]),
    "other words for the sides": (
        '[{"frontSide": "One?", "Back Side": "1"}, {"front_text": "Two?", "back_text": "2"}]', TWO,
        ["cards say front and back instead of question and answer"]),
    "words of different pairs": ('[{"word": "One?", "definition": "1"}, {"term": "Two?", "meaning": "2"}]', TWO,
                                 ["cards say term and meaning instead of question and answer",
                                  "cards say word and definition instead of question and answer"]),
    "prompts and responses": ('[{"prompt": "One?", "response": "1"}, {"prompt": "Two?", "answer": "2"}]', TWO,
                              ["cards say prompt and answer instead of question and answer",
                               "cards say prompt and response instead of question and answer"]),
    "a prompt beside the response": (
        '{"prompt": "Make cards", "response": '
        '{"cards": [{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]}}', TWO,
        ["an object around the list of cards"]),
    "an invisible mark in a name": (
        '[{"\\ufeffquestion": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]', TWO,
        ["cards say \ufeffquestion and answer instead of question and answer"]),

    "numbered names": ('{"question1": "One?", "answer1": "1", "question2": "Two?", "answer2": "2"}', TWO,
                       ["an object around the list of cards"]),
    "the same names again": ('{"question": "One?", "answer": "1", "question": "Two?", "answer": "2"}', TWO,
                             ["the same name twice", "an object around the list of cards"]),
    "a list of each side": ('{"questions": ["One?", "Two?"], "answers": ["1", "2"]}', TWO,
                            ["cards as pairs instead of question and answer"]),
    "pairs below the names of the sides": ('[["Question", "Answer"], ["One?", "1"], ["Two?", "2"]]', TWO,
                                           ["cards as pairs instead of question and answer"]),
    "pairs as tuples": ("[('One?', '1'), ('Two?', '2')]", TWO,
                        ["written as Python writes it", "cards as pairs instead of question and answer"]),
    "what a card is in, beside tags": (
        '[{"fields": {"question": "One?", "answer": "1"}, "tags": []}]', (Card("One?", "1", {"tags": []}),),
        ["an object around each card", "says 2, but 1 can be read"]),
    "grouped": ('{"topics": [{"name": "A", "cards": [{"question": "One?", "answer": "1"}]}, '
                '{"name": "B", "cards": [{"question": "Two?", "answer": "2"}]}]}', TWO,
                ["an object around the list of cards", "several lists of cards"]),
    "a whole answer of a model": (
        json.dumps({"choices": [{"message": {"role": "assistant", "content": (
            '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]')}}]}), TWO,
        ["encoded twice", "an object around the list of cards"]),
    "without its first brackets": ('"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]', TWO,
                                   ["without its first bracket", "other text around it",
                                    "several pieces, one after the other"]),
    "lines": ("Two cards:\n\nQ: One?\nA: 1\n\n**Question 2:** Two?\n**Answer 2:** 2\n", TWO,
              ["lines or a table, as people write them", "cards say Question and Answer instead of question and answer",
               "cards say q and a instead of question and answer"]),
    "beside another object": ('{"card1": {"question": "One?", "answer": "1"}, "card2": {"question": "Two?", '
                              '"answer": "2"}, "total": 2}', TWO, ["an object around the list of cards"]),
    "a list in a list in a list": ('[[[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]]]',
                                   TWO, ["an object around the list of cards"]),
    "as DynamoDB has it": (
        '{"L": [{"M": {"question": {"S": "One?"}, "answer": {"N": "1"}}}]}', TWO[:1],
        ["an object around each card", "an object around each side", "an object around the list of cards",
         "says 2, but 1 can be read"]),
    "the same list again": (
        '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]\n'
        '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]', TWO,
        ["several pieces, one after the other"]),
    "a thought before the answer": (
        json.dumps({"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}, {"text": (
            '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]')}]}}]}), TWO,
        ["encoded twice", "an object around the list of cards"]),
    "a set with a concept and an explanation of its own": (
        '{"concept": "Sums", "explanation": "Of two", "cards": [{"question": "One?", "answer": "1"}, '
        '{"question": "Two?", "answer": "2"}]}', TWO, ["an object around the list of cards"]),
    "words of other languages": (
        '[{"câu_hỏi": "One?", "đáp án": "1"}, {"Frage": "Two?", "Antwort": "2"}]', TWO,
        ["cards say câu hỏi and đáp án instead of question and answer",
         "cards say frage and antwort instead of question and answer"]),
    "words of vocabulary": (
        '[{"vocab": "One?", "def": "1"}, {"term": "Two?", "description": "2"}]', TWO,
        ["cards say term and description instead of question and answer",
         "cards say vocab and def instead of question and answer"]),
    "half a card in an object": (
        '{"1": {"question": "One?", "answer": "1"}, "2": {"question": "Two?", "ans', TWO[:1],
        ["an object around the list of cards", "breaks off after 1 whole card", "says 2, but 1 can be read"]),
    "half a list of each side, in an object": ('{"cards": {"front": ["One?", "Two?"], "back": ["1"', (), [
        "breaks off in the first card", "says 2, but 0 can be read"]),
    "the same list again, cut": (
        '[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": "2"}]\n'
        '[{"question": "One?", "answer": "1"}', TWO,
        ["several pieces, one after the other", "breaks off after 2 whole cards"]),
    "half an object of one card": ('{"1": {"question": "One?", "ans', (), [
        "breaks off in the first card", "says 2, but 0 can be read"]),
    "cut before the first card": ('{"tags": ["x", "y"], "ca', (), [
        "breaks off in the first card", "says 2, but 0 can be read"]),
    "cut in a fence": ('```json\n[{"question": "One?", "answer": "1"}, {"question": "Two?", "answer": \n```', TWO[:1], [
        "a code block around it", "breaks off after 1 whole card", "says 2, but 1 can be read"]),
    "lines in a fence below headings": (
        "```\n### Card 1\nQ: One?\nA: 1\n\n**Card 2:**\nQ: Two?\nA: 2\n```", TWO,
        ["lines or a table, as people write them", "cards say q and a instead of question and answer"]),
    "lines as JSON": (json.dumps("Question: One?\nAnswer: 1\nQuestion: Two?\nAnswer: 2"), TWO, [
        "encoded twice", "lines or a table, as people write them",
        "cards say Question and Answer instead of question and answer"]),
    "lines with numbers and rules": (
        "1. Front: One?\n   Back: 1\n   or so\n---\n2. Front: Two?\n   Back: 2",
        (Card("One?", "1\n   or so", {}), TWO[1]),
        ["lines or a table, as people write them", "cards say front and back instead of question and answer"]),
    "a table": ("The cards:\n| Term | Definition | Unit |\n|:--|--:|---|\n| One? | 1 \\| one | 3 |\n", (
        Card("One?", "1 | one", {"Unit": "3"}),),
        ["lines or a table, as people write them", "cards say term and definition instead of question and answer",
         "says 2, but 1 can be read"]),
    "a question without an answer in lines": ("Q: One?\nQ: Two?\nA: 2", (), ["cannot be read",
                                                                            "says 2, but 0 can be read"]),
    "a table of other things": ("| Word | Band |\n|---|---|\n| a | 6 |", (), ["cannot be read",
                                                                         "says 2, but 0 can be read"]),
    "an error for cards": ('{"error": "none", "at": 3}', (), ["no list of cards", "says 2, but 0 can be read"]),
    "half a card": ('{"question": "One?", "ans', (), ["breaks off in the first card", "says 2, but 0 can be read"]),
}  # fmt: skip


@pytest.mark.parametrize(("stored", "cards", "reasons"), CARDS.values(), ids=CARDS)
def test_cards_are_read_in_every_usual_shape(stored: str, cards: tuple[Card, ...], reasons: list[str]) -> None:
    read = flashcards.parse(changed(SET, flashcards={"S": stored}))
    assert read.cards == cards
    assert [issue.reason for issue in read.issues] == reasons
    assert (read.original, read.unread) == ((stored, "") if cards else ("", stored))
