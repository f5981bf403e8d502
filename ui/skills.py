"""A student's two skills side by side: the numbers that matter, the trend, the criteria."""

import pandas as pd
import streamlit as st

from analysis import bands
from data.schema import TYPES
from ui import charts, filters, formats
from ui.page import EVALUATION, Page


def headline(history: pd.DataFrame, shown: pd.DataFrame, page: Page) -> None:
    """Latest and best band per skill, evaluations in the period, last seen."""
    with st.container(horizontal=True):
        for skill in TYPES:
            numbers = bands.skill_bands(history, skill)
            change = formats.change(numbers.change)
            st.metric(
                f"{charts.NAMES[skill]} band, latest",
                formats.band(numbers.latest),
                change if numbers.change else (0 if change else None),
                delta_color="off",
                delta_description=f"{'' if numbers.change else 'no change '}since the one before · best "
                f"{formats.band(numbers.best)}"
                if change
                else f"best {formats.band(numbers.best)}"
                if numbers.scored
                else "none completed yet",
                help=f"The band of the latest completed {charts.NAMES[skill]} evaluation, and how it differs from the "
                "one before. Scores are noisy: half a band between two attempts is not yet progress.",
                width="content",
            )
        st.metric(
            "Evaluations shown",
            f"{len(shown):,}",
            delta_description=f"of {len(history):,} in all",
            help="Of every status, in the chosen period.",
            width="content",
        )
        last_seen = formats.known(history["created_at"].max())
        st.metric(
            "Last seen",
            formats.ago(last_seen, page.now),
            delta_description=formats.exact(last_seen, page.zone),
            help="When the newest evaluation was started.",
            width="content",
        )


def trends(shown: pd.DataFrame, page: Page) -> None:
    """Per skill: bands over time, the criteria if wanted, and the criterion profile. A click on a point opens it."""
    with_criteria = filters.switch("Show the criteria in the charts", key="criteria")
    columns = st.columns(2)
    for column, skill in zip(columns, TYPES, strict=True):
        with column:
            _skill(shown, skill, page, with_criteria)


def address(evaluation: pd.Series) -> dict[str, str]:
    """The ids in the address of an evaluation's page."""
    return {"evaluation_id": evaluation["evaluation_id"], "user_id": evaluation["user_id"]}


def _skill(shown: pd.DataFrame, skill: str, page: Page, with_criteria: bool) -> None:
    name = charts.NAMES[skill]
    scored = bands.scored(shown, skill)
    st.subheader(name, anchor=False)
    if scored.empty:
        st.text(f"No completed {name} evaluation in this period.")
        return
    latest, best = scored["overall_band"].iloc[0], scored["overall_band"].max()
    title = f"Latest {formats.band(latest)}, best {formats.band(best)}, in {formats.count(len(scored), 'evaluation')}"
    st.text(f"{title}. Select a point to open it.")
    event = st.plotly_chart(
        charts.band_trend(scored, skill, criteria=with_criteria, zone=page.zone),
        key=f"trend_{skill}",
        on_select="rerun",
        selection_mode="points",
        config=charts.CONFIG,
        alt=f"{name} bands over time. {title}.",
    )
    if points := event["selection"]["points"]:
        evaluation_id, user_id = points[0]["customdata"]
        page.go(EVALUATION, evaluation_id=evaluation_id, user_id=user_id)
    untimed = int(scored["created_at"].isna().sum())
    if untimed:
        st.text(
            f"{formats.count(untimed, 'evaluation')} without a readable time: not in the chart, but in the history."
        )
    profile = bands.criteria_profile(shown, skill)
    st.text(f"Criteria of the latest one: {_weakest(profile)}")
    st.plotly_chart(
        charts.profile(profile, skill),
        key=f"profile_{skill}",
        config=charts.CONFIG,
        alt=f"{name} criteria: "
        + ", ".join(f"{n} {formats.band(v)}" for n, v in zip(profile["name"], profile["latest"], strict=True)),
    )


def _weakest(profile: pd.DataFrame) -> str:
    """Which criterion is lowest, in words."""
    known = profile[profile["latest"].notna()]
    if known.empty:
        return "not recorded"
    lowest = known["latest"].min()
    names = known["name"][known["latest"] == lowest].tolist()
    if len(names) == len(known):
        return f"all at {formats.band(lowest)}"
    return f"lowest in {' and '.join(names)}, {formats.band(lowest)}"
