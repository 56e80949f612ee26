"""Projected against observed, one row a group."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    FLAG,
    add_column,
    add_header,
    add_intervals,
    add_line_above,
    amount_axis,
    base_figure,
    empty_figure,
    flags,
    format_count,
    key,
    numbers,
    plain,
    set_rows,
    wrap_label,
)
from dashboard.charts.palette import Palette

ROW_HEIGHT = 46
FRAME_HEIGHT = 70
N_SHIFT = 52
TEXT_SHIFT = 70
RIGHT_MARGIN = 200


def dumbbell(
    frame: pd.DataFrame,
    *,
    palette: Palette,
    axis_title: str,
    unit_prefix: str = "$",
    text_title: str = "Projected ÷ observed",
    n_title: str = "Patients",
) -> go.Figure:
    """Return a ring for what was observed and a dot for what was projected in each group, rows in the frame's order.

    Columns: label; n (patients); observed, projected (in the unit that `axis_title` names, NaN where withheld); text
    (right column: the ratio with its interval); flagged. `unit_prefix` is "$" for dollars, "" for days.
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT + FRAME_HEIGHT)
    figure = base_figure(palette, height=ROW_HEIGHT * len(frame) + FRAME_HEIGHT)
    flagged = flags(frame["flagged"])
    _add_bridges(figure, frame, flagged, palette=palette)
    _add_marks(figure, frame, palette=palette)
    _add_columns(figure, frame, flagged, palette=palette, titles=(n_title, text_title))
    items = [("○", palette.text, "observed"), ("●", palette.accent, "projected")]
    add_line_above(figure, key(*items), palette=palette)
    set_rows(figure, [wrap_label(label, width=26) for label in frame["label"]], palette=palette)
    figure.update_layout(margin_r=RIGHT_MARGIN, margin_t=34)
    figure.update_xaxes(title_text=plain(axis_title), rangemode="tozero", nticks=7, **amount_axis(unit_prefix))
    return figure


def _add_bridges(figure: go.Figure, frame: pd.DataFrame, flagged: list[bool], *, palette: Palette) -> None:
    """Add the line between ring and dot: soft, or thick ink where the group is flagged."""
    observed, projected = numbers(frame["observed"]), numbers(frame["projected"])
    for wanted, colour, width in ((False, palette.soft, 3), (True, palette.text, 4)):
        rows = [row for row, flag in enumerate(flagged) if flag == wanted]
        starts, ends = [observed[row] for row in rows], [projected[row] for row in rows]
        name = "flagged gap" if wanted else "gap"
        add_intervals(figure, starts, ends, rows, colour=colour, width=width, name=name)


def _add_marks(figure: go.Figure, frame: pd.DataFrame, *, palette: Palette) -> None:
    """Add the rings and the dots."""
    ring: dict[str, Any] = {
        "size": 14,
        "color": palette.background,
        "line": {"color": palette.text, "width": 2.5},
    }
    dot: dict[str, Any] = {"size": 12, "color": palette.accent}
    for name, marker in (("observed", ring), ("projected", dot)):
        values = numbers(frame[name])
        rows = [row for row, value in enumerate(values) if math.isfinite(value)]
        figure.add_trace(
            go.Scatter(
                x=[values[row] for row in rows],
                y=rows,
                mode="markers",
                marker=marker,
                text=[plain(frame["label"].iloc[row]) for row in rows],
                hovertemplate=f"%{{text}}: {name} %{{x}}<extra></extra>",
                cliponaxis=False,
                name=name,
            )
        )


def _add_columns(
    figure: go.Figure, frame: pd.DataFrame, flagged: list[bool], *, palette: Palette, titles: tuple[str, str]
) -> None:
    """Add the columns at the right: number of patients, and the ratio, bold with ◆ where flagged."""
    rows = range(len(frame))
    muted = [palette.muted] * len(frame)
    counts = [format_count(n) for n in numbers(frame["n"])]
    add_column(figure, counts, rows=rows, colours=muted, shift=N_SHIFT, align="right")
    texts = [
        f"<b>{plain(text)} {FLAG}</b>" if flag else plain(text)
        for text, flag in zip(frame["text"], flagged, strict=True)
    ]
    add_column(figure, texts, rows=rows, colours=[palette.text] * len(frame), shift=TEXT_SHIFT)
    add_header(figure, titles[0], palette=palette, shift=2)
    add_header(figure, titles[1], palette=palette, shift=TEXT_SHIFT)
