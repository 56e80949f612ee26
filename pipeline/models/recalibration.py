"""Affine recalibration of a margin: what it says is then right on average, and contributions still add.

Cox (1958), doi:10.1093/biomet/45.3-4.562. For amounts the same two numbers are fitted by the score equations of a
Poisson regression (quasi-likelihood; Wooldridge 1999), so that predicted totals equal observed ones.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from pipeline.models.link import Link

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recalibration:
    """margin → intercept + slope · margin."""

    intercept: float
    slope: float

    def apply(self, margin: Array) -> Array:
        return self.intercept + self.slope * margin


def fit_recalibration(margin: Array, observed: Array, *, link: Link) -> Recalibration:
    """The recalibration of margins that were made without their own rows.

    margin, observed: (n,); observed is the event (0 or 1) or the amount itself, in its unit.
    """
    centre, scale = float(np.mean(margin)), float(np.std(margin)) or 1.0
    standard = ((margin - centre) / scale)[:, None]
    if link is Link.LOGIT:
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(standard, observed)
        intercept, slope = float(model.intercept_[0]), float(model.coef_[0, 0])
    else:
        mean = float(np.mean(observed))
        model = PoissonRegressor(alpha=0.0, tol=1e-10, max_iter=1000, solver="newton-cholesky")
        model.fit(standard, observed / mean)
        intercept, slope = float(model.intercept_) + float(np.log(mean)), float(model.coef_[0])
    return Recalibration(intercept=intercept - slope * centre / scale, slope=slope / scale)
