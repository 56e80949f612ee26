"""How many of their first reasons patients keep when the model is rebuilt. A frame in, a figure out."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import add_line, add_line_above, add_note, base_figure, empty_figure, numbers, plain
from dashboard.charts.palette import Palette

HEIGHT = 360
# Room above the highest bar for the words at the limit.
ROOM_ABOVE = 1.14


def stability_histogram(frame: pd.DataFrame, *, palette: Palette, limit: float, limit_words: str) -> go.Figure:
    """Return bars over the share of the first five reasons that stay, as high as there are patients of 100 a tenth.

    Columns: bin_low, bin_high (shares, 0 to 1); n (patients). Ranges differ in width, so areas are what compares.
    Left of `limit` bars are in the accent colour, and a line with `limit_words` says why.
    """
    if frame.empty:
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    low, high, n = (numbers(frame[name]) for name in ("bin_low", "bin_high", "n"))
    total = sum(n)
    heights = [10 * count / total / (end - start) for start, end, count in zip(low, high, n, strict=True)]
    hovers = [
        f"{100 * start:.0f} to {100 * end:.0f} percent of the reasons stay<br>{plain(f'{count:,.0f}')} patients"
        for start, end, count in zip(low, high, n, strict=True)
    ]
    figure.add_trace(
        go.Bar(
            x=[50 * (start + end) for start, end in zip(low, high, strict=True)],
            width=[97 * (end - start) for start, end in zip(low, high, strict=True)],
            y=heights,
            marker_color=[palette.accent if end <= limit + 1e-9 else palette.interval for end in high],
            text=hovers,
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            name="patients",
        )
    )
    top = max(heights) * ROOM_ABOVE
    add_line(figure, (100 * limit, 0), (100 * limit, top), colour=palette.muted, dash="4px,4px")
    add_note(
        figure,
        plain(limit_words),
        x=100 * limit,
        y=top * 0.96,
        colour=palette.muted,
        xref="x",
        yref="y",
        xanchor="right",
        xshift=-8,
    )
    add_line_above(figure, "Patients of 100, for each tenth of the scale", palette=palette)
    figure.update_layout(margin_t=34, margin_r=18)
    figure.update_xaxes(
        range=[0, 100],
        tickvals=[0, 20, 40, 60, 80, 100],
        showgrid=False,
        title_text="Share of the first 5 reasons that stay in a rebuild, percent",
    )
    figure.update_yaxes(range=[0, top], nticks=6)
    return figure
