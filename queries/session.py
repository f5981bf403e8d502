"""What one visitor asks during one run: through the gate, out of the shared cache, with the sum of what it cost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from data.dynamodb.cost import Cost
from data.dynamodb.reads import Read
from queries.access.gate import Gate, Refused, Visitor
from queries.cache import FRESH, Answer, Cache, Query

P = ParamSpec("P")
T = TypeVar("T")

Question = tuple[Any, ...]
"""A query and its arguments."""

cache = Cache()
"""The one cache of this process."""


@dataclass
class Session:
    """One run's reads. It can be used under any container, in a thread and in a fragment: nothing in it draws."""

    gate: Gate
    reads: list[Read[None]] = field(default_factory=list)
    """What was read, without the values: a page's buttons may hold on to its session for as long as the tab is open."""
    asked: list[Question] = field(default_factory=list)
    _ahead: dict[Question, Answer[Any] | Exception] = field(default_factory=dict)

    def ahead(self, *questions: Question, within: timedelta = FRESH) -> None:
        """Ask several questions side by side; `answer` then takes what came of them."""
        for question in questions:
            self.admit(question)
        for question, outcome in zip(questions, cache.answers(questions, within), strict=True):
            self._remember(question)
            self._ahead[question] = outcome

    @property
    def visitor(self) -> Visitor:
        """Who is looking."""
        return self.gate.visitor

    def read(self, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The value of a query, as far as the visitor may see it. May raise Failure."""
        return self.answer(asked, *args, **kwargs).read.value

    def answer(self, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The answer as far as the visitor may see it, with its time, cost and failure. May raise Failure.

        What is kept for all visitors is what was read; what each may see is taken from it here.
        """
        return self.answer_within(FRESH, asked, *args, **kwargs)

    def answer_within(self, within: timedelta, asked: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> Answer[T]:
        """The same, read again where it is not younger than `within`."""
        if kwargs:  # the same question must not have two keys
            raise TypeError("a query is known by its positional arguments")
        question = (asked, *args)
        self.admit(question)
        self._remember(question)
        outcome = self._ahead.pop(question, None) or cache.answer(asked, *args, within=within)
        if isinstance(outcome, Exception):
            raise outcome
        self.reads.append(_without_value(outcome.read))
        if outcome.failure:  # an older answer stands in, which lacks what came since
            self.lack(outcome.read.read_at)
        return Answer(outcome.read.map(self.gate.filter), outcome.failure)

    def admit(self, question: Question) -> None:
        """Refused, before anything is read, where a question is about somebody whose work the visitor may not see.

        What was read and then taken away would still tell, by its time and cost, that it is there.
        """
        query, *args = question
        students = query.students(*args)
        if students is not None and not all(map(self.gate.admits, students)):
            raise Refused("That is about a student who is not in a class of yours.")

    def count(self, read: Read[Any]) -> None:
        """Count what was read in another way."""
        self.reads.append(_without_value(read))

    def lack(self, at: datetime) -> None:
        """Count that something could not be read at a time: what is saved of the rest is not all."""
        self.reads.append(Read(None, Cost(), at, complete=False))

    def derive(self, key: tuple[Any, ...], make: Callable[[], T]) -> T:
        """What is worked out of everybody's records, once for each key and each set of students that may be seen."""
        return cache.derive((self.members, *key), make)

    def has_fresh(self, *question: Any, within: timedelta = FRESH) -> bool:
        """Whether the answer needs no read, as far as can be told without asking."""
        return question in self._ahead or cache.has_fresh(*question, within=within)

    @property
    def members(self) -> frozenset[str] | None:
        """The students whom the visitor may see; None for all."""
        return self.gate.members

    @property
    def own(self) -> tuple[str, ...] | None:
        """The same in order, as an argument of queries."""
        members = self.members
        return None if members is None else tuple(sorted(members))

    @property
    def cost(self) -> Cost:
        """What all of it cost."""
        return sum((read.cost for read in self.reads), Cost())

    @property
    def oldest(self) -> datetime | None:
        """When the oldest of it was read; None when nothing was."""
        return min((read.read_at for read in self.reads), default=None)

    @property
    def complete(self) -> bool:
        """Whether all of it is whole, and none is an older answer that stands in for one that could not be had."""
        return all(read.complete for read in self.reads)

    def _remember(self, question: Question) -> None:
        """Let Refresh read this again, whatever comes of it."""
        if question not in self.asked:
            self.asked.append(question)


def _without_value(read: Read[Any]) -> Read[None]:
    return replace(read, value=None)
