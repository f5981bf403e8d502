"""The server's class list: read once for each time that its file was saved, by however many at once."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from data import sheets
from data.roster import RosterError
from queries import source
from queries.access.gate import Refused, Visitor
from ui.shell import sign_in
from ui.students import class_list

FIRST, SECOND = (f"user_id,name,class,target_band\nuser-1,{name},Monday,6.5\n" for name in ("Anna", "Binh"))


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "students.csv"
    file.write_text(FIRST, encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(file))
    return file


def test_a_file_that_was_saved_again_is_read_again(path: Path) -> None:
    assert source.class_list() is source.class_list()
    assert source.class_list().student("user-1").name == "Anna"
    path.write_text(SECOND, encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert source.class_list().student("user-1").name == "Binh"


def test_another_file_of_the_same_time_is_another_list(path: Path) -> None:
    os.utime(path, ns=(1, 1))
    assert source.class_list().student("user-1").name == "Anna"
    other = path.with_name("other.csv")
    other.write_text(SECOND, encoding="utf-8")
    os.utime(other, ns=(1, 1))
    other.replace(path)
    assert source.class_list().student("user-1").name == "Binh"


def test_a_file_that_came_back_between_two_looks_is_not_answered_with_when_it_is_gone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs save by deleting and making anew: the look may fall between both, and the read after them."""

    def gone(_: object) -> None:
        raise FileNotFoundError

    with monkeypatch.context() as between:
        between.setattr(source, "os", SimpleNamespace(stat=gone, environ=os.environ))
        assert source.class_list().student("user-1").name == "Anna"
        path.unlink()
        with pytest.raises(RosterError):
            source.class_list()


def test_a_file_that_cannot_be_read_is_said_and_not_remembered(path: Path) -> None:
    path.unlink()
    with pytest.raises(RosterError):
        source.class_list()
    path.write_text(FIRST, encoding="utf-8")
    assert source.class_list().student("user-1").name == "Anna"


def test_a_file_that_is_saved_while_many_read_it_fails_nobody(path: Path) -> None:
    failures: list[BaseException] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            try:
                source.class_list()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it must not happen
                failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for saved_at in range(1, 400):
        os.utime(path, ns=(saved_at, saved_at))
    is_over.set()
    for thread in threads:
        thread.join(10)
    assert failures == []


def test_why_no_name_can_be_searched_is_what_is_known_of_the_class_list(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody, teacher = Visitor(None, "ops"), Visitor("a@b.c", "teacher", frozenset({"Evening"}))
    path.write_text("user_id,class\nu,Morning\n", encoding="utf-8")
    assert class_list.why_no_names(everybody) == ""
    assert class_list.why_no_names(teacher) == "there is no student in your classes"
    path.unlink()
    assert class_list.why_no_names(everybody) == "the class list cannot be read"
    monkeypatch.setattr(source, "class_list", lambda *_: source.NO_ROSTER)
    assert class_list.why_no_names(everybody) == "there is no class list"


def test_of_all_choices_of_columns_the_last_one_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_list.st, "session_state", {})
    uploaded: Any = SimpleNamespace(file_id="1", getvalue=lambda: b"a,b,c\n1,Linh,Monday\n2,Mai,Monday\n")
    unclear = class_list._parsed(uploaded, {})
    for mapping in ({"user_id": "a"}, {"user_id": "b"}, {"user_id": "a", "name": "b"}):
        chosen = class_list._parsed(uploaded, mapping)
        assert class_list._parsed(uploaded, mapping) is chosen
        assert class_list._parsed(uploaded, {}) is unclear
    kept = class_list.st.session_state[class_list._PARSED].values()
    assert {id(one) for one in kept} == {id(unclear), id(chosen)}


def test_the_log_names_no_student_of_a_class_list_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "class.csv"
    path.write_text("user-1,Linh Nguyen,Monday\nuser-2,Minh Tran,Monday\n", encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    assert class_list._server(Visitor(None, "teacher")).students == {}
    with pytest.raises(Refused):
        sign_in.gate_of(Visitor("lan@school.example", "teacher", frozenset(("Monday",))))
    assert caplog.text.count("first line must name its columns") == 2
    assert "Linh" not in caplog.text


def test_the_servers_workbook_waits_for_no_upload_and_is_read_once_for_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    for row in (("user_id", "name"), ("user-1", "Anna")):
        book.active.append(row)
    path = tmp_path / "class.xlsx"
    book.save(path)
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    monkeypatch.setattr(sheets, "_PATIENCE", 0.05)
    runs: list[int] = []
    run = sheets._run
    monkeypatch.setattr(sheets, "_run", lambda *given: runs.append(1) or run(*given))
    with sheets.UPLOADS, ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: source.class_list(), range(8)))
    assert [len(one.students) for one in lists] == [1] * 8
    assert len(runs) == 1
