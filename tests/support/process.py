"""What this process has opened and read, shared by all visitors: forgotten between tests and between benchmarks."""

from queries import background, source
from queries.session import cache


def forget_everything() -> None:
    """Open and read anew, from what the environment names now."""
    # What reads in the background would go on for seconds, from the tables of the next test.
    for loader in background._loaders.values():
        loader._days = 0
        loader._asked.set()
        if thread := loader._thread:
            thread.join(10)
    cache.clear()
    source.close()
