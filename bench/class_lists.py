"""How long class lists of 5 MB take to be read: `python -m bench.class_lists`."""

import sys
import time

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.class_lists")

from data import roster
from tests.support.class_lists import HEAVY

GOAL = 2.0  # seconds of processor time, whatever the file


def main() -> int:
    """Print the best of three of each kind; the exit code is 1 where one misses the goal."""
    slowest = 0.0
    for name, content in HEAVY.items():
        best = min(_read(content) for _ in range(3))
        slowest = max(slowest, best)
        print(f"{name:30} {len(content):9,} bytes {best:7.3f} s")
    print(f"slowest {slowest:.3f} s, goal {GOAL} s: {'pass' if slowest < GOAL else 'MISS'}")
    return int(slowest >= GOAL)


def _read(content: bytes) -> float:
    begin = time.process_time()
    roster.parse(content)
    return time.process_time() - begin


if __name__ == "__main__":
    sys.exit(main())
