"""The Jobs page: the burst, its reason, what hangs, and marking just that as failed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.demo import engine
from data.demo.sample import sample
from data.dynamodb.store import Store
from data.provisioning.provision import create
from data.records.jobs import Key, mark_failed
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from tests.support import engines
from tests.support.app import FailingClient, refused, show, words
from ui.shell.page import NOT_SHOWN

JOBS = "pages/jobs.py"


def labels(app: Any) -> dict[str, str]:
    """The top line."""
    return {metric.label: metric.value for metric in app.metric}


# The demo's waiting jobs grow old while other tests run.
pytestmark = pytest.mark.usefixtures("demo_anew")


@pytest.fixture
def filled(dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]) -> Store:
    """The sample on dynoxide over HTTP, changeable, shown by the pages."""
    from dataclasses import replace  # noqa: PLC0415

    store = Store.open(replace(new_settings(dynoxide), allow_changes=True), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    data = sample(datetime.now(UTC))
    recent = (datetime.now(UTC) - timedelta(days=20)).timestamp()
    for table, records in ((EVALUATIONS, data.evaluations), (FLASHCARD_SETS, data.sets)):
        young = [r for r in records if recent < r.get("created_at", 0) < 2e9 and len(str(r)) < 9000]
        engine.write(store.client, store.settings.name(table), young)
    use(store)
    return store


def everything(store: Store) -> dict[str, dict[str, Any]]:
    """All items of both tables by id."""
    items: dict[str, dict[str, Any]] = {}
    for table in TABLES:
        pages = store.client.get_paginator("scan").paginate(TableName=store.settings.name(table))
        items |= {item[table.partition_key]["S"]: item for page in pages for item in page["Items"]}
    return items


def test_the_burst_its_reason_and_what_hangs_are_on_the_first_screen() -> None:
    app = show(JOBS)
    top = labels(app)
    assert int(top["Failed"]) >= 14
    assert int(top["Stuck"]) == 4
    assert int(top["Overdue"]) == 2
    shown = words(app)
    assert "most failures on" in shown
    groups = next(frame.value for frame in app.dataframe if "What they say" in frame.value.columns)
    assert groups["What they say"].iloc[0].startswith("ThrottlingException")
    assert groups["All"].is_monotonic_decreasing
    assert "were done again since" in shown


def test_the_list_holds_all_but_completed_jobs_newest_first_with_what_they_say() -> None:
    app = show(JOBS)
    rows = next(frame.value for frame in app.dataframe if "What it says" in frame.value.columns)
    assert rows["When"].is_monotonic_decreasing
    assert not rows["State"].str.contains("completed").any()
    assert rows.loc[rows["State"].str.contains("failed"), "What it says"].notna().all()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"kind": "flashcards"}, lambda rows: (rows["Kind"] == "Flashcards").all()),
        ({"state": "stuck"}, lambda rows: rows["State"].str.startswith("■ stuck").all() and len(rows) == 4),
        ({"reason": "ThrottlingException"}, lambda rows: rows["What it says"].str.startswith("Throttling").all()),
        ({"text": "too many requests"}, lambda rows: rows["What it says"].str.contains("Too many requests").all()),
        ({"model": "audio", "state": "failed"}, lambda rows: rows["Model"].str.contains("audio").all()),
    ],
)
def test_each_filter_is_in_the_url_and_holds(params: dict[str, str], expected: Callable[[Any], bool]) -> None:
    app = show(JOBS, params)
    rows = next(frame.value for frame in app.dataframe if "What it says" in frame.value.columns)
    assert len(rows)
    assert expected(rows)


def test_a_link_to_a_job_shows_all_of_it(filled: Store) -> None:
    item = next(i for i in everything(filled).values() if i.get("status") == {"S": "failed"} and "evaluation_id" in i)
    params = {"table": "evaluations", "job_id": item["evaluation_id"]["S"], "user_id": item["user_id"]["S"]}
    shown = words(show(JOBS, params))
    assert "One job" in shown
    assert item["evaluation_id"]["S"] in shown
    assert "Done again since" in shown
    assert "Other jobs of this student" in shown
    assert "There is no job “nobody”" in words(show(JOBS, {**params, "job_id": "nobody"}))


def test_marking_shows_exactly_which_first_and_changes_nothing_else(filled: Store) -> None:
    before = everything(filled)
    app = show(JOBS, {"state": "stuck"})
    rows = next(frame.value for frame in app.dataframe if "What it says" in frame.value.columns)
    next(b for b in app.button if b.label.startswith("Mark 4")).click().run()
    assert everything(filled) == before
    preview = next(
        frame.value for frame in app.dataframe if list(frame.value.columns) == ["When", "Kind", "Student", "Id"]
    )
    assert sorted(preview["Id"]) == sorted(rows["Id"])
    app.button(key="mark_go").click().run()
    after = everything(filled)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == set(rows["Id"])
    for name in changed:
        assert after[name]["status"] == {"S": "failed"}
        rest = {k: v for k, v in after[name].items() if k not in ("status", "failure_reason")}
        assert rest == {k: v for k, v in before[name].items() if k != "status"}
    assert "4 of 4 jobs marked as failed." in words(app)
    assert labels(app)["Stuck"] == "0"


def test_without_permission_to_change_there_is_no_button_and_the_data_layer_refuses(
    filled: Store, use: Callable[[Store], None]
) -> None:
    from dataclasses import replace  # noqa: PLC0415

    bound = Store(replace(filled.settings, allow_changes=False), filled.client)
    use(bound)
    app = show(JOBS)
    assert not [b for b in app.button if b.label.startswith("Mark")]
    assert "BANDUP_ALLOW_CHANGES=1" in words(app)
    with pytest.raises(Exception, match="may not change anything"):
        list(mark_failed(bound, [(Key("evaluations", "e", "u"), datetime.now(UTC))], who="me", now=datetime.now(UTC)))


def test_a_click_reads_nothing_again(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = show(JOBS)
    monkeypatch.setattr(filled, "client", FailingClient(AssertionError("a request")))
    app.query_params["kind"] = "writing"
    app.run()
    assert NOT_SHOWN not in words(app)


def test_no_jobs_is_a_sentence(
    dynoxide: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    store = Store.open(new_settings(dynoxide), **engines.CREDENTIALS)
    for table in TABLES:
        create(store.client, table, store.settings.name(table))
    use(store)
    assert "Choose a longer period above." in words(show(JOBS))


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ResourceNotFoundException"])
def test_failing_aws_is_a_sentence(
    code: str, new_settings: Callable[[str], Settings], use: Callable[[Store], None]
) -> None:
    client: Any = FailingClient(refused(code))
    use(Store(new_settings("http://127.0.0.1:1"), client))
    shown = words(show(JOBS))
    assert f"The jobs {NOT_SHOWN}" in shown
    assert "Refresh" in shown


def test_a_custom_period_that_ends_before_it_begins_is_said() -> None:
    assert "ends before it begins" in words(show(JOBS, {"jobs": "custom", "from": "2026-03-02", "to": "2026-03-01"}))
    assert "is no date" in words(show(JOBS, {"jobs": "custom", "from": "soon"}))


def test_the_thresholds_can_be_set() -> None:
    app = show(JOBS)
    app.number_input(key="_stuck_hours").set_value(24).run()
    assert int(labels(app)["Stuck"]) < 4
