"""The charts that compare groups of patients: forest, dumbbell, tenths, importance, calibration, distribution."""

import math
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.calibration import calibration_plot
from dashboard.charts.distribution import mirrored_ticks, risk_distribution
from dashboard.charts.dumbbell import dumbbell
from dashboard.charts.forest import axis_range, build_rows, forest
from dashboard.charts.importance import importance_bars
from dashboard.charts.palette import LIGHT
from dashboard.charts.tenths import tenths_plot

NAN = math.nan


def trace(figure: Any, name: str) -> Any:
    """Return the one trace of that name."""
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def notes(figure: Any) -> list[str]:
    """Return the texts beside and in the plot."""
    return [note.text for note in figure.layout.annotations]


def groups(**changes: Any) -> pd.DataFrame:
    """Return two attributes: four groups, of which one is flagged and one withheld with its numbers left in."""
    rows = [
        ("Sex", "Women", 3980, 1857, 1.05, 0.97, 1.13, False, False, "1.05 (0.97 to 1.13)"),
        ("Sex", "Men", 5125, pd.NA, 1.25, 1.02, 1.47, False, True, "1.25 (1.02 to 1.47)"),
        ("Race", "Asian", 7, 6, 1.77, 0.66, 1.99, True, True, "1.77 (0.66 to 1.99)"),
        ("Race", "Other", 112, 54, 0.92, 0.48, 9.0, False, False, "0.92 (0.48 to 9.00)"),
    ]
    columns = ["group", "level", "n", "n_events", "estimate", "lower", "upper", "suppressed", "flagged", "text"]
    return pd.DataFrame(rows, columns=columns).assign(**changes)


def draw_forest(frame: pd.DataFrame, *, null_value: float = 1.0, log_axis: bool = True) -> Any:
    """Return the forest plot of some groups."""
    return forest(frame, palette=LIGHT, axis_title="Calibration slope", null_value=null_value, log_axis=log_axis)


def test_groups_stand_under_their_headings_in_order() -> None:
    rows = build_rows(groups(), withheld_text="withheld")
    assert [row.label for row in rows] == ["Sex", "Women", "Men", "Race", "Asian", "Other"]
    assert [row.is_heading for row in rows] == [True, False, False, True, False, False]


def test_estimates_sit_on_their_rows_and_flagged_ones_are_ink_diamonds() -> None:
    figure = draw_forest(groups())
    plain, flagged = trace(figure, "estimate"), trace(figure, "flagged")
    assert list(zip(plain.x, plain.y, strict=True)) == [(1.05, 1), (0.92, 5)]
    assert list(zip(flagged.x, flagged.y, strict=True)) == [(1.25, 2)]
    assert (plain.marker.symbol, plain.marker.color) == ("circle", LIGHT.accent)
    assert (flagged.marker.symbol, flagged.marker.color) == ("diamond", LIGHT.text)
    assert list(trace(figure, "flagged interval").x) == [1.02, 1.47, None]


def test_a_withheld_row_is_a_dashed_box_and_its_numbers_are_nowhere_in_the_figure() -> None:
    figure = draw_forest(groups())
    boxes = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(box.y0 + box.y1) / 2 for box in boxes] == [4]
    assert "<i>withheld: under 11</i>" in notes(figure)
    assert all(4 not in trace.y for trace in figure.data)
    assert not [secret for secret in ("1.77", "0.66", "1.99") if secret in figure.to_json()]
    counts = [note.text for note in figure.layout.annotations if note.y == 4]
    assert counts == ["Asian", "–", "–", "<i>withheld: under 11</i>"]


def test_the_right_column_is_bold_with_a_diamond_where_flagged() -> None:
    texts = notes(draw_forest(groups()))
    assert "1.05 (0.97 to 1.13)" in texts
    assert "<b>1.25 (1.02 to 1.47) ◆</b>" in texts
    assert {"<b>Sex</b>", "<b>Race</b>", "Patients", "Events", "Estimate (95% interval)"} <= set(texts)


def test_counts_are_written_once_and_missing_ones_as_a_dash() -> None:
    texts = [note.text for note in draw_forest(groups()).layout.annotations if note.y == 2]
    assert texts == ["Men", "–", "5,125", "<b>1.25 (1.02 to 1.47) ◆</b>"]


def test_an_interval_beyond_reach_ends_in_an_arrow() -> None:
    figure = draw_forest(groups())
    high = 10 ** figure.layout.xaxis.range[1]
    arrow = trace(figure, "beyond the axis")
    assert list(arrow.y) == [5]
    assert arrow.x[0] == pytest.approx(high)
    assert high < 9


def test_the_null_line_crosses_all_rows() -> None:
    (line,) = [s for s in draw_forest(groups()).layout.shapes if s.type == "line" and s.x0 == s.x1 == 1.0]
    assert (line.y0, line.y1) == (-1.5, 5.5)


def test_a_log_axis_shows_estimates_that_are_not_positive_at_its_edge() -> None:
    figure = draw_forest(groups(estimate=[1.05, 1.25, 1.0, -0.4], lower=[0.97, 1.02, 1, -3.0]))
    low = 10 ** figure.layout.xaxis.range[0]
    assert trace(figure, "estimate").x[1] == pytest.approx(low)


def test_a_linear_axis_holds_all_intervals_and_the_null_value() -> None:
    rows = build_rows(groups(), withheld_text="withheld")
    low, high = axis_range(rows, null_value=0.2, log_axis=False)
    assert low < 0.2
    assert high > 9.0
    figure = draw_forest(groups(), log_axis=False)
    assert figure.layout.xaxis.type is None
    assert figure.layout.xaxis.title.text == "Calibration slope"


def test_a_group_that_could_not_be_estimated_keeps_its_row() -> None:
    figure = draw_forest(groups(estimate=NAN, lower=NAN, upper=NAN, text=None, suppressed=False, flagged=False))
    assert [len(trace.y or ()) for trace in figure.data] == [0] * len(figure.data)
    assert notes(figure).count("–") == 5


def costs() -> pd.DataFrame:
    """Return three groups, the second flagged, the third withheld."""
    rows = [
        ("Coma", 535, 29_500.0, 32_400.0, "1.10 (1.00 to 1.19)", False),
        ("Heart failure", 1292, 13_000.0, 11_500.0, "0.88 (0.80 to 0.97)", True),
        ("Other", pd.NA, NAN, NAN, "withheld: under 11", False),
    ]
    return pd.DataFrame(rows, columns=["label", "n", "observed", "projected", "text", "flagged"])


def test_dumbbell_has_rings_for_observed_and_dots_for_projected() -> None:
    figure = dumbbell(costs(), palette=LIGHT, axis_title="Mean cost per patient, nominal dollars")
    ring, dot = trace(figure, "observed"), trace(figure, "projected")
    assert (list(ring.x), list(ring.y)) == ([29_500, 13_000], [0, 1])
    assert (list(dot.x), list(dot.y)) == ([32_400, 11_500], [0, 1])
    assert (ring.marker.line.color, dot.marker.color) == (LIGHT.text, LIGHT.accent)
    assert figure.layout.xaxis.tickformat == "$~s"
    assert figure.layout.xaxis.title.text == "Mean cost per patient, nominal dollars"


def test_dumbbell_flags_in_ink_with_a_diamond() -> None:
    figure = dumbbell(costs(), palette=LIGHT, axis_title="dollars")
    assert list(trace(figure, "flagged gap").y) == [1, 1, None]
    assert trace(figure, "flagged gap").line.color == LIGHT.text
    texts = notes(figure)
    assert "<b>0.88 (0.80 to 0.97) ◆</b>" in texts
    assert {"535", "1,292", "–", "withheld: under 11", "Patients", "Projected ÷ observed"} <= set(texts)


def test_dumbbell_works_for_days() -> None:
    figure = dumbbell(costs(), palette=LIGHT, axis_title="Mean days in hospital", unit_prefix="")
    assert "$" not in figure.layout.xaxis.tickformat
    assert figure.layout.xaxis.tickprefix is None


def test_tenths_are_bars_observed_and_dots_projected_in_order() -> None:
    frame = pd.DataFrame(
        {
            "tenth": [2, 1, 3],
            "projected": [20.0, 10.0, NAN],
            "observed": [22.0, 9.0, NAN],
            "lower": [21.0, 8.0, NAN],
            "upper": [23.0, 10.0, NAN],
        }
    )
    figure = tenths_plot(frame, palette=LIGHT, axis_title="Mean cost per patient, nominal dollars")
    assert list(trace(figure, "observed").x) == [1, 2, 3]
    assert list(trace(figure, "observed").y)[:2] == [9, 22]
    assert list(trace(figure, "projected").y) == [10, 20]
    assert list(trace(figure, "interval").y) == [8, 10, None, 21, 23, None]
    assert notes(figure)[0].startswith("Mean cost per patient, nominal dollars")
    assert figure.layout.yaxis.tickformat == "$~s"
    assert "Tenths" in figure.layout.xaxis.title.text


def test_importance_is_largest_first_with_its_number_behind_the_whisker() -> None:
    frame = pd.DataFrame(
        {
            "label": ["Kidneys", "Diagnosis", "Age"],
            "value": [2.0, 5.0, 1.0],
            "lower": [1.5, 4.0, NAN],
            "upper": [2.5, 6.0, NAN],
            "text": ["2.0", "5.0", "1.0"],
        }
    )
    figure = importance_bars(frame, palette=LIGHT, axis_title="Points of 100, typical size")
    assert list(figure.layout.yaxis.ticktext) == ["Diagnosis", "Kidneys", "Age"]
    assert list(trace(figure, "bars").x) == [5, 2, 1]
    assert list(trace(figure, "texts").x) == [6, 2.5, 1]
    assert [text.strip("\u2002") for text in trace(figure, "texts").text] == ["5.0", "2.0", "1.0"]
    assert list(trace(figure, "interval").x) == [4, 6, None, 1.5, 2.5, None]
    assert figure.layout.xaxis.range[0] == 0
    assert figure.layout.xaxis.title.text == "Points of 100, typical size"


def calibration() -> pd.DataFrame:
    """Return two groups in the wrong order, and one that is withheld."""
    return pd.DataFrame(
        {
            "predicted": [0.6, 0.2, NAN],
            "observed": [0.5, 0.25, NAN],
            "lower": [0.4, 0.2, NAN],
            "upper": [0.6, 0.3, NAN],
            "n": [1000, 500, NAN],
        }
    )


def test_calibration_is_in_numbers_out_of_100_with_a_dashed_diagonal() -> None:
    figure = calibration_plot(calibration(), palette=LIGHT)
    assert list(trace(figure, "groups").x) == [20, 60]
    assert list(trace(figure, "groups").y) == [25, 50]
    assert list(trace(figure, "interval").y) == [20, 30, None, 40, 60, None]
    (diagonal,) = figure.layout.shapes
    assert (diagonal.x0, diagonal.y0, diagonal.x1, diagonal.y1) == (0, 0, 100, 100)
    assert diagonal.line.dash != "solid"
    assert figure.layout.xaxis.title.text == "Predicted, of 100 patients"
    assert {"Observed, of 100 patients", "more than predicted"} <= set(notes(figure))


def test_calibration_with_only_withheld_groups_has_nothing_to_show() -> None:
    figure = calibration_plot(calibration().iloc[2:], palette=LIGHT)
    assert notes(figure) == ["Nothing to show"]


def test_distribution_mirrors_events_above_and_others_below() -> None:
    frame = pd.DataFrame(
        {"bin_low": [0.0, 0.5], "bin_high": [0.5, 1.0], "n_event": [20, 300], "n_no_event": [450.0, NAN]}
    )
    figure = risk_distribution(frame, palette=LIGHT, event_label="died", no_event_label="lived")
    up, down = trace(figure, "died"), trace(figure, "lived")
    assert list(up.x) == [25, 75]
    assert list(up.y) == [20, 300]
    assert down.y[0] == -450
    assert math.isnan(down.y[1])
    assert up.marker.color == LIGHT.accent
    assert list(figure.layout.yaxis.ticktext) == ["400", "200", "0", "200", "400"]
    assert "of 100" in figure.layout.xaxis.title.text
    assert "– patients" in down.text[1]
    assert "lived" in notes(figure)[0]


@pytest.mark.parametrize(("largest", "ticks"), [(0, [0]), (1, [-1, 0, 1]), (950, [-500, 0, 500]), (7, [-5, 0, 5])])
def test_mirrored_ticks_are_round_whole_numbers(largest: float, ticks: list[float]) -> None:
    assert mirrored_ticks(largest) == ticks
