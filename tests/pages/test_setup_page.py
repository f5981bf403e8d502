"""The Setup page: the plan first, Apply with its results, restore, and what it says where it may not."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.client import BaseClient
from streamlit.testing.v1 import AppTest

from data.demo import engine
from data.demo.sample import SEED_EVALUATIONS
from data.dynamodb.errors import Failure
from data.dynamodb.store import Store
from data.provisioning.account import look_up
from data.provisioning.provision import create, create_request
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, TABLES
from data.settings import Settings
from queries import source
from tests.support import browser, engines
from tests.support.app import FailingClient, refused, show, words
from ui.setup import provisioning
from ui.shell.page import NOT_SHOWN

SETUP = "pages/setup.py"

# The demo's waiting jobs grow old while other tests run.
pytestmark = pytest.mark.usefixtures("demo_anew")


@pytest.fixture
def bare(dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]) -> Store:
    """An empty engine that may be changed, shown by the pages."""
    from dataclasses import replace  # noqa: PLC0415

    store = Store.open(replace(new_settings(dynoxide), allow_changes=True), **engines.CREDENTIALS)
    use(store)
    return store


def press(app: Any, label: str) -> Any:
    """Press the button of that label."""
    return next(b for b in app.button if b.label.startswith(label)).click().run(timeout=60)


def writes(client: BaseClient) -> list[str]:
    """The changing calls that `client` makes from now on."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        if not model.name.startswith(("Describe", "List", "Get", "Query", "Scan", "BatchGet")):
            made.append(model.name)

    client.meta.events.register("before-call.*.*", note)
    return made


def test_on_the_demo_the_broken_link_is_named_and_applying_mends_it() -> None:
    app = show(SETUP)
    shown = words(app)
    assert "DYNAMODB_EVALUATIONS names bandup-evaluations-staging, not bandup-evaluations" in shown
    assert "3 steps" in shown
    assert "no-real-key" not in shown  # another variable's value
    press(app, "Apply 3 steps")
    after = words(app)
    assert "In sync" in after
    assert "✓ done · Set DYNAMODB_EVALUATIONS of bandup-speaking-evaluator" in after
    # As it was, for the tests that follow in this process.
    store, clients = source.store(), source.clients()
    for table in TABLES:
        store.client.update_table(TableName=store.settings.name(table), DeletionProtectionEnabled=False)
    clients.functions.update_function_configuration(
        FunctionName="bandup-speaking-evaluator",
        Environment={
            "Variables": {EVALUATIONS.variable: "bandup-evaluations-staging", "GEMINI_API_KEY": "no-real-key"}
        },
    )


def test_from_an_empty_endpoint_the_plan_creates_both_tables_and_the_page_ends_green(bare: Store) -> None:
    made = writes(bare.client)
    app = show(SETUP)
    assert f"Create the table {bare.settings.evaluations}" in words(app)
    assert made == []
    press(app, "Apply")
    assert sorted(set(made)) == ["CreateTable", "UpdateTable"]
    shown = words(app)
    assert "✓ done · Create the table" in shown
    assert "- not done · Turn on point-in-time recovery" in shown
    assert "carries the summary" in shown
    actual = look_up(bare, bare.settings.evaluations)
    assert actual
    assert actual.protected
    assert set(actual.indexes) == {BY_STUDENT, BY_STATUS}


def test_without_permission_to_change_the_page_is_read_only_and_says_how_to_change_that(
    dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    use(Store.open(new_settings(dynoxide), **engines.CREDENTIALS))
    app = show(SETUP)
    assert "BANDUP_ALLOW_CHANGES=1" in words(app)
    assert not [b for b in app.button if b.label.startswith("Apply")]


def test_before_an_index_somebody_must_look_and_accept_what_was_found(bare: Store) -> None:
    for table in TABLES:
        request = create_request(table, bare.settings.name(table))
        del request["GlobalSecondaryIndexes"]
        keys = table.key_names
        request["AttributeDefinitions"] = [d for d in request["AttributeDefinitions"] if d["AttributeName"] in keys]
        bare.client.create_table(**request)
    odd = {**SEED_EVALUATIONS[0], "evaluation_id": "odd", "created_at": "1733644800"}
    without = {"evaluation_id": "without", "user_id": "u", "status": "completed"}
    engine.write(bare.client, bare.settings.evaluations, [dict(SEED_EVALUATIONS[0]), odd, without])

    app = show(SETUP)
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    press(app, "Look at up to")
    shown = words(app)
    assert "1 of 3 have no created_at: they would not be in the index." in shown
    assert "1 of 3 have a created_at of another type" in shown
    assert "odd / user-456: created_at is of type S" in shown
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    for box in app.checkbox:
        box.check()
    app.run()
    assert not next(b for b in app.button if b.label.startswith("Apply")).disabled


def test_an_account_that_changed_since_the_plan_stops_the_application_and_shows_the_new_plan(bare: Store) -> None:
    app = show(SETUP)
    create(bare.client, EVALUATIONS, bare.settings.evaluations)
    made = writes(bare.client)
    press(app, "Apply")
    shown = words(app)
    assert "The account has changed since this plan was made" in shown
    assert made == []
    assert f"Create the table {bare.settings.evaluations}" not in shown.split("Nothing was done.")[1]


def test_on_real_aws_the_account_id_has_to_be_typed(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "real_aws", property(lambda _: True))
    monkeypatch.setattr(source, "account", lambda: "123456789012")
    app = show(SETUP)
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    app.text_input(key="plan_account").set_value("999999999999").run()
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    app.text_input(key="plan_account").set_value("123456789012").run()
    assert not next(b for b in app.button if b.label.startswith("Apply")).disabled


def test_a_table_of_something_else_is_blocked_and_left_alone(bare: Store) -> None:
    bare.client.create_table(
        TableName=bare.settings.evaluations,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    shown = words(show(SETUP))
    assert "It is id (String), not evaluation_id (String). Keys cannot be changed" in shown
    assert f"Protect {bare.settings.evaluations}" not in shown


@pytest.mark.parametrize("code", ["AccessDeniedException", "ExpiredTokenException", "ThrottlingException"])
def test_when_aws_refuses_the_page_says_so_and_still_offers_the_texts(
    code: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused(code))
    use(Store(new_settings("http://127.0.0.1:1"), client))
    shown = words(show(SETUP))
    assert f"The comparison with the account {NOT_SHOWN}" in shown
    assert "CloudFormation template" in shown


def test_a_restore_makes_a_new_table_and_shows_what_it_did_not_bring() -> None:
    app = show(SETUP)
    app.text_input(key="restore_name").set_value("evaluations-restored-in-test").run()
    press(app, "Restore to the new table")
    shown = words(app)
    assert "After the restore to evaluations-restored-in-test" in shown
    assert "It does not bring tags" in shown
    assert "Turn on point-in-time recovery of evaluations-restored-in-test" in shown
    press(app, "Apply 4 steps" if "4 steps" in shown else "Apply")
    actual = look_up(source.store(), "evaluations-restored-in-test")
    assert actual
    source.store().client.update_table(TableName=actual.name, DeletionProtectionEnabled=False)
    source.store().client.delete_table(TableName=actual.name)


def test_a_restore_onto_an_existing_table_is_refused() -> None:
    app = show(SETUP)
    app.text_input(key="restore_name").set_value("bandup-flashcard-sets").run()
    press(app, "Restore to the new table")
    assert "There is a table bandup-flashcard-sets already." in words(app)


def test_the_seed_documents_setup_is_on_the_checklist_line_by_line() -> None:
    shown = words(show(SETUP))
    for subject in ("Partition key", "Sort key", "Billing mode", "Tags", "Point-in-time recovery"):
        assert shown.count(subject) >= len(TABLES)
    assert "Project=bandup, Environment=production" in shown
    assert all(function in shown for function in ("Writing evaluator", "Speaking evaluator", "Flashcard generator"))


@pytest.mark.usefixtures("chromium")
def test_in_chromium_an_empty_endpoint_is_planned_applied_and_green(dynamodb_local: str) -> None:
    environ = {
        "BANDUP_SOURCE": "aws",
        "BANDUP_ALLOW_CHANGES": "1",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_local,
        "AWS_REGION": engines.REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        EVALUATIONS.variable: "setup-evaluations",
        TABLES[1].variable: "setup-sets",
    }
    with browser.dashboard(environ) as url, browser.visiting(url) as visitor:
        visitor.open("/setup")
        visitor.sees("There is no table setup-evaluations")
        visitor.page.get_by_role("button", name="Apply").click()
        visitor.sees("The last application:")
        visitor.sees("Protect setup-sets against deletion")
        visitor.page.get_by_text("In sync").wait_for(timeout=30_000)
        assert "to do" not in visitor.page.inner_text("body")
        assert visitor.foreign == []
    store = Store.open(Settings.read(environ), **engines.CREDENTIALS)
    for table in TABLES:
        name = store.settings.name(table)
        store.client.update_table(TableName=name, DeletionProtectionEnabled=False)
        store.client.delete_table(TableName=name)


def test_the_proof_names_every_link() -> None:
    assert provisioning._LINKS == ("Lambda", "Variable", "Table", "Keys", "Role")


def test_following_a_restore_survives_that_aws_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # By itself, a fragment runs outside of everything that the page has put around it.
    def script() -> None:
        from datetime import UTC, datetime  # noqa: PLC0415
        from typing import Any  # noqa: PLC0415
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        from data.roster import Roster  # noqa: PLC0415
        from data.settings import Settings  # noqa: PLC0415
        from queries.gate import Gate  # noqa: PLC0415
        from queries.session import Session  # noqa: PLC0415
        from ui.setup import provisioning  # noqa: PLC0415
        from ui.shell import sign_in  # noqa: PLC0415
        from ui.shell.page import Page  # noqa: PLC0415

        nobody: Any = None
        page = Page(
            Settings.read({}),
            ZoneInfo("UTC"),
            datetime.now(UTC),
            sign_in.request(),
            Session(Gate(sign_in.current(), Roster())),
        )
        provisioning._follow(nobody, "restored", page)

    def fail(*_: Any) -> None:
        raise Failure("throttled", "DynamoDB is answering too many requests.", "Wait a minute, then press Refresh.")

    monkeypatch.setattr(provisioning, "look_up", fail)
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert f"The progress of the restore {NOT_SHOWN}. DynamoDB is answering too many" in words(app)
