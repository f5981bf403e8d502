"""Records put into an engine, and what reading them asks of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import boto3

from data.demo.engine import write
from data.dynamodb.client import Store, client_config
from data.schema import BY_STATUS, BY_STUDENT, Table
from tests.support import engines

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}


Record = dict[str, Any]


def attempt(n: int, **changes: Any) -> Record:
    """The n-th evaluation of one student, a minute after the one before."""
    return {
        "evaluation_id": f"eval-{n:04d}",
        "user_id": "user-1",
        "evaluation_type": "writing",
        "status": "completed",
        "overall_band": f"{4 + n % 10 / 2:.1f}",
        "task_achievement_band": "6.0",
        "coherence_band": "6.5",
        "lexical_band": "7.0",
        "grammar_band": "5.5",
        "feedback": '{"strengths": ["Clear."]}',
        "model_used": "gemini-writing_task2",
        "created_at": int(START.timestamp()) + 60 * n,
        **changes,
    }


def deck(n: int, **changes: Any) -> Record:
    """The n-th flashcard set of one student."""
    return {
        "set_id": f"set-{n:04d}",
        "user_id": "user-1",
        "document_id": f"uploads/{n}.pdf",
        "status": "completed",
        "flashcards": '[{"question": "One?", "answer": "1"}]',
        "total_cards": 1,
        "page_count": 3,
        "chunk_count": 5,
        "created_at": int(START.timestamp()) + 60 * n,
        **changes,
    }


def put(store: Store, table: Table, records: list[Record]) -> None:
    write(store.client, store.settings.name(table), records)


def make(store: Store, table: Table, projection: dict[str, Any] | None) -> None:
    """Create the table with that projection on both indexes; without indexes when it is None."""
    types = {table.partition_key: "S", table.sort_key: "S"}
    request: dict[str, Any] = {}
    if projection:
        types |= {"status": "S", "created_at": "N"}
        request["GlobalSecondaryIndexes"] = [
            {"IndexName": name, "KeySchema": schema(key, "created_at"), "Projection": projection}
            for name, key in ((BY_STUDENT, "user_id"), (BY_STATUS, "status"))
        ]
    store.client.create_table(
        TableName=store.settings.name(table),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()],  # type: ignore[typeddict-item]
        KeySchema=schema(*table.key_names),
        BillingMode="PAY_PER_REQUEST",
        **request,
    )


def schema(partition_key: str, sort_key: str) -> Any:
    return [
        {"AttributeName": partition_key, "KeyType": "HASH"},
        {"AttributeName": sort_key, "KeyType": "RANGE"},
    ]


@contextmanager
def calls(store: Store) -> Iterator[list[str]]:
    """The operations that really go to the engine, but for DescribeTable, which costs nothing and is kept."""
    sent: list[str] = []

    def note(model: Any, **_: Any) -> None:
        if model.name != "DescribeTable":
            sent.append(model.name)

    store.client.meta.events.register("before-call.dynamodb", note)
    yield sent
    store.client.meta.events.unregister("before-call.dynamodb", note)


def raw_client(store: Store) -> Any:
    """A client that shares nothing with the store but the engine."""
    return boto3.Session(**engines.CREDENTIALS, region_name=engines.REGION).client(
        "dynamodb", endpoint_url=store.client.meta.endpoint_url, config=client_config("http://127.0.0.1")
    )
