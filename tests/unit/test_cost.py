"""Money is said where its price is known; where it is not, units alone are."""

from typing import Any

import pytest

from data.dynamodb.cost import USD_PER_READ_UNIT, Cost
from data.dynamodb.facts import TableFacts, table_facts
from data.settings import Settings
from wording import account, formats

ON_DEMAND = {"BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"}}
AWS, DEMO = Settings.read({"BANDUP_SOURCE": "aws"}), Settings.read({})


def table(region: str, **more: Any) -> TableFacts:
    """What DescribeTable says of a table of 2 GB."""
    arn = f"arn:aws:dynamodb:{region}:123456789012:table/evals"
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    return table_facts(
        {"TableName": "evals", "TableArn": arn, "KeySchema": keys, "TableSizeBytes": 2_000_000_000, **more}
    )


@pytest.mark.parametrize(
    ("region", "more", "is_priced"),
    [
        ("us-east-1", ON_DEMAND, True),
        ("ap-southeast-1", ON_DEMAND, False),
        ("us-east-1", {**ON_DEMAND, "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}}, False),
        ("us-east-1", {"BillingModeSummary": {"BillingMode": "PROVISIONED"}}, False),
        ("us-east-1", {}, False),  # never anything but provisioned
        ("ddblocal", ON_DEMAND, False),
    ],
)
def test_a_scan_has_a_price_where_that_is_known(region: str, more: dict[str, Any], is_priced: bool) -> None:
    cost = table(region, **more).scan_cost
    assert (cost.usd is not None) is is_priced
    assert ("US$" in formats.cost(cost)) is is_priced
    assert "read units" in formats.cost(cost)


def test_costs_of_tables_with_other_prices_add_up() -> None:
    priced, unknown = Cost(1, 10.0, USD_PER_READ_UNIT), Cost(1, 5.0, None)
    assert (priced + Cost()).usd == (Cost() + priced).usd == priced.usd
    assert (unknown + Cost()).usd is None
    assert (priced + unknown).usd is None
    assert (priced + unknown).read_units == 15.0
    dear = Cost(1, 30.0, 2 * USD_PER_READ_UNIT)
    assert (priced + dear).usd == pytest.approx(70 * USD_PER_READ_UNIT)
    assert (priced + Cost(1, None)).usd is None


def test_a_restore_is_priced_per_gb_where_that_is_known() -> None:
    assert "2.0 GB, about US$ 0.30" in account.restore_cost(table("us-east-1"), AWS)
    assert "250.0 GB, about US$" in account.restore_cost(table("us-east-1", TableSizeBytes=250_000_000_000), AWS)
    assert "US$" not in account.restore_cost(table("eu-west-1"), AWS)
    assert "not counted yet" in account.restore_cost(table("eu-west-1", TableSizeBytes=0), AWS)
    assert account.restore_cost(table("us-east-1"), DEMO) == "A restore costs nothing in the demo."
