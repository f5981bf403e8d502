"""The start and the end of the server as a terminal sees them: what is said where, and the exit code."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import engines
from ui.server import lifespan

pytestmark = pytest.mark.slow


@contextmanager
def started(*options: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """`streamlit run dashboard.py` with these options and variables."""
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.headless=true", *options],
        cwd=engines.ROOT,
        env={**os.environ, "BANDUP_ENV_FILE": os.devnull, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


UNUSABLE = {
    "a value": ({"BANDUP_SOURCE": "mars"}, "BANDUP_SOURCE is “mars”"),
    "an empty endpoint": (
        {"BANDUP_SOURCE": "aws", "AWS_ENDPOINT_URL_DYNAMODB": ""},
        "AWS_ENDPOINT_URL_DYNAMODB is set",
    ),
    "a misspelt name": ({"BANDUP_SORCE": "aws"}, "BANDUP_SORCE is not a setting of this dashboard: the nearest is"),
    "no roster": (
        {"BANDUP_ROSTER": "/no/such/class.csv"},
        "BANDUP_ROSTER: The class list /no/such/class.csv cannot be read: No such file or directory",
    ),
    "a roster without columns": ({"BANDUP_ROSTER": str(engines.ROOT / "pyproject.toml")}, "BANDUP_ROSTER: "),
    "a folder as roster": ({"BANDUP_ROSTER": "/"}, "BANDUP_ROSTER: The class list / cannot be read"),
    "no file of settings": ({"BANDUP_ENV_FILE": "/no/such.env"}, "The settings in /no/such.env cannot be read"),
}


@pytest.mark.parametrize(("variables", "sentence"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_setting_that_cannot_be_used_ends_the_server_with_one_sentence(
    variables: dict[str, str], sentence: str
) -> None:
    with started(f"--server.port={engines.free_port()}", **variables) as process:
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    (line,) = errors.splitlines()
    assert line.startswith(sentence)
    assert line.endswith(".")


def test_a_file_of_settings_counts(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("BANDUP_SOURCE=mars\n", encoding="utf-8")
    with started(f"--server.port={engines.free_port()}", BANDUP_ENV_FILE=str(file)) as process:
        assert process.wait(60) == 1


def test_a_signal_that_comes_amid_a_line_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Server:
        should_exit = force_exit = False

        def handle(self, *_: object) -> None:
            """As uvicorn's."""

    class Busy(io.StringIO):
        def write(self, _: str) -> int:
            raise RuntimeError("reentrant call inside <_io.BufferedWriter name='<stdout>'>")

    server, before = Server(), signal.getsignal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, server.handle)
    try:
        lifespan._end_quietly(server)
        with monkeypatch.context() as amid:
            amid.setattr(sys, "stdout", Busy())
            signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert server.should_exit
    assert capfd.readouterr().out == "Stopping\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_it_says_where_it_is_and_ends_quietly(number: signal.Signals) -> None:
    port = engines.free_port()
    with started(f"--server.port={port}", "--server.baseUrlPath=/bandup/") as process:
        assert process.stdout
        assert (
            process.stdout.readline() == f"The dashboard is at http://127.0.0.1:{port}/bandup until Ctrl+C ends it.\n"
        )
        process.send_signal(number)
        out, errors = process.communicate(timeout=20)
        assert errors == ""
        assert out == "Stopping\n"
        assert process.returncode == 0


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which something listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_was_asked_for_and_is_taken_is_said(taken: int) -> None:
    with started(f"--server.port={taken}") as process:
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    (line,) = errors.splitlines()
    assert f"Port {taken} is not available" in line


def test_where_the_usual_port_is_taken_the_next_one_is_said() -> None:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 8501))
            listener.listen()
        except OSError:
            pass  # something else listens there, which is as good
        with started() as process:
            assert process.stdout
            assert process.stdout.readline().startswith("Port 8501 is taken")
            address = process.stdout.readline()
            assert address.startswith("The dashboard is at http://127.0.0.1:85")
            assert ":8501" not in address


SCRIPTS = ("start.sh", "start.command", "start.bat")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the scripts, whose name has a blank."""
    folder = tmp_path / "the dashboard"
    folder.mkdir()
    for name in SCRIPTS:
        shutil.copy(engines.ROOT / name, folder)
    return folder


def run(script: Path, *programs: str) -> "subprocess.CompletedProcess[str]":
    """A script where there are only these programs, which do nothing and succeed, and those of every system."""
    programs_folder = script.parent / "programs"
    programs_folder.mkdir()
    for name in ("dirname", "rm", "cp", "cmp", "mkdir", "cat", "chmod"):
        (programs_folder / name).symlink_to(shutil.which(name) or name)
    for name in programs:
        # It makes a folder that looks like an environment, where it is asked for one.
        lines = [
            "#!/bin/sh",
            'echo "$*" >> calls',
            'case "$*" in "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;; esac',
        ]
        (programs_folder / name).write_text("\n".join(lines), encoding="utf-8")
        (programs_folder / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(script)], env={"PATH": str(programs_folder)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["start.sh", "start.command"])
def test_the_script_makes_the_environment_installs_and_starts(name: str, folder: Path) -> None:
    (folder / "requirements.lock").write_text("nothing\n", encoding="utf-8")
    done = run(folder / name, "python3")
    assert done.returncode == 0, done.stderr
    calls = (folder / "calls").read_text(encoding="utf-8").splitlines()
    assert calls[-3:] == [
        "-m venv .venv",
        "-m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock",
        "-m streamlit run dashboard.py",
    ]
    shutil.rmtree(folder / "programs")
    # The second time there is nothing to install.
    assert run(folder / name, "python3").returncode == 0
    again = (folder / "calls").read_text(encoding="utf-8").splitlines()[len(calls) :]
    assert [call for call in again if call.startswith("-m")] == ["-m streamlit run dashboard.py"]


def test_the_script_says_that_there_is_no_python(folder: Path) -> None:
    done = run(folder / "start.sh")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stdout


def test_the_scripts_can_be_started_where_they_are_for() -> None:
    assert [name for name in SCRIPTS[:2] if not os.access(engines.ROOT / name, os.X_OK)] == []
    lines = (engines.ROOT / "start.bat").read_bytes().split(b"\n")
    assert {line[-1:] for line in lines[:-1]} == {b"\r"}


def test_the_start_script_stays_in_its_own_folder(tmp_path: Path) -> None:
    """CDPATH would lead it to another folder of the same name, where it would install and delete."""
    for folder in ("here/app", "elsewhere/app"):
        (tmp_path / folder).mkdir(parents=True)
    own = next(
        line for line in (engines.ROOT / "start.sh").read_text(encoding="utf-8").splitlines() if "cd -- " in line
    )
    (tmp_path / "here/app/start.sh").write_text(f"{own}\npwd\n", encoding="utf-8")
    out = subprocess.run(
        ["/bin/sh", "app/start.sh"],
        cwd=tmp_path / "here",
        env={"CDPATH": str(tmp_path / "elsewhere"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(out.stdout.strip()) == tmp_path / "here/app"
