"""A dashboard server of its own, and Chromium looking at it."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, expect, sync_playwright

from tests.support import engines

IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# Whether, for so long that what was just done has reached the server, the script did not run and the page did not
# change. A page that changes all the time is settled after some seconds.
_SETTLED = """() => new Promise(resolve => {
    const began = performance.now()
    let last = began
    const changes = new MutationObserver(() => { last = performance.now() })
    changes.observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
    const moves = (one) => one.playState === "running" && one.effect?.getTiming().iterations < Infinity
    const look = () => {
        const now = performance.now()
        if (document.getAnimations().some(moves)) last = now  // what was stale while the script ran becomes clear again
        const idle = document.querySelector("IDLE")
        if (idle && now - last < 300 && now - began < 8000) return setTimeout(look, 25)
        changes.disconnect()
        resolve(Boolean(idle))
    }
    look()
})""".replace("IDLE", IDLE)
_STATE = str(Path(tempfile.gettempdir(), f"bandup-tests-{os.getpid()}"))  # never that of whoever runs the tests
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first takes a quarter less processor time for a page: it is the browser without its own windows."""
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--no-turbofan --no-maglev",  # a page lives for seconds: better code comes too late for it
)


def chromium() -> str:
    """Where Chromium is; MissingError when it is not installed."""
    for name in _CHROMIUM:
        if path := shutil.which(name):
            return path
    raise engines.MissingError("Chromium is not there: apt-get install chromium, or your system's package of it")


@dataclass(frozen=True, slots=True)
class Server:
    """A dashboard that runs: where, and as which process."""

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid


@contextmanager
def serving(
    environ: Mapping[str, str] | None = None,
    *options: str,
    script: str = "dashboard.py",
    secrets: Path | None = None,
    log: Path = Path(os.devnull),
    path: str = "",
    port: int | None = None,
) -> Iterator[Server]:
    """A freshly started dashboard, with no .env, and no secrets.toml but `secrets`; what it says goes to `log`.

    `path` is the one that `options` put it below; `port` is a free one unless given.
    """
    port = port or engines.free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true"]
    # A file that is not there stands for none, so that this machine's own is not used.
    command += [f"--server.port={port}", f"--secrets.files={secrets or engines.ROOT / 'tests/none.toml'}", *options]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=engines.ROOT,
            env={**os.environ, "BANDUP_ENV_FILE": os.devnull, **(environ or {})},
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}{path}"
    try:
        wait_until_healthy(url, process)
        yield Server(url, process)
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def dashboard(
    environ: Mapping[str, str] | None = None,
    *options: str,
    secrets: Path | None = None,
    log: Path = Path(os.devnull),
    path: str = "",
    port: int | None = None,
) -> Iterator[str]:
    """The URL of a freshly started dashboard; see `serving`."""
    with serving(environ, *options, secrets=secrets, log=log, path=path, port=port) as server:
        yield server.url


def wait_until_healthy(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once the dashboard answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            if process.poll() is not None:
                raise
        time.sleep(0.1)
    raise RuntimeError("the dashboard did not start within 60 seconds")


@dataclass
class Visitor:
    """One browser window; `foreign` collects every request to another host than the dashboard's."""

    context: BrowserContext
    page: Page
    url: str
    foreign: list[str] = field(default_factory=list)
    reusable: bool = True

    def run_first(self, script: str) -> None:
        """Have each page run a script before its own; nobody else gets this window afterwards."""
        self.reusable = False
        self.context.add_init_script(script)

    def open(self, path: str) -> None:
        """Go to a path of the dashboard and wait until it is idle."""
        self.page.goto(self.url + path)
        # The footer comes last. (Before the first run, the script counts as not running as well.)
        self.page.wait_for_selector(".st-key-_refresh", timeout=30_000)
        self.idle()

    @contextmanager
    def preferring(self, scheme: Any) -> Iterator[None]:
        """Within it, this colour scheme is preferred; after it, light."""
        self.page.emulate_media(color_scheme=scheme)
        try:
            self.idle()
            yield
        finally:
            self.page.emulate_media(color_scheme="light")

    @contextmanager
    def resized(self, width: int, height: int) -> Iterator[None]:
        """Within it, the window is as large as this; after it, as before."""
        before = self.page.viewport_size
        assert before
        self.page.set_viewport_size({"width": width, "height": height})
        try:
            self.idle()
            yield
        finally:
            self.page.set_viewport_size(before)

    def idle(self) -> None:
        """Wait until the script has run and the grid and charts have settled."""
        while True:
            self.page.wait_for_selector(IDLE, timeout=30_000)
            try:
                if self.page.evaluate(_SETTLED):
                    return
            except Error as error:
                if "context was destroyed" not in str(error):  # a link led to the next page in the meantime
                    raise

    def until(self, expression: str, seconds: int = 60) -> None:
        """Wait until a JavaScript expression is true. Playwright's own way evaluates text, which the policy forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {seconds} seconds: {expression}")
            time.sleep(0.05)

    def sees(self, text: str) -> None:
        """Wait until the text is on the page; fail when it does not come."""
        expect(self.page.locator("body")).to_contain_text(text, timeout=20_000, use_inner_text=True)

    def arrives(self, path: str) -> None:
        """Wait until the address begins with `path`; fail when it does not."""
        self.page.wait_for_url(lambda url: url.startswith(self.url + path), timeout=20_000)
        self.idle()

    def path(self) -> str:
        """The URL without the host."""
        return self.page.url.removeprefix(self.url)

    def open_row(self, key: str, row: int) -> None:
        """Click the name in a row of the grid `key`, whose names come first."""
        self.click_row(key, row, 60)

    def click_row(self, key: str, row: int, x: int = 20) -> None:
        """Click in a row of the grid `key`: its box, or `x` pixels from the left."""
        grid = self.page.locator(f".st-key-{key} [data-testid=stDataFrame]")
        grid.scroll_into_view_if_needed()
        box = grid.bounding_box()
        assert box
        # The grid is a canvas: it takes a press only on the cell that it knows the pointer is over.
        self.page.mouse.move(box["x"] + x, box["y"] + 35 * (row + 1) + 17)
        self.page.wait_for_timeout(300)
        self.page.mouse.down()
        self.page.wait_for_timeout(50)
        self.page.mouse.up()
        self.idle()

    def cell(self, key: str, column: int, row: int) -> str:
        """The text of a cell of the grid `key`."""
        return self.page.locator(f".st-key-{key} [data-testid=glide-cell-{column}-{row}]").inner_text()

    def _watch(self, request: Request) -> None:
        own = (self.url, self.url.replace("http", "ws", 1), "data:", "blob:")
        if not request.url.startswith(own):
            self.foreign.append(request.url)


@contextmanager
def visiting(
    url: str,
    *,
    width: int = 1400,
    height: int = 900,
    scheme: Any = "light",
    zone: str = "Asia/Ho_Chi_Minh",
    ignore_https_errors: bool = False,
    touch: bool = False,
) -> Iterator[Visitor]:
    """A visitor with an empty profile; with `touch`, on a device of fingers.

    Nothing moves for a visitor: to watch what fades in takes a fifth of a page's time. The window may have been
    another's, who left nothing in it: a page opens there with half of the work.
    """
    profile = {
        "viewport": {"width": width, "height": height},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
        "timezone_id": zone,
        "ignore_https_errors": ignore_https_errors,
        "has_touch": touch,
        "is_mobile": touch,
    }
    windows = _windows.setdefault(repr(profile), [])
    page = windows.pop() if windows else _browser().new_context(**profile).new_page()
    context = page.context
    visitor = Visitor(context, page, url)
    context.on("request", visitor._watch)
    try:
        yield visitor
        context.remove_listener("request", visitor._watch)
        if visitor.reusable and _empty(page, url):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            windows.append(page)
    finally:
        if page not in windows:
            context.close()


_windows: dict[str, list[Page]] = {}
"""Windows that nobody is at, by their profiles."""


def _empty(page: Page, url: str) -> bool:
    """Leave nothing in a window of who was at it; False where that cannot be."""
    try:
        for other in page.context.pages:
            if other is not page:
                other.close()
        # Not about:blank: on the same site it stays the same process, which knows Streamlit's scripts by now.
        page.goto(f"{url}/_stcore/health")
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
        tools = page.context.new_cdp_session(page)
        tools.send("Page.resetNavigationHistory")  # a browser keeps 50 addresses
        tools.detach()
        page.context.clear_cookies()
    except Error:  # it was closed, or its server is gone
        return False
    return True


@cache
def _browser() -> Browser:
    """One Chromium for all visitors of this process; each has a context, which is a profile of its own."""
    # Before Playwright is started: one that is left running makes every later start fail.
    program = chromium()
    playwright = sync_playwright().start()
    try:
        running = playwright.chromium.launch(executable_path=program, args=list(_QUIET))
    except Exception:
        playwright.stop()
        raise
    atexit.register(playwright.stop)
    atexit.register(running.close)
    return running


def axe(visitor: Visitor) -> list[str]:
    """Serious and critical accessibility violations on the page, a line each."""
    script = engines.NODE_MODULES / "axe-core/axe.min.js"
    if not script.exists():
        raise engines.MissingError("axe-core is not there: run “npm install”")
    visitor.page.evaluate(script.read_text(encoding="utf-8"))  # a script tag would be against the page's policy
    answer = visitor.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['impact']} {v['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for v in answer["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]
