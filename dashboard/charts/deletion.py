"""How far an estimate moves as the values behind its reasons are replaced. A frame in, a figure out."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import add_line_above, base_figure, empty_figure, key, numbers, plain
from dashboard.charts.palette import Palette

HEIGHT = 360
DASHES = ("solid", "dash", "dot")
GLYPHS = ("━", "╍", "┈")


def deletion_lines(
    frame: pd.DataFrame, *, palette: Palette, names: dict[str, str], axis_title: str, x_title: str
) -> go.Figure:
    """Return a line with its 95% band for each order in `names` (its words), the first in the accent colour.

    Columns: taken (a key of `names`), removed, moved, lower, upper. Lines differ in colour and in dashes.
    """
    if frame.empty:
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    colours = (palette.accent, palette.interval, palette.muted)
    for (taken, words), colour, dash in zip(names.items(), colours, DASHES, strict=True):
        _add_line(figure, frame[frame["taken"] == taken], colour=colour, dash=dash, words=words)
    items = [(glyph, colour, words) for glyph, colour, words in zip(GLYPHS, colours, names.values(), strict=True)]
    add_line_above(figure, f"{plain(axis_title)}\u2003{key(*items)}", palette=palette)
    figure.update_layout(margin_t=34, margin_r=18)
    figure.update_xaxes(title_text=plain(x_title), dtick=1, showgrid=False)
    figure.update_yaxes(rangemode="tozero", nticks=6)
    return figure


def _add_line(figure: go.Figure, own: pd.DataFrame, *, colour: str, dash: str, words: str) -> None:
    """Add one order: its band, then its line."""
    x, lower, upper = (numbers(own[name]) for name in ("removed", "lower", "upper"))
    band = {"fill": "toself", "fillcolor": colour, "opacity": 0.18, "line": {"width": 0}, "mode": "lines"}
    figure.add_trace(go.Scatter(x=[*x, *x[::-1]], y=[*upper, *lower[::-1]], **band, hoverinfo="skip", name="band"))
    figure.add_trace(
        go.Scatter(
            x=x,
            y=numbers(own["moved"]),
            mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": dash},
            marker={"size": 7, "color": colour},
            name=words,
            hovertemplate=f"{plain(words)}: %{{x}} replaced, moved by %{{y:.2f}}<extra></extra>",
            cliponaxis=False,
        )
    )
