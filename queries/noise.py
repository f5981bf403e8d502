"""The noise that levels and trends are judged by: everybody's, whoever asks, so that every page says the same."""

from datetime import timedelta

from analysis.levels import progress
from analysis.levels.progress import DEFAULT_NOISES, Noises
from queries import records
from queries.session import cache

_EVERY = timedelta(hours=1)
"""It hardly changes in an hour, and numbers that move by themselves from click to click would puzzle."""


def of_everybody() -> Noises:
    """Estimated from the evaluations of the last 180 days that are on hand; the stated default where none are.

    Nothing is read for it. It says nothing of any student: two numbers a skill, of the whole school.
    """
    kept = cache.peek(records.period, progress.WINDOW.days)
    if kept is None:
        return DEFAULT_NOISES
    read_at, take = kept
    hour = read_at.timestamp() // _EVERY.total_seconds()
    return cache.derive(("noise", hour), lambda: progress.estimate_noises(take().value, read_at))
