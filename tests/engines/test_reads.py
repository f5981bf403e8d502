"""Reading both tables over HTTP, on two engines: every page, every bound, every odd index, and what it cost."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import boto3
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from data.demo.sample import SEED_EVALUATIONS, SEED_SET
from data.dynamodb import budget
from data.dynamodb.client import Store, client_config
from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.records import evaluations, flashcards, periods
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, FLASHCARD_SETS, STATUSES
from data.settings import Settings
from tests.support import engines
from tests.support.records import KEYS_ONLY, START, attempt, calls, deck, make, put, raw_client

SECOND = timedelta(seconds=1)
TOO_LITTLE = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["overall_band", "total_cards"]}
EVERYTHING = {"ProjectionType": "ALL"}


def metered(send: Callable[..., Any], **request: Any) -> Cost:
    """What the engine itself says that all pages of a request cost."""
    requests, units = 0, 0.0
    while True:
        response = send(**request, ReturnConsumedCapacity="TOTAL")
        requests, units = requests + 1, units + response["ConsumedCapacity"]["CapacityUnits"]
        if "LastEvaluatedKey" not in response:
            return Cost(requests, units)
        request["ExclusiveStartKey"] = response["LastEvaluatedKey"]


# --- one student's records


def test_a_history_of_several_pages_is_whole_and_newest_first(store: Store) -> None:
    # 30 rows of 80 KB in the index are 2.4 MB: three pages of at most 1 MB.
    put(store, EVALUATIONS, [attempt(n, model_used=f"{n:03d}" + "m" * 80_000) for n in range(30)])
    put(store, EVALUATIONS, [attempt(99, user_id="user-2")])
    with calls(store) as sent:
        read = evaluations.history(store, "user-1")
    assert read.value["evaluation_id"].tolist() == [f"eval-{n:04d}" for n in reversed(range(30))]
    assert read.value["created_at"].is_monotonic_decreasing
    assert sent == ["Query"] * 3
    assert read.cost.requests == 3
    assert (read.complete, read.notes) == (True, ())
    assert datetime.now(UTC) - read.read_at < timedelta(minutes=1)


def test_equal_times_across_a_page_boundary_lose_and_double_nothing(store: Store) -> None:
    moment = int(START.timestamp())
    put(store, EVALUATIONS, [attempt(n, created_at=moment, model_used="m" * 80_000) for n in range(30)])
    read = evaluations.history(store, "user-1")
    assert read.cost.requests > 1
    assert sorted(read.value["evaluation_id"]) == [f"eval-{n:04d}" for n in range(30)]


def test_both_questions_about_a_student_follow_the_same_path(store: Store) -> None:
    put(store, FLASHCARD_SETS, [deck(n, status=STATUSES[n % 3]) for n in range(4)] + [deck(9, user_id="user-2")])
    with calls(store) as sent:
        read = flashcards.history(store, "user-1")
    # The specification's own query keeps the completed ones only; here every status is shown.
    assert read.value["set_id"].tolist() == ["set-0003", "set-0002", "set-0001", "set-0000"]
    assert read.value["status"].tolist() == ["processing", "failed", "completed", "processing"]
    assert sent == ["Query"]


def test_a_student_without_records_has_an_empty_frame(store: Store) -> None:
    read = evaluations.history(store, "nobody")
    assert read.value.empty
    assert "overall_band" in read.value.columns
    assert read.complete
    assert flashcards.history(store, "nobody").value.empty


def test_ids_are_matched_letter_for_letter(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1, user_id="User-1"), attempt(2, user_id="user-1 ")])
    assert evaluations.history(store, "user-1").value.empty
    assert len(evaluations.history(store, "User-1").value) == 1


def test_a_cap_stops_and_says_so_only_when_there_is_more(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(n) for n in range(7)])
    for cap, length, complete in (
        (1, 1, False),
        (6, 6, False),  # one more is there
        (7, 7, True),  # exactly the cap: whole, and nothing to say
        (8, 7, True),
    ):
        read = evaluations.history(store, "user-1", cap=cap)
        assert read.value["evaluation_id"].tolist() == [f"eval-{6 - n:04d}" for n in range(length)]
        assert read.complete is complete
        assert read.notes == (() if complete else (f"Stopped after {cap} records; there are more.",))


def test_a_cap_holds_across_pages(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(n, model_used="m" * 80_000) for n in range(30)])
    for cap, complete in ((20, False), (29, False), (30, True)):
        read = evaluations.history(store, "user-1", cap=cap)
        assert len(read.value) == cap
        assert read.complete is complete
        assert read.cost.requests > 1


# --- indexes that are missing or other than declared


def test_a_missing_index_is_said_as_such(bare_store: Store) -> None:
    for table in (EVALUATIONS, FLASHCARD_SETS):
        make(bare_store, table, None)
    for ask in (
        lambda: evaluations.history(bare_store, "user-1"),
        lambda: flashcards.history(bare_store, "user-1"),
        lambda: evaluations.period(bare_store, START, START + SECOND),
    ):
        with pytest.raises(Failure) as caught:
            ask()
        assert caught.value.kind == "index_missing"
        assert caught.value.request_id


def test_without_the_index_a_scan_finds_the_records_on_every_page(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, None)
    make(bare_store, FLASHCARD_SETS, None)
    # 2.4 MB in the table; the pages end wherever the hash of the ids puts them.
    put(bare_store, EVALUATIONS, [attempt(n, feedback="f" * 100_000) for n in range(20)])
    put(bare_store, EVALUATIONS, [attempt(n, user_id="user-2", feedback="f" * 100_000) for n in range(20, 24)])
    with calls(bare_store) as sent:
        read = evaluations.history(bare_store, "user-1", by_scan=True)
    assert read.value["evaluation_id"].tolist() == [f"eval-{n:04d}" for n in reversed(range(20))]
    assert read.value["overall_band"].notna().all()
    assert len(sent) >= 3
    assert read.cost == metered(raw_client(bare_store).scan, TableName=bare_store.settings.name(EVALUATIONS))
    assert (read.complete, read.notes) == (True, ())
    put(bare_store, FLASHCARD_SETS, [deck(1), deck(2), deck(3, user_id="user-2")])
    sets = flashcards.history(bare_store, "user-1", by_scan=True)
    assert sets.value["set_id"].tolist() == ["set-0002", "set-0001"]


def test_a_scan_reads_times_that_no_index_would_take(bare_store: Store) -> None:
    # With an index on created_at (a number) DynamoDB refuses such records; without one they can be there.
    make(bare_store, EVALUATIONS, None)
    moment = int(START.timestamp())
    put(
        bare_store,
        EVALUATIONS,
        [
            attempt(1, created_at=str(moment)),
            attempt(2, created_at=moment + 1),
            attempt(3, created_at=(START + 2 * SECOND).isoformat()),
            attempt(4, created_at=None),
        ],
    )
    table = evaluations.history(bare_store, "user-1", by_scan=True).value
    assert table["evaluation_id"].tolist() == ["eval-0003", "eval-0002", "eval-0001", "eval-0004"]
    assert table["created_at"].tolist() == [START + 2 * SECOND, START + SECOND, START, pd.NaT]
    assert [tuple(issue.attribute for issue in issues) for issues in table["issues"]] == [
        ("created_at",),
        (),
        ("created_at",),
        ("created_at",),
    ]


@pytest.mark.parametrize(("projection", "gone"), [(KEYS_ONLY, "status"), (TOO_LITTLE, "evaluation_type")])
def test_an_index_that_carries_too_little_gives_the_same_rows_with_a_note(
    engine: str,
    store: Store,
    new_settings: Callable[[str], Settings],
    projection: dict[str, Any],
    gone: str,
) -> None:
    other = Store.open(new_settings(engine), **engines.CREDENTIALS)
    records = [attempt(n, status=STATUSES[n % 3], essay_title="not in any list") for n in range(120)]
    sets = [deck(n) for n in range(3)]
    for target in (store, other):
        if target is other:
            make(other, EVALUATIONS, projection)
            make(other, FLASHCARD_SETS, projection)
        put(target, EVALUATIONS, records)
        put(target, FLASHCARD_SETS, sets)

    declared, read = evaluations.history(store, "user-1"), evaluations.history(other, "user-1")
    assert_frame_equal(read.value, declared.value)
    (note,) = read.notes
    assert BY_STUDENT in str(note)
    assert gone in str(note)
    # A BatchGetItem takes 100 keys, so 120 records need two.
    assert read.cost.requests == 3
    assert read.cost.read_units is not None
    assert declared.cost.read_units is not None
    assert read.cost.read_units > declared.cost.read_units

    assert_frame_equal(flashcards.history(other, "user-1").value, flashcards.history(store, "user-1").value)
    first, last = START, START + timedelta(days=1)
    period = evaluations.period(other, first, last)
    assert_frame_equal(period.value, evaluations.period(store, first, last).value)
    assert any(BY_STATUS in str(note) for note in period.notes)


def test_an_index_that_carries_everything_needs_no_more_reads(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, EVERYTHING)
    put(bare_store, EVALUATIONS, [attempt(n) for n in range(3)])
    with calls(bare_store) as sent:
        read = evaluations.history(bare_store, "user-1")
    assert sent == ["Query"]
    assert read.notes == ()
    assert read.value["overall_band"].tolist() == [5.0, 4.5, 4.0]


def test_a_record_deleted_between_index_and_table_stays_as_the_index_knew_it(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    put(bare_store, EVALUATIONS, [attempt(n) for n in range(3)])
    others = raw_client(bare_store)

    def delete_one(**_: Any) -> None:
        key = {"evaluation_id": {"S": "eval-0001"}, "user_id": {"S": "user-1"}}
        others.delete_item(TableName=bare_store.settings.name(EVALUATIONS), Key=key)

    bare_store.client.meta.events.register("before-call.dynamodb.BatchGetItem", delete_one)
    table = evaluations.history(bare_store, "user-1").value
    assert table["evaluation_id"].tolist() == ["eval-0002", "eval-0001", "eval-0000"]
    assert [math.isnan(band) for band in table["overall_band"]] == [False, True, False]


def test_a_record_that_the_index_tells_twice_is_fetched_once(bare_store: Store) -> None:
    # An index is brought up to date while it is read: a record whose time changes can be on two of its pages.
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    put(bare_store, EVALUATIONS, [attempt(n) for n in range(3)])

    def double(parsed: Any, **_: Any) -> None:
        parsed["Items"].append(parsed["Items"][0])

    bare_store.client.meta.events.register("after-call.dynamodb.Query", double)
    table = evaluations.history(bare_store, "user-1").value
    assert set(table["evaluation_id"]) == {"eval-0000", "eval-0001", "eval-0002"}
    assert table["overall_band"].notna().all()


def test_keys_that_the_engine_left_unprocessed_are_asked_for_again(bare_store: Store) -> None:
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    put(bare_store, EVALUATIONS, [attempt(n) for n in range(5)])
    name = bare_store.settings.name(EVALUATIONS)
    left: list[int] = []

    def leave_two(parsed: Any, **_: Any) -> None:
        if not left:
            items = parsed["Responses"][name]
            left.append(len(items))
            keys = [{k: item[k] for k in EVALUATIONS.key_names} for item in items[:2]]
            parsed["Responses"][name] = items[2:]
            parsed["UnprocessedKeys"] = {name: {"Keys": keys}}

    bare_store.client.meta.events.register("after-call.dynamodb.BatchGetItem", leave_two)
    read = evaluations.history(bare_store, "user-1")
    assert read.value["overall_band"].notna().all()
    assert read.cost.requests == 3


def test_keys_that_stay_unprocessed_are_a_failure_not_a_gap(bare_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "pause", lambda _: None)
    make(bare_store, EVALUATIONS, KEYS_ONLY)
    put(bare_store, EVALUATIONS, [attempt(1)])
    name = bare_store.settings.name(EVALUATIONS)

    def leave_all(parsed: Any, **_: Any) -> None:
        keys = [{"evaluation_id": {"S": "eval-0001"}, "user_id": {"S": "user-1"}}]
        parsed |= {"Responses": {}, "UnprocessedKeys": {name: {"Keys": keys}}}

    bare_store.client.meta.events.register("after-call.dynamodb.BatchGetItem", leave_all)
    with pytest.raises(Failure) as caught:
        evaluations.history(bare_store, "user-1")
    assert caught.value.kind == "throttled"
    assert caught.value.resource == name


def test_a_role_that_may_not_describe_tables_still_reads_with_a_note(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1)])

    def deny(**_: Any) -> Any:
        return SimpleNamespace(status_code=400), {
            "Error": {"Code": "AccessDeniedException", "Message": "User is not authorized"},
            "ResponseMetadata": {"RequestId": "abc", "HTTPStatusCode": 400},
        }

    store.client.meta.events.register("before-call.dynamodb.DescribeTable", deny)
    read = evaluations.history(store, "user-1")
    assert read.value["evaluation_id"].tolist() == ["eval-0001"]
    (note,) = read.notes
    assert isinstance(note, Failure)
    assert (note.operation, note.index) == ("dynamodb:DescribeTable", BY_STUDENT)


# --- one record


def test_one_evaluation_is_read_by_both_keys(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1), attempt(2)])
    read = evaluations.get(store, "eval-0001", "user-1")
    assert read.value is not None
    assert read.value.evaluation_id == "eval-0001"
    assert read.value.feedback == {"strengths": ["Clear."]}
    assert read.value.issues == ()
    # An eventually consistent read of up to 4 KB is half a unit.
    assert read.cost == Cost(1, 0.5)


def test_an_unknown_evaluation_is_none(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1)])
    for evaluation_id, user_id in (
        ("eval-0001", "user-2"),  # somebody else's
        ("eval-9999", "user-1"),
        ("EVAL-0001", "user-1"),  # letters of another case are other letters
    ):
        assert evaluations.get(store, evaluation_id, user_id).value is None


def test_one_set_is_read_by_both_keys_or_is_none(store: Store) -> None:
    put(store, FLASHCARD_SETS, [deck(1)])
    read = flashcards.get(store, "set-0001", "user-1")
    assert read.value is not None
    assert [(card.front, card.back) for card in read.value.cards] == [("One?", "1")]
    assert flashcards.get(store, "set-0001", "user-2").value is None


def test_an_id_alone_finds_all_who_have_it(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(1), attempt(1, user_id="user-2"), attempt(2)])
    put(store, FLASHCARD_SETS, [deck(1), deck(1, user_id="user-2"), deck(2)])
    assert sorted(e.user_id for e in evaluations.find(store, "eval-0001").value) == ["user-1", "user-2"]
    assert [e.user_id for e in evaluations.find(store, "eval-0002").value] == ["user-1"]
    assert evaluations.find(store, "nothing").value == []
    assert sorted(s.user_id for s in flashcards.find(store, "set-0001").value) == ["user-1", "user-2"]
    assert flashcards.find(store, "nothing").value == []
    # Whole records, with their long texts: these are for the detail page.
    assert evaluations.find(store, "eval-0002").value[0].feedback == {"strengths": ["Clear."]}


def test_an_id_that_cannot_be_a_key_is_rejected_with_a_sentence(store: Store) -> None:
    for evaluation_id in ("", "x" * 3000):
        with pytest.raises(Failure) as caught:
            evaluations.get(store, evaluation_id, "user-1")
        assert caught.value.kind == "rejected"
        assert caught.value.resource == store.settings.evaluations


def test_any_text_can_be_an_id(store: Store) -> None:
    for text in ("שלום\u202e", "👩‍🏫", "a\x00b", "a/b?c=d&e#f%20", "' OR 1=1"):
        put(store, EVALUATIONS, [attempt(1, evaluation_id=text, user_id=text)])
        assert evaluations.history(store, text).value["evaluation_id"].tolist() == [text]
        read = evaluations.get(store, text, text).value
        assert read is not None
        assert read.user_id == text


def test_numbers_arrive_digit_for_digit(store: Store) -> None:
    digits = "1234567890123456789.0123456789012345678"
    put(store, EVALUATIONS, [attempt(1, cost=Decimal(digits), word_count=Decimal("185"))])
    read = evaluations.get(store, "eval-0001", "user-1").value
    assert read is not None
    assert f'"cost": {digits}' in read.raw
    assert read.unknown == {"cost": digits}
    assert read.word_count == 185


# --- a period


def test_a_period_includes_both_bounds_to_the_second(store: Store) -> None:
    first, last = START, START + timedelta(hours=1)
    times = {
        "before": first - SECOND,
        "first": first,
        "within": first + timedelta(minutes=30),
        "last": last,
        "after": last + SECOND,
    }
    put(
        store,
        EVALUATIONS,
        [attempt(0, evaluation_id=name, created_at=int(time.timestamp())) for name, time in times.items()],
    )
    assert evaluations.period(store, first, last).value["evaluation_id"].tolist() == ["last", "within", "first"]
    # A clock with microseconds does not push the record of that very second out.
    ragged = evaluations.period(store, first.replace(microsecond=900_000), last.replace(microsecond=900_000))
    assert ragged.value["evaluation_id"].tolist() == ["last", "within", "first"]
    one_second = evaluations.period(store, first, first)
    assert one_second.value["evaluation_id"].tolist() == ["first"]


def test_a_period_reads_all_three_statuses_and_everybody(store: Store) -> None:
    records = [attempt(n, status=STATUSES[n % 3], user_id=f"user-{n % 4}") for n in range(12)]
    put(store, EVALUATIONS, [*records, attempt(20, status="queued")])
    with calls(store) as sent:
        read = evaluations.period(store, START, START + timedelta(days=1))
    assert read.value["evaluation_id"].tolist() == [f"eval-{n:04d}" for n in reversed(range(12))]
    assert set(read.value["status"]) == set(STATUSES)
    assert sent == ["Query"] * 3
    assert read.cost.requests == 3
    assert read.complete


def test_a_period_can_be_asked_for_some_statuses_only(store: Store) -> None:
    put(store, FLASHCARD_SETS, [deck(n, status=STATUSES[n % 3]) for n in range(6)])
    day = (START, START + timedelta(days=1))
    read = periods.read(store, FLASHCARD_SETS, flashcards.frame, *day, statuses=["failed"])
    assert read.value["set_id"].tolist() == ["set-0005", "set-0002"]
    assert read.cost.requests == 1


def test_a_cap_in_a_period_holds_per_status_and_is_noted(store: Store) -> None:
    records = [attempt(n, status="completed") for n in range(5)] + [attempt(9, status="failed")]
    put(store, EVALUATIONS, records)
    last = START + timedelta(days=1)
    read = periods.read(store, EVALUATIONS, evaluations.frame, START, last, cap=4)
    ids = sorted(read.value["evaluation_id"])
    assert ids == ["eval-0001", "eval-0002", "eval-0003", "eval-0004", "eval-0009"]  # the oldest is what is left out
    assert not read.complete
    assert read.notes == ("Stopped after 4 records; there are more.",)
    assert periods.read(store, EVALUATIONS, evaluations.frame, START, last, cap=5).complete


def test_a_period_that_ends_before_it_begins_is_rejected_with_a_sentence(store: Store) -> None:
    with pytest.raises(Failure) as caught:
        evaluations.period(store, START, START - SECOND)
    assert caught.value.kind == "rejected"


# --- what it cost


def test_a_history_costs_what_the_engine_says(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(n, model_used="m" * 60_000, feedback="f" * 50_000) for n in range(25)])
    measured = metered(
        raw_client(store).query,
        TableName=store.settings.name(EVALUATIONS),
        IndexName=BY_STUDENT,
        KeyConditionExpression="user_id = :u",
        ExpressionAttributeValues={":u": {"S": "user-1"}},
        ScanIndexForward=False,
    )
    read = evaluations.history(store, "user-1")
    assert read.cost == measured
    # 25 rows of some 60 KB, half a unit for each 4 KB; the 50 KB of feedback are not in the index.
    assert read.cost.read_units == pytest.approx(25 * 60_200 / 8192, rel=0.02)
    # DynamoDB Local calls its region ddblocal, which has no price.
    priced = store.facts(EVALUATIONS).region == engines.REGION
    assert read.cost.usd == (pytest.approx(read.cost.read_units * 0.125e-6) if priced else None)


def test_one_evaluation_costs_half_a_unit_for_each_four_kilobytes(store: Store) -> None:
    for size, units in ((1_000, 0.5), (3_500, 0.5), (4_500, 1.0), (9_000, 1.5), (390_000, 48.0)):
        put(store, EVALUATIONS, [attempt(1, feedback="f" * size)])
        assert evaluations.get(store, "eval-0001", "user-1").cost == Cost(1, units)


def test_a_period_costs_the_sum_of_its_statuses(store: Store) -> None:
    put(store, EVALUATIONS, [attempt(n, status=STATUSES[n % 3], model_used="m" * 20_000) for n in range(9)])
    expected = Cost()
    for status in STATUSES:
        expected += metered(
            raw_client(store).query,
            TableName=store.settings.name(EVALUATIONS),
            IndexName=BY_STATUS,
            KeyConditionExpression="#s = :s",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": {"S": status}},
        )
    assert evaluations.period(store, START, START + timedelta(days=1)).cost == expected


def test_costs_add_up_and_stay_unknown_once_unknown() -> None:
    assert Cost(1, 0.5) + Cost(2, 1.0) == Cost(3, 1.5)
    assert Cost(1, 0.5) + Cost(1, None) == Cost(2, None)
    assert Cost(2, None).usd is None


# --- tables


def test_a_missing_table_is_said_as_such(bare_store: Store) -> None:
    settings = bare_store.settings
    for name, ask in (
        (settings.evaluations, lambda: evaluations.history(bare_store, "user-1")),
        (settings.evaluations, lambda: evaluations.history(bare_store, "user-1", by_scan=True)),
        (settings.flashcard_sets, lambda: flashcards.history(bare_store, "user-1")),
        (settings.evaluations, lambda: evaluations.get(bare_store, "eval-1", "user-1")),
        (settings.flashcard_sets, lambda: flashcards.find(bare_store, "set-1")),
        (settings.evaluations, lambda: evaluations.period(bare_store, START, START + SECOND)),
        (settings.evaluations, lambda: bare_store.facts(EVALUATIONS)),
    ):
        with pytest.raises(Failure) as caught:
            ask()
        assert caught.value.kind == "missing"
        assert caught.value.resource == name


def test_facts_tell_what_each_index_carries_and_are_asked_once(store: Store) -> None:
    asked: list[str] = []
    store.client.meta.events.register("before-call.dynamodb.DescribeTable", lambda model, **_: asked.append(model.name))
    facts = store.facts(EVALUATIONS)
    assert store.facts(EVALUATIONS) is facts
    assert len(asked) == 1
    assert facts.name == store.settings.evaluations
    by_student = facts.indexes[BY_STUDENT]
    assert by_student.status == "ACTIVE"
    assert by_student.attributes == set(EVALUATIONS.summary)
    assert set(facts.indexes) == {BY_STUDENT, BY_STATUS}
    store.forget()
    assert store.facts(EVALUATIONS) is not facts
    assert len(asked) == 2


def test_facts_of_an_index_with_everything_say_so(bare_store: Store) -> None:
    make(bare_store, FLASHCARD_SETS, EVERYTHING)
    assert bare_store.facts(FLASHCARD_SETS).indexes[BY_STUDENT].attributes is None


# --- the specification's own examples


def test_the_three_example_items_are_read_as_they_stand(store: Store) -> None:
    resource = boto3.Session(**engines.CREDENTIALS, region_name=engines.REGION).resource(
        "dynamodb", endpoint_url=store.client.meta.endpoint_url, config=client_config("http://127.0.0.1")
    )
    for record in SEED_EVALUATIONS:
        resource.Table(store.settings.evaluations).put_item(Item=record)
    resource.Table(store.settings.flashcard_sets).put_item(Item=SEED_SET)

    history = evaluations.history(store, "user-456").value
    assert set(history["evaluation_id"]) == {"eval-abc123", "speak-xyz789"}
    assert history["overall_band"].tolist() == [7.0, 7.0]
    assert history["created_at"].tolist() == [datetime(2024, 12, 8, 8, tzinfo=UTC)] * 2
    assert history["issues"].tolist() == [(), ()]

    writing = evaluations.get(store, "eval-abc123", "user-456").value
    assert writing is not None
    assert (writing.type, writing.bands["coherence_band"], writing.model_used) == (
        "writing",
        6.5,
        "gemini-writing_task2",
    )
    assert math.isnan(writing.bands["fluency_band"])
    # Its feedback is an abbreviation that cannot be read: shown as it is, and said.
    assert writing.unread == '{"strengths":[...],"weaknesses":[...]}'
    assert [issue.attribute for issue in writing.issues] == ["feedback"]

    speaking = evaluations.get(store, "speak-xyz789", "user-456").value
    assert speaking is not None
    assert (speaking.duration, speaking.word_count) == (120.5, 185)
    assert speaking.transcript == "Well, I'd like to talk about..."
    assert speaking.unknown == {}

    cards = flashcards.get(store, "flashcard-set-123", "user-456").value
    assert cards is not None
    assert [(card.front, card.back) for card in cards.cards] == [("What is...", "...")]
    assert (cards.total_cards, cards.page_count, cards.chunk_count) == (15, 8, 24)
    assert [issue.reason for issue in cards.issues] == ["says 15, but 1 can be read"]
    assert flashcards.history(store, "user-456").value["document_id"].tolist() == [
        "uploads/documents/user-456/vocab-guide.pdf"
    ]
