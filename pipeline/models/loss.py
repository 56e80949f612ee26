"""What boosting minimises, on the margin: log loss for an event; for an amount, half typical patient, half total.

The squared error of the logarithm fits the typical patient and understates the dear ones; the gamma deviance fits means
and so totals, and follows single dear patients. Their mean keeps most of both. On total cost in SUPPORT2, with other
folds than any release has (`python tests/benchmarks/cost_loss.py`), the variance explained of the logarithm and of the
dollars was 0.617 and 0.385 with squared error alone, 0.607 and 0.394 with gamma alone, 0.614 and 0.390 with both.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.models.link import Link

Array = npt.NDArray[np.float64]
Gradient = Callable[[npt.NDArray[np.float32], xgb.DMatrix], tuple[Array, Array]]

_GAMMA_SHARE = 0.5
# A patient who cost e⁴ = 55 times the fitted amount pulls no harder than that.
_LARGEST_SURPRISE = 4.0
_SMALLEST_CURVATURE = 0.1


@dataclass(frozen=True)
class Loss:
    """The mean loss of margins given labels; its gradient, or None for the one XGBoost has under `objective`."""

    objective: str
    value: Callable[[Array, Array], float]
    gradient: Gradient | None


def loss_of(link: Link) -> Loss:
    """The loss of a target with this link; labels are events, or logarithms of amounts."""
    if link is Link.LOGIT:
        return Loss("binary:logistic", log_loss, None)
    return Loss("reg:squarederror", amount_loss, amount_gradient)


def log_loss(label: Array, margin: Array) -> float:
    """The mean negative log likelihood of events 0/1."""
    return float(np.mean(np.logaddexp(0.0, margin) - label * margin))


def amount_loss(label: Array, margin: Array) -> float:
    """The mean of half the squared error of the logarithm and of the gamma deviance, mixed."""
    surprise = label - margin
    gamma = np.exp(np.minimum(surprise, _LARGEST_SURPRISE)) - surprise - 1
    return float(np.mean(_GAMMA_SHARE * gamma + (1 - _GAMMA_SHARE) * surprise**2 / 2))


def amount_gradient(margin: npt.NDArray[np.float32], data: xgb.DMatrix) -> tuple[Array, Array]:
    """The first and second derivative of `amount_loss` by the margin, a row each."""
    surprise = np.asarray(data.get_label(), dtype=np.float64) - margin
    ratio = np.exp(np.minimum(surprise, _LARGEST_SURPRISE))
    gradient = _GAMMA_SHARE * (1 - ratio) - (1 - _GAMMA_SHARE) * surprise
    curvature = _GAMMA_SHARE * np.maximum(ratio, _SMALLEST_CURVATURE) + (1 - _GAMMA_SHARE)
    return gradient, curvature
