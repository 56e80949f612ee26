"""Cards about groups of patients under one measure. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.forest import forest
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.loaders import read
from dashboard.presentation import subgroups as words
from dashboard.presentation.importance import attributes_not_given
from dashboard.presentation.measures import WITHHELD, Measure
from pipeline.store import reads
from pipeline.study.model import Kind, Target


def render_forest(
    view: View, target: Target, measure: Measure, judged: pd.DataFrame, *, all_patients: float, threshold: float | None
) -> None:
    """Every group with its interval; the line is the right value, or that of all patients where none is right.

    Beside the patients stand the events of an outcome, or the mean of what was observed of an amount.
    """
    means = {}
    if target.kind is not Kind.OUTCOME:
        observed = read(view.release, reads.get_subgroups, target.id, "observed_mean")
        means = {"n_events": observed["estimate"].to_numpy()}
    line = measure.factor * (measure.right if measure.right is not None else all_patients)
    figure = forest(
        judged.assign(**means),
        palette=view.palette,
        events_title=words.name_counts(target),
        axis_title=words.name_axis(measure, all_patients),
        null_value=line,
        log_axis=words.is_ratio(measure),
        withheld_text=WITHHELD,
    )
    render_chart_card(
        words.tell_groups(judged, measure),
        figure,
        how_to_read=(
            f"{measure.reading} The line through a dot is the 95% interval of the group. "
            f"{words.tell_mark(measure)} An arrow says that an interval goes on beyond the plot. "
            f"{words.tell_rules(measure)}"
        ),
        table=words.build_group_table(judged, measure, target.happened),
        caption=words.tell_patients(view.study, target, threshold),
        key="forest",
    )


def render_notable(target: Target, measure: Measure, judged: pd.DataFrame) -> None:
    """The groups worth a word, and how many would stand out by chance."""
    render_card_head(
        words.tell_notable(judged, measure),
        how_to_read=(
            "Patients with the same mark are not all alike: a group can be in line although some within it are not, "
            "and a group out of line says nothing about any one patient. Look at the number of patients first."
        ),
        key="notable",
    )
    table = words.build_notable_table(judged, measure, target.happened)
    if len(table):
        render_table(table, label="Groups worth a word", right=["Patients", "Estimate (95% interval)"])
    st.write(words.tell_chance(judged, measure))
    st.caption(words.tell_rules(measure))


def render_notes(view: View, target: Target) -> None:
    """What a reader should know of the attributes by which groups are formed."""
    notes = words.build_notes(read(view.release, reads.get_levels))
    unseen = {a.label for a in attributes_not_given(view.study)}
    render_card_head(
        f"{len(unseen)} of {len(view.study.subgroups)} attributes are not given to the models",
        how_to_read=(
            "An attribute that is left out can still be guessed from others, so leaving it out does not make a model "
            "fair. That is why groups are looked at here."
        ),
        key="notes",
    )
    table = pd.DataFrame(
        [(a.label, "no" if a.label in unseen else "yes", notes.get(a.label, "")) for a in view.study.subgroups],
        columns=["Attribute", "Given to the models", "What to know"],
    )
    render_table(table, label="The attributes by which groups are formed", strong=["Attribute"])
    if target.kind is Kind.OUTCOME and target.caution:
        st.caption(target.caution)
