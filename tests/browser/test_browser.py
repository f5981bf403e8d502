"""The dashboard in Chromium: the ways people take, deep links, what leaves for other hosts, accessibility, widths."""

import json

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from data.demo import engine
from data.demo.sample import SEED_EVALUATIONS, SEED_SET
from data.dynamodb.client import Store
from data.provisioning.requests import create
from data.schema import EVALUATIONS, FLASHCARD_SETS, TABLES
from data.settings import Settings
from tests.conftest import assert_accessible
from tests.support import browser, engines
from tests.support.addresses import PATHS, paths
from tests.support.browser import Visitor
from ui.shell.boundary import NOT_SHOWN

pytestmark = pytest.mark.usefixtures("chromium")


def test_from_the_overview_to_a_student_to_an_evaluation_and_back(visitor: Visitor) -> None:
    visitor.open("/?period=12m")
    student = visitor.cell("students", 1, 1)
    visitor.click_row("students", 1)
    visitor.arrives("/student?period=12m&user_id=user-")
    visitor.sees(student)
    visitor.page.get_by_role("tab", name="Evaluations").click()
    visitor.page.get_by_text("Completed", exact=True).click()
    visitor.idle()
    visitor.click_row("history", 0)
    visitor.arrives("/evaluation?")
    visitor.sees(student)
    visitor.sees("Feedback")
    visitor.page.go_back()
    visitor.idle()
    visitor.arrives("/student?")
    assert "status=completed" in visitor.path()
    visitor.sees(student)
    visitor.page.get_by_role("link", name="Students").first.click()
    visitor.idle()
    visitor.sees("All students")


def on_screen(visitor: Visitor, selector: str, height: float) -> bool:
    """Whether the element begins and has `height` pixels on the screen, without scrolling, once all has its place."""
    viewport = visitor.page.viewport_size
    assert viewport
    for _ in range(20):
        box = visitor.page.locator(selector).first.bounding_box()
        if box is not None and box["y"] >= 0 and box["y"] + height <= viewport["height"]:
            return True
        visitor.page.wait_for_timeout(100)
    return False


def test_a_teacher_sees_at_once_who_needs_attention_and_why_and_takes_the_report(demo_url: str) -> None:
    with browser.visiting(demo_url, width=1280, height=800) as visitor:
        visitor.open("/")
        # The head and seven students with the reasons.
        assert on_screen(visitor, ".st-key-students [data-testid=stDataFrame]", 35 * 8)
        first = visitor.cell("students", 1, 0)
        assert all(visitor.cell("students", 2, row) for row in range(7))
        visitor.click_row("students", 0)
        visitor.arrives("/student?user_id=user-")
        visitor.sees(first)
        assert on_screen(visitor, ".st-key-card_writing", 150)
        visitor.sees("Next step:")
        user_id = visitor.path().partition("user_id=")[2]
        visitor.page.evaluate("delete window.showSaveFilePicker")
        with visitor.page.expect_download() as saved:
            visitor.page.get_by_role("button", name="Download report (PDF)").click()
        assert saved.value.suggested_filename.startswith(f"report-{user_id}-")
        text = "".join(page.extract_text() for page in PdfReader(saved.value.path()).pages)
        assert " ".join(first.split()) in " ".join(text.split())
        assert visitor.foreign == []


def test_the_overviews_filters_are_in_the_url_and_there_after_back(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.get_by_text("Need attention", exact=False).first.click()
    visitor.arrives("/?flag=any")
    visitor.page.get_by_text("Speaking", exact=True).first.click()
    visitor.idle()
    visitor.page.get_by_label("Class").first.click()
    visitor.page.get_by_role("option", name="Monday evening").click()
    visitor.idle()
    chosen, text = visitor.path(), visitor.page.locator("text=/\\d+ of \\d+ students/").inner_text()
    assert {"flag=any", "of=speaking", "class=Monday+evening"} <= set(chosen.partition("?")[2].split("&"))
    visitor.click_row("students", 0)
    visitor.arrives("/student?")
    visitor.page.go_back()
    visitor.idle()
    assert visitor.path() == chosen
    assert visitor.page.locator("text=/\\d+ of \\d+ students/").inner_text() == text
    with browser.visiting(visitor.url) as colleague:
        colleague.open(chosen)
        assert colleague.page.locator("text=/\\d+ of \\d+ students/").inner_text() == text


def test_a_class_list_is_looked_at_then_used_for_the_visit_alone(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.get_by_role("button", name="Class list").click()
    visitor.sees("In use:")
    content = "user_id,name,class,target_band\nuser-101,Tên Đẹp,Đêm,8.5\n"
    visitor.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(
        {"name": "mine.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    visitor.sees("1 student can be used")
    visitor.idle()
    assert_accessible(visitor)
    visitor.page.get_by_role("button", name="Use this class list").click()
    visitor.idle()
    names = [visitor.cell("students", 1, row) for row in range(8)]
    assert all(name.startswith("user-") or name == "Tên Đẹp" for name in names)
    with browser.visiting(visitor.url) as another:
        another.open("/student?user_id=user-101")
        another.sees("Nguyễn Thị Mai")
    visitor.page.get_by_role("button", name="Class list").click()
    visitor.page.get_by_role("button", name="Remove my class list").click()
    visitor.idle()
    assert "Tên Đẹp" not in visitor.page.inner_text("body")


def test_back_from_a_student_finds_the_overview_with_its_period(visitor: Visitor) -> None:
    visitor.open("/?period=90d")
    before = [visitor.cell("students", 1, row) for row in range(5)]
    visitor.click_row("students", 0)
    visitor.page.go_back()
    visitor.idle()
    visitor.arrives("/?period=90d")
    assert [visitor.cell("students", 1, row) for row in range(5)] == before


def test_a_name_opens_its_student_as_one_entry_of_the_history(visitor: Visitor) -> None:
    visitor.open("/?period=90d")
    entries = visitor.page.evaluate("history.length")
    for row in (2, 1):
        name = visitor.cell("students", 1, row)
        visitor.open_row("students", row)
        visitor.arrives("/student?period=90d&user_id=user-")
        visitor.sees(name)
        assert visitor.page.evaluate("history.length") == entries + 1
        assert visitor.page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == 0
        visitor.page.go_back()
        visitor.idle()
        assert visitor.path() == "/?period=90d"


def test_the_breadcrumb_leads_to_list_and_class_as_one_entry_each_and_back_where_it_was(visitor: Visitor) -> None:
    visitor.open("/student?user_id=user-101&period=90d")
    assert visitor.page.title() == "Nguyễn Thị Mai · BandUp"
    crumbs = visitor.page.get_by_role("navigation", name="Breadcrumb")
    assert crumbs.get_by_role("listitem").all_inner_texts() == ["Students", "/Monday evening", "/Nguyễn Thị Mai"]
    entries = visitor.page.evaluate("history.length")
    crumbs.get_by_role("link", name="Monday evening").click()
    visitor.arrives("/?period=90d&class=Monday+evening")
    visitor.sees("All students")
    assert visitor.page.evaluate("history.length") == entries + 1
    visitor.page.go_back()
    visitor.arrives("/student?user_id=user-101&period=90d")
    visitor.sees("Next step:")
    # A real link: by keyboard too, and its address can be copied.
    link = crumbs.get_by_role("link", name="Students")
    assert link.get_attribute("href") == "./?period=90d"
    link.focus()
    visitor.page.keyboard.press("Enter")
    visitor.arrives("/?period=90d")
    assert visitor.page.evaluate("history.length") == entries + 1


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1280, 720), (390, 844)])
def test_a_students_level_and_actions_stand_on_the_first_screen(demo_url: str, width: int, height: int) -> None:
    with browser.visiting(demo_url, width=width, height=height) as visitor:
        visitor.open("/student?user_id=user-101")
        assert on_screen(visitor, ".st-key-card_writing", 150)
        assert on_screen(visitor, ".st-key-report_pdf", 30)
        tabs = visitor.page.get_by_role("tablist").bounding_box()
        assert tabs
        assert tabs["y"] < 1300
        writing, speaking = (
            visitor.page.locator(f".st-key-card_{skill}").bounding_box() for skill in ("writing", "speaking")
        )
        assert writing
        assert speaking
        assert (writing["y"] == speaking["y"]) == (width > 390)
        for tab in ("Criteria", "Evaluations"):
            visitor.page.get_by_role("tab", name=tab).click()
            visitor.idle()
            main = visitor.page.locator("[data-testid=stMain]")
            assert main.evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_tabs_of_a_student(demo_url: str, scheme: str) -> None:
    with browser.visiting(demo_url, scheme=scheme) as visitor:
        visitor.open("/student?user_id=user-101")
        for tab in ("Criteria", "Evaluations", "Feedback", "Flashcards"):
            visitor.page.get_by_role("tab", name=tab).click()
            visitor.idle()
            assert_accessible(visitor)


def test_a_point_of_the_trend_opens_its_evaluation(visitor: Visitor) -> None:
    visitor.open("/student?user_id=user-101")
    visitor.page.locator(".st-key-trend_writing").scroll_into_view_if_needed()
    point = visitor.page.locator(".st-key-trend_writing .scatterlayer .point").nth(3).bounding_box()
    assert point
    place = (point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    visitor.page.mouse.move(*place)
    visitor.page.wait_for_timeout(200)
    visitor.page.mouse.click(*place)
    visitor.idle()
    visitor.arrives("/evaluation?evaluation_id=eval-")


def test_a_copied_link_shows_a_colleague_the_same(visitor: Visitor) -> None:
    visitor.open("/student?user_id=user-101")
    for name in ("90 days", "Speaking"):
        visitor.page.get_by_role("tab", name="Evaluations").click()
        visitor.page.locator("[data-testid=stSegmentedControl], [data-testid=stButtonGroup]").locator(
            "visible=true"
        ).get_by_text(name, exact=True).first.click()
        visitor.idle()
    copied, text = visitor.path(), visitor.page.locator("text=/\\d+ of \\d+ evaluation/").inner_text()
    with browser.visiting(visitor.url) as colleague:
        colleague.open(copied)
        colleague.page.get_by_role("tab", name="Evaluations").click()
        assert colleague.page.locator("text=/\\d+ of \\d+ evaluation/").inner_text() == text


def test_a_filtered_list_of_jobs_is_the_same_for_a_colleague(visitor: Visitor) -> None:
    visitor.open("/jobs")
    visitor.page.get_by_text("30 days", exact=True).click()
    visitor.idle()
    visitor.page.get_by_text("Stuck", exact=True).last.click()
    visitor.arrives("/jobs?jobs=30d&state=stuck")
    line = visitor.page.locator("text=/^\\d+ of \\d+ jobs$/")
    text = line.inner_text()
    with browser.visiting(visitor.url) as colleague:
        colleague.open(visitor.path())
        assert colleague.page.locator("text=/^\\d+ of \\d+ jobs$/").inner_text() == text


def test_within_three_clicks_the_burst_its_reason_and_one_of_its_jobs(visitor: Visitor) -> None:
    visitor.open("/jobs")
    visitor.sees("most failures on")
    visitor.click_row("errors", 0)
    visitor.arrives("/jobs?error=")
    assert "Throttling" not in visitor.path()  # a message may quote a student
    visitor.click_row("job_rows", 0)
    visitor.sees("Later succeeded")
    visitor.sees("ThrottlingException")


def test_reading_again_by_itself_keeps_the_selection(visitor: Visitor) -> None:
    visitor.open("/jobs?again=10s")
    visitor.click_row("job_rows", 1)
    visitor.sees("Later succeeded")
    address = visitor.path()
    visitor.page.wait_for_timeout(12_000)
    assert visitor.path() == address
    visitor.sees("Later succeeded")


def test_two_evaluations_are_chosen_swapped_and_kept_in_the_address(visitor: Visitor) -> None:
    visitor.open("/compare?user_id=user-102")
    boxes = visitor.page.locator("[data-testid=stSelectbox]")
    first, second = boxes.locator("input").evaluate_all("inputs => inputs.map(input => input.value)")
    assert first.startswith("Speaking · ")
    visitor.page.get_by_role("button", name="Swap").first.click()
    visitor.arrives("/compare?user_id=user-102&a=")
    assert boxes.locator("input").evaluate_all("inputs => inputs.map(input => input.value)") == [second, first]
    visitor.sees("The first is newer: swap?")
    boxes.first.click()
    visitor.page.get_by_role("option").last.click()
    visitor.idle()
    copied, text = visitor.path(), visitor.page.locator("table").inner_text()
    with browser.visiting(visitor.url) as colleague:
        colleague.open(copied)
        assert colleague.page.locator("table").inner_text() == text


def test_neighbours_of_an_evaluation_are_one_entry_of_the_history_each(visitor: Visitor) -> None:
    visitor.open("/evaluation?evaluation_id=speak-xyz789&user_id=user-456")
    entries, title = visitor.page.evaluate("history.length"), visitor.page.title()
    assert title == "Speaking · 8 Dec 2024, 15:00 · BandUp"
    visitor.page.get_by_role("link", name="← Previous").click()
    visitor.sees("Writing band")
    assert visitor.path().startswith("/evaluation?evaluation_id=eval-abc123")
    assert visitor.page.evaluate("history.length") == entries + 1
    visitor.page.go_back()
    visitor.sees("Speaking band")
    assert visitor.path() == "/evaluation?evaluation_id=speak-xyz789&user_id=user-456"
    assert visitor.page.title() == title
    visitor.page.get_by_role("link", name="user-456").last.click()
    visitor.arrives("/student?user_id=user-456")
    assert visitor.page.evaluate("history.length") == entries + 1


def test_a_set_that_is_opened_from_the_list_on_its_own_page_has_its_address(visitor: Visitor) -> None:
    visitor.open("/flashcards?user_id=user-102")
    entries = visitor.page.evaluate("history.length")
    visitor.open_row("set_rows", 0)
    visitor.arrives("/flashcards?set_id=")
    assert visitor.page.evaluate("history.length") == entries + 1
    visitor.page.go_back()
    visitor.page.wait_for_selector(".st-key-set_rows")
    assert visitor.path() == "/flashcards?user_id=user-102"


def test_cards_are_flipped_with_the_keyboard_but_not_while_typing(visitor: Visitor) -> None:
    visitor.open("/flashcards?set_id=flashcard-set-odd-2&user_id=user-099")
    visitor.page.keyboard.press("Space")
    visitor.idle()
    if "1 of 2 · question" in visitor.page.inner_text("body"):  # a busy browser takes no key yet
        visitor.page.keyboard.press("Space")
    visitor.sees("1 of 2 · answer")
    visitor.page.keyboard.press("ArrowRight")
    visitor.idle()
    visitor.sees("2 of 2 · question")
    visitor.page.get_by_text("All cards").click()
    visitor.page.get_by_label("Search cards").click()
    visitor.page.keyboard.type("two ")
    visitor.page.keyboard.press("Enter")
    visitor.idle()
    visitor.sees("2 of 2 · question")
    visitor.sees("1 of 2 cards")


def test_from_a_finding_to_its_record_and_back_and_the_list_as_a_file(visitor: Visitor) -> None:
    visitor.open("/audit")
    grid = visitor.page.locator(".st-key-audit_kinds [data-testid=stDataFrame]")
    kind = visitor.page.locator(".st-key-audit_kinds [data-testid=glide-cell-1-0]").inner_text()
    assert kind == "Band out of range"
    grid.scroll_into_view_if_needed()
    visitor.click_row("audit_kinds", 0)
    visitor.arrives("/audit?finding=scale")
    visitor.page.evaluate("delete window.showSaveFilePicker")
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name="Download CSV").first.click()
    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert "# Band out of range: 2 rows" in text
    assert "# Time zone: Asia/Ho_Chi_Minh" in text
    assert "eval-odd-07" in text
    visitor.click_row("audit_records", 0)
    visitor.arrives("/evaluation?")
    assert "evaluation_id=eval-odd-06" in visitor.path()
    visitor.page.go_back()
    visitor.arrives("/audit?finding=scale")
    visitor.sees("2 records, newest first")
    visitor.page.get_by_role("link", name="All issues").click()
    visitor.arrives("/audit")
    grid.wait_for()
    visitor.page.go_back()
    visitor.arrives("/audit?finding=scale")


def test_a_count_of_what_no_list_shows_runs_to_its_end(visitor: Visitor) -> None:
    visitor.open("/audit")
    visitor.page.get_by_role("tab", name="Missing from indexes").click()
    visitor.page.locator(".st-key-count_DYNAMODB_EVALUATIONS button").click()
    visitor.sees("5 missing from an index")
    visitor.sees("created_at is missing")


@paths
def test_a_deep_link_works_on_a_freshly_started_server(path: str) -> None:
    with browser.dashboard() as url, browser.visiting(url) as visitor:
        visitor.open(path)
        visitor.sees(PATHS[path])
        visitor.sees("Demo data")
        assert NOT_SHOWN not in visitor.page.inner_text("body")
        links = visitor.page.locator(".st-key-menu a").all_inner_texts()
        names = [text.splitlines()[-1] for text in links]  # an icon is a word of its font
        assert names == ["Students", "Lessons", "Flashcards", "Jobs", "Data quality", "Setup"]
        assert visitor.foreign == []


def test_the_first_click_after_a_deep_link_on_a_fresh_server_counts() -> None:
    with browser.dashboard() as url, browser.visiting(url) as visitor:
        visitor.open("/student?user_id=user-101")
        visitor.page.get_by_text("90 days", exact=True).click()
        visitor.arrives("/student?user_id=user-101&since=90d")


@paths
def test_axe_finds_nothing_serious(tab: Visitor, path: str) -> None:
    tab.open(path)
    assert_accessible(tab)
    with tab.preferring("dark"):
        assert_accessible(tab)


@paths
def test_on_a_phone_nothing_scrolls_sideways(tab: Visitor, path: str) -> None:
    with tab.resized(390, 844):
        tab.open(path)
        assert tab.page.evaluate(
            "[...document.querySelectorAll('[data-testid=stMain], [data-testid=stMainBlockContainer]')]"
            ".every(e => e.scrollWidth <= e.clientWidth)"
        )


def test_records_that_lambdas_wrote_into_another_dynamodb_are_shown_with_one_variable(dynamodb_local: str) -> None:
    environ = {
        "BANDUP_SOURCE": "aws",
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_local,
        "AWS_REGION": engines.REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    store = Store.open(Settings.read(environ), **engines.CREDENTIALS)
    for table, records in ((EVALUATIONS, SEED_EVALUATIONS), (FLASHCARD_SETS, [SEED_SET])):
        create(store.client, table, store.settings.name(table))
        engine.write(store.client, store.settings.name(table), [dict(record) for record in records])
    try:
        with browser.dashboard(environ) as url, browser.visiting(url) as visitor:
            visitor.open("/student?user_id=user-456")
            visitor.sees("8 Dec 2024")
            visitor.sees(dynamodb_local)
            visitor.sees("2 requests · 1 read unit")
            visitor.open("/evaluation?evaluation_id=speak-xyz789&user_id=user-456")
            visitor.sees("185 words · 2 min 1 s · 92 words per minute")
            visitor.open("/flashcards?set_id=flashcard-set-123&user_id=user-456")
            visitor.sees("vocab-guide")
            assert visitor.foreign == []
    finally:
        for table in TABLES:
            store.client.delete_table(TableName=store.settings.name(table))


def test_a_comment_is_typed_saved_and_printed_with_the_report(visitor: Visitor) -> None:
    visitor.run_first("window.print = () => { window.parent.printed = document.title + document.body.innerText }")
    visitor.open("/student?user_id=user-101")
    visitor.page.get_by_role("button", name="Add comment").click()
    visitor.page.get_by_label("Comment in the report").fill("Reads aloud every day.")
    visitor.page.get_by_role("button", name="Save comment").click()
    visitor.idle()
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_role("button", name="Print", exact=True).click()
    visitor.until("(window.printed || '').startsWith('Progress report')")
    assert "Reads aloud every day." in visitor.page.evaluate("window.printed")
    visitor.page.evaluate("delete window.showSaveFilePicker")
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name="Download report (PDF)").click()
    assert "Reads aloud every day." in PdfReader(saved.value.path()).pages[0].extract_text()


@pytest.mark.parametrize("clipboard", ["there", "only where the address is safe"])
def test_ids_and_records_are_copied_as_they_are(visitor: Visitor, clipboard: str) -> None:
    visitor.reusable = False
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = "navigator.clipboard.readText()"
    if clipboard != "there":
        visitor.run_first("window.paste = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {})")
        copied = "window.paste.readText()"
    scripts: list[str] = []
    visitor.page.on("request", lambda request: scripts.append(request.url))
    visitor.open("/student?user_id=user-101")
    visitor.page.bring_to_front()  # a browser copies nothing from a page without the focus
    visitor.page.get_by_role("button", name="Copy the student's ID").click()
    # Who listens is told; the button itself says so for two seconds alone.
    status = visitor.page.get_by_role("status").filter(has_text="Copied")
    expect(status).to_have_count(1, timeout=20_000)
    assert visitor.page.evaluate(copied) == "user-101"
    seed = SEED_EVALUATIONS[0]
    visitor.open(f"/evaluation?evaluation_id={seed['evaluation_id']}&user_id={seed['user_id']}")
    visitor.page.get_by_text("Technical details").click()
    visitor.idle()
    visitor.page.bring_to_front()
    visitor.page.get_by_role("button", name="Copy the record").click()
    expect(status).to_have_count(1, timeout=20_000)
    record = json.loads(visitor.page.evaluate(copied))
    assert record["evaluation_id"] == seed["evaluation_id"]
    # Nobody waits for what colours programs.
    assert not [url for url in scripts if "SyntaxHighlighter" in url]


def test_a_lessons_breadcrumb_leads_back_to_all_groups_with_the_filters(visitor: Visitor) -> None:
    visitor.open("/lessons?of=writing&group=writing.coherence_band&lesson=on")
    visitor.page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="Lessons").click()
    visitor.arrives("/lessons?of=writing")
    visitor.until("document.querySelector('[class*=st-key-plan_]') && document.title === 'Lessons · BandUp'")
    visitor.page.go_back()
    visitor.until("document.title.startsWith('Coherence')")


def test_a_lesson_sheet_opens_the_print_dialog(visitor: Visitor) -> None:
    visitor.run_first("window.print = () => { window.parent.printed = document.title }")
    visitor.open("/lessons?group=writing.coherence_band")
    visitor.page.get_by_role("button", name="Print lesson sheet").click()
    visitor.until("window.printed === 'Lesson sheet'")
