"""Predicted against observed risk, in groups of patients of similar risk."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_intervals,
    add_line,
    add_line_above,
    add_note,
    base_figure,
    empty_figure,
    format_count,
    format_of_100,
    numbers,
    plain,
)
from dashboard.charts.palette import Palette

TICKS = [0, 25, 50, 75, 100]


def calibration_plot(
    frame: pd.DataFrame,
    *,
    palette: Palette,
    smooth: pd.DataFrame | None = None,
    height: int = 400,
    x_title: str = "Predicted, of 100 patients",
    y_title: str = "Observed, of 100 patients",
) -> go.Figure:
    """Return a calibration plot: a dot a group with its interval, and the dashed diagonal where both agree.

    Columns: predicted, observed, lower, upper (shares, 0 to 1; NaN where withheld); n (patients). `smooth` is a curve
    with its 95% band, in the same columns without n, drawn under the dots.
    """
    shown = frame[frame["predicted"].notna() & frame["observed"].notna()].sort_values("predicted")
    if shown.empty:
        return empty_figure(palette, height=height)
    figure = base_figure(palette, height=height)
    if smooth is not None and len(smooth):
        _add_smooth(figure, smooth, palette=palette)
    _add_diagonal(figure, palette=palette)
    predicted = _of_100(shown["predicted"])
    lower, upper = _of_100(shown["lower"]), _of_100(shown["upper"])
    add_intervals(figure, lower, upper, predicted, colour=palette.interval, width=5, upright=True)
    _add_groups(figure, predicted, _of_100(shown["observed"]), hovers=_hovers(shown), palette=palette)
    add_line_above(figure, plain(y_title), palette=palette)
    figure.update_layout(margin_t=34, margin_r=16)
    figure.update_xaxes(range=[0, 100], tickvals=TICKS, title_text=plain(x_title))
    figure.update_yaxes(range=[0, 100], tickvals=TICKS)
    return figure


def _of_100(column: "pd.Series[float]") -> list[float]:
    """Return shares as numbers out of 100."""
    return [100 * share for share in numbers(column)]


def _add_diagonal(figure: go.Figure, *, palette: Palette) -> None:
    """Add the dashed diagonal, and the words for the two sides of it."""
    add_line(figure, (0, 0), (100, 100), colour=palette.muted, width=1, dash="4px,4px")
    notes = [("more than predicted", 4, 95, "left"), ("fewer than predicted", 96, 22, "right")]
    for words, x, y, anchor in notes:
        add_note(figure, words, x=x, y=y, xref="x", yref="y", xanchor=anchor, colour=palette.muted)


def _add_smooth(figure: go.Figure, smooth: pd.DataFrame, *, palette: Palette) -> None:
    """Add the smooth curve over its band."""
    across, middle, lower, upper = (_of_100(smooth[c]) for c in ("predicted", "observed", "lower", "upper"))
    band = {"x": [*across, *reversed(across)], "y": [*upper, *reversed(lower)], "fill": "toself"}
    figure.add_trace(
        go.Scatter(**band, fillcolor=palette.soft, opacity=0.5, mode="none", hoverinfo="skip", name="95% band")
    )
    line = {"color": palette.accent, "width": 1.5}
    figure.add_trace(go.Scatter(x=across, y=middle, mode="lines", line=line, hoverinfo="skip", name="smooth curve"))


def _hovers(shown: pd.DataFrame) -> list[str]:
    """Return what each dot says when pointed at."""
    columns = (shown["predicted"], shown["observed"], shown["lower"], shown["upper"])
    words = []
    for predicted, observed, low, high, n in zip(*map(_of_100, columns), numbers(shown["n"]), strict=True):
        bounds = f" ({format_of_100(low)} to {format_of_100(high)})" if math.isfinite(low + high) else ""
        words.append(
            f"predicted {format_of_100(predicted)} of 100<br>"
            f"observed {format_of_100(observed)} of 100{bounds}<br>n {format_count(n)}"
        )
    return words


def _add_groups(
    figure: go.Figure, predicted: list[float], observed: list[float], *, hovers: list[str], palette: Palette
) -> None:
    """Add the dots of the groups."""
    figure.add_trace(
        go.Scatter(
            x=predicted,
            y=observed,
            mode="markers",
            marker={"size": 10, "color": palette.accent, "line": {"color": palette.background, "width": 1.5}},
            text=hovers,
            hovertemplate="%{text}<extra></extra>",
            cliponaxis=False,
            name="groups",
        )
    )
