"""Why a measure has no meaning on some patients, in words."""

import math

import numpy as np

from pipeline.evaluate.scores import Scores

_NEEDS_EVENTS = ("auroc", "auprc", "calibration_intercept", "calibration_slope", "observed_expected", "sensitivity")
_NEEDS_OTHERS = ("auroc", "calibration_intercept", "calibration_slope", "observed_expected", "specificity")
_FLAGGED = ("ppv", "number_needed_to_evaluate")


def explain_not_estimable(scores: Scores, metric: str, threshold: float | None, estimate: float) -> str | None:
    """Why the measure has no estimate on these patients, in words; None where it has one.

    Observed/expected of patients of whom none had the event, or all, is a number without an interval: it has none.
    """
    n = len(scores.observed)
    if n == 0:
        return "no patient's target was observed"
    if scores.amount is None:
        events = int(scores.observed.sum())
        if metric in _NEEDS_EVENTS and events == 0:
            return "no patient had the event"
        if metric in _NEEDS_OTHERS and events == n:
            return "every patient had the event"
    if math.isfinite(estimate):
        return None
    return _explain_risk(scores, metric, threshold) if scores.amount is None else _explain_amount(scores, metric)


def _explain_risk(scores: Scores, metric: str, threshold: float | None) -> str:
    if metric in _FLAGGED and threshold is not None:
        flagged = scores.said >= threshold
        return "no flagged patient had the event" if flagged.any() else "no patient is at or above the threshold"
    if metric == "npv":
        return "no patient is below the threshold"
    if metric == "observed_expected":
        return "every risk is zero"
    if np.ptp(scores.said) == 0:
        return "all risks are the same"
    return "risks separate the patients with the event from the others"


def _explain_amount(scores: Scores, metric: str) -> str:
    if metric == "predictive_ratio":
        return "every amount observed is zero"
    if metric == "r2_log" and (scores.observed <= 0).any():
        return "an amount of zero has no logarithm"
    return "all amounts observed are the same"
