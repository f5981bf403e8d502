"""What the server's own loggers write."""

import io
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from data.dynamodb.cost import Cost
from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from queries import cache
from queries.access import secret_files
from queries.access.rules import AccessError
from ui.server.log import OneLine, keep_to_lines


def kept_to_lines(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[logging.Logger, io.StringIO]:
    """A logger of that name as a server that has just begun has it, and what it writes."""
    monkeypatch.setattr(logging.root.manager, "loggerDict", {})
    keep_to_lines()
    logger, written = logging.root.manager.getLogger(name), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    return logger, written


def test_an_error_is_one_line_with_its_kind_and_place_and_without_its_own_words() -> None:
    logger, written = logging.Logger("streamlit.a_test"), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    logger.addFilter(OneLine())

    def fails() -> None:
        raise ValueError("Ann's essay\nFORGED \x1b[31m")

    for _ in range(30):
        try:
            fails()
        except ValueError:
            logger.exception("Uncaught app execution\nof a page", stack_info=True)
    lines = written.getvalue().splitlines()
    assert len(lines) == 10  # a minute
    assert lines[0].startswith("Uncaught app execution␊of a page: ValueError at test_log.py:")
    assert "fails" in lines[0]
    assert "essay" not in lines[0]


def test_what_any_request_may_make_us_say_does_not_fill_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    logger, written = logging.Logger(secret_files.__name__), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    monkeypatch.setattr(logging.root.manager, "loggerDict", {logger.name: logger})
    monkeypatch.setattr(secret_files, "log", logger)
    keep_to_lines()
    path = tmp_path / "secrets.toml"
    path.write_text("[roles", encoding="utf-8")
    for _ in range(50):
        with pytest.raises(AccessError):
            secret_files.read([str(path)])
    assert len(written.getvalue().splitlines()) == 10


def test_what_fails_at_each_click_is_logged_a_few_times_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, written = kept_to_lines(monkeypatch, "ui.shell.boundary")
    for n in range(50):
        for part in ("The history", "The levels"):
            logger.warning("%s: %s (request %s)", part, "rejected", n)
    assert [written.getvalue().count(part) for part in ("The history", "The levels")] == [10, 10]


def test_answers_that_stand_in_are_logged_a_few_times_a_minute_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger, written = kept_to_lines(monkeypatch, "queries.cache")
    monkeypatch.setattr(cache, "log", logger)
    now, failure = datetime(2026, 3, 1, 12, tzinfo=UTC), Failure("throttled")
    answers = cache.Cache(lambda: now)

    def histories(user_id: str) -> Read[str]:
        if now.minute > 30:
            raise failure
        return Read(user_id, Cost(), now)

    asked = cache.query(histories)
    for student in range(50):
        now += timedelta(seconds=1)
        answers.answer(asked, f"user-{student}")
    now += timedelta(minutes=50)
    for student in range(50):
        assert answers.answer(asked, f"user-{student}").failure
    lines = written.getvalue().splitlines()
    assert len(lines) == 10
    assert all("histories" in line and "12:00:" in line and "throttled" in line for line in lines)


def test_a_thousand_kinds_of_what_fails_give_no_other_kind_new_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, written = kept_to_lines(monkeypatch, "ui.shell.boundary")
    for _ in range(3):
        for part in [*["The history"] * 20, *(f"part {number}" for number in range(1_500))]:
            logger.warning("%s: %s", part, "rejected")
    lines = written.getvalue().splitlines()
    assert lines.count("The history: rejected") == 10
    assert lines.count("part 1: rejected") == 3
    # Those that are too many to be counted each are counted as one.
    assert len({*lines}) < 1_020


def test_a_loop_without_files_left_does_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, written = logging.Logger("asyncio"), io.StringIO()
    logger.addHandler(logging.StreamHandler(written))
    monkeypatch.setattr(logging.root.manager, "loggerDict", {"asyncio": logger})
    keep_to_lines()
    error = OSError(24, "Too many open files")
    for _ in range(300):  # what asyncio says each time that it cannot take a connection
        logger.error("socket.accept() out of system resource\nsocket: fd=3", exc_info=error)
    lines = written.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("socket.accept() out of system resource␊socket: fd=3: OSError at ")


def test_uploads_that_are_none_do_not_fill_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    logger, written = kept_to_lines(monkeypatch, "python_multipart.multipart")
    parser = MultipartParser(b"b")
    for _ in range(50):
        monkeypatch.setattr(parser, "logger", logger)
        with pytest.raises(MultipartParseError):
            parser.write(b"x")
    assert len(written.getvalue().splitlines()) == 10
