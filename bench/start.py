"""How long the demo's DynamoDB takes to be ready, imports of ours included: `python bench/start.py [RUNS]`."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
READY = """
import time
from data.settings import Settings
from data import demo
begin = time.perf_counter()
demo.open_demo(Settings.read({}))
print(time.perf_counter() - begin)
"""


def main(runs: int) -> None:
    """Start it `runs` times, each in a process of its own, and print minimum, median and maximum."""
    ready, whole = [], []
    for _ in range(runs):
        begin = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", READY], cwd=ROOT, capture_output=True, text=True, check=True)
        whole.append(time.perf_counter() - begin)
        ready.append(float(done.stdout))
    for name, seconds in (("engine started, provisioned and filled", ready), ("whole process", whole)):
        print(
            f"{name:40} min {min(seconds):.2f} s  median {statistics.median(seconds):.2f} s  max {max(seconds):.2f} s"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
