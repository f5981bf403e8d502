"""What the environment says: which source, which tables, what may be changed."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, TABLES, Function, Table

DEMO_REGION = "us-east-1"
DEMO_SCHOOL = "Riverside English Centre"

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE_NAME = re.compile(r"(?!-)[a-zA-Z0-9_.-]{3,255}")  # one that begins with a dash would be an option in a script
# Name, name:alias, partial ARN or ARN: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
_FUNCTION_NAME = re.compile(
    r"(?P<unqualified>(?:(?:arn:aws[a-z-]*:lambda:(?P<region>[a-z0-9-]+):)?(?P<account>\d{12}):function:|function:)?"
    r"(?P<name>[a-zA-Z0-9_-]{1,64}))(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9_-]{1,128}))?"
)
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,63}):\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
"""ARN of an SNS topic, with its region: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html"""
_HOST = re.compile(r"[a-zA-Z0-9.-]+|[0-9a-fA-F:.]+")  # what boto3 takes: no underscores; IPv6 without its brackets
# What boto3 takes, botocore.utils.validate_region_name.
_REGION = re.compile(r"(?![0-9]+$)(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")
ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")
ENV_FILE = "BANDUP_ENV_FILE"
VARIABLES = (
    "BANDUP_SOURCE",
    *(table.variable for table in TABLES),
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    *ENDPOINTS,
    *(function.variable for function in FUNCTIONS),
    "BANDUP_ALARM_TOPIC",
    "BANDUP_ALLOW_CHANGES",
    "BANDUP_ROSTER",
    "BANDUP_SCHOOL",
    "BANDUP_STATE",
    ENV_FILE,
)
"""Every variable that the dashboard reads."""
_LONGEST_SCHOOL = 80  # characters: one line on paper
COMMAND_VARIABLES = (
    "BANDUP_URL",
    "BANDUP_NOTIFY_URL",
    "BANDUP_NOTIFY_FORMAT",
    "BANDUP_NOTIFY_TOPIC",
    "BANDUP_NOTIFY_STATE",
    "BANDUP_SMTP_HOST",
    "BANDUP_SMTP_PORT",
    "BANDUP_SMTP_SECURITY",
    "BANDUP_SMTP_USER",
    "BANDUP_SMTP_PASSWORD",
    "BANDUP_SMTP_FROM",
    "BANDUP_CHECK_PERIOD",
    "BANDUP_CHECK_MAX_FAILED",
    "BANDUP_CHECK_MAX_STUCK",
    "BANDUP_CHECK_MAX_OVERDUE",
    "BANDUP_CHECK_MAX_FAILURE_RATE",
    "BANDUP_CHECK_MIN_FINISHED",
)
"""What `python -m bandup` reads beside them; docs/operations.md has their table."""
_NAMES = (*VARIABLES, *COMMAND_VARIABLES)
_OF_TESTS = ("BANDUP_NODE_MODULES", "BANDUP_NO_SKIPS")  # may be set where the dashboard runs, and say nothing to it


class SettingsError(ValueError):
    """A variable's value cannot be used; the message is one sentence that names the variable, on one line."""

    def __init__(self, message: str) -> None:
        super().__init__("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in message))


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A Lambda function as it may be named: name, name:alias or ARN. `unqualified` is that without alias or version."""

    name: str
    unqualified: str
    qualifier: str | None = None
    region: str | None = None
    account: str | None = None

    @property
    def log_group(self) -> str:
        """The log group that Lambda makes for it, unless it has one of its own."""
        return f"/aws/lambda/{self.name}"

    @classmethod
    def parse(cls, text: str) -> "FunctionName":
        """The parts of a function's name; ValueError when Lambda would not take it."""
        match = _FUNCTION_NAME.fullmatch(text)
        if not match:
            raise ValueError(text)
        return cls(match["name"], match["unqualified"], match["qualifier"], match["region"], match["account"])


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated settings. `endpoint` is None for real AWS, `region` None when boto3 should find it.

    `alarm_topic` is the SNS topic that alarms tell; empty where there are to be no alarms. `state` is a folder: what
    a restart must not forget.
    """

    source: Literal["demo", "aws"]
    evaluations: str
    flashcard_sets: str
    region: str | None
    endpoint: str | None
    allow_changes: bool
    functions: tuple[str, ...]
    roster: str | None = None
    school: str = ""
    state: Path = Path()
    alarm_topic: str = ""

    def name(self, table: Table) -> str:
        """What `table` is called here."""
        return self.evaluations if table is EVALUATIONS else self.flashcard_sets

    @property
    def metered(self) -> bool:
        """Whether the engine's ConsumedCapacity means something (the demo's engine reports a constant)."""
        return self.source == "aws"

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Settings from environment variables; SettingsError names the first one that cannot be used."""
        _check_names(environ)
        source = value_of(environ, "BANDUP_SOURCE").strip().lower() or "demo"
        if source not in ("demo", "aws"):
            raise SettingsError(f"BANDUP_SOURCE is “{source}”: set it to demo or aws, or leave it unset for the demo.")
        names = {table.variable: _table_name(environ, table) for table in TABLES}
        if len(set(names.values())) < len(names):
            raise SettingsError(
                f"{EVALUATIONS.variable} and {FLASHCARD_SETS.variable} name the same table: they must differ."
            )
        is_aws, topic = source == "aws", _alarm_topic(environ)
        return cls(
            source="aws" if is_aws else "demo",
            evaluations=names[EVALUATIONS.variable],
            flashcard_sets=names[FLASHCARD_SETS.variable],
            region=_region(environ) if is_aws else DEMO_REGION,
            endpoint=_endpoint(environ) if is_aws else None,
            allow_changes=_switch(environ, "BANDUP_ALLOW_CHANGES") or not is_aws,
            functions=tuple(_function_name(environ, function) for function in FUNCTIONS),
            roster=os.path.expanduser(value_of(environ, "BANDUP_ROSTER").strip()) or None,
            alarm_topic=topic if is_aws else "",
            school=_school(environ) or ("" if is_aws else DEMO_SCHOOL),
            state=state_folder(environ),
        )


def value_of(environ: Mapping[str, str], variable: str) -> str:
    """The value of a variable; empty when it is not set, or blank, which is the same."""
    value = environ.get(variable, "")
    return value if value.strip() else ""


def _check_names(environ: Mapping[str, str]) -> None:
    """A misspelt name must not leave the default in force without a word."""
    for name in sorted(environ):
        if name in _NAMES or name in _OF_TESTS:
            continue
        upper = name.upper()
        if upper.startswith(("BAND", "DYNAMODB_")):
            # Others may have DYNAMODB_ and BAND variables too, so of those only what is nearly one of ours.
            cutoff = 0.0 if upper.startswith("BANDUP_") else 0.85
            near = next(iter(get_close_matches(upper, _NAMES, n=1, cutoff=cutoff)), None)
        else:  # a page reads the settings at each click: what is no setting of ours costs no search
            near = upper if upper in _NAMES else None
        if near:
            raise SettingsError(f"{name} is not a setting of this dashboard: the nearest is {near}.")


def _table_name(environ: Mapping[str, str], table: Table) -> str:
    name = value_of(environ, table.variable) or table.default_name
    if not _TABLE_NAME.fullmatch(name):
        raise SettingsError(
            f"{table.variable} is “{name}”: a DynamoDB table name has 3 to 255 letters, digits, dots, dashes or "
            "underscores, and none that begins with a dash can be used here."
        )
    return name


def _function_name(environ: Mapping[str, str], function: Function) -> str:
    name = value_of(environ, function.variable) or function.default_name
    try:
        FunctionName.parse(name)
    except ValueError as error:
        raise SettingsError(
            f"{function.variable} is “{name}”: give a Lambda function's name (1 to 64 letters, digits, dashes or "
            "underscores), name:alias, or ARN."
        ) from error
    return name


def _region(environ: Mapping[str, str]) -> str | None:
    # boto3 itself reads AWS_DEFAULT_REGION and profiles, but not AWS_REGION, which Lambda and the SDKs use.
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if region := value_of(environ, variable).strip():
            if not _REGION.fullmatch(region):
                raise SettingsError(
                    f"{variable} is “{region}”: give a region such as ap-southeast-1, or leave it unset."
                )
            return region
    return None


def _endpoint(environ: Mapping[str, str]) -> str | None:
    """The endpoint by boto3's own precedence. Empty is refused: boto3 would quietly go to real AWS."""
    for variable in ENDPOINTS:
        if variable not in environ:
            continue
        value = environ[variable].strip()
        if not value:
            raise SettingsError(
                f"{variable} is set but empty: unset it to read from AWS, or give a URL such as http://127.0.0.1:8000."
            )
        return endpoint_url(value, variable)
    return None


def endpoint_url(value: str, name: str) -> str:
    """An endpoint as boto3 takes it; SettingsError with the `name` of what gave it when it is none."""
    if "@" in value:  # before all else: a password is not to be shown, and not every program reads the same host there
        raise SettingsError(f"{name} has a user in its URL: give one without, such as http://127.0.0.1:8000.")
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
        # Not every program reads the same host out of an address with a backslash in it.
        plain = not any(sign in value for sign in (" ", "\\"))
        usable = parts.scheme in ("http", "https") and port != 0 and bool(_HOST.fullmatch(host)) and plain
    except ValueError:
        usable = False
    if not usable:
        raise SettingsError(f"{name} is “{value}”: give a whole URL such as http://127.0.0.1:8000.")
    return value


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where to keep what a restart must not forget: BANDUP_STATE, or else by systemd or the desktop."""
    if named := value_of(environ, "BANDUP_STATE").strip():
        folder = Path(os.path.expanduser(named))
        if os.path.exists(folder) and not os.path.isdir(folder):  # neither raises, however odd the path
            raise SettingsError(f"BANDUP_STATE is “{folder}”, which is a file: name a folder.")
        return folder
    if given := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given)
    home = environ.get("XDG_STATE_HOME", "").strip()
    return Path(home or os.path.expanduser("~/.local/state")) / "bandup"


def _alarm_topic(environ: Mapping[str, str]) -> str:
    arn = value_of(environ, "BANDUP_ALARM_TOPIC").strip()
    if arn and not TOPIC.fullmatch(arn):
        raise SettingsError(
            f"BANDUP_ALARM_TOPIC is “{arn}”: give an SNS topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME, or leave it "
            "unset for no alarms."
        )
    return arn


def _school(environ: Mapping[str, str]) -> str:
    """The school's name as it stands on paper."""
    name = value_of(environ, "BANDUP_SCHOOL").strip()
    if len(name) > _LONGEST_SCHOOL or not name.isprintable():
        raise SettingsError(
            f"BANDUP_SCHOOL cannot be printed: give the school's name in one line of at most {_LONGEST_SCHOOL} letters."
        )
    return name


def _switch(environ: Mapping[str, str], variable: str) -> bool:
    value = value_of(environ, variable).strip()
    if value not in ("", "0", "1"):
        raise SettingsError(f"{variable} is “{value}”: set it to 1 to allow changes, or leave it unset.")
    return value == "1"
