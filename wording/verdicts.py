"""Level, trend, forecast and flags in words, the same on every page and in what is taken away."""

import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from analysis.attention import Flag
from analysis.progress import WINDOW, Forecast, Progress, Trend
from data.schema import CRITERIA
from wording import formats
from wording.skills import SKILL_NAMES

LEVEL_HELP = (
    "The level is the median of the last three completed attempts of the last 180 days, because one score alone is "
    "noisy: half a band between two attempts is not yet progress. With fewer attempts it comes from those there are."
)
TREND_HELP = (
    "A trend is claimed only over at least two weeks, and only when its 95 % interval excludes zero (Theil-Sen slope "
    "over the last 180 days), which takes five attempts or more. Otherwise it says steady, when the interval stays "
    "within a quarter of a band a month, or not enough evidence."
)
WEAKEST_HELP = "The criterion with the lowest level, and how far it is below the median of the skill's other criteria."


def trend(found: Trend) -> str:
    """A trend in words.

    >>> trend(Trend("rising", 0.42, 0.1, 0.6)), trend(Trend("falling", -0.04, -0.1, -0.01)), trend(Trend("steady"))
    ('rising, about 0.4 a month', 'falling, less than 0.1 a month', 'steady')
    """
    if found.word not in ("rising", "falling"):
        return found.word
    pace = abs(found.slope)
    return f"{found.word}, {f'about {pace:.1f}' if pace >= 0.1 else 'less than 0.1'} a month"


def interval(found: Trend) -> str:
    """What the attempts leave open, in words; empty where there is no interval, or nothing of it after rounding.

    >>> interval(Trend("rising", 0.42, 0.1, 0.6))
    'between +0.1 and +0.6 a month'
    >>> interval(Trend("steady", -0.02, -0.2, -0.01)), interval(Trend("steady", 0.0, -0.04, 0.04))
    ('between -0.2 and 0.0 a month', '')
    """
    if math.isnan(found.low):
        return ""
    low, high = round(found.low, 1), round(found.high, 1)
    return f"between {low or 0:+.1f} and {high or 0:+.1f} a month".replace("+0.0", "0.0") if low or high else ""


def evidence(found: Progress) -> str:
    """How many attempts the level and the trend come from.

    >>> evidence(Progress(6.0, 2, Trend("steady"), None, {}))
    'from 2 attempts in 180 days'
    """
    return f"from {formats.count(found.attempts, 'attempt')} in 180 days"


def forecast(found: Forecast, target: float, zone: ZoneInfo) -> str:
    """When the target may be reached, as a range of months.

    >>> from datetime import UTC, datetime
    >>> forecast(Forecast(datetime(2027, 3, 2, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC)), 7.0, ZoneInfo("UTC"))
    'At this pace 7.0 around March to May 2027'
    """
    first, last = found.first.astimezone(zone), found.last.astimezone(zone)
    begin = f"{first:%B}" if first.year == last.year else f"{first:%B %Y}"
    months = f"{last:%B %Y}" if (first.year, first.month) == (last.year, last.month) else f"{begin} to {last:%B %Y}"
    return f"At this pace {formats.band(target)} around {months}"


def criteria(skill: str, names: Sequence[str]) -> str:
    """The names of criteria.

    >>> criteria("writing", ["grammar_band", "lexical_band"])
    'Grammar, Lexical resource'
    """
    return ", ".join(CRITERIA[skill][name] for name in names)


def flag(found: Flag) -> str:
    """Why a student needs attention, with its number.

    >>> flag(Flag("away", 19.8)), flag(Flag("below", 1.5, "writing")), flag(Flag("lost", 1))
    ('19 days away', '1.5 below target in Writing', '1 result lost')
    """
    skill = SKILL_NAMES.get(found.skill or "", "")
    if found.rule == "away":
        # As far back as everything is read; a longer period finds the student with a number.
        return (
            f"not seen in {WINDOW.days} days" if math.isinf(found.amount) else f"{math.floor(found.amount)} days away"
        )
    if found.rule == "below":
        return f"{formats.band(found.amount)} below target in {skill}"
    if found.rule == "lost":
        return f"{formats.count(int(found.amount), 'result')} lost"
    if found.rule == "falling":
        return f"{skill} falling {abs(found.amount):.1f} a month"
    return f"{criteria(found.skill or '', found.criteria)} {formats.band(found.amount)} below the rest of {skill}"
