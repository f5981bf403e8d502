"""Incidents in words, the same on the page, in the terminal and in a message."""

import builtins
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.incidents import GAP, Incident
from wording import formats

# Of the errors that everybody meets: what it means, before what it says. The first that fits.
_TITLES = (
    (re.compile(r"throttl|too many requests|\b429\b|quota exceeded|resource ?exhausted", re.IGNORECASE), "Throttled"),
    (re.compile(r"timed? ?out|deadline exceeded", re.IGNORECASE), "Timed out"),
    (re.compile(r"not authorized|access ?denied|permission denied|\b403\b", re.IGNORECASE), "Access denied"),
    (re.compile(r"service ?unavailable|overloaded|\b503\b|econnrefused|could not reach", re.IGNORECASE), "Unavailable"),
    (re.compile(r"JSONDecodeError|not valid json", re.IGNORECASE), "Unreadable answer"),
)
_MODEL = re.compile(r"\bto model ([\w.-]{1,60})")
_EXCEPTIONS = frozenset(name for name in dir(builtins) if name.endswith(("Error", "Exception")))
_LONGEST = 80
_LATELY = timedelta(minutes=5)


def kind(signature: str) -> str | None:
    """The usual word for what went wrong; None for what not everybody meets.

    >>> kind("Task timed out after <n> seconds"), kind("KeyError: 'feedback'")
    ('Timed out', None)
    """
    return next((word for pattern, word in _TITLES if pattern.search(signature)), None)


def cause(signature: str) -> str:
    """What went wrong without words of the message, which may be a student's: for what leaves the dashboard.

    >>> cause("Task timed out after <n> seconds"), cause("KeyError: 'feedback'"), cause("essay: My name is Linh")
    ('Timed out', 'KeyError', 'Failed jobs')
    """
    if word := kind(signature):
        return word
    name = signature.partition(":")[0].strip()
    return name if name in _EXCEPTIONS else "Failed jobs"


def title(signature: str) -> str:
    """What went wrong: a usual word for what everybody meets, else the message.

    >>> title("ThrottlingException: Too many requests to model gemini-2.5-pro, retry after <n> ms (request <id>)")
    'Throttled by gemini-2.5-pro'
    >>> title("Task timed out after <n> seconds"), title("KeyError: 'feedback'")
    ('Timed out (Task timed out after <n> seconds)', "KeyError: 'feedback'")
    """
    short = signature if len(signature) <= _LONGEST else f"{signature[: _LONGEST - 1]}…"
    word = kind(signature)
    if word is None:
        return short
    if word == "Throttled" and (model := _throttled_model(signature)):
        return f"Throttled by {model}"
    return f"{word} ({short})"


def _throttled_model(signature: str) -> str | None:
    """The model that answered too many requests, where the message names one."""
    model = _MODEL.search(signature)
    return model[1].rstrip(".-") if model else None


def remedy(signature: str) -> str:
    """What to do about the cause, in a sentence; empty where the message alone does not tell.

    >>> remedy("ThrottlingException: Too many requests to model gemini-2.5-pro, retry after <n> ms")
    'Submit again later; if this keeps happening, ask for a higher quota of gemini-2.5-pro.'
    >>> remedy("KeyError: 'feedback'")
    ''
    """
    if kind(signature) != "Throttled":
        return ""
    model = _throttled_model(signature) or "the service that the message names"
    return f"Submit again later; if this keeps happening, ask for a higher quota of {model}."


def span(first: datetime, last: datetime, now: datetime, zone: ZoneInfo) -> str:
    """From when to when, as short as it is clear: times of today without the day.

    >>> from datetime import UTC, timedelta
    >>> zone, noon = ZoneInfo("UTC"), datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> span(noon, noon + timedelta(hours=2), noon + timedelta(days=2), zone)
    '23 Nov 12:00 to 14:00'
    >>> span(noon, noon, noon + timedelta(hours=2), zone)
    '12:00'
    """
    begin, end = first.astimezone(zone), last.astimezone(zone)
    start = _moment(first, zone, now)
    if f"{begin:%Y%m%d%H%M}" == f"{end:%Y%m%d%H%M}":
        return start
    return f"{start} to {end:%H:%M}" if begin.date() == end.date() else f"{start} to {_moment(last, zone, now)}"


def _since_before(incident: Incident, now: datetime, zone: ZoneInfo) -> str:
    begin, until, end = span(incident.first, incident.last, now, zone).partition(" to ")
    return f"since before {begin}{f', until {end}' if until else ''}"


def _moment(when: datetime, zone: ZoneInfo, now: datetime) -> str:
    return formats.stamp(when, zone, now).replace(",", "")  # it stands among parts that commas separate


def figures(incident: Incident, now: datetime, zone: ZoneInfo) -> str:
    """When, how many, whom, and whether it is over: what follows the title in a sentence."""
    parts = [
        _since_before(incident, now, zone) if incident.may_be_older else span(incident.first, incident.last, now, zone),
        formats.count(incident.jobs, "job"),
        formats.count(len(incident.students), "student"),
        f"{incident.recovered:,} recovered",
    ]
    return f"{', '.join(parts)}. {state(incident, now, zone)}"


def state(incident: Incident, now: datetime, zone: ZoneInfo) -> str:
    """Whether it is over, and for how long; where nobody looked until now, how it stood by then."""
    age = formats.duration(now - incident.last)
    if incident.is_over:
        return f"Over for {age}."
    if now - incident.as_of > _LATELY:
        return f"Not over by {_moment(incident.as_of, zone, now)}: what came later was not loaded."
    is_recent = incident.as_of - incident.last <= GAP
    return f"Going on: last failure {age} ago." if is_recent else f"No success since, for {age}."


def hanging(jobs: pd.DataFrame, now: datetime, zone: ZoneInfo) -> str:
    """How many of these jobs, which have states, are stuck and overdue, and since when; empty where none is."""
    parts: list[str] = []
    for name in ("stuck", "overdue"):
        began = jobs.loc[jobs["state"] == name, "created_at"]
        if began.empty:
            continue
        if parts:
            parts.append(f"{len(began):,} {name}")
        else:
            oldest = "since" if len(began) == 1 else "oldest since"
            parts.append(
                f"{formats.count(len(began), 'job')} {name} ({oldest} {formats.stamp(began.min(), zone, now)})"
            )
    return f"{', '.join(parts)}." if parts else ""


def sentence(incident: Incident, now: datetime, zone: ZoneInfo) -> str:
    """An incident in one or two sentences, without words of its message."""
    return f"{cause(incident.signature)}: {figures(incident, now, zone)}"


def names(incident: Incident, name: Callable[[str], str], most: int = 5) -> str:
    """Whom it hit: the first names, and how many more."""
    first = [name(user_id) for user_id in incident.students[:most]]
    more = len(incident.students) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")
