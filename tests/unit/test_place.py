"""Where a change would land: real AWS told by what the client resolved, and the account with and without STS."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from data.dynamodb.client import Store, may_be_amazons
from data.dynamodb.errors import Failure
from data.provisioning import clients, place
from data.provisioning.place import where
from data.settings import Settings
from tests.support.accounts import refusal, reply, watching
from tests.support.engines import CREDENTIALS
from wording import account

ARN = "arn:{}:dynamodb:{}:123456789012:table/evals"


def store(region: str = "us-east-1", endpoint: str | None = None) -> Store:
    environ = {"BANDUP_SOURCE": "aws", "AWS_REGION": region}
    return Store.open(Settings.read(environ), endpoint, **CREDENTIALS)


@pytest.mark.parametrize(
    ("url", "real"),
    [
        ("https://dynamodb.eu-west-1.amazonaws.com", True),
        ("https://123456789012.ddb.eu-west-1.amazonaws.com", True),
        ("https://dynamodb-fips.us-east-1.amazonaws.com", True),
        ("https://dynamodb.us-east-1.api.aws", True),
        ("https://vpce-1-2.dynamodb.us-east-1.vpce.amazonaws.com", True),
        ("https://dynamodb.cn-north-1.amazonaws.com.cn", True),
        ("https://dynamodb.cn-north-1.api.amazonwebservices.com.cn", True),
        ("https://dynamodb.eusc-de-east-1.amazonaws.eu", True),
        ("https://dynamodb.us-iso-east-1.c2s.ic.gov", True),
        ("https://dynamodb.us-isob-east-1.sc2s.sgov.gov", True),
        ("https://dynamodb.eu-isoe-west-1.cloud.adc-e.uk", True),
        # A private name in front of AWS: rather asked for the account once too often.
        ("https://dynamodb.school.example", True),
        ("http://dynamodb.us-east-1.amazonaws.com.", True),
        ("https://dynamodb.school.example.", True),
        ("http://52.94.0.1", True),
        ("http://[2600:1f18::1]:8000", True),
        ("http://52119552", True),
        ("http://0x031b4900:8000", True),
        ("http://3.27.18689", True),
        ("http://127.0.0.1:8000", False),
        ("http://192.168.1.5:8000", False),
        ("http://[::1]:8000", False),
        ("https://localhost:4566", False),
        ("https://localhost.localstack.cloud:4566", False),
        ("http://dynamodb:8000", False),
        ("http://10.0.0.7:8000", False),
        ("http://dynamodb.school.example:8000", False),
        ("", False),
    ],
)
def test_real_aws_is_told_by_the_endpoint(url: str, real: bool) -> None:
    assert may_be_amazons(url) is real


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
    ],
)
def test_every_partition_is_real_aws_and_named(region: str, partition: str) -> None:
    opened = store(region)
    table = {"Table": {"TableName": "evals", "TableArn": ARN.format(partition, region), "KeySchema": []}}
    with watching(opened.client) as wire:
        wire.answer = lambda _: reply(**table)
        here = where(opened)
    assert (here.account, here.region, here.partition, here.real_aws) == ("123456789012", region, partition, True)
    assert here.endpoint == opened.client.meta.endpoint_url
    assert account.place(here) == (
        f"Real AWS · account 123456789012 · region {region} · partition {partition} · {here.endpoint} · "
        "bandup-evaluations · bandup-flashcard-sets"
    )


def test_a_profile_with_an_endpoint_of_its_own_is_no_real_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[profile local]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:4566\n")
    monkeypatch.setenv("AWS_PROFILE", "local")
    opened = store()
    assert opened.client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert not opened.real_aws
    # Lambda and IAM are found there too.
    assert clients.Clients.open(opened, **CREDENTIALS).functions.meta.endpoint_url == "http://127.0.0.1:4566"


def test_with_a_table_the_account_is_known_without_sts(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(_: Store) -> str:
        raise AssertionError("STS was asked")

    monkeypatch.setattr(place, "caller_account", unasked)
    opened = store()
    table = {"TableName": "sets", "TableArn": ARN.format("aws", "us-east-1"), "KeySchema": []}
    answers = iter([refusal("ResourceNotFoundException"), reply(Table=table)])
    with watching(opened.client) as wire:
        wire.answer = lambda _: next(answers)
        assert where(opened).account == "123456789012"


def test_where_sts_is_needed_and_cannot_be_reached_its_endpoint_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://sts.us-east-1.amazonaws.com")

    opened = store()
    monkeypatch.setattr(clients, "budget", SimpleNamespace(answer=fail))
    with pytest.raises(Failure) as caught:
        clients.caller_account(opened)
    assert (caught.value.kind, caught.value.case) == ("unreachable", "account")
    assert caught.value.detail == "https://sts.us-east-1.amazonaws.com"


def test_an_endpoint_that_is_not_amazons_has_no_sts_to_ask() -> None:
    opened = store(endpoint="http://127.0.0.1:1")
    with watching(opened.client) as wire:
        wire.answer = lambda _: refusal("ResourceNotFoundException")
        assert where(opened).account == ""
