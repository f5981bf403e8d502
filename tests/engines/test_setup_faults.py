"""Whatever one call answers in place of what it should, Setup never says "in sync": every kind of call, every fault.

The command is asked about all of them, the page about each call and each fault, in other pairs.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from bandup import setup
from bandup.__main__ import main
from data.dynamodb import budget
from data.dynamodb.client import Store
from data.provisioning.apply import apply
from data.provisioning.clients import Clients
from data.provisioning.plan import plan
from data.schema import FUNCTIONS, TABLES
from queries import source
from tests.support import engines, proxy
from tests.support.accounts import INSTANT, PLANNING, deploy, simulation
from tests.support.app import show, words
from tests.support.proxy import Asked, Proxy, Reply, Rule

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, dict[str, Any]]]
SIMULATE = proxy.operation("SimulatePrincipalPolicy")


def empty(_: Asked, engine: Callable[[], Reply]) -> Reply:
    """An answer of the right kind that holds nothing."""
    reply = engine()
    return replace(reply, body=b"<Response/>" if reply.body.startswith(b"<") else b"{}")


def sign_in_page(*_: Any) -> Reply:
    """What a network that wants a sign-in first answers to everything."""
    return Reply(200, b"<!DOCTYPE html><html><body><p>Welcome</p></body></html>", {"Content-Type": "text/html"})


def nothing(*_: Any) -> Reply:
    """An answer that ends before it began."""
    return Reply(200, b"", {"Content-Type": "application/x-amz-json-1.0"})


def muddled(_: Asked, engine: Callable[[], Reply]) -> Reply:
    """Every value of another type than it should be."""
    reply = engine()
    if reply.body.startswith(b"<"):
        return replace(reply, body=re.sub(rb">[^<>]+<", b"><odd/><", reply.body))
    body = re.sub(rb':\s*(true|false|[\d.]+|"[^"]*")', b': [["?"]]', reply.body)
    return replace(reply, body=body.replace(b"[]", b'"?"'))


@pytest.fixture
def door(account: Store, clients: Clients, moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """An account that is in sync with all its alarms, and the proxy through which the command reaches it."""
    settings = replace(account.settings, alarm_topic=f"arn:aws:sns:{engines.REGION}:{DEFAULT_ACCOUNT_ID}:a")
    name = f"alerts-{uuid.uuid4().hex[:8]}"
    watched = Store(replace(settings, alarm_topic=settings.alarm_topic[:-1] + name), account.client)
    opened = Clients.open(watched, **engines.CREDENTIALS)
    opened.topics.create_topic(Name=name)
    # moto counts no subscriptions.
    sns_backends[DEFAULT_ACCOUNT_ID][engines.REGION].topics[watched.settings.alarm_topic].subscriptions_confimed = 1
    deploy(account, clients)
    for name in watched.settings.functions:
        clients.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    list(apply(watched, plan(watched).steps, who="test", clock=INSTANT))
    list(apply(watched, plan(watched, clients=opened).steps, who="test", clock=INSTANT, clients=opened))
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    with proxy.in_front_of(moto) as running:
        for variable, value in {
            "BANDUP_SOURCE": "aws",
            "AWS_REGION": engines.REGION,
            "AWS_ENDPOINT_URL": running.url,
            "BANDUP_ALARM_TOPIC": watched.settings.alarm_topic,
            **{key.upper(): value for key, value in engines.CREDENTIALS.items()},
            **{table.variable: watched.settings.name(table) for table in TABLES},
            **{f.variable: name for f, name in zip(FUNCTIONS, watched.settings.functions, strict=True)},
        }.items():
            monkeypatch.setenv(variable, value)
        yield running


@pytest.fixture
def run(door: Proxy, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run it with these rules in front of the account: its exit code and its document."""
    store = setup.open_store(setup.read_settings())
    opened = setup.open_clients(store)
    # Opening clients takes longer than all that they are asked here.
    monkeypatch.setattr(setup, "open_store", lambda _: store)
    monkeypatch.setattr(setup, "open_clients", lambda _: opened)

    def go(*rules: Rule) -> tuple[int, dict[str, Any]]:
        store.forget()
        door.heal()
        door.rules[:] = [*rules, Rule(simulation(), SIMULATE)]
        capsys.readouterr()
        code = main(["setup", "--json"])
        return code, json.loads(capsys.readouterr().out)

    return go


FAULTS: dict[str, proxy.Fault] = {
    "denied": proxy.refusal("AccessDeniedException", proxy.denied, 403),
    "throttled": proxy.refusal("ThrottlingException", "Rate exceeded"),
    "not offered": proxy.refusal("UnknownOperationException", "?"),
    "failing": proxy.plain(500),
    "hanging": proxy.hang(60),
    "broken off": proxy.reset,
    "half": proxy.truncated,
    "empty": empty,
    "nothing": nothing,
    "sign-in page": sign_in_page,
    "muddled": muddled,
}


OPERATIONS = PLANNING | {"GetTopicAttributes", "DescribeAlarms"}
PROPER = {("empty", "GetFunctionConcurrency")}
"""What AWS itself may answer: no limit."""


def test_no_call_that_fails_leaves_the_account_in_sync(door: Proxy, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code, document = run()
    assert (code, document["verdict"]) == (0, "in sync"), document["problems"]
    calls = list(door.asked)
    # What AWS offers and something in between does not.
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    operations = [call.operation for call in calls]
    assert set(operations) == OPERATIONS
    twice = ("DescribeTable", "SimulatePrincipalPolicy")  # asked for two reasons
    for name, fault in FAULTS.items():
        monkeypatch.setattr(budget, "CALL_SECONDS", 1.0 if name == "hanging" else 12.0)
        for place, call in enumerate(calls):
            is_last = call.operation not in operations[place + 1 :]
            if call.operation in operations[:place] and not (is_last and call.operation in twice):
                continue  # the first of its kind stands for all
            if (name, call.operation) in PROPER:
                continue
            code, document = run(Rule(instead(fault, call), same(call), skip=calls[:place].count(call)))
            assert code in (1, 3), (name, call, code, document["headline"])
            assert document["verdict"] in ("could not be checked", "error"), (name, call, document["headline"])


def instead(fault: proxy.Fault, call: Asked) -> proxy.Fault:
    """The fault, made of IAM's answer where that is asked for: the engine has none."""
    if not SIMULATE(call):
        return fault
    return lambda asked, engine: fault(asked, lambda: simulation()(asked, engine))


def same(call: Asked) -> Callable[[Asked], bool]:
    return lambda asked: asked == call


def test_no_call_that_fails_leaves_the_page_green(
    door: Proxy, run: Run, use: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    store, clients = setup.open_store(setup.read_settings()), setup.open_clients(setup.read_settings())
    use(store)
    monkeypatch.setattr(source, "clients", lambda: clients)
    app = show("pages/setup.py")
    assert "Up to date" in words(app)
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    names = list(FAULTS)
    first = {call.operation: call for call in reversed(door.asked) if call.operation in OPERATIONS}
    pairs = [
        (names[(place + further) % len(names)], call)
        for place, call in enumerate(first.values())
        for further in (0, len(names) // 2)
    ]
    assert {name for name, _ in pairs} == set(names)
    assert set(first) == OPERATIONS
    assert not PROPER.intersection((name, call.operation) for name, call in pairs)
    for name, call in pairs:
        monkeypatch.setattr(budget, "CALL_SECONDS", 1.0 if name == "hanging" else 12.0)
        store.forget()
        door.heal()
        door.rules[:] = [Rule(instead(FAULTS[name], call), same(call)), Rule(simulation(), SIMULATE)]
        # Where there is no comparison, each run makes one.
        again = next((button.click() for button in app.button if button.label == "Re-check"), app)
        again.run(timeout=60)
        assert not app.exception, (name, call)
        assert "could not be" in words(app), (name, call)
        assert "Up to date" not in words(app), (name, call)
