"""The page Overview: who needs attention and why, in order; its filters and rules; the roster; what is taken away."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from data.dynamodb.client import Store
from data.records.jobs import Mark
from data.schema import SPEAKING
from queries.abandoned import UNREAD
from tests.support.accounts import refusal, watching
from tests.support.app import OVERVIEW, metrics, show, words
from tests.support.known_class import completed, failed, put, read
from ui.components import filters
from wording.skills import SKILL_NAMES

pytestmark = pytest.mark.slow

ROSTER = """user_id,name,class,target_band
anna,Anna Able,Morning,5.0
ben,Ben Baker,Morning,
cleo,Cleo Cole,Morning,6.5
dora,Dora Dean,Evening,
emil,Emil Eck,Evening,
fay,Fay Fox,,
gus,Gus Gray,Evening,
hal,Hal Hill,Morning,
"""
ALL = ["Ben Baker", "Gus Gray", "Anna Able", "Emil Eck", "Cleo Cole", "Hal Hill", "Dora Dean", "Fay Fox"]


FALLING = (7.0, 6.5, 6.5, 6.0, 5.5, 5.5, 5.0, 4.5)


@pytest.fixture
def people(empty: Store, use: Callable[[Store], None], a_roster: Callable[[str | bytes], Path]) -> Store:
    """One student for every rule, one of whom nothing is to be said, two of the roster who were not active lately."""
    weak = {"grammar_band": "4.5"}
    put(
        empty,
        *(completed("anna", days, 5.0) for days in (9, 6, 5)),
        failed("anna", 3, SPEAKING),
        *(completed("ben", 57 - 8 * n, band) for n, band in enumerate(FALLING)),
        *(completed("cleo", 2 + 4 * n, 5.0) for n in range(7)),
        completed("cleo", 2.5, 6.5, SPEAKING),
        *(completed("dora", days, 6.0, **weak) for days in (9, 8, 7)),
        completed("emil", 20.5, 6.0),
        *(completed("fay", days, 6.0, SPEAKING) for days in (2, 1)),
        completed("gus", 40.5, 6.0),
        completed("ida", 40, 6.0),
    )
    # The pages take the roster's path from the Store's settings here.
    store = Store(replace(empty.settings, roster=str(a_roster(ROSTER))), empty.client)
    use(store)
    return store


def students(app: AppTest) -> pd.DataFrame:
    """The table of students."""
    assert app.dataframe, words(app)
    return app.dataframe[0].value


def names(app: AppTest) -> list[str]:
    return students(app)["Student"].tolist()


def again(app: AppTest, **params: str) -> AppTest:
    """The same page with these parameters alone."""
    for key in list(app.query_params):
        del app.query_params[key]
    for key, value in params.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


# --- who needs attention, and why -------------------------------------------------------------------------------------


def test_the_most_urgent_come_first_with_the_reasons_in_words(people: Store) -> None:
    app = show(*OVERVIEW)
    assert names(app) == ALL
    why = dict(zip(names(app), students(app)["Why"].fillna(""), strict=True))
    assert why.pop("Ben Baker").startswith("Writing declining 1.")
    assert why == {
        "Anna Able": "1 missing result",
        "Cleo Cole": "Writing 1.5 below target",
        "Dora Dean": "Weak: Grammatical range and accuracy (−1.5)",
        "Emil Eck": "Inactive 20 days",
        "Gus Gray": "Inactive 40 days",
        "Hal Hill": "No activity in 180 days",
        "Fay Fox": "",
    }
    assert metrics(app) == {"Active students": "6", "Evaluations": "22", "Need attention": "7", "Missing results": "1"}
    assert "8 students. Sorted by: needs attention" in words(app)


def test_a_phones_list_has_links_with_reasons_and_levels_and_names_as_text(people: Store) -> None:
    (phone,) = [str(html.value) for html in show(*OVERVIEW).get("html") if "<li" in str(html.value)]
    anna = next(entry for entry in phone.split("<li") if "Anna Able" in entry)
    assert 'href="./student?user_id=anna"' in anna
    assert "1 missing result" in anna
    assert re.search(r"Writing \d\.\d ± \d\.\d", anna)
    assert phone.index("Anna Able") < phone.index("Fay Fox")


def test_what_is_new_since_last_week_is_said_with_who(people: Store) -> None:
    # Anna's result went missing three days ago, and Gus was inactive a week ago already.
    (line,) = [str(html.value) for html in show(*OVERVIEW).get("html") if "new since last week" in str(html.value)]
    assert "Anna Able (1 missing result)" in line
    assert "Gus" not in line
    assert "Hal" not in line


def test_what_a_person_gave_up_is_no_missing_result(people: Store) -> None:
    mark = Mark("olga@school.example", datetime(2026, 11, 20, 9, tzinfo=UTC))
    put(people, {**failed("anna", 3, SPEAKING), "failure_reason": str(mark)}, failed("anna", 4, SPEAKING))
    app = show(*OVERVIEW)
    assert students(app).set_index("Student").loc["Anna Able", "Why"] == "1 missing result"
    assert metrics(app)["Missing results"] == "1"
    profile = show("pages/student.py", {"user_id": "anna"})
    assert "1 missing result" in words(profile)


def test_where_nobody_knows_what_a_person_gave_up_the_numbers_are_said_not_to_be_whole(people: Store) -> None:
    with watching(people.client) as wire:
        wire.answer = lambda operation: refusal("AccessDeniedException") if operation == "BatchGetItem" else None
        app = show(*OVERVIEW)
        profile = show("pages/student.py", {"user_id": "anna"})
    assert metrics(app)["Missing results"] == "1"
    for text in map(words, (app, profile)):
        assert text.count(UNREAD) == 1
    assert UNREAD not in words(show(*OVERVIEW))


def test_levels_of_those_who_were_not_active_are_known_and_their_absence_is_counted(people: Store) -> None:
    app = show(*OVERVIEW)
    gus = students(app).set_index("Student").loc["Gus Gray"]
    assert (gus["Writing"][:3], gus["Evaluations"], gus["Missing results"]) == ("6.0", 0, 0)
    # Whoever is not in the roster is only listed when active.
    assert "ida" not in names(app)
    assert "ida" in names(again(app, period="90d"))
    # A short period makes nobody absent who was here within the rule's days.
    week = students(again(app, period="7d")).set_index("Student")["Why"]
    assert week["Dora Dean"] == "Weak: Grammatical range and accuracy (−1.5)"
    assert week["Emil Eck"] == "Inactive 20 days"
    assert dict(week)["Hal Hill"] == "No activity in 180 days"


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("any", ALL[:-1]),
        ("lost", ["Anna Able"]),
        ("falling", ["Ben Baker"]),
        ("below", ["Cleo Cole"]),
        ("weakest", ["Dora Dean"]),
        ("away", ["Gus Gray", "Emil Eck", "Hal Hill"]),
    ],
)
def test_the_students_with_a_flag(flag: str, expected: list[str], people: Store) -> None:
    app = show(OVERVIEW[0], {"flag": flag})
    assert names(app) == expected
    # The metrics are of the class, whatever of it is listed.
    assert metrics(app)["Need attention"] == "7"
    assert f"{len(expected)} of 8 students" in words(app)


def test_nobody_with_a_flag_is_said(people: Store) -> None:
    app = show(OVERVIEW[0], {"flag": "below", "class": "Evening"})
    assert "None of 3 students match. “All students” shows them." in words(app)
    assert "Student" not in {name for frame in app.dataframe[:1] for name in frame.value if "Why" in frame.value}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"class": "Morning"}, ["Anna Able", "Ben Baker", "Cleo Cole", "Hal Hill"]),
        ({"class": "-"}, ["Fay Fox"]),
        ({"of": "speaking"}, ["Anna Able", "Cleo Cole", "Hal Hill", "Fay Fox"]),  # of whom one misses a result
        ({"of": "writing", "class": "Evening"}, ["Dora Dean", "Emil Eck", "Gus Gray"]),
    ],
)
def test_class_and_skill_are_filtered_by_the_url(params: dict[str, str], expected: list[str], people: Store) -> None:
    app = show(OVERVIEW[0], params)
    assert sorted(names(app)) == sorted(expected)
    other = {"speaking": "Writing", "writing": "Speaking"}.get(params.get("of", ""))
    assert other is None or not {other, f"{other} change", f"{other} attempts"} & set(students(app))


def test_filters_go_into_the_url_and_their_defaults_go_out(people: Store) -> None:
    app = show(*OVERVIEW)
    for kind, key, value, default in (
        ("selectbox", "class", "Evening", ""),
        ("segmented_control", "of", "speaking", "all"),
        ("segmented_control", "flag", "any", "all"),
        ("segmented_control", "period", "90d", "30d"),
    ):
        getattr(app, kind)(key=key).set_value(value).run()
        assert app.query_params[key] in (value, [value])
        getattr(app, kind)(key=key).set_value(default).run()
        assert key not in app.query_params
    assert names(app) == ALL


RULES: list[tuple[dict[str, str], str, bool]] = [
    ({"away": "0"}, "Hal Hill", False),
    ({"away": "0"}, "Emil Eck", False),
    ({"away": "21"}, "Emil Eck", False),
    ({"away": "20"}, "Emil Eck", True),
    ({"away": "60"}, "Gus Gray", False),
    ({"away": "60"}, "Hal Hill", True),
    ({"away": "1"}, "Fay Fox", True),
    ({"below": "0"}, "Cleo Cole", False),
    ({"below": "1"}, "Cleo Cole", True),
    # Not with all of its margin.
    ({"below": "1.5"}, "Cleo Cole", False),
    ({"weakest": "0"}, "Dora Dean", False),
    ({"weakest": "1.5"}, "Dora Dean", True),
    ({"weakest": "2"}, "Dora Dean", False),
    ({"falling": "off"}, "Ben Baker", False),
    ({"lost": "off"}, "Anna Able", False),
]


def test_each_rule_is_set_by_the_url(people: Store) -> None:
    app = show(*OVERVIEW)
    for params, name, flagged in RULES:
        why = students(again(app, **params)).set_index("Student")["Why"]
        assert isinstance(why[name], str) == flagged, (params, name)


def test_each_rule_is_set_by_its_widget_and_kept_in_the_url(people: Store) -> None:
    app = show(*OVERVIEW)
    for key, value in (("away", 0.0), ("below", 2.0), ("weakest", 0.0)):
        app.number_input(key=key).set_value(value).run()
        assert app.query_params[key] in (f"{value:g}", [f"{value:g}"])
    for key in ("falling", "lost"):
        app.toggle(key=key).set_value(False).run()
        assert app.query_params[key] in ("off", ["off"])
    assert metrics(app)["Need attention"] == "0"
    assert students(app)["Why"].isna().all()
    app.number_input(key="away").set_value(14.0).run()
    assert "away" not in app.query_params
    assert metrics(app)["Need attention"] == "3"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"away": "soon"}, "The link&#39;s inactive for (days) “soon” is no number up to 180."),
        ({"away": "-1"}, "“-1” is no number up to 180."),
        ({"away": "181"}, "“181” is no number up to 180."),
        ({"below": "nan"}, "The link&#39;s below target by (bands) “nan” is no number up to 9."),
        ({"weakest": "1e9"}, "“1e9” is no number up to 9."),
        ({"falling": "<b>"}, "The link&#39;s “Declining trend” is “&lt;b&gt;”, neither on nor off."),
        ({"lost": "no"}, "The link&#39;s “Missing result” is “no”, neither on nor off."),
        ({"flag": "late"}, "The link asks for show “late”, which there is not."),
        ({"of": "reading"}, "The link asks for skill “reading”, which there is not."),
        ({"class": "Night"}, "The link asks for class “Night”, which there is not."),
    ],
)
def test_nonsense_in_the_url_is_said_and_the_default_holds(
    params: dict[str, str], sentence: str, people: Store
) -> None:
    app = show(OVERVIEW[0], params)
    assert sentence in words(app)
    assert names(app) == ALL


def test_changed_rules_are_told_from_the_usual_ones_and_cleared_at_once() -> None:
    def label(app: AppTest) -> str:
        return next(block.proto.popover.label for block in app.get("popover"))

    app = show(OVERVIEW[0], {"below": "3", "flag": "any"})
    assert label(app) == "Attention rules (changed)"
    app.button(key="_clear").click().run()
    assert label(app) == "Attention rules"
    assert dict(app.query_params) == {}
    assert "_clear" not in [button.key for button in app.button]


# --- what it reads ----------------------------------------------------------------------------------------------------


def test_three_queries_and_none_on_a_click_that_needs_no_new_data(people: Store) -> None:
    with watching(people.client) as wire:
        app = show(*OVERVIEW)
        assert wire.operations.count("Query") == 3
        # Once, whole: the failed ones that may be missing, for whether a person gave them up.
        assert wire.operations.count("BatchGetItem") == 1
        assert set(wire.operations) <= {"Query", "DescribeTable", "BatchGetItem"}
        assert "4 requests" in words(app)
        app.segmented_control(key="flag").set_value("any").run()
        app.selectbox(key="class").set_value("Evening").run()
        app.number_input(key="away").set_value(30.0).run()
        app.segmented_control(key="period").set_value("90d").run()
        assert wire.operations.count("Query") == 3
        # Twelve months are more than the 180 days that levels need.
        app.segmented_control(key="period").set_value("12m").run()
        assert wire.operations.count("Query") == 6


# --- the table and the file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"class": "Monday evening"}, {"of": "writing"}, {"period": "7d"}])
def test_the_metrics_agree_with_the_table(params: dict[str, str]) -> None:
    app = show(OVERVIEW[0], params)
    table = students(app)
    assert metrics(app) | ({"Evaluations": ""} if "of" in params else {}) == {
        "Active students": str((table["Evaluations"] > 0).sum()),
        # With one skill, the metric counts that skill alone.
        "Evaluations": "" if "of" in params else str(table["Evaluations"].sum()),
        "Need attention": str(table["Why"].notna().sum()),
        "Missing results": str(table["Missing results"].sum()),
    }


def test_each_skill_has_a_small_chart_of_its_newest_attempts() -> None:
    app = show(*OVERVIEW)
    columns = json.loads(app.dataframe[0].proto.columns)
    scales = set()
    for skill in ("Writing", "Speaking"):
        config = columns[f"{skill} attempts"]["type_config"]
        assert config["type"] == "line_chart"
        scales.add((config["y_min"], config["y_max"]))
        assert all(len(bands) <= 12 for bands in students(app)[f"{skill} attempts"])
    assert len(scales) == 1


def test_of_one_skill_the_change_is_in_sight_and_bold_beyond_noise(people: Store) -> None:
    grid = show(*OVERVIEW).dataframe[0].proto
    assert "Writing change" not in grid.column_order
    assert "Bold where" not in grid.columns  # whoever takes the column in does not see it bold
    app = show(OVERVIEW[0], {"of": "writing"})
    grid = app.dataframe[0].proto
    assert "Writing change" in grid.column_order
    assert "Bold where" in grid.columns
    rows = students(app)
    column = list(rows.columns).index("Writing change")
    bold = re.findall(rf"_row(\d+)_col{column}\b[^{{]*{{\s*font-weight: ?700", grid.arrow_data.styler.styles)
    # Ben declines, eight attempts in a line; Anna has three attempts alike.
    assert [rows["Student"][int(row)] for row in bold] == ["Ben Baker"]
    assert rows["Writing change"][rows["Student"] == "Ben Baker"].item() < 0
    # What comes a second time as text is short: a browser looks at no text of a small chart or a time.
    texts = convert_arrow_bytes_to_pandas_df(grid.arrow_data.styler.display_values)
    assert set(texts["Writing attempts"]) == set(texts["Last active"]) == {""}
    assert texts["Writing change"][rows["Student"] == "Ben Baker"].item().startswith("\N{MINUS SIGN}")


def test_the_file_holds_everything_that_matches(people: Store, files: dict[str, Callable[[], bytes]]) -> None:
    show(*OVERVIEW)
    name, table = read(files, "students-")
    assert name.startswith("students-30d-all-")
    assert table["name"].tolist() == ALL
    cleo = table.set_index("user_id").loc["cleo"]
    assert cleo["why"] == "Writing 1.5 below target"
    assert (cleo["target_band"], cleo["writing_level"], cleo["writing_attempts"]) == (6.5, 5.0, 7)
    assert cleo["last_seen"].endswith("+07:00")
    ben = table.set_index("user_id").loc["ben"]
    assert ben["writing_trend"] == "declining"
    assert ben["writing_slope_low"] < ben["writing_bands_per_month"] < ben["writing_slope_high"] < 0
    assert ben["writing_level_low"] < ben["writing_level"] < ben["writing_level_high"]
    assert ben["writing_change"] < -ben["writing_change_margin"] < 0
    assert table["missing_results"].sum() == 1


def test_a_long_list_has_pages_and_the_file_has_all(
    people: Store, files: dict[str, Callable[[], bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filters, "ROWS", 3)
    app = show(OVERVIEW[0], {"page": "2"})
    assert names(app) == ALL[3:6]
    assert "4–6 of 8" in words(app)
    (file,) = (make() for name, make in files.items() if "students" in name)
    assert file.decode("utf-8-sig").count("\n") > len(ALL)
    assert all(name in file.decode("utf-8-sig") for name in ALL)
    # Other rows begin with their first page; a page that is gone is the last one.
    app.segmented_control(key="flag").set_value("any").run()
    assert "page" not in app.query_params
    assert names(app) == ALL[:3]
    assert names(again(app, page="9")) == ALL[6:]
    app = again(app, page="two")
    assert names(app) == ALL[:3]
    assert "The link&#39;s page “two” is no page." in words(app)
    app = again(app, page="9" * 5_000)
    assert names(app) == ALL[:3]


def test_the_file_is_filtered_as_the_table_is(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(OVERVIEW[0], {"flag": "any", "class": "Monday evening", "of": "speaking"})
    name, table = read(files, "students-")
    assert name.startswith("students-30d-Monday-evening-")
    assert table["name"].tolist() == names(app)
    assert table["why"].tolist() == students(app)["Why"].tolist()
    assert not [column for column in table if column.startswith("writing")]
    head = list(csv.reader(io.StringIO(files[name]().decode("utf-8-sig"), newline="")))[:5]
    assert head[0] == [f"# students: {len(table)} rows (Class: Monday evening; Skill: Speaking; Show: Need attention)"]
    assert head[1] == ["# Period: the last 30 days; levels and trends from the last 180 days"]
    assert head[3] == ["# Source: Demo data"]


def test_the_weeks_add_up_to_the_evaluations() -> None:
    app = show(OVERVIEW[0], {"of": "all"})
    text = next(e.value for e in app.text if " a week" in e.value)
    # The demo has one of neither skill: it is counted above, and said here.
    assert text.startswith(f"{int(metrics(app)['Evaluations']) - 1:,} evaluations, ")
    assert text.endswith(", 1 evaluation of unknown type")
    only = show(OVERVIEW[0], {"of": "writing"})
    assert [e.value for e in only.text if " Writing evaluations, " in e.value]


# --- the roster -------------------------------------------------------------------------------------------------------


def test_without_a_roster_everything_works_by_id(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id\n")
    app = show(*OVERVIEW)
    assert {"Class", "Target", "Test", "ID"}.isdisjoint(students(app))
    assert all(name.startswith("user-") for name in names(app))
    assert not [box for box in app.selectbox if box.key == "class"]
    # A link that asks for a class must not show everybody without a word.
    assert "class “Monday evening”, which there is not" in words(show(OVERVIEW[0], {"class": "Monday evening"}))


def test_a_roster_with_bad_lines_says_which_and_why(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id,name,class,target_band\nuser-101,Ann,A,6\n,Nobody,A,6\nuser-102,Bob,A,eleven\nuser-101,Cy,,\n")
    app = show(*OVERVIEW)
    text = words(app)
    assert "2 rows of the class list" in text
    app.button(key="class_list").click().run()
    assert "In use: 2 students in 1 class, from the server settings" in words(app)
    for line in (3, 5):
        assert f"Row {line} skipped: " in words(app)
    # A target that is none costs nobody the place on the list.
    assert "Row 4: target_band “eleven” is no band" in words(app)
    assert {"Ann", "Bob"} <= set(names(app))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"%PDF-1.7", "The file is a PDF."), (b"name\nAnn\n", "first line must name its columns")],
)
def test_a_roster_that_cannot_be_used_is_said_and_the_page_stands(
    content: bytes, sentence: str, a_roster: Callable[[str | bytes], Path]
) -> None:
    a_roster(content)
    app = show(*OVERVIEW)
    assert sentence in words(app)
    assert all(name.startswith("user-") for name in names(app))


def test_students_are_called_by_their_names_on_every_page() -> None:
    first = show(*OVERVIEW)
    row = students(first).iloc[0]
    for page, params in (
        ("student", {"user_id": row["ID"]}),
        ("flashcards", {"user_id": row["ID"]}),
    ):
        assert row["Student"] in words(show(f"pages/{page}.py", params))
    history = show("pages/student.py", {"user_id": row["ID"]}).dataframe[0].value
    app = show("pages/evaluation.py", {"evaluation_id": history["ID"].iloc[0], "user_id": row["ID"]})
    assert row["Student"] in words(app)
    app = show("pages/evaluation.py", {"evaluation_id": "speak-xyz789", "user_id": "user-456"})
    assert "user-456" in words(app)


def test_the_students_page_has_the_reasons_of_the_list_and_what_to_do() -> None:
    for _, row in students(show(*OVERVIEW)).head(4).iterrows():
        text = words(show("pages/student.py", {"user_id": row["ID"]}))
        of_one_skill = [reason for reason in row["Why"].split("; ") if not reason.lower().startswith("both")]
        assert [reason for reason in of_one_skill if reason not in text] == []
        for word in ("declining", "below target", "until the test"):
            skills = [skill for skill in SKILL_NAMES.values() if re.search(rf"{skill} [^;<]*{word}", text)]
            assert (word in row["Why"]) == bool(skills)
            if re.search(rf"both [^;]*{word}", row["Why"], re.IGNORECASE):
                assert skills == [*SKILL_NAMES.values()]
        assert "Next step:" in text
        assert ("missing result" in text) == ("missing result" in row["Why"])
