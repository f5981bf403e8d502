"""The files for spreadsheets as LibreOffice opens them: no cell becomes a formula, and every text is there."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest

from data.records import flashcards
from data.records.cards import Card
from exports import spreadsheets
from tests.conftest import unavailable
from tests.support.items import SET, changed

pytestmark = [pytest.mark.engines, pytest.mark.slow]

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MADE = datetime(2026, 3, 1, 2, 5, tzinfo=UTC)
# https://owasp.org/www-community/attacks/CSV_Injection, and what a spreadsheet may drop before it looks.
SIGNS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠", "−")
BEFORE = ("", " ", "\u00a0", "\u3000", "\ufeff", "\u200b", "\u00ad", "\u0301", "\x0b", " \t ", '"', "'")
AFTER = (
    "1+1",
    "SUM(1,2)",
    'HYPERLINK("http://example.org";"x")',
    "cmd|'/C calc'!A0",
    'WEBSERVICE("http://example.org")',
)
TEXTS = [f"{before}{sign}{AFTER[n % len(AFTER)]}" for before in BEFORE for n, sign in enumerate(SIGNS)]

Open = Callable[[bytes, str, str], list[list[Any]]]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Open:
    """The cells of a file, by LibreOffice, with formulas evaluated as when somebody opens it."""
    program = shutil.which("soffice")
    if not program:
        unavailable("LibreOffice is not there: apt-get install libreoffice-calc-nogui")
    profile = tmp_path_factory.mktemp("profile")

    def read(content: bytes, suffix: str, separator: str) -> list[list[Any]]:
        folder = tmp_path_factory.mktemp("file")
        file = folder / f"table.{suffix}"
        file.write_bytes(content)
        # Separator, quotation mark, UTF-8, from the first line on, and formulas are evaluated: the worst choice.
        options = f"CSV:{ord(separator)},34,76,1,,0,false,true,false,false,false,-1,true"
        subprocess.run(
            [
                program,
                f"-env:UserInstallation={profile.as_uri()}",
                *("--headless", f"--infilter={options}", "--convert-to", "xlsx"),
                *("--outdir", str(folder), str(file)),
            ],
            check=True,
            capture_output=True,
            timeout=240,
        )
        sheet = openpyxl.load_workbook(folder / "table.xlsx").active
        assert sheet
        assert [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"] == []
        return [[cell.value for cell in row] for row in sheet.iter_rows()]

    return read


def test_a_formula_that_is_left_as_it_is_would_be_noticed(opened: Open) -> None:
    with pytest.raises(AssertionError, match="A1"):
        opened(b"=1+1,x\r\n", "csv", ",")


def test_no_cell_of_a_csv_becomes_a_formula(opened: Open) -> None:
    rows = pd.DataFrame({"Name": TEXTS, "=1+1": TEXTS, "Band": [6.5] * len(TEXTS)})
    content = spreadsheets.csv(rows, "=1+1", period="@SUM(1)", zone=HANOI, source="+1", made=MADE, complete=True)
    cells = opened(content, "csv", ",")
    assert len(cells) == spreadsheets.HEAD + 1 + len(TEXTS)
    for row in cells[spreadsheets.HEAD + 1 :]:
        assert all(isinstance(cell, str) for cell in row[:2])
        assert row[2] == 6.5


def test_no_part_of_a_cell_becomes_a_formula_where_semicolons_separate(opened: Open) -> None:
    texts = [f"{before}{text};" for before in ("good;", 'a, b;"', "a line\n") for text in TEXTS]
    rows = pd.DataFrame({"ID": ["u"] * len(texts), "Text;=1+1": texts})
    content = spreadsheets.csv(rows, "x;=1+1", period="x;@A1", zone=HANOI, source="x;+1", made=MADE, complete=True)
    assert len(opened(content, "csv", ";")) > len(texts)


def test_no_cell_of_a_tsv_becomes_a_formula(opened: Open) -> None:
    cards = tuple(Card(text, text, {text: text}) for text in TEXTS)
    chosen = replace(flashcards.parse(changed(SET)), cards=cards, document_id="=1+1", set_id="+1")
    cells = opened(spreadsheets.tsv(chosen, zone=HANOI, source="-1", made=MADE), "tsv", "\t")
    assert len(cells) == spreadsheets.SET_HEAD + 1 + len(TEXTS)
    for row in cells[spreadsheets.SET_HEAD + 1 :]:
        assert all(isinstance(cell, str) for cell in row[:3])


@pytest.mark.parametrize("separator", [",", ";"])
def test_no_part_of_a_cell_of_a_tsv_becomes_a_formula_where_others_separate(opened: Open, separator: str) -> None:
    texts = [f"{before}{text}" for before in ("good;", "a,", 'a, b;"', 'a;",', "a line\n") for text in TEXTS]
    cards = tuple(Card(text, text, {}) for text in texts)
    chosen = replace(flashcards.parse(changed(SET)), cards=cards, document_id="x,=1+1", set_id="x;+1")
    assert len(opened(spreadsheets.tsv(chosen, zone=HANOI, source="x,-1", made=MADE), "tsv", separator)) > len(texts)


def test_names_of_files_hold_nothing_that_a_program_would_read(tmp_path: Path) -> None:
    for text in TEXTS:
        name = spreadsheets.file_name("report", {"student": text}, MADE)
        assert name.startswith("report-")
        (tmp_path / name).touch()
