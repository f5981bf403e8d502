"""What every change to AWS has in common: whether it is allowed here, and its line in the log."""

import logging
from datetime import UTC, datetime

from data.dynamodb.errors import Failure
from data.settings import Settings

_log = logging.getLogger("bandup.changes")


def require_allowed(settings: Settings) -> None:
    """Failure of kind read_only where nothing may be changed."""
    if not settings.allow_changes:
        raise Failure(
            "read_only", "This dashboard may not change anything.", "Start it with BANDUP_ALLOW_CHANGES=1 to allow it."
        )


def record(who: str, what: str, result: str) -> None:
    """One line in the log: when, who, what, result."""
    _log.warning("%s · %s · %s · %s", datetime.now(UTC).isoformat(timespec="seconds"), who, what, result)
