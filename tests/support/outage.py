"""Every page in front of an engine whose answers a proxy can spoil."""

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from botocore.retries.standard import ExponentialBackoff
from streamlit.testing.v1 import AppTest

from data.demo import engine
from data.demo.sample import SEED_SET, Record
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import TABLES
from data.settings import Settings
from tests.support import engines, proxy
from tests.support.app import at, words
from tests.support.proxy import Proxy

REGION = "us-east-1"


SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAOUTAGE0000000000",
    "AWS_SECRET_ACCESS_KEY": "s3cr3t-0f-the-t3ach3r",
    "AWS_SESSION_TOKEN": "t0k3n-0f-the-t3ach3r",
}


STUDENT = "user-1"


class Shown(NamedTuple):
    """A page: its address, its title, the part that its main read fills, and words that only data brings."""

    file: str
    params: dict[str, str]
    title: str
    part: str
    data: str


PAGES = {
    "overview": Shown("pages/overview.py", {}, "Students", "The class", "Active students 3"),
    "student": Shown("pages/student.py", {"user_id": STUDENT}, "Student", "The evaluations", "7.0 ± "),
    "compare": Shown(
        "pages/compare.py",
        {"user_id": STUDENT, "a": "eval-1", "b": "eval-4"},
        "Compare",
        "The page “Compare”",
        "Task achievement",
    ),
    "evaluation": Shown(
        "pages/evaluation.py",
        {"evaluation_id": "eval-1", "user_id": STUDENT},
        "Evaluation",
        "The page “Evaluation”",
        "Task achievement 7.0",
    ),
    "flashcards": Shown(
        "pages/flashcards.py",
        {"set_id": "set-1", "user_id": STUDENT},
        "Flashcards",
        "The page “Flashcards”",
        "1 of 1 ·",
    ),
    "lessons": Shown("pages/lessons.py", {}, "Lessons", "The groups", "Groups appear when a criterion"),
    "jobs": Shown("pages/jobs.py", {}, "Jobs", "The jobs", "Failure rate"),
    "audit": Shown("pages/audit.py", {}, "Data quality", "The evaluations", "Evaluations 12"),
    "setup": Shown("pages/setup.py", {}, "Setup", "The comparison with the account", "projects the summary"),
}


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    """The tables of this module, by their variables."""
    return {table.variable: f"{table.default_name}-{uuid.uuid4().hex[:8]}" for table in TABLES}


@pytest.fixture(scope="module")
def engine_store(dynoxide: str, names: dict[str, str]) -> Store:
    """Both tables with a few young records, reached directly."""
    variables = {"BANDUP_SOURCE": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": dynoxide, **names}
    store = Store.open(Settings.read(variables), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    now = int((datetime.now(UTC) - timedelta(hours=3)).timestamp())
    states = ("completed", "completed", "failed", "processing")
    records = [evaluation(n, f"user-{n % 3 + 1}", states[n // 3], now - n * 60) for n in range(12)]
    engine.write(store.client, store.settings.evaluations, records)
    engine.write(store.client, store.settings.flashcard_sets, [flashcard_set(now)])
    return store


def evaluation(n: int, user_id: str, status: str, created_at: int) -> Record:
    """A Writing evaluation; the first one is eval-1 of user-1."""
    criteria = ("task_achievement", "coherence", "lexical", "grammar")
    bands = {f"{name}_band": "7.0" for name in ("overall", *criteria)} if status == "completed" else {}
    reason = {"error": "ThrottlingException: too many requests"} if status == "failed" else {}
    return {
        **{"evaluation_id": f"eval-{n + 1}", "user_id": user_id, "evaluation_type": "writing", "status": status},
        **{"model_used": "gemini", "feedback": '{"overall": "Good."}', "created_at": created_at},
        **bands,
        **reason,
    }


def flashcard_set(created_at: int) -> Record:
    """A set of one card of the first student."""
    return {**SEED_SET, "set_id": "set-1", "user_id": STUDENT, "created_at": created_at}


@pytest.fixture(scope="module")
def running_proxy(dynoxide: str) -> Iterator[Proxy]:
    """The proxy, once for the module."""
    with proxy.in_front_of(dynoxide) as running:
        yield running


@pytest.fixture
def aws(running_proxy: Proxy, engine_store: Store, names: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """The dashboard's environment names the proxy, which passes everything on. Retries do not wait for long."""
    variables = {"BANDUP_SOURCE": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": running_proxy.url}
    for name, value in {**variables, **names, **SECRETS}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(ExponentialBackoff._DEFAULT_BACKOFF_CONFIG, "throttling_base_scale", 0.01)
    running_proxy.heal()
    return running_proxy


def visit(running: Proxy, page: Shown, rules: Callable[[], None] | None = None) -> AppTest:
    """The page after its first run, under `rules`."""
    running.heal()
    if rules:
        rules()
    return checked(at(page.file, page.params, seconds=40).run(), page)


def checked(app: AppTest, page: Shown) -> AppTest:
    """What holds whatever happens: no exception, the title, Refresh, no secret."""
    assert not app.exception
    text = words(app)
    # The page of a record has the record's name instead.
    assert [title.value for title in app.title] == [page.title] or "<h1" in text
    assert "Refresh" in text
    assert "Traceback" not in text
    assert "an error in the dashboard itself" not in text
    assert not any(secret in text for secret in SECRETS.values())
    return app


def refresh(app: AppTest, page: Shown) -> AppTest:
    return checked(app.button(key="_refresh").click().run(), page)


each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
