"""How often students practise: evaluations per local week and day."""

from datetime import datetime

import pandas as pd

from data.schema import TYPES


def weeks(evaluations: pd.DataFrame, first: datetime, now: datetime, zone: str) -> pd.DataFrame:
    """Evaluations per local week and skill, from the week of `first` to the present one; empty weeks are zeros.

    Columns: start (the Monday, local, no zone), then one per skill (int), of every status.
    """
    begin, end = (_monday(pd.Series([pd.Timestamp(moment)]).dt.tz_convert(zone)).iloc[0] for moment in (first, now))
    starts = pd.date_range(begin, end, freq="7D")
    in_period = evaluations[(evaluations["created_at"] >= first) & evaluations["evaluation_type"].isin(TYPES)]
    counts = pd.DataFrame(index=starts)
    if len(in_period):
        counts = pd.crosstab(_monday(in_period["created_at"].dt.tz_convert(zone)), in_period["evaluation_type"])
    counts = counts.reindex(index=starts, columns=list(TYPES), fill_value=0)
    return counts.rename_axis(index="start", columns=None).reset_index()


def days(evaluations: pd.DataFrame, first: datetime, now: datetime, zone: str) -> pd.DataFrame:
    """Evaluations of every status per local day, from the Monday on or before `first` to today; empty days are zeros.

    Columns: day (datetime64, local midnight, no zone), attempts (int).
    """
    begin, end = (pd.Timestamp(moment).tz_convert(zone).tz_localize(None).normalize() for moment in (first, now))
    every = pd.date_range(begin - pd.Timedelta(days=begin.weekday()), end, freq="D")
    timed = evaluations["created_at"].dropna()
    local = timed[timed >= first].dt.tz_convert(zone).dt.tz_localize(None).dt.normalize()
    counts = local.value_counts().reindex(every, fill_value=0)
    return pd.DataFrame({"day": every, "attempts": counts.to_numpy()})


def longest_pause(counts: pd.DataFrame) -> int:
    """The most days in a row without an evaluation, up to the last day of `counts`, from the first practice on.

    >>> longest_pause(pd.DataFrame({"attempts": [0, 1, 0, 0, 1, 0, 0, 0]}))
    3
    """
    longest = pause = 0
    started = False
    for attempts in counts["attempts"]:
        started = started or bool(attempts)
        pause = 0 if attempts or not started else pause + 1
        longest = max(longest, pause)
    return longest


def _monday(local: pd.Series) -> pd.Series:
    days = local.dt.tz_localize(None).dt.normalize()
    mondays: pd.Series = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    return mondays
