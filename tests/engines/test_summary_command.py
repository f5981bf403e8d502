"""`python -m bandup summary` of tables on an engine says what it says of the demo, whose records they hold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bandup.__main__ import main
from data.demo import sample
from data.dynamodb.client import Store
from data.schema import TABLES
from queries import source
from tests.support import engines

pytestmark = pytest.mark.usefixtures("demo_anew")


@pytest.fixture
def on_engine(
    demo_anew: None, bare_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """The pages of all classes by their file names: of the demo, then of an engine with the same records."""
    class_list = tmp_path / "classes.csv"
    class_list.write_text(sample.roster(datetime.now(UTC)), encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(class_list))
    monkeypatch.setenv("BANDUP_SCHOOL", "Riverside")
    of_demo = summary(tmp_path / "demo")
    endpoint = bare_store.client.meta.endpoint_url
    for name, value in {
        "AWS_REGION": engines.REGION,
        **{key.upper(): value for key, value in engines.CREDENTIALS.items()},
        **{table.variable: bare_store.settings.name(table) for table in TABLES},
    }.items():
        monkeypatch.setenv(name, value)
    assert main(["demo", "--to", endpoint]) == 0
    monkeypatch.setenv("BANDUP_SOURCE", "aws")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    source.close()
    yield of_demo, summary(tmp_path / "engine")
    source.close()


def summary(folder: Path) -> dict[str, str]:
    assert main(["summary", "--all", "--out", str(folder)]) == 0
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_each_class_has_the_same_pages(on_engine: tuple[dict[str, str], dict[str, str]]) -> None:
    of_demo, of_engine = on_engine
    assert "monday-evening.txt" in of_demo
    assert of_engine.keys() == of_demo.keys()
    for name, page in of_demo.items():
        assert of_engine[name].splitlines() == page.splitlines(), name
