"""Jobs per hour and day where clocks change: no hour twice in one bar, none that never was; bars list their jobs."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from analysis import job_states
from ui.components import charts
from ui.jobs import listing
from ui.jobs.listing import Span
from ui.shell.clock import Clock

BERLIN = ZoneInfo("Europe/Berlin")
BACK = datetime(2026, 10, 25, 1, tzinfo=UTC)  # 03:00 is 02:00 again
FORWARD = datetime(2026, 3, 29, 1, tzinfo=UTC)  # 02:00 is 03:00
HOUR = timedelta(hours=1)


def failed(*times: datetime) -> pd.DataFrame:
    created = pd.Series(times, dtype="datetime64[us, UTC]")
    return pd.DataFrame({"created_at": created, "state": pd.Series(["failed"] * len(times), dtype="object")})


def bars(first: datetime, last: datetime, zone: ZoneInfo, *times: datetime) -> pd.DataFrame:
    return job_states.over_time(failed(*times), first, last, zone.key)


def span_of(code: str, now: datetime, zone: ZoneInfo, monkeypatch: pytest.MonkeyPatch) -> tuple[datetime, datetime]:
    """What the bar with this code lists, of the page that has it in its address."""
    monkeypatch.setattr(listing, "address", SimpleNamespace(value=lambda _: code))
    monkeypatch.setattr(listing.markup, "show_beside", lambda *_: None)
    during = listing._during(Clock(now, zone))
    assert during
    return during


@pytest.mark.parametrize(
    ("around", "zone"),
    [
        (BACK, BERLIN),
        (FORWARD, BERLIN),
        (BACK, ZoneInfo("Asia/Kolkata")),
        (datetime(2026, 4, 4, 15, tzinfo=UTC), ZoneInfo("Australia/Lord_Howe")),  # back by half an hour
    ],
    ids=["back", "forward", "half past", "by half an hour"],
)
def test_each_hour_is_a_bar_of_its_own_and_lists_its_jobs(
    around: datetime, zone: ZoneInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = around - 5 * HOUR, around + 5 * HOUR
    times = [first + n * HOUR / 2 for n in range(20)]
    counts = bars(first, last, zone, *times)
    assert counts["failed"].sum() == len(times)
    assert set(counts["start"].diff().dropna()) == {pd.Timedelta(HOUR)}
    codes = [listing.bar(start.tz_convert(zone), Span("", first, last)) for start in counts["start"]]
    assert len(set(codes)) == len(counts)
    for code, start, number in zip(codes, counts["start"], counts["failed"], strict=True):
        begin, end = span_of(code, last, zone, monkeypatch)
        assert begin == start
        assert sum(begin <= time < end for time in times) == number
    drawn = charts.job_bars(counts, zone, codes)
    assert len(set(drawn["data"][0]["x"])) == len(counts)


def test_a_link_without_an_offset_is_the_first_of_two_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert span_of("2026-10-25T02", BACK, BERLIN, monkeypatch) == (BACK - HOUR, BACK)
    assert span_of("2026-10-25T02+01:00", BACK, BERLIN, monkeypatch) == (BACK, BACK + HOUR)


@pytest.mark.parametrize(("around", "hours"), [(BACK, 25), (FORWARD, 23)])
def test_days_are_local_however_long(around: datetime, hours: int) -> None:
    midnight = datetime.combine(around.astimezone(BERLIN).date(), datetime.min.time(), tzinfo=BERLIN)
    times = [midnight.astimezone(UTC) + n * HOUR for n in range(hours)]
    counts = bars(midnight, midnight + timedelta(days=4), BERLIN, *times)
    assert counts["failed"].tolist() == [hours, 0, 0, 0, 0]
    starts = counts["start"].dt.tz_convert("Europe/Berlin")
    assert {(start.hour, start.minute) for start in starts} == {(0, 0)}
    assert not charts._is_hourly(counts)


def test_a_day_that_has_no_midnight_begins_where_it_begins() -> None:
    # Cairo's clocks go from 00:00 to 01:00.
    first = datetime(2026, 4, 22, 12, tzinfo=UTC)
    counts = bars(first, first + timedelta(days=4), ZoneInfo("Africa/Cairo"), datetime(2026, 4, 23, 23, tzinfo=UTC))
    starts = counts["start"].dt.tz_convert("Africa/Cairo")
    assert [(start.day, start.hour) for start in starts] == [(22, 0), (23, 0), (24, 1), (25, 0), (26, 0)]
    assert counts["failed"].tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    "name",
    ["America", "../UTC", "/etc/passwd", "A" * 100_000, "\x1b[2J\n", "\0", "Mars/Olympus", "", "a/" * 10_000],
    ids=range(9),
)
def test_a_browser_that_names_no_zone_is_shown_utc(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.shell.clock.st.context", SimpleNamespace(timezone=name))
    assert Clock.of_reader().zone.key == "UTC"
