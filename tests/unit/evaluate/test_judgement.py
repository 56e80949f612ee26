"""When a group can be judged, and when what is found is flagged."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest, norm

from pipeline.evaluate.judgement import compute_p_value, detectable_ratio, judge, set_flags


@pytest.mark.parametrize(
    ("metric", "n", "n_events", "expected"),
    [
        ("calibration_slope", 200, 100, "judged"),
        ("calibration_slope", 199, 100, "too few to judge"),
        ("calibration_slope", 500, 99, "too few to judge"),
        ("observed_expected", 40, 20, "judged"),
        ("observed_expected", 39, 20, "too few to judge"),
        ("observed_expected", 5000, 19, "too few to judge"),
        ("auroc", 40, 20, "judged"),
        ("auroc", 5000, 19, "too few to judge"),
        ("sensitivity", 20, 20, "judged"),
        ("sensitivity", 5000, 19, "too few to judge"),
        ("specificity", 25, 6, "too few to judge"),
        ("flag_rate", 20, 0, "judged"),
        ("predictive_ratio", 20, None, "judged"),
        ("predictive_ratio", 19, None, "too few to judge"),
        ("interval_coverage_90", 19, None, "too few to judge"),
    ],
)
def test_a_group_is_judged_from_a_size_on(metric: str, n: int, n_events: int | None, expected: str) -> None:
    assert judge(metric, n=n, n_events=n_events) == expected


def _row(**changes: object) -> dict[str, object]:
    usual = {"family": "attribute", "metric": "observed_expected", "estimate": 1.3, "lower": 1.1, "upper": 1.5}
    return {**usual, "p_value": 0.001, **changes}


@pytest.mark.parametrize(
    ("changes", "flagged"),
    [
        ({}, True),
        ({"estimate": 1.24}, False),
        ({"estimate": 0.79, "lower": 0.7, "upper": 0.9}, True),
        ({"estimate": 0.81, "lower": 0.7, "upper": 0.9}, False),
        # Shown as 1.00: a flag beside "1.30 (1.00 to 1.60)" would be read as a mistake.
        ({"lower": 1.004}, False),
        ({"lower": 1.0051}, True),
        ({"p_value": 0.051}, False),
        ({"p_value": 0.051, "family": "pair"}, True),
        ({"p_value": 0.101, "family": "pair"}, False),
        ({"p_value": math.nan}, False),
        ({"metric": "calibration_slope", "estimate": 1.19}, False),
        ({"metric": "calibration_slope", "estimate": 0.79, "lower": 0.7, "upper": 0.9}, True),
        ({"metric": "predictive_ratio", "estimate": 1.26}, True),
        ({"metric": "interval_coverage_90", "estimate": 0.84, "lower": 0.8, "upper": 0.88}, True),
        ({"metric": "interval_coverage_90", "estimate": 0.86, "lower": 0.8, "upper": 0.88}, False),
        ({"metric": "interval_coverage_80", "estimate": 0.86, "lower": 0.82, "upper": 0.9}, True),
        ({"metric": "auroc", "p_value": math.nan, "estimate": 0.5, "lower": 0.4, "upper": 0.6}, False),
    ],
)
def test_a_flag_takes_a_small_q_an_interval_and_a_difference_that_matters(
    changes: dict[str, object], flagged: bool
) -> None:
    assert set_flags(pd.DataFrame([_row(**changes)]))["flag"].tolist() == [flagged]


def test_each_family_controls_its_own_false_discoveries() -> None:
    p = [0.001, 0.02, 0.04, 0.5]
    rows = [_row(family=f, p_value=v) for f in ("attribute", "pair") for v in p] + [_row(p_value=math.nan)]
    q = set_flags(pd.DataFrame(rows))["q_value"].tolist()
    # By hand: p · 4 / rank, from the largest down never rising.
    expected = [0.004, 0.04, 0.04 * 4 / 3, 0.5]
    assert q[:4] == pytest.approx(expected)
    assert q[4:8] == pytest.approx(expected)
    assert math.isnan(q[8])


def test_an_empty_table_stays_empty() -> None:
    assert set_flags(pd.DataFrame(columns=list(_row()))).empty


def test_p_values_are_those_of_a_wald_test_and_of_the_exact_binomial_test() -> None:
    rng = np.random.default_rng(1)
    ratio = np.exp(np.concatenate([[math.log(1.3)], rng.normal(math.log(1.3), 0.1, 20_000)]))
    expected = 2 * norm.sf(math.log(1.3) / 0.1)
    assert compute_p_value("observed_expected", ratio, n=500, amount=False) == pytest.approx(expected, rel=0.15)
    slope = np.concatenate([[0.7], rng.normal(0.7, 0.15, 20_000)])
    found = compute_p_value("calibration_slope", slope, n=500, amount=False)
    assert found == pytest.approx(2 * norm.sf(2), rel=0.1)
    inside = np.full(10, 0.86)
    assert compute_p_value("interval_coverage_90", inside, n=100, amount=True) == binomtest(86, 100, 0.9).pvalue
    assert math.isnan(compute_p_value("interval_coverage_90", inside, n=100, amount=False))
    assert math.isnan(compute_p_value("auroc", slope, n=500, amount=False))


def test_the_detectable_ratio_is_2_8_standard_errors_away() -> None:
    draws = np.exp(np.random.default_rng(1).normal(0, 0.1, 50_001))
    assert detectable_ratio("predictive_ratio", draws) == pytest.approx(math.exp(2.802 * 0.1), rel=0.01)
    assert math.isnan(detectable_ratio("auroc", draws))
