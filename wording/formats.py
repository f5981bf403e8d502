"""How bands, changes, times, durations and costs are written, the same on every page."""

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from analysis.job_states import State
from data.dynamodb.cost import Cost
from data.settings import Settings

UNKNOWN = "–"
MINUS = "−"

# icon and word, always both: colour alone is not read by everybody
_STATES: dict[State, str] = {
    "completed": "✓ completed",
    "failed": "✕ failed",
    "abandoned": "⊘ abandoned",
    "waiting": "◔ waiting",
    "overdue": "◑ overdue",
    "stuck": "■ stuck",
    "unknown": "? unknown",
}


def band(value: float) -> str:
    """A band with one decimal; more only where the record has more, because nothing read is rounded.

    >>> band(7), band(6.25), band(float("nan"))
    ('7.0', '6.25', '–')
    """
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.1f}" if float(value * 10).is_integer() else repr(float(value))


def level(value: float) -> str:
    """A level, which is an estimate, with one decimal.

    >>> level(6.04), level(float("nan"))
    ('6.0', '–')
    """
    return UNKNOWN if math.isnan(value) else f"{value:.1f}"


def change(value: float) -> str | None:
    """A change in bands with its sign; None when unknown.

    >>> change(0.5), change(-1), change(0.0), change(-0.04), change(float("nan"))
    ('+0.5', '−1.0', '0.0', '0.0', None)
    """
    if math.isnan(value):
        return None
    return f"{value:+.1f}".replace("-", MINUS) if round(value, 1) else "0.0"


def state(name: State, age: timedelta | None = None) -> str:
    """A job's state as icon and word, with how long it has been processing.

    >>> state("waiting", timedelta(minutes=3, seconds=40)), state("failed")
    ('◔ waiting 3 min', '✕ failed')
    """
    label = _STATES[name]
    if age is None or name not in ("waiting", "overdue", "stuck"):
        return label
    return f"{label} {duration(timedelta(minutes=age // timedelta(minutes=1)))}"


def duration(span: timedelta) -> str:
    """A span of time in the one or two units that matter.

    >>> [duration(timedelta(seconds=s)) for s in (5, 120.5, 2580, 11400, 200000)]
    ['5 s', '2 min 1 s', '43 min', '3 h 10 min', '2 days']
    """
    seconds = max(0, math.floor(span.total_seconds() + 0.5))
    minutes, rest = divmod(seconds, 60)
    if minutes == 0:
        return f"{rest} s" if rest else "0 min"
    if minutes < 10:
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, minutes = divmod(minutes, 60)
    if hours == 0:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{hours // 24} days"


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, for the eye.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> [ago(noon - timedelta(hours=h), noon) for h in (0, 0.7, 5.4, 24, 50, 24 * 100, 24 * 800, -1)]
    ['just now', '42 min ago', '5 h ago', '1 day ago', '2 days ago', '3 months ago', '2 years ago', 'in the future']
    """
    if time_or_none(moment) is None or moment is None:
        return UNKNOWN
    span = now - moment
    if span < timedelta(seconds=-60):
        return "in the future"
    if span < timedelta(minutes=1):
        return "just now"
    if span < timedelta(hours=1):
        return f"{span // timedelta(minutes=1)} min ago"
    if span < timedelta(days=1):
        return f"{span // timedelta(hours=1)} h ago"
    if span < timedelta(days=60):
        return f"{count(span.days, 'day')} ago"
    if span < timedelta(days=730):
        return f"{round(span.days / 30.44)} months ago"
    return f"{round(span.days / 365.25)} years ago"


def full_date(of: date) -> str:
    """A date that stands alone, with its year.

    >>> full_date(date(2026, 3, 1))
    '1 Mar 2026'
    """
    return f"{of.day} {of:%b %Y}"


def day(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """A local date, without this year.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> day(now, ZoneInfo("UTC"), now), day(now - timedelta(days=100), ZoneInfo("UTC"), now)
    ('1 Mar', '21 Nov 2025')
    """
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b}" if local.year == now.astimezone(zone).year else full_date(local)


def stamp(moment: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """Local date and time in a list: without the date of today, without this year.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    >>> [stamp(now - timedelta(days=d), ZoneInfo("Asia/Ho_Chi_Minh"), now) for d in (0, 3, 100)]
    ['19:00', '26 Feb, 19:00', '21 Nov 2025, 19:00']
    """
    if time_or_none(moment) is None or moment is None:
        return UNKNOWN
    local, today = moment.astimezone(zone), now.astimezone(zone)
    of_day = f"{local:%H:%M}"
    return of_day if local.date() == today.date() else f"{day(moment, zone, now)}, {of_day}"


def exact(moment: datetime | None, zone: ZoneInfo) -> str:
    """Local date and time; the zone is named once on a page, at its foot.

    >>> from datetime import UTC
    >>> exact(datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo("Asia/Ho_Chi_Minh"))
    '1 Mar 2026, 19:00'
    """
    if time_or_none(moment) is None or moment is None:
        return UNKNOWN
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M}"


def zoned(moment: datetime | None, zone: ZoneInfo) -> str:
    """Local date and time with its zone, for files, which have no foot of a page.

    >>> from datetime import UTC
    >>> zoned(datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo("Asia/Ho_Chi_Minh"))
    '1 Mar 2026, 19:00 (Asia/Ho_Chi_Minh)'
    """
    text = exact(moment, zone)
    return text if text == UNKNOWN else f"{text} ({zone.key})"


def time_or_none(moment: datetime | None) -> datetime | None:
    """The time, None for a missing one (pandas' NaT is a datetime too)."""
    return None if moment is None or pd.isna(moment) else moment


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "evaluation"), count(1200, "evaluation"), count(0, "reply", "replies")
    ('1 evaluation', '1,200 evaluations', '0 replies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def of(part: int, total: int, one: str) -> str:
    """How many of how many.

    >>> of(3, 1200, "evaluation"), of(7, 7, "set")
    ('3 of 1,200 evaluations', '7 sets')
    """
    return count(total, one) if part == total else f"{part:,} of {count(total, one)}"


def whole(number: int | None) -> str:
    """A whole number, a dash when unknown.

    >>> whole(1200), whole(None)
    ('1,200', '–')
    """
    return UNKNOWN if number is None else f"{number:,}"


def cost(spent: Cost) -> str:
    """What reading cost.

    >>> cost(Cost(3, 12.5)), cost(Cost(1, None)), cost(Cost(2, 0.0))
    ('3 requests · 12.5 read units · US$ 0.0000016', '1 request · cost unknown', '2 requests · 0 read units · US$ 0')
    >>> cost(Cost(3, 12.5, None))  # no price is known, or the table is provisioned
    '3 requests · 12.5 read units'
    """
    requests = count(spent.requests, "request")
    if spent.read_units is None:
        return f"{requests} · cost unknown"
    units = f"{spent.read_units:,.1f}".removesuffix(".0")
    money = "" if spent.usd is None else f" · US$ {usd(spent.usd)}"
    return f"{requests} · {units} read {'unit' if units == '1' else 'units'}{money}"


def estimate(expected: Cost | None, settings: Settings) -> str:
    """What reading something is going to cost; `expected` is None where DynamoDB has not counted its size yet.

    >>> aws, demo = Settings.read({"BANDUP_SOURCE": "aws"}), Settings.read({})
    >>> estimate(Cost(1, 2.5), aws), estimate(None, demo)
    ('about 1 request · 2.5 read units · US$ 0.00000031', 'nothing in the demo')
    >>> estimate(None, aws)
    'what its size makes it, which DynamoDB has not counted yet (it does so about every six hours)'
    """
    if settings.source == "demo":
        return "nothing in the demo"
    if expected is None:
        return "what its size makes it, which DynamoDB has not counted yet (it does so about every six hours)"
    return f"about {cost(expected)}"


def usd(amount: float) -> str:
    """US dollars with two digits that say something.

    >>> usd(0.0000015625), usd(0.0), usd(1.5), usd(0.034)
    ('0.0000016', '0', '1.50', '0.034')
    """
    if amount == 0:
        return "0"
    if amount >= 1:
        return f"{amount:,.2f}"
    digits = 1 - math.floor(math.log10(amount))
    return f"{amount:.{digits}f}"


def size(octets: int) -> str:
    """A size in bytes.

    >>> size(512), size(2_000_000)
    ('512 bytes', '2.0 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("KB", 10**3)):
        if octets >= factor:
            return f"{octets / factor:,.1f} {unit}"
    return f"{octets} bytes"
