"""The frame of every page: navigation, title, source badge, error boundaries, and the footer that says what it cost."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, NoReturn, ParamSpec, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st
from streamlit.navigation.page import StreamlitPage

from data.dynamodb import budget
from data.dynamodb.errors import Failure
from data.dynamodb.store import Read, TableFacts
from data.roster import Roster, RosterError, Student
from data.schema import EVALUATIONS, TABLES, Table
from data.settings import Settings, SettingsError
from queries import source
from queries.cache import FRESH, Query
from queries.gate import Gate, Refused, Visitor
from queries.session import Question, Session, cache
from ui.components import filters, markup
from ui.shell import sign_in
from ui.shell.sign_in import Request
from wording import formats

P = ParamSpec("P")
T = TypeVar("T")

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

NOT_SHOWN = "could not be shown"
"""What is said of a part that failed."""
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
        visitor = sign_in.current()
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
    """One run of a page: its clock, who it is for, and what it has read so far."""

    settings: Settings
    zone: ZoneInfo
    now: datetime
    request: Request
    session: Session
    is_fragment: bool = False
    _looked: list[Question] = field(default_factory=list)
    """What the last look of a fragment has asked; Refresh covers it. It must not grow with each look of a day."""

    @property
    def visitor(self) -> Visitor:
        """Who is looking."""
        return self.session.gate.visitor

    def ahead(self, *questions: Question, within: timedelta = FRESH) -> None:
        """Ask several queries, each with its arguments, side by side; `read` then finds what came of them."""
        with self._loading(all(self.session.has_fresh(*question, within=within) for question in questions)):
            self.session.ahead(*questions, within=within)

    def read(self, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The value of a query, as far as the visitor may see it; its cost goes into the footer. May raise Failure."""
        return self.answer(asked, *args, **kwargs).value

    def read_part(self, name: str, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """The value of a query in a part of its own; None where it fails, which is said there."""
        value: T | None = None
        with self.part(name):
            value = self.read(asked, *args, **kwargs)
        return value  # noqa: RET504 - where the part fails, its block has not come to an end

    def answer(self, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Read[T]:
        """The same with its time and cost."""
        return self.answer_within(FRESH, asked, *args, **kwargs)

    def answer_within(self, within: timedelta, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Read[T]:
        """The same, read again where it is not younger than `within`."""
        with self._loading(self.session.has_fresh(asked, *args, within=within)):
            answer = self.session.answer_within(within, asked, *args, **kwargs)
        # What the reader must know of it: that it is an older one, and why; that it is cut.
        if answer.failure:
            self.tell_older(answer.read, answer.failure)
        for note in answer.read.notes:
            markup.show(markup.quiet(markup.inline(note)))
        return answer.read

    def _loading(self, is_there: bool) -> AbstractContextManager[None]:
        """A sign that something is being read; none for what is there already."""
        return nullcontext() if is_there else st.spinner("Reading from DynamoDB…", show_time=True)

    @property
    def roster(self) -> Roster:
        """The roster uploaded for this visit, or the server's; an empty one when that cannot be used."""
        uploaded: Roster | None = st.session_state.get(ROSTER)
        if uploaded is not None:
            return uploaded
        try:
            server = source.class_list()
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
        source.reopen_after(failure)
        when = f"{answer.read_at.astimezone(self.zone):%H:%M} ({self.zone.key})"
        with st.container(border=True):
            st.text(
                f"⚠ Not up to date: this was read at {when}, {formats.ago(answer.read_at, self.now)}. "
                f"Reading it afresh failed. {failure.what}"
            )
            st.text(failure.do)

    def may_see(self, user_id: object) -> bool:
        """Whether the visitor may see this student's work."""
        return self.session.gate.admits(user_id)

    def require(self, user_id: str) -> None:
        """Show nothing of a student whose work the visitor may not see, but why. Before anything of theirs is read."""
        if not self.may_see(user_id):
            markup.show(markup.paragraph(f"“{user_id}” is not in a class of yours, so there is nothing to see here."))
            self.done()

    def only_seen(self, value: Any) -> Any:
        """What the visitor may see of rows with a user_id, of a record, of several, or of a dict by Key."""
        return self.session.gate.filter(value)

    def keep(self, read: Read[Any]) -> None:
        """Count what the session has kept into the footer."""
        self.session.count(read)

    def fresh(self) -> "Page":
        """The same page a while later, for a fragment that runs by itself: it asks again who may look, and its clock
        and cost begin anew."""
        gate = recheck()
        self._looked.clear()
        session = Session(gate, asked=self._looked)
        return replace(self, now=datetime.now(UTC), request=sign_in.request(), session=session, is_fragment=True)

    def cost_line(self) -> None:
        """What has been read so far, what it cost and when that was."""
        if (oldest := self.session.oldest) is not None:
            st.text(f"{formats.cost(self.session.cost)} · read {oldest.astimezone(self.zone):%H:%M} ({self.zone.key})")

    @property
    def source(self) -> str:
        """Which data is on screen, in words."""
        return _source(self.settings)

    @property
    def complete(self) -> bool:
        """Whether all that this page has read is whole."""
        return self.session.complete

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
            # A fragment has no page around it that would end.
            if not self.is_fragment:
                raise
        except Exception as error:  # noqa: BLE001 - the boundary: _panel logs it and tells the reader
            _panel(name, error)

    def student_rows(self, table: Table, asked: Query[..., pd.DataFrame], user_id: str) -> pd.DataFrame | None:
        """A student's rows of `table`. Without the index: what a scan would cost, and the rows only once accepted."""
        accepted = f"_scan_{table.variable}_{user_id}"
        try:
            rows = self.read(asked, user_id)
        except Failure as failure:
            if failure.kind != "index_missing":
                raise
            if not st.session_state.get(accepted):
                self._offer_scan(table, failure, accepted)
                return None
        else:
            return rows
        sign_in.require_ops("read a whole table")
        scanned = self.read(asked, user_id, True)
        st.info("Read from the whole table, because the index is missing. Setup can add it.")
        return scanned

    def _offer_scan(self, table: Table, failure: Failure, accepted: str) -> None:
        with st.container(border=True):
            st.text(str(failure))
            if not self.visitor.is_ops:
                st.text("Reading the whole table instead is for ops.")
                return
            st.text(f"Reading the whole table once costs {self.scan_cost(source.facts(table))}.")
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
            st.button("Refresh", on_click=_refresh, args=(self.session.asked, self._looked), key="_refresh")


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
        visitor = sign_in.current()
        _named(visitor)
        if for_ops:
            visitor.require_ops(f"open {title}")
        settings = source.settings()
        gate = sign_in.gate_of(visitor)
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
        page = Page(settings, reader_zone(), datetime.now(UTC), sign_in.request(), Session(gate))
        filters.remarks()
        try:
            source.start()
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


def recheck() -> Gate:
    """What the visitor may see as of now, for fragments, which run without open_page: where it would refuse, the page
    runs again."""
    try:
        return sign_in.gate_of(sign_in.current())
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
        st.button("Sign out", on_click=sign_in.sign_out, key="sign_out")
    st.stop()


def _named(visitor: Visitor) -> None:
    """Who is signed in, and the way out."""
    if visitor.email is None:
        return
    with st.sidebar:
        markup.show(markup.quiet(markup.inline(f"{visitor.email}, {visitor.described}")))
        st.button("Sign out", on_click=sign_in.sign_out, key="sign_out")


def _is_ops(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.is_ops


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
            known = source.facts(EVALUATIONS)
    except Failure:
        return f"AWS · account not known · {settings.region or 'region from the profile'} · {tables}"
    return f"AWS account {known.account} · {known.region} · {tables}"


def _panel(name: str, error: Exception) -> None:
    """What failed, why and what to do, in the place where it happened."""
    if isinstance(error, Refused):
        message, remedy = str(error), "Nothing was changed."
    elif isinstance(error, Failure):
        log.warning("%s: %s (request %s)", name, error.kind, error.request_id or "none")
        source.reopen_after(error)
        message = f"{name} {NOT_SHOWN}. {error.what}"
        remedy = error.do
    else:
        # What an exception says may quote a student's work, so the log has its kind and its place.
        trace = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s failed with %s:\n%s", name, type(error).__name__, trace)
        message = f"{name} {NOT_SHOWN}, because of an error in the dashboard itself."
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


def _refresh(*asked: list[Question]) -> None:
    """Forget what this page had read, so that the next run reads it again."""
    for query, *args in chain(*asked):
        cache.outdate(query, *args)
    try:
        source.store().forget()
    except Failure as failure:
        log.info("There is no store to forget anything: %s", failure.kind)
    forget()
