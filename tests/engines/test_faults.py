"""Faults at every call of a whole run: throttled, denied, failing; once and from then on in turn.

Each call meets each kind, and each of its two ways with some kind: all six pairs at every call take twice as long.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, get_args

import boto3
import pytest

from data.demo.engine import write
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.apply import Clock, Event, State, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Step
from data.provisioning.lambdas import proofs
from data.provisioning.plan import plan
from data.schema import EVALUATIONS, FLASHCARD_SETS
from data.settings import Settings
from tests.support.accounts import FOREIGN_TAG, SECRETS, Wire, bare_request, deploy, record, refusal, reply, watching
from wording import failures

FAULTS = {
    "throttled": ("ThrottlingException", 400),
    "denied": ("AccessDeniedException", 403),
    "failing": ("InternalServerError", 500),
}
ENDS = {"done", "already", "failed", "skipped", "not_offered"}
WRITING = "Writing evaluator"


@dataclass
class Account:
    """An old table of evaluations, no flashcard sets, one Lambda that names another table; within this process."""

    store: Store
    clients: Clients

    def steps(self) -> tuple[Step, ...]:
        """All that is planned now."""
        compared = plan(self.store)
        return (*compared.steps, *(s for p in proofs(self.store, self.clients, compared.checks) for s in p.steps))

    def run(self, steps: tuple[Step, ...]) -> Iterator[Event]:
        """Apply them without waiting for anything."""
        clock = Clock(sleep=lambda _: None, patience_seconds=120)
        return apply(self.store, steps, who="", clock=clock, clients=self.clients)


pytestmark = pytest.mark.slow


@pytest.fixture
def account(mocked_aws: None, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An account that is made anew, by make()."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    settings = replace(
        Settings.read({"BANDUP_SOURCE": "aws", "AWS_REGION": "us-east-1"}), allow_changes=True, endpoint=None
    )
    session = boto3.Session(region_name="us-east-1")
    roles = session.client("iam")
    # moto has no such operation.
    roles.meta.events.register("before-call.iam.SimulatePrincipalPolicy", lambda **_: reply(EvaluationResults=[]))
    return Account(Store.open(settings), Clients(session.client("lambda"), roles))


def make(account: Account, number: int) -> Account:
    """The account as it was, under names that are not taken."""
    old = account.store.settings
    names = tuple(f"{kind}-{number}" for kind in ("writing", "speaking", "flashcards"))
    settings = replace(old, evaluations=f"evaluations-{number}", flashcard_sets=f"sets-{number}", functions=names)
    fresh = Account(Store(settings, account.store.client), account.clients)
    fresh.store.client.create_table(**bare_request(EVALUATIONS, settings.evaluations, Tags=[FOREIGN_TAG]))
    write(fresh.store.client, settings.evaluations, [record(EVALUATIONS, n) for n in range(3)])
    deploy(fresh.store, fresh.clients, {WRITING: "elsewhere"})
    return fresh


def clean_up(account: Account) -> None:
    """moto looks through all it holds for some calls; what is no longer needed only makes it slower."""
    client, settings = account.store.client, account.store.settings
    for name in (settings.evaluations, settings.flashcard_sets):
        client.update_table(TableName=name, DeletionProtectionEnabled=False)
        client.delete_table(TableName=name)
    for name in settings.functions:
        account.clients.functions.delete_function(FunctionName=name)


def fault_at(wire: Wire, number: int, code: str, status: int, for_good: bool) -> Counter[str]:
    """Let the n-th call fail; for good: each later call of that operation as well. Counts what failed."""
    injected: Counter[str] = Counter()
    calls = [0]
    target: list[str] = []

    def answer(operation: str) -> Any:
        calls[0] += 1
        if calls[0] == number:
            target.append(operation)
        if calls[0] == number or (for_good and operation in target):
            injected[operation] += 1
            return refusal(code, status)
        return None

    wire.answer = answer
    return injected


def whole_run(account: Account) -> list[str]:
    """The calls of a run without faults."""
    fresh = make(account, 0)
    planned = fresh.steps()
    with watching(fresh.store.client, fresh.clients.functions, fresh.clients.roles) as wire:
        events = list(fresh.run(planned))
    assert [step.action for step in planned] == [
        *("billing", "tags", "pitr"),
        *("create", "pitr"),
        *("index", "index", "protect"),
        "protect",
        "variable",
    ]
    assert {event.state for event in events} == {"running", "done"}
    clean_up(fresh)
    return wire.operations


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_any_call_ends_in_a_sentence_and_a_second_run_converges(
    account: Account, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, status = FAULTS[kind]
    calls = whole_run(account)
    refused = Counter[str]()
    ended = Counter[str]()
    for number in range(1, len(calls) + 1):
        for_good = bool((number + list(FAULTS).index(kind)) % 2)
        fresh = make(account, number)
        planned = fresh.steps()
        last: dict[Step, Event] = {}
        with watching(fresh.store.client, fresh.clients.functions, fresh.clients.roles) as wire:
            injected = fault_at(wire, number, code, status, for_good)
            try:
                for event in fresh.run(planned):
                    assert event.state in get_args(State)
                    last[event.step] = event
                stopped = None
            except Failure as failure:
                # Only where the account could not be compared with the plan: before anything was done.
                stopped = failure
                assert wire.changes == [operation for operation in wire.changes if "Simulate" in operation]
        assert injected
        refused += injected
        operation = next(iter(injected))
        if stopped is None:
            assert set(last) == set(planned), f"{operation}, call {number}: a step has no end"
            assert {event.state for event in last.values()} <= ENDS
        messages = [stopped] if stopped else [e.message for e in last.values() if e.state == "failed"]
        ended[("stopped" if stopped else "failed") if messages else "mended itself"] += 1
        service = "lambda" if "Function" in operation else "iam" if "Simulate" in operation else "dynamodb"
        if kind == "denied" and messages:
            assert all(f"Add the action {service}:{operation} on " in failures.sentences(one) for one in messages)
        if kind != "denied" and not for_good and not stopped:
            assert messages == [], f"{operation}, call {number}: one fault that passes should not end a step"
        for sentence in map(failures.sentences, messages):
            assert "Traceback" not in sentence
            assert not any(secret in sentence for secret in SECRETS.values() if secret)
        for event in fresh.run(fresh.steps()):
            assert event.state in ("running", "waiting", "done", "already")
        assert fresh.steps() == ()
        assert {check.level for check in plan(fresh.store).checks} == {"ok"}
        assert fresh.store.client.scan(TableName=fresh.store.settings.evaluations)["Count"] == 3
        variables = fresh.clients.functions.get_function_configuration(FunctionName=fresh.store.settings.functions[0])
        right = {EVALUATIONS.variable: fresh.store.settings.evaluations}
        assert variables["Environment"]["Variables"] == {**SECRETS, **right}
        clean_up(fresh)
    with capsys.disabled():
        print(
            f"\n{kind}: injected at each of {len(calls)} calls ({refused.total()} answers), "
            f"of {len(set(calls))} operations: {dict(ended)}"
        )


def test_the_faults_reach_every_operation_that_changes_something(account: Account) -> None:
    assert set(whole_run(account)) >= {
        "CreateTable",
        "UpdateTable",
        "TagResource",
        "UpdateContinuousBackups",
        "UpdateFunctionConfiguration",
        "GetFunctionConfiguration",
        "DescribeTable",
        "ListTagsOfResource",
        "DescribeContinuousBackups",
    }
    assert FLASHCARD_SETS.variable != EVALUATIONS.variable
