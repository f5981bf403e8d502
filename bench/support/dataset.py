"""Records of realistic size for the benchmark, reproducible by seed, as DynamoDB holds them; and how they get there."""

import json
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import boto3
from botocore.config import Config

from data.demo import texts
from data.dynamodb.reads import Item
from data.provisioning.requests import create
from data.schema import (
    COMPLETED,
    CRITERIA,
    EVALUATIONS,
    FAILED,
    FLASHCARD_SETS,
    OVERALL,
    PROCESSING,
    SPEAKING,
    WRITING,
    Table,
)
from data.settings import Settings
from tests.support.engines import CREDENTIALS, REGION

STUDENT = "student-under-test"
STUDENT_EVALUATIONS = 60
STUDENT_SETS = 6
EVALUATION = "eval-under-test"
SET = "set-under-test"

_PER_STUDENT = 40  # evaluations in a year, as in the demo
_SETS_PER_EVALUATIONS = 10
_DAYS = 365
_BATCH = 25  # items that one BatchWriteItem takes
_THREADS = 4
_MODELS = {
    WRITING: ("gemini-writing_task2", "gemini-writing_task1", "gemini-2.5-pro-writing_task2"),
    SPEAKING: ("gemini-2.5-flash-audio", "gemini-3.0-flash-audio"),
}
_SENTENCES = [sentence for spoken in texts.SPEAKING_TOPICS.values() for sentence in spoken]
_REMARKS = [
    remark
    for by_criterion in (texts.STRENGTHS, texts.WEAKNESSES, texts.COMMENTS)
    for levels in by_criterion.values()
    for level in levels
    for remark in level
]
_CARDS = [card for deck in texts.DECKS.values() for card in deck]


def evaluations(count: int, now: datetime, seed: int = 456, days: int = _DAYS, *, whole: bool = True) -> Iterator[Item]:
    """`count` evaluations over so many days up to `now`; those that are not `whole` have none of the long texts.

    60 are of the student under test, the same ones whatever the count.
    """
    own = random.Random(seed)
    for n in range(STUDENT_EVALUATIONS):
        when = now - timedelta(days=n * days / STUDENT_EVALUATIONS, minutes=30)
        kind = SPEAKING if n % 2 else WRITING
        name = EVALUATION if n == 1 else f"own-{n:03d}"
        yield evaluation(own, name, STUDENT, kind, COMPLETED, when, whole=whole)
    rng = random.Random(seed + 1)
    students = max(1, count // _PER_STUDENT)
    for n in range(count - STUDENT_EVALUATIONS):
        when = now - timedelta(days=rng.random() * days)
        status = COMPLETED if rng.random() < 0.97 else FAILED
        if n % 2_000 == 7:
            # Waiting or stuck; all but one in so many are older than any period that a page shows first.
            status = PROCESSING
        kind = WRITING if rng.random() < 0.55 else SPEAKING
        yield evaluation(rng, f"eval-{n:08d}", f"user-{rng.randrange(students):06d}", kind, status, when, whole=whole)


def sets(count: int, now: datetime, seed: int = 456) -> Iterator[Item]:
    """Flashcard sets beside `count` evaluations: a tenth as many, six of them of the student under test."""
    own = random.Random(seed + 2)
    for n in range(STUDENT_SETS):
        yield _set(own, SET if n == 1 else f"own-{n:03d}", STUDENT, now - timedelta(days=n * 50, minutes=10))
    rng = random.Random(seed + 3)
    students = max(1, count // _PER_STUDENT)
    for n in range(count // _SETS_PER_EVALUATIONS - STUDENT_SETS):
        when = now - timedelta(days=rng.random() * _DAYS)
        yield _set(rng, f"set-{n:08d}", f"user-{rng.randrange(students):06d}", when)


def load(
    endpoint: str, settings: Settings, count: int, now: datetime, days: int = _DAYS, *, whole: bool = True
) -> None:
    """Create both tables as declared on the engine at `endpoint` and fill them: evaluations over so many days.

    Evaluations that are not `whole` have none of the long texts, which no list shows.
    """
    client = open_client(endpoint)
    pairs: tuple[tuple[Table, Iterator[Item]], ...] = (
        (EVALUATIONS, evaluations(count, now, days=days, whole=whole)),
        (FLASHCARD_SETS, sets(count, now)),
    )
    for table, items in pairs:
        name = settings.name(table)
        create(client, table, name)
        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(lambda batch, name=name: _write(client, name, batch), _batches(items)):  # type: ignore[misc]
                pass


def open_client(endpoint: str) -> Any:
    """A client that writes such records."""
    # The generator's own records need no check, and checking 100,000 of them takes longer than writing them.
    config = Config(parameter_validation=False, max_pool_connections=_THREADS, read_timeout=120)
    return boto3.Session(**CREDENTIALS, region_name=REGION).client("dynamodb", endpoint_url=endpoint, config=config)


def _write(client: Any, name: str, batch: list[Item]) -> None:
    requests = {name: [{"PutRequest": {"Item": item}} for item in batch]}
    while requests:
        requests = client.batch_write_item(RequestItems=requests).get("UnprocessedItems")


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, _BATCH)):
        yield batch


def evaluation(
    rng: random.Random, name: str, user_id: str, kind: str, status: str, when: datetime, *, whole: bool = True
) -> Item:
    """One evaluation as the Lambdas write it."""
    item: Item = {
        "evaluation_id": {"S": name},
        "user_id": {"S": user_id},
        "evaluation_type": {"S": kind},
        "status": {"S": status},
        "created_at": {"N": str(int(when.timestamp()))},
    }
    if status == PROCESSING:
        return item
    item["model_used"] = {"S": rng.choice(_MODELS[kind])}
    if status == FAILED:
        return {**item, "error_message": {"S": _say(rng, rng.choice(texts.ERRORS)[0])}}
    halves = {criterion: rng.randint(9, 16) for criterion in CRITERIA[kind]}
    item |= {criterion: {"S": f"{half / 2:.1f}"} for criterion, half in halves.items()}
    item[OVERALL] = {"S": f"{(sum(halves.values()) + 2) // 4 / 2:.1f}"}
    if not whole:
        words = rng.randint(200, 400)
        return item | (
            {"word_count": {"N": str(words)}, "duration": {"S": f"{words / 2.1:.1f}"}} if kind == SPEAKING else {}
        )
    item["feedback"] = {"S": _feedback(rng, halves)}
    if kind == SPEAKING:
        transcript = " ".join(_say(rng, rng.choice(_SENTENCES)) + "." for _ in range(18))
        words = len(transcript.split())
        item |= {
            "transcript": {"S": transcript},
            "word_count": {"N": str(words)},
            "duration": {"S": f"{words / 2.1:.1f}"},
        }
    return item


def _feedback(rng: random.Random, halves: dict[str, int]) -> str:
    """About 2.5 KB: a paragraph per criterion, and lists."""
    sections = {
        criterion: {"band": f"{half / 2:.1f}", "comment": " ".join(_say(rng, rng.choice(_REMARKS)) for _ in range(4))}
        for criterion, half in halves.items()
    }
    lists = {
        part: [_say(rng, rng.choice(_REMARKS)) for _ in range(4)] for part in ("strengths", "weaknesses", "suggestions")
    }
    return json.dumps({**sections, **lists}, ensure_ascii=False)


def _set(rng: random.Random, name: str, user_id: str, when: datetime) -> Item:
    cards = [rng.choice(_CARDS) for _ in range(rng.randint(10, 25))]
    return {
        "set_id": {"S": name},
        "user_id": {"S": user_id},
        "document_id": {"S": f"uploads/documents/{user_id}/{rng.choice(list(texts.DECKS))}"},
        "status": {"S": COMPLETED},
        "flashcards": {"S": json.dumps([{"question": q, "answer": a} for q, a in cards], ensure_ascii=False)},
        "total_cards": {"N": str(len(cards))},
        "page_count": {"N": str(rng.randint(2, 14))},
        "chunk_count": {"N": str(rng.randint(6, 40))},
        "created_at": {"N": str(int(when.timestamp()))},
    }


def _say(rng: random.Random, template: str) -> str:
    return template.format(
        topic=rng.choice(texts.WRITING_TOPICS),
        word=rng.choice(texts.OVERUSED),
        link=rng.choice(texts.OVERUSED_LINKS),
        filler=rng.choice(texts.OVERUSED_FILLERS),
        place=rng.choice(texts.PLACES),
        city=rng.choice(texts.CITIES),
        relative=rng.choice(texts.RELATIVES),
        subject=rng.choice(texts.SUBJECTS),
        hours=rng.randint(2, 9),
        age=rng.randint(8, 20),
        model="gemini-2.5-flash",
        n=rng.randint(1, 99),
        id=f"{rng.getrandbits(48):012x}",
        user="user",
    )
