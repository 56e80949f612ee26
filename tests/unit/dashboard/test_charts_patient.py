"""The charts of one patient: strip, estimates, waterfall."""

import math
from typing import Any

import pandas as pd
import pytest

from dashboard.charts.estimates import estimates_plot
from dashboard.charts.palette import DARK, LIGHT
from dashboard.charts.risk_strip import risk_strip
from dashboard.charts.waterfall import lay_out_steps, waterfall

NAN = math.nan


def trace(figure: Any, name: str) -> Any:
    """Return the one trace of that name."""
    (found,) = [trace for trace in figure.data if trace.name == name]
    return found


def notes(figure: Any) -> list[str]:
    """Return the texts beside and in the plot."""
    return [note.text for note in figure.layout.annotations]


def test_the_strip_runs_from_0_to_100_with_a_band_and_a_dot() -> None:
    figure = risk_strip(39, 26, 54, palette=LIGHT, interval_label="If the model were rebuilt")
    band = trace(figure, "interval")
    assert (band.base[0], band.base[0] + band.x[0]) == (26, 54)
    assert list(trace(figure, "estimate").x) == [39]
    assert trace(figure, "estimate").marker.color == LIGHT.accent
    assert list(figure.layout.xaxis.range) == [0, 100]
    assert figure.layout.xaxis.title.text == "Of 100 such patients"
    assert notes(figure) == ["<b>If the model were rebuilt: 26 to 54</b>"]


def test_the_strip_names_no_level_by_itself() -> None:
    assert notes(risk_strip(39, 26, 54, palette=LIGHT)) == ["<b>26 to 54</b>"]


def test_the_words_of_a_band_near_an_end_stay_within_the_strip() -> None:
    near_zero = risk_strip(1, 0.2, 3, palette=LIGHT).layout.annotations[0]
    near_all = risk_strip(99, 97, 99.8, palette=LIGHT).layout.annotations[0]
    assert 0 < near_zero.x == 100 - near_all.x < 50
    assert near_zero.text == "<b>&lt;1 to 3</b>"


def test_a_strip_without_an_interval_has_only_the_dot() -> None:
    figure = risk_strip(39, NAN, NAN, palette=DARK)
    assert [trace.name for trace in figure.data] == ["track", "estimate"]
    assert notes(figure) == []


def estimates() -> pd.DataFrame:
    """Return five sources, one of each style and a second other."""
    rows = [
        ("Wardlight", 39, 26, 54, "model"),
        ("Physician", 50, NAN, NAN, "other"),
        ("SUPPORT model, 1995", 59, NAN, NAN, "other"),
        ("Combined", 40, NAN, NAN, "combined"),
        ("Average, heart failure", 27, NAN, NAN, "average"),
    ]
    return pd.DataFrame(rows, columns=["label", "value", "lower", "upper", "style"])


def test_every_source_has_its_row_its_shape_and_its_number() -> None:
    figure = estimates_plot(estimates(), palette=LIGHT)
    marks = [trace for trace in figure.data if trace.name != "interval"]
    assert [(mark.x[0], mark.y[0]) for mark in marks] == [(39, 0), (50, 1), (59, 2), (40, 3), (27, 4)]
    assert [mark.marker.symbol for mark in marks] == ["circle", "diamond", "square", "circle", "line-ns"]
    assert notes(figure) == ["<b>39</b>", "<b>50</b>", "<b>59</b>", "<b>40</b>", "27"]
    assert list(figure.layout.yaxis.ticktext)[1] == "Physician"
    assert list(figure.layout.yaxis.range) == [4.5, -0.5]
    assert figure.layout.xaxis.title.text == "Of 100 such patients"


def test_only_the_model_is_indigo_and_only_it_has_an_interval() -> None:
    figure = estimates_plot(estimates(), palette=LIGHT)
    assert list(trace(figure, "interval").x) == [26, 54, None]
    assert trace(figure, "Wardlight").marker.color == LIGHT.accent
    assert trace(figure, "Physician").marker.color == LIGHT.text


def test_a_source_without_a_value_keeps_its_row_and_has_no_mark() -> None:
    frame = estimates()
    frame.loc[1, "value"] = NAN
    figure = estimates_plot(frame, palette=LIGHT)
    assert "Physician" not in [trace.name for trace in figure.data]
    assert list(figure.layout.yaxis.ticktext)[1] == "Physician"
    assert notes(figure)[1] == "–"
    assert trace(figure, "SUPPORT model, 1995").y[0] == 2


def steps() -> pd.DataFrame:
    """Return steps from 47 to 39, kidneys opened into their two features."""
    rows = [
        ("Diagnosis", -12.0, "concept"),
        ("Kidneys", 9.0, "concept"),
        ("high creatinine", 6.0, "feature"),
        ("urea not measured", 3.0, "feature"),
        ("Consciousness", -5.0, "concept"),
    ]
    return pd.DataFrame(rows, columns=["label", "value", "level"])


def draw(frame: pd.DataFrame, **changes: Any) -> Any:
    """Return the waterfall of some steps from 47 to 39."""
    arguments: dict[str, Any] = {
        "start_label": "Average patient",
        "start": 47.0,
        "end_label": "This patient",
        "end": 39.0,
        "unit_label": "Deaths among 100 such patients",
        "palette": LIGHT,
    }
    return waterfall(frame, **(arguments | changes))


def test_each_step_starts_where_the_last_concept_ended_and_features_where_their_concept_did() -> None:
    laid = lay_out_steps(steps(), start=47.0)
    assert [(step.start, step.end) for step in laid] == [(47, 35), (35, 44), (35, 41), (41, 44), (44, 39)]
    assert [step.is_opened for step in laid] == [False, True, False, False, False]


def test_bars_texts_and_colours_follow_the_sign() -> None:
    figure = draw(steps())
    bars, values = trace(figure, "steps"), trace(figure, "values")
    assert list(bars.base) == [47, 35, 35, 41, 44]
    assert list(bars.x) == [-12, 9, 6, 3, -5]
    up, down = LIGHT.raises, LIGHT.lowers
    assert list(bars.marker.color) == [down, up, up, up, down]
    words = [text.strip("\u2009 ") for text in values.text]
    assert words == ["▼ −12.0", "<b>▲ +9.0</b>", "▲ +6.0", "▲ +3.0", "▼ −5.0"]
    assert list(values.textfont.color)[:2] == [LIGHT.lowers_text, LIGHT.raises_text]
    assert list(values.x) == [47, 44, 41, 44, 44]


def test_features_are_thin_italic_and_the_opened_concept_bold() -> None:
    figure = draw(steps())
    labels = list(figure.layout.yaxis.ticktext)
    ends = ["<b>Average patient</b>", "<b>This patient</b>"]
    opened = ["<b>Kidneys</b>", "<i>high creatinine</i>", "<i>urea not measured</i>"]
    assert labels == [ends[0], "Diagnosis", *opened, "Consciousness", ends[1]]
    widths = list(trace(figure, "steps").width)
    assert widths[2] == widths[3] < widths[1]


def test_start_and_end_are_a_tick_and_a_dot_with_their_number() -> None:
    figure = draw(steps())
    start, end = trace(figure, "Average patient"), trace(figure, "This patient")
    assert (start.x[0], start.y[0], start.marker.symbol) == (47, 0, "line-ns")
    assert (end.x[0], end.y[0], end.marker.color) == (39, 6, LIGHT.accent)
    assert "47 of 100" in start.text[0]
    assert "39 of 100" in end.text[0]


def test_the_axis_is_cut_to_the_bars_and_has_its_unit() -> None:
    low, high = draw(steps()).layout.xaxis.range
    assert 30 < low < 35
    assert 47 < high < 55
    assert draw(steps()).layout.xaxis.title.text == "Deaths among 100 such patients"


def test_a_step_that_reads_as_zero_has_no_direction() -> None:
    frame = pd.DataFrame({"label": ["a", "b"], "value": [-8.0, 0.01], "level": ["concept", "concept"]})
    values = trace(draw(frame, end=39.01), "values")
    assert values.text[1].strip("\u2009 ") == "0.0"
    assert values.textfont.color[1] == LIGHT.muted


def test_dollars_are_worded_by_the_caller() -> None:
    frame = steps().assign(value=lambda rows: rows["value"] * 1000)

    def dollars(value: float) -> str:
        return f"${abs(value) / 1000:.1f}k"

    changes = {"start": 47e3, "end": 39e3, "format_value": dollars, "format_total": dollars, "tick_format": "$~s"}
    figure = draw(frame, **changes)
    assert "▼ −$12.0k" in trace(figure, "values").text[0]
    assert "$39.0k" in trace(figure, "This patient").text[0]
    assert figure.layout.xaxis.tickformat == "$~s"


def test_steps_that_do_not_lead_to_the_end_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must lead from 47\.0 to 30, got: 39"):
        draw(steps(), end=30)
