"""The frame of every page: navigation, title, source badge, error boundaries, and the footer that says what it cost."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from data.failures import Failure
from data.schema import EVALUATIONS, TABLES, Table
from data.settings import Settings, SettingsError
from data.store import Cost, Read
from ui import filters, formats, reads, text

log = logging.getLogger(__name__)

OVERVIEW = "pages/overview.py"
STUDENT = "pages/student.py"
EVALUATION = "pages/evaluation.py"
FLASHCARDS = "pages/flashcards.py"
JOBS = "pages/jobs.py"
AUDIT = "pages/audit.py"
SETUP = "pages/setup.py"

# Chromium still calls some zones by names that the people there do not use any more.
_NEW_NAMES = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Europe/Kiev": "Europe/Kyiv",
}

_FRAMED = "_framed"
_RETRIED = "_retried"
KEPT = "_kept_"
"""Session keys that begin so hold what was read from AWS; Refresh forgets them."""
# A DynamoDB key is at most 2,048 bytes (partition) or 1,024 (sort).
_LONGEST_ID = 1024


class Done(Exception):
    """Nothing more to show; the footer still is."""


def navigation(*, from_entrypoint: bool = True) -> StreamlitPage:
    """Declare the pages. A page that runs without the entrypoint (a deep link on a fresh server) declares them too."""
    if from_entrypoint:
        st.session_state[_FRAMED] = True
    return st.navigation(
        [
            st.Page(OVERVIEW, title="Overview", default=True),
            st.Page(STUDENT, title="Student", url_path="student"),
            st.Page(EVALUATION, title="Evaluation", url_path="evaluation"),
            st.Page(FLASHCARDS, title="Flashcards", url_path="flashcards"),
            st.Page(JOBS, title="Jobs", url_path="jobs"),
            st.Page(AUDIT, title="Audit", url_path="audit"),
            st.Page(SETUP, title="Setup", url_path="setup"),
        ]
    )


@dataclass(slots=True)
class Page:
    """One run of a page: its clock, and what it has read so far."""

    settings: Settings
    zone: ZoneInfo
    now: datetime
    _made: list[tuple[Any, tuple[Any, ...], Read[Any]]] = field(default_factory=list)
    _tried: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    _begun: dict[tuple[Any, tuple[Any, ...]], Any] = field(default_factory=dict)

    def ahead(self, *wanted: tuple[Any, ...]) -> None:
        """Begin reads of ui.reads, each with its arguments, side by side. `read` then finds what came of them."""
        # Where not even the client can be opened, that is said where it is read.
        with suppress(Failure):
            for cached, *args in wanted:
                if isinstance(cached, (reads.Shared, reads.Recent)):
                    self._begun[cached, tuple(args)] = cached.begin(*args)

    def read(self, cached: Callable[..., Read[Any]], *args: Any) -> Any:
        """The value of a read of ui.reads; its cost goes into the footer. May raise Failure."""
        # A fragment that reads again by itself for a day must not make this grow.
        if (cached, args) not in self._tried:
            self._tried.append((cached, args))
        begun = self._begun.pop((cached, args), None)
        answer = cached.wait(begun) if begun else cached(*args)  # type: ignore[attr-defined]
        self._made.append((cached, args, answer))
        for note in answer.notes:
            text.show(text.quiet(text.inline(note)))
        return answer.value

    def keep(self, answer: Read[Any]) -> None:
        """Count an answer that the session kept into the footer."""
        self._made.append((None, (), answer))

    def fresh(self) -> "Page":
        """The same page a while later, for a fragment that runs by itself: its clock and cost begin anew."""
        return replace(self, now=datetime.now(UTC), _made=[])

    def cost_line(self) -> None:
        """What has been read so far, what it cost and when that was."""
        answers = [answer for _, _, answer in self._made]
        if answers:
            spent = sum((answer.cost for answer in answers), Cost())
            local = min(answer.read_at for answer in answers).astimezone(self.zone)
            st.text(f"{formats.cost(spent)} · read {local:%H:%M} ({self.zone.key})")

    @property
    def source(self) -> str:
        """Which data is on screen, in words."""
        return _source(self.settings)

    @property
    def complete(self) -> bool:
        """Whether all that this page has read is whole."""
        return all(answer.complete for _, _, answer in self._made)

    def go(self, page: str, **ids: str) -> NoReturn:
        """Leave for another page; the filters travel along."""
        st.switch_page(page, query_params={**filters.carried(), **ids})

    def link(self, page: str, label: str, **ids: str) -> None:
        """A link to another page; the filters travel along."""
        st.page_link(page, label=label, query_params={**filters.carried(), **ids})

    def param(self, name: str) -> str | None:
        """A query parameter, None when it is not there or cannot be an id, which is then said."""
        values = st.query_params.get_all(name)
        if not values or not values[0]:
            return None
        if len(values) > 1:
            st.warning(f"The link has {name} more than once: the first one is used.")
        if len(values[0].encode(errors="replace")) > _LONGEST_ID:
            st.warning(f"The link's {name} is too long to be an id.")
            return None
        return values[0]

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the page that may fail without taking the rest along."""
        try:
            yield
        except Done:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: _panel logs it and tells the reader
            _panel(name, error)

    def student_rows(
        self, table: Table, cached: Callable[..., Read[pd.DataFrame]], user_id: str
    ) -> pd.DataFrame | None:
        """A student's rows of `table`. Without the index: what a scan would cost, and the rows only once accepted."""
        accepted = f"_scan_{table.variable}_{user_id}"
        try:
            rows: pd.DataFrame = self.read(cached, user_id)
        except Failure as failure:
            if failure.kind != "index_missing":
                raise
            if not st.session_state.get(accepted):
                self._offer_scan(table, failure, accepted)
                return None
        else:
            return rows
        scanned: pd.DataFrame = self.read(cached, user_id, True)
        st.info("Read from the whole table, because the index is missing. Setup can add it.")
        return scanned

    def _offer_scan(self, table: Table, failure: Failure, accepted: str) -> None:
        with st.container(border=True):
            st.text(str(failure))
            known = {f.name: f for f in reads.facts()}.get(self.settings.name(table))
            if known:
                cost = known.scan_cost
                st.text(
                    f"Reading the whole table once costs about {formats.cost(cost)}: {formats.size(known.size_bytes)}, "
                    "a size that DynamoDB refreshes about every six hours."
                )
            st.button("Read the whole table", key=f"{accepted}_button", on_click=_accept, args=(accepted,))

    def done(self) -> NoReturn:
        """Show nothing more but the footer."""
        raise Done

    def finish(self) -> None:
        """The footer: cost, time of reading, Refresh."""
        st.divider()
        with st.container(horizontal=True, vertical_alignment="center"):
            self.cost_line()
            st.button("Refresh", on_click=_refresh, args=(list(self._tried),), key="_refresh")


@contextmanager
def open_page(title: str) -> Iterator[Page]:
    """Open a page: every page's first statement. What fails inside becomes a panel, not a traceback."""
    st.set_page_config(page_title=f"{title} · BandUp", page_icon="📗", layout="wide")
    if not st.session_state.get(_FRAMED):
        # A deep link on a server that nobody has opened at “/” yet: Streamlit ran the page without the entrypoint.
        # Widgets drawn in such a run lose their first click, so nothing is drawn before the next run, which has it.
        navigation(from_entrypoint=False)
        if _RETRIED not in st.session_state:
            st.session_state[_RETRIED] = True
            st.rerun()
    try:
        settings = reads.settings()
    except SettingsError as error:
        st.title(title)
        st.error("The dashboard cannot start with these settings.")
        text.show(text.paragraph(str(error)))
        st.stop()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.title(title, anchor=False, width="content")
        text.show_small(_source(settings))
    page = Page(settings, reader_zone(), datetime.now(UTC))
    try:
        yield page
    except Done:
        pass
    except Exception as error:  # noqa: BLE001 - the boundary: _panel logs it and tells the reader
        _panel(title, error)
    page.finish()


def reader_zone() -> ZoneInfo:
    """The browser's time zone; UTC when it says none that we know."""
    told = st.context.timezone or "UTC"
    try:
        return ZoneInfo(_NEW_NAMES.get(told, told))
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def who() -> str:
    """Who is asking, for the log."""
    return str(st.user.to_dict().get("email") or "a user of the dashboard, not signed in")


def _source(settings: Settings) -> str:
    """Which data is on screen."""
    if settings.source == "demo":
        return "Demo: invented students, gone when the dashboard stops"
    tables = " · ".join(settings.name(table) for table in TABLES)
    if not settings.real_aws:
        return f"{settings.endpoint} · {tables}"
    try:
        known = reads.facts()[TABLES.index(EVALUATIONS)]
    except Failure:
        return f"AWS · account not known · {settings.region or 'region from the profile'} · {tables}"
    return f"AWS account {known.account} · {known.region} · {tables}"


def _panel(name: str, error: Exception) -> None:
    """What failed, why and what to do, in the place where it happened."""
    if isinstance(error, Failure):
        log.warning("%s: %s (request %s)", name, error.kind, error.request_id)
        message = f"{name} could not be shown. {error.what}"
        remedy = error.do
    else:
        log.exception("%s failed", name)
        message = f"{name} could not be shown, because of an error in the dashboard itself."
        remedy = "The log has the details. The rest of the page is not affected."
    with st.container(border=True):
        st.text(f"⚠ {message}")
        st.text(remedy)


def forget() -> None:
    """Forget what this session has read from AWS and kept, so that it is read anew."""
    for kept in [name for name in st.session_state if str(name).startswith(KEPT)]:
        del st.session_state[kept]


def _accept(key: str) -> None:
    st.session_state[key] = True


def _refresh(tried: list[tuple[Any, tuple[Any, ...]]]) -> None:
    """Forget what this page had read, so that the next run reads it again."""
    for cached, args in tried:
        cached.clear(*args)
    reads.forget()
    forget()
