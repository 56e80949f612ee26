"""What turns a raw margin into a prediction, learnt from inner out-of-fold margins only; for any kind of model."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.models.intervals import LEVELS, Conformal, conformal_bounds, fit_conformal
from pipeline.models.link import Link
from pipeline.models.recalibration import Recalibration, fit_recalibration

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """What a model says of patients, out of fold; NaN where it says nothing.

    margin, estimate: (n,), recalibrated; log_prediction: (n,) the logarithm of an amount (NaN for an outcome);
    bounds: (n, 4) lower_80, upper_80, lower_90, upper_90 of an amount (NaN for an outcome).
    """

    margin: Array
    estimate: Array
    log_prediction: Array
    bounds: Array

    def put(self, rows: npt.NDArray[np.bool_], part: "Prediction") -> None:
        """Writes what `part` says of the chosen rows."""
        for name in ("margin", "estimate", "log_prediction", "bounds"):
            getattr(self, name)[rows] = getattr(part, name)


def silent(n: int) -> Prediction:
    """A prediction that says nothing of `n` patients."""
    margin, estimate, log_prediction = (np.full(n, np.nan) for _ in range(3))
    return Prediction(margin, estimate, log_prediction, np.full((n, 2 * len(LEVELS)), np.nan))


@dataclass(frozen=True)
class Readout:
    """Recalibration of a raw margin, and for an amount also its logarithm and its interval."""

    link: Link
    recalibration: Recalibration
    log_recalibration: Recalibration | None
    conformal: Conformal | None

    def predict(self, raw: Array) -> Prediction:
        """What raw margins (n,) of patients who taught neither model nor readout come to."""
        margin = self.recalibration.apply(raw)
        said = silent(len(raw))
        return Prediction(
            margin=margin,
            estimate=self.link.inverse(margin),
            log_prediction=self.log_recalibration.apply(raw) if self.log_recalibration else said.log_prediction,
            bounds=conformal_bounds(*_around(margin), self.conformal, _one_class(margin))
            if self.conformal
            else said.bounds,
        )


def fit_readout(raw: Array, observed: Array, *, link: Link) -> Readout:
    """The readout learnt from raw inner out-of-fold margins (n,) and what was observed (n,), as for our own model."""
    recalibration = fit_recalibration(raw, observed, link=link)
    if link is Link.LOGIT:
        return Readout(link, recalibration, None, None)
    slope, intercept = np.polyfit(raw, np.log(observed), 1)
    margin = recalibration.apply(raw)
    return Readout(
        link=link,
        recalibration=recalibration,
        log_recalibration=Recalibration(float(intercept), float(slope)),
        conformal=fit_conformal(_around(margin)[0], np.log(observed), _one_class(margin)),
    )


def _around(margin: Array) -> tuple[Array, Array]:
    """Quantiles that all lie at the margin, and the margin: an interval is then one of errors about it."""
    return np.tile(margin[:, None], (1, 2 * len(LEVELS))), margin


def _one_class(margin: Array) -> npt.NDArray[np.str_]:
    return np.full(len(margin), "everybody")
