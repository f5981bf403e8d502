"""Jobs of both tables over HTTP: the period, what a later look reads, reasons, marking that races with a Lambda."""

import copy
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import job_states
from analysis.job_states import Thresholds
from data.demo import engine
from data.dynamodb import budget, query
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.dynamodb.facts import BATCH
from data.dynamodb.reads import Item, Read
from data.records import evaluations, flashcards, jobs
from data.records.jobs import Key, Mark, Marked
from data.schema import EVALUATIONS, FLASHCARD_SETS
from queries.cache import BYTES
from queries.records import MOST_REASONS
from tests.support import engines, proxy
from tests.support.accounts import bare_request

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARK = str(Mark("ops@example", NOW))


def evaluation(number: int, status: str, minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A job of the evaluations table."""
    created_at = int((NOW - timedelta(minutes=minutes_ago)).timestamp())
    record = {"evaluation_id": f"eval-{number}", "user_id": "u", "evaluation_type": "writing", "status": status}
    return {**record, "created_at": created_at, **more}


def flashcard_set(number: int, status: str, minutes_ago: float, **more: Any) -> dict[str, Any]:
    """A job of the flashcard sets table."""
    created_at = int((NOW - timedelta(minutes=minutes_ago)).timestamp())
    return {"set_id": f"set-{number}", "user_id": "u", "status": status, "created_at": created_at, **more}


def put(store: Store, *records: dict[str, Any]) -> None:
    """Write jobs into their tables."""
    for table in (EVALUATIONS, FLASHCARD_SETS):
        own = [record for record in records if table.partition_key in record]
        engine.write(store.client, store.settings.name(table), own)


@pytest.fixture
def changeable(store: Store) -> Store:
    """A Store that may change things."""
    return Store(replace(store.settings, allow_changes=True), store.client)


def test_jobs_of_both_tables_are_in_one_list_newest_first(store: Store) -> None:
    put(
        store,
        evaluation(1, "failed", 30),
        evaluation(2, "processing", 10),
        flashcard_set(1, "completed", 20),
        evaluation(3, "completed", 99999),  # before the period
    )
    span = NOW - timedelta(days=1), NOW
    both = jobs.combined(evaluations.period(store, *span).value, flashcards.period(store, *span).value)
    assert both["job_id"].tolist() == ["eval-2", "set-1", "eval-1"]
    assert both["kind"].tolist() == ["writing", "flashcards", "writing"]
    assert both["table"].tolist() == ["evaluations", "flashcards", "evaluations"]


def test_jobs_of_one_table_alone_are_a_list_too(store: Store) -> None:
    put(store, evaluation(1, "failed", 30), flashcard_set(1, "completed", 20))
    span = NOW - timedelta(days=1), NOW
    assert jobs.combined(None, flashcards.period(store, *span).value)["job_id"].tolist() == ["set-1"]
    assert jobs.combined(evaluations.period(store, *span).value, None)["job_id"].tolist() == ["eval-1"]


def test_a_job_that_is_in_two_answers_is_in_the_list_once_as_finished(store: Store) -> None:
    put(store, evaluation(1, "processing", 30))
    span = NOW - timedelta(days=1), NOW
    before = evaluations.period(store, *span).value
    put(store, evaluation(1, "completed", 30))
    both = pd.concat([before, evaluations.period(store, *span).value], ignore_index=True)
    assert jobs.combined(both, None)["status"].tolist() == ["completed"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"error": "boom"}, "boom"),
        ({"error_message": "late"}, "late"),
        ({"failure_reason": "why"}, "why"),
        ({"error": "", "error_message": "second"}, "second"),
        ({"feedback": '{"error": "in the feedback"}'}, "in the feedback"),
        ({"feedback": "plain words"}, "plain words"),
        ({"lambda_exception": "unknown attribute"}, "unknown attribute"),
        ({"note": "only this"}, "note: only this"),
        ({"error": {"code": 7}}, '{"code": 7}'),
        ({"error": "late", "failure_reason": MARK}, MARK),
        ({"error": "late", "failure_reason": f"{MARK}, or so"}, "late"),
        ({"feedback": '{"strengths": []}'}, None),
        ({"error": False, "error_message": "late"}, "late"),
        ({"error": {}, "failure_reason": "why"}, "why"),
        ({"ttl": 1_790_000_000}, None),
        ({"error_code": 504}, "504"),
        ({}, None),
    ],
)
def test_the_reason_is_taken_from_what_the_record_holds(
    store: Store, more: dict[str, Any], expected: str | None
) -> None:
    put(store, evaluation(1, "failed", 1, **more), flashcard_set(1, "failed", 1, error="of the set"))
    keys = [Key("evaluations", "eval-1", "u"), Key("flashcards", "set-1", "u"), Key("evaluations", "gone", "u")]
    read = jobs.reasons(store, keys)
    assert read.value == {keys[0]: expected, keys[1]: "of the set"}


@pytest.mark.parametrize("name", ["error", "essay", "feedback"])
def test_a_long_reason_is_cut_and_two_thousand_of_them_have_room_in_the_cache(store: Store, name: str) -> None:
    letter = "\U0001f600"  # of those that take most room
    put(store, *(evaluation(number, "failed", 1, **{name: letter * 90_000}) for number in range(2)))
    read = jobs.reasons(store, [Key("evaluations", f"eval-{number}", "u") for number in range(2)])
    for text in read.value.values():
        assert text is not None
        assert text.endswith(" characters)")
        assert len(text) < jobs.LONGEST_REASON + 100
        assert MOST_REASONS * len(text.encode()) < BYTES


def test_the_records_of_failed_jobs_are_in_memory_a_batch_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, *(evaluation(number, "failed", 1, error=f"late {number}") for number in range(BATCH + 5)))
    keys = [Key("evaluations", f"eval-{number}", "u") for number in range(BATCH + 5)]
    sizes: list[int] = []
    batch_get = query.batch_get

    def counted(*args: Any) -> Read[list[Item]]:
        read = batch_get(*args)
        sizes.append(len(read.value))
        return read

    monkeypatch.setattr(query, "batch_get", counted)
    read = jobs.reasons(store, keys)
    assert read.value == {key: f"late {number}" for number, key in enumerate(keys)}
    assert sorted(sizes) == [0, 5, BATCH]
    assert read.cost.requests == 2


def mark(store: Store, *records: dict[str, Any]) -> list[Marked]:
    """Mark evaluations as failed, as they are in `records`."""
    keys = [
        (Key("evaluations", r["evaluation_id"], r["user_id"]), datetime.fromtimestamp(r["created_at"], UTC))
        for r in records
    ]
    return list(jobs.mark_failed(store, keys, who="ops@example", now=NOW))


def status(store: Store, number: int) -> dict[str, Any]:
    """The item as it is."""
    key = {"evaluation_id": {"S": f"eval-{number}"}, "user_id": {"S": "u"}}
    item = store.client.get_item(TableName=store.settings.name(EVALUATIONS), Key=key)["Item"]
    return {name: next(iter(value.values())) for name, value in item.items()}


def test_only_a_job_that_is_still_processing_is_marked_and_the_change_is_logged(
    changeable: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stuck, done, again = (
        evaluation(1, "processing", 900),
        evaluation(2, "completed", 900),
        evaluation(3, "processing", 5),
    )
    put(changeable, stuck, done, again)
    moved = {**again, "created_at": again["created_at"] - 1}
    gone = {**stuck, "evaluation_id": "eval-9"}
    marked = mark(changeable, stuck, done, moved, gone)
    assert [r.result for r in marked] == ["marked", "changed meanwhile", "changed meanwhile", "changed meanwhile"]
    assert status(changeable, 1)["status"] == "failed"
    assert "ops@example" in status(changeable, 1)["failure_reason"]
    assert status(changeable, 2) == {k: str(v) for k, v in done.items()}
    assert status(changeable, 3)["status"] == "processing"
    lines = [record.getMessage() for record in caplog.records if record.name == "bandup.changes"]
    # Of what was asked for, that it begins is there before what came of it.
    results = ["begun", "marked", "begun", "changed meanwhile", "changed meanwhile", "changed meanwhile"]
    assert [line.rpartition(" · ")[2] for line in lines] == results
    assert "ops@example" in lines[0]
    assert "eval-1 of u" in lines[0]


@pytest.mark.parametrize("times", [1, 3], ids=["the first answer is lost", "all answers are lost"])
def test_a_mark_whose_answer_is_lost_is_found_again_and_never_denied(
    times: int, engine: str, changeable: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = evaluation(1, "processing", 900)
    put(changeable, stuck)
    with proxy.in_front_of(engine) as door:
        door.fail(proxy.lost, proxy.operation("UpdateItem"), times=times)
        behind = Store.open(replace(changeable.settings, endpoint=door.url), **engines.CREDENTIALS)
        (result,) = mark(behind, stuck)
    assert result.result == "marked"
    assert status(changeable, 1)["status"] == "failed"
    assert caplog.records[-1].getMessage().endswith(" · marked")


@pytest.mark.parametrize("broken", [["GetItem"], ["GetItem", "UpdateItem"]], ids=["the look", "all"])
def test_a_mark_that_nobody_can_look_for_is_not_known(
    broken: list[str], engine: str, changeable: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = evaluation(1, "processing", 900)
    put(changeable, stuck)
    with proxy.in_front_of(engine) as door:

        def break_down(asked: proxy.Asked, answer: Callable[[], proxy.Reply]) -> proxy.Reply:
            door.fail(proxy.plain(500), proxy.operation(*broken))
            return proxy.lost(asked, answer)

        door.fail(break_down, proxy.operation("UpdateItem"))
        behind = Store.open(replace(changeable.settings, endpoint=door.url), **engines.CREDENTIALS)
        (result,) = mark(behind, stuck)
    assert result.result == "not known"
    assert isinstance(result.message, Failure)
    assert result.message.case == "in_doubt"
    assert status(changeable, 1)["status"] == "failed"
    log = [record.getMessage() for record in caplog.records if record.name == "bandup.changes"]
    assert [line.rpartition(" · ")[2] for line in log] == ["begun", "not known"]


@pytest.mark.parametrize(
    ("arrives", "expected"), [(True, "marked"), (False, "not known")], ids=["before the look", "after the look"]
)
def test_a_mark_that_is_late_is_never_denied(
    arrives: bool, expected: str, engine: str, changeable: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = evaluation(1, "processing", 900)
    put(changeable, stuck)
    looked = threading.Event()

    def late(_: proxy.Asked, answer: Callable[[], proxy.Reply]) -> proxy.Reply:
        if arrives:
            answer()
        looked.wait(20)
        return answer()

    monkeypatch.setattr(budget, "CALL_SECONDS", 1.0)
    with proxy.in_front_of(engine) as door:
        door.fail(late, proxy.operation("UpdateItem"), times=1)
        behind = Store.open(replace(changeable.settings, endpoint=door.url), **engines.CREDENTIALS)
        with budget.limited():
            (result,) = mark(behind, stuck)
        looked.set()
        assert result.result == expected
        for _ in range(100):
            if status(changeable, 1)["status"] == "failed":
                break
            time.sleep(0.1)
    assert status(changeable, 1)["status"] == "failed"


def test_what_was_never_sent_has_failed(changeable: Store) -> None:
    stuck = evaluation(1, "processing", 900)
    put(changeable, stuck)
    client: Any = Unsent(changeable.client)
    (result,) = mark(Store(changeable.settings, client), stuck)
    assert result.result == "failed"


class Unsent:
    """A client that has no time left for a change."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def update_item(self, **_: Any) -> Any:
        """Not sent."""
        raise budget.Late(1.0, asked=False)


def test_no_id_begins_a_line_of_the_log_of_changes(changeable: Store, caplog: pytest.LogCaptureFixture) -> None:
    hostile = {**evaluation(1, "processing", 900), "user_id": "u\n2026-11-27 · root · all · marked\x1b[2K\u202e"}
    mark(changeable, hostile)
    (line,) = (record.getMessage() for record in caplog.records if record.name == "bandup.changes")
    assert line.isprintable()
    assert "marked" in line


# As Lambdas may write a time: Decimal(str(time.time())), all digits that DynamoDB holds, exponents, milliseconds, text.
TIMES: dict[str, dict[str, str]] = {
    "seconds": {"N": "1733644800"},
    "seven decimals": {"N": "1733644800.1234567"},
    "38 digits": {"N": "1733644800.1234567890123456789012345678"},
    "a decimal that binary fractions lack": {"N": "1733644800.1"},
    "rounded up by a float": {"N": "1733644799.9999999"},
    "an exponent": {"N": "1.7336448E+9"},
    "a negative exponent": {"N": "17336448001234567E-7"},
    "zeros behind": {"N": "1733644800.500000"},
    "milliseconds": {"N": "1733644800123"},
    "milliseconds with decimals": {"N": "1733644800123.4567"},
}
IN_NO_INDEX: dict[str, dict[str, str]] = {
    "text": {"S": "1733644800.1234567"},
    "a written time": {"S": "2024-12-08T08:00:00Z"},
}


@pytest.mark.parametrize("stored", [*TIMES.values(), *IN_NO_INDEX.values()], ids=[*TIMES, *IN_NO_INDEX])
def test_a_job_can_be_marked_however_its_time_was_written(stored: dict[str, str], bare_store: Store) -> None:
    changeable = Store(replace(bare_store.settings, allow_changes=True), bare_store.client)
    name = changeable.settings.name(EVALUATIONS)
    # Without an index on created_at, to which DynamoDB would refuse text.
    changeable.client.create_table(**bare_request(EVALUATIONS, name))
    key = {"evaluation_id": {"S": "eval-1"}, "user_id": {"S": "u"}}
    item = {**key, "status": {"S": "processing"}, "evaluation_type": {"S": "writing"}, "created_at": stored}
    changeable.client.put_item(TableName=name, Item=item)
    (record,) = evaluations.history(changeable, "u", by_scan=True).value.to_dict("records")
    asked = [(Key("evaluations", "eval-1", "u"), record["created_at"])]
    (result,) = jobs.mark_failed(changeable, asked, who="ops@example", now=NOW)
    assert result.result == "marked"
    before = changeable.client.get_item(TableName=name, Key=key)["Item"]
    assert (before["status"], before["failure_reason"]["S"][:16]) == ({"S": "failed"}, "Marked as failed")
    # It is not marked twice, and a job that began anew meanwhile is not marked.
    again = {**item, "created_at": {"N": "1733650000.5"}}
    for changed in (before, again):
        changeable.client.put_item(TableName=name, Item=changed)
        (result,) = jobs.mark_failed(changeable, asked, who="ops@example", now=NOW + timedelta(minutes=1))
        assert result.result == "changed meanwhile"
        assert changeable.client.get_item(TableName=name, Key=key)["Item"] == changed


class Lagging:
    """A client whose indexes show what they showed when this began, for as long as `lags`."""

    def __init__(self, client: Any) -> None:
        self.client, self.lags, self.kept = client, True, dict[str, Any]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)

    def query(self, **request: Any) -> Any:
        """As it was when it was first asked, while it lags."""
        if not self.lags:
            return self.client.query(**request)
        values = {name: value for name, value in request["ExpressionAttributeValues"].items() if "S" in value}
        about = repr((request.get("IndexName"), values, "ExclusiveStartKey" in request))
        if about not in self.kept:
            self.kept[about] = copy.deepcopy(self.client.query(**request))
        return copy.deepcopy(self.kept[about])


def test_a_job_that_was_marked_is_not_offered_again_while_the_index_lags(store: Store) -> None:
    stuck, other = evaluation(1, "processing", 900), evaluation(2, "processing", 900)
    put(store, stuck, other)
    lagging: Any = Lagging(store.client)
    behind = Store(replace(store.settings, allow_changes=True), lagging)

    def statuses(rows: pd.DataFrame) -> dict[str, str]:
        return dict(zip(rows["evaluation_id"], rows["status"], strict=True))

    span = NOW - timedelta(days=1), NOW
    first = replace(evaluations.period(behind, *span), read_at=NOW)
    assert statuses(first.value) == {"eval-1": "processing", "eval-2": "processing"}
    assert [one.result for one in mark(behind, stuck)] == ["marked"]
    marked = {"eval-1": "failed", "eval-2": "processing"}
    again = replace(evaluations.update(behind, first, *span), read_at=NOW)
    assert statuses(again.value) == marked
    assert statuses(evaluations.period(behind, *span).value) == marked
    lagging.lags = False
    assert statuses(evaluations.update(behind, again, *span).value) == marked
    assert statuses(evaluations.period(store, *span).value) == marked


def test_a_job_that_finishes_while_it_is_marked_ends_as_one_or_the_other_never_as_both(changeable: Store) -> None:
    name = changeable.settings.name(EVALUATIONS)
    records = [evaluation(n, "processing", 900) for n in range(40)]
    put(changeable, *records)

    def finish() -> None:
        for record in records:
            changeable.client.update_item(
                TableName=name,
                Key={"evaluation_id": {"S": record["evaluation_id"]}, "user_id": {"S": "u"}},
                UpdateExpression="SET #s = :done, overall_band = :band",
                ExpressionAttributeNames={"#s": "status"},
                ExpressionAttributeValues={":done": {"S": "completed"}, ":band": {"S": "7.0"}},
            )

    thread = threading.Thread(target=finish)
    thread.start()
    results = mark(changeable, *reversed(records))
    thread.join()
    # The Lambda writes last or was first: either way its result stands, and no finished job reads failed.
    assert len(results) == 40
    for n in range(40):
        now = status(changeable, n)
        assert now["status"] == "completed"
        assert now["overall_band"] == "7.0"
    late = [r for r in results if r.result == "changed meanwhile"]
    assert all(r.message.startswith("it finished") for r in late)


_MARKING = """
import os, sys
from datetime import UTC, datetime
from data.dynamodb.client import Store
from data.records.jobs import Key, mark_failed
from data.settings import Settings

began = datetime.fromtimestamp(int(sys.argv[1]), UTC)
jobs = [(Key("evaluations", f"eval-{n}", "u"), began) for n in range(40)]
for one in mark_failed(Store.open(Settings.read(os.environ)), jobs, who="ops@example", now=began):
    print(one.key.job_id, flush=True)
"""


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_ends_while_it_marks_leaves_no_job_half_marked(
    changeable: Store, ended_by: signal.Signals
) -> None:
    records = [evaluation(n, "processing", 900) for n in range(40)]
    put(changeable, *records)
    environ = {
        **os.environ,
        "BANDUP_ENV_FILE": os.devnull,
        "BANDUP_SOURCE": "aws",
        "BANDUP_ALLOW_CHANGES": "1",
        "AWS_REGION": engines.REGION,
        "AWS_ENDPOINT_URL_DYNAMODB": changeable.client.meta.endpoint_url,
        **{name.upper(): value for name, value in engines.CREDENTIALS.items()},
        **{table.variable: changeable.settings.name(table) for table in (EVALUATIONS, FLASHCARD_SETS)},
    }
    command = [sys.executable, "-c", _MARKING, str(records[0]["created_at"])]
    with subprocess.Popen(command, cwd=engines.ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        reported = [process.stdout.readline() for _ in range(5)]
        process.send_signal(ended_by)
        reported += process.stdout.readlines()
    after = [status(changeable, n) for n in range(40)]
    marked = [one for one in after if one["status"] == "failed"]
    assert len(reported) <= len(marked) <= min(len(reported) + 1, 39)
    assert all(Mark.parse(one["failure_reason"]) for one in marked)
    assert [one for one in after if one not in marked] == [
        {name: str(value) for name, value in record.items()} for record in records[len(marked) :]
    ]
    # The next one goes on where it ended, and leaves what is marked alone.
    assert [one.result for one in mark(changeable, *records)].count("marked") == 40 - len(marked)


def frame(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Jobs as (id, kind, status, minutes ago) of one student."""
    table = pd.DataFrame(
        [
            {
                "table": "evaluations",
                "job_id": job_id,
                "user_id": "u",
                "kind": kind,
                "status": status,
                "model_used": "m",
                "created_at": NOW - timedelta(minutes=minutes),
            }
            for job_id, kind, status, minutes in rows
        ]
    )
    return table.astype({"created_at": "datetime64[us, UTC]"})


def test_a_failure_counts_as_recovered_only_by_a_later_completed_job_of_the_same_kind() -> None:
    table = frame(
        ("done later", "writing", "failed", 60),
        ("other kind", "speaking", "failed", 60),
        ("completed", "writing", "completed", 30),
        ("after that", "writing", "failed", 10),
        ("stuck, done again", "writing", "processing", 60 * 7),
        ("waiting", "writing", "processing", 5),
    )
    states = job_states.with_states(table, NOW).set_index("job_id")
    assert states.index[states["recovered"]].tolist() == ["done later", "stuck, done again"]
    totals = job_states.totals(states.reset_index())
    assert (totals.failed, totals.stuck, totals.waiting, totals.completed, totals.recovered) == (3, 1, 1, 1, 2)
    assert totals.failure_rate == 3 / 4


def test_thresholds_are_settings() -> None:
    table = frame(("a", "writing", "processing", 20))
    assert job_states.with_states(table, NOW)["state"].tolist() == ["overdue"]
    longer = Thresholds(overdue=timedelta(minutes=30))
    assert job_states.with_states(table, NOW, longer)["state"].tolist() == ["waiting"]


def test_empty_hours_are_zeros_and_the_days_are_local() -> None:
    table = job_states.with_states(frame(("a", "writing", "failed", 30), ("b", "writing", "completed", 150)), NOW)
    hours = job_states.over_time(table, NOW - timedelta(hours=4), NOW, "Asia/Ho_Chi_Minh")
    assert hours["start"].dt.tz_convert("Asia/Ho_Chi_Minh").dt.hour.tolist() == [
        15,
        16,
        17,
        18,
        19,
    ]  # 12:00 UTC is 19:00 there
    assert hours["failed"].tolist() == [0, 0, 0, 1, 0]
    assert hours["completed"].tolist() == [0, 1, 0, 0, 0]
    days = job_states.over_time(table, NOW - timedelta(days=5), NOW, "Asia/Ho_Chi_Minh")
    assert len(days) == 6
    assert days[["completed", "failed", "unfinished"]].sum().sum() == 2


def test_no_jobs_give_zeros_and_an_unknown_rate() -> None:
    nothing = job_states.with_states(frame(("a", "writing", "failed", 1)).head(0), NOW)
    assert job_states.totals(nothing).finished == 0
    assert pd.isna(job_states.totals(nothing).failure_rate)
    hours = job_states.over_time(nothing, NOW - timedelta(hours=2), NOW, "UTC")
    assert hours["failed"].tolist() == [0, 0, 0]
    assert job_states.rates(nothing, "kind").empty


@given(
    st.lists(
        st.tuples(st.sampled_from(["completed", "failed", "processing", "odd"]), st.integers(0, 10_000)), max_size=30
    )
)
def test_no_order_of_the_jobs_changes_a_figure(entries: list[tuple[str, int]]) -> None:
    rows = [(str(n), "writing", status, float(minutes)) for n, (status, minutes) in enumerate(entries)]
    if not rows:
        return
    forward, backward = (job_states.with_states(frame(*order), NOW) for order in (rows, rows[::-1]))
    assert job_states.totals(forward) == job_states.totals(backward)
    span = (NOW - timedelta(days=7), NOW)
    pd.testing.assert_frame_equal(
        job_states.over_time(forward, *span, "UTC"), job_states.over_time(backward, *span, "UTC"), check_dtype=False
    )


def test_rates_carry_the_numbers_behind_them() -> None:
    table = job_states.with_states(
        frame(("a", "writing", "failed", 1), ("b", "writing", "completed", 2), ("c", "speaking", "completed", 3)), NOW
    )
    assert job_states.rates(table, "kind").to_dict("records") == [
        {"value": "writing", "failed": 1, "finished": 2},
        {"value": "speaking", "failed": 0, "finished": 1},
    ]


def test_a_key_names_its_table_and_both_keys() -> None:
    assert Key("flashcards", "s", "u").item_key == {"set_id": "s", "user_id": "u"}
    assert Key("evaluations", "e", "u").of is EVALUATIONS
