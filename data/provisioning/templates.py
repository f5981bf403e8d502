"""The declared state as text to take away: AWS CLI commands, and a CloudFormation template."""

import json
import shlex
from typing import Any

from data.provisioning.provision import create_request, index_update, pitr_request
from data.schema import TABLES, Table
from data.settings import Settings

_TITLES = {
    "evaluation_id": "Create evaluations table (Writing + Speaking)",
    "set_id": "Create flashcard sets table",
}


def cli(settings: Settings) -> str:
    """The specification's own four commands for a new account, then one for each index (one at a time per table)."""
    create, pitr, index = [], [], []
    for table in TABLES:
        name = settings.name(table)
        create.append(_create(table, name))
        noun = "evaluations" if table is TABLES[0] else "flashcard sets"
        pitr.append(
            f"# Enable PITR for {noun} table\n"
            f"aws dynamodb update-continuous-backups \\\n--table-name {name} \\\n"
            "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
        )
        for wanted in table.indexes:
            types = {key: table.types[key] for key in table.key_names}
            update = index_update(table, wanted, name, types)["GlobalSecondaryIndexUpdates"]
            definitions = [
                f"AttributeName={key},AttributeType={table.types[key]}"
                for key in dict.fromkeys([*types, wanted.partition_key, wanted.sort_key])
            ]
            index.append(
                f"# Add the index {wanted.name} to {noun} table, then wait until it is ACTIVE\n"
                f"aws dynamodb update-table \\\n--table-name {name} \\\n--attribute-definitions \\\n"
                + " \\\n".join(definitions)
                + f" \\\n--global-secondary-index-updates {shlex.quote(json.dumps(update, separators=(',', ':')))}"
            )
    return "\n".join([*create, *pitr, *index]) + "\n"


def cloudformation(settings: Settings) -> str:
    """A template (JSON) of both tables as declared, kept when the stack is deleted.

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
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "BandUp: the tables that the Lambda functions write and the dashboard reads",
        "Resources": resources,
    }
    return json.dumps(template, indent=2)


def _properties(table: Table, name: str) -> dict[str, Any]:
    return {
        **create_request(table, name),
        "PointInTimeRecoverySpecification": pitr_request(name)["PointInTimeRecoverySpecification"],
        "DeletionProtectionEnabled": True,
    }


def _create(table: Table, name: str) -> str:
    definitions = " \\\n".join(f"AttributeName={key},AttributeType={table.types[key]}" for key in table.key_names)
    schema = f"AttributeName={table.partition_key},KeyType=HASH \\\nAttributeName={table.sort_key},KeyType=RANGE"
    tags = " ".join(f"Key={key},Value={value}" for key, value in table.tags.items())
    return (
        f"# {_TITLES[table.partition_key]}\n"
        f"aws dynamodb create-table \\\n--table-name {name} \\\n--attribute-definitions \\\n{definitions} \\\n"
        f"--key-schema \\\n{schema} \\\n--billing-mode {table.billing_mode} \\\n--tags {tags}"
    )
