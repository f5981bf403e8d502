"""The page Overview: who needs attention and why, in order; its filters and rules; the roster; what is taken away."""

# The fixtures of test_pages are arguments here, which looks like defining them again.

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from data.dynamodb.store import Store
from data.roster import TEMPLATE
from data.schema import CRITERIA, SPEAKING
from tests.support.accounts import watching
from tests.support.app import OVERVIEW, metrics, show, words
from tests.support.known_class import completed, failed, put, read

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
ALL = ["Anna Able", "Ben Baker", "Cleo Cole", "Dora Dean", "Emil Eck", "Gus Gray", "Hal Hill", "Fay Fox"]


FALLING = (7.0, 6.5, 6.5, 6.0, 5.5, 5.5, 5.0, 4.5)


@pytest.fixture
def a_roster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Let a file be the server's roster."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "roster.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        monkeypatch.setenv("BANDUP_ROSTER", str(path))
        return path

    return write


@pytest.fixture
def people(empty: Store, use: Callable[[Store], None], a_roster: Callable[[str | bytes], Path]) -> Store:
    """One student for every rule, one of whom nothing is to be said, two of the roster who were not active lately."""
    weak = {"grammar_band": "4.5"}
    put(
        empty,
        *(completed("anna", days, 5.0) for days in (9, 6, 5)),
        failed("anna", 3, SPEAKING),
        *(completed("ben", 57 - 8 * n, band) for n, band in enumerate(FALLING)),
        *(completed("cleo", days, 5.0) for days in (9, 6, 2)),
        completed("cleo", 2.5, 6.5, SPEAKING),
        *(completed("dora", days, 6.0, **weak) for days in (9, 7)),
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
    assert why.pop("Ben Baker").startswith("Writing falling 1.")
    assert why == {
        "Anna Able": "1 result lost",
        "Cleo Cole": "1.5 below target in Writing",
        "Dora Dean": "Grammar 1.5 below the rest of Writing",
        "Emil Eck": "20 days away",
        "Gus Gray": "40 days away",
        "Hal Hill": "not seen in 180 days",
        "Fay Fox": "",
    }
    assert metrics(app) == {"Active students": "6", "Evaluations": "17", "Need attention": "7", "Results lost": "1"}
    assert "8 of 8 students, those who need attention first." in words(app)


def test_levels_of_those_who_were_not_active_are_known_and_their_absence_is_counted(people: Store) -> None:
    app = show(*OVERVIEW)
    gus = students(app).set_index("Student").loc["Gus Gray"]
    assert (gus["Writing"], gus["Evaluations"], gus["Results lost"]) == ("6.0", 0, 0)
    # Whoever is not in the roster is only listed when active.
    assert "ida" not in names(app)
    assert "ida" in names(again(app, period="90d"))
    # A short period makes nobody absent who was here within the rule's days.
    week = students(again(app, period="7d")).set_index("Student")["Why"]
    assert week["Dora Dean"] == "Grammar 1.5 below the rest of Writing"
    assert week["Emil Eck"] == "20 days away"
    assert dict(week)["Hal Hill"] == "not seen in 180 days"


@pytest.mark.parametrize(
    ("flag", "shown"),
    [
        ("any", ALL[:-1]),
        ("lost", ["Anna Able"]),
        ("falling", ["Ben Baker"]),
        ("below", ["Cleo Cole"]),
        ("weakest", ["Dora Dean"]),
        ("away", ["Emil Eck", "Gus Gray", "Hal Hill"]),
    ],
)
def test_the_students_with_a_flag(flag: str, shown: list[str], people: Store) -> None:
    app = show(OVERVIEW[0], {"flag": flag})
    assert names(app) == shown
    # The metrics are of the class, whatever of it is listed.
    assert metrics(app)["Need attention"] == "7"
    assert f"{len(shown)} of 8 students" in words(app)


def test_nobody_with_a_flag_is_said(people: Store) -> None:
    app = show(OVERVIEW[0], {"flag": "below", "class": "Evening"})
    assert "None of these 3 students. “Everybody” shows them all." in words(app)
    assert "Student" not in {name for frame in app.dataframe[:1] for name in frame.value if "Why" in frame.value}


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"class": "Morning"}, ["Anna Able", "Ben Baker", "Cleo Cole", "Hal Hill"]),
        ({"class": "-"}, ["Fay Fox"]),
        ({"of": "speaking"}, ["Cleo Cole", "Hal Hill", "Fay Fox"]),
        ({"of": "writing", "class": "Evening"}, ["Dora Dean", "Emil Eck", "Gus Gray"]),
    ],
)
def test_class_and_skill_are_filtered_by_the_url(params: dict[str, str], shown: list[str], people: Store) -> None:
    app = show(OVERVIEW[0], params)
    assert sorted(names(app)) == sorted(shown)
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
    ({"below": "1.5"}, "Cleo Cole", True),
    ({"below": "2"}, "Cleo Cole", False),
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
        ({"away": "soon"}, "The link&#x27;s days away “soon” is no number up to 180."),
        ({"away": "-1"}, "“-1” is no number up to 180."),
        ({"away": "181"}, "“181” is no number up to 180."),
        ({"below": "nan"}, "The link&#x27;s bands below the target “nan” is no number up to 9."),
        ({"weakest": "1e9"}, "“1e9” is no number up to 9."),
        ({"falling": "<b>"}, "The link&#x27;s “The trend is falling” is “&lt;b&gt;”, neither on nor off."),
        ({"lost": "no"}, "The link&#x27;s “A result is lost” is “no”, neither on nor off."),
        ({"flag": "late"}, "The link asks for show “late”, which there is not."),
        ({"of": "reading"}, "The link asks for skill “reading”, which there is not."),
        ({"class": "Night"}, "The link asks for class “Night”, which there is not."),
        ({"group": "writing.x"}, "“writing.x”, which there is not."),
    ],
)
def test_nonsense_in_the_url_is_said_and_the_default_holds(
    params: dict[str, str], sentence: str, people: Store
) -> None:
    app = show(OVERVIEW[0], params)
    assert sentence in words(app)
    assert names(app) == ALL


def test_the_rules_are_unfolded_where_a_link_changes_them() -> None:
    def unfolded(app: AppTest) -> bool:
        return next(e for e in app.expander if e.label.startswith("When does")).proto.expanded

    assert not unfolded(show(*OVERVIEW))
    assert unfolded(show(OVERVIEW[0], {"below": "x"}))


# --- what it reads ----------------------------------------------------------------------------------------------------


def test_three_queries_and_none_on_a_click_that_needs_no_new_data(people: Store) -> None:
    with watching(people.client) as wire:
        app = show(*OVERVIEW)
        assert wire.operations.count("Query") == 3
        assert set(wire.operations) <= {"Query", "DescribeTable"}
        assert "3 requests" in words(app)
        app.segmented_control(key="flag").set_value("any").run()
        app.selectbox(key="class").set_value("Evening").run()
        app.number_input(key="away").set_value(30.0).run()
        app.segmented_control(key="period").set_value("90d").run()
        assert wire.operations.count("Query") == 3
        # Twelve months are more than the 180 days that levels need.
        app.segmented_control(key="period").set_value("12m").run()
        assert wire.operations.count("Query") == 6


def test_a_groups_feedback_is_read_after_a_click_that_shows_the_cost(people: Store) -> None:
    weak = {"grammar_band": "4.5"}
    put(people, *(completed("fay", days, 6.5, **weak) for days in (3, 4)))
    with watching(people.client) as wire:
        app = show(*OVERVIEW)
        assert "Grammar (2 students)" in " ".join(app.selectbox(key="group").options)
        assert "2 students, lowest level first. Half of them are at or below 4.5 in Grammar." in words(app)
        assert app.dataframe[1].value["Student"].tolist() == ["Dora Dean", "Fay Fox"]
        assert "Reading the newest 2 evaluations of each student whole (4 records) costs" in words(app)
        assert "BatchGetItem" not in wire.operations
        app.toggle(key="lesson").set_value(True).run()
        assert wire.operations.count("BatchGetItem") == 1
        app.run()
        assert wire.operations.count("BatchGetItem") == 1
    assert "Check every verb." in words(app)
    assert "to 2 of 2 students" in words(app)
    # Whom it was said to, by name.
    assert {"Dora Dean", "Fay Fox"} <= {link.proto.label for link in app.get("page_link")}


def test_a_group_is_chosen_and_kept_in_the_url() -> None:
    app = show(*OVERVIEW)
    box = app.selectbox(key="group")
    first = app.dataframe[1].value
    code = app.selectbox(key="group").proto.options[1]
    chosen = next(o for o in ("writing", "speaking") if code.startswith(o.capitalize()))
    criterion = next(c for c, name in CRITERIA[chosen].items() if name in code)
    box.set_value(f"{chosen}.{criterion}").run()
    assert app.query_params["group"] in (f"{chosen}.{criterion}", [f"{chosen}.{criterion}"])
    assert not first.equals(app.dataframe[1].value)
    levels = [float(level) for level in app.dataframe[1].value["Level"]]
    assert levels == sorted(levels)


# --- the table and the file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [{}, {"class": "Monday evening"}, {"of": "writing"}, {"period": "7d"}])
def test_the_metrics_agree_with_the_table(params: dict[str, str]) -> None:
    app = show(OVERVIEW[0], params)
    table = students(app)
    assert metrics(app) == {
        "Active students": str((table["Evaluations"] > 0).sum()),
        "Evaluations": str(table["Evaluations"].sum()),
        "Need attention": str(table["Why"].notna().sum()),
        "Results lost": str(table["Results lost"].sum()),
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


def test_the_file_holds_everything_that_matches(people: Store, files: dict[str, Callable[[], bytes]]) -> None:
    show(*OVERVIEW)
    name, table = read(files, "students-")
    assert name.startswith("students-30d-all-")
    assert table["name"].tolist() == ALL
    cleo = table.set_index("user_id").loc["cleo"]
    assert cleo["why"] == "1.5 below target in Writing"
    assert (cleo["target_band"], cleo["writing_level"], cleo["writing_attempts"]) == (6.5, 5.0, 3)
    assert cleo["last_seen"].endswith("+07:00")
    ben = table.set_index("user_id").loc["ben"]
    assert ben["writing_trend"] == "falling"
    assert ben["writing_interval_low"] < ben["writing_bands_per_month"] < ben["writing_interval_high"] < 0
    assert table["results_lost"].sum() == 1


def test_the_file_is_filtered_as_the_table_is(files: dict[str, Callable[[], bytes]]) -> None:
    app = show(OVERVIEW[0], {"flag": "any", "class": "Monday evening", "of": "speaking"})
    name, table = read(files, "students-")
    assert name.startswith("students-30d-Monday-evening-")
    assert table["name"].tolist() == names(app)
    assert table["why"].tolist() == students(app)["Why"].tolist()
    assert not [column for column in table if column.startswith("writing")]
    head = list(csv.reader(io.StringIO(files[name]().decode("utf-8-sig"), newline="")))[:5]
    assert head[0] == [f"# students: {len(table)} rows"]
    assert head[1] == ["# Period: the last 30 days; levels and trends from the last 180 days"]
    assert head[3] == ["# Source: Demo: invented students, gone when the dashboard stops"]


def test_the_weeks_add_up_to_the_evaluations() -> None:
    app = show(OVERVIEW[0], {"of": "all"})
    said = next(e.value for e in app.text if " in a usual week" in e.value)
    # The demo has one of neither skill: it is counted above, and said here.
    assert said.startswith(f"{int(metrics(app)['Evaluations']) - 1:,} evaluations, ")
    assert said.endswith(", 1 more of neither skill")
    only = show(OVERVIEW[0], {"of": "writing"})
    assert [e.value for e in only.text if " Writing evaluations, " in e.value]


# --- the roster -------------------------------------------------------------------------------------------------------


def test_without_a_roster_everything_works_by_id(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id\n")
    app = show(*OVERVIEW)
    assert {"Class", "Target", "Id"}.isdisjoint(students(app))
    assert all(name.startswith("user-") for name in names(app))
    assert list(app.dataframe[1].value) == ["Student", "Level"]
    assert "No roster is in use: students are shown by their ids" in words(app)
    assert "Find a student by id" in [box.label for box in app.text_input]
    assert not [box for box in app.selectbox if box.key == "class"]
    # A link that asks for a class must not show everybody without a word.
    assert "class “Monday evening”, which there is not" in words(show(OVERVIEW[0], {"class": "Monday evening"}))


def test_a_roster_with_bad_lines_says_which_and_why(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id,name,class,target_band\nuser-101,Ann,A,6\n,Nobody,A,6\nuser-102,Bob,A,eleven\nuser-101,Cy,,\n")
    app = show(*OVERVIEW)
    shown = words(app)
    assert "In use: 1 student in 1 class, from the dashboard&#x27;s settings" in shown.replace("'", "&#x27;")
    for line in (3, 4, 5):
        assert f"Line {line} is not used: " in shown
    assert "Ann" in names(app)
    assert "Bob" not in names(app)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe", "The roster is not in UTF-8."), (b"name\nAnn\n", "first line must name its columns")],
)
def test_a_roster_that_cannot_be_used_is_said_and_the_page_stands(
    content: bytes, sentence: str, a_roster: Callable[[str | bytes], Path]
) -> None:
    a_roster(content)
    app = show(*OVERVIEW)
    assert sentence in words(app)
    assert all(name.startswith("user-") for name in names(app))


def test_a_roster_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BANDUP_ROSTER", f"{tmp_path}/none.csv")
    app = show(*OVERVIEW)
    assert "none.csv cannot be read: No such file or directory." in words(app)
    assert len(students(app)) > 25


def test_a_roster_of_ones_own_is_used_for_the_visit_and_given_up(a_roster: Callable[[str | bytes], Path]) -> None:
    a_roster("user_id,name\nuser-101,Of the server\n")
    app = show(*OVERVIEW)
    own = "user_id,name,class,target_band\nuser-101,Tên Đẹp,<b>One</b>,8.0\nuser-102,=1+1,<b>One</b>,\n"
    app.file_uploader[0].set_value(("mine.csv", own.encode(), "text/csv")).run()
    assert not app.exception
    assert "In use: 2 students in 1 class, uploaded for this visit." in words(app)
    table = students(app).set_index("Student")
    assert table.loc["Tên Đẹp", "Target"] == "8.0"
    assert "below target in Writing" in table.loc["Tên Đẹp", "Why"]
    assert "Of the server" not in table.index
    assert "<b>One</b>" in app.selectbox(key="class").options
    # The other pages know it too.
    app.switch_page("pages/student.py")
    app.query_params["user_id"] = "user-101"
    app.run()
    assert "Tên Đẹp" in words(app)
    assert "&lt;b&gt;One&lt;/b&gt; · target 8.0" in words(app)
    # Another visit does not.
    assert "Of the server" in names(show(*OVERVIEW))
    app.switch_page("pages/overview.py")
    app.run()
    app.button(key="forget_roster").click().run()
    assert "Of the server" in names(app)
    assert not [b for b in app.button if b.key == "forget_roster"]


def test_a_file_that_is_no_roster_leaves_the_one_before() -> None:
    app = show(*OVERVIEW)
    before = names(app)
    app.file_uploader[0].set_value(("mine.csv", b"name\nAnn\n", "text/csv")).run()
    assert "first line must name its columns" in words(app)
    assert "The roster before stays in use." in words(app)
    assert names(app) == before


def test_the_template_is_a_roster(files: dict[str, Callable[[], bytes]]) -> None:
    show(*OVERVIEW)
    assert files["roster-template.csv"] == TEMPLATE.encode()


def test_students_are_called_by_their_names_on_every_page() -> None:
    first = show(*OVERVIEW)
    row = students(first).iloc[0]
    for page, params in (
        ("student", {"user_id": row["Id"]}),
        ("flashcards", {"user_id": row["Id"]}),
    ):
        assert row["Student"] in words(show(f"pages/{page}.py", params))
    history = show("pages/student.py", {"user_id": row["Id"]}).dataframe[0].value
    app = show("pages/evaluation.py", {"evaluation_id": history["Id"].iloc[0], "user_id": row["Id"]})
    assert f"{row['Student']} ({row['Id']})" in words(app)
    app = show("pages/evaluation.py", {"evaluation_id": "speak-xyz789", "user_id": "user-456"})
    assert "user-456" in words(app)


def test_a_part_of_a_name_finds_a_student_and_several_are_asked_for() -> None:
    app = show(*OVERVIEW)
    app.text_input[0].set_value("zoë")
    next(b for b in app.button if b.label == "Open").click().run()
    assert "user-141" in words(app)
    app = show(*OVERVIEW)
    app.text_input[0].set_value("TR")
    next(b for b in app.button if b.label == "Open").click().run()
    box = next(b for b in app.selectbox if "which one?" in b.label)
    assert len(box.options) > 1
    assert all("tr" in option.casefold() for option in box.options)
