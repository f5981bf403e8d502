"""README's configuration of Caddy, as it stands there: HTTPS, WebSockets and sign-in through it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import unavailable
from tests.support import browser, engines, oidc
from tests.support.browser import Visitor
from tests.support.docs import doc, section
from tests.support.people import OPS, PEOPLE, ROLES, SIGN_IN, refused

pytestmark = pytest.mark.usefixtures("chromium")


@contextmanager
def caddy(upstream: str, port: int, folder: Path) -> Iterator[None]:
    """Caddy with README's configuration, for another name and with a certificate of its own making."""
    program = shutil.which("caddy")
    if not program:
        unavailable("Caddy is not there: apt-get install caddy")
    found = re.search(r"```caddyfile\n(.*?)```", section("HTTPS", doc("operations")), re.DOTALL)
    assert found
    site = found[1].replace("dashboard.example.org", f"https://127.0.0.1:{port}")
    site = site.replace("127.0.0.1:8501", urlsplit(upstream).netloc)
    assert site != found[1]
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
            visitor.sees("Writing level")


def test_through_caddy_nothing_is_shown_without_sign_in(tmp_path: Path) -> None:
    port = engines.free_port()
    with browser.dashboard() as url, caddy(url, port, tmp_path), visiting(port) as visitor:
        refused(visitor, "/student?user_id=user-101", "another name or a proxy")
