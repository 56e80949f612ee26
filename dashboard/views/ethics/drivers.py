"""Drivers: what moves the estimates, and what the models are not given."""

import streamlit as st

from dashboard.access import require
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.choices import choose_target
from dashboard.components.driver_cards import render_concepts, render_features, render_not_given
from dashboard.components.header import render_footer, render_title
from dashboard.presentation import amounts, importance
from pipeline.settings import Role

view = require(Role.BOARD)
render_title(view, "Drivers", key="drivers")
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
with st.container(key="hero-drivers"):
    st.markdown(f"**{importance.ASSOCIATION}**")
    st.write(importance.explain_unit(target))
    st.caption(amounts.tell_caution(target))

grid = open_grid()
with open_card(grid):
    render_concepts(view, target)
with open_card(grid):
    render_features(view, target)
with open_wide_card():
    render_not_given(view)
render_footer(view, "contributions of models that never saw the patient")
