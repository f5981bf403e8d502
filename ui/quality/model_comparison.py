"""The models that gave the bands, compared, on the Audit page."""

import math

import pandas as pd
import streamlit as st

from analysis import models
from analysis.models import Shift, Takeover
from ui.components import charts, markup, plots
from ui.components.markup import Html
from ui.shell.page import Page
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES


def compared(rows: pd.DataFrame) -> None:
    """Bands by model for each type, in a frame of evaluations."""
    table = models.by_model(rows)
    if table.empty:
        st.text("No completed evaluation with a band in this period.")
        return
    lines = [
        [
            markup.inline(SKILL_NAMES[row["type"]]),
            markup.inline(row["model"]),
            *(Html(f"{row[name]:,}") for name in ("scored", "students")),
            Html(formats.band(row["median"])),
            Html(" to ".join(formats.band(row[quartile]) for quartile in ("q1", "q3"))),
            Html(formats.band(row["spread"])),
        ]
        for row in table.to_dict("records")
    ]
    header = ["Skill", "Model", "Evaluations", "Students", "Median band", "Middle half", "Spread"]
    markup.show(markup.table(header, lines, "Bands by model"))


def takeovers(rows: pd.DataFrame, skill: str, page: Page) -> None:
    """When a model took over in a skill, what that did to the bands, and bands over time with a mark there."""
    over_time = models.over_time(rows, skill, page.zone.key)
    if over_time.empty:
        return
    found = models.takeovers(rows, skill)
    st.subheader(SKILL_NAMES[skill], anchor=False)
    if not found:
        st.text("No model took over from another in this period.")
    said = [_said_of_shift(takeover, models.shift(rows, takeover), page) for takeover in found]
    if said:
        markup.show(markup.bullets(markup.inline(sentence) for sentence in said))
    plots.show(
        charts.model_bands,
        over_time,
        [(t.at, f"{foreign_text.short(t.model, 36)} takes over") for t in found],
        skill,
        page.zone,
        key=f"models_{skill}",
        alt=f"{SKILL_NAMES[skill]} bands by model over time. {' '.join(said)}",
    )


def _said_of_shift(takeover: Takeover, shift: Shift, page: Page) -> str:
    when = takeover.at.astimezone(page.zone)
    said = f"{takeover.model} took over from {' and '.join(takeover.replaced)} on {when.day} {when:%b %Y}. "
    students = formats.count(shift.students, "student")
    if math.isnan(shift.low):
        verb = "was" if shift.students == 1 else "were"
        return f"{said}Not enough evidence of a shift: {students} {verb} scored by both, six are needed."
    numbers = (
        f"median {_signed(shift.median)} over the {students} whom both scored, 95\u00a0% interval {_signed(shift.low)} "
        f"to {_signed(shift.high)}, {shift.days:.0f} days apart; what they learned in between is in it"
    )
    if not shift.shown:
        return f"{said}Not enough evidence of a shift: {numbers}."
    return f"{said}Bands are {'lower' if shift.median < 0 else 'higher'} since: {numbers}."


def _signed(shift: float) -> str:
    return f"{shift:+.2f}" if shift else "0"
