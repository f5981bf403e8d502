"""Links as somebody may write them: which filters there are, and what a time in one may be."""

import ast
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest

from ui.components import filters
from ui.jobs import incident, listing
from ui.shell import address
from ui.shell.clock import Clock
from ui.students import overview

ROOT = Path(__file__).parents[2]
CLOCK = Clock(datetime(2026, 3, 1, 12, tzinfo=UTC), ZoneInfo("Asia/Ho_Chi_Minh"))
WIDGETS = ("choice", "option", "number", "day", "switch", "search", "_amount")


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the address holds."""
    given: dict[str, str] = {}
    monkeypatch.setattr(address, "given", given.get)
    return given


def keys_of_filters() -> set[str]:
    """Every key that a filter's widget is called with, and the one that such a key is by default."""
    keys = set()
    for file in [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            values: list[ast.expr] = []
            if isinstance(node, ast.Call) and ast.unparse(node.func).removeprefix("filters.") in WIDGETS:
                values = [word.value for word in node.keywords if word.arg == "key"]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("filters.period", "filters.status"):
                values = node.args
            elif isinstance(node, ast.FunctionDef) and file.name == "filters.py":
                values = node.args.defaults
            keys |= {
                value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
            }
    return keys


def test_every_filter_is_one_that_links_may_hold_and_pages_pass_on() -> None:
    keys = keys_of_filters()
    assert {"period", "task", "since", "flag", "below", "jobs"} <= keys
    assert keys - set(address.KEYS) == set()


@pytest.mark.parametrize(
    "code", ["0001-01-01", "9999-12-31", "0001-01-01T00", "9999-12-31T23", "1999-12-31", "2028-01-01", "soon"]
)
def test_a_bar_of_no_plausible_year_is_none(code: str, link: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    remarks: list[str] = []
    monkeypatch.setattr(listing.markup, "show_beside", lambda *parts: remarks.extend(map(str, parts)))
    link["during"] = code
    assert listing._during(CLOCK) is None
    assert code in remarks[0]


@pytest.mark.parametrize("moment", ["00010101T000000", "00010102T000000", "19991231T235959", "20260301T120001"])
def test_no_incident_began_before_there_were_records_or_after_now(moment: str) -> None:
    assert incident.span(f"00000000-{moment}", CLOCK) is None


def test_an_incident_has_a_span_for_as_long_as_windows_reach_back() -> None:
    assert incident.span("00000000-20260301T115959", CLOCK)
    # With the day before it, 400 days at most: what is longer would be read anew at each look.
    assert incident.span("00000000-20250126T120000", CLOCK)
    assert incident.span("00000000-20250126T115959", CLOCK) is None
    assert incident.span("00000000-20000101T000000", CLOCK) is None


@pytest.mark.parametrize("amount", ["0", "0.5", "9", "9.5", "50", "180", "181", "-1", "x"])
def test_pages_that_set_the_rules_of_attention_and_pages_that_apply_them_read_them_alike(
    amount: str, link: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    widgets = SimpleNamespace(
        session_state={}, number_input=Mock(), toggle=lambda *_, key, **__: widgets.session_state[key]
    )
    monkeypatch.setattr(filters, "st", widgets)
    monkeypatch.setattr(filters.markup, "show", Mock())
    monkeypatch.setattr(overview, "st", SimpleNamespace(popover=lambda _: nullcontext()))
    for rule in ("below", "weakest", "away"):
        link.clear()
        link[rule] = amount
        assert overview.rules() == overview.rules_of_address()
