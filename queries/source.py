"""Where records come from: settings, Store, clients of Lambda and IAM, class list. Each opened once a process."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING

from data import roster
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Store, TableFacts
from data.roster import Roster
from data.schema import Table
from data.settings import Settings
from queries.once import Once

if TYPE_CHECKING:
    from data.provisioning.lambdas import Clients


def settings() -> Settings:
    """The settings; SettingsError when a variable cannot be used."""
    return Settings.read(os.environ)


def open_store(chosen: Settings) -> Store:
    """A new Store for these settings; Failure when it cannot be opened."""
    if chosen.source == "aws":
        return Store.open(chosen)
    from data.demo.engine import open_demo  # noqa: PLC0415 - who reads real tables does without it

    # The demo's start is this computer's work, which may be slow.
    with budget.lifted():
        return open_demo(chosen)


def open_clients(of: Store) -> "Clients":
    """Clients of Lambda and IAM beside a Store; Failure when they cannot be had."""
    # Only Setup asks for them.
    if of.settings.source == "aws":
        from data.provisioning.lambdas import Clients  # noqa: PLC0415

        return Clients.open(of)
    from data.demo.engine import open_demo_clients  # noqa: PLC0415

    with budget.lifted():
        return open_demo_clients(of)


store = Once(lambda: open_store(settings()))
"""The Store that all visitors share."""
clients: "Once[Clients]" = Once(lambda: open_clients(store()))
"""Clients of Lambda and IAM beside it."""
_OPENED = (store, clients)


def close() -> None:
    """Open the Store and the clients anew next time."""
    for opened in _OPENED:
        opened.forget()


def start() -> None:
    """Have the demo's engine running, whoever starts it: who waits for another visitor's start has time left too."""
    if settings().source == "demo":
        with budget.lifted():
            store()


def account() -> str:
    """The account that the credentials belong to, asked of AWS each time, because a change depends on it."""
    from data.provisioning.lambdas import caller_account  # noqa: PLC0415 - only Setup asks

    return caller_account(store())


def facts(table: Table) -> TableFacts:
    """What DescribeTable says of a table, at most five minutes old."""
    return store().facts(table)


def reopen_after(failure: Failure) -> None:
    """After a failure about credentials or region, look for them anew next time: a file may have newer ones then."""
    if failure.kind in ("credentials", "expired", "region"):
        close()


def class_list() -> Roster:
    """The server's roster: the file's, the demo's own, or an empty one; RosterError when the file cannot be used."""
    chosen = settings()
    if not chosen.roster:
        return _demo_roster() if chosen.source == "demo" else Roster()
    try:
        saved_at = os.stat(chosen.roster).st_mtime_ns
    except OSError:
        saved_at = 0  # reading it will say what is wrong
    return _roster_file(chosen.roster, saved_at)


@lru_cache(maxsize=2)
def _roster_file(path: str, saved_at: int) -> Roster:
    del saved_at  # part of the key: a file that was saved again is read again
    return roster.read(path)


@lru_cache(maxsize=1)
def _demo_roster() -> Roster:
    from data.demo import sample  # noqa: PLC0415 - who reads real tables does without it

    return roster.parse(sample.roster().encode())
