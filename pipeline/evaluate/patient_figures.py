"""Figures about patients one by one: a median and a share, each with a 95% interval over patients."""

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, binomtest

Array = npt.NDArray[np.float64]
Summary = tuple[float, float, float]


def summarise_median(values: Array) -> Summary:
    """The median and the order statistics that hold it in 95 of 100 samples (binomial; Conover 1999). NaN if empty."""
    n = len(values)
    if not n:
        return float("nan"), float("nan"), float("nan")
    rank = max(int(binom.ppf(0.025, n, 0.5)), 1)
    ordered = np.sort(values)
    return float(np.median(values)), float(ordered[rank - 1]), float(ordered[n - rank])


def summarise_share(chosen: npt.NDArray[np.bool_]) -> Summary:
    """The share of patients and its interval (Wilson 1927). NaN if there is nobody."""
    if not len(chosen):
        return float("nan"), float("nan"), float("nan")
    interval = binomtest(int(chosen.sum()), len(chosen)).proportion_ci(method="wilson")
    return float(np.mean(chosen)), float(interval.low), float(interval.high)
