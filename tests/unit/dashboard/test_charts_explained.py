"""The charts about explanations: how many reasons stay, and how far the estimate moves without them."""

from typing import Any

import pandas as pd
import pytest

from dashboard.charts.deletion import deletion_lines
from dashboard.charts.palette import LIGHT
from dashboard.charts.stability import stability_histogram

BINS = pd.DataFrame({"bin_low": [0.2, 0.6, 0.8], "bin_high": [0.6, 0.8, 1.0], "n": [100, 300, 600]})
CURVE = pd.DataFrame(
    [(taken, k, k * speed, k * speed - 0.1, k * speed + 0.1) for taken, speed in (("a", 1.0), ("b", 0.5), ("c", 0.1))
     for k in range(3)],
    columns=["taken", "removed", "moved", "lower", "upper"],
)  # fmt: skip
NAMES = {"a": "own first", "b": "usual first", "c": "at random"}


def draw_histogram(frame: pd.DataFrame) -> Any:
    return stability_histogram(frame, palette=LIGHT, limit=0.6, limit_words="fewer than 3 of 5 stay")


def draw_lines(frame: pd.DataFrame) -> Any:
    return deletion_lines(frame, palette=LIGHT, names=NAMES, axis_title="Distance moved", x_title="Replaced")


def test_the_areas_of_the_bars_are_shares_of_patients() -> None:
    (bars,) = draw_histogram(BINS).data
    # 10, 30 and 60 of 100 patients over ranges of four, two and two tenths.
    assert list(bars.y) == pytest.approx([2.5, 15, 30])
    assert list(bars.x) == pytest.approx([40, 70, 90])


def test_the_limit_is_a_line_with_words_and_what_lies_below_is_darker() -> None:
    figure = draw_histogram(BINS)
    assert list(figure.data[0].marker.color) == [LIGHT.accent, LIGHT.interval, LIGHT.interval]
    assert [shape.x0 for shape in figure.layout.shapes] == [60]
    assert "fewer than 3 of 5 stay" in [note.text for note in figure.layout.annotations]


def test_each_order_is_a_line_of_its_own_colour_and_dashes_with_a_band() -> None:
    lines = [trace for trace in draw_lines(CURVE).data if trace.name in NAMES.values()]
    assert [trace.name for trace in lines] == list(NAMES.values())
    assert [list(trace.y) for trace in lines] == [[0, 1, 2], [0, 0.5, 1], pytest.approx([0, 0.1, 0.2])]
    assert len({trace.line.color for trace in lines}) == len({trace.line.dash for trace in lines}) == 3
    bands = [trace for trace in draw_lines(CURVE).data if trace.name == "band"]
    assert list(bands[0].y) == pytest.approx([0.1, 1.1, 2.1, 1.9, 0.9, -0.1])


def test_nothing_to_show_is_said() -> None:
    for figure in (draw_histogram(BINS.head(0)), draw_lines(CURVE.head(0))):
        assert [note.text for note in figure.layout.annotations] == ["Nothing to show"]
