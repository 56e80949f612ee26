"""Cards about the audits of a release. Called inside the container that is to hold the card."""

import pandas as pd
import streamlit as st

from dashboard.access import View
from dashboard.charts.blocks import blocks_plot
from dashboard.components.cards import render_card_head, render_chart_card
from dashboard.components.tables import render_table
from dashboard.presentation import audits as words
from dashboard.presentation.measures import upper_first
from pipeline.study.model import Target


def render_leaks(target: Target, audited: pd.DataFrame, found: pd.DataFrame) -> None:
    """What every column gives away."""
    render_card_head(
        words.tell_leaks(found, audited),
        how_to_read=(
            "A leak is a column that knows what happened later, such as an order that was written because the patient "
            "was dying. Each column is tried alone, then whether it is missing, then what it adds to the model: for "
            "a feature what is lost when its values are shuffled among patients, for a column that is not given what "
            "including it would gain. Everything is measured on patients that were not trained on. ◆ marks a finding."
        ),
        table=words.build_leak_table(audited, target),
        key="leaks",
    )
    table = words.build_leak_table(words.select_leaks(audited), target)
    render_table(table, label="What columns give away", right=list(table.columns[2:6]), strong=["Column"])
    st.caption(
        f"{target.label}. Of every column: how well it foretells alone, how well by being missing, and what it adds to "
        f"the model. The table has all {len(audited)} columns."
    )


def render_coherence(view: View, coherence: pd.DataFrame) -> None:
    """One association through the rows of the file."""
    relations = words.list_relations(coherence)
    if not relations:
        st.subheader(words.tell_coherence(coherence), anchor=False)
        return
    place = st.container(gap="xsmall")
    chosen = st.selectbox(
        "Association",
        relations,
        format_func=lambda relation: upper_first(words.name_relation(relation)),
        key="relation",
        width=420,
    )
    figure = blocks_plot(
        words.build_block_frame(coherence, chosen or relations[0]),
        palette=view.palette,
        y_title="Association in the block",
    )
    with place:
        render_chart_card(
            words.tell_coherence(coherence),
            figure,
            how_to_read=(
                "Columns that belong together, such as a severity score and the measurements it is made of, are "
                "followed through the file. Each bar is a block of consecutive rows, at the correlation between what "
                "the other columns foretell and what stands there. Where it falls far below the dashed line, values "
                "may belong to other rows; the rows are then shifted by up to 200 to see whether the association "
                "comes back."
            ),
            table=words.build_coherence_table(coherence),
            caption="By blocks of consecutive rows; phases, sites and every association are in the table.",
            key="coherence",
        )


def render_scope(view: View, rules: pd.DataFrame, n_refused: int | None) -> None:
    """Whom the models refuse to score."""
    noun = view.study.subject.noun
    render_card_head(
        words.tell_scope(rules, int(view.facts["n_subjects"]), n_refused, noun),
        how_to_read=(
            "Outside of what it was trained on, a model's number would look as sure as any other. So it gives none, "
            f"and the {noun}'s page says why and what would mend it. Measures of performance are of those scored; "
            "comparisons with other models keep everybody, since leaving out the refused would flatter this model."
        ),
        key="scope",
    )
    table = words.build_scope_table(rules, noun)
    render_table(table, label="Who is not scored, and why", right=list(table.columns[2:]), strong=["Not scored"])
