"""Subgroups: for whom the models work, by every attribute the study names."""

import streamlit as st

from dashboard.access import require
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.choices import choose_measure, choose_target, choose_threshold
from dashboard.components.exploratory_cards import render_pairs, render_slices
from dashboard.components.header import render_footer, render_title
from dashboard.components.subgroup_cards import render_forest, render_notable, render_notes
from dashboard.loaders import read
from dashboard.presentation import performance, subgroups
from dashboard.presentation.measures import MEASURES
from pipeline.settings import Role
from pipeline.store import reads, reads_exploratory
from pipeline.study.model import Kind

view = require(Role.BOARD)
render_title(view, "Subgroups", key="subgroups")
if not view.study.subgroups:
    st.info("This study names no attribute to form groups by, so nothing can be said about groups.")
    st.stop()
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
    thresholds = view.study.thresholds.get(target.id, [])
    measure = choose_measure([MEASURES[m] for m in subgroups.measures_for(target, thresholds)], target)
    threshold = choose_threshold(thresholds, target) if measure.at_threshold else None

everybody = performance.read_everybody(read(view.release, reads.get_performance, target.id, "all"))
table = read(view.release, reads.get_subgroups, target.id, measure.metric, threshold)
judged = subgroups.judge_groups(table, measure)
grid = open_grid()
with open_card(grid):
    render_forest(
        view,
        target,
        measure,
        judged,
        all_patients=everybody[measure.metric, threshold].estimate,
        threshold=threshold,
    )
with grid.container(height="stretch"):
    with st.container(border=True, gap="xsmall"):
        render_notable(target, measure, judged)
    with st.container(border=True, gap="xsmall", height="stretch"):
        render_notes(view, target)
total = MEASURES["observed_expected" if target.kind is Kind.OUTCOME else "predictive_ratio"]
with open_wide_card():
    render_pairs(target, total, read(view.release, reads_exploratory.get_pairs, target.id, total.metric))
with open_wide_card():
    render_slices(
        target,
        total,
        read(view.release, reads_exploratory.get_slices, target.id),
        read(view.release, reads_exploratory.get_slice_search, target.id),
    )
render_footer(view, "no single patient is shown to this role")
