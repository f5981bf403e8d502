"""Links to files that were made: they lead there while a browser asks for them, and not for good."""

import time

import pytest
from streamlit.runtime import media_file_manager
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from ui.server import files


class Tab:
    """Somebody who asks for files, while others open pages."""

    def __init__(self) -> None:
        self.manager = MediaFileManager(MemoryMediaFileStorage("/media"))

    def link(self, content: bytes) -> str:
        offered = self.manager.add_deferred(lambda: content, "text/csv", "here", "a.csv")
        return self.manager.execute_deferred(offered)

    def others_open_pages(self) -> None:
        for _ in range(5):
            self.manager.remove_orphaned_files()

    def leads_to_a_file(self, link: str) -> bool:
        return self.manager.read_file(link.rpartition("/")[2].partition(".")[0]) is not None


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch) -> Tab:
    monkeypatch.setattr(media_file_manager, "MediaFileMetadata", media_file_manager.MediaFileMetadata)
    monkeypatch.setattr(media_file_manager, "_get_session_id", lambda: "mine")
    files.keep_new_files()
    return Tab()


def test_a_file_stays_while_its_browser_asks_for_it_however_many_open_pages(tab: Tab) -> None:
    link = tab.link(b"a")
    tab.others_open_pages()
    assert tab.leads_to_a_file(link)


def test_a_file_goes_some_seconds_later(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    link, now = tab.link(b"a"), time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + files.LEAST_SECONDS + 1)
    tab.others_open_pages()
    assert not tab.leads_to_a_file(link)


def test_files_by_the_hundred_do_not_stay(tab: Tab) -> None:
    links = [tab.link(f"{number}".encode()) for number in range(100)]
    tab.others_open_pages()
    assert sum(map(tab.leads_to_a_file, links)) == files.MOST_NEW
    assert tab.leads_to_a_file(links[-1])
