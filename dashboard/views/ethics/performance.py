"""Performance: how well each model works, beside what people use today."""

import streamlit as st

from dashboard.access import require
from dashboard.components import comparison_cards
from dashboard.components import performance_cards as cards
from dashboard.components.amount_cards import render_tenths
from dashboard.components.card_grid import open_card, open_grid, open_wide_card
from dashboard.components.cards import KeyFigure, render_key_figures
from dashboard.components.choices import choose_model, choose_target
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from dashboard.presentation import amounts, comparison, performance
from dashboard.presentation.measures import ALL, ALL_BASELINES, OURS
from pipeline.settings import Role
from pipeline.store import reads, reads_comparison
from pipeline.study.model import Kind

view = require(Role.BOARD)
render_title(view, "Performance", key="performance")
baselines = read(view.release, reads.get_baselines)
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
    compared = read(view.release, reads_comparison.get_compared_models, target.id)
    names = performance.name_models(compared)
    ranking = performance.only_ranks(baselines)
    risks = {i: name for i, name in names.items() if i not in ranking}
    model_id = choose_model(risks) if target.kind is Kind.OUTCOME else OURS

comparisons = read(view.release, reads_comparison.get_comparisons, target.id, comparison.leading_metric(target))
everybody = read(view.release, reads.get_performance, target.id, ALL)
common = read(view.release, reads.get_performance, target.id, ALL_BASELINES)
measured = performance.read_everybody(everybody)
figures = performance.tell_figures(measured, target)
render_key_figures([KeyFigure(*words, main=i == 0) for i, words in enumerate(figures)], key="performance")
st.caption(performance.tell_basis(measured, target, amounts.tell_caution(target)))

grid = open_grid()
if target.kind is Kind.OUTCOME:
    with open_card(grid):
        cards.render_auroc(view, target, common, everybody, names, performance.select_plotted(compared))
    with open_card(grid):
        comparison_cards.render_comparisons(target, comparisons)
    with open_card(grid):
        cards.render_calibration(view, target, model_id, names[model_id])
    with open_card(grid):
        curve = read(view.release, reads_comparison.get_net_benefit, target.id, OURS, ALL)
        comparison_cards.render_benefit(view, curve)
    with open_card(grid):
        cards.render_distribution(view, target, model_id, names[model_id])
    with open_card(grid):
        cards.render_thresholds(target, measured, view.study.thresholds.get(target.id, []))
    with open_wide_card():
        cards.render_models(target, common, everybody, names, ranking)
else:
    with open_card(grid):
        render_tenths(view, target, height=400)
    with open_card(grid):
        cards.render_amount_measures(target, measured)
    with open_card(grid):
        comparison_cards.render_comparisons(target, comparisons)
    with open_card(grid):
        comparison_cards.render_concentration(read(view.release, reads_comparison.get_concentration, target.id))
render_footer(view, "every estimate was made by a model that never saw the patient")
