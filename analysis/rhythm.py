"""How often students practise: evaluations per local day."""

from datetime import datetime

import pandas as pd


def days(evaluations: pd.DataFrame, first: datetime, now: datetime, zone: str) -> pd.DataFrame:
    """Evaluations of every status per local day, from the Monday on or before `first` to today; empty days are zeros.

    Columns: day (datetime64, local midnight, no zone), attempts (int).
    """
    begin, end = (pd.Timestamp(moment).tz_convert(zone).tz_localize(None).normalize() for moment in (first, now))
    every = pd.date_range(begin - pd.Timedelta(days=begin.dayofweek), end, freq="D")
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
