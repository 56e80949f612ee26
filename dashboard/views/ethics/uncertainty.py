"""Uncertainty: what kinds there are, and whether intervals hold what they promise."""

import streamlit as st

from dashboard.access import require
from dashboard.components import uncertainty_cards as cards
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.choices import choose_target
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from pipeline.settings import Role
from pipeline.store import reads_uncertainty

view = require(Role.BOARD)
render_title(view, "Uncertainty", key="uncertainty")
with st.container(key="hero-uncertainty"):
    cards.render_three_kinds()
with open_wide_card():
    cards.render_intervals(read(view.release, reads_uncertainty.get_interval_quality))
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
grid = open_grid()
with open_card(grid):
    cards.render_totals(target, read(view.release, reads_uncertainty.get_total_coverage, target.id))
with open_card(grid):
    cards.render_effects(read(view.release, reads_uncertainty.get_group_effects, target.id))
with open_wide_card():
    cards.render_repeats(read(view.release, reads_uncertainty.get_repeat_spread, target.id))
render_footer(view, "measured on patients that the models never saw")
