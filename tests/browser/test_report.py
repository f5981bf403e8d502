"""The report for a parent: the PDF read again, the page printed by Chromium."""

import io
import math
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
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

from analysis import progress
from data.roster import Student
from data.schema import CRITERIA, OVERALL, SPEAKING, WRITING
from exports import drawing, report
from exports.report import Report, Skill
from tests.conftest import unavailable
from tests.support import browser, engines

pytestmark = pytest.mark.filterwarnings("error")

MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LINH = Student("user-101", "Nguyễn Thị Linh", "Monday evening", 7.0)
RISING = [4.5, 5.0, 4.5, 5.0, 5.5, 5.0, 5.5, 5.5, 6.0, 5.5, 6.0, 6.0]


def skill(name: str, bands: list[float], *, target: float = math.nan, days: float = 84, **criteria: float) -> Skill:
    """Attempts spread evenly over the last `days`, each criterion as the band unless said otherwise."""
    rows = [
        {
            "evaluation_id": f"e{n:04}",
            "evaluation_type": name,
            "status": "completed",
            "created_at": MADE - timedelta(days=days * (1 - (n + 0.5) / len(bands))),
            OVERALL: band,
            **{criterion: criteria.get(criterion, band) for criterion in CRITERIA[name]},
        }
        for n, band in enumerate(bands)
    ]
    history = pd.DataFrame(
        rows, columns=["evaluation_id", "evaluation_type", "status", "created_at", OVERALL, *CRITERIA[name]]
    ).astype({"created_at": "datetime64[us, UTC]"})
    attempts = progress.attempts(history, name)
    found = progress.progress(attempts, MADE)
    return Skill(attempts, found, progress.forecast(found.level, target, found.trend, MADE))


def a_report(student: Student = LINH, **more: Any) -> Report:
    known: dict[str, Any] = {
        "student": student,
        "skills": {
            WRITING: skill(WRITING, RISING, target=student.target, lexical_band=4.5),
            SPEAKING: skill(SPEAKING, [6.5, 6.0, 6.5]),
        },
        "period": "the last 90 days",
        "first": MADE - timedelta(days=90),
        "zone": ZONE,
        "source": "Demo: invented students",
        "made": MADE,
        "complete": True,
    }
    return Report(**{**known, **more})


def reader(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def words(content: bytes) -> str:
    """The text of a PDF on one line."""
    return " ".join(" ".join(page.extract_text() for page in reader(content).pages).split())


def plain(content: bytes) -> str:
    """The text of an HTML page outside of its charts, on one line."""
    body = re.sub(r"<(style|svg).*?</\1>", " ", content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", re.sub(r"<(p|h1|h2|div|figcaption|figure)\b", r" <\1", body)).split())


SAID = [
    "Nguyễn Thị Linh",
    "Class Monday evening · Target band 7.0 · Student user-101",
    "6.0 level: middle of the last 3 attempts",
    "Rising: about 0.6 of a band a month, between 0.4 and 0.8, by 12 attempts in 180 days.",
    "the level may reach 7.0 between April 2026 and May 2026.",
    "Not enough evidence yet: 3 attempts in 180 days; a trend needs at least 4 over 2 weeks.",
    "Writing, 12 attempts: the level is 1.0 below the target",
    "Speaking, 3 attempts: the level is 0.5 below the target",
    "Criteria: Lexical resource is the lowest",
    "Practice: 15 scored attempts, in",
    "half a band between two attempts is not progress",
    "An overall IELTS band needs Listening and Reading too",
    "Period: the last 90 days (1 Dec 2025 to 1 Mar 2026).",
    "Time zone: Asia/Ho_Chi_Minh.",
    "Source: Demo: invented students. Made 1 Mar 2026, 19:00 (Asia/Ho_Chi_Minh). Complete: yes.",
]


@pytest.fixture(scope="module")
def usual() -> tuple[bytes, bytes]:
    return report.pdf(a_report()), report.html(a_report())


@pytest.mark.parametrize("said", SAID)
def test_both_say_the_same(usual: tuple[bytes, bytes], said: str) -> None:
    assert said in words(usual[0])
    assert said in plain(usual[1])


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
        "Chart of the level of each criterion: Task achievement 6.0, Coherence and cohesion 6.0, Lexical resource 4.5, "
        "Grammar 6.0.",
        "Chart of 3 attempts from 21 Dec 2025 to 15 Feb 2026, bands 6.0 to 6.5. The level was 6.5 at first and 6.5 at "
        "last. The target is 7.0.",
        "Chart of the level of each criterion: Fluency and coherence 6.5, Lexical resource 6.5, Grammar 6.5, "
        "Pronunciation 6.5.",
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
    ("bands", "days", "said"),
    [
        (RISING[::-1], 84, "Falling: about 0.6 of a band a month, between 0.4 and 0.8, by 12 attempts"),
        ([6.0, 6.5] * 12, 170, "Steady: 24 attempts in 180 days, and any change is less than 0.25 of a band a month."),
        ([5.0, 7.5, 5.0, 7.5, 4.0], 60, "5 attempts in 180 days, whose scores vary too much to show a trend."),
        ([5.0, 5.5, 6.0, 6.5], 3, "4 attempts in 180 days, too close together to show a trend."),
        ([5.0], 60, "Not enough evidence yet: 1 attempt in 180 days; a trend needs at least 4 over 2 weeks."),
        ([], 60, "Not enough evidence yet: no scored attempt in the last 180 days."),
    ],
)
def test_the_trend_in_words(bands: list[float], days: float, said: str) -> None:
    assert said in plain(report.html(a_report(skills={WRITING: skill(WRITING, bands, days=days)})))


def test_a_reached_target_and_none() -> None:
    high = {WRITING: skill(WRITING, [7.0, 7.0, 7.5])}
    said = plain(report.html(a_report(skills=high)))
    assert "The level has reached the target of 7.0." in said
    assert "Writing, 3 attempts: the level has reached the target" in said
    without = plain(report.html(a_report(Student("user-1"), skills=high)))
    assert "Class - · Target band -" in without
    assert "reached" not in without


def test_a_student_without_any_attempt() -> None:
    bare = a_report(Student("user-102"), skills={}, first=None, period="all time")
    content = report.pdf(bare)
    assert len(reader(content).pages) == 1
    for said in (words(content), plain(report.html(bare))):
        assert "user-102" in said
        assert said.count("- level: unknown") == 2
        assert "Writing: no scored attempt in this period" in said
        assert "Practice: no scored attempt in this period" in said
        assert "0.0" not in said
    assert b"<svg" not in report.html(bare)


def test_attempts_before_the_period_make_the_level_but_are_not_drawn() -> None:
    short = a_report(first=MADE - timedelta(days=30), period="the last 30 days")
    said = plain(report.html(short))
    assert "Writing, 4 attempts" in said
    assert "The level was 5.5 at first" in report.html(short).decode()
    nothing = plain(report.html(a_report(first=MADE - timedelta(days=1))))
    assert "6.0 level: middle of the last 3 attempts" in nothing
    assert "Writing: no scored attempt in this period" in nothing


def test_what_is_truncated_says_so() -> None:
    for said in (words(report.pdf(a_report(complete=False))), plain(report.html(a_report(complete=False)))):
        assert said.count("Incomplete: there are more records than were read") == 2
        assert "Complete: yes" not in said


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
    known = a_report(Student(name, name, name, 7.0))
    content = report.pdf(known)
    said = words(content)
    assert len(reader(content).pages) == 1
    assert "Period: the last 90 days" in said
    page = report.html(known).decode()
    assert "<img" not in page
    assert "<script" not in page
    for hidden in ("\x00", "\x1b", "\u202e", "\u2028"):
        assert hidden not in said + page


def test_names_are_written_as_they_are() -> None:
    said = words(report.pdf(a_report(Student("u", "$x^2$ a\x1bb 🙂", "Ελένη Жанна đường", 7.0))))
    assert "$x^2$ a[U+001B]b" in said
    assert "Ελένη Жанна đường" in said


@pytest.fixture
def only_dejavu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer with no other fonts than those that come with matplotlib."""
    listed = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", listed)
    drawing._family.cache_clear()
    yield
    drawing._family.cache_clear()


def test_the_id_stands_for_a_name_that_cannot_be_printed(only_dejavu: None) -> None:
    said = words(report.pdf(a_report(Student("user-7", "王小明", "สมชาย", 7.0))))
    assert "This computer has no letters for the name (the id stands in its place) and for the class." in said
    assert "Class - · Target band 7.0" in said
    assert said.count("user-7") == 1
    page = plain(report.html(a_report(Student("user-7", "王小明", "สมชาย", 7.0))))
    assert "王小明 Class สมชาย" in page


def test_an_emoji_does_not_cost_the_name(only_dejavu: None) -> None:
    said = words(report.pdf(a_report(Student("user-7", "Linh 🦩", "B", 7.0))))
    assert "Linh [U+1F9A9]" in said
    assert "no letters" not in said


def test_an_id_that_cannot_be_printed_is_spelled(only_dejavu: None) -> None:
    assert "\\u738b" in words(report.pdf(a_report(Student("王"))))


def test_a_thousand_attempts() -> None:
    many = a_report(
        skills={WRITING: skill(WRITING, [5.0, 6.0, 5.5, 6.5] * 250, days=900)}, first=None, period="all time"
    )
    content = report.pdf(many)
    assert "Writing, 1,000 attempts" in words(content)
    assert "Practice: 1,000 scored attempts, in 31 of 31 months" in words(content)
    assert len(content) < 200_000
    assert len(report.html(many)) < 500_000


def test_counts_are_per_local_week() -> None:
    late = Skill(*_sunday_night())
    counts = report._practice(a_report(skills={WRITING: late}, first=None)).counts
    # Sunday 18:30 in London is Monday in Ho Chi Minh City.
    assert [f"{start:%d %b}" for start in counts.starts] == ["23 Feb"]
    assert list(counts.numbers[WRITING]) == [1]


def _sunday_night() -> tuple[progress.Attempts, progress.Progress]:
    made = skill(WRITING, [6.0], days=2 * (MADE - datetime(2026, 2, 22, 18, 30, tzinfo=UTC)) / timedelta(days=1))
    return made.attempts, made.progress


def test_reports_made_at_once_are_those_made_alone() -> None:
    before = dict(mpl.rcParams)
    alone, found = report.html(a_report()), []
    threads = [threading.Thread(target=lambda: found.append(report.html(a_report()))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3
    assert dict(mpl.rcParams) == before


def test_matplotlib_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, exports.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=engines.ROOT, check=False).returncode == 0


class Opened:
    """A report in Chromium, and what it asked for."""

    def __init__(self, context: BrowserContext, folder: Path) -> None:
        self.context, self.folder = context, folder
        self.asked: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))

    def page(self, known: Report) -> Page:
        path = self.folder / "report.html"
        path.write_bytes(report.html(known))
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
    page = opened.page(a_report(Student(name, name, name, 7.0), complete=False))
    printed = reader(page.pdf(prefer_css_page_size=True))
    assert [[round(float(side) / 72 * 25.4) for side in sheet.mediabox[2:]] for sheet in printed.pages] == [[210, 297]]
    said = " ".join(printed.pages[0].extract_text().split())
    assert "Rising: about 0.6 of a band a month" in said
    assert "Source: Demo: invented students." in said
    assert [url for url in opened.asked if not url.startswith("file:")] == []
    assert len(opened.asked) == 1
    # The window is as wide as a phone.
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_can_be_used_by_everybody(opened: Opened) -> None:
    page = opened.page(a_report())
    try:
        assert browser.axe(browser.Visitor(opened.context, page, "")) == []
    except engines.MissingError as missing:
        unavailable(str(missing))
