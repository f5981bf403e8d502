"""What the dashboard costs past this machine, on paper: `python -m bench.scale > bench/SCALE.md` writes it out.

Every input is cited, or measured on the benchmark's records by a test.
"""

import math
import sys
import textwrap
from dataclasses import dataclass
from datetime import timedelta

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.scale")

from data.dynamodb.cost import USD_PER_READ_UNIT
from data.records.periods import CAP, SETTLED
from data.schema import BY_STATUS, BY_STUDENT, EVALUATIONS, Table

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
READ_BYTES = 4096  # half a unit each, eventually consistent
WRITE_BYTES = 1024  # one unit each
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
PAGE_BYTES = 1_048_576
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
PARTITION_READS = 3_000  # read units a second
PARTITION_WRITES = 1_000  # write units a second
# https://aws.amazon.com/dynamodb/pricing/on-demand/, us-east-1, November 2024
USD_PER_WRITE_UNIT = 0.625e-6
USD_PER_GB_MONTH = 0.25
USD_PER_PITR_GB_MONTH = 0.20
USD_PER_EXPORT_GB = 0.10
# https://aws.amazon.com/athena/pricing/
USD_PER_ATHENA_GB = 5 / 1000

# The benchmark's records (bench/support/dataset.py), as DynamoDB counts them; tests/test_scale.py measures these.
RECORD_BYTES = 2_650  # a whole evaluation, with feedback and transcript
ENTRY_BYTES = 224  # what an index holds of it
INDEX_OVERHEAD = 100  # what DynamoDB adds to the storage of an item and of an index entry
STUDENT_ENTRIES = 60
STUDENT_SETS = 6
SET_ENTRY_BYTES = 167
SET_BYTES = 2_050
ROW_BYTES = 45  # a row as a window keeps it
SETS_SHARE = 0.1  # flashcard sets for each evaluation

SIZES = (100_000, 1_000_000, 100_000_000)


@dataclass(frozen=True, slots=True)
class PageCost:
    """What one view of a page reads. `seconds` is the least that the limits of one index partition allow."""

    page: str
    requests: int
    units: float

    @property
    def usd(self) -> float:
        """At the on-demand price."""
        return self.units * USD_PER_READ_UNIT

    @property
    def seconds(self) -> float:
        """As long as a partition takes to give that many units."""
        return self.units / PARTITION_READS


def units(size: float) -> float:
    """Read units of one request that goes over `size` bytes.

    >>> units(100), units(4096), units(4097), units(1_048_576)
    (0.5, 0.5, 1.0, 128.0)
    """
    return 0.5 * max(1, math.ceil(size / READ_BYTES))


def query(page: str, entries: float, entry_bytes: int) -> PageCost:
    """A Query over so many index entries, followed to its end."""
    size = entries * entry_bytes
    return PageCost(page, max(1, math.ceil(size / PAGE_BYTES)), units(size))


def pages(evaluations: int) -> tuple[PageCost, ...]:
    """Every page at so many evaluations a year, evenly spread; one year is kept."""

    def period(name: str, days: float) -> PageCost:
        return query(name, evaluations * days / 365, ENTRY_BYTES)

    def with_sets(name: str, days: int) -> PageCost:
        own = period(name, days)
        sets = query(name, evaluations * SETS_SHARE * days / 365, SET_ENTRY_BYTES)
        return PageCost(name, own.requests + sets.requests, own.units + sets.units)

    history = query("", STUDENT_ENTRIES, ENTRY_BYTES)
    sets = query("", STUDENT_SETS, SET_ENTRY_BYTES)
    return (
        PageCost("Student", 2, history.units + sets.units),
        PageCost("Evaluation", 2, units(RECORD_BYTES) + history.units),
        PageCost("Flashcards, one set", 1, units(SET_BYTES)),
        period("Students, 30 days", 30),
        period("Students, 12 months", 365),
        period("Students, a second visit", SETTLED / timedelta(days=1)),
        with_sets("Jobs, 7 days and the 7 before", 14),
        with_sets("Data quality, 30 days", 30),
    )


def write_units(size: float) -> int:
    """Write units of an item or index entry of `size` bytes.

    >>> write_units(100), write_units(1024), write_units(2650)
    (1, 1, 3)
    """
    return max(1, math.ceil(size / WRITE_BYTES))


@dataclass(frozen=True, slots=True)
class Writes:
    """Write units of one evaluation's life: created as processing, then updated to completed."""

    table: int
    by_student: int
    by_status: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.table + self.by_student + self.by_status


def writes() -> Writes:
    """What an evaluation costs to write, and what the two indexes add.

    An index writes an entry when it appears (1), changes in place (1), or when its key changes: delete and put (2).
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
    """
    entry = write_units(ENTRY_BYTES)
    return Writes(
        table=write_units(ENTRY_BYTES) + write_units(RECORD_BYTES),
        by_student=entry + entry,
        by_status=entry + 2 * entry,
    )


def busiest(evaluations: int, peak: float = 10) -> float:
    """Writes a second to one key of the status index, at `peak` times the average of a year.

    What is finished leaves “processing” and enters “completed”: each of these keys takes at most two writes.
    """
    return evaluations / (365 * 86_400) * peak * 2


def shards(writes_per_second: float) -> int:
    """Into how many keys a status must be split, so that none takes more than a partition does.

    >>> shards(63), shards(1_000), shards(25_000)
    (1, 1, 25)
    """
    return max(1, math.ceil(writes_per_second / PARTITION_WRITES))


def athena_table(table: Table, location: str) -> str:
    """The statement that makes Athena read PITR's export of a table."""
    columns = ",\n".join(f"    `{a.name}`: struct<`{a.type}`:string>" for a in table.attributes)
    name = table.default_name.replace("-", "_")
    return (
        f"CREATE EXTERNAL TABLE {name} (\n  item struct<\n{columns}\n  >\n)\n"
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'\n"
        "WITH SERDEPROPERTIES ('case.insensitive' = 'true')\n"
        f"LOCATION '{location}';"
    ).replace("`: struct", "`:struct")


def export_usd(evaluations: int) -> tuple[float, float]:
    """US$ of one export of the evaluations, and of one Athena query over all of it."""
    size = evaluations * RECORD_BYTES / 1e9
    return size * USD_PER_EXPORT_GB, size * USD_PER_ATHENA_GB


def storage_usd(evaluations: int) -> tuple[float, float]:
    """US$ a month that the table takes, and that its two indexes add."""
    table = evaluations * (RECORD_BYTES + INDEX_OVERHEAD) / 1e9 * (USD_PER_GB_MONTH + USD_PER_PITR_GB_MONTH)
    indexes = 2 * evaluations * (ENTRY_BYTES + INDEX_OVERHEAD) / 1e9 * USD_PER_GB_MONTH
    return table, indexes


def document() -> str:
    """SCALE.md."""
    return "\n".join([*_read_part(), *_write_part(), *_beyond_part()])


def _read_part() -> list[str]:
    lines = [
        "# Past this machine",
        "",
        _prose(
            f"""
            Written by `python -m bench.scale`, whose inputs are cited in `bench/scale.py`. The number is
            evaluations in a year, evenly spread. Units and US$ are those of one view that nobody shared
            (the dashboard keeps what it read for all visitors). The time is the least that one partition
            of the index allows, which gives {PARTITION_READS:,} units a second: about 23 pages of 1 MB.
            Networks and parsing come on top.
            """
        ),
        "",
    ]
    for count in SIZES:
        lines += [
            f"## Reading, at {count:,} evaluations a year",
            "",
            "| page | requests | read units | US$ | at least |",
            "|---|---|---|---|---|",
            *(
                f"| {cost.page} | {cost.requests:,} | {cost.units:,.1f} | {cost.usd:.7f} | {_time(cost.seconds)} |"
                for cost in pages(count)
            ),
            "",
        ]
    largest = units(CAP * ENTRY_BYTES)
    lines += [
        _prose(
            f"""
            Student, Evaluation and Flashcards cost the same at every size, because a key leads to them.
            What grows is a period of everybody. It is cut after {CAP:,} records of a status, and the page
            says so: that is about {CAP * ROW_BYTES / 1e6:.0f} MB in memory, {largest:,.0f} units, US$
            {largest * USD_PER_READ_UNIT:.4f}, and {_time(largest / PARTITION_READS)} at the partition's
            limit.
            """
        ),
        "",
    ]
    return lines


def _write_part() -> list[str]:
    w = writes()
    limit = PARTITION_WRITES / 2  # evaluations a second: each takes two writes of the key “processing”
    return [
        "## Writing, and the first limit",
        "",
        "An evaluation is written twice, as processing and as completed:",
        "",
        "| what | write units | US$ per million evaluations |",
        "|---|---|---|",
        f"| the table | {w.table} | {w.table * USD_PER_WRITE_UNIT * 1e6:.2f} |",
        f"| `{BY_STUDENT}` | {w.by_student} | {w.by_student * USD_PER_WRITE_UNIT * 1e6:.2f} |",
        f"| `{BY_STATUS}` | {w.by_status} | {w.by_status * USD_PER_WRITE_UNIT * 1e6:.2f} |",
        "",
        _prose(
            f"""
            The two indexes make {w.total} units of {w.table}: {w.total / w.table:.2f}x. The status index
            takes one more because a new status is a new key: the old entry is deleted and another one is
            put.
            """
        ),
        "",
        "| evaluations a year | storage and PITR, US$ a month | both indexes add | writes/s to the busiest status at "
        "10x the average |",
        "|---|---|---|---|",
        *(
            f"| {count:,} | {storage_usd(count)[0]:,.2f} | {storage_usd(count)[1]:,.2f} | {busiest(count):,.1f} |"
            for count in SIZES
        ),
        "",
        _prose(
            f"""
            A key of an index lies in one partition as a rule, and a partition takes {PARTITION_WRITES:,}
            write units a second. `{BY_STATUS}` has three keys, so this is the first limit: DynamoDB can
            split a hot partition by its sort key, but new records all carry the newest time and arrive at
            one end. When an index cannot keep up, writes to the *table* are throttled. It is reached at
            {limit:,.0f} evaluations a second, {limit * 86_400:,.0f} a day: far beyond {SIZES[-1]:,} a
            year, unless they are loaded in bulk.
            """
        ),
        "",
        _prose(
            f"""
            What one does then: a sharded key. The Lambdas write one more attribute, `status_shard`, such
            as `completed#7`, with a number from the hash of `evaluation_id`; an index on `status_shard`
            and `created_at` takes the place of the status index; and the dashboard asks one Query per
            status and shard, side by side as it asks per status today. {shards(25_000)} shards take
            25,000 writes a second, and give as many times the read units of one partition.
            """
        ),
        "",
    ]


def _beyond_part() -> list[str]:
    export, athena = export_usd(SIZES[-1])
    arn = "arn:aws:dynamodb:REGION:ACCOUNT:table/" + EVALUATIONS.default_name
    return [
        "## Long periods beyond memory",
        "",
        _prose(
            f"""
            A year of {SIZES[-1]:,} evaluations is {SIZES[-1] * ROW_BYTES / 1e9:.0f} GB of rows: no page
            should hold it. Point-in-time recovery, which Setup turns on, exports the table to S3 without
            touching its read units, and Athena asks the copy. One export of {SIZES[-1]:,} evaluations
            costs US$ {export:,.2f}, one query over all of it US$ {athena:,.2f}.
            """
        ),
        "",
        "```sh",
        "aws dynamodb export-table-to-point-in-time \\",
        f"  --table-arn {arn} \\",
        "  --s3-bucket BUCKET --s3-prefix bandup --export-format DYNAMODB_JSON",
        "# Until it says COMPLETED. EXPORT_ARN is in the answer to the command before.",
        "aws dynamodb describe-export --export-arn EXPORT_ARN --query ExportDescription.ExportStatus",
        "```",
        "",
        "EXPORT_ID is the last part of EXPORT_ARN. In Athena, once per export:",
        "",
        "```sql",
        athena_table(EVALUATIONS, "s3://BUCKET/bandup/AWSDynamoDB/EXPORT_ID/data/"),
        "```",
        "",
        "Then, for instance, the median Writing band of each month, in a file `query.sql`:",
        "",
        "```sql",
        "SELECT date_trunc('month', from_unixtime(CAST(item.created_at.n AS double))) AS month,",
        "       count(*) AS evaluations,",
        "       approx_percentile(TRY_CAST(item.overall_band.s AS double), 0.5) AS median_band",
        f"FROM {EVALUATIONS.default_name.replace('-', '_')}",
        "WHERE item.status.s = 'completed' AND item.evaluation_type.s = 'writing'",
        "GROUP BY 1 ORDER BY 1",
        "```",
        "",
        "```sh",
        "aws athena start-query-execution --work-group primary --query-string file://query.sql \\",
        "  --result-configuration OutputLocation=s3://BUCKET/athena/",
        "# QUERY_ID is in the answer to the command before.",
        "aws athena get-query-results --query-execution-id QUERY_ID --output text",
        "```",
        "",
    ]


def _prose(text: str) -> str:
    """A paragraph, as README wraps its own."""
    return textwrap.fill(" ".join(text.split()), 150, break_long_words=False, break_on_hyphens=False)


def _time(value: float) -> str:
    if value >= 120:
        return f"{value / 60:,.0f} min"
    return f"{value:,.1f} s" if value >= 1 else f"{value * 1000:,.1f} ms"


if __name__ == "__main__":
    print(document(), end="")
