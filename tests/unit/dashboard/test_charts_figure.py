"""The shared pieces of the charts, and what every chart does with an empty frame."""

import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboard.charts.calibration import calibration_plot
from dashboard.charts.distribution import risk_distribution
from dashboard.charts.dumbbell import dumbbell
from dashboard.charts.estimates import estimates_plot
from dashboard.charts.figure import (
    NOTHING_TO_SHOW,
    add_intervals,
    amount_axis,
    base_figure,
    flags,
    format_count,
    format_of_100,
    numbers,
    plain,
    short_label,
    text_width,
    wrap_label,
)
from dashboard.charts.forest import forest
from dashboard.charts.importance import importance_bars
from dashboard.charts.palette import DARK, LIGHT
from dashboard.charts.risk_strip import risk_strip
from dashboard.charts.tenths import tenths_plot
from dashboard.charts.waterfall import waterfall

FOREST = "group level n n_events estimate lower upper suppressed flagged text"
EMPTY: dict[str, tuple[str, Callable[..., Any], dict[str, Any]]] = {
    "estimates": ("label value lower upper style", estimates_plot, {}),
    "waterfall": (
        "label value level",
        waterfall,
        {"start_label": "a", "start": 1, "end_label": "b", "end": 1, "unit_label": "of 100"},
    ),
    "calibration": ("predicted observed lower upper n", calibration_plot, {}),
    "forest": (FOREST, forest, {"axis_title": "slope", "null_value": 1, "log_axis": True}),
    "dumbbell": ("label n observed projected text flagged", dumbbell, {"axis_title": "dollars"}),
    "tenths": ("tenth projected observed lower upper", tenths_plot, {"axis_title": "dollars"}),
    "importance": ("label value lower upper text", importance_bars, {"axis_title": "points"}),
    "distribution": ("bin_low bin_high n_event n_no_event", risk_distribution, {}),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_frame_says_that_there_is_nothing_to_show(name: str) -> None:
    columns, chart, arguments = EMPTY[name]
    figure = chart(pd.DataFrame(columns=columns.split()), palette=LIGHT, **arguments)
    assert [note.text for note in figure.layout.annotations] == [NOTHING_TO_SHOW]
    assert not figure.data
    assert figure.layout.xaxis.visible is False


def test_a_strip_without_an_estimate_says_that_there_is_nothing_to_show() -> None:
    figure = risk_strip(math.nan, 1, 2, palette=LIGHT)
    assert [note.text for note in figure.layout.annotations] == [NOTHING_TO_SHOW]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_base_figure_has_no_legend_no_zoom_and_no_template_colours(theme: Any) -> None:
    figure = base_figure(theme, height=200)
    layout = figure.layout
    assert (layout.height, layout.showlegend, layout.dragmode) == (200, False, False)
    assert layout.xaxis.fixedrange
    assert layout.yaxis.fixedrange
    assert layout.font.color == theme.text
    assert layout.xaxis.gridcolor == theme.grid
    assert layout.template.layout.to_plotly_json() == {}


def test_a_title_set_later_keeps_the_font_of_the_base_figure() -> None:
    figure = base_figure(LIGHT, height=200)
    figure.update_xaxes(title_text="Deaths among 100 such patients")
    assert figure.layout.xaxis.title.font.color == LIGHT.muted
    assert figure.layout.xaxis.title.standoff == 12


def test_intervals_are_drawn_only_where_both_bounds_are_known() -> None:
    figure = go.Figure()
    add_intervals(figure, [1, math.nan, 3], [2, 5, 4], [0, 1, 2], colour="#000000", width=2)
    assert list(figure.data[0].x) == [1, 2, None, 3, 4, None]
    assert list(figure.data[0].y) == [0, 0, None, 2, 2, None]


def test_upright_intervals_run_along_the_y_axis() -> None:
    figure = go.Figure()
    add_intervals(figure, [1], [2], [7], colour="#000000", width=2, upright=True)
    assert list(figure.data[0].x) == [7, 7, None]
    assert list(figure.data[0].y) == [1, 2, None]


@pytest.mark.parametrize(
    ("value", "text"),
    [(39.4, "39"), (0, "0"), (0.2, "&lt;1"), (0.5, "&lt;1"), (1, "1"), (99.4, "99"), (99.5, "&gt;99"), (100, "100")],
)
def test_risks_out_of_100_never_read_as_certain_when_they_are_not(value: float, text: str) -> None:
    assert format_of_100(value) == text


def test_counts_have_separators_and_withheld_ones_a_dash() -> None:
    assert format_count(9105) == "9,105"
    assert format_count(math.nan) == "–"


def test_labels_are_shown_letter_by_letter() -> None:
    assert plain("<b>age</b> & sex") == "&lt;b&gt;age&lt;/b&gt; &amp; sex"
    assert short_label("age < 50") == "age &lt; 50"


def test_long_labels_are_cut_or_wrapped_between_words() -> None:
    label = "Krankenhausaufenthalt vor der Aufnahme in die Studie"
    assert short_label(label) == "Krankenhausaufenthalt vor der Auf…"
    assert wrap_label(label, width=30) == "Krankenhausaufenthalt vor der<br>Aufnahme in die Studie"
    assert wrap_label("Sex") == "Sex"


def test_missing_values_of_any_kind_become_nan_and_false() -> None:
    column = pd.Series([1, None, pd.NA, float("nan")], dtype=object)
    assert numbers(column)[0] == 1.0
    assert all(math.isnan(value) for value in numbers(column)[1:])
    assert flags(column) == [True, False, False, False]


def test_text_width_grows_with_the_longest_text() -> None:
    assert text_width([]) == 0
    assert text_width(["ab", "abcd"]) == text_width(["abcd"]) > text_width(["ab"])


def test_amounts_without_a_prefix_never_get_letters() -> None:
    assert amount_axis("$")["tickformat"] == "$~s"
    assert amount_axis("€")["tickprefix"] == "€"
    assert "s" not in amount_axis("")["tickformat"]
