"""Cards about the data of a release. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.importance import importance_bars
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.presentation import data_report as words
from dashboard.presentation.measures import WITHHELD

# Denser than bars with intervals, so that the card is about as tall as the table beside it.
_ROW_HEIGHT, _LEAST_HEIGHT = 30, 200


def render_attrition(view: View, attrition: pd.DataFrame, scored: int | None) -> None:
    """Who is in the cohort, and how many of them are scored."""
    noun = view.study.subject.noun
    render_card_head(
        words.tell_attrition(attrition, noun),
        how_to_read="Each step keeps the rows that meet its condition. Whoever is left after the last is the cohort.",
        key="attrition",
    )
    table = words.build_attrition_table(attrition, noun)
    render_table(table, label="Who is in the cohort", right=list(table.columns[1:3]))
    if told := words.tell_scored(int(attrition["n_after"].iloc[-1]), scored):
        st.write(told)


def render_repairs(view: View, repair: pd.DataFrame) -> None:
    """What was mended in the source."""
    noun = view.study.subject.noun
    render_card_head(
        words.tell_repairs(repair, noun),
        how_to_read=(
            "A repair is declared in the study, made by a committed mapping and counted here. The page of every "
            f"{noun} concerned says it too."
        ),
        key="repairs",
    )
    if len(repair):
        table = words.build_repair_table(repair, noun)
        render_table(table, label="What was repaired", right=list(table.columns[2:]))
    for why in words.tell_reasons(repair):
        st.caption(why)


def render_quarantine(counts: pd.DataFrame, labels: dict[str, str]) -> None:
    """Which values broke a rule."""
    render_card_head(
        words.tell_quarantine(counts),
        how_to_read=(
            "A value that cannot be true is set to missing; one that is unlikely is kept and marked. Counts under 11 "
            "are withheld, since they could point at single patients; withheld does not mean zero."
        ),
        key="quarantine",
    )
    if len(counts):
        table = words.build_quarantine_table(counts, labels)
        render_table(table, label="Values that broke a rule", right=["Values"])
    st.caption(f"“{WITHHELD}” does not mean zero.")


def render_missing(view: View, features: pd.DataFrame) -> None:
    """Which features have gaps."""
    gaps = words.build_missing_frame(features)
    figure = importance_bars(gaps, palette=view.palette, axis_title="Missing, of 100 patients")
    figure.update_layout(height=max(_LEAST_HEIGHT, _ROW_HEIGHT * len(gaps)))
    render_chart_card(
        words.tell_missing(features),
        figure,
        how_to_read=(
            "Of 100 patients, how many have no value. The models can use that a value is missing: it often says that "
            "nobody saw a reason to measure, or that it was not collected at the time."
        ),
        table=words.build_feature_table(features),
        caption=f"n {int(view.facts['n_subjects']):,}, after repairs. Features without gaps are in the table.",
        key="missing",
    )


def render_excluded(excluded: pd.DataFrame, n_features: int) -> None:
    """What is not given to the models, and why."""
    render_card_head(
        words.tell_excluded(excluded, n_features),
        how_to_read="Every column of the source is either a feature or named here with the reason the study gives.",
        key="excluded",
    )
    table = words.build_excluded_table(excluded)
    render_table(table, label="Columns that are not given to the models", strong=["Column"])


def render_provenance(view: View) -> None:
    """What is needed to build the release anew."""
    render_card_head(
        words.tell_provenance(view.facts),
        how_to_read=(
            "SHA-256 is a fingerprint: the same file always has the same one, and a changed file another. The seed "
            "fixes every random choice. Code marked “+changed” had changes that its commit does not hold, so such a "
            "release cannot be built again from the commit."
        ),
        key="provenance",
    )
    table = words.build_provenance_table(view.facts, view.study.splits.folds)
    render_table(table, label="Where the release comes from", strong=["What"])


def render_statements(statements: pd.DataFrame) -> None:
    """What only people can say."""
    render_card_head(
        "What the study says of its use",
        how_to_read="No calculation can tell these. They are what the people who wrote the study stand for.",
        key="statements",
    )
    render_table(words.build_statement_table(statements), label="Statements of the study", strong=["Field"])
