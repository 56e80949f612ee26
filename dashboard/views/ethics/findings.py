"""Findings: what the board should look at first, in sentences."""

import streamlit as st

from dashboard.access import require
from dashboard.components.cards import as_markdown
from dashboard.components.finding_cards import render_finding
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from dashboard.presentation import findings as words
from pipeline.settings import Role
from pipeline.store import reads_findings

_SHOWN = 30

view = require(Role.BOARD)
render_title(view, "Findings", key="findings")
findings = read(view.release, reads_findings.get_findings)
counts = words.count_by_weight(findings)
with st.container(key="hero-findings"):
    said, *places = st.columns([5, 1, 1, 1])
    with said:
        st.subheader(as_markdown(words.tell_findings(findings)), anchor=False)
        st.caption(words.tell_basis(int(view.facts["n_subjects"]), view.study.subject.noun))
    for place, weight in zip(places, words.WEIGHTS, strict=True):
        place.html(
            f'<div class="wl-figure"><div class="number">{counts[weight]}</div>'
            f'<div class="label">{words.LABELS[weight]}: {words.MEANINGS[weight]}</div></div>'
        )

chosen = st.segmented_control(
    "Findings",
    [weight for weight in words.WEIGHTS if counts[weight]],
    format_func=lambda weight: f"{words.LABELS[weight]} {counts[weight]}",
    key="weight",
    bind="query-params",
    label_visibility="collapsed",
)
listed = words.select_weight(findings, chosen)
for finding in listed.head(_SHOWN).to_dict("records"):
    render_finding({str(name): value for name, value in finding.items()})
if hidden := words.tell_hidden(counts, chosen, _SHOWN, len(listed)):
    st.caption(hidden)
render_footer(view, "found automatically at the build, by rules that are the same for every study")
