"""A student's flashcard sets, and the cards of one: one to flip through with the keyboard, and all as a table."""

from functools import partial

import pandas as pd
import streamlit as st

from data.records.flashcards import FlashcardSet
from data.schema import FLASHCARD_SETS
from exports import anki, spreadsheets
from queries import records
from ui.components import downloads, filters, grid, markup
from ui.shell.page import FLASHCARDS, Page
from ui.students import feedback
from wording import formats


def sets_of(user_id: str, page: Page, *, with_filter: bool = False) -> None:
    """A student's sets as a table; choosing one opens it."""
    sets = page.student_rows(FLASHCARD_SETS, records.sets, user_id)
    if sets is None:
        return
    if sets.empty:
        st.text("No flashcard sets yet. They appear here when this student turns a document into cards.")
        return
    rows = grid.matching(sets, status=filters.status("sets") if with_filter else None)
    st.text(formats.to_tick(len(rows), len(sets), "set", "see its cards"))
    chosen = grid.pick(
        grid.sets(rows, page.now),
        grid.sets_columns(page.zone),
        key="set_rows",
        alt="Flashcard sets of this student, newest first",
    )
    downloads.table(
        grid.with_issue_text(rows), "flashcard sets", page, period="all", codes={"of": user_id}, key="take_sets"
    )
    if chosen is not None:
        page.go(FLASHCARDS, set_id=rows["set_id"][chosen], user_id=user_id)


def counted(chosen: FlashcardSet) -> str:
    """How many cards there are, and how many the record says there are when that is another number."""
    if chosen.total_cards is None or chosen.total_cards == len(chosen.cards):
        return f"{len(chosen.cards):,}"
    return f"{len(chosen.cards):,} here, {chosen.total_cards:,} according to the record"


@st.fragment
def flip(chosen: FlashcardSet, page: Page) -> None:
    """One card at a time: Space turns it, the arrow keys go on and back."""
    now_page = page.fresh()
    with now_page.part("The cards"):
        now_page.require(chosen.user_id)
        _flip(chosen)


def _flip(chosen: FlashcardSet) -> None:
    place, turned = f"_card_{chosen.set_id}", f"_turned_{chosen.set_id}"
    at = min(st.session_state.get(place, 0), len(chosen.cards) - 1)
    card = chosen.cards[at]
    is_back = bool(st.session_state.get(turned))

    def move(step: int) -> None:
        st.session_state[place] = (at + step) % len(chosen.cards)
        st.session_state[turned] = False

    def turn() -> None:
        st.session_state[turned] = not is_back

    side = "answer" if is_back else "question"
    shown = card.back if is_back else card.front
    markup.show(markup.card(shown or f"(no {side})", f"Card {at + 1} of {len(chosen.cards)} · {side}"))
    if is_back and card.more:
        markup.show(feedback.layout(dict(card.more)))
    with st.container(horizontal=True):
        st.button("Back", on_click=move, args=(-1,), shortcut="Left", key="card_back")
        st.button("Turn the card", on_click=turn, shortcut="Space", key="card_turn")
        st.button("Next", on_click=move, args=(1,), shortcut="Right", key="card_next")


def table(chosen: FlashcardSet) -> None:
    """All cards, those that contain the searched text."""
    wanted = filters.search("Search the cards", key="cards").casefold()
    rows = [
        {
            "Card": n,
            "Question": card.front,
            "Answer": card.back,
            "More": "; ".join(spreadsheets.more(card)),
        }
        for n, card in enumerate(chosen.cards, 1)
        if wanted in f"{card.front}\n{card.back}\n{card.more}".casefold()
    ]
    if not rows:
        st.text("No card contains this text.")
        return
    st.text(f"{len(rows):,} of {formats.count(len(chosen.cards), 'card')}")
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


def take_away(chosen: FlashcardSet, page: Page) -> None:
    """The set as a file, for Anki and as TSV; each is made only when its button is pressed."""
    made = page.now.astimezone(page.zone)
    with st.container(horizontal=True):
        for label, make, suffix, mime in (
            ("Download for Anki", anki.package, "apkg", "application/octet-stream"),
            ("Download as TSV", spreadsheets.tsv, "tsv", "text/tab-separated-values"),
        ):
            downloads.button(
                label,
                partial(make, chosen, zone=page.zone, source=page.source, made=page.now),
                page,
                students=[chosen.user_id],
                file_name=spreadsheets.file_name("flashcards", {"set": chosen.set_id}, made, suffix),
                mime=mime,
                key=f"cards_{suffix}",
            )
    held = f"Each file holds {formats.count(len(chosen.cards), 'card')}."
    if spreadsheets.missing_cards(chosen):
        held += " Cards of this set that cannot be read are not in it."
    st.text(f"{held} In Anki, importing it again updates the deck.")
