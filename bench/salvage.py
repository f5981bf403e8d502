"""How long texts of 400 KB that are nearly JSON take to be read: `python -m bench.salvage`."""

import sys
import time

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.salvage")

from data.records.salvage import salvage
from tests.support.nearly_json import SHAPES

SIZE = 400_000  # characters; DynamoDB holds no more in an item
GOAL = 0.5  # seconds of processor time, whatever the text


def main() -> int:
    """Print the best of three of each shape; the exit code is 1 where one misses the goal."""
    slowest = 0.0
    for name, shape in SHAPES.items():
        text = shape(SIZE // max(1, len(shape(100)) - len(shape(99))))
        best, outcome = min(_read(text) for _ in range(3))
        slowest = max(slowest, best)
        print(f"{name:40} {len(text):9,} characters {best:7.3f} s  {outcome}")
    print(f"slowest {slowest:.3f} s, goal {GOAL} s: {'pass' if slowest < GOAL else 'MISS'}")
    return int(slowest >= GOAL)


def _read(text: str) -> tuple[float, str]:
    begin = time.process_time()
    read = salvage(text)
    return time.process_time() - begin, read.failure or ("breaks off" if read.broken else "whole")


if __name__ == "__main__":
    sys.exit(main())
