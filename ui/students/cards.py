"""A student's flashcard sets, and the cards of one: one to practise with the keyboard, and all as a table."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pandas as pd
import streamlit as st

from data.records.flashcards import FlashcardSet
from data.schema import FAILED, FLASHCARD_SETS, PROCESSING
from exports import anki, spreadsheets
from queries import records
from queries.session import Session
from ui.components import downloads, filters, grid, markup
from ui.shell import address, badge
from ui.shell.clock import Clock
from ui.shell.navigation import FLASHCARDS, go, href
from ui.shell.page import fragment, require
from ui.shell.reads import PageSession
from ui.students import feedback, tables, unindexed
from wording import formats


def sets_of(user_id: str, session: Session, clock: Clock, *, with_filter: bool = False) -> None:
    """A student's sets as a table; choosing one opens it."""
    sets = unindexed.rows(FLASHCARD_SETS, records.sets, user_id, session)
    if sets is None:
        return
    if sets.empty:
        st.text("No flashcard sets yet. They appear here when this student turns a document into cards.")
        return
    status = filters.status("sets") if with_filter else None
    rows = grid.matching(sets, status=status)
    st.text(formats.of(len(rows), len(sets), "set"))
    # Its key changes with its rows; the container's stays.
    with st.container(key="set_rows"):
        row = grid.pick(
            tables.sets(rows, clock.now),
            tables.sets_columns(clock.zone),
            opens="Document",
            key=grid.key_of("set_rows", rows["set_id"].map(str)),
            alt="Flashcard sets of this student, newest first",
        )
    downloads.table(
        tables.with_issue_text(rows),
        "flashcard sets",
        session,
        clock,
        period="all",
        codes={"of": user_id},
        key="take_sets",
        chosen={"Status": filters.status_name(status)},
    )
    if row is not None:
        go(FLASHCARDS, set_id=rows["set_id"][row], user_id=user_id)


def none(card_set: FlashcardSet) -> str:
    """That a set has no cards, and whether some may still come."""
    if card_set.status == FAILED:
        return "No cards: creating this set failed. To try again, upload the document once more."
    return "Still being created." if card_set.status == PROCESSING else "This set has no cards."


def counted(card_set: FlashcardSet) -> str:
    """How many cards there are, and how many the record says there are when that is another number."""
    if card_set.total_cards is None or card_set.total_cards == len(card_set.cards):
        return formats.count(len(card_set.cards), "card")
    return f"{len(card_set.cards):,} of {formats.count(card_set.total_cards, 'expected card')}"


@st.fragment
def practise(card_set: FlashcardSet, session: PageSession) -> None:
    """One card at a time, with what was known: Space shows the answer, the arrow keys go on and back."""
    with fragment("The cards", session) as (look, _):
        require(card_set.user_id, look)
        _practise(card_set)


def _practise(card_set: FlashcardSet) -> None:
    """The round is kept for the visit: the order of the cards, the place in it, and which are known."""
    number = len(card_set.cards)
    key = f"_practice_{card_set.user_id}_{card_set.set_id}"
    practice: _Practice = st.session_state.get(key) or _Practice(tuple(range(number)))
    if len(practice.order) != number:
        practice = _Practice(tuple(range(number)))

    def put(changed: _Practice) -> None:
        st.session_state[key] = changed

    known = len(practice.known)
    st.progress(known / number, text=f"{known:,} of {formats.count(number, 'card')} known")
    if practice.ended:
        _all_known(card_set, practice, put)
        return
    card, is_answer = card_set.cards[practice.card], practice.answered
    text = card.back if is_answer else card.front
    side = "answer" if is_answer else "question"
    asked = (card.front or "(no question)") if is_answer else ""
    markup.show(markup.card(text or f"(no {side})", f"{practice.place + 1:,} of {number:,} · {side}", asked))
    if is_answer and card.more:
        markup.show(feedback.layout(dict(card.more)))
    with st.container(horizontal=True):
        st.button(
            "Hide answer" if is_answer else "Show answer",
            on_click=put,
            args=(practice.turned(),),
            shortcut="Space",
            key="card_turn",
            type="secondary" if is_answer else "primary",
        )
        st.button("Previous", on_click=put, args=(practice.moved(-1),), shortcut="Left", key="card_previous")
        st.button("Next", on_click=put, args=(practice.moved(1),), shortcut="Right", key="card_next")
        # After the three that are always there: what has the focus must not become another button under a finger.
        if is_answer:
            st.button(
                "Known",
                on_click=put,
                args=(practice.marked(known=True),),
                icon=":material/check:",
                key="card_known",
                type="primary",
            )
            st.button(
                "Again", on_click=put, args=(practice.marked(known=False),), icon=":material/replay:", key="card_again"
            )
        st.button("Shuffle", on_click=_shuffle, args=(key, number), icon=":material/shuffle:", key="card_shuffle")
        if practice.known:
            st.button("Start over", on_click=put, args=(_Practice(practice.order),), key="card_start_over")


def _all_known(card_set: FlashcardSet, practice: "_Practice", put: Callable[["_Practice"], None]) -> None:
    """The end of a round: nothing is left to ask."""
    number = len(card_set.cards)
    markup.show(markup.card("The only card is known." if number == 1 else f"All {number:,} known."))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Start over", on_click=put, args=(_Practice(practice.order),), key="card_start_over", type="primary")
        markup.show_beside(markup.anchor(href(FLASHCARDS, user_id=card_set.user_id), "All flashcard sets"))


def _shuffle(key: str, number: int) -> None:
    st.session_state[key] = _Practice(tuple(random.sample(range(number), number)))


@dataclass(frozen=True, slots=True)
class _Practice:
    """A round through a set: the order of its cards, the place in it, and which cards are known."""

    order: tuple[int, ...]
    place: int = 0
    answered: bool = False
    known: frozenset[int] = frozenset()
    ended: bool = False  # the last card has just become known

    @property
    def card(self) -> int:
        """Which card of the set is on screen."""
        return self.order[self.place]

    def turned(self) -> "_Practice":
        """The other side of the card."""
        return replace(self, answered=not self.answered)

    def moved(self, step: int) -> "_Practice":
        """Another card, its question first."""
        return replace(self, place=(self.place + step) % len(self.order), answered=False)

    def marked(self, *, known: bool) -> "_Practice":
        """The card known or to see again, then the next one that is not known yet; the round ends with the last."""
        marked = replace(self, known=self.known | {self.card} if known else self.known - {self.card})
        steps = range(1, len(self.order) + 1)
        left = (s for s in steps if self.order[(self.place + s) % len(self.order)] not in marked.known)
        step = next(left, None)
        return replace(marked.moved(1), ended=True) if step is None else marked.moved(step)


def table(card_set: FlashcardSet) -> None:
    """All cards, those that contain the searched text; folded, so that answers are out of sight."""
    with st.expander("All cards", expanded=bool(address.value("cards"))):
        _table(card_set)


def _table(card_set: FlashcardSet) -> None:
    search = filters.search("Search cards", "climate", key="cards").casefold()
    rows = [
        {
            "Card": n,
            "Question": card.front,
            "Answer": card.back,
            "More": "; ".join(spreadsheets.more(card)),
        }
        for n, card in enumerate(card_set.cards, 1)
        if search in f"{card.front}\n{card.back}\n{card.more}".casefold()
    ]
    if not rows:
        st.text("No cards found.")
        return
    st.text(f"{len(rows):,} of {formats.count(len(card_set.cards), 'card')}")
    frame = pd.DataFrame(rows)
    if not frame["More"].any():
        frame = frame.drop(columns="More")
    st.dataframe(
        grid.literal(frame),
        hide_index=True,
        key="cards_table",
        column_config={"Card": st.column_config.NumberColumn(width=60)},
        alt="The cards of this set",
    )


def take_away(card_set: FlashcardSet, session: Session, clock: Clock) -> None:
    """The set as a file, for Anki and as TSV; each is made only when its button is pressed."""
    with st.container(horizontal=True):
        for label, make, suffix, mime in (
            ("Download for Anki (.apkg)", anki.package, "apkg", "application/octet-stream"),
            ("Download spreadsheet (TSV)", spreadsheets.tsv, "tsv", "text/tab-separated-values"),
        ):
            downloads.button(
                label,
                partial(make, card_set, zone=clock.zone, source=badge.text(), made=clock.now),
                session,
                students=[card_set.user_id],
                file_name=spreadsheets.file_name("flashcards", {"set": card_set.set_id}, clock.local, suffix),
                mime=mime,
                key=f"cards_{suffix}",
                explain="Re-importing updates the deck." if suffix == "apkg" else None,
            )
    if spreadsheets.missing_cards(card_set):
        st.text("Cards that cannot be read are missing from the files.")
