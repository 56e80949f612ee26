"""The estimates of several sources for one patient, one row a source."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    WITHHELD_MARK,
    add_column,
    add_intervals,
    add_line,
    base_figure,
    empty_figure,
    format_of_100,
    numbers,
    plain,
    set_rows,
    wrap_label,
)
from dashboard.charts.palette import Palette

ROW_HEIGHT = 35
FRAME_HEIGHT = 51
# Sources other than the model are told apart by shape, never by colour.
OTHER_SYMBOLS = ("diamond", "square", "cross", "pentagon", "star")


def estimates_plot(frame: pd.DataFrame, *, palette: Palette, axis_title: str = "Of 100 such patients") -> go.Figure:
    """Return a dot plot of estimates per 100 patients, rows in the frame's order, with the number at the right.

    Columns: label; value, lower, upper (0 to 100, NaN bounds where there is no interval); style, one of "model"
    (indigo dot), "combined" (indigo ring), "other" (ink, a shape of its own), "average" (grey tick).
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT * 2 + FRAME_HEIGHT)
    rows = list(range(len(frame)))
    values = numbers(frame["value"])
    figure = base_figure(palette, height=ROW_HEIGHT * len(rows) + FRAME_HEIGHT)
    _add_leaders(figure, len(rows), palette=palette)
    add_intervals(figure, numbers(frame["lower"]), numbers(frame["upper"]), rows, colour=palette.interval, width=6)
    _add_markers(figure, frame, palette=palette)
    averages = [style == "average" for style in frame["style"]]
    add_column(
        figure,
        [_value_text(value, average) for value, average in zip(values, averages, strict=True)],
        rows=rows,
        colours=[palette.muted if average else palette.text for average in averages],
        shift=44,
        align="right",
        size=14,
    )
    set_rows(figure, [wrap_label(label, width=34) for label in frame["label"]], palette=palette)
    figure.update_xaxes(range=[0, 100], tickvals=[0, 25, 50, 75, 100], title_text=plain(axis_title))
    figure.update_layout(margin_r=48)
    return figure


def _value_text(value: float, average: bool) -> str:
    """Return the number at the end of a row, bold unless it is an average."""
    if not math.isfinite(value):
        return WITHHELD_MARK
    return format_of_100(value) if average else f"<b>{format_of_100(value)}</b>"


def _add_leaders(figure: go.Figure, n_rows: int, *, palette: Palette) -> None:
    """Add the dashed line of each row that leads the eye to the number."""
    for row in range(n_rows):
        add_line(figure, (0, row), (100, row), colour=palette.border, width=1, dash="3px,3px")


def _add_markers(figure: go.Figure, frame: pd.DataFrame, *, palette: Palette) -> None:
    """Add the marker of every row that has a value."""
    markers = _markers([str(style) for style in frame["style"]], palette=palette)
    sides = zip(numbers(frame["value"]), numbers(frame["lower"]), numbers(frame["upper"]), strict=True)
    for row, (label, (value, low, high)) in enumerate(zip(frame["label"], sides, strict=True)):
        if not math.isfinite(value):
            continue
        words = f"{plain(label)}: {format_of_100(value)} of 100"
        if math.isfinite(low + high):
            words += f" ({format_of_100(low)} to {format_of_100(high)})"
        figure.add_trace(
            go.Scatter(
                x=[value],
                y=[row],
                mode="markers",
                marker=markers[row],
                cliponaxis=False,
                name=plain(label),
                hovertemplate=f"{words}<extra></extra>",
            )
        )


def _markers(styles: list[str], *, palette: Palette) -> list[dict[str, Any]]:
    """Return the marker of each row from its style."""
    halo = {"color": palette.background, "width": 1.5}
    fixed: dict[str, dict[str, Any]] = {
        "model": {"symbol": "circle", "size": 15, "color": palette.accent, "line": halo},
        "combined": {
            "symbol": "circle",
            "size": 13,
            "color": palette.background,
            "line": {"color": palette.accent, "width": 2.5},
        },
        "average": {"symbol": "line-ns", "size": 9, "line": {"color": palette.muted, "width": 2.5}},
    }
    markers = []
    for row, style in enumerate(styles):
        place = styles[:row].count("other") % len(OTHER_SYMBOLS)
        other = {"symbol": OTHER_SYMBOLS[place], "size": 13, "color": palette.text, "line": halo}
        markers.append(other if style == "other" else fixed[style])
    return markers
