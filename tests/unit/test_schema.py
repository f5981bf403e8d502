"""data/schema.py against the product's DynamoDB setup document, whose facts are written out here."""

import pytest

from data import schema
from data.demo.sample import SEED_EVALUATIONS, SEED_SET
from data.schema import EVALUATIONS, FLASHCARD_SETS, Index, Table

# The document's two tables of attributes, in its order.
DOCUMENT_EVALUATIONS = [
    # attribute, type, "Writing only"/"Speaking only"
    ("evaluation_id", "S", None),
    ("user_id", "S", None),
    ("evaluation_type", "S", None),
    ("status", "S", None),
    ("overall_band", "S", None),
    ("task_achievement_band", "S", "writing"),
    ("coherence_band", "S", "writing"),
    ("lexical_band", "S", None),
    ("grammar_band", "S", None),
    ("fluency_band", "S", "speaking"),
    ("pronunciation_band", "S", "speaking"),
    ("transcript", "S", "speaking"),
    ("feedback", "S", None),
    ("model_used", "S", None),
    ("created_at", "N", None),
]
# In the example of a speaking evaluation only.
EXAMPLE_ONLY = [("duration", "S", "speaking"), ("word_count", "N", "speaking")]
DOCUMENT_SETS = [
    ("set_id", "S", None),
    ("user_id", "S", None),
    ("document_id", "S", None),
    ("status", "S", None),
    ("flashcards", "S", None),
    ("total_cards", "N", None),
    ("page_count", "N", None),
    ("chunk_count", "N", None),
    ("created_at", "N", None),
]
INDEXES = [(table, index) for table in schema.TABLES for index in table.indexes]
INDEX_IDS = [f"{table.default_name}/{index.name}" for table, index in INDEXES]


@pytest.mark.parametrize(
    ("table", "attributes"),
    [(EVALUATIONS, DOCUMENT_EVALUATIONS + EXAMPLE_ONLY), (FLASHCARD_SETS, DOCUMENT_SETS)],
    ids=["evaluations", "flashcard sets"],
)
def test_the_attributes_are_those_of_the_document(table: Table, attributes: list[tuple[str, str, str | None]]) -> None:
    assert [(a.name, a.type, a.only) for a in table.attributes] == attributes
    assert table.types == {name: kind for name, kind, _ in attributes}
    assert all(a.description for a in table.attributes)


@pytest.mark.parametrize(
    ("table", "name", "keys", "variable"),
    [
        (EVALUATIONS, "bandup-evaluations", ("evaluation_id", "user_id"), "DYNAMODB_EVALUATIONS"),
        (FLASHCARD_SETS, "bandup-flashcard-sets", ("set_id", "user_id"), "DYNAMODB_FLASHCARD_SETS"),
    ],
    ids=["evaluations", "flashcard sets"],
)
def test_names_keys_billing_tags_and_variables_are_those_of_the_document(
    table: Table, name: str, keys: tuple[str, str], variable: str
) -> None:
    assert table.default_name == name
    assert table.key_names == keys
    assert table.variable == variable
    assert table.billing_mode == "PAY_PER_REQUEST"
    assert table.tags == {"Project": "bandup", "Environment": "production"}


def test_there_are_two_tables() -> None:
    assert schema.TABLES == (EVALUATIONS, FLASHCARD_SETS)


def test_types_and_statuses_are_those_of_the_document() -> None:
    assert schema.TYPES == ("writing", "speaking")
    assert schema.STATUSES == ("processing", "completed", "failed")


def test_each_type_has_the_criteria_that_the_document_gives_it() -> None:
    assert set(schema.CRITERIA) == {"writing", "speaking"}
    assert list(schema.CRITERIA["writing"]) == [
        "task_achievement_band",
        "coherence_band",
        "lexical_band",
        "grammar_band",
    ]
    assert list(schema.CRITERIA["speaking"]) == [
        "fluency_band",
        "lexical_band",
        "grammar_band",
        "pronunciation_band",
    ]
    only = {a.name: a.only for a in EVALUATIONS.attributes}
    for kind, criteria in schema.CRITERIA.items():
        assert all(only[criterion] in (None, kind) for criterion in criteria)
    assert set(schema.BANDS) == {name for name, _, _ in DOCUMENT_EVALUATIONS if name.endswith("_band")}
    assert schema.BANDS[0] == "overall_band"


@pytest.mark.parametrize(("table", "index"), INDEXES, ids=INDEX_IDS)
def test_an_index_carries_at_most_twenty_attributes_and_no_long_text(table: Table, index: Index) -> None:
    # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Projection.html
    assert 0 < len(index.attributes) <= 20
    assert not {"transcript", "feedback", "flashcards"} & set(index.attributes)
    assert len(set(index.attributes)) == len(index.attributes)
    assert set(index.attributes) <= set(table.types)
    # Keys are carried anyway; DynamoDB refuses to be told so.
    assert not {*table.key_names, index.partition_key, index.sort_key} & set(index.attributes)


@pytest.mark.parametrize(("table", "index"), INDEXES, ids=INDEX_IDS)
def test_every_index_carries_the_same_summary(table: Table, index: Index) -> None:
    carried = {*table.key_names, index.partition_key, index.sort_key, *index.attributes}
    assert carried == set(table.summary)


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda table: table.default_name)
def test_both_tables_have_both_indexes_by_time(table: Table) -> None:
    assert {(i.name, i.partition_key, i.sort_key) for i in table.indexes} == {
        ("user_id-created_at-index", "user_id", "created_at"),  # the document's own name
        ("status-created_at-index", "status", "created_at"),
    }
    assert table.index("user_id-created_at-index").partition_key == "user_id"
    with pytest.raises(KeyError):
        table.index("nothing-index")


def test_the_indexes_of_a_table_stay_below_a_hundred_attributes_together() -> None:
    for table in schema.TABLES:
        assert sum(len(index.attributes) for index in table.indexes) <= 100


def test_the_sample_holds_the_documents_three_example_items() -> None:
    writing, speaking = SEED_EVALUATIONS
    assert writing == {
        "evaluation_id": "eval-abc123",
        "user_id": "user-456",
        "evaluation_type": "writing",
        "status": "completed",
        "overall_band": "7.0",
        "task_achievement_band": "7.0",
        "coherence_band": "6.5",
        "lexical_band": "7.0",
        "grammar_band": "6.5",
        "feedback": '{"strengths":[...],"weaknesses":[...]}',
        "model_used": "gemini-writing_task2",
        "created_at": 1733644800,
    }
    assert speaking == {
        "evaluation_id": "speak-xyz789",
        "user_id": "user-456",
        "evaluation_type": "speaking",
        "status": "completed",
        "overall_band": "7.0",
        "fluency_band": "7.0",
        "lexical_band": "6.5",
        "grammar_band": "7.0",
        "pronunciation_band": "6.5",
        "transcript": "Well, I'd like to talk about...",
        "duration": "120.5",
        "word_count": 185,
        "feedback": '{"fluency":{...},"pronunciation":{...}}',
        "model_used": "gemini-2.5-flash-audio",
        "created_at": 1733644800,
    }
    assert SEED_SET == {
        "set_id": "flashcard-set-123",
        "user_id": "user-456",
        "document_id": "uploads/documents/user-456/vocab-guide.pdf",
        "status": "completed",
        "flashcards": '[{"question":"What is...","answer":"..."}]',
        "total_cards": 15,
        "page_count": 8,
        "chunk_count": 24,
        "created_at": 1733644800,
    }
    for record in SEED_EVALUATIONS:
        assert set(record) <= set(EVALUATIONS.types)
    assert set(SEED_SET) == set(FLASHCARD_SETS.types)
