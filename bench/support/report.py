"""What a benchmark prints: tables of figures, and the goals with a pass or a miss each."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, what was measured, and whether that meets it; None where the goal is for more records than there were."""

    part: str
    goal: str
    figure: str
    met: bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """Figures behind the goals."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(slots=True)
class Report:
    """Everything that one run found, in the order in which it was found."""

    goals: list[Goal] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)

    def goal(self, part: str, goal: str, figure: str, *, met: bool | None) -> None:
        """Add a goal."""
        self.goals.append(Goal(part, goal, figure, met))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table, and print it, so that a long run shows what it is at."""
        self.tables.append(Table(title, tuple(columns), tuple(tuple(map(str, row)) for row in rows)))
        print(_text(self.tables[-1]), flush=True)

    def goals_text(self) -> str:
        """The goals as a table."""
        rows = tuple(
            (g.part, g.goal, g.figure, {True: "pass", False: "MISS", None: "see --full"}[g.met]) for g in self.goals
        )
        return _text(Table("Goals", ("part", "goal", "figure", ""), rows))

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def _text(table: Table) -> str:
    rows = [table.columns, tuple("-" * len(name) for name in table.columns), *table.rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(["", f"== {table.title}", *lines])


def median(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def seconds(value: float) -> str:
    """A time with three digits or so."""
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"


def size(value: float) -> str:
    """Bytes in KB or MB."""
    return f"{value / 1000:.1f} KB" if value < 1_000_000 else f"{value / 1_000_000:.1f} MB"
