"""The Lambdas' wiring, link by link; on moto, and with stubs for what moto lacks. Secrets stay where they are."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from data.dynamodb.errors import Failure
from data.dynamodb.store import Store
from data.provisioning.drift import Check, Step
from data.provisioning.lambdas import Clients, Proof, proofs, set_variable, unreachable, update_status
from data.provisioning.provision import Event, apply, create, plan
from data.schema import BY_STUDENT, EVALUATIONS, FUNCTIONS, LAMBDA_ACTIONS, TABLES
from data.settings import Settings
from tests.support import engines
from tests.support.accounts import INSTANT, SECRETS, Wire, deploy, failing, refusal, reply, watching

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
    found = prove(tables, clients)
    assert link(found[WRITING], "Variable").level == "ok"
    wrong = link(found[SPEAKING], "Variable")
    assert wrong.level == "missing"
    assert fact in wrong.fact
    with watching(clients.functions) as wire:
        events = mend(tables, clients, found[SPEAKING].steps)
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
    found = prove(account, clients)
    assert link(found[WRITING], "Table").level == "missing"
    assert link(found[WRITING], "Keys").level == "missing"
    assert link(found[WRITING], "Role").level == "unchecked"
    # The flashcards' keys under the evaluations' name.
    create(account.client, TABLES[1], account.settings.evaluations)
    assert link(prove(account, clients)[WRITING], "Keys").level == "blocked"


def configured(**changes: Any) -> Callable[[str], Any]:
    """A Wire's answer in place of GetFunctionConfiguration's."""
    content = {
        "FunctionName": "f",
        "Role": "arn:aws:iam::123456789012:role/evaluators",
        "RevisionId": "r1",
        "Environment": {"Variables": dict(SECRETS)},
        **changes,
    }
    return lambda operation: reply(**content) if operation == "GetFunctionConfiguration" else None


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
    assert fact in first.fact


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
    assert "so nothing was sent" in caught.value.what
    assert "kms:Decrypt" in caught.value.do
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
    read = configured()

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
    told = ["Successful", "Successful", "InProgress", "InProgress", "Successful"]
    for last, state in (("Successful", "done"), ("Failed", "failed")):
        name = tables.settings.functions[0]
        clients.functions.update_function_configuration(FunctionName=name, Environment={"Variables": SECRETS})
        statuses = iter([*told[2:-1], last])
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
    wanted = f"Add the action lambda:UpdateFunctionConfiguration on function:{tables.settings.functions[0]}"
    assert wanted in events[-1].message


def test_a_denied_look_is_unchecked_and_names_the_action(tables: Store, clients: Clients) -> None:
    with watching(clients.functions) as wire:
        wire.answer = failing("GetFunctionConfiguration", "AccessDeniedException", 3, 403)
        for proof in prove(tables, clients).values():
            assert proof.links[0].level == "unchecked"
            assert "could not be checked" in proof.links[0].fact
            assert f"lambda:GetFunctionConfiguration on function:{proof.name}" in proof.links[0].fact
            assert proof.steps == ()


def test_no_other_variables_value_is_ever_shown_logged_or_raised(
    tables: Store, clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    with caplog.at_level(logging.INFO):
        deploy(tables, clients, {WRITING: "elsewhere", SPEAKING: None})
        found = prove(tables, clients)
        said += [repr(proof) + repr(proof.links) + repr(proof.steps) for proof in found.values()]
        steps = tuple(step for proof in found.values() for step in proof.steps)
        with watching(clients.functions) as wire:
            wire.answer = failing("UpdateFunctionConfiguration", "InvalidParameterValueException", 1)
            said += [repr(event) for event in mend(tables, clients, steps)]
        with watching(clients.functions) as wire:
            wire.answer = configured(**UNREADABLE)
            with pytest.raises(Failure) as caught:
                set_variable(clients, steps[0])
            said.append(repr(caught.value) + str(caught.value))
    text = "\n".join([*said, caplog.text])
    assert "UpdateFunctionConfiguration" in text
    for value in SECRETS.values():
        if value:
            assert value not in text
            assert repr(value)[1:-1] not in text


# Roles


ROLE = "arn:aws:iam::123456789012:role/evaluators"


class Simulator:
    """IAM's SimulatePrincipalPolicy for a role that may `allowed` on its table, `on_index` on its indexes; in pages."""

    def __init__(self, allowed: tuple[str, ...], on_index: bool = True, page: int = 3) -> None:
        self.allowed, self.on_index, self.page = allowed, on_index, page
        self.asked: list[dict[str, Any]] = []

    def simulate_principal_policy(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        (resource,) = request["ResourceArns"]
        allowed = set(self.allowed) if "/index/" not in resource else {"dynamodb:Query"} if self.on_index else set()
        start = int(request.get("Marker", "0"))
        names = request["ActionNames"][start : start + self.page]
        more = start + self.page < len(request["ActionNames"])
        return {
            "EvaluationResults": [
                {"EvalActionName": name, "EvalDecision": "allowed" if name in allowed else "implicitDeny"}
                for name in names
            ],
            "IsTruncated": more,
            **({"Marker": str(start + self.page)} if more else {}),
        }


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
    assert f"may not {lacking} on {tables.settings.evaluations}" in role.fact


def test_a_role_that_may_more_is_told_with_the_list(tables: Store, clients: Clients) -> None:
    role = role_of(tables, clients, Simulator((*LAMBDA_ACTIONS, "dynamodb:DeleteTable", "dynamodb:Scan")))
    assert role.level == "recommended"
    assert "it may also dynamodb:Scan, dynamodb:DeleteTable" in role.fact


def test_a_role_that_may_not_query_indexes_is_told_which_is_what_the_documents_policy_lacks(
    tables: Store, clients: Clients
) -> None:
    role = role_of(tables, clients, Simulator(LAMBDA_ACTIONS, on_index=False))
    assert role.level == "recommended"
    assert "may not query its indexes" in role.fact


def test_a_role_that_may_more_and_not_query_indexes_is_told_both(tables: Store, clients: Clients) -> None:
    role = role_of(tables, clients, Simulator((*LAMBDA_ACTIONS, "dynamodb:DeleteTable"), on_index=False))
    assert "may not query its indexes" in role.fact
    assert "dynamodb:DeleteTable" in role.fact


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchEntity", "InvalidInput", "ServiceFailure"])
def test_a_role_that_cannot_be_simulated_is_never_green(tables: Store, clients: Clients, code: str) -> None:
    with watching(clients.roles) as wire:
        wire.answer = lambda _: refusal(code, 500 if code == "ServiceFailure" else 403)
        role = role_of(tables, clients, clients.roles)
    assert role.level == "unchecked"
    assert role.fact.startswith("could not be checked. ")
    if code == "AccessDenied":
        assert f"iam:SimulatePrincipalPolicy on {ROLE}" in role.fact


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
    for proof in unreachable(bare_store, caught.value):
        assert [check.level for check in proof.links] == ["not_offered"]
        assert proof.steps == ()
    other = unreachable(bare_store, Failure("credentials", "There are none.", "Get some."))
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
