"""The Audit page as a whole, in process: full, empty, with one record, failing; every finding opens its record."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from data.demo import engine
from data.demo.sample import ODD_STUDENT, SEED_EVALUATIONS, SEED_SET
from data.dynamodb.errors import Failure
from data.dynamodb.store import Read, Store
from data.records import orphans
from data.schema import EVALUATIONS, FLASHCARD_SETS, Table
from data.settings import Settings
from queries import records
from tests.support.app import FAILURES, FailingClient, refused, show, words
from ui.quality import deep_check
from ui.shell.page import NOT_SHOWN

PAGE = "pages/audit.py"
Files = dict[str, Callable[[], bytes]]

# The demo's waiting jobs grow old while other tests run.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("demo_anew")]


def put(store: Store, table: Table, *records: dict[str, Any], days_ago: float = 1) -> None:
    """Write records as if they had been made lately."""
    when = int((datetime.now(UTC) - timedelta(days=days_ago)).timestamp())
    engine.write(store.client, store.settings.name(table), [{**record, "created_at": when} for record in records])


def kinds(app: AppTest) -> dict[str, int]:
    """The table of findings: kind -> records."""
    table = app.dataframe[0].value
    return dict(zip(table["Kind"], table["Records"], strict=True))


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def choose(app: AppTest, grid: Any, row: int) -> None:
    """Select a row of a grid."""
    app.session_state[grid.proto.id.rsplit("-", 1)[-1]] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()


def read_whole(app: AppTest) -> AppTest:
    app.button(key="audit_whole").click().run()
    assert not app.exception
    return app


def counted(app: AppTest, table: Table) -> AppTest:
    app.button(key=f"count_{table.variable}").click().run()
    assert not app.exception
    return app


def test_the_demos_odd_records_are_found() -> None:
    app = show(PAGE, {"audit": "30d"})
    assert kinds(app) == {
        "Band off the scale": 2,
        "Completed without a band": 2,
        "Criterion missing": 1,
        "Overall is half a band off": 4,
        "evaluation_type: neither writing nor speaking": 1,
        "grammar_band: NULL": 1,
        "overall_band: empty": 1,
        "overall_band: not a number": 1,
        "overall_band: not a whole or half band": 1,
        "overall_band: not written with one decimal, such as “7.0”": 1,
        "overall_band: outside 0 to 9": 1,
        "overall_band: stored as a number, not as text such as “7.0”": 1,
        "overall_band: written with a comma, not as “7.0”": 1,
    }
    assert metrics(app)["Scores that do not follow"] == "5"
    assert metrics(app)["Break the schema"] == "9"
    assert metrics(app)["Notes"] == "4"


def test_whole_records_are_read_after_a_click_and_show_more() -> None:
    app = show(PAGE)
    before = kinds(app)
    assert "Read them whole" in words(app)
    after = kinds(read_whole(app))
    assert {kind: number for kind, number in after.items() if kind not in before} == {
        "total_cards disagrees": 1,
        "feedback: JSON, but not an object": 3,
        "feedback: not JSON": 1,
        "feedback: stored as a map, not as a JSON string": 1,
        "flashcards: breaks off after some whole cards": 1,
        "flashcards: cards say front and back instead of question and answer": 1,
        "flashcards: not JSON": 1,
        "flashcards: stored as a list, not as a JSON string": 1,
    }
    assert {kind: after[kind] for kind in before} == before
    assert "read whole just now" in words(app)
    # Refresh forgets it.
    app.button(key="_refresh").click().run()
    assert kinds(app) == before


def test_a_kind_and_a_record_are_chosen_by_their_rows() -> None:
    app = show(PAGE)
    place = app.dataframe[0].value["Kind"].tolist().index("Criterion missing")
    choose(app, app.dataframe[0], place)
    assert app.query_params["finding"] in ("criterion-missing", ["criterion-missing"])
    records = app.dataframe[1]
    assert records.value["Id"].tolist() == ["eval-odd-08"]
    assert records.value["What was found"].tolist() == ["grammar_band: NULL"]
    choose(app, records, 0)
    assert "eval-odd-08" in words(app)
    assert "Raw record (JSON)" in words(app)


@pytest.mark.parametrize(
    ("finding", "ids"),
    [
        ("scale", {"eval-odd-06", "eval-odd-07"}),
        ("no-band", {"eval-odd-02", "eval-odd-05"}),
        ("overall-half", {"eval-odd-01", "eval-odd-03", "eval-odd-04", "eval-odd-07"}),
        ("schema:evaluations:evaluation_type:neither writing nor speaking", {"eval-odd-10"}),
    ],
)
def test_a_link_to_a_finding_shows_its_records_and_each_opens(finding: str, ids: set[str]) -> None:
    app = show(PAGE, {"finding": finding})
    assert set(app.dataframe[1].value["Id"]) == ids
    for row in range(len(ids)):
        app = show(PAGE, {"finding": finding})
        wanted = app.dataframe[1].value["Id"][row]
        choose(app, app.dataframe[1], row)
        assert wanted in words(app)
        assert "Raw record (JSON)" in words(app)


def test_a_finding_in_a_set_opens_the_set() -> None:
    app = show(PAGE, {"finding": "total-cards"})
    assert "“total-cards” was not found" in words(app)
    read_whole(app)
    assert app.dataframe[1].value["Id"].tolist() == ["flashcard-set-odd-3"]
    choose(app, app.dataframe[1], 0)
    assert "flashcard-set-odd-3" in words(app)
    assert "1 here, 2 according to the record" in words(app)


def test_an_unknown_finding_in_the_link_is_said_literally() -> None:
    assert "“&lt;b&gt;x&lt;/b&gt;” was not found in the last 30 days." in words(show(PAGE, {"finding": "<b>x</b>"}))


def cells(files: Files, begins: str) -> list[list[str]]:
    """What the page's download button for such a file would save."""
    (make,) = [make for name, make in files.items() if name.startswith(begins)]
    return list(csv.reader(io.StringIO(make().decode("utf-8-sig"), newline="")))


def test_each_list_can_be_taken_away(files: Files) -> None:
    app = show(PAGE, {"finding": "overall-half"})
    everything, one = cells(files, "All-findings-30d-audit-"), cells(files, "Overall-is-half-a-band-off-30d-audit-")
    assert one[0] == ["# Overall is half a band off: 4 rows"]
    assert one[1] == ["# Period: the last 30 days"]
    assert one[2][0].startswith("# Time zone: Asia/Ho_Chi_Minh")
    assert one[3] == ["# Source: Demo: invented students, gone when the dashboard stops"]
    assert one[4] == ["# Complete: yes"]
    assert one[5] == ["When", "What was found", "Student", "Id", "Record"]
    assert {row[3] for row in one[6:]} == set(app.dataframe[1].value["Id"])
    assert all(row[0].endswith("+07:00") for row in one[6:])
    assert everything[0] == [f"# All findings: {len(everything) - 6} rows"]
    assert len(everything) - 6 == sum(kinds(app).values())


def test_a_formula_in_a_record_stays_text(empty: Store, files: Files) -> None:
    put(empty, EVALUATIONS, {**SEED_EVALUATIONS[0], "user_id": "=1+1", "overall_band": "9.0"})
    show(PAGE, {"finding": "overall"})
    everything, one = cells(files, "All-findings-"), cells(files, "Overall-")
    assert one[6][2] == "'=1+1"
    assert everything[6][4] == "'=1+1"
    assert one[6][1] == "overall 9.0; criteria 7.0 6.5 7.0 6.5, mean 6.75, rounded 7.0"


def test_models_are_compared_and_the_takeover_is_said() -> None:
    app = show(PAGE, {"audit": "12m"})
    shown = words(app)
    assert "gemini-2.5-pro-writing_task2 took over from gemini-writing_task1 and gemini-writing_task2" in shown
    assert "gemini-3.0-flash-audio took over from gemini-2.5-flash-audio" in shown
    assert "95\u00a0% interval" in shown
    assert len(app.get("plotly_chart")) == 2
    # Within the last 30 days nothing changed.
    assert words(show(PAGE)).count("No model took over from another in this period.") == 2


def test_what_no_list_shows_is_counted_after_a_click() -> None:
    app = show(PAGE)
    grids = len(app.dataframe)
    counted(app, EVALUATIONS)
    assert "5 missing from some list" in words(app)
    found = app.dataframe[grids].value
    assert dict(zip(found["Id"], found["Why"], strict=True)) == {
        "eval-odd-09": "status is none of processing, completed, failed",
        "eval-odd-bare": "status is missing",
        "eval-odd-time-1": "created_at is not a time in seconds since 2000",
        "eval-odd-time-2": "created_at is not a time in seconds since 2000",
        "eval-odd-timeless": "created_at is missing",
    }
    assert set(found["Student"]) == {ODD_STUDENT}
    assert NOT_SHOWN not in words(app)
    counted(app, FLASHCARD_SETS)
    assert "0 missing from some list" in words(app)
    choose(app, app.dataframe[grids], 4)
    assert "eval-odd-timeless" in words(app)
    assert "Raw record (JSON)" in words(app)


def test_a_scan_says_its_cost_first_and_reads_nothing_before_the_click(
    empty: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[0]))
    monkeypatch.setattr(Store, "scan_pages", lambda *_, **__: pytest.fail("nobody asked for a scan"))
    monkeypatch.setattr(Store, "batch_get", lambda *_, **__: pytest.fail("nobody asked for whole records"))
    shown = words(show(PAGE))
    assert shown.count("Reading the whole table costs") == 2
    assert "That costs" in shown


def test_a_count_that_was_stopped_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orphans.count

    def cut(store: Store, table: Table) -> Any:
        steps = real(store, table)
        yield next(steps)
        steps.close()
        raise Failure("throttled", "DynamoDB is busy.", "Wait.")

    monkeypatch.setattr(orphans, "count", cut)
    app = show(PAGE)
    app.button(key=f"count_{EVALUATIONS.variable}").click().run()
    assert "DynamoDB is busy." in words(app)
    app.run()
    assert "Stopped before the end: there may be more." in words(app)
    assert f"The count {NOT_SHOWN}" not in words(app)


def test_whole_reading_that_was_stopped_says_so_and_keeps_what_it_found(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = deep_check._in_batches

    def cut(*args: Any) -> Any:
        yield next(real(*args))
        raise Failure("throttled", "DynamoDB is busy.", "Wait.")

    monkeypatch.setattr(deep_check, "_in_batches", cut)
    app = show(PAGE)
    app.button(key="audit_whole").click().run()
    assert "DynamoDB is busy." in words(app)
    app.run()
    assert "100 records read whole" in words(app)
    assert "Stopped before the end" in words(app)
    assert cells(files, "All-findings-")[4][0].startswith("# Complete: no")


def test_more_records_than_one_click_reads_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_check, "MOST_WHOLE", 3)
    app = show(PAGE)
    assert "6 records (the newest 3 of each table)" in words(app)
    assert "older ones were not asked for" in words(read_whole(app))


def test_a_period_that_was_cut_makes_every_list_truncated(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    real = records.period._read

    def cut(first: datetime, last: datetime) -> Read[Any]:
        answer = real(first, last)
        return Read(answer.value, answer.cost, answer.read_at, False, ("Stopped after 20,000 records.",))

    monkeypatch.setattr(records.period, "_read", cut)
    app = show(PAGE)
    assert "Stopped after 20,000 records." in words(app)
    assert cells(files, "All-findings-")[4][0].startswith("# Complete: no")


def test_empty_tables_give_sentences(empty: Store) -> None:
    app = show(PAGE)
    shown = words(app)
    assert "All that can be told from the lists of the last 30 days adds up." in shown
    assert "No completed evaluation with a band in this period." in shown
    assert metrics(app)["Evaluations"] == "0"
    assert not app.dataframe
    assert "0 records read" in words(counted(app, EVALUATIONS))


def test_one_record_of_each_table(empty: Store) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[1]))
    put(empty, FLASHCARD_SETS, dict(SEED_SET))
    app = show(PAGE)
    assert metrics(app)["Evaluations"] == metrics(app)["Flashcard sets"] == "1"
    assert "adds up" in words(app)
    # The document abridges its transcript to six words, its feedback to [...] and its fifteen cards to one.
    assert kinds(read_whole(app)) == {
        "Word count contradicts the transcript": 1,
        "feedback: not JSON": 1,
        "total_cards disagrees": 1,
    }
    assert "1 record read" in words(counted(app, EVALUATIONS))


def test_hostile_text_is_shown_as_it_is(empty: Store) -> None:
    evil = "<img src=x onerror=alert(1)> ![x](http://evil/x.png) :red[y]"
    for n in range(6):
        record = {**SEED_EVALUATIONS[0], "evaluation_id": f"e{n}", "user_id": evil, "model_used": evil}
        put(empty, EVALUATIONS, {**record, "overall_band": evil[:60] if n == 0 else "9.0"})
    app = show(PAGE, {"finding": "overall"})
    assert "<img" not in words(app)
    assert "&lt;img src=x onerror=alert(1)&gt;" in words(app)
    assert set(app.dataframe[1].value["Student"]) == {evil}
    assert not [element for element in app.markdown if "evil" in element.value]
    assert NOT_SHOWN not in words(app)


@pytest.mark.parametrize(("error", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
def test_when_aws_fails_every_part_says_so_and_the_frame_stands(
    error: Exception,
    sentence: str,
    new_settings: Callable[[str], Settings],
    use: Callable[[Store], None],
) -> None:
    client: Any = FailingClient(error)
    use(Store(new_settings("http://127.0.0.1:1"), client))
    shown = words(show(PAGE))
    assert sentence in shown
    assert f"The evaluations {NOT_SHOWN}" in shown
    assert f"The flashcard sets {NOT_SHOWN}" in shown
    assert "Refresh" in shown


def test_one_failing_table_leaves_the_other_standing(empty: Store) -> None:
    put(empty, EVALUATIONS, {**SEED_EVALUATIONS[0], "overall_band": "9.0"})
    empty.client.delete_table(TableName=empty.settings.name(FLASHCARD_SETS))
    app = show(PAGE)
    assert f"The flashcard sets {NOT_SHOWN}. There is no table" in words(app)
    assert kinds(app) == {"Overall does not follow from the criteria": 1}
    assert metrics(app)["Flashcard sets"] == "-"


def test_a_scan_that_is_denied_says_what_to_allow(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[0]))
    app = show(PAGE)

    def denied(**_: Any) -> Any:
        raise refused("AccessDeniedException")

    monkeypatch.setattr(empty.client, "scan", denied)
    app.button(key=f"count_{EVALUATIONS.variable}").click().run()
    assert "Add the action dynamodb:Scan" in words(app)
