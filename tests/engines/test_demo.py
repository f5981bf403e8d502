"""The demo source: it starts once, whoever asks, holds the sample, and minds nobody's AWS settings."""

import asyncio
import http.client
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.awslambda.models import lambda_backends
from moto.core import DEFAULT_ACCOUNT_ID

from bench.support.addresses import PARAMS, names
from bench.visitors import arrive
from data.demo import engine
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
    started: list[str] = []
    filled: list[Store] = []
    start = engine.start_engine
    monkeypatch.setattr(engine, "_stores", {})
    monkeypatch.setattr(engine, "start_engine", lambda: started.append(start()) or started[-1])
    # Filling takes seconds; here it only matters how often it happens.
    monkeypatch.setattr(engine, "fill_own", lambda store, _: filled.append(store))
    settings = Settings.read({"DYNAMODB_EVALUATIONS": "once-evals", "DYNAMODB_FLASHCARD_SETS": "once-sets"})
    with ThreadPoolExecutor(16) as pool:
        stores = list(pool.map(lambda _: engine.open_demo(settings), range(64)))
    assert len({id(store) for store in stores}) == 1
    assert len(started) == 1
    assert filled == [stores[0]]


def test_visitors_who_arrive_together_on_a_fresh_server_start_the_engine_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    start = engine.start_engine
    monkeypatch.setattr(engine, "_stores", {})
    monkeypatch.setattr(engine, "start_engine", lambda: started.append(start()) or started[-1])
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
        # The server's own, and the engine's.
        assert _listening(server.pid) == 2
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
    again = Store.open(DEFAULTS, store.client.meta.endpoint_url, **engine._CREDENTIALS)
    assert len(evaluations.history(again, "user-456").value) == 2


def test_the_demo_deploys_its_functions_also_beside_others_and_once() -> None:
    engine._stores.clear()
    store = engine.open_demo(Settings.read({}))
    engine.open_demo_clients(store)
    first = store.settings.functions[0]
    # The demo's door lets nobody delete: the engine itself is in this process.
    lambda_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].delete_function(first, None)
    for _ in range(2):
        names = [f["FunctionName"] for f in engine.open_demo_clients(store).functions.list_functions()["Functions"]]
        assert names.count(first) == 1
        assert set(store.settings.functions) <= set(names)


def test_the_demos_engine_may_be_slow_because_it_does_answer(demo_anew: None) -> None:
    opened = engine.open_demo(Settings.read({}))
    assert opened.client.meta.config.read_timeout > budget.PAGE_SECONDS
    with budget.limited(0.000_001):
        assert evaluations.history(opened, "user-456").value["evaluation_id"].tolist()


_LEAN = Config(retries={"total_max_attempts": 1}, proxies={})


def _client(store: Store, service: str, **credentials: str) -> Any:
    credentials = credentials or engine._CREDENTIALS
    session = boto3.Session(**credentials, region_name="us-east-1")  # type: ignore[arg-type]
    return session.client(service, endpoint_url=store.client.meta.endpoint_url, config=_LEAN)  # type: ignore[call-overload]


def _signed(store: Store, service: str = "dynamodb") -> str:
    """What boto3 sends along, as somebody would who had read it."""
    key = engine._CREDENTIALS["aws_access_key_id"]
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )


def _status(store: Store, method: str, path: str, headers: dict[str, str], body: str = "{}") -> tuple[int, bytes]:
    """The answer to a raw request, with the engine's own Host unless `headers` have another."""
    parts = urlsplit(store.client.meta.endpoint_url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    if answer.status != 200:
        assert "access-control-allow-origin" not in {name.lower() for name, _ in answer.getheaders()}
    return answer.status, answer.read()


_LOOK = {"X-Amz-Target": "DynamoDB_20120810.DescribeTable", "Content-Type": "application/x-amz-json-1.0"}
_TABLE = f'{{"TableName": "{EVALUATIONS.default_name}"}}'


def test_the_engine_answers_who_has_the_key_of_this_start(store: Store) -> None:
    headers = {**_LOOK, "Authorization": _signed(store)}
    assert _status(store, "POST", "/", headers, _TABLE)[0] == 200
    strangers = [{"aws_access_key_id": key, "aws_secret_access_key": "demo"} for key in ("demo", "local", "AKIA" * 5)]
    for credentials in strangers:
        with pytest.raises(ClientError) as caught:
            _client(store, "dynamodb", **credentials).describe_table(TableName=EVALUATIONS.default_name)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert _status(store, "POST", "/", _LOOK, _TABLE) == (403, b"")


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8501"},
        {"Host": "evil.example"},
        {"Host": "localhost"},
        {"Host": "dynamodb.us-east-1.amazonaws.com"},
    ],
    ids=lambda foreign: " ".join(*foreign.items()),
)
def test_the_engine_answers_no_page_and_no_other_name_even_with_the_key(store: Store, foreign: dict[str, str]) -> None:
    assert _status(store, "POST", "/", {**_LOOK, "Authorization": _signed(store), **foreign}, _TABLE) == (403, b"")
    # As a browser asks first whether a page may.
    assert _status(store, "OPTIONS", "/", {"Access-Control-Request-Method": "POST", **foreign}, "") == (403, b"")


@pytest.mark.parametrize("service", ["dynamodb", "lambda", "iam", "s3", "moto_api"])
@pytest.mark.parametrize(
    "path",
    ["/moto-api/", "/moto-api/reset", "/moto-api/data.json", "//moto-api/reset", "/favicon.ico", "/latest/meta-data/"],
)
def test_the_engines_administration_is_not_to_be_had_with_the_key(store: Store, service: str, path: str) -> None:
    for method in ("GET", "POST"):
        assert _status(store, method, path, {**_LOOK, "Authorization": _signed(store, service)})[0] == 403
    assert evaluations.get(store, "eval-abc123", "user-456").value is not None


def test_the_engine_takes_the_demos_calls_alone(store: Store) -> None:
    dynamodb, name = _client(store, "dynamodb"), EVALUATIONS.default_name
    refused = [
        lambda: dynamodb.delete_table(TableName=name),
        lambda: dynamodb.delete_item(TableName=name, Key={"evaluation_id": {"S": "a"}, "user_id": {"S": "b"}}),
        lambda: dynamodb.execute_statement(Statement="SELECT * FROM any"),
        lambda: _client(store, "lambda").invoke(FunctionName="any"),
        lambda: _client(store, "lambda").delete_function(FunctionName="any"),
    ]
    for call in refused:
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for service, body in [
        ("iam", "Action=CreateUser&UserName=any&Version=2010-05-08"),
        ("iam", f"Action=GetRole&RoleName={'a' * 100_000}"),
        ("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
        ("s3", ""),
    ]:
        assert _status(store, "POST", "/", {**form, "Authorization": _signed(store, service)}, body) == (403, b"")
    assert store.facts(EVALUATIONS).name == name


def test_the_engine_takes_what_setup_asks_of_lambda_and_iam(store: Store) -> None:
    clients = engine.open_demo_clients(store)
    function = clients.functions.get_function_configuration(FunctionName=store.settings.functions[0])
    clients.functions.list_aliases(FunctionName=function["FunctionName"])
    clients.functions.list_tags(Resource=function["FunctionArn"])
    clients.functions.update_function_configuration(FunctionName=function["FunctionName"], Timeout=5)
    role = clients.roles.get_role(RoleName=function["Role"].rpartition("/")[2])["Role"]
    assert role["Arn"] == function["Role"]
