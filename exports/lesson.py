"""The sheet of a lesson for a group, as a page to print; and the group with its feedback as rows of a file."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.phrases import Kind, Phrase, RecurringFeedback
from data.roster import Student
from data.schema import CRITERIA
from wording import foreign_text, formats
from wording.sections import KINDS
from wording.skills import CRITERION_MEANINGS, SKILL_COLOURS, SKILL_NAMES

_MOST = 5  # phrases of a kind on one sheet


@dataclass(frozen=True, slots=True)
class Lesson:
    """Whom to teach what together: members with their level in the criterion; `feedback` is None until it is read.

    `school` may be empty; `teacher` is who it is where the class list names none.
    """

    skill: str
    criterion: str
    members: Sequence[tuple[Student, float]]
    median: float
    feedback: RecurringFeedback | None
    zone: ZoneInfo
    made: datetime
    school: str = ""
    teacher: str = ""
    notes: Sequence[str] = ()
    """What the reader must know of what was read, such as that it is not all."""

    @property
    def title(self) -> str:
        """Criterion and skill."""
        return f"{CRITERIA[self.skill][self.criterion]} · {SKILL_NAMES[self.skill]}"


def html(lesson: Lesson) -> bytes:
    """One HTML file that prints on A4: no scripts, nothing from elsewhere."""
    students = "".join(
        f'<tr><td dir="auto">{_text(student.label)}</td><td>{_text(student.class_name)}</td>'
        f"<td>{level:.1f}</td><td>{_target(student)}</td></tr>"
        for student, level in lesson.members
    )
    teachers = sorted({student.teacher for student, _ in lesson.members if student.teacher} or {lesson.teacher} - {""})
    classes = sorted({student.class_name for student, _ in lesson.members if student.class_name})
    local = lesson.made.astimezone(lesson.zone)
    head = [
        _text(lesson.school) if lesson.school else "",
        f"<bdi>Teacher: {_list(teachers)}</bdi>" if teachers else "",
        _text(f"{local.day} {local:%B %Y}"),
    ]
    facts = [
        *([f"<bdi>Class {_list(classes)}</bdi>"] if classes else []),
        _text(f"{formats.count(len(lesson.members), 'student')}, median level {lesson.median:.1f}"),
    ]
    practise = f"{CRITERIA[lesson.skill][lesson.criterion]}: {CRITERION_MEANINGS[lesson.criterion]}."
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Lesson sheet</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<style>{_CSS}</style></head><body><main>"
        f"<p class=head>{''.join(head)}</p>"
        f'<p class=kicker>Lesson sheet</p><h1 style="color:{SKILL_COLOURS[lesson.skill]}">{escape(lesson.title)}</h1>'
        f"<p>{' · '.join(facts)}</p>{''.join(f'<p>{_text(note)}</p>' for note in lesson.notes)}"
        f"<h2>To practise</h2><p>{escape(practise)}</p>"
        "<h2>Students</h2><table><thead><tr><th>Student<th>Class<th>Level<th>Target</tr></thead>"
        f"<tbody>{students}</tbody></table>{_feedback(lesson)}"
        "<h2>Plan and notes</h2><div class=notes></div>"
        "</main></body></html>\n"
    )
    return page.encode("utf-8", "replace")


def rows(lesson: Lesson) -> pd.DataFrame:
    """A row per student: level, target, and what the feedback says to several, as far as it says it to this one."""
    frame = pd.DataFrame(
        {
            "user_id": [student.user_id for student, _ in lesson.members],
            "name": [student.name for student, _ in lesson.members],
            "class": [student.class_name for student, _ in lesson.members],
            "criterion": lesson.title,
            "level": [level for _, level in lesson.members],
            "target_band": [student.target for student, _ in lesson.members],
            "test_date": [student.test_at and student.test_at.date() for student, _ in lesson.members],
        }
    )
    if lesson.feedback is None:
        return frame
    read = {user_id for _, user_id in lesson.feedback.times}
    for kind, title in KINDS.items():
        frame[title.lower().replace(" ", "_")] = [
            "; ".join(p.text for p in _of_kind(lesson, kind) if student.user_id in {user for _, user in p.said_in})
            if student.user_id in read
            else "not read"
            for student, _ in lesson.members
        ]
    return frame


def _feedback(lesson: Lesson) -> str:
    if lesson.feedback is None:
        return ""
    sections = []
    for kind, title in KINDS.items():
        # What is about this criterion comes first.
        if phrases := sorted(_of_kind(lesson, kind), key=lambda p: p.criterion != lesson.criterion):
            items = "".join(f"<li>{_phrase(phrase, lesson)}</li>" for phrase in phrases[:_MOST])
            more = f"<p><small>And {len(phrases) - _MOST:,} more.</small></p>" if len(phrases) > _MOST else ""
            sections.append(f"<h3>{title}</h3><ul>{items}</ul>{more}")
    answer = lesson.feedback
    of, members = answer.students, len(lesson.members)
    unread = f"<p>Out of the newest feedback of {of} of {members} students.</p>" if of < members else ""
    if answer.unread:
        unread += f"<p>{len(answer.unread)} of {answer.asked} evaluations could not be read.</p>"
    return f"<h2>Common feedback</h2>{unread}{''.join(sections) or '<p>No feedback that several students share.</p>'}"


def _phrase(phrase: Phrase, lesson: Lesson) -> str:
    students = {user_id for _, user_id in phrase.said_in}
    names = _list([student.label for student, _ in lesson.members if student.user_id in students])
    example = f'<small dir="auto">For example: {_text(phrase.example)}</small>' if phrase.example else ""
    return f'<span dir="auto">{_text(phrase.text)}</span>{example} <small>{names}</small>'


def _of_kind(lesson: Lesson, kind: Kind) -> list[Phrase]:
    return [phrase for phrase in lesson.feedback.phrases if phrase.kind == kind] if lesson.feedback else []


def _target(student: Student) -> str:
    day = student.test_at and formats.full_date(student.test_at)
    if math.isnan(student.target):
        return f"test on {day}" if day else formats.UNKNOWN
    return f"{formats.band(student.target)} by {day}" if day else formats.band(student.target)


def _list(texts: Sequence[str]) -> str:
    """All of them, each cut where it is long by itself."""
    return ", ".join(map(_text, texts))


def _text(text: str) -> str:
    return f"<bdi>{escape(foreign_text.short(text, 300))}</bdi>"


_CSS = """
@page { size: A4; margin: 15mm; }
* { box-sizing: border-box; }
:root { color-scheme: light; }
body { margin: 0; background: #fff; color: #222; font: 15px/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans", Arial,
  sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6em; line-height: 1.2; margin: 0 0 .2em; }
h2 { font-size: 1.15em; margin: 1em 0 .3em; break-after: avoid; }
h3 { font-size: 1em; margin: .6em 0 .2em; break-after: avoid; }
p, ul { margin: 0 0 .4em; }
ul { padding-left: 1.2em; }
li { margin-bottom: .3em; break-inside: avoid; }
.head { display: flex; flex-wrap: wrap; gap: 0 2em; margin-bottom: .8em; }
.head :last-child { margin-left: auto; }
.kicker, small { color: #595959; }
small { display: block; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid #ccc; }
tr { break-inside: avoid; }
.notes { border: 1px solid #999; min-height: 45mm; }
@media print { body { font-size: 10.5pt; } main { max-width: none; padding: 0; } }
"""
