"""From the average to one patient's estimate, one bar a clinical concept."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    add_line,
    base_figure,
    empty_figure,
    format_of_100,
    numbers,
    plain,
    set_rows,
    short_label,
)
from dashboard.charts.palette import Palette

ROW_HEIGHT = 30
FRAME_HEIGHT = 60
LEAST_HEIGHT = 510
CONCEPT_WIDTH = 0.62
FEATURE_WIDTH = 0.3
FEATURE_OPACITY = 0.55
# Shares of the span between the outermost bars: room for the numbers at the right, and air at the left.
ROOM_RIGHT = 0.22
ROOM_LEFT = 0.04
# Steps may be rounded, but bars that do not lead from start to end would show a sum that is not there.
SUM_TOLERANCE = 0.01

FormatValue = Callable[[float], str]


@dataclass(frozen=True)
class Step:
    """One bar: where it starts and ends on the axis, its signed value, and whether its features follow it."""

    label: str
    value: float
    start: float
    end: float
    is_feature: bool
    is_opened: bool


def format_points(value: float) -> str:
    """Return the size of a step in points, one decimal."""
    return f"{abs(value):.1f}"


def format_total_of_100(value: float) -> str:
    """Return a start or end as "47 of 100"."""
    return f"{format_of_100(value)} of 100"


def waterfall(
    frame: pd.DataFrame,
    *,
    start_label: str,
    start: float,
    end_label: str,
    end: float,
    unit_label: str,
    palette: Palette,
    format_value: FormatValue = format_points,
    format_total: FormatValue = format_total_of_100,
    tick_format: str = "",
) -> go.Figure:
    """Return a waterfall from start to end, rows in the frame's order; the axis is cut to where the bars are.

    Columns: label; value (signed, in the unit of the axis); level, "concept" or "feature". Rows of features follow
    their concept, start where it starts and do not move the sum. `format_value` words the size of a step (sign and
    triangle are added here), `format_total` the start and the end, `tick_format` the axis ("$~s" for dollars).
    Raises ValueError where the concepts do not lead from start to end.
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT * 2 + FRAME_HEIGHT)
    steps = lay_out_steps(frame, start=start)
    _check_sum(steps, start=start, end=end)
    figure = base_figure(palette, height=max(LEAST_HEIGHT, ROW_HEIGHT * (len(steps) + 2) + FRAME_HEIGHT))
    _add_connectors(figure, steps, start=start, end=end, palette=palette)
    _add_bars(figure, steps, palette=palette, format_value=format_value)
    _add_values(figure, steps, palette=palette, format_value=format_value)
    _add_end(figure, start, row=0, label=start_label, text=format_total(start), is_start=True, palette=palette)
    last = len(steps) + 1
    _add_end(figure, end, row=last, label=end_label, text=format_total(end), is_start=False, palette=palette)
    _set_axes(figure, steps, [start_label, end_label], palette=palette)
    figure.update_xaxes(title_text=plain(unit_label), tickformat=tick_format, nticks=6)
    return figure


def lay_out_steps(frame: pd.DataFrame, *, start: float) -> list[Step]:
    """Return the bars of the rows of a waterfall that begins at `start`."""
    levels = [str(level) for level in frame["level"]]
    steps: list[Step] = []
    total = within = start
    for place, (label, value) in enumerate(zip(frame["label"], numbers(frame["value"]), strict=True)):
        is_feature = levels[place] == "feature"
        begin = within if is_feature else total
        is_opened = not is_feature and levels[place + 1 : place + 2] == ["feature"]
        steps.append(Step(str(label), value, begin, begin + value, is_feature, is_opened))
        if is_feature:
            within += value
        else:
            within, total = total, total + value
    return steps


def _check_sum(steps: list[Step], *, start: float, end: float) -> None:
    """Raise ValueError unless the concepts lead from start to end."""
    values = [step.value for step in steps if not step.is_feature]
    reached = start + sum(values)
    if abs(reached - end) > SUM_TOLERANCE * sum(abs(value) for value in values) + 1e-9 * abs(end):
        raise ValueError(f"the concepts must lead from {start} to {end}, got: {reached}")


def _add_connectors(figure: go.Figure, steps: list[Step], *, start: float, end: float, palette: Palette) -> None:
    """Add the thin upright lines that carry the running sum from bar to bar; rows of features interrupt them."""
    row_before, total = 0, start
    for row, step in enumerate(steps, start=1):
        if step.is_feature:
            continue
        if row == row_before + 1:
            _add_connector(figure, total, row_before, row, palette=palette)
        row_before, total = row, step.end
    if row_before == len(steps):
        _add_connector(figure, end, row_before, row_before + 1, palette=palette)


def _add_connector(figure: go.Figure, at: float, row_from: int, row_to: int, *, palette: Palette) -> None:
    """Add one upright line between two rows, behind the bars."""
    add_line(figure, (at, row_from), (at, row_to), colour=palette.muted, width=1, dash="1px,2px")


def _add_bars(figure: go.Figure, steps: list[Step], *, palette: Palette, format_value: FormatValue) -> None:
    """Add the bars, coloured by their sign, thin and pale for features."""
    figure.add_trace(
        go.Bar(
            orientation="h",
            name="steps",
            y=list(range(1, len(steps) + 1)),
            x=[step.value for step in steps],
            base=[step.start for step in steps],
            width=[FEATURE_WIDTH if step.is_feature else CONCEPT_WIDTH for step in steps],
            marker={
                "color": [palette.raises if step.value > 0 else palette.lowers for step in steps],
                "opacity": [FEATURE_OPACITY if step.is_feature else 1.0 for step in steps],
            },
            hovertext=[f"{plain(step.label)}: {_step_text(step, format_value)}" for step in steps],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )


def _add_values(figure: go.Figure, steps: list[Step], *, palette: Palette, format_value: FormatValue) -> None:
    """Add the signed number at the right of each bar."""
    figure.add_trace(
        go.Scatter(
            x=[max(step.start, step.end) for step in steps],
            y=list(range(1, len(steps) + 1)),
            mode="text",
            name="values",
            text=[f"\u2009 {_step_text(step, format_value)}" for step in steps],
            textposition="middle right",
            textfont={
                "size": [12 if step.is_feature else 13 for step in steps],
                "color": [_step_colour(step, palette, format_value) for step in steps],
            },
            cliponaxis=False,
            hoverinfo="skip",
        )
    )


def _is_nothing(step: Step, format_value: FormatValue) -> bool:
    """Return whether a step reads as zero."""
    return format_value(abs(step.value)) == format_value(0.0)


def _step_text(step: Step, format_value: FormatValue) -> str:
    """Return "▲ +5.8" or "▼ −7.3", bold for an opened concept; a step that reads as zero has no direction."""
    size = plain(format_value(abs(step.value)))
    if _is_nothing(step, format_value):
        return size
    text = f"▲ +{size}" if step.value > 0 else f"▼ −{size}"
    return f"<b>{text}</b>" if step.is_opened else text


def _step_colour(step: Step, palette: Palette, format_value: FormatValue) -> str:
    """Return the colour of the number of a step."""
    if _is_nothing(step, format_value):
        return palette.muted
    return palette.raises_text if step.value > 0 else palette.lowers_text


def _add_end(
    figure: go.Figure, value: float, *, row: int, label: str, text: str, is_start: bool, palette: Palette
) -> None:
    """Add the tick of the start or the dot of the end, with its number in bold."""
    tick = {"symbol": "line-ns", "size": 9, "line": {"color": palette.muted, "width": 2.5}}
    dot = {"size": 15, "color": palette.accent, "line": {"color": palette.background, "width": 1.5}}
    figure.add_trace(
        go.Scatter(
            x=[value],
            y=[row],
            mode="markers+text",
            marker=tick if is_start else dot,
            text=[f"\u2002<b>{text}</b>"],
            textposition="middle right",
            textfont={"size": 13, "color": palette.text},
            cliponaxis=False,
            name=plain(label),
            hoverinfo="skip",
        )
    )


def _set_axes(figure: go.Figure, steps: list[Step], ends: list[str], *, palette: Palette) -> None:
    """Cut the x axis to the bars and write the row labels: bold ends and opened concepts, italic features."""
    labels = [f"<b>{short_label(ends[0])}</b>", *(_label(step) for step in steps), f"<b>{short_label(ends[1])}</b>"]
    set_rows(figure, labels, palette=palette)
    places = [place for step in steps for place in (step.start, step.end)]
    low, high = min(places), max(places)
    span = (high - low) or abs(high) or 1.0
    floor = 0.0 if low >= 0 else -math.inf
    figure.update_xaxes(range=[max(low - ROOM_LEFT * span, floor), high + ROOM_RIGHT * span])


def _label(step: Step) -> str:
    """Return the label of a row as Plotly text."""
    label = short_label(step.label)
    if step.is_feature:
        return f"<i>{label}</i>"
    return f"<b>{label}</b>" if step.is_opened else label
