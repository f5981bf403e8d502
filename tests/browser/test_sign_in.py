"""Sign-in from end to end, in Chromium: who sees what, by which way, and what is left behind in browser and log."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support import browser, engines, oidc
from tests.support.browser import Visitor
from tests.support.oidc import Provider
from tests.support.people import OPS, PEOPLE, ROLES, SIGN_IN, SIGN_OUT, TEACHER, refused, sees_no_data
from ui.server.return_link import COOKIE

pytestmark = pytest.mark.usefixtures("chromium")

ROSTER = "user_id,class\nuser-101,Monday evening\nuser-102,Thursday\nuser-456,Thursday\n"
PATHS = [
    "/",
    "/student?user_id=user-101",
    "/evaluation?evaluation_id=speak-xyz789&user_id=user-456",
    "/evaluation?evaluation_id=speak-xyz789",
    "/flashcards?set_id=flashcard-set-123&user_id=user-456",
    "/jobs",
    "/audit",
    "/setup",
]


@dataclass
class School:
    """A dashboard with sign-in."""

    url: str
    provider: Provider
    secrets: Path
    log: Path

    def set_roles(self, roles: str) -> None:
        """Change secrets.toml while the dashboard runs."""
        auth = self.secrets.read_text(encoding="utf-8").split("[roles]")[0]
        self.secrets.write_text(auth + roles.lstrip(), encoding="utf-8")

    def output(self) -> str:
        """The dashboard's log."""
        return self.log.read_text(encoding="utf-8")


@contextmanager
def running(folder: Path, provider: Provider, port: int | None = None) -> Iterator[School]:
    """A freshly started dashboard of the school; a second one in the same folder has the same secrets and state."""
    secrets, roster, log = folder / "secrets.toml", folder / "roster.csv", folder / "log.txt"
    if not secrets.exists():
        secrets.write_text(provider.secrets() + ROLES, encoding="utf-8")
    roster.write_text(ROSTER, encoding="utf-8")
    environ = {"BANDUP_ROSTER": str(roster), "BANDUP_STATE": str(folder / "state")}
    with browser.dashboard(environ, secrets=secrets, log=log, port=port) as url:
        yield School(url, provider, secrets, log)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """One provider for all tests of this module."""
    with oidc.provider(PEOPLE) as running:
        yield running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[School]:
    """One dashboard for the tests that change nothing about it."""
    with running(tmp_path_factory.mktemp("school"), provider) as school:
        yield school


@pytest.fixture
def school(shared: School) -> Iterator[School]:
    """The shared dashboard with the roles as they were."""
    yield shared
    shared.set_roles(ROLES)
    shared.provider.age = 0


@pytest.fixture
def visitor(school: School) -> Iterator[Visitor]:
    """A visitor who, in the end, must have asked no host but the dashboard's and the provider's."""
    with browser.visiting(school.url) as visitor:
        yield visitor
        assert [url for url in visitor.foreign if not url.startswith(school.provider.url)] == []


def sign_in(visitor: Visitor, name: str) -> None:
    """From the button on a page to being back."""
    visitor.page.goto(visitor.url)
    visitor.page.locator(SIGN_IN).click()
    visitor.page.get_by_role("link", name=name, exact=True).click()
    visitor.page.wait_for_url(visitor.url + "/", timeout=20_000)
    visitor.idle()


def has_menu(visitor: Visitor, *names: str) -> None:
    """Wait until these links are the menu; it may come after the rest of the sidebar."""
    links = visitor.page.locator(".st-key-menu a")
    if names:
        expect(links).to_have_text([re.compile(f"{name}$") for name in names])  # before it, the icon's own word
    else:
        expect(links).to_have_count(0)


def test_signed_out_no_page_shows_anything(visitor: Visitor) -> None:
    for path in PATHS:
        refused(visitor, path, "Sign in to see it.")
        has_menu(visitor)
        assert visitor.page.locator(SIGN_IN).count() == 1, path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/student?user_id=user-101", "Download report"),
        ("/jobs?jobs=30d&state=stuck", "30 days"),
        ("/setup", "Only ops may open Setup."),
        ("/", "All students"),
    ],
)
def test_a_link_on_a_fresh_server_shows_nothing_until_signing_in_which_leads_there(
    path: str, text: str, tmp_path: Path, provider: Provider
) -> None:
    with running(tmp_path, provider) as school, browser.visiting(school.url) as visitor:
        refused(visitor, path, "Sign in to see it.")
        visitor.page.locator(SIGN_IN).click()
        visitor.page.get_by_role("link", name="Le", exact=True).click()
        visitor.page.wait_for_url(visitor.url + path, timeout=20_000)
        visitor.sees(text)
        assert [c for c in visitor.context.cookies() if c["name"] == COOKIE] == []


def test_ops_may_open_everything(visitor: Visitor) -> None:
    sign_in(visitor, "Olga")
    visitor.sees("All students")
    visitor.sees(f"{OPS}, ops")
    has_menu(visitor, "Students", "Lessons", "Flashcards", "Jobs", "Data quality", "Setup")
    visitor.open("/setup")
    visitor.sees("Checklist")
    visitor.open("/audit")
    assert visitor.page.locator(".st-key-count_DYNAMODB_EVALUATIONS").count() == 1
    visitor.open("/jobs?jobs=30d&state=stuck")
    assert visitor.page.locator(".st-key-mark_ask").count() == 1


@pytest.mark.parametrize(("name", "address"), [("By group", "new"), ("By long list", "many")])
def test_a_role_by_claim(visitor: Visitor, name: str, address: str) -> None:
    sign_in(visitor, name)
    visitor.sees(f"{address}@school.example, ops")
    visitor.open("/setup")


def test_a_teacher_sees_students_but_neither_setup_nor_actions(visitor: Visitor) -> None:
    sign_in(visitor, "Le")
    visitor.sees(f"{TEACHER}, teacher")
    has_menu(visitor, "Students", "Lessons", "Flashcards")
    visitor.open("/student?user_id=user-456")
    visitor.sees("8 Dec 2024")
    refused(visitor, "/setup", "Only ops may open Setup.")
    visitor.open("/audit")
    visitor.page.get_by_role("tab", name="Missing from indexes").click()
    visitor.sees("You don't have permission to scan a table.")
    assert visitor.page.locator(".st-key-count_DYNAMODB_EVALUATIONS").count() == 0
    visitor.open("/jobs?jobs=30d&state=stuck")
    assert visitor.page.locator(".st-key-mark_ask").count() == 0


@pytest.mark.parametrize(("name", "sentence"), [("Stranger", "has no role"), ("Unverified", "not verified")])
def test_a_stranger_sees_nothing_and_can_sign_out(visitor: Visitor, name: str, sentence: str) -> None:
    sign_in(visitor, name)
    for path in PATHS:
        refused(visitor, path, sentence)
        has_menu(visitor)
    visitor.page.locator(SIGN_OUT).click()
    visitor.sees("Sign in to see it.")


def test_a_teacher_of_one_class_sees_nothing_that_others_have_read(visitor: Visitor, school: School) -> None:
    with browser.visiting(school.url) as ops:
        sign_in(ops, "Olga")
        ops.open("/?period=12m")
        ops.open("/student?user_id=user-456")
        ops.open("/evaluation?evaluation_id=speak-xyz789")
        ops.open("/flashcards?set_id=flashcard-set-123")
        ops.open("/jobs?jobs=30d&state=completed")
    sign_in(visitor, "Tran")
    visitor.sees("teacher of Monday evening")
    visitor.open("/?period=12m")
    assert visitor.cell("students", 1, 0) == "user-101"
    assert visitor.page.locator(".st-key-students table[role=grid]").get_attribute("aria-rowcount") == "2"
    for path in ("/student?user_id=user-456", "/evaluation?evaluation_id=speak-xyz789&user_id=user-456"):
        visitor.open(path)
        visitor.sees("“user-456” is not in a class of yours")
        assert visitor.page.locator("[data-testid=stMetric], [data-testid=stDataFrame]").count() == 0
    for path, what in (
        ("/evaluation?evaluation_id=speak-xyz789", "There is no evaluation"),
        ("/flashcards?set_id=flashcard-set-123", "There is no flashcard set"),
        ("/jobs?jobs=30d&job_id=speak-xyz789&user_id=user-456", "There is no job"),
    ):
        visitor.open(path)
        visitor.sees(what)
        visitor.sees("to a student in another class")
        assert not re.search(r"talk about|vocab-guide", visitor.page.inner_text("body"))
    visitor.open("/student?user_id=user-101")
    visitor.sees("Download report")


def test_signing_out_ends_every_tab_and_the_sign_in_at_the_provider(visitor: Visitor, school: School) -> None:
    sign_in(visitor, "Olga")
    visitor.open("/jobs?again=10s")
    stale = Visitor(visitor.context, visitor.context.new_page(), visitor.url)
    stale.open("/student?user_id=user-101")
    ended = school.provider.ended
    visitor.page.locator(SIGN_OUT).click()
    visitor.sees("Sign in to see it.")
    sees_no_data(visitor)
    assert school.provider.ended == ended + 1
    assert not [c for c in visitor.context.cookies() if c["name"].startswith("_streamlit_user")]
    stale.page.get_by_text("90 days", exact=True).click()
    stale.sees("You have signed out.")
    stale.idle()
    sees_no_data(stale)


def test_a_tab_that_reads_again_by_itself_stops_after_signing_out(visitor: Visitor) -> None:
    sign_in(visitor, "Olga")
    stale = Visitor(visitor.context, visitor.context.new_page(), visitor.url)
    stale.open("/jobs?again=10s")
    visitor.page.locator(SIGN_OUT).click()
    visitor.sees("Sign in to see it.")
    stale.sees("You have signed out.")
    stale.idle()
    sees_no_data(stale)


def test_a_tab_from_before_the_role_was_taken_away_changes_nothing(visitor: Visitor, school: School) -> None:
    sign_in(visitor, "Olga")
    visitor.open("/jobs?jobs=30d&state=stuck")
    visitor.page.locator(".st-key-mark_ask button").click()
    visitor.sees("This cannot be undone.")
    visitor.idle()
    setup = Visitor(visitor.context, visitor.context.new_page(), visitor.url)
    setup.open("/setup")
    school.set_roles(ROLES.replace(f'ops = ["{OPS}"]', 'ops = ["other@school.example"]'))
    before = school.output().count(" · mark ")
    visitor.page.locator(".st-key-mark_go button").click()
    visitor.sees(f"{OPS} has no role")
    sees_no_data(visitor)
    setup.page.locator(".st-key-check_again button").click()
    setup.sees(f"{OPS} has no role")
    sees_no_data(setup)
    # As a teacher: the page stays, the action is gone.
    school.set_roles(ROLES.replace(f'ops = ["{OPS}"]', "").replace("teacher = [", f'teacher = ["{OPS}", '))
    visitor.open("/jobs?jobs=30d&state=stuck")
    assert visitor.page.locator(".st-key-mark_go, .st-key-mark_ask").count() == 0
    assert school.output().count(" · mark ") == before


def test_a_tab_from_before_the_role_was_taken_away_turns_no_card(visitor: Visitor, school: School) -> None:
    sign_in(visitor, "Le")
    visitor.open("/flashcards?set_id=flashcard-set-odd-2&user_id=user-099")
    visitor.page.locator(".st-key-card_turn button").click()
    visitor.sees("1 of 2 · answer")
    school.set_roles(ROLES.replace(TEACHER, "other@school.example"))
    # The cards run by themselves, without the page that asked.
    visitor.page.locator(".st-key-card_next button").click()
    visitor.sees(f"{TEACHER} has no role")
    sees_no_data(visitor)
    assert visitor.page.locator(".st-key-card_turn").count() == 0


def test_a_change_is_logged_with_who_made_it(tmp_path: Path, provider: Provider) -> None:
    with running(tmp_path, provider) as school, browser.visiting(school.url) as visitor:
        sign_in(visitor, "Olga")
        visitor.open("/jobs?jobs=30d&state=stuck")
        visitor.page.locator(".st-key-mark_ask button").click()
        visitor.page.locator(".st-key-mark_go button").click()
        visitor.sees("marked as failed.")
        lines = [line for line in school.output().splitlines() if " · mark " in line]
        assert lines
        assert all(f" · {OPS} · mark " in line for line in lines)
        assert [line.rpartition(" · ")[2] for line in lines] == ["begun", "marked"] * (len(lines) // 2)


def test_an_old_sign_in_has_expired(visitor: Visitor, school: School) -> None:
    school.provider.age = 13 * 3600
    sign_in(visitor, "Olga")
    visitor.sees("This sign-in has expired. Sign in again.")
    sees_no_data(visitor)
    school.provider.age = 0
    sign_in(visitor, "Olga")
    visitor.sees("All students")


@pytest.mark.parametrize(
    "roles", ["[roles]\nops = [\n", "[roles]\nopps = []\n", None], ids=["no TOML", "misspelt", "not in UTF-8"]
)
def test_a_broken_secrets_file_closes_the_dashboard_and_a_mended_one_opens_it(
    visitor: Visitor, school: School, roles: str | None
) -> None:
    sign_in(visitor, "Le")
    visitor.sees("All students")
    whole = school.secrets.read_bytes()
    if roles is None:
        school.secrets.write_bytes(whole + b"# classe de fran\xe7ais\n")
    else:
        school.set_roles(roles)
    refused(visitor, "/student?user_id=user-101", "So this dashboard shows no data.")
    time.sleep(1)  # Streamlit looks at the file five times a second, and stumbles
    refused(visitor, "/", "So this dashboard shows no data.")
    school.secrets.write_bytes(whole)
    visitor.open("/")
    visitor.sees("All students")
    school.set_roles(ROLES.replace(TEACHER, "other@school.example"))
    refused(visitor, "/", f"{TEACHER} has no role")


def test_a_forged_cookie_signs_nobody_in(visitor: Visitor, school: School) -> None:
    sign_in(visitor, "Stranger")
    cookie = next(c for c in visitor.context.cookies() if c["name"] == "_streamlit_user")
    name, value = cookie["name"], cookie["value"]
    middle = len(value) // 3
    changed = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    visitor.context.clear_cookies(name=name)
    visitor.context.add_cookies([{"name": name, "value": changed, "url": school.url}])
    refused(visitor, "/student?user_id=user-101", "Sign in to see it.")


@pytest.mark.parametrize(
    "rest",
    [f"Cookie: a={'a' * 62_000}\r\n", f"Cookie: a={'a' * 70_000}\r\n", "".join(f"X-{n}: a\r\n" for n in range(200))],
    ids=["long", "too long", "too many"],
)
def test_a_handshake_that_cannot_be_read_is_answered(school: School, rest: str) -> None:
    parts = urlsplit(school.url)
    asked = f"GET /_stcore/stream HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=20) as line:
        line.sendall(f"{asked}{rest}\r\n".encode())
        assert line.recv(20).startswith(b"HTTP/1.1 4")


def test_nothing_personal_is_left_in_storage_addresses_or_the_log(tmp_path: Path, provider: Provider) -> None:
    private = re.compile(r"olga|school\.example|Linh|talk about|vocab-guide|the-client-secret|Ops\b", re.IGNORECASE)
    with running(tmp_path, provider) as school, browser.visiting(school.url) as visitor:
        addresses: list[str] = []
        visitor.page.on("request", lambda request: addresses.append(request.url))
        sign_in(visitor, "Olga")
        for path in PATHS:
            visitor.open(path)
            stored = visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
            assert not private.search(stored), stored
            assert "user-" not in json.dumps(stored)
        databases = visitor.page.evaluate("indexedDB.databases().then(found => found.map(d => d.name))")
        assert databases == []
        # The cookie is Streamlit's: signed, and out of the reach of scripts.
        (cookie,) = [c for c in visitor.context.cookies() if c["name"] == "_streamlit_user"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
        visitor.page.locator(SIGN_OUT).click()
        visitor.sees("Sign in to see it.")
        own = [url for url in addresses if url.startswith(school.url)]
        assert [url for url in own if private.search(url)] == []
        output = school.output()
        assert not private.search(output), output
        assert "user-" not in output


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])  # noqa: S104
def test_a_server_on_the_network_without_sign_in_shows_nothing(address: str) -> None:
    with browser.dashboard(None, f"--server.address={address}") as url, browser.visiting(url) as visitor:
        for path in ("/student?user_id=user-101", "/", "/setup"):
            refused(visitor, path, "nobody has to sign in. So it shows no data.")
        has_menu(visitor)
        assert visitor.page.locator("button", has_text="Sign").count() == 0


def test_a_server_on_the_network_with_sign_in_shows_what_it_should(tmp_path: Path, provider: Provider) -> None:
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(provider.secrets() + ROLES, encoding="utf-8")
    everywhere = "--server.address=0.0.0.0"
    with browser.dashboard(None, everywhere, secrets=secrets) as url, browser.visiting(url) as visitor:
        refused(visitor, "/student?user_id=user-101", "Sign in to see it.")
        sign_in(visitor, "Le")
        visitor.sees("All students")


def test_another_name_for_this_computer_is_refused_without_sign_in() -> None:
    # What a page elsewhere could do whose name suddenly leads to 127.0.0.1.
    with browser.dashboard() as url, browser.visiting(url.replace("127.0.0.1", "rebound.localhost")) as visitor:
        refused(visitor, "/student?user_id=user-101", "another name or a proxy")


def test_a_cookie_that_was_copied_opens_nothing_after_signing_out_and_a_restart(
    tmp_path: Path, provider: Provider
) -> None:
    port = engines.free_port()
    with running(tmp_path, provider, port) as school, browser.visiting(school.url) as visitor:
        sign_in(visitor, "Olga")
        visitor.sees(f"{OPS}, ops")
        copied = [c for c in visitor.context.cookies() if c["name"].startswith("_streamlit_user")]
        visitor.page.locator(SIGN_OUT).click()
        visitor.sees("Sign in to see it.")
    with running(tmp_path, provider, port) as school, browser.visiting(school.url) as visitor:
        visitor.context.add_cookies([{"name": c["name"], "value": c["value"], "url": school.url} for c in copied])
        refused(visitor, "/student?user_id=user-101", "You have signed out.")
        # The next sign-in of the same person is another one.
        visitor.page.locator(SIGN_IN).click()
        visitor.page.get_by_role("link", name="Olga", exact=True).click()
        visitor.sees(f"{OPS}, ops")
