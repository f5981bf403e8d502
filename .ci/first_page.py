"""Runs README's first command, opens `/` in Chromium as a teacher would, and says how long each took.

`python .ci/first_page.py COMMAND VENV`: COMMAND runs in this folder, with the programs of VENV.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
if not find_spec("playwright"):
    sys.exit("It needs playwright: pip install -r requirements-dev.txt")
if __name__ == "__main__" and len(sys.argv) != 3:
    sys.exit("Start it as .ci/run does: python .ci/first_page.py COMMAND VENV")

from tests.support.browser import visiting
from tests.support.engines import MissingError, free_port

STUDENTS = 25
INSTALL_SECONDS = 900
GRID = ".st-key-students table[role=grid]"
# The grid draws on a canvas; its table for screen readers says how many rows there are, the header included.
FILLED = f"Number(document.querySelector('{GRID}')?.ariaRowCount ?? 0) > {STUDENTS}"


def healthy(url: str) -> bool:
    """Whether the server answers."""
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:  # noqa: S310
            return int(answer.status) == 200
    except OSError:
        return False


def main(command: str, venv: str) -> None:
    """Run, look, measure, stop."""
    started = Path(venv) / "started"
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environ = {
        **os.environ,
        "PATH": f"{venv}/bin:{os.environ.get('BARE_PATH') or os.environ['PATH']}",
        "STREAMLIT_SERVER_HEADLESS": "true",
        "STREAMLIT_SERVER_PORT": port,
    }
    # The trap runs before each program of the command, so that in the end it holds when `streamlit run` began.
    script = f"trap 'date +%s.%N > {started}' DEBUG\n{command}"
    with visiting(url) as visitor:
        server = subprocess.Popen(["bash", "-c", script], cwd=ROOT, env=environ, start_new_session=True)  # noqa: S603, S607
        try:
            end = time.time() + INSTALL_SECONDS
            while not healthy(url):
                assert server.poll() is None, f"the command ended with exit code {server.returncode}"
                assert time.time() < end, f"no answer after {INSTALL_SECONDS} seconds"
                time.sleep(0.05)
            began, answered = float(started.read_text()), time.time()
            visitor.page.goto(url)
            visitor.until(FILLED)
            filled = time.time()
            rows = int(visitor.page.locator(GRID).get_attribute("aria-rowcount") or 0) - 1
            visitor.page.wait_for_timeout(2000)  # for requests that come late
            assert visitor.foreign == [], f"requests to other hosts: {visitor.foreign}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(20)
    sys.stdout.write(
        f"from streamlit run to health {answered - began:.1f} s, to a page with {rows} students "
        f"{filled - began:.1f} s, no request to another host\n"
    )


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the server is stopped as well
    try:
        main(*sys.argv[1:])
    except MissingError as missing:
        sys.exit(str(missing))
