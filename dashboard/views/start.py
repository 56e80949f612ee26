"""Start: what this is, who it is for, and what it is not."""

import streamlit as st

from dashboard.access import current_view, take_role
from dashboard.components.header import render_footer, render_title
from dashboard.loaders import read
from pipeline.numerals import format_count
from pipeline.settings import Role
from pipeline.store import reads

DOORS = {
    "clinician": (
        "Clinician",
        "One patient's risk and cost, how sure they are, and what drives them.",
        "views/clinician/patients.py",
    ),
    "administrator": (
        "Administrator",
        "What groups of patients are projected to cost, and how right that is.",
        "views/administrator/outlook.py",
    ),
    "board": (
        "Ethics board",
        "What has to be answered or discussed before use: how well the models work, for whom, and why.",
        "views/ethics/findings.py",
    ),
}
FIELDS = {
    "intended_use": "What it is for",
    "intended_users": "For whom",
    "cautioned": "What it must not be used for",
    "funding": "Funding",
}


view = current_view()
render_title(view, view.facts["study_title"], key="start")
st.write(
    f"**{format_count(view.facts['n_subjects'])} {view.study.subject.noun}s**, scored at "
    f"{view.study.subject.index_time}, each by a model that never saw them. "
    "Choose as whom you are looking: every role has its own pages and its own data."
)

grid = st.grid(3, min_column_width=300)
for role, (label, what, path) in DOORS.items():
    with grid.container(border=True, height="stretch"):
        st.subheader(label, anchor=False)
        st.write(what)
        if st.button(f"Look as {label.lower()}", key=f"door-{role}", on_click=take_role, args=(Role(role),)):
            st.switch_page(path)

statements = dict(read(view.release, reads.get_statements)[["field", "value"]].to_numpy())
grid = st.grid(2, min_column_width=540)
for field, label in FIELDS.items():
    with grid.container(border=True, height="stretch"):
        st.subheader(label, anchor=False)
        st.write(str(statements.get(field, "not stated")))

targets = read(view.release, reads.get_targets)
with st.container(border=True):
    st.subheader("What is estimated", anchor=False)
    for _, target in targets.iterrows():
        count = (
            f"{target.n_events:,} events among {target.n:,}"
            if target.kind == "outcome"
            else f"observed for {target.n:,}"
        )
        st.markdown(f"- **{target.label}** ({count}). {target.caution or ''}")
render_footer(view)
