"""Cards about how well a model works. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.calibration import calibration_plot
from dashboard.charts.distribution import risk_distribution
from dashboard.charts.model_dots import model_dots
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.loaders import read
from dashboard.presentation import performance as words
from dashboard.presentation.measures import MEASURES, Key, Measured
from pipeline.numerals import format_count
from pipeline.store import reads, reads_comparison
from pipeline.study.model import Target

NOT_COMPARED = (
    "Each interval is that of one model alone; whether one is better than another is told by the differences on the "
    "same patients."
)
_HEIGHT = 400


def render_auroc(
    view: View, target: Target, common: pd.DataFrame, everybody: pd.DataFrame, names: dict[str, str], plotted: list[str]
) -> None:
    """How well each model tells patients apart, with intervals; the table has also those that are not `plotted`."""
    frame = words.build_auroc_frame(common, everybody, {i: names[i] for i in plotted if i in names})
    every = words.build_auroc_frame(common, everybody, names)
    figure = model_dots(
        frame,
        palette=view.palette,
        axis_title="AUROC (0.5 is tossing a coin, 1 is perfect; the axis is cut)",
        text_title="AUROC (95%)",
    )
    table = every[["label", "text"]].set_axis(["Model", "AUROC (95% interval)"], axis=1)
    table.insert(1, "Patients", [format_count(n) for n in every["n"]])
    render_chart_card(
        words.tell_auroc(common, everybody, names, target.happened),
        figure,
        how_to_read=f"{MEASURES['auroc'].reading} The bar behind a dot is its 95% interval. {NOT_COMPARED}",
        table=table,
        caption=words.tell_same_patients(common, everybody),
        key="auroc",
    )


def render_calibration(view: View, target: Target, model_id: str, name: str) -> None:
    """Predicted against observed risk of one model."""
    curve = read(view.release, reads.get_calibration, target.id, model_id)
    smooth = read(view.release, reads_comparison.get_smooth_calibration, target.id, model_id)
    figure = calibration_plot(curve, palette=view.palette, smooth=smooth, height=_HEIGHT)
    render_chart_card(
        words.tell_calibration(curve, name, target.happened),
        figure,
        how_to_read=(
            "Patients are ordered by their risk and cut into groups. A dot compares the mean risk of a group (across) "
            "with how many of 100 had the event (up). On the dashed line both are equal; above it more had the event "
            "than predicted. The upright line is the 95% interval of what was observed; the curve is the same without "
            "groups, with its 95% band."
        ),
        table=words.build_calibration_table(curve),
        caption=f"{name}, every patient it could score. Upright lines: 95% intervals.",
        key="calibration",
    )


def render_distribution(view: View, target: Target, model_id: str, name: str) -> None:
    """How the risks of one model are spread among patients with and without the event."""
    bins = read(view.release, reads.get_distribution, target.id, model_id)
    event = target.happened or "had the event"
    figure = risk_distribution(bins, palette=view.palette, event_label=event, no_event_label="all others")
    render_chart_card(
        words.tell_distribution(bins, target.happened),
        figure.update_layout(height=_HEIGHT + 40),
        how_to_read=(
            "Upwards are the patients who had the event, downwards those who did not, by the risk they were given. "
            "The further apart the two heaps, the better the model tells patients apart."
        ),
        table=words.build_distribution_table(bins, target.happened),
        caption=f"{name}, every scored patient that it says something of.",
        key="distribution",
    )


def render_thresholds(target: Target, measured: dict[Key, Measured], thresholds: list[float]) -> None:
    """What would follow from deciding at the study's thresholds."""
    render_card_head(
        words.tell_threshold(measured, thresholds, target.happened),
        how_to_read=(
            "“Flagged” means a risk at or above the threshold. Net benefit counts right flags for 100 patients and "
            "takes off the wrong ones, each weighed at the odds of the threshold: at 50 of 100 a wrong flag weighs as "
            "much as a right one, at 25 of 100 a third. A threshold here is a point to measure at, not advice to act."
        ),
        key="thresholds",
    )
    if not thresholds:
        st.write("Sensitivity, flags and net benefit need a risk at which something would be decided.")
        return
    table = words.build_threshold_table(measured, thresholds, target.happened)
    notes = dict(zip(table["Measure"], table.pop("In plain words"), strict=True))
    render_table(table, label="Measures at the study's thresholds", right=list(table.columns[1:]), row_notes=notes)
    st.caption(f"This model, {words.tell_cases(measured, 'auroc')}. Of 100 patients; in brackets 95% intervals.")


def render_models(
    target: Target, common: pd.DataFrame, everybody: pd.DataFrame, names: dict[str, str], ranking: set[str]
) -> None:
    """Models × measures."""
    table = words.build_model_table(common, everybody, names, ranking)
    render_card_head(
        words.tell_models(common, names, ranking),
        how_to_read="\n".join(f"- **{MEASURES[m].name}**: {MEASURES[m].reading}" for m in words.FOR_TABLE),
        table=table,
        key="models",
    )
    render_table(
        table[["Model", "Patients", *(MEASURES[m].name for m in words.FOR_READING)]],
        label="Models and measures",
        right=list(table.columns[1:]),
        notes=words.describe_columns(target.happened),
        strong=["Model"],
    )
    more = "In brackets: 95% intervals; three more measures are in the table."
    st.caption(f"{more} {NOT_COMPARED}" if len(names) > 1 else more)


def render_amount_measures(target: Target, measured: dict[Key, Measured]) -> None:
    """The measures of a projected amount."""
    render_card_head(
        words.tell_amounts(measured),
        how_to_read=(
            "Totals can be right while single patients are not: errors up and down cancel out in a group. R² says how "
            "much of the differences between patients the projection knows of."
        ),
        key="measures",
    )
    table = words.build_amount_table(measured, target)
    render_table(table, label="Measures of the projection", right=[table.columns[1]], strong=["Measure"])
    year = f"Dollars, {target.year}. " if target.unit == "USD" and target.year else ""
    st.caption(f"{year}This model, {words.tell_cases(measured, 'r2')} with a recorded amount.")
