"""Sign-ins that have ended, kept in files that outlive the process: after a restart a copied cookie opens nothing."""

import logging
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from data.files import leads_nowhere
from queries.access.gate import Refused
from queries.access.rules import MOST_HOURS

log = logging.getLogger(__name__)

_NAME = "signed-out-"  # and the month: a file is added to, never rewritten, so that two processes may share it
_KEPT = 6  # files: with a clock that is a year ahead, last month's would count as old
_CLAIMS = ("iss", "sub", "iat", "nonce")  # the provider makes a nonce for each sign-in


class Ended:
    """The sign-ins that ended as far back as a cookie lives, of every process with the same folder.

    Nothing personal is written: a digest of what tells one sign-in from another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own: dict[str, float] = {}
        self._read: dict[Path, tuple[tuple[int, int], frozenset[str]]] = {}

    def add(self, user: Mapping[str, Any]) -> None:
        """End the sign-in of somebody, as the provider has named them. Where it cannot be written, the log says so.

        One that has ended is not written again: who holds a cookie may ask for it as often as they like.
        """
        now, moment, digest = datetime.now(UTC), time.monotonic(), _digest(user)
        oldest = moment - MOST_HOURS * 3600
        self._own = {**{key: at for key, at in self._own.items() if at > oldest}, digest: moment}
        with suppress(Refused):
            if self._is_written(digest):
                return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._files(now)[-1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"\n{digest}\n")  # a full disk may have left a part of a line before it
            for old in sorted(self._folder.glob(f"{_NAME}*"))[:-_KEPT]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning(
                "A sign-out could not be kept in %s: %s. A restart of the dashboard forgets it; let BANDUP_STATE name "
                "a folder that can be written.",
                self._folder,
                error.strerror or error,
            )

    def __contains__(self, user: Mapping[str, Any]) -> bool:
        """Whether the sign-in has ended; Refused where a file that is there cannot be read and might say so."""
        digest = _digest(user)
        return digest in self._own or self._is_written(digest)

    def _is_written(self, digest: str) -> bool:
        return any(digest in self._digests(path) for path in self._files(datetime.now(UTC)))

    def _files(self, now: datetime) -> list[Path]:
        """Those of the months in which a cookie of today may have ended, in UTC, so that no change of a zone matters.

        Thirty days before the first of March it is January: what lies between is asked for as well.
        """
        hours = (MOST_HOURS, MOST_HOURS / 2, 0)
        months = dict.fromkeys(f"{now - timedelta(hours=ago):%Y-%m}" for ago in hours)
        return [self._folder / f"{_NAME}{month}" for month in months]

    def _digests(self, path: Path) -> Iterable[str]:
        """What a file holds, read again once it has grown."""
        try:
            state = path.stat()
            known, digests = self._read.get(path, ((0, 0), frozenset()))
            if known != (state.st_mtime_ns, state.st_size):
                digests = frozenset(path.read_text(encoding="ascii", errors="replace").split())
                self._read[path] = (state.st_mtime_ns, state.st_size), digests
        except OSError as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError) and not leads_nowhere(path):
                return ()  # nobody has signed out, or nothing could ever be written there
            log.warning("The sign-outs in %s cannot be read: %s", path, error.strerror or error)
            # A cookie that was copied must not open anything again because of that.
            raise Refused(
                "It cannot be read who has signed out, so nobody is recognised. The log of the dashboard says why."
            ) from error
        return digests


def _digest(user: Mapping[str, Any]) -> str:
    return sha256("\0".join(str(user.get(claim)) for claim in _CLAIMS).encode()).hexdigest()
