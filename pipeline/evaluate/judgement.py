"""Which groups can be judged, what a difference from right rests on, and when it is flagged."""

import math
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest, false_discovery_control, norm

Array = npt.NDArray[np.float64]

JUDGED = "judged"
TOO_FEW = "too few to judge"
NOT_ESTIMABLE = "not estimable: "

# Events, and patients without the event. With fewer a slope says nothing: measured on SUPPORT2, its interval ran from
# 0.87 to 1.50 in a group with 68 events. A calibration curve takes 200 events (Van Calster 2016,
# 10.1016/j.jclinepi.2015.12.005); none is drawn by group.
FEWEST_FOR_SLOPE = 100
# The standard error of observed/expected is about 1/√events: 22% of it at 20. Totals of fewer patients are no better.
FEWEST_FOR_RATIO = 20

# Of perfectly calibrated groups with 11 events and more, 20% have a slope further than 0.2 from 1 and 7% an
# observed/expected outside 0.8 to 1.25 by chance: so an estimate beyond its bound is not enough, and an interval that
# misses by less than the bound is too little to act upon.
RATIO_BOUNDS = (0.8, 1.25)
SLOPE_BOUND = 0.2
# An interval of 90% that holds 85% lets half as many patients more fall outside.
COVERAGE_BOUND = 0.05


class Family(StrEnum):
    """The tests that share a false discovery rate."""

    ATTRIBUTE = "attribute"
    PAIR = "pair"


# Single attributes confirm, pairs explore: of what is flagged there, twice as much may be chance.
FALSE_DISCOVERIES = {Family.ATTRIBUTE: 0.05, Family.PAIR: 0.10}

_RATIOS = ("observed_expected", "predictive_ratio")
_PROMISED = {"interval_coverage_80": 0.8, "interval_coverage_90": 0.9}


def judge(metric: str, *, n: int, n_events: int | None) -> str:
    """JUDGED, or TOO_FEW for the measure to say anything about such a group; `n_events` is None for an amount.

    What a measure rests on counts: both classes, the events, those without, or all patients.
    """
    others = n if n_events is None else n - n_events
    events = n if n_events is None else n_events
    if n_events is not None and metric == "calibration_slope":
        return JUDGED if min(events, others) >= FEWEST_FOR_SLOPE else TOO_FEW
    rests_on = {
        **dict.fromkeys(("auroc", "auprc", "calibration_intercept", "observed_expected"), min(events, others)),
        "sensitivity": events,
        "specificity": others,
    }
    return JUDGED if rests_on.get(metric, n) >= FEWEST_FOR_RATIO else TOO_FEW


def standard_error(samples: Array) -> float:
    """Of the logarithm of a positive measure, from its draws (1 + draws,); NaN where too few are above zero."""
    draws = samples[1:]
    positive = draws[np.isfinite(draws) & (draws > 0)]
    if len(positive) < 0.975 * len(draws) or len(positive) < 2:
        return math.nan
    return float(np.std(np.log(positive), ddof=1))


def compute_p_value(metric: str, samples: Array, *, n: int, amount: bool) -> float:
    """The two-sided p of the value that is right, NaN for measures that are not tested.

    Ratios by a Wald test of the logarithm, slopes (which may be below zero) by one of the slope, both with the
    bootstrap's standard error; coverage of amounts by the exact binomial test of its promise.
    """
    estimate = float(samples[0])
    if not math.isfinite(estimate):
        return math.nan
    if amount and metric in _PROMISED:
        return float(binomtest(round(n * estimate), n, _PROMISED[metric]).pvalue)
    if metric == "calibration_slope":
        draws = samples[1:][np.isfinite(samples[1:])]
        return _wald(estimate - 1, float(np.std(draws, ddof=1)) if len(draws) > 1 else math.nan)
    if metric in _RATIOS and estimate > 0:
        return _wald(math.log(estimate), standard_error(samples))
    return math.nan


def detectable_ratio(metric: str, samples: Array) -> float:
    """The smallest ratio above 1 that a group like this shows with 80% power at the 5% level, two-sided; else NaN."""
    if metric not in _RATIOS:
        return math.nan
    return math.exp(float(norm.ppf(0.975) + norm.ppf(0.8)) * standard_error(samples))


def set_flags(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with `q_value` and `flag`; needs family, metric, estimate, lower, upper and p_value.

    q is that of Benjamini & Hochberg (1995, 10.1111/j.2517-6161.1995.tb02031.x) over all tests of the family. Flagged
    is what is below the family's rate of false discoveries, has an interval that excludes the right value as it is
    displayed ("1.10 (1.00 to 1.19) ◆" would be read as a mistake), and an estimate beyond its bound.
    """
    p = table["p_value"].to_numpy(np.float64)
    q, below = np.full(len(table), np.nan), np.zeros(len(table), dtype=bool)
    for family, rate in FALSE_DISCOVERIES.items():
        tested = (table["family"] == family).to_numpy() & ~np.isnan(p)
        if tested.any():
            q[tested] = false_discovery_control(p[tested], method="bh")
            below |= tested & (q <= rate)
    right = table["metric"].map(_PROMISED).fillna(1.0).astype(np.float64)
    excludes = (table["lower"].round(2) > right) | (table["upper"].round(2) < right)
    return table.assign(q_value=q, flag=below & excludes.to_numpy() & _is_beyond_bound(table))


def _is_beyond_bound(table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    metric, estimate = table["metric"], table["estimate"].astype(np.float64)
    promised = metric.map(_PROMISED).astype(np.float64)
    beyond = (metric.isin(_RATIOS) & ~estimate.between(*RATIO_BOUNDS)) | (
        (metric == "calibration_slope") & ((estimate - 1).abs() > SLOPE_BOUND)
    )
    return (beyond | ((estimate - promised).abs() > COVERAGE_BOUND)).to_numpy()


def _wald(distance: float, error: float) -> float:
    return float(2 * norm.sf(abs(distance) / error)) if error > 0 else math.nan
