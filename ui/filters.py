"""What the reader chose, kept in the URL so that a copied link shows the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import streamlit as st

from data.schema import SPEAKING, WRITING
from ui import text

_DAYS = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "12m": ("12 months", 365)}
ALL = "all"


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now; `days` is None for all there is."""

    name: str
    days: int | None

    def first(self, now: datetime) -> datetime | None:
        """When it begins."""
        return None if self.days is None else now - timedelta(days=self.days)


def period(*, with_all: bool) -> Period:
    """A choice of periods, `?period=`."""
    names = {code: name for code, (name, _) in _DAYS.items()} | ({ALL: "All"} if with_all else {})
    code = choice("Period", names, key="period", default=ALL if with_all else "30d")
    return Period(names[code], _DAYS[code][1] if code in _DAYS else None)


def skill() -> str | None:
    """A choice of skill, `?skill=`; None for both."""
    code = choice("Skill", {ALL: "Both", WRITING: "Writing", SPEAKING: "Speaking"}, key="skill", default=ALL)
    return None if code == ALL else code


def status() -> str | None:
    """A choice of status, `?status=`; None for all."""
    names = {ALL: "All", "completed": "Completed", "processing": "Waiting", "failed": "Failed"}
    code = choice("Status", names, key="status", default=ALL)
    return None if code == ALL else code


def choice(label: str, names: Mapping[str, str], *, key: str, default: str) -> str:
    """One of `names` (code -> what the reader sees), in the URL as `?key=code`. Says so when a link asks for another."""
    _say_unknown(label, names, key)
    chosen = st.segmented_control(
        label,
        list(names),
        format_func=lambda code: names.get(code, code),
        key=key,
        default=default,
        required=True,
        bind="query-params",
    )
    # The browser sends what it likes.
    return chosen if chosen in names else default


def search(label: str, key: str) -> str:
    """Free text, in the URL as `?key=`."""
    return st.text_input(label, key=key, bind="query-params", type="search", live=True, max_chars=200).strip()


def switch(label: str, *, key: str) -> bool:
    """An on/off switch, in the URL as `?key=true`."""
    return st.toggle(label, key=key, bind="query-params")


def student_finder() -> str | None:
    """A box for a student's exact id; the id once it was entered."""
    return id_finder(
        "Find a student by id",
        "such as user-456",
        "The exact id (user_id). It works for every student, also for one who was not active lately.",
    )


def id_finder(label: str, example: str, explain: str | None = None) -> str | None:
    """A box for an exact id; the id once it was entered."""
    with st.form("find", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input(label, placeholder=example, help=explain, max_chars=1024, width=320)
        sent = st.form_submit_button("Open")
    return typed.strip() if sent and typed.strip() else None


def _say_unknown(label: str, names: Mapping[str, str], key: str) -> None:
    asked: Sequence[str] = [value for value in st.query_params.get_all(key) if value not in names.values()]
    if unknown := [value for value in asked if value not in names]:
        shown = unknown[0] if len(unknown[0]) <= 60 else unknown[0][:60] + "…"
        text.show(text.quiet(text.inline(f"The link asks for {label.lower()} “{shown}”, which there is not.")))
