"""The documented configurations of Caddy, as they stand there: HTTPS, WebSockets and sign-in through them."""

import hmac
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import unavailable
from tests.support import browser, engines, oidc
from tests.support.browser import Visitor
from tests.support.docs import doc, section
from tests.support.people import OPS, PEOPLE, ROLES, SIGN_IN, SIGN_OUT, refused

pytestmark = pytest.mark.usefixtures("chromium")


@contextmanager
def caddy(upstream: str, port: int, folder: Path, heading: str = "HTTPS", second: str = "") -> Iterator[None]:
    """Caddy with the documented configuration, for another name and with a certificate of its own making."""
    program = shutil.which("caddy")
    if not program:
        unavailable("Caddy is not there: apt-get install caddy")
    block = re.search(r"```caddyfile\n(.*?)```", section(heading, doc("operations")), re.DOTALL)
    assert block
    site = re.sub(r"^\S+ {", f"https://127.0.0.1:{port} {{", block[1])
    site = site.replace("127.0.0.1:8501", urlsplit(upstream).netloc).replace("127.0.0.1:8502", urlsplit(second).netloc)
    assert site != block[1]
    config = folder / "Caddyfile"
    options = "{\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
    config.write_text(options + site, encoding="utf-8")
    process = subprocess.Popen(
        [program, "run", "--config", str(config), "--adapter", "caddyfile"],
        env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        engines.wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def visiting(port: int) -> Iterator[Visitor]:
    """A visitor who takes Caddy's own certificate."""
    with browser.visiting(f"https://127.0.0.1:{port}", ignore_https_errors=True) as visitor:
        yield visitor


def test_sign_in_and_the_pages_work_through_caddy(tmp_path: Path) -> None:
    port = engines.free_port()
    secrets = tmp_path / "secrets.toml"
    with oidc.provider(PEOPLE) as provider:
        auth = provider.secrets().replace("http://127.0.0.1:{port}/oauth2", f"https://127.0.0.1:{port}/oauth2")
        secrets.write_text(auth + ROLES, encoding="utf-8")
        with browser.dashboard(secrets=secrets) as url, caddy(url, port, tmp_path), visiting(port) as visitor:
            answer = visitor.page.goto(visitor.url)
            assert answer
            assert answer.headers["strict-transport-security"]
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            visitor.page.locator(SIGN_IN).click()
            visitor.page.get_by_role("link", name="Olga", exact=True).click()
            visitor.page.wait_for_url(visitor.url + "/", timeout=20_000)
            visitor.sees(f"{OPS}, ops")
            assert [c["name"] for c in visitor.context.cookies() if not c["secure"]] == []
            visitor.open("/student?user_id=user-101")
            visitor.sees("Download report")


def test_below_a_path_sign_in_links_pages_and_downloads_work(tmp_path: Path) -> None:
    port = engines.free_port()
    secrets = tmp_path / "secrets.toml"
    with oidc.provider(PEOPLE) as provider:
        auth = provider.secrets().replace("http://127.0.0.1:{port}/oauth2", f"https://127.0.0.1:{port}/bandup/oauth2")
        secrets.write_text(auth + ROLES, encoding="utf-8")
        with (
            browser.dashboard(None, "--server.baseUrlPath=bandup", secrets=secrets, path="/bandup") as url,
            caddy(url, port, tmp_path, "Below a path"),
            visiting(port) as visitor,
        ):
            refused(visitor, "/bandup/student?user_id=user-101", "Sign in to see it.")
            visitor.page.locator(SIGN_IN).click()
            visitor.page.get_by_role("link", name="Olga", exact=True).click()
            visitor.page.wait_for_url(visitor.url + "/bandup/student?user_id=user-101", timeout=20_000)
            visitor.page.wait_for_selector(".st-key-_refresh", timeout=60_000)
            visitor.sees("Download report")
            assert {c["path"] for c in visitor.context.cookies() if c["name"] == "_streamlit_user"} == {"/bandup"}
            visitor.page.locator(".st-key-menu a", has_text="Jobs").click()
            visitor.arrives("/bandup/jobs")
            visitor.open("/bandup")
            visitor.sees("All students")
            visitor.open("/bandup/audit")
            visitor.page.evaluate("delete window.showSaveFilePicker")
            with visitor.page.expect_download() as saved:
                visitor.page.get_by_role("button", name="Download CSV").click()
            assert "# All issues" in saved.value.path().read_text(encoding="utf-8-sig")
            assert visitor.context.request.get(saved.value.url).headers["cache-control"] == "no-store"
            assert visitor.context.request.get(visitor.url + "/student").body() == b""
            visitor.page.locator(SIGN_OUT).click()
            visitor.sees("Sign in to see it.")
            assert visitor.path().startswith("/bandup")


def test_through_caddy_nothing_is_shown_without_sign_in(tmp_path: Path) -> None:
    port = engines.free_port()
    with browser.dashboard() as url, caddy(url, port, tmp_path), visiting(port) as visitor:
        refused(visitor, "/student?user_id=user-101", "another name or a proxy")


def test_of_two_processes_one_serves_a_browser_and_the_other_takes_over(tmp_path: Path) -> None:
    port = engines.free_port()
    secrets = tmp_path / "secrets.toml"
    with ExitStack() as stack:
        provider = stack.enter_context(oidc.provider(PEOPLE))
        auth = provider.secrets().replace("http://127.0.0.1:{port}/oauth2", f"https://127.0.0.1:{port}/oauth2")
        secrets.write_text(auth + ROLES, encoding="utf-8")
        servers = [stack.enter_context(browser.serving({"BANDUP_SOURCE": "demo"}, secrets=secrets)) for _ in range(2)]
        one, two = (server.url for server in servers)
        stack.enter_context(caddy(one, port, tmp_path, "Several processes", two))
        visitor = stack.enter_context(visiting(port))
        visitor.page.goto(visitor.url)
        visitor.page.locator(SIGN_IN).click()
        visitor.page.get_by_role("link", name="Olga", exact=True).click()
        visitor.page.wait_for_url(visitor.url + "/", timeout=60_000)
        visitor.page.wait_for_selector(".st-key-_refresh", timeout=120_000)  # the demo is filled
        visitor.open("/audit")
        visitor.page.evaluate("delete window.showSaveFilePicker")
        with visitor.page.expect_download() as saved:
            visitor.page.get_by_role("button", name="Download CSV").click()
        assert "# All issues" in saved.value.path().read_text(encoding="utf-8-sig")
        visitor.open("/student?user_id=user-101&period=90d")
        visitor.sees("Download report")
        own, other = sorted(servers, key=lambda server: _named(server.url) != _kept_at(visitor))
        os.kill(own.pid, signal.SIGTERM)
        visitor.page.goto(visitor.url + "/student?user_id=user-101&period=90d")
        visitor.page.wait_for_selector(".st-key-_refresh", timeout=120_000)
        visitor.sees("Download report")
        assert visitor.path() == "/student?user_id=user-101&period=90d"
        assert _kept_at(visitor) == _named(other.url)
        visitor.page.locator(SIGN_OUT).click()
        visitor.sees("Sign in to see it.")


def _kept_at(visitor: Visitor) -> str:
    """Caddy's name for the process that serves this browser."""
    (value,) = (cookie["value"] for cookie in visitor.context.cookies() if cookie["name"] == "bandup_server")
    return value


def _named(url: str) -> str:
    return hmac.new(b"", urlsplit(url).netloc.encode(), "sha256").hexdigest()
