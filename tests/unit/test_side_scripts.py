"""Scripts beside the dashboard say in one sentence what they need, and end with 1."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engines import ROOT

AS_MODULE = {
    "bench/__main__.py": "python -m bench",
    "bench/calibration.py": "python -m bench.calibration",
    "bench/heavy_input.py": "python -m bench.heavy_input",
    "bench/load.py": "python -m bench.load",
    "bench/processes.py": "python -m bench.processes",
    "bench/refresh.py": "python -m bench.refresh",
    "bench/scale.py": "python -m bench.scale",
}
# An environment without the packages of the tests: -S leaves out all that was installed, -E the paths of this one.
BARE = (sys.executable, "-S", "-E")


def ended(*command: str) -> str:
    """The one sentence with which a command ends."""
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 1
    assert run.stdout == ""
    (sentence,) = run.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("script", AS_MODULE)
def test_a_benchmark_started_by_its_path_says_how_to_start_it(script: str) -> None:
    assert ended(*BARE, script).endswith(f": {AS_MODULE[script]}")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "bench"),
        ("-m", "bench.calibration"),
        ("-m", "bench.load"),
        ("-m", "bench.processes"),
        ("-m", "bench.refresh"),
        ("-m", "bench.scale"),
        ("docs/take_screenshots.py",),
        (".ci/first_page.py", "true", "venv"),
    ],
    ids=" ".join,
)
def test_without_the_packages_of_the_tests_it_says_how_to_get_them(arguments: tuple[str, ...]) -> None:
    assert ended(*BARE, *arguments).endswith(": pip install -r requirements-dev.txt")


def test_the_first_page_needs_a_command_and_an_environment() -> None:
    assert ended(sys.executable, ".ci/first_page.py").endswith(": python .ci/first_page.py COMMAND VENV")


def test_every_benchmark_that_can_be_started_is_among_them() -> None:
    started = [path for path in Path(ROOT, "bench").glob("*.py") if '__name__ == "__main__"' in path.read_text("utf-8")]
    assert sorted(path.relative_to(ROOT).as_posix() for path in started) == sorted(AS_MODULE)
