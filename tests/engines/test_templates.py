"""The texts to take away: the setup document's own commands, and a template; both make what is declared."""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from data.dynamodb.client import Store
from data.provisioning import templates
from data.provisioning.alarms import every
from data.provisioning.apply import Clock, apply
from data.provisioning.plan import plan
from data.provisioning.requests import create_request
from data.provisioning.verdict import judge
from data.schema import PITR_DAYS, TABLES
from data.settings import Settings
from tests.support.cli import DOCUMENT, run_script
from tests.support.engines import CREDENTIALS

LISTS = {"--attribute-definitions", "--key-schema", "--tags"}
REGION = "us-east-1"
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"


def commands(text: str) -> list[list[str]]:
    """Each command of the document as its words, as a shell reads it."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [shlex.split(line) for line in joined.splitlines() if line.strip()]


def asked(text: str) -> list[list[str]]:
    """Each command that the script gives to the AWS CLI, for which a stand-in writes down its words."""
    stand_in = 'aws() { python3 -c "import json,sys; print(json.dumps(sys.argv[1:]), file=sys.stderr)" "$@"; }\n'
    # The script keeps what one command answers; here that is its words.
    answer = subprocess.run(
        ["sh", "-c", stand_in + text.replace("2>&1)", ")")], capture_output=True, text=True, check=True
    ).stderr
    return [["aws", *json.loads(line)] for line in answer.splitlines()]


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """A command as the operation and the parameters that the AWS CLI makes of it."""
    assert words[:2] == ["aws", "dynamodb"]
    parameters: dict[str, Any] = {}
    options: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            options[word] = []
        elif options:
            options[list(options)[-1]].append(word)
    for option, values in options.items():
        name = "".join(part.capitalize() for part in option.strip("-").split("-"))
        if not values:
            parameters[name] = True
        elif values[0].startswith("["):
            parameters[name] = json.loads(values[0])
        elif option in LISTS:
            parameters[name] = [shorthand(value) for value in values]
        else:
            (value,) = values
            parameters[name] = shorthand(value) if "=" in value else value
    return words[2].replace("-", "_"), parameters


def shorthand(value: str) -> dict[str, Any]:
    """The CLI's Key=Value,Key=Value."""
    pairs = (part.split("=") for part in value.split(","))
    return {key: {"true": True, "false": False}.get(text, text) for key, text in pairs}


def test_the_script_does_what_the_documents_four_commands_do_and_more() -> None:
    script = [parsed(words) for words in asked(templates.cli(Settings.read({}), REGION)) if words[2] != "wait"]
    assert [operation for operation, _ in script] == ["create_table"] * 2 + ["update_continuous_backups"] * 2
    for (operation, given), (ours, parameters) in zip(map(parsed, commands(DOCUMENT)), script, strict=True):
        assert operation == ours
        for name, value in given.items():
            held = parameters[name]
            if isinstance(value, dict):
                assert held.items() >= value.items()
            elif isinstance(value, list):
                assert all(part in held for part in value)
            else:
                assert held == value
    for table, (_, parameters) in zip(TABLES, script, strict=False):
        declared = create_request(table, table.default_name)
        assert {name: parameters[name] for name in declared} == declared
        assert parameters["DeletionProtectionEnabled"]


@pytest.mark.slow
def test_after_the_documents_four_commands_setup_brings_every_engine_in_sync(fresh: str) -> None:
    done = run_script(fresh, f"export AWS_DEFAULT_REGION={REGION}\n{DOCUMENT}")
    answers = done.stderr.strip()
    # Where an engine lacks point-in-time recovery, its two commands are all that fails.
    assert answers.count("An error occurred") == answers.count("UnknownOperationException")
    variables = {"BANDUP_SOURCE": "aws", "AWS_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": fresh}
    store = Store.open(Settings.read({**variables, "BANDUP_ALLOW_CHANGES": "1"}), **CREDENTIALS)
    before = plan(store)
    assert judge(before).state == "changes pending"
    assert {"create", "billing"}.isdisjoint({step.action for step in before.steps})
    events = list(apply(store, before.steps, who="", clock=Clock(poll_seconds=0.2, patience_seconds=120)))
    assert {event.state for event in events if event.state not in ("running", "waiting")} <= {"done", "not_offered"}
    verdict = judge(plan(store))
    assert (verdict.state, verdict.problems) == ("in sync", ())
    assert set(verdict.not_offered) <= {"Tags", "Point-in-time recovery"}


@pytest.mark.slow
def test_the_script_brings_an_account_on_moto_in_sync(account: Store) -> None:
    done = run_script(account.client.meta.endpoint_url, templates.cli(account.settings, REGION))
    assert done.returncode == 0, done.stderr
    assert {check.level for check in plan(account).checks} == {"ok"}
    # A second time it stops at the first command, because the table is there.
    again = run_script(account.client.meta.endpoint_url, templates.cli(account.settings, REGION))
    assert again.returncode != 0
    assert "ResourceInUseException" in again.stderr
    assert "set_id" not in again.stdout


def test_the_script_waits_where_tables_take_their_time(delayed: str, new_settings: Callable[[str], Settings]) -> None:
    store = Store.open(new_settings(delayed), **CREDENTIALS)
    done = run_script(delayed, templates.cli(store.settings, REGION))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("does not offer point-in-time recovery") == len(TABLES)
    verdict = judge(plan(store))
    assert (verdict.state, verdict.problems) == ("in sync", ())


@pytest.mark.slow
def test_the_script_sets_alarms_where_they_have_a_topic_to_tell(account: Store) -> None:
    store = with_topic(account)
    done = run_script(account.client.meta.endpoint_url, templates.cli(store.settings, REGION))
    assert done.returncode == 0, done.stderr
    assert held(account, "cloudwatch") == declared(store)


def test_the_templates_alarms_are_the_declared_ones(account: Store) -> None:
    # moto's CloudFormation has no alarms: their properties are what PutMetricAlarm takes.
    store = with_topic(account)
    resources = json.loads(templates.cloudformation(store.settings))["Resources"]
    alarms = {name: of["Properties"] for name, of in resources.items() if of["Type"] == "AWS::CloudWatch::Alarm"}
    assert len(alarms) == len(declared(store)) == 26
    assert {properties["AlarmName"]: properties for properties in alarms.values()} == declared(store)
    assert "WritingEvaluatorErrors" in alarms


def with_topic(store: Store) -> Store:
    return Store(replace(store.settings, alarm_topic=TOPIC), store.client)


def declared(store: Store) -> dict[str, dict[str, Any]]:
    """Every alarm that is declared, as it is asked for."""
    requests = [alarm.request(TOPIC) for _, alarms in every(store.settings) for alarm in alarms]
    return {request["AlarmName"]: request for request in requests}


def held(store: Store, service: Any) -> dict[str, dict[str, Any]]:
    """The alarms of an account's tables and Lambdas, as far as they can be asked for."""
    client: Any = boto3.client(service, REGION, endpoint_url=store.client.meta.endpoint_url, **CREDENTIALS)
    names = [request["AlarmName"] for request in declared(store).values()]
    alarms = client.describe_alarms(AlarmNames=names)["MetricAlarms"]
    fields = declared(store)[names[0]]
    return {alarm["AlarmName"]: {name: alarm[name] for name in fields} for alarm in alarms}


@pytest.mark.slow
@pytest.mark.parametrize("environ", [{}, {"BANDUP_SOURCE": "aws", "BANDUP_ALARM_TOPIC": TOPIC}], ids=["", "alarms"])
def test_cfn_lint_passes_the_template(tmp_path: Path, environ: dict[str, str]) -> None:
    path = tmp_path / "template.json"
    path.write_text(templates.cloudformation(Settings.read(environ)), encoding="utf-8")
    linted = subprocess.run(
        [Path(sys.executable).parent / "cfn-lint", "--include-checks", "I", "--", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stdout + linted.stderr


@pytest.mark.parametrize("names", [{}, {"DYNAMODB_EVALUATIONS": "evals.one"}], ids=["default names", "other names"])
def test_the_template_holds_what_is_declared_and_keeps_the_tables(names: dict[str, str]) -> None:
    settings = Settings.read(names)
    template = json.loads(templates.cloudformation(settings))
    assert list(template["Resources"]) == ["EvaluationsTable", "FlashcardSetsTable"]
    for table, resource in zip(TABLES, template["Resources"].values(), strict=True):
        properties = resource["Properties"]
        assert resource["Type"] == "AWS::DynamoDB::Table"
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"
        request = create_request(table, settings.name(table))
        assert {name: properties[name] for name in request} == request
        assert {name: properties[name] for name in set(properties) - set(request)} == {
            "PointInTimeRecoverySpecification": {
                "PointInTimeRecoveryEnabled": True,
                "RecoveryPeriodInDays": PITR_DAYS,
            },
            "DeletionProtectionEnabled": True,
        }


def test_the_templates_properties_bring_a_new_account_in_sync(account: Store) -> None:
    for resource in json.loads(templates.cloudformation(account.settings))["Resources"].values():
        properties = dict(resource["Properties"])
        specification = properties.pop("PointInTimeRecoverySpecification")
        account.client.create_table(**properties)
        account.client.update_continuous_backups(
            TableName=properties["TableName"], PointInTimeRecoverySpecification=specification
        )
    assert {check.level for check in plan(account).checks} == {"ok"}


@pytest.mark.slow
def test_the_template_makes_a_stack_whose_tables_are_as_declared(account: Store) -> None:
    endpoint = account.client.meta.endpoint_url
    stacks: Any = boto3.client("cloudformation", REGION, endpoint_url=endpoint, **CREDENTIALS)
    stacks.create_stack(StackName="bandup-test", TemplateBody=templates.cloudformation(account.settings))
    assert stacks.describe_stacks(StackName="bandup-test")["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"
    unlike = {check.subject for check in plan(account).checks if check.level != "ok"}
    # moto leaves out the recovery of a stack's table; AWS does not.
    assert unlike <= {"Point-in-time recovery"}
