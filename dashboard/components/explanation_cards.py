"""Cards about the quality of explanations. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.deletion import deletion_lines
from dashboard.charts.importance import importance_bars
from dashboard.charts.stability import stability_histogram
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.loaders import read
from dashboard.presentation import explanation_quality as words
from pipeline.numerals import format_count
from pipeline.store import reads_explained
from pipeline.store.tables.explained import LEAST_OVERLAP
from pipeline.study.model import Target


def render_stability(view: View, target: Target, own: words.Checks) -> None:
    """How many of their first reasons patients keep."""
    bins = read(view.release, reads_explained.get_stability_distribution, target.id)
    figure = stability_histogram(bins, palette=view.palette, limit=LEAST_OVERLAP, limit_words=words.LIMIT_WORDS)
    render_chart_card(
        words.tell_stability(own),
        figure,
        how_to_read=words.explain_stability(int(view.facts["refits"])),
        table=words.build_stability_table(bins),
        caption="Rebuilds of the model that never saw the patient. Ranges are joined until none tells of a few.",
        key="stability",
    )


def render_deletion(view: View, target: Target, own: words.Checks) -> None:
    """How far the estimate moves as reasons are taken away."""
    curve = read(view.release, reads_explained.get_deletion_curve, target.id)
    figure = deletion_lines(
        curve,
        palette=view.palette,
        names=words.ORDERS,
        axis_title=words.name_moved(target),
        x_title="Features whose values are replaced by other patients'",
    )
    patients = format_count(own["deletion"]["n"])
    render_chart_card(
        words.tell_deletion(own),
        figure,
        how_to_read=words.explain_deletion(),
        table=words.build_deletion_table(curve),
        caption=f"{patients} patients at random, each by the model that never saw them. Bands: 95% intervals.",
        key="deletion",
    )


def render_targets(view: View, quality: pd.DataFrame) -> None:
    """For how many patients reasons change, by what is estimated."""
    frame = words.build_target_frame(quality, view.study)
    figure = importance_bars(frame, palette=view.palette, axis_title="Patients whose reasons change, of 100")
    render_chart_card(
        words.tell_by_target(frame),
        figure,
        how_to_read=words.explain_stability(int(view.facts["refits"])),
        table=words.build_target_table(frame),
        caption="Thin lines: 95% intervals over patients.",
        key="targets",
    )


def render_checks(own: words.Checks) -> None:
    """Every check in words."""
    render_card_head(words.tell_checks(own), how_to_read=words.explain_checks(), key="checks")
    render_table(
        words.build_check_table(own),
        label="Checks of the explanations",
        right=["Measured (95%)", "Patients"],
        strong=["Check"],
    )
    st.caption("In brackets: 95% intervals over patients, where the measure has one.")
