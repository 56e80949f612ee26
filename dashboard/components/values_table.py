"""The table of one patient's values: value, normal range, where it lies, and what it adds."""

from html import escape

from dashboard.charts.palette import Palette
from dashboard.components.pictures import range_position
from pipeline.explain.words import LOWERS, RAISES, Value, format_normal, format_value, is_missing, position_of
from pipeline.numerals import NOTHING, format_dollars, format_signed
from pipeline.study.model import Feature

_ARROWS = {"low": "↓ low", "high": "↑ high"}


def values_table(rows: list[tuple[Feature, Value, float]], *, unit: str | None, palette: Palette) -> str:
    """An HTML table, one row a feature in the order given; `unit` is that of the points (None: per 100 patients)."""
    body = "".join(
        f"<tr>{_cells(feature, value, palette)}"
        f'<td class="right {"raises" if points > 0 else "lowers"}">{_points(points, unit)}</td></tr>'
        for feature, value, points in rows
    )
    return _table(body, f'<th class="right">{"Share" if unit else "Points"}</th>')


def plain_values_table(rows: list[tuple[Feature, Value]], *, palette: Palette) -> str:
    """The table of a patient who has no estimate that values could add to."""
    return _table("".join(f"<tr>{_cells(feature, value, palette)}</tr>" for feature, value in rows), "")


def _table(body: str, last_heading: str) -> str:
    return (
        '<div class="wl-scroll"><table class="wl"><thead><tr><th>Measurement</th><th class="right">Value</th><th></th>'
        f'<th class="right">Normal</th><th>Position</th>{last_heading}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cells(feature: Feature, value: Value, palette: Palette) -> str:
    where = _ARROWS.get(position_of(feature, value) or "", "")
    missing = is_missing(value)
    name = "gap" if missing else ""
    shown = escape(format_value(feature, value))
    return (
        f'<td title="{escape(feature.note or "")}">{escape(feature.label)}</td>'
        f'<td class="right {name}">{shown if missing else f"<b>{shown}</b>"}</td><td class="right"><b>{where}</b></td>'
        f'<td class="right muted">{format_normal(feature)}</td><td>{_picture(feature, value, palette)}</td>'
    )


def _picture(feature: Feature, value: Value, palette: Palette) -> str:
    if feature.is_categorical or not feature.plausible or not feature.normal:
        return ""
    number = float(value) if isinstance(value, (int, float)) and not is_missing(value) else None
    words = "not measured" if number is None else position_of(feature, value) or ""
    picture = range_position(number, feature.normal, feature.plausible, palette=palette)
    return f'<img alt="{words}" src="{picture}">'


def _points(points: float, unit: str | None) -> str:
    dollars = ("+" if points > 0 else "") + format_dollars(points)
    text = dollars if unit == "USD" else format_signed(points, decimals=1)
    if not text.strip("0.,+−$"):
        return NOTHING
    return f"{RAISES if points > 0 else LOWERS} {text}"
