"""The widgets of the filters. Each takes its value from the address and writes a change back before the next run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import streamlit as st

from data.schema import COMPLETED, FAILED, PROCESSING
from ui.components import markup
from ui.shell import address
from wording import foreign_text
from wording.skills import ALL_SKILLS, SKILL_NAMES

T = TypeVar("T")

ALL = "all"

ROWS = 50
"""Rows of a table on screen: what is longer has pages, and a file with all of it."""
STUDENTS_PAGE, ISSUES_PAGE = "page", "issues"
_PAGES = {STUDENTS_PAGE, ISSUES_PAGE}
"""Keys of the pages of long lists: one for each list, since filters travel to others."""
LONGEST_DAYS = 365
_PERIODS = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "12m": ("12 months", LONGEST_DAYS)}
_TASKS = {"1": "Task 1", "2": "Task 2"}
_STATUSES = {COMPLETED: "Completed", PROCESSING: "Waiting", FAILED: "Failed"}
_FIRST_DAY = date(2000, 1, 1)  # before 2000


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now; `days` is None for all there is."""

    name: str
    days: int | None

    def first(self, now: datetime) -> datetime | None:
        """When it begins."""
        return None if self.days is None else now - timedelta(days=self.days)


def period(key: str = "period") -> Period:
    """A choice of periods, `?period=`."""
    code = choice("Period", {code: name for code, (name, _) in _PERIODS.items()}, key=key, default="30d")
    return Period(*_PERIODS[code])


def period_of_address() -> Period:
    """The list's period, for a page that only applies it."""
    return Period(*_PERIODS.get(address.value("period"), _PERIODS["30d"]))


def since() -> Period:
    """A choice of periods or all there is, `?since=`."""
    periods: dict[str, tuple[str, int | None]] = {**_PERIODS, ALL: ("All", None)}
    code = choice("Period", {code: name for code, (name, _) in periods.items()}, key="since", default=ALL)
    return Period(*periods[code])


def skill() -> str | None:
    """A choice of skill, `?skill=`; None for all."""
    code = choice("Skill", {ALL: ALL_SKILLS, **SKILL_NAMES}, key="skill", default=ALL)
    return None if code == ALL else code


def task() -> int | None:
    """A choice of Writing task, `?task=`; None for both."""
    code = choice("Writing task", {ALL: "All", **_TASKS}, key="task", default=ALL)
    return None if code == ALL else int(code)


def task_of_address() -> str | None:
    """What the choice of Writing tasks calls the one in the address; None for both."""
    return _TASKS.get(address.value("task"))


def status(key: str = "status") -> str | None:
    """A choice of status, `?status=`; None for all."""
    code = choice("Status", {ALL: "All", **_STATUSES}, key=key, default=ALL)
    return None if code == ALL else code


def status_name(status: str | None) -> str | None:
    """What the choice of statuses calls one; None for all."""
    return status and _STATUSES[status]


def choice(label: str, names: Mapping[str, str], *, key: str, default: str, is_labelled: bool = True) -> str:
    """One of `names` (code in the address -> our own words)."""
    code = _one_of(names, label, key, default)
    st.segmented_control(
        label,
        list(names),
        format_func=lambda code: names.get(code, code),
        key=key,
        required=True,
        wrap=True,
        label_visibility="visible" if is_labelled else "collapsed",
        on_change=_write,
        args=(key, default),
    )
    return code


def option(
    label: str, names: Mapping[str, str], *, key: str, default: str, explain: str | None = None, width: int = 220
) -> str:
    """One of `names`, which may be many or the words of others: the list shows them literally."""
    code = _one_of(names, label, key, default)
    # A class may be called "All": of two alike, Streamlit would take the second for the first.
    labels = dict(zip(names, foreign_text.numbered(map(foreign_text.visible, names.values())), strict=True))
    st.selectbox(
        label,
        list(names),
        format_func=lambda code: labels.get(code, code),
        key=key,
        help=explain,
        on_change=_write,
        args=(key, default),
        width=width,
    )
    return code


def number(label: str, *, key: str, default: float, step: float, most: float, explain: str) -> float:
    """A number from 0 to `most`."""
    value = _value(
        key,
        default,
        lambda text: address.number(text, most),
        f"The link's {label.lower()} “{{}}” is no number up to {most:g}.",
    )
    st.number_input(
        label,
        min_value=0.0,
        max_value=float(most),
        step=float(step),
        format="%g",
        key=key,
        help=explain,
        on_change=_write,
        args=(key, default),
        width=220,
    )
    return value


def day(label: str, *, key: str, default: date) -> date:
    """A date since 2000, written out also where it is the default, which moves on."""
    last = default + timedelta(days=366)
    value = _value(
        key,
        default,
        lambda text: address.day(text, _FIRST_DAY, last),
        f"The link's {label.lower()} “{{}}” is no date between {_FIRST_DAY:%Y} and {last:%Y}.",
    )
    st.date_input(
        label,
        min_value=_FIRST_DAY,
        max_value=last,
        key=key,
        on_change=_write,
        args=(key, None),
        required=True,
        format="YYYY-MM-DD",
    )
    return value


def switch(label: str, *, key: str, default: bool = False, explain: str | None = None) -> bool:
    """An on/off switch."""
    _value(key, default, {"on": True, "off": False}.get, f"The link's “{label}” is “{{}}”, neither on nor off.")
    return st.toggle(label, key=key, help=explain, on_change=_write, args=(key, default))


def page(rows: int, key: str = STUDENTS_PAGE) -> range:
    """Which of so many rows are on screen: all, or those of one page, which the reader turns."""
    pages = -(-rows // ROWS)
    if pages < 2:
        return range(rows)
    number, text = address.read(key, 1, _page_number)
    if text:
        markup.show(markup.quiet(f"The link's page “{text}” is no page."))
    number = min(number, pages)
    st.session_state[key] = number
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pagination(pages, key=key, on_change=_write, args=(key, 1))
        st.text(f"{(number - 1) * ROWS + 1:,}–{min(rows, number * ROWS):,} of {rows:,}")
    return range((number - 1) * ROWS, min(rows, number * ROWS))


def _page_number(text: str) -> int | None:
    # Python refuses to read a number of thousands of digits.
    return int(text) or None if text.isdecimal() and len(text) < 8 else None


def search(label: str, example: str, *, key: str) -> str:
    """Free text, cut to 200 characters. `example` is what somebody might look for."""
    st.session_state[key] = address.value(key)
    return st.text_input(
        label,
        key=key,
        type="search",
        placeholder=f"e.g. {example}",
        max_chars=address.LONGEST,
        on_change=_write,
        args=(key, ""),
    ).strip()


def clear(*keys: str) -> None:
    """A button that sets these filters back, where one of them is on."""
    if any(address.value(key) for key in keys):
        st.button("Clear filters", type="tertiary", key="_clear", on_click=_clear, args=keys)


def _clear(*keys: str) -> None:
    address.put(**dict.fromkeys((*keys, *_PAGES), ""))


def _one_of(names: Mapping[str, str], label: str, key: str, default: str) -> str:
    problem = f"The link asks for {label.lower()} “{{}}”, which there is not."
    return _value(key, default, lambda text: text if text in names else None, problem)


def _value(key: str, default: T, parse: Callable[[str], T | None], problem: str) -> T:
    """What the widget `key` shows: the address's value. Says so where that cannot be used."""
    value, text = address.read(key, default, parse)
    if text:
        markup.show(markup.quiet(problem.format(text)))
    st.session_state[key] = value
    return value


def _write(key: str, default: str | bool | float | None) -> None:
    text = address.text_of(st.session_state[key], default)
    # Other rows: from their first page on. Both at once, so that Back leads to what was on screen.
    address.put(**dict.fromkeys(() if key in _PAGES else _PAGES, "") | {key: text})
