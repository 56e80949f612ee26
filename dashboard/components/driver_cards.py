"""Cards about what moves the estimates. Called inside the container that is to hold the card."""

import pandas as pd

from dashboard.access import View
from dashboard.charts.importance import importance_bars
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.loaders import read
from dashboard.presentation import importance
from pipeline.store import reads, reads_audits
from pipeline.study.model import Kind, Target


def render_concepts(view: View, target: Target) -> None:
    """The clinical concepts, largest first."""
    table = read(view.release, reads.get_concept_importance, target.id)
    frame = importance.build_importance_frame(table, target, label="concept")
    _render(view, target, importance.tell_largest(frame, target), frame, frame, name="Concept")


def render_features(view: View, target: Target) -> None:
    """The features, largest first; the table has those that the chart leaves out."""
    table = read(view.release, reads.get_feature_importance, target.id)
    frame = importance.build_importance_frame(table, target, label="label")
    named = importance.shorten_labels(frame, read(view.release, reads.get_features))
    _render(
        view,
        target,
        importance.tell_largest_feature(named, target),
        frame,
        importance.shorten(named),
        name="Feature",
    )


def render_not_given(view: View) -> None:
    """The attributes that groups are formed by and that no model sees."""
    excluded = read(view.release, reads.get_data_report)["excluded_column"]
    table = importance.build_not_given_table(view.study, excluded)
    render_card_head(
        importance.tell_not_given(view.study),
        how_to_read=(
            "Leaving an attribute out does not make a model fair: other values can stand in for it. That is why the "
            "page Subgroups measures every model in each of these groups."
        ),
        key="not-given",
    )
    if len(table):
        render_table(table, label="Attributes that are not given to the models", strong=["Attribute"])


def _render(view: View, target: Target, title: str, frame: pd.DataFrame, shown: pd.DataFrame, *, name: str) -> None:
    figure = importance_bars(
        shown,
        palette=view.palette,
        axis_title=importance.name_unit(target),
        tick_format="" if target.kind is Kind.OUTCOME else ".0%",
    )
    scored = read(view.release, reads_audits.get_scored)
    patients = f"n {scored:,} scored, thin lines: 95% intervals." if scored else "Thin lines: 95% intervals."
    render_chart_card(
        title,
        figure,
        how_to_read=f"{importance.explain_unit(target)} {importance.explain_interval()}",
        table=importance.build_importance_table(frame, target, name=name),
        caption=f"{importance.tell_shown(frame, shown)}{patients} {importance.ASSOCIATION}",
        key=name.lower(),
    )
