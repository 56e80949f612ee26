"""Projection against observation in tenths of patients, from the lowest projection to the highest."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_intervals,
    add_line_above,
    amount_axis,
    base_figure,
    empty_figure,
    key,
    numbers,
    plain,
)
from dashboard.charts.palette import Palette

HEIGHT = 330


def tenths_plot(
    frame: pd.DataFrame,
    *,
    palette: Palette,
    axis_title: str,
    unit_prefix: str = "$",
    x_title: str = "Tenths of patients by projection (1 = lowest)",
) -> go.Figure:
    """Return soft bars of what was observed in each tenth, with dots for what was projected.

    Columns: tenth (1 to 10); projected, observed; lower, upper (interval of the observed mean), in the unit that
    `axis_title` names, NaN where withheld. `unit_prefix` is "$" for dollars, "" for days.
    """
    if frame.empty:
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    ordered = frame.sort_values("tenth")
    tenths = numbers(ordered["tenth"])
    _add_observed(figure, tenths, numbers(ordered["observed"]), palette=palette)
    lower, upper = numbers(ordered["lower"]), numbers(ordered["upper"])
    add_intervals(figure, lower, upper, tenths, colour=palette.muted, width=2, upright=True)
    _add_projected(figure, tenths, numbers(ordered["projected"]), palette=palette)
    items = [("■", palette.interval, "observed"), ("●", palette.accent, "projected")]
    add_line_above(figure, f"{plain(axis_title)}\u2003{key(*items)}", palette=palette)
    figure.update_layout(margin_t=34)
    figure.update_xaxes(tickvals=tenths, showgrid=False, title_text=plain(x_title))
    figure.update_yaxes(rangemode="tozero", **amount_axis(unit_prefix))
    return figure


def _add_observed(figure: go.Figure, tenths: list[float], observed: list[float], *, palette: Palette) -> None:
    """Add the soft bars."""
    figure.add_trace(
        go.Bar(
            x=tenths,
            y=observed,
            marker_color=palette.soft,
            name="observed",
            hovertemplate="tenth %{x}: observed %{y}<extra></extra>",
        )
    )


def _add_projected(figure: go.Figure, tenths: list[float], projected: list[float], *, palette: Palette) -> None:
    """Add the dots."""
    kept = [(tenth, value) for tenth, value in zip(tenths, projected, strict=True) if math.isfinite(value)]
    figure.add_trace(
        go.Scatter(
            x=[tenth for tenth, _ in kept],
            y=[value for _, value in kept],
            mode="markers",
            marker={"size": 11, "color": palette.accent, "line": {"color": palette.background, "width": 2}},
            cliponaxis=False,
            name="projected",
            hovertemplate="tenth %{x}: projected %{y}<extra></extra>",
        )
    )
