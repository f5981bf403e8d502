"""Files whose names others give."""

import errno
from pathlib import Path


def require_no_pipe(path: Path) -> None:
    """OSError for a pipe, which would be waited for without end."""
    if path.is_fifo():
        raise OSError(errno.EINVAL, "it is no file")
