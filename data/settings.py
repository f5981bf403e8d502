"""What the environment says: which source, which tables, what may be changed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, TABLES, Function, Table

DEMO_REGION = "us-east-1"

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_TABLE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,255}")
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_HOST = re.compile(r"[a-zA-Z0-9.-]+|[0-9a-fA-F:.]+")  # what boto3 takes: no underscores; IPv6 without its brackets
_AMAZON = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL")


class SettingsError(ValueError):
    """A variable's value cannot be used; the message is one sentence that names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The validated settings. `endpoint` is None for real AWS, `region` None when boto3 should find it."""

    source: Literal["demo", "aws"]
    evaluations: str
    flashcard_sets: str
    region: str | None
    endpoint: str | None
    allow_changes: bool
    functions: tuple[str, ...]
    roster: str | None = None

    def name(self, table: Table) -> str:
        """What `table` is called here."""
        return self.evaluations if table is EVALUATIONS else self.flashcard_sets

    @property
    def metered(self) -> bool:
        """Whether the engine's ConsumedCapacity means something (the demo's engine reports a constant)."""
        return self.source == "aws"

    @property
    def real_aws(self) -> bool:
        """Whether the tables are Amazon's, not those of an endpoint of one's own."""
        return self.source == "aws" and (
            self.endpoint is None or (urlsplit(self.endpoint).hostname or "").endswith(_AMAZON)
        )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Settings from environment variables; SettingsError names the first one that cannot be used."""
        source = environ.get("BANDUP_SOURCE", "demo").strip().lower()
        if source not in ("demo", "aws"):
            raise SettingsError(f"BANDUP_SOURCE is “{source}”: set it to demo or aws, or leave it unset for the demo.")
        names = {table.variable: _table_name(environ, table) for table in TABLES}
        if len(set(names.values())) < len(names):
            raise SettingsError(
                f"{EVALUATIONS.variable} and {FLASHCARD_SETS.variable} name the same table: they must differ."
            )
        is_aws = source == "aws"
        return cls(
            source="aws" if is_aws else "demo",
            evaluations=names[EVALUATIONS.variable],
            flashcard_sets=names[FLASHCARD_SETS.variable],
            # boto3 itself reads AWS_DEFAULT_REGION and profiles, but not AWS_REGION, which Lambda and the SDKs use.
            region=(environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")) if is_aws else DEMO_REGION,
            endpoint=_endpoint(environ) if is_aws else None,
            allow_changes=_switch(environ, "BANDUP_ALLOW_CHANGES") or not is_aws,
            functions=tuple(_function_name(environ, function) for function in FUNCTIONS),
            roster=environ.get("BANDUP_ROSTER", "").strip() or None,
        )


def _table_name(environ: Mapping[str, str], table: Table) -> str:
    name = environ.get(table.variable, table.default_name)
    if not _TABLE_NAME.fullmatch(name):
        raise SettingsError(
            f"{table.variable} is “{name}”: a DynamoDB table name has 3 to 255 letters, digits, dots, dashes or "
            "underscores."
        )
    return name


def _function_name(environ: Mapping[str, str], function: Function) -> str:
    name = environ.get(function.variable, function.default_name)
    if not _FUNCTION_NAME.fullmatch(name):
        raise SettingsError(
            f"{function.variable} is “{name}”: a Lambda function's name has 1 to 64 letters, digits, dashes or "
            "underscores."
        )
    return name


def _endpoint(environ: Mapping[str, str]) -> str | None:
    """The endpoint by boto3's own precedence. Empty is refused: boto3 would quietly go to real AWS."""
    for variable in _ENDPOINTS:
        if variable not in environ:
            continue
        value = environ[variable].strip()
        if not value:
            raise SettingsError(
                f"{variable} is set but empty: unset it to read from AWS, or give a URL such as http://127.0.0.1:8000."
            )
        try:
            parts = urlsplit(value)
            host, port = parts.hostname or "", parts.port
            usable = parts.scheme in ("http", "https") and port != 0 and bool(_HOST.fullmatch(host))
        except ValueError:
            usable = False
        if not usable:
            raise SettingsError(f"{variable} is “{value}”: give a whole URL such as http://127.0.0.1:8000.")
        return value
    return None


def _switch(environ: Mapping[str, str], variable: str) -> bool:
    value = environ.get(variable, "").strip()
    if value not in ("", "0", "1"):
        raise SettingsError(f"{variable} is “{value}”: set it to 1 to allow changes, or leave it unset.")
    return value == "1"
