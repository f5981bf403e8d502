"""Planning, applying and restoring: on moto all of it, on DynamoDB Local and dynoxide what they offer."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from data.demo.engine import write
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.account import look_up
from data.provisioning.apply import Clock, Event, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Step, Target
from data.provisioning.lambdas import proofs
from data.provisioning.plan import plan
from data.provisioning.requests import create, create_request
from data.provisioning.restore import restore
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from tests.support import proxy
from tests.support.accounts import (
    FOREIGN_TAG,
    INSTANT,
    PLANNING,
    QUICK,
    Wire,
    bare_request,
    contents,
    deploy,
    failing,
    make_old,
    record,
    refusal,
    reply,
    watching,
)
from tests.support.engines import CREDENTIALS

pytestmark = pytest.mark.slow

WHO = "test"
MENDED = {"done", "already"}


def run(store: Store, steps: tuple[Step, ...] | None = None, clock: Clock = INSTANT) -> list[Event]:
    """All events of applying the steps, or of all that are planned."""
    return list(apply(store, plan(store).steps if steps is None else steps, who=WHO, clock=clock))


def kind(event: Event) -> str | None:
    return event.message.kind if isinstance(event.message, Failure) else None


def case(event: Event) -> str | None:
    return event.message.case if isinstance(event.message, Failure) else None


def ends(events: list[Event]) -> list[tuple[str, str, str | Failure]]:
    """How each step ended, in order: action, state, message."""
    last: dict[Step, Event] = {event.step: event for event in events}
    return [(step.action, event.state, event.message) for step, event in last.items()]


def states(events: list[Event]) -> list[str]:
    return [state for _, state, _ in ends(events)]


def levels(store: Store) -> Counter[str]:
    return Counter(check.level for check in plan(store).checks)


def never_deletes(wire: Wire) -> None:
    assert wire.sent
    assert [operation for operation in wire.operations if "Delete" in operation] == []
    assert [params for _, params in wire.sent if '"Delete"' in str(params.get("body", ""))] == []


def test_from_nothing_to_in_sync_and_a_second_time_there_is_nothing_to_do(account: Store) -> None:
    planned = plan(account)
    assert [step.action for step in planned.steps] == ["create", "pitr"] * 2 + ["protect"] * 2
    with watching(account.client) as wire:
        events = run(account, planned.steps)
    assert states(events) == ["done"] * 6
    assert levels(account) == {"ok": 18}
    assert plan(account).steps == ()
    never_deletes(wire)
    assert Counter(wire.changes) == {"CreateTable": 2, "UpdateContinuousBackups": 2, "UpdateTable": 2}
    with watching(account.client) as wire:
        assert run(account) == []
    assert wire.changes == []


def test_from_nothing_over_http_what_the_engine_lacks_does_not_stop_the_rest(changeable: Store, engine: str) -> None:
    tags_offered = not isinstance(_tags_on_a_probe(changeable), Failure)
    with watching(changeable.client) as wire:
        events = run(changeable, clock=QUICK)
    never_deletes(wire)
    assert [(action, state) for action, state, _ in ends(events)] == [
        *[("create", "done"), ("pitr", "not_offered")] * 2,
        *[("protect", "done")] * 2,
    ]
    assert {message for action, _, message in ends(events) if action == "pitr"} == {"not offered by this endpoint"}
    after = plan(changeable)
    assert after.steps == ()
    lines = {(check.subject, check.level, check.fact) for check in after.checks}
    assert ("Point-in-time recovery", "not_offered", "not offered by this endpoint") in lines
    assert (("Tags", "not_offered", "not offered by this endpoint") in lines) != tags_offered
    assert {level for _, level, _ in lines} == {"ok", "not_offered"}
    for target in (Target(table, changeable.settings.name(table)) for table in TABLES):
        actual = look_up(changeable, target.name)
        assert actual is not None
        assert actual.protected
        assert set(actual.indexes) == {index.name for index in target.table.indexes}


def _tags_on_a_probe(store: Store) -> Any:
    """What the engine says of tags: DynamoDB Local has none, dynoxide does."""
    name = f"probe-{store.settings.evaluations}"
    create(store.client, EVALUATIONS, name)
    actual = look_up(store, name)
    assert actual is not None
    return actual.tags


def test_an_old_table_gets_everything_and_its_foreign_tags_stay(account: Store) -> None:
    make_old(account, 60)
    before = {table: contents(account, table) for table in TABLES}
    planned = plan(account)
    actions = [step.action for step in planned.steps]
    assert actions == ["billing", "tags", "pitr"] * 2 + ["index", "index", "protect"] * 2
    with watching(account.client) as wire:
        events = run(account, planned.steps)
    never_deletes(wire)
    assert states(events) == ["done"] * 12
    assert levels(account) == {"ok": 18}
    for table in TABLES:
        assert contents(account, table) == before[table]
        actual = look_up(account, account.settings.name(table))
        assert actual is not None
        assert actual.tags == {**table.tags, FOREIGN_TAG["Key"]: FOREIGN_TAG["Value"]}


def test_a_tag_that_somebody_sets_while_the_plan_is_carried_out_is_not_overwritten(account: Store) -> None:
    make_old(account, 3)
    arn = account.client.describe_table(TableName=account.settings.evaluations)["Table"]["TableArn"]
    ended = []
    for event in apply(account, plan(account).steps, who="test", clock=INSTANT):
        if (event.step.action, event.state) == ("billing", "done") and event.step.target.table is EVALUATIONS:
            account.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Environment", "Value": "trial"}])
        if event.step.action == "tags" and event.state in ("done", "failed"):
            ended.append((event.step.target.table, event.state))
    assert ended == [(EVALUATIONS, "failed"), (FLASHCARD_SETS, "done")]
    actual = look_up(account, account.settings.evaluations)
    assert actual is not None
    assert actual.tags == {"Environment": "trial", FOREIGN_TAG["Key"]: FOREIGN_TAG["Value"]}


def test_indexes_are_added_to_a_filled_table_one_at_a_time_and_no_record_is_lost(
    changeable: Store, request: pytest.FixtureRequest
) -> None:
    make_old(changeable, 1_000, tags=False)
    before = {table: contents(changeable, table) for table in TABLES}
    with watching(changeable.client) as wire:
        events = run(changeable, clock=QUICK)
    never_deletes(wire)
    # On the table with a CREATING index UpdateTable would be refused, and repeated: one for each step says it was not.
    updates = [step for step, *_ in ends(events) if step in ("index", "billing", "protect")]
    assert wire.changes.count("UpdateTable") == len(updates)
    if request.node.callspec.params["engine"] == "dynamodb-local":
        # The other engines have an index at once; this one is seen while it fills it.
        waits = [event.message for event in events if event.state == "waiting" and event.step.action == "index"]
        assert any("CREATING" in str(message) for message in waits)
    assert set(states(events)) <= {"done", "not_offered"}
    assert plan(changeable).steps == ()
    for table in TABLES:
        assert contents(changeable, table) == before[table]
        assert len(before[table]) == 1_000
        name = changeable.settings.name(table)
        for index, key, value in (
            ("user_id-created_at-index", "user_id", "user-3"),
            ("status-created_at-index", "status", "completed"),
        ):
            pages = changeable.client.get_paginator("query").paginate(
                TableName=name,
                IndexName=index,
                KeyConditionExpression="#k = :v",
                ExpressionAttributeNames={"#k": key},
                ExpressionAttributeValues={":v": {"S": value}},
            )
            expected = sum(item[key] == {"S": value} for item in before[table])
            assert sum(page["Count"] for page in pages) == expected > 100


def test_a_table_that_is_being_created_or_changed_is_waited_for(account: Store) -> None:
    make_old(account)
    steps = tuple(step for step in plan(account, [_target(account)]).steps if step.action in ("index", "protect"))
    described = account.client.describe_table(TableName=account.settings.evaluations)["Table"]
    asked = Counter[str]()

    def answer(operation: str) -> Any:
        asked[operation] += 1
        if operation != "DescribeTable" or asked[operation] > 4 or asked[operation] == 1:
            return None
        return reply(Table={**described, "TableStatus": "UPDATING"})

    with watching(account.client) as wire:
        wire.answer = answer
        events = run(account, steps)
    assert [event.message for event in events if event.state == "waiting"][:3] == ["table UPDATING"] * 3
    # Nothing was sent while the table was changing.
    assert wire.operations.index("UpdateTable") > [i for i, o in enumerate(wire.operations) if o == "DescribeTable"][4]
    assert states(events) == ["done"] * 3


def test_patience_has_an_end_and_then_says_so(account: Store) -> None:
    make_old(account)
    steps = tuple(step for step in plan(account, [_target(account)]).steps if step.action == "index")[:1]
    described = account.client.describe_table(TableName=account.settings.evaluations)["Table"]
    asked = Counter[str]()

    def answer(operation: str) -> Any:
        asked[operation] += 1
        forever = operation == "DescribeTable" and asked[operation] > 1
        return reply(Table={**described, "TableStatus": "UPDATING"}) if forever else None

    with watching(account.client) as wire:
        wire.answer = answer
        events = run(account, steps, Clock(sleep=lambda _: None, patience_seconds=20))
    ((action, state, message),) = ends(events)
    assert (action, state) == ("index", "unfinished")
    assert message.startswith("not asked for yet")
    assert wire.changes == []


@pytest.mark.parametrize("action", ["tags", "pitr", "protect", "index"])
def test_a_change_whose_answer_is_lost_is_this_runs_own(action: str, moto: str, account: Store) -> None:
    make_old(account)
    steps = tuple(step for step in plan(account, [_target(account)]).steps if step.action == action)[:1]
    change = {"tags": "TagResource", "pitr": "UpdateContinuousBackups"}.get(action, "UpdateTable")
    with proxy.in_front_of(moto) as door:
        door.fail(proxy.lost, proxy.operation(change), times=3)  # as often as boto3 asks
        behind = Store.open(replace(account.settings, endpoint=door.url), **CREDENTIALS)
        assert [end[:2] for end in ends(run(behind, steps, INSTANT))] == [(action, "done")]


def test_a_table_that_somebody_else_makes_meanwhile_with_other_keys_is_not_as_declared(account: Store) -> None:
    steps = tuple(step for step in plan(account, [_target(account)]).steps if step.action == "create")
    name = account.settings.evaluations

    def theirs(operation: str) -> Any:
        if operation == "CreateTable":
            other = boto3.client(
                "dynamodb", endpoint_url=account.settings.endpoint, region_name="us-east-1", **CREDENTIALS
            )
            other.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            return refusal("ResourceInUseException")
        return None

    with watching(account.client) as wire:
        wire.answer = theirs
        events = run(account, steps, INSTANT)
    assert events[-1].state == "failed"
    assert isinstance(events[-1].message, Failure)
    assert events[-1].message.case == "table_other"


def _target(store: Store) -> Target:
    return Target(EVALUATIONS, store.settings.evaluations)


def test_pitr_waits_until_a_new_table_can_be_backed_up(account: Store) -> None:
    with watching(account.client) as wire:
        wire.answer = failing("UpdateContinuousBackups", "ContinuousBackupsUnavailableException", 5)
        events = run(account)
    assert states(events) == ["done"] * 6
    assert [case(event) for event in events if event.state == "waiting"] == ["too_new"] * 5
    assert levels(account) == {"ok": 18}


def test_a_table_that_can_never_be_backed_up_fails_and_the_rest_goes_on(account: Store) -> None:
    with watching(account.client) as wire:
        wire.answer = failing("UpdateContinuousBackups", "ContinuousBackupsUnavailableException", 10_000)
        events = run(account)
    assert states(events) == ["done", "failed"] * 2 + ["done"] * 2


def test_too_many_indexes_at_once_are_waited_out(account: Store) -> None:
    make_old(account)
    with watching(account.client) as wire:
        wire.answer = failing("UpdateTable", "LimitExceededException", 2, message="Only 1 online index at a time.")
        events = run(account)
    assert set(states(events)) == {"done"}
    assert "limit" in {kind(event) for event in events if event.state == "waiting"}


def test_an_account_at_its_table_limit_gets_a_sentence_and_the_tables_other_steps_are_skipped(account: Store) -> None:
    with watching(account.client) as wire:
        wire.answer = failing("CreateTable", "LimitExceededException", 10_000, message="Subscriber limit exceeded.")
        events = run(account)
    assert states(events) == ["failed", "skipped"] * 2 + ["skipped"] * 2
    limit = ends(events)[0][2]
    assert isinstance(limit, Failure)
    assert (limit.kind, limit.detail) == ("limit", "Subscriber limit exceeded")
    assert look_up(account, account.settings.evaluations) is None


def test_a_denied_step_names_the_action_and_the_others_go_on(account: Store) -> None:
    make_old(account)
    with watching(account.client) as wire:
        wire.answer = failing("TagResource", "AccessDeniedException", 10_000)
        events = run(account)
    tags = [(state, message) for action, state, message in ends(events) if action == "tags"]
    assert [state for state, _ in tags] == ["failed", "failed"]
    resource = f"arn:aws:dynamodb:{account.settings.region}:*:table/{account.settings.evaluations}"
    denied = tags[0][1]
    assert isinstance(denied, Failure)
    assert (denied.operation, denied.resource) == ("dynamodb:TagResource", resource)
    assert {state for action, state, _ in ends(events) if action != "tags"} == {"done"}


def test_when_somebody_else_did_a_step_meanwhile_nothing_is_done(account: Store) -> None:
    steps = plan(account).steps
    create(account.client, FLASHCARD_SETS, account.settings.flashcard_sets)
    with watching(account.client) as wire, pytest.raises(Failure) as caught:
        run(account, steps)
    assert caught.value.kind == "changed"
    assert f"Create the table {account.settings.flashcard_sets}" in caught.value.detail
    assert wire.changes == []
    # The new plan is another, and works.
    assert set(states(run(account))) == {"done"}
    assert levels(account) == {"ok": 18}


@pytest.mark.parametrize("become", ["gone", "wrong keys", "other tags"])
def test_a_plan_for_an_account_that_is_no_longer_so_is_refused(account: Store, become: str) -> None:
    make_old(account)
    steps = plan(account).steps
    name = account.settings.evaluations
    if become == "other tags":
        arn = account.client.describe_table(TableName=name)["Table"]["TableArn"]
        account.client.untag_resource(ResourceArn=arn, TagKeys=["Environment"])
        account.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "Environment", "Value": "production"}])
    else:
        account.client.delete_table(TableName=name)
    if become == "wrong keys":
        account.client.create_table(**bare_request(FLASHCARD_SETS, name))
    with watching(account.client) as wire, pytest.raises(Failure) as caught:
        run(account, steps)
    assert caught.value.kind == "changed"
    assert wire.changes == []


def test_part_of_a_plan_can_be_applied(account: Store) -> None:
    steps = plan(account).steps
    events = run(account, tuple(step for step in steps if step.required))
    assert [action for action, *_ in ends(events)] == ["create", "pitr"] * 2
    assert [step.action for step in plan(account).steps] == ["protect", "protect"]


def test_a_dashboard_that_may_not_change_anything_sends_nothing(account: Store) -> None:
    steps = plan(account).steps
    readonly = Store(replace(account.settings, allow_changes=False), account.client)
    with watching(account.client) as wire:
        for attempt in (
            lambda: run(readonly, steps),
            lambda: restore(readonly, account.settings.evaluations, "elsewhere", None, who=WHO),
        ):
            with pytest.raises(Failure) as caught:
                attempt()
            assert caught.value.kind == "read_only"
    # Not even a question: neither writes nor reads.
    assert wire.sent == []
    assert look_up(account, account.settings.evaluations) is None


def test_planning_changes_nothing_and_reads_no_records(account: Store, clients: Clients) -> None:
    make_old(account, 3)
    deploy(account, clients, {"Writing evaluator": "elsewhere"})
    with watching(account.client, clients.functions, clients.roles) as wire:
        checks = plan(account).checks
        assert any(proof.steps for proof in proofs(account, clients, checks))
    assert set(wire.operations) == PLANNING | {"ListTags"}


def test_tags_are_read_to_the_last_page(account: Store) -> None:
    create(account.client, EVALUATIONS, account.settings.evaluations)
    pages = iter(
        [
            reply(Tags=[{"Key": "Project", "Value": "bandup"}], NextToken="more"),
            reply(Tags=[{"Key": "Environment", "Value": "production"}]),
        ]
    )
    with watching(account.client) as wire:
        wire.answer = lambda operation: next(pages) if operation == "ListTagsOfResource" else None
        actual = look_up(account, account.settings.evaluations)
    assert actual is not None
    assert actual.tags == EVALUATIONS.tags


def test_an_index_that_somebody_else_adds_at_the_same_moment_is_no_failure(account: Store) -> None:
    make_old(account)
    (step,) = [s for s in plan(account, [_target(account)]).steps if s.detail == "user_id-created_at-index"]
    other = Store.open(account.settings, **CREDENTIALS)

    def answer(operation: str) -> Any:
        if operation != "UpdateTable":
            return None
        run(other, (step,))
        return refusal("ValidationException", message="Attempting to create an index which already exists")

    with watching(account.client) as wire:
        wire.answer = answer
        events = run(account, (step,))
    assert states(events) == ["already"]
    assert wire.changes == ["UpdateTable"]


def test_what_aws_rejects_ends_with_its_own_words(account: Store) -> None:
    make_old(account)
    with watching(account.client) as wire:
        wire.answer = failing("UpdateTable", "ValidationException", 10_000, message="Not so.")
        events = run(account, plan(account, [_target(account)]).steps)
    ended = {action: (state, message) for action, state, message in ends(events)}
    assert ended["billing"][0] == "failed"
    rejected = ended["billing"][1]
    assert isinstance(rejected, Failure)
    assert (rejected.kind, rejected.detail) == ("rejected", "Not so")
    assert ended["tags"][0] == "done"


def test_what_aws_accepts_but_never_does_ends_with_a_sentence(account: Store) -> None:
    create(account.client, EVALUATIONS, account.settings.evaluations)
    steps = tuple(step for step in plan(account, [_target(account)]).steps if step.action == "protect")
    with watching(account.client) as wire:
        wire.answer = lambda operation: reply() if operation == "UpdateTable" else None
        events = run(account, steps)
    assert ends(events)[0][1] == "failed"
    assert "does not come about" in ends(events)[0][2]
    assert wire.changes == ["UpdateTable"] * 5


def test_an_answer_that_is_none_of_dynamodbs_is_a_failure_and_no_traceback(account: Store) -> None:
    create(account.client, EVALUATIONS, account.settings.evaluations)
    for operation, content in (
        ("DescribeTable", {"Table": {}}),
        ("DescribeContinuousBackups", {}),
        ("ListTagsOfResource", {"Tags": [{}]}),
    ):
        with watching(account.client) as wire:
            wire.answer = lambda asked, o=operation, c=content: reply(**c) if asked == o else None
            if operation == "DescribeTable":
                with pytest.raises(Failure):
                    plan(account)
            else:
                assert "unchecked" in {check.level for check in plan(account).checks}


def test_each_change_is_logged_with_who_and_what_as_it_begins_and_how_it_ended(
    account: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "bandup.changes"), watching(account.client) as wire:
        wire.answer = failing("UpdateContinuousBackups", "AccessDeniedException", 1)
        steps = plan(account, [_target(account)]).steps
        list(apply(account, steps, who="ops@example.com", clock=INSTANT))
    lines = [entry.getMessage() for entry in caplog.records if entry.name == "bandup.changes"]
    assert [line.rpartition(" · ")[2] for line in lines[::2]] == ["begun"] * 3
    for step, line, state in zip(steps, lines[1::2], ("done", "failed", "done"), strict=True):
        when, who, what, result = line.split(" · ", 3)
        assert abs((datetime.now(UTC) - datetime.fromisoformat(when)).total_seconds()) < 60
        assert (who, what) == ("ops@example.com", step.what)
        assert result.startswith(f"{state}: ")


def test_two_plans_of_the_same_account_are_the_same(account: Store) -> None:
    assert plan(account).steps == plan(account).steps
    make_old(account)
    assert plan(account).steps == plan(account).steps


# Restore


def filled(account: Store) -> str:
    """The evaluations table as declared, with records and PITR; its name."""
    run(account, plan(account, [_target(account)]).steps)
    name = account.settings.evaluations
    write(account.client, name, [record(EVALUATIONS, n) for n in range(30)])
    return name


def test_a_restore_makes_a_new_table_and_the_plan_then_brings_what_it_did_not(account: Store) -> None:
    name = filled(account)
    restored = f"{name}-restored"
    before = contents(account, EVALUATIONS)
    restore(account, name, restored, None, who=WHO)
    assert contents(account, EVALUATIONS) == before
    elsewhere = Store(replace(account.settings, evaluations=restored), account.client)
    assert contents(elsewhere, EVALUATIONS) == before
    planned = plan(elsewhere, [Target(EVALUATIONS, restored)])
    actions = [step.action for step in planned.steps]
    # moto loses the billing mode as well; AWS keeps it.
    assert [action for action in actions if action != "index"] == ["billing", "tags", "pitr", "protect"]
    with watching(account.client) as wire:
        assert set(states(run(elsewhere, planned.steps))) == {"done"}
    never_deletes(wire)
    after = plan(elsewhere, [Target(EVALUATIONS, restored)])
    assert {check.level for check in after.checks} == {"ok"}
    assert contents(elsewhere, EVALUATIONS) == before


def test_a_restore_asks_for_the_time_that_was_chosen(account: Store) -> None:
    name = filled(account)
    at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    asked: list[Any] = []
    account.client.meta.events.register(
        "provide-client-params.dynamodb.RestoreTableToPointInTime", lambda params, **_: asked.append(params)
    )
    restore(account, name, f"{name}-at", at, who=WHO)
    restore(account, name, f"{name}-now", None, who=WHO)
    assert asked == [
        {"SourceTableName": name, "TargetTableName": f"{name}-at", "RestoreDateTime": at},
        {"SourceTableName": name, "TargetTableName": f"{name}-now", "UseLatestRestorableTime": True},
    ]


def test_what_was_changed_is_in_the_log_also_where_nobody_follows_it_to_its_end(
    account: Store, caplog: pytest.LogCaptureFixture
) -> None:
    events = apply(account, plan(account).steps, who="ops@example.com", clock=INSTANT)
    with watching(account.client) as wire:
        assert [next(events).state, next(events).state] == ["running", "done"]
        events.close()
    assert wire.changes == ["CreateTable"]
    begun, line = (entry.getMessage() for entry in caplog.records if entry.name == "bandup.changes")
    assert begun.endswith(" · begun")
    assert "ops@example.com · Create the table" in line


def test_a_restore_never_goes_onto_a_table_that_exists(account: Store, caplog: pytest.LogCaptureFixture) -> None:
    name = filled(account)
    for target in (name, account.settings.flashcard_sets):
        if target != name:
            create(account.client, FLASHCARD_SETS, target)
        with watching(account.client) as wire, pytest.raises(Failure) as caught:
            restore(account, name, target, None, who=WHO)
        assert (caught.value.case, caught.value.resource) == ("table_taken", target)
        assert wire.changes == []
    # Somebody else takes the name between the look and the request: AWS refuses, and so do we.
    create(account.client, FLASHCARD_SETS, f"{name}-taken")
    with watching(account.client) as wire:
        wire.answer = failing("DescribeTable", "ResourceNotFoundException", 1)
        with pytest.raises(Failure) as caught:
            restore(account, name, f"{name}-taken", None, who=WHO)
    assert (caught.value.case, caught.value.resource) == ("table_taken", f"{name}-taken")
    assert any("failed" in entry.getMessage() for entry in caplog.records if entry.name == "bandup.changes")


def test_a_restore_that_the_endpoint_lacks_is_said(changeable: Store) -> None:
    create(changeable.client, EVALUATIONS, changeable.settings.evaluations)
    with pytest.raises(Failure) as caught:
        restore(changeable, changeable.settings.evaluations, "elsewhere-new", None, who=WHO)
    assert caught.value.kind == "not_offered"


def test_creating_with_no_indexes_left_out_is_one_request(account: Store) -> None:
    run(account)
    for table in TABLES:
        description = account.client.describe_table(TableName=account.settings.name(table))["Table"]
        request = create_request(table, account.settings.name(table))
        assert description["KeySchema"] == request["KeySchema"]
        assert description["AttributeDefinitions"] == request["AttributeDefinitions"]
        assert len(description["GlobalSecondaryIndexes"]) == 2
    assert states(run(account)) == []


def test_events_of_a_step_begin_with_running_and_end_once(account: Store) -> None:
    make_old(account)
    by_step: dict[Step, list[str]] = {}
    for event in run(account):
        by_step.setdefault(event.step, []).append(event.state)
    for path in by_step.values():
        assert path[0] == "running"
        assert set(path[1:-1]) <= {"waiting"}
        assert path[-1] in MENDED
