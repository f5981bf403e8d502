"""Simulates students whose truth is known and holds against it what the pages would say: `python -m bench.calibration`.

Bands are rounded to the half. Attempts come at random times, weekly or in bursts; the noise is independent, of heavy
tails, or half of it a mood with 30 days of memory. It is estimated from 40 students at a time, as on the pages.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

if not __package__:
    sys.exit("Start it in the folder of the repository: python -m bench.calibration")

import numpy as np

from analysis import attention, models
from analysis.levels import criteria, growth, progress
from analysis.levels.attempts import Cohort
from analysis.levels.growth import DAYS_A_MONTH, Floats, Panel
from analysis.levels.progress import Noise
from data.schema import CRITERIA, TYPES, WRITING

START = datetime(2026, 1, 1, tzinfo=UTC)
POOL = 40
YEAR = 365
HALF_YEAR = 180
MOOD_DAYS = 30
SLOPES = (0.0, 0.05, -0.05, 0.1, -0.1, 0.15, -0.15, 0.25, -0.25, 0.5, -0.5)
SPREADS = (0.3, 0.5, 0.7)
RATES = (2, 4, 8)

Path = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Result:
    """A goal with what came out: `low` and `high` are the worst and the best of the cells that it spans."""

    goal: str
    low: float
    high: float
    least: float
    most: float
    unit: str = "%"

    @property
    def met(self) -> bool:
        """Whether every cell is within the goal."""
        return self.low >= self.least and self.high <= self.most

    def __str__(self) -> str:
        scale = 100 if self.unit == "%" else 1
        digits = 2 if self.unit == "bands" else 1 if self.unit == "%" else 0
        low, high = (f"{scale * value:.{digits}f}" for value in (self.low, self.high))
        came = low if low == high else f"{low} to {high}"
        bounds = [
            *([f"at least {scale * self.least:g}"] if self.least > -math.inf else []),
            *([f"at most {scale * self.most:g}"] if self.most < math.inf else []),
        ]
        return f"{'pass' if self.met else 'MISS'}  {self.goal}: {came} {self.unit} (goal {' and '.join(bounds)})"


@dataclass(frozen=True)
class World:
    """A simulated cohort with the truth at each attempt, in bands."""

    cohort: Cohort
    truth: Floats

    def pools(self) -> Iterator["World"]:
        """Forty students at a time."""
        for first in range(0, len(self.cohort), POOL):
            yield self.part(slice(first, first + POOL))

    def part(self, students: slice) -> "World":
        """Some of the students."""
        c = self.cohort
        part = replace(c, students=c.students[students], starts=c.starts[students], stops=c.stops[students])
        return World(part, self.truth)


class Simulation:
    """Students made from one seed, `students` a cell."""

    def __init__(self, seed: int, students: int) -> None:
        self.random = np.random.default_rng(seed)
        self.students = students

    def world(
        self,
        path: Path = np.zeros_like,
        *,
        rate: float | None = 4,
        days: float = HALF_YEAR,
        sd: float = 0.5,
        mood: float = 0.0,
        heavy: bool = False,
        bursts: bool = False,
        students: int | None = None,
        base: float | None = None,
        lower: float = 0.0,
        criterion_sd: float = 0.35,
    ) -> World:
        """Students whose band follows `path` (bands by days); `rate` attempts in 30 days, None for weekly.

        `mood` is the part of the noise's variance that fades, `lower` what the first criterion is below the others.
        """
        days_each, bands_each, truth_each = [], [], []
        for _ in range(students or self.students):
            at = self._days(rate, days, bursts=bursts)
            noise = self.random.standard_t(3, len(at)) / math.sqrt(3) if heavy else self.random.normal(size=len(at))
            noise = math.sqrt(1 - mood) * noise + (math.sqrt(mood) * self._mood(at) if mood else 0)
            truth = (self.random.uniform(5, 6.5) if base is None else base) + path(at)
            days_each.append(at)
            truth_each.append(truth)
            bands_each.append(_halves(truth + sd * noise))
        counts = np.array([len(at) for at in days_each])
        stops = np.cumsum(counts)
        at, truth, bands = (np.concatenate(parts) for parts in (days_each, truth_each, bands_each))
        below = np.array([lower, 0, 0, 0])
        scores = truth[:, np.newaxis] - below + criterion_sd * self.random.normal(size=(len(at), 4))
        times = np.datetime64(START.replace(tzinfo=None), "us") + (at * 86_400e6).astype("timedelta64[us]")
        names = tuple(f"student-{n:05}" for n in range(len(counts)))
        ids = np.array([str(n) for n in range(len(at))], dtype="object")
        return World(Cohort(WRITING, names, stops - counts, stops, times, bands, _halves(scores), ids), truth)

    def _days(self, rate: float | None, days: float, *, bursts: bool) -> Floats:
        if rate is None:
            return np.arange(0.0, days, 7.0) + self.random.uniform(0, 1)
        if bursts:
            begins = self.random.uniform(0, days, max(1, round(rate * days / 30 / 4)))
            at = np.sort((begins[:, np.newaxis] + self.random.uniform(0, 1.5, (len(begins), 4))).ravel())
        else:
            at = np.cumsum(self.random.exponential(30 / rate, int(3 * rate * days / 30) + 10))
        return np.asarray(at[at < days])

    def _mood(self, at: Floats) -> Floats:
        mood = np.empty(len(at))
        value = self.random.normal()
        for n in range(len(at)):
            if n:
                kept = math.exp(-(at[n] - at[n - 1]) / MOOD_DAYS)
                value = kept * value + math.sqrt(1 - kept**2) * self.random.normal()
            mood[n] = value
        return mood


def run(students: int, seed: int = 20261126) -> list[Result]:
    """Every goal, `students` simulated a cell."""
    simulation = Simulation(seed, students)
    return [
        *_intervals(simulation),
        *_false_alarms(simulation),
        *_power(simulation),
        *_levels(simulation),
        *_targets(simulation),
        *_weakest(simulation),
        *_classes(simulation),
        *_shifts(simulation),
    ]


def _intervals(simulation: Simulation) -> list[Result]:
    def holds(world: World, slope: float) -> float:
        inside = []
        for pool in world.pools():
            lines = growth.fit(pool.cohort.panel, growth.estimate_noise(pool.cohort.panel))
            usable = ~np.isnan(lines.slope)
            inside.append((np.abs(lines.slope - slope) <= lines.margin(lines.slope_error))[usable])
        return float(np.concatenate(inside).mean())

    independent = [
        holds(simulation.world(_line(slope), rate=rate, sd=sd), slope)
        for slope in SLOPES
        for sd in SPREADS
        for rate in RATES
    ]
    odd = [
        holds(simulation.world(_line(slope), **kind), slope)
        for slope in (0.0, 0.25, -0.5)
        for kind in ({"heavy": True}, {"bursts": True}, {"rate": None})
    ]
    moods = [holds(simulation.world(_line(slope), rate=rate, mood=0.5), slope) for slope in SLOPES for rate in RATES]
    return [
        Result(
            "interval of the slope holds the truth, independent noise", min(independent), max(independent), 0.92, 0.98
        ),
        Result("the same with heavy tails, bursts, weekly", min(odd), max(odd), 0.92, 0.98),
        Result("the same with moods", min(moods), max(moods), 0.85, math.inf),
    ]


def _looks(cohort: Cohort, noise: growth.Noise, first: int, last: int) -> Floats:
    """Students by days: 1 where a daily look says rising, -1 where it says declining, 0 else."""
    days = np.arange(first, last) + 1.0
    begins = cohort.days - (START.replace(tzinfo=UTC).timestamp() / 86_400)
    starts, stops = [], []
    for a, b in zip(cohort.starts, cohort.stops, strict=True):
        starts.append(a + np.searchsorted(begins[a:b], days - HALF_YEAR))
        stops.append(a + np.searchsorted(begins[a:b], days, side="right"))
    panel = Panel(np.concatenate(starts), np.concatenate(stops), begins, cohort.bands)
    claims = growth.fit(panel, noise).beyond_chance * progress.enough_for_trend(panel)
    return np.asarray(claims.reshape(len(cohort), -1))


def _at(world: World, day: float) -> Panel:
    """The attempts of the half year before a day."""
    end = START + timedelta(days=day)
    return world.cohort.between(end - progress.WINDOW, end).panel


def _false_alarms(simulation: Simulation) -> list[Result]:
    def share(mood: float, *, alone: bool = False, **kind: float | bool) -> float:
        claims = []
        for pool in simulation.world(days=YEAR, mood=mood, **kind).pools():
            noise = growth.DEFAULT if alone else growth.estimate_noise(_at(pool, YEAR))
            claims.append((_looks(pool.cohort, noise, 0, YEAR) != 0).any(axis=1))
        return float(np.concatenate(claims).mean())

    independent, moods = ([share(mood, rate=rate) for rate in RATES] for mood in (0.0, 0.5))
    alone, alone_moods = ([share(mood, alone=True, sd=sd) for sd in SPREADS] for mood in (0.0, 0.5))
    return [
        Result(
            "told rising or declining in a year though stationary", min(independent), max(independent), -math.inf, 0.05
        ),
        Result("the same with moods", min(moods), max(moods), -math.inf, 0.15),
        Result("the same, one student alone (default noise)", min(alone), max(alone), -math.inf, 0.05),
        Result("the same, one alone, with moods", min(alone_moods), max(alone_moods), -math.inf, 0.15),
    ]


def _power(simulation: Simulation) -> list[Result]:
    def rising(rate: float) -> float:
        claims = []
        for pool in simulation.world(_line(0.25), rate=rate).pools():
            noise = growth.estimate_noise(pool.cohort.panel)
            claims.append(growth.fit(pool.cohort.panel, noise).beyond_chance > 0)
        return float(np.concatenate(claims).mean())

    def falling(before: int) -> float:
        """Days until half of the students are told; the noise comes from those around them, who do not fall."""
        days = []
        falls = simulation.world(
            lambda at: -0.5 * np.maximum(at - before, 0) / DAYS_A_MONTH, days=before + 200, base=7.0
        )
        around = simulation.world(days=HALF_YEAR)
        for pool, others in zip(falls.pools(), around.pools(), strict=True):
            noise = growth.estimate_noise(others.cohort.panel)
            claims = _looks(pool.cohort, noise, before, before + 200) < 0
            days.append(np.where(claims.any(axis=1), claims.argmax(axis=1), 999))
        return float(np.median(np.concatenate(days)))

    four, eight = rising(4), rising(8)
    fall, longer, new = falling(90), falling(HALF_YEAR), falling(0)
    return [
        Result("told of 0.25 a month after 180 days, 4 in 30 days", four, four, 0.70, math.inf),
        Result("the same, 8 in 30 days", eight, eight, 0.95, math.inf),
        Result("days until a fall of 0.5 a month is told, after 90 days level", fall, fall, -math.inf, 75, "days"),
        Result("the same after 180 days level", longer, longer, -math.inf, 75, "days"),
        Result(
            "the same from the first attempt on (no goal: the noise allows about 93)", new, new, -math.inf, 999, "days"
        ),
    ]


def _levels(simulation: Simulation) -> list[Result]:
    error, held, changed = [], [], []
    for sd in SPREADS:
        for slope in (0.0, 0.1, 0.25, -0.25, 0.5):
            world = simulation.world(_line(slope), rate=None, sd=sd)
            for most in (1, 3, 8, 26):
                inside, wrong = [], []
                for pool in world.pools():
                    noise = growth.estimate_noise(pool.cohort.panel)
                    stops = np.minimum(pool.cohort.starts + most, pool.cohort.stops)
                    lines = growth.fit(Panel(pool.cohort.starts, stops, pool.cohort.days, pool.cohort.bands), noise)
                    off = lines.level - world.truth[stops - 1]
                    inside.append(np.abs(off) <= lines.margin(lines.level_error))
                    wrong.append(off)
                held.append(float(np.concatenate(inside).mean()))
                if sd == 0.5 and most == 26:
                    error.append(float(np.sqrt(np.mean(np.concatenate(wrong) ** 2))))
    for name, path in (
        ("step", lambda at: 0.75 * (at > 90)),
        ("stop", lambda at: 0.25 * np.minimum(at, 90) / DAYS_A_MONTH),
    ):
        for pool in simulation.world(path, rate=None).pools():
            lines = growth.fit(pool.cohort.panel, growth.estimate_noise(pool.cohort.panel))
            off = lines.level - pool.truth[pool.cohort.stops - 1]
            changed.append((name, np.abs(off) <= lines.margin(lines.level_error)))
    bent = [float(np.concatenate([ok for kind, ok in changed if kind == name]).mean()) for name in ("step", "stop")]
    return [
        Result("error of the level, weekly attempts, SD 0.5", min(error), max(error), -math.inf, 0.27, "bands"),
        Result("margin of the level holds the truth, 1 to 26 attempts", min(held), max(held), 0.92, 0.98),
        Result("the same after a step of 0.75 and after a rise that stopped", min(bent), max(bent), 0.85, 1),
    ]


def _targets(simulation: Simulation) -> list[Result]:
    reached, inside, printed = [], [], 0
    for sd in (0.5,):
        world = simulation.world(rate=None, days=210, sd=sd, base=5.75)
        for pool in world.pools():
            noise = Noise(growth.estimate_noise(pool.cohort.panel))
            claimed = np.zeros(len(pool.cohort), dtype=bool)
            for day in range(1, 211, 7):
                now = START + timedelta(days=day)
                for n, student in enumerate(progress.progress(pool.cohort.between(START, now), now, noise)):
                    claimed[n] |= progress.standing(student, 5.75 + 0.75) == "reached"
            reached.append(claimed)
    now = START + timedelta(days=HALF_YEAR)
    for slope in (0.15, 0.25, 0.5):
        for rate in (4, 8):
            for pool in simulation.world(_line(slope), rate=rate, base=5.0).pools():
                noise = Noise(growth.estimate_noise(pool.cohort.panel))
                months_ahead = 3
                target = 5.0 + slope * (HALF_YEAR / DAYS_A_MONTH + months_ahead)
                true = now + months_ahead * progress.MONTH
                for student in progress.progress(pool.cohort, now, noise):
                    if ahead := progress.forecast(student, target, now):
                        printed += 1
                        inside.append(
                            (ahead.first.year, ahead.first.month)
                            <= (true.year, true.month)
                            <= (ahead.last.year, ahead.last.month)
                        )
    claims = float(np.concatenate(reached).mean())
    right = float(np.mean(inside)) if inside else math.nan
    return [
        Result("“reached” said within 30 attempts of somebody 0.75 below", claims, claims, -math.inf, 0.05),
        Result(f"the months of a forecast hold the true one ({printed} printed)", right, right, 0.85, 1),
    ]


def _weakest(simulation: Simulation) -> list[Result]:
    def named(lower: float) -> tuple[float, float]:
        anybody, rightly = [], []
        for pool in simulation.world(rate=None, days=56, lower=lower).pools():
            lines = growth.fit(pool.cohort.panel, growth.estimate_noise(pool.cohort.panel))
            of_criteria = lines.level[:, np.newaxis] + criteria.offsets(pool.cohort)
            weak = criteria.weakest(pool.cohort, of_criteria, criteria.scatter(pool.cohort))
            anybody += [low is not None for low in weak]
            rightly += [low is not None and low.criterion == next(iter(CRITERIA[WRITING])) for low in weak]
        return float(np.mean(anybody)), float(np.mean(rightly))

    equal, _ = named(0.0)
    _, lower = named(0.5)
    return [
        Result("a weakest criterion named though all four are equal, 8 attempts", equal, equal, -math.inf, 0.10),
        Result("named rightly where one is 0.5 lower, 8 attempts", lower, lower, 0.70, 1),
    ]


def _classes(simulation: Simulation) -> list[Result]:
    """Classes of 42 with nothing wrong: in groups to teach, and flagged by the standard rules; means of the classes."""
    grouped, flagged = [], []
    for _ in range(max(4, simulation.students // 40)):
        noises, standings = {}, []
        now = START + timedelta(days=HALF_YEAR)
        for skill in TYPES:
            cohort = replace(simulation.world(students=42, rate=6, base=5.75).cohort, skill=skill)
            noises[skill] = Noise(growth.estimate_noise(cohort.panel), criteria.scatter(cohort))
            standings.append(progress.progress(cohort, now, noises[skill]))
        class_ = [
            attention.Student(
                f"student-{n:02}",
                {skill: attention.Standing(of[n], None, ()) for skill, of in zip(TYPES, standings, strict=True)},
                1,
                0,
                max(of[n].last or START for of in standings),
            )
            for n in range(42)
        ]
        grouped.append(len({user_id for group in attention.groups(class_, TYPES) for user_id, _ in group.students}))
        flagged.append(
            sum(bool(attention.flags(student, attention.Aim(6.5), attention.Rules(), now)) for student in class_)
        )
    return [
        Result(
            "students of 42 in groups to teach, nothing wrong", *[float(np.mean(grouped))] * 2, -math.inf, 4, "students"
        ),
        Result("students of 42 flagged, nobody ill-placed", *[float(np.mean(flagged))] * 2, -math.inf, 4, "students"),
    ]


def _shifts(simulation: Simulation) -> list[Result]:
    def compared(students: int, true: float) -> tuple[float, float]:
        """How often the shift is claimed, and how often its interval holds the truth."""
        claimed, held = [], []
        for _ in range(simulation.students):
            level = simulation.random.uniform(5, 6.5, students)[:, np.newaxis]
            before, after = (
                _halves(level + moved + 0.5 * simulation.random.normal(size=(students, models.NEAREST))).mean(axis=1)
                for moved in (0.0, true)
            )
            _, low, high = models.mean_interval(after - before)
            claimed.append(low > 0 or high < 0)
            held.append(low <= true <= high)
        return float(np.mean(claimed)), float(np.mean(held))

    power, first = compared(42, 0.25)
    held = [first, compared(42, 0.1)[1], compared(400, 0.1)[1], compared(400, 0.25)[1]]
    return [
        Result("shift of 0.25 between models claimed, 42 students", power, power, 0.60, 1),
        Result("the interval of a shift holds the truth, 42 and 400 students", min(held), max(held), 0.92, 0.98),
    ]


def _line(slope: float) -> Path:
    return lambda at: slope * at / DAYS_A_MONTH


def _halves(bands: Floats) -> Floats:
    return np.clip(np.floor(2 * bands + 0.5) / 2, 0, 9)


def main() -> int:
    """Print every goal; the exit code is 1 where one was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibration", description=__doc__)
    parser.add_argument("--students", type=int, default=1_000, help="simulated students a cell (default 1,000)")
    parser.add_argument("--seed", type=int, default=20261126)
    chosen = parser.parse_args()
    results = run(chosen.students, chosen.seed)
    for result in results:
        print(result)
    missed = sum(not result.met for result in results)
    print(f"\n{len(results)} goals, {missed} missed; {chosen.students} students a cell, seed {chosen.seed}")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
