"""The words of every page in its main states, each in ONE snapshot: tests/pages/words.

`pytest tests/pages/test_words.py --update-snapshots` writes them anew; the difference is for whoever reviews it.
There is a test for each state, not for each page, so that a phrase that every page says breaks one test.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from data.demo.sample import SEED_SET
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import FUNCTIONS, TABLES
from data.settings import Settings
from tests.support import transcript
from tests.support.app import ROOT, FailingClient, refused, show
from tests.support.clock import stand_still
from tests.support.engines import CREDENTIALS, REGION

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
WORDS = Path(__file__).parent / "words"
STATE = re.compile(r"^=== (\w+)\n(.*?)(?=^=== |\Z)", re.MULTILINE | re.DOTALL)
STUDENT = "user-108"
PAGES = {
    "overview": {},
    "student": {"user_id": STUDENT},
    "compare": {"user_id": STUDENT},
    "evaluation": {"evaluation_id": "speak-xyz789", "user_id": "user-456"},
    "flashcards": {"set_id": SEED_SET["set_id"], "user_id": SEED_SET["user_id"]},
    "lessons": {},
    "jobs": {},
    "audit": {},
    "setup": {},
}
# What moto decides: its port, and times by its own clock.
UNSTEADY = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"restorable from [^:]+:\d\d to [^:]+:\d\d", "restorable from THEN to NOW"),
)
# Names that no other test uses: moto lives as long as the process, and other tests change what is in it.
NAMES = {
    **{table.variable: f"words-of-{table.default_name}" for table in TABLES},
    **{function.variable: f"words-of-{function.default_name}" for function in FUNCTIONS},
}


@pytest.fixture(scope="module")
def still() -> Iterator[pytest.MonkeyPatch]:
    """The clock stands, for all of this module."""
    with pytest.MonkeyPatch.context() as patch:
        stand_still(patch, NOW)
        yield patch


@pytest.fixture
def demo(still: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo, filled at that time."""
    for variable, name in NAMES.items():
        monkeypatch.setenv(variable, name)


@pytest.fixture(scope="module")
def bare(still: pytest.MonkeyPatch, moto: str) -> Store:
    """Both tables without a record, as declared."""
    names = {variable: f"{name}-bare" for variable, name in NAMES.items()}
    settings = Settings.read({"BANDUP_SOURCE": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": moto, **names})
    store = Store.open(settings, **CREDENTIALS)
    for table in TABLES:
        create(store.client, table, settings.name(table))
    return store


@pytest.fixture
def compare(pytestconfig: pytest.Config) -> Callable[[str], str]:
    """How the words of all pages differ from what was said in a state; nothing where they are written anew."""

    def difference(state: str) -> str:
        differences: list[str] = []
        for page, params in PAGES.items():
            words = transcript.of(show(f"pages/{page}.py", params), beside=page == "overview")
            for pattern, name in UNSTEADY:
                words = re.sub(pattern, name, words)
            path = WORDS / f"{page}.txt"
            states = STATE.findall(path.read_text(encoding="utf-8")) if path.exists() else []
            before = dict(states)
            if pytestconfig.option.update_snapshots:
                before[state] = f"{words}\n\n"
                path.write_text("".join(f"=== {name}\n{before[name]}" for name in sorted(before)), encoding="utf-8")
            lines = before.get(state, "").rstrip("\n").split("\n")
            differences += difflib.unified_diff(lines, words.split("\n"), f"{page}.txt", "now", lineterm="", n=1)
        return "\n".join(differences)

    return difference


def test_every_page_is_among_them() -> None:
    assert sorted(PAGES) == sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


def test_pages_that_are_full(demo: None, compare: Callable[[str], str]) -> None:
    assert compare("full") == ""
    assert "⚠" not in "".join(dict(STATE.findall(path.read_text(encoding="utf-8")))["full"] for path in WORDS.iterdir())


def test_pages_of_empty_tables(bare: Store, use: Callable[[Store], None], compare: Callable[[str], str]) -> None:
    use(bare)
    assert compare("empty") == ""


def test_pages_whose_reads_fail(bare: Store, use: Callable[[Store], None], compare: Callable[[str], str]) -> None:
    client: Any = FailingClient(refused("AccessDeniedException"))
    use(Store(bare.settings, client))
    assert compare("failing") == ""
