"""Cards about groups that were searched among many. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.components.cards import render_card_head
from dashboard.components.tables import render_table
from dashboard.presentation import exploratory as words
from dashboard.presentation.measures import Measure
from pipeline.study.model import Target

_EXPLORED = "Exploratory: many groups were looked at, so one in ten of those marked may be there by chance."


def render_pairs(target: Target, measure: Measure, pairs: pd.DataFrame) -> None:
    """Groups formed by two attributes."""
    render_card_head(
        words.tell_pairs(pairs, measure),
        how_to_read=(
            "Two attributes together can hide what neither shows alone. ◆ marks a group whose interval misses the "
            "right value, by more than matters, and that stays after allowing for how many groups were looked at "
            f"(Benjamini and Hochberg 1995; q is the share of such marks that chance would give). {measure.reading}"
        ),
        table=words.build_all_pairs_table(pairs, measure),
        key="pairs",
    )
    table = words.build_pair_table(pairs, measure, target.happened)
    if len(table):
        render_table(
            table, label="Groups formed by two attributes", right=["Patients", "Estimate (95% interval)", "Chance (q)"]
        )
    st.caption(f"{target.label}: {measure.name.lower()}. {_EXPLORED} {words.tell_rest(pairs)}")


def render_slices(target: Target, measure: Measure, slices: pd.DataFrame, search: pd.DataFrame) -> None:
    """Groups of up to three conditions that were found on one half and confirmed on the other."""
    fewest = f" Groups of fewer than {search['fewest'].iloc[0]:.0f} patients were not looked at." if len(search) else ""
    render_card_head(
        words.tell_slices(slices, search),
        how_to_read=(
            "Every group that up to three conditions form was searched on a random half of the patients; those that "
            "stood out most were tried again on the other half. Only those that held there are shown, with the "
            f"figures of that other half.{fewest}"
        ),
        key="slices",
    )
    table = words.build_slice_table(slices, measure, target.happened)
    if len(table):
        render_table(
            table,
            label="Groups that were found and confirmed",
            right=["Patients", "Estimate (95% interval)", "Chance (q)"],
        )
    st.caption(f"{target.label}: {measure.name.lower()}. {_EXPLORED}" if len(table) else target.label)
