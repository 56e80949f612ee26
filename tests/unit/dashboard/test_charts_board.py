"""The charts of the board's newer pages: blocks of rows, net benefit, and the smooth curve of calibration."""

import math
from typing import Any

import pandas as pd

from dashboard.charts.blocks import blocks_plot
from dashboard.charts.calibration import calibration_plot
from dashboard.charts.figure import NOTHING_TO_SHOW
from dashboard.charts.net_benefit import net_benefit_plot
from dashboard.charts.palette import LIGHT

NAN = math.nan


def trace(figure: Any, name: str) -> Any:
    """The one trace of that name."""
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def notes(figure: Any) -> list[str]:
    """The texts beside and in the plot."""
    return [note.text for note in figure.layout.annotations]


def blocks() -> pd.DataFrame:
    """Three blocks, of which the middle one collapses."""
    rows = [
        (1, 400, 0.95, 0.94, False, None),
        (401, 800, 0.10, 0.94, True, "gone <here>"),
        (801, 1200, 0.93, 0.94, 0, ""),
    ]
    return pd.DataFrame(rows, columns=["first_row", "last_row", "association", "expected", "finding", "why"])


def curve() -> pd.DataFrame:
    """Four thresholds, of which the last is withheld."""
    rows = [
        (0.2, 0.30, 0.28, 0.32, 0.29),
        (0.4, 0.20, 0.18, 0.22, 0.10),
        (0.6, 0.10, 0.08, 0.12, -0.3),
        (0.8, *[NAN] * 3, -2.0),
    ]
    return pd.DataFrame(rows, columns=["threshold", "net_benefit", "lower", "upper", "treat_all"])


def test_a_block_is_a_bar_from_its_first_to_its_last_row_and_a_broken_one_is_ink() -> None:
    figure: Any = blocks_plot(blocks(), palette=LIGHT, y_title="Association")
    holds, collapses = trace(figure, "holds"), trace(figure, "collapses")
    assert list(holds.x) == [1, 400, None, 801, 1200, None]
    assert list(collapses.y) == [0.10, 0.10, None]
    assert collapses.line.color == LIGHT.text
    assert trace(figure, "blocks").text[1] == "gone &lt;here&gt;"
    assert figure.layout.shapes[0].y0 == 0.94


def test_without_blocks_the_plot_says_so() -> None:
    figure = blocks_plot(blocks().head(0), palette=LIGHT, y_title="Association")
    assert notes(figure) == [NOTHING_TO_SHOW]


def test_net_benefit_is_drawn_per_hundred_beside_flagging_everybody_and_nobody() -> None:
    figure: Any = net_benefit_plot(curve(), palette=LIGHT, name="this model")
    ours, everybody = trace(figure, "this model"), trace(figure, "everybody")
    assert [round(x) for x in ours.x] == [20, 40, 60]
    assert [round(y) for y in ours.y] == [30, 20, 10]
    assert [round(y) for y in everybody.y] == [29, 10, -30, -200]
    # The band is closed: up along the upper ends, back along the lower ones.
    assert [round(y) for y in trace(figure, "95% band").y] == [32, 22, 12, 8, 18, 28]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (0, 0)


def test_a_far_lower_everybody_does_not_stretch_the_axis() -> None:
    figure: Any = net_benefit_plot(curve(), palette=LIGHT)
    low, high = figure.layout.yaxis.range
    assert -5 < low < 0
    assert 32 < high < 40


def test_a_withheld_curve_says_so() -> None:
    figure = net_benefit_plot(curve().assign(net_benefit=NAN), palette=LIGHT)
    assert notes(figure) == [NOTHING_TO_SHOW]


def test_the_smooth_curve_lies_under_the_groups_with_its_band() -> None:
    groups = pd.DataFrame(
        {"predicted": [0.2, 0.6], "observed": [0.25, 0.5], "lower": [0.2, 0.4], "upper": [0.3, 0.6], "n": [100, 100]}
    )
    smooth = pd.DataFrame({"predicted": [0.1, 0.7], "observed": [0.12, 0.6], "lower": [0.1, 0.5], "upper": [0.2, 0.7]})
    figure: Any = calibration_plot(groups, palette=LIGHT, smooth=smooth)
    assert [round(y) for y in trace(figure, "smooth curve").y] == [12, 60]
    assert [t.name for t in figure.data].index("smooth curve") < [t.name for t in figure.data].index("groups")
    assert not [t for t in calibration_plot(groups, palette=LIGHT).data if t.name == "smooth curve"]
