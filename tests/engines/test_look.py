"""The look before an index: what it would hide, and which writes it would have refused. On both engines."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from data.demo.engine import write
from data.dynamodb.client import Store
from data.provisioning.apply import apply
from data.provisioning.drift import Step, Target, index_step
from data.provisioning.plan import Look, look, plan
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS
from tests.support.accounts import QUICK, bare_request, record


def fill(store: Store, records: list[dict[str, Any]]) -> None:
    """A table without indexes that holds these records."""
    name = store.settings.evaluations
    request = bare_request(EVALUATIONS, name, BillingMode="PAY_PER_REQUEST")
    # An index on a provisioned table would need a capacity of its own; the plan switches the billing first.
    del request["ProvisionedThroughput"]
    store.client.create_table(**request)
    write(store.client, name, records)


def step(store: Store, index: str = BY_STUDENT) -> Step:
    return index_step(Target(EVALUATIONS, store.settings.evaluations), EVALUATIONS.index(index))


def good(count: int) -> list[dict[str, Any]]:
    return [record(EVALUATIONS, n) for n in range(count)]


def lacking(n: int, *attributes: str) -> dict[str, Any]:
    return {key: value for key, value in record(EVALUATIONS, n).items() if key not in attributes}


def test_a_clean_table_warns_of_nothing_and_the_look_is_metered(changeable: Store) -> None:
    fill(changeable, good(30))
    for index in (BY_STUDENT, BY_STATUS):
        seen = look(changeable, step(changeable, index))
        assert (seen.sampled, seen.whole, seen.warns) == (30, True, False)
        assert (seen.missing, seen.wrong, seen.examples) == ({}, {}, ())
        assert seen.index == index
        assert seen.cost.requests == 1
        assert seen.cost.read_units is not None
        assert 0.5 <= seen.cost.read_units <= 2


def test_an_empty_table_warns_of_nothing(changeable: Store) -> None:
    fill(changeable, [])
    seen = look(changeable, step(changeable))
    assert (seen.sampled, seen.whole, seen.warns) == (0, True, False)


def test_missing_and_wrong_key_attributes_are_counted_with_examples(changeable: Store) -> None:
    odd = [
        lacking(100, "created_at"),
        lacking(101, "created_at", "status"),
        record(EVALUATIONS, 102, created_at="2024-12-08T08:00:00Z"),
        record(EVALUATIONS, 103, created_at=None),
        record(EVALUATIONS, 104, status=1),
    ]
    fill(changeable, [*good(20), *odd])
    by_student: Look = look(changeable, step(changeable))
    assert by_student.sampled == 25
    assert by_student.missing == {"created_at": 2}
    assert by_student.wrong == {"created_at": 2}
    assert by_student.warns
    # Up to three, in the table's own order; each with its keys and what is odd.
    expected = {
        "id-0100 / user-2: no created_at",
        "id-0101 / user-3: no created_at",
        "id-0102 / user-4: created_at is of type S",
        "id-0103 / user-5: created_at is of type NULL",
    }
    assert len(by_student.examples) == 3
    assert set(by_student.examples) < expected
    by_status = look(changeable, step(changeable, BY_STATUS))
    assert by_status.missing == {"created_at": 2, "status": 1}
    assert by_status.wrong == {"created_at": 2, "status": 1}


def test_empty_strings_and_values_too_long_for_a_key_are_counted(changeable: Store) -> None:
    odd = [
        record(EVALUATIONS, 200, status=""),
        record(EVALUATIONS, 201, status="é" * 1_025),
        record(EVALUATIONS, 202, status="x" * 2_048),
    ]
    fill(changeable, [*good(3), *odd])
    seen = look(changeable, step(changeable, BY_STATUS))
    assert seen.refused == {"status": 2}
    assert (seen.missing, seen.wrong, seen.warns) == ({}, {}, True)
    assert set(seen.examples) == {
        "id-0200 / user-4: status is empty",
        "id-0201 / user-5: status has 2,050 bytes, more than 2,048",
    }
    # On the other index, they are no keys.
    assert not look(changeable, step(changeable)).warns


def test_the_look_is_bounded_and_says_so(changeable: Store) -> None:
    fill(changeable, good(600))
    seen = look(changeable, step(changeable), limit=300)
    assert (seen.sampled, seen.whole) == (300, False)
    assert seen.cost.requests == 2
    all_of_it = look(changeable, step(changeable), limit=10_000)
    assert (all_of_it.sampled, all_of_it.whole) == (600, True)
    assert all_of_it.cost.read_units is not None
    assert seen.cost.read_units is not None
    assert all_of_it.cost.read_units > seen.cost.read_units > 0


def test_exactly_the_limit_is_not_taken_for_the_whole_unless_it_is(changeable: Store) -> None:
    fill(changeable, good(20))
    seen = look(changeable, step(changeable), limit=20)
    assert seen.sampled == 20
    assert look(changeable, step(changeable), limit=21).whole


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("created_at", {"S": "2024-12-08"}),
        ("status", {"N": "1"}),
        ("created_at", {"NULL": True}),
        ("status", {"S": ""}),
        # One that is too long is refused by AWS and DynamoDB Local, but not by dynoxide.
    ],
)
def test_once_the_index_is_there_such_writes_are_refused_as_the_warning_says(
    changeable: Store, attribute: str, value: Any
) -> None:
    fill(changeable, [*good(3), lacking(9, "created_at")])
    name = changeable.settings.evaluations
    item: Any = {"evaluation_id": {"S": "new"}, "user_id": {"S": "u"}, attribute: value}
    changeable.client.put_item(TableName=name, Item=item)
    changeable.client.delete_item(TableName=name, Key={k: item[k] for k in EVALUATIONS.key_names})
    chosen = [s for s in plan(changeable, [Target(EVALUATIONS, name)]).steps if s.action == "index"]
    events = list(apply(changeable, chosen, who="test", clock=QUICK))
    assert [event.state for event in events if event.state not in ("running", "waiting")] == ["done", "done"]
    with pytest.raises(ClientError) as caught:
        changeable.client.put_item(TableName=name, Item=item)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    # What lacks a key is still accepted, and not in the index.
    changeable.client.put_item(TableName=name, Item={"evaluation_id": {"S": "bare"}, "user_id": {"S": "user-0"}})
    answer = changeable.client.query(
        TableName=name,
        IndexName=BY_STUDENT,
        KeyConditionExpression="user_id = :u",
        ExpressionAttributeValues={":u": {"S": "user-0"}},
    )["Items"]
    assert [item["evaluation_id"]["S"] for item in answer] == ["id-0000"]
