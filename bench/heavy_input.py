"""How long the heaviest input takes to be read, near-JSON, class lists and workbooks: `python -m bench.heavy_input`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.heavy_input")

from bench.support.report import Report, seconds
from data import roster
from data.records import flashcards
from data.roster import RosterError
from tests.support.class_lists import HEAVY
from tests.support.nearly_json import SHAPES
from tests.support.workbooks import HOSTILE

LONGEST = 400_000  # characters of a text; DynamoDB holds no more in an item
GOALS = {  # seconds of processor time, whatever it is
    "text that is nearly JSON": 0.5,
    "class list of 5 MB": 2.0,
    "workbook that is refused": 2.0,
}
_TRIES = 3


def main() -> int:
    """Print the best of three of each; the exit code is 1 where one misses its goal."""
    report = Report()
    for (kind, goal), times in zip(
        GOALS.items(), (dict(_texts()), dict(_class_lists()), dict(_workbooks())), strict=True
    ):
        report.table(kind, ("kind", "processor time"), [(name, seconds(best)) for name, best in times.items()])
        slowest = max(times.values())
        report.goal(kind, f"at most {seconds(goal)}", seconds(slowest), met=slowest <= goal)
    print(report.goals_text())
    return int(not all(goal.met for goal in report.goals))


def _texts() -> Iterator[tuple[str, float]]:
    for name, shape in SHAPES.items():
        text = shape(LONGEST // max(1, len(shape(100)) - len(shape(99))))
        # As cards, which takes longer than as feedback: what was read is then looked through for its sides.
        yield name, _best(lambda text=text: flashcards.parse({"set_id": {"S": "s"}, "flashcards": {"S": text}}))


def _class_lists() -> Iterator[tuple[str, float]]:
    for name, content in HEAVY.items():
        yield name, _best(lambda content=content: roster.parse(content))


def _workbooks() -> Iterator[tuple[str, float]]:
    for name, make in HOSTILE.items():
        yield name, _best(partial(_refuse, make()))


def _refuse(content: bytes) -> None:
    with suppress(RosterError):
        roster.parse(content)


def _best(read: Callable[[], object]) -> float:
    times = []
    for _ in range(_TRIES):
        begin = _processor_time()
        read()
        times.append(_processor_time() - begin)
    return min(times)


def _processor_time() -> float:
    """Of this process and of those that it started and that have ended: a workbook is read in one."""
    return sum(os.times()[:4])


if __name__ == "__main__":
    sys.exit(main())
