"""What the report says of a student's progress, the same as PDF and as a page; and which charts it draws."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from analysis import attention
from analysis.attention import Aim, Flag
from analysis.bands import band_range
from analysis.levels import progress
from analysis.levels.attempts import Cohort, Times
from analysis.levels.progress import WINDOW, Forecast, Noise, Progress
from data.roster import Student
from data.schema import CRITERIA, TYPES
from exports.report.charts import Bands, Counts
from wording import foreign_text, formats, verdicts
from wording.skills import ALL_NAMES, CRITERION_MEANINGS, SKILL_NAMES


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of the student: all scored attempts that are known, the progress in them, and a forecast if any."""

    attempts: Cohort
    noise: Noise
    progress: Progress
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a report is about. `skills` are by name, as in `data.schema.TYPES`; one missing was not practised.

    `first` is when the period began, None for all time. Charts and counts show the attempts of the period; level and
    trend look back 180 days, as on every page, so attempts from before the period belong in `skills` too. `flags` are
    the reasons why the student needs attention, the weightiest first; school, teacher and comment may be empty.
    """

    student: Student
    skills: Mapping[str, Skill]
    first: datetime | None
    zone: ZoneInfo
    made: datetime
    complete: bool
    flags: Sequence[Flag] = ()
    school: str = ""
    teacher: str = ""
    comment: str = ""
    invented: bool = False  # of the demo


FILE_TITLE = "Progress report"
TITLE = f"Progress report: IELTS {ALL_NAMES}"
NEXT_STEPS = "Next steps"
COMMENT = "Teacher’s comment"
LONGEST_COMMENT = 500
"""Characters of a comment, which is as many as fit in its box."""
INCOMPLETE = "Incomplete: not all attempts could be read for this report."
EXPLAINED = (
    (
        "What is a band?",
        "IELTS gives bands from 0 to 9, in half steps: 6 is a competent user of English, 7 a good one. The bands here "
        "come from a computer that judges practice, not from an IELTS examiner. An overall band needs Listening and "
        "Reading too.",
    ),
    (
        "How to read the charts",
        "Each dot is one attempt. Half a band more or less from one to the next is normal and no progress yet. The "
        "line is the level; the true level very likely lies in the soft band around it.",
    ),
    (
        "The criteria",
        "Task achievement, in Task 2 task response: answering exactly what was asked. Coherence: putting ideas in a "
        "clear order. Lexical resource: a wide choice of fitting words. Fluency: speaking without long pauses.",
    ),
)
_DAYS = WINDOW.days
_LINES_OF_COMMENT = 6


@dataclass(frozen=True, slots=True)
class Side:
    """What is said and drawn of one skill; `chart` is None where there is nothing to draw."""

    skill: str
    level: str
    basis: str
    trend: str
    forecast: str
    title: str
    alt: str
    chart: Bands | None
    profile_title: str
    criteria: list[tuple[str, float]]

    @property
    def has_criteria(self) -> bool:
        """Whether any criterion was scored."""
        return any(not math.isnan(level) for _, level in self.criteria)


@dataclass(frozen=True, slots=True)
class Practice:
    """How often the student practised; `counts` is None where there was no attempt."""

    title: str
    alt: str
    counts: Counts | None


def sides(report: Report) -> list[Side]:
    """Both skills, their charts on the same axes."""
    of_skills = [_side(report, skill) for skill in TYPES]
    charts = [side.chart for side in of_skills if side.chart]
    if not charts:
        return of_skills
    low, high = band_range(pd.Series([band for c in charts for band in (*c.bands, *c.levels, c.target)]))
    begin, end = min(c.begin for c in charts), max(c.end for c in charts)
    return [
        replace(side, chart=side.chart and replace(side.chart, low=low, high=high, begin=begin, end=end))
        for side in of_skills
    ]


def _side(report: Report, skill: str) -> Side:
    practised = report.skills.get(skill)
    standing = practised.progress if practised else Progress()
    chart = _bands_chart(report, skill, practised) if practised else None
    return Side(
        skill=skill,
        level=formats.level(standing.level),
        basis=_basis(standing, report),
        trend=_trend(standing, report),
        forecast=_forecast(standing, practised.forecast if practised else None, report),
        title=_chart_title(skill, len(chart.times) if chart else 0),
        alt=_chart_alt(chart) if chart else "",
        chart=chart,
        profile_title=_profile_title(standing, skill),
        criteria=[(name, standing.criteria.get(criterion, math.nan)) for criterion, name in CRITERIA[skill].items()],
    )


def _bands_chart(report: Report, skill: str, practised: Skill) -> Bands | None:
    first = _first_of_period(practised.attempts, report)
    recent = practised.attempts.times[first:]
    if not len(recent):
        return None
    # From all attempts: the first one of a period has others before it.
    levels, margins = progress.levels(practised.attempts, practised.noise)
    times = _local(recent, report.zone)
    begin, end = _span(times, report)
    return Bands(
        skill=skill,
        times=times,
        bands=practised.attempts.bands[first:].tolist(),
        levels=levels[first:].tolist(),
        margins=margins[first:].tolist(),
        target=report.student.target,
        begin=begin,
        end=end,
        pause=WINDOW,
    )


def _first_of_period(attempts: Cohort, report: Report) -> int:
    """The place of the period's first attempt among all of them."""
    return 0 if report.first is None else int(attempts.between(report.first, report.made).starts[0])


def _basis(standing: Progress, report: Report) -> str:
    evidence = verdicts.evidence(standing, report.zone, report.made)
    if not standing.attempts:
        return evidence
    margin = max(standing.margin, 0.1)
    low, high = max(0.0, standing.level - margin), min(9.0, standing.level + margin)
    return f"level, most likely between {low:.1f} and {high:.1f}; {evidence}"


def _trend(standing: Progress, report: Report) -> str:
    """The same verdict as on the page."""
    sentence = verdicts.trend(standing.trend, standing.last, report.zone, report.made)
    if standing.trend.word == "not enough data":
        weeks = progress.SPAN_OF_TREND.days // 7
        return f"{sentence}: a trend takes {progress.ATTEMPTS_OF_TREND} attempts over {weeks} weeks."
    return f"{sentence}."


def _forecast(standing: Progress, forecast: Forecast | None, report: Report) -> str:
    target = report.student.target
    where = verdicts.target(standing, target)
    if not where:
        return ""
    aim = Aim(target, report.student.test_at)
    parts = [where, verdicts.path(standing, aim, report.made)]
    forecasts = [verdicts.forecast(forecast, target, report.zone)] if forecast else []
    return " ".join(f"{sentence}." for sentence in (", ".join(filter(None, parts)), *forecasts))


def _chart_title(skill: str, attempts: int) -> str:
    name = SKILL_NAMES[skill]
    return f"{name}: {formats.count(attempts, 'attempt')}" if attempts else f"{name}: no result in this period"


def _chart_alt(chart: Bands) -> str:
    first, last = (formats.full_date(moment) for moment in (chart.times[0], chart.times[-1]))
    low, high = formats.band(min(chart.bands)), formats.band(max(chart.bands))
    target = "" if math.isnan(chart.target) else f" The target is {formats.band(chart.target)}."
    return (
        f"Chart of {formats.count(len(chart.times), 'attempt')} from {first} to {last}, bands {low} to {high}. "
        f"The level was {chart.levels[0]:.1f} at first and {chart.levels[-1]:.1f} at last.{target}"
    )


def _profile_title(standing: Progress, skill: str) -> str:
    if all(math.isnan(level) for level in standing.criteria.values()):
        return "Criteria: no results yet"
    return f"Weakest: {CRITERIA[skill][standing.weakest.criterion]}" if standing.weakest else "Criteria"


def practice(report: Report) -> Practice:
    """How often, in the period, by week, month or year."""
    skills = [skill for skill in TYPES if skill in report.skills]
    times = {}
    for skill in skills:
        attempts = report.skills[skill].attempts
        times[skill] = _local(attempts.times[_first_of_period(attempts, report) :], report.zone)
    every = [moment for moments in times.values() for moment in moments]
    if not every:
        return Practice("Practice: no result in this period", "", None)
    begin, end = _span(every, report)
    days = (end - begin).days
    unit, code = ("week", "W-SUN") if days <= 190 else ("month", "M") if days <= 1150 else ("year", "Y")
    periods = pd.period_range(begin, end, freq=code)
    numbers = {
        skill: pd.PeriodIndex(moments, freq=code).value_counts().reindex(periods, fill_value=0).tolist()
        for skill, moments in times.items()
    }
    active = sum(1 for row in zip(*numbers.values(), strict=True) if sum(row))
    counted = formats.count(len(every), "attempt")
    spread = f" within one {unit}" if len(periods) == 1 else f" in {active} of {len(periods)} {unit}s"
    alt = "; ".join(
        f"{SKILL_NAMES[skill]} {formats.count(sum(row), 'attempt')}, at most {max(row)} in a {unit}"
        for skill, row in numbers.items()
    )
    counts = Counts(unit, [period.start_time for period in periods], numbers)
    return Practice(f"Practice: {counted}{spread}", f"Chart of attempts per {unit}. {alt}.", counts)


def on_one_line(student: Student) -> Student:
    """The student with hidden characters visible, each text cut where it is longer than any name is."""
    return replace(
        student,
        name=_cut(student.name, 200),
        class_name=_cut(student.class_name, 60),
        user_id=_cut(student.user_id, 80),
    )


def _cut(text: str, longest: int) -> str:
    line = foreign_text.visible(" ".join(text.split()))
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def next_steps(report: Report) -> list[str]:
    """What the student may do, from the reasons why attention is needed; to go on where there is none."""
    steps = [_step(flag, report) for flag in attention.to_act_on(report.flags)]
    return steps or [_go_on(report)]


def _go_on(report: Report) -> str:
    """To practise each skill: some may have been left, or never been begun."""
    active, left, new = list[str](), list[str](), list[str]()
    for skill in TYPES:
        known = report.skills.get(skill)
        if known is None or not len(known.attempts.times):
            new.append(SKILL_NAMES[skill])
        else:
            stopped = known.progress.paused or not known.progress.attempts
            (left if stopped else active).append(SKILL_NAMES[skill])
    parts = [
        *([f"go on practising {' and '.join(active)} every week"] if active else []),
        *([f"take up {' and '.join(left)} again"] if left else []),
        *([f"begin {' and '.join(new)}"] if new else []),
    ]
    sentence = ", and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f"{sentence[0].upper()}{sentence[1:]}."


def _step(flag: Flag, report: Report) -> str:
    skill = SKILL_NAMES.get(flag.skill or "", "")
    aim = formats.band(report.student.target)
    match flag.rule:
        case "lost":
            work = "attempt that has" if flag.amount == 1 else f"{int(flag.amount)} attempts that have"
            return f"Hand in again the {work} no result yet."
        case "weakest":
            criterion = flag.criterion or ""
            return (
                f"{skill}: practise {CRITERIA[flag.skill or ''][criterion]}, which is {CRITERION_MEANINGS[criterion]}."
            )
        case "away":
            days = f"{_DAYS} days" if math.isinf(flag.amount) else formats.count(int(flag.amount), "day")
            return f"Practise again: there was nothing for {days}."
        case "falling":
            practised = report.skills.get(flag.skill or "")
            since = practised.progress.trend.since if practised else None
            begin = f" since {_day(since, report.zone)}" if since else ""
            return f"{skill}: go through the latest feedback together, as results have gone down{begin}."
        case "below":
            if flag.needed > verdicts.UNHEARD_OF:
                return f"{skill}: talk about the day of the test: {flag.amount:.1f} is missing to the target of {aim}."
            if not math.isnan(flag.needed):
                return f"{skill}: plan more practice: {aim} in time takes {flag.needed:.1f} of a band a month."
            return f"{skill}: plan more practice, as {flag.amount:.1f} is missing to the target of {aim}."


def head(report: Report) -> list[str]:
    """School, teacher and date, as far as they are known."""
    local = report.made.astimezone(report.zone)
    teacher = f"Teacher: {_cut(report.teacher, 80)}" if report.teacher else ""
    return [*filter(None, (_cut(report.school, 80), teacher)), f"{local.day} {local:%B %Y}"]


def comment(report: Report) -> str:
    """The teacher's comment, its lines kept where they are few; one that is too long is cut with a “…”."""
    lines = [foreign_text.visible(" ".join(line.split())) for line in report.comment.splitlines()]
    text = ("\n" if len(lines) <= _LINES_OF_COMMENT else " ").join(filter(None, lines))
    return text if len(text) <= LONGEST_COMMENT else f"{text[: LONGEST_COMMENT - 1]}…"


def facts(student: Student) -> list[str]:
    """Class and target, as far as they are known."""
    aim = "" if math.isnan(student.target) else f"Target band {formats.band(student.target)}"
    if aim and student.test_at is not None:
        aim += f" by {student.test_at.day} {student.test_at:%B %Y}"
    return [*([f"Class {student.class_name}"] if student.class_name else []), *([aim] if aim else [])]


def footer(report: Report) -> list[str]:
    """The period, and what has to be known of the data."""
    made = _day(report.made, report.zone)
    period = f"all until {made}" if report.first is None else f"{_day(report.first, report.zone)} to {made}"
    lines = [f"Attempts shown: {period}. Levels and trends come from the last {_DAYS} days."]
    if not report.complete:
        lines.append(INCOMPLETE)
    return [*lines, "Demo data: the student is invented."] if report.invented else lines


def _day(moment: datetime, zone: ZoneInfo) -> str:
    return formats.full_date(moment.astimezone(zone))


def _span(times: Sequence[pd.Timestamp], report: Report) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The period, and whatever of `times` is outside of it."""
    bounds = (_clock(moment, report.zone) for moment in (report.first, report.made) if moment is not None)
    moments = [*times, *bounds]
    return min(moments), max(moments)


def _clock(moment: datetime, zone: ZoneInfo) -> pd.Timestamp:
    """What the clocks of `zone` show, without a zone, because that is what charts draw."""
    return pd.Timestamp(moment.astimezone(zone).replace(tzinfo=None))


def _local(times: Times, zone: ZoneInfo) -> list[pd.Timestamp]:
    return list(pd.DatetimeIndex(times).tz_localize("UTC").tz_convert(zone.key).tz_localize(None))
