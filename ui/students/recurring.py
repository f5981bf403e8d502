"""What the feedback keeps saying, to one student or to several: read after a click, with links to who said it."""

import re
from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from analysis import phrases
from analysis.attention import Group
from analysis.phrases import MOST_CHARACTERS, Key, Kind, Phrase, RecurringFeedback
from data.dynamodb.errors import Failure
from data.roster import Roster
from data.schema import CRITERION_NAMES, EVALUATIONS
from queries import records, source
from queries.session import Session
from ui.components import filters, markup
from ui.shell.boundary import part
from ui.shell.clock import Clock
from ui.shell.navigation import EVALUATION, link
from wording import formats
from wording.sections import KINDS

NEWEST = 20  # evaluations of one student
NEWEST_OF_EACH = 2  # evaluations of each student of a group
MOST = 100  # evaluations of a group: as many as one BatchGetItem takes
_LISTED = 6  # phrases of a kind that are shown at once
_FOLDED = 24  # and those below, folded
_LINKS = 3

# A link's label is Markdown: an id of other characters than these would not be shown as it is.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}")
_NAME = re.compile(r"[^\W\d_]([^\W\d_]|[ '-](?=[^\W\d_])){0,60}")


def of_student(user_id: str, history: pd.DataFrame, session: Session, clock: Clock, roster: Roster) -> None:
    """What recurs in the newest completed evaluations of a student's history, `?says=on`."""
    own = history[history["user_id"] == user_id]
    keys = tuple(key for key in phrases.newest(own, NEWEST) if session.gate.admits(key[1]))
    st.subheader("Recurring feedback", anchor=False)
    if len(keys) < 2:
        st.text("Recurring feedback needs two completed evaluations.")
        return
    if not _offer(keys, "says", session):
        return
    with part("The recurring feedback"):
        answer: RecurringFeedback = session.read(records.recurring, keys)
        st.text(f"Said in at least two of the newest {answer.evaluations} evaluations.{unread(answer)}")
        _sections(answer, clock, roster, of_group=False)


def of_group(
    keys: Sequence[Key], session: Session, clock: Clock, roster: Roster
) -> tuple[RecurringFeedback | None, list[str]]:
    """What is said to several students of a group, `?lesson=on`, None until it is read; `keys` are of `group_keys`.

    With it comes what the reader of a sheet must know of it: that it is not of all, not whole, or could not be read.
    """
    asked = tuple(key for key in dict.fromkeys(keys) if session.gate.admits(key[1]))[:MOST]
    st.subheader("Common feedback", anchor=False)
    if len({user_id for _, user_id in asked}) < 2:
        st.text("Common feedback needs completed evaluations of two students.")
        return None, []
    if not _offer(asked, "lesson", session):
        return None, []
    feedback: RecurringFeedback | None = None
    notes = ["The common feedback could not be read."]
    with part("The common feedback"):
        feedback = answer = session.read(records.recurring, asked, 2)
        notes = [f"Common feedback: {note.strip()}" for note in (_few(len(keys)), _long(answer)) if note]
        students = formats.count(answer.students, "student")
        st.text(f"Said to at least two of {students}.{_few(len(keys))}{unread(answer)}")
        _sections(answer, clock, roster, of_group=True)
    return feedback, notes


def group_keys(rows: pd.DataFrame) -> tuple[Key, ...]:
    """The keys that `of_group` takes, out of evaluations of several students, newest first."""
    return phrases.newest(rows, NEWEST_OF_EACH, of_each=True)


def keys_of_group(group: Group, evaluations: pd.DataFrame) -> tuple[Key, ...]:
    """The same out of everybody's evaluations, for the students and the skill of a group."""
    members = [user_id for user_id, _ in group.students]
    of_skill = evaluations["evaluation_type"] == group.skill
    return group_keys(evaluations[evaluations["user_id"].isin(members) & of_skill])


def _few(evaluations: int) -> str:
    return f" The newest {MOST} of {evaluations:,} evaluations." if evaluations > MOST else ""


def _long(answer: RecurringFeedback) -> str:
    number = formats.count(answer.cut, "evaluation")
    return f"{number} with very long feedback: the first {MOST_CHARACTERS:,} characters are used." if answer.cut else ""


def unread(answer: RecurringFeedback) -> str:
    """How many evaluations are left out because their feedback cannot be read."""
    asked = formats.count(answer.asked, "evaluation")
    return f" {len(answer.unread)} of {asked} could not be read." if answer.unread else ""


def cost(keys: Sequence[Key], session: Session) -> str:
    """What reading the feedback costs, for ops; empty for others and where it costs nothing."""
    settings = source.settings()
    if not session.visitor.is_ops or settings.source == "demo":
        return ""
    try:
        expected = source.batch_cost({EVALUATIONS: len(keys)})
    except Failure:
        expected = None
    what = f"the feedback of {formats.count(len(keys), 'evaluation')}"
    return f"Reading {what} costs {formats.estimate(expected, settings)}."


def _offer(keys: Sequence[Key], key: str, session: Session) -> bool:
    """A switch; for ops, with what it costs while it is off."""
    on = filters.switch(f"Show feedback of {formats.count(len(keys), 'evaluation')}", key=key)
    if not on and (price := cost(keys, session)):
        markup.show(markup.quiet(price))
    return on


def _sections(answer: RecurringFeedback, clock: Clock, roster: Roster, *, of_group: bool) -> None:
    if long := _long(answer):
        st.text(long)
    by_kind = {kind: [phrase for phrase in answer.phrases if phrase.kind == kind] for kind in KINDS}
    filled = {kind: listed for kind, listed in by_kind.items() if listed}
    if not filled:
        st.text("No feedback that several students share." if of_group else "No recurring feedback.")
    for pair in _pairs(list(filled)):
        for column, kind in zip(st.columns(2, gap="large"), pair, strict=False):
            with column:
                _section(KINDS[kind], filled[kind], answer, clock, roster, of_group)


def _pairs(kinds: list[Kind]) -> Iterator[list[Kind]]:
    for first in range(0, len(kinds), 2):
        yield kinds[first : first + 2]


def _section(
    title: str, listed: Sequence[Phrase], answer: RecurringFeedback, clock: Clock, roster: Roster, of_group: bool
) -> None:
    markup.show(markup.heading(title, 3))
    for phrase in listed[:_LISTED]:
        _phrase(phrase, answer, clock, roster, of_group)
    if rest := listed[_LISTED:]:
        with st.expander(f"Show {len(rest):,} more"):
            for phrase in rest[:_FOLDED]:
                _phrase(phrase, answer, clock, roster, of_group)
            if len(rest) > _FOLDED:
                st.text(f"And {len(rest) - _FOLDED:,} more.")


def _phrase(phrase: Phrase, answer: RecurringFeedback, clock: Clock, roster: Roster, of_group: bool) -> None:
    """A phrase as it was written, how often it was said, and where."""
    if of_group:
        often = f"{phrase.students} of {formats.count(answer.students, 'student')}"
        of_each: dict[str, Key] = {}  # the newest of each
        for key in phrase.said_in:
            of_each.setdefault(key[1], key)
        keys = list(of_each.values())
    else:
        often = f"in {phrase.evaluations} of {answer.evaluations}"
        keys = list(phrase.said_in)
    about = f"{CRITERION_NAMES[phrase.criterion]}: " if phrase.criterion else ""
    with st.container(gap=None):
        markup.show(markup.line(about, phrase.text))
        if phrase.example:
            markup.show(markup.quiet(f"For example: {phrase.example}"))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            markup.show_beside(markup.quiet(often))
            for evaluation_id, user_id in keys[:_LINKS]:
                label = (_who(user_id, roster) if of_group else "") or _day(answer, (evaluation_id, user_id), clock)
                link(EVALUATION, label, evaluation_id=evaluation_id, user_id=user_id)
            if len(keys) > _LINKS:
                markup.show_beside(markup.quiet(f"and {len(keys) - _LINKS} more"))


def _who(user_id: str, roster: Roster) -> str:
    """A student's name or id, whichever Markdown leaves as it is; empty when it would change both."""
    name = roster.student(user_id).name
    if _NAME.fullmatch(name):
        return name
    return user_id if _PLAIN.fullmatch(user_id) else ""


def _day(answer: RecurringFeedback, key: Key, clock: Clock) -> str:
    at = answer.times[key]
    if at is None:
        return "without a time"
    # The year only where it says something: the links must fit beside each other on a phone.
    return formats.day(at, clock.zone, clock.now)
