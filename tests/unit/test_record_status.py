"""The status of a record on its page: in words, with its age, and with who gave its job up."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from data.records import evaluations
from data.records.jobs import Mark
from ui.shell.clock import Clock
from ui.students import record

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MARK = str(Mark("ops@school.example", NOW))


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("completed", None, "✓ completed"),
        ("processing", None, "◑ overdue 20 min"),
        ("failed", "Rate limit", "✕ failed"),
        ("failed", MARK, "⊘ abandoned by ops@school.example at 1 Mar 2026, 19:00"),
        ("completed", MARK, "✓ completed, although given up by ops@school.example at 1 Mar 2026, 19:00"),
        ("lost", MARK, "? lost"),
    ],
)
def test_a_status_says_who_gave_the_job_up(status: str, reason: str | None, expected: str) -> None:
    item = {
        "evaluation_id": {"S": "e"},
        "user_id": {"S": "u"},
        "status": {"S": status},
        "created_at": {"N": str((NOW - timedelta(minutes=20)).timestamp())},
        **({"failure_reason": {"S": reason}} if reason else {}),
    }
    assert record.status(evaluations.parse(item), Clock(NOW, ZoneInfo("Asia/Ho_Chi_Minh"))) == expected
