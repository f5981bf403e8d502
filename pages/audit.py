"""Data quality: scores and formats that are wrong, models compared, records that are missing from indexes."""

import pandas as pd
import streamlit as st

from data.schema import TABLES, TYPES
from queries import background, records
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
    session.ahead((records.period, days), (records.sets_period, days))
    frames: dict[str, pd.DataFrame] = {}
    for name, query in (("The evaluations", records.period), ("The flashcard sets", records.sets_period)):
        with part(name):
            frames[name] = session.read(query, days)
    evaluations, sets = frames.get("The evaluations"), frames.get("The flashcard sets")

    issues, compared, missing = st.tabs(["Issues", "Models", "Missing from indexes"])
    with issues:
        if evaluations is None and sets is None:
            st.text("Issues appear here once the records can be loaded.")
        else:
            with part("The issues"):
                rows = findings.of_period(evaluations, sets, session, period)
                findings.counts(rows, evaluations, sets, period)
                loaded = evaluations is not None and sets is not None
                findings.by_kind(rows, session, clock, period, loaded=loaded)
            with part("The deep check"):
                deep_check.offer(evaluations, sets, session, clock, period)
    with compared:
        if evaluations is None:
            st.text("A comparison of models appears here once the evaluations can be loaded.")
        else:
            with part("The models"):
                markup.show(
                    markup.quiet(
                        "Each model scored different students, so these medians do not tell which model is stricter. "
                        "Where a new model replaced another, the change is measured with students whom both scored."
                    )
                )
                model_comparison.compared(evaluations)
                for skill in TYPES:
                    model_comparison.takeovers(evaluations, skill, clock)
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
