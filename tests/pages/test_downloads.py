"""Downloads ask again: an open tab gives nothing to those who may no longer see what is on it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from queries.access.gate import Refused, Visitor
from queries.session import Session
from ui.components import downloads
from ui.shell import sign_in
from ui.shell.sign_in import Request

TEACHER = Visitor("olga@school.example", "teacher", frozenset({"Monday evening"}))
CLASS_LIST = "user_id,name,class,target_band\nuser-1,Anna,{first},6.5\nuser-2,Binh,Tuesday,6.5\n"


@pytest.fixture
def class_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "students.csv"
    path.write_text(CLASS_LIST.format(first="Monday evening"), encoding="utf-8")
    monkeypatch.setenv("BANDUP_ROSTER", str(path))
    return path


@pytest.fixture
def download(
    class_list: Path, become: Callable[[Visitor | Refused], None], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], bytes]:
    """A file about Anna, whose button Olga has on her screen."""
    become(TEACHER)
    gate = sign_in.gate_of(TEACHER)
    monkeypatch.setattr(sign_in, "request", lambda: Request({}, {}, None))
    return downloads.guarded(lambda: b"Anna's bands", Session(gate), ["user-1"])


@pytest.mark.usefixtures("download")
def test_a_file_that_many_ask_for_at_once_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All visitors' files are made by the same few threads."""
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"x" * len(made)

    file = downloads.guarded(make, Session(sign_in.gate_of(TEACHER)), [])
    with ThreadPoolExecutor(6) as threads:
        assert set(threads.map(lambda _: file(), range(60))) == {b"x"}
    monkeypatch.setattr(downloads, "_JOINED", -1.0)
    assert file() == b"xx"


def test_who_may_still_see_it_gets_the_file(download: Callable[[], bytes]) -> None:
    assert download() == b"Anna's bands"


@pytest.mark.parametrize(
    "now",
    [
        Refused("This sign-in has expired. Sign in again.", "sign in"),
        Refused("olga@school.example has no role in this dashboard."),
        Visitor("olga@school.example", "teacher", frozenset()),
        Visitor("olga@school.example", "teacher", frozenset({"Tuesday"})),
    ],
    ids=["sign-in over", "role taken away", "no class", "another class"],
)
def test_after_the_right_is_gone_an_open_tab_gives_nothing(
    now: Visitor | Refused, download: Callable[[], bytes], become: Callable[[Visitor | Refused], None]
) -> None:
    become(now)
    with pytest.raises(Refused):
        download()


def test_a_student_who_moved_to_another_class_is_in_no_file_any_more(
    download: Callable[[], bytes], class_list: Path
) -> None:
    class_list.write_text(CLASS_LIST.format(first="Tuesday evening, late"), encoding="utf-8")
    with pytest.raises(Refused):
        download()


def test_a_class_list_that_cannot_be_read_gives_nothing(download: Callable[[], bytes], class_list: Path) -> None:
    class_list.unlink()
    with pytest.raises(Refused):
        download()
