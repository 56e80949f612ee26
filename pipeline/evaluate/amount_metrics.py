"""Measures of a predicted amount (dollars, days), for many weightings of the same patients at once.

Every function takes `y` (n,) amounts observed, a frame of predictions as arrays of (n,), and `w` (B, n) weights, and
returns (B,). A measure that a weighting does not allow is NaN there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """What was predicted for each patient (n,): the amount, its logarithm, and bounds (n, 4) as in `prediction`."""

    estimate: Array
    log_prediction: Array
    bounds: Array

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> "Predicted":
        return Predicted(self.estimate[chosen], self.log_prediction[chosen], self.bounds[chosen])


Metric = Callable[[Array, Predicted, Array], Array]


def r2(y: Array, predicted: Predicted, w: Array) -> Array:
    """The share of the variance of the amount that is explained."""
    return _explained(y, predicted.estimate, w)


def r2_log(y: Array, predicted: Predicted, w: Array) -> Array:
    """The share of the variance of the amount's logarithm that is explained by the predicted logarithm."""
    if (y <= 0).any():
        return np.full(len(w), np.nan)
    return _explained(np.log(y), predicted.log_prediction, w)


def mae(y: Array, predicted: Predicted, w: Array) -> Array:
    """The mean absolute error, in the amount's unit."""
    return _mean(np.abs(y - predicted.estimate), w)


def predictive_ratio(y: Array, predicted: Predicted, w: Array) -> Array:
    """Predicted total over observed total."""
    observed = w @ y
    return np.where(observed > 0, (w @ predicted.estimate) / np.where(observed > 0, observed, 1.0), np.nan)


def observed_mean(y: Array, predicted: Predicted, w: Array) -> Array:
    """The mean amount observed."""
    return _mean(y, w)


def predicted_mean(y: Array, predicted: Predicted, w: Array) -> Array:
    """The mean amount predicted for the same patients."""
    return _mean(predicted.estimate, w)


def interval_coverage_80(y: Array, predicted: Predicted, w: Array) -> Array:
    """The share of patients inside their 80% interval."""
    return _mean(_inside(y, predicted.bounds[:, 0], predicted.bounds[:, 1]), w)


def interval_coverage_90(y: Array, predicted: Predicted, w: Array) -> Array:
    """The share of patients inside their 90% interval."""
    return _mean(_inside(y, predicted.bounds[:, 2], predicted.bounds[:, 3]), w)


OVERALL: dict[str, Metric] = {
    "r2": r2,
    "r2_log": r2_log,
    "mae": mae,
    "predictive_ratio": predictive_ratio,
    "observed_mean": observed_mean,
    "predicted_mean": predicted_mean,
    "interval_coverage_80": interval_coverage_80,
    "interval_coverage_90": interval_coverage_90,
}


def interval_ratio(predicted: Predicted, level: int) -> Array:
    """How many times the lower end of the interval goes into the upper (n,); `level` is 80 or 90."""
    column = 0 if level == 80 else 2
    return np.asarray(predicted.bounds[:, column + 1] / predicted.bounds[:, column])


def _mean(values: Array, w: Array) -> Array:
    return np.asarray((w @ values) / w.sum(axis=1))


def _explained(y: Array, predicted: Array, w: Array) -> Array:
    mean = _mean(y, w)
    # Σ w (y − mean)² = Σ w y² − mean² Σ w, with y centred first so that large amounts keep their digits.
    centre = float(np.mean(y))
    spread = _mean((y - centre) ** 2, w) - (mean - centre) ** 2
    error = _mean((y - predicted) ** 2, w)
    # What is left of a spread of nothing after rounding is no spread.
    varies = spread > 1e-12 * max(float(np.max((y - centre) ** 2)), centre**2)
    return np.where(varies, 1 - error / np.where(varies, spread, 1.0), np.nan)


def _inside(y: Array, lower: Array, upper: Array) -> Array:
    return ((y >= lower) & (y <= upper)).astype(np.float64)
