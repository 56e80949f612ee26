"""Net benefit over a range of thresholds: a model beside flagging everybody and flagging nobody."""

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import add_line, add_line_above, base_figure, empty_figure, key, numbers
from dashboard.charts.palette import Palette

# How far below nothing the axis goes, as a share of the top: flagging everybody soon falls out of sight.
_FLOOR = -0.1


def net_benefit_plot(frame: pd.DataFrame, *, palette: Palette, height: int = 400, name: str = "model") -> go.Figure:
    """Return the net benefit, per 100 patients, of one model with its 95% band, and of flagging everybody or nobody.

    Columns: threshold (0 to 1), net_benefit, lower, upper, treat_all (per patient; NaN where withheld).
    """
    shown = frame.dropna(subset=["net_benefit"]).sort_values("threshold")
    if shown.empty:
        return empty_figure(palette, height=height)
    figure = base_figure(palette, height=height)
    across = [100 * t for t in numbers(shown["threshold"])]
    lower, upper, middle = ([100 * v for v in numbers(shown[c])] for c in ("lower", "upper", "net_benefit"))
    _add_band(figure, across, lower, upper, palette=palette)
    everybody = frame.sort_values("threshold")
    _add_curve(
        figure,
        [100 * t for t in numbers(everybody["threshold"])],
        [100 * v for v in numbers(everybody["treat_all"])],
        colour=palette.muted,
        name="everybody",
        dash="4px,4px",
    )
    _add_curve(figure, across, middle, colour=palette.accent, name=name)
    ends = 100 * float(everybody["threshold"].min()), 100 * float(everybody["threshold"].max())
    add_line(figure, (ends[0], 0), (ends[1], 0), colour=palette.text, width=1)
    items = [
        ("━", palette.accent, name),
        ("╌", palette.muted, "flagging everybody"),
        ("─", palette.text, "flagging nobody"),
    ]
    add_line_above(figure, key(*items), palette=palette)
    figure.update_layout(margin_t=34, margin_r=16)
    figure.update_xaxes(title_text="Flagged from a risk of, of 100", range=list(ends))
    top = max([*upper, *middle])
    figure.update_yaxes(range=[_FLOOR * top, 1.08 * top], nticks=6)
    return figure


def _add_band(
    figure: go.Figure, across: list[float], lower: list[float], upper: list[float], *, palette: Palette
) -> None:
    figure.add_trace(
        go.Scatter(
            x=[*across, *reversed(across)],
            y=[*upper, *reversed(lower)],
            fill="toself",
            fillcolor=palette.soft,
            opacity=0.6,
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            name="95% band",
        )
    )


def _add_curve(
    figure: go.Figure, x: list[float], y: list[float], *, colour: str, name: str, dash: str = "solid"
) -> None:
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": colour, "width": 2, "dash": dash},
            name=name,
            hovertemplate=f"{name}, at %{{x:.0f}}: %{{y:.1f}} of 100<extra></extra>",
        )
    )
