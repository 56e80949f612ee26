"""An association in every block of consecutive rows: where it collapses, rows have been mixed up."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_intervals,
    add_line,
    add_line_above,
    base_figure,
    empty_figure,
    flags,
    key,
    numbers,
    plain,
)
from dashboard.charts.palette import Palette

HEIGHT = 300


def blocks_plot(frame: pd.DataFrame, *, palette: Palette, y_title: str) -> go.Figure:
    """Return a bar a block at the height of its association, and a dashed line at what is usual.

    Columns: first_row, last_row (in the file, from 1), association, expected (−1 to 1), finding, why.
    """
    if frame.empty:
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    found = flags(frame["finding"])
    first, last, height = (numbers(frame[name]) for name in ("first_row", "last_row", "association"))
    for wanted, colour, width, name in ((False, palette.interval, 5, "holds"), (True, palette.text, 7, "collapses")):
        rows = [i for i, flag in enumerate(found) if flag == wanted]
        add_intervals(
            figure,
            [first[i] for i in rows],
            [last[i] for i in rows],
            [height[i] for i in rows],
            colour=colour,
            width=width,
            name=name,
        )
    usual = float(frame["expected"].median())
    add_line(figure, (first[0], usual), (last[-1], usual), colour=palette.muted, dash="4px,4px")
    _add_hovers(figure, frame, found)
    items = [("━", palette.interval, "holds"), ("━", palette.text, "collapses ◆"), ("╌", palette.muted, "usual")]
    add_line_above(figure, f"{plain(y_title)}\u2003{key(*items)}", palette=palette)
    figure.update_layout(margin_t=34, margin_r=16)
    figure.update_xaxes(title_text="Row of the file", tickformat=",", range=[0, max(last) * 1.01])
    figure.update_yaxes(range=[min(-0.1, *height) - 0.05, 1.05])
    return figure


def _add_hovers(figure: go.Figure, frame: pd.DataFrame, found: list[bool]) -> None:
    middle = [(a + b) / 2 for a, b in zip(numbers(frame["first_row"]), numbers(frame["last_row"]), strict=True)]
    texts = [
        plain(why) if flag else f"rows {int(a):,} to {int(b):,}: {value:.2f}"
        for flag, why, a, b, value in zip(
            found, frame["why"].fillna(""), frame["first_row"], frame["last_row"], frame["association"], strict=True
        )
    ]
    figure.add_trace(
        go.Scatter(
            x=middle,
            y=frame["association"],
            mode="markers",
            marker={"size": 12, "opacity": 0},
            text=texts,
            hovertemplate="%{text}<extra></extra>",
            name="blocks",
        )
    )
