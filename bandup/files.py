"""Files that others read while they are written: whole or not at all, and by one process at a time."""

import errno
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


def write_whole(path: Path, text: str, *, mode: int = 0o600) -> None:
    """The file anew, all of it or nothing; OSError where it cannot be written, or where something else stands there."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "there is something that is no file", str(path))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            if sys.platform != "win32":  # which has no such modes
                os.fchmod(handle, mode)  # not by the name, which may lead elsewhere by now
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def held(path: Path, seconds: float) -> Iterator[bool]:
    """Whether this process alone has the lock of `path`, for which it waits so long; OSError where none can be made.

    It is a lock of the system on an empty file beside it, which is given up however a process ends. Where a drive has
    no locks, everybody has it.
    """
    if path.name in ("", ".."):
        raise OSError(errno.EISDIR, "it is a folder", str(path))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # as ui/shell/ended.py does, whose it is too
    handle = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        end = time.monotonic() + seconds
        while not (is_mine := _taken(handle)) and time.monotonic() < end:
            time.sleep(0.1)
        yield is_mine
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD
    return True
