"""The declared state as text to take away: AWS CLI commands, and a CloudFormation template."""

import json
import re
import shlex
from typing import Any

from data.provisioning.alarms import every
from data.provisioning.requests import create_request, pitr_request
from data.schema import FUNCTIONS, PITR_DAYS, TABLES, Table
from data.settings import Settings

_TITLES = {
    "evaluation_id": "Create evaluations table (Writing + Speaking)",
    "set_id": "Create flashcard sets table",
}


_HEAD = """#!/bin/sh
# Stops at the first command that fails. Run it in the account that is to have the tables.
set -eu
export AWS_REGION={region} AWS_DEFAULT_REGION={region} AWS_PAGER=
"""
# A table that was just created may be too new for it; an emulator may not offer it.
_RECOVERY = """# Enable PITR of both tables
enable_recovery() {{
  attempt=0
  until answer=$(aws dynamodb update-continuous-backups \\
    --table-name "$1" \\
    --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true,RecoveryPeriodInDays={days} 2>&1)
  do
    attempt=$((attempt + 1))
    case "$answer" in
      *UnknownOperation*) echo "This endpoint does not offer point-in-time recovery."; return 0 ;;
      *ContinuousBackupsUnavailable*) test "$attempt" -lt 30 || {{ echo "$answer" >&2; return 1; }}; sleep 10 ;;
      *) echo "$answer" >&2; return 1 ;;
    esac
  done
}}"""


def cli(settings: Settings, region: str) -> str:
    """A script for a new account: each table whole; once it is there, point-in-time recovery; and alarms, where they
    have a topic to tell."""
    names = [settings.name(table) for table in TABLES]
    return "\n".join(
        [
            _HEAD.format(region=shlex.quote(region)),
            *(_create(table, settings.name(table)) for table in TABLES),
            _RECOVERY.format(days=PITR_DAYS),
            *(f"enable_recovery {name}" for name in names),
            *_set_alarms(settings),
            "",
        ]
    )


def cloudformation(settings: Settings) -> str:
    """A template (JSON) of both tables as declared, kept when the stack is deleted, and of the alarms.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
    """
    names = ("EvaluationsTable", "FlashcardSetsTable")
    resources = {
        logical: {
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": _properties(table, settings.name(table)),
        }
        for logical, table in zip(names, TABLES, strict=True)
    }
    owners = (*names, *("".join(function.label.title().split()) for function in FUNCTIONS))
    alarms = {
        f"{owner}{re.sub('[^A-Za-z]', '', alarm.ending.title())}": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": alarm.request(settings.alarm_topic),
        }
        for owner, (_, of_owner) in zip(owners, every(settings), strict=True)
        for alarm in of_owner
    }
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "BandUp: the tables that the Lambda functions write and the dashboard reads",
        "Resources": {**resources, **(alarms if settings.alarm_topic else {})},
    }
    return json.dumps(template, indent=2)


def _set_alarms(settings: Settings) -> list[str]:
    if not settings.alarm_topic:
        return []
    requests = (alarm.request(settings.alarm_topic) for _, alarms in every(settings) for alarm in alarms)
    texts = (shlex.quote(json.dumps(request, separators=(",", ":"))) for request in requests)
    return [
        "# Alarms of both tables, their indexes and the Lambda functions",
        *(f"aws cloudwatch put-metric-alarm --cli-input-json {text}" for text in texts),
    ]


def _properties(table: Table, name: str) -> dict[str, Any]:
    return {
        **create_request(table, name),
        "PointInTimeRecoverySpecification": pitr_request(name)["PointInTimeRecoverySpecification"],
        "DeletionProtectionEnabled": True,
    }


def _create(table: Table, name: str) -> str:
    request = create_request(table, name)
    types = {part["AttributeName"]: part["AttributeType"] for part in request["AttributeDefinitions"]}
    definitions = " \\\n".join(f"AttributeName={key},AttributeType={kind}" for key, kind in types.items())
    schema = f"AttributeName={table.partition_key},KeyType=HASH \\\nAttributeName={table.sort_key},KeyType=RANGE"
    indexes = shlex.quote(json.dumps(request["GlobalSecondaryIndexes"], separators=(",", ":")))
    tags = " ".join(f"Key={key},Value={value}" for key, value in table.tags.items())
    return (
        f"# {_TITLES[table.partition_key]}\n"
        f"aws dynamodb create-table \\\n--table-name {name} \\\n--attribute-definitions \\\n{definitions} \\\n"
        f"--key-schema \\\n{schema} \\\n--global-secondary-indexes {indexes} \\\n"
        f"--billing-mode {table.billing_mode} \\\n--deletion-protection-enabled \\\n--tags {tags}\n"
        f"aws dynamodb wait table-exists --table-name {name}\n"
    )
