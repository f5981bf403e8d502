"""`python -m bandup`: commands, help, and exit codes that nobody can take for another."""

import pytest

from bandup import setup
from bandup.__main__ import main
from data.dynamodb.errors import Failure, Kind
from data.provisioning.drift import Check, Target
from data.provisioning.place import Place
from data.provisioning.plan import Plan
from data.schema import EVALUATIONS


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
