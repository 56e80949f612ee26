"""Cards about models side by side. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.net_benefit import net_benefit_plot
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.presentation import comparison as words
from pipeline.numerals import format_count
from pipeline.study.model import Target


def render_comparisons(target: Target, comparisons: pd.DataFrame) -> None:
    """Differences between this model and every other, on the same patients."""
    metric = words.leading_metric(target)
    render_card_head(
        words.tell_comparisons(comparisons),
        how_to_read=(
            "Both models judge the same patients, who are drawn again and again; the interval is that of the "
            "difference. “Better” is only said where the whole interval lies on one side of zero. Comparisons with "
            "models in use count patients whom this model refuses, with the estimate it withholds: leaving them out "
            "would flatter it. A combination takes this model and what people said, weighed on other patients."
        ),
        key="comparisons",
    )
    table = words.build_comparison_table(words.order_models(comparisons), metric)
    if len(table):
        notes = dict(zip(table["Compared with"], table.pop("What it is"), strict=True))
        render_table(
            table,
            label="Differences between models",
            right=list(table.columns[1:]),
            strong=["Compared with"],
            row_notes=notes,
        )
    if told := words.tell_glass_box(comparisons):
        st.write(told)
    st.caption(f"{target.label}. In brackets: 95% intervals. A difference of a thousandth may not matter to anybody.")


def render_benefit(view: View, curve: pd.DataFrame) -> None:
    """What decisions by this model would be worth, over the study's range of thresholds."""
    n = format_count(float(curve["n"].max())) if len(curve) else "0"
    render_chart_card(
        words.tell_benefit(curve),
        net_benefit_plot(curve, palette=view.palette, name="this model"),
        how_to_read=(
            "For 100 patients: right flags, less the wrong ones, each weighed at the odds of the threshold (Vickers "
            "and Elkin 2006). A model is worth using at a threshold only where it lies above both flagging everybody "
            "and flagging nobody. The range of thresholds is the study's judgement of what is worth looking at."
        ),
        table=words.build_benefit_table(curve),
        caption=f"This model, n {n}. The band is the 95% interval.",
        key="benefit",
    )


def render_concentration(concentration: pd.DataFrame) -> None:
    """How much of the total a few patients hold."""
    render_card_head(
        words.tell_concentration(concentration),
        how_to_read=(
            "Amounts are held by few. If those projected highest hold nearly as much as those that turned out "
            "highest, the model finds them beforehand. It says nothing about whether their amounts could be lowered."
        ),
        key="concentration",
    )
    table = words.build_concentration_table(concentration)
    if len(table):
        render_table(table, label="How amounts are concentrated", right=list(table.columns[1:]))
