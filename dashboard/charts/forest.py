"""A measure in every group of patients, with its interval: the forest plot."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.figure import (
    FLAG,
    LABEL_SIZE,
    NOTE_SIZE,
    WITHHELD_MARK,
    add_column,
    add_intervals,
    add_line,
    add_note,
    base_figure,
    empty_figure,
    flags,
    format_count,
    numbers,
    plain,
    set_rows,
    short_label,
    text_width,
)
from dashboard.charts.palette import Palette

ROW_HEIGHT = 24
FRAME_HEIGHT = 52
INDENT = 10
# Shorter than elsewhere: three columns of numbers stand beside the labels, and the plot needs what is left.
LONGEST_LABEL = 28
COLUMN_WIDTH = 56
EVENTS_SHIFT = -14
TEXT_SHIFT = 12
# How far an interval may stretch a log axis, as a multiple of the null value; what goes beyond ends in an arrow.
LOG_REACH = 4.0
WIDE_TICKS = (0.01, 0.03, 0.1, 0.25, 0.5, 1, 2, 4, 10, 30, 100)
MIDDLE_TICKS = (0.33, 0.5, 0.67, 1, 1.5, 2, 3)
NARROW_TICKS = (0.5, 0.67, 0.8, 1, 1.25, 1.5, 2)
# The narrow ticks serve axes that span less than the first factor, the middle ones less than the second.
NARROW_SPAN = 2.0
MIDDLE_SPAN = 6.0


@dataclass(frozen=True)
class Row:
    """One row of the plot: a heading, a group, or a group whose numbers are withheld."""

    label: str
    is_heading: bool = False
    is_withheld: bool = False
    is_flagged: bool = False
    n: float = math.nan
    n_events: float = math.nan
    estimate: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    text: str = ""


def forest(
    frame: pd.DataFrame,
    *,
    palette: Palette,
    axis_title: str,
    null_value: float,
    log_axis: bool,
    n_title: str = "Patients",
    events_title: str = "Events",
    text_title: str = "Estimate (95% interval)",
    withheld_text: str = "withheld: under 11",
) -> go.Figure:
    """Return a forest plot, groups under their headings in the frame's order, with a line at the null value.

    Columns: group (heading), level (label), n and n_events (NA reads "–"; the latter left out without a title),
    estimate, lower, upper (unit of `axis_title`), suppressed, flagged, text (right column). Of a suppressed row nothing
    but its label is drawn: a dashed empty box and `withheld_text`, so that a withheld number is never a gap, and never
    in the page.
    """
    if frame.empty:
        return empty_figure(palette, height=ROW_HEIGHT * 4 + FRAME_HEIGHT)
    rows = build_rows(frame, withheld_text=withheld_text)
    low, high = axis_range(rows, null_value=null_value, log_axis=log_axis)
    figure = base_figure(palette, height=ROW_HEIGHT * (len(rows) + 1) + FRAME_HEIGHT)
    add_line(figure, (null_value, -1.5), (null_value, len(rows) - 0.5), colour=palette.muted)
    _add_estimates(figure, rows, low=low, high=high, palette=palette)
    _add_withheld(figure, rows, ends=(low, high), palette=palette)
    left, right = _add_texts(figure, rows, palette=palette, titles=(n_title, events_title, text_title))
    _add_rules(figure, rows, margins=(left, right), palette=palette)
    set_rows(figure, ["" for _ in rows], palette=palette)
    figure.update_layout(margin_l=left, margin_r=right, margin_t=4)
    figure.update_yaxes(range=[len(rows) - 0.5, -1.5], showticklabels=False)
    _set_x_axis(figure, low=low, high=high, log_axis=log_axis, title=axis_title)
    return figure


def build_rows(frame: pd.DataFrame, *, withheld_text: str) -> list[Row]:
    """Return the rows of the plot from the top down; rows of suppressed groups carry no numbers."""
    rows: list[Row] = []
    heading = ""
    suppressed, flagged = flags(frame["suppressed"]), flags(frame["flagged"])
    n, n_events = numbers(frame["n"]), numbers(frame["n_events"])
    estimate, lower, upper = (numbers(frame[name]) for name in ("estimate", "lower", "upper"))
    for place, (group, level, text) in enumerate(zip(frame["group"], frame["level"], frame["text"], strict=True)):
        if str(group) != heading:
            heading = str(group)
            rows.append(Row(heading, is_heading=True))
        if suppressed[place]:
            rows.append(Row(str(level), is_withheld=True, text=withheld_text))
            continue
        rows.append(
            Row(
                str(level),
                is_flagged=flagged[place],
                n=n[place],
                n_events=n_events[place],
                estimate=estimate[place],
                lower=lower[place],
                upper=upper[place],
                text="" if pd.isna(text) else str(text),
            )
        )
    return rows


def axis_range(rows: list[Row], *, null_value: float, log_axis: bool) -> tuple[float, float]:
    """Return the ends of the x axis: every estimate, the null value, and the intervals within reach."""
    estimates = [row.estimate for row in rows if math.isfinite(row.estimate)]
    bounds = [bound for row in rows for bound in (row.lower, row.upper) if math.isfinite(bound)]
    if not log_axis:
        places = [*estimates, *bounds, null_value]
        air = 0.04 * ((max(places) - min(places)) or 1.0)
        return min(places) - air, max(places) + air
    reached = [min(max(bound, null_value / LOG_REACH), null_value * LOG_REACH) for bound in bounds]
    places = [place for place in [*estimates, *reached, null_value / 1.25, null_value * 1.25] if place > 0]
    return min(places) / 1.06, max(places) * 1.06


def _add_estimates(figure: go.Figure, rows: list[Row], *, low: float, high: float, palette: Palette) -> None:
    """Add intervals and markers: indigo dots, and ink diamonds on thick ink for flagged groups."""
    for flagged in (False, True):
        chosen = [(place, row) for place, row in enumerate(rows) if math.isfinite(row.estimate)]
        chosen = [(place, row) for place, row in chosen if row.is_flagged == flagged]
        places = [place for place, _ in chosen]
        add_intervals(
            figure,
            [_clip(row.lower, low, high) for _, row in chosen],
            [_clip(row.upper, low, high) for _, row in chosen],
            places,
            colour=palette.text if flagged else palette.interval,
            width=4 if flagged else 2.5,
            name="flagged interval" if flagged else "interval",
        )
        colour = palette.text if flagged else palette.accent
        marker = {"symbol": "diamond" if flagged else "circle", "size": 12 if flagged else 9, "color": colour}
        figure.add_trace(
            go.Scatter(
                x=[_clip(row.estimate, low, high) for _, row in chosen],
                y=places,
                mode="markers",
                marker={**marker, "line": {"color": palette.background, "width": 1}},
                text=[_hover(row) for _, row in chosen],
                hovertemplate="%{text}<extra></extra>",
                name="flagged" if flagged else "estimate",
            )
        )
    _add_arrows(figure, rows, low=low, high=high, palette=palette)


def _clip(value: float, low: float, high: float) -> float:
    """Return a value kept within the axis; NaN stays NaN."""
    return value if math.isnan(value) else min(max(value, low), high)


def _hover(row: Row) -> str:
    """Return what a row says when pointed at."""
    return f"{plain(row.label)}: {plain(row.text)}<br>n {format_count(row.n)}"


def _add_arrows(figure: go.Figure, rows: list[Row], *, low: float, high: float, palette: Palette) -> None:
    """Add an arrow head where an interval goes on beyond the axis."""
    for end, symbol in ((low, "triangle-left"), (high, "triangle-right")):
        places = [place for place, row in enumerate(rows) if (row.lower < low if end == low else row.upper > high)]
        if places:
            marker = {"symbol": symbol, "size": 9, "color": palette.interval}
            trace = go.Scatter(x=[end] * len(places), y=places, mode="markers", marker=marker, cliponaxis=False)
            figure.add_trace(trace.update(name="beyond the axis", hoverinfo="skip"))


def _add_withheld(figure: go.Figure, rows: list[Row], *, ends: tuple[float, float], palette: Palette) -> None:
    """Add the dashed empty box of each withheld row."""
    for place, row in enumerate(rows):
        if row.is_withheld:
            figure.add_shape(
                type="rect",
                layer="between",
                x0=ends[0],
                x1=ends[1],
                y0=place - 0.34,
                y1=place + 0.34,
                fillcolor=palette.tint,
                line={"color": palette.muted, "width": 1, "dash": "3px,3px"},
            )


def _add_texts(
    figure: go.Figure, rows: list[Row], *, palette: Palette, titles: tuple[str, str, str]
) -> tuple[int, int]:
    """Add all columns of text and return the widths of the margins they need, left and right, in pixels."""
    shown = [(place, row) for place, row in enumerate(rows) if not row.is_heading]
    labels = [short_label(row.label, longest=LONGEST_LABEL) for row in rows]
    left = INDENT + text_width(labels, size=LABEL_SIZE) + 2 * COLUMN_WIDTH - EVENTS_SHIFT
    for headings, indent in ((True, 0), (False, INDENT)):
        chosen = [place for place, row in enumerate(rows) if row.is_heading == headings]
        add_column(
            figure,
            [f"<b>{labels[place]}</b>" if headings else labels[place] for place in chosen],
            rows=chosen,
            colours=[palette.text] * len(chosen),
            shift=indent - left,
            side="left",
            size=LABEL_SIZE,
        )
    places = [place for place, _ in shown]
    muted = [palette.muted] * len(shown)
    counts = {
        **({EVENTS_SHIFT: [row.n_events for _, row in shown]} if titles[1] else {}),
        EVENTS_SHIFT - COLUMN_WIDTH: [row.n for _, row in shown],
    }
    for shift, values in counts.items():
        texts = [format_count(value) for value in values]
        add_column(figure, texts, rows=places, colours=muted, shift=shift, side="left", align="right")
    colours = [palette.muted if row.is_withheld else palette.text for _, row in shown]
    add_column(figure, [_text(row) for _, row in shown], rows=places, colours=colours, shift=TEXT_SHIFT)
    _add_titles(figure, titles, palette=palette)
    right = TEXT_SHIFT + text_width([titles[2], *(f"{row.text} {FLAG}" for _, row in shown)], size=NOTE_SIZE)
    return left, right


def _text(row: Row) -> str:
    """Return the right column of a row: bold with ◆ where flagged, italic where withheld."""
    if row.is_withheld:
        return f"<i>{plain(row.text)}</i>"
    text = plain(row.text) or WITHHELD_MARK
    return f"<b>{text} {FLAG}</b>" if row.is_flagged else text


def _add_titles(figure: go.Figure, titles: tuple[str, str, str], *, palette: Palette) -> None:
    """Add the headings of the three columns of text, in the row above the first."""
    places = [(0, EVENTS_SHIFT - COLUMN_WIDTH, "right"), (0, EVENTS_SHIFT, "right"), (1, TEXT_SHIFT, "left")]
    for title, (edge, shift, anchor) in zip(titles, places, strict=True):
        colour = palette.muted
        add_note(figure, plain(title), x=edge, y=-1, yref="y", xanchor=anchor, xshift=shift, colour=colour)


def _add_rules(figure: go.Figure, rows: list[Row], *, margins: tuple[int, int], palette: Palette) -> None:
    """Add a thin line over each heading, from the labels to the right column, in pieces as margins are in pixels."""
    left, right = margins
    pieces: list[dict[str, Any]] = [
        {"x0": 0, "x1": 1},
        {"x0": -left, "x1": 0, "xanchor": 0, "xsizemode": "pixel"},
        {"x0": 0, "x1": right, "xanchor": 1, "xsizemode": "pixel"},
    ]
    line = {"color": palette.border, "width": 1}
    for place, row in enumerate(rows):
        for piece in pieces if row.is_heading else []:
            figure.add_shape(
                type="line", layer="below", line=line, xref="paper", y0=place - 0.5, y1=place - 0.5, **piece
            )


def _set_x_axis(figure: go.Figure, *, low: float, high: float, log_axis: bool, title: str) -> None:
    """Set type, range, ticks and title of the x axis."""
    if not log_axis:
        figure.update_xaxes(range=[low, high], nticks=6, title_text=plain(title))
        return
    choice = NARROW_TICKS if high < NARROW_SPAN * low else MIDDLE_TICKS if high < MIDDLE_SPAN * low else WIDE_TICKS
    ticks = [tick for tick in choice if low <= tick <= high]
    figure.update_xaxes(
        type="log",
        range=[math.log10(low), math.log10(high)],
        tickvals=ticks,
        ticktext=[f"{tick:g}" for tick in ticks],
        tickangle=0,
        title_text=plain(title),
    )
