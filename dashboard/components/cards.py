"""Cards: a chart with its takeaway, reading help and table; and key figures in three lines."""

from dataclasses import dataclass
from html import escape

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

_CONFIG = {"displayModeBar": False}
# In pixels: a popover takes the width of what is in it, and a table left to itself shows two columns.
_TABLE_WIDTH = 620


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
    st.caption(as_markdown(caption))


def render_card_head(title: str, *, how_to_read: str, key: str, table: pd.DataFrame | None = None) -> None:
    """The heading of a card, with reading help and, where there is one, the table alternative."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"head-{key}", wrap=False
    ):
        st.subheader(as_markdown(title), anchor=False)
        with st.container(horizontal=True, width="content", gap="xsmall", wrap=False):
            if table is not None:
                with st.popover("Table", icon=":material/table:", type="tertiary", key=f"table-{key}"):
                    st.dataframe(table, hide_index=True, width=_TABLE_WIDTH, key=f"numbers-{key}")
            with st.popover("How to read this", icon=":material/help:", type="tertiary", key=f"help-{key}"):
                st.markdown(as_markdown(how_to_read))


def as_markdown(text: str) -> str:
    """A text whose dollars stay dollars: Markdown takes what stands between two of them for a formula."""
    return text.replace("$", "\\$")
