"""The page Student: level, trend and forecast in words, the class's median, charts, the report; what it all reads."""

import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from streamlit.testing.v1 import AppTest

from data.demo.sample import ODD_STUDENT
from data.demo.texts import TEACHERS
from data.dynamodb import budget
from data.dynamodb.client import Store
from data.schema import SPEAKING, WRITING
from data.settings import DEMO_SCHOOL
from queries.session import cache
from tests.support.accounts import watching
from tests.support.app import STUDENT, levels, show, words
from tests.support.known_class import completed, failed, put, read
from ui.shell.boundary import NOT_SHOWN
from wording.skills import SKILL_NAMES

pytestmark = pytest.mark.slow

RISING = (4.5, 5.0, 5.0, 5.5, 5.5, 6.0, 6.0, 6.5)
PAGE = "pages/student.py"


@pytest.fixture
def with_roster(empty: Store, use: Callable[[Store], None], tmp_path: Path) -> Callable[[str], Store]:
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


def anew(app: AppTest) -> None:
    """Run the page with nothing kept. (`show` comes by the overview, which reads too.)"""
    cache.clear()
    app.run()


def chart(app: AppTest, key: str) -> dict[str, Any]:
    """A figure's specification."""
    element = next(element for element in app.get("plotly_chart") if f"-{key}" in element.proto.id)
    spec: dict[str, Any] = json.loads(element.proto.spec)
    return spec


# --- level, trend, forecast -------------------------------------------------------------------------------------------


def test_a_rise_towards_a_target_is_said_with_its_interval_and_a_range_of_months(
    with_roster: Callable[[str], Store],
) -> None:
    put(with_roster("u,Ann Able,Morning,7.5\n"), *weekly("u", *RISING), *weekly("u", 6.0, 6.5, kind=SPEAKING))
    app = show(PAGE, {"user_id": "u"})
    text = words(app)
    assert "Ann Able" in text
    assert "Morning · target 7.5" in text
    level, where, trend, evidence = levels(app)["Writing"]
    assert (level, where) == ("6.3 ± 0.4", "1.2 to target 7.5")
    assert trend.startswith("Rising since ")
    assert re.fullmatch(r"From 8 attempts, last on \d+ \w+( \d+)? · latest 6\.5", evidence)
    assert ", about 1.0 a month (0." in text
    assert ". At this rate 7.5 around " in text
    # Two attempts tell no trend, and so no month.
    assert levels(app)["Speaking"][1:3] == ["1.2 to target 7.5", "Not enough data yet"]
    assert text.count("At this rate") == 1


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
    roster: str, bands: tuple[float, ...], with_roster: Callable[[str], Store]
) -> None:
    put(with_roster(roster), *weekly("u", *bands))
    app = show(PAGE, {"user_id": "u"})
    assert "At this rate" not in words(app)
    assert levels(app)["Writing"][0] != "–"


def test_a_steady_trend_says_so_and_claims_no_numbers_of_zero(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), *weekly("u", *(6.0,) * 20))
    text = words(show(PAGE, {"user_id": "u"}))
    assert "Steady since " in text
    assert "+0.0" not in text


def test_level_and_trend_are_the_same_in_every_period(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), *weekly("u", *RISING))
    whole, week = show(PAGE, {"user_id": "u"}), show(PAGE, {"user_id": "u", "since": "7d"})
    assert levels(whole) == levels(week)
    assert (len(whole.dataframe[0].value), len(week.dataframe[0].value)) == (8, 1)


def test_the_charts_show_attempts_level_interval_target_and_where_a_model_took_over(
    with_roster: Callable[[str], Store],
) -> None:
    old = weekly("u", *RISING, model_used="<b>old</b>")
    for n, record in enumerate(old[4:]):
        record["model_used"] = "new" if n < 2 else "newer"
    put(with_roster("u,Ann,Morning,7.5\n"), *old)
    trend = chart(show(PAGE, {"user_id": "u"}), "trend_writing")
    assert [trace["name"] for trace in trend["data"]] == ["Margin", "Level", "Attempt"]
    notes = [note["text"] for note in trend["layout"]["annotations"]]
    assert sorted(notes) == ["<b>level 6.3</b>", "new model", "new model", "target 7.5"]
    # Which models, is for ops.
    assert "old" not in json.dumps(trend["data"])


def test_both_skills_stand_on_the_same_axes(with_roster: Callable[[str], Store]) -> None:
    put(with_roster("u,Ann,Morning,7.5\n"), *weekly("u", *RISING), *weekly("u", 3.0, 3.5, kind=SPEAKING))
    app = show(PAGE, {"user_id": "u"})
    for kind in ("trend", "criteria"):
        one, other = (chart(app, f"{kind}_{skill}")["layout"] for skill in (WRITING, SPEAKING))
        assert one["yaxis"]["range"] == other["yaxis"]["range"]
        assert one["xaxis"]["range"] == other["xaxis"]["range"]
    low, high = chart(app, "trend_writing")["layout"]["yaxis"]["range"]
    assert low < 3.0
    assert high > 7.5


def test_a_level_that_owes_nothing_to_the_one_before_is_not_joined_to_it(with_roster: Callable[[str], Store]) -> None:
    put(
        with_roster(""),
        completed("u", 300, 5.0),
        completed("u", 290, 5.0),
        completed("u", 3, 6.0),
        completed("u", 1, 6.0),
    )
    lines = [
        trace for trace in chart(show(PAGE, {"user_id": "u"}), "trend_writing")["data"] if trace["name"] == "Level"
    ]
    assert len(lines) == 2


def test_one_attempt_stands_in_two_weeks_not_in_microseconds(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), *weekly("u", 6.0))
    app = show(PAGE, {"user_id": "u"})
    for key in ("trend_writing", "criteria_writing"):
        first, last = (value[:10] for value in chart(app, key)["layout"]["xaxis"]["range"])
        assert first < last
    assert levels(app)["Writing"][2].startswith("From 1 attempt, last on ")
    assert "Not enough data yet" in words(app)
    assert "No completed Speaking evaluation in this period." in words(app)


def test_the_weakest_criterion_is_said_but_not_where_three_tie(with_roster: Callable[[str], Store]) -> None:
    weak = {"grammar_band": "4.5"}
    tied = {**weak, "lexical_band": "4.5", "fluency_band": "4.5"}
    put(with_roster(""), *weekly("u", *(6.0,) * 4, **weak), *weekly("u", *(6.0,) * 4, kind=SPEAKING, **tied))
    text = words(show(PAGE, {"user_id": "u"}))
    assert "Grammatical range and accuracy, 1.5 ± " in text
    assert "Each criterion over time. No clear weakest criterion." in text
    assert "0.0 below" not in text


def test_practice_is_a_calendar_with_its_pause(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), *weekly("u", 6.0, 6.0, 6.0), failed("u", 0.5))
    app = show(PAGE, {"user_id": "u"}, timezone="UTC")
    assert "4 evaluations on " in words(app)
    assert "longest gap 7 days" in words(app)
    spec = chart(app, "calendar")
    assert spec["data"][0]["type"] == "heatmap"
    assert "1 missing result" in words(app)


def test_practice_older_than_the_calendar_is_said(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), completed("u", 400, 6.0))
    app = show(PAGE, {"user_id": "u"})
    assert "No practice in the last 12 months" in words(app)
    assert "0 evaluations on 0 days" not in words(app)


def test_a_student_all_of_whose_records_are_dated_after_today_has_a_page(with_roster: Callable[[str], Store]) -> None:
    put(with_roster(""), completed("u", -1500, 6.0))
    text = words(show(PAGE, {"user_id": "u"}))
    assert NOT_SHOWN not in text
    assert "could not be loaded" not in text
    assert "No practice in the last 12 months" in text


def test_a_student_of_the_roster_without_evaluations_is_no_wrong_id(with_roster: Callable[[str], Store]) -> None:
    with_roster("u,Ann,Morning,\n")
    assert "The class list has this student." in words(show(PAGE, {"user_id": "u"}))
    assert "IDs are case-sensitive." in words(show(PAGE, {"user_id": "v"}))


# --- the class's median -----------------------------------------------------------------------------------------------


def members(count: int) -> str:
    return "".join(f"u{n},,Morning,\n" for n in range(count))


def test_the_classs_median_is_read_on_request_one_query_a_student(with_roster: Callable[[str], Store]) -> None:
    store = with_roster(members(6) + "other,,Evening,\n")
    put(store, *(completed(f"u{n}", 2, 5.0 + n / 2) for n in range(6)), completed("other", 2, 9.0))
    app = show(PAGE, {"user_id": "u0"})
    with watching(store.client) as wire:
        anew(app)
        assert wire.operations.count("Query") == 2
        assert "class median" not in str(levels(app))
        app.toggle(key="beside").set_value(True).run()
        assert wire.operations.count("Query") == 2 + 6
        assert app.query_params["beside"] in ("on", ["on"])
        app.segmented_control(key="since").set_value("90d").run()
        assert wire.operations.count("Query") == 2 + 6
    assert "class median 6.2" in levels(app)["Writing"]
    # Nobody speaks, so there is nothing to be the median of.
    assert "class median" not in str(levels(app)["Speaking"])
    assert "No class median in Speaking: fewer than 6 students of the class have a level." in words(app)


def test_a_median_beside_one_writing_task_is_of_that_task(with_roster: Callable[[str], Store]) -> None:
    store = with_roster(members(6))
    for n in range(6):
        put(store, completed(f"u{n}", 2, 4.0, model_used="gemini-writing_task1"))
        put(store, completed(f"u{n}", 3, 7.0, model_used="gemini-writing_task2"))
    app = show(PAGE, {"user_id": "u0", "beside": "on", "task": "2"})
    assert "class median 7.0" in levels(app)["Writing"]
    assert "Writing, Task 2" in [title.value for title in app.subheader]
    app = show(PAGE, {"user_id": "u0", "beside": "on"})
    assert "class median 7.0" not in str(levels(app)["Writing"])


def test_a_median_of_fewer_than_six_is_not_shown(with_roster: Callable[[str], Store]) -> None:
    store = with_roster(members(6))
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(5)), completed("u5", 200, 6.0))
    app = show(PAGE, {"user_id": "u0", "beside": "on"})
    assert "class median" not in str(levels(app))
    assert "No class median in Writing and Speaking: fewer than 6" in words(app)


@pytest.mark.parametrize("roster", [members(5), "u0,,,\n" + members(6).replace("u0,,Morning,\n", ""), ""])
def test_a_small_class_or_none_has_no_switch_and_a_link_does_not_get_round_it(
    roster: str, with_roster: Callable[[str], Store]
) -> None:
    store = with_roster(roster)
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(6)))
    app = show(PAGE, {"user_id": "u0", "beside": "on"})
    with watching(store.client) as wire:
        anew(app)
    assert wire.operations.count("Query") == 2
    assert "beside" not in [toggle.key for toggle in app.toggle]
    assert "class median" not in str(levels(app))


def test_a_failing_class_leaves_the_student_standing(
    with_roster: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = with_roster(members(6))
    put(store, *(completed(f"u{n}", 2, 6.0) for n in range(6)))
    app = show(PAGE, {"user_id": "u0"})
    monkeypatch.setattr("data.records.evaluations.of_students", lambda *_: (_ for _ in ()).throw(RuntimeError("a bug")))
    app.toggle(key="beside").set_value(True).run()
    assert f"The comparison with the class {NOT_SHOWN}" in words(app)
    assert levels(app)["Writing"][0].startswith("6.0 ± ")


# --- what is taken away -----------------------------------------------------------------------------------------------


def report(files: dict[str, Callable[[], bytes]], suffix: str) -> str:
    """The text of the report of user-101 as it would be taken now."""
    made = next(make for name, make in files.items() if re.fullmatch(rf"report-user-101-.*\.{suffix}", name))()
    if suffix == "html":
        return made.decode()
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


@pytest.mark.parametrize("suffix", ["pdf", "html"])
def test_the_report_names_student_teacher_and_school(files: dict[str, Callable[[], bytes]], suffix: str) -> None:
    show(PAGE, {"user_id": "user-101"})
    text = report(files, suffix)
    for name in ("Nguyễn Thị Mai", TEACHERS[0], DEMO_SCHOOL, "Demo data"):
        assert name in text
    assert "user-101" not in text


def test_a_comment_is_in_the_report_of_its_student_alone(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(PAGE, {"user_id": "user-101"})
    app.text_area[0].set_value("Reads <b>aloud</b> now.")
    next(f for f in app.text_input if f.label == "Teacher").set_value("Mr Kay")
    next(b for b in app.button if b.label == "Save comment").click().run()
    assert not app.exception
    for suffix in ("pdf", "html"):
        assert "Mr Kay" in report(files, suffix)
    assert "Reads <b>aloud</b> now." in report(files, "pdf")
    assert "Reads &lt;b&gt;aloud&lt;/b&gt; now." in report(files, "html")
    app.query_params["user_id"] = "user-102"
    app.run()
    other = next(make for name, make in files.items() if re.fullmatch(r"report-user-102-.*\.html", name))().decode()
    assert "aloud" not in other


def test_print_opens_the_report(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(PAGE, {"user_id": "user-101"})
    assert "data-bandup-print" not in words(app)
    app.button(key="report_print").click().run()
    assert not app.exception
    assert any("data-bandup-print" in str(element.value) for element in app.get("html"))


def test_the_history_is_taken_away_as_it_is_filtered(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(PAGE, {"user_id": "user-101", "skill": "speaking", "since": "12m"})
    name, table = read(files, "history-")
    assert name.startswith("history-user-101-")
    assert len(table) == len(app.dataframe[0].value)
    assert set(table["evaluation_type"]) == {"speaking"}
    assert table["evaluation_id"].tolist() == app.dataframe[0].value["ID"].tolist()
    assert f"# history: {len(table)} rows (Skill: Speaking)" in files[name]().decode("utf-8-sig")


def test_the_way_to_compare_leads_to_this_student() -> None:
    app = show(PAGE, {"user_id": "user-102"})
    link = next(e for e in app.get("page_link") if e.proto.label == "Compare evaluations")
    assert "user_id=user-102" in str(link.proto)


def test_odd_records_have_their_page() -> None:
    app = show(PAGE, {"user_id": ODD_STUDENT})
    assert NOT_SHOWN not in words(app)
    assert "1 evaluation without a readable time: not in the chart, but under Evaluations." in words(app)
    assert levels(app)["Speaking"][0] == "–"


# --- the same numbers on both pages -----------------------------------------------------------------------------------


def test_every_student_of_the_demo_has_the_same_numbers_on_both_pages(files: dict[str, Callable[[], bytes]]) -> None:
    show("pages/overview.py")
    _, table = read(files, "students-")
    app = show(PAGE, {"user_id": "user-101", "since": "30d"})
    for _, row in table.iterrows():
        app.query_params["user_id"] = row["user_id"]
        app.run()
        assert not app.exception
        if math.isnan(row["evaluations"]) or not levels(app):
            assert row["evaluations"] == 0
            continue
        if row["user_id"] == ODD_STUDENT:  # an unknown status and a time in milliseconds are in the history alone
            continue
        for skill, name in SKILL_NAMES.items():
            level, *lines = levels(app)[name]
            if row[f"{skill}_attempts"]:
                assert level.startswith(f"{row[f'{skill}_level']:.1f} ± "), row["user_id"]
                beginning = {"paused": "Last practised"}.get(row[f"{skill}_trend"], row[f"{skill}_trend"])
                assert any(line.casefold().startswith(beginning.casefold()) for line in lines), row["user_id"]
            else:
                assert level == "–"
        text = words(app)
        assert (f"{row['missing_results']} missing result" in text) == bool(row["missing_results"]), row["user_id"]
        if row["evaluations"]:
            assert len(app.dataframe[0].value) == row["evaluations"], row["user_id"]


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
