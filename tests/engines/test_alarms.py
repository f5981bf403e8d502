"""The alarms of tables, indexes and Lambdas: on moto, and through a proxy that denies and fails."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning import alarms
from data.provisioning.apply import Event, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Check, Step
from data.provisioning.plan import Plan, plan
from data.provisioning.requests import create
from data.provisioning.verdict import judge
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, FLASHCARD_SETS, FUNCTIONS, LAMBDA_ACTIONS, TABLES
from data.settings import Settings
from tests.support import proxy
from tests.support.accounts import INSTANT, Simulator, bare_request, deploy, failing, reply, watching
from tests.support.engines import CREDENTIALS
from tests.support.proxy import Proxy, operation, refusal

pytestmark = pytest.mark.slow

WRITING = FUNCTIONS[0].label


@pytest.fixture
def watched(account: Store, clients: Clients) -> Store:
    """Both tables and the three Lambdas as declared, and a topic of its own with a subscription for the alarms."""
    alarm_topic = topic(clients, account)
    return Store(replace(account.settings, alarm_topic=alarm_topic), account.client)


def topic(clients: Clients, store: Store) -> str:
    """A new topic that somebody hears."""
    opened = Clients.open(with_topic(store, "arn:aws:sns:us-east-1:123456789012:any"), **CREDENTIALS)
    arn = str(opened.topics.create_topic(Name=f"alerts-{uuid.uuid4().hex[:8]}")["TopicArn"])
    # moto counts no subscriptions.
    sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[arn].subscriptions_confimed = 1
    return arn


def with_topic(store: Store, arn: str) -> Store:
    return Store(replace(store.settings, alarm_topic=arn), store.client)


def ready(store: Store, *, roles: bool = True) -> Clients:
    """The tables in sync and the Lambdas deployed; clients with an IAM that can simulate."""
    opened = Clients.open(store, **CREDENTIALS)
    list(apply(store, plan(store).steps, who="test", clock=INSTANT))
    deploy(store, opened)
    simulator: Any = Simulator(LAMBDA_ACTIONS)
    return replace(opened, roles=simulator) if roles else opened


def lines(planned: Plan) -> dict[str, Check]:
    return dict(planned.alarms)


def mend(store: Store, clients: Clients, steps: tuple[Step, ...] | None = None) -> list[Event]:
    accepted = plan(store, clients=clients).steps if steps is None else steps
    return list(apply(store, accepted, who="test", clock=INSTANT, clients=clients))


def held(store: Store, clients: Clients) -> dict[str, Any]:
    """The alarms of this test's tables and Lambdas."""
    pages = clients.alarms.get_paginator("describe_alarms").paginate()
    names = (*(store.settings.name(table) for table in TABLES), *store.settings.functions)
    every = (alarm for page in pages for alarm in page["MetricAlarms"])
    return {alarm["AlarmName"]: alarm for alarm in every if alarm["AlarmName"].startswith(names)}


def change(clients: Clients, alarm: Any, **changes: Any) -> None:
    """Put an alarm again, changed."""
    names = ("AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods")
    more = ("DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "AlarmActions")
    kept = {name: alarm[name] for name in (*names, *more)}
    clients.alarms.put_metric_alarm(**{**kept, **changes})


def test_without_a_topic_there_is_neither_alarm_nor_client_nor_call(account: Store, clients: Clients) -> None:
    opened = ready(account)
    assert (opened.alarms, opened.topics) == (None, None)
    planned = plan(account, clients=opened)
    assert planned.alarms == ()
    assert judge(planned).state == "in sync"


def test_from_none_to_all_and_a_second_time_there_is_nothing_to_do(watched: Store) -> None:
    clients = ready(watched)
    planned = plan(watched, clients=clients)
    verdict = judge(planned)
    assert (verdict.state, verdict.exit_code) == ("changes pending", 2), verdict.problems
    assert judge(planned, required_only=True).state == "in sync"
    assert {check.subject: check.level for _, check in planned.alarms} == {"Alarm topic": "ok", "Alarms": "recommended"}
    assert [step.action for step in planned.steps] == ["alarms"] * 5
    assert {step.required for step in planned.steps} == {False}
    assert all("US$ 0.10" in step.cost for step in planned.steps)
    with watching(clients.alarms) as wire:
        events = mend(watched, clients, planned.steps)
    assert [event.state for event in events] == ["running", "done"] * 5
    there = held(watched, clients)
    assert wire.changes == ["PutMetricAlarm"] * len(there)
    assert all(alarm["AlarmActions"] == [watched.settings.alarm_topic] for alarm in there.values())
    assert judge(plan(watched, clients=clients)).state == "in sync"
    with watching(clients.alarms) as wire:
        assert mend(watched, clients) == []
    assert wire.changes == []


def test_throttles_are_watched_by_table_and_index_and_errors_by_operation(watched: Store) -> None:
    clients = ready(watched)
    mend(watched, clients)
    seen = {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            *sorted((one["Name"], one["Value"]) for one in alarm["Dimensions"]),
        )
        for alarm in held(watched, clients).values()
    }
    expected: set[Any] = set()
    for table in TABLES:
        own = ("TableName", watched.settings.name(table))
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
            expected.add(("AWS/DynamoDB", metric, own))
            for index in (BY_STUDENT, BY_STATUS):
                expected.add(("AWS/DynamoDB", metric, ("GlobalSecondaryIndexName", index), own))
        # DynamoDB counts these for a table and an operation, and not for the table alone.
        for action in ("PutItem", "GetItem", "UpdateItem", "Query"):
            expected.add(("AWS/DynamoDB", "SystemErrors", ("Operation", action), own))
    for name in watched.settings.functions:
        expected |= {("AWS/Lambda", metric, ("FunctionName", name)) for metric in ("Errors", "Throttles")}
    assert seen == expected


def test_the_message_about_the_hot_index_names_its_limit_and_what_it_does_to_the_table(watched: Store) -> None:
    clients = ready(watched)
    mend(watched, clients)
    alarm = held(watched, clients)[f"{watched.settings.evaluations}-{BY_STATUS}-write-throttles"]
    assert "1,000 write units a second" in alarm["AlarmDescription"]
    assert "writes to the table fail" in alarm["AlarmDescription"]
    fact = next(check.fact for check in plan(watched).checks if check.subject == f"Index {BY_STATUS}")
    assert "1,000 write units a second" in str(fact)


def test_before_there_are_tables_their_alarms_are_planned_after_them(watched: Store) -> None:
    clients = Clients.open(watched, **CREDENTIALS)
    planned = plan(watched, clients=clients)
    assert [step.action for step in planned.steps] == ["create", "pitr"] * 2 + ["protect"] * 2 + ["alarms"] * 2
    assert {event.state for event in mend(watched, clients, planned.steps)} == {"running", "done"}
    assert all("Lambda" not in name for name, _ in plan(watched, clients=clients).alarms)


def test_an_alarm_that_is_missing_is_named_and_set_alone(watched: Store) -> None:
    clients = ready(watched)
    mend(watched, clients)
    name = f"{watched.settings.evaluations}-write-throttles"
    clients.alarms.delete_alarms(AlarmNames=[name])
    line = lines(plan(watched, clients=clients))[watched.settings.evaluations]
    assert (line.level, line.fact) == ("recommended", f"1 of 10 missing: {name}")
    with watching(clients.alarms) as wire:
        mend(watched, clients)
    assert wire.changes == ["PutMetricAlarm"]
    assert judge(plan(watched, clients=clients)).state == "in sync"


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"Threshold": 5.0}, "threshold 5 instead of 0"),
        ({"Period": 60}, "period 60 instead of 300"),
        ({"DatapointsToAlarm": 1}, "datapoints to alarm 1 instead of 2"),
        ({"TreatMissingData": "breaching"}, "missing data as breaching instead of notBreaching"),
        ({"Unit": "Seconds"}, "unit Seconds instead of Count"),
        ({"ActionsEnabled": False}, "its actions are turned off"),
        ({"AlarmActions": ["arn:aws:sns:us-east-1:123456789012:theirs"]}, "it does not tell alerts-"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_drift_is_said_and_mended_and_what_others_added_stays(
    watched: Store, changes: dict[str, Any], fact: str
) -> None:
    clients = ready(watched)
    mend(watched, clients)
    name = f"{watched.settings.flashcard_sets}-write-throttles"
    theirs = "arn:aws:sns:us-east-1:123456789012:theirs"
    change(
        clients,
        held(watched, clients)[name],
        **{"AlarmActions": [theirs, watched.settings.alarm_topic], **changes},
        OKActions=[theirs],
        AlarmDescription="Call Olga.",
    )
    planned = plan(watched, clients=clients)
    line = lines(planned)[watched.settings.flashcard_sets]
    assert line.level == "recommended"
    assert str(line.fact).startswith(f"{name}: {fact}")
    (step,) = planned.steps
    assert fact in step.what
    mend(watched, clients, planned.steps)
    mended = held(watched, clients)[name]
    assert set(mended["AlarmActions"]) == {theirs, watched.settings.alarm_topic}
    assert (mended["OKActions"], mended["AlarmDescription"]) == ([theirs], "Call Olga.")
    assert judge(plan(watched, clients=clients)).state == "in sync"


def test_what_cloudwatch_leaves_out_is_no_drift(watched: Store) -> None:
    clients = ready(watched)
    mend(watched, clients)
    described = list(held(watched, clients).values())
    for alarm in described:
        if alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]:
            del alarm["DatapointsToAlarm"]
    with watching(clients.alarms) as wire:
        wire.answer = lambda asked: reply(MetricAlarms=described) if asked == "DescribeAlarms" else None
        assert {check.level for _, check in plan(watched, clients=clients).alarms} == {"ok"}


def test_an_alarm_of_that_name_on_something_else_is_left_alone(watched: Store) -> None:
    clients = ready(watched)
    name = f"{watched.settings.functions[0]}-errors"
    request = alarms.of_function(watched.settings.functions[0])[0].request(watched.settings.alarm_topic)
    clients.alarms.put_metric_alarm(**{**request, "MetricName": "Duration"})
    line = lines(plan(watched, clients=clients))[WRITING]
    assert line.level == "blocked"
    assert f"alarms of these names watch something else: {name}." in str(line.fact)
    assert line.step
    assert name not in line.step.detail.split(",")
    mend(watched, clients)
    assert held(watched, clients)[name]["MetricName"] == "Duration"


def test_a_lambda_that_is_not_there_has_no_alarm(watched: Store) -> None:
    clients = ready(watched)
    clients.functions.delete_function(FunctionName=watched.settings.functions[2])
    planned = plan(watched, clients=clients)
    assert list(lines(planned)) == [
        watched.settings.alarm_topic.rpartition(":")[2],
        *(watched.settings.name(table) for table in TABLES),
        *(function.label for function in FUNCTIONS[:2]),
    ]
    mend(watched, clients, planned.steps)
    assert not [name for name in held(watched, clients) if name.startswith(watched.settings.functions[2])]


def test_an_alias_is_watched_by_the_functions_name_and_another_accounts_function_not_at_all(watched: Store) -> None:
    clients = ready(watched)
    name = watched.settings.functions[0]
    clients.functions.publish_version(FunctionName=name)
    clients.functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    settings = replace(watched.settings, functions=(f"{name}:live", *watched.settings.functions[1:]))
    step = lines(plan(Store(settings, watched.client), clients=clients))[WRITING].step
    assert step
    assert step.detail == f"{name}-errors,{name}-throttles"
    elsewhere = f"arn:aws:lambda:us-east-1:999999999999:function:{name}"
    settings = replace(watched.settings, functions=(elsewhere, *watched.settings.functions[1:]))
    with watching(clients.functions) as wire:
        wire.answer = lambda asked: reply(FunctionName="f", Role="r", Aliases=[]) if asked != "ListTags" else None
        assert WRITING not in lines(plan(Store(settings, watched.client), clients=clients))


def test_anothers_table_gets_no_alarm(watched: Store) -> None:
    watched.client.create_table(**bare_request(FLASHCARD_SETS, watched.settings.evaluations))
    planned = plan(watched, clients=Clients.open(watched, **CREDENTIALS))
    assert watched.settings.evaluations not in lines(planned)
    assert watched.settings.flashcard_sets in lines(planned)


def test_a_stack_that_owns_an_alarm_is_told_with_the_step(watched: Store) -> None:
    clients = ready(watched)
    mend(watched, clients)
    name = f"{watched.settings.evaluations}-read-throttles"
    change(clients, held(watched, clients)[name], Threshold=9.0)
    with watching(clients.alarms) as wire:
        tags = [{"Key": "aws:cloudformation:stack-name", "Value": "bandup-prod"}]
        wire.answer = lambda asked: reply(Tags=tags) if asked == "ListTagsForResource" else None
        (step,) = plan(watched, clients=clients).steps
    assert step.warning.startswith("The CloudFormation stack bandup-prod owns it: ")


# The topic


def test_a_topic_that_is_not_there_is_broken_and_no_alarm_is_planned(watched: Store) -> None:
    clients = ready(watched)
    store = with_topic(watched, "arn:aws:sns:us-east-1:123456789012:nobody")
    planned = plan(store, clients=clients)
    ((owner, line),) = planned.alarms
    assert (owner, line.level) == ("nobody", "blocked")
    assert line.fact == (
        "There is no topic arn:aws:sns:us-east-1:123456789012:nobody. Create it, or correct BANDUP_ALARM_TOPIC."
    )
    assert (judge(planned).state, planned.steps) == ("broken", ())


def test_a_topic_of_another_region_is_broken_and_nobody_is_asked(watched: Store) -> None:
    clients = ready(watched)
    store = with_topic(watched, watched.settings.alarm_topic.replace("us-east-1", "eu-west-1"))
    with watching(clients.alarms, clients.topics) as wire:
        ((_, line),) = plan(store, clients=clients).alarms
    assert (line.level, wire.sent) == ("blocked", [])
    assert "It is in eu-west-1; alarms of us-east-1" in str(line.fact)


def test_a_topic_that_nobody_hears_is_a_problem(watched: Store) -> None:
    clients = ready(watched)
    arn = clients.topics.create_topic(Name=f"silent-{uuid.uuid4().hex[:8]}")["TopicArn"]
    store = with_topic(watched, arn)
    mend(store, clients)
    verdict = judge(plan(store, clients=clients))
    assert [problem.check.subject for problem in verdict.problems] == ["Alarm topic"]
    assert "no alarm is heard" in str(verdict.problems[0].check.fact)


# What CloudWatch and SNS refuse


@pytest.fixture
def door(moto: str, watched: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy between `watched` and CloudWatch, SNS, Lambda and IAM."""
    with proxy.in_front_of(moto) as opened:
        monkeypatch.setenv("AWS_ENDPOINT_URL", opened.url)
        yield opened


def denied(of: str) -> Callable[[Proxy], None]:
    return lambda door: door.fail(refusal("AccessDenied", proxy.denied, 403), operation(of))


def test_alarms_that_may_not_be_looked_at_could_not_be_checked_and_name_the_permission(
    watched: Store, door: Proxy
) -> None:
    clients = ready(watched)
    denied("DescribeAlarms")(door)
    planned = plan(watched, clients=clients)
    line = lines(planned)["CloudWatch"]
    assert (line.subject, line.level, line.step) == ("Alarms", "unchecked", None)
    assert isinstance(line.fact, Failure)
    assert line.fact.operation == "cloudwatch:DescribeAlarms"
    assert line.fact.resource == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"
    assert judge(planned).exit_code == 3
    # What is only recommended keeps nothing from being in sync where it was not asked for.
    assert judge(planned, required_only=True).state == "in sync"
    assert [asked.operation for asked in door.failed] == ["DescribeAlarms"]


def test_a_topic_that_may_not_be_looked_at_could_not_be_checked_and_the_alarms_are_checked_all_the_same(
    watched: Store, door: Proxy
) -> None:
    clients = ready(watched)
    mend(watched, clients)
    denied("GetTopicAttributes")(door)
    planned = plan(watched, clients=clients)
    (problem,) = judge(planned).problems
    assert (problem.state, problem.check.subject) == ("could not be checked", "Alarm topic")
    assert isinstance(problem.check.fact, Failure)
    assert problem.check.fact.operation == "sns:GetTopicAttributes"
    assert problem.check.fact.resource == watched.settings.alarm_topic


@pytest.mark.parametrize(
    ("code", "status", "kind"), [("Throttling", 400, "throttled"), ("InternalServiceFault", 500, "service")]
)
def test_alarms_that_cannot_be_asked_for_could_not_be_checked(
    watched: Store, door: Proxy, code: str, status: int, kind: str
) -> None:
    clients = ready(watched)
    door.fail(refusal(code, "injected", status), operation("DescribeAlarms"))
    line = lines(plan(watched, clients=clients))["CloudWatch"]
    assert isinstance(line.fact, Failure)
    assert (line.level, line.fact.kind) == ("unchecked", kind)


def test_an_answer_that_is_cut_off_is_no_answer(watched: Store, door: Proxy) -> None:
    clients = ready(watched)
    door.fail(proxy.truncated, operation("DescribeAlarms"))
    assert lines(plan(watched, clients=clients))["CloudWatch"].level == "unchecked"


def test_a_denied_alarm_fails_its_step_with_the_permission_and_the_others_go_on(watched: Store, door: Proxy) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps
    door.fail(refusal("AccessDenied", proxy.denied, 403), operation("PutMetricAlarm"), times=1)
    events = mend(watched, clients, steps)
    ends = [event for event in events if event.state != "running"]
    assert [event.state for event in ends] == ["failed"] + ["done"] * 4
    failure = ends[0].message
    assert isinstance(failure, Failure)
    assert failure.operation == "cloudwatch:PutMetricAlarm"
    # Run again, it goes on where it was.
    assert [event.state for event in mend(watched, clients)] == ["running", "done"]
    assert judge(plan(watched, clients=clients)).state == "in sync"


def test_throttled_puts_are_tried_again(watched: Store, door: Proxy) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps
    door.fail(refusal("Throttling", "Rate exceeded"), operation("PutMetricAlarm"), times=7, skip=4)
    events = mend(watched, clients, steps)
    assert "waiting" in {event.state for event in events}
    assert [event.state for event in events if event.state not in ("running", "waiting")] == ["done"] * 5


def test_a_plan_that_is_no_longer_so_is_refused_and_one_that_cannot_be_asked_about_says_why(
    watched: Store, door: Proxy
) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps
    denied("DescribeAlarms")(door)
    with pytest.raises(Failure) as caught:
        mend(watched, clients, steps)
    assert caught.value.case == "plan_unchecked"
    door.heal()
    mend(watched, clients)
    with watching(clients.alarms) as wire, pytest.raises(Failure) as caught:
        mend(watched, clients, steps)
    assert (caught.value.case, wire.changes) == ("plan_changed", [])


def test_an_alarm_that_somebody_makes_while_the_plan_is_carried_out_is_not_set_back(watched: Store) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps
    declared = alarms.of_table(EVALUATIONS, watched.settings.evaluations)
    (alarm,) = (one for one in declared if one.ending == "write-throttles")
    theirs = alarm.request("arn:aws:sns:us-east-1:123456789012:other") | {"Threshold": 5.0}
    states = []
    for event in apply(watched, steps, who="test", clock=INSTANT, clients=clients):
        if not states:
            clients.alarms.put_metric_alarm(**theirs)
        states.append(event.state)
    assert states.count("failed") == 1
    assert held(watched, clients)[alarm.name]["Threshold"] == 5.0


def test_an_alarm_that_never_shows_fails_in_the_end(watched: Store) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps[-1:]
    with watching(clients.alarms) as wire:
        wire.answer = lambda asked: reply() if asked == "PutMetricAlarm" else None
        events = mend(watched, clients, steps)
    assert events[-1].state == "failed"
    assert "does not come about" in str(events[-1].message)


def test_an_account_at_its_limit_of_alarms_gets_a_sentence(watched: Store) -> None:
    clients = ready(watched)
    steps = plan(watched, clients=clients).steps[-1:]
    with watching(clients.alarms) as wire:
        wire.answer = failing("PutMetricAlarm", "LimitExceeded", 99)
        events = mend(watched, clients, steps)
    assert isinstance(events[-1].message, Failure)
    assert events[-1].message.kind == "limit"


def test_at_an_endpoint_of_dynamodb_alone_alarms_are_not_offered(
    dynoxide: str, new_settings: Callable[[str], Settings]
) -> None:
    settings = replace(new_settings(dynoxide), alarm_topic="arn:aws:sns:us-east-1:123456789012:alerts")
    store = Store.open(settings, **CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    with pytest.raises(Failure) as caught:
        Clients.open(store, **CREDENTIALS)
    ((_, line),) = plan(store, clients=caught.value).alarms
    assert line.level == "not_offered"


def test_long_names_are_cut_and_stay_apart() -> None:
    names = [alarm.name for suffix in "ab" for alarm in alarms.of_table(TABLES[0], "t" * 254 + suffix)]
    assert len(set(names)) == len(names) == 20
    assert max(map(len, names)) <= 255
