"""The frame of every page: navigation, title, source badge, error boundaries, and the footer that says what it cost."""

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from analysis.phrases import Found
from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Cost, Read, TableFacts
from data.roster import Roster, RosterError, Student
from data.schema import EVALUATIONS, TABLES, Table
from data.settings import Settings, SettingsError
from ui import reads
from ui.components import filters, markup
from ui.shell import access
from ui.shell.access import Refused, Visitor
from wording import formats

log = logging.getLogger(__name__)

OVERVIEW = "pages/overview.py"
STUDENT = "pages/student.py"
EVALUATION = "pages/evaluation.py"
COMPARE = "pages/compare.py"
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

ROSTER = "_roster"
"""Session key of the roster that was uploaded for this visit."""
_FRAMED = "_framed"
_RETRIED = "_retried"
KEPT = "_kept_"
"""Session keys that begin so hold what was read from AWS; Refresh forgets them."""
# A DynamoDB key is at most 2,048 bytes (partition) or 1,024 (sort).
_LONGEST_ID = 1024
_BADGE_SECONDS = 5


class Done(Exception):
    """Nothing more to show; the footer still is."""


def navigation(*, from_entrypoint: bool = True) -> StreamlitPage:
    """Declare the pages. A page that runs without the entrypoint (a deep link on a fresh server) declares them too.

    What the visitor may not open is not in the menu. Its address still works, and the page itself refuses.
    """
    if from_entrypoint:
        st.session_state[_FRAMED] = True
    try:
        visitor = access.current()
    except Refused:
        visitor = None
    return st.navigation(
        [
            st.Page(OVERVIEW, title="Overview", default=True),
            st.Page(STUDENT, title="Student", url_path="student"),
            st.Page(EVALUATION, title="Evaluation", url_path="evaluation"),
            # Links lead there, from where it is known what to compare.
            st.Page(COMPARE, title="Compare", url_path="compare", visibility="hidden"),
            st.Page(FLASHCARDS, title="Flashcards", url_path="flashcards"),
            st.Page(JOBS, title="Jobs", url_path="jobs"),
            st.Page(AUDIT, title="Audit", url_path="audit"),
            st.Page(SETUP, title="Setup", url_path="setup", visibility="visible" if _is_ops(visitor) else "hidden"),
        ],
        position="sidebar" if visitor else "hidden",
    )


@dataclass(slots=True)
class Page:
    """One run of a page: its clock, and what it has read so far."""

    settings: Settings
    zone: ZoneInfo
    now: datetime
    visitor: Visitor
    _made: list[tuple[Any, tuple[Any, ...], Read[Any]]] = field(default_factory=list)
    _tried: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    _looked: list[tuple[Any, tuple[Any, ...]]] = field(default_factory=list)
    _begun: dict[tuple[Any, tuple[Any, ...]], "reads.Answer | Exception"] = field(default_factory=dict)

    def ahead(self, *wanted: tuple[Any, ...]) -> None:
        """Ask for reads of ui.reads, each with its arguments, side by side; `read` then finds what came of them."""
        for (cached, *args), outcome in zip(wanted, reads.ask_ahead(wanted), strict=True):
            self._try(cached, tuple(args))
            self._begun[cached, tuple(args)] = outcome

    def read(self, cached: Callable[..., Read[Any]], *args: Any) -> Any:
        """The value of a read of ui.reads, as far as the visitor may see it; its cost goes into the footer.

        May raise Failure.
        """
        return self.answer(cached, *args).value

    def answer(self, cached: Callable[..., Read[Any]], *args: Any) -> Read[Any]:
        """The same with its time and cost.

        What is kept for all visitors is what was read; what each may see is taken from it here.
        """
        self._try(cached, args)
        asked = self._begun.pop((cached, args), None) or reads.ask(cached, *args)
        if isinstance(asked, Exception):
            raise asked
        answer = asked.read
        if asked.failure:
            self.tell_older(answer, asked.failure)
        self._made.append((cached, args, answer))
        for note in answer.notes:
            markup.show(markup.quiet(markup.inline(note)))
        return answer.map(self.only_seen)

    def _try(self, cached: Callable[..., Read[Any]], args: tuple[Any, ...]) -> None:
        """Let Refresh read this again, whatever comes of it."""
        if (cached, args) not in self._tried:
            self._tried.append((cached, args))

    @property
    def roster(self) -> Roster:
        """The roster uploaded for this visit, or the server's; an empty one when that cannot be used."""
        uploaded: Roster | None = st.session_state.get(ROSTER)
        if uploaded is not None:
            return uploaded
        try:
            server = reads.class_list()
        except RosterError as error:
            log.warning("%s", error)
            return Roster()
        # Whoever is limited to some classes shall not see the names of the others.
        return server if self.visitor.classes is None else server.only(self.visitor.classes)

    def student(self, user_id: str) -> Student:
        """What the roster says of a student."""
        return self.roster.student(user_id)

    def called(self, user_id: str) -> str:
        """A student's name with the id, or the id alone."""
        name = self.student(user_id).name
        return f"{name} ({user_id})" if name else user_id

    def tell_older(self, answer: Read[Any], failure: Failure) -> None:
        """Say that an answer is an older one, how old, and why there is no fresh one."""
        reads.sign_in_anew(failure)
        when = f"{answer.read_at.astimezone(self.zone):%H:%M} ({self.zone.key})"
        with st.container(border=True):
            st.text(
                f"⚠ Not up to date: this was read at {when}, {formats.ago(answer.read_at, self.now)}. "
                f"Reading it afresh failed. {failure.what}"
            )
            st.text(failure.do)

    def may_see(self, user_id: object) -> bool:
        """Whether the visitor may see this student's work."""
        return self.visitor.may_see(user_id, Roster() if self.visitor.classes is None else _server_roster())

    def require(self, user_id: str) -> None:
        """Show nothing of a student whose work the visitor may not see, but why. Before anything of theirs is read."""
        if not self.may_see(user_id):
            markup.show(markup.paragraph(f"“{user_id}” is not in a class of yours, so there is nothing to see here."))
            self.done()

    def only_seen(self, value: Any) -> Any:
        """What the visitor may see of rows with a user_id, of a record, of several, or of a dict by Key."""
        if self.visitor.classes is None or value is None:
            return value
        if isinstance(value, pd.DataFrame):
            return value[value["user_id"].map(self.may_see).astype(bool)].reset_index(drop=True)
        if isinstance(value, dict):
            return {key: kept for key, kept in value.items() if self.may_see(key.user_id)}
        if isinstance(value, list):
            return [record for record in value if self.may_see(record.user_id)]
        if isinstance(value, Found):  # phrases of records whose keys were of students that the visitor may see
            return value
        # Anything else must be one record: what says nothing of a student cannot be held against the classes.
        return value if self.may_see(value.user_id) else None

    def keep(self, answer: Read[Any]) -> None:
        """Count an answer that the session kept into the footer."""
        self._made.append((None, (), answer))

    def fresh(self) -> "Page":
        """The same page a while later, for a fragment that runs by itself: its clock and cost begin anew."""
        # Refresh covers what the last look has read. One that looks again for a day must not make the list grow.
        self._looked.clear()
        return replace(self, now=datetime.now(UTC), visitor=recheck(), _made=[], _tried=self._looked)

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
        said = filters.given(name)
        if not said:
            return None
        # User ids are sort keys, the others may be partition keys.
        if len(said.encode(errors="replace")) > (_LONGEST_ID if name == "user_id" else 2 * _LONGEST_ID):
            markup.show(markup.paragraph(f"The link's {name} is too long to be an id."))
            return None
        return said

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """A part of the page that may fail without taking the rest along."""
        try:
            # A fragment that runs by itself has no limit around it yet.
            with budget.limited():
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
        access.require_ops("read a whole table")
        scanned: pd.DataFrame = self.read(cached, user_id, True)
        st.info("Read from the whole table, because the index is missing. Setup can add it.")
        return scanned

    def _offer_scan(self, table: Table, failure: Failure, accepted: str) -> None:
        with st.container(border=True):
            st.text(str(failure))
            if not self.visitor.is_ops:
                st.text("Reading the whole table instead is for ops.")
                return
            st.text(f"Reading the whole table once costs {self.scan_cost(reads.facts(table))}.")
            st.button("Read the whole table", key=f"{accepted}_button", on_click=_accept, args=(accepted,))

    def scan_cost(self, facts: TableFacts) -> str:
        """What reading the whole table once costs, in words."""
        if self.settings.source == "demo":
            return "nothing in the demo"
        if not facts.size_bytes:
            return (
                "what its size makes it cost, and DynamoDB has not counted that yet (it does so about every six hours)"
            )
        return (
            f"about {formats.cost(facts.scan_cost)}: {formats.size(facts.size_bytes)}, a size that DynamoDB refreshes "
            "about every six hours"
        )

    def done(self) -> NoReturn:
        """Show nothing more but the footer."""
        raise Done

    def finish(self) -> None:
        """The footer: cost, time of reading, Refresh."""
        st.divider()
        with st.container(horizontal=True, vertical_alignment="center"):
            self.cost_line()
            st.button("Refresh", on_click=_refresh, args=(self._tried, self._looked), key="_refresh")


@contextmanager
def open_page(title: str, *, for_ops: bool = False) -> Iterator[Page]:
    """Open a page: every page's first statement. What fails inside becomes a panel, not a traceback.

    Whoever may not see it gets a sentence, and nothing is read.
    """
    st.set_page_config(page_title=f"{title} · BandUp", page_icon="📗", layout="wide")
    if not st.session_state.get(_FRAMED):
        # A deep link on a server that nobody has opened at “/” yet: Streamlit ran the page without the entrypoint.
        # Widgets drawn in such a run lose their first click, so nothing is drawn before the next run, which has it.
        navigation(from_entrypoint=False)
        if _RETRIED not in st.session_state:
            st.session_state[_RETRIED] = True
            st.rerun()
    try:
        visitor = access.current()
        _named(visitor)
        if for_ops:
            visitor.require_ops(f"open {title}")
        settings = reads.settings()
        if visitor.classes is not None:
            _server_roster()
    except Refused as refused:
        _refuse(title, refused)
    except SettingsError as error:
        st.title(title)
        st.error("The dashboard cannot start with these settings.")
        markup.show(markup.paragraph(str(error)))
        st.stop()
    with budget.limited():
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.title(title, anchor=False, width="content")
            markup.show_small(_source(settings))
        page = Page(settings, reader_zone(), datetime.now(UTC), visitor)
        filters.remarks()
        try:
            reads.start()
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


def recheck() -> Visitor:
    """The visitor as of now, for fragments, which run without open_page: where it would refuse, the page runs again."""
    try:
        return access.current()
    except Refused:
        st.rerun()


def _refuse(title: str, refused: Refused) -> NoReturn:
    """A sentence instead of the page, what would help, and the end of the run."""
    st.title(title, anchor=False)
    markup.show(markup.paragraph(str(refused)))
    if refused.way == "sign in":
        st.text("After that you are at the overview; if a link brought you here, open it again.")
        if st.button("Sign in", key="sign_in"):
            st.login()
    elif refused.way == "sign out":
        st.button("Sign out", on_click=access.sign_out, key="sign_out")
    st.stop()


def _named(visitor: Visitor) -> None:
    """Who is signed in, and the way out."""
    if visitor.email is None:
        return
    with st.sidebar:
        markup.show(markup.quiet(markup.inline(f"{visitor.email}, {visitor.described}")))
        st.button("Sign out", on_click=access.sign_out, key="sign_out")


def _is_ops(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.is_ops


def _server_roster() -> Roster:
    """The roster of whoever runs the dashboard; Refused when it cannot be read, because classes are told from it."""
    try:
        return reads.class_list()
    except RosterError as error:
        log.warning("The roster cannot be used: %s", error)
        raise Refused("You may see some classes, but the roster that names their students cannot be read.") from error


def _source(settings: Settings) -> str:
    """Which data is on screen."""
    if settings.source == "demo":
        return "Demo: invented students, gone when the dashboard stops"
    tables = " · ".join(settings.name(table) for table in TABLES)
    if not settings.real_aws:
        return f"{settings.endpoint} · {tables}"
    try:
        # Short, because nothing else is shown before.
        with budget.limited(_BADGE_SECONDS):
            known = reads.facts(EVALUATIONS)
    except Failure:
        return f"AWS · account not known · {settings.region or 'region from the profile'} · {tables}"
    return f"AWS account {known.account} · {known.region} · {tables}"


def _panel(name: str, error: Exception) -> None:
    """What failed, why and what to do, in the place where it happened."""
    if isinstance(error, Refused):
        message, remedy = str(error), "Nothing was changed."
    elif isinstance(error, Failure):
        log.warning("%s: %s (request %s)", name, error.kind, error.request_id or "none")
        reads.sign_in_anew(error)
        message = f"{name} could not be shown. {error.what}"
        remedy = error.do
    else:
        # What an exception says may quote a student's work, so the log has its kind and its place.
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s failed with %s:\n%s", name, type(error).__name__, trace)
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


def _refresh(*tried: list[tuple[Any, tuple[Any, ...]]]) -> None:
    """Forget what this page had read, so that the next run reads it again."""
    for cached, args in chain(*tried):
        reads.ask_again(cached, *args)
    reads.forget()
    forget()
