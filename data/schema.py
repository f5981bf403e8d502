"""Both tables as declared: keys, attributes, indexes, tags, billing, and what each evaluation type carries.

This is the specification (the product's DynamoDB setup document) as code; parsing, reading, provisioning and
the pages derive from it. Where this module goes beyond the document, the line says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

KeyType: TypeAlias = Literal["S", "N"]

WRITING = "writing"
SPEAKING = "speaking"

PROCESSING = "processing"
COMPLETED = "completed"
FAILED = "failed"
STATUSES = (PROCESSING, COMPLETED, FAILED)

OVERALL = "overall_band"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One declared attribute. `only` names the evaluation type that alone carries it, None means all items."""

    name: str
    type: KeyType
    description: str
    only: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index with an INCLUDE projection of `attributes` (at most 20, no long texts)."""

    name: str
    partition_key: str
    sort_key: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One table; there are just the two below, so each is equal to itself alone.

    `variable` is the environment variable that names it, for the Lambdas and for us.
    """

    variable: str
    default_name: str
    partition_key: str
    sort_key: str
    attributes: tuple[Attribute, ...]
    indexes: tuple[Index, ...]
    billing_mode: Literal["PAY_PER_REQUEST"]
    tags: Mapping[str, str]

    @property
    @cache  # noqa: B019 - both tables live as long as the program
    def types(self) -> dict[str, KeyType]:
        """Declared DynamoDB type of each attribute."""
        return {attribute.name: attribute.type for attribute in self.attributes}

    @property
    def key_names(self) -> tuple[str, str]:
        """Partition key, sort key."""
        return self.partition_key, self.sort_key

    @property
    def summary(self) -> tuple[str, ...]:
        """What every index carries: enough for a row of any list, none of the long texts."""
        carried = {*self.key_names}
        for index in self.indexes:
            carried |= {index.partition_key, index.sort_key, *index.attributes}
        return tuple(a.name for a in self.attributes if a.name in carried)

    def index(self, name: str) -> Index:
        """The declared index of that name; KeyError when there is none."""
        return {index.name: index for index in self.indexes}[name]


# The document uses the first index in a query ("If GSI exists") and its second query needs it too: `user_id` is
# the tables' sort key, and DynamoDB refuses a Query without the partition key. The second index is ours.
BY_STUDENT = "user_id-created_at-index"
BY_STATUS = "status-created_at-index"

TAGS: Mapping[str, str] = {"Project": "bandup", "Environment": "production"}

# The document turns PITR on without naming a period; this is DynamoDB's default and maximum.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PointInTimeRecoverySpecification.html
PITR_DAYS = 35

# criterion attribute -> name of the criterion; https://ielts.org/take-a-test/your-results
WRITING_CRITERIA = {
    "task_achievement_band": "Task achievement",
    "coherence_band": "Coherence and cohesion",
    "lexical_band": "Lexical resource",
    "grammar_band": "Grammatical range and accuracy",
}
SPEAKING_CRITERIA = {
    "fluency_band": "Fluency and coherence",
    "lexical_band": "Lexical resource",
    "grammar_band": "Grammatical range and accuracy",
    "pronunciation_band": "Pronunciation",
}
CRITERIA: Mapping[str, Mapping[str, str]] = {WRITING: WRITING_CRITERIA, SPEAKING: SPEAKING_CRITERIA}
TYPES = tuple(CRITERIA)
CRITERION_NAMES: Mapping[str, str] = {band: name for criteria in CRITERIA.values() for band, name in criteria.items()}
BANDS = (OVERALL, *CRITERION_NAMES)


def _criterion(band: str) -> Attribute:
    types = [kind for kind in TYPES if band in CRITERIA[kind]]
    return Attribute(band, "S", CRITERION_NAMES[band], types[0] if len(types) == 1 else None)


_EVALUATION_SUMMARY = ("evaluation_type", *BANDS, "model_used", "duration", "word_count")
_SET_SUMMARY = ("document_id", "total_cards", "page_count", "chunk_count")

EVALUATIONS = Table(
    variable="DYNAMODB_EVALUATIONS",
    default_name="bandup-evaluations",
    partition_key="evaluation_id",
    sort_key="user_id",
    attributes=(
        Attribute("evaluation_id", "S", "Unique session ID"),
        Attribute("user_id", "S", "User identifier"),
        Attribute("evaluation_type", "S", " or ".join(TYPES)),
        Attribute("status", "S", "processing, completed, failed"),
        Attribute(OVERALL, "S", "Overall IELTS band score, such as 7.0"),
        *map(_criterion, CRITERION_NAMES),
        Attribute("transcript", "S", "Transcribed audio", SPEAKING),
        Attribute("feedback", "S", "JSON-encoded detailed feedback"),
        Attribute("model_used", "S", "AI model used for evaluation"),
        Attribute("created_at", "N", "Unix timestamp, in seconds"),
        # Only in the document's example item, not in its table of attributes:
        Attribute("duration", "S", "Length of the recording in seconds", SPEAKING),
        Attribute("word_count", "N", "Words in the transcript", SPEAKING),
    ),
    indexes=(
        Index(BY_STUDENT, "user_id", "created_at", ("status", *_EVALUATION_SUMMARY)),
        Index(BY_STATUS, "status", "created_at", _EVALUATION_SUMMARY),
    ),
    billing_mode="PAY_PER_REQUEST",
    tags=TAGS,
)

FLASHCARD_SETS = Table(
    variable="DYNAMODB_FLASHCARD_SETS",
    default_name="bandup-flashcard-sets",
    partition_key="set_id",
    sort_key="user_id",
    attributes=(
        Attribute("set_id", "S", "Unique flashcard set ID"),
        Attribute("user_id", "S", "User identifier"),
        Attribute("document_id", "S", "Source document S3 key"),
        Attribute("status", "S", "processing, completed, failed"),
        Attribute("flashcards", "S", "JSON-encoded array of flashcards"),
        Attribute("total_cards", "N", "Number of flashcards generated"),
        Attribute("page_count", "N", "Number of pages in source PDF"),
        Attribute("chunk_count", "N", "Number of text chunks indexed"),
        Attribute("created_at", "N", "Unix timestamp, in seconds"),
    ),
    indexes=(
        Index(BY_STUDENT, "user_id", "created_at", ("status", *_SET_SUMMARY)),
        Index(BY_STATUS, "status", "created_at", _SET_SUMMARY),
    ),
    billing_mode="PAY_PER_REQUEST",
    tags=TAGS,
)

TABLES = (EVALUATIONS, FLASHCARD_SETS)


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function that writes into `table`; `variable` is what names it for us (the document names none).

    `evaluation_type` is the one that it judges, None for one that judges nothing.
    """

    label: str
    variable: str
    default_name: str
    table: Table
    evaluation_type: str | None = None


FUNCTIONS = (
    Function("Writing evaluator", "BANDUP_WRITING_FUNCTION", "bandup-writing-evaluator", EVALUATIONS, WRITING),
    Function("Speaking evaluator", "BANDUP_SPEAKING_FUNCTION", "bandup-speaking-evaluator", EVALUATIONS, SPEAKING),
    Function("Flashcard generator", "BANDUP_FLASHCARD_FUNCTION", "bandup-flashcard-generator", FLASHCARD_SETS),
)

# What one partition of a table or index takes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
# bp-partition-key-design.html. All records of one status are in one of the index by status.
PARTITION_WRITE_UNITS = 1_000

# What the document's policy lets the Lambdas do on both tables.
LAMBDA_ACTIONS = ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:Query")
