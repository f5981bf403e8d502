"""What DescribeTable tells of a table: size, indexes, and what reading all or some of it would cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data.dynamodb.cost import BYTES_PER_READ_UNIT, Cost, price

BATCH = 100
"""Keys that one BatchGetItem takes."""


@dataclass(frozen=True, slots=True)
class IndexFacts:
    """An index as DescribeTable tells it. `attributes` is None when it carries all of them."""

    status: str
    attributes: frozenset[str] | None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as DescribeTable tells it. Size and count are refreshed by DynamoDB about every six hours.

    `price` is that of a read unit, as in `Cost`.
    """

    name: str
    arn: str
    items: int
    size_bytes: int
    indexes: Mapping[str, IndexFacts]
    price: float | None = None

    @property
    def partition(self) -> str:
        """The partition in the table's ARN: aws, aws-cn, and so on."""
        return self.arn.split(":")[1] if self.arn.count(":") >= 5 else ""

    @property
    def region(self) -> str:
        """The region in the table's ARN."""
        return self.arn.split(":")[3] if self.arn.count(":") >= 5 else ""

    @property
    def account(self) -> str:
        """The account in the table's ARN, as text."""
        return self.arn.split(":")[4] if self.arn.count(":") >= 5 else ""

    @property
    def scan_cost(self) -> Cost:
        """What reading the whole table once would cost, by the size that DynamoDB last counted."""
        return self._reading(self.size_bytes)

    @property
    def whole_cost(self) -> Cost:
        """What reading the whole table and all of its indexes once would cost."""
        return sum((self._reading(index.size_bytes) for index in self.indexes.values()), self.scan_cost)

    def _reading(self, size_bytes: int) -> Cost:
        return Cost(max(1, -(-size_bytes // 1_048_576)), size_bytes / BYTES_PER_READ_UNIT, self.price)

    def batch_cost(self, records: int) -> Cost | None:
        """What reading so many whole records by their keys would cost, at the average size; None while unknown."""
        if not self.items or not self.size_bytes:
            return None
        # Each record is rounded up to 4 KB: on average by half of that, a quarter of a unit.
        each = max(0.5, self.size_bytes / self.items / BYTES_PER_READ_UNIT + 0.25)
        return Cost(-(-records // BATCH), records * each, self.price)


def table_facts(description: Any) -> TableFacts:
    """A description as DescribeTable gives it; KeyError or TypeError where it is none."""
    keys = {part["AttributeName"] for part in description["KeySchema"]}
    indexes = {}
    for index in description.get("GlobalSecondaryIndexes", []):
        projection = index.get("Projection", {})
        carried = keys | {part["AttributeName"] for part in index["KeySchema"]}
        carried |= set(projection.get("NonKeyAttributes", []))
        everything = projection.get("ProjectionType") == "ALL"
        indexes[index["IndexName"]] = IndexFacts(
            index.get("IndexStatus", ""),
            None if everything else frozenset(carried),
            int(index.get("IndexSizeBytes", 0)),
        )
    arn = description.get("TableArn", "")
    # Absent where it was never anything but provisioned.
    billing = description.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    table_class = description.get("TableClassSummary", {}).get("TableClass", "STANDARD")
    return TableFacts(
        name=description["TableName"],
        arn=arn,
        items=int(description.get("ItemCount", 0)),
        size_bytes=int(description.get("TableSizeBytes", 0)),
        indexes=indexes,
        price=price(arn.split(":")[3] if arn.count(":") >= 5 else "", table_class, billing),
    )
