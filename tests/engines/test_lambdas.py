"""The Lambdas' wiring, link by link; on moto, and with stubs for what moto lacks. Secrets stay where they are."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning import lambdas
from data.provisioning.apply import Event, apply
from data.provisioning.clients import Clients
from data.provisioning.drift import Check, Step
from data.provisioning.lambdas import Proof, proofs, set_variable, update_status
from data.provisioning.plan import plan
from data.provisioning.requests import create
from data.schema import BY_STUDENT, EVALUATIONS, FUNCTIONS, LAMBDA_ACTIONS, TABLES
from data.settings import Settings
from tests.support import engines, proxy
from tests.support.accounts import (
    INSTANT,
    SECRETS,
    Simulator,
    Wire,
    deploy,
    failing,
    refusal,
    reply,
    simulation,
    watching,
)
from wording import account

pytestmark = pytest.mark.slow

WRITING, SPEAKING, FLASHCARDS = (function.label for function in FUNCTIONS)


@pytest.fixture
def tables(account: Store) -> Store:
    """Both tables as declared."""
    for table in TABLES:
        create(account.client, table, account.settings.name(table))
    return account


def prove(store: Store, clients: Clients) -> dict[str, Proof]:
    return {proof.function.label: proof for proof in proofs(store, clients, plan(store).checks)}


def link(proof: Proof, subject: str) -> Check:
    return next(check for check in proof.links if check.subject == subject)


def variables(clients: Clients, name: str) -> Any:
    return clients.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]


def mend(store: Store, clients: Clients, steps: tuple[Step, ...]) -> list[Event]:
    return list(apply(store, steps, who="test", clock=INSTANT, clients=clients))


def test_each_chain_goes_from_the_lambda_over_its_variable_and_table_to_its_role(
    tables: Store, clients: Clients
) -> None:
    deploy(tables, clients)
    for label, proof in prove(tables, clients).items():
        assert [check.subject for check in proof.links] == ["Lambda", "Variable", "Table", "Keys", "Role"], label
        assert [check.level for check in proof.links[:-1]] == ["ok"] * 4
        assert proof.steps == ()


@pytest.mark.parametrize(
    ("value", "fact"), [("elsewhere", "names elsewhere, not "), (None, "is not set"), ("", "names , not ")]
)
def test_a_wrong_or_missing_variable_is_red_and_a_step_mends_it(
    tables: Store, clients: Clients, value: str | None, fact: str
) -> None:
    deploy(tables, clients, {SPEAKING: value})
    chains = prove(tables, clients)
    assert link(chains[WRITING], "Variable").level == "ok"
    wrong = link(chains[SPEAKING], "Variable")
    assert wrong.level == "missing"
    assert fact in str(wrong.fact)
    with watching(clients.functions) as wire:
        events = mend(tables, clients, chains[SPEAKING].steps)
    assert [event.state for event in events] == ["running", "done"]
    assert wire.changes == ["UpdateFunctionConfiguration"]
    assert variables(clients, tables.settings.functions[1]) == {
        **SECRETS,
        EVALUATIONS.variable: tables.settings.evaluations,
    }
    assert prove(tables, clients)[SPEAKING].steps == ()


def test_a_function_that_does_not_exist_is_red_and_no_step(tables: Store, clients: Clients) -> None:
    for proof in prove(tables, clients).values():
        (only,) = proof.links
        assert (only.subject, only.level) == ("Lambda", "missing")
        assert f"There is no function {proof.name}. Deploy it, or name it in {proof.function.variable}." == only.fact
        assert proof.steps == ()


def test_a_missing_table_or_one_with_wrong_keys_is_red_in_the_chain(account: Store, clients: Clients) -> None:
    deploy(account, clients)
    chains = prove(account, clients)
    assert link(chains[WRITING], "Table").level == "missing"
    assert link(chains[WRITING], "Keys").level == "missing"
    assert link(chains[WRITING], "Role").level == "unchecked"
    # The flashcards' keys under the evaluations' name.
    create(account.client, TABLES[1], account.settings.evaluations)
    assert link(prove(account, clients)[WRITING], "Keys").level == "blocked"


def configured(**changes: Any) -> Callable[[str], Any]:
    """A Wire's answer in place of GetFunctionConfiguration's, of a function without aliases."""
    content = {
        "FunctionName": "f",
        "Role": "arn:aws:iam::123456789012:role/evaluators",
        "RevisionId": "r1",
        "Environment": {"Variables": dict(SECRETS)},
        **changes,
    }
    answers = {"GetFunctionConfiguration": content, "ListAliases": {"Aliases": []}, "GetFunctionConcurrency": {}}
    return lambda operation: reply(**answers[operation]) if operation in answers else None


@pytest.mark.parametrize(
    ("status", "level", "fact"),
    [
        ("Failed", "missing", "its last update failed"),
        ("InProgress", "building", "an update is in progress"),
        ("Successful", "ok", "last update successful"),
    ],
)
def test_the_last_update_of_the_function_is_told(
    tables: Store, clients: Clients, status: str, level: str, fact: str
) -> None:
    with watching(clients.functions) as wire:
        wire.answer = configured(LastUpdateStatus=status)
        first = link(prove(tables, clients)[WRITING], "Lambda")
    assert first.level == level
    assert fact in str(first.fact)


@pytest.mark.parametrize(
    ("changes", "level", "fact"),
    [
        ({"State": "Failed", "StateReason": "the image is gone"}, "missing", "Failed (the image is gone)"),
        ({"State": "Pending"}, "building", "it is being created"),
        ({"State": "Inactive"}, "missing", "the next call fails, and wakes it"),
        ({"State": "Deactivated"}, "missing", "its state is Deactivated"),
        ({"State": "ActiveNonInvocable"}, "missing", "its state is ActiveNonInvocable"),
        ({"State": "Active"}, "ok", "last update successful"),
    ],
)
def test_the_state_of_the_function_is_told(
    tables: Store, clients: Clients, changes: dict[str, str], level: str, fact: str
) -> None:
    deploy(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = configured(**changes)
        first = link(prove(tables, clients)[WRITING], "Lambda")
    assert first.level == level
    assert fact in first.fact


def publish(store: Store, clients: Clients, value: str, alias: str = "live") -> str:
    """A version of the Writing evaluator whose variable has this value, behind an alias; the function's bare name has
    the right one afterwards."""
    name = store.settings.functions[0]
    for variable in (value, store.settings.evaluations):
        clients.functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**SECRETS, EVALUATIONS.variable: variable}}
        )
        if variable == value and alias:
            version = clients.functions.publish_version(FunctionName=name)["Version"]
            clients.functions.create_alias(FunctionName=name, Name=alias, FunctionVersion=version)
            alias = ""
    return name


def named(store: Store, name: str) -> Store:
    """The same, with another name for the Writing evaluator."""
    return Store(replace(store.settings, functions=(name, *store.settings.functions[1:])), store.client)


@pytest.mark.parametrize("end", ["", ":live"], ids=["bare name", "by alias"])
def test_an_alias_whose_version_names_another_table_is_red_and_says_what_to_do(
    tables: Store, clients: Clients, end: str
) -> None:
    deploy(tables, clients)
    name = publish(tables, clients, "elsewhere")
    proof = prove(named(tables, f"{name}{end}"), clients)[WRITING]
    wrong = next(check for check in proof.links if check.subject == "Variable" and check.level != "ok")
    assert wrong.level == "missing"
    assert wrong.fact.startswith(f"alias live (version 1): {EVALUATIONS.variable} names elsewhere, not ")
    assert "A published version keeps its variables" in wrong.fact
    assert "aws lambda publish-version" in wrong.fact
    assert proof.steps == ()


def test_an_alias_that_is_right_is_green_whatever_the_bare_name_has(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    name = publish(tables, clients, tables.settings.evaluations)
    clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": SECRETS})
    proof = prove(named(tables, f"{name}:live"), clients)[WRITING]
    assert {check.level for check in proof.links if check.subject != "Role"} == {"ok"}
    # By its bare name it is invoked wrongly.
    assert prove(named(tables, name), clients)[WRITING].steps


def test_where_alias_and_bare_name_are_wrong_a_step_sets_the_latter_and_says_that_versions_keep_theirs(
    tables: Store, clients: Clients
) -> None:
    deploy(tables, clients)
    name = publish(tables, clients, "elsewhere")
    clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": SECRETS})
    store = named(tables, f"{name}:live")
    steps = prove(store, clients)[WRITING].steps
    events = mend(store, clients, steps)
    assert events[-1].state == "done"
    assert "Published versions keep theirs" in events[-1].message
    assert variables(clients, name)[EVALUATIONS.variable] == tables.settings.evaluations
    proof = prove(store, clients)[WRITING]
    assert proof.steps == ()
    assert link(proof, "Variable").level == "missing"


def test_a_version_that_an_alias_gives_some_calls_to_is_looked_at_too(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    with watching(clients.functions) as wire:
        routing = {"AdditionalVersionWeights": {"7": 0.1}}
        aliases = [{"Name": "live", "FunctionVersion": "6", "RoutingConfig": routing}]
        read = configured()
        wire.answer = lambda asked: reply(Aliases=aliases) if asked == "ListAliases" else read(asked)
        proof = prove(tables, clients)[WRITING]
    facts = [check.fact for check in proof.links if check.subject == "Variable"]
    assert [fact.partition(": ")[0] for fact in facts[1:]] == ["alias live (version 6)", "alias live (version 7)"]


def test_an_alias_that_is_not_there_is_a_missing_function(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    (only,) = prove(named(tables, f"{tables.settings.functions[0]}:live"), clients)[WRITING].links
    assert (only.subject, only.level) == ("Lambda", "missing")
    assert f"There is no function {tables.settings.functions[0]}:live." in only.fact


def test_an_arn_is_looked_at_and_one_from_elsewhere_could_not_be_checked(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    name = tables.settings.functions[0]
    arn = clients.functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    with watching(clients.functions) as wire:
        # moto lists the aliases of a function by its name alone.
        wire.answer = lambda asked: reply(Aliases=[]) if asked == "ListAliases" else None
        assert link(prove(named(tables, arn), clients)[WRITING], "Variable").level == "ok"
    for here, there in (("us-east-1", "eu-west-1"), ("123456789012", "account 999999999999")):
        (only,) = prove(named(tables, arn.replace(here, there[-12:])), clients)[WRITING].links
        assert only.level == "unchecked"
        assert f"is in {there}, and the tables are in {here}: it may write there" in only.fact


def test_aliases_that_may_not_be_listed_could_not_be_checked_and_name_the_permission(
    tables: Store, clients: Clients
) -> None:
    deploy(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = failing("ListAliases", "AccessDeniedException", 3, 403)
        proof = prove(tables, clients)[WRITING]
    (denied,) = (check.fact for check in proof.links if check.level == "unchecked" and check.subject == "Lambda")
    assert isinstance(denied, Failure)
    assert denied.operation == "lambda:ListAliases"
    assert link(proof, "Variable").level == "ok"


def test_aliases_that_the_endpoint_does_not_list_are_told(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = failing("ListAliases", "UnknownOperationException", 1)
        levels = [check.level for check in prove(tables, clients)[WRITING].links if check.subject == "Lambda"]
    assert levels == ["ok", "not_offered"]


def test_a_function_that_was_switched_off_by_its_concurrency_is_red_and_says_what_to_do(
    tables: Store, clients: Clients
) -> None:
    deploy(tables, clients)
    name = tables.settings.functions[0]
    clients.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    red = [check for check in prove(tables, clients)[WRITING].links if check.level == "missing"]
    assert [check.subject for check in red] == ["Lambda"]
    assert f"delete-function-concurrency --function-name {name}" in str(red[0].fact)
    clients.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert all(check.level != "missing" for check in prove(tables, clients)[WRITING].links)


def test_a_concurrency_that_may_not_be_read_could_not_be_checked(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = failing("GetFunctionConcurrency", "AccessDeniedException", 1, 403)
        links = prove(tables, clients)[WRITING].links
    (denied,) = (check.fact for check in links if check.level == "unchecked" and check.subject == "Lambda")
    assert isinstance(denied, Failure)
    assert denied.operation == "lambda:GetFunctionConcurrency"


def test_a_variable_may_hold_the_arn_of_its_table_and_no_other(tables: Store, clients: Clients) -> None:
    arn = tables.facts(EVALUATIONS).arn
    deploy(tables, clients, {SPEAKING: arn, WRITING: arn.replace(":us-east-1:", ":eu-west-1:")})
    proved = prove(tables, clients)
    assert (link(proved[SPEAKING], "Variable").level, proved[SPEAKING].steps) == ("ok", ())
    assert link(proved[WRITING], "Variable").level == "missing"
    (step,) = proved[WRITING].steps
    assert step.what.startswith("Set ")


def test_an_arn_could_not_be_checked_where_the_table_may_not_be_looked_at_and_nothing_is_planned(
    tables: Store, clients: Clients
) -> None:
    deploy(tables, clients, {SPEAKING: tables.facts(EVALUATIONS).arn})
    tables.forget()
    with watching(tables.client) as wire:
        wire.answer = failing("DescribeTable", "AccessDeniedException", 9, 403)
        proved = {proof.function.label: proof for proof in proofs(tables, clients)}[SPEAKING]
    variable = link(proved, "Variable")
    assert (variable.level, proved.steps) == ("unchecked", ())
    assert isinstance(variable.fact, Failure)
    assert variable.fact.operation == "dynamodb:DescribeTable"


def test_a_functions_own_log_group_is_where_its_log_is(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    name = tables.settings.functions[0]
    assert lambdas.log_group(clients, f"{name}:live") == f"/aws/lambda/{name}"
    with watching(clients.functions) as wire:
        wire.answer = configured(LoggingConfig={"LogGroup": "/school/writing"})
        assert lambdas.log_group(clients, name) == "/school/writing"


@pytest.mark.parametrize("skip", [0, 1], ids=["the function", "its aliases"])
def test_half_an_answer_of_lambda_could_not_be_checked_and_is_never_green(
    tables: Store, moto: str, clients: Clients, skip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tables, clients)
    with proxy.in_front_of(moto) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
        through = Clients.open(tables, **engines.CREDENTIALS)
        door.fail(proxy.truncated, lambda asked: asked.service == "lambda", times=1, skip=skip)
        proof = prove(tables, through)[WRITING]
    failures = [check.fact for check in proof.links if check.subject == "Lambda" and check.level == "unchecked"]
    assert [failure.kind for failure in failures if isinstance(failure, Failure)] == ["garbled"]
    assert proof.steps == ()


def test_a_function_that_a_stack_owns_is_told_with_the_step(tables: Store, clients: Clients) -> None:
    deploy(tables, clients, {WRITING: "elsewhere"})
    name = tables.settings.functions[0]
    with watching(clients.functions) as wire:
        tags = {"aws:cloudformation:stack-name": "bandup-prod"}
        wire.answer = lambda asked: reply(Tags=tags) if asked == "ListTags" else None
        (step,) = prove(tables, clients)[WRITING].steps
    assert step.stack == "bandup-prod"
    assert step.warning.startswith("The CloudFormation stack bandup-prod owns it: ")
    assert name in step.what
    (unknown,) = prove(tables, clients)[WRITING].steps
    assert (unknown.stack, unknown.warning) == ("", "")


UNREADABLE = {"Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "kms:Decrypt denied"}}}


def step_for(store: Store, clients: Clients) -> Step:
    """The step that sets the first Lambda's variable."""
    deploy(store, clients, {WRITING: "elsewhere"})
    (step,) = prove(store, clients)[WRITING].steps
    return step


def test_nothing_is_sent_where_the_environment_cannot_be_read(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = configured(**UNREADABLE)
        with pytest.raises(Failure) as caught:
            set_variable(clients, step)
        proof = prove(tables, clients)[WRITING]
    assert (caught.value.kind, caught.value.case) == ("unexpected", "environment")
    assert wire.changes == []
    assert link(proof, "Variable").level == "unchecked"
    assert proof.steps == ()
    assert variables(clients, tables.settings.functions[0])["GEMINI_API_KEY"] == SECRETS["GEMINI_API_KEY"]


def sent(clients: Clients) -> list[Any]:
    """What UpdateFunctionConfiguration is given, from now on."""
    given: list[Any] = []
    clients.functions.meta.events.register(
        "provide-client-params.lambda.UpdateFunctionConfiguration", lambda params, **_: given.append(params)
    )
    return given


def test_one_variable_is_merged_into_the_whole_environment_and_sent_with_its_revision(
    tables: Store, clients: Clients
) -> None:
    step = step_for(tables, clients)
    given = sent(clients)
    read = configured(Environment={"Variables": {**SECRETS, EVALUATIONS.variable: "elsewhere"}})

    def answer(operation: str) -> Any:
        return reply() if operation == "UpdateFunctionConfiguration" else read(operation)

    with watching(clients.functions) as wire:
        wire.answer = answer
        assert set_variable(clients, step)
    (request,) = given
    assert request == {
        "FunctionName": tables.settings.functions[0],
        "Environment": {"Variables": {**SECRETS, EVALUATIONS.variable: tables.settings.evaluations}},
        "RevisionId": "r1",
    }


def test_lambda_is_asked_with_the_credentials_that_the_tables_are_asked_with(
    monkeypatch: pytest.MonkeyPatch, new_settings: Callable[[str], Settings], moto: str
) -> None:
    """A file or a variable may name another account by then; the account that is typed is the tables'."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "first")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    store = Store.open(new_settings(moto))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "second")
    opened: Any = Clients.open(store)
    for client in (opened.functions, opened.roles):
        assert client._request_signer._credentials.access_key == "first"


def test_a_variable_that_another_person_has_set_since_the_plan_is_left_alone(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    assert "instead of elsewhere" in step.what
    clients.functions.update_function_configuration(
        FunctionName=tables.settings.functions[0],
        Environment={"Variables": {EVALUATIONS.variable: "the-restored-table"}},
    )
    with watching(clients.functions) as wire, pytest.raises(Failure) as caught:
        mend(tables, clients, (step,))
    assert caught.value.case == "plan_changed"
    # Neither where it was set in the time that an earlier step took.
    with watching(clients.functions) as wire, pytest.raises(Failure) as caught:
        set_variable(clients, step)
    assert caught.value.case == "plan_changed"
    assert wire.changes == []


def test_what_lambda_says_of_variables_that_are_too_large_is_not_told(tables: Store, clients: Clients) -> None:
    """AWS quotes all of them: “exceeded the 4KB limit. String measured: {...}”."""
    step = step_for(tables, clients)
    quoted = f"exceeded the 4KB limit. String measured: {json.dumps(SECRETS)}"
    with watching(clients.functions) as wire:
        wire.answer = failing("UpdateFunctionConfiguration", "InvalidParameterValueException", 1, message=quoted)
        (*_, event) = mend(tables, clients, (step,))
    message = f"{event!r} {account.message(event)}"
    assert "4 KB" in message
    assert not any(value in message for value in SECRETS.values() if value)


def test_a_variable_that_is_right_already_is_not_sent_again(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    assert set_variable(clients, step)
    with watching(clients.functions) as wire:
        assert not set_variable(clients, step)
    assert wire.changes == []
    assert next(update_status(clients, step)) == "Successful"


@pytest.mark.parametrize("code", ["PreconditionFailedException", "ResourceConflictException"])
def test_a_function_that_somebody_changed_in_between_is_read_again_and_nothing_of_theirs_is_lost(
    tables: Store, clients: Clients, code: str
) -> None:
    step = step_for(tables, clients)
    name = tables.settings.functions[0]
    theirs = {**SECRETS, EVALUATIONS.variable: "elsewhere", "THEIRS": "new"}
    refused = [0]

    def answer(operation: str) -> Any:
        if operation != "UpdateFunctionConfiguration" or refused[0]:
            return None
        refused[0] = 1
        clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": theirs})
        return refusal(code, 412)

    with watching(clients.functions) as wire:
        wire.answer = answer
        events = mend(tables, clients, (step,))
    assert [event.state for event in events] == ["running", "waiting", "done"]
    assert variables(clients, name) == {**theirs, EVALUATIONS.variable: tables.settings.evaluations}


def test_waiting_for_a_function_that_is_busy_never_takes_longer_than_ten_seconds_at_a_time(
    tables: Store, clients: Clients
) -> None:
    step = step_for(tables, clients)
    waits: list[float] = []
    with watching(clients.functions) as wire:
        wire.answer = failing("UpdateFunctionConfiguration", "ResourceConflictException", 12, 409)
        events = list(apply(tables, (step,), who="test", clock=replace(INSTANT, sleep=waits.append), clients=clients))
    assert events[-1].state == "done"
    assert max(waits) <= 10


def test_an_update_that_goes_on_is_followed_to_its_end(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    updates = ["Successful", "Successful", "InProgress", "InProgress", "Successful"]
    for last, state in (("Successful", "done"), ("Failed", "failed")):
        name = tables.settings.functions[0]
        clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": SECRETS})
        statuses = iter([*updates[2:-1], last])
        updated = [False]

        def answer(operation: str, statuses: Any = statuses, updated: list[bool] = updated) -> Any:
            if operation == "UpdateFunctionConfiguration":
                updated[0] = True
                return reply()
            if operation == "GetFunctionConfiguration" and updated[0]:
                return configured(LastUpdateStatus=next(statuses))(operation)
            return None

        with watching(clients.functions) as wire:
            wire.answer = answer
            (mending,) = prove(tables, clients)[WRITING].steps
            events = mend(tables, clients, (mending,))
        assert [event.state for event in events] == ["running", "waiting", "waiting", state]
    assert step.action == "variable"


def test_an_update_whose_status_could_not_be_asked_once_is_followed_all_the_same(
    tables: Store, clients: Clients
) -> None:
    step = step_for(tables, clients)
    updated = [0]

    def answer(operation: str) -> Any:
        if operation == "UpdateFunctionConfiguration":
            updated[0] = 1
        elif operation == "GetFunctionConfiguration" and updated[0]:
            updated[0] += 1
            return refusal("TooManyRequestsException", 429) if updated[0] == 2 else None
        return None

    with watching(clients.functions) as wire:
        wire.answer = answer
        events = mend(tables, clients, (step,))
    # It was this run that changed it: not "already".
    assert [event.state for event in events] == ["running", "waiting", "done"]


def test_a_denied_change_names_the_action_and_the_function(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    with watching(clients.functions) as wire:
        wire.answer = failing("UpdateFunctionConfiguration", "AccessDeniedException", 1, 403)
        events = mend(tables, clients, (step,))
    assert events[-1].state == "failed"
    denied = events[-1].message
    assert isinstance(denied, Failure)
    assert (denied.kind, denied.operation) == ("access_denied", "lambda:UpdateFunctionConfiguration")
    assert denied.resource == f"function:{tables.settings.functions[0]}"


def test_a_denied_look_is_unchecked_and_names_the_action(tables: Store, clients: Clients) -> None:
    with watching(clients.functions) as wire:
        wire.answer = failing("GetFunctionConfiguration", "AccessDeniedException", 3, 403)
        for proof in prove(tables, clients).values():
            assert proof.links[0].level == "unchecked"
            denied = proof.links[0].fact
            assert isinstance(denied, Failure)
            assert (denied.operation, denied.resource) == ("lambda:GetFunctionConfiguration", f"function:{proof.name}")
            assert proof.steps == ()


def test_no_other_variables_value_is_ever_shown_logged_or_raised(
    tables: Store, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    texts: list[str] = []
    with caplog.at_level(logging.INFO):
        deploy(tables, clients, {WRITING: "elsewhere", SPEAKING: None})
        chains = prove(tables, clients)
        texts += [repr(proof) + repr(proof.links) + repr(proof.steps) for proof in chains.values()]
        steps = tuple(step for proof in chains.values() for step in proof.steps)
        with watching(clients.functions) as wire:
            wire.answer = failing("UpdateFunctionConfiguration", "InvalidParameterValueException", 1)
            texts += [repr(event) for event in mend(tables, clients, steps)]
        with watching(clients.functions) as wire:
            wire.answer = configured(**UNREADABLE)
            with pytest.raises(Failure) as caught:
                set_variable(clients, steps[0])
            texts.append(repr(caught.value) + str(caught.value))
    text = "\n".join([*texts, caplog.text])
    assert "UpdateFunctionConfiguration" in text
    for value in SECRETS.values():
        if value:
            assert value not in text
            assert repr(value)[1:-1] not in text


# Roles


ROLE = "arn:aws:iam::123456789012:role/evaluators"


def role_of(store: Store, clients: Clients, roles: Any) -> Check:
    with watching(clients.functions) as wire:
        wire.answer = configured(Role=ROLE)
        return link(prove(store, Clients(clients.functions, roles))[WRITING], "Role")


def test_a_role_that_may_what_it_must_is_green_and_is_asked_about_its_table_and_index(
    tables: Store, clients: Clients
) -> None:
    simulator = Simulator(LAMBDA_ACTIONS)
    role = role_of(tables, clients, simulator)
    assert role.level == "ok"
    arn = tables.facts(EVALUATIONS).arn
    assert {request["PolicySourceArn"] for request in simulator.asked} == {ROLE}
    asked = {resource for request in simulator.asked for resource in request["ResourceArns"]}
    assert {arn, f"{arn}/index/{BY_STUDENT}"} <= asked
    # Ten actions in pages of three: the rest by Marker.
    assert [request.get("Marker") for request in simulator.asked][:4] == [None, "3", "6", "9"]


@pytest.mark.parametrize("lacking", LAMBDA_ACTIONS)
def test_a_role_that_may_not_what_it_must_is_red_and_the_action_is_named(
    tables: Store, clients: Clients, lacking: str
) -> None:
    role = role_of(tables, clients, Simulator(tuple(a for a in LAMBDA_ACTIONS if a != lacking)))
    assert role.level == "missing"
    assert f"may not {lacking} on {tables.settings.evaluations}" in str(role.fact)


def test_a_role_that_may_more_is_told_with_the_list(tables: Store, clients: Clients) -> None:
    role = role_of(tables, clients, Simulator((*LAMBDA_ACTIONS, "dynamodb:DeleteTable", "dynamodb:Scan")))
    assert role.level == "recommended"
    assert "it may also dynamodb:Scan, dynamodb:DeleteTable" in str(role.fact)


def test_a_role_that_may_not_query_indexes_is_told_which_is_what_the_documents_policy_lacks(
    tables: Store, clients: Clients
) -> None:
    role = role_of(tables, clients, Simulator(LAMBDA_ACTIONS, on_index=False))
    assert role.level == "recommended"
    assert "may not query its indexes" in str(role.fact)


def test_a_role_that_may_more_and_not_query_indexes_is_told_both(tables: Store, clients: Clients) -> None:
    role = role_of(tables, clients, Simulator((*LAMBDA_ACTIONS, "dynamodb:DeleteTable"), on_index=False))
    assert "may not query its indexes" in str(role.fact)
    assert "dynamodb:DeleteTable" in str(role.fact)


@pytest.mark.parametrize("allowed", [LAMBDA_ACTIONS, LAMBDA_ACTIONS[1:]], ids=["allowed", "denied"])
@pytest.mark.parametrize("where", ["missing", "missing_of_resource"])
def test_a_role_whose_answer_depends_on_what_was_not_given_could_not_be_checked_and_names_the_keys(
    tables: Store, clients: Clients, allowed: tuple[str, ...], where: str
) -> None:
    simulator = Simulator(allowed)
    setattr(simulator, where, {LAMBDA_ACTIONS[0]: ["aws:SourceVpce", "aws:SourceIp"]})
    role = role_of(tables, clients, simulator)
    assert role.level == "unchecked"
    assert f"could not be checked: whether {ROLE} may {LAMBDA_ACTIONS[0]} on " in role.fact
    assert "depends on aws:SourceIp, aws:SourceVpce" in role.fact


def test_a_role_whose_right_to_query_the_indexes_depends_is_never_green(tables: Store, clients: Clients) -> None:
    class Indexes(Simulator):
        def simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
            self.missing = {"dynamodb:Query": ["aws:SourceVpc"]} if "/index/" in request["ResourceArns"][0] else {}
            return super().simulate_principal_policy(**request)

    role = role_of(tables, clients, Indexes(LAMBDA_ACTIONS))
    assert role.level == "unchecked"
    assert "dynamodb:Query (by index)" in role.fact


def test_a_role_that_may_not_one_action_is_red_although_another_depends(tables: Store, clients: Clients) -> None:
    simulator = Simulator(LAMBDA_ACTIONS[1:])
    simulator.missing = {LAMBDA_ACTIONS[1]: ["aws:SourceVpce"]}
    assert role_of(tables, clients, simulator).level == "missing"


def test_what_a_role_may_beyond_is_told_only_where_it_is_certain(tables: Store, clients: Clients) -> None:
    simulator = Simulator((*LAMBDA_ACTIONS, "dynamodb:Scan"))
    simulator.missing = {"dynamodb:Scan": ["aws:SourceVpce"]}
    assert role_of(tables, clients, simulator).level == "ok"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidInput", "ServiceFailure"])
def test_a_role_that_cannot_be_simulated_is_never_green(tables: Store, clients: Clients, code: str) -> None:
    with watching(clients.roles) as wire:
        wire.answer = lambda _: refusal(code, 500 if code == "ServiceFailure" else 403)
        role = role_of(tables, clients, clients.roles)
    assert role.level == "unchecked"
    assert isinstance(role.fact, Failure)
    if code == "AccessDenied":
        assert (role.fact.operation, role.fact.resource) == ("iam:SimulatePrincipalPolicy", ROLE)


def test_a_role_that_is_gone_is_red(tables: Store, clients: Clients) -> None:
    deploy(tables, clients)
    with watching(clients.roles) as wire:
        wire.answer = failing("SimulatePrincipalPolicy", "NoSuchEntity", 99, 404)
        role = link(prove(tables, clients)[WRITING], "Role")
    assert (role.level, str(role.fact).partition(" arn:")[0]) == ("missing", "There is no role")


@pytest.mark.parametrize(
    ("more", "level"),
    [
        ("", "ok"),
        ({"OrganizationsDecisionDetail": {"AllowedByOrganizations": True}}, "ok"),
        ({"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}, "missing"),
        ({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}, "missing"),
        ({"ResourceSpecificResults": {"member": {"EvalResourceName": "t", "EvalResourceDecision": "allowed"}}}, "ok"),
        ({"ResourceSpecificResults": {"member": {"EvalResourceDecision": "explicitDeny"}}}, "missing"),
        ({"ResourceSpecificResults": {"member": {"MissingContextValues": {"member": "aws:SourceVpc"}}}}, "unchecked"),
        ({"MissingContextValues": {"member": "aws:SourceVpc"}}, "unchecked"),
    ],
)
def test_what_iam_says_over_the_wire_is_read_to_its_last_part(
    tables: Store, moto: str, clients: Clients, more: Any, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(tables, clients)
    with proxy.in_front_of(moto) as door:
        door.fail(simulation(more=xml(more)), proxy.operation("SimulatePrincipalPolicy"))
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
        through = Clients.open(tables, **engines.CREDENTIALS)
        role = link(prove(tables, through)[WRITING], "Role")
    assert role.level == level, role.fact
    assert ("aws:SourceVpc" in str(role.fact)) == (level == "unchecked")


def xml(content: Any) -> str:
    """Nested elements."""
    if not isinstance(content, dict):
        return str(content).lower() if isinstance(content, bool) else str(content)
    return "".join(f"<{name}>{xml(value)}</{name}>" for name, value in content.items())


def test_a_function_without_a_role_is_never_green(tables: Store, clients: Clients) -> None:
    with watching(clients.functions) as wire:
        wire.answer = configured(Role="")
        assert link(prove(tables, clients)[WRITING], "Role").level == "unchecked"


def test_an_endpoint_of_dynamodb_alone_has_no_lambdas_to_check(
    bare_store: Store, new_settings: Callable[[str], Settings]
) -> None:
    with pytest.raises(Failure) as caught:
        Clients.open(bare_store, **engines.CREDENTIALS)
    assert caught.value.kind == "not_offered"
    for proof in proofs(bare_store, caught.value):
        assert [check.level for check in proof.links] == ["not_offered"]
        assert proof.steps == ()
    other = proofs(bare_store, Failure("credentials"))
    assert {check.level for proof in other for check in proof.links} == {"unchecked"}


def test_without_clients_a_variables_step_says_that_it_is_not_offered(tables: Store, clients: Clients) -> None:
    step = step_for(tables, clients)
    with watching(clients.functions) as wire:
        events = list(apply(tables, (), who="test", clients=None))
        assert events == []
        assert isinstance(wire, Wire)
    with pytest.raises(Failure) as caught:
        list(apply(tables, (step,), who="test", clock=INSTANT, clients=None))
    assert caught.value.kind == "changed"
    assert variables(clients, tables.settings.functions[0])[EVALUATIONS.variable] == "elsewhere"
