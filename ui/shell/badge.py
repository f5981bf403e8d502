"""Which data is on screen."""

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.schema import EVALUATIONS, TABLES
from queries import source

_SECONDS = 5  # short, because nothing else is shown before


def text() -> str:
    """Source, account and tables, in words; also in every file."""
    settings = source.settings()
    if settings.source == "demo":
        return "Demo data"
    tables = " · ".join(settings.name(table) for table in TABLES)
    try:
        with budget.limited(_SECONDS):
            store = source.store()
            if not store.real_aws:
                return f"{store.client.meta.endpoint_url} · {tables}"
            facts = source.facts(EVALUATIONS)
    except Failure:
        return f"AWS · account not known · {settings.region or 'region from the profile'} · {tables}"
    return f"AWS account {facts.account} · {facts.region} · {tables}"
