"""One patient's risk on a strip from 0 to 100, with its interval as a band."""

import math

import plotly.graph_objects as go

from dashboard.charts.figure import add_note, base_figure, empty_figure, format_of_100, plain
from dashboard.charts.palette import Palette

HEIGHT = 112
# The plot is 36 pixels high and the strip two thirds of it; Plotly would not leave room for text around so low a plot.
MARGINS = {"margin_t": 28, "margin_b": 48, "margin_l": 14, "margin_r": 14}
STRIP_WIDTH = 0.62
# The text above the band is centred over it, but never so close to an end that it would be cut.
TEXT_ROOM = 24.0


def risk_strip(
    estimate: float,
    lower: float,
    upper: float,
    *,
    palette: Palette,
    interval_label: str = "",
    axis_title: str = "Of 100 such patients",
) -> go.Figure:
    """Return the strip with a dot at the estimate and a band from lower to upper, all per 100 patients.

    NaN bounds leave the band out. `interval_label` names the interval for what it is, in front of "26 to 54".
    """
    if not math.isfinite(estimate):
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    _add_bar(figure, 0.0, 100.0, colour=palette.empty, name="track")
    if math.isfinite(lower) and math.isfinite(upper):
        _add_bar(figure, lower, upper, colour=_band_colour(palette), name="interval")
        _add_interval_text(figure, lower, upper, label=interval_label, palette=palette)
    _add_dot(figure, estimate, palette=palette)
    figure.update_layout(barmode="overlay", **MARGINS)
    figure.update_xaxes(range=[0, 100], tickvals=[0, 25, 50, 75, 100], showgrid=False, title_text=plain(axis_title))
    figure.update_xaxes(automargin=False, title_standoff=4)
    figure.update_yaxes(visible=False, range=[-0.5, 0.5])
    return figure


def _band_colour(palette: Palette) -> str:
    """Return the colour of the band: the step of the risk scale between the soft bars and the interval bar."""
    return palette.risk_scale[3]


def _add_bar(figure: go.Figure, low: float, high: float, *, colour: str, name: str) -> None:
    """Add one bar of the strip's full height from low to high."""
    figure.add_trace(
        go.Bar(
            x=[high - low],
            base=[low],
            y=[0],
            width=[STRIP_WIDTH],
            orientation="h",
            marker_color=colour,
            name=name,
            hoverinfo="skip",
        )
    )


def _add_interval_text(figure: go.Figure, lower: float, upper: float, *, label: str, palette: Palette) -> None:
    """Add the words of the interval above its band."""
    words = f"{format_of_100(lower)} to {format_of_100(upper)}"
    text = f"<b>{plain(label)}: {words}</b>" if label else f"<b>{words}</b>"
    middle = min(max((lower + upper) / 2, TEXT_ROOM), 100 - TEXT_ROOM)
    add_note(figure, text, x=middle, xref="x", y=1, yanchor="bottom", yshift=5, xanchor="center", colour=palette.text)


def _add_dot(figure: go.Figure, estimate: float, *, palette: Palette) -> None:
    """Add the dot of the estimate, over the band and never cut at the ends."""
    marker = {"size": 17, "color": palette.accent, "line": {"color": palette.background, "width": 2}}
    figure.add_trace(
        go.Scatter(
            x=[estimate],
            y=[0],
            mode="markers",
            marker=marker,
            cliponaxis=False,
            name="estimate",
            hovertemplate=f"{format_of_100(estimate)} of 100<extra></extra>",
        )
    )
