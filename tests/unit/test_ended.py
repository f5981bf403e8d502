"""Sign-ins that have ended: they stay so in other processes and after a restart, and nothing personal is written."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import streamlit as st

from queries.access.gate import Refused
from ui.shell import sign_in
from ui.shell.ended import Ended

USER = {"iss": "https://login.example", "sub": "1", "iat": 1, "nonce": "a", "email": "olga@school.example"}
AGAIN = {**USER, "nonce": "b"}


def test_a_sign_in_that_ended_stays_so_in_another_process_and_the_next_one_is_not_ended(tmp_path: Path) -> None:
    one, other = Ended(tmp_path / "state"), Ended(tmp_path / "state")
    assert USER not in one
    assert USER not in other
    one.add(USER)
    for ended in (one, other, Ended(tmp_path / "state")):
        assert USER in ended
        assert AGAIN not in ended
    other.add(AGAIN)
    assert AGAIN in one
    assert USER in one


def test_a_second_click_on_sign_out_ends_nobody_elses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By then nobody is signed in, and what tells nobody from others is the same for all who are not."""
    ended = Ended(tmp_path)
    monkeypatch.setattr(sign_in, "_ended", lambda: ended)
    monkeypatch.setattr(st, "logout", lambda: None)
    for user in ({**USER, "is_logged_in": True}, {"is_logged_in": False}):
        monkeypatch.setattr(st, "user", SimpleNamespace(to_dict=lambda user=user: user))
        sign_in.sign_out()
    assert USER in ended
    assert {"is_logged_in": False} not in ended


def test_nobody_is_named_and_nobody_else_may_read(tmp_path: Path) -> None:
    Ended(tmp_path / "state").add(USER)
    (file,) = (tmp_path / "state").iterdir()
    assert "olga" not in file.read_text(encoding="ascii")
    assert "login" not in file.read_text(encoding="ascii")
    assert file.stat().st_mode & 0o077 == 0
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


def test_a_sign_in_of_last_month_counts_and_older_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = datetime.now(UTC) - timedelta(days=29)
    ended = Ended(tmp_path)
    ended.add(USER)
    (file,) = tmp_path.iterdir()
    file.rename(tmp_path / f"signed-out-{last:%Y-%m}")
    for month in range(1, 7):
        (tmp_path / f"signed-out-2020-{month:02}").write_text("", encoding="ascii")
    (tmp_path / "notify.json").write_text("", encoding="ascii")
    again = Ended(tmp_path)
    assert USER in again
    again.add(AGAIN)
    assert not (tmp_path / "signed-out-2020-01").exists()
    assert (tmp_path / "notify.json").exists()
    assert USER in Ended(tmp_path)


def test_a_sign_out_by_a_clock_that_is_ahead_forgets_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Ended(tmp_path)
    ended.add(USER)
    with monkeypatch.context() as wrong:
        ahead = datetime.now(UTC) + timedelta(days=365)
        wrong.setattr("ui.shell.ended.datetime", MagicMock(now=lambda _: ahead))
        ended.add(AGAIN)
    assert USER in ended
    assert USER in Ended(tmp_path)


def test_where_nothing_can_be_written_the_process_still_knows_and_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    ended = Ended(tmp_path / "file" / "state")
    with caplog.at_level(logging.WARNING):
        ended.add(USER)
    assert USER in ended
    assert "BANDUP_STATE" in caplog.text
    assert "olga" not in caplog.text


@pytest.mark.parametrize("content", [b"\xff\xfe\0", b"abc", b"\n\n"], ids=["no text", "half a line", "empty lines"])
def test_a_damaged_file_ends_nobody_elses_sign_in(content: bytes, tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    ended.add(USER)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + content)
    again = Ended(tmp_path)
    assert USER in again
    assert AGAIN not in again


def test_where_it_cannot_be_read_who_has_signed_out_nobody_is_recognised(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ended = Ended(tmp_path)
    ended.add(USER)
    (file,) = tmp_path.iterdir()
    file.unlink()
    assert AGAIN not in Ended(tmp_path)  # nobody has signed out yet
    file.mkdir()  # which root cannot read either
    for one in (ended, Ended(tmp_path)):
        with caplog.at_level(logging.WARNING), pytest.raises(Refused):
            assert AGAIN in one
        assert str(file) in caplog.text
        caplog.clear()
    assert USER in ended  # which this process knows without the file
    file.rmdir()
    assert AGAIN not in ended


def test_a_folder_that_may_not_be_entered_is_no_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    ended = Ended(tmp_path)
    with monkeypatch.context() as closed:
        closed.setattr(Path, "stat", refuse)
        with pytest.raises(Refused):
            assert USER in ended
    assert USER not in ended


def test_a_folder_that_cannot_be_there_has_no_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="ascii")
    assert USER not in Ended(tmp_path / "file" / "state")


@pytest.mark.parametrize("state", [".", "bandup"], ids=["the folder", "a folder in it"])
def test_a_link_to_a_folder_that_is_not_mounted_is_not_taken_for_nobody(
    state: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The server may start before the volume on which it keeps who has signed out."""
    volume, away, link = tmp_path / "volume", tmp_path / "away", tmp_path / "link"
    volume.mkdir()
    link.symlink_to(volume, target_is_directory=True)
    Ended(link / state).add(USER)
    volume.rename(away)
    ended = Ended(link / state)
    with caplog.at_level(logging.WARNING):
        for user in (USER, AGAIN):
            with pytest.raises(Refused):
                assert user in ended
    assert str(link) in caplog.text
    # Who signs out now has, as far as this process knows, and no folder is made where the volume belongs.
    ended.add(AGAIN)
    assert AGAIN in ended
    assert not volume.exists()
    away.rename(volume)
    assert USER in ended


def test_on_the_first_of_march_a_sign_in_that_ended_in_february_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = MagicMock(now=lambda _: datetime(2026, 2, 28, 20, tzinfo=UTC))
    monkeypatch.setattr("ui.shell.ended.datetime", clock)
    Ended(tmp_path).add(USER)
    clock.now = lambda _: datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert USER in Ended(tmp_path)


def test_a_sign_in_that_ended_is_written_once_however_often_it_is_ended(tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    for one in (ended, ended, Ended(tmp_path), ended):
        one.add(USER)
    (file,) = tmp_path.iterdir()
    assert len(file.read_text(encoding="ascii").split()) == 1


def test_a_line_that_a_full_disk_cut_off_swallows_no_other(tmp_path: Path) -> None:
    ended = Ended(tmp_path)
    ended.add(USER)
    (file,) = tmp_path.iterdir()
    file.write_text("0123abc", encoding="ascii")
    ended.add(AGAIN)
    assert AGAIN in Ended(tmp_path)
