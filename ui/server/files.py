"""Files that were made for a download: how long their links lead to them."""

import asyncio
import time
from typing import Any, ClassVar

from streamlit.runtime import Runtime, media_file_manager
from streamlit.runtime.media_file_manager import MediaFileMetadata

LEAST_SECONDS = 20.0
"""So long a browser has time to ask for its file, also a phone far away."""
MOST_NEW = 40
"""That are kept for so long: as one has a few MB in a large school, others have to be asked for at once."""
_LOOK_SECONDS = 60.0


class FetchableFile(MediaFileMetadata):
    """A file that stays until its browser has had the time to fetch it."""

    made: ClassVar[int] = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        FetchableFile.made += 1
        self._number, self._at = FetchableFile.made, time.monotonic()

    def mark_for_delete(self) -> None:
        """Let it go at the next look, unless it has just been made."""
        is_new = time.monotonic() - self._at < LEAST_SECONDS and FetchableFile.made - self._number < MOST_NEW
        if not is_new:
            super().mark_for_delete()


def keep_new_files() -> None:
    """Have Streamlit keep a file for as long as its browser may need to fetch it.

    It looks through all files after each run of anybody's page, and lets go of one that was made for a download at the
    second look: in a school at work, within a tenth of a second.
    """
    setattr(media_file_manager, "MediaFileMetadata", FetchableFile)  # noqa: B010 - to mypy, a class stays what it is


async def let_files_go() -> None:
    """Look through the files now and then: where nobody opens a page any more, they would stay for good."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        Runtime.instance().media_file_mgr.remove_orphaned_files()
