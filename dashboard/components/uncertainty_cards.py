"""Cards about how sure estimates are. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.components.cards import render_card_head
from dashboard.components.tables import render_table
from dashboard.presentation import uncertainty as words
from pipeline.study.model import Target


def render_three_kinds() -> None:
    """The three uncertainties of one patient's estimate, by name."""
    kinds = "\n".join(f"- **{name}**: {meaning}." for name, meaning in words.THREE_KINDS)
    st.markdown(f"**An estimate is unsure in three ways, and each has a name.**\n{kinds}")
    st.caption("What happens to one person is not among them: an event happens, or it does not.")


def render_intervals(quality: pd.DataFrame) -> None:
    """How often intervals held, over all patients."""
    render_card_head(
        words.tell_intervals(quality),
        how_to_read=(
            "For a risk: of 100 further rebuilds of the model, how many gave an estimate inside the interval; it is "
            "not how often the true risk lies inside, which nobody can observe. For an amount: of 100 patients whom "
            "the model never saw, how many had an amount inside. By group, see Subgroups."
        ),
        key="intervals",
    )
    table = words.build_interval_table(quality)
    render_table(table, label="How often intervals held", right=list(table.columns[2:]), strong=["Estimate"])


def render_totals(target: Target, coverage: pd.DataFrame) -> None:
    """How often the interval of a group's total held."""
    render_card_head(
        words.tell_totals(coverage),
        how_to_read=(
            "A total assumes that the selection behaves like the whole cohort, but for the differences between groups "
            "that were seen. It was tried on groups drawn at random, and on the groups that the study's attributes "
            "form, which differ more. Right is what the interval promises: 90 of 100."
        ),
        table=words.build_total_table(coverage),
        key="totals",
    )
    table = words.build_total_table(coverage[coverage["level"] == words.SHOWN_LEVEL]).drop(columns="Interval")
    if len(table):
        render_table(table, label="How often totals held", right=list(table.columns[1:]))
    st.caption(f"{target.label}, 90% intervals; 80% and 95% are in the table.")


def render_effects(effects: pd.DataFrame) -> None:
    """How much groups differ beyond chance."""
    render_card_head(
        words.tell_effects(effects),
        how_to_read=(
            "How far observed and predicted lie apart from one level of the attribute to the next, after what chance "
            "alone does has been taken off (random effects, DerSimonian and Laird 1986). It widens the interval of a "
            "total that is not a fair sample of all. A total of a fair sample is not widened."
        ),
        key="effects",
    )
    table = words.build_effect_table(effects)
    if len(table):
        render_table(table, label="Differences between groups", right=[table.columns[1]], strong=["Groups by"])


def render_repeats(spread: pd.DataFrame) -> None:
    """How much figures move with other folds."""
    render_card_head(
        words.tell_repeats(spread),
        how_to_read=(
            "Every patient is scored by a model that was trained on others, so patients are divided into parts "
            "(folds). The 95% interval says how far a figure would move with other patients; beside it stands how far "
            "it moved when the same patients were divided otherwise and all models were trained again."
        ),
        key="repeats",
    )
    table = words.build_repeat_table(spread)
    if len(table):
        render_table(table, label="Spread over repeats", right=list(table.columns[1:]), strong=["Measure"])
