"""The models that gave the bands, compared, on the Data quality page."""

import math

import pandas as pd
import streamlit as st

from analysis import models
from analysis.models import Shift, Takeover
from ui.components import charts, markup, plots
from ui.shell.clock import Clock
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
            SKILL_NAMES[row["type"]],
            row["model"],
            *(f"{row[name]:,}" for name in ("scored", "students")),
            formats.band(row["median"]),
            " to ".join(formats.band(row[quartile]) for quartile in ("q1", "q3")),
            formats.band(row["spread"]),
        ]
        for row in table.to_dict("records")
    ]
    header = ["Skill", "Model", "Evaluations", "Students", "Median band", "Middle 50%", "IQR"]
    markup.show(markup.table(header, lines, "Bands by model"))


def takeovers(rows: pd.DataFrame, skill: str, clock: Clock) -> None:
    """When a model took over in a skill, what that did to the bands, and bands over time with a mark there."""
    over_time = models.over_time(rows, skill, clock.zone.key)
    if over_time.empty:
        return
    changes = models.takeovers(rows, skill)
    st.subheader(SKILL_NAMES[skill], anchor=False)
    if not changes:
        st.text("No model change in this period.")
    sentences = [_shift_sentence(takeover, models.shift(rows, takeover), clock) for takeover in changes]
    if sentences:
        markup.show(markup.bullets(sentence for sentence in sentences))
    plots.show(
        charts.model_bands,
        over_time,
        [(t.at, f"{foreign_text.short(t.model, 36)} is new") for t in changes],
        skill,
        clock.zone,
        key=f"models_{skill}",
        alt=f"{SKILL_NAMES[skill]} bands by model over time. {' '.join(sentences)}",
    )


def _shift_sentence(takeover: Takeover, shift: Shift, clock: Clock) -> str:
    when = takeover.at.astimezone(clock.zone)
    sentence = (
        f"New model: {takeover.model}, in place of {' and '.join(takeover.replaced)}, since {formats.full_date(when)}. "
    )
    students = formats.count(shift.students, "student")
    if math.isnan(shift.low):
        verb = "was" if shift.students == 1 else "were"
        return f"{sentence}Not enough data: {students} {verb} scored by both, {models.FEWEST_STUDENTS} are needed."
    numbers = (
        f"mean {_signed(shift.mean)} over the {students} whom both scored (95% interval {_signed(shift.low)} to "
        f"{_signed(shift.high)}), {shift.days:.0f} days apart, with what they learned in between"
    )
    if not shift.beyond_chance:
        return f"{sentence}No clear shift: {numbers}."
    return f"{sentence}Bands are {'lower' if shift.mean < 0 else 'higher'} since: {numbers}."


def _signed(shift: float) -> str:
    return f"{shift:+.2f}".replace("-", formats.MINUS) if shift else "0"
