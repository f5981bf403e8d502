"""The address of a page: filters and ids, so that a copied link shows the same.

It is the only truth: a widget takes its value from there on every run and writes a change back before the next.
(Streamlit's own bind="query-params" drops unknown values in silence, and forbids giving the filters to a page switch,
so that Back would lose them.)
"""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

import streamlit as st

from ui.components import markup
from wording import foreign_text

T = TypeVar("T")

# Every filter's key, distinct on every page, so that all of them can travel along (see carried).
KEYS = (
    *("period", "since", "skill", "task", "status", "sets", "cards"),
    *("jobs", "from", "to", "kind", "state", "model", "student", "error", "reason", "text", "during", "list", "again"),
    *("audit", "finding"),
    *("class", "of", "flag", "away", "below", "weakest", "falling", "lost", "group", "says", "lesson", "beside"),
    *("page", "issues"),
)
# What else a link may hold: which record, whose, which two.
IDS = ("user_id", "evaluation_id", "set_id", "a", "b", "job_id", "table", "incident")
OPENING = "opening"
"""What `navigation.go` adds, and `history.js` takes out of the address again: a token of one opening of a page."""
LONGEST = 200
"""Characters of a filter."""
_LONGEST_ID = 1024  # bytes of a sort key; a partition key may have twice as many
_MOST_REMARKS = 5  # on what the dashboard does not know
_TABLES = ("evaluations", "flashcards")


def carried() -> dict[str, list[str]]:
    """The filters, for links and page switches to take along: coming back, the reader finds them again."""
    held = set(st.query_params)  # asked for once: every row of a list carries them
    return {key: [value(key)] for key in KEYS if key in held}


def given(key: str) -> str | None:
    """A filter or an id as it stands there, the first of several; None when there is none."""
    values = st.query_params.get_all(key)
    return values[0] if values else None


def value(key: str) -> str:
    """A filter; empty when there is none."""
    return (given(key) or "")[:LONGEST]


def read(key: str, default: T, parse: Callable[[str], T | None]) -> tuple[T, str]:
    """A filter as a value; the default, and the text, where the address holds one that cannot be parsed."""
    text = given(key)
    value = parse(text) if text else default
    return (default, foreign_text.short(text or "", 60)) if value is None else (value, "")


def text_of(value: object, default: object) -> str:
    """How the address has a filter's value; empty for the default and None, which it leaves out.

    >>> text_of(0.5, 1.0), text_of(True, False), text_of("all", "all"), text_of(None, 1)
    ('0.5', 'on', '', '')
    """
    if value == default or value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def number(text: str, most: float) -> float | None:
    """A number from 0 to `most`; None for anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= most else None


def day(text: str, first: date, last: date) -> date | None:
    """A date such as 2026-03-01; None for anything else."""
    try:
        value = date.fromisoformat(text)
    except ValueError:
        return None
    return value if first <= value <= last else None


def id_of(key: str) -> str | None:
    """An id; None when it is not there or cannot be one, which is then said."""
    text = given(key)
    if not text:
        return None
    if not may_be_id(text, is_sort_key=key == "user_id"):
        markup.show(markup.paragraph(f"The link's {key} is too long to be an id."))
        return None
    return text


def may_be_id(text: str, *, is_sort_key: bool = False) -> bool:
    """Whether DynamoDB takes a text so long as a key; user ids are sort keys, the others may be partition keys."""
    return len(text.encode(errors="replace")) <= (_LONGEST_ID if is_sort_key else 2 * _LONGEST_ID)


def put(**values: str) -> None:
    """Set filters and ids, an empty one goes: all as one entry of the browser's history."""
    before = {key: st.query_params.get_all(key) for key in st.query_params}
    after = {key: texts for key, texts in before.items() if values.get(key, " ")}
    after |= {key: [text] for key, text in values.items() if text}
    if after != before:
        st.query_params.from_dict(after)


def remarks() -> None:
    """Say what in the link cannot be used as it is, whatever page it leads to: a sentence each."""
    ours = [key for key in st.query_params if key in KEYS or key in IDS]
    others = [foreign_text.short(key, 60) for key in st.query_params if key not in (*ours, OPENING)]
    sentences = [f"The link holds “{key}”, which the dashboard does not know." for key in others[:_MOST_REMARKS]]
    for key in ours:
        if len(st.query_params.get_all(key)) > 1:
            sentences.append(f"The link has {key} more than once: the first one is used.")
        if key in KEYS and len(given(key) or "") > LONGEST:
            sentences.append(f"The link's {key} is too long: at most its first {LONGEST} characters are used.")
    if (table := given("table")) and table not in _TABLES:
        sentences.append(f"The link asks for table “{foreign_text.short(table, 60)}”, which there is not.")
    for sentence in sentences:
        markup.show(markup.quiet(sentence))
