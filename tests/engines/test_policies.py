"""The policies against what the code really calls, and against the setup document's own."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.demo.engine import write
from data.demo.sample import SEED_EVALUATIONS, SEED_SET
from data.dynamodb.client import Store
from data.provisioning import drill, policies
from data.provisioning.apply import apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Target
from data.provisioning.lambdas import proofs
from data.provisioning.plan import look, plan
from data.provisioning.requests import create, create_request
from data.provisioning.restore import restore
from data.records import evaluations, flashcards, jobs, orphans
from data.records.jobs import Key
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from tests.support import engines
from tests.support.accounts import INSTANT, Wire, bare_request, deploy, make_old, reply, watching
from tests.support.app import show, words
from ui.shell.boundary import NOT_SHOWN

pytestmark = pytest.mark.slow


DEFAULTS = Settings.read({})
REGION, ACCOUNT = "ap-southeast-1", "123456789012"
# The statement of the document, filled in as it says: ${AWS_REGION}, ${AWS_ACCOUNT_ID}.
DOCUMENT = {
    "Sid": "DynamoDBAccess",
    "Effect": "Allow",
    "Action": ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query"],
    "Resource": [
        "arn:aws:dynamodb:ap-southeast-1:123456789012:table/bandup-evaluations",
        "arn:aws:dynamodb:ap-southeast-1:123456789012:table/bandup-flashcard-sets",
    ],
}
ALL = (policies.lambdas, policies.dashboard, policies.marking, policies.setup)
# One operation is one action, except: CreateTable with tags needs TagResource as well.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.Operations.html
OF_ALARMS = (*policies.SETUP_ALARM, *policies.SETUP_ALARMS, *policies.SETUP_TOPIC)
OTHERS = (*policies.SETUP_FUNCTION, *policies.SETUP_ROLE, *OF_ALARMS)
SERVICES = {action.partition(":")[2]: action for action in OTHERS}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


def actions(wire: Wire) -> set[str]:
    """What was sent, as IAM actions."""
    return {SERVICES.get(operation, f"dynamodb:{operation}") for operation in wire.operations}


def read_everything(store: Store, by_scan: bool = False) -> None:
    """Every read that a page makes."""
    now = datetime(2024, 12, 8, 12, tzinfo=UTC)
    evaluations.history(store, "user-456", by_scan=by_scan)
    flashcards.history(store, "user-456", by_scan=by_scan)
    if not by_scan:
        evaluations.period(store, now - timedelta(days=30), now)
    evaluations.get(store, "eval-abc123", "user-456")
    flashcards.get(store, "flashcard-set-123", "user-456")
    evaluations.find(store, "eval-abc123")
    flashcards.find(store, "flashcard-set-123")


def narrow(store: Store) -> None:
    """Both tables with indexes that carry nothing, so that the rest comes from the table; with the document's items."""
    for table in TABLES:
        request = create_request(table, store.settings.name(table))
        for index in request["GlobalSecondaryIndexes"]:
            index["Projection"] = {"ProjectionType": "KEYS_ONLY"}
        store.client.create_table(**request)
    write(store.client, store.settings.evaluations, [dict(item) for item in SEED_EVALUATIONS])
    write(store.client, store.settings.flashcard_sets, [dict(SEED_SET)])


@pytest.fixture
def read_store(dynoxide: str, new_settings: Callable[[str], Settings]) -> Store:
    """A Store over HTTP whose indexes are too narrow."""
    store = Store.open(new_settings(dynoxide), **engines.CREDENTIALS)
    narrow(store)
    return store


def test_the_dashboards_policy_is_what_its_reads_call(read_store: Store) -> None:
    with watching(read_store.client) as wire:
        read_everything(read_store)
    assert actions(wire) == {*policies.READ_TABLE, *policies.READ_INDEX}
    with watching(read_store.client) as wire:
        read_everything(read_store, by_scan=True)
    assert actions(wire) - {*policies.READ_TABLE} == {*policies.SCAN}


def test_only_queries_go_to_indexes_and_only_to_declared_ones(read_store: Store) -> None:
    asked: list[Any] = []
    for operation in ("Query", "Scan"):
        read_store.client.meta.events.register(
            f"provide-client-params.dynamodb.{operation}", lambda params, **_: asked.append(params)
        )
    read_everything(read_store)
    read_everything(read_store, by_scan=True)
    assert {params.get("IndexName") for params in asked} == {None, BY_STUDENT, BY_STATUS}
    assert all("IndexName" not in params for params in asked if "FilterExpression" in params)
    assert {params["TableName"] for params in asked} == {
        read_store.settings.evaluations,
        read_store.settings.flashcard_sets,
    }


def test_the_setup_policy_is_what_its_plans_steps_looks_restores_and_wiring_call(
    account: Store, clients: Clients
) -> None:
    make_old(account, 3)
    account.client.delete_table(TableName=account.settings.flashcard_sets)
    deploy(account, clients, {"Writing evaluator": "elsewhere"})
    with watching(account.client, clients.functions, clients.roles) as wire:
        wire.answer = lambda operation: reply(EvaluationResults=[]) if "Simulate" in operation else None
        planned = plan(account)
        steps = (*planned.steps, *(s for proof in proofs(account, clients, planned.checks) for s in proof.steps))
        assert {step.action for step in steps} == {
            *("create", "billing", "tags", "pitr", "index", "protect", "variable"),
        }
        for step in steps:
            if step.action == "index":
                look(account, step)
        events = list(apply(account, steps, who="test", clock=INSTANT, clients=clients))
        assert {event.state for event in events} == {"running", "done"}
        restore(account, account.settings.evaluations, f"{account.settings.evaluations}-again", None, who="test")
    assert actions(wire) == {*policies.SETUP_TABLE, *policies.SETUP_FUNCTION, *policies.SETUP_ROLE}


def test_the_setup_policy_has_what_alarms_call_only_where_they_have_a_topic(account: Store, clients: Clients) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alerts"
    store = Store(replace(account.settings, alarm_topic=topic), account.client)
    watching_clients = Clients.open(store, **engines.CREDENTIALS)
    deploy(store, clients)
    with watching(watching_clients.alarms, watching_clients.topics) as wire:
        wire.answer = lambda asked: reply(Attributes={}) if asked == "GetTopicAttributes" else None
        list(apply(store, plan(store, clients=watching_clients).steps, who="test", clients=watching_clients))
        name = f"{store.settings.evaluations}-read-throttles"
        watching_clients.alarms.disable_alarm_actions(AlarmNames=[name])
        wire.sent.clear()
        steps = plan(store, clients=watching_clients).steps
        list(apply(store, steps, who="test", clients=watching_clients))
    assert actions(wire) == set(OF_ALARMS)
    statements = json.loads(policies.setup(store.settings, "us-east-1", ACCOUNT))["Statement"]
    allowed = {action: statement["Resource"] for statement in statements for action in statement["Action"]}
    assert set(OF_ALARMS) < set(allowed)
    assert allowed["sns:GetTopicAttributes"] == [topic]
    asked_for = {str(params["body"]) for operation, params in wire.sent if operation == "PutMetricAlarm"}
    assert len(asked_for) == 1
    prefixes = [arn.rpartition(":")[2].removesuffix("*") for arn in allowed["cloudwatch:PutMetricAlarm"]]
    assert any(name.startswith(prefix) for prefix in prefixes)
    without = json.loads(policies.setup(account.settings, "us-east-1", ACCOUNT))["Statement"]
    assert not {action for statement in without for action in statement["Action"]} & set(OF_ALARMS)


@pytest.mark.parametrize(
    ("page", "params", "allowed"),
    [
        ("overview", {}, "read"),
        ("student", {"user_id": "user-456"}, "read"),
        ("evaluation", {"evaluation_id": "eval-abc123", "user_id": "user-456"}, "read"),
        ("evaluation", {"evaluation_id": "eval-abc123"}, "read"),
        ("compare", {"user_id": "user-456"}, "read"),
        ("compare", {"user_id": "user-456", "a": "eval-abc123", "b": "speak-xyz789"}, "read"),
        ("flashcards", {"user_id": "user-456"}, "read"),
        ("flashcards", {"set_id": "flashcard-set-123"}, "read"),
        ("jobs", {"jobs": "custom", "from": "2024-12-01", "to": "2024-12-31"}, "read"),
        ("audit", {}, "read"),
        ("setup", {}, "setup"),
    ],
)
def test_every_page_stays_within_its_policy(
    page: str, params: dict[str, str], allowed: str, read_store: Store, use: Callable[[Store], None]
) -> None:
    use(read_store)
    with watching(read_store.client) as wire:
        text = words(show(f"pages/{page}.py", params))
    assert NOT_SHOWN not in text
    called = actions(wire)
    assert called
    assert called <= {*policies.READ_TABLE, *policies.READ_INDEX, *(policies.SETUP_TABLE if allowed == "setup" else ())}
    # No page changes, and none scans, before somebody asked for it.
    assert "dynamodb:Scan" not in called
    assert not {name for name in called if name.split(":")[1].startswith(("Create", "Update", "Put", "Tag", "Delete"))}


def test_reasons_and_whole_records_and_the_count_stay_within_the_dashboards_policy(read_store: Store) -> None:
    with watching(read_store.client) as wire:
        jobs.reasons(read_store, [Key("evaluations", "eval-abc123", "user-456")])
        list(orphans.count(read_store, EVALUATIONS))
    assert actions(wire) == {"dynamodb:BatchGetItem", "dynamodb:Scan"}
    assert actions(wire) <= {*policies.READ_TABLE, *policies.SCAN}


def test_marking_calls_what_its_policy_allows_and_nothing_else(read_store: Store) -> None:
    changeable = Store(replace(read_store.settings, allow_changes=True), read_store.client)
    began = datetime(2024, 12, 8, 8, tzinfo=UTC)
    key = Key("evaluations", "eval-abc123", "user-456")
    with watching(changeable.client) as wire:
        list(jobs.mark_failed(changeable, [(key, began)], who="test", now=began))
    # It reads the job first, which the dashboard's own policy allows.
    assert actions(wire) - {*policies.READ_TABLE} == {*policies.MARK}


def test_a_drill_stays_within_the_policies_for_reading_and_setup(account: Store) -> None:
    make_old(account, 3)
    list(apply(account, plan(account).steps, who="test", clock=INSTANT))
    target = Target(EVALUATIONS, account.settings.evaluations)
    scanned = []
    account.client.meta.events.register(
        "provide-client-params.dynamodb.Scan", lambda params, **_: scanned.append(params.get("IndexName"))
    )
    with watching(account.client) as wire:
        *_, result = drill.run(account, target, who="test", now=datetime.now(UTC), clock=INSTANT)
    assert isinstance(result, drill.Drill)
    assert actions(wire) <= {*policies.READ_TABLE, *policies.SETUP_TABLE}
    assert set(scanned) == {None, BY_STUDENT, BY_STATUS}
    statements = json.loads(policies.setup(account.settings, REGION, ACCOUNT))["Statement"]
    where = {arn for statement in statements if "dynamodb:Scan" in statement["Action"] for arn in statement["Resource"]}
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{account.settings.evaluations}"
    assert {table, f"{table}/index/*"} <= where


def test_creating_a_table_with_tags_alone_needs_the_action_that_tags(account: Store) -> None:
    # It sends no TagResource, but AWS asks for the permission; the policy has it either way.
    with watching(account.client) as wire:
        create(account.client, EVALUATIONS, account.settings.evaluations)
    assert "TagResource" not in wire.operations
    assert "dynamodb:TagResource" in policies.SETUP_TABLE
    assert bare_request(EVALUATIONS, "x")["TableName"] == "x"


def test_the_lambdas_policy_is_the_documents_statement_and_the_indexes() -> None:
    first, second = json.loads(policies.lambdas(DEFAULTS, REGION, ACCOUNT))["Statement"]
    assert first == DOCUMENT
    assert second["Action"] == ["dynamodb:Query"]
    assert second["Resource"] == [f"{arn}/index/*" for arn in DOCUMENT["Resource"]]


@pytest.mark.parametrize("policy", ALL, ids=lambda policy: policy.__name__)
def test_a_policy_is_valid_and_names_what_it_allows(policy: Callable[[Settings, str, str], str]) -> None:
    settings = Settings.read(
        {
            EVALUATIONS.variable: "evals.one",
            FLASHCARD_SETS.variable: "sets_two",
            "BANDUP_WRITING_FUNCTION": "writer",
            "BANDUP_SOURCE": "aws",
            "BANDUP_ALARM_TOPIC": TOPIC,
        }
    )
    text = policy(settings, REGION, ACCOUNT)
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    assert len({statement["Sid"] for statement in document["Statement"]}) == len(document["Statement"])
    for statement in document["Statement"]:
        assert set(statement) == {"Sid", "Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        # IAM refuses any other character in a Sid.
        assert statement["Sid"].isalnum()
        for action in statement["Action"]:
            service, _, operation = action.partition(":")
            assert service in ("dynamodb", "lambda", "iam", "cloudwatch", "sns")
            assert operation.isalpha()
            assert "Delete" not in operation
        for resource in statement["Resource"]:
            assert resource.startswith("arn:aws:")
            assert f":{ACCOUNT}:" in resource
            # An index or a role by any name, but no table or function.
            assert (
                "*" not in resource
                or resource.endswith((":table/evals.one/index/*", ":table/sets_two/index/*"))
                or (":function:" in resource and resource.endswith(":*"))
                or (resource == f"arn:aws:iam::{ACCOUNT}:role/*")
                or (":alarm:" in resource and statement["Action"] == ["cloudwatch:DescribeAlarms"])
                or resource.endswith((":alarm:evals.one-*", ":alarm:sets_two-*", ":alarm:writer-*"))
                or re.search(r":alarm:bandup-(speaking-evaluator|flashcard-generator)-\*$", resource)
            )
    if policy is not policies.setup:
        assert "bandup-" not in text
    else:
        assert f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:writer" in text
    # A managed policy may have 6,144 characters without white space.
    assert len("".join(text.split())) < 6_144


@pytest.mark.parametrize("policy", ALL, ids=lambda policy: policy.__name__)
def test_a_policy_is_for_its_partition(policy: Callable[..., str]) -> None:
    document = json.loads(policy(DEFAULTS, "cn-north-1", ACCOUNT, "aws-cn"))
    resources = [resource for statement in document["Statement"] for resource in statement["Resource"]]
    assert all(resource.startswith("arn:aws-cn:") for resource in resources)


def test_a_function_that_is_named_by_its_arn_is_allowed_there() -> None:
    arn = "arn:aws:lambda:eu-west-1:999999999999:function:writer"
    settings = Settings.read({"BANDUP_WRITING_FUNCTION": f"{arn}:live"})
    (statement,) = (s for s in json.loads(policies.setup(settings, REGION, ACCOUNT))["Statement"] if "Wire" in s["Sid"])
    assert statement["Resource"][:2] == [arn, f"{arn}:*"]


def test_the_policies_hold_their_lists_and_nothing_else() -> None:
    def of(policy: str) -> set[str]:
        return {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}

    assert of(policies.dashboard(DEFAULTS, REGION, ACCOUNT)) == {
        *policies.READ_TABLE,
        *policies.READ_INDEX,
        *policies.SCAN,
    }
    assert of(policies.setup(DEFAULTS, REGION, ACCOUNT)) == {
        *policies.SETUP_TABLE,
        *policies.SETUP_FUNCTION,
        *policies.SETUP_ROLE,
    }
    assert of(policies.lambdas(DEFAULTS, REGION, ACCOUNT)) == set(DOCUMENT["Action"])
