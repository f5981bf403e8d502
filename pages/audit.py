"""Audit: scores that do not follow, records that break the schema, models compared, what no list shows."""

import streamlit as st

from data.schema import TABLES, TYPES
from queries import records
from ui.components import filters
from ui.quality import deep_check, findings, model_comparison, orphans
from ui.shell.page import open_page

with open_page("Audit") as page:
    period = filters.period("audit")
    days = period.days or filters.LONGEST_DAYS
    page.ahead((records.period, days), (records.sets_period, days))
    evaluations = page.read_part("The evaluations", records.period, days)
    sets = page.read_part("The flashcard sets", records.sets_period, days)

    if evaluations is not None or sets is not None:
        with page.part("The findings"):
            found = findings.of_period(evaluations, sets, page, period)
            findings.counts(found, evaluations, sets, period)
            findings.by_kind(found, page, period)
        with page.part("Reading the records whole"):
            deep_check.offer(evaluations, sets, page, period)

    if evaluations is not None:
        with page.part("The models"):
            st.subheader(
                "Models",
                anchor=False,
                help="Completed evaluations with a band, by the model that gave it (model_used). Students differ from "
                "model to model: only the shift compares the same students.",
            )
            model_comparison.compared(evaluations)
            for skill in TYPES:
                model_comparison.takeovers(evaluations, skill, page)

    st.subheader("What no list shows", anchor=False)
    st.text(
        "Lists are read through indexes by student or status and time. A record without created_at, or with a status "
        "other than processing, completed and failed, is missing from some of them. Only reading the whole table finds "
        "it; nothing but counts and keys is kept."
    )
    if not page.visitor.is_ops:
        st.text("Reading a whole table is for ops.")
    for table in TABLES if page.visitor.is_ops else ():
        with page.part("The count"):
            orphans.offer(table, page)
