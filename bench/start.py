"""How long a start takes: `streamlit run` to health, first content and first data, beside a page that says hello."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

from bench import ROOT
from bench.support.report import Report, median, seconds
from bench.support.worlds import World
from tests.support import browser, engines

_READY = """
import time
from data.settings import Settings
from data.demo import engine
begin = time.perf_counter()
engine.open_demo(Settings.read({}))
print(time.perf_counter() - begin)
"""
# What is there last: the footer of every page of the dashboard, the title of hello.
_DATA = ".st-key-_refresh"
_TITLE = "h1"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since `streamlit run`."""

    health: float
    content: float
    data: float


def run(report: Report, world: World, rounds: int) -> None:
    """Hello, the dashboard on `world`, and the demo, in turn."""
    kinds: tuple[tuple[str, str, Mapping[str, str], str], ...] = (
        ("hello", "bench/support/hello.py", {}, _TITLE),
        ("the dashboard", "dashboard.py", world.environ, _DATA),
        ("the demo", "dashboard.py", {"BANDUP_SOURCE": "demo"}, _DATA),
    )
    started: dict[str, list[Start]] = {}
    for number in range(rounds + 1):
        for name, script, environ, last in kinds:
            times = _start(script, environ, last)
            if number:  # the first round fills the disk's cache
                started.setdefault(name, []).append(times)
    parts = ("health", "content", "data")
    medians = {
        name: [median([getattr(s, part) for s in several]) for part in parts] for name, several in started.items()
    }
    report.table(
        f"From `streamlit run` in Chromium, overview at {world}",
        ("", "health", "first content", "first data"),
        [(name, *map(seconds, values)) for name, values in medians.items()],
    )
    for part, ours, hello in zip(parts, medians["the dashboard"], medians["hello"], strict=True):
        ratio = ours / hello
        most = 1.5 if part == "data" else 2
        report.goal("5", f"start to {part} within {most:g}x of hello", f"{ratio:.2f}x", met=ratio <= most)
    demo = [_demo_ready() for _ in range(rounds)]
    report.table(
        "The demo's DynamoDB, in a process of its own", ("", "median"), [("ready and filled", seconds(median(demo)))]
    )
    _imports(report)


def _start(script: str, environ: Mapping[str, str], last: str) -> Start:
    port = engines.free_port()
    url = f"http://127.0.0.1:{port}"
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DYNAMODB_", "BANDUP_SO"))
    }
    with browser.visiting(url) as visitor:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}"],
            cwd=ROOT,
            env={**clean, "BANDUP_ENV_FILE": os.devnull, **environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_healthy(url)
            health = time.perf_counter() - begin
            visitor.page.goto(url)
            visitor.page.wait_for_selector(_TITLE, timeout=120_000)
            content = time.perf_counter() - begin
            visitor.page.wait_for_selector(last, timeout=120_000)
            return Start(health, content, time.perf_counter() - begin)
        finally:
            process.terminate()
            process.wait(10)


def _wait_until_healthy(url: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)


def _demo_ready() -> float:
    done = subprocess.run([sys.executable, "-c", _READY], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


# What the overview of real tables does not need. (Plotly it does: it draws levels and weeks.)
_UNNEEDED = (
    "moto",
    "matplotlib",
    "genanki",
    "boto3",
    "data.provisioning.apply",
    "data.provisioning.lambdas",
    "data.demo.engine",
)


def _imports(report: Report) -> None:
    """Which of the heavy imports a page makes that does not need them."""
    script = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('dashboard.py', default_timeout=60); app.run()\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        # A source that cannot be reached: the demo would bring moto.
        env={
            **os.environ,
            "BANDUP_SOURCE": "aws",
            "AWS_REGION": engines.REGION,
            "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        },
    )
    loaded = set(done.stdout.split())
    made = [module for module in _UNNEEDED if module in loaded]
    report.goal("5", "overview imports nothing heavy that it does not need", ", ".join(made) or "none", met=not made)
