"""The demo source: it starts once, whoever asks, holds the sample, and minds nobody's AWS settings."""

import asyncio
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID

from bench.support.addresses import PARAMS, names
from bench.visitors import arrive
from data.demo import engine, wire
from data.dynamodb import budget, query
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.records import evaluations, flashcards
from data.schema import BY_STUDENT, EVALUATIONS, FLASHCARD_SETS
from data.settings import Settings
from queries import source
from tests.conftest import unavailable
from tests.support import browser
from ui.shell.boundary import NOT_SHOWN

DEFAULTS = Settings.read({})


def test_many_who_ask_at_once_get_the_same_store(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Store] = []
    filled: list[Store] = []
    start = engine.open_empty
    monkeypatch.setattr(engine, "_stores", {})
    monkeypatch.setattr(engine, "open_empty", lambda settings: started.append(start(settings)) or started[-1])
    # Filling takes seconds; here it only matters how often it happens.
    monkeypatch.setattr(engine, "fill_own", lambda store, _: filled.append(store))
    settings = Settings.read({"DYNAMODB_EVALUATIONS": "once-evals", "DYNAMODB_FLASHCARD_SETS": "once-sets"})
    with ThreadPoolExecutor(16) as pool:
        stores = list(pool.map(lambda _: engine.open_demo(settings), range(64)))
    assert len({id(store) for store in stores}) == 1
    assert len(started) == 1
    assert filled == [stores[0]]


def test_visitors_who_arrive_together_on_a_fresh_server_start_the_engine_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Store] = []
    start = engine.open_empty
    monkeypatch.setattr(engine, "_stores", {})
    monkeypatch.setattr(engine, "open_empty", lambda settings: started.append(start(settings)) or started[-1])
    monkeypatch.setattr(engine, "fill_own", lambda *_: None)
    monkeypatch.setenv("DYNAMODB_EVALUATIONS", "together-evals")
    monkeypatch.setenv("DYNAMODB_FLASHCARD_SETS", "together-sets")
    for _ in range(2):
        with ThreadPoolExecutor(20) as pool:
            stores = list(pool.map(lambda _: source.store(), range(20)))
        assert len({id(store) for store in stores}) == 1
        # As when the credentials are looked for anew: the engine goes on.
        source.close()
    assert len(started) == 1


def test_who_waits_for_another_visitors_start_of_the_demo_has_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: Settings) -> Store:
        time.sleep(0.6)
        return Store(DEFAULTS, None)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "open_demo", slow)

    def visit(_: int) -> float:
        with budget.limited(0.5):
            source.start()
            return budget.remaining()

    with ThreadPoolExecutor(4) as pool:
        assert min(pool.map(visit, range(4))) > 0


@pytest.mark.slow
def test_visitors_of_a_fresh_server_find_one_engine() -> None:
    if not Path("/proc/self/net/tcp").exists():
        unavailable("how many ports a process listens on can be seen on Linux")

    async def together(url: str) -> list[list[str]]:
        pages = (names() * 2)[:12]
        of_demo = {**PARAMS, "student": {"user_id": "user-456"}, "evaluation": {"evaluation_id": "eval-abc123"}}
        of_demo["flashcards"] = {"set_id": "flashcard-set-123"}
        arrived = await asyncio.gather(*(arrive(url, page, **of_demo.get(page, {})) for page in pages))
        for visitor, _, _ in arrived:
            await visitor.socket.close()
        return [visitor.errors for visitor, _, _ in arrived]

    with browser.serving({"BANDUP_SOURCE": "demo"}) as server:
        # In a thread of its own: in this one, the browser of other tests has a loop already.
        with ThreadPoolExecutor(1) as pool:
            errors = pool.submit(asyncio.run, together(server.url)).result()
        # The server's own: the engine listens on none.
        assert _listening(server.pid) == 1
    # A slow computer may be too slow for so many at once, and says so; nothing else may be wrong.
    assert [message for several in errors for message in several if f"{NOT_SHOWN}. DynamoDB" not in message] == []


def _listening(pid: int) -> int:
    """On how many ports a process listens."""
    held = {os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir() if one.is_symlink()}
    # https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html: the state, 0A when listening, and the inode
    table = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] == "0A" and f"socket:[{row[9]}]" in held for row in table)


@pytest.fixture
def store() -> Store:
    """The demo itself, shared by all tests of this process that open it."""
    return engine.open_demo(DEFAULTS)


def test_nothing_is_sent_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened, or a name was looked up")

    engine._stores.clear()
    for what in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, what, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    store = engine.open_demo(DEFAULTS)
    engine.open_demo_clients(store).functions.list_functions()
    assert len(evaluations.history(store, "user-456").value) == 2
    assert urlsplit(store.client.meta.endpoint_url).hostname == "demo.invalid"


def test_what_the_engine_cannot_answer_is_not_sent_but_a_fault_in_the_log(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wire, "_services", dict)
    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", None)
    with pytest.raises(ClientError) as caught:
        store.client.describe_table(TableName=EVALUATIONS.default_name)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "the demo's engine failed at before-send.dynamodb.DescribeTable" in caplog.text


def test_reads_work_as_on_aws_but_are_not_metered(store: Store) -> None:
    history = evaluations.history(store, "user-456")
    assert set(history.value["evaluation_id"]) == {"eval-abc123", "speak-xyz789"}
    assert history.cost.requests == 1
    # moto reports a constant; no number is better than a wrong one.
    assert history.cost.read_units is None
    assert history.notes == ()
    assert flashcards.history(store, "user-456").value["set_id"].tolist() == ["flashcard-set-123"]
    one = evaluations.get(store, "eval-abc123", "user-456").value
    assert one is not None
    assert one.overall == 7.0
    assert evaluations.get(store, "eval-abc123", "user-101").value is None
    assert [s.user_id for s in flashcards.find(store, "flashcard-set-123").value] == ["user-456"]
    scanned = flashcards.history(store, "user-456", by_scan=True)
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
        query.partition(store, EVALUATIONS, ("user_id", "user-456"), index="nothing-index")
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
    again = engine.open_empty(DEFAULTS)
    assert len(evaluations.history(again, "user-456").value) == 2


def test_the_demo_deploys_its_functions_also_beside_others_and_once() -> None:
    engine._stores.clear()
    store = engine.open_demo(Settings.read({}))
    engine.open_demo_clients(store)
    first = store.settings.functions[0]
    lambda_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].delete_function(first, None)
    for _ in range(2):
        names = [f["FunctionName"] for f in engine.open_demo_clients(store).functions.list_functions()["Functions"]]
        assert names.count(first) == 1
        assert set(store.settings.functions) <= set(names)


def test_the_demos_engine_may_be_slow_because_it_does_answer(demo_anew: None) -> None:
    opened = engine.open_demo(Settings.read({}))
    with budget.limited(0.000_001):
        assert evaluations.history(opened, "user-456").value["evaluation_id"].tolist()


def test_the_engine_takes_what_setup_asks_of_lambda_and_iam(store: Store) -> None:
    clients = engine.open_demo_clients(store)
    function = clients.functions.get_function_configuration(FunctionName=store.settings.functions[0])
    clients.functions.list_aliases(FunctionName=function["FunctionName"])
    clients.functions.list_tags(Resource=function["FunctionArn"])
    clients.functions.update_function_configuration(FunctionName=function["FunctionName"], Timeout=5)
    role = clients.roles.get_role(RoleName=function["Role"].rpartition("/")[2])["Role"]
    assert role["Arn"] == function["Role"]
