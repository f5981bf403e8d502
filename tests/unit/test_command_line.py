"""`python -m bandup`: commands, help, and exit codes that nobody can take for another."""

import getpass
import io
import json
import os
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from bandup import setup, terminal
from bandup.__main__ import main
from data.dynamodb.errors import Failure, Kind
from data.provisioning.drift import Check, Target
from data.provisioning.place import Place
from data.provisioning.plan import Plan
from data.schema import EVALUATIONS
from tests.support.engines import ROOT


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["--apply"]])
def test_what_is_no_command_is_an_error_with_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 1
    assert "setup" in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "setup" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "code"), [("check", 3), ("setup", 1)])
@pytest.mark.parametrize("output", ["closed pipe", "full disk"])
def test_output_that_nobody_takes_is_no_traceback_and_no_result(command: str, code: int, output: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    if output == "full disk":
        os.close(writer)
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full here")
        writer = os.open("/dev/full", os.O_WRONLY)
    with os.fdopen(writer, "w", closefd=False) as unusable:
        # Buffered, as it is into a pipe: argparse itself passes over what it cannot write.
        ended = subprocess.run(
            [sys.executable, "-m", "bandup", command, "--help"],
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=unusable,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    os.close(writer)
    assert ended.returncode == code
    assert ended.stderr.count("\n") == (output == "full disk")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("outputs", [">/dev/full 2>&1", ">/dev/full 2>&-", ">&- 2>&-"])
@pytest.mark.parametrize(("command", "code"), [("check", 3), ("setup", 1)])
def test_where_not_even_that_can_be_said_the_code_says_it(command: str, code: int, outputs: str) -> None:
    line = f'exec "{sys.executable}" -m bandup {command} --help {outputs}'
    environ = {**os.environ, "PYTHONUNBUFFERED": ""}
    assert subprocess.run(["sh", "-c", line], cwd=ROOT, env=environ, check=False).returncode == code


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Windows closes no output")
@pytest.mark.parametrize(("command", "code"), [("check", 3), ("setup", 1)])
def test_an_output_that_is_closed_from_the_start_is_one_that_takes_nothing(command: str, code: int) -> None:
    line = f'exec "{sys.executable}" -m bandup {command} --help >&-'
    ended = subprocess.run(["sh", "-c", line], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (code, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "cp874", "iso8859-2", "ascii", "cp1252"])
def test_json_is_json_in_whatever_letters_the_output_has(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    output = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(output, encoding=encoding, errors="backslashreplace"))
    document = {"a · b": ["é", "ไทย", "\N{GRINNING FACE}", "\udc80", "\x85"]}
    terminal.say_json(document)
    assert json.loads(output.getvalue().decode(encoding)) == document


def test_ctrl_c_ends_it_without_a_traceback() -> None:
    # It waits for a database that does not answer.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environ = {
            **os.environ,
            "BANDUP_ENV_FILE": os.devnull,
            "BANDUP_SOURCE": "aws",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "bandup", "demo", "--to", f"http://127.0.0.1:{silent.getsockname()[1]}"],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, "", "")


def test_no_line_of_others_begins_a_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("a record\nin sync: all is well\r\x1b[2K\u202e")
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert output[:-1].isprintable()


def test_commands_say_nothing_in_another_way() -> None:
    places = [path for path in (ROOT / "bandup").glob("*.py") if "print(" in path.read_text(encoding="utf-8")]
    assert [path.name for path in places] == ["terminal.py"]


@pytest.mark.slow
def test_letters_that_the_output_cannot_hold_are_no_error() -> None:
    environ = {**os.environ, "PYTHONIOENCODING": "ascii", "BANDUP_SOURCE": "demo", "BANDUP_ENV_FILE": os.devnull}
    command = [sys.executable, "-m", "bandup", "setup"]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr
    assert r"\xb7" in ended.stdout


def test_a_user_whom_the_computer_has_no_name_for_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a container: KeyError up to Python 3.12, OSError since; ImportError on Windows.
    for error in (KeyError("getpwuid(): uid not found: 1234"), OSError("No username set"), ImportError("pwd")):
        monkeypatch.setattr(getpass, "getuser", MagicMock(side_effect=error))
        monkeypatch.setattr(os, "getuid", lambda: 1234, raising=False)
        assert setup._who() == "terminal user 1234"
    monkeypatch.delattr(os, "getuid")
    assert setup._who() == "terminal user unknown"
    monkeypatch.setattr(getpass, "getuser", lambda: "olga")
    assert setup._who() == "terminal user olga"


def test_a_drill_and_an_application_are_two_calls(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["setup", "--drill", "--apply"])
    assert ended.value.code == 1
    assert "--apply" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--aply"], ["--json", "more"]])
def test_wrong_usage_does_not_end_with_the_code_for_steps(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["setup", *arguments])
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert arguments[-1] in error
    assert "usage: python -m bandup setup" in error


def test_the_terminal_has_no_button_to_press(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise Failure("throttled")

    monkeypatch.setattr(setup, "open_store", fail)
    assert main(["setup"]) == 3
    error = capsys.readouterr().err
    assert "Refresh" not in error
    assert "Wait a minute, then run this again." in error


@pytest.mark.parametrize("kind", ["throttled", "changed", "unexpected"])
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
def test_a_check_that_failed_names_no_button_in_the_terminal(
    options: list[str], kind: Kind, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check(Target(EVALUATIONS, "evaluations"), "Tags", "unchecked", Failure(kind), None)

    monkeypatch.setattr(setup, "open_store", lambda _: None)
    monkeypatch.setattr(setup, "open_clients", lambda _: None)
    monkeypatch.setattr(setup, "plan", lambda *_, **__: Plan((check,)))
    monkeypatch.setattr(setup, "where", lambda _: Place("", "eu-west-1", "aws", "http://127.0.0.1", (), real_aws=False))
    main(["setup", *options])
    output = capsys.readouterr().out
    assert "could not be checked" in output
    assert "refresh" not in output.casefold()
    assert "run this again" in output.casefold()


def test_an_account_that_was_named_must_be_the_one_that_is_changed() -> None:
    unknown: Any = SimpleNamespace(account=Failure("too_slow"), real_aws=False)
    assert setup._unconfirmed(unknown, "") == ""
    assert setup._unconfirmed(unknown, "123456789012")
