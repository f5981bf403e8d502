"""The arithmetic of bench/SCALE.md: its inputs measured on the benchmark's records, its rules on known cases."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from bench import scale
from bench.pages import item_bytes
from bench.support import dataset
from data.dynamodb.reads import Item
from data.records import evaluations
from data.schema import COMPLETED, EVALUATIONS, FLASHCARD_SETS, Table
from queries.packed import Packed

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@cache
def records() -> list[Item]:
    return list(dataset.evaluations(3_000, NOW))


@cache
def sets() -> list[Item]:
    return list(dataset.sets(3_000, NOW))


def entry(item: Item, table: Table) -> Item:
    """What an index holds of an item."""
    return {name: value for name, value in item.items() if name in table.summary}


def mean(sizes: list[int]) -> float:
    return sum(sizes) / len(sizes)


def test_the_sizes_are_those_of_the_records() -> None:
    assert mean([item_bytes(item) for item in records()]) == pytest.approx(scale.RECORD_BYTES, rel=0.1)
    entries = [entry(item, EVALUATIONS) for item in records()]
    assert mean([item_bytes(item) for item in entries]) == pytest.approx(scale.ENTRY_BYTES, rel=0.1)
    assert mean([item_bytes(item) for item in sets()]) == pytest.approx(scale.SET_BYTES, rel=0.1)
    assert mean([item_bytes(entry(item, FLASHCARD_SETS)) for item in sets()]) == pytest.approx(
        scale.SET_ENTRY_BYTES, rel=0.1
    )


def test_a_row_takes_as_much_memory_as_is_said() -> None:
    frame = evaluations.frame([entry(item, EVALUATIONS) for item in records()])
    assert Packed.of(frame).octets / len(frame) == pytest.approx(scale.ROW_BYTES, rel=0.1)


def test_the_records_are_of_realistic_size_and_the_same_each_time() -> None:
    feedback = [len(item["feedback"]["S"]) for item in records() if item["status"]["S"] == COMPLETED]
    transcripts = [len(item["transcript"]["S"]) for item in records() if "transcript" in item]
    assert 1_500 < mean(feedback) < 4_000
    assert 800 < mean(transcripts) < 3_000
    assert list(dataset.evaluations(3_000, NOW)) == records()


def test_the_student_under_test_is_the_same_at_every_size() -> None:
    def own(count: int) -> list[Item]:
        return [item for item in dataset.evaluations(count, NOW) if item["user_id"]["S"] == dataset.STUDENT]

    assert own(200) == own(3_000)
    assert len(own(200)) == scale.STUDENT_ENTRIES


def test_a_query_costs_by_size_and_a_page_is_a_megabyte() -> None:
    cost = scale.query("", 100_000, 224)
    assert cost.units == 2734.5  # 22.4 MB in steps of 4 KB, half a unit each
    assert cost.requests == 22
    assert cost.usd == pytest.approx(2734.5 * 0.125e-6)
    assert cost.seconds == pytest.approx(0.9115)
    assert scale.query("", 0, 224) == scale.PageCost("", 1, 0.5)


def test_what_a_key_leads_to_costs_the_same_at_every_size() -> None:
    small, large = scale.pages(1_000), scale.pages(100_000_000)
    assert small[:3] == large[:3]
    assert large[4].units > 1_000 * small[4].units


def test_the_indexes_writes() -> None:
    writes = scale.writes()
    assert writes.table == 1 + 3
    assert writes.by_student == 2
    assert writes.by_status == 1 + 2  # put; then delete under the old status and put under the new one
    assert writes.total == 9


def test_the_first_limit() -> None:
    year = 365 * 86_400
    assert scale.busiest(500 * year, peak=1) == 1_000
    assert scale.shards(scale.busiest(500 * year, peak=1)) == 1
    assert scale.shards(scale.busiest(500 * year, peak=2)) == 2


def test_athena_is_told_every_attribute_with_its_type() -> None:
    statement = scale.athena_table(EVALUATIONS, "s3://b/")
    for name, kind in EVALUATIONS.types.items():
        assert f"`{name}`:struct<`{kind}`:string>" in statement


def test_the_document_is_what_the_code_says() -> None:
    written = (Path(__file__).parents[2] / "bench/SCALE.md").read_text(encoding="utf-8")
    assert written == scale.document(), "run: python -m bench.scale > bench/SCALE.md"
