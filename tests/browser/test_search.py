"""The search at the side in Chromium: as one types, by mouse and by keyboard alone."""

from tests.conftest import assert_accessible
from tests.support.browser import Visitor

BOX = ".st-key-_search input"
HITS = ".st-key-search_results a"


def hits(visitor: Visitor) -> list[str]:
    return visitor.page.locator(HITS).all_inner_texts()


def test_several_are_a_list_of_which_a_click_opens_one_and_the_list_is_gone(visitor: Visitor) -> None:
    visitor.open("/jobs")
    visitor.page.locator(BOX).fill("minh")
    visitor.sees("2 students found")
    assert sorted(hits(visitor)) == ["Trần Văn Minh", "Đỗ Minh Khôi"]
    entries = visitor.page.evaluate("history.length")
    visitor.page.locator(HITS, has_text="Trần Văn Minh").click()
    visitor.arrives("/student?")
    visitor.until("document.title === 'Trần Văn Minh · BandUp'")
    assert visitor.page.evaluate("history.length") == entries + 1
    assert hits(visitor) == []
    assert visitor.page.locator(BOX).input_value() == ""
    # The student on screen can be searched for like anybody else.
    visitor.page.locator(BOX).fill("tran van minh")
    visitor.sees("1 student found")
    visitor.page.locator(BOX).press_sequentially(" ")
    visitor.idle()
    assert hits(visitor) == ["Trần Văn Minh"]


def test_enter_opens_the_only_one_also_before_the_results_are_there(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.locator(BOX).click()
    visitor.page.keyboard.type("thi mai")
    visitor.page.keyboard.press("Enter")
    visitor.arrives("/student?user_id=user-101")
    visitor.until("document.title === 'Nguyễn Thị Mai · BandUp'")


def test_of_several_enter_goes_to_the_first_and_the_arrows_through_them(visitor: Visitor) -> None:
    visitor.open("/lessons")
    visitor.page.locator(BOX).click()
    visitor.page.keyboard.type("minh")
    visitor.page.keyboard.press("Enter")
    visitor.until(f"document.activeElement.matches('{HITS}')")
    first, second = hits(visitor)
    focused = "document.activeElement.innerText"
    assert visitor.page.evaluate(focused) == first
    visitor.page.keyboard.press("ArrowDown")
    assert visitor.page.evaluate(focused) == second
    visitor.page.keyboard.press("ArrowDown")
    assert visitor.page.evaluate(focused) == second
    visitor.page.keyboard.press("ArrowUp")
    visitor.page.keyboard.press("ArrowUp")
    assert visitor.page.evaluate(f"document.activeElement.matches('{BOX}')")
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.keyboard.press("ArrowDown")
    visitor.page.keyboard.press("Enter")
    visitor.until(f"document.title === '{second} · BandUp'")


def test_nobody_is_said_on_the_spot_and_enter_opens_nothing_but_an_id_can_be_opened(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.locator(BOX).click()
    visitor.page.keyboard.type("user-456")
    visitor.page.keyboard.press("Enter")
    visitor.sees("No students found")
    visitor.until(f"document.activeElement.matches('{HITS}')")
    assert visitor.path() == "/"
    assert hits(visitor) == ["Open ID user-456"]
    visitor.page.keyboard.press("Enter")
    visitor.arrives("/student?user_id=user-456")
    visitor.sees("8 Dec 2024")


def test_more_than_fit_are_counted_and_what_is_typed_is_text(visitor: Visitor) -> None:
    visitor.open("/")
    visitor.page.locator(BOX).fill("user-1")
    visitor.sees("and 33 more")
    assert len(hits(visitor)) == 8
    visitor.page.locator(BOX).fill("<img src=x onerror=alert(1)>\"'")
    visitor.sees("No students found")
    visitor.sees("Open ID <img src=x onerror=alert(1)>\"'")
    assert_accessible(visitor)
