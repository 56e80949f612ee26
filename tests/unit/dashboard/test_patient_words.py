"""What the page of a patient says of uncertainty, refusals and unstable reasons."""

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from dashboard.presentation.patient import (
    Estimate,
    read_estimate,
    read_refusal,
    shorten_refusal,
    tell_band,
    tell_errors,
    tell_instability,
    tell_interval,
)
from pipeline.study import Study

NAN = math.nan


def _risk(study: Study, **changes: Any) -> Estimate:
    ends = {"lower_80": 33.0, "upper_80": 50.0, "lower_90": 31.0, "upper_90": 52.0}
    return replace(
        Estimate(study.target("death"), 41.0, **ends, band_lower=39.6, band_upper=42.7, base=30.0, fold=0), **changes
    )


def _cost(study: Study, **changes: Any) -> Estimate:
    ends = {"lower_80": 2000.0, "upper_80": 9000.0, "lower_90": 1500.0, "upper_90": 12_300.0}
    return replace(
        Estimate(study.target("cost"), 4100.0, **ends, band_lower=NAN, band_upper=NAN, base=3000.0, fold=0), **changes
    )


def test_each_interval_is_named_for_what_it_is(tiny_study: Study) -> None:
    risk, cost = tell_interval(_risk(tiny_study)), tell_interval(_cost(tiny_study))
    assert risk == "If the model were rebuilt: 31 to 52, in 90% of rebuilds on resampled patients."
    assert cost == "90% prediction interval: $1,500 to $12.3k; 80%: $2,000 to $9,000."


def test_the_band_has_no_level_and_is_a_range_however_narrow(tiny_study: Study) -> None:
    wide, narrow = _risk(tiny_study), _risk(tiny_study, band_lower=41.02, band_upper=41.37)
    assert tell_band(tiny_study, wide).startswith("Calibration: 40 to 43 of 100 such patients.")
    assert tell_band(tiny_study, narrow).startswith("Calibration: 41.0 to 41.4 of 100 such patients.")
    assert not re.search(r"%|level|\b(80|90|95)\b", tell_band(tiny_study, wide))
    assert tell_band(tiny_study, _cost(tiny_study)) == ""


@pytest.mark.parametrize("of", [_risk, _cost])
def test_what_a_quick_build_did_not_measure_is_said(tiny_study: Study, of: Callable[..., Estimate]) -> None:
    estimate = of(tiny_study, lower_80=NAN, upper_80=NAN, lower_90=NAN, upper_90=NAN)
    for words in (tell_interval(estimate), estimate.certainty):
        assert "not measured in a quick build" in words
        assert "nan" not in words.lower()


def test_a_row_with_nulls_is_read_as_an_estimate_without_an_interval(tiny_study: Study) -> None:
    bounds = dict.fromkeys(["lower_80", "upper_80", "lower_90", "upper_90", "band_lower", "band_upper"])
    row = pd.Series({"target_id": "death", "estimate": 0.41, "fold": 1, **bounds})
    estimate = read_estimate(tiny_study, row, -0.5)
    assert estimate.value == pytest.approx(41)
    assert not estimate.has_interval
    assert estimate.band == ""


def test_a_refusal_is_read_from_the_patients_predictions() -> None:
    rows = pd.DataFrame({"status": ["refused", "refused"], "reason": ["Not scored: a.", "Not scored: a."]})
    assert read_refusal(rows) == "Not scored: a."
    assert read_refusal(rows.assign(status="scored", reason=None)) is None


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        (
            "Not scored: 14 of 24 features are missing (at most 10). With 4 more of them recorded it could be: sex.",
            "14 of 24 features are missing (at most 10)",
        ),
        (
            "Not scored: arterial pH 6.55 is outside what can be (6.7 to 7.9); check the value.",
            "arterial pH 6.55 is outside what can be (6.7 to 7.9)",
        ),
        ("Not scored: a.", "a"),
    ],
)
def test_the_list_shows_the_first_thing_that_a_reason_says(reason: str, short: str) -> None:
    assert shorten_refusal(reason) == short


def test_an_unstable_explanation_says_how_it_changes() -> None:
    assert tell_instability(0.6, 0.72) == (
        "The reasons below change when the model is rebuilt: in 40 of 100 rebuilds another reason comes first, "
        "and about 3.6 of the five main ones stay."
    )
    assert tell_instability(1.0, 0.5) == (
        "The reasons below change when the model is rebuilt: about 2.5 of the five main ones stay."
    )


def test_an_amount_says_whose_errors_its_intervals_are_made_from(tiny_study: Study) -> None:
    assert tell_errors(tiny_study, "Heart failure").endswith("for patients with heart failure.")
    assert tell_errors(tiny_study, "").endswith("for all patients.")
