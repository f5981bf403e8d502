"""The reads of one run of a page: what the reader sees while they wait, and must know of what came."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

import streamlit as st

from data.dynamodb.errors import Failure
from data.dynamodb.reads import Read
from queries import source
from queries.cache import FRESH, Answer, Query
from queries.session import Question, Session
from ui.components import markup
from ui.shell.clock import Clock
from wording import failures, formats

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(kw_only=True)
class PageSession(Session):
    """A session that shows when it waits, and says where an answer is an older one or cut."""

    clock: Clock
    looked: list[Question] = field(default_factory=list)
    """What the last look of a fragment has asked; Refresh covers it. It must not grow with each look of a day."""

    def ahead(self, *questions: Question, within: timedelta = FRESH) -> None:
        """Ask several questions side by side; `answer` then takes what came of them."""
        for question in questions:
            self.admit(question)
        with _waiting(all(self.has_fresh(*question, within=within) for question in questions)):
            super().ahead(*questions, within=within)

    def answer_within(self, within: timedelta, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The answer, read again where it is not younger than `within`."""
        self.admit((asked, *args))
        with _waiting(self.has_fresh(asked, *args, within=within)):
            answer = super().answer_within(within, asked, *args, **kwargs)
        if answer.failure:
            self._say_stale(answer.read, answer.failure)
        for note in answer.read.notes:
            markup.show(markup.quiet(failures.note(note)))
        return answer

    def count(self, read: Read[Any]) -> None:
        """Count what was read in another way; what must be known of it is said once, however often it is asked for."""
        known = {note for earlier in self.reads for note in earlier.notes}
        super().count(read)
        for note in read.notes:
            if note not in known:
                markup.show(markup.quiet(failures.note(note)))

    def show_age(self) -> None:
        """For ops, when the oldest of what is on the page was read: it would tell a teacher who else was looking."""
        if self.visitor.is_ops and (oldest := self.oldest) is not None:
            markup.show_beside(markup.quiet(f"Updated {oldest.astimezone(self.clock.zone):%H:%M}"))

    def show_cost(self, *, of_page: bool = True) -> None:
        """For ops, what reading cost: it would tell a teacher about others. At the foot of a page, its zone too."""
        zone = f"Times in {self.clock.zone.key}" if of_page else ""
        cost = formats.cost(self.cost) if self.reads and self.visitor.is_ops else ""
        if zone or cost:
            markup.show(markup.quiet(" · ".join(filter(None, (zone, cost)))))

    def _say_stale(self, read: Read[T], failure: Failure) -> None:
        source.reopen_after(failure)
        when = "it may be up to an hour old"
        if self.visitor.is_ops:  # it would tell a teacher who else was looking
            at = f"{read.read_at.astimezone(self.clock.zone):%H:%M} ({self.clock.zone.key})"
            when = f"this was read at {at}, {formats.ago(read.read_at, self.clock.now)}"
        with st.container(border=True):
            st.text(f"⚠ Not up to date: {when}. Reading it afresh failed. {failures.cause(failure)}")
            st.text(failures.remedy(failure))


def _waiting(is_there: bool) -> AbstractContextManager[None]:
    """A sign that something is being read; none for what is there already."""
    return nullcontext() if is_there else st.spinner("Loading…", show_time=True)
