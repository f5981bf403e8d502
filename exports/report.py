"""A student's progress on one page, for a parent: as PDF, and as a page to print. Both say and draw the same."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from html import escape
from zoneinfo import ZoneInfo

import pandas as pd

from analysis import progress
from analysis.progress import STEADY, WINDOW, Attempts, Forecast, Progress, Trend
from data.roster import Student
from data.schema import CRITERIA, TYPES
from exports import drawing
from exports.drawing import INK, MARGIN, QUIET, RULE, SANS, WIDTH, Box, Sheet
from wording import foreign_text, formats
from wording.skills import SKILL_COLOURS, SKILL_NAMES


@dataclass(frozen=True, slots=True)
class Skill:
    """One skill of the student: all scored attempts that are known, the progress in them, and a forecast if any."""

    attempts: Attempts
    progress: Progress
    forecast: Forecast | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says. `skills` are by name, as in `data.schema.TYPES`; one that is missing was not practised.

    `first` is when the period began, None for all time. Charts and counts show the attempts of the period; level and
    trend look back 180 days, as on every page, so attempts from before the period belong in `skills` too.
    """

    student: Student
    skills: Mapping[str, Skill]
    period: str
    first: datetime | None
    zone: ZoneInfo
    source: str
    made: datetime
    complete: bool


_TITLE = "IELTS practice: progress in Writing and Speaking"
_FILE_TITLE = "Progress report"
_DAYS = WINDOW.days
_COLUMN = 86.0  # millimetres
_HEIGHTS = {"bands": 55.0, "profile": 32.0, "practice": 45.0}
_LONGEST = {"name": 200, "class": 60, "id": 80}

_EXPLAINED = (
    (
        "What is a band?",
        "IELTS gives bands from 0 to 9, in half steps. 6 is a competent user of English, 7 a good one. The bands here "
        "come from a computer model that judges practice, not from an IELTS examiner.",
    ),
    (
        "How to read the dots",
        "One score says little: the same student can easily get half a band more or less on another day or topic. So "
        "half a band between two attempts is not progress. Look at the line, which is the level: the middle one of "
        "the last three attempts.",
    ),
    (
        "The criteria",
        "Task achievement: answering what was asked. Coherence: how ideas hang together. Lexical resource: vocabulary. "
        "Fluency: speaking without long pauses.",
    ),
    (
        "No overall band",
        "Only Writing and Speaking are measured here. An overall IELTS band needs Listening and Reading too, so "
        "the two are not put together.",
    ),
)


def pdf(report: Report) -> bytes:
    """The report as PDF: one A4 page, drawn in vectors, with text that can be selected and its fonts inside."""
    sides, practice = [_side(report, skill) for skill in TYPES], _practice(report)
    with drawing.settings():
        sheet, named = Sheet(), _Named.of(report)
        y = _draw_head(sheet, named)
        # What stands side by side begins at the same height.
        y = max(_draw_words(sheet, side, n, y) for n, side in enumerate(sides)) + 3
        heights = _chart_heights(sides, _FOOT - y)
        y = max(_draw_charts(sheet, side, Box(_left(n), y, _COLUMN), heights) for n, side in enumerate(sides)) + 3
        explained = _draw_explained(sheet, Box(_left(1), y, _COLUMN))
        chart = Box(
            _left(0), sheet.write(practice.title, Box(_left(0), y, _COLUMN), 9, bold=True, lines=2) + 1, _COLUMN
        )
        if practice.total:
            drawing.practice(sheet.figure, replace(chart, height=_HEIGHTS["practice"]), practice.counts)
        y = max(_FOOT, explained)
        sheet.rule(y)
        for line in _footer(report):
            y = sheet.write(drawing.printable(line), Box(MARGIN, y + 0.7, WIDTH - 2 * MARGIN), 7, colour=QUIET, lines=2)
        return sheet.pdf(_FILE_TITLE, report.made)


def html(report: Report) -> bytes:
    """The report as one HTML file to read on a phone or to print on one A4 page: no scripts, nothing from elsewhere."""
    sides, practice = [_side(report, skill) for skill in TYPES], _practice(report)
    with drawing.settings():
        columns = "".join(_column(side) for side in sides)
        drawn = ""
        if practice.total:
            chart = partial(drawing.practice, shown=practice.counts)
            drawn = drawing.svg(chart, _COLUMN, _HEIGHTS["practice"], practice.alt, "practice")
    name = _shown(report.student.name or report.student.user_id, "name")
    facts = " · ".join(f"<bdi>{_html(fact)}</bdi>" for fact in _facts(report.student, name))
    warning = "" if report.complete else f"<p class=warning>{_html(_INCOMPLETE)}</p>"
    explained = "".join(f"<p><b>{_html(head)}</b> {_html(said)}</p>" for head, said in _EXPLAINED)
    footer = "".join(f"<p>{_html(line)}</p>" for line in _footer(report))
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{_FILE_TITLE}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_CSS}</style></head><body><main>"
        f'<header><p class=kicker>{_html(_TITLE)}</p><h1 dir="auto"{" class=long" if len(name) > 40 else ""}>'
        f"{_html(name)}</h1><p class=facts>{facts}</p>{warning}</header>"
        f'<div class="columns skills">{columns}</div>'
        f"<div class=columns><figure><figcaption>{_html(practice.title)}</figcaption>{drawn}</figure>"
        f"<section class=explained>{explained}</section></div>"
        f"<footer>{footer}</footer></main></body></html>\n"
    )
    return page.encode("utf-8", "replace")


# --- The words, the same in both ---


@dataclass(frozen=True, slots=True)
class _Side:
    """What is said and drawn of one skill; `chart` is None where there is nothing to draw."""

    skill: str
    level: str
    basis: str
    trend: str
    forecast: str
    title: str
    alt: str
    chart: drawing.Bands | None
    profile_title: str
    criteria: list[tuple[str, float]]

    @property
    def has_criteria(self) -> bool:
        """Whether any criterion was scored."""
        return any(not math.isnan(level) for _, level in self.criteria)


@dataclass(frozen=True, slots=True)
class _Practice:
    """How often the student practised."""

    title: str
    alt: str
    total: int
    counts: drawing.Counts


_INCOMPLETE = "Incomplete: there are more records than were read, so attempts may be missing here."


def _side(report: Report, skill: str) -> _Side:
    known, target = report.skills.get(skill), report.student.target
    found = known.progress if known else _unknown(skill)
    shown = _in_period(known.attempts, report) if known else None
    chart = _bands_chart(report, skill, known.attempts, shown) if known and shown is not None and len(shown) else None
    return _Side(
        skill=skill,
        level=formats.band(found.level),
        basis=_basis(found),
        trend=_trend(found),
        forecast=_forecast(found, known.forecast if known else None, target, report.zone),
        title=_chart_title(skill, 0 if chart is None else len(chart.times), found.level, target),
        alt="" if chart is None else _chart_alt(chart),
        chart=chart,
        profile_title=_profile_title(found, skill),
        criteria=[(name, found.criteria.get(criterion, math.nan)) for criterion, name in CRITERIA[skill].items()],
    )


def _unknown(skill: str) -> Progress:
    return Progress(math.nan, 0, progress.NOTHING, None, dict.fromkeys(CRITERIA[skill], math.nan))


def _bands_chart(report: Report, skill: str, known: Attempts, shown: Attempts) -> drawing.Bands:
    times, end = _local(shown, report.zone), _clock(report.made, report.zone)
    begin = times[0] if report.first is None else min(times[0], _clock(report.first, report.zone))
    # From all attempts: the first one of a period has others before it.
    levels = progress.levels(known.bands)[len(known) - len(shown) :]
    return drawing.Bands(
        skill=skill,
        times=times,
        bands=shown.bands.tolist(),
        levels=levels,
        target=report.student.target,
        begin=begin,
        end=max(end, times[-1]),
        zone=report.zone.key,
        pause=WINDOW,
    )


def _in_period(attempts: Attempts, report: Report) -> Attempts:
    return attempts if report.first is None else attempts.since(report.first)


def _basis(found: Progress) -> str:
    if found.attempts == 0:
        return "level: unknown"
    if found.attempts <= 2:
        return f"level, from {formats.count(found.attempts, 'attempt')} only"
    return "level: middle of the last 3 attempts"


def _trend(found: Progress) -> str:
    trend, counted = found.trend, formats.count(found.attempts, "attempt")
    if trend.word in ("rising", "falling"):
        low, high = sorted((abs(trend.low), abs(trend.high)))
        return (
            f"{trend.word.capitalize()}: about {_bands(abs(trend.slope))} a month, "
            f"between {_amount(low)} and {_amount(high)}, by {counted} in {_DAYS} days."
        )
    if trend.word == "steady":
        return f"Steady: {counted} in {_DAYS} days, and any change is less than {STEADY:g} of a band a month."
    return f"Not enough evidence yet: {_lacking(found.attempts, trend, counted)}."


def _lacking(attempts: int, trend: Trend, counted: str) -> str:
    if not attempts:
        return f"no scored attempt in the last {_DAYS} days"
    if attempts < progress.ATTEMPTS_OF_TREND:
        weeks = progress.SPAN_OF_TREND.days // 7
        return f"{counted} in {_DAYS} days; a trend needs at least {progress.ATTEMPTS_OF_TREND} over {weeks} weeks"
    if math.isnan(trend.slope):
        return f"{counted} in {_DAYS} days, too close together to show a trend"
    return f"{counted} in {_DAYS} days, whose scores vary too much to show a trend"


def _amount(bands: float) -> str:
    """Bands, with a second decimal where one would say 0.0."""
    return f"{bands:.1f}" if bands >= 0.095 else f"{max(bands, 0.01):.2f}"


def _bands(bands: float) -> str:
    amount = _amount(bands)
    return f"{amount} of a band" if bands < 0.95 else f"{amount} bands"


def _forecast(found: Progress, forecast: Forecast | None, target: float, zone: ZoneInfo) -> str:
    if math.isnan(target) or math.isnan(found.level):
        return ""
    if found.level >= target:
        return f"The level has reached the target of {formats.band(target)}."
    if forecast is None:
        return ""
    first, last = (f"{moment.astimezone(zone):%B %Y}" for moment in (forecast.first, forecast.last))
    when = f"in {first}" if first == last else f"between {first} and {last}"
    return f"If it goes on like this, the level may reach {formats.band(target)} {when}."


def _chart_title(skill: str, attempts: int, level: float, target: float) -> str:
    name = SKILL_NAMES[skill]
    if not attempts:
        return f"{name}: no scored attempt in this period"
    counted = f"{name}, {formats.count(attempts, 'attempt')}"
    if math.isnan(target) or math.isnan(level):
        return f"{counted}: dots are attempts, the line is the level"
    if level >= target:
        return f"{counted}: the level has reached the target"
    return f"{counted}: the level is {formats.band(target - level)} below the target"


def _chart_alt(chart: drawing.Bands) -> str:
    first, last = (f"{moment.day} {moment:%b %Y}" for moment in (chart.times[0], chart.times[-1]))
    low, high = formats.band(min(chart.bands)), formats.band(max(chart.bands))
    said = f"Chart of {formats.count(len(chart.times), 'attempt')} from {first} to {last}, bands {low} to {high}. "
    said += f"The level was {formats.band(chart.levels[0])} at first and {formats.band(chart.levels[-1])} at last."
    return said if math.isnan(chart.target) else f"{said} The target is {formats.band(chart.target)}."


def _profile_title(found: Progress, skill: str) -> str:
    known = [level for level in found.criteria.values() if not math.isnan(level)]
    if not known:
        return "Criteria: none was scored lately"
    low = progress.weakest(found.criteria)
    if low is None:
        return "Criteria: none is below the others"
    names = [CRITERIA[skill][criterion] for criterion in low.criteria]
    if len(names) == 1:
        return f"Criteria: {names[0]} is the lowest"
    return f"Criteria, lowest: {' and '.join(', '.join(names).rsplit(', ', 1))}"


def _practice(report: Report) -> _Practice:
    skills = [skill for skill in TYPES if skill in report.skills]
    times = {skill: _local(_in_period(report.skills[skill].attempts, report), report.zone) for skill in skills}
    every = [moment for moments in times.values() for moment in moments]
    end = max([_clock(report.made, report.zone), *every])
    begin = min(every, default=end)
    if report.first is not None:
        begin = min(begin, _clock(report.first, report.zone))
    days = (end - begin).days
    unit, code = ("week", "W-SUN") if days <= 190 else ("month", "M") if days <= 1150 else ("year", "Y")
    periods = pd.period_range(begin, end, freq=code)
    numbers = {
        skill: pd.Series(pd.DatetimeIndex(moments).to_period(code), dtype=periods.dtype)
        .value_counts()
        .reindex(periods, fill_value=0)
        .tolist()
        for skill, moments in times.items()
    }
    active = sum(1 for row in zip(*numbers.values(), strict=True) if sum(row))
    counted = formats.count(len(every), "scored attempt")
    if not every:
        title = "Practice: no scored attempt in this period"
    elif len(periods) == 1:
        title = f"Practice: {counted} within one {unit}"
    else:
        title = f"Practice: {counted}, in {active} of {len(periods)} {unit}s"
    said = [
        f"{SKILL_NAMES[skill]} {formats.count(sum(row), 'attempt')}, at most {max(row)} in a {unit}"
        for skill, row in numbers.items()
    ]
    counts = drawing.Counts(unit, [period.start_time for period in periods], numbers)
    return _Practice(title, f"Chart of attempts per {unit}. {'; '.join(said)}.", len(every), counts)


def _facts(student: Student, name: str) -> list[str]:
    shown_id = _shown(student.user_id, "id")
    said = [f"Class {_shown(student.class_name, 'class') or '-'}", f"Target band {formats.band(student.target)}"]
    return said if name == shown_id else [*said, f"Student {shown_id}"]


def _footer(report: Report) -> list[str]:
    first, made = report.first, report.made
    dates = "" if first is None else f" ({_day(first, report.zone)} to {_day(made, report.zone)})"
    whole = "Complete: yes." if report.complete else _INCOMPLETE
    return [
        f"Period: {report.period}{dates}. Level and trend: the last {_DAYS} days. Time zone: {report.zone.key}.",
        f"Source: {report.source}. Made {formats.exact(report.made, report.zone)}. {whole}",
    ]


def _shown(said: str, kind: str) -> str:
    """Text of others on one line: hidden characters visible, cut where it is longer than any name is."""
    line = foreign_text.visible(" ".join(said.split()))
    longest = _LONGEST[kind]
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _day(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def _clock(moment: datetime, zone: ZoneInfo) -> pd.Timestamp:
    """What the clocks of `zone` show, without a zone, because that is what charts draw."""
    return pd.Timestamp(moment.astimezone(zone).replace(tzinfo=None))


def _local(attempts: Attempts, zone: ZoneInfo) -> list[pd.Timestamp]:
    return list(pd.DatetimeIndex(attempts.times).tz_localize("UTC").tz_convert(zone.key).tz_localize(None))


# --- The PDF ---

_EXPLAINED_HEIGHT = 60.0  # millimetres, of its column
_LINE = 4.2  # of a title
_FOOT = 271.0  # from the top, where the footer begins


@dataclass(frozen=True, slots=True)
class _Named:
    """Who it is about, as far as this computer has fonts for it, and what has to be said at the top."""

    name: str
    facts: list[str]
    families: tuple[str, ...]
    notes: list[str]

    @classmethod
    def of(cls, report: Report) -> "_Named":
        """Only inside `drawing.settings()`, because it looks at the fonts."""
        student = report.student
        said = {
            kind: drawing.spelled(drawing.printable(_shown(words, kind)))
            for kind, words in (("name", student.name), ("class", student.class_name), ("id", student.user_id))
        }
        found = {kind: drawing.families(words) for kind, words in said.items()}
        if found["id"] is None:
            said["id"] = said["id"].encode("ascii", "backslashreplace").decode()
        notes = [] if report.complete else [_INCOMPLETE]
        lost = [kind for kind in ("name", "class") if found[kind] is None]
        if lost:
            instead = {"name": "the name (the id stands in its place)", "class": "the class"}
            notes.append(
                f"This computer has no letters for {' and for '.join(instead[kind] for kind in lost)}. "
                "The page for printing (HTML) takes the letters of the device that opens it."
            )
            said |= dict.fromkeys(lost, "")
        families = dict.fromkeys([SANS, *(family for chosen in found.values() for family in chosen or ())])
        name = said["name"] or said["id"]
        return cls(name, _facts(Student(said["id"], name, said["class"], student.target), name), tuple(families), notes)


def _left(number: int) -> float:
    return MARGIN if number == 0 else WIDTH - MARGIN - _COLUMN


def _draw_head(sheet: Sheet, named: _Named) -> float:
    across = Box(MARGIN, 13, WIDTH - 2 * MARGIN)
    y = sheet.write(_TITLE, across, 9, colour=QUIET)
    size = 20 if len(named.name) <= 40 else 13
    y = sheet.write(named.name, replace(across, y=y + 0.5), size, bold=True, lines=2, families=named.families)
    y = sheet.write(" · ".join(named.facts), replace(across, y=y + 0.5), 9.5, lines=3, families=named.families)
    for note in named.notes:
        y = sheet.write(note, replace(across, y=y + 0.5), 8, bold=True, lines=2)
    sheet.rule(y + 2)
    return y + 5


def _draw_words(sheet: Sheet, side: _Side, number: int, y: float) -> float:
    place = Box(_left(number), y, _COLUMN)
    y = sheet.write(SKILL_NAMES[side.skill], place, 14, bold=True, colour=SKILL_COLOURS[side.skill])
    sheet.write(side.level, replace(place, y=y), 28, bold=True)
    beside = 4 + 6 * len(side.level)
    lines = len(drawing.wrap(side.basis, _COLUMN - beside, 8.5, lines=2))
    sheet.write(
        side.basis,
        Box(place.x + beside, y + (2.8 if lines == 2 else 4.8), _COLUMN - beside),
        8.5,
        colour=QUIET,
        lines=2,
    )
    y = sheet.write(side.trend, replace(place, y=y + 13), 9)
    return sheet.write(side.forecast, replace(place, y=y + 0.7), 9) if side.forecast else y


def _chart_heights(sides: Sequence[_Side], room: float) -> tuple[float, float]:
    """Of the charts of both skills, so that they stand side by side; bands over time get what room there is."""
    bands = _HEIGHTS["bands"] if any(side.chart for side in sides) else 0.0
    profile = _HEIGHTS["profile"] if any(side.has_criteria for side in sides) else 0.0
    spare = room - bands - profile - 4 * _LINE - 7 - _EXPLAINED_HEIGHT
    return bands + (min(20.0, max(0.0, spare)) if bands else 0.0), profile


def _draw_charts(sheet: Sheet, side: _Side, place: Box, heights: tuple[float, float]) -> float:
    bands, profile = heights
    y = sheet.write(side.title, place, 9, bold=True, lines=2) + 1
    if side.chart is not None:
        drawing.bands(sheet.figure, replace(place, y=y, height=bands), side.chart)
    # Two lines of title are always allowed for, as the other skill may have them.
    y = place.y + (2 * _LINE + 1 if bands else _LINE) + bands + 2
    top = sheet.write(side.profile_title, replace(place, y=y), 9, bold=True, lines=2) + 1
    if side.has_criteria:
        drawing.profile(sheet.figure, replace(place, y=top, height=profile), side.skill, side.criteria)
    return y + (2 * _LINE + 1 if profile else _LINE) + profile


def _draw_explained(sheet: Sheet, place: Box) -> float:
    y = place.y
    for head, said in _EXPLAINED:
        y = sheet.write(head, replace(place, y=y), 7.5, bold=True)
        y = sheet.write(said, replace(place, y=y), 7.5) + 1
    return y


# --- The page for printing ---


def _html(said: str) -> str:
    return escape(said)


def _column(side: _Side) -> str:
    bands = profile = ""
    if side.chart is not None:
        draw = partial(drawing.bands, shown=side.chart)
        bands = drawing.svg(draw, _COLUMN, _HEIGHTS["bands"], side.alt, f"{side.skill}-bands")
    if side.has_criteria:
        levels = ", ".join(f"{criterion} {formats.band(level)}" for criterion, level in side.criteria)
        draw = partial(drawing.profile, skill=side.skill, criteria=side.criteria)
        alt = f"Chart of the level of each criterion: {levels}."
        profile = drawing.svg(draw, _COLUMN, _HEIGHTS["profile"], alt, f"{side.skill}-profile")
    forecast = f"<p>{_html(side.forecast)}</p>" if side.forecast else ""
    return (
        f'<section><h2 style="color:{SKILL_COLOURS[side.skill]}">{SKILL_NAMES[side.skill]}</h2>'
        f"<div><p class=level><b>{_html(side.level)}</b> <span>{_html(side.basis)}</span></p>"
        f"<p>{_html(side.trend)}</p>{forecast}</div>"
        f"<figure><figcaption>{_html(side.title)}</figcaption>{bands}</figure>"
        f"<figure><figcaption>{_html(side.profile_title)}</figcaption>{profile}</figure></section>"
    )


_CSS = f"""
@page {{ size: A4; margin: 12mm 15mm; }}
* {{ box-sizing: border-box; }}
:root {{ color-scheme: light; }}
body {{ margin: 0; background: #fff; color: {INK}; font: 15px/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans",
  "Liberation Sans", Arial, sans-serif; -webkit-text-size-adjust: 100%; print-color-adjust: exact; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1rem; }}
p, h1, h2, figure {{ margin: 0; }}
h1, h2, p, figcaption {{ overflow-wrap: anywhere; }}
h1 {{ font-size: 1.8em; line-height: 1.2; overflow: hidden; text-align: left; }}
h1.long {{ font-size: 1.1em; }}
h2 {{ font-size: 1.3em; }}
header {{ border-bottom: 1px solid {RULE}; padding-bottom: .6em; margin-bottom: .8em; }}
.facts {{ overflow: hidden; }}
.kicker, footer, .level span {{ color: {QUIET}; }}
.warning {{ font-weight: bold; }}
.columns {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1rem 2rem; }}
.columns + .columns {{ margin-top: 1rem; }}
.skills section {{ display: grid; grid-row: span 4; grid-template-rows: subgrid; gap: 0; }}
.level {{ display: flex; align-items: center; gap: .6em; }}
.level b {{ font-size: 2.4em; line-height: 1.1; }}
figure {{ margin-top: .8em; }}
figcaption {{ font-weight: bold; margin-bottom: .3em; }}
.chart {{ display: block; width: 100%; max-width: 30rem; height: auto; }}
.explained p {{ margin-bottom: .5em; }}
footer {{ border-top: 1px solid {RULE}; margin-top: 1rem; padding-top: .5em; font-size: .85em; }}
@media print {{
  body {{ font-size: 9.5pt; line-height: 1.3; }}
  h1 {{ display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; }}
  main {{ max-width: none; padding: 0; }}
  .columns {{ grid-template-columns: 1fr 1fr; gap: 0 8mm; }}
  .columns + .columns {{ margin-top: 2mm; }}
  .chart {{ max-width: none; }}
  figure {{ margin-top: 2mm; }}
  .explained {{ font-size: 8pt; padding-top: 2mm; }}
  footer {{ margin-top: 2mm; padding-top: 1.5mm; font-size: 7.5pt; }}
}}
"""
