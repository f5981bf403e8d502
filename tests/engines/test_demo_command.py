"""`python -m bandup demo --to ENDPOINT`: into empty tables of an emulator alone; and the documented recipe with it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bandup.__main__ import main
from bench.visitors import Visitor, arrive
from data.demo.sample import sample
from data.dynamodb.client import Store
from data.provisioning.plan import plan
from data.schema import TABLES
from tests.conftest import unavailable
from tests.support import browser, engines
from tests.support.docs import doc, section

HEADING = "DynamoDB Local, from nothing"


@pytest.fixture
def named(bare_store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An engine without tables, to which the environment leads in all but its endpoint."""
    monkeypatch.setenv("AWS_REGION", engines.REGION)
    for name, value in engines.CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    for table in TABLES:
        monkeypatch.setenv(table.variable, bare_store.settings.name(table))
    return bare_store


def counts(store: Store) -> list[int]:
    return [
        sum(page["Count"] for page in store.client.get_paginator("scan").paginate(TableName=store.settings.name(table)))
        for table in TABLES
    ]


def test_an_empty_engine_gets_both_tables_and_the_whole_sample_once(
    named: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = named.client.meta.endpoint_url
    # Where the dashboard's own settings lead to does not matter.
    monkeypatch.setenv("BANDUP_SOURCE", "demo")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    assert main(["demo", "--to", endpoint]) == 0
    whole = sample(datetime.now(UTC))
    assert counts(named) == [len(whole.evaluations), len(whole.sets)]
    assert f"{len(whole.evaluations):,} records written to {named.settings.evaluations}" in capsys.readouterr().out
    assert [step for step in plan(named).steps if step.required] == []
    assert main(["demo", "--to", endpoint]) == 1
    assert f"{named.settings.evaluations} has records" in capsys.readouterr().err
    assert counts(named) == [len(whole.evaluations), len(whole.sets)]


def test_one_record_in_one_table_is_enough_to_refuse_before_anything_is_made(
    named: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    name = named.settings.flashcard_sets
    named.client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "set_id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "set_id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    named.client.put_item(TableName=name, Item={"set_id": {"S": "somebody's"}})
    assert main(["demo", "--to", named.client.meta.endpoint_url]) == 1
    assert f"{name} has records, so nothing was written." in capsys.readouterr().err
    assert named.settings.evaluations not in named.client.list_tables()["TableNames"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://dynamodb.us-east-1.amazonaws.com",
        "http://dynamodb.us-east-1.amazonaws.com",
        "https://dynamodb.cn-north-1.amazonaws.com.cn",
        "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com",
        "https://dynamodb.school.example",
        "http://dynamodb.us-east-1.amazonaws.com.",
        "http://52.94.0.1",
    ],
)
def test_what_may_be_aws_is_asked_for_nothing(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", engines.REGION)
    for name, value in engines.CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("BANDUP_ALLOW_CHANGES", "1")
    asked: list[str] = []
    monkeypatch.setattr(Store, "call", lambda _, operation, *__, **___: asked.append(operation))
    assert main(["demo", "--to", endpoint]) == 1
    assert capsys.readouterr().err == f"{endpoint} may be AWS, where nothing is loaded. Give an emulator's URL.\n"
    assert asked == []


@pytest.mark.parametrize(
    "endpoint",
    # What one program takes for this computer, another takes for AWS.
    ["", "127.0.0.1:8000", "ftp://127.0.0.1", "http://dynamodb.us-east-1.amazonaws.com\\.127.0.0.1"],
)
def test_what_is_no_url_is_said_of_the_option(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--to", endpoint]) == 1
    assert capsys.readouterr().err.startswith(f"--to is “{endpoint}”: give a whole URL")


@pytest.mark.parametrize(
    "endpoint", ["http://dynamodb:secret@127.0.0.1:8000", "http://dynamodb.secret.amazonaws.com\\@127.0.0.1"]
)
def test_a_password_in_the_url_is_not_shown(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--to", endpoint]) == 1
    message = capsys.readouterr().err
    assert message.startswith("--to has a user in its URL")
    assert "secret" not in message


def test_an_engine_that_does_not_run_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_REGION", engines.REGION)
    for name, value in engines.CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    assert main(["demo", "--to", f"http://127.0.0.1:{engines.free_port()}"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "could not be reached" in line


@contextmanager
def in_a_shell(script: str, folder: Path, programs: Path, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Lines of the docs in a shell of their own, with what they start ended afterwards."""
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    process = subprocess.Popen(
        ["/bin/sh", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.engines
@pytest.mark.slow
def test_the_recipe_for_dynamodb_local_ends_at_pages_with_students(tmp_path: Path) -> None:
    start, use = re.findall(r"```sh\n(.*?)```", section(HEADING, doc("operations")), re.DOTALL)
    folder = re.search(r"^cd (\S+)$", start, re.MULTILINE)
    assert folder
    if not (engines.NODE_MODULES / folder[1].removeprefix("node_modules/")).is_dir():
        unavailable(f"{folder[1]} is not there: run “npm ci”")
    # npm has been here before, and the port is a free one; otherwise the lines are as they stand.
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "npm").write_text("#!/bin/sh\n", encoding="utf-8")
    (programs / "npm").chmod(0o755)
    (tmp_path / "node_modules").symlink_to(engines.NODE_MODULES)
    port, server = engines.free_port(), engines.free_port()
    start, use = start.replace("8000", str(port)), use.replace("8000", str(port))
    headless = {"STREAMLIT_SERVER_PORT": str(server), "STREAMLIT_SERVER_HEADLESS": "true"}
    with in_a_shell(start, tmp_path, programs) as engine:
        engines.wait_for(port, engine)
        with in_a_shell(use, engines.ROOT, programs, **headless) as dashboard:
            url = f"http://127.0.0.1:{server}"
            browser.wait_until_healthy(url, dashboard)
            # In a thread of its own: in this one, the browser of other tests has a loop already.
            with ThreadPoolExecutor(1) as pool:
                visitor = pool.submit(asyncio.run, _students(url)).result()
    assert visitor.errors == []
    assert [grid for grid in visitor.grids if "-students_" in grid]


async def _students(url: str) -> Visitor:
    """The first page, once it is there."""
    visitor, _, _ = await arrive(url, "overview")
    await visitor.socket.close()
    return visitor
