"""The texts to take away: the setup document's own commands, and a template; both make what is declared."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from data.dynamodb.store import Store
from data.provisioning import templates
from data.provisioning.provision import create_request, plan
from data.schema import PITR_DAYS, TABLES
from data.settings import Settings

# Copied from the setup document.
DOCUMENT = r"""# Create evaluations table (Writing + Speaking)
aws dynamodb create-table \
--table-name bandup-evaluations \
--attribute-definitions \
AttributeName=evaluation_id,AttributeType=S \
AttributeName=user_id,AttributeType=S \
--key-schema \
AttributeName=evaluation_id,KeyType=HASH \
AttributeName=user_id,KeyType=RANGE \
--billing-mode PAY_PER_REQUEST \
--tags Key=Project,Value=bandup Key=Environment,Value=production
# Create flashcard sets table
aws dynamodb create-table \
--table-name bandup-flashcard-sets \
--attribute-definitions \
AttributeName=set_id,AttributeType=S \
AttributeName=user_id,AttributeType=S \
--key-schema \
AttributeName=set_id,KeyType=HASH \
AttributeName=user_id,KeyType=RANGE \
--billing-mode PAY_PER_REQUEST \
--tags Key=Project,Value=bandup Key=Environment,Value=production
# Enable PITR for evaluations table
aws dynamodb update-continuous-backups \
--table-name bandup-evaluations \
--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
# Enable PITR for flashcard sets table
aws dynamodb update-continuous-backups \
--table-name bandup-flashcard-sets \
--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true
"""
LISTS = {"--attribute-definitions", "--key-schema", "--tags"}


def commands(text: str) -> list[list[str]]:
    """Each command as its words, as a shell reads it."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [shlex.split(line) for line in joined.splitlines() if line.strip()]


def parsed(words: list[str]) -> tuple[str, dict[str, Any]]:
    """A command as the operation and the parameters that the AWS CLI makes of it."""
    assert words[:2] == ["aws", "dynamodb"]
    parameters: dict[str, Any] = {}
    options: dict[str, list[str]] = {}
    for word in words[3:]:
        if word.startswith("--"):
            options[word] = []
        else:
            options[list(options)[-1]].append(word)
    for option, values in options.items():
        name = "".join(part.capitalize() for part in option.strip("-").split("-"))
        if values[0].startswith("["):
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


def test_the_commands_begin_with_exactly_the_documents_four_and_the_rest_are_the_indexes() -> None:
    text = templates.cli(Settings.read({}))
    assert text.startswith(DOCUMENT)
    rest = [parsed(words) for words in commands(text)[4:]]
    assert [operation for operation, _ in rest] == ["update_table"] * 4
    added = [update["Create"] for _, given in rest for update in given["GlobalSecondaryIndexUpdates"]]
    wanted = [i for table in TABLES for i in create_request(table, "x")["GlobalSecondaryIndexes"]]
    assert added == wanted


def test_the_commands_bring_a_new_account_in_sync_but_for_deletion_protection(account: Store) -> None:
    for words in commands(templates.cli(account.settings)):
        operation, parameters = parsed(words)
        getattr(account.client, operation)(**parameters)
    checks = plan(account).checks
    assert {check.subject for check in checks if check.level != "ok"} == {"Deletion protection"}


def test_the_commands_survive_a_shell() -> None:
    text = templates.cli(Settings.read({}))
    # A stand-in for the AWS CLI that repeats its arguments, one call a line.
    script = 'aws() { python3 -c "import json,sys; print(json.dumps(sys.argv[1:]))" "$@"; }\n' + text
    told = subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, check=True).stdout
    assert [["aws", *json.loads(line)] for line in told.splitlines()] == commands(text)


def test_cfn_lint_passes_the_template(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(templates.cloudformation(Settings.read({})), encoding="utf-8")
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
