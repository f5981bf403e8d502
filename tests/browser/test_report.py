"""The report for a parent: the PDF read again, the page printed by Chromium."""

import io
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import font_manager
from playwright.sync_api import BrowserContext, Page
from pypdf import PdfReader

from analysis.attention import Flag
from analysis.levels import attempts, progress
from analysis.levels.progress import Noise
from data.roster import Student
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from exports.report import fonts, html, pdf, words
from exports.report.words import Report, Skill
from tests.conftest import assert_accessible, unavailable
from tests.support import browser, engines

pytestmark = pytest.mark.filterwarnings("error")

NOISE = Noise()
MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LINH = Student("user-101", "Nguyễn Thị Linh", "Monday evening", 7.0)
RISING = [4.5, 5.0, 4.5, 5.0, 5.5, 5.0, 5.5, 5.5, 6.0, 5.5, 6.0, 6.0]


def skill(
    name: str, bands: list[float], *, target: float = math.nan, days: float = 84, last: float = 0, **criteria: float
) -> Skill:
    """Attempts spread evenly over `days` until `last` days ago, each criterion as the band unless said otherwise."""
    rows = [
        {
            "evaluation_id": f"e{n:04}",
            "evaluation_type": name,
            "status": "completed",
            "created_at": MADE - timedelta(days=last + days * (1 - (n + 0.5) / len(bands))),
            OVERALL: band,
            **{criterion: criteria.get(criterion, band) for criterion in CRITERIA[name]},
        }
        for n, band in enumerate(bands)
    ]
    history = pd.DataFrame(
        rows, columns=["evaluation_id", "evaluation_type", "status", "created_at", OVERALL, *CRITERIA[name]]
    ).astype({"created_at": "datetime64[us, UTC]"})
    cohort = attempts.of_student(history, name)
    (report_of,) = progress.progress(cohort, MADE, NOISE)
    return Skill(cohort, NOISE, report_of, progress.forecast(report_of, target, MADE))


def a_report(student: Student = LINH, **more: Any) -> Report:
    report_of: dict[str, Any] = {
        "student": student,
        "skills": {
            WRITING: skill(WRITING, RISING, target=student.target, lexical_band=4.5),
            SPEAKING: skill(SPEAKING, [6.5, 6.0, 6.5]),
        },
        "first": MADE - timedelta(days=90),
        "zone": ZONE,
        "made": MADE,
        "complete": True,
    }
    return Report(**{**report_of, **more})


def reader(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def printed(content: bytes) -> str:
    """The text of a PDF on one line."""
    return " ".join(" ".join(page.extract_text() for page in reader(content).pages).split())


def plain(content: bytes) -> str:
    """The text of an HTML page outside of its charts, on one line."""
    body = re.sub(r"<(style|svg).*?</\1>", " ", content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<(p|h1|h2|div|figcaption|figure)\b", r" <\1", body)).split())


SAID = [
    "Nguyễn Thị Linh",
    "Riverside English Centre",
    "Teacher: Ms Phạm Lan",
    "1 March 2026",
    "Class Monday evening · Target band 7.0 by 20 June 2026",
    "6.0 level, most likely between 5.7 and 6.4; from 12 attempts, last on 26 Feb",
    "Rising since December 2025, about 0.6 a month (0.3–0.8).",
    "At this rate 7.0 around March to June 2026.",
    "Not enough data yet: a trend takes 5 attempts over 4 weeks.",
    "Writing: 12 attempts",
    "Speaking: 3 attempts",
    "Weakest: Lexical resource",
    "Practice: 15 attempts in",
    "Half a band more or less from one to the next is normal",
    "An overall band needs Listening and Reading too",
    "Next steps",
    "Hand in again the attempt that has no result yet.",
    "Writing: practise Lexical resource, which is a wide choice of fitting words.",
    "Teacher’s comment",
    "Linh speaks more freely.",
    "Attempts shown: 1 Dec 2025 to 1 Mar 2026.",
]
# What stood on paper and says nothing to a parent.
NOT_SAID = ["user-101", "Complete", "Source", "when the dashboard", "Asia/", "DynamoDB", "Demo data", "Incomplete"]


@pytest.fixture(scope="module")
def usual() -> tuple[bytes, bytes]:
    full = a_report(
        replace(LINH, test_at=datetime(2026, 6, 20, 23, 59, 59, tzinfo=UTC)),
        flags=[Flag("lost", 1), Flag("weakest", 0.8, WRITING, "lexical_band")],
        school="Riverside English Centre",
        teacher="Ms Phạm Lan",
        comment="Linh speaks more freely.",
    )
    return pdf.render(full), html.render(full)


@pytest.mark.parametrize("absent", NOT_SAID)
def test_neither_talks_of_machines(usual: tuple[bytes, bytes], absent: str) -> None:
    assert absent not in printed(usual[0])
    assert absent not in plain(usual[1])


@pytest.mark.parametrize("text", SAID)
def test_both_say_the_same(usual: tuple[bytes, bytes], text: str) -> None:
    assert text in printed(usual[0])
    assert text in plain(usual[1])


def test_the_pdf_is_one_a4_page_with_its_fonts_inside(usual: tuple[bytes, bytes]) -> None:
    (page,) = reader(usual[0]).pages
    assert [round(float(side) / 72 * 25.4) for side in page.mediabox[2:]] == [210, 297]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    assert fonts
    for font in fonts:
        (inner,) = font["/DescendantFonts"]
        assert inner.get_object()["/Subtype"] == "/CIDFontType2"  # TrueType
        assert inner.get_object()["/FontDescriptor"]["/FontFile2"].get_object().get_data()
    assert not page.images
    assert len(usual[0]) < 100_000


def test_the_files_titles_name_nobody(usual: tuple[bytes, bytes]) -> None:
    about = reader(usual[0]).metadata
    assert about
    assert about.title == "Progress report"
    assert about.creation_date == MADE
    assert "Linh" not in "".join(map(str, about.values()))
    assert "<title>Progress report</title>" in usual[1].decode()


def test_each_chart_has_its_words(usual: tuple[bytes, bytes]) -> None:
    alts = re.findall(r'<svg class="chart" role="img" aria-label="([^"]+)"', usual[1].decode())
    assert alts == [
        "Chart of 12 attempts from 11 Dec 2025 to 26 Feb 2026, bands 4.5 to 6.0. The level was 4.5 at first and 6.0 at "
        "last. The target is 7.0.",
        "Chart of the level of each criterion: Task achievement 6.0, Coherence and cohesion 6.0, Lexical resource 5.2, "
        "Grammatical range and accuracy 6.0.",
        "Chart of 3 attempts from 21 Dec 2025 to 15 Feb 2026, bands 6.0 to 6.5. The level was 6.5 at first and 6.3 at "
        "last. The target is 7.0.",
        "Chart of the level of each criterion: Fluency and coherence 6.3, Lexical resource 6.3, "
        "Grammatical range and accuracy 6.3, Pronunciation 6.3.",
        "Chart of attempts per week. Writing 12 attempts, at most 1 in a week; Speaking 3 attempts, at most 1 in a "
        "week.",
    ]
    assert usual[1].count(b"<figcaption>") == 5


def test_the_page_has_nothing_that_runs_or_is_fetched(usual: tuple[bytes, bytes]) -> None:
    page = usual[1].decode()
    assert "<script" not in page
    fetched = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page)
    assert [target for target in fetched if not target.startswith("#")] == []
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("bands", "days", "text"),
    [
        (RISING[::-1], 84, "Declining since December 2025, about 0.6 a month (0.3–0.8)."),
        ([6.0, 6.5] * 12, 170, "Steady since September 2025."),
        ([5.0, 7.5, 5.0, 7.5, 4.0], 60, "No clear change yet."),
        ([5.0, 5.5, 6.0, 6.5], 3, "Not enough data yet: a trend takes 5 attempts over 4 weeks."),
        ([5.0], 60, "Not enough data yet: a trend takes 5 attempts over 4 weeks."),
        ([], 60, "No attempts in the last 180 days Not enough data yet"),
    ],
)
def test_the_trend_in_words(bands: list[float], days: float, text: str) -> None:
    assert text in plain(html.render(a_report(skills={WRITING: skill(WRITING, bands, days=days)})))


def test_a_reached_target_and_none() -> None:
    high = {WRITING: skill(WRITING, [7.5, 8.0] * 6)}
    text = plain(html.render(a_report(skills=high)))
    assert "Target 7.0 reached." in text
    without = plain(html.render(a_report(Student("user-1"), skills=high)))
    assert "Target band" not in without
    assert "reached" not in without


def test_a_student_without_any_attempt() -> None:
    bare = a_report(Student("user-102"), skills={}, first=None)
    content = pdf.render(bare)
    assert len(reader(content).pages) == 1
    for text in (printed(content), plain(html.render(bare))):
        assert "user-102" in text
        assert text.count("– No attempts in the last 180 days") == 2
        assert "Writing: no result in this period" in text
        assert "Practice: no result in this period" in text
        assert "Begin Writing and Speaking." in text
        assert "0.0" not in text
    assert b"<svg" not in html.render(bare)


def test_attempts_before_the_period_make_the_level_but_are_not_drawn() -> None:
    short = a_report(first=MADE - timedelta(days=30))
    text = plain(html.render(short))
    assert "Writing: 4 attempts" in text
    assert "The level was 5.7 at first" in html.render(short).decode()
    nothing = plain(html.render(a_report(first=MADE - timedelta(days=1))))
    assert "6.0 level, most likely between 5.7 and 6.4; from 12 attempts" in nothing
    assert "Writing: no result in this period" in nothing


def test_what_is_truncated_says_so() -> None:
    for text in (printed(pdf.render(a_report(complete=False))), plain(html.render(a_report(complete=False)))):
        assert text.count("Incomplete: not all attempts could be read") == 2
        assert "Complete: yes" not in text


HOSTILE = [
    "<img src=http://x.example/y onerror=alert(1)>",
    "</h1><script>alert(1)</script>",
    "$\\frac{1}{0}$ _x_ $",
    "W" * 200,
    "word " * 40,
    "a\x00b\x1bc\u202ed\ne\tf\u2028g",
    "\ud800 half",
    "Z" + "\u0301\u0323" * 90,
    "محمد علي",
    "יעל כהן",
    "Ελένη Жанна",
    "🙂 Linh",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_the_report(name: str) -> None:
    report_of = a_report(Student(name, name, name, 7.0))
    content = pdf.render(report_of)
    text = printed(content)
    assert len(reader(content).pages) == 1
    assert "Attempts shown: 1 Dec 2025" in text
    page = html.render(report_of).decode()
    assert "<img" not in page
    assert "<script" not in page
    for hidden in ("\x00", "\x1b", "\u202e", "\u2028"):
        assert hidden not in text + page


def test_names_are_written_as_they_are() -> None:
    text = printed(pdf.render(a_report(Student("u", "$x^2$ a\x1bb 🙂", "Ελένη Жанна đường", 7.0))))
    assert "$x^2$ a[U+001B]b" in text
    assert "Ελένη Жанна đường" in text


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer with no other fonts than those that come with matplotlib."""
    listed = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", listed)
    fonts.drawable.cache_clear()
    yield
    fonts.drawable.cache_clear()


def test_the_id_stands_for_a_name_that_cannot_be_printed(only_dejavu: None) -> None:
    text = printed(pdf.render(a_report(Student("user-7", "王小明", "สมชาย", 7.0))))
    assert "This PDF has no letters for the name (the ID stands in its place) and for the class." in text
    assert "Class" not in text
    assert "Target band 7.0" in text
    assert text.count("user-7") == 1
    page = plain(html.render(a_report(Student("user-7", "王小明", "สมชาย", 7.0))))
    assert "王小明 Class สมชาย · Target band 7.0" in page


def test_an_emoji_does_not_cost_the_name(only_dejavu: None) -> None:
    text = printed(pdf.render(a_report(Student("user-7", "Linh 🦩", "B", 7.0))))
    assert "Linh [U+1F9A9]" in text
    assert "no letters" not in text


def test_an_id_that_cannot_be_printed_is_spelled(only_dejavu: None) -> None:
    assert "\\u738b" in printed(pdf.render(a_report(Student("王"))))


def test_a_thousand_attempts() -> None:
    many = a_report(skills={WRITING: skill(WRITING, [5.0, 6.0, 5.5, 6.5] * 250, days=900)}, first=None)
    content = pdf.render(many)
    assert "Writing: 1,000 attempts" in printed(content)
    assert "Practice: 1,000 attempts in 31 of 31 months" in printed(content)
    assert len(content) < 200_000
    assert len(html.render(many)) < 500_000


def test_both_skills_have_the_same_axes() -> None:
    late = {WRITING: skill(WRITING, [8.0, 8.5], days=20), SPEAKING: skill(SPEAKING, [3.0] * 6, days=300)}
    writing, speaking = (side.chart for side in words.sides(a_report(skills=late, first=None)))
    assert writing
    assert speaking
    assert (writing.low, writing.high) == (speaking.low, speaking.high) == (2.9, 8.6)
    assert (writing.begin, writing.end) == (speaking.begin, speaking.end)


STEPS = {
    "Hand in again the 2 attempts that have no result yet.": Flag("lost", 2),
    "Practise again: there was nothing for 19 days.": Flag("away", 19.8),
    "Practise again: there was nothing for 180 days.": Flag("away", math.inf),
    "Writing: plan more practice, as 1.5 is missing to the target of 7.0.": Flag("below", 1.5, WRITING),
    "Writing: talk about the day of the test: 1.5 is missing to the target of 7.0.": Flag(
        "below", 1.5, WRITING, needed=9.0
    ),
    "Writing: plan more practice: 7.0 in time takes 0.6 of a band a month.": Flag("below", 1.5, WRITING, needed=0.62),
    "Speaking: go through the latest feedback together, as results have gone down.": Flag("falling", -0.3, SPEAKING),
}


@pytest.mark.parametrize("step", STEPS)
def test_each_reason_has_its_next_step(step: str) -> None:
    assert words.next_steps(a_report(flags=[STEPS[step]])) == [step]


BOTH = [6.0, 6.5, 6.0]
GOING_ON: dict[str, tuple[dict[str, Skill], str]] = {
    "both": (
        {name: skill(name, BOTH) for name in (WRITING, SPEAKING)},
        "Go on practising Writing and Speaking every week.",
    ),
    "one": ({WRITING: skill(WRITING, BOTH)}, "Go on practising Writing every week, and begin Speaking."),
    "one was left": (
        {WRITING: skill(WRITING, BOTH, last=60), SPEAKING: skill(SPEAKING, BOTH)},
        "Go on practising Speaking every week, and take up Writing again.",
    ),
    "one was left long ago": (
        {WRITING: skill(WRITING, BOTH, last=300), SPEAKING: skill(SPEAKING, BOTH)},
        "Go on practising Speaking every week, and take up Writing again.",
    ),
    "stopped": ({WRITING: skill(WRITING, BOTH, last=60)}, "Take up Writing again, and begin Speaking."),
    "none": ({}, "Begin Writing and Speaking."),
}


@pytest.mark.parametrize("which", GOING_ON)
def test_without_a_reason_the_next_step_names_the_skills_that_are_practised(which: str) -> None:
    skills, sentence = GOING_ON[which]
    assert words.next_steps(a_report(skills=skills)) == [sentence]


def test_each_criterion_has_a_next_step_in_plain_words() -> None:
    for name, criteria in CRITERIA.items():
        for criterion in criteria:
            (step,) = words.next_steps(a_report(flags=[Flag("weakest", 1.0, name, criterion)]))
            assert criteria[criterion] in step


COMMENTS = {
    "long": "word " * 99,
    "without a blank": "W" * 500,
    "many lines": "a\n" * 250,
    "lines": "Good.\n\nRead more.",
    "markup": "<script>alert(1)</script> & $x^2$",
    "Arabic": "أحسنت يا ليلى",
}


@pytest.mark.parametrize("comment", COMMENTS.values(), ids=COMMENTS)
def test_a_comment_is_printed_whole_on_the_one_page(comment: str) -> None:
    content = pdf.render(a_report(comment=comment))
    assert len(reader(content).pages) == 1
    if comment.isascii():
        assert "".join(comment.split()) in "".join(printed(content).split())
    assert "<script" not in html.render(a_report(comment=comment)).decode()


def test_counts_are_per_local_week() -> None:
    days = 2 * (MADE - datetime(2026, 2, 22, 18, 30, tzinfo=UTC)) / timedelta(days=1)
    late = skill(WRITING, [6.0], days=days)
    counts = words.practice(a_report(skills={WRITING: late}, first=None)).counts
    # Sunday 18:30 in London is Monday in Ho Chi Minh City.
    assert [f"{start:%d %b}" for start in counts.starts] == ["23 Feb"]
    assert list(counts.numbers[WRITING]) == [1]


def test_reports_made_at_once_are_those_made_alone() -> None:
    before = dict(mpl.rcParams)
    alone, links = html.render(a_report()), []
    threads = [threading.Thread(target=lambda: links.append(html.render(a_report()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert links == [alone] * 3
    assert dict(mpl.rcParams) == before


def test_matplotlib_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, exports.report.html, exports.report.pdf; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=engines.ROOT, check=False).returncode == 0


class Opened:
    """A report in Chromium, and what it asked for."""

    def __init__(self, context: BrowserContext, folder: Path) -> None:
        self.context, self.folder = context, folder
        self.asked: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))

    def page(self, report_of: Report) -> Page:
        path = self.folder / "report.html"
        path.write_bytes(html.render(report_of))
        page = self.context.new_page()
        page.goto(path.as_uri())
        return page


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    try:
        chromium = browser._browser()
    except engines.MissingError as missing:
        unavailable(str(missing))
    context = chromium.new_context(viewport={"width": 390, "height": 844}, bypass_csp=True)
    yield Opened(context, tmp_path)
    context.close()


@pytest.mark.parametrize("name", ["Linh", *HOSTILE[:2], *HOSTILE[3:9]])
def test_chromium_prints_it_on_one_a4_page_and_it_fits_a_phone(opened: Opened, name: str) -> None:
    more = {"teacher": name[:40], "school": name[:40], "comment": name[:150], "flags": list(STEPS.values())}
    page = opened.page(a_report(Student(name, name, name, 7.0), complete=False, **more))
    printed = reader(page.pdf(prefer_css_page_size=True))
    assert [[round(float(side) / 72 * 25.4) for side in sheet.mediabox[2:]] for sheet in printed.pages] == [[210, 297]]
    text = " ".join(printed.pages[0].extract_text().split())
    assert "about 0.6 a month" in text
    assert "Attempts shown" in text
    assert [url for url in opened.asked if not url.startswith("file:")] == []
    assert len(opened.asked) == 1
    # The window is as wide as a phone.
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_can_be_used_by_everybody(opened: Opened) -> None:
    page = opened.page(a_report())
    assert_accessible(browser.Visitor(opened.context, page, ""))
