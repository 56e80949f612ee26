"""Naive re-implementations: loops that a reader can check by eye, and optimisers of other libraries."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, logit

Array = npt.NDArray[np.float64]
Numbers = Sequence[float] | Array


def auroc(events: Numbers, risks: Numbers) -> float:
    """Over all pairs of a patient with and one without the event: how often the first has the higher risk."""
    wins, pairs = 0.0, 0
    for event, risk in zip(events, risks, strict=True):
        for other_event, other_risk in zip(events, risks, strict=True):
            if event == 1 and other_event == 0:
                pairs += 1
                wins += 1.0 if risk > other_risk else 0.5 if risk == other_risk else 0.0
    return wins / pairs if pairs else math.nan


def average_precision(events: Numbers, risks: Numbers) -> float:
    """Each event counts the precision among everybody whose risk is at least its own."""
    found = [risk for event, risk in zip(events, risks, strict=True) if event == 1]
    if not found:
        return math.nan
    total = 0.0
    for threshold in found:
        flagged = [event for event, risk in zip(events, risks, strict=True) if risk >= threshold]
        total += sum(flagged) / len(flagged)
    return total / len(found)


def brier(events: Numbers, risks: Numbers) -> float:
    """The mean squared distance."""
    return float(sum((event - risk) ** 2 for event, risk in zip(events, risks, strict=True)) / len(events))


def observed_expected(events: Numbers, risks: Numbers) -> float:
    """Events that happened over events that were expected."""
    return sum(events) / sum(risks)


def ece(events: Numbers, risks: Numbers) -> float:
    """Ten groups of equal size by risk; the distance of mean risk and event rate in each, weighted by its size.

    Needs a number of patients that ten divides, and no two of the same risk.
    """
    assert len(events) % 10 == 0
    assert len(set(risks)) == len(risks)
    by_risk = sorted(zip(risks, events, strict=True))
    size = len(by_risk) // 10
    total = 0.0
    for start in range(0, len(by_risk), size):
        group = by_risk[start : start + size]
        mean_risk = sum(risk for risk, _ in group) / size
        rate = sum(event for _, event in group) / size
        total += size * abs(mean_risk - rate)
    return total / len(by_risk)


def calibration_line(events: Numbers, risks: Numbers) -> tuple[float, float]:
    """Intercept and slope of a logistic regression of the event on the logit of the risk, by a general optimiser."""
    line, happened = np.asarray(logit(risks), dtype=np.float64), np.asarray(events, dtype=np.float64)

    def loss(at: Array) -> float:
        margin = at[0] + at[1] * line
        return float(np.sum(np.logaddexp(0, margin) - happened * margin))

    def slope_of_loss(at: Array) -> Array:
        error = expit(at[0] + at[1] * line) - happened
        return np.array([error.sum(), error @ line])

    found = minimize(loss, np.zeros(2), jac=slope_of_loss, method="BFGS", options={"gtol": 1e-9})
    return float(found.x[0]), float(found.x[1])


def calibration_in_the_large(events: Numbers, risks: Numbers) -> float:
    """The shift of every logit after which expected events equal observed ones, by halving an interval."""
    line = np.asarray(logit(risks), dtype=np.float64)
    low, high = -60.0, 60.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (low, middle) if expit(line + middle).sum() > sum(events) else (middle, high)
    return (low + high) / 2


def net_benefit(events: Numbers, risks: Numbers, threshold: float) -> float:
    """True positives, less false positives at the odds of the threshold, per patient."""
    true = sum(1 for event, risk in zip(events, risks, strict=True) if risk >= threshold and event == 1)
    false = sum(1 for event, risk in zip(events, risks, strict=True) if risk >= threshold and event == 0)
    return (true - false * threshold / (1 - threshold)) / len(events)


def r2(observed: Numbers, predicted: Numbers) -> float:
    """One less the squared error over the squared distance from the mean."""
    mean = sum(observed) / len(observed)
    error = sum((o - p) ** 2 for o, p in zip(observed, predicted, strict=True))
    return float(1 - error / sum((o - mean) ** 2 for o in observed))


def mae(observed: Numbers, predicted: Numbers) -> float:
    """The mean distance."""
    return float(sum(abs(o - p) for o, p in zip(observed, predicted, strict=True)) / len(observed))


def aumann_shapley(contributions: Numbers, base: float, slope_of_inverse: Callable[[float], float]) -> list[float]:
    """Each contribution times the mean slope of the inverse link on the way from the base to the margin."""
    step = sum(contributions)
    mean_slope = quad(lambda way: slope_of_inverse(base + way * step), 0, 1, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
    return [contribution * mean_slope for contribution in contributions]
