"""docs/records.md names the columns of every file that is taken away, in their order."""

import io
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis import attention, consistency
from analysis.attention import Row
from data import roster
from data.records import evaluations, flashcards
from data.records.cards import Card
from data.schema import TYPES
from exports import spreadsheets
from tests.support.docs import doc, section
from tests.support.items import EVALUATION, SET
from ui.jobs import listing
from ui.quality import findings
from ui.students import tables

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def of_students() -> list[str]:
    names = roster.parse(roster.TEMPLATE.encode())
    rows = [Row(student, []) for student in attention.absent(names, [])]
    return list(tables.students_file(rows, names, TYPES).columns)


def of_cards() -> list[str]:
    deck = flashcards.parse(SET | {"flashcards": {"S": '[{"question": "a", "answer": "b", "hint": "c"}]'}})
    assert deck.cards == (Card("a", "b", {"hint": "c"}),)
    content = spreadsheets.tsv(deck, zone=ZoneInfo("UTC"), source="Demo", made=NOW)
    table = pd.read_csv(io.BytesIO(content), sep="\t", skiprows=spreadsheets.SET_HEAD, encoding="utf-8-sig")
    return list(table.columns)


FILES = {
    "history": list(tables.with_issue_text(evaluations.frame([EVALUATION])).columns),
    "flashcard sets": list(tables.with_issue_text(flashcards.frame([SET])).columns),
    "students": of_students(),
    "jobs": listing._COLUMNS,
    "findings": list(findings._table(consistency.none(), with_kind=True).columns),
    "cards of a set": of_cards(),
}


@pytest.mark.parametrize("name", FILES)
def test_the_columns_of_a_file_are_documented_in_their_order(name: str) -> None:
    documented = re.findall(r"^\| `([^`]+)` \| \w", section(name, doc("records")), re.MULTILINE)
    # A skill's columns are written down once.
    written = [re.sub(rf"^({'|'.join(TYPES)})_", "skill_", column) for column in FILES[name]]
    assert documented == list(dict.fromkeys(written))


def test_every_documented_file_is_checked_or_has_its_columns_made_for_the_screen() -> None:
    headings = re.findall(r"^### (.+)$", section("Columns of the files", doc("records")), re.MULTILINE)
    assert set(headings) == {*FILES, "failures", "records that no list shows"}
