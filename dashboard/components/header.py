"""The row above every page, and the title row of a page."""

import streamlit as st

from dashboard.access import ROLE_KEY, STUDY_KEY, View, note_change
from pipeline.settings import Role


def choose_role_and_study(studies: list[str]) -> None:
    """The switches between roles, and between studies where there are several."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="context"):
        st.segmented_control(
            "You are looking as",
            [role.value for role in Role],
            required=True,
            format_func=lambda role: Role(role).label,
            key=ROLE_KEY,
            on_change=note_change,
            label_visibility="collapsed",
        )
        if len(studies) > 1:
            st.selectbox(
                "Study", studies, key=STUDY_KEY, on_change=note_change, label_visibility="collapsed", width=240
            )
        st.badge("Demonstration · not reviewed", icon=":material/gpp_maybe:", color="yellow")


def render_title(view: View, title: str, *, key: str) -> None:
    """The page's title, with what every figure below it rests on."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"title-{key}"
    ):
        st.title(title)
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            st.badge(f"Data of {view.facts['era']}", icon=":material/history:", color="gray")
            st.badge(f"{view.facts['study_id']} · release {view.facts['release_id']}", color="gray")


def render_footer(view: View, *sentences: str) -> None:
    """What the page rests on, in one muted line."""
    facts = view.facts
    coarse = [] if view.release.role is Role.CLINICIAN else ["counts are told in tens, other figures as coarsely"]
    source = f"{facts['study_title']}, {facts['era']} · release {facts['release_id']} · n {facts['n_subjects']:,}"
    st.caption(" · ".join([source, *coarse, *sentences, "not a medical device; not reviewed"]))
