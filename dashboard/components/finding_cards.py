"""One finding as a card: its weight, the sentence, the numbers, and the page that shows more."""

from typing import Any

import streamlit as st

from dashboard.components.cards import as_markdown
from dashboard.presentation.findings import LABELS, MEANINGS

_ICONS = {"serious": ":material/priority_high:", "discuss": ":material/forum:", "explore": ":material/travel_explore:"}
_COLOURS = {"serious": "yellow", "discuss": "violet", "explore": "gray"}
PAGES = {
    "performance": ("views/ethics/performance.py", "Performance"),
    "subgroups": ("views/ethics/subgroups.py", "Subgroups"),
    "uncertainty": ("views/ethics/uncertainty.py", "Uncertainty"),
    "sites": ("views/ethics/sites.py", "Elsewhere"),
    "explanations": ("views/ethics/explanations.py", "Explanations"),
    "audits": ("views/ethics/audits.py", "Audits"),
}


def render_finding(finding: dict[str, Any]) -> None:
    """The card of one row of `get_findings`."""
    weight = str(finding["weight"])
    with (
        st.container(border=True),
        st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"),
    ):
        with st.container(gap="xxsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
                st.badge(LABELS[weight], icon=_ICONS[weight], color=_COLOURS[weight], help=MEANINGS[weight])  # type: ignore[arg-type]
                st.markdown(f"**{as_markdown(str(finding['title']))}**")
            st.caption(as_markdown(str(finding["evidence"])))
        path, label = PAGES[str(finding["page"])]
        st.page_link(path, label=f"{label} →", width="content")
