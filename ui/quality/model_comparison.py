"""The models that gave the bands, compared, on the Data quality page."""

import math

import pandas as pd
import streamlit as st

from analysis import models
from analysis.models import Shift, Takeover
from data.schema import TYPES
from queries.quality import Records
from ui.components import charts, markup, plots
from ui.shell.clock import Clock
from wording import foreign_text, formats
from wording.skills import SKILL_NAMES

_LONGEST = 60  # characters of a model's name, which is whatever a record says


def show(records: Records, clock: Clock) -> None:
    """Bands by model, and of each skill when one took over, where evaluations could be read."""
    compared = records.models(clock.zone.key)
    if compared is None:
        return
    _by_model(compared.table)
    if compared.others:
        others = formats.count(compared.others, "other model")
        st.text(f"Not compared: {others}, which gave no more bands than these.")
    for skill in TYPES:
        _takeovers(compared.over_time[skill], compared.shifts[skill], skill, clock)


def _by_model(table: pd.DataFrame) -> None:
    """Bands by model for each type."""
    if table.empty:
        st.text("No completed evaluation with a band in this period.")
        return
    lines = [
        [
            SKILL_NAMES[row["type"]],
            foreign_text.short(row["model"], _LONGEST),
            *(f"{row[name]:,}" for name in ("scored", "students")),
            formats.band(row["median"]),
            " to ".join(formats.band(row[quartile]) for quartile in ("q1", "q3")),
            formats.band(row["spread"]),
        ]
        for row in table.to_dict("records")
    ]
    header = ["Skill", "Model", "Evaluations", "Students", "Median band", "Middle 50%", "IQR"]
    markup.show(markup.table(header, lines, "Bands by model"))


def _takeovers(over_time: pd.DataFrame, changes: list[tuple[Takeover, Shift]], skill: str, clock: Clock) -> None:
    """When a model took over in a skill, what that did to the bands, and bands over time with a mark there."""
    if over_time.empty:
        return
    st.subheader(SKILL_NAMES[skill], anchor=False)
    if not changes:
        st.text("No model change in this period.")
    sentences = [_shift_sentence(takeover, shift, clock) for takeover, shift in changes]
    if sentences:
        markup.show(markup.bullets(sentence for sentence in sentences))
    plots.show(
        charts.model_bands,
        over_time,
        [(takeover.at, takeover.model) for takeover, _ in changes],
        skill,
        clock.zone,
        key=f"models_{skill}",
        alt=f"{SKILL_NAMES[skill]} bands by model over time. {' '.join(sentences)}",
    )


def _shift_sentence(takeover: Takeover, shift: Shift, clock: Clock) -> str:
    when = takeover.at.astimezone(clock.zone)
    new, *old = (foreign_text.short(model, _LONGEST) for model in (takeover.model, *takeover.replaced))
    sentence = f"New model: {new}, in place of {' and '.join(old)}, since {formats.full_date(when)}. "
    students = formats.count(shift.students, "student")
    if math.isnan(shift.low):
        if shift.students >= models.FEWEST_STUDENTS:
            return f"{sentence}All {students} whom both scored differ by {_signed(shift.mean)}: no margin is known."
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
