"""Setup on what it takes for real AWS: AWS's own host names, regions and partitions, answered by moto's proxy."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bandup.__main__ import main
from data.dynamodb.client import Store
from data.environment import read_settings
from data.provisioning.clients import Clients
from data.schema import EVALUATIONS, FUNCTIONS, TABLES
from tests.support.accounts import deploy
from tests.support.app import show, words
from tests.support.cli import DOCUMENT, run_script

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_aws")]

ACCOUNT, REGION = "123456789012", "us-east-1"
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: its exit code and its document."""
    for name, value in {
        "BANDUP_SOURCE": "aws",
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "BANDUP_ALLOW_CHANGES": "1",
    }.items():
        monkeypatch.setenv(name, value)

    def go(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = main(["setup", "--json", *arguments])
        return code, json.loads(capsys.readouterr().out)

    return go


def subjects(document: Any, state: str) -> set[str]:
    return {problem["subject"] for problem in document["problems"] if problem["state"] == state}


@pytest.mark.parametrize(
    ("region", "partition", "endpoint"),
    [
        (REGION, "aws", f"https://dynamodb.{REGION}.amazonaws.com"),
        ("eusc-de-east-1", "aws-eusc", "https://dynamodb.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_the_place_is_named_and_nothing_is_written_without_its_account(
    region: str, partition: str, endpoint: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", region)
    code, document = run()
    names = [table.default_name for table in TABLES]
    assert document["where"] == {
        "account": ACCOUNT,
        "region": region,
        "partition": partition,
        "endpoint": endpoint,
        "tables": names,
        "real_aws": True,
    }
    assert (code, document["verdict"]) == (2, "broken")
    code, document = run("--apply")
    assert (code, document["error"]) == (
        1,
        f"This is real AWS: to apply, give --account {ACCOUNT}, the account that is to be changed.",
    )
    code, document = run("--apply", "--account", "999999999999")
    assert (code, document["error"]) == (1, f"Nothing was done: this is account {ACCOUNT}, not 999999999999.")
    assert Store.open(read_settings()).client.list_tables()["TableNames"] == []
    page = words(show("pages/setup.py"))
    assert f"Real AWS · account {ACCOUNT} · region {region} · partition {partition} · {endpoint}" in page
    code, document = run("--apply", "--account", ACCOUNT)
    assert sorted(Store.open(read_settings()).client.list_tables()["TableNames"]) == names
    assert (code, document["steps"], subjects(document, "broken")) == (2, [], {"Lambda"})


def test_after_the_documents_four_commands_it_is_in_sync_but_for_what_no_emulator_proves(run: Run) -> None:
    done = run_script(None, f"export AWS_DEFAULT_REGION={REGION}\n{DOCUMENT}")
    assert done.returncode == 0, done.stderr
    code, document = run()
    indexes = {f"Index {index.name}" for index in EVALUATIONS.indexes}
    assert subjects(document, "changes pending") == {"Deletion protection", *indexes}
    run("--apply", "--account", ACCOUNT)
    store = Store.open(read_settings())
    deploy(store, Clients.open(store), {FUNCTIONS[1].label: "elsewhere"})
    code, document = run()
    assert (code, subjects(document, "broken"), subjects(document, "changes pending")) == (2, {"Variable"}, set())
    code, document = run("--apply", "--account", ACCOUNT)
    assert [event["state"] for event in document["events"]] == ["running", "done"]
    # moto cannot simulate what a role may do.
    assert (code, document["verdict"], subjects(document, "could not be checked")) == (
        3,
        "could not be checked",
        {"Role"},
    )
    assert "Up to date" not in words(show("pages/setup.py"))
