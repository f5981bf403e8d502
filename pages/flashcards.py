"""Flashcards: a student's sets, and the cards of one set as a table and to flip through."""

import streamlit as st

from queries import records
from ui.components import markup
from ui.shell.page import FLASHCARDS, STUDENT, open_page
from ui.students import cards, profile, record
from wording import formats

with open_page("Flashcards") as page:
    set_id, user_id = page.param("set_id"), page.param("user_id")
    if user_id is not None:
        page.require(user_id)
    if set_id is None:
        if user_id is None:
            profile.ask_whose(FLASHCARDS, "Or start from a student", page)
        profile.title(user_id, page)
        page.link(STUDENT, "All of this student", user_id=user_id)
        cards.sets_of(user_id, page, with_filter=True)
        page.done()

    if user_id is None:
        found_sets = page.read(records.sets_called, set_id)
        chosen_set = record.only_one(found_sets, "a set", FLASHCARDS, set_id)
        if chosen_set is None and found_sets:
            page.done()
    else:
        chosen_set = page.read(records.flashcard_set, set_id, user_id)
    if chosen_set is None:
        record.not_found("flashcard set", set_id, user_id, page)
        page.done()

    record.facts(
        ("Student", page.called(chosen_set.user_id)),
        ("Set", chosen_set.set_id),
        ("Document", chosen_set.document_id or "unknown"),
        ("Status", record.status(chosen_set.status, chosen_set.created_at, page)),
        ("When", f"{formats.exact(chosen_set.created_at, page.zone)} · {formats.ago(chosen_set.created_at, page.now)}"),
        ("Cards", cards.counted(chosen_set)),
        ("Pages", formats.whole(chosen_set.page_count)),
        ("Chunks", formats.whole(chosen_set.chunk_count)),
    )
    with st.container(horizontal=True):
        page.link(FLASHCARDS, "All sets of this student", user_id=chosen_set.user_id)
        page.link(STUDENT, "This student", user_id=chosen_set.user_id)
    record.problems(chosen_set.issues)
    if chosen_set.cards:
        cards.flip(chosen_set, page)
        cards.table(chosen_set)
        cards.take_away(chosen_set, page)
    elif chosen_set.unread:
        st.text("The cards of this set cannot be read. This is what the record holds:")
        markup.show(markup.paragraph(chosen_set.unread))
    else:
        st.text(
            "This set has no cards." if chosen_set.status == "completed" else "No cards until the set is completed."
        )
    record.unknown(chosen_set.unknown)
    record.raw(chosen_set.raw)
