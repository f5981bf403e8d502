"""Loads the sample into an empty engine, such as DynamoDB Local, for trying things out. Never into AWS."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from bandup.terminal import say
from data import environment
from data.demo.engine import fill
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.dynamodb.scan import is_empty
from data.provisioning.apply import apply
from data.provisioning.plan import plan
from data.schema import TABLES, Table
from data.settings import ENDPOINTS, Settings, SettingsError, endpoint_url
from wording import account, failures

_TO = "--to"
_ABOUT = "Load the demo's invented students into an empty engine, such as DynamoDB Local."
_EPILOG = (
    "Tables that are missing are made. Nothing is written where a table has a record, or where the endpoint may be "
    "AWS. Table names, region and credentials are those of the dashboard. Exit code: 0 loaded, 1 an error or a wrong "
    "use."
)


class _Refused(Exception):
    """Why nothing was written; a sentence."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command and its options."""
    parser = commands.add_parser("demo", help=_ABOUT, description=_ABOUT, epilog=_EPILOG)
    parser.add_argument(_TO, required=True, metavar="ENDPOINT", help="its URL, http://127.0.0.1:8000 for example")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run with these options; the exit code."""
    try:
        for line in _load(_settings(options.to)):
            say(line)
    except (SettingsError, _Refused) as error:
        message = str(error)
    except Failure as failure:
        message = failures.sentences(failure, "terminal")
    else:
        return 0
    say(message, is_problem=True)
    return 1


def _settings(endpoint: str) -> Settings:
    """The dashboard's settings, for this endpoint whatever they say of one."""
    environment.load(os.environ)
    others = {name: value for name, value in os.environ.items() if name not in ENDPOINTS}
    settings = Settings.read({**others, "BANDUP_SOURCE": "aws"})
    # That changes are allowed is for real tables, which these are not: see `_load`.
    return replace(settings, endpoint=endpoint_url(endpoint, _TO), allow_changes=True)


def _load(settings: Settings) -> Iterator[str]:
    """Make what is missing, fill it, and say so."""
    store = Store.open(settings)
    if store.real_aws:
        raise _Refused(f"{store.client.meta.endpoint_url} may be AWS, where nothing is loaded. Give an emulator's URL.")
    for table in TABLES:
        if not _is_empty(store, table):
            raise _Refused(
                f"{settings.name(table)} has records, so nothing was written. Use an engine without them, or other "
                f"tables: {' and '.join(table.variable for table in TABLES)} name them."
            )
    required = [step for step in plan(store).steps if step.required]
    for event in apply(store, required, who=""):
        if event.state in ("failed", "skipped"):
            raise _Refused(f"{event.step.what}: {account.message(event, 'terminal')}")
        if event.state == "done":
            yield f"done: {event.step.what}"
    for table, count in fill(store, datetime.now(UTC)).items():
        yield f"{count:,} records written to {settings.name(table)}"


def _is_empty(store: Store, table: Table) -> bool:
    try:
        return is_empty(store, table)
    except Failure as failure:
        if failure.kind == "missing":
            return True
        raise
