"""The environment variables: defaults, precedence, and one sentence for each value that cannot be used."""

import pytest

from data.schema import EVALUATIONS, FLASHCARD_SETS
from data.settings import DEMO_REGION, Settings, SettingsError

AWS = {"BANDUP_SOURCE": "aws"}
URL = "http://127.0.0.1:8000"


def test_without_any_variable_it_is_the_demo_with_the_specified_table_names() -> None:
    settings = Settings.read({})
    assert settings == Settings(
        source="demo",
        evaluations="bandup-evaluations",
        flashcard_sets="bandup-flashcard-sets",
        region=DEMO_REGION,
        endpoint=None,
        allow_changes=True,
        functions=("bandup-writing-evaluator", "bandup-speaking-evaluator", "bandup-flashcard-generator"),
    )
    assert not settings.metered
    assert not settings.real_aws


def test_aws_without_more_leaves_region_and_endpoint_to_boto3_and_changes_nothing() -> None:
    settings = Settings.read(AWS)
    assert (settings.source, settings.region, settings.endpoint) == ("aws", None, None)
    assert not settings.allow_changes
    assert settings.metered
    assert settings.real_aws


@pytest.mark.parametrize("value", ["aws", "AWS", " aws "])
def test_the_source_may_be_written_in_any_case(value: str) -> None:
    assert Settings.read({"BANDUP_SOURCE": value}).source == "aws"


def test_tables_are_named_by_the_variables_of_the_lambdas() -> None:
    settings = Settings.read({"DYNAMODB_EVALUATIONS": "evals.test_1", "DYNAMODB_FLASHCARD_SETS": "sets-test"})
    assert settings.name(EVALUATIONS) == "evals.test_1"
    assert settings.name(FLASHCARD_SETS) == "sets-test"


MALFORMED: dict[str, tuple[str, dict[str, str]]] = {
    # the variable that the message must name, the environment
    "unknown source": ("BANDUP_SOURCE", {"BANDUP_SOURCE": "mysql"}),
    "empty source": ("BANDUP_SOURCE", {"BANDUP_SOURCE": ""}),
    "empty endpoint": ("AWS_ENDPOINT_URL_DYNAMODB", {**AWS, "AWS_ENDPOINT_URL_DYNAMODB": ""}),
    "blank endpoint": ("AWS_ENDPOINT_URL_DYNAMODB", {**AWS, "AWS_ENDPOINT_URL_DYNAMODB": "  "}),
    "empty general endpoint": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": ""}),
    # The special one goes first in boto3 as well, so it is not saved by the general one.
    "empty special endpoint, good general one": (
        "AWS_ENDPOINT_URL_DYNAMODB",
        {**AWS, "AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL": URL},
    ),
    "endpoint without scheme": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "127.0.0.1:8000"}),
    "endpoint by name without scheme": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "localhost:8000"}),
    "endpoint of another scheme": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "ftp://127.0.0.1"}),
    "endpoint without host": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://:8000"}),
    "endpoint with a space": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://local host:8000"}),
    "endpoint with a host that boto3 refuses": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://dynamo_db:80"}),
    "port too large": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:99999"}),
    "port zero": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:0"}),
    "port of letters": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:http"}),
    "broken IPv6": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://[::1:8000"}),
    "table name too short": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "ab"}),
    "table name too long": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "a" * 256}),
    "table name empty": ("DYNAMODB_FLASHCARD_SETS", {"DYNAMODB_FLASHCARD_SETS": ""}),
    "table name with a space": ("DYNAMODB_FLASHCARD_SETS", {"DYNAMODB_FLASHCARD_SETS": "flash cards"}),
    "table name with a newline": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "evals\n"}),
    "table name with a letter of another alphabet": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "evalé"}),
    "table name that is an ARN": (
        "DYNAMODB_EVALUATIONS",
        {"DYNAMODB_EVALUATIONS": "arn:aws:dynamodb:us-east-1:123456789012:table/evals"},
    ),
    "same table twice": (
        "DYNAMODB_FLASHCARD_SETS",
        {"DYNAMODB_EVALUATIONS": "everything", "DYNAMODB_FLASHCARD_SETS": "everything"},
    ),
    "changes: yes": ("BANDUP_ALLOW_CHANGES", {**AWS, "BANDUP_ALLOW_CHANGES": "yes"}),
    "changes: yes, in the demo": ("BANDUP_ALLOW_CHANGES", {"BANDUP_ALLOW_CHANGES": "yes"}),
    "changes: true": ("BANDUP_ALLOW_CHANGES", {**AWS, "BANDUP_ALLOW_CHANGES": "true"}),
}


@pytest.mark.parametrize(("variable", "environ"), MALFORMED.values(), ids=MALFORMED)
def test_a_value_that_cannot_be_used_names_its_variable(variable: str, environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read(environ)
    message = str(caught.value)
    assert variable in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({"AWS_REGION": "ap-southeast-1"}, "ap-southeast-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "ap-southeast-1", "AWS_DEFAULT_REGION": "eu-west-1"}, "ap-southeast-1"),
        ({"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": ""}, None),
    ],
    ids=["region", "default region", "both", "empty region", "empty alone"],
)
def test_the_region_is_the_first_that_is_set(environ: dict[str, str], region: str | None) -> None:
    assert Settings.read({**AWS, **environ}).region == region


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({"AWS_ENDPOINT_URL": URL}, URL),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": URL}, URL),
        ({"AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_DYNAMODB": URL}, URL),
        ({"AWS_ENDPOINT_URL": f" {URL} "}, URL),
        ({"AWS_ENDPOINT_URL": "https://dynamodb.example.com"}, "https://dynamodb.example.com"),
        ({"AWS_ENDPOINT_URL": "http://[::1]:8000"}, "http://[::1]:8000"),
        ({"AWS_ENDPOINT_URL": "http://dynamodb:8000/path"}, "http://dynamodb:8000/path"),
    ],
    ids=["general", "special first", "special saves", "spaces", "no port", "IPv6", "a container's name"],
)
def test_the_endpoint_follows_boto3s_precedence(environ: dict[str, str], endpoint: str) -> None:
    assert Settings.read({**AWS, **environ}).endpoint == endpoint


def test_the_demo_ignores_endpoints_and_regions_even_malformed_ones() -> None:
    environ = {"AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL": "nonsense", "AWS_REGION": "eu-west-1"}
    settings = Settings.read(environ)
    assert (settings.endpoint, settings.region) == (None, DEMO_REGION)


@pytest.mark.parametrize(("value", "allowed"), [("1", True), (" 1 ", True), ("0", False), ("", False)])
def test_changes_are_allowed_in_aws_only_by_a_one(value: str, allowed: bool) -> None:
    assert Settings.read({**AWS, "BANDUP_ALLOW_CHANGES": value}).allow_changes is allowed
    assert Settings.read({"BANDUP_ALLOW_CHANGES": value}).allow_changes is True


@pytest.mark.parametrize(
    ("environ", "real"),
    [
        ({}, False),
        (AWS, True),
        ({**AWS, "AWS_ENDPOINT_URL": "https://dynamodb.eu-west-1.amazonaws.com"}, True),
        ({**AWS, "AWS_ENDPOINT_URL": "https://dynamodb.cn-north-1.amazonaws.com.cn"}, True),
        ({**AWS, "AWS_ENDPOINT_URL": "https://dynamodb.eu-west-1.api.aws"}, True),
        ({**AWS, "AWS_ENDPOINT_URL": URL}, False),
        ({**AWS, "AWS_ENDPOINT_URL": "https://amazonaws.com.example.org"}, False),
        ({**AWS, "AWS_ENDPOINT_URL": "https://notamazonaws.com"}, False),
    ],
    ids=["demo", "aws", "aws by endpoint", "China", "dual stack", "loopback", "look-alike", "other look-alike"],
)
def test_real_aws_is_amazons_own_endpoint(environ: dict[str, str], real: bool) -> None:
    assert Settings.read(environ).real_aws is real


def test_settings_can_be_a_key() -> None:
    assert {Settings.read({}): 1}[Settings.read({})] == 1
