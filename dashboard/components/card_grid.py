"""Cards two by two: one column where the window is narrow, equal heights side by side."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# Below twice this width cards stand under one another, so that tables and charts are not squeezed.
_LEAST_WIDTH = 540


def open_grid() -> DeltaGenerator:
    """A grid of two columns, of one where they would be too narrow."""
    return st.grid(2, min_column_width=_LEAST_WIDTH)


def open_card(place: DeltaGenerator) -> DeltaGenerator:
    """A bordered card, as tall as its neighbour."""
    return place.container(border=True, height="stretch", gap="xsmall")


def open_wide_card() -> DeltaGenerator:
    """A bordered card over the whole width."""
    return st.container(border=True, gap="xsmall")
