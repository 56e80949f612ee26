"""A measure of several models on the same patients, one row a model. A frame in, a figure out; no Streamlit."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_column,
    add_header,
    add_intervals,
    base_figure,
    empty_figure,
    numbers,
    plain,
    set_rows,
    text_width,
    wrap_label,
)
from dashboard.charts.palette import Palette

ROW_HEIGHT = 46
FRAME_HEIGHT = 86
TEXT_SHIFT = 14
# The axis starts and ends on a multiple of this, so that it shows round numbers.
STEP = 0.05


def model_dots(
    frame: pd.DataFrame, *, palette: Palette, axis_title: str, text_title: str, height: int | None = None
) -> go.Figure:
    """Return a dot and its interval for each model, rows in the frame's order, with the number in words at the right.

    Columns: label; estimate, lower, upper (NaN where there is none); text; ours, True for dots in the accent colour.
    The axis is cut to where the intervals are: only the axis title can say so.
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT * 2 + FRAME_HEIGHT)
    rows = list(range(len(frame)))
    figure = base_figure(palette, height=height or ROW_HEIGHT * len(rows) + FRAME_HEIGHT)
    add_intervals(figure, numbers(frame["lower"]), numbers(frame["upper"]), rows, colour=palette.interval, width=6)
    _add_dots(figure, frame, palette=palette)
    texts = [plain(text) for text in frame["text"]]
    add_column(figure, texts, rows=rows, colours=[palette.text] * len(rows), shift=TEXT_SHIFT)
    add_header(figure, text_title, palette=palette, shift=TEXT_SHIFT)
    set_rows(figure, [wrap_label(label, width=26) for label in frame["label"]], palette=palette)
    figure.update_layout(margin_t=30, margin_r=TEXT_SHIFT + text_width([text_title, *texts], size=13))
    low, high = axis_ends(frame)
    figure.update_xaxes(range=[low, high], tick0=low, dtick=STEP, tickformat=".2f", title_text=plain(axis_title))
    return figure


def axis_ends(frame: pd.DataFrame) -> tuple[float, float]:
    """Return the round numbers between which all estimates and intervals lie."""
    places = [v for name in ("estimate", "lower", "upper") for v in numbers(frame[name]) if math.isfinite(v)]
    low, high = min(places, default=0.5), max(places, default=1.0)
    return round(math.floor(low / STEP) * STEP, 2), round(math.ceil(high / STEP + 1e-9) * STEP, 2)


def _add_dots(figure: go.Figure, frame: pd.DataFrame, *, palette: Palette) -> None:
    """Add the dots: ours in the accent colour, others in ink."""
    ours = [bool(value) for value in frame["ours"]]
    marker = {
        "size": 12,
        "color": [palette.accent if own else palette.text for own in ours],
        "symbol": ["circle" if own else "diamond" for own in ours],
        "line": {"color": palette.background, "width": 1.5},
    }
    hovers = [f"{plain(label)}: {plain(text)}" for label, text in zip(frame["label"], frame["text"], strict=True)]
    figure.add_trace(
        go.Scatter(
            x=numbers(frame["estimate"]),
            y=list(range(len(frame))),
            mode="markers",
            marker=marker,
            text=hovers,
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
            name="models",
        )
    )
