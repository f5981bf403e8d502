"""Where a change would land: account, region, partition, endpoint and tables, by what the client has resolved."""

from dataclasses import dataclass

from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.clients import caller_account
from data.schema import TABLES


@dataclass(frozen=True, slots=True)
class Place:
    """Where the tables are or would be. The account is a Failure where it is not known.

    The demo has no endpoint: it is in this process.
    """

    account: str | Failure
    region: str
    partition: str
    endpoint: str
    tables: tuple[str, ...]
    real_aws: bool

    def is_of(self, store: Store) -> bool:
        """Whether a Store leads to this place still, as far as its client alone tells: nobody is asked."""
        return (self.region, self.endpoint) == (store.client.meta.region_name, _endpoint(store))


def _endpoint(store: Store) -> str:
    endpoint: str = "" if store.settings.source == "demo" else store.client.meta.endpoint_url
    return endpoint


def where(store: Store) -> Place:
    """The place that a Store leads to."""
    meta = store.client.meta
    try:
        account: str | Failure = account_of(store)
    except Failure as failure:
        account = failure.to_keep()
    names = tuple(store.settings.name(table) for table in TABLES)
    return Place(account, meta.region_name, meta.partition, _endpoint(store), names, store.real_aws)


def account_of(store: Store) -> str:
    """The account that holds the tables, by their ARN; while there is none, that of the credentials, asked of STS.

    A private network may have an endpoint for DynamoDB alone. Failure where neither tells.
    """
    for table in TABLES:
        try:
            return store.facts(table).account
        except Failure as failure:
            if failure.kind not in ("missing", "access_denied"):
                raise
    return caller_account(store) if store.real_aws else ""
