"""No text costs more than its length: every regular expression over foreign text, and every loop over it."""

import ast
import importlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis import fingerprints, names, phrases, tasks
from data import roster
from data.records import evaluations, flashcards, jobs
from data.roster import RosterError, Student
from exports import anki, spreadsheets
from tests.support.work import is_linear, repeats_groups_possessively, units
from ui.components import grid, markup
from ui.students import feedback, recurring
from wording import foreign_text, incidents

ROOT = Path(__file__).parents[2]
OURS = {
    "data/settings.py": "what the one who starts the dashboard writes",
    "bandup/check.py": "the same",
    "exports/report/html.py": "our own drawings",
    "ui/server/middleware.py": "Streamlit's page, once at the start",
}
"""Files whose expressions are over no text of others."""
SOURCES = [
    path
    for layer in ("analysis", "data", "queries", "wording", "exports", "bandup", "ui", "pages")
    for path in sorted((ROOT / layer).rglob("*.py"))
    if path.relative_to(ROOT).as_posix() not in OURS
]
USES = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
WHOLE = {"match", "fullmatch"}
BEGINNINGS = ('"', "“", "<", "mergeCells ")
"""What has to stand before a unit for the expressions that name it to look at it at all."""
ENDS = ("", "!")
UNITS = (
    *("a", "é", "字", "e\u0301", "\u200b", "Aa", "a-", " a", "a/", "a@", "a. ", "<a", "1", "1.", "1,1", "1:1"),
    *" \t\n/@-.,:;#_=&()[{\\'\"“",
    "\r\n",
)


def _patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Name, expression, and whether it is held against a text as a whole only, of each one in the sources."""
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        uses: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in USES:
                of = node.func.value
                if isinstance(of, ast.Name) and of.id == "re":
                    flags = {kw.arg: ast.unparse(kw.value) for kw in node.keywords}.get("flags", "0")
                    pattern = _evaluated(node.args[0], name)
                    yield (
                        f"{name.rpartition('.')[2]}:{node.lineno}",
                        re.compile(pattern, eval(flags, {"re": re})),  # noqa: S307 - our own source
                        node.func.attr in WHOLE,
                    )
                elif isinstance(of, ast.Name):
                    uses.setdefault(of.id, set()).add(node.func.attr)
        if "re.compile" in path.read_text(encoding="utf-8"):
            module = importlib.import_module(name.removesuffix(".__init__"))
            for attribute, value in vars(module).items():
                for pattern in _inside(value):
                    used = uses.get(attribute, set())
                    yield f"{name.rpartition('.')[2]}.{attribute}", pattern, bool(used) and used <= WHOLE


def _evaluated(node: ast.expr, name: str) -> Any:
    """The expression that a call names: a literal, or one put together from the module's constants."""
    return eval(ast.unparse(node), vars(importlib.import_module(name)))  # noqa: S307 - our own source


def _inside(value: object) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _inside(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _inside(one)


PATTERNS = [(f"{name} {n}", *rest) for n, (name, *rest) in enumerate(_patterns())]


def test_expressions_are_found_however_they_are_written() -> None:
    places = {name.split()[0] for name, *_ in PATTERNS}
    assert {"fingerprints._VARYING", "phrases._PIECE", "roster._YEAR_FIRST", "incidents._TITLES"} <= places
    assert {place.partition(":")[0] for place in places if ":" in place} >= {"errors", "sheets", "anki"}


def _run(pattern: re.Pattern[Any], whole: bool) -> Callable[[str], object]:
    is_bytes = isinstance(pattern.pattern, bytes)

    def run(text: str) -> object:
        given: Any = text.encode() if is_bytes else text
        if whole:
            return pattern.fullmatch(given), pattern.match(given)
        return sum(1 for _ in pattern.finditer(given))

    return run


@pytest.mark.parametrize(("name", "pattern", "whole"), PATTERNS, ids=[name for name, *_ in PATTERNS])
def test_an_expression_takes_work_in_proportion_to_the_text(name: str, pattern: re.Pattern[Any], whole: bool) -> None:
    is_text = isinstance(pattern.pattern, str)
    own = units(pattern) if is_text else set()
    source = pattern.pattern if is_text else pattern.pattern.decode()
    run = _run(pattern, whole)
    bad = [
        (b, u, e)
        for b in ("", *(beginning for beginning in BEGINNINGS if beginning.strip() in source))
        for u in sorted({*own, *UNITS})
        for e in ENDS
        if not is_linear(lambda text, b=b: run(b + text), u, e)
    ]
    assert bad == []


def test_no_expression_repeats_a_group_possessively() -> None:
    assert [
        name
        for name, pattern, _ in PATTERNS
        if isinstance(pattern.pattern, str) and repeats_groups_possessively(pattern)
    ] == []
    assert repeats_groups_possessively(re.compile(r"x(?:,(?:a|b)++)*+"))


def test_an_expression_that_is_not_is_noticed() -> None:
    for pattern in (r"a+b", r"\s+$", r"[\w-]+:", r"(?=\w*x)\w"):
        run = _run(re.compile(pattern), whole=False)
        of_pattern = units(re.compile(pattern))
        assert not all(is_linear(run, u, e) for u in of_pattern | {"a", " "} for e in ("", "!"))


AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
ZONE = ZoneInfo("UTC")


def _evaluation(**attributes: str) -> Any:
    item: Any = {"evaluation_id": {"S": "e"}, "user_id": {"S": "u"}, "evaluation_type": {"S": "writing"},
                 "status": {"S": "completed"}}  # fmt: skip
    return evaluations.parse({**item, **{name: {"S": value} for name, value in attributes.items()}})


def _set(**attributes: str) -> Any:
    item: Any = {"set_id": {"S": "s"}, "user_id": {"S": "u"}, "status": {"S": "completed"}}
    return flashcards.parse({**item, **{name: {"S": value} for name, value in attributes.items()}})


def _class_list(text: str) -> None:
    with suppress(RosterError):
        roster.parse(text.encode())


LOOPS: dict[str, Callable[[str], object]] = {
    "fingerprint": fingerprints.signature,
    "title of an incident": incidents.title,
    "task": tasks.of_model,
    "attributes": lambda text: _evaluation(
        **dict.fromkeys(
            ("overall_band", "word_count", "duration", "created_at", "transcript", "model_used", text), text
        )
    ),
    "feedback that is no JSON": lambda text: _evaluation(feedback=text),
    "feedback as layout": lambda text: feedback.ordered({text: [text, {text: text}]}),
    "feedback as JSON": lambda text: feedback.layout(_evaluation(feedback=json.dumps([text, {text: 1}])).feedback),
    "recurring feedback": lambda text: phrases.find_recurring(
        [_evaluation(feedback=json.dumps({"weaknesses": text})) for _ in "ab"]
    ),
    "a key of feedback": lambda text: phrases.remarks({text: "More practice is needed."}),
    "a link's label": lambda text: (recurring._PLAIN.fullmatch(text), recurring._NAME.fullmatch(text)),
    "cards that are no JSON": lambda text: _set(flashcards=text),
    "cards": lambda text: _set(flashcards=json.dumps([{"question": text, "answer": text, text: text}])),
    "a set's name": flashcards.document_name,
    "a reason": lambda text: jobs.Key("evaluations", text, text) and jobs._MARK.fullmatch(text),
    "a class list": _class_list,
    "a name in a class list": lambda text: _class_list(
        f"user_id,name,class,target_band,test_date\nu,{text},{text},{text},{text}\n"
    ),
    "a heading in a class list": lambda text: _class_list(f"user_id,{text}\nu,x\n"),
    "a quoted cell in a class list": lambda text: _class_list(f'user_id,name\nu,"{text}\n'),
    "search": lambda text: names.search([Student("u", text), Student(text, "Anna")], text),
    "hidden characters": foreign_text.visible,
    "a short text": lambda text: foreign_text.short(text, 60),
    "JSON": lambda text: foreign_text.escaped(json.dumps(text)),
    "a paragraph": markup.paragraph,
    "a line": markup.line,
    "code": markup.code,
    "what is copied": lambda text: (markup.to_copy(text, text), markup.block_to_copy(text, text)),
    "bullets": lambda text: markup.bullets([text, text]),
    "a grid": lambda text: grid.literal(pd.DataFrame({"a": [text]})),
    "a cell of a file": spreadsheets.literal,
    "a file's name": lambda text: spreadsheets.file_name("report", {"of": text}, AT),
    "a TSV": lambda text: spreadsheets.tsv(
        _set(document_id=text, flashcards=json.dumps([{"question": text, "answer": text}])),
        zone=ZONE,
        source="x",
        made=AT,
    ),
    "a card for Anki": lambda text: (anki._literal(text), anki._tag(text), anki._name(_set(document_id=text))),
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_takes_work_in_proportion_to_the_text(name: str) -> None:
    assert [unit for unit in UNITS if not is_linear(LOOPS[name], unit, "!")] == []
