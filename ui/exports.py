"""Files to take away: tables as CSV that say where they are from, and that no spreadsheet takes for formulas."""

import io
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from ui import formats

# What makes a spreadsheet take a cell for a formula, https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv(
    rows: pd.DataFrame,
    what: str,
    *,
    period: str,
    zone: ZoneInfo,
    source: str,
    made: datetime,
    complete: bool,
) -> bytes:
    """A table as CSV in UTF-8 with a byte order mark, which Excel needs to take it for UTF-8.

    Five lines that begin with “#” come first: what it is and how many rows, period, time zone, source, and whether it
    is complete or truncated. Then the names of the columns, then the rows. Times are local ISO 8601 with offset,
    unknown values are empty. A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers
    stay numbers.
    """
    about = {
        what: formats.count(len(rows), "row"),
        "Period": period,
        "Time zone": f"{zone.key}, made {made.astimezone(zone).isoformat(timespec='seconds')}",
        "Source": source,
        "Complete": "yes" if complete else "no: truncated, there are more records than were read",
    }
    buffer = io.StringIO(newline="")
    pd.DataFrame({"line": [f"# {name}: {value}" for name, value in about.items()]}).to_csv(
        buffer, index=False, header=False, lineterminator="\r\n"
    )
    safe = pd.DataFrame({n: _column(rows.iloc[:, n], zone) for n in range(rows.shape[1])}, index=rows.index)
    safe.to_csv(buffer, index=False, header=[literal(str(name)) for name in rows.columns], lineterminator="\r\n")
    return buffer.getvalue().encode("utf-8-sig", "replace")


HEAD = 5
"""Lines before the names of the columns: what `pandas.read_csv` takes as skiprows."""


def literal(text: str) -> str:
    """The text so that a spreadsheet shows it instead of computing it.

    >>> literal("=1+1"), literal("-"), literal("7.0"), literal("")
    ("'=1+1", "'-", '7.0', '')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def file_name(what: str, codes: Mapping[str, str], made: datetime) -> str:
    """A name that tells the file from others, from letters that every system takes.

    >>> file_name("audit", {"period": "30d", "kind": "a:b/c"}, datetime(2026, 3, 1, 9, 5))
    'audit-30d-a-b-c-20260301-0905.csv'
    """
    parts = [what, *codes.values(), f"{made:%Y%m%d-%H%M}"]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in "-".join(parts))
    return f"{'-'.join(part for part in kept.split('-') if part)[:150]}.csv"


def _column(values: pd.Series, zone: ZoneInfo) -> pd.Series:
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        local = values.dt.tz_convert(zone.key)
        shown = ["" if pd.isna(moment) else moment.isoformat(timespec="seconds") for moment in local]
    else:
        shown = ["" if pd.isna(value) else literal(str(value)) for value in values]
    return pd.Series(shown, index=values.index, dtype="object")
