"""The report as PDF: one A4 page, drawn in vectors, with text that can be selected and its fonts inside."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from exports.report import charts, fonts, words
from exports.report.charts import BANDS, COLUMN, PRACTICE, PROFILE, QUIET, Box
from exports.report.fonts import SANS, Families
from exports.report.sheet import MARGIN, WIDTH, Sheet, line_height, wrap
from exports.report.words import Report, Side
from wording.skills import SKILL_COLOURS, SKILL_NAMES

# In millimetres.
_EXPLAINED = 50.0  # the height that the explanations need
_CLOSING = 40.0  # that of the next steps and the box for the comment
_SHRINKS = 15.0  # by how much a chart of bands is lower at most
_LINE = 4.2  # of a title
_FOOT = 276.0  # from the top, where the footer begins


def render(report: Report) -> bytes:
    """The report as PDF."""
    sides, practice = words.sides(report), words.practice(report)
    with charts.settings():
        sheet = Sheet()
        texts, families, notes = _drawable(report)
        y = _head(sheet, report, texts, families, notes)
        # What stands side by side begins at the same height.
        y = max(_summary(sheet, side, Box(_left(n), y, COLUMN)) for n, side in enumerate(sides)) + 3
        heights = _heights(sides, _FOOT - y)
        y = max(_charts(sheet, side, Box(_left(n), y, COLUMN), heights) for n, side in enumerate(sides)) + 3
        explained = _explanations(sheet, Box(_left(1), y, COLUMN))
        place = Box(_left(0), y, COLUMN, PRACTICE)
        top = sheet.write(practice.title, place, 9, bold=True, lines=2) + 1
        if practice.counts:
            charts.practice(sheet.figure, replace(place, y=top), practice.counts)
        y = max(explained, top + (PRACTICE if practice.counts else 0)) + 2
        _steps(sheet, report, Box(_left(0), y, COLUMN))
        _comment(sheet, texts["comment"], families, Box(_left(1), y, COLUMN, _FOOT - y - 2))
        sheet.rule(_FOOT)
        y = _FOOT + 0.7
        for line in words.footer(report):
            y = sheet.write(line, Box(MARGIN, y, WIDTH - 2 * MARGIN), 7, colour=QUIET)
        return sheet.pdf(words.FILE_TITLE, report.made)


def _drawable(report: Report) -> tuple[dict[str, str], Families, list[str]]:
    """Texts of others as far as this computer has fonts for them, these fonts, and what is to be said of the rest."""
    student = words.on_one_line(report.student)
    given = {
        "name": student.name,
        "class": student.class_name,
        "id": student.user_id,
        "school": report.school,
        "teacher": report.teacher,
        "comment": words.comment(report),
    }
    texts: dict[str, str] = {}
    families, lost = [SANS], []
    for what, text in given.items():
        lines = [fonts.drawable(fonts.printable(line)) for line in text.split("\n")]
        texts[what] = "\n".join(line for line, _ in lines)
        if all(needed is not None for _, needed in lines):
            families += [family for _, needed in lines for family in needed or ()]
        elif what == "id":
            texts[what] = text.encode("ascii", "backslashreplace").decode()
        else:
            texts[what] = ""
            lost.append(f"the {what} (the ID stands in its place)" if what == "name" else f"the {what}")
    note = f"This PDF has no letters for {' and for '.join(lost)}. “Print” on the student’s page has them."
    return texts, tuple(dict.fromkeys(families)), [note] if lost else []


def _head(sheet: Sheet, report: Report, texts: Mapping[str, str], families: Families, notes: Sequence[str]) -> float:
    name = texts["name"] or texts["id"]
    across = Box(MARGIN, 11, WIDTH - 2 * MARGIN)
    printable = replace(report, school=texts["school"], teacher=texts["teacher"])
    y = sheet.write(" · ".join(words.head(printable)), across, 9, lines=2, families=families)
    y = sheet.write(words.TITLE, replace(across, y=y + 2), 9, colour=QUIET)
    size = 20 if len(name) <= 40 else 13
    y = sheet.write(name, replace(across, y=y + 0.5), size, bold=True, lines=2, families=families)
    facts = words.facts(replace(report.student, class_name=texts["class"]))
    if facts:
        y = sheet.write(" · ".join(facts), replace(across, y=y + 0.5), 9.5, lines=3, families=families)
    for note in notes if report.complete else [words.INCOMPLETE, *notes]:
        y = sheet.write(note, replace(across, y=y + 0.5), 8, bold=True, lines=2)
    sheet.rule(y + 2)
    return y + 5


def _steps(sheet: Sheet, report: Report, place: Box) -> None:
    y = sheet.write(words.NEXT_STEPS, place, 11, bold=True) + 1
    for step in words.next_steps(report):
        sheet.write("•", replace(place, y=y), 9)
        y = sheet.write(step, Box(place.x + 4, y, place.width - 4), 9) + 0.7


def _comment(sheet: Sheet, text: str, families: Families, place: Box) -> None:
    """A box with room to write, and what was typed already, in letters small enough to fit."""
    y = sheet.write(words.COMMENT, place, 11, bold=True) + 1
    box = replace(place, y=y, height=place.y + place.height - y)
    sheet.frame(box)
    inner = Box(box.x + 2, box.y + 1.5, box.width - 4, box.height - 3)
    for size in (9.0, 8.0, 7.0, 6.0, 5.0, 4.0):
        style = fonts.style(size, families)
        lines = [line for part in text.split("\n") for line in wrap(part, inner.width, style, lines=99)]
        if len(lines) * line_height(size) <= inner.height:
            break
    for n, line in enumerate(lines if text else ()):
        sheet.write(line, replace(inner, y=inner.y + n * line_height(size)), size, lines=1, families=families)


def _summary(sheet: Sheet, side: Side, place: Box) -> float:
    y = sheet.write(SKILL_NAMES[side.skill], place, 14, bold=True, colour=SKILL_COLOURS[side.skill])
    sheet.write(side.level, replace(place, y=y + 1), 24, bold=True)
    beside = 21.0
    lines = len(wrap(side.basis, COLUMN - beside, fonts.style(8.5), lines=2))
    sheet.write(
        side.basis,
        Box(place.x + beside, y + (2.8 if lines == 2 else 4.8), COLUMN - beside),
        8.5,
        colour=QUIET,
        lines=2,
    )
    y = sheet.write(side.trend, replace(place, y=y + 13), 9)
    return sheet.write(side.forecast, replace(place, y=y + 0.7), 9) if side.forecast else y


def _left(number: int) -> float:
    return MARGIN if number == 0 else WIDTH - MARGIN - COLUMN


def _heights(sides: Sequence[Side], room: float) -> tuple[float, float]:
    """Of the charts of both skills, so that they stand side by side; bands over time get what room there is."""
    bands = BANDS if any(side.chart for side in sides) else 0.0
    profile = PROFILE if any(side.has_criteria for side in sides) else 0.0
    spare = room - bands - profile - 2 * _LINE - 7 - _EXPLAINED - _CLOSING
    return bands + (min(20.0, max(-_SHRINKS, spare)) if bands else 0.0), profile


def _charts(sheet: Sheet, side: Side, place: Box, heights: tuple[float, float]) -> float:
    bands, profile = heights
    y = sheet.write(side.title, place, 9, bold=True, lines=1) + 1
    if side.chart is not None:
        charts.bands(sheet.figure, replace(place, y=y, height=bands), side.chart)
    y = place.y + _LINE + (bands + 3 if bands else 2)
    top = sheet.write(side.profile_title, replace(place, y=y), 9, bold=True, lines=1) + 1
    if side.has_criteria:
        charts.profile(sheet.figure, replace(place, y=top, height=profile), side.skill, side.criteria)
    return y + _LINE + (profile + 1 if profile else 0)


def _explanations(sheet: Sheet, place: Box) -> float:
    y = place.y
    for head, text in words.EXPLAINED:
        y = sheet.write(head, replace(place, y=y), 7.5, bold=True)
        y = sheet.write(text, replace(place, y=y), 7.5) + 1
    return y
