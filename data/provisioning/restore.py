"""A table as it was at a time, restored to a new table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from data.dynamodb.client import Store, log_change
from data.dynamodb.errors import Failure
from data.provisioning.account import look_up

_LATEST = timedelta(minutes=15)  # the latest restorable time is typically five minutes ago


def restore(store: Store, source: str, target: str, at: datetime | None, *, who: str) -> None:
    """Restore `source` as it was `at` (None: the latest possible) to a NEW table `target`. It goes on in AWS.

    A restore brings along neither tags, PITR, deletion protection nor alarms: plan for `target` afterwards.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks.html
    """
    store.require_changes_allowed()
    if look_up(store, target) is not None:
        raise Failure("rejected", case="table_taken", resource=target)
    what = f"restore {source} as of {at or 'the latest time'} to {target}"
    log_change(who, what, "begun")  # what ends this program may not let it say more
    request: dict[str, Any] = {"UseLatestRestorableTime": True} if at is None else {"RestoreDateTime": at}
    request |= {"SourceTableName": source, "TargetTableName": target}
    try:
        store.call("RestoreTableToPointInTime", source, None, store.client.restore_table_to_point_in_time, **request)
    except Failure as failure:
        has_begun = _has_begun(store, source, target, at, failure)
        if has_begun:
            log_change(who, what, f"started; not told: {failure}")
            return
        if has_begun is None:
            log_change(who, what, f"not known: {failure}")
            raise replace(failure, case="restore_in_doubt", resource=target) from failure.__cause__
        log_change(who, what, f"failed: {failure}")
        raise replace(failure, resource=target) if failure.case == "table_taken" else failure from failure.__cause__
    log_change(who, what, "started")


def restored_from(store: Store, table: str) -> tuple[str, datetime | None]:
    """The table of this account and region that `table` was restored from, and as of when.

    The name is empty where it was made in another way, the time None where AWS does not tell it.
    """
    answer = store.call("DescribeTable", table, None, store.client.describe_table, TableName=table)["Table"]
    summary: dict[str, Any] = answer.get("RestoreSummary", {})
    here, at = str(answer.get("TableArn", "")).removesuffix(table), summary.get("RestoreDateTime")
    arn = str(summary.get("SourceTableArn", ""))
    return arn.removeprefix(here) if here and arn.startswith(here) else "", at if isinstance(at, datetime) else None


def _has_begun(store: Store, source: str, target: str, at: datetime | None, failure: Failure) -> bool | None:
    """Whether the restore goes on although it seems to have failed: asked again, AWS finds its table there.

    None where that is not known: AWS does not answer, or shows no such table, which may be too early.
    """
    if failure.case != "table_taken" and not failure.in_doubt:
        return False
    try:
        if look_up(store, target) is None:
            return None
        origin, restored_at = restored_from(store, target)
    except Failure:
        return None
    if origin != source:
        return False
    if restored_at is None:
        return None
    if at is None:  # somebody else may have asked for an older time
        return datetime.now(UTC) - restored_at < _LATEST
    return restored_at == at.replace(microsecond=0)
