"""Runs the benchmark: `python -m bench` takes some minutes; `--full`, with a school of 1,000,000, half an hour."""

import argparse
import json
import os
import platform
import sys
import time

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench")

from bench import comparisons, pages, period, school, start, visitors
from bench.support.report import Report
from bench.support.worlds import World, quiet, worlds
from tests.support import engines

QUICK = {"dynoxide": (1_000, 10_000)}
FULL = {"dynoxide": (1_000, 10_000, 100_000), "dynamodb-local": (1_000, 10_000)}
SCHOOL, FULL_SCHOOL = {"dynoxide": (1_000, 30_000)}, {"dynoxide": (1_000, 30_000, 1_000_000)}
PARTS = ("pages", "comparisons", "period", "clicks", "start", "school")


def main() -> int:
    """Run the parts that were asked for; the exit code is 1 where a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="up to 100,000 evaluations, DynamoDB Local too, and a school of 1,000,000"
    )
    parser.add_argument("--json", metavar="FILE", help="write everything to a file as well, - for the screen alone")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    chosen = parser.parse_args()
    quiet()
    report, begin = Report(), time.perf_counter()
    sizes = FULL if chosen.full else QUICK
    if not {"pages", "comparisons"} & set(chosen.only):
        sizes = {"dynoxide": sizes["dynoxide"][:: len(sizes["dynoxide"]) - 1]}  # the smallest and the largest
    if "school" in chosen.only:
        # Long texts are in no list, and would make the engine larger than this computer.
        with worlds(FULL_SCHOOL if chosen.full else SCHOOL, whole=False) as own:
            school.run(report, own)
    # Last of these is the start: the browser that it leaves running lets no other part begin a loop of asyncio.
    if {*chosen.only} - {"school"}:
        with worlds(sizes) as full:
            _run(report, full, chosen.only, full=chosen.full)
    print(report.goals_text())
    missed = sum(goal.met is False for goal in report.goals)
    machine = f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    print(f"\n{len(report.goals)} goals, {missed} missed; {time.perf_counter() - begin:.0f} s; {machine}")
    if chosen.json:
        text = json.dumps({"machine": machine, **report.as_json()}, indent=1)
        if chosen.json == "-":
            print(text)
        else:
            with open(chosen.json, "w", encoding="utf-8") as out:
                out.write(text + "\n")
    return int(missed > 0)


def _run(report: Report, full_worlds: list[World], parts: tuple[str, ...], *, full: bool) -> None:
    own = [world for world in full_worlds if world.engine == "dynoxide"]
    small, large = own[0], own[-1]
    if "pages" in parts:
        pages.run(report, full_worlds, rounds=9 if full else 5)
    if "comparisons" in parts:
        comparisons.run(
            report,
            [w for w in full_worlds if w.count == max(v.count for v in full_worlds if v.engine == w.engine)],
            rounds=9,
        )
    if "period" in parts:
        period.run(report, large, rounds=5 if full else 3)
    if "clicks" in parts:
        visitors.run(report, small, large, clicks=12 if full else 3)
    if "start" in parts:
        start.run(report, small, rounds=5 if full else 2)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except engines.MissingError as missing:
        sys.exit(str(missing))
