"""Flashcards: a student's sets, and the cards of one set as a table and to flip through."""

import streamlit as st

from data.records.flashcards import document_name
from queries import records
from ui.components import markup
from ui.shell import address
from ui.shell.boundary import done
from ui.shell.navigation import FLASHCARDS, STUDENT, href, link
from ui.shell.page import open_page, require, set_title
from ui.students import breadcrumb, cards, class_list, profile, record
from wording import formats

with open_page("Flashcards") as (session, clock):
    roster = class_list.used(session.visitor)
    set_id, user_id = address.id_of("set_id"), address.id_of("user_id")
    if user_id is not None:
        require(user_id, session)
    if set_id is None:
        if user_id is None:
            profile.ask_whose(FLASHCARDS, "Browse all students", roster)
        profile.title(roster.student(user_id), "Flashcards")
        link(STUDENT, "Student profile", user_id=user_id)
        cards.sets_of(user_id, session, clock, with_filter=True)
        done()

    deck = record.opened(records.flashcard_set, records.sets_called, "flashcard set", set_id, user_id, session)
    student = roster.student(deck.user_id)
    set_title(document_name(deck.document_id) or "Flashcards", breadcrumb.of_student(student))
    facts = [student.label, cards.counted(deck), formats.ago(deck.created_at, clock.now)]
    facts += [formats.count(deck.page_count, "page")] if deck.page_count is not None else []
    markup.show(markup.line(" · ".join(facts)))
    ways = ((FLASHCARDS, "All flashcard sets"), (STUDENT, "Student profile"))
    markup.show(markup.ways([markup.anchor(href(page, user_id=deck.user_id), name) for page, name in ways]))
    if deck.cards:
        record.repairs(deck)
        cards.practise(deck, session)
        cards.take_away(deck, session, clock)
        cards.table(deck)
    elif deck.unread:
        st.text("The cards of this set cannot be read:")
        markup.show(markup.paragraph(deck.unread))
    else:
        st.text(cards.none(deck))
    record.technical(
        deck,
        ("Status", record.status(deck, clock)),
        ("Created", formats.exact(deck.created_at, clock.zone)),
        ("Document", deck.document_id or "Unknown"),
        ("Chunks", formats.whole(deck.chunk_count)),
        ids=[("Set ID", deck.set_id), ("Student ID", deck.user_id)],
    )
