"""Small SVG pictures as data URIs, for <img> tags and image columns.

They hold no text: fonts of the page are not available inside an image, and the words belong into `alt`.
"""

import base64
import math
from typing import TypeGuard

from dashboard.charts.palette import Palette

ICONS = 100
ICONS_A_ROW = 10
CELL = 24
# A head and shoulders, drawn for a cell of 24 by 24.
PERSON = "M12 3.2a3.9 3.9 0 1 1 0 7.8a3.9 3.9 0 0 1 0-7.8zM4.4 21.2v-2.6c0-3.3 2.9-5.2 7.6-5.2s7.6 1.9 7.6 5.2v2.6z"
RANGE_WIDTH = 112
RANGE_HEIGHT = 16

Interval = tuple[float, float]


def icon_array(of_100: float, lower: float, upper: float, *, palette: Palette) -> str:
    """Return a picture of 100 people, filled row by row, as a data URI.

    All values are numbers of people out of 100. People up to `of_100` are solid, those above it up to `upper` are
    dashed outlines, the rest pale; of the solid ones those above `lower` are lighter. NaN bounds leave both out.
    """
    estimate = _people(of_100)
    low = _people(lower) if math.isfinite(lower) else estimate
    high = _people(upper) if math.isfinite(upper) else estimate
    outline = f'fill="none" stroke="{palette.accent}" stroke-width="1.5" stroke-dasharray="2.6 1.9"'
    shapes = []
    for place in range(ICONS):
        x, y = place % ICONS_A_ROW * CELL, place // ICONS_A_ROW * CELL
        style = f'fill="{palette.empty}"'
        if place < min(low, estimate):
            style = f'fill="{palette.accent}"'
        elif place < estimate:
            style = f'fill="{palette.risk_scale[5]}"'
        elif place < high:
            style = outline
        shapes.append(f'<path transform="translate({x} {y})" d="{PERSON}" {style}/>')
    side = ICONS_A_ROW * CELL
    return _data_uri(side, side, shapes)


def list_bar(
    estimate: float | None,
    lower: float | None,
    upper: float | None,
    threshold: float | None,
    *,
    palette: Palette,
    width: int = 138,
    height: int = 26,
) -> str:
    """Return a risk bar for a table cell, as a data URI: bar, whisker, and a tick at the threshold.

    All values are shares, 0 to 1; None or NaN leaves its part out. The whisker stands out from the bar within it
    and from the track beyond it. `width` and `height` are pixels: an image column crops what is larger than its cell.
    """
    top, thick = height * 0.23, height * 0.54
    shapes = [_box(0, top, width, thick, palette.empty)]
    end = 0.0
    if _is_known(estimate):
        end = _place(estimate, (0, 1), width)
        shapes.append(_box(0, top, end, thick, palette.risk_colour(estimate)))
    if _is_known(threshold):
        shapes.append(_upright(_place(threshold, (0, 1), width), 1, height - 1, palette.muted, 1.2))
    if _is_known(lower) and _is_known(upper):
        low, high = (_place(bound, (0, 1), width - 2) + 1 for bound in (lower, upper))
        is_pale = palette.risk_colour(end / width) in palette.risk_scale[:4]
        inside = palette.text if is_pale else palette.background
        shapes += _whisker(low, high, end, height, colours=(inside, palette.text))
    return _data_uri(width, height, shapes)


def no_picture() -> str:
    """Return an empty picture, for a cell that has nothing to show: without one, the cell would say "None"."""
    return _data_uri(1, 1, [])


def range_position(
    value: float | None,
    normal: Interval | None,
    plausible: Interval,
    *,
    palette: Palette,
    width: int = RANGE_WIDTH,
    height: int = RANGE_HEIGHT,
) -> str:
    """Return where a value lies in its plausible range, with the normal range as a band, as a data URI.

    `value`, `normal` and `plausible` share one unit. A value beyond the plausible range sits at its end; without a
    value there is no dot, without a normal range no band.
    """
    middle, radius = height / 2, height * 0.27
    inset = radius + 1
    span = width - 2 * inset
    line = f'stroke="{palette.interval}" stroke-width="1.5"'
    shapes = [f'<line x1="{inset:.1f}" x2="{width - inset:.1f}" y1="{middle}" y2="{middle}" {line}/>']
    if normal is not None:
        low, high = (inset + _place(bound, plausible, span) for bound in normal)
        shapes.append(_box(low, middle - height * 0.3, max(high - low, 2.0), height * 0.6, palette.soft))
    if _is_known(value):
        x = inset + _place(value, plausible, span)
        shapes.append(f'<circle cx="{x:.1f}" cy="{middle}" r="{radius:.1f}" fill="{palette.text}"/>')
    return _data_uri(width, height, shapes)


def _people(value: float) -> int:
    """Return a number out of 100 as whole people."""
    return round(min(max(value, 0.0), float(ICONS)))


def _is_known(value: float | None) -> TypeGuard[float]:
    """Return whether a value is there."""
    return value is not None and math.isfinite(value)


def _place(value: float, ends: Interval, width: float) -> float:
    """Return the pixels from the left at which a value lies between two ends, kept within them."""
    low, high = ends
    share = (value - low) / (high - low) if high > low else 0.5
    return min(max(share, 0.0), 1.0) * width


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle with slightly rounded corners."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="2" fill="{colour}"/>'


def _upright(x: float, y_from: float, y_to: float, colour: str, width: float) -> str:
    """Return an upright line."""
    ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{y_from:.1f}" y2="{y_to:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _whisker(low: float, high: float, end: float, height: int, *, colours: tuple[str, str]) -> list[str]:
    """Return the whisker from low to high in pixels, in one colour up to the end of the bar, in another from there."""
    inside, outside = colours
    middle, cap = height / 2, height * 0.17
    shapes = []
    for start, stop, colour in ((low, min(high, end), inside), (max(low, end), high, outside)):
        if stop > start:
            ends = f'x1="{start:.1f}" x2="{stop:.1f}" y1="{middle}" y2="{middle}"'
            shapes.append(f'<line {ends} stroke="{colour}" stroke-width="1.8"/>')
    for x in (low, high):
        colour = inside if x <= end else outside
        shapes.append(_upright(x, middle - cap, middle + cap, colour, 1.8))
    return shapes


def _data_uri(width: int, height: int, shapes: list[str]) -> str:
    """Return an SVG of some shapes as a base64 data URI."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    svg = f"{head}{''.join(shapes)}</svg>"
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"
