"""Elsewhere: how well models do at a site, or at a time, that they were not trained on."""

import streamlit as st

from dashboard.access import require
from dashboard.components.card_grid import open_wide_card
from dashboard.components.choices import choose_measure, choose_target
from dashboard.components.elsewhere_cards import render_elsewhere
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from dashboard.presentation import elsewhere, performance
from dashboard.presentation.measures import ALL
from pipeline.settings import Role
from pipeline.store import reads, reads_audits

view = require(Role.BOARD)
render_title(view, "Elsewhere", key="sites")
with st.container(horizontal=True, vertical_alignment="top", key="filters"):
    target = choose_target(view.study)
    validation = read(view.release, reads_audits.get_validation, target.id)
    measures = elsewhere.measures_for(target, validation)
    measure = choose_measure(measures, target) if measures else None
if measure is None:
    quick = ": it was built in a hurry (`--quick`)" if view.facts["quick"] else ""
    st.info(f"This release says nothing of places or times that the model was not trained on{quick}.")
    st.stop()
everybody = performance.read_everybody(read(view.release, reads.get_performance, target.id, ALL))
with open_wide_card():
    render_elsewhere(view, target, measure, validation, everybody[measure.metric, None].estimate)
st.caption(" ".join(a.note for a in view.study.subgroups if a.note and a.id in set(validation["attribute"])))
render_footer(view, "models built anew without the patients they were tried on")
