"""Audits: whether a column knows the future, whether rows have been mixed up, and whom the models refuse."""

import streamlit as st

from dashboard.access import require
from dashboard.components import audit_cards as cards
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.choices import choose_target
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from pipeline.settings import Role
from pipeline.store import reads_audits

view = require(Role.BOARD)
render_title(view, "Audits", key="audits")
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
with open_wide_card():
    cards.render_leaks(
        target,
        read(view.release, reads_audits.get_leaks, target.id),
        read(view.release, reads_audits.get_leak_findings),
    )
grid = open_grid()
with open_card(grid):
    cards.render_coherence(view, read(view.release, reads_audits.get_coherence))
with open_card(grid):
    cards.render_scope(
        view, read(view.release, reads_audits.get_scope_rules), read(view.release, reads_audits.get_refused)
    )
render_footer(view, "run by themselves at every build")
