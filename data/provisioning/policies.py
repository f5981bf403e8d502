"""IAM policies to take away: for the Lambdas, the dashboard, Jobs and Setup. Just the actions that the code calls."""

import json
from collections.abc import Sequence
from typing import Any

from data.schema import LAMBDA_ACTIONS, TABLES
from data.settings import FunctionName, Settings

READ_TABLE = ("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query")
READ_INDEX = ("dynamodb:Query",)
# Only after a click, where an index is missing, and in a restore drill; leave it out to make that impossible.
SCAN = ("dynamodb:Scan",)
MARK = ("dynamodb:UpdateItem",)
SETUP_TABLE = (
    "dynamodb:CreateTable",
    "dynamodb:DescribeContinuousBackups",
    "dynamodb:DescribeTable",
    "dynamodb:ListTagsOfResource",
    "dynamodb:RestoreTableToPointInTime",
    "dynamodb:Scan",
    "dynamodb:TagResource",
    "dynamodb:UpdateContinuousBackups",
    "dynamodb:UpdateTable",
)
SETUP_FUNCTION = (
    "lambda:GetFunctionConcurrency",
    "lambda:GetFunctionConfiguration",
    "lambda:ListAliases",
    "lambda:ListTags",
    "lambda:UpdateFunctionConfiguration",
)
SETUP_ROLE = ("iam:SimulatePrincipalPolicy",)
# Only where alarms have a topic to tell.
SETUP_ALARM = ("cloudwatch:ListTagsForResource", "cloudwatch:PutMetricAlarm")
# Asked for all of them at once.
SETUP_ALARMS = ("cloudwatch:DescribeAlarms",)
SETUP_TOPIC = ("sns:GetTopicAttributes",)


def lambdas(settings: Settings, region: str, account: str, partition: str = "aws") -> str:
    """The specification's policy filled in, plus the index ARNs, which a Query on an index needs and it lacks."""
    return _document(
        _allow("DynamoDBAccess", LAMBDA_ACTIONS, _tables(settings, region, account, partition)),
        _allow("DynamoDBIndexAccess", READ_INDEX, _indexes(settings, region, account, partition)),
    )


def dashboard(settings: Settings, region: str, account: str, partition: str = "aws") -> str:
    """Read only: what the pages need."""
    tables = _tables(settings, region, account, partition)
    return _document(
        _allow("ReadTables", READ_TABLE, tables),
        _allow("ReadIndexes", READ_INDEX, _indexes(settings, region, account, partition)),
        _allow("ScanWhereAnIndexIsMissing", SCAN, tables),
    )


def marking(settings: Settings, region: str, account: str, partition: str = "aws") -> str:
    """What marking jobs as failed needs, beside the dashboard's own policy."""
    return _document(_allow("MarkJobsAsFailed", MARK, _tables(settings, region, account, partition)))


def setup(settings: Settings, region: str, account: str, partition: str = "aws") -> str:
    """What the Setup page and `python -m bandup setup` need, beside the dashboard's own policy."""
    names = [FunctionName.parse(name).name for name in settings.functions]
    functions = [
        f"arn:{partition}:lambda:{of.region or region}:{of.account or account}:function:{of.name}{end}"
        for of in map(FunctionName.parse, settings.functions)
        for end in ("", ":*")
    ]
    watching = []
    if settings.alarm_topic:
        alarm = f"arn:{partition}:cloudwatch:{region}:{account}:alarm:"
        owners = dict.fromkeys([*(settings.name(table) for table in TABLES), *names])
        watching = [
            _allow("SetAlarms", SETUP_ALARM, [f"{alarm}{owner}-*" for owner in owners]),
            _allow("LookAtAlarms", SETUP_ALARMS, [f"{alarm}*"]),
            _allow("LookAtTheirTopic", SETUP_TOPIC, [settings.alarm_topic]),
        ]
    return _document(
        _allow("ProvisionTables", SETUP_TABLE, _tables(settings, region, account, partition)),
        _allow("CompareCopies", SCAN, _indexes(settings, region, account, partition)),
        _allow("WireFunctions", SETUP_FUNCTION, functions),
        _allow("ProveRoles", SETUP_ROLE, [f"arn:{partition}:iam::{account}:role/*"]),
        *watching,
    )


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _tables(settings: Settings, region: str, account: str, partition: str = "aws") -> list[str]:
    return [f"arn:{partition}:dynamodb:{region}:{account}:table/{settings.name(table)}" for table in TABLES]


def _indexes(settings: Settings, region: str, account: str, partition: str = "aws") -> list[str]:
    return [f"{arn}/index/*" for arn in _tables(settings, region, account, partition)]
