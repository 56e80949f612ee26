"""What moves the estimates most, largest first."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import add_intervals, base_figure, empty_figure, numbers, plain, set_rows, short_label
from dashboard.charts.palette import Palette

ROW_HEIGHT = 32
FRAME_HEIGHT = 62
# Share of the longest bar that is kept free at the right for the numbers.
ROOM_RIGHT = 0.18


def importance_bars(frame: pd.DataFrame, *, palette: Palette, axis_title: str, tick_format: str = "") -> go.Figure:
    """Return horizontal bars from zero, largest first, with thin whiskers and the number behind each.

    Columns: label; value (not negative); lower, upper (NaN where there is no interval), in the unit that `axis_title`
    names; text (the number as it is to be read).
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT * 2 + FRAME_HEIGHT)
    ordered = frame.sort_values("value", ascending=False, kind="stable")
    rows = list(range(len(ordered)))
    values, lower, upper = (numbers(ordered[name]) for name in ("value", "lower", "upper"))
    figure = base_figure(palette, height=ROW_HEIGHT * len(rows) + FRAME_HEIGHT)
    hovers = [f"{plain(label)}: {plain(text)}" for label, text in zip(ordered["label"], ordered["text"], strict=True)]
    bars = {"orientation": "h", "marker_color": palette.interval, "name": "bars"}
    hover = {"hovertext": hovers, "hovertemplate": "%{hovertext}<extra></extra>"}
    figure.add_trace(go.Bar(x=values, y=rows, **bars, **hover))
    add_intervals(figure, lower, upper, rows, colour=palette.text, width=1.5)
    ends = [_end(value, high) for value, high in zip(values, upper, strict=True)]
    _add_texts(figure, ends, [plain(text) for text in ordered["text"]], palette=palette)
    set_rows(figure, [short_label(label) for label in ordered["label"]], palette=palette)
    top = max((end for end in ends if math.isfinite(end)), default=1.0) or 1.0
    figure.update_xaxes(
        range=[0, top * (1 + ROOM_RIGHT)], title_text=plain(axis_title), tickformat=tick_format, nticks=6
    )
    return figure


def _end(value: float, upper: float) -> float:
    """Return where a bar with its whisker ends."""
    return max(value, upper) if math.isfinite(upper) else value


def _add_texts(figure: go.Figure, ends: list[float], texts: list[str], *, palette: Palette) -> None:
    """Add the number behind each bar, clear of its whisker."""
    figure.add_trace(
        go.Scatter(
            x=ends,
            y=list(range(len(ends))),
            mode="text",
            text=[f"\u2002{text}" for text in texts],
            textposition="middle right",
            textfont={"size": 13, "color": palette.text},
            cliponaxis=False,
            hoverinfo="skip",
            name="texts",
        )
    )
