"""What reading costs, in requests, read units and, where the price is known, US dollars."""

from dataclasses import dataclass, field

# A read unit of an on-demand table of class Standard, in US dollars, since November 2024. AWS's price list may only be
# asked with permissions of its own, so only these regions' price is known to us; elsewhere units alone are said.
# https://aws.amazon.com/dynamodb/pricing/on-demand/
USD_PER_READ_UNIT = 0.125e-6
_PRICED = frozenset(("us-east-1", "us-east-2", "us-west-2"))
# Restoring from point-in-time recovery there: https://aws.amazon.com/dynamodb/pricing/
USD_PER_RESTORED_GB = 0.15
# An eventually consistent read costs half a unit for each 4 KB.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
BYTES_PER_READ_UNIT = 8192


def price(region: str, table_class: str = "STANDARD", billing: str = "PAY_PER_REQUEST") -> float | None:
    """US dollars for a read unit; None where that is not known, or nothing is paid for single reads."""
    priced = region in _PRICED and table_class == "STANDARD" and billing == "PAY_PER_REQUEST"
    return USD_PER_READ_UNIT if priced else None


def restore_price(region: str) -> float | None:
    """US dollars for each GB restored; None where that is not known."""
    return USD_PER_RESTORED_GB if region in _PRICED else None


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading cost. `read_units` is None where the engine does not meter.

    `price` is in US dollars for a read unit, on average where tables differ; None where it is not known.
    """

    requests: int = 0
    read_units: float | None = 0.0
    price: float | None = field(default=USD_PER_READ_UNIT, compare=False)

    def __add__(self, other: "Cost") -> "Cost":
        requests = self.requests + other.requests
        if self.read_units is None or other.read_units is None:
            return Cost(requests, None)
        units = self.read_units + other.read_units
        if not self.read_units or not other.read_units:
            return Cost(requests, units, self.price if self.read_units else other.price)
        if self.price is None or other.price is None:
            return Cost(requests, units, None)
        spent = self.read_units * self.price + other.read_units * other.price
        return Cost(requests, units, self.price if self.price == other.price else spent / units)

    @property
    def usd(self) -> float | None:
        """US dollars; None where the units or their price are not known."""
        return None if self.read_units is None or self.price is None else self.read_units * self.price
