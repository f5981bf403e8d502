"""Where records come from: settings, Store, clients of Lambda and IAM, class list. Each opened once a process."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from data import roster
from data.dynamodb import budget
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.facts import TableFacts
from data.roster import Roster, RosterError
from data.schema import FUNCTIONS, Table
from data.settings import Settings
from queries.once import Once

if TYPE_CHECKING:
    from data.provisioning.clients import Clients


def settings() -> Settings:
    """The settings; SettingsError when a variable cannot be used."""
    return Settings.read(os.environ)


def open_store(of: Settings) -> Store:
    """A new Store for these settings; Failure when it cannot be opened."""
    if of.source == "aws":
        return Store.open(of)
    from data.demo.engine import open_demo  # noqa: PLC0415 - who reads real tables does without it

    # The demo's start is this computer's work, which may be slow.
    with budget.lifted():
        return open_demo(of)


def open_clients(of: Store) -> "Clients":
    """Clients of Lambda and IAM beside a Store; Failure when they cannot be had."""
    if of.settings.source == "aws":
        from data.provisioning.clients import Clients  # noqa: PLC0415 - only Setup asks for them

        return Clients.open(of)
    from data.demo.engine import open_demo_clients  # noqa: PLC0415 - who reads real tables does without it

    with budget.lifted():
        return open_demo_clients(of)


store = Once(lambda: open_store(settings()))
"""The Store that all visitors share."""
_clients: "Once[Clients | Failure]" = Once(lambda: _clients_or_none())  # noqa: PLW0108 - it is defined below
_OPENED = (store, _clients)


def clients() -> "Clients":
    """Clients of Lambda and IAM beside the Store, shared too; Failure when they cannot be had."""
    opened = _clients()
    if isinstance(opened, Failure):
        raise opened.to_keep()
    return opened


def _clients_or_none() -> "Clients | Failure":
    try:
        return open_clients(store())
    except Failure as failure:
        if failure.kind != "not_offered":
            raise
        return failure.to_keep()  # an endpoint stays what it is, and each look has botocore read megabytes anew


def close() -> None:
    """Open the Store and the clients anew next time."""
    for opened in _OPENED:
        opened.forget()
    log_group.cache_clear()


def start() -> None:
    """Have the demo's engine running, whoever starts it: who waits for another visitor's start has time left too."""
    if settings().source == "demo":
        with budget.lifted():
            store()


def account() -> str:
    """The account that the credentials belong to, asked of AWS each time, because a change depends on it."""
    from data.provisioning.place import account_of  # noqa: PLC0415 - only Setup asks

    current = store()
    current.forget()
    return account_of(current)


@lru_cache(maxsize=len(FUNCTIONS))
def log_group(function: str) -> str:
    """The log group that a Lambda writes to. A Failure is not kept."""
    from data.provisioning import lambdas  # noqa: PLC0415 - only a job's page asks

    return lambdas.log_group(clients(), function)


def facts(table: Table) -> TableFacts:
    """What DescribeTable says of a table, at most five minutes old."""
    return store().facts(table)


def scan_cost(table: Table) -> Cost | None:
    """What reading the whole table once is going to cost; None while DynamoDB has not counted its size."""
    size = facts(table)
    return size.scan_cost if size.size_bytes else None


def batch_cost(records: Mapping[Table, int]) -> Cost | None:
    """What reading so many whole records of these tables is going to cost; None where the size of one is unknown."""
    costs = [facts(table).batch_cost(number) for table, number in records.items() if number]
    counted = [cost for cost in costs if cost]
    return sum(counted, Cost()) if len(counted) == len(costs) else None


def reopen_after(failure: Failure) -> None:
    """After a failure about credentials or region, look for them anew next time: a file may have newer ones then."""
    if failure.kind in ("credentials", "expired", "region"):
        close()


def class_list(classes: frozenset[str] | None = None) -> Roster:
    """The server's roster: the file's, the demo's own, or an empty one; RosterError when the file cannot be used.

    With `classes`, the students of these alone. As long as the file stays as it is, it is the same object each time, so
    that what is worked out with it need not be worked out anew.
    """
    current = settings()
    if not current.roster:
        return _demo_roster(classes, datetime.now(UTC).date()) if current.source == "demo" else NO_ROSTER
    try:
        state = os.stat(current.roster)
    except OSError:
        # Reading it says what is wrong, or it is there by now; kept, it would be answered with as often as it is gone.
        whole = roster.read(current.roster)
        return whole if classes is None else whole.only(classes)
    saved = state.st_mtime_ns, state.st_size, state.st_ino
    return _whole(current.roster, saved) if classes is None else _part(current.roster, saved, classes)


NO_ROSTER = Roster()
"""Where there is no class list."""


_reading = Lock()


def _whole(path: str, saved: tuple[int, int, int]) -> Roster:
    with _reading:  # once for all who ask meanwhile
        answer = _roster_file(path, saved)
    if isinstance(answer, RosterError):
        raise answer.with_traceback(None)
    return answer


@lru_cache(maxsize=2)
def _roster_file(path: str, saved: tuple[int, int, int]) -> Roster | RosterError:
    """What the file holds, or why it cannot be used: a large one is not read again at every click for that."""
    del saved  # part of the key: a file that was saved again is read again
    try:
        return roster.read(path)
    except RosterError as error:
        if isinstance(error.__cause__, OSError):
            raise  # it may be there or be read again in a moment, saved when it was before
        return error


@lru_cache(maxsize=64)
def _part(path: str, saved: tuple[int, int, int], classes: frozenset[str]) -> Roster:
    return _whole(path, saved).only(classes)


@lru_cache(maxsize=8)
def _demo_roster(classes: frozenset[str] | None, today: date) -> Roster:
    from data.demo import sample  # noqa: PLC0415 - who reads real tables does without it

    if classes is not None:
        return _demo_roster(None, today).only(classes)
    return roster.parse(sample.roster(datetime.combine(today, time(), UTC)).encode())
