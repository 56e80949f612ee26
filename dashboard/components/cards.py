"""Cards: a chart with its takeaway, reading help and table; and key figures in three lines."""

from dataclasses import dataclass
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_CONFIG = {"displayModeBar": False}


@dataclass(frozen=True)
class KeyFigure:
    """A figure with what it is above it, and how sure it is below."""

    label: str
    number: str
    certainty: str
    main: bool = False


def render_key_figures(figures: list[KeyFigure], *, key: str) -> None:
    """The figures side by side in a tinted card."""
    with st.container(key=f"hero-{key}"):
        columns = st.columns([1.3 if f.main else 1.0 for f in figures])
        for column, figure in zip(columns, figures, strict=True):
            column.html(
                f'<div class="wl-figure"><div class="label">{escape(figure.label)}</div>'
                f'<div class="number{" main" if figure.main else ""}">{escape(figure.number)}</div>'
                f"<div>{escape(figure.certainty)}</div></div>"
            )


def render_chart_card(
    title: str, figure: go.Figure, *, how_to_read: str, table: pd.DataFrame, caption: str, key: str
) -> None:
    """A chart under its one-sentence takeaway, with help on reading it and the numbers as a table."""
    render_card_head(title, how_to_read=how_to_read, table=table, key=key)
    st.plotly_chart(figure, theme=None, alt=title, config=_CONFIG, key=f"chart-{key}")
    st.caption(caption)


def render_card_head(title: str, *, how_to_read: str, key: str, table: pd.DataFrame | None = None) -> None:
    """The heading of a card, with reading help and, where there is one, the table alternative."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"head-{key}", wrap=False
    ):
        st.subheader(title, anchor=False)
        with st.container(horizontal=True, width="content", gap="xsmall", wrap=False):
            if table is not None:
                with st.popover("Table", icon=":material/table:", type="tertiary", key=f"table-{key}"):
                    st.dataframe(table, hide_index=True, key=f"numbers-{key}")
            with st.popover("How to read this", icon=":material/help:", type="tertiary", key=f"help-{key}"):
                st.markdown(how_to_read)
