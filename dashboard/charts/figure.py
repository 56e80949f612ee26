"""What every chart is built from: base figure, rows, columns of text beside the plot, intervals, reference lines."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from dashboard.charts.palette import Palette

FONT_FAMILY = '"Source Sans", sans-serif'
LABEL_SIZE = 14
NOTE_SIZE = 13
# Width of an average letter of Source Sans as a share of its size, measured: margins that hold annotations
# are not measured by Plotly, so they are set from the text.
LETTER_WIDTH = 0.47
# Rows too low for two lines cut longer labels; hovering and the table give them whole.
LONGEST_LABEL = 34
NOTHING_TO_SHOW = "Nothing to show"
WITHHELD_MARK = "–"
FLAG = "◆"


def base_figure(palette: Palette, *, height: int) -> go.Figure:
    """Return an empty figure in the theme's colours: no legend, no zoom, no axis lines, light grid.

    `height` is in pixels. The template is emptied because importing Streamlit sets one full of placeholder colours.
    """
    axis = {
        "gridcolor": palette.grid,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "ticklabelstandoff": 6,
        "automargin": True,
        "fixedrange": True,
        "tickfont": {"size": NOTE_SIZE, "color": palette.muted},
        "title": {"standoff": 12, "font": {"size": NOTE_SIZE, "color": palette.muted}},
    }
    return go.Figure(
        layout={
            "template": go.layout.Template(),
            "height": height,
            "margin": {"l": 4, "r": 8, "t": 6, "b": 4},
            "font": {"family": FONT_FAMILY, "size": 13.5, "color": palette.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": palette.tint,
                "bordercolor": palette.border,
                "font": {"family": FONT_FAMILY, "size": NOTE_SIZE, "color": palette.text},
                "align": "left",
            },
            "bargap": 0.3,
            "xaxis": axis,
            "yaxis": axis,
        }
    )


def empty_figure(palette: Palette, *, height: int, text: str = NOTHING_TO_SHOW) -> go.Figure:
    """Return a figure without axes that says in its middle that there is nothing to show."""
    figure = base_figure(palette, height=height)
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    add_note(figure, plain(text), x=0.5, y=0.5, colour=palette.muted, size=LABEL_SIZE, xanchor="center")
    return figure


def add_note(
    figure: go.Figure,
    text: str,
    *,
    x: float,
    y: float,
    colour: str,
    size: float = NOTE_SIZE,
    xref: str = "paper",
    yref: str = "paper",
    xanchor: str = "left",
    yanchor: str = "middle",
    xshift: float = 0,
    yshift: float = 0,
) -> None:
    """Add one text without an arrow; positions are shares of the plot unless an axis is named, shifts are pixels."""
    place = {"x": x, "y": y, "xref": xref, "yref": yref, "xanchor": xanchor, "yanchor": yanchor}
    shifts = {"xshift": xshift, "yshift": yshift}
    _add_annotations(figure, [{"text": text, **place, **shifts, "font": {"size": size, "color": colour}}])


def _add_annotations(figure: go.Figure, notes: Sequence[dict[str, Any]]) -> None:
    """Add texts at once: Plotly validates all that are there at each addition, which is slow one by one."""
    new = [{**note, "showarrow": False, "borderpad": 0} for note in notes]
    figure.layout.annotations = [*figure.layout.annotations, *new]


def add_column(
    figure: go.Figure,
    texts: Iterable[str],
    *,
    rows: Iterable[float],
    colours: Iterable[str],
    shift: float,
    side: str = "right",
    align: str = "left",
    size: float = NOTE_SIZE,
) -> None:
    """Add a column of texts beside the plot, one at each row of the y axis, `shift` pixels off its edge."""
    place = {"x": 1 if side == "right" else 0, "xref": "paper", "yref": "y", "xanchor": align, "yanchor": "middle"}
    _add_annotations(
        figure,
        [
            {"text": text, "y": row, **place, "xshift": shift, "font": {"size": size, "color": colour}}
            for text, row, colour in zip(texts, rows, colours, strict=True)
        ],
    )


def add_header(figure: go.Figure, text: str, *, palette: Palette, shift: float, edge: float = 1) -> None:
    """Add the muted heading of a column of texts, above the plot."""
    add_note(figure, plain(text), x=edge, y=1, yanchor="bottom", xshift=shift, yshift=8, colour=palette.muted)


def add_line_above(figure: go.Figure, text: str, *, palette: Palette, shift: float = 0) -> None:
    """Add the grey line above the plot: the key of the glyphs, or the unit of the y axis."""
    add_note(figure, text, x=0, y=1, yanchor="bottom", xshift=shift, yshift=8, colour=palette.muted)


def key(*items: tuple[str, str, str]) -> str:
    """Return the text of a key: glyph, colour and word of each item, which stands in for a legend box."""
    return "\u2003".join(f'<span style="color:{colour}">{glyph}</span> {plain(word)}' for glyph, colour, word in items)


def set_rows(figure: go.Figure, labels: Sequence[str], *, palette: Palette) -> None:
    """Give the y axis one row a label, the first on top; labels are Plotly text (escape them with `plain`)."""
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        range=[len(labels) - 0.5, -0.5],
        showgrid=False,
        tickfont={"size": LABEL_SIZE, "color": palette.text},
        ticklabelstandoff=10,
    )


def add_intervals(
    figure: go.Figure,
    lower: Sequence[float],
    upper: Sequence[float],
    at: Sequence[float],
    *,
    colour: str,
    width: float,
    upright: bool = False,
    name: str = "interval",
) -> None:
    """Add one bar from lower to upper at each place along the other axis; rows without both bounds get none."""
    along: list[float | None] = []
    across: list[float | None] = []
    for low, high, place in zip(lower, upper, at, strict=True):
        if math.isfinite(low) and math.isfinite(high):
            along += [low, high, None]
            across += [place, place, None]
    x, y = (across, along) if upright else (along, across)
    line = {"color": colour, "width": width}
    figure.add_trace(go.Scatter(x=x, y=y, mode="lines", line=line, name=name, cliponaxis=False, hoverinfo="skip"))


def add_line(
    figure: go.Figure,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    colour: str,
    width: float = 1.5,
    dash: str = "solid",
) -> None:
    """Add a line between two points (x, y) of the axes, over the grid and under the marks.

    Lines that span the plot name the ends of the axis: Plotly draws "between" only what refers to both axes.
    """
    line = {"color": colour, "width": width, "dash": dash}
    figure.add_shape(
        type="line", layer="between", xref="x", yref="y", x0=start[0], y0=start[1], x1=end[0], y1=end[1], line=line
    )


def amount_axis(unit_prefix: str) -> dict[str, str]:
    """Return how the ticks and hovers of an axis with this unit prefix are written.

    Dollars are "$500k" and "$2M"; a bare number never gets SI letters, under which half a day would be "500m".
    """
    if unit_prefix == "$":
        return {"tickformat": "$~s", "hoverformat": "$.3~s"}
    if unit_prefix:
        return {"tickprefix": unit_prefix, "tickformat": "~s", "hoverformat": ".3~s"}
    return {"tickformat": ",~f", "hoverformat": ",.3~r"}


def plain(text: object) -> str:
    """Return a text that Plotly shows letter by letter instead of reading it as markup."""
    return html.escape(str(text), quote=False)


def numbers(column: "pd.Series[Any]") -> list[float]:
    """Return a column as floats, NaN for whatever is missing."""
    return [float("nan") if pd.isna(value) else float(value) for value in column]


def flags(column: "pd.Series[Any]") -> list[bool]:
    """Return a column as truth values, false for whatever is missing."""
    return [not pd.isna(value) and bool(value) for value in column]


def format_count(value: float) -> str:
    """Return a whole number with thousands separators, a dash for one that is withheld."""
    return WITHHELD_MARK if not math.isfinite(value) else f"{round(value):,}"


def format_of_100(value: float) -> str:
    """Return a number out of 100 without decimals; what is neither none nor all never reads as 0 or 100."""
    if 0 < value <= 0.5:
        return plain("<1")
    if 99.5 <= value < 100:
        return plain(">99")
    return f"{value:.0f}"


def text_width(texts: Iterable[str], *, size: float = LABEL_SIZE) -> int:
    """Return the pixels that the longest of some texts takes, on the safe side."""
    return math.ceil(max((len(text) for text in texts), default=0) * size * LETTER_WIDTH)


def short_label(text: object, *, longest: int = LONGEST_LABEL) -> str:
    """Return a label as Plotly text on one line, cut with an ellipsis where it is longer than a row can hold."""
    label = str(text)
    return plain(label if len(label) <= longest else f"{label[: longest - 1].rstrip()}…")


def wrap_label(text: object, *, width: int = 30) -> str:
    """Return a label as Plotly text, broken between words into lines of at most `width` letters where it can be."""
    lines: list[str] = []
    for word in str(text).split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "<br>".join(plain(line) for line in lines)
