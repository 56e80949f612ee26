"""Cost outlook: what all patients and each group are projected to cost, and how right that was."""

import streamlit as st

from dashboard.access import require
from dashboard.components.amount_cards import render_groups, render_tenths, render_totals
from dashboard.components.card_grid import open_card, open_grid
from dashboard.components.cards import KeyFigure, render_key_figures
from dashboard.components.choices import choose_amount, choose_attribute
from dashboard.components.driver_cards import render_concepts
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from dashboard.presentation import amounts, measures
from dashboard.presentation.performance import read_everybody
from pipeline.settings import Role
from pipeline.store import reads, reads_groups

# About as tall as the bars of the concepts beside it.
CHART_HEIGHT = 440

view = require(Role.ADMINISTRATOR)
render_title(view, "Cost outlook", key="outlook")
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_amount(view.study)
    attribute = choose_attribute(view.study) if target else None
if target is None:
    st.info("This study projects no cost and no other amount, so there is nothing to plan with here.")
    st.stop()

total = read(view.release, reads.get_group_totals, target.id, "all").iloc[0]
measured = read_everybody(read(view.release, reads.get_performance, target.id, "all"))
figures = [*amounts.tell_total(target, total), *amounts.tell_accuracy(target, measured)]
render_key_figures([KeyFigure(*words, main=i == 0) for i, words in enumerate(figures)], key="outlook")
st.caption(amounts.tell_caution(target))

grid = open_grid()
if attribute is not None:
    outlook = read(view.release, reads_groups.get_group_outlook, target.id, attribute)
    with open_card(grid):
        render_groups(view, target, outlook, largest_first=attribute == view.study.diagnosis)
    with open_card(grid):
        render_totals(view, target, outlook, total)
with open_card(grid):
    render_tenths(view, target, height=CHART_HEIGHT)
with open_card(grid):
    render_concepts(view, target)
render_footer(view, "no single patient is shown to this role", measures.explain_withheld())
