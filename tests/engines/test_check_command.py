"""`python -m bandup check` on an engine behind a proxy: well, with a denied table, and with nobody answering."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bandup.__main__ import main
from data.demo.engine import write
from data.dynamodb import budget
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from queries import source
from tests.support import engines, proxy
from tests.support.proxy import Proxy

NOW = datetime.now(UTC)


def job(name: str, status: str, minutes: int, **more: str) -> dict[str, Any]:
    began = int((NOW - timedelta(minutes=minutes)).timestamp())
    return {"user_id": f"user-{name}", "status": status, "created_at": began, **more}


@dataclass
class Account:
    """The settings of both tables, and the proxy through which the command reaches them."""

    settings: Settings
    proxy: Proxy


@pytest.fixture
def account(engine: str, new_settings: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Two completed jobs, one that failed an hour ago, and a set that failed with another error."""
    settings = new_settings(engine)
    store = Store.open(settings, **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, settings.name(table))
    evaluations = [
        job("a", "completed", 30),
        job("b", "completed", 90),
        job("c", "failed", 60, error="ThrottlingException: Too many requests"),
    ]
    write(
        store.client,
        settings.name(EVALUATIONS),
        [{"evaluation_id": f"eval-{n}", "evaluation_type": "writing", **one} for n, one in enumerate(evaluations)],
    )
    broken = job("d", "failed", 50, error_message="No text found on any of 3 pages")
    write(store.client, settings.name(FLASHCARD_SETS), [{"set_id": "set-1", "document_id": "uploads/d.pdf", **broken}])
    with proxy.in_front_of(engine) as door:
        for name, value in {
            "BANDUP_SOURCE": "aws",
            "AWS_REGION": engines.REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": door.url,
            **{name.upper(): value for name, value in engines.CREDENTIALS.items()},
            **{table.variable: settings.name(table) for table in TABLES},
        }.items():
            monkeypatch.setenv(name, value)
        source.close()
        yield Account(settings, door)
    source.close()


def check(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document."""
    code = main(["check", "--skip-wiring", "--json", *flags])
    return code, json.loads(capsys.readouterr().out)


def metrics(capsys: pytest.CaptureFixture[str], folder: Path) -> str:
    """What it writes for Prometheus."""
    file = folder / "bandup.prom"
    main(["check", "--skip-wiring", "--prometheus", str(file)])
    capsys.readouterr()
    return file.read_text(encoding="utf-8")


def test_what_is_well_is_ok_and_what_it_counted_and_cost_is_said(
    account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    code, document = check(capsys)
    assert (code, document["status"], document["problems"]) == (0, "ok", [])
    assert (document["jobs"]["failed"], document["jobs"]["completed"]) == (2, 2)
    assert {incident["jobs"] for incident in document["incidents"]} == {1}
    assert document["cost"]
    assert check(capsys, "--max-failed", "1")[0] == 2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.variable)
def test_a_table_that_may_not_be_read_is_unknown_never_ok(
    table: Any, account: Account, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = account.settings.name(table)
    account.proxy.fail(proxy.refusal("AccessDeniedException", proxy.denied), lambda asked: asked.table == name)
    code, document = check(capsys)
    assert (code, document["status"]) == (3, "unknown")
    # What the other table holds is said all the same, and that it is not all; a metric would be taken for all.
    assert document["jobs"]["failed"] == 1
    assert document["incomplete"] == ["jobs", "incidents"]
    assert "bandup_jobs" not in metrics(capsys, tmp_path)
    assert name in " ".join(document["problems"])
    assert "dynamodb:" in " ".join(document["problems"])


def test_where_nothing_answers_it_ends_in_time_as_unknown_without_a_figure(
    account: Account, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "PAGE_SECONDS", 4.0)
    monkeypatch.setattr(budget, "CALL_SECONDS", 2.0)
    account.proxy.fail(proxy.hang(60))
    code, document = check(capsys)
    assert (code, document["status"], document["jobs"]) == (3, "unknown", None)
    assert document["problems"]


def test_error_messages_that_may_not_be_read_are_unknown_and_the_jobs_are_counted(
    account: Account, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    account.proxy.fail(proxy.refusal("AccessDeniedException", proxy.denied), proxy.operation("BatchGetItem"))
    code, document = check(capsys)
    assert (code, document["jobs"]["failed"]) == (3, 2)
    assert not document["incidents"]
    assert "BatchGetItem" in " ".join(document["problems"])
    assert document["incomplete"] == ["incidents"]
    text = metrics(capsys, tmp_path)
    assert 'bandup_jobs{state="failed"} 2' in text
    assert "bandup_incidents_ongoing" not in text
