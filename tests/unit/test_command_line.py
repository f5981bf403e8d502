"""`python -m bandup`: commands, help, and exit codes that nobody can take for another."""

import pytest

from bandup import setup
from bandup.__main__ import main
from data.dynamodb.errors import Failure
from data.provisioning.drift import Check, Target
from data.schema import EVALUATIONS


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["--apply"]])
def test_what_is_no_command_is_an_error_with_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    assert "setup" in capsys.readouterr().err


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "setup" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--aply"], ["--json", "more"]])
def test_wrong_usage_does_not_end_with_the_code_for_steps(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["setup", *arguments])
    assert ended.value.code == 1
    assert arguments[-1] in capsys.readouterr().err


def test_the_terminal_has_no_button_to_press(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise Failure("throttled", "Too many requests.", "Wait a minute, then press Refresh.")

    monkeypatch.setattr(setup, "open_store", fail)
    assert main(["setup"]) == 1
    error = capsys.readouterr().err
    assert "Refresh" not in error
    assert "Wait a minute, then run this again." in error


REMEDIES = (
    "Wait a minute, then press Refresh.",
    "Press Refresh to see how it is now.",
    "Press Refresh; if it stays, the log has the request id.",
)


@pytest.mark.parametrize("remedy", REMEDIES)
@pytest.mark.parametrize("options", [[], ["--json"]], ids=["lines", "json"])
def test_a_check_that_failed_names_no_button_in_the_terminal(
    options: list[str], remedy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check = Check(Target(EVALUATIONS, "evaluations"), "Tags", "unchecked", f"could not be checked. {remedy}", None)

    def compare(_store: object, _clients: object, _options: object, report: setup.Report) -> None:
        report.checks = [check]

    monkeypatch.setattr(setup, "open_store", lambda _: None)
    monkeypatch.setattr(setup, "_clients", lambda _: None)
    monkeypatch.setattr(setup, "_compare", compare)
    main(["setup", *options])
    output = capsys.readouterr().out
    assert "could not be checked" in output
    assert "refresh" not in output.casefold()
    assert "run this again" in output.casefold()
