"""Intervals for one patient. Each is named for what it is.

`model_instability`: how far the estimate moves when the model is rebuilt on resampled patients (Riley & Collins 2023,
doi:10.1002/bimj.202200302). It is not a range for the outcome, and does not promise to cover the true risk.
`conformal_prediction`: a range for the amount that will be observed: quantiles that trees predict, corrected at either
end by how far inner folds missed them (Romano, Patterson & Candès 2019, arXiv:1905.03222; folds pooled after the CV+ of
Barber et al. 2021, doi:10.1214/20-AOS1965), within the patient's own class where it is large enough (Vovk 2012,
doi:10.1007/s10994-013-5355-6). Its coverage is measured, over all patients together and for each group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from pipeline.models.link import Link

Array = npt.NDArray[np.float64]
LEVELS = (0.80, 0.90)
# With fewer, the errors at 90% are the 25 largest or less, and a class is better served by everybody's.
FEWEST_OF_A_CLASS = 500


class IntervalKind(StrEnum):
    MODEL_INSTABILITY = "model_instability"
    CONFORMAL_PREDICTION = "conformal_prediction"


@dataclass(frozen=True)
class ConformalScores:
    """For each of LEVELS, the distance on the log scale from the predicted quantile to the bound, at either end."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


# Those of each class that is large enough, and under None those of everybody.
Conformal = Mapping[str | None, ConformalScores]
Classes = npt.NDArray[np.str_]


def fit_conformal(quantiles: Array, label: Array, classes: Classes) -> Conformal:
    """The corrections that inner folds ask for, for everybody and for each class of at least FEWEST_OF_A_CLASS.

    quantiles: (n, 4), predicted without the row itself; label: (n,) logarithms of amounts; classes: (n,).
    """
    names, counts = np.unique(classes, return_counts=True)
    large = [str(name) for name, n in zip(names, counts, strict=True) if FEWEST_OF_A_CLASS <= n < len(label)]
    errors = label[:, None] - quantiles
    return {None: _correct(errors)} | {name: _correct(errors[classes == name]) for name in large}


def _correct(errors: Array) -> ConformalScores:
    """The quantiles of errors at either end, (n, 4), with the correction for a finite sample."""
    n, ordered = len(errors), np.sort(errors, axis=0)
    ranks = [int(np.ceil((n + 1) * (1 + level) / 2)) for level in LEVELS]
    # Columns are those of QUANTILES: from the outermost lower to the outermost upper.
    lower = tuple(float(ordered[max(n - rank, 0), end]) for rank, end in zip(ranks, (1, 0), strict=True))
    upper = tuple(float(ordered[min(rank, n) - 1, end]) for rank, end in zip(ranks, (2, 3), strict=True))
    return ConformalScores(lower=lower, upper=upper)


def instability_bounds(margin: Array, rebuilt: Array) -> Array:
    """lower_80, upper_80, lower_90, upper_90 of a risk as columns; NaN without rebuilds.

    margin: (n,), as it is shown; rebuilt: (rebuilds, n), the margins of rebuilds. The distance is the root of the mean
    squared distance of rebuilds from the margin that is shown, not from their own mean: rebuilds on fewer distinct
    patients are a little flatter, and that belongs to how far they move. The reach is Student's t with as many degrees
    of freedom as there are rebuilds, since few tell the distance only roughly.
    """
    if not len(rebuilt):
        return np.full((len(margin), 2 * len(LEVELS)), np.nan)
    distance = np.sqrt(np.mean((rebuilt - margin) ** 2, axis=0))
    reach = [float(t.ppf((1 + level) / 2, len(rebuilt))) for level in LEVELS]
    return np.column_stack([Link.LOGIT.inverse(margin + side * k * distance) for k in reach for side in (-1, 1)])


def conformal_bounds(quantiles: Array, margin: Array, conformal: Conformal, classes: Classes) -> Array:
    """lower_80, upper_80, lower_90, upper_90 of an amount as columns.

    quantiles: (n, 4) of the logarithm; margin: (n,), the logarithm of the estimate; classes: (n,). An interval is
    widened to hold the 80% interval where corrections made it the wider one, and to hold the estimate: that is a mean,
    which a few very large amounts can lift above most of what is observed. Widening can only raise the coverage.
    """
    scores = [conformal.get(name, conformal[None]) for name in classes.tolist()]
    lower = quantiles[:, [1, 0]] + np.array([s.lower for s in scores]).reshape(-1, len(LEVELS))
    upper = quantiles[:, [2, 3]] + np.array([s.upper for s in scores]).reshape(-1, len(LEVELS))
    lower = np.minimum.accumulate(np.minimum(lower, margin[:, None]), axis=1)
    upper = np.maximum.accumulate(np.maximum(upper, margin[:, None]), axis=1)
    return Link.LOG.inverse(np.column_stack([lower[:, 0], upper[:, 0], lower[:, 1], upper[:, 1]]))
