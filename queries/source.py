"""Where records come from: settings, Store, clients of Lambda and IAM, class list. Each opened once a process."""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from data import roster
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Store, TableFacts
from data.roster import Roster
from data.schema import Table
from data.settings import Settings

if TYPE_CHECKING:
    from data.provisioning.lambdas import Clients

T = TypeVar("T")


class Opened(Generic[T]):
    """Something that is opened by whoever needs it first, and kept. Not kept when it cannot be opened."""

    def __init__(self, open_it: Callable[[], T]) -> None:
        self._open = open_it
        self._lock = threading.Lock()
        self._value: T | None = None

    def __call__(self) -> T:
        """The value, opened now if it is not there yet."""
        with self._lock:
            if self._value is None:
                self._value = self._open()
            return self._value

    def close(self) -> None:
        """Open it anew next time."""
        with self._lock:
            self._value = None


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


store = Opened(lambda: open_store(settings()))
"""The Store that all visitors share."""
clients: "Opened[Clients]" = Opened(lambda: open_clients(store()))
"""Clients of Lambda and IAM beside it."""
_OPENED = (store, clients)


def close() -> None:
    """Open the Store and the clients anew next time."""
    for opened in _OPENED:
        opened.close()


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


_class_lists: dict[tuple[str, int], Roster] = {}


def class_list() -> Roster:
    """The server's roster: the file's, the demo's own, or an empty one; RosterError when the file cannot be used."""
    chosen = settings()
    if not chosen.roster and chosen.source != "demo":
        return Roster()
    try:
        saved_at = os.stat(chosen.roster).st_mtime_ns if chosen.roster else 0
    except OSError:
        saved_at = 0  # reading it will say what is wrong
    version = (chosen.roster or "", saved_at)
    if version not in _class_lists:
        people = roster.read(chosen.roster) if chosen.roster else _demo_roster()
        _class_lists.clear()
        _class_lists[version] = people
    return _class_lists[version]


def _demo_roster() -> Roster:
    from data.demo import sample  # noqa: PLC0415 - who reads real tables does without it

    return roster.parse(sample.roster().encode())
