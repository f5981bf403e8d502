"""`python -m bandup check`: its exit codes, its line, JSON and metrics, and that what is unknown is never ok."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bandup import check
from bandup.__main__ import main
from data.dynamodb.errors import Failure
from data.provisioning.drift import Check, Level, Step, Target
from data.provisioning.plan import Plan
from data.schema import EVALUATIONS
from queries import all_jobs, source
from queries.all_jobs import AllJobs
from tests.support.hostile import STRINGS
from tests.support.jobs import jobs_of_states

NOW = datetime.now(UTC)
TARGET = Target(EVALUATIONS, "evaluations")
Answer = Callable[..., None]


def frame(**counts: int) -> pd.DataFrame:
    return jobs_of_states(NOW, **counts)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Let the check read these jobs and compare this checklist."""

    def give(jobs: Any, *checks: Check | Failure, failures: dict[str, Failure] | None = None, **unread: Any) -> None:
        def between(*_: object, **__: object) -> AllJobs:
            if isinstance(jobs, Exception):
                raise jobs
            return AllJobs(jobs, failures or {}, **unread)

        def plan(*_: object, **__: object) -> Plan:
            if checks and isinstance(checks[0], Failure):
                raise checks[0]
            return Plan(checks)  # type: ignore[arg-type]

        monkeypatch.setattr(all_jobs, "between", between)
        monkeypatch.setattr(check, "plan", plan)
        for name in ("start", "store", "clients"):
            monkeypatch.setattr(source, name, lambda: None)

    return give


def line_of(level: Level, step: Step | None = None) -> Check:
    return Check(TARGET, "Keys", level, "as it is", step)


REQUIRED = Step("tags", TARGET, "", "tag it", True, "none", "untag it")
OPTIONAL = Step("protect", TARGET, "", "protect it", False, "none", "stop")


@pytest.mark.parametrize(
    ("counts", "flags", "code"),
    [
        ({}, [], 0),
        ({"completed": 20}, [], 0),
        ({"completed": 20, "stuck": 1}, [], 2),
        ({"stuck": 1}, ["--max-stuck", "1"], 0),
        ({"stuck": 2}, ["--max-stuck", "1"], 2),
        ({"stuck": 2}, ["--max-stuck", "1,2"], 1),
        ({"overdue": 5}, [], 1),
        ({"overdue": 21}, [], 2),
        ({"overdue": 5}, ["--max-overdue", "4"], 2),
        ({"failed": 5}, ["--max-failed", "5"], 0),
        ({"failed": 6}, ["--max-failed", "5"], 2),
        ({"failed": 5, "completed": 15}, [], 0),  # 25 % exactly
        ({"failed": 6, "completed": 14}, [], 2),
        ({"failed": 6, "completed": 14}, ["--max-failure-rate", "20%,50%"], 1),
        ({"failed": 6, "completed": 14}, ["--max-failure-rate", "0.3"], 0),
        ({"failed": 19}, [], 0),  # too few for a rate
        ({"failed": 19}, ["--min-finished", "19"], 2),
        # A job is stuck after hours, so that a short period would never see one.
        ({"stuck": 1, "completed": 30}, ["--period", "1h"], 2),
        ({"overdue": 1}, ["--period", "30m"], 1),
    ],
)
def test_figures_above_their_limits_are_a_warning_or_critical(
    counts: dict[str, int], flags: list[str], code: int, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(frame(**counts))
    assert main(["check", *flags]) == code
    word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][code]
    assert capsys.readouterr().out.startswith(f"BANDUP {word} - ")


@pytest.mark.parametrize(
    ("checks", "code"),
    [
        ([line_of("ok")], 0),
        ([line_of("recommended", OPTIONAL)], 0),
        ([line_of("missing", REQUIRED)], 1),
        ([line_of("building")], 1),
        ([line_of("missing")], 2),
        ([line_of("blocked")], 2),
        ([line_of("unchecked")], 3),
        ([line_of("missing", REQUIRED), line_of("unchecked")], 3),
        ([line_of("blocked"), line_of("unchecked")], 2),
        ([Failure("throttled")], 3),
    ],
)
def test_the_wiring_counts_too(checks: list[Check | Failure], code: int, answer: Answer) -> None:
    answer(frame(completed=1), *checks)
    assert main(["check"]) == code
    assert main(["check", "--skip-wiring"]) == 0


@pytest.mark.parametrize("what", ["evaluations", "flashcards", "reasons"])
def test_a_part_that_cannot_be_read_is_unknown_and_the_rest_is_said(
    what: str, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(frame(completed=3), failures={what: Failure("throttled")})
    assert main(["check"]) == 3
    # Without a table the figures are not all: none is given, as monitoring would take it for all.
    output = capsys.readouterr().out
    assert ("completed=3;;;0" in output) == (what == "reasons")
    assert "incidents=" not in output
    answer(frame(stuck=3), failures={what: Failure("throttled")})
    assert main(["check"]) == 2


def test_more_failures_than_can_be_explained_are_unknown_only_while_they_are_of_the_period(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = frame(failed=9, completed=91)  # half an hour ago
    answer(jobs, unread=4, unread_until=NOW - timedelta(minutes=20))
    assert main(["check", "--max-failed", "5", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    # Each of them may be one that a person gave up.
    assert "up to 9 failed" in document["problems"]
    assert (document["jobs"]["failed"], document["jobs"]["abandoned"], document["jobs"]["failure_rate"]) == (
        9,
        None,
        None,
    )
    assert main(["check"]) == 3
    assert "abandoned=" not in capsys.readouterr().out
    assert main(["check", "--period", "20m", "--max-failed", "5"]) == 0


def test_the_line_says_that_it_is_about_sample_data(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer(frame(completed=20))
    main(["check"])
    assert capsys.readouterr().out.startswith("BANDUP OK - Demo data; ")


@pytest.mark.parametrize("part", ["_line", "_as_json", "_metrics"])
def test_an_error_in_the_check_itself_is_unknown(
    part: str, answer: Answer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    answer(frame(completed=20))
    monkeypatch.setattr(check, part, broken)
    flags = ["--json"] if part == "_as_json" else ["--prometheus", str(tmp_path / "bandup.prom")]
    assert main(["check", *flags]) == 3
    assert capsys.readouterr().out.startswith("BANDUP UNKNOWN - ")


@pytest.mark.parametrize("error", [Failure("throttled"), Failure("access_denied"), RuntimeError("a bug")])
def test_jobs_that_cannot_be_read_are_unknown_never_zero(
    error: Exception, answer: Answer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(error)
    file = tmp_path / "bandup.prom"
    assert main(["check", "--json", "--prometheus", str(file)]) == 3
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], document["jobs"], document["incidents"]) == ("unknown", None, [])
    assert "bandup_jobs" not in file.read_text()
    assert "bandup_check_status 3" in file.read_text()


def test_the_line_is_one_line_with_performance_data_and_nobody_is_named(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(frame(failed=3, completed=20))
    main(["check", "--max-failed", "5,9"])
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert output.count("|") == 1
    assert "user-" not in output
    text, data = output.split(" | ")
    assert "Failed jobs: " in text
    assert "boom" not in output
    assert "failed=3;5;9;0" in data.split()
    assert "failure_rate=13.0%;25;25;0;100" in data.split()
    assert all(re.fullmatch(r"\w+=[\d.]+%?(;[\d.]*){3,4}", part) for part in data.split())


@pytest.mark.parametrize(
    ("given", "expected"),
    [("5", "5;5"), ("1000000,2000000", "1000000;2000000"), ("0.5", "0.5;0.5"), ("0,10", "0;10")],
)
def test_performance_data_has_digits_and_a_point_alone(
    given: str, expected: str, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(frame(failed=3))
    main(["check", "--max-failed", given])
    assert f" failed=3;{expected};0 " in capsys.readouterr().out


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_no_error_message_steers_the_terminal_or_is_in_what_monitoring_keeps(
    flags: list[str], answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    message = f"{STRINGS['control']} {STRINGS['right to left']} {STRINGS['zero width']}"
    answer(jobs_of_states(NOW, message, failed=3))
    main(["check", "--skip-wiring", *flags])
    output = capsys.readouterr().out
    assert "Failed jobs" in output
    assert "bell" not in output
    assert {letter for letter in output if not letter.isprintable()} <= {"\n", "\u200d"}
    if flags:
        assert json.loads(output)["incidents"][0]["error"] == "Failed jobs"


def test_json_has_status_jobs_wiring_and_incidents(
    answer: Answer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANDUP_URL", "https://bandup.example.org/")
    answer(frame(failed=3, completed=20), line_of("blocked"))
    assert main(["check", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert {"status", "jobs", "wiring", "incidents"} <= set(document)
    assert document["status"] == "critical"
    assert document["jobs"]["failed"] == 3
    assert document["wiring"] == {"critical": 1, "warning": 0, "unknown": 0}
    (incident,) = document["incidents"]
    assert (incident["jobs"], incident["students"], incident["over"]) == (3, 3, False)
    assert incident["link"].startswith("https://bandup.example.org/jobs?incident=")
    assert "user-" not in json.dumps(document)


_FIGURES = dict.fromkeys(
    ["failed", "not_recovered", "overdue", "stuck", "waiting", "completed", "recovered", "abandoned"], int
)
_WIRING = {"critical": int, "warning": int, "unknown": int}
_INCIDENT = {
    **dict.fromkeys(["error", "sentence", "first_seen", "last_seen", "link"], str),
    **dict.fromkeys(["jobs", "students", "recovered"], int),
    "over": bool,
}


def shape(value: Any) -> Any:
    """The same, with types for values: none stays None, and a list has each shape of its entries once."""
    if isinstance(value, dict):
        return {name: shape(entry) for name, entry in value.items()}
    if isinstance(value, list):
        shapes = [shape(entry) for entry in value]
        return [one for n, one in enumerate(shapes) if one not in shapes[:n]]
    return None if value is None else type(value)


@pytest.mark.parametrize(
    ("status", "counts", "checks", "flags", "problems", "jobs", "wiring", "incidents"),
    [
        ("ok", {"completed": 20}, [line_of("ok")], [], [], float, _WIRING, []),
        ("ok", {}, [line_of("ok")], ["--skip-wiring"], [], None, None, []),
        ("warning", {"completed": 1}, [line_of("missing", REQUIRED)], [], [str], float, _WIRING, []),
        ("critical", {"failed": 3, "completed": 3}, [line_of("ok")], ["--max-failed", "2"], [str], float, _WIRING, 1),
        ("critical", {"stuck": 3}, [line_of("blocked")], [], [str], None, _WIRING, []),
        ("unknown", None, [line_of("ok")], [], [str], "unread", _WIRING, []),
        ("unknown", {"failed": 3}, [Failure("throttled")], [], [str], float, None, 1),
        ("unknown", {"completed": 3}, [line_of("unchecked")], [], [str], float, _WIRING, []),
        ("unknown", None, [Failure("throttled")], [], [str], "unread", None, []),
    ],
)
def test_json_has_one_shape_in_every_state(
    status: str,
    counts: dict[str, int] | None,
    checks: list[Check | Failure],
    flags: list[str],
    problems: list[type],
    jobs: Any,
    wiring: dict[str, type] | None,
    incidents: Any,
    answer: Answer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`jobs` is the type of the failure rate, None where nothing finished, "unread" where no job could be read."""
    answer(Failure("throttled") if counts is None else frame(**counts), *checks)
    assert main(["check", "--json", *flags]) == check.EXIT_CODES[status]  # type: ignore[index]
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == status
    assert type(document["cost"]) in (str, type(None))
    assert datetime.fromisoformat(document["checked_at"]).tzinfo is not None
    assert shape({name: document[name] for name in document if name not in ("cost", "status", "checked_at")}) == {
        "source": str,
        "problems": problems,
        "jobs": None if jobs == "unread" else {**_FIGURES, "failure_rate": jobs},
        "wiring": wiring,
        "incidents": [_INCIDENT] if incidents else [],
        "incomplete": [str] if jobs == "unread" else [],
    }
    times = [one[name] for one in document["incidents"] for name in ("first_seen", "last_seen")]
    assert all(datetime.fromisoformat(time).tzinfo for time in times)


def test_metrics_are_written_whole_and_begin_with_our_name(answer: Answer, tmp_path: Path) -> None:
    answer(frame(failed=3, completed=20))
    file = tmp_path / "bandup.prom"
    file.write_text("old")
    main(["check", "--prometheus", str(file)])
    lines = file.read_text().splitlines()
    assert 'bandup_jobs{state="failed"} 3' in lines
    assert all(re.match(r"(# (HELP|TYPE) )?bandup_", line) for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["bandup.prom"]
    assert file.stat().st_mode & 0o777 == 0o644  # for the collector, another user
    # https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
    assert file.read_text().endswith("\n")
    samples = [re.fullmatch(r'(\w+)(\{\w+="\w+"\})? [\d.]+', line) for line in lines if not line.startswith("#")]
    assert all(samples)
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert typed == [line.split()[2] for line in lines if line.startswith("# HELP")]
    assert typed == [*dict.fromkeys(one[1] for one in samples if one)]
    assert main(["check", "--prometheus", str(tmp_path / "nowhere" / "x.prom")]) == 3


@pytest.mark.parametrize(
    "flags",
    [
        ["--max-failed", "x"],
        ["--max-failed", "5%"],
        ["--max-failed", "1,2,3"],
        ["--max-stuck", "-1"],
        ["--max-stuck", "5,2"],
        ["--max-stuck", "nan"],
        ["--max-failure-rate", "25"],  # no rate is ever above it: 25% is meant
        ["--max-failure-rate", "10%,25"],
        ["--max-failure-rate", "101%"],
        ["--period", "0h"],
        ["--notify-after", "4"],
        ["--min-finished", "-5"],
        ["--minimum", "5"],
        ["now"],
    ],
)
def test_wrong_usage_is_unknown_and_names_no_function(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", *flags])
    assert ended.value.code == 3
    assert "invalid" not in capsys.readouterr().err


def test_the_demo_is_checked_as_it_is(demo_anew: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "--period", "7d", "--skip-wiring"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["jobs"]["stuck"] == 3
    assert document["incidents"]
