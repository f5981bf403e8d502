"""Pages run in process: what they show, and the stores and failures that they are shown."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from streamlit.testing.v1 import AppTest

from data.demo.sample import SEED_SET, SEED_STUDENT
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import TABLES
from data.settings import Settings
from queries import source
from queries.access.gate import Refused, Visitor
from tests.support import engines
from ui.shell import sign_in
from wording.skills import SKILL_NAMES

ROOT = Path(__file__).parents[2]
_MINUTE = re.compile(r"-[0-9]{8}-[0-9]{4}(?=\.)")  # in the names of files


OVERVIEW = ("pages/overview.py", {})


STUDENT = ("pages/student.py", {"user_id": SEED_STUDENT})


EVALUATION = ("pages/evaluation.py", {"evaluation_id": "speak-xyz789", "user_id": SEED_STUDENT})


FLASHCARDS = ("pages/flashcards.py", {"set_id": SEED_SET["set_id"], "user_id": SEED_STUDENT})


PAGES = [OVERVIEW, STUDENT, EVALUATION, FLASHCARDS]


OPS = Visitor("olga@school.example", "ops")
GONE = [
    pytest.param(Refused("This sign-in has expired. Sign in again.", "sign in"), id="sign-in over"),
    pytest.param(Visitor("olga@school.example", "teacher"), id="no ops any more"),
]


def show(page: str, params: dict[str, Any] | None = None, timezone: str = "Asia/Ho_Chi_Minh") -> AppTest:
    """The page as it stands after one run."""
    app = at(page, params)
    app.context = {"timezone": timezone}
    app.run()
    assert not app.exception
    return app


def at(page: str, params: dict[str, Any] | None = None, seconds: float = 20) -> AppTest:
    """The dashboard where a link to a page leads, through the entrypoint, before its first run.

    `seconds` is what a run may take.
    """
    app = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=seconds)
    if page != OVERVIEW[0]:  # which is where one arrives
        app.switch_page(page)
    for name, value in (params or {}).items():
        app.query_params[name] = value
    return app


def words(app: AppTest) -> str:
    """All text of the page that is not in a grid or a chart."""
    kinds = ("title", "subheader", "text", "html", "info", "error", "warning", "caption", "code")
    parts = [str(element.value) for kind in kinds for element in app.get(kind)]
    parts += [str(element.label) for kind in ("button", "page_link", "expander") for element in app.get(kind)]
    parts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    parts += [" ".join(score) for score in scores(app).items()]
    return "\n".join(parts)


def metrics(app: AppTest) -> dict[str, str]:
    """The page's metrics by their labels."""
    return {metric.label: metric.value for metric in app.metric}


def scores(app: AppTest) -> dict[str, str]:
    """What the page has as names and values, such as an evaluation's bands with their changes."""
    html = "".join(str(element.value) for element in app.get("html"))
    pairs = re.findall(r"<dt[^>]*>(.*?)</dt><dd[^>]*>(.*?)</dd>", html)
    return {_text(name): _text(value) for name, value in pairs}


def _text(html: str) -> str:
    return unescape(re.sub("<[^>]+>", "", html)).strip()


def levels(app: AppTest) -> dict[str, list[str]]:
    """The cards of a student's page: the level of each skill, and the lines below it."""
    cards = [element.value for element in app.get("html") if "font-size:1.9rem" in element.value]
    lines = [[unescape(re.sub("<[^>]+>", "", line)) for line in card.split("</div>")] for card in cards]
    return dict(zip(SKILL_NAMES.values(), ([line for line in card if line] for card in lines), strict=False))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Store], None]:
    """Let the pages read from a given Store."""

    def choose(store: Store) -> None:
        monkeypatch.setattr(source, "store", lambda: store)
        monkeypatch.setattr(source, "settings", lambda: store.settings)

    return choose


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch) -> Callable[[Visitor | Refused], None]:
    """Who the rules say the browser's requests are from, from now on."""

    def change(who: Visitor | Refused) -> None:
        def recognise(_: sign_in.Request) -> Visitor:
            if isinstance(who, Refused):
                raise who
            return who

        monkeypatch.setattr(sign_in, "recognise", recognise)

    return change


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request to DynamoDB, as text."""
    sent: list[str] = []
    real = Store.call

    def call(self: Store, operation: str, table: str, index: str | None, send: Any, **request: Any) -> Any:
        sent.append(f"{operation} {index} {request}")
        return real(self, operation, table, index, send, **request)

    monkeypatch.setattr(Store, "call", call)
    return sent


@pytest.fixture
def empty(dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]) -> Store:
    """Both tables, empty, on dynoxide over HTTP, shown by the pages."""
    store = Store.open(new_settings(dynoxide), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    use(store)
    return store


@pytest.fixture
def a_roster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Let a file be the server's class list."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "roster.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        monkeypatch.setenv("BANDUP_ROSTER", str(path))
        return path

    return write


class FailingClient:
    """A DynamoDB client of which every call fails the same way."""

    meta = SimpleNamespace(endpoint_url="http://127.0.0.1:1", region_name="*", partition="aws")

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def fail(**_: Any) -> Any:
            raise self.error

        return fail


def refused(code: str, status: int = 400) -> ClientError:
    """AWS's answer with an error code."""
    metadata: Any = {"RequestId": "REQ-1", "HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}, "Query")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], bytes]]:
    """What the page's download buttons would save, by the files' names, made when called: the last of each name, which
    ends with the minute."""
    offered: dict[str, Callable[[], bytes]] = {}
    real = st.download_button

    def keep(label: str, data: Callable[[], bytes], *, file_name: str, **more: Any) -> bool:
        for earlier in [name for name in offered if _MINUTE.sub("", name) == _MINUTE.sub("", file_name)]:
            del offered[earlier]
        offered[file_name] = data
        return real(label, data, file_name=file_name, **more)

    monkeypatch.setattr(st, "download_button", keep)
    return offered


FAILURES = [
    (refused("AccessDeniedException"), "Add the action dynamodb:"),
    (refused("ExpiredTokenException"), "The AWS credentials have expired."),
    (refused("UnrecognizedClientException"), "AWS does not recognise these credentials"),
    (refused("ThrottlingException"), "Wait a minute, then press Refresh."),
    (refused("InternalServerError", 500), "This is on AWS's side"),
    (refused("ResourceNotFoundException"), "Create it on the Setup page"),
    (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "DynamoDB could not be reached"),
    (NoCredentialsError(), "There are no AWS credentials"),
    (RuntimeError("a bug"), "because something went wrong"),
]
