"""Fixtures: a clean environment for each test, engines that run once per session, stores with tables of their own."""

import logging
import os
import signal
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest
from moto import mock_aws
from moto.moto_proxy.certificate_creator import CertificateCreator
from moto.server import ThreadedMotoServer
from streamlit.components.v2 import manifest_scanner

from data.demo import engine as demo_engine
from data.demo import shortcuts
from data.dynamodb.client import Store
from data.provisioning.clients import Clients
from data.provisioning.requests import create
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from tests.support import browser, engines, examples
from tests.support.app import a_roster, become, empty, files, requests, use  # noqa: F401 - fixtures
from tests.support.process import forget_everything
from ui.shell import sign_in
from ui.shell.ended import Ended

secrets_of = sign_in._secrets
"""How the dashboard reads secrets.toml; while a test runs, it reads none."""


def unavailable(reason: str) -> NoReturn:
    """Skip a test whose tools are missing; where everything must be there (BANDUP_NO_SKIPS=1), fail it."""
    if os.environ.get("BANDUP_NO_SKIPS") == "1":
        pytest.fail(f"must not be skipped here: {reason}")
    pytest.skip(reason)


def assert_accessible(visitor: browser.Visitor) -> None:
    """That axe finds nothing serious on the page once it is settled; skip a test where axe is missing."""
    if visitor.page.locator("[data-testid=stApp]").count():  # a report is a page too
        visitor.idle()
    try:
        assert browser.axe(visitor) == []
    except engines.MissingError as missing:
        unavailable(str(missing))


NEEDS = {
    "browser": "need Chromium",
    "engines": "need a DynamoDB engine",
    "slow": "are slow",
}
"""Markers by what a test needs. A plain run leaves these tests out."""
_ENGINES = {"engine", "dynoxide", "dynamodb_local", "delayed", "fresh", "real_aws", "bare_store", "store", "changeable"}
_CHROMIUM = {"chromium", "demo_url", "tab", "visitor"}
_TESTS = Path(__file__).parent
_left_out = pytest.StashKey[dict[str, int]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that leaves nothing out, and the one that writes the pages' words anew."""
    parser.addoption(
        "--everything", action="store_true", help="run the tests with a browser, with engines, and slow ones too"
    )
    parser.addoption("--update-snapshots", action="store_true", help="write tests/pages/words anew")


def pytest_configure(config: pytest.Config) -> None:
    """A quick run tries fewer of the examples that Hypothesis invents; what no test changes is read once for all."""
    examples.use(0.25 if _is_quick(config) else 1.0)
    # A shell has what it starts in the background ignore Ctrl+C, and so would the commands that tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Each test has a session of AWS of its own, and reading the models for it took half of the time of a page's test.
    # A test compares these shortcuts with the ways of moto and botocore.
    shortcuts.take()
    patch = pytest.MonkeyPatch()
    # Each run of a page looks through all installed packages for components of Streamlit, of which there are none.
    patch.setattr(manifest_scanner, "scan_component_manifests", list)
    config.add_cleanup(patch.undo)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Files that are named are run here: to start other processes takes longer than they do."""
    return 0 if all(".py" in argument for argument in config.args) else None


def _is_quick(config: pytest.Config) -> bool:
    """Whether nothing was asked for by name, by marker, or all of it."""
    named = any(_TESTS in Path(argument.split("::")[0]).absolute().parents for argument in config.args)
    return not (named or config.option.everything or config.option.markexpr)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it needs; leave out what needs something, unless it was asked for."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _CHROMIUM or _TESTS / "browser" in item.path.parents:
            item.add_marker(pytest.mark.browser)
        if fixtures & _ENGINES:
            item.add_marker(pytest.mark.engines)
    if not _is_quick(config):
        return
    counts: Counter[str] = Counter()
    kept = []
    for item in items:
        need = next((name for name in NEEDS if item.get_closest_marker(name)), None)
        if need is None:
            kept.append(item)
        else:
            counts[need] += 1
    config.stash[_left_out] = dict(counts)
    items[:] = kept


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With xdist, tell the process that prints."""
    if output := getattr(session.config, "workeroutput", None):
        output["left_out"] = session.config.stash.get(_left_out, {})


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what a process of xdist tells; each tells the same."""
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and how to run it."""
    if counts := config.stash.get(_left_out, {}):
        parts = ", ".join(f"{counts[name]:,} {words}" for name, words in NEEDS.items() if name in counts)
        terminalreporter.write_line(
            f"Left out: {parts}. `pytest --everything` runs them too; `-m browser` these alone."
        )


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> Iterator[None]:
    """No test sees this machine's AWS or BandUp variables, nor what another test has cached."""
    for variable in list(os.environ):
        if variable.startswith(("AWS_", "BANDUP_", "DYNAMODB_")) and variable not in (
            "BANDUP_NO_SKIPS",
            "BANDUP_NODE_MODULES",
        ):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", f"{tmp_path}/config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", f"{tmp_path}/credentials")
    monkeypatch.setenv("BANDUP_ENV_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # Nor this machine's secrets.toml, nor what another test has set up there.
    monkeypatch.setattr(sign_in, "_secrets", dict)
    # Pages that run in process have no connection: Streamlit's tests put a mock in its place.
    monkeypatch.setattr(sign_in, "_client", lambda: None)
    monkeypatch.setattr(sign_in._Process, "had_sign_in", False)
    monkeypatch.setattr(sign_in, "_ended", cache(lambda: Ended(Path(str(tmp_path), "state"))))
    forget_everything()
    yield
    forget_everything()


@pytest.fixture(scope="module")
def demo_anew() -> Iterator[None]:
    """The demo filled anew before the tests of a module, and again after them: its waiting jobs grow old."""
    demo_engine._stores.clear()
    yield
    demo_engine._stores.clear()


@pytest.fixture
def mocked_aws() -> Iterator[None]:
    """All of AWS mocked in this process. That empties moto for the whole process, the demo included."""
    with mock_aws():
        yield
    demo_engine._stores.clear()


@pytest.fixture(scope="session", params=engines.NAMES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of DynamoDB Local, then of dynoxide."""
    yield from _started(request.param)


@pytest.fixture(scope="session")
def dynoxide() -> Iterator[str]:
    """The URL of dynoxide alone, for tests that need one engine over a real connection."""
    yield from _started("dynoxide")


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """The URL of DynamoDB Local alone."""
    yield from _started("dynamodb-local")


@pytest.fixture(scope="session")
def delayed() -> Iterator[str]:
    """The URL of a DynamoDB Local on which tables are CREATING and UPDATING for some time, as on AWS."""
    yield from _started("dynamodb-local-delayed")


@pytest.fixture
def real_aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All of AWS under its own host names: moto behind a proxy that everything goes through. No endpoint is set."""
    for url in _started("moto-proxy"):
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.setenv("AWS_CA_BUNDLE", CertificateCreator.cacert)
        yield


@pytest.fixture(params=["moto", "dynamodb-local", "dynamodb-local-delayed", "dynoxide"])
def fresh(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of each engine in turn, just started, so that the tables may have their default names."""
    yield from _started(request.param)


def _started(name: str) -> Iterator[str]:
    try:
        with engines.running(name) as url:
            yield url
    except engines.MissingError as missing:
        unavailable(str(missing))


@pytest.fixture(scope="session")
def chromium() -> None:
    """Chromium, or a skip."""
    try:
        browser.chromium()
    except engines.MissingError as missing:
        unavailable(str(missing))


@pytest.fixture(scope="module")
def demo_url(chromium: None) -> Iterator[str]:
    """A dashboard on the demo source, for Chromium and all tests of a module."""
    with browser.dashboard() as url:
        yield url


@pytest.fixture(scope="module")
def tab(demo_url: str) -> Iterator[browser.Visitor]:
    """One visitor to the demo who goes from page to page, for what is only looked at: half the work of a new one."""
    with browser.visiting(demo_url) as visitor:
        yield visitor
        assert visitor.foreign == []


@pytest.fixture
def visitor(demo_url: str) -> Iterator[browser.Visitor]:
    """A visitor to the demo who, in the end, must have asked no other host for anything."""
    with browser.visiting(demo_url) as visitor:
        yield visitor
        assert visitor.foreign == []


@pytest.fixture
def new_settings() -> Callable[[str], Settings]:
    """Settings of source aws for an endpoint, with table names that nobody else uses."""

    def make(endpoint: str) -> Settings:
        suffix = uuid.uuid4().hex[:8]
        return Settings.read(
            {
                "BANDUP_SOURCE": "aws",
                "AWS_REGION": engines.REGION,
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                EVALUATIONS.variable: f"evaluations-{suffix}",
                FLASHCARD_SETS.variable: f"sets-{suffix}",
            }
        )

    return make


@pytest.fixture
def bare_store(engine: str, new_settings: Callable[[str], Settings]) -> Store:
    """A Store on each engine in turn, without tables."""
    return Store.open(new_settings(engine), **engines.CREDENTIALS)


@pytest.fixture
def store(bare_store: Store) -> Store:
    """A Store on each engine in turn, with both tables as declared."""
    for table in TABLES:
        create(bare_store.client, table, bare_store.settings.name(table))
    return bare_store


@pytest.fixture(scope="session")
def moto() -> str:
    """The URL of moto in this process: the engine that has PITR, tags, restore, Lambda and IAM."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    return f"http://{host}:{port}"


@pytest.fixture
def account(moto: str, new_settings: Callable[[str], Settings]) -> Store:
    """A Store on moto that may change things, without tables, and with names that nobody else uses."""
    settings = new_settings(moto)
    functions = tuple(f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("writing", "speaking", "flashcards"))
    return Store.open(replace(settings, allow_changes=True, functions=functions), **engines.CREDENTIALS)


@pytest.fixture
def clients(account: Store, moto: str, monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Lambda and IAM beside `account`."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    return Clients.open(account, **engines.CREDENTIALS)


@pytest.fixture
def changeable(bare_store: Store) -> Store:
    """A Store on each engine in turn that may change things, without tables."""
    return Store.open(replace(bare_store.settings, allow_changes=True), **engines.CREDENTIALS)
