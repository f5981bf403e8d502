"""The environment variables: defaults, precedence, and one sentence for each value that cannot be used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from data.schema import EVALUATIONS, FLASHCARD_SETS
from data.settings import (
    DEMO_REGION,
    DEMO_SCHOOL,
    ENDPOINTS,
    VARIABLES,
    FunctionName,
    Settings,
    SettingsError,
    state_folder,
)

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
        school=DEMO_SCHOOL,
        state=state_folder({}),
    )
    assert not settings.metered


def test_aws_without_more_leaves_region_and_endpoint_to_boto3_and_changes_nothing() -> None:
    settings = Settings.read(AWS)
    assert (settings.source, settings.region, settings.endpoint) == ("aws", None, None)
    assert not settings.allow_changes
    assert settings.metered


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
    "endpoint with a space in its path": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:8000/a b"}),
    "endpoint with a space": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://local host:8000"}),
    "endpoint with a host that boto3 refuses": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://dynamo_db:80"}),
    "port too large": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:99999"}),
    "port zero": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:0"}),
    "port of letters": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://127.0.0.1:http"}),
    "broken IPv6": ("AWS_ENDPOINT_URL", {**AWS, "AWS_ENDPOINT_URL": "http://[::1:8000"}),
    "table name too short": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "ab"}),
    "table name too long": ("DYNAMODB_EVALUATIONS", {"DYNAMODB_EVALUATIONS": "a" * 256}),
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
    "function name too long": ("BANDUP_WRITING_FUNCTION", {"BANDUP_WRITING_FUNCTION": "a" * 65}),
    "function with an empty alias": ("BANDUP_WRITING_FUNCTION", {"BANDUP_WRITING_FUNCTION": "writer:"}),
    "function of a short account": (
        "BANDUP_WRITING_FUNCTION",
        {"BANDUP_WRITING_FUNCTION": "arn:aws:lambda:us-east-1:123:function:writer"},
    ),
    "alarm topic by its name": ("BANDUP_ALARM_TOPIC", {**AWS, "BANDUP_ALARM_TOPIC": "alerts"}),
    "alarm topic that is a queue": (
        "BANDUP_ALARM_TOPIC",
        {"BANDUP_ALARM_TOPIC": "arn:aws:sqs:us-east-1:123456789012:alerts"},
    ),
    "region with blanks": ("AWS_REGION", {**AWS, "AWS_REGION": "not a region!"}),
    "default region of a place": ("AWS_DEFAULT_REGION", {**AWS, "AWS_DEFAULT_REGION": "Asia/Ho_Chi_Minh"}),
    "school of two lines": ("BANDUP_SCHOOL", {"BANDUP_SCHOOL": "Riverside\nEnglish"}),
    "school with a hidden character": ("BANDUP_SCHOOL", {**AWS, "BANDUP_SCHOOL": "River\u202eside"}),
    "school too long for a line": ("BANDUP_SCHOOL", {**AWS, "BANDUP_SCHOOL": "s" * 81}),
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


def test_a_value_with_hidden_characters_is_shown_on_one_line() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({"BANDUP_SOURCE": "a\nb\u200bc"})
    assert str(caught.value).startswith("BANDUP_SOURCE is “a\\nb\\u200bc”: ")


def test_alarms_have_a_topic_where_one_is_named_for_real_tables() -> None:
    topic = "arn:aws-cn:sns:cn-north-1:123456789012:alerts"
    assert Settings.read({**AWS, "BANDUP_ALARM_TOPIC": f" {topic} "}).alarm_topic == topic
    assert Settings.read(AWS).alarm_topic == ""
    assert Settings.read({"BANDUP_ALARM_TOPIC": topic}).alarm_topic == ""


def test_the_school_is_what_paper_says_and_only_the_demo_has_one_unset() -> None:
    assert Settings.read({**AWS, "BANDUP_SCHOOL": " Trường Anh ngữ Sông Hàn "}).school == "Trường Anh ngữ Sông Hàn"
    assert Settings.read(AWS).school == ""
    assert Settings.read({}).school == DEMO_SCHOOL


@pytest.mark.parametrize("blank", ["", "  "])
@pytest.mark.parametrize("variable", sorted(set(VARIABLES) - set(ENDPOINTS)))
def test_empty_is_not_set_everywhere_but_at_the_endpoint(variable: str, blank: str) -> None:
    assert Settings.read({variable: blank}) == Settings.read({})
    if variable != "BANDUP_SOURCE":
        assert Settings.read({**AWS, variable: blank}) == Settings.read(AWS)


MISSPELT = {
    "BANDUP_SORCE": "BANDUP_SOURCE",
    "BANDUP_SOURCES": "BANDUP_SOURCE",
    "bandup_source": "BANDUP_SOURCE",
    "BANDUP_X": "BANDUP_URL",
    "BANDUP_ALLOW_CHANGE": "BANDUP_ALLOW_CHANGES",
    "BANDUP_ROOSTER": "BANDUP_ROSTER",
    "BAND_UP_SOURCE": "BANDUP_SOURCE",
    "BANDUPSOURCE": "BANDUP_SOURCE",
    "BANDUP_NOTIFY_TOPICS": "BANDUP_NOTIFY_TOPIC",
    "BANDUP_WRITING_FUNCTIONS": "BANDUP_WRITING_FUNCTION",
    "BANDUP_EVALUATIONS": "DYNAMODB_EVALUATIONS",
    "DYNAMODB_EVALUATION": "DYNAMODB_EVALUATIONS",
    "DYNAMODB_FLASHCARDS_SETS": "DYNAMODB_FLASHCARD_SETS",
}


@pytest.mark.parametrize(("name", "nearest"), MISSPELT.items(), ids=MISSPELT)
def test_a_misspelt_name_is_refused_and_the_nearest_one_named(name: str, nearest: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.read({name: "1"})
    assert str(caught.value) == f"{name} is not a setting of this dashboard: the nearest is {nearest}."


@pytest.mark.parametrize(
    "name", ["BANDUP_NO_SKIPS", "BANDUP_NODE_MODULES", "DYNAMODB_ENDPOINT", "AWS_ENDPOINT_URL_LAMBDA", "BAND"]
)
def test_what_others_read_is_left_alone(name: str) -> None:
    assert Settings.read({name: "1"}) == Settings.read({})


def test_a_roster_may_lie_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/linh")
    monkeypatch.setenv("USERPROFILE", "/home/linh")
    assert Settings.read({"BANDUP_ROSTER": "~/class.csv"}).roster == "/home/linh/class.csv"


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


@pytest.mark.parametrize(
    "endpoint",
    ["http://me:hunter2@127.0.0.1:8000", "http://me:hunter2@db_local:8000", "http://me:hunt er2@db:8000",
     "me:hunter2@db", "http://me:hunter2#@db", "http://me:/hunter2@db:8000", "http://me:hunter2@db:99999", "http://me:hunter2@db:0"],
)  # fmt: skip
def test_a_password_in_an_endpoint_is_never_shown(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="has a user in its URL") as caught:
        Settings.read({**AWS, "AWS_ENDPOINT_URL": endpoint})
    assert "er2" not in str(caught.value)


def test_the_demo_ignores_endpoints_and_regions_even_malformed_ones() -> None:
    environ = {"AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL": "nonsense", "AWS_REGION": "eu-west-1"}
    settings = Settings.read(environ)
    assert (settings.endpoint, settings.region) == (None, DEMO_REGION)


@pytest.mark.parametrize(("value", "allowed"), [("1", True), (" 1 ", True), ("0", False), ("", False)])
def test_changes_are_allowed_in_aws_only_by_a_one(value: str, allowed: bool) -> None:
    assert Settings.read({**AWS, "BANDUP_ALLOW_CHANGES": value}).allow_changes is allowed
    assert Settings.read({"BANDUP_ALLOW_CHANGES": value}).allow_changes is True


def test_settings_can_be_a_key() -> None:
    assert {Settings.read({}): 1}[Settings.read({})] == 1


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("writer", ("writer", "writer", None, None)),
        ("writer:live", ("writer", "writer", "live", None)),
        ("writer:$LATEST", ("writer", "writer", "$LATEST", None)),
        ("function:writer:3", ("writer", "function:writer", "3", None)),
        ("123456789012:function:writer", ("writer", "123456789012:function:writer", None, None)),
        (
            "arn:aws-cn:lambda:cn-north-1:123456789012:function:writer:live",
            ("writer", "arn:aws-cn:lambda:cn-north-1:123456789012:function:writer", "live", "cn-north-1"),
        ),
    ],
)
def test_a_function_may_be_named_with_alias_or_as_an_arn(text: str, parts: tuple[str | None, ...]) -> None:
    settings = Settings.read({"BANDUP_WRITING_FUNCTION": text})
    name = FunctionName.parse(settings.functions[0])
    assert (name.name, name.unqualified, name.qualifier, name.region) == parts


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"BANDUP_STATE": "/srv/state", "STATE_DIRECTORY": "/var/lib/x"}, "/srv/state"),
        ({"STATE_DIRECTORY": "/var/lib/bandup:/var/lib/more", "XDG_STATE_HOME": "/x"}, "/var/lib/bandup"),
        ({"BANDUP_STATE": "/srv/" + "x" * 5000}, "/srv/" + "x" * 5000),
        ({"XDG_STATE_HOME": "/x"}, "/x/bandup"),
        ({}, str(Path("~/.local/state/bandup").expanduser())),
    ],
)
def test_what_a_restart_must_not_forget_lies_where_the_environment_names(environ: Mapping[str, Any], path: str) -> None:
    assert state_folder(environ) == Path(path)
