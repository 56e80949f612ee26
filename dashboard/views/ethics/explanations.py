"""Explanations: explanations tested as if they were models."""

import streamlit as st

from dashboard.access import require
from dashboard.components import explanation_cards as cards
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.cards import KeyFigure, render_key_figures
from dashboard.components.choices import choose_target
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from dashboard.presentation import amounts, explanation_quality, importance
from pipeline.settings import Role
from pipeline.store import reads_explained

view = require(Role.BOARD)
render_title(view, "Explanations", key="explanations")
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
quality = read(view.release, reads_explained.get_explanation_quality)
own = explanation_quality.select_target(quality, target.id)
st.markdown(f"**{explanation_quality.tell_first(own)}.** {importance.ASSOCIATION}")
figures = explanation_quality.tell_figures(own)
render_key_figures([KeyFigure(*words, main=i == 0) for i, words in enumerate(figures)], key="explanations")
st.caption(amounts.tell_caution(target))

grid = open_grid()
with open_card(grid):
    cards.render_stability(view, target, own)
with open_card(grid):
    cards.render_deletion(view, target, own)
with open_wide_card():
    cards.render_targets(view, quality)
with open_wide_card():
    cards.render_checks(own)
render_footer(view, "explanations of models that never saw the patient")
