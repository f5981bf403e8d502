"""The demo source: it starts once, whoever asks, holds the sample, and minds nobody's AWS settings."""

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from data import deadline, demo, evaluations, flashcards
from data.failures import Failure
from data.schema import BY_STUDENT, EVALUATIONS, FLASHCARD_SETS
from data.settings import Settings
from data.store import Store

DEFAULTS = Settings.read({})


def test_many_who_ask_at_once_get_the_same_store(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    filled: list[Store] = []
    start = demo.start_engine
    monkeypatch.setattr(demo, "_stores", {})
    monkeypatch.setattr(demo, "start_engine", lambda: started.append(start()) or started[-1])
    # Filling takes seconds; here it only matters how often it happens.
    monkeypatch.setattr(demo, "fill", lambda store, _: filled.append(store))
    settings = Settings.read({"DYNAMODB_EVALUATIONS": "once-evals", "DYNAMODB_FLASHCARD_SETS": "once-sets"})
    with ThreadPoolExecutor(16) as pool:
        stores = list(pool.map(lambda _: demo.open_demo(settings), range(64)))
    assert len({id(store) for store in stores}) == 1
    assert len(started) == 1
    assert filled == [stores[0]]


@pytest.fixture
def store() -> Store:
    """The demo itself, shared by all tests of this process that open it."""
    return demo.open_demo(DEFAULTS)


def test_it_listens_on_loopback_alone(store: Store) -> None:
    parts = urlsplit(store.client.meta.endpoint_url)
    assert parts.hostname == "127.0.0.1"
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", parts.port or 0)) == 0


def test_reads_work_as_on_aws_but_are_not_metered(store: Store) -> None:
    history = evaluations.history(store, "user-456")
    assert set(history.value["evaluation_id"]) == {"eval-abc123", "speak-xyz789"}
    assert history.cost.requests == 1
    # moto reports a constant; no number is better than a wrong one.
    assert history.cost.read_units is None
    assert history.notes == ()
    assert flashcards.of_student(store, "user-456").value["set_id"].tolist() == ["flashcard-set-123"]
    one = evaluations.get(store, "eval-abc123", "user-456").value
    assert one is not None
    assert one.overall == 7.0
    assert evaluations.get(store, "eval-abc123", "user-101").value is None
    assert [s.user_id for s in flashcards.find(store, "flashcard-set-123").value] == ["user-456"]
    scanned = flashcards.of_student(store, "user-456", by_scan=True)
    assert scanned.value["set_id"].tolist() == ["flashcard-set-123"]


def test_a_period_holds_the_class(store: Store) -> None:
    now = datetime.now(UTC)
    table = evaluations.period(store, now - timedelta(days=30), now + timedelta(hours=1)).value
    assert table["created_at"].is_monotonic_decreasing
    assert set(table["status"]) == {"completed", "failed", "processing"}
    assert table["user_id"].nunique() > 20


def test_its_tables_are_those_of_the_specification(store: Store) -> None:
    for table in (EVALUATIONS, FLASHCARD_SETS):
        facts = store.facts(table)
        assert facts.name == table.default_name
        assert set(facts.indexes) == {index.name for index in table.indexes}
        assert facts.indexes[BY_STUDENT].attributes == set(table.summary)
        assert facts.region == "us-east-1"


def test_a_missing_index_and_a_missing_table_are_said_as_on_aws(store: Store) -> None:
    with pytest.raises(Failure) as caught:
        store.query(EVALUATIONS, ("user_id", "user-456"), index="nothing-index")
    assert caught.value.kind == "index_missing"
    elsewhere = Store(Settings.read({"DYNAMODB_EVALUATIONS": "not-there"}), store.client)
    with pytest.raises(Failure) as caught:
        evaluations.get(elsewhere, "eval-abc123", "user-456")
    assert caught.value.kind == "missing"


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_PROFILE": "nobody"},
        {"AWS_DEFAULT_PROFILE": "nobody"},
        {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"},
        {"AWS_ENDPOINT_URL": ""},
        {"AWS_CONFIG_FILE": str(Path(__file__))},  # a file, and no configuration
        {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"},
        {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""},
    ],
    ids=["profile", "default profile", "endpoint", "empty endpoint", "broken file", "region", "proxy"],
)
def test_the_demo_minds_no_aws_settings_of_its_computer(
    store: Store, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    again = Store.open(DEFAULTS, store.client.meta.endpoint_url, **demo._CREDENTIALS)
    assert len(evaluations.history(again, "user-456").value) == 2


def test_the_demo_deploys_its_functions_also_beside_others_and_once() -> None:
    demo._stores.clear()
    store = demo.open_demo(Settings.read({}))
    clients = demo.open_demo_clients(store)
    first = store.settings.functions[0]
    clients.functions.delete_function(FunctionName=first)
    for _ in range(2):
        names = [f["FunctionName"] for f in demo.open_demo_clients(store).functions.list_functions()["Functions"]]
        assert names.count(first) == 1
        assert set(store.settings.functions) <= set(names)


def test_the_demos_engine_may_be_slow_because_it_does_answer(demo_anew: None) -> None:
    opened = demo.open_demo(Settings.read({}))
    assert opened.client.meta.config.read_timeout > deadline.PAGE_SECONDS
    with deadline.limited(0.000_001):
        assert evaluations.history(opened, "user-456").value["evaluation_id"].tolist()
