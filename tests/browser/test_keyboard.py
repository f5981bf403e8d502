"""The dashboard by keyboard: Tab reaches what can be clicked, passing by changes nothing, and every way goes on."""

from data.demo.sample import SEED_SET
from tests.support import engines
from tests.support.addresses import PATHS, paths
from tests.support.browser import Visitor

_MOST = 250  # presses of Tab that no page needs
# What a mouse could use, in the order of the page. Of radio buttons Tab reaches one, and arrow keys the others.
_USABLE = """[...document.querySelectorAll(
    '[data-testid=stMain] :is(button, input, select, textarea, a[href], summary), .st-key-menu a[href]'
)].filter(e => e.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !e.disabled
    && !e.closest('[data-testid=stElementToolbar], [role=grid], [inert]')
    && e.type !== 'file' && e.tabIndex >= 0 && !e.matches('[role=radio] ~ [role=radio]'))"""
_NAME = "(e.getAttribute('aria-label') || e.innerText || e.id || e.className).slice(0, 60)"


def press(visitor: Visitor, *keys: str) -> None:
    for key in keys:
        visitor.page.keyboard.press(key)


def tab_to(visitor: Visitor, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(_MOST):
        press(visitor, "Tab")
        if visitor.page.evaluate("selector => !!document.activeElement.closest(selector)", selector):
            return
    raise AssertionError(f"Tab never reaches {selector}")


@paths
def test_tab_reaches_all_that_can_be_clicked_in_passing_changes_nothing_and_comes_out_again(
    tab: Visitor, path: str
) -> None:
    tab.open(path)
    before = tab.path()
    usable = tab.page.evaluate(f"(window.usable = {_USABLE}, window.usable.map(e => {_NAME}))")
    assert len(usable) > 8
    reached: set[int] = set()
    unseen: list[str] = []
    for _ in range(_MOST):
        press(tab, "Tab")
        at, name, seen = tab.page.evaluate(
            f"""(() => {{
                const e = document.activeElement
                const box = e.getBoundingClientRect()
                const isShown = e.matches('[role=gridcell], canvas') || box.width > 0 && box.bottom > 0
                    && box.top < innerHeight
                return [e === document.body ? -2 : window.usable.findIndex(
                    other => other === e || e.role === 'radio' && other.parentElement === e.parentElement
                ), {_NAME}, isShown]
            }})()"""
        )
        if at == -2:
            break
        reached.add(at)
        if not seen:
            unseen.append(name)
    else:
        raise AssertionError("Tab does not come out of the page again")
    tab.page.wait_for_timeout(500)
    assert tab.path() == before
    assert [name for n, name in enumerate(usable) if n not in reached] == []
    assert unseen == []


def test_a_student_is_opened_from_the_table(visitor: Visitor) -> None:
    visitor.open("/")
    second = visitor.cell("students", 1, 1)
    tab_to(visitor, ".st-key-students [role=grid], .st-key-students canvas")
    press(visitor, "Home", "ArrowDown", "Shift+Space")
    visitor.arrives("/student?user_id=")
    visitor.sees(second)


def test_a_filter_is_chosen_with_the_arrow_keys_and_kept_in_the_address(visitor: Visitor) -> None:
    visitor.open("/")
    tab_to(visitor, ".st-key-period")
    press(visitor, "ArrowRight", "ArrowRight", "Space")
    visitor.arrives("/?period=90d")


def test_a_switch_is_turned_and_an_expander_opened(visitor: Visitor) -> None:
    visitor.open("/setup")
    tab_to(visitor, ".st-key-plan_all")
    press(visitor, "Space")
    visitor.idle()
    visitor.page.get_by_role("tab", name="Export").click()
    tab_to(visitor, "summary")
    press(visitor, "Enter")
    visitor.sees("aws dynamodb create-table")


def test_a_student_is_found_by_id_and_a_set_opened_and_flipped_through(visitor: Visitor) -> None:
    visitor.open("/")
    tab_to(visitor, "[data-testid=stTextInputField]")
    visitor.page.keyboard.type("user-456")
    visitor.sees("No students found")
    press(visitor, "Enter")
    visitor.until("document.activeElement.innerText === 'Open ID user-456'")
    press(visitor, "Enter")
    visitor.arrives("/student?user_id=user-456")
    visitor.page.get_by_role("tab", name="Flashcards").click()
    tab_to(visitor, ".st-key-set_rows [role=grid], .st-key-set_rows canvas")
    press(visitor, "Shift+Space")
    visitor.arrives("/flashcards?")
    visitor.sees(SEED_SET["document_id"].rpartition("/")[2].removesuffix(".pdf"))
    press(visitor, "Space")
    visitor.sees("· answer")


def test_every_page_of_the_menu_is_a_page_here() -> None:
    """A new page has to be in these tests too."""
    assert {path.split("?")[0] for path in PATHS} == {
        "/" if path.stem == "overview" else f"/{path.stem}" for path in (engines.ROOT / "pages").glob("*.py")
    }
