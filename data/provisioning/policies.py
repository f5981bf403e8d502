"""IAM policies to take away: for the Lambdas, the dashboard, Jobs and Setup. Just the actions that the code calls."""

import json
from collections.abc import Sequence
from typing import Any

from data.schema import LAMBDA_ACTIONS, TABLES
from data.settings import Settings

READ_TABLE = ("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query")
READ_INDEX = ("dynamodb:Query",)
# Only after a click, where an index is missing; leave it out to make that impossible.
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
SETUP_FUNCTION = ("lambda:GetFunctionConfiguration", "lambda:UpdateFunctionConfiguration")
SETUP_ROLE = ("iam:SimulatePrincipalPolicy",)


def lambdas(settings: Settings, region: str, account: str) -> str:
    """The specification's policy filled in, plus the index ARNs, which a Query on an index needs and it lacks."""
    return _document(
        _allow("DynamoDBAccess", LAMBDA_ACTIONS, _tables(settings, region, account)),
        _allow("DynamoDBIndexAccess", READ_INDEX, _indexes(settings, region, account)),
    )


def dashboard(settings: Settings, region: str, account: str) -> str:
    """Read only: what the pages need."""
    tables = _tables(settings, region, account)
    return _document(
        _allow("ReadTables", READ_TABLE, tables),
        _allow("ReadIndexes", READ_INDEX, _indexes(settings, region, account)),
        _allow("ScanWhereAnIndexIsMissing", SCAN, tables),
    )


def marking(settings: Settings, region: str, account: str) -> str:
    """What marking jobs as failed needs, beside the dashboard's own policy."""
    return _document(_allow("MarkJobsAsFailed", MARK, _tables(settings, region, account)))


def setup(settings: Settings, region: str, account: str) -> str:
    """What the Setup page and `python -m bandup setup` need, beside the dashboard's own policy."""
    functions = [f"arn:aws:lambda:{region}:{account}:function:{name}" for name in settings.functions]
    return _document(
        _allow("ProvisionTables", SETUP_TABLE, _tables(settings, region, account)),
        _allow("WireFunctions", SETUP_FUNCTION, functions),
        _allow("ProveRoles", SETUP_ROLE, [f"arn:aws:iam::{account}:role/*"]),
    )


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _tables(settings: Settings, region: str, account: str) -> list[str]:
    return [f"arn:aws:dynamodb:{region}:{account}:table/{settings.name(table)}" for table in TABLES]


def _indexes(settings: Settings, region: str, account: str) -> list[str]:
    return [f"{arn}/index/*" for arn in _tables(settings, region, account)]
