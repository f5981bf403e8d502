"""Level, trend, target, change and flags in words, the same on every page and in every file."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from analysis.attention import Aim, Flag, Student
from analysis.levels.criteria import Weakest
from analysis.levels.progress import WINDOW, Forecast, Progress, Trend, pace_needed, standing
from data.schema import CRITERIA, TYPES
from wording import formats
from wording.skills import SKILL_NAMES

_TESTS = ZoneInfo("UTC")  # in which the class list has the end of a test's day

_EVERY = "Both" if len(TYPES) == 2 else "All"
UNHEARD_OF = 2.0
"""Bands a month: as a pace to the test, more is no advice."""
_CLOSE = 0.5
"""Bands: what is farther from a target is not close to it, however wide the margin of a few attempts."""

LEVEL_HELP = (
    "One score alone is noisy, so the level is a line through the completed attempts of the last 180 days, read off at "
    "the newest one. The margin holds the true level in 95 of 100 cases; with few attempts it is wide."
)
TREND_HELP = (
    "Rising or declining is said only where chance hardly explains the attempts of the last 180 days: of students who "
    "stand still, about 1 in 20 is ever told so in a year. It takes five attempts over four weeks. Steady: within "
    "0.1 of a band a month."
)
CHANGE_HELP = (
    "From estimate to estimate over the period; the file has its margin. Empty without practice in the period."
)
CHANGE_IN_SIGHT_HELP = f"{CHANGE_HELP} Bold where chance hardly makes such a change."
WEAKEST_HELP = (
    "The criterion farthest below the mean of the others, where the gap repeats in the newest attempts beyond chance."
)


def level(progress: Progress) -> str:
    """The level with its margin.

    >>> level(Progress(6.04, 0.38, 8)), level(Progress())
    ('6.0 ± 0.4', '–')
    """
    if math.isnan(progress.level):
        return formats.UNKNOWN
    return f"{progress.level:.1f} ± {max(progress.margin, 0.1):.1f}"


def evidence(progress: Progress, zone: ZoneInfo, now: datetime) -> str:
    """How many attempts the level comes from, and how old it is.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 26, tzinfo=UTC)
    >>> evidence(Progress(6.0, 0.4, 8, datetime(2026, 11, 23, tzinfo=UTC)), ZoneInfo("UTC"), now)
    'from 8 attempts, last on 23 Nov'
    >>> evidence(Progress(), ZoneInfo("UTC"), now)
    'No attempts in the last 180 days'
    """
    if progress.last is None:
        return f"No attempts in the last {WINDOW.days} days"
    return f"from {formats.count(progress.attempts, 'attempt')}, last on {formats.day(progress.last, zone, now)}"


def trend(trend: Trend, last: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """A trend in words, with its pace and the range that this may have.

    >>> from datetime import UTC, timedelta
    >>> now, since = datetime(2026, 11, 26, tzinfo=UTC), datetime(2026, 8, 3, tzinfo=UTC)
    >>> trend(Trend("rising", 0.32, 0.11, 0.52, since), now, ZoneInfo("UTC"), now)
    'Rising since August, about 0.3 a month (0.1–0.5)'
    >>> trend(Trend("declining", -0.32, -0.52, -0.11, since), now, ZoneInfo("UTC"), now)
    'Declining since August, about 0.3 a month (0.1–0.5)'
    >>> trend(Trend("paused", was="rising"), now - timedelta(days=100), ZoneInfo("UTC"), now)
    'Last practised 100 days ago; was rising'
    """
    if trend.word == "paused":
        days = "" if last is None else f"Last practised {formats.count((now - last).days, 'day')} ago"
        return f"{days}; was {trend.was}" if trend.was in ("rising", "declining", "steady") else days
    if trend.word == "not enough data" or trend.since is None:
        return "Not enough data yet"
    if trend.word == "no clear change":
        return "No clear change yet"
    since = _month(trend.since, zone, now)
    if trend.word == "steady":
        return f"Steady since {since}"
    low, high = sorted((abs(trend.low), abs(trend.high)))
    pace = f"about {abs(trend.slope):.1f}" if abs(trend.slope) >= 0.1 else "less than 0.1"
    return f"{trend.word.capitalize()} since {since}, {pace} a month ({_between(low, high)})"


def _between(low: float, high: float) -> str:
    """A range of paces, with a second decimal where one would say nothing."""
    digits = 1 if round(low, 1) > 0 and round(low, 1) < round(high, 1) else 2
    return f"{low:.{digits}f}–{high:.{digits}f}"


def interval(trend: Trend) -> str:
    """What the attempts leave open of the pace, in words; empty where there is none.

    >>> interval(Trend("no clear change", 0.12, -0.14, 0.38))
    'between −0.1 and +0.4 a month'
    >>> interval(Trend("not enough data"))
    ''
    """
    if math.isnan(trend.low):
        return ""
    return f"between {formats.change(trend.low)} and {formats.change(trend.high)} a month"


def target(progress: Progress, target: float) -> str:
    """Where a level stands to a target; empty where one of them is not known.

    >>> target(Progress(5.0, 0.4, 8), 6.5), target(Progress(6.4, 0.4, 8), 6.5), target(Progress(7.1, 0.4, 8), 6.5)
    ('1.5 to target 6.5', 'Close to target 6.5', 'Target 6.5 reached')
    >>> target(Progress(4.5, 2.2, 1), 6.5), target(Progress(9.0, 2.2, 1), 4.0)
    ('2.0 to target 6.5', 'Above target 4.0, not yet sure')
    """
    where = None if math.isnan(target) else standing(progress, target)
    if where is None:
        return ""
    aim = formats.band(target)
    if where == "reached":
        return f"Target {aim} reached"
    missing = target - progress.level
    if where == "unsure" and abs(missing) <= _CLOSE:
        return f"Close to target {aim}"
    return f"{missing:.1f} to target {aim}" if missing > 0 else f"Above target {aim}, not yet sure"


def path(progress: Progress, aim: Aim, now: datetime) -> str:
    """The pace that it takes to the target until the test; empty without a test to come, or with nothing to gain.

    >>> from datetime import UTC, timedelta
    >>> now = datetime(2026, 11, 26, tzinfo=UTC)
    >>> path(Progress(5.0, 0.4, 8), Aim(6.5, now + timedelta(days=152)), now)
    'takes 0.3 a month until the test'
    >>> path(Progress(5.0, 0.4, 8), Aim(6.5), now), path(Progress(6.5, 0.4, 8), Aim(6.5, now + timedelta(9)), now)
    ('', '')
    """
    if aim.test_at is None or aim.test_at <= now or progress.paused:
        return ""
    needed = pace_needed(progress, aim.target, aim.test_at, now)
    return f"takes {max(needed, 0.1):.1f} a month until the test" if 0 < needed <= UNHEARD_OF else ""


def forecast(forecast: Forecast, target: float, zone: ZoneInfo) -> str:
    """When the target may be reached, as a range of months.

    >>> from datetime import UTC, datetime
    >>> forecast(Forecast(datetime(2027, 3, 2, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC)), 7.0, ZoneInfo("UTC"))
    'At this rate 7.0 around March to May 2027'
    """
    first, last = forecast.first.astimezone(zone), forecast.last.astimezone(zone)
    begin = f"{first:%B}" if first.year == last.year else f"{first:%B %Y}"
    months = f"{last:%B %Y}" if (first.year, first.month) == (last.year, last.month) else f"{begin} to {last:%B %Y}"
    return f"At this rate {formats.band(target)} around {months}"


def weakest(names: Mapping[str, str], low: Weakest | None) -> str:
    """The weakest criterion with its gap, or that none is clear; `names` are those of the skill's criteria.

    >>> weakest(CRITERIA["writing"], Weakest("lexical_band", 5.2, 0.82, 0.3)), weakest(CRITERIA["writing"], None)
    ('Lexical resource, 0.8 ± 0.3 below the others', 'No clear weakest criterion')
    """
    if low is None:
        return "No clear weakest criterion"
    return f"{names[low.criterion]}, {low.gap:.1f} ± {max(low.margin, 0.1):.1f} below the others"


def reasons(flags: Iterable[Flag]) -> str:
    """Why a student needs attention, on one line; empty where there is no reason.

    >>> reasons([Flag("away", 19.8), Flag("lost", 1)])
    'Inactive 19 days; 1 missing result'
    """
    return "; ".join(map(flag, flags))


def brief_reasons(flags: Sequence[Flag]) -> str:
    """The reasons for a narrow column: a rule that both skills meet is said once, with the range of its numbers.

    >>> brief_reasons([Flag("falling", -0.4, "writing"), Flag("lost", 1), Flag("falling", -0.61, "speaking")])
    'Both skills declining 0.4–0.6 a month; 1 missing result'
    >>> brief_reasons([Flag("below", 2.0, "writing"), Flag("below", 1.98, "speaking"), Flag("away", 19.8)])
    'Both skills 2.0 below target; Inactive 19 days'
    >>> brief_reasons([Flag("falling", -a, s) for a, s in ((0.4, "writing"), (0.4, "speaking"))] + [Flag("lost", 1)])
    'Both skills declining 0.4 a month; 1 missing result'
    >>> brief_reasons([])
    ''
    """
    parts = []
    for one in flags:
        alike = [other for other in flags if other.rule == one.rule]
        both = _of_both(alike) if len(alike) == len(TYPES) else ""
        parts.append(both or flag(one))
    first, *others = [*dict.fromkeys(parts)] or [""]
    return "; ".join([first, *(part.replace(f"{_EVERY} skills", _EVERY.lower()) for part in others)])


def _of_both(alike: Sequence[Flag]) -> str:
    """A rule that every skill meets in the same way; empty where they do not."""
    rule, with_test = alike[0].rule, [not math.isnan(one.needed) for one in alike]
    if rule == "falling" and min(abs(one.amount) for one in alike) >= 0.1:
        return f"{_EVERY} skills declining {_range(abs(one.amount) for one in alike)} a month"
    if rule == "below" and not any(with_test):
        return f"{_EVERY} skills {_range(one.amount for one in alike)} below target"
    if rule == "below" and all(with_test) and max(one.needed for one in alike) <= UNHEARD_OF:
        return f"{_EVERY} skills need {_range(one.needed for one in alike)} a month until the test"
    return ""


def _range(amounts: Iterable[float]) -> str:
    least, *_, most = sorted(f"{amount:.1f}" for amount in amounts)
    return least if least == most else f"{least}–{most}"


def action(flags: Sequence[Flag]) -> str:
    """What a teacher may do about the weightiest reason, in two or three words; empty where there is no reason.

    >>> action([Flag("lost", 1), Flag("away", 19.8)]), action([])
    ('Ask to submit again', '')
    """
    if not flags:
        return ""
    match flags[0].rule:
        case "lost":
            return "Ask to submit again"
        case "weakest":
            return f"Practise {CRITERIA[flags[0].skill or ''][flags[0].criterion or '']}"
        case "away":
            return "Ask why"
        case "falling":
            return "Look at what changed"
        case "below":
            return "Talk about the test" if flags[0].needed > UNHEARD_OF else "Plan more practice"


def flag(flag: Flag) -> str:
    """Why a student needs attention, with its number.

    >>> flag(Flag("away", 19.8)), flag(Flag("away", 1.2))
    ('Inactive 19 days', 'Inactive 1 day')
    >>> flag(Flag("below", 1.5, "writing")), flag(Flag("lost", 1))
    ('Writing 1.5 below target', '1 missing result')
    >>> flag(Flag("below", 1.5, "writing", needed=0.62)), flag(Flag("below", 1.5, "writing", needed=0.62, pace=0.1))
    ('Writing needs 0.6 a month until the test', 'Writing needs 0.6 a month until the test, has 0.1')
    >>> flag(Flag("below", 1.5, "writing", needed=9.1, pace=0.1))
    'Writing 1.5 below target, shortly before the test'
    """
    skill = SKILL_NAMES.get(flag.skill or "", "")
    if flag.rule == "away":
        # As far back as everybody is read; a longer period finds the student with a number.
        return (
            f"No activity in {WINDOW.days} days"
            if math.isinf(flag.amount)
            else f"Inactive {formats.count(int(flag.amount), 'day')}"
        )
    if flag.rule == "below":
        if math.isnan(flag.needed):
            return f"{skill} {flag.amount:.1f} below target"
        if flag.needed > UNHEARD_OF:
            return f"{skill} {flag.amount:.1f} below target, shortly before the test"
        has = "" if math.isnan(flag.pace) else f", has {(formats.change(flag.pace) or '').removeprefix('+')}"
        return f"{skill} needs {flag.needed:.1f} a month until the test{has}"
    if flag.rule == "lost":
        return formats.count(int(flag.amount), "missing result")
    if flag.rule == "falling":
        pace = abs(flag.amount)
        return f"{skill} declining {f'{pace:.1f}' if pace >= 0.1 else 'less than 0.1'} a month"
    return f"Weak: {CRITERIA[flag.skill or ''][flag.criterion or '']} (−{flag.amount:.1f})"


def next_step(flag: Flag, student: Student, aim: Aim, zone: ZoneInfo, now: datetime) -> str:
    """What a teacher may do about a reason.

    >>> from datetime import UTC, timedelta
    >>> now, zone = datetime(2026, 11, 26, tzinfo=UTC), ZoneInfo("UTC")
    >>> ann = Student("ann", {}, 3, 1, now - timedelta(days=20))
    >>> next_step(Flag("lost", 1), ann, Aim(), zone, now)
    'Ask the student to submit again, a result is missing.'
    >>> next_step(Flag("weakest", 1.0, "writing", "lexical_band"), ann, Aim(), zone, now)
    'Practise Lexical resource in Writing.'
    >>> next_step(Flag("away", 20.8), ann, Aim(), zone, now)
    'Ask why there has been no practice since 6 Nov.'
    >>> next_step(Flag("below", 1.5, "speaking"), ann, Aim(6.5), zone, now)
    'Plan more Speaking practice, or talk about the target: the level is 1.5 below it.'
    >>> next_step(Flag("below", 1.5, "speaking", needed=0.75), ann, Aim(6.5, now + timedelta(days=60)), zone, now)
    'Plan more Speaking practice, or talk about the target: it takes 0.8 a month to reach 6.5 by 25 Jan 2027.'
    >>> next_step(Flag("below", 1.5, "speaking", needed=9.1), ann, Aim(6.5, now + timedelta(days=5)), zone, now)
    'Talk about the day of the test, 1 Dec: Speaking is 1.5 below the target.'
    """
    skill = SKILL_NAMES.get(flag.skill or "", "")
    match flag.rule:
        case "lost":
            missing = "a result is missing" if flag.amount == 1 else f"{int(flag.amount)} results are missing"
            return f"Ask the student to submit again, {missing}."
        case "weakest":
            return f"Practise {CRITERIA[flag.skill or ''][flag.criterion or '']} in {skill}."
        case "away":
            if student.last_seen is None:
                return f"Ask why there has been no practice in the last {WINDOW.days} days."
            return f"Ask why there has been no practice since {formats.day(student.last_seen, zone, now)}."
        case "falling":
            standing = student.standings[flag.skill or ""]
            since = standing.progress.trend.since
            month = "" if since is None else f" since {_month(since, zone, now)}"
            weak = (
                "" if standing.weakest is None else f", first {CRITERIA[flag.skill or ''][standing.weakest.criterion]}"
            )
            return f"Look with the student at what changed in {skill}{month}{weak}."
        case "below":
            plan = f"Plan more {skill} practice, or talk about the target"
            if aim.test_at is not None and flag.needed > UNHEARD_OF:
                day = formats.day(aim.test_at, _TESTS, now)
                return f"Talk about the day of the test, {day}: {skill} is {flag.amount:.1f} below the target."
            if aim.test_at is None or math.isnan(flag.needed) or math.isinf(flag.needed):
                return f"{plan}: the level is {flag.amount:.1f} below it."
            by = f"by {formats.day(aim.test_at, _TESTS, now)}"
            return f"{plan}: it takes {flag.needed:.1f} a month to reach {formats.band(aim.target)} {by}."


def target_of(aim: Aim, now: datetime) -> str:
    """The target with the day of the test; empty without one.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 26, tzinfo=UTC)
    >>> target_of(Aim(6.5, datetime(2027, 3, 20, 23, 59, 59, tzinfo=UTC)), now), target_of(Aim(6.5), now)
    ('target 6.5 by 20 Mar 2027', 'target 6.5')
    """
    by = "" if aim.test_at is None else formats.day(aim.test_at, _TESTS, now)
    if math.isnan(aim.target):
        return f"test on {by}" if by else ""
    return f"target {formats.band(aim.target)}{f' by {by}' if by else ''}"


def _month(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    local, today = moment.astimezone(zone), now.astimezone(zone)
    return f"{local:%B}" if local.year == today.year else f"{local:%B %Y}"
