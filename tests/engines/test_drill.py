"""The restore drill: a copy of the newest state, compared with its table; differences are found, nothing is deleted."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bandup import setup
from bandup.__main__ import main
from data.demo.engine import write
from data.dynamodb.client import Store
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure, Kind
from data.provisioning import drill
from data.provisioning import restore as provisioning_restore
from data.provisioning.account import Actual
from data.provisioning.apply import apply
from data.provisioning.drift import Target
from data.provisioning.drill import Drill
from data.provisioning.plan import plan
from data.provisioning.requests import create
from data.provisioning.restore import restore
from data.schema import BY_STATUS, EVALUATIONS, FUNCTIONS, TABLES
from tests.support import engines, proxy
from tests.support.accounts import INSTANT, failing, record, watching
from wording import account as words

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WHO = "ops@example"


@pytest.fixture
def filled(account: Store) -> Store:
    """Both tables as declared, with PITR and records."""
    list(apply(account, plan(account).steps, who="", clock=INSTANT))
    for table in TABLES:
        write(account.client, account.settings.name(table), [record(table, n) for n in range(250)])
    return account


def target(store: Store) -> Target:
    return Target(EVALUATIONS, store.settings.evaluations)


def lines(result: Drill) -> dict[str, bool]:
    return {line.subject: line.is_same for line in result.lines}


def test_a_copy_that_is_alike_passes_and_the_copy_stays(filled: Store, caplog: pytest.LogCaptureFixture) -> None:
    with watching(filled.client) as wire:
        *progress, result = drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT)
    assert isinstance(result, Drill)
    assert result.passed
    assert result.copy == f"{filled.settings.evaluations}-drill-20260310"
    indexes = {f"Records in {index.name}" for index in EVALUATIONS.indexes}
    sample = "Sample of 100 finished records"
    assert set(lines(result)) == {"Keys", "Indexes", "Records", "Newest record", sample, *indexes}
    for line in result.lines:
        if line.subject.startswith("Records"):
            assert line.source == "250"
    assert progress[0].startswith("restoring ")
    assert [change for change in wire.changes if "Delete" in change] == []
    assert wire.changes.count("RestoreTableToPointInTime") == 1
    log = [one.getMessage() for one in caplog.records if one.name == "bandup.changes"]
    assert log[-1].endswith(f"restore drill of {filled.settings.evaluations} to {result.copy} · passed")
    text = words.drill(result, "us-east-1", replace(filled.settings, endpoint=None))
    assert "passed" in text[0]
    assert text[-1].endswith(f"aws dynamodb delete-table --region us-east-1 --table-name {result.copy}")
    elsewhere = words.drill(result, "us-east-1", filled.settings)[-1]
    assert f" --endpoint-url {filled.settings.endpoint} --table-name" in elsewhere
    # The same day it goes on with the copy that is there.
    with watching(filled.client) as wire:
        *_, again = drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT)
    assert isinstance(again, Drill)
    assert wire.changes.count("RestoreTableToPointInTime") == 0


SPOILT: dict[str, tuple[Callable[[Store, str], Any], str]] = {
    "a record is lost": (
        lambda store, copy: store.client.delete_item(
            TableName=copy, Key={"evaluation_id": {"S": "id-0003"}, "user_id": {"S": "user-3"}}
        ),
        "Records",
    ),
    "the newest is lost": (
        lambda store, copy: store.client.delete_item(
            TableName=copy, Key={"evaluation_id": {"S": "id-0249"}, "user_id": {"S": f"user-{249 % 7}"}}
        ),
        "Newest record",
    ),
    "records are changed": (
        lambda store, copy: write(store.client, copy, [record(EVALUATIONS, n, odd="other") for n in range(250)]),
        "Sample of 100 finished records",
    ),
    "records are lost from an index": (
        lambda store, copy: write(
            store.client,
            copy,
            [{k: v for k, v in record(EVALUATIONS, n).items() if k != "status"} for n in range(3)],
        ),
        f"Records in {BY_STATUS}",
    ),
    "an index is lost": (
        lambda store, copy: store.client.update_table(
            TableName=copy,
            GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": EVALUATIONS.indexes[0].name}}],
        ),
        "Indexes",
    ),
}


@pytest.mark.parametrize(("spoil", "subject"), SPOILT.values(), ids=SPOILT)
def test_a_difference_is_found_and_said(spoil: Callable[[Store, str], Any], subject: str, filled: Store) -> None:
    copy = drill.begin(filled, target(filled), who=WHO, now=NOW)
    spoil(filled, copy)
    result = drill.compare(filled, target(filled), copy, who=WHO)
    assert not result.passed
    assert lines(result)[subject] is False
    text = words.drill(result, "us-east-1", filled.settings)
    assert "found differences" in text[0]
    assert any(line.startswith(f"✕ {subject}") for line in text)


def test_what_came_after_the_copy_is_no_difference(filled: Store) -> None:
    copy = drill.begin(filled, target(filled), who=WHO, now=NOW)
    later = int(datetime(2090, 1, 1, tzinfo=UTC).timestamp())
    write(filled.client, filled.settings.evaluations, [record(EVALUATIONS, 900, created_at=later)])
    assert drill.compare(filled, target(filled), copy, who=WHO).passed


def test_a_table_and_its_copy_are_compared_on_every_engine_that_makes_no_restore(store: Store) -> None:
    """DynamoDB Local and dynoxide restore nothing; the comparing itself, with their indexes, is the same there."""
    name, copy = store.settings.evaluations, f"{store.settings.evaluations}-drill"
    create(store.client, EVALUATIONS, copy)
    records = [record(EVALUATIONS, n) for n in range(120)]
    for table in (name, copy):
        write(store.client, table, records)
    result = drill.compare(store, target(store), copy, who=WHO)
    assert result.passed, result.lines
    assert result.at is None
    assert result.cost.read_units
    # In the table alone, and in neither index.
    write(store.client, copy, [{"evaluation_id": "odd", "user_id": "u"}])
    same = lines(drill.compare(store, target(store), copy, who=WHO))
    assert [subject for subject, alike in same.items() if not alike] == ["Records"]


@pytest.mark.parametrize("restored", [False, True], ids=["made by hand", "restored from another table"])
def test_a_table_that_only_has_the_name_of_a_copy_is_not_taken_for_it(restored: bool, filled: Store) -> None:
    name, copy = filled.settings.evaluations, f"{filled.settings.evaluations}-drill-20260310"
    if restored:
        other = f"{name}-other"
        create(filled.client, EVALUATIONS, other)
        filled.client.update_continuous_backups(
            TableName=other, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        restore(filled, other, copy, None, who=WHO)
    else:
        create(filled.client, EVALUATIONS, copy)
    with watching(filled.client) as wire, pytest.raises(Failure) as caught:
        list(drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT))
    assert (caught.value.case, caught.value.resource, caught.value.detail) == ("no_copy", copy, name)
    assert wire.changes == []


@pytest.mark.parametrize("times", [1, 3], ids=["the first answer is lost", "all answers are lost"])
def test_a_restore_that_has_begun_is_never_told_as_failed(
    times: int, moto: str, filled: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with proxy.in_front_of(moto) as door:
        door.fail(proxy.lost, proxy.operation("RestoreTableToPointInTime"), times=times)
        behind = Store.open(replace(filled.settings, endpoint=door.url), **engines.CREDENTIALS)
        restore(behind, filled.settings.evaluations, f"{filled.settings.evaluations}-restored", None, who=WHO)
    log = [one.getMessage() for one in caplog.records if one.name == "bandup.changes"]
    assert log[-2].endswith(" · begun")
    assert " · started" in log[-1]
    # Another table of that name, made in that moment, is none.
    other = f"{filled.settings.evaluations}-other"
    create(filled.client, EVALUATIONS, other)
    with watching(filled.client) as wire:
        wire.answer = failing("DescribeTable", "ResourceNotFoundException", 1)
        with pytest.raises(Failure) as caught:
            restore(filled, filled.settings.evaluations, other, None, who=WHO)
    assert caught.value.case == "table_taken"


@pytest.mark.parametrize(
    ("ago", "begun"),
    [(timedelta(minutes=6), True), (timedelta(days=3), False), (None, None)],
    ids=["just now", "on Monday", "not told"],
)
def test_the_latest_state_is_not_another_restores_older_one(
    ago: timedelta | None, begun: bool | None, filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, copy = filled.settings.evaluations, f"{filled.settings.evaluations}-restored"
    restore(filled, name, copy, None, who="somebody else")
    of = (name, datetime.now(UTC) - ago if ago else None)
    monkeypatch.setattr(provisioning_restore, "restored_from", lambda *_: of)
    with watching(filled.client) as wire:
        wire.answer = failing("DescribeTable", "ResourceNotFoundException", 1)
        if begun:
            restore(filled, name, copy, None, who=WHO)
            return
        with pytest.raises(Failure) as caught:
            restore(filled, name, copy, None, who=WHO)
    assert caught.value.case == ("table_taken" if begun is False else "restore_in_doubt")


@pytest.mark.parametrize("look", ["fails", "shows nothing yet"])
def test_a_restore_that_nobody_can_look_for_is_not_known(
    look: str, moto: str, filled: Store, caplog: pytest.LogCaptureFixture
) -> None:
    name, copy = filled.settings.evaluations, f"{filled.settings.evaluations}-restored"
    blind = proxy.plain(500) if look == "fails" else proxy.refusal("ResourceNotFoundException", "not there")
    with proxy.in_front_of(moto) as door:

        def break_down(asked: proxy.Asked, answer: Callable[[], proxy.Reply]) -> proxy.Reply:
            door.fail(blind, proxy.operation("DescribeTable"))
            return proxy.lost(asked, answer)

        door.fail(break_down, proxy.operation("RestoreTableToPointInTime"))
        behind = Store.open(replace(filled.settings, endpoint=door.url), **engines.CREDENTIALS)
        with pytest.raises(Failure) as caught:
            restore(behind, name, copy, None, who=WHO)
    assert (caught.value.case, caught.value.resource) == ("restore_in_doubt", copy)
    log = [one.getMessage() for one in caplog.records if one.name == "bandup.changes"]
    assert log[-2].endswith(" · begun")
    assert " · not known: " in log[-1]
    # Who asks for the same again has no second copy.
    with pytest.raises(Failure) as caught:
        restore(filled, name, copy, None, who=WHO)
    assert caught.value.case == "table_taken"
    assert drill.is_restored(filled, copy)


def test_a_dashboard_that_may_not_change_anything_restores_nothing(filled: Store) -> None:
    reading = Store(replace(filled.settings, allow_changes=False), filled.client)
    with watching(filled.client) as wire, pytest.raises(Failure) as caught:
        list(drill.run(reading, target(filled), who=WHO, now=NOW, clock=INSTANT))
    assert (caught.value.kind, wire.sent) == ("read_only", [])


def test_patience_has_an_end_and_a_refusal_is_said(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with watching(filled.client) as wire:
        wire.answer = failing("RestoreTableToPointInTime", "PointInTimeRecoveryUnavailableException", 1)
        with pytest.raises(Failure) as caught:
            list(drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT))
    assert caught.value.case == "recovery_off"
    monkeypatch.setattr(drill, "is_restored", lambda *_, **__: False)
    *_, last = drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT)
    assert isinstance(last, drill.Unfinished)
    assert (last.why.case, last.why.passing) == ("restoring", True)


@pytest.mark.parametrize(
    ("later", "ending"),
    [
        (timedelta(hours=6), "20260310"),
        (timedelta(hours=23), "20260310"),
        (timedelta(hours=25), "20260311"),
        (timedelta(hours=49), "20260312"),
    ],
    ids=["after midnight", "23 hours", "25 hours", "two days"],
)
def test_a_drill_that_is_started_again_after_midnight_goes_on_with_its_copy(
    later: timedelta, ending: str, filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = datetime(2026, 3, 10, 20, tzinfo=UTC)
    copy = drill.begin(filled, target(filled), who=WHO, now=evening)
    asked = drill.restored_from

    def restored_from(store: Store, table: str) -> tuple[str, datetime | None]:
        return asked(store, table)[0], evening

    monkeypatch.setattr(drill, "restored_from", restored_from)
    with watching(filled.client) as wire:
        again = drill.begin(filled, target(filled), who=WHO, now=evening + later)
    assert again.endswith(f"-drill-{ending}")
    assert wire.changes.count("RestoreTableToPointInTime") == (again != copy)


def test_a_policy_for_the_copy_of_today_alone_is_enough(filled: Store, moto: str) -> None:
    with proxy.in_front_of(moto) as door:
        yesterdays = f"{filled.settings.evaluations}-drill-20260309"
        door.fail(proxy.refusal("AccessDeniedException", proxy.denied), lambda asked: yesterdays in str(asked.arn))
        behind = Store.open(replace(filled.settings, endpoint=door.url), **engines.CREDENTIALS)
        assert drill.begin(behind, target(filled), who=WHO, now=NOW).endswith("-drill-20260310")
        assert door.failed


def test_a_copy_that_is_deleted_while_it_is_restored_is_said(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Actual, "settled", False)
    steps = drill.run(filled, target(filled), who=WHO, now=NOW, clock=INSTANT)
    assert next(steps)
    copy = f"{filled.settings.evaluations}-drill-20260310"
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        filled.client.delete_table(TableName=copy)

    steps = drill.run(filled, target(filled), who=WHO, now=NOW, clock=replace(INSTANT, sleep=sleep))
    with pytest.raises(Failure) as caught:
        list(steps)
    assert (caught.value.case, caught.value.resource) == ("copy_gone", copy)
    assert len(slept) == 1


def variables_of(store: Store) -> dict[str, str]:
    variables = {table.variable: store.settings.name(table) for table in TABLES}
    return variables | {of.variable: name for of, name in zip(FUNCTIONS, store.settings.functions, strict=True)}


def test_a_copy_that_could_not_be_compared_is_said_with_how_to_delete_it(
    filled: Store, moto: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with proxy.in_front_of(moto) as door:
        door.fail(proxy.refusal("AccessDeniedException", proxy.denied), proxy.operation("Scan"))
        variables = {"BANDUP_SOURCE": "aws", "AWS_REGION": engines.REGION, "AWS_ENDPOINT_URL": door.url}
        variables |= {name.upper(): value for name, value in engines.CREDENTIALS.items()}
        for name, value in {**variables, **variables_of(filled), "BANDUP_ALLOW_CHANGES": "1"}.items():
            monkeypatch.setenv(name, value)
        assert main(["setup", "--drill"]) == 1
        out = capsys.readouterr().out
        assert out.count("was not compared with") == len(TABLES)
        assert out.count("dynamodb:Scan") >= len(TABLES)
        assert out.count("delete-table") == len(TABLES)
        assert main(["setup", "--drill", "--json"]) == 1
    assert [one["passed"] for one in json.loads(capsys.readouterr().out)["drills"]] == [None, None]


@pytest.mark.parametrize(
    ("kind", "passed", "code"),
    [("access_denied", True, 1), ("access_denied", False, 2), ("throttled", True, 3), ("throttled", False, 2)],
)
def test_a_drill_that_cannot_begin_keeps_the_other_from_nothing(
    kind: Kind,
    passed: bool,
    code: int,
    filled: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(store: Store, of: Target, **_: Any) -> Iterator[Any]:
        if of.table is EVALUATIONS:
            raise Failure(kind, operation="dynamodb:RestoreTableToPointInTime", resource=of.name)
        line = drill.Line("Records", "1", "1" if passed else "0")
        yield Drill(of, f"{of.name}-copy", None, (line,), Cost())

    monkeypatch.setattr(setup, "run_drill", run)
    monkeypatch.setattr(setup, "open_store", lambda _: filled)
    assert main(["setup", "--drill"]) == code
    output = capsys.readouterr()
    assert f"{filled.settings.evaluations}: " in output.err
    assert ("passed" in output.out) is passed


def test_the_command_tests_both_tables(
    filled: Store, moto: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"BANDUP_SOURCE": "aws", "AWS_REGION": engines.REGION, "AWS_ENDPOINT_URL": moto}
    variables |= {name.upper(): value for name, value in engines.CREDENTIALS.items()}
    variables |= variables_of(filled)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(["setup", "--drill"]) == 1
    assert "BANDUP_ALLOW_CHANGES=1" in capsys.readouterr().err
    monkeypatch.setenv("BANDUP_ALLOW_CHANGES", "1")
    assert main(["setup", "--drill"]) == 0
    out = capsys.readouterr().out
    assert out.count("passed") == len(TABLES)
    assert out.count("delete-table") == len(TABLES)
    assert out.index("A restore is billed per GB") < out.index("restoring ")
