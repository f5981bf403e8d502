"""AWS that fails: every page in front of a DynamoDB engine whose answers a proxy spoils, one fault at a time."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from botocore.config import Config

from data.demo import engine
from data.dynamodb import budget, client
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.dynamodb.facts import TableFacts
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES, Table
from queries import source
from queries.session import cache
from tests.support import engines, proxy
from tests.support.app import ROOT, metrics, words
from tests.support.outage import PAGES, SECRETS, Shown, checked, each_page, evaluation, refresh, visit
from tests.support.proxy import Fault, Proxy, operation
from ui.shell.boundary import NOT_SHOWN

pytestmark = pytest.mark.slow


class Case(NamedTuple):
    """A fault, and what the page must say of it: what happened, and what to do. The log has the request id."""

    fault: Fault
    what: str
    do: str
    request_id: str = "none"


CLOCK = "Signature expired: 20261123T000000Z is now earlier than 20261123T001500Z (20261123T002000Z - 5 min.)"
FAULTS = {
    "reset in mid-body": Case(proxy.reset, " broke off before ", "Check the network and the endpoint"),
    "truncated JSON": Case(proxy.truncated, "with what could not be read", "Check that no proxy", "REQ-HALF"),
    "500": Case(
        proxy.refusal("InternalServerError", "The request processing has failed", 500),
        "(InternalServerError), even after retries",
        "wait a minute, then press Refresh",
        "REQ-InternalServerError",
    ),
    "503": Case(proxy.plain(503), "(503), even after retries", "wait a minute, then press Refresh", "REQ-503"),
    "ThrottlingException": Case(
        proxy.refusal("ThrottlingException", "Rate exceeded"),
        "is answering too many requests on ",
        "Wait a minute, then press Refresh",
        "REQ-ThrottlingException",
    ),
    "ProvisionedThroughputExceeded": Case(
        proxy.refusal("ProvisionedThroughputExceededException", "The level of configured provisioned throughput"),
        "is answering too many requests on ",
        "Wait a minute, then press Refresh",
        "REQ-ProvisionedThroughputExceededException",
    ),
    "AccessDenied": Case(
        proxy.refusal("AccessDeniedException", proxy.denied),
        "AWS denied dynamodb:",
        "Add the action dynamodb:",
        "REQ-AccessDeniedException",
    ),
    "ExpiredToken": Case(
        proxy.refusal("ExpiredTokenException", "The security token included in the request is expired"),
        "The AWS credentials have expired.",
        "Sign in again",
        "REQ-ExpiredTokenException",
    ),
    "UnrecognizedClient": Case(
        proxy.refusal("UnrecognizedClientException", "The security token included in the request is invalid."),
        "AWS does not recognise these credentials",
        "Check AWS_PROFILE or the access keys",
        "REQ-UnrecognizedClientException",
    ),
    "clock skew": Case(
        proxy.refusal("InvalidSignatureException", CLOCK),
        "this computer's clock is wrong",
        "Set the clock of the computer that runs the dashboard",
        "REQ-InvalidSignatureException",
    ),
    "hang": Case(proxy.hang(4), "did not answer ", "Check the network and the endpoint"),
    "an answer that trickles in": Case(proxy.drip(0.05), "did not answer ", "Check the network and the endpoint"),
}
# What boto3 or the Store tries again, so that a few of them are not seen.
RECOVERABLE = (
    "reset in mid-body",
    "truncated JSON",
    "500",
    "503",
    "ThrottlingException",
    "ProvisionedThroughputExceeded",
)
SLOW = ("hang", "an answer that trickles in")
REFRESHED = ("AccessDenied", "hang")
PASSING = (*RECOVERABLE, "ExpiredToken", "hang")


@contextmanager
def impatient(call: float = 0.4, page: float = 6.0) -> Iterator[None]:
    """Times to wait that a test can wait for. The page has time for all its calls, also on a busy computer."""
    # Making the client is this computer's work: the first time in a process it takes longer than that.
    with suppress(Failure):
        source.store()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "CALL_SECONDS", call)
        patch.setattr(budget, "PAGE_SECONDS", page)
        yield


@pytest.fixture(autouse=True)
def no_secrets(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that the dashboard logs holds a secret."""
    caplog.set_level(logging.INFO)
    yield
    assert not any(secret in record.getMessage() for record in caplog.records for secret in SECRETS.values())


def later(monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    """Let the dashboard's clock be so much later from now on."""
    monkeypatch.setattr(cache, "clock", lambda: datetime.now(UTC) + span)


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


def test_the_table_of_pages_has_all_of_them() -> None:
    assert sorted(PAGES) == sorted(path.stem for path in (ROOT / "pages").glob("*.py"))


@each_page
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_for_good_is_said_with_its_part_and_what_to_do_and_refresh_mends_it(
    name: str, page: Shown, aws: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    case = FAULTS[name]
    with impatient() if name in SLOW else nullcontext():
        app = visit(aws, page, lambda: aws.fail(case.fault))
    text = words(app)
    # Setup says of each check that it could not be made, and stands.
    refused_checks = (name, page.title) == ("AccessDenied", "Setup")
    assert ("could not be checked" if refused_checks else f"{page.part} {NOT_SHOWN}.") in text
    assert case.what in text
    assert case.do in text
    assert page.data not in text
    assert f"(request {case.request_id})" in logged(caplog)
    if name in REFRESHED:
        aws.heal()
        assert page.data in words(refresh(app, page))
        assert NOT_SHOWN not in words(app)


@each_page
@pytest.mark.parametrize("name", RECOVERABLE)
def test_a_fault_that_passes_after_a_few_ends_with_the_data_shown(name: str, page: Shown, aws: Proxy) -> None:
    app = visit(aws, page, lambda: aws.fail(FAULTS[name].fault, times=2))
    assert len(aws.failed) == 2
    text = words(app)
    assert page.data in text
    assert NOT_SHOWN not in text
    assert "could not be checked" not in text
    assert "Not up to date" not in text


@each_page
def test_a_hang_that_passes_ends_with_the_data_shown(page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    real = client.client_config
    brief = Config(read_timeout=0.4)
    monkeypatch.setattr(client, "client_config", lambda endpoint, **more: real(endpoint, **more).merge(brief))
    app = visit(aws, page, lambda: aws.fail(proxy.hang(3), times=1))
    assert len(aws.failed) == 1
    assert page.data in words(app)
    assert NOT_SHOWN not in words(app)


@each_page
def test_a_refused_connection_is_said_with_the_endpoint(
    page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{engines.free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    text = words(visit(aws, page))
    assert f"{page.part} {NOT_SHOWN}. DynamoDB could not be reached at {url}" in text
    assert "Check the network, AWS_ENDPOINT_URL_DYNAMODB and that the endpoint is running" in text


@each_page
def test_without_credentials_every_page_says_so_and_finds_new_ones_after_refresh(
    page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name)
    app = visit(aws, page)
    assert f"{page.part} {NOT_SHOWN}. There are no AWS credentials" in words(app)
    assert "Set AWS_PROFILE or access keys there, or start with BANDUP_SOURCE=demo." in words(app)
    keys = {name.lower(): value for name, value in SECRETS.items()}
    Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[default]\n" + "\n".join(f"{name} = {value}" for name, value in keys.items())
    )
    assert page.data in words(refresh(app, page))


@each_page
def test_credentials_that_expired_are_read_anew_after_refresh(
    page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name)
    file = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    file.write_text("[default]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old\n")
    app = visit(aws, page, lambda: aws.fail(FAULTS["ExpiredToken"].fault, lambda asked: asked.key_id == "AKIAOLD"))
    assert "The AWS credentials have expired. Sign in again" in words(app).replace("\n", " ")
    file.write_text("[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = new\n")
    assert page.data in words(refresh(app, page))


@each_page
def test_without_a_region_every_page_says_so_and_refresh_does_not_break_it(
    page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    app = visit(aws, page)
    for text in (words(app), words(refresh(app, page))):
        assert f"{NOT_SHOWN}. No AWS region is set." in text
        assert "Set AWS_REGION, such as ap-southeast-1, and restart." in text


@each_page
def test_access_denied_names_the_action_and_the_resource_to_add_whatever_the_action(page: Shown, aws: Proxy) -> None:
    app = visit(aws, page)
    # What the table is like comes last: after a record was denied, that is asked again too.
    for denied in sorted(set(aws.asked), key=lambda asked: asked.operation, reverse=True):
        aws.fail(FAULTS["AccessDenied"].fault, lambda asked, denied=denied: asked == denied)
        refresh(app, page)
        assert f"Add the action dynamodb:{denied.operation} on {denied.arn} to the policy of these" in words(app)


@pytest.mark.parametrize(
    ("button", "action"), [("audit_whole", "BatchGetItem"), (f"count_{EVALUATIONS.variable}", "Scan")]
)
def test_access_denied_after_a_click_names_what_the_click_needs(
    button: str, action: str, aws: Proxy, engine_store: Store
) -> None:
    app = visit(aws, PAGES["audit"], lambda: aws.fail(FAULTS["AccessDenied"].fault, operation(action)))
    checked(app.button(key=button).click().run(), PAGES["audit"])
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{engine_store.settings.evaluations}"
    assert f"Add the action dynamodb:{action} on {arn} to the policy" in words(app)
    assert PAGES["audit"].data in words(app)


@pytest.mark.parametrize("of", [EVALUATIONS, FLASHCARD_SETS], ids=lambda table: table.default_name)
@pytest.mark.parametrize("page", [PAGES["student"], PAGES["audit"]], ids=lambda page: page.title)
@pytest.mark.parametrize("name", ["500", "AccessDenied", "hang", "truncated JSON"])
def test_one_table_that_fails_leaves_the_other_ones_part_standing(
    name: str, page: Shown, of: Table, aws: Proxy, engine_store: Store
) -> None:
    failing = engine_store.settings.name(of)
    with impatient() if name in SLOW else nullcontext():
        app = visit(aws, page, lambda: aws.fail(FAULTS[name].fault, lambda asked: asked.table == failing))
    text = words(app)
    sets_there = len(app.dataframe[-1].value) > 0 if page.title == "Student" else "Flashcard sets 1" in text
    if of is EVALUATIONS:
        assert f"The evaluations {NOT_SHOWN}." in text
        assert sets_there
    else:
        assert f"The flashcard sets {NOT_SHOWN}." in text
        assert page.data in text


@pytest.mark.parametrize(
    ("of", "part", "left"),
    [(EVALUATIONS, "The Writing and Speaking jobs", 1), (FLASHCARD_SETS, "The flashcard jobs", 12)],
    ids=lambda value: getattr(value, "default_name", None),
)
@pytest.mark.parametrize("name", ["500", "AccessDenied", "hang", "truncated JSON"])
def test_one_table_that_fails_leaves_the_other_ones_jobs_standing(
    name: str, of: Table, part: str, left: int, aws: Proxy, engine_store: Store
) -> None:
    page, failing = PAGES["jobs"], engine_store.settings.name(of)
    with impatient() if name in SLOW else nullcontext():
        app = visit(aws, page, lambda: aws.fail(FAULTS[name].fault, lambda asked: asked.table == failing))
    text = words(app)
    assert f"{part} {NOT_SHOWN}." in text
    assert FAULTS[name].what in text
    assert FAULTS[name].do in text
    assert f" of {left} job" in text
    # A click says so again, and does not wait for the same again. A refusal costs nothing, and may have been mended.
    asked = len(aws.asked)
    app.button_group(key="kind").set_value("writing").run()
    assert f"{part} {NOT_SHOWN}." in words(app)
    again = [one for one in aws.asked[asked:] if one.operation != "DescribeTable"]
    assert again == [] or name == "AccessDenied"
    assert {one.table for one in again} <= {failing}
    aws.heal()
    text = words(refresh(app, page))
    assert NOT_SHOWN not in text
    assert " of 13 jobs" in text


def test_an_older_list_of_jobs_is_whole_where_one_table_fails_for_a_while(
    aws: Proxy, engine_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, failing = PAGES["jobs"], engine_store.settings.flashcard_sets
    app = visit(aws, page)
    later(monkeypatch, timedelta(minutes=6))
    aws.fail(FAULTS["500"].fault, lambda asked: asked.table == failing)
    text = words(app.run())
    assert "⚠ Not up to date" in text
    assert NOT_SHOWN not in text
    assert " of 13 jobs" in text
    aws.fail(FAULTS["AccessDenied"].fault, lambda asked: asked.table == failing)
    text = words(refresh(app, page))
    assert f"The flashcard jobs {NOT_SHOWN}. AWS denied" in text
    assert " of 12 jobs" in text


@pytest.mark.parametrize("of", [EVALUATIONS, FLASHCARD_SETS], ids=lambda table: table.default_name)
def test_what_a_scan_costs_is_said_of_one_table_while_the_other_one_fails(
    of: Table, aws: Proxy, engine_store: Store
) -> None:
    page, failing = PAGES["audit"], engine_store.settings.name(of)
    app = visit(aws, page, lambda: aws.fail(FAULTS["AccessDenied"].fault, lambda asked: asked.table == failing))
    counts = [button.key for button in app.button if str(button.key).startswith("count_")]
    assert counts == [f"count_{table.variable}" for table in TABLES if table is not of]
    assert words(app).count(f"The scan {NOT_SHOWN}.") == 1
    # What was not read has no number, and nobody says that it has no problems.
    assert metrics(app)["Format errors"] == "–"
    assert (metrics(app)["Score errors"] == "–") == (of is EVALUATIONS)
    assert not [info for info in app.info if "No problems" in info.proto.title]


def test_jobs_say_what_was_read_also_where_there_is_nothing_to_list(aws: Proxy) -> None:
    app = visit(aws, PAGES["jobs"])
    app.button_group(key="jobs").set_value("1h").run()
    assert "Choose a longer period above." in words(app)
    assert "read units" in words(app)


def test_the_reasons_of_failures_that_cannot_be_read_leave_the_jobs_standing(aws: Proxy) -> None:
    page = PAGES["jobs"]
    app = visit(aws, page, lambda: aws.fail(FAULTS["AccessDenied"].fault, operation("BatchGetItem")))
    assert f"The error messages {NOT_SHOWN}. AWS denied dynamodb:BatchGetItem" in words(app)
    assert page.data in words(app)


def test_a_search_that_fails_leaves_the_jobs_standing(aws: Proxy) -> None:
    page = PAGES["jobs"]
    app = visit(aws, page)
    aws.fail(FAULTS["503"].fault, lambda asked: not asked.index)
    app.text_input[0].input("eval-1")
    checked(next(button for button in app.button if button.label == "Open").click().run(), page)
    assert f"The search for this id {NOT_SHOWN}." in words(app)
    assert page.data in words(app)


def test_a_table_that_vanishes_between_two_reads_is_said_and_nothing_older_is_shown(
    aws: Proxy, engine_store: Store
) -> None:
    page, sets = PAGES["student"], engine_store.settings.flashcard_sets
    app = visit(aws, page)
    assert len(app.dataframe) == 2
    gone = proxy.refusal("ResourceNotFoundException", "Requested resource not found")
    aws.fail(gone, lambda asked: asked.table == sets)
    text = words(refresh(app, page))
    assert f"The flashcard sets {NOT_SHOWN}. There is no table {sets} in this account and region." in text
    assert "Create it on the Setup page, or correct the variable that names it." in text
    assert "Not up to date" not in text
    assert page.data in text
    assert len(app.dataframe) == 1


@pytest.mark.parametrize("skip", [0, 1])
def test_an_index_that_vanishes_between_two_reads_offers_the_scan_with_its_cost(
    skip: int, aws: Proxy, engine_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, name = PAGES["student"], engine_store.settings.evaluations
    app = visit(aws, page)
    index = "user_id-created_at-index"
    gone = proxy.refusal("ValidationException", f"The table does not have the specified index: {index}")
    aws.fail(gone, lambda asked: asked.index == index and asked.table == name, skip=skip)
    refresh(app, page)
    if skip:
        assert page.data in words(app)
        refresh(app, page)
    assert f"The table {name} has no index {index}." in words(app)
    cost = "what its size makes it, which DynamoDB has not counted yet"
    assert f"Reading the whole table once costs {cost}" in words(app)
    assert "Not up to date" not in words(app)
    counted = TableFacts(name, "", 1000, 8_192_000, {})
    monkeypatch.setattr(source, "facts", lambda _: counted)
    cost = "8 requests · 1,000 read units."
    assert f"Reading the whole table once costs about {cost}" in words(app.run())


def test_an_evaluation_that_changes_between_list_and_detail_is_shown_as_it_is_now(
    aws: Proxy, engine_store: Store
) -> None:
    before = evaluation(90, "user-9", "processing", int(datetime.now(UTC).timestamp()))
    after = {**before, "status": "completed", "overall_band": "6.5", "feedback": '{"overall": "Good."}'}
    name = engine_store.settings.evaluations
    engine.write(engine_store.client, name, [before])
    try:
        app = visit(aws, PAGES["student"]._replace(params={"user_id": "user-9"}))
        assert app.dataframe[0].value["Status"].str.startswith("◔ waiting").all()
        engine.write(engine_store.client, name, [after])
        detail = PAGES["evaluation"]._replace(params={"evaluation_id": "eval-91", "user_id": "user-9"})
        app.switch_page(detail.file)
        app.query_params["evaluation_id"] = "eval-91"
        text = words(checked(app.run(), detail))
        assert "✓ completed" in text
        assert "Writing band 6.5" in text
    finally:
        engine_store.client.delete_item(
            TableName=name, Key={"evaluation_id": {"S": "eval-91"}, "user_id": {"S": "user-9"}}
        )
    app.button(key="_refresh").click().run()
    assert "There is no evaluation “eval-91”" in words(app)
    assert "It may also have been deleted." in words(app)


@pytest.mark.parametrize(
    ("name", "page"),
    [("hang", page) for name, page in PAGES.items() if name != "setup"]
    + [(name, PAGES[page]) for name in PASSING for page in ("student", "jobs") if name != "hang"],
    ids=lambda value: value if isinstance(value, str) else value.title,
)
def test_an_older_answer_is_shown_when_the_fresh_one_fails_with_its_age_and_the_reason(
    name: str, page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    case = FAULTS[name]
    app = visit(aws, page)
    grids = len(app.dataframe)
    read_at = datetime.now(UTC).astimezone(ZoneInfo("UTC"))
    later(monkeypatch, timedelta(minutes=12))
    aws.fail(case.fault)
    with impatient() if name in SLOW else nullcontext():
        refresh(app, page)
    text = words(app)
    assert page.data in text
    assert len(app.dataframe) == grids
    assert f"{page.part} {NOT_SHOWN}" not in text
    assert re.search(rf"⚠ Not up to date: this was read at {read_at:%H}:\d\d \(UTC\), 12 min ago\.", text)
    assert "Reading it afresh failed." in text
    assert case.what in text
    assert case.do in text
    assert f"(request {case.request_id})" in logged(caplog)
    # The next click neither waits again nor asks.
    asked = len(aws.asked)
    with impatient() if name in SLOW else nullcontext():
        checked(app.run(), page)
    assert page.data in words(app)
    assert "Not up to date" in words(app)
    assert [one.operation for one in aws.asked[asked:] if one.operation != "DescribeTable"] == []
    # Refresh asks, and what it brings is fresh.
    aws.heal()
    refresh(app, page)
    assert page.data in words(app)
    assert "Not up to date" not in words(app)


@pytest.mark.parametrize("name", ["student", "jobs"])
def test_a_file_of_an_older_answer_is_not_complete(
    name: str, aws: Proxy, monkeypatch: pytest.MonkeyPatch, files: dict[str, Callable[[], bytes]]
) -> None:
    app = visit(aws, PAGES[name])
    assert all(b"# Complete: yes" in make() for file, make in files.items() if file.endswith(".csv"))
    later(monkeypatch, timedelta(minutes=12))
    aws.fail(FAULTS["503"].fault)
    files.clear()
    refresh(app, PAGES[name])
    tables = [make() for file, make in files.items() if file.endswith(".csv")]
    assert tables
    assert all(b"# Complete: no" in table for table in tables)


@pytest.mark.parametrize("page", [p for name, p in PAGES.items() if name != "setup"], ids=lambda page: page.title)
@pytest.mark.parametrize("name", ["AccessDenied", "UnrecognizedClient"])
def test_an_older_answer_is_not_shown_to_those_whom_aws_refuses_the_data(name: str, page: Shown, aws: Proxy) -> None:
    app = visit(aws, page)
    aws.fail(FAULTS[name].fault)
    refresh(app, page)
    assert page.data not in words(app)
    assert f"{page.part} {NOT_SHOWN}." in words(app)
    # Nor later, when the failure is one that passes.
    aws.fail(FAULTS["503"].fault)
    refresh(app, page)
    assert page.data not in words(app)


@pytest.mark.parametrize("page", [PAGES["student"], PAGES["jobs"]], ids=lambda page: page.title)
def test_an_older_answer_is_not_shown_after_an_hour(page: Shown, aws: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    app = visit(aws, page)
    later(monkeypatch, timedelta(minutes=61))
    aws.fail(FAULTS["503"].fault)
    refresh(app, page)
    assert page.data not in words(app)
    assert f"{page.part} {NOT_SHOWN}." in words(app)
