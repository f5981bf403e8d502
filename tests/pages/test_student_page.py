"""The page Student: level, trend and forecast in words, the class's median, charts, the report; what it all reads."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from data.demo.sample import ODD_STUDENT
from data.dynamodb import budget
from data.dynamodb.store import Store
from data.schema import SPEAKING, WRITING
from queries.session import cache
from tests.support.accounts import watching
from tests.support.app import STUDENT, metrics, show, words
from tests.support.known_class import completed, failed, put, read
from ui.shell.page import NOT_SHOWN
from wording import formats

pytestmark = pytest.mark.slow

RISING = (4.5, 5.0, 5.0, 5.5, 5.5, 6.0, 6.0, 6.5)
PAGE = "pages/student.py"


@pytest.fixture
def known(empty: Store, use: Callable[[Store], None], tmp_path: Path) -> Callable[[str], Store]:
    """Let the pages know a roster beside the empty tables."""

    def choose(roster: str) -> Store:
        path = tmp_path / "roster.csv"
        path.write_text(f"user_id,name,class,target_band\n{roster}", encoding="utf-8")
        store = Store(replace(empty.settings, roster=str(path)), empty.client)
        use(store)
        return store

    return choose


def weekly(user_id: str, *bands: float, kind: str = WRITING, **changes: Any) -> list[dict[str, Any]]:
    """An attempt every eight days, the last one yesterday."""
    last = len(bands) - 1
    return [completed(user_id, 1 + 8 * (last - n), band, kind, **changes) for n, band in enumerate(bands)]


def beneath(app: AppTest) -> dict[str, str]:
    """What stands beneath each metric."""
    return {metric.label: metric.proto.delta_description for metric in app.metric}


def anew(app: AppTest) -> None:
    """Run the page with nothing kept. (`show` comes by the overview, which reads too.)"""
    cache.clear()
    app.run()


def chart(app: AppTest, key: str) -> dict[str, Any]:
    """A figure's specification."""
    found = next(element for element in app.get("plotly_chart") if f"-{key}" in element.proto.id)
    spec: dict[str, Any] = json.loads(found.proto.spec)
    return spec


# --- level, trend, forecast -------------------------------------------------------------------------------------------


def test_a_rise_towards_a_target_is_said_with_its_interval_and_a_range_of_months(
    known: Callable[[str], Store],
) -> None:
    put(known("u,Ann Able,Morning,7.5\n"), *weekly("u", *RISING), *weekly("u", 6.0, 6.5, kind=SPEAKING))
    app = show(PAGE, {"user_id": "u"})
    shown = words(app)
    assert "Ann Able" in shown
    assert "Morning · target 7.5" in shown
    assert metrics(app)["Writing level"] == "6.0"
    assert beneath(app)["Writing level"].startswith("rising, about 1.0 a month · latest 6.5 · best 6.5")
    assert "Level 6.0, rising, about 1.0 a month (between +0." in shown
    assert "a month), from 8 attempts in 180 days. At this pace 7.5 around " in shown
    # Two attempts tell no trend, and so no month.
    assert beneath(app)["Speaking level"] == "not enough evidence · latest 6.5 · best 6.5"
    assert "Level 6.25, not enough evidence, from 2 attempts in 180 days. Select a point" in shown
    assert shown.count("At this pace") == 2 - 1


@pytest.mark.parametrize(
    ("roster", "bands"),
    [
        ("u,Ann,Morning,\n", RISING),  # no target
        ("u,Ann,Morning,6.0\n", RISING),  # reached
        ("u,Ann,Morning,7.5\n", tuple(reversed(RISING))),  # falling
        ("u,Ann,Morning,7.5\n", (6.0,) * 8),  # steady
        ("u,Ann,Morning,7.5\n", RISING[:3]),  # too few
    ],
)
def test_there_is_no_month_without_a_rise_to_a_target(
    roster: str, bands: tuple[float, ...], known: Callable[[str], Store]
) -> None:
    put(known(roster), *weekly("u", *bands))
    app = show(PAGE, {"user_id": "u"})
    assert "At this pace" not in words(app)
    assert "Level " in words(app)


def test_a_steady_trend_says_so_and_claims_no_numbers_of_zero(known: Callable[[str], Store]) -> None:
    put(known(""), *weekly("u", *(6.0,) * 8))
    shown = words(show(PAGE, {"user_id": "u"}))
    assert "Level 6.0, steady, from 8 attempts in 180 days." in shown
    assert "+0.0" not in shown


def test_level_and_trend_are_the_same_in_every_period(known: Callable[[str], Store]) -> None:
    put(known(""), *weekly("u", *RISING))
    whole, week = show(PAGE, {"user_id": "u"}), show(PAGE, {"user_id": "u", "since": "7d"})
    assert metrics(whole)["Writing level"] == metrics(week)["Writing level"]
    assert beneath(whole)["Writing level"] == beneath(week)["Writing level"]
    assert (metrics(whole)["Evaluations shown"], metrics(week)["Evaluations shown"]) == ("8", "1")


def test_the_charts_show_attempts_level_interval_target_and_where_a_model_took_over(
    known: Callable[[str], Store],
) -> None:
    old = weekly("u", *RISING, model_used="<b>old</b>")
    for n, record in enumerate(old[4:]):
        record["model_used"] = "new" if n < 2 else "newer"
    put(known("u,Ann,Morning,7.5\n"), *old)
    trend = chart(show(PAGE, {"user_id": "u"}), "trend_writing")
    assert [trace["name"] for trace in trend["data"]] == [
        "95 % interval of the trend", "level (median of three)", "one attempt",
    ]  # fmt: skip
    marks = {note["text"]: note.get("yshift", 0) for note in trend["layout"]["annotations"]}
    assert set(marks) == {"target 7.5", "new", "newer"}
    # Takeovers may be close to each other: their names stand on lines of their own.
    assert marks["new"] != marks["newer"]
    assert "&lt;b&gt;old&lt;/b&gt;" in json.dumps(trend["data"])


def test_one_attempt_stands_in_two_weeks_not_in_microseconds(known: Callable[[str], Store]) -> None:
    put(known(""), *weekly("u", 6.0))
    app = show(PAGE, {"user_id": "u"})
    for key in ("trend_writing", "criteria_writing"):
        first, last = (value[:10] for value in chart(app, key)["layout"]["xaxis"]["range"])
        assert first < last
    assert "Level 6.0, not enough evidence, from 1 attempt in 180 days" in words(app)
    assert "No completed Speaking evaluation in this period." in words(app)


def test_the_weakest_criterion_is_said_but_not_where_three_tie(known: Callable[[str], Store]) -> None:
    weak = {"grammar_band": "4.5"}
    tied = {**weak, "lexical_band": "4.5", "fluency_band": "4.5"}
    put(known(""), *weekly("u", 6.0, 6.0, **weak), *weekly("u", 6.0, 6.0, kind=SPEAKING, **tied))
    shown = words(show(PAGE, {"user_id": "u"}))
    assert "Weakest now: Grammar, level 4.5, 1.5 below the rest." in shown
    assert "Each criterion over time. No criterion stands out now." in shown
    assert "0.0 below" not in shown


def test_practice_is_a_calendar_with_its_pause(known: Callable[[str], Store]) -> None:
    put(known(""), *weekly("u", 6.0, 6.0, 6.0), failed("u", 0.5))
    app = show(PAGE, {"user_id": "u"}, timezone="UTC")
    assert "4 evaluations on " in words(app)
    assert "the longest pause lasted 7 days" in words(app)
    spec = chart(app, "calendar")
    assert spec["data"][0]["type"] == "heatmap"
    assert metrics(app)["Results lost"] == "1"


def test_practice_older_than_the_calendar_is_said(known: Callable[[str], Store]) -> None:
    put(known(""), completed("u", 400, 6.0))
    app = show(PAGE, {"user_id": "u"})
    assert "No evaluation in the last 53 weeks" in words(app)
    assert "0 evaluations on 0 days" not in words(app)


def test_a_student_of_the_roster_without_evaluations_is_no_wrong_id(known: Callable[[str], Store]) -> None:
    known("u,Ann,Morning,\n")
    assert "The roster names this student." in words(show(PAGE, {"user_id": "u"}))
    assert "Check the id" in words(show(PAGE, {"user_id": "v"}))


# --- the class's median -----------------------------------------------------------------------------------------------


def members(count: int) -> str:
    return "".join(f"u{n},,Morning,\n" for n in range(count))


def test_the_classs_median_is_read_on_request_one_query_a_student(known: Callable[[str], Store]) -> None:
    store = known(members(6) + "other,,Evening,\n")
    put(store, *(completed(f"u{n}", 2, 5.0 + n / 2) for n in range(6)), completed("other", 2, 9.0))
    app = show(PAGE, {"user_id": "u0"})
    with watching(store.client) as wire:
        anew(app)
        assert wire.operations.count("Query") == 2
        assert "class median" not in beneath(app)["Writing level"]
        app.toggle(key="beside").set_value(True).run()
        assert wire.operations.count("Query") == 2 + 6
        assert app.query_params["beside"] in ("on", ["on"])
        app.segmented_control(key="since").set_value("90d").run()
        assert wire.operations.count("Query") == 2 + 6
    assert "class median 6.25" in beneath(app)["Writing level"]
    # Nobody speaks, so there is nothing to be the median of.
    assert "class median" not in beneath(app)["Speaking level"]
    assert "No class median in Speaking: fewer than 6 students of the class have a level." in words(app)


def test_a_median_of_fewer_than_six_is_not_shown(known: Callable[[str], Store]) -> None:
    store = known(members(6))
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(5)), completed("u5", 200, 6.0))
    app = show(PAGE, {"user_id": "u0", "beside": "on"})
    assert "class median" not in beneath(app)["Writing level"]
    assert "No class median in Writing and Speaking: fewer than 6" in words(app)


@pytest.mark.parametrize("roster", [members(5), "u0,,,\n" + members(6).replace("u0,,Morning,\n", ""), ""])
def test_a_small_class_or_none_has_no_switch_and_a_link_does_not_get_round_it(
    roster: str, known: Callable[[str], Store]
) -> None:
    store = known(roster)
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(6)))
    app = show(PAGE, {"user_id": "u0", "beside": "on"})
    with watching(store.client) as wire:
        anew(app)
    assert wire.operations.count("Query") == 2
    assert "beside" not in [toggle.key for toggle in app.toggle]
    assert "class median" not in str(beneath(app))


def test_a_failing_class_leaves_the_student_standing(
    known: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = known(members(6))
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(6)))
    app = show(PAGE, {"user_id": "u0"})
    monkeypatch.setattr("data.records.evaluations.of_students", lambda *_: (_ for _ in ()).throw(RuntimeError("a bug")))
    app.toggle(key="beside").set_value(True).run()
    assert f"The comparison with the class {NOT_SHOWN}" in words(app)
    assert metrics(app)["Writing level"] == "6.0"


# --- what is taken away -----------------------------------------------------------------------------------------------


def test_the_report_names_the_student_as_pdf_and_to_print(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(PAGE, {"user_id": "user-101"})
    assert [b.label for b in app.get("download_button")][:2] == ["Report as PDF", "Report to print"]
    pdf = next(make for name, make in files.items() if name.startswith("report-user-101-") and name.endswith(".pdf"))
    html = next(make for name, make in files.items() if name.startswith("report-user-101-") and name.endswith(".html"))
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf())).pages)
    assert "Nguyễn Thị Mai" in text
    assert "user-101" in text
    assert "Nguyễn Thị Mai" in html().decode()


def test_the_history_is_taken_away_as_it_is_filtered(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(PAGE, {"user_id": "user-101", "skill": "speaking", "since": "12m"})
    name, table = read(files, "history-")
    assert name.startswith("history-user-101-")
    assert len(table) == len(app.dataframe[0].value)
    assert set(table["evaluation_type"]) == {"speaking"}
    assert table["evaluation_id"].tolist() == app.dataframe[0].value["Id"].tolist()


def test_the_way_to_compare_leads_to_this_student() -> None:
    app = show(PAGE, {"user_id": "user-102"})
    link = next(e for e in app.get("page_link") if e.proto.label == "Compare two evaluations")
    assert "user_id=user-102" in str(link.proto)


def test_odd_records_have_their_page() -> None:
    app = show(PAGE, {"user_id": ODD_STUDENT})
    assert NOT_SHOWN not in words(app)
    assert "1 evaluation without a readable time: not in the chart, but in the history." in words(app)
    assert metrics(app)["Speaking level"] == "-"


# --- the same numbers on both pages -----------------------------------------------------------------------------------


def test_every_student_of_the_demo_has_the_same_numbers_on_both_pages(files: dict[str, Callable[[], bytes]]) -> None:
    show("pages/overview.py")
    _, table = read(files, "students-")
    app = show(PAGE, {"user_id": "user-101", "since": "30d"})
    for _, row in table.iterrows():
        app.query_params["user_id"] = row["user_id"]
        app.run()
        assert not app.exception
        if math.isnan(row["evaluations"]) or not app.metric:
            assert row["evaluations"] == 0
            continue
        if row["user_id"] == ODD_STUDENT:  # an unknown status and a time in milliseconds are in the history alone
            continue
        numbers, said = metrics(app), beneath(app)
        for skill, label in (("writing", "Writing level"), ("speaking", "Speaking level")):
            assert numbers[label] == formats.band(row[f"{skill}_level"]), row["user_id"]
            if row[f"{skill}_attempts"]:
                assert said[label].startswith(row[f"{skill}_trend"]), row["user_id"]
        assert numbers["Results lost"] == str(row["results_lost"]), row["user_id"]
        assert numbers["Evaluations shown"] == str(row["evaluations"]), row["user_id"]


def test_the_student_page_reads_two_queries_and_a_click_none(empty: Store) -> None:
    put(empty, *weekly("user-456", *RISING))
    app = show(*STUDENT)
    with watching(empty.client) as wire:
        anew(app)
        assert wire.operations.count("Query") == 2
        assert "2 requests" in words(app)
        app.segmented_control(key="since").set_value("90d").run()
        app.segmented_control(key="status").set_value("completed").run()
        assert wire.operations.count("Query") == 2
    assert NOT_SHOWN not in words(app)


def test_its_two_reads_go_side_by_side_and_a_click_that_needs_neither_starts_no_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    several: list[int] = []
    real = budget.side_by_side

    def side_by_side(ask: Callable[[Any], Any], of: Any, most: int = 64) -> list[Any]:
        several.append(len(list(of)))
        return real(ask, of, most)

    monkeypatch.setattr(budget, "side_by_side", side_by_side)
    app = show(PAGE, {"user_id": STUDENT})
    several.clear()
    app.run()
    assert several == []
    app.button(key="_refresh").click().run()
    assert several == [2]
