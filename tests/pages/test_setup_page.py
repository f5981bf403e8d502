"""The Setup page: the plan first, Apply with its results, restore, and what it says where it may not."""

import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from botocore.client import BaseClient
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from streamlit.testing.v1 import AppTest

from data import environment
from data.demo import engine
from data.demo.sample import SEED_EVALUATIONS
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.account import look_up
from data.provisioning.clients import Clients
from data.provisioning.requests import create, create_request
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, FUNCTIONS, TABLES
from data.settings import Settings
from queries import source
from queries.access import secret_files
from queries.access.gate import Refused, Visitor
from tests.support import browser, engines
from tests.support.accounts import bare_request
from tests.support.app import GONE, OPS, FailingClient, refused, show, words
from ui.setup import plan, restore
from ui.shell import sign_in
from ui.shell.boundary import NOT_SHOWN

SETUP = "pages/setup.py"

# The demo's waiting jobs grow old while other tests run.
pytestmark = pytest.mark.usefixtures("demo_anew")


@pytest.fixture
def bare(dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]) -> Store:
    """An empty engine that may be changed, shown by the pages."""
    store = Store.open(replace(new_settings(dynoxide), allow_changes=True), **engines.CREDENTIALS)
    use(store)
    return store


def press(app: Any, label: str) -> Any:
    """Press the button of that label."""
    return next(b for b in app.button if b.label.startswith(label)).click().run(timeout=60)


def pictures(app: Any) -> set[str]:
    """What the pictures on the page say to those who listen."""
    bodies = "".join(element.proto.body for element in app.get("html"))
    return set(re.findall(r'role="img" aria-label="([^"]*)"', bodies))


def writes(client: BaseClient) -> list[str]:
    """The changing calls that `client` makes from now on."""
    changes: list[str] = []

    def note(model: Any, **_: Any) -> None:
        if not model.name.startswith(("Describe", "List", "Get", "Query", "Scan", "BatchGet")):
            changes.append(model.name)

    client.meta.events.register("before-call.*.*", note)
    return changes


def test_on_the_demo_the_broken_link_is_named_and_applying_mends_it() -> None:
    app = show(SETUP)
    text = words(app)
    assert "DYNAMODB_EVALUATIONS names bandup-evaluations-staging, not bandup-evaluations" in text
    assert "1 problem, 2 changes pending</" in text
    assert text.count("DYNAMODB_EVALUATIONS names bandup-evaluations-staging") == 2  # in the banner and in the proof
    assert "no-real-key" not in text  # another variable's value
    assert pictures(app) == {
        "Writing evaluator: Lambda ok; Variable ok; Table ok; Indexes ok; Role not available",
        "Speaking evaluator: Lambda ok; Variable to do; Table ok; Indexes ok; Role not available",
        "Flashcard generator: Lambda ok; Variable ok; Table ok; Indexes ok; Role not available",
    }
    press(app, "Apply 3 steps")
    after = words(app)
    assert "Up to date, as far as this endpoint can show it" in after
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
    changes = writes(bare.client)
    app = show(SETUP)
    assert f"Create the table {bare.settings.evaluations}" in words(app)
    assert changes == []
    # Where the endpoint has no Lambda, nothing beyond it is there to be checked.
    assert f"{FUNCTIONS[0].label}: Lambda not available; Variable not available; Table to do; Indexes recommended; " + (
        "Role not available"
    ) in pictures(app)
    press(app, "Apply")
    assert sorted(set(changes)) == ["CreateTable", "UpdateTable"]
    text = words(app)
    assert "✓ done · Create the table" in text
    assert "- not done · Turn on point-in-time recovery" in text
    assert "projects the summary attributes" in text
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
    press(app, "Check a sample")
    text = words(app)
    assert "1 of 3 sampled records has no created_at and would not be in the index." in text
    assert "1 of 3 sampled records has a created_at of another type" in text
    assert "odd / user-456: created_at is of type S" in text
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    for box in app.checkbox:
        box.check()
    app.run()
    assert not next(b for b in app.button if b.label.startswith("Apply")).disabled


def test_an_account_that_changed_since_the_plan_stops_the_application_and_shows_the_new_plan(bare: Store) -> None:
    app = show(SETUP)
    create(bare.client, EVALUATIONS, bare.settings.evaluations)
    changes = writes(bare.client)
    press(app, "Apply")
    text = words(app)
    assert "The account has changed since this plan was made" in text
    assert changes == []
    assert f"Create the table {bare.settings.evaluations}" not in text.split("Nothing was done.")[1]


def test_a_plan_of_another_region_than_was_on_screen_is_not_applied(bare: Store, use: Callable[[Store], None]) -> None:
    app = show(SETUP)
    elsewhere = Store.open(replace(bare.settings, region="eu-west-1"), **engines.CREDENTIALS)
    use(elsewhere)  # as after the profile's region was corrected
    changes = writes(elsewhere.client)
    press(app, "Apply")
    text = words(app)
    assert "The account has changed since this plan was made" in text
    assert "eu-west-1" in text
    assert bare.client.meta.region_name in text.split("Nothing was done.")[0]
    assert changes == []


def test_where_no_account_is_known_nothing_typed_is_no_consent(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    monkeypatch.setattr(source, "account", lambda: "")
    app = show(SETUP)
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled


def test_on_real_aws_the_account_id_has_to_be_typed(bare: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "real_aws", property(lambda _: True))
    monkeypatch.setattr(source, "account", lambda: "123456789012")
    app = show(SETUP)
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    app.text_input(key="plan_account").set_value("999999999999").run()
    assert next(b for b in app.button if b.label.startswith("Apply")).disabled
    app.text_input(key="plan_account").set_value("123456789012").run()
    assert not next(b for b in app.button if b.label.startswith("Apply")).disabled


def test_alarms_that_could_not_be_checked_are_on_the_checklist_and_in_the_banner(
    bare: Store, use: Callable[[Store], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alerts"
    use(Store(replace(bare.settings, alarm_topic=topic), bare.client))

    def refuse() -> Clients:
        raise Failure("access_denied", operation="sts:AssumeRole", resource="arn:role", detail="policy")

    monkeypatch.setattr(source, "clients", refuse)
    text = words(show(SETUP))
    assert "CloudWatch alarms" in text
    assert "CloudWatch · Alarms: could not be checked. AWS denied sts:AssumeRole on arn:role." in text


def test_a_table_of_something_else_is_blocked_and_left_alone(bare: Store) -> None:
    bare.client.create_table(
        TableName=bare.settings.evaluations,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    text = words(show(SETUP))
    assert "It is id (String), not evaluation_id (String). Keys cannot be changed" in text
    assert f"Protect {bare.settings.evaluations}" not in text


def test_tables_that_may_not_be_looked_at_are_could_not_be_checked_and_name_the_permission(
    new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused("AccessDeniedException"))
    use(Store(new_settings("http://127.0.0.1:1"), client))
    app = show(SETUP)
    text = words(app)
    assert "5 things could not be checked</" in text
    assert f"{FUNCTIONS[0].label}: " + "; ".join(
        f"{name} not checked" for name in ("Lambda", "Variable", "Table", "Indexes", "Role")
    ) in pictures(app)
    assert "Add the action dynamodb:DescribeTable on " in text
    assert "as declared" not in text
    assert "Up to date" not in text


@pytest.mark.parametrize("code", ["ExpiredTokenException", "ThrottlingException"])
def test_when_aws_refuses_the_page_says_so_and_still_offers_the_texts(
    code: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused(code))
    use(Store(new_settings("http://127.0.0.1:1"), client))
    text = words(show(SETUP))
    assert f"The comparison with the account {NOT_SHOWN}" in text
    assert text.count(" here once the account can be read.") == 3
    assert "CloudFormation template" in text


def test_policies_are_for_their_partition_also_where_there_is_no_table_yet(
    new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused("ResourceNotFoundException"))
    client.meta = SimpleNamespace(**{**vars(client.meta), "region_name": "cn-north-1", "partition": "aws-cn"})
    use(Store(new_settings("http://127.0.0.1:1"), client))
    texts = [element.value for element in show(SETUP).code]
    assert sum("arn:aws-cn:dynamodb:cn-north-1:${AWS_ACCOUNT_ID}:table/" in text for text in texts) == 4
    assert not [text for text in texts if "arn:aws:" in text]


def test_a_restore_makes_a_new_table_and_shows_what_it_did_not_bring() -> None:
    app = show(SETUP)
    app.text_input(key="restore_name_bandup-evaluations").set_value("evaluations-restored-in-test").run()
    press(app, "Restore")
    text = words(app)
    assert "After the restore to evaluations-restored-in-test" in text
    assert re.search(r"evaluations-restored-in-test is bandup-evaluations as of .+ \(Asia/Ho_Chi_Minh\)\.", text)
    assert "It does not bring tags" in text
    assert "Turn on point-in-time recovery of evaluations-restored-in-test" in text
    press(app, "Apply 4 steps" if "4 steps" in text else "Apply")
    actual = look_up(source.store(), "evaluations-restored-in-test")
    assert actual
    source.store().client.update_table(TableName=actual.name, DeletionProtectionEnabled=False)
    # The demo's door lets nobody delete: its engine is in this process.
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].delete_table(actual.name)


def test_a_restore_of_which_aws_says_nothing_is_followed_until_its_table_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, asked = "evaluations-restored-in-doubt", []

    def lost(*restored: Any, who: str) -> None:
        asked.append((restored, who))
        raise Failure("unreachable", case="restore_in_doubt", resource=name)

    with monkeypatch.context() as patched:
        patched.setattr(restore, "restore", lost)
        app = show(SETUP)
        app.text_input(key="restore_name_bandup-evaluations").set_value(name).run()
        press(app, "Restore")
    assert "AWS did not say whether the restore has begun." in words(app)
    (restored, who), *_ = asked
    restore.restore(*restored, who=who)  # it had
    app.run()
    text = words(app)
    assert "AWS did not say whether" not in text
    assert f"{name} is bandup-evaluations as of" in text
    assert f"Turn on point-in-time recovery of {name}" in text
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].delete_table(name)


@pytest.mark.parametrize(
    ("picked", "expected"),
    [
        ("2026-10-25 02:30", "2026-10-25 00:30 UTC"),
        ("2026-03-29 02:30", "2026-03-29 01:30 UTC"),
        ("2026-10-25 03:30", ""),
    ],
    ids=["twice", "never", "once"],
)
def test_a_time_as_the_clocks_change_is_said_in_utc(picked: str, expected: str) -> None:
    note = restore._clocks_change(datetime.fromisoformat(picked).replace(tzinfo=ZoneInfo("Europe/Berlin")))
    assert expected in note
    assert bool(note) == bool(expected)


def test_the_suggested_name_is_that_of_the_chosen_table() -> None:
    app = show(SETUP)
    app.selectbox(key="restore_table").select("bandup-flashcard-sets").run()
    (name,) = (box for box in app.text_input if box.label == "New table name")
    assert name.value == "bandup-flashcard-sets-restored"


def test_a_table_that_cannot_be_restored_or_of_which_nobody_knows_is_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = source.store().client
    real = client.describe_continuous_backups
    silent = ["bandup-flashcard-sets"]

    def describe(TableName: str) -> Any:  # noqa: N803 - as boto3 has it
        if TableName in silent:
            raise refused("AccessDeniedException")
        return real(TableName=TableName)

    monkeypatch.setattr(client, "describe_continuous_backups", describe)
    app = show(SETUP)
    assert app.selectbox(key="restore_table").options == ["bandup-evaluations"]
    assert "Whether bandup-flashcard-sets can be restored could not be checked. AWS denied" in words(app)
    silent.append("bandup-evaluations")
    text = words(show(SETUP))
    assert "Whether bandup-evaluations can be restored could not be checked. AWS denied" in text
    assert "There is nothing to restore from" not in text


def test_after_a_restore_only_the_plan_that_was_shown_is_applied() -> None:
    name = "evaluations-restored-as-shown"
    app = show(SETUP)
    app.text_input(key="restore_name_bandup-evaluations").set_value(name).run()
    press(app, "Restore")
    client = source.store().client
    client.update_continuous_backups(
        TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    press(app, "Apply 4 steps" if "4 steps" in words(app) else "Apply")
    assert "The account has changed since this plan was made" in words(app)
    assert not client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled")
    dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].delete_table(name)


@pytest.mark.slow
def test_a_restore_drill_says_what_it_compared_and_asks_before_who_may(
    become: Callable[[Visitor | Refused], None],
) -> None:
    app = show(SETUP)
    assert "Comparing reads both whole, with their indexes: for each, nothing in the demo." in words(app)
    press(app, "Run restore drill")
    text = words(app)
    assert "The restore drill of bandup-evaluations passed: bandup-evaluations-drill-" in text
    assert "✓ Records: " in text
    assert "The copy is gone when the demo stops." in text
    backend = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    (copy,) = [name for name in backend.tables if name.startswith("bandup-evaluations-drill-")]
    backend.delete_table(copy)
    become(Visitor("olga@school.example", "teacher"))
    press(app, "Run restore drill")
    assert not [name for name in backend.tables if name.startswith("bandup-evaluations-drill-")]


def test_a_restored_table_that_is_gone_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([SimpleNamespace(status="CREATING"), None])
    monkeypatch.setattr(restore, "restore", lambda *_, **__: None)
    monkeypatch.setattr(restore, "look_up", lambda *_: next(looks))
    app = show(SETUP)
    app.text_input(key="restore_name_bandup-evaluations").set_value("evaluations-gone").run()
    press(app, "Restore")
    assert "◔ CREATING." in words(app)
    app.run()
    assert "There is no table evaluations-gone any more." in words(app)
    assert "not there yet" not in words(app)


def test_a_drill_whose_copy_is_gone_says_so_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([SimpleNamespace(settled=False), None])
    monkeypatch.setattr(restore.drill, "begin", lambda _, target, **__: f"{target.name}-copy")
    monkeypatch.setattr(restore.drill, "look_up", lambda *_: next(looks))
    app = show(SETUP)
    press(app, "Run restore drill")
    assert "bandup-evaluations-copy is being restored" in words(app)
    for _ in range(2):  # the second time it does not look again
        app.run()
        assert "There is no table bandup-evaluations-copy any more." in words(app)
        assert "bandup-evaluations-copy is being restored" not in words(app)


def test_a_second_drill_leaves_the_first_one_in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restore.drill, "begin", lambda _, target, **__: f"{target.name}-copy")
    monkeypatch.setattr(restore.drill, "is_restored", lambda *_, **__: False)
    app = show(SETUP)
    press(app, "Run restore drill")
    app.selectbox(key="drill_table").select("bandup-flashcard-sets").run()
    press(app, "Run restore drill")
    text = words(app)
    assert "bandup-evaluations-copy is being restored" in text
    assert "bandup-flashcard-sets-copy is being restored" in text


@pytest.mark.slow
def test_a_drill_whose_copy_cannot_be_compared_says_so_for_good_and_reads_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []

    def fail(*arguments: object, **_: object) -> None:
        compared.append(arguments)
        raise Failure("access_denied", operation="dynamodb:Scan", resource="copy")

    monkeypatch.setattr(restore.drill, "compare", fail)
    app = show(SETUP)
    press(app, "Run restore drill")
    for _ in range(2):
        app.run()
        text = words(app)
        assert "was not compared with bandup-evaluations." in text
        assert "dynamodb:Scan" in text
        assert "The copy is gone when the demo stops." in text
    assert len(compared) == 1
    backend = dynamodb_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    for copy in [name for name in backend.tables if name.startswith("bandup-evaluations-drill-")]:
        backend.delete_table(copy)


def test_a_restore_onto_an_existing_table_is_refused() -> None:
    app = show(SETUP)
    app.text_input(key="restore_name_bandup-evaluations").set_value("bandup-flashcard-sets").run()
    press(app, "Restore")
    assert "There is a table bandup-flashcard-sets already." in words(app)


def test_the_seed_documents_setup_is_on_the_checklist_line_by_line() -> None:
    text = words(show(SETUP))
    for subject in ("Partition key", "Sort key", "Billing mode", "Tags", "Point-in-time recovery"):
        assert text.count(subject) >= len(TABLES)
    assert "Project=bandup, Environment=production" in text
    assert all(function in text for function in ("Writing evaluator", "Speaking evaluator", "Flashcard generator"))
    assert all(f">{link}<" in text for link in ("Lambda", "Variable", "Table", "Keys", "Role"))


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
        visitor.sees("Last run:")
        visitor.sees("Protect setup-sets against deletion")
        visitor.page.get_by_text("Up to date").first.wait_for(timeout=30_000)
        assert "to do" not in visitor.page.inner_text("body")
        assert visitor.foreign == []
    store = Store.open(Settings.read(environ), **engines.CREDENTIALS)
    for table in TABLES:
        name = store.settings.name(table)
        store.client.update_table(TableName=name, DeletionProtectionEnabled=False)
        store.client.delete_table(TableName=name)


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("button", ["Apply", "Restore", "Re-check"])
def test_a_button_that_stands_in_an_open_tab_does_nothing_after_the_right_is_gone(
    button: str, gone: Visitor | Refused, become: Callable[[Visitor | Refused], None]
) -> None:
    become(OPS)
    app = show(SETUP)
    changes = writes(source.store().client) + writes(source.clients().functions)
    become(gone)
    press(app, button)
    assert changes == []
    assert "bandup-evaluations" not in words(app)
    assert "Checklist" not in words(app)


@pytest.mark.parametrize("gone", GONE)
def test_a_right_that_goes_while_the_plan_is_applied_ends_it_before_the_next_step(
    bare: Store, gone: Visitor | Refused, become: Callable[[Visitor | Refused], None], caplog: pytest.LogCaptureFixture
) -> None:
    become(OPS)
    app = show(SETUP)
    changes = writes(bare.client)
    bare.client.meta.events.register("before-call.dynamodb.CreateTable", lambda **_: become(gone))
    press(app, "Apply")
    assert changes == ["CreateTable"]
    assert bare.settings.evaluations not in words(app)
    # What was done is in the log all the same, and by whom.
    begun, done = (entry.getMessage() for entry in caplog.records if entry.name == "bandup.changes")
    for line in (begun, done):
        assert OPS.email in line
        assert f"Create the table {bare.settings.evaluations}" in line


@pytest.mark.parametrize("gone", GONE)
def test_a_right_that_goes_before_the_records_are_looked_at_shows_none(
    bare: Store,
    gone: Visitor | Refused,
    become: Callable[[Visitor | Refused], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become(OPS)
    bare.client.create_table(**bare_request(EVALUATIONS, bare.settings.evaluations))
    app = show(SETUP)
    reads = []
    bare.client.meta.events.register("before-call.dynamodb.Scan", lambda **_: reads.append("Scan"))
    # The page has been opened, and the right is gone before its button is come to.
    monkeypatch.setattr(plan, "_last_results", lambda _: become(gone))
    press(app, "Check a sample")
    assert reads == []
    assert bare.settings.evaluations not in words(app)


@pytest.mark.parametrize("gone", GONE)
def test_the_progress_of_a_restore_is_not_asked_for_after_the_right_is_gone(
    gone: Visitor | Refused, become: Callable[[Visitor | Refused], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        from typing import Any  # noqa: PLC0415 - AppTest runs the source of this function alone

        import streamlit as st  # noqa: PLC0415 - likewise

        from ui.setup import restore  # noqa: PLC0415 - likewise

        if "opened" in st.session_state:
            st.text("The page runs again.")
        else:
            st.session_state["opened"] = True
            nobody: Any = None
            restore._follow(nobody, "restored")

    asked: list[object] = []
    monkeypatch.setattr(restore, "look_up", lambda *of: asked.append(of))
    become(gone)
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert asked == []
    assert words(app) == "The page runs again."


def test_following_a_restore_survives_that_aws_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # By itself, a fragment runs outside of everything that the page has put around it.
    def script() -> None:
        from typing import Any  # noqa: PLC0415 - AppTest runs the source of this function alone

        from ui.setup import restore  # noqa: PLC0415 - likewise

        nobody: Any = None
        restore._follow(nobody, "restored")

    def fail(*_: Any) -> None:
        raise Failure("throttled")

    monkeypatch.setattr(restore, "look_up", fail)
    app = AppTest.from_function(script).run()
    assert not app.exception
    assert f"The progress of the restore {NOT_SHOWN}. DynamoDB is answering too many" in words(app)


def test_settings_say_where_each_comes_from_and_no_secret(
    empty: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, secrets = tmp_path / "school.env", tmp_path / "secrets.toml"
    file.write_text("BANDUP_SCHOOL=Riverside\nAWS_SECRET_ACCESS_KEY=hush-1\nBANDUP_ROSTER=other.csv\n", "utf-8")
    secrets.write_text('[auth]\ncookie_secret = "hush-2"\n', encoding="utf-8")
    roster = tmp_path / "class.csv"
    roster.write_text("user_id\nuser-1\n", encoding="utf-8")
    variables = {"BANDUP_ENV_FILE": str(file), "BANDUP_ROSTER": str(roster), "BANDUP_SMTP_PASSWORD": "hush-3"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # What the file sets is gone with the test.
    for name in ("BANDUP_SCHOOL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(environment, "_from_file", {})
    monkeypatch.setattr(environment, "_overruled", {})
    monkeypatch.setattr(sign_in, "sections", lambda: secret_files.sections([str(secrets)]))
    environment.load(os.environ)
    app = show(SETUP)
    html = "\n".join(str(element.value) for element in app.get("html"))
    rows = [re.findall(r"<bdi[^>]*>([^<]*)</bdi>", row) for row in re.findall(r"<tr.*?</tr>", html)]
    assert ["BANDUP_SCHOOL", "Riverside", str(file)] in rows
    assert ["BANDUP_ROSTER", str(roster), "environment variable", f"comes before the one in {file}"] in rows
    assert ["AWS_SECRET_ACCESS_KEY", "not shown", str(file)] in rows
    assert ["BANDUP_SMTP_PASSWORD", "not shown", "environment variable"] in rows
    assert ["DYNAMODB_EVALUATIONS", "bandup-evaluations", "default"] in rows
    assert ["[auth]", "not shown", str(secrets)] in rows
    assert "hush" not in html
