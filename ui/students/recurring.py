"""What the feedback keeps saying, to one student or to several: read after a click, with links to who said it."""

import re
from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from analysis import phrases
from analysis.phrases import CRITERION_NAMES, Found, Key, Kind, Phrase
from data.dynamodb.errors import Failure
from data.schema import EVALUATIONS
from queries import records, source
from ui.components import filters, markup
from ui.shell.page import EVALUATION, Page
from wording import formats

NEWEST = 20  # evaluations of one student
NEWEST_OF_EACH = 2  # evaluations of each student of a group
MOST = 100  # evaluations of a group: as many as one BatchGetItem takes
_LISTED = 6  # phrases of a kind that are shown at once
_FOLDED = 24  # and those below, folded
_LINKS = 3

_TITLES: dict[Kind, str] = {
    "strength": "Strengths",
    "weakness": "Weaknesses",
    "suggestion": "Suggestions",
    "remark": "On the criteria, and other remarks",
}
# A link's label is Markdown: an id of other characters than these would not be shown as it is.
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,40}")
_NAME = re.compile(r"[^\W\d_]([^\W\d_]|[ '-](?=[^\W\d_])){0,60}")


def of_student(user_id: str, history: pd.DataFrame, page: Page) -> None:
    """What recurs in the newest completed evaluations of a student's history, `?says=on`."""
    own = history[history["user_id"] == user_id]
    keys = tuple(key for key in phrases.newest(own, NEWEST) if page.may_see(key[1]))
    st.subheader("What the feedback keeps saying", anchor=False)
    if len(keys) < 2:
        st.text("It takes two completed evaluations for something to recur.")
        return
    if not _offer(keys, "says", "the newest completed evaluations", page):
        return
    with page.part("What the feedback keeps saying"):
        found: Found = page.read(records.recurring, keys)
        st.text(
            f"In the feedback of the newest {found.evaluations} completed evaluations: what is said in at least two. "
            "Quoted words and numbers may differ."
        )
        _sections(found, page, of_group=False)


def of_group(keys: Sequence[Key], page: Page) -> None:
    """What is said to several students of a group, `?lesson=on`; `keys` are those of `group_keys`."""
    asked = tuple(key for key in dict.fromkeys(keys) if page.may_see(key[1]))[:MOST]
    st.subheader("What the feedback keeps saying to several", anchor=False)
    if len({user_id for _, user_id in asked}) < 2:
        st.text("It takes completed evaluations of two students for something to be said to several.")
        return
    if not _offer(asked, "lesson", f"the newest {NEWEST_OF_EACH} evaluations of each student", page):
        return
    with page.part("What the feedback keeps saying to several"):
        found: Found = page.read(records.recurring, asked, 2)
        few = f" The newest {MOST} were read; there are {len(keys):,}." if len(keys) > MOST else ""
        st.text(
            f"In the newest feedback of {formats.count(found.students, 'student')}: what is said to at least two, as "
            f"material for a lesson. Quoted words and numbers may differ.{few}"
        )
        _sections(found, page, of_group=True)


def group_keys(rows: pd.DataFrame) -> tuple[Key, ...]:
    """The keys that `of_group` takes, out of evaluations of several students, newest first."""
    return phrases.newest(rows, NEWEST_OF_EACH, of_each=True)


def _offer(keys: Sequence[Key], key: str, which: str, page: Page) -> bool:
    """A switch, with what it costs while it is off."""
    on = filters.switch("Read the feedback for what recurs", key=key)
    if not on:
        st.text(
            f"The lists come without the feedback. Reading {which} whole ({formats.count(len(keys), 'record')}) "
            f"costs {_cost(len(keys), page)}."
        )
    return on


def _cost(records: int, page: Page) -> str:
    if page.settings.source == "demo":
        return "nothing in the demo"
    try:
        estimate = source.facts(EVALUATIONS).batch_cost(records)
    except Failure:
        estimate = None
    return f"about {formats.cost(estimate)}" if estimate else "what their size makes it cost, which is not known"


def _sections(found: Found, page: Page, *, of_group: bool) -> None:
    if found.cut:
        st.text(
            f"{formats.count(found.cut, 'evaluation')} with very long feedback: only the first "
            f"{phrases.MOST_CHARACTERS:,} characters were looked at."
        )
    by_kind = {kind: [phrase for phrase in found.phrases if phrase.kind == kind] for kind in _TITLES}
    filled = {kind: listed for kind, listed in by_kind.items() if listed}
    if not filled:
        st.text("Nothing is said more than once." if not of_group else "Nothing is said to two of them.")
    for pair in _pairs(list(filled)):
        for column, kind in zip(st.columns(2, gap="large"), pair, strict=False):
            with column:
                _section(_TITLES[kind], filled[kind], found, page, of_group)


def _pairs(kinds: list[Kind]) -> Iterator[list[Kind]]:
    for first in range(0, len(kinds), 2):
        yield kinds[first : first + 2]


def _section(title: str, listed: Sequence[Phrase], found: Found, page: Page, of_group: bool) -> None:
    markup.show(markup.heading(title, 3))
    for phrase in listed[:_LISTED]:
        _phrase(phrase, found, page, of_group)
    if rest := listed[_LISTED:]:
        with st.expander(f"{len(rest):,} more, said less often"):
            for phrase in rest[:_FOLDED]:
                _phrase(phrase, found, page, of_group)
            if len(rest) > _FOLDED:
                st.text(f"And {len(rest) - _FOLDED:,} more.")


def _phrase(phrase: Phrase, found: Found, page: Page, of_group: bool) -> None:
    """A phrase as it was written, how often it was said, and where."""
    if of_group:
        often = f"to {phrase.students} of {formats.count(found.students, 'student')}"
        of_each: dict[str, Key] = {}  # the newest of each
        for key in phrase.said_in:
            of_each.setdefault(key[1], key)
        shown = list(of_each.values())
    else:
        often = f"in {phrase.evaluations} of {found.evaluations}"
        shown = list(phrase.said_in)
    about = f"{CRITERION_NAMES[phrase.criterion]}: " if phrase.criterion else ""
    with st.container(gap=None):
        markup.show(markup.line(markup.inline(about), markup.inline(phrase.text)))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            markup.show_beside(markup.quiet(markup.inline(often)))
            for evaluation_id, user_id in shown[:_LINKS]:
                label = (_who(user_id, page) if of_group else "") or _day(found, (evaluation_id, user_id), page)
                page.link(EVALUATION, label, evaluation_id=evaluation_id, user_id=user_id)
            if len(shown) > _LINKS:
                markup.show_beside(markup.quiet(markup.inline(f"and {len(shown) - _LINKS} more")))


def _who(user_id: str, page: Page) -> str:
    """A student's name or id, whichever Markdown leaves as it is; empty when it would change both."""
    name = page.student(user_id).name
    if _NAME.fullmatch(name):
        return name
    return user_id if _PLAIN.fullmatch(user_id) else ""


def _day(found: Found, key: Key, page: Page) -> str:
    at = found.times[key]
    if at is None:
        return "without a time"
    local = at.astimezone(page.zone)
    # The year where it says something: the links must fit beside each other on a phone.
    return f"{local.day} {local:%b}" if local.year == page.now.year else f"{local.day} {local:%b %Y}"
