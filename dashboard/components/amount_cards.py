"""Cards about projected amounts: groups, tenths, totals. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.dumbbell import dumbbell
from dashboard.charts.tenths import tenths_plot
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.loaders import read
from dashboard.presentation import amounts
from pipeline.store import reads, reads_groups
from pipeline.study.model import Target


def render_groups(view: View, target: Target, outlook: pd.DataFrame, *, largest_first: bool) -> None:
    """Projected against observed means, a row a group of `get_group_outlook`."""
    groups = amounts.build_group_frame(outlook, largest_first=largest_first)
    figure = dumbbell(
        groups, palette=view.palette, axis_title=amounts.name_axis(target), unit_prefix=amounts.unit_prefix(target)
    )
    render_chart_card(
        amounts.tell_groups(groups),
        figure,
        how_to_read=(
            "The ring is the mean of what was observed in a group, the dot the mean of what was projected for the "
            "same patients, by models that never saw them. Projected ÷ observed is 1 where both agree; 1.15 is 15% "
            "too high. ◆ marks a group that is clearly off: below 0.8 or above 1.25, and by "
            "more than chance explains."
        ),
        table=amounts.build_dumbbell_table(groups, target),
        caption="Only patients whose amount was recorded. In brackets: 95% intervals of projected ÷ observed.",
        key="groups",
    )


def render_tenths(view: View, target: Target, *, height: int) -> None:
    """Projected against observed means in tenths of patients; `height` is the chart's, in pixels."""
    curve = read(view.release, reads.get_amount_curve, target.id)
    figure = tenths_plot(
        curve.rename(columns={"predicted": "projected"}),
        palette=view.palette,
        axis_title=amounts.name_axis(target),
        unit_prefix=amounts.unit_prefix(target),
    )
    render_chart_card(
        amounts.tell_tenths(curve),
        figure.update_layout(height=height),
        how_to_read=(
            "Patients are ordered by their projection and cut into ten equal parts. A bar is the mean that was "
            "observed in a part, its thin line the 95% interval, the dot the mean that was projected. A dot outside "
            "the line is a projection that does not fit that part."
        ),
        table=amounts.build_tenths_table(curve, target),
        caption="Only patients whose amount was recorded. Thin lines: 95% intervals.",
        key="tenths",
    )


def render_totals(view: View, target: Target, outlook: pd.DataFrame, total: pd.Series) -> None:
    """Projected and observed totals, a row a group; `total` is the row of all patients."""
    render_card_head(
        amounts.tell_largest_group(outlook, total, target),
        how_to_read=(
            "The projected total is that of all patients of a group, with the 95% interval for what such a group adds "
            "up to: patients differ, and groups have differed from the whole cohort beyond that. The observed total "
            "is that of the patients whose amount was recorded, so it is smaller where some are missing: compare the "
            "means in the card on groups, not the two totals."
        ),
        key="totals",
    )
    table = amounts.build_total_table(outlook, target)
    render_table(table, label="Projected and observed totals by group", right=list(table.columns[1:]))
    year = amounts.money_year(target)
    coverage = read(view.release, reads_groups.get_total_coverage, target.id, 0.95)
    st.caption(
        f"{f'Dollars, {year}. ' if year else ''}Intervals allow for how much groups differ from the whole cohort. "
        f"{amounts.tell_coverage(coverage, view.study)} ◆ marks a group that is clearly off."
    )
