"""Every page as a whole, in process: full, empty, with one record, with odd records, and with AWS failing."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from data.demo import engine
from data.demo.sample import ODD_STUDENT, SEED_EVALUATIONS, SEED_SET, SEED_STUDENT
from data.dynamodb.client import Store
from data.dynamodb.errors import Failure
from data.provisioning.requests import create_request
from data.records import evaluations
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from queries.access.gate import Visitor
from queries.session import cache
from tests.support import engines
from tests.support.app import (
    EVALUATION,
    FAILURES,
    FLASHCARDS,
    OVERVIEW,
    PAGES,
    STUDENT,
    FailingClient,
    levels,
    metrics,
    scores,
    show,
    words,
)
from tests.support.known_class import completed, failed, put
from ui.shell import sign_in
from ui.shell.boundary import NOT_SHOWN
from ui.students import record

pytestmark = pytest.mark.slow


def test_the_overview_shows_who_was_active_in_the_demo() -> None:
    app = show(*OVERVIEW)
    students = app.dataframe[0].value
    assert len(students) > 25
    assert list(students.columns)[:3] == ["Student", "Why", "Next step"]
    assert {"Class", "Speaking", "Target", "Weakest criterion", "Evaluations", "Last active", "Missing results"} <= set(
        students
    )
    assert "Demo" in words(app)
    assert "cost unknown" in words(app)


def test_a_longer_period_shows_more_students() -> None:
    week, year = show(OVERVIEW[0], {"period": "7d"}), show(OVERVIEW[0], {"period": "12m"})
    active = [int(metrics(app)["Active students"]) for app in (week, year)]
    assert active[0] < active[1]
    # Whoever of the roster was not active is in the list all the same.
    assert all(len(app.dataframe[0].value) >= 41 for app in (week, year))


def test_an_unknown_period_is_said_and_the_default_shown() -> None:
    app = show(OVERVIEW[0], {"period": "<b>century</b>"})
    assert "&lt;b&gt;century&lt;/b&gt;”, which there is not" in words(app)
    assert len(app.dataframe[0].value) > 25


def test_the_seed_documents_items_are_shown_right(empty: Store) -> None:
    for table, records in ((EVALUATIONS, SEED_EVALUATIONS), (FLASHCARD_SETS, [SEED_SET])):
        engine.write(empty.client, empty.settings.name(table), [dict(record) for record in records])

    student = show(*STUDENT)
    # The seed's attempts are of 2024: they are shown, but a level of today is not made of them.
    assert list(levels(student).values()) == [["–", "No attempts in the last 180 days · latest 7.0"]] * 2
    history = student.dataframe[0].value
    assert sorted(history["ID"]) == ["eval-abc123", "speak-xyz789"]
    assert set(history["Band"]) == {"7.0"}
    assert history["Date"].iloc[0] == "8 Dec 2024, 15:00"
    assert student.dataframe[1].value["Document"].tolist() == ["vocab-guide"]
    assert "2 requests · 1 read unit<" in words(student)

    speaking = words(show(*EVALUATION))
    assert "Fluency and coherence 7.0" in speaking
    assert "Pronunciation 6.5" in speaking
    assert "Well, I&#39;d like to talk about..." in speaking
    assert "185 words · 2 min 1 s · 92 words per minute" in speaking
    assert "8 Dec 2024, 15:00" in speaking
    # The document's own feedback holds [...], which cannot be read: shown as it is, and said.
    assert "{&#34;fluency&#34;:{...},&#34;pronunciation&#34;:{...}}" in speaking
    assert "This feedback could not be read" in speaking

    cards = show(*FLASHCARDS)
    assert "What is..." in words(cards)
    assert "1 of 15 expected" in words(cards)


def test_an_evaluation_is_found_by_its_id_alone(empty: Store) -> None:
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0])])
    assert "Task response 7.0" in words(show("pages/evaluation.py", {"evaluation_id": "eval-abc123"}))


def test_an_id_that_two_students_share_asks_whose(empty: Store) -> None:
    twins = [{**SEED_EVALUATIONS[0], "user_id": user_id} for user_id in ("user-1", "user-2")]
    engine.write(empty.client, empty.settings.name(EVALUATIONS), twins)
    app = show("pages/evaluation.py", {"evaluation_id": "eval-abc123"})
    assert "2 students have evaluations with this ID." in words(app)
    app.selectbox[0].select("user-2").run()
    assert "user-2" in words(app)
    assert "Task response 7.0" in words(app)


def test_bands_show_the_change_since_the_evaluation_before(empty: Store) -> None:
    older = {**SEED_EVALUATIONS[0], "evaluation_id": "eval-1", "overall_band": "6.0", "created_at": 1733000000}
    failed = {**older, "evaluation_id": "eval-2", "status": "failed", "created_at": 1733100000}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0]), older, failed])
    app = show("pages/evaluation.py", {"evaluation_id": "eval-abc123", "user_id": SEED_STUDENT})
    assert scores(app)["Writing band"] == "7.0 +1.0"
    assert "← Previous" in words(app)
    assert "Next →" not in words(app)


def test_that_an_evaluation_is_the_first_is_said_only_where_its_history_is_there(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(empty, completed("u", 1, 6.0))
    address = "pages/evaluation.py", {"evaluation_id": "u-writing-1", "user_id": "u"}
    assert "First Writing evaluation." in words(show(*address))
    cache.clear()

    def refuse(*_: Any, **__: Any) -> Any:
        raise Failure("access_denied", operation="Query")

    monkeypatch.setattr(evaluations, "history", refuse)
    text = words(show(*address))
    assert "Task achievement 6.0" in text
    assert "First Writing evaluation." not in text


def test_of_a_failed_evaluation_no_criterion_stands_there_empty(empty: Store) -> None:
    put(empty, failed("u", 1))
    app = show("pages/evaluation.py", {"evaluation_id": "u-writing-1", "user_id": "u"})
    bands = scores(app)
    assert bands["Writing band"] == "– No band."
    assert "Lexical resource" not in bands
    text = words(app)
    assert "This evaluation failed." in text
    assert "Ask the student to submit again." in text
    assert "Open job" in text


def test_a_failed_evaluation_that_was_done_again_leaves_nothing_to_do(empty: Store) -> None:
    put(empty, failed("u", 3), completed("u", 2.5, 6.0))
    address = "pages/evaluation.py", {"evaluation_id": "u-writing-3", "user_id": "u"}
    assert record.NOTHING_TO_DO in words(show(*address))


def test_whether_a_failed_evaluation_was_done_again_is_not_said_where_the_history_is_not_there(
    empty: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(empty, failed("u", 3), completed("u", 2.5, 6.0))

    def refuse(*_: Any, **__: Any) -> Any:
        raise Failure("access_denied", operation="Query")

    monkeypatch.setattr(evaluations, "history", refuse)
    text = words(show("pages/evaluation.py", {"evaluation_id": "u-writing-3", "user_id": "u"}))
    assert "unless there is a later result" in text
    assert record.NOTHING_TO_DO not in text


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (OVERVIEW, "No activity in the last 30 days"),
        (STUDENT, "IDs are case-sensitive."),
        (EVALUATION, "There is no evaluation “speak-xyz789”"),
        (FLASHCARDS, "There is no flashcard set “flashcard-set-123”"),
        (("pages/flashcards.py", {"user_id": SEED_STUDENT}), "No flashcard sets yet"),
        (("pages/student.py", {}), "Browse all students"),
        (("pages/evaluation.py", {}), "Browse all students"),
        (("pages/flashcards.py", {}), "Browse all students"),
    ],
)
def test_an_empty_table_gives_a_sentence_and_a_way_on(
    empty: Store, page: tuple[str, dict[str, str]], sentence: str
) -> None:
    assert sentence in words(show(*page))


def test_a_student_with_only_a_waiting_job_has_no_band_and_no_zero(empty: Store) -> None:
    record = {"evaluation_id": "e", "user_id": "u", "evaluation_type": "writing", "status": "processing"}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [{**record, "created_at": 1733644800}])
    app = show("pages/student.py", {"user_id": "u"})
    assert list(levels(app).values()) == [["–", "No results yet"]] * 2
    assert app.dataframe[0].value["Status"].str.startswith("■ stuck").all()
    detail = words(show("pages/evaluation.py", {"evaluation_id": "e", "user_id": "u"}))
    assert "Writing band –" in detail
    assert "No feedback." in detail


def test_odd_records_are_all_in_the_history_with_what_is_odd() -> None:
    app = show("pages/student.py", {"user_id": ODD_STUDENT})
    history = app.dataframe[0].value.set_index("ID")
    assert len(history) == 22
    assert history.loc["eval-odd-04", "Band"] == "7.0"
    assert "comma" in history.loc["eval-odd-04", "Data problems"]
    assert history.loc["eval-odd-06", "Band"] == "–"
    assert history.loc["eval-odd-07", "Band"] == "6.25"
    assert history.loc["eval-odd-09", "Status"] == "? queued"


@pytest.mark.parametrize("number", range(1, 20))
def test_each_odd_evaluation_opens(number: int) -> None:
    app = show("pages/evaluation.py", {"evaluation_id": f"eval-odd-{number:02d}", "user_id": ODD_STUDENT})
    assert "Raw record (JSON)" in words(app)
    assert NOT_SHOWN not in words(app)


@pytest.mark.parametrize("name", ["time-1", "time-2", "bare", "timeless"])
def test_each_evaluation_with_an_odd_time_opens(name: str) -> None:
    app = show("pages/evaluation.py", {"evaluation_id": f"eval-odd-{name}", "user_id": ODD_STUDENT})
    assert NOT_SHOWN not in words(app)
    assert "Data problems in this record (" in words(app)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_odd_flashcard_set_shows_its_cards(number: int) -> None:
    app = show("pages/flashcards.py", {"set_id": f"flashcard-set-odd-{number}", "user_id": ODD_STUDENT})
    assert "One?" in words(app)
    assert ("Repaired: " if number == 1 else "Data problems in this record (") in words(app)


def test_a_card_turns_and_the_next_one_shows_its_question() -> None:
    app = show("pages/flashcards.py", {"set_id": "flashcard-set-odd-2", "user_id": ODD_STUDENT})
    assert "1 of 2 · question" in words(app)
    app.button(key="card_turn").click().run()
    # What was asked stays above its answer.
    assert "1 of 2 · answer" in words(app)
    assert ">One?</div>" in words(app)
    app.button(key="card_next").click().run()
    assert "2 of 2 · question" in words(app)


def test_known_cards_are_counted_and_not_asked_again() -> None:
    app = show("pages/flashcards.py", {"set_id": "flashcard-set-odd-2", "user_id": ODD_STUDENT})
    app.button(key="card_turn").click().run()
    app.button(key="card_known").click().run()
    assert "2 of 2 · question" in words(app)
    app.button(key="card_turn").click().run()
    app.button(key="card_again").click().run()
    # The first is known: the second comes back.
    assert "2 of 2 · question" in words(app)
    app.button(key="card_turn").click().run()
    app.button(key="card_known").click().run()
    assert "All 2 known." in words(app)
    assert "· question" not in words(app)
    app.button(key="card_start_over").click().run()
    assert "1 of 2 · question" in words(app)
    assert "card_start_over" not in [button.key for button in app.button]
    app.button(key="card_shuffle").click().run()
    assert "1 of 2 · question" in words(app)


def test_the_cards_can_be_searched() -> None:
    params = {"set_id": "flashcard-set-odd-2", "user_id": ODD_STUDENT}
    app = show("pages/flashcards.py", {**params, "cards": "TWO"})
    assert app.dataframe[0].value["Question"].tolist() == ["Two?"]
    assert "No cards found." in words(show("pages/flashcards.py", {**params, "cards": "none"}))


def test_a_set_can_be_taken_away(files: dict[str, Callable[[], bytes]]) -> None:
    app = show("pages/flashcards.py", {"set_id": "flashcard-set-odd-2", "user_id": ODD_STUDENT})
    assert [button.label for button in app.get("download_button")] == [
        "Download for Anki (.apkg)",
        "Download spreadsheet (TSV)",
    ]
    offered = {name: make for name, make in files.items() if name.startswith("flashcards-")}
    assert "Cards that cannot be read" not in words(app)
    (apkg, package), (tsv, table) = offered.items()
    assert re.fullmatch(r"flashcards-flashcard-set-odd-2-\d{8}-\d{4}\.apkg", apkg)
    assert tsv == apkg.replace(".apkg", ".tsv")
    assert zipfile.ZipFile(io.BytesIO(package())).namelist() == ["collection.anki2", "media"]
    text = table().decode("utf-8-sig")
    assert "# Set: flashcard-set-odd-2\r\n" in text
    assert "# Source: Demo data\r\n" in text
    assert "Two?\t" in text


def test_a_set_with_cards_that_cannot_be_read_says_so_by_its_files(files: dict[str, Callable[[], bytes]]) -> None:
    app = show("pages/flashcards.py", {"set_id": "flashcard-set-odd-3", "user_id": ODD_STUDENT})
    assert "Cards that cannot be read are missing from the files." in words(app)
    assert all(make() for name, make in files.items() if name.startswith("flashcards-"))


def test_a_set_without_cards_offers_no_file(empty: Store, files: dict[str, Callable[[], bytes]]) -> None:
    record = {**SEED_SET, "flashcards": "[]", "total_cards": 0}
    engine.write(empty.client, empty.settings.name(FLASHCARD_SETS), [record])
    assert "This set has no cards." in words(show(*FLASHCARDS))
    assert not [name for name in files if name.startswith("flashcards-")]


def test_the_history_is_filtered_by_the_url() -> None:
    app = show("pages/student.py", {"user_id": "user-101", "skill": "speaking", "status": "completed"})
    history = app.dataframe[0].value
    assert set(history["Skill"]) == {"Speaking"}
    assert set(history["Status"]) == {"✓ completed"}


def test_a_filter_goes_into_the_url_and_its_default_goes_out() -> None:
    app = show("pages/student.py", {"user_id": "user-101"})
    app.toggle(key="beside").set_value(True).run()
    assert app.query_params["beside"] == "on"
    app.toggle(key="beside").set_value(False).run()
    assert "beside" not in app.query_params


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page[0])
@pytest.mark.parametrize(("error", "sentence"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_failure_is_a_sentence_at_its_place_and_the_frame_stands(
    page: tuple[str, dict[str, str]],
    error: Exception,
    sentence: str,
    new_settings: Callable[[str], Settings],
    use: Callable[[Store], None],
) -> None:
    client: Any = FailingClient(error)
    use(Store(new_settings("http://127.0.0.1:1"), client))
    text = words(show(*page))
    assert sentence in text
    assert NOT_SHOWN in text
    assert "Traceback" not in text
    assert "Refresh" in text


def test_one_failing_table_leaves_the_other_standing(empty: Store) -> None:
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0])])
    empty.client.delete_table(TableName=empty.settings.name(FLASHCARD_SETS))
    text = words(show(*STUDENT))
    assert "No attempts in the last 180 days" in text
    assert f"The flashcard sets {NOT_SHOWN}. There is no table" in text


def test_without_the_index_a_scan_is_offered_with_its_cost_and_only_a_click_scans(
    dynoxide: str,
    new_settings: Callable[[str], Settings],
    use: Callable[[Store], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Store.open(new_settings(dynoxide), **engines.CREDENTIALS)
    for table in TABLES:
        request = create_request(table, store.settings.name(table))
        del request["GlobalSecondaryIndexes"]
        keys = table.key_names
        request["AttributeDefinitions"] = [d for d in request["AttributeDefinitions"] if d["AttributeName"] in keys]
        store.client.create_table(**request)
    engine.write(store.client, store.settings.name(EVALUATIONS), [dict(record) for record in SEED_EVALUATIONS])
    use(store)
    app = show(*STUDENT)
    assert "has no index user_id-created_at-index" in words(app)
    cost = "what its size makes it, which DynamoDB has not counted yet"
    assert f"Reading the whole table once costs {cost}" in words(app)
    assert "Setup" in words(app)
    assert not app.dataframe
    next(b for b in app.button if b.label == "Read the whole table").click().run()
    assert sorted(app.dataframe[0].value["ID"]) == ["eval-abc123", "speak-xyz789"]
    monkeypatch.setattr(sign_in, "recognise", lambda _: Visitor("le@school.example", "teacher"))
    app.run()
    assert not app.dataframe
    assert "Only ops may read a whole table." in words(app)
    teachers = show(*STUDENT)
    assert "Ask an administrator to scan the table." in words(teachers)
    assert "Read the whole table" not in [b.label for b in teachers.button]


def test_a_too_long_or_repeated_id_in_the_link_is_said() -> None:
    assert "too long to be an id" in words(show("pages/student.py", {"user_id": "x" * 10_000}))
    assert "more than once" in words(show("pages/student.py", {"user_id": ["user-101", "user-102"]}))


def test_refresh_reads_again(empty: Store) -> None:
    app = show(*STUDENT)
    assert "No evaluations found" in app.info[0].proto.title
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0])])
    app.run()
    assert not app.dataframe
    app.button(key="_refresh").click().run()
    assert app.dataframe[0].value["ID"].tolist() == ["eval-abc123"]


def test_a_click_that_needs_no_new_data_makes_no_request(empty: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0])])
    app = show(*STUDENT)
    monkeypatch.setattr(empty, "client", FailingClient(AssertionError("a request")))
    app.segmented_control(key="skill").set_value("writing").run()
    assert app.query_params["skill"] in ("writing", ["writing"])
    assert NOT_SHOWN not in words(app)


def test_times_are_local_and_name_their_zone() -> None:
    text = words(show(*EVALUATION, timezone="America/New_York"))
    assert "8 Dec 2024, 03:00" in text
    assert text.count("America/New_York") == 1


def test_the_footer_names_the_cost_of_what_is_on_screen(empty: Store) -> None:
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [dict(SEED_EVALUATIONS[0])])
    # GetItem of one small item: half a unit; the history's one page: half a unit.
    assert "2 requests · 1 read unit<" in words(
        show("pages/evaluation.py", {"evaluation_id": "eval-abc123", "user_id": SEED_STUDENT})
    )


MENDED = {
    "fence": ('```json\n{"strengths": ["Clear aim"]}\n```', "Repaired: a code block around it."),
    "cut": ('{"strengths": ["Clear aim"], "weaknesses": ["Few', "Incomplete: breaks off after “Clear aim”."),
}


@pytest.mark.parametrize(("stored", "remark"), MENDED.values(), ids=MENDED)
def test_mended_feedback_is_shown_with_a_remark_and_its_text(stored: str, remark: str, empty: Store) -> None:
    record = {**SEED_EVALUATIONS[0], "feedback": stored}
    engine.write(empty.client, empty.settings.name(EVALUATIONS), [record])
    page = show("pages/evaluation.py", {"evaluation_id": record["evaluation_id"], "user_id": record["user_id"]})
    assert "Strengths" in words(page)
    assert remark in words(page)
    assert "Original text" in [part.label for part in page.expander]


def test_mended_cards_are_shown_with_a_remark_and_their_text(empty: Store) -> None:
    record = {**SEED_SET, "flashcards": 'Here: [{"Question": "One?", "Answer": "1",}]', "total_cards": 1}
    engine.write(empty.client, empty.settings.name(FLASHCARD_SETS), [record])
    page = show("pages/flashcards.py", {"set_id": record["set_id"], "user_id": record["user_id"]})
    assert "One?" in words(page)
    assert "Repaired: other text around it; a comma too many;" in words(page)
    assert "Original text" in [part.label for part in page.expander]
