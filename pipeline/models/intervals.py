"""Intervals for one patient. Each is named for what it is.

`model_instability`: how far the estimate moves when the model is rebuilt on resampled patients (Riley & Collins 2023,
doi:10.1002/bimj.202200302). It is not a range for the outcome, and does not promise to cover the true risk.
`conformal_prediction`: a range for the amount that will be observed, from the errors of inner folds (after the CV+ of
Barber et al. 2021, doi:10.1214/20-AOS1965). Its coverage is measured, over all patients together and for each group.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.stats import t

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, predict_margin
from pipeline.models.link import Link
from pipeline.models.recalibration import fit_recalibration
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
LEVELS = (0.80, 0.90)


class IntervalKind(StrEnum):
    MODEL_INSTABILITY = "model_instability"
    CONFORMAL_PREDICTION = "conformal_prediction"


@dataclass(frozen=True)
class ConformalScores:
    """The lower and upper distance on the margin for each of LEVELS."""

    lower: tuple[float, ...]
    upper: tuple[float, ...]


def measure_instability(
    study: Study,
    matrix: Matrix,
    event: Array,
    scored: Matrix,
    margin: Array,
    *,
    boosting: Boosting,
    rounds: int,
    seed: int,
) -> Array:
    """How far rebuilds lie from each scored row's margin: the root of their mean squared distance; (rows of scored,).

    Every rebuild is a whole one: trees on the resampled rows, recalibration on the rows that the sample left out.
    Distances are from the margin that is shown, not from the rebuilds' own mean: rebuilds on fewer distinct patients
    are a little flatter, and that belongs to how far they move.
    """
    rng = np.random.default_rng(seed)
    rebuilt = []
    for refit in range(boosting.refits):
        weight = _draw(event, rng)
        booster = fit_booster(
            study,
            matrix,
            event,
            link=Link.LOGIT,
            boosting=boosting,
            rounds=rounds,
            seed=seed + refit + 1,
            weight=weight,
        )
        left_out = weight == 0
        raw = predict_margin(study, booster, matrix[left_out])
        recalibration = fit_recalibration(raw, event[left_out], link=Link.LOGIT)
        rebuilt.append(recalibration.apply(predict_margin(study, booster, scored)))
    return np.asarray(np.sqrt(np.mean((np.array(rebuilt) - margin) ** 2, axis=0)), dtype=np.float64)


def _draw(event: Array, rng: np.random.Generator) -> Array:
    """How often each row is drawn; anew until both classes are among the drawn rows and among those left out."""
    n = len(event)
    while True:
        weight = rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
        if all(len(np.unique(event[part])) == 2 for part in (weight > 0, weight == 0)):
            return weight


def fit_conformal(margin: Array, observed: Array) -> ConformalScores:
    """The quantiles of the inner folds' errors on the log scale, with the correction for a finite sample.

    margin: recalibrated inner margins (n,); observed: amounts (n,).
    """
    errors = np.sort(np.log(observed) - margin)
    n = len(errors)
    ranks = [int(np.ceil((n + 1) * (1 + level) / 2)) for level in LEVELS]
    upper = tuple(float(errors[min(rank, n) - 1]) for rank in ranks)
    lower = tuple(float(errors[max(n - rank, 0)]) for rank in ranks)
    return ConformalScores(lower=lower, upper=upper)


def instability_bounds(margin: Array, distance: Array, *, refits: int) -> Array:
    """lower_80, upper_80, lower_90, upper_90 as columns, around the estimate.

    Student's t with as many degrees of freedom as there are rebuilds, since few tell the distance only roughly.
    """
    reach = [float(t.ppf((1 + level) / 2, refits)) for level in LEVELS]
    return _bounds([(-k * distance, k * distance) for k in reach], margin, Link.LOGIT)


def conformal_bounds(margin: Array, scores: ConformalScores, *, link: Link) -> Array:
    """lower_80, upper_80, lower_90, upper_90 as columns."""
    return _bounds(
        [(np.full(len(margin), a), np.full(len(margin), b)) for a, b in zip(scores.lower, scores.upper, strict=True)],
        margin,
        link,
    )


def _bounds(distances: list[tuple[Array, Array]], margin: Array, link: Link) -> Array:
    return np.column_stack([link.inverse(margin + d) for pair in distances for d in pair])
