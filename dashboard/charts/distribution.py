"""How the predicted risks of patients with and without the event are spread."""

import math

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_line,
    add_line_above,
    base_figure,
    empty_figure,
    format_count,
    key,
    numbers,
    plain,
)
from dashboard.charts.palette import Palette

HEIGHT = 330
# Share of its bin that a bar fills.
BAR_SHARE = 0.94


def risk_distribution(
    frame: pd.DataFrame,
    *,
    palette: Palette,
    event_label: str = "with the event",
    no_event_label: str = "without it",
    x_title: str = "Predicted risk, of 100 such patients",
) -> go.Figure:
    """Return a mirrored histogram of predicted risk: patients with the event above the line, without it below.

    Columns: bin_low, bin_high (shares, 0 to 1); n_event, n_no_event (patients; NaN where withheld).
    """
    if frame.empty:
        return empty_figure(palette, height=HEIGHT)
    figure = base_figure(palette, height=HEIGHT)
    up, down = numbers(frame["n_event"]), numbers(frame["n_no_event"])
    _add_bars(figure, frame, up, sign=1, colour=palette.accent, label=event_label)
    _add_bars(figure, frame, down, sign=-1, colour=palette.interval, label=no_event_label)
    add_line(figure, (0, 0), (100, 0), colour=palette.muted, width=1)
    colours = (palette.accent, palette.interval)
    items = [("■", colours[0], f"above: {event_label}"), ("■", colours[1], f"below: {no_event_label}")]
    add_line_above(figure, f"Patients\u2003{key(*items)}", palette=palette)
    figure.update_layout(margin_t=34, margin_r=18, barmode="relative")
    figure.update_xaxes(range=[0, 100], tickvals=[0, 25, 50, 75, 100], showgrid=False, title_text=plain(x_title))
    ticks = mirrored_ticks(max(_largest(up), _largest(down)))
    figure.update_yaxes(tickvals=ticks, ticktext=[format_count(abs(tick)) for tick in ticks])
    return figure


def mirrored_ticks(largest: float) -> list[float]:
    """Return round tick values on both sides of zero, at most three a side, for counts up to `largest`."""
    rough = max(largest, 1.0) / 3
    power = 10 ** math.floor(math.log10(rough))
    step = max(next(nice * power for nice in (1, 2, 5, 10) if nice * power >= rough), 1.0)
    count = math.floor(largest / step)
    return [step * place for place in range(-count, count + 1)]


def _largest(counts: list[float]) -> float:
    """Return the largest count that is not withheld, zero where there is none."""
    return max((count for count in counts if math.isfinite(count)), default=0.0)


def _add_bars(
    figure: go.Figure, frame: pd.DataFrame, counts: list[float], *, sign: int, colour: str, label: str
) -> None:
    """Add the bars of one outcome, upwards or downwards."""
    low = [100 * share for share in numbers(frame["bin_low"])]
    high = [100 * share for share in numbers(frame["bin_high"])]
    figure.add_trace(
        go.Bar(
            x=[(left + right) / 2 for left, right in zip(low, high, strict=True)],
            width=[BAR_SHARE * (right - left) for left, right in zip(low, high, strict=True)],
            y=[sign * count for count in counts],
            marker_color=colour,
            text=[
                f"risk {left:.0f} to {right:.0f} of 100<br>{plain(label)}: {format_count(count)} patients"
                for left, right, count in zip(low, high, counts, strict=True)
            ],
            textposition="none",
            hovertemplate="%{text}<extra></extra>",
            name=plain(label),
        )
    )
