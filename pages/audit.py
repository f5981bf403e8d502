"""Data quality: scores and formats that are wrong, models compared, records that are missing from indexes."""

import pandas as pd
import streamlit as st

from data.dynamodb.reads import Read
from data.schema import TABLES
from queries import background, quality, records
from queries.once import Once
from ui.components import filters, markup
from ui.quality import deep_check, findings, model_comparison, orphans
from ui.shell import loading
from ui.shell.boundary import done, part
from ui.shell.page import open_page

with open_page("Data quality") as (session, clock):
    period = filters.period("audit")
    days = period.days or filters.LONGEST_DAYS
    if loading.follow(lambda: background.of_everything(days), session):
        done()
    session.ahead((records.period.later, days), (records.sets_period.later, days))
    reads: dict[str, Read[Once[pd.DataFrame]]] = {}
    for name, query in (("The evaluations", records.period), ("The flashcard sets", records.sets_period)):
        with part(name):
            reads[name] = session.answer(query.later, days).read
    if len(reads) == 1:
        session.lack(clock.now)
    of_period = quality.Records(session, days, reads.get("The evaluations"), reads.get("The flashcard sets"))

    wrong, compared, missing = st.tabs(["Issues", "Models", "Missing from indexes"])
    with wrong:
        if not reads:
            st.text("Issues appear here once the records can be loaded.")
        else:
            with part("The issues"):
                issues = findings.of_period(of_period, session, period)
                findings.counts(issues, session, period)
                findings.by_kind(issues, session, clock, period)
            with part("The deep check"):
                deep_check.offer(of_period, session, clock, period)
    with compared:
        if of_period.evaluations is None:
            st.text("A comparison of models appears here once the evaluations can be loaded.")
        else:
            with part("The models"):
                markup.show(
                    markup.quiet(
                        "Each model scored different students, so these medians do not tell which model is stricter. "
                        "Where a new model replaced another, the change is measured with students whom both scored."
                    )
                )
                model_comparison.show(of_period, clock)
    with missing:
        if not session.visitor.is_ops:
            st.text("You don't have permission to scan a table. Ask an administrator.")
        else:
            markup.show(
                markup.quiet(
                    "A record without created_at, or with an unknown status, is in no list. Only a scan finds it."
                )
            )
        for table in TABLES if session.visitor.is_ops else ():
            with part("The scan"):
                orphans.offer(table, session, clock)
