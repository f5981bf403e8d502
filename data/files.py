"""Files whose names others give."""

import errno
import os
from pathlib import Path


def require_no_pipe(path: Path) -> None:
    """OSError for a pipe, which would be waited for without end."""
    if path.is_fifo():
        raise OSError(errno.EINVAL, "it is no file")


def leads_nowhere(path: Path) -> bool:
    """Whether the path, or a folder in it, is a link to what is not there: that is out of reach, and not no file."""
    return any(os.path.lexists(part) and not os.path.exists(part) for part in (path, *path.parents))
