"""Every page in Chromium over records and a roster that want to be more than text: nothing of them becomes markup."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog

from data.dynamodb.client import Store
from data.settings import Settings
from tests.conftest import assert_accessible, unavailable
from tests.support import browser, engines, hostile
from tests.support.browser import Visitor
from ui.shell.boundary import NOT_SHOWN
from wording import foreign_text

WHO = quote(hostile.COMBINED)
CLASS = quote(hostile.STRINGS["image"])

# Page by page with its sub-views, and a text that shows that the view is there.
VIEWS = {
    "overview": ("/?period=30d", "All students"),
    "class and group": (f"/?period=12m&class={CLASS}&flag=any&group=writing.grammar_band", "Class list"),
    "lesson": ("/lessons?group=writing.grammar_band&lesson=on", "Common feedback"),
    "student": (f"/student?user_id={WHO}&beside=on", "class median"),
    "says": (f"/student?user_id={WHO}&says=on", "Download report"),
    "evaluation": (f"/evaluation?evaluation_id=everything&user_id={WHO}", "Technical details"),
    **{
        f"huge evaluation {n}": (f"/evaluation?evaluation_id=huge%20{n}&user_id={WHO}", "Technical details")
        for n in range(hostile.HUGE_EVALUATIONS)
    },
    "odd evaluation": (f"/evaluation?evaluation_id={quote('odd 1 link')}&user_id={WHO}", "Technical details"),
    "whose": ("/evaluation?evaluation_id=twins", "with this ID"),
    "compare": (f"/compare?user_id={WHO}&a=everything&b={quote('0 ' + hostile.STRINGS['image'])}", "Transcript"),
    "compare huge": (f"/compare?user_id={WHO}&a=huge%202&b=huge%205", "Second evaluation"),
    "sets": (f"/flashcards?user_id={WHO}", "sets"),
    "set": (f"/flashcards?set_id=everything&user_id={WHO}", "All cards"),
    **{
        f"huge set {n}": (f"/flashcards?set_id=huge%20{n}&user_id={WHO}", "Technical details")
        for n in range(hostile.HUGE_SETS)
    },
    "odd set": (f"/flashcards?set_id=odd%201&user_id={WHO}", "Technical details"),
    "jobs": ("/jobs?jobs=30d", "most failures on"),
    "job": (f"/jobs?jobs=30d&job_id=failed%201&user_id={WHO}&table=evaluations", "Later succeeded"),
    "huge job": (f"/jobs?jobs=30d&job_id=huge%2010&user_id={WHO}&table=evaluations", "Later succeeded"),
    "set's job": (f"/jobs?jobs=30d&job_id=odd%201&user_id={WHO}&table=flashcards", "Later succeeded"),
    "audit": ("/audit?audit=30d", "Missing from indexes"),
    "setup": ("/setup", "Checklist"),
}

# What of the page was made out of somebody's words. Styles of Streamlit and Plotly are no attributes of those words.
MADE = """() => {
  const found = [], ours = location.host
  const say = (what, e) => found.push(`${what}: ${e.outerHTML.slice(0, 200)}`)
  const odd = 'iframe, object, embed, math, base, form[action], audio, video, .katex, .MathJax, mjx-container, '
    + '[class*=stMarkdownColored], [class*=stMarkdownBadge], .stApp script, .stApp link, .stApp meta, .stApp blink'
  for (const e of document.querySelectorAll(odd)) say('no element of ours', e)
  for (const e of document.querySelectorAll('*')) {
    for (const {name, value} of e.attributes) {
      if (name.startsWith('on')) say(name, e)
      const leads = /^(xlink:)?href$|^(src|srcset|action|formaction|data|poster|background|ping)$/.test(name)
      if (leads && value[0] !== '#') {
        const to = URL.canParse(value, location.href) ? new URL(value, location.href) : {protocol: 'odd:'}
        const known = /^https?:$/.test(to.protocol) ? to.host === ours
          : to.protocol === 'blob:' || value.startsWith('data:image/')
        if (!known) say(name, e)
      }
      if (name === 'style' && /url\\(['"]?(?!data:|#)|evil/.test(value)) say(name, e)
    }
  }
  for (const e of document.querySelectorAll('.stApp img:not([data-testid$=Logo])')) say('a picture', e)
  const inText = ':is(a:not([data-bandup-link]), button:not([data-bandup-copy]), style, input, svg, img, form, script, '
    + '[style*=position])'
  for (const e of document.querySelectorAll(`[data-testid=stHtml] ${inText}`))
    if (!e.textContent.startsWith('.stMainBlockContainer{')) say('in a text', e)
  const words = /evil|hacked|click me|onerror|tiny|frac|gnp\\.exe|zero.?width|bell|cmd\\||nbsp|algo|WWWW|xxxx/
  for (const e of document.querySelectorAll('[data-testid=stMarkdownContainer]'))
    if (words.test(e.textContent)) say('read as Markdown', e)
  return found
}"""
# What is wider than its place: the page as a whole, and whatever sticks out of the main column without a scroll box.
WIDE = """() => {
  const found = []
  for (const e of document.querySelectorAll(
      'html, body, .stApp, [data-testid=stMain], [data-testid=stMainBlockContainer]'))
    if (e.scrollWidth > e.clientWidth + 1) found.push(`${e.dataset.testid ?? e.tagName} scrolls sideways`)
  const main = document.querySelector('[data-testid=stMainBlockContainer]'), right = main.getBoundingClientRect().right
  for (const e of main.querySelectorAll('*')) {
    const box = e.getBoundingClientRect()
    if (!box.width || box.right <= right + 1) continue
    let held = e.parentElement
    while (held !== main && getComputedStyle(held).overflowX === 'visible') held = held.parentElement
    if (held === main) found.push(`sticks out: ${e.outerHTML.slice(0, 160)}`)
  }
  return found
}"""
WATCH = """
window.violations = []
document.addEventListener('securitypolicyviolation',
  e => window.violations.push(`${e.violatedDirective} ${e.blockedURI}`))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard over dynoxide with the hostile records, and with the hostile roster."""
    file = tmp_path_factory.mktemp("hostile") / "roster.csv"
    file.write_text(hostile.roster(), encoding="utf-8", newline="")
    try:
        browser.chromium()
        with engines.running("dynoxide") as endpoint:
            environ = {
                "BANDUP_SOURCE": "aws",
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                "AWS_REGION": engines.REGION,
                "AWS_ACCESS_KEY_ID": "local",
                "AWS_SECRET_ACCESS_KEY": "local",
                "BANDUP_ALLOW_CHANGES": "1",
            }
            hostile.fill(Store.open(Settings.read(environ), **engines.CREDENTIALS))
            with browser.dashboard({**environ, "BANDUP_ROSTER": str(file)}) as url:
                yield url
    except engines.MissingError as missing:
        unavailable(str(missing))


@pytest.fixture(scope="module")
def tab(site: str) -> Iterator[Visitor]:
    """One visitor who goes from page to page: half the work of one who comes anew for each."""
    with browser.visiting(site) as visitor:
        visitor.run_first(WATCH)
        yield visitor


@pytest.fixture
def visitor(tab: Visitor) -> Iterator[Visitor]:
    """The visitor, who in the end has asked nobody else for anything, and whose browser had nothing to refuse."""
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    tab.page.on("dialog", note)
    yield tab
    tab.page.remove_listener("dialog", note)
    assert tab.foreign == []
    assert dialogs == []
    assert tab.page.evaluate("[window.violations, window.hacked ?? null]") == [[], None]
    # The tab carries the name on the page, as text: at most 60 of its characters, hidden ones by number.
    assert len(tab.page.title()) <= 200
    assert tab.page.title().endswith(" · BandUp")


def assert_harmless(visitor: Visitor) -> None:
    """Nothing on the page is made out of others' words, nothing sticks out, and nothing has failed."""
    assert visitor.page.evaluate(MADE) == []
    assert visitor.page.evaluate(WIDE) == []
    body = visitor.page.inner_text("body")
    assert NOT_SHOWN not in body
    assert "Traceback" not in body


@pytest.mark.parametrize("view", VIEWS)
def test_no_text_becomes_more_than_text(view: str, visitor: Visitor) -> None:
    path, sign = VIEWS[view]
    visitor.open(path)
    visitor.sees(sign)
    assert_harmless(visitor)
    if view in LOOKED_AT:
        assert_usable(visitor, path, sign)


LOOKED_AT = ["lesson", "says", "evaluation", "compare", "sets", "set", "odd set", "job", "audit", "setup"]
SMALL = [(390, 844), (640, 400)]
"""A phone; and 1280 by 800 at a zoom of 200 %."""


def assert_usable(visitor: Visitor, path: str, sign: str) -> None:
    """Everybody can use the page, in light and in dark, and nothing sticks out where there is little room."""
    assert_accessible(visitor)
    with visitor.preferring("dark"):
        assert_accessible(visitor)
    for width, height in SMALL:
        with visitor.resized(width, height):
            visitor.open(path)
            visitor.sees(sign)
            assert visitor.page.evaluate(WIDE) == []


@pytest.mark.parametrize("view", ["evaluation", "set"])
def test_every_string_can_be_read_letter_by_letter(view: str, visitor: Visitor) -> None:
    visitor.open(VIEWS[view][0])
    text = visitor.page.evaluate("document.querySelector('[data-testid=stMain]').textContent")
    assert [name for name, string in hostile.STRINGS.items() if foreign_text.visible(string) not in text] == []


def test_a_turned_card_is_harmless(visitor: Visitor) -> None:
    visitor.open(VIEWS["set"][0])
    visitor.page.get_by_role("button", name="Show answer").click()
    visitor.sees(f"1 of {len(hostile.STRINGS)} · answer")
    assert_harmless(visitor)


@pytest.mark.parametrize("finding", ["scale", "no-band", "overall-half"])
def test_the_records_of_a_finding_are_harmless(finding: str, visitor: Visitor) -> None:
    visitor.open(f"/audit?audit=30d&finding={finding}")
    assert_harmless(visitor)


@pytest.mark.parametrize(
    "query", ["user_id=%ED%A0%80", "user_id=%", "user_id=%zz", "user_id=%00", "since=%FF", "a=&&=b;c"]
)
def test_a_link_with_broken_escapes_opens_the_page(query: str, visitor: Visitor) -> None:
    visitor.open(f"/student?{query}")
    assert_harmless(visitor)
