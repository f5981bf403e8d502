"""What this process has opened and read, shared by all visitors: forgotten between tests and between benchmarks."""

from queries import source
from queries.session import cache


def forget_everything() -> None:
    """Open and read anew, from what the environment names now."""
    cache.clear()
    source.close()
