"""A class in one page a week: who needs attention and why, what changed, whom to teach together. HTML and plain text.

It says what the pages Students and Lessons say, and in their words. The HTML prints on A4 and can be mailed: no script,
nothing from elsewhere, and its styles stand at the elements, because mail programs drop the others.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import quote
from zoneinfo import ZoneInfo

from analysis.attention import Aim, Group, Row
from analysis.levels.progress import WINDOW
from data.roster import Roster
from data.schema import CRITERIA, TYPES
from wording import foreign_text, formats, verdicts
from wording.skills import SKILL_NAMES

_LONGEST = 200  # characters of a name
_INK, _QUIET, _RULE = "#222222", "#595959", "#cccccc"


@dataclass(frozen=True, slots=True)
class Summary:
    """One class at a time. `rows` are all of its students, most urgent first; the others as in standings.Week.

    `missing` has (user_id, skill, when) of results that are missing in the last `days` days. `url` is the dashboard's
    address, empty for no links. `is_whole` is False where more records were there than could be read.
    """

    class_name: str
    rows: Sequence[Row]
    new: Sequence[Row]
    gone: Sequence[Row]
    reached: Sequence[tuple[str, str]]
    missing: Sequence[tuple[str, str, datetime]]
    groups: Sequence[Group]
    roster: Roster
    days: int
    made: datetime
    zone: ZoneInfo
    school: str = ""
    url: str = ""
    is_whole: bool = True

    @property
    def title(self) -> str:
        """Class and week, on one line."""
        return f"{_line(self.class_name)}: week to {self.day}"

    @property
    def day(self) -> str:
        """When it was made."""
        local = self.made.astimezone(self.zone)
        return f"{local.day} {local:%B %Y}"

    @property
    def flagged(self) -> list[Row]:
        """Those who need attention."""
        return [row for row in self.rows if row.flags]

    @property
    def headline(self) -> str:
        """The week in one line."""
        parts = [
            f"{len(self.flagged):,} of {formats.count(len(self.rows), 'student')} "
            f"need{'s' if len(self.flagged) == 1 else ''} attention",
            f"{len(self.new):,} new since last week" if self.new else "nothing new since last week",
            *([formats.count(len(self.missing), "missing result")] if self.missing else []),
        ]
        return f"{', '.join(parts)}."

    @property
    def facts(self) -> list[str]:
        """School, teacher, day."""
        members = [self.roster.student(row.student.user_id) for row in self.rows]
        teachers = sorted({_line(student.teacher) for student in members if student.teacher})
        return [
            *([self.school] if self.school else []),
            *([f"Teacher: {', '.join(teachers)}"] if teachers else []),
            self.day,
        ]

    @property
    def foot(self) -> list[str]:
        """What the numbers are of."""
        foot = [
            f"Missing results: the last {self.days} days. Levels and trends: the last {WINDOW.days} days. New and no "
            f"longer: by the same rules seven days before. Times in {self.zone.key}."
        ]
        return foot if self.is_whole else [*foot, "Incomplete: not every record could be read."]

    def name(self, user_id: str) -> str:
        """A student's name, or the ID."""
        return _line(self.roster.student(user_id).label)

    def moment(self, when: datetime) -> str:
        """When something was."""
        return formats.stamp(when, self.zone, self.made)


def text(summary: Summary) -> str:
    """The page as plain text."""
    lines = [_line(summary.class_name), " · ".join(summary.facts), "", summary.headline]
    for heading, entries in _sections(summary):
        lines += ["", heading.upper(), *(f"- {who}: {what}" if who else f"- {what}" for _, who, what in entries)]
    if summary.url:
        lines += ["", f"{summary.url}/?class={quote(summary.class_name)}"]
    lines += ["", *summary.foot]
    return _encodable("\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines) + "\n")


def html(summary: Summary) -> str:
    """One HTML page."""
    below = "font-size:17px;margin:20px 0 6px;break-after:avoid"
    body = "".join(
        f'<h2 style="{below}">{escape(heading)}</h2>{_table(summary, entries)}'
        for heading, entries in _sections(summary)
    )
    link = ""
    if summary.url:
        address = f"{summary.url}/?class={quote(summary.class_name)}"
        link = f'<p style="margin:16px 0"><a href="{escape(address)}">Open the class</a></p>'
    foot = "".join(f'<p style="margin:4px 0">{escape(line)}</p>' for line in summary.foot)
    quiet = f"border-top:1px solid {_RULE};margin-top:20px;padding-top:8px;color:{_QUIET};font-size:13px"
    return _encodable(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(summary.title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>@page { size: A4; margin: 15mm; } @media print { a { color: inherit; text-decoration: none; } "
        "body { font-size: 12px !important; } main { padding: 0 !important; max-width: none !important; } }"
        "</style></head>"
        f'<body style="margin:0;background:#ffffff;color:{_INK};font:15px/1.4 Arial,sans-serif">'
        '<main style="max-width:680px;margin:0 auto;padding:16px;overflow-wrap:anywhere">'
        f'<h1 style="font-size:24px;line-height:1.2;margin:0 0 4px"><bdi>{escape(_line(summary.class_name))}</bdi></h1>'
        f'<p style="margin:0;color:{_QUIET}">{" · ".join(f"<bdi>{escape(fact)}</bdi>" for fact in summary.facts)}</p>'
        f'<p style="margin:12px 0;font-size:17px"><strong>{escape(summary.headline)}</strong></p>{body}{link}'
        f'<div style="{quiet}">{foot}'
        "</div></main></body></html>\n"
    )


Entry = tuple[str | None, str, str]
"""A student's ID (None where it is about several), who, and what."""


def _sections(summary: Summary) -> Iterator[tuple[str, list[Entry]]]:
    """Headings with what stands below them; what has nothing to say is left out."""
    if summary.flagged:
        yield "Need attention", [_entry(summary, row, detailed=True) for row in summary.flagged]
    if summary.new:
        yield "New since last week", [_entry(summary, row) for row in summary.new]
    if summary.gone:
        yield "Resolved since last week", [_entry(summary, row) for row in summary.gone]
    if summary.missing:
        yield (
            "Missing results",
            [
                (user_id, summary.name(user_id), _missing(summary, skill, when))
                for user_id, skill, when in summary.missing
            ],
        )
    if summary.reached:
        yield "Reached the target", [_reached(summary, user_id, skill) for user_id, skill in summary.reached]
    if summary.groups:
        yield "Groups for the next lesson", [(None, *_group(summary, group)) for group in summary.groups]


def _entry(summary: Summary, row: Row, *, detailed: bool = False) -> Entry:
    what = verdicts.reasons(row.flags)
    if detailed:
        levels = [
            f"{SKILL_NAMES[skill]} {verdicts.level(row.student.standings[skill].progress)}"
            for skill in TYPES
            if skill in row.student.standings and not math.isnan(row.student.standings[skill].progress.level)
        ]
        entry = summary.roster.student(row.student.user_id)
        levels += [] if math.isnan(entry.target) else [f"target {formats.band(entry.target)}"]
        aim = Aim(entry.target, entry.test_at)
        what += f". {verdicts.next_step(row.flags[0], row.student, aim, summary.zone, summary.made)}"
        if row.flags[0].rule == "lost":
            own = [
                _missing(summary, skill, when) for user_id, skill, when in summary.missing if user_id == entry.user_id
            ]
            what += f" {', '.join(own)}."
        what += f" ({', '.join(levels)})" if levels else ""
    return row.student.user_id, summary.name(row.student.user_id), what


def _missing(summary: Summary, skill: str, when: datetime) -> str:
    return f"{SKILL_NAMES.get(skill, 'Evaluation')} of {summary.moment(when)}"


def _reached(summary: Summary, user_id: str, skill: str) -> Entry:
    row = next(row for row in summary.rows if row.student.user_id == user_id)
    standing = row.student.standings[skill].progress
    target = verdicts.target(standing, summary.roster.student(user_id).target)
    return user_id, summary.name(user_id), f"{SKILL_NAMES[skill]} {verdicts.level(standing)}. {target}"


def _group(summary: Summary, group: Group) -> tuple[str, str]:
    names = ", ".join(summary.name(user_id) for user_id, _ in group.students)
    median = f"median level {group.middle:.1f}"
    title = f"{CRITERIA[group.skill][group.criterion]} · {SKILL_NAMES[group.skill]}"
    return title, f"{formats.count(len(group.students), 'student')}, {median}: {names}"


def _table(summary: Summary, entries: Sequence[Entry]) -> str:
    cell = f"text-align:left;vertical-align:top;padding:5px 12px 5px 0;border-bottom:1px solid {_RULE}"
    rows = []
    for user_id, who, what in entries:
        name = f"<bdi>{escape(who)}</bdi>"
        if summary.url and user_id:
            name = f'<a href="{escape(f"{summary.url}/student?user_id={quote(user_id)}")}">{name}</a>'
        rows.append(
            f'<tr style="break-inside:avoid"><th scope="row" style="{cell};width:32%">{name}</th>'
            f'<td style="{cell}"><bdi>{escape(what)}</bdi></td></tr>'
        )
    return f'<table style="border-collapse:collapse;width:100%">{"".join(rows)}</table>'


def _line(words: str) -> str:
    """Words that others wrote, on one line, with what cannot be seen made visible."""
    return foreign_text.short(" ".join(words.split()), _LONGEST)


def _encodable(page: str) -> str:
    """Halves of characters, which no file and no mail can hold, as question marks."""
    return page.encode("utf-8", "replace").decode()
