"""How pages look in Chromium: what can be read, where the first line of use begins, and cards under a finger."""

import re
from typing import Any

import pytest

from tests.support import browser
from tests.support.browser import Visitor
from tests.support.colours import contrast

_COLOURS = """(() => {
    const button = document.querySelector("[data-testid=stBaseButton-primary]")
    return [getComputedStyle(button.querySelector("p")).color, getComputedStyle(button).backgroundColor]
})()"""


def readable(visitor: Visitor) -> None:
    """The one primary button can be read, also under the pointer and with the focus."""
    button = visitor.page.locator("[data-testid=stBaseButton-primary]:visible").first
    assert contrast(*visitor.page.evaluate(_COLOURS)) >= 4.5
    button.hover()
    visitor.page.wait_for_timeout(500)
    assert contrast(*visitor.page.evaluate(_COLOURS)) >= 4.5
    visitor.page.mouse.move(0, 0)
    button.focus()
    visitor.page.wait_for_timeout(500)
    assert contrast(*visitor.page.evaluate(_COLOURS)) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_primary_buttons_can_be_read_on_pages_and_in_dialogs(demo_url: str, scheme: str) -> None:
    with browser.visiting(demo_url, scheme=scheme) as visitor:
        visitor.open("/student?user_id=user-101")
        readable(visitor)
        visitor.open("/")
        visitor.page.get_by_role("button", name="Class list").click()
        file: Any = {"name": "class.csv", "mimeType": "text/csv", "buffer": b"user_id,name\nuser-101,Ann\n"}
        visitor.page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(file)
        visitor.sees("1 student can be used")
        visitor.idle()
        readable(visitor)


@pytest.mark.parametrize(
    ("width", "height", "selector", "least"),
    [
        (1400, 900, ".st-key-students [data-testid=stDataFrame]", 300),
        (1280, 720, ".st-key-students [data-testid=stDataFrame]", 300),
        (390, 844, ".st-key-phone li", 700),
    ],
)
@pytest.mark.parametrize("path", ["/", "/?flag=any"])
def test_the_list_begins_on_the_first_screen(
    demo_url: str, path: str, width: int, height: int, selector: str, least: int
) -> None:
    with browser.visiting(demo_url, width=width, height=height) as visitor:
        visitor.open(path)
        box = visitor.page.locator(selector).first.bounding_box()
        assert box
        assert box["y"] < least


_STYLE = "(() => { const of = getComputedStyle(document.querySelector('%s')); return [of.%s, of.%s] })()"


@pytest.mark.parametrize(("width", "direction"), [(1400, "row"), (390, "column")])
def test_our_lists_and_chains_look_the_same_on_a_desk_and_a_phone(demo_url: str, width: int, direction: str) -> None:
    with browser.visiting(demo_url, width=width, height=900) as visitor:
        visitor.open("/jobs")
        style = visitor.page.evaluate(_STYLE % (".bandup-entries", "listStyleType", "paddingLeft"))
        assert style == ["none", "0px"]
        visitor.open("/setup")
        style = visitor.page.evaluate(_STYLE % (".bandup-chain", "display", "flexDirection"))
        assert style == ["flex", direction]


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1280, 720), (390, 844)])
def test_a_figure_of_jobs_and_a_bar_have_their_list_right_below_and_in_sight(
    demo_url: str, width: int, height: int
) -> None:
    def top(selector: str) -> float:
        box = visitor.page.locator(selector).first.bounding_box()
        assert box
        return box["y"]

    rows, bars, errors = (f"[class*=st-key-{key}]" for key in ("job_rows", "job_bars", "errors"))
    with browser.visiting(demo_url, width=width, height=height, touch=width < 400) as visitor:
        visitor.open("/jobs")
        assert top(bars) < top(errors) < top(rows)
        visitor.page.locator(".st-key-only_Stuck button:visible").click()
        visitor.arrives("/jobs?state=stuck")
        assert 0 < top(".st-key-only_Stuck") < top(rows) < min(height - 100, top(bars))
        visitor.open("/jobs?list=bars")
        assert top(bars) < top(rows) < top(errors)


def test_on_a_phone_the_menu_gives_way_to_the_page_that_it_has_opened(demo_url: str) -> None:
    with browser.visiting(demo_url, width=390, height=844, touch=True) as visitor:
        visitor.open("/")
        menu = visitor.page.locator("[data-testid=stExpandSidebarButton]")
        menu.tap()
        visitor.page.get_by_role("link", name="Lessons").tap()
        visitor.page.locator("[class*=st-key-plan_] button").first.tap()
        visitor.arrives("/lessons?group=")
        menu.tap()
        visitor.page.locator(".st-key-_search input").fill("thi mai")
        visitor.page.locator(".st-key-search_results a").tap()
        visitor.until("document.title === 'Nguyễn Thị Mai · BandUp'")
        visitor.page.get_by_role("tab", name="Criteria").tap()


def test_ten_cards_are_practised_with_a_finger(demo_url: str) -> None:
    with browser.visiting(demo_url, width=390, height=844, touch=True) as visitor:
        visitor.open("/flashcards?user_id=user-102&sets=completed")
        box = visitor.page.locator(".st-key-set_rows [data-testid=stDataFrame]").bounding_box()
        assert box
        visitor.page.touchscreen.tap(box["x"] + 80, box["y"] + 52)
        visitor.page.wait_for_url("**/flashcards?*set_id=*")
        visitor.page.wait_for_selector(".st-key-card_turn")
        number = int(progress(visitor).split()[2])
        assert progress(visitor) == f"0 of {number} cards known"
        known = 0
        for step in range(10):
            if known == number:
                tap(visitor, "card_start_over")
                known = 0
            tap(visitor, "card_turn")
            visitor.sees("· answer")
            if step % 3 == 2:
                tap(visitor, "card_again")
            else:
                tap(visitor, "card_known")
                known += 1
            visitor.sees("· question" if known < number else f"All {number} known.")
            assert progress(visitor) == f"{known} of {number} cards known"
        if known == number:
            tap(visitor, "card_start_over")
        here = place(visitor)
        tap(visitor, "card_next")
        assert place(visitor) == here % number + 1
        tap(visitor, "card_previous")
        assert place(visitor) == here
        tap(visitor, "card_shuffle")
        assert progress(visitor) == f"0 of {number} cards known"
        assert place(visitor) == 1


def test_printing_moves_nothing_on_the_page(visitor: Visitor) -> None:
    visitor.run_first("window.print = () => {}")
    visitor.open("/lessons")
    visitor.page.locator("[class*=st-key-plan_] button").first.click()
    visitor.arrives("/lessons?group=")
    visitor.idle()
    beside = visitor.page.get_by_role("button", name="Download CSV")
    below = visitor.page.get_by_text("Common feedback", exact=True)
    before = beside.bounding_box(), below.bounding_box()
    assert all(before)
    visitor.page.locator(".st-key-lesson_print button").click()
    visitor.page.wait_for_selector("iframe[title=Print]", state="attached")
    visitor.idle()
    assert (beside.bounding_box(), below.bounding_box()) == before


def tap(visitor: Visitor, key: str) -> None:
    """Tap a button, which is on the screen as it stands, and as large as a finger needs (WCAG 2.5.8: 24 px)."""
    button = visitor.page.locator(f".st-key-{key} button")
    box = button.bounding_box()
    assert box
    assert 0 <= box["y"] <= 844 - box["height"]
    assert min(box["width"], box["height"]) >= 32
    button.tap()
    visitor.idle()


def progress(visitor: Visitor) -> str:
    return visitor.page.get_by_text(re.compile(r"^\d+ of \d+ cards known$")).inner_text()


def place(visitor: Visitor) -> int:
    return int(visitor.page.get_by_text(re.compile(r"^\d+ of \d+ · (question|answer)$")).inner_text().split()[0])
