"""`python -m bandup setup --apply` killed at every change it makes and after every line, stopped, run twice at once.

The account is a moto in a process of its own, which survives. Between it and the victim stands a door that counts the
changes and sends the victim a signal either before the n-th change got through, or after it, before the answer.
"""

import http.client
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from data.demo.engine import write
from data.dynamodb.client import Store
from data.provisioning.apply import apply
from data.provisioning.clients import Clients
from data.provisioning.plan import plan
from data.schema import EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, TABLES
from data.settings import Settings
from tests.support import browser, engines
from tests.support.accounts import INSTANT, SECRETS, bare_request, contents, deploy, make_old, record

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
RECORDS = 30
# billing, tags, pitr, two indexes, protection of the old table; create, pitr, protect of the new; three variables
CHANGES = 12
APPLIED = 3
"""The exit code of a run that leaves nothing to do: moto simulates no policy, so the three roles stay unchecked."""
_READS = ("Describe", "List", "Get", "Scan", "Simulate")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of moto in a process that nobody kills."""
    with engines.running("moto") as url:
        yield url


@pytest.fixture(autouse=True)
def beside(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda and IAM are where the tables are."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)


def _environ(names: dict[str, str]) -> dict[str, str]:
    """What the command runs with, but for its endpoint."""
    return {
        "PATH": os.environ["PATH"],
        "NO_PROXY": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        "BANDUP_ENV_FILE": os.devnull,
        "BANDUP_SOURCE": "aws",
        "BANDUP_ALLOW_CHANGES": "1",
        "AWS_REGION": engines.REGION,
        **{key.upper(): value for key, value in engines.CREDENTIALS.items()},
        **names,
    }


@dataclass
class Account:
    """An account of names of its own: an old filled table, no second table, three Lambdas that name another table."""

    url: str
    environ: dict[str, str]
    store: Store
    clients: Clients

    @classmethod
    def make(cls, url: str) -> "Account":
        suffix = uuid.uuid4().hex[:8]
        names = {f.variable: f"{f.variable[7:14].lower()}-{suffix}" for f in FUNCTIONS}
        tables = {EVALUATIONS.variable: f"evaluations-{suffix}", FLASHCARD_SETS.variable: f"sets-{suffix}"}
        environ = {**_environ({**tables, **names}), "AWS_ENDPOINT_URL": url}
        store = Store.open(Settings.read(environ), **engines.CREDENTIALS)
        clients = Clients.open(store, **engines.CREDENTIALS)
        deploy(store, clients, {f.label: "elsewhere" for f in FUNCTIONS})
        return cls(url, environ, store, clients)

    def age(self) -> list[Any]:
        """Give it the old table; its contents."""
        name = self.store.settings.evaluations
        self.store.client.create_table(**bare_request(EVALUATIONS, name, Tags=[{"Key": "Owner", "Value": "ops"}]))
        write(self.store.client, name, [record(EVALUATIONS, n) for n in range(RECORDS)])
        return contents(self.store, EVALUATIONS)

    def start(self, url: str | None = None) -> "subprocess.Popen[str]":
        """The command, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "bandup", "setup", "--apply"],
            cwd=ROOT,
            env={**self.environ, **({"AWS_ENDPOINT_URL": url} if url else {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def is_in_sync(self) -> None:
        """Tables, tags, PITR, indexes, protection, and the Lambdas' variables with every secret beside them."""
        assert {check.level for check in plan(self.store).checks} == {"ok"}
        for function, name in zip(FUNCTIONS, self.store.settings.functions, strict=True):
            outputs = self.clients.functions.get_function_configuration(FunctionName=name)
            right = {function.table.variable: self.store.settings.name(function.table)}
            assert outputs["Environment"]["Variables"] == {**SECRETS, **right}


class Door(ThreadingHTTPServer):
    """Passes requests on to the account; at the n-th change `victim` gets a signal: before it got through, or after."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, url: str, number: int, moment: str, signal: int = signal.SIGKILL) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.account, self.number, self.moment, self.signal = urlsplit(url).netloc, number, moment, signal
        self.victim: subprocess.Popen[str] | subprocess.Popen[bytes] | None = None
        self.changes = 0
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """The victim is dead: nobody is there to answer to."""


class Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self.headers.get("X-Amz-Target", "").partition(".")[2]
        is_change = self.command == "PUT" or bool(operation and not operation.startswith(_READS))
        self.server.changes += is_change
        deadly = is_change and self.server.changes == self.server.number and self.server.victim
        if deadly and self.server.moment == "before":
            deadly.send_signal(self.server.signal)
            deadly.wait()
            return
        onward = http.client.HTTPConnection(self.server.account)
        onward.request(self.command, self.path, body, dict(self.headers))
        answer = onward.getresponse()
        content = answer.read()
        if deadly:
            deadly.send_signal(self.server.signal)
            deadly.wait()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:
        """Not onto the tests' output."""


def repeat(account: Account, before: list[Any]) -> None:
    """Run it again to the end: in sync, and nothing lost."""
    second = account.start()
    out, err = second.communicate(timeout=60)
    assert second.returncode == APPLIED, out + err
    assert out.splitlines()[-1].startswith("could not be checked: 3 things could not be checked: ")
    assert " · Role" in out.splitlines()[-1]
    account.is_in_sync()
    assert contents(account.store, EVALUATIONS) == before


def killed(account: Account, door: Door) -> Door:
    """A run of apply through the door, which kills it."""
    first = account.start(door.url)
    door.victim = first
    first.communicate(timeout=60)
    door.shutdown()
    door.server_close()
    assert first.returncode == -signal.SIGKILL
    return door


def killed_at_a_change(url: str, number: int, moment: str) -> int:
    """How many changes were seen when it was killed; a run that ends before has one exit code, APPLIED."""
    account = Account.make(url)
    before = account.age()
    door = killed(account, Door(url, number, moment))
    assert door.changes == number
    repeat(account, before)
    return door.changes


def test_killed_at_every_change_and_run_again_it_ends_in_sync_and_loses_nothing(server: str) -> None:
    # Before the n+1st change the account is as it is after the n-th; so it is killed before the first one only.
    cases = [(1, "before"), *((number, "after") for number in range(1, CHANGES + 1))]
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda case: killed_at_a_change(server, *case), cases))
    assert len(seen) == CHANGES + 1
    print(f"killed {len(seen)} times, before the first and after each of {CHANGES} changes")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_during_a_step_it_says_so_and_run_again_it_does_what_is_left(server: str, number: int) -> None:
    account = Account.make(server)
    before = account.age()
    door = Door(server, 3, "after", number)
    door.victim = account.start(door.url)
    out, err = door.victim.communicate(timeout=60)
    door.shutdown()
    door.server_close()
    assert door.victim.returncode == 1
    step = out.splitlines()[-1].removeprefix("running      ")
    assert (
        err.splitlines()[-1]
        == f"Stopped during “{step}”, which AWS may still finish. Run it again: it does what is left."
    )
    assert "Traceback" not in err
    (line,) = (line for line in err.splitlines() if f" · {step} · left " in line)
    assert "terminal user" in line
    repeat(account, before)


@pytest.mark.usefixtures("chromium")
def test_a_dashboard_that_is_stopped_while_it_applies_says_so_in_its_log_and_the_next_one_plans_what_is_left(
    server: str, tmp_path: Path
) -> None:
    account = Account.make(server)
    door, log = Door(server, 3, "after", signal.SIGTERM), tmp_path / "log"
    with (
        browser.serving({**account.environ, "AWS_ENDPOINT_URL": door.url}, log=log) as running,
        browser.visiting(running.url) as visitor,
    ):
        door.victim = running.process
        visitor.open("/setup")
        visitor.page.get_by_role("button", name="Apply").click()
        assert running.process.wait(60) == 0
    output = log.read_text()
    assert "Stopping" in output
    assert "Traceback" not in output
    steps = re.findall(r"not signed in · (.+?) · (begun|done)", output)
    assert [state for _, state in steps] == ["begun", "done", "begun", "done", "begun"]
    with browser.dashboard(account.environ) as url, browser.visiting(url) as visitor:
        visitor.open("/setup")
        for step, _ in steps:
            assert visitor.page.get_by_text(step, exact=True).count() == 0, step
        visitor.page.get_by_role("button", name="Apply").click()
        visitor.sees("Last run:")
    account.is_in_sync()


def test_killed_amid_the_alarms_of_a_table_and_run_again_it_sets_the_rest(server: str) -> None:
    account = Account.make(server)
    topics, alarms = (
        boto3.client(name, engines.REGION, endpoint_url=server, **engines.CREDENTIALS)  # type: ignore[call-overload]
        for name in ("sns", "cloudwatch")
    )
    account.environ["BANDUP_ALARM_TOPIC"] = topics.create_topic(Name="alerts")["TopicArn"]
    before_them = 9  # two tables with recovery and protection, three variables
    killed(account, Door(server, before_them + 7, "after"))

    def number() -> int:
        settings = account.store.settings
        names = (settings.evaluations, settings.flashcard_sets, *settings.functions)
        return sum(len(alarms.describe_alarms(AlarmNamePrefix=name)["MetricAlarms"]) for name in names)

    assert number() == 7
    second = account.start()
    out, err = second.communicate(timeout=60)
    # Nobody has subscribed to the topic.
    assert second.returncode == 2, out + err
    assert out.splitlines()[-1].startswith("broken: 1 problem, 3 things could not be checked: alerts · Alarm topic")
    assert "Set 3 alarms of" in out
    assert number() == 26
    account.is_in_sync()


def test_killed_after_each_step_s_line_again_and_again_it_ends_in_sync_and_loses_nothing(server: str) -> None:
    account = Account.make(server)
    before = account.age()
    killed: list[str] = []
    while True:
        process = account.start()
        assert process.stdout
        last = next((line for line in process.stdout if line.startswith("done ")), None)
        if last is None:
            process.communicate()
            break
        killed.append(last)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == APPLIED
    account.is_in_sync()
    assert contents(account.store, EVALUATIONS) == before
    # The step after the line may have been sent before the kill came; but no step is ever said to be done twice.
    assert CHANGES / 2 <= len(set(killed)) == len(killed) <= CHANGES
    print(f"killed {len(killed)} times in a row, after the line of a step")


def test_it_makes_exactly_the_changes_at_which_it_was_killed(server: str) -> None:
    account = Account.make(server)
    before = account.age()
    door = Door(server, 0, "never")
    whole = account.start(door.url)
    out, err = whole.communicate(timeout=60)
    door.shutdown()
    door.server_close()
    assert whole.returncode == APPLIED, out + err
    assert door.changes == CHANGES
    assert out.count("\ndone ") == CHANGES
    account.is_in_sync()
    assert contents(account.store, EVALUATIONS) == before


def both(account: Account) -> None:
    """Start it twice at once; both end as they should."""
    processes = [account.start() for _ in range(2)]
    outputs = [(process.communicate(timeout=90), process.returncode) for process in processes]
    for (out, err), code in outputs:
        # The one that comes too late with its plan does nothing, and says so.
        assert code in (0, APPLIED) or (code == 1 and "has changed since this plan was made" in err), f"{out}\n{err}"
    assert any(code in (0, APPLIED) for _, code in outputs)


def test_two_at_once_from_nothing_do_no_damage_and_end_in_sync(server: str) -> None:
    account = Account.make(server)
    both(account)
    repeat(account, [])


def test_two_at_once_on_an_old_table_do_no_damage_and_end_in_sync(changeable: Store) -> None:
    # Not on moto: of two UpdateTable at once, it takes the attribute definitions of the last; AWS refuses that one.
    make_old(changeable, 300, tags=False)
    before = {table: contents(changeable, table) for table in TABLES}
    settings = changeable.settings
    named = {table.variable: settings.name(table) for table in TABLES}
    url = str(settings.endpoint)
    environ = {**_environ(named), "AWS_ENDPOINT_URL_DYNAMODB": url}
    clients: Any = None
    account = Account(url, environ, changeable, clients)
    both(account)
    assert plan(changeable).steps == ()
    assert {check.level for check in plan(changeable).checks} <= {"ok", "not_offered"}
    assert {table: contents(changeable, table) for table in TABLES} == before


def test_two_that_are_applied_in_turns_step_by_step_agree(account: Store) -> None:
    make_old(account, 20)
    account.client.delete_table(TableName=account.settings.flashcard_sets)
    before = contents(account, EVALUATIONS)
    other = Store.open(account.settings, **engines.CREDENTIALS)
    planned = plan(account).steps
    turns = [iter(apply(store, planned, who="test", clock=INSTANT)) for store in (account, other)]
    ended: list[dict[str, str]] = [{}, {}]
    while turns:
        for number, events in enumerate(list(turns)):
            event = next(events, None)
            if event is None:
                turns.remove(events)
            else:
                ended[number][event.step.what] = event.state
    # The check for a changed account was passed by both before either began, so both try every step.
    for states in ended:
        assert len(states) == len(planned)
        assert set(states.values()) <= {"done", "already"}
    assert {check.level for check in plan(account).checks} == {"ok"}
    assert contents(account, EVALUATIONS) == before
    for table in TABLES:
        tags = account.client.list_tags_of_resource(
            ResourceArn=account.client.describe_table(TableName=account.settings.name(table))["Table"]["TableArn"]
        )["Tags"]
        assert {tag["Key"] for tag in tags} >= set(table.tags)
