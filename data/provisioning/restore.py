"""A table as it was at a time, restored to a new table."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from data.dynamodb.client import Store, log_change
from data.dynamodb.errors import Failure
from data.provisioning.account import look_up


def restore(store: Store, source: str, target: str, at: datetime | None, *, who: str) -> None:
    """Restore `source` as it was `at` (None: the latest possible) to a NEW table `target`. It goes on in AWS.

    A restore brings along neither tags, PITR, deletion protection nor alarms: plan for `target` afterwards.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    store.require_changes_allowed()
    if look_up(store, target) is not None:
        raise Failure("rejected", case="table_taken", resource=target)
    what = f"restore {source} as of {at or 'the latest time'} to {target}"
    request: dict[str, Any] = {"UseLatestRestorableTime": True} if at is None else {"RestoreDateTime": at}
    request |= {"SourceTableName": source, "TargetTableName": target}
    try:
        store.call("RestoreTableToPointInTime", source, None, store.client.restore_table_to_point_in_time, **request)
    except Failure as failure:
        log_change(who, what, f"failed: {failure}")
        raise replace(failure, resource=target) if failure.case == "table_taken" else failure from failure.__cause__
    log_change(who, what, "started")
