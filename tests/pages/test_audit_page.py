"""The Audit page as a whole, in process: full, empty, with one record, failing; every finding opens its record."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from analysis import models
from data.demo import engine
from data.demo.sample import ODD_STUDENT, SEED_EVALUATIONS, SEED_SET
from data.dynamodb import query, scan
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from data.records import orphans
from data.schema import EVALUATIONS, FLASHCARD_SETS, Table
from data.settings import Settings
from queries import records
from queries.access.gate import Visitor
from queries.session import cache
from tests.support.app import FAILURES, FailingClient, refused, show, words
from ui.components import plots
from ui.quality import deep_check
from ui.shell import sign_in
from ui.shell.boundary import NOT_SHOWN
from wording import failures

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
    return dict(zip(table["Issue"], table["Records"], strict=True))


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
        "Band out of range": 2,
        "Completed without a band": 2,
        "Criterion missing": 1,
        "Overall band off by 0.5": 4,
        "evaluation_type: not one of writing, speaking": 1,
        "grammar_band: NULL": 1,
        "overall_band: empty": 1,
        "overall_band: not a number": 1,
        "overall_band: not a whole or half band": 1,
        "overall_band: not written with one decimal, such as “7.0”": 1,
        "overall_band: outside 0 to 9": 1,
        "overall_band: stored as a number, not as text such as “7.0”": 1,
        "overall_band: written with a comma, not as “7.0”": 1,
    }
    assert metrics(app)["Score errors"] == "5"
    assert metrics(app)["Format errors"] == "9"
    assert metrics(app)["Warnings"] == "4"


def test_whole_records_are_read_after_a_click_and_show_more() -> None:
    app = show(PAGE)
    before = kinds(app)
    assert "Run deep check" in words(app)
    after = kinds(read_whole(app))
    assert {kind: number for kind, number in after.items() if kind not in before} == {
        "Card count mismatch": 1,
        "feedback: without named parts": 3,
        "feedback: cannot be read": 1,
        "feedback: stored as a map, not as text": 1,
        "flashcards: breaks off": 1,
        "flashcards: other names for question and answer": 1,
        "flashcards: stored as a list, not as text": 1,
    }
    assert {kind: after[kind] for kind in before} == before
    assert "full records checked just now" in words(app)
    # Refresh forgets it.
    app.button(key="_refresh").click().run()
    assert kinds(app) == before


def test_the_records_of_a_kind_are_in_the_place_of_all_kinds_with_a_way_back() -> None:
    app = show(PAGE, {"finding": "criterion-missing", "audit": "90d"})
    (records,) = app.dataframe
    assert 'href="./audit?audit=90d"' in words(app)
    assert records.value["ID"].tolist() == ["eval-odd-08"]
    assert records.value["Details"].tolist() == ["grammar_band: NULL"]
    choose(app, records, 0)
    assert "eval-odd-08" in words(app)
    assert "Raw record (JSON)" in words(app)


@pytest.mark.parametrize(
    ("finding", "ids"),
    [
        ("scale", {"eval-odd-06", "eval-odd-07"}),
        ("no-band", {"eval-odd-02", "eval-odd-05"}),
        ("overall-half", {"eval-odd-01", "eval-odd-03", "eval-odd-04", "eval-odd-07"}),
        ("schema:evaluations:evaluation_type:not one of writing, speaking", {"eval-odd-10"}),
    ],
)
def test_a_link_to_a_finding_shows_its_records_and_each_opens(finding: str, ids: set[str]) -> None:
    app = show(PAGE, {"finding": finding})
    assert set(app.dataframe[0].value["ID"]) == ids
    for row in range(len(ids)):
        app = show(PAGE, {"finding": finding})
        record_id = app.dataframe[0].value["ID"][row]
        choose(app, app.dataframe[0], row)
        assert record_id in words(app)
        assert "Raw record (JSON)" in words(app)


def test_a_finding_in_a_set_opens_the_set() -> None:
    app = show(PAGE, {"finding": "total-cards"})
    assert "“total-cards” was not found" in words(app)
    read_whole(app)
    assert app.dataframe[0].value["ID"].tolist() == ["flashcard-set-odd-3"]
    choose(app, app.dataframe[0], 0)
    assert "flashcard-set-odd-3" in words(app)
    assert "1 of 1 card" in words(app)


def test_an_unknown_finding_in_the_link_is_said_literally() -> None:
    assert "“&lt;b&gt;x&lt;/b&gt;” was not found in the last 30 days." in words(show(PAGE, {"finding": "<b>x</b>"}))


def cells(files: Files, begins: str) -> list[list[str]]:
    """What the page's download button for such a file would save."""
    (make,) = [make for name, make in files.items() if name.startswith(begins)]
    return list(csv.reader(io.StringIO(make().decode("utf-8-sig"), newline="")))


def test_each_list_can_be_taken_away(files: Files) -> None:
    issues = kinds(show(PAGE))
    everything = cells(files, "All-issues-30d-audit-")
    app = show(PAGE, {"finding": "overall-half"})
    one = cells(files, "Overall-band-off-by-0-5-30d-audit-")
    assert one[0] == ["# Overall band off by 0.5: 4 rows"]
    assert one[1] == ["# Period: the last 30 days"]
    assert one[2][0].startswith("# Time zone: Asia/Ho_Chi_Minh")
    assert one[3] == ["# Source: Demo data"]
    assert one[4] == ["# Complete: yes"]
    assert one[5] == ["Date", "Details", "Student", "ID", "Record"]
    assert {row[3] for row in one[6:]} == set(app.dataframe[0].value["ID"])
    assert all(row[0].endswith("+07:00") for row in one[6:])
    assert everything[0] == [f"# All issues: {len(everything) - 6} rows"]
    assert len(everything) - 6 == sum(issues.values())


def test_a_formula_in_a_record_stays_text(empty: Store, files: Files) -> None:
    put(empty, EVALUATIONS, {**SEED_EVALUATIONS[0], "user_id": "=1+1", "overall_band": "9.0"})
    show(PAGE)
    everything = cells(files, "All-issues-")
    show(PAGE, {"finding": "overall"})
    one = cells(files, "Overall-")
    assert one[6][2] == "'=1+1"
    assert everything[6][4] == "'=1+1"
    assert one[6][1] == "overall 9.0; criteria 7.0 6.5 7.0 6.5, mean 6.75, rounded 7.0"


def test_models_are_compared_and_the_takeover_is_said() -> None:
    app = show(PAGE, {"audit": "12m"})
    text = words(app)
    assert "New model: gemini-2.5-pro-writing, in place of gemini-writing, since " in text
    assert "New model: gemini-3.0-flash-audio, in place of gemini-2.5-flash-audio, since " in text
    assert "95% interval" in text
    assert len(app.get("plotly_chart")) == 2
    # Within the last 30 days nothing changed.
    assert words(show(PAGE)).count("No model change in this period.") == 2


def test_the_name_of_a_model_is_cut_however_long_it_is(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    alts: list[str] = []
    plot = plots.show
    monkeypatch.setattr(plots, "show", lambda *args, alt, **more: (alts.append(alt), plot(*args, alt=alt, **more)))
    for n in range(10):
        name = ("new" if n < 5 else "old") + "x" * 10_000
        record = {**SEED_EVALUATIONS[0], "evaluation_id": f"e{n}", "user_id": f"u{n % 5}", "model_used": name}
        put(empty, EVALUATIONS, record, days_ago=n + 1)
    text = words(show(PAGE))
    assert "New model: newxxx" in text
    for words_there in (text, *alts):
        assert "x" * 61 not in words_there
    assert any("in place of oldxxx" in alt for alt in alts)


def test_of_many_models_the_page_compares_some_and_counts_the_others(empty: Store) -> None:
    for n in range(models.MOST + 2):
        record = {**SEED_EVALUATIONS[0], "evaluation_id": f"e{n}", "model_used": f"model {n:02} here"}
        put(empty, EVALUATIONS, record)
    text = words(show(PAGE))
    assert f"model {models.MOST - 1:02} here" in text
    assert f"model {models.MOST:02} here" not in text
    assert "2 other models" in text


def test_what_no_list_shows_is_counted_after_a_click() -> None:
    app = show(PAGE)
    grids = len(app.dataframe)
    counted(app, EVALUATIONS)
    assert "5 missing from an index" in words(app)
    rows = app.dataframe[grids].value
    assert dict(zip(rows["ID"], rows["Why"], strict=True)) == {
        "eval-odd-09": "status is none of processing, completed, failed",
        "eval-odd-bare": "status is missing",
        "eval-odd-time-1": "created_at is not a time in seconds since 2000",
        "eval-odd-time-2": "created_at is not a time in seconds since 2000",
        "eval-odd-timeless": "created_at is missing",
    }
    assert set(rows["Student"]) == {ODD_STUDENT}
    assert NOT_SHOWN not in words(app)
    counted(app, FLASHCARD_SETS)
    assert "0 missing from an index" in words(app)
    choose(app, app.dataframe[grids], 4)
    assert "eval-odd-timeless" in words(app)
    assert "Raw record (JSON)" in words(app)


def test_a_scan_says_its_cost_first_and_reads_nothing_before_the_click(
    empty: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[0]))
    monkeypatch.setattr(scan, "pages", lambda *_, **__: pytest.fail("nobody asked for a scan"))
    monkeypatch.setattr(query, "batch_get", lambda *_, **__: pytest.fail("nobody asked for whole records"))
    text = words(show(PAGE))
    assert text.count("Reading the whole table costs") == 2
    assert "That costs" in text


def test_a_count_that_was_stopped_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = orphans.count

    def cut(store: Store, table: Table) -> Any:
        steps = real(store, table)
        yield next(steps)
        steps.close()
        raise Failure("throttled")

    monkeypatch.setattr(orphans, "count", cut)
    app = show(PAGE)
    app.button(key=f"count_{EVALUATIONS.variable}").click().run()
    assert failures.cause(Failure("throttled")) in words(app)
    app.run()
    assert "Stopped before the end: there may be more." in words(app)
    assert f"The scan {NOT_SHOWN}" not in words(app)


def test_a_long_read_ends_when_the_role_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = orphans.count, list[Any]()
    roles = {"is_ops": True}
    monkeypatch.setattr(sign_in, "current", lambda: Visitor("olga", "ops" if roles["is_ops"] else "teacher"))

    def count(store: Store, table: Table) -> Any:
        for step in real(store, table):
            asked.append(step)
            roles["is_ops"] = False
            yield step
            yield step

    monkeypatch.setattr(orphans, "count", count)
    app = show(PAGE)
    app.button(key=f"count_{EVALUATIONS.variable}").click().run()
    assert len(asked) == 1
    assert "You don't have permission to scan a table." in words(app)


def test_whole_reading_that_was_stopped_says_so_and_keeps_what_it_found(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = deep_check._in_batches

    def cut(*args: Any) -> Any:
        yield next(real(*args))
        raise Failure("throttled")

    monkeypatch.setattr(deep_check, "_in_batches", cut)
    app = show(PAGE)
    app.button(key="audit_whole").click().run()
    assert failures.cause(Failure("throttled")) in words(app)
    app.run()
    assert "100 full records checked" in words(app)
    assert "Stopped before the end" in words(app)
    assert cells(files, "All-issues-")[4][0].startswith("# Complete: no")


def test_more_records_than_one_click_reads_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_check, "MOST_WHOLE", 3)
    app = show(PAGE)
    assert "6 full records (the newest 3 of each table)" in words(app)
    assert "older ones were left out" in words(read_whole(app))


def test_a_period_that_was_cut_makes_every_list_truncated(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    real = records.period._read

    def cut(first: datetime, last: datetime) -> Read[Any]:
        answer = real(first, last)
        return Read(answer.value, answer.cost, answer.read_at, False, ("Stopped after 20,000 records.",))

    monkeypatch.setattr(records.period, "_read", cut)
    app = show(PAGE)
    assert "Stopped after 20,000 records." in words(app)
    assert cells(files, "All-issues-")[4][0].startswith("# Complete: no")


def test_a_table_that_could_not_be_read_makes_no_list_complete(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> Read[Any]:
        raise Failure("access_denied")

    monkeypatch.setattr(records.sets_period, "_read", denied)
    cache.clear()
    show(PAGE)
    assert cells(files, "All-issues-")[4] == ["# Complete: no: not everything could be read"]


def test_empty_tables_give_sentences(empty: Store) -> None:
    app = show(PAGE)
    text = words(app)
    assert [info.proto.title for info in app.info] == ["No problems in the last 30 days"]
    assert "No completed evaluation with a band in this period." in text
    assert metrics(app)["Evaluations"] == "0"
    assert not app.dataframe
    assert "0 records read" in words(counted(app, EVALUATIONS))


def test_one_record_of_each_table(empty: Store) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[1]))
    put(empty, FLASHCARD_SETS, dict(SEED_SET))
    app = show(PAGE)
    assert metrics(app)["Evaluations"] == metrics(app)["Flashcard sets"] == "1"
    assert [info.proto.title for info in app.info] == ["No problems in the last 30 days"]
    # The document abridges its transcript to six words, its feedback to [...] and its fifteen cards to one.
    assert kinds(read_whole(app)) == {
        "Word count mismatch": 1,
        "feedback: cannot be read": 1,
        "Card count mismatch": 1,
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
    assert set(app.dataframe[0].value["Student"]) == {evil}
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
    text = words(show(PAGE))
    assert sentence in text
    assert f"The evaluations {NOT_SHOWN}" in text
    assert f"The flashcard sets {NOT_SHOWN}" in text
    assert text.count(" here once the ") == 2
    assert "Refresh" in text


def test_one_failing_table_leaves_the_other_standing(empty: Store) -> None:
    put(empty, EVALUATIONS, {**SEED_EVALUATIONS[0], "overall_band": "9.0"})
    empty.client.delete_table(TableName=empty.settings.name(FLASHCARD_SETS))
    app = show(PAGE)
    assert f"The flashcard sets {NOT_SHOWN}. There is no table" in words(app)
    assert kinds(app) == {"Overall band doesn't match criteria": 1}
    assert metrics(app)["Flashcard sets"] == "–"


def test_a_scan_that_is_denied_says_what_to_allow(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(empty, EVALUATIONS, dict(SEED_EVALUATIONS[0]))
    app = show(PAGE)

    def denied(**_: Any) -> Any:
        raise refused("AccessDeniedException")

    monkeypatch.setattr(empty.client, "scan", denied)
    app.button(key=f"count_{EVALUATIONS.variable}").click().run()
    assert "Add the action dynamodb:Scan" in words(app)
