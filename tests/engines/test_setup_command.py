"""`python -m bandup setup` from the inside: what it prints, what it sends, and its exit codes."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bandup import setup
from bandup.__main__ import main
from data.demo.engine import write
from data.dynamodb.client import Store
from data.provisioning import place
from data.provisioning.apply import apply
from data.provisioning.clients import Clients
from data.provisioning.plan import plan
from data.provisioning.requests import create
from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, LAMBDA_ACTIONS, TABLES
from tests.support import engines
from tests.support.accounts import Simulator, bare_request, deploy, failing, make_old, record, refusal, reply, watching

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
Run = Callable[..., tuple[int, str, str]]
UP_TO_DATE = "in sync: Up to date"


@pytest.fixture(autouse=True)
def environment(account: Store, moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that lead to `account`, of which only the last lets it be changed."""
    settings = account.settings
    monkeypatch.setenv("BANDUP_SOURCE", "aws")
    monkeypatch.setenv("AWS_REGION", engines.REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    for name, value in engines.CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    for table in TABLES:
        monkeypatch.setenv(table.variable, settings.name(table))
    for function, name in zip(FUNCTIONS, settings.functions, strict=True):
        monkeypatch.setenv(function.variable, name)
    monkeypatch.setenv("BANDUP_ALLOW_CHANGES", "1")


@pytest.fixture
def wired(account: Store, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The three Lambdas as they should be, and an IAM that can simulate what their role may do."""
    deploy(account, clients)
    simulator = Simulator(LAMBDA_ACTIONS)
    roles: Any = simulator
    monkeypatch.setattr(setup, "open_clients", lambda _: Clients(clients.functions, roles))
    return simulator


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run it with these arguments: exit code, what it printed, what it complained of."""

    class Unreadable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError("it asked on the terminal")

    def go(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", Unreadable())
        code = main(["setup", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return go


@pytest.mark.usefixtures("wired")
def test_zero_when_in_sync_two_when_there_are_steps(account: Store, run: Run) -> None:
    code, out, _ = run()
    assert code == 2
    assert out.count("\nstep ") == 6
    assert out.splitlines()[-1].startswith("changes pending: 6 changes pending: ")
    # Each step says what, why, its cost and its undo.
    step = next(line for line in out.splitlines() if "Protect" in line)
    assert "(recommended). Cost: None. Undo: Yes" in step
    assert account.client.list_tables()["TableNames"].count(account.settings.evaluations) == 0
    code, out, err = run("--apply")
    assert (code, out.splitlines()[-1]) == (0, UP_TO_DATE), err
    assert "does not know resource policies" in out
    code, out, _ = run()
    assert (code, out.splitlines()[-1]) == (0, UP_TO_DATE)
    code, out, _ = run("--apply")
    assert (code, out.splitlines()[-1]) == (0, UP_TO_DATE)


@pytest.mark.usefixtures("wired")
def test_json_is_one_whole_document(account: Store, clients: Clients, run: Run) -> None:
    name = account.settings.functions[1]
    clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    code, out, err = run("--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 2
    assert set(document) == {
        *("exit_code", "verdict", "headline", "problems", "where"),
        *("error", "checks", "steps", "left_out", "events", "drills"),
    }
    assert document["verdict"] == "broken"
    assert document["problems"][0] == {
        "of": "Speaking evaluator",
        "subject": "Variable",
        "state": "broken",
        "level": "missing",
        "fact": f"{EVALUATIONS.variable} is not set",
    }
    assert document["headline"].startswith("1 problem, 6 changes pending: Speaking evaluator")
    assert document["error"] is None
    assert [step["action"] for step in document["steps"]] == [
        *["create", "pitr"] * 2,
        "variable",
        *["protect"] * 2,
    ]
    assert all(set(step) >= {"table", "what", "required", "cost", "undo"} for step in document["steps"])
    owners = {check["of"] for check in document["checks"]}
    assert owners == {*(f.label for f in FUNCTIONS), *(account.settings.name(table) for table in TABLES)}
    assert all(check["fact"] and check["level"] and check["subject"] for check in document["checks"])
    code, out, _ = run("--json", "--apply")
    document = json.loads(out)
    assert code == document["exit_code"] == 0
    assert (document["verdict"], document["headline"], document["problems"]) == ("in sync", "Up to date", [])
    assert document["steps"] == document["left_out"] == []
    assert [event["state"] for event in document["events"]] == ["running", "done"] * 7
    # Verified: the checks are those of afterwards.
    tables = {account.settings.name(table) for table in TABLES}
    assert {check["level"] for check in document["checks"] if check["of"] in tables} == {"ok"}
    assert err == ""


def test_with_a_topic_the_alarms_are_planned_set_and_proven(
    account: Store, clients: Clients, wired: Simulator, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alerts"
    monkeypatch.setenv("BANDUP_ALARM_TOPIC", topic)
    of_alarms = Clients.open(Store(replace(account.settings, alarm_topic=topic), account.client), **engines.CREDENTIALS)
    roles: Any = wired
    monkeypatch.setattr(setup, "open_clients", lambda _: replace(of_alarms, roles=roles))
    with watching(of_alarms.topics) as wire:
        wire.answer = lambda _: reply(Attributes={"SubscriptionsConfirmed": "1"})
        assert run("--apply", "--required-only")[0] == 0
        code, out, _ = run()
        assert code == 2
        assert f"recommended  {account.settings.evaluations} · Alarms · 10 of 10 missing" in out
        assert f"step         Set 10 alarms of {account.settings.evaluations}, which tell alerts (recommended)" in out
        code, out, _ = run("--apply", "--json")
        document = json.loads(out)
    assert (code, document["verdict"], document["steps"]) == (0, "in sync", [])
    assert [check["level"] for check in document["checks"] if check["subject"] == "Alarms"] == ["ok"] * 5
    assert clients.alarms is None


def odd_table(account: Store) -> None:
    """An evaluations table without indexes, in sync but for them, with records that an index would not take."""
    for table in TABLES:
        create(account.client, table, account.settings.name(table))
    list(apply(account, plan(account).steps, who="test"))
    name = account.settings.evaluations
    account.client.update_table(TableName=name, DeletionProtectionEnabled=False)
    account.client.delete_table(TableName=name)
    account.client.create_table(
        **bare_request(EVALUATIONS, name, Tags=[{"Key": k, "Value": v} for k, v in EVALUATIONS.tags.items()])
    )
    good = [record(EVALUATIONS, n) for n in range(4)]
    write(account.client, name, [*good, record(EVALUATIONS, 5, created_at="2024-12-08")])


@pytest.mark.usefixtures("wired")
def test_on_real_aws_nothing_is_applied_without_its_account_and_the_place_is_named_first(
    account: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    monkeypatch.setattr(place, "caller_account", lambda _: "123456789012")
    endpoint = account.client.meta.endpoint_url
    code, out, err = run("--apply")
    assert code == 1
    assert out.splitlines()[0].startswith(
        f"Real AWS · account 123456789012 · region us-east-1 · partition aws · {endpoint}"
    )
    assert account.settings.evaluations in out.splitlines()[0]
    assert err.startswith("This is real AWS: to apply, give --account 123456789012")
    code, _, err = run("--apply", "--account", "999999999999")
    assert (code, err) == (1, "Nothing was done: this is account 123456789012, not 999999999999.\n")
    assert len(plan(account).steps) == 6
    code, out, _ = run("--apply", "--account", "123456789012", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["where"] == {
        "account": "123456789012",
        "region": "us-east-1",
        "partition": "aws",
        "endpoint": endpoint,
        "tables": [account.settings.evaluations, account.settings.flashcard_sets],
        "real_aws": True,
    }


def test_an_index_with_warnings_is_left_out_and_said_so(account: Store, run: Run) -> None:
    odd_table(account)
    code, out, _ = run("--apply")
    assert code == 2
    left = [line for line in out.splitlines() if line.startswith("left out")]
    assert len(left) == 2
    assert "1 of 5 sampled records has a created_at of another type" in left[0]
    assert "Example: id-0005 / user-5: created_at is of type S." in left[0]
    assert "Give --accept-index-warnings" in left[0]
    assert [step.action for step in plan(account).steps] == ["index", "index"]
    code, out, _ = run("--apply", "--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 2
    assert [step["action"] for step in document["left_out"]] == ["index", "index"]
    assert all("another type" in step["reason"] for step in document["left_out"])


@pytest.mark.usefixtures("wired")
def test_an_index_with_warnings_is_added_where_a_flag_accepts_it(account: Store, run: Run) -> None:
    odd_table(account)
    code, out, _ = run("--apply", "--accept-index-warnings")
    assert (code, out.splitlines()[-1]) == (0, UP_TO_DATE)
    assert "left out" not in out
    assert plan(account).steps == ()


@pytest.mark.usefixtures("wired")
def test_what_is_only_recommended_can_be_left_out(account: Store, run: Run) -> None:
    make_old(account, 3)
    code, out, _ = run("--required-only")
    assert code == 2
    assert out.count("(recommended)") == 0
    code, out, _ = run("--required-only", "--apply")
    assert (code, out.splitlines()[-1]) == (0, UP_TO_DATE)
    assert {step.required for step in plan(account).steps} == {False}
    assert run("--required-only")[0] == 0
    assert run()[0] == 2


def test_without_permission_to_change_it_says_how_and_sends_nothing(
    account: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BANDUP_ALLOW_CHANGES")
    code, _, err = run("--apply")
    assert code == 1
    assert err.splitlines()[-1] == (
        "This dashboard may not change anything. Start it with BANDUP_ALLOW_CHANGES=1 to allow it."
    )
    assert {check.level for check in plan(account).checks} == {"missing", "recommended"}
    # The plan alone needs no permission.
    assert run()[0] == 2
    code, out, _ = run("--apply", "--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 1
    assert "BANDUP_ALLOW_CHANGES=1" in document["error"]


def test_a_lambda_that_does_not_exist_is_a_problem_that_no_step_mends(account: Store, run: Run) -> None:
    run("--apply")
    code, out, _ = run()
    assert code == 2
    assert f"missing      Writing evaluator · Lambda · There is no function {account.settings.functions[0]}." in out
    assert out.splitlines()[-1].startswith("broken: 3 problems: Writing evaluator · Lambda: There is no function")
    assert "\nstep " not in out
    # With --apply too: nothing is left to do, and it is broken all the same.
    assert run("--apply")[0] == 2


@pytest.mark.parametrize("lacking", LAMBDA_ACTIONS)
def test_a_role_that_may_not_what_it_must_is_broken(wired: Simulator, lacking: str, run: Run) -> None:
    run("--apply")
    wired.allowed = tuple(action for action in LAMBDA_ACTIONS if action != lacking)
    code, out, _ = run()
    assert code == 2
    assert out.splitlines()[-1].startswith("broken: 3 problems: Writing evaluator · Role: ")
    assert f"may not {lacking} on" in out.splitlines()[-1]


@pytest.mark.parametrize(
    ("operation", "subject"),
    [
        ("ListTagsOfResource", "Tags"),
        ("DescribeContinuousBackups", "Point-in-time recovery"),
        ("DescribeTable", "Table"),
    ],
)
@pytest.mark.usefixtures("wired")
def test_what_may_not_be_read_is_never_in_sync(
    account: Store, operation: str, subject: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--apply")
    monkeypatch.setattr(Store, "open", lambda *_: account)
    with watching(account.client) as wire:
        wire.answer = failing(operation, "AccessDeniedException", 99)
        code, out, _ = run("--json")
    document = json.loads(out)
    assert code == document["exit_code"] == 3
    assert document["verdict"] == "could not be checked"
    problem = next(p for p in document["problems"] if p["of"] == account.settings.evaluations)
    assert problem["subject"] == subject
    assert f"Add the action dynamodb:{operation} on " in problem["fact"]


@pytest.mark.usefixtures("account")
def test_roles_that_could_not_be_simulated_are_not_in_sync(account: Store, clients: Clients, run: Run) -> None:
    deploy(account, clients)
    run("--apply")
    code, out, _ = run()
    assert code == 3
    assert "unchecked    Writing evaluator · Role · could not be checked. IAM " in out
    assert "(request " not in out
    assert out.splitlines()[-1].startswith(
        "could not be checked: 3 things could not be checked: Writing evaluator · Role"
    )


def test_what_the_endpoint_does_not_offer_is_listed_and_is_no_step(
    dynoxide: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynoxide)
    code, out, err = run("--apply")
    assert code == 0, err
    assert out.splitlines()[-1] == (
        f"{UP_TO_DATE}, as far as this endpoint can show it: it does not offer Point-in-time recovery, Lambda"
    )
    assert "not_offered  Turn on point-in-time recovery" in out
    assert "not_offered  Writing evaluator · Lambda · This endpoint is a DynamoDB alone, without Lambda and IAM." in out
    assert run()[0] == 0


def test_one_when_a_step_fails(account: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Store.open(account.settings, **engines.CREDENTIALS)
    monkeypatch.setattr(Store, "open", lambda *_: opened)
    with watching(opened.client) as wire:
        wire.answer = failing("CreateTable", "AccessDeniedException", 2)
        code, out, _ = run("--apply")
    assert code == 1
    assert out.count("\nfailed ") == 2
    assert out.count("\nskipped ") == 4
    assert "Add the action dynamodb:CreateTable on arn:aws:dynamodb:" in out


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (refusal("ExpiredTokenException"), "The AWS credentials have expired."),
        (refusal("UnrecognizedClientException"), "AWS does not recognise these credentials"),
    ],
    ids=["expired", "unknown"],
)
def test_one_and_a_sentence_where_aws_cannot_be_asked(
    account: Store, run: Run, monkeypatch: pytest.MonkeyPatch, answer: Any, sentence: str
) -> None:
    monkeypatch.setattr(Store, "open", lambda *_: account)
    with watching(account.client) as wire:
        wire.answer = lambda _: answer
        code, _, err = run()
    assert code == 1
    assert sentence in err
    assert "Traceback" not in err


def test_three_where_nobody_listens_and_one_where_there_is_no_region(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{engines.free_port()}")
    code, _, err = run()
    assert code == 3
    assert "DynamoDB could not be reached" in err
    assert json.loads(run("--json")[1])["verdict"] == "could not be checked"
    monkeypatch.delenv("AWS_REGION")
    code, _, err = run()
    assert (code, "No AWS region is set." in err) == (1, True)


@pytest.mark.parametrize("name", ["a b", "ab", "x" * 256])
def test_one_and_a_sentence_for_a_name_that_aws_refuses(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(EVALUATIONS.variable, name)
    code, out, err = run("--apply")
    assert code == 1
    assert err.startswith(f"{EVALUATIONS.variable} is “{name}”")
    assert out == ""


def test_two_when_a_table_is_something_elses_for_no_step_can_mend_that(account: Store, run: Run) -> None:
    account.client.create_table(**bare_request(FLASHCARD_SETS, account.settings.evaluations))
    create(account.client, FLASHCARD_SETS, account.settings.flashcard_sets)
    assert run()[0] == 2
    code, out, _ = run("--apply")
    assert code == 2
    assert f"broken               {account.settings.evaluations} · Partition key: It is set_id (String)" in out
    document = json.loads(run("--json")[1])
    assert (document["exit_code"], document["verdict"]) == (2, "broken")


@pytest.mark.usefixtures("wired")
def test_two_while_something_is_still_being_built(account: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("--apply")
    name = account.settings.evaluations
    described = account.client.describe_table(TableName=name)["Table"]
    first, *others = described["GlobalSecondaryIndexes"]
    building = {**described, "GlobalSecondaryIndexes": [{**first, "IndexStatus": "CREATING"}, *others]}
    monkeypatch.setattr(Store, "open", lambda *_: account)
    with watching(account.client) as wire:
        wire.answer = _first_time(building)
        code, out, _ = run()
    assert code == 2
    assert out.splitlines()[-1] == (f"changes pending: 1 change pending: {name} · Index {first['IndexName']}: CREATING")


def _first_time(table: Any) -> Callable[[str], Any]:
    """An answer for the first two DescribeTable, which are about the evaluations."""
    left = [reply(Table=table)] * 2
    return lambda operation: left.pop() if operation == "DescribeTable" and left else None


def test_the_module_runs_by_its_name_and_explains_itself() -> None:
    text = subprocess.run(
        [sys.executable, "-m", "bandup", "setup", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for option in (
        "--apply",
        "--json",
        "--required-only",
        "--accept-index-warnings",
        "Exit code: 0 in sync and proven",
    ):
        assert option in text
