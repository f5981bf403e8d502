"""Models side by side: what bands each gave, when one took over from another, and by how much bands shifted then."""

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis import tasks
from analysis.bands import scored
from data.records.frames import MODEL_BANDS, MODELS
from data.schema import OVERALL, TYPES

# Two models side by side are no takeover: after it, at most a tenth of what both judge is still the old one's, and
# before it the new one's. A model that judged fewer than five is a trial.
STRAGGLERS = 0.1
FEWEST = 5
MOST = 30  # models of a type that are compared: what records call them is foreign text, and nobody reads more
# A student is compared by the mean of up to four evaluations on either side, those nearest to the takeover: close
# enough that little was learned in between, and one lucky day does not count for all.
NEAREST = 4
FEWEST_STUDENTS = 5
_ALIKE = 1e-9  # bands, SD: what the digits of a third make


@dataclass(frozen=True, slots=True)
class Takeover:
    """`model` judged evaluations of `skill` from `at` on; those of `replaced` did so before, and hardly since."""

    skill: str
    model: str
    replaced: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """How bands differ across a takeover, for the `students` whom both sides scored; in bands, new minus old.

    `mean` is NaN without students; `low` and `high`, the ends of its 95 % interval, are NaN where there are fewer than
    five. `days` is the median of the days between the evaluations compared: what was learned in them is in it too.
    """

    students: int
    mean: float
    low: float
    high: float
    days: float

    @property
    def beyond_chance(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def most_used(evaluations: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """All but the evaluations by other models than the 30 of each type that gave the most bands; how many others."""
    others = 0
    for skill in TYPES:
        named = _named(scored(evaluations, skill))
        counts = named.groupby("model", observed=True).size().sort_index().sort_values(ascending=False, kind="stable")
        if len(counts) > MOST:
            others += len(counts) - MOST
            names = named["model_used"][named["model"].isin(counts.index[MOST:])].unique()
            is_other = (evaluations["evaluation_type"] == skill) & evaluations["model_used"].isin(names)
            evaluations = evaluations[~is_other]
    return evaluations, others


def by_model(evaluations: pd.DataFrame) -> pd.DataFrame:
    """A row per type and model: type, model, scored, students, median, q1, q3, spread, first, last.

    Of completed evaluations with a band. q1 and q3 are the quartiles, with linear interpolation between the two
    nearest bands; spread is q3 - q1, the band width of the middle half. Sorted by type and first use.
    """
    rows = []
    for skill in TYPES:
        of_skill = _named(scored(evaluations, skill))
        for model, of_model in of_skill.groupby("model", sort=True):
            q1, median, q3 = of_model[OVERALL].quantile([0.25, 0.5, 0.75])
            rows.append(
                {
                    "type": skill,
                    "model": model,
                    "scored": len(of_model),
                    "students": of_model["user_id"].nunique(),
                    "median": median,
                    "q1": q1,
                    "q3": q3,
                    "spread": q3 - q1,
                    "first": of_model["created_at"].min(),
                    "last": of_model["created_at"].max(),
                }
            )
    table = pd.DataFrame(rows, columns=[*MODELS])
    place = table["type"].map({skill: n for n, skill in enumerate(TYPES)})
    in_order = table.assign(_place=place).sort_values(["_place", "first", "model"], ignore_index=True)
    return MODELS.typed(in_order)


def takeovers(evaluations: pd.DataFrame, skill: str) -> list[Takeover]:
    """When which model took over in `skill`, oldest first.

    B took over from A at the first of B's evaluations with at least five of A's before it, at least five of B's from it
    on, at most a tenth of both from then on A's, and before it at most a tenth, or fewer than five, B's: those were a
    trial. And no third model came between them. From several models it took over when it had from the last of them.
    """
    return _takeovers(_timed(evaluations, skill), skill)


def _takeovers(timed: pd.DataFrame, skill: str) -> list[Takeover]:
    stamps = {
        str(model): of_model.to_numpy("datetime64[us]") for model, of_model in timed.groupby("model")["created_at"]
    }
    used = sorted(model for model, of_model in stamps.items() if len(of_model) >= FEWEST)
    if not used:
        return []
    times = [stamps[model] for model in used]
    sizes = np.array([len(of_model) for of_model in times])
    # All evaluations as beginnings, model by model: how many of its own came before each, how many follow with it.
    every, own = np.concatenate(times), np.repeat(np.arange(len(used)), sizes)
    earlier = np.arange(len(every)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    following = sizes[own] - earlier
    follows = np.zeros((len(used), len(used)), dtype=bool)  # of each pair [new, old]
    starts = np.full(follows.shape, np.datetime64("NaT", "us"))
    for old, of_old in enumerate(times):
        before = np.searchsorted(of_old, every)
        after = len(of_old) - before
        is_start = (own != old) & (before >= FEWEST) & (following >= FEWEST)
        is_start &= after <= STRAGGLERS * (after + following)
        is_start &= (earlier < FEWEST) | (earlier <= STRAGGLERS * (earlier + before))
        places = np.flatnonzero(is_start)
        new, firsts = np.unique(own[places], return_index=True)
        follows[new, old], starts[new, old] = True, every[places[firsts]]
    ways = follows.astype("float32")
    last = follows & ~(ways @ ways > 0)  # floats, whose product takes a fraction of the time
    takeovers = [
        Takeover(
            skill,
            model,
            tuple(used[old] for old in np.flatnonzero(replaced)),
            pd.Timestamp(of_model[replaced].max(), tz="UTC").to_pydatetime(),
        )
        for model, replaced, of_model in zip(used, last, starts, strict=True)
        if replaced.any()
    ]
    return sorted(takeovers, key=lambda takeover: (takeover.at, takeover.model))


def shifts(evaluations: pd.DataFrame, skill: str) -> list[tuple[Takeover, Shift]]:
    """Each takeover in `skill`, oldest first, with how bands moved at it."""
    timed = _timed(evaluations, skill)
    return [(takeover, shift(timed, takeover)) for takeover in _takeovers(timed, skill)]


def shift(timed: pd.DataFrame, takeover: Takeover) -> Shift:
    """How bands moved at `takeover`, in the students whom the old models scored before it and the new one after.

    `timed` are the evaluations of its skill as `_timed` has them: they are put in order once for all takeovers.

    Per student and Writing task: the mean of up to four bands of the new model just after, minus that of the old ones
    just before. Then the mean of each student's differences, and the mean of these with Student's t interval.
    """
    timed = timed[timed["user_id"].notna()]
    old = timed[timed["model"].isin(takeover.replaced) & (timed["created_at"] < takeover.at)]
    new = timed[(timed["model"] == takeover.model) & (timed["created_at"] >= takeover.at)]
    alike = ["user_id", "task"]
    before = old.groupby(alike).tail(NEAREST).groupby(alike)
    after = new.groupby(alike).head(NEAREST).groupby(alike)
    of_tasks = (after[OVERALL].mean() - before[OVERALL].mean()).dropna()
    differences = of_tasks.groupby("user_id").mean().to_numpy(dtype="float64")
    apart = (after["created_at"].median() - before["created_at"].median()).dropna().dt.total_seconds()
    days = apart.groupby("user_id").mean().median() / 86400
    return Shift(len(differences), *mean_interval(differences), float(days))


def mean_interval(values: np.ndarray) -> tuple[float, float, float]:
    """The mean and its 95 % interval by Student's t; no interval of fewer than five values, or where all are equal.

    >>> [round(float(value), 2) for value in mean_interval(np.array([0.5, -0.5, 0.0, 1.0, 1.5, 0.5]))]
    [0.5, -0.24, 1.24]
    """
    n = len(values)
    if n == 0:
        return math.nan, math.nan, math.nan
    mean, spread = float(values.mean()), float(values.std(ddof=1)) if n > 1 else 0.0
    if n < FEWEST_STUDENTS or spread < _ALIKE:
        return mean, math.nan, math.nan
    margin = float(stdtrit(n - 1, 0.975)) * spread / math.sqrt(n)
    return mean, mean - margin, mean + margin


def over_time(evaluations: pd.DataFrame, skill: str, zone: str) -> pd.DataFrame:
    """Bands of `skill` per model and day, or per week where they span more than a month: start, model, median, scored.

    `start` is the local day in `zone`, or the Monday of the week, as datetime64 without a zone. Days and weeks without
    an evaluation are not there: gaps stay gaps.
    """
    timed = _timed(evaluations, skill)
    days = timed["created_at"].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    if len(days) and days.max() - days.min() > pd.Timedelta(days=31):
        days = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    groups = timed.assign(start=days).groupby(["model", "start"])[OVERALL]
    table = groups.agg(median="median", scored="size").reset_index()
    return MODEL_BANDS.typed(table)


def _named(evaluations: pd.DataFrame) -> pd.DataFrame:
    """Those whose record names the model, with `model`: its name without the task, and `task`, 0 where unknown."""
    attributed = evaluations[evaluations["model_used"].notna()]
    names = attributed["model_used"].unique()
    models = {model: tasks.without_task(str(model)) for model in names}
    of_tasks = {model: tasks.of_model(str(model)) or 0 for model in names}
    used = attributed["model_used"]
    named = attributed.assign(model=used.map(models), task=used.map(of_tasks).astype("int64"))
    return named[named["model"] != ""]


def _timed(evaluations: pd.DataFrame, skill: str) -> pd.DataFrame:
    """The scored evaluations of `skill` with a time, oldest first, whatever order they came in."""
    of_skill = _named(scored(evaluations, skill))
    timed = of_skill[of_skill["created_at"].notna()]
    return timed.sort_values(["created_at", "evaluation_id", "user_id", OVERALL], kind="stable", ignore_index=True)
