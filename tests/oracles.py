"""Naive re-implementations: loops that a reader can check by eye, and optimisers of other libraries."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

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


def features_kept(shown: Sequence[int], rebuilt: Sequence[Sequence[int]]) -> tuple[float, float]:
    """For one patient: the mean share of the shown features in each rebuild's, and how often the first is the same."""
    shares = [len([f for f in shown if f in other]) / len(shown) for other in rebuilt]
    same = [1 if other[0] == shown[0] else 0 for other in rebuilt]
    return sum(shares) / len(shares), sum(same) / len(same)


def distance_moved(
    weights: Sequence[float], row: Sequence[float], others: Sequence[Sequence[float]], replaced: Sequence[int]
) -> float:
    """For a weighted sum: how far its mean lies from that of `row` with `replaced` taken from each of others.

    The square of the mean step is the mean product of two steps; only those of two different others are free of chance.
    """
    steps = [sum(w * (other[j] - row[j]) for j, w in enumerate(weights) if j in replaced) for other in others]
    products = [a * b for i, a in enumerate(steps) for j, b in enumerate(steps) if i != j]
    return math.sqrt(max(sum(products) / len(products), 0.0))


def venn_abers_band(margins: Numbers, events: Numbers, margin: float) -> list[float]:
    """What isotonic regression says at `margin` once a patient is added there: without the event, and with it."""
    return [
        float(IsotonicRegression().fit([*margins, margin], [*events, happened]).predict([margin])[0])
        for happened in (0, 1)
    ]


def delong_standard_error(events: Array, risks: Array, others: Array) -> float:
    """The standard error of the difference of two AUROCs on the same patients (DeLong 1988, doi:10.2307/2531595).

    From each patient's own share of won pairs under both scores; ties count half.
    """
    won_by_event, won_by_other = [], []
    for said in (risks, others):
        wins = (said[events == 1][:, None] > said[events == 0]) + 0.5 * (
            said[events == 1][:, None] == said[events == 0]
        )
        won_by_event.append(wins.mean(axis=1))
        won_by_other.append(wins.mean(axis=0))
    variance = 0.0
    for first, second in (won_by_event, won_by_other):
        variance += float(np.var(first - second, ddof=1)) / len(first)
    return math.sqrt(variance)
