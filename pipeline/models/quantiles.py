"""Boosted quantiles of an amount's logarithm: what a conformal interval starts from (Romano, Patterson & Candès 2019).

One model gives all of QUANTILES. Unlike the errors of a mean they tell whose amount is harder to foresee.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.boosting import Boosting
from pipeline.models.link import Link
from pipeline.splits import inner_folds
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]

# The ends of an 80% interval lie inside those of a 90% interval.
QUANTILES = (0.05, 0.10, 0.90, 0.95)

# A twentieth of the patients cannot be told from fewer than twenty. XGBoost counts a row as one here.
_FEWEST_IN_A_LEAF = 20
# A third of the rounds of the model of the mean, with steps three times as long: the corrections of `fit_conformal` put
# right what is coarser, and every round grows a tree for each quantile.
_FASTER = 3
# Fewer than the model of the mean has, which takes more than a third off the time. Inner quantiles then come from fewer
# patients, so that corrections are a little large: on SUPPORT2, logarithms of intervals are at most 2% wider, and these
# cover a little more than they promise.
_INNER_FOLDS = 3


@dataclass(frozen=True)
class QuantileFit:
    """The booster of a whole training set, and what its inner folds say of its rows; inner: (n, QUANTILES)."""

    booster: xgb.Booster
    inner: Array


def fit_quantiles(
    study: Study, matrix: Matrix, label: Array, *, boosting: Boosting, rounds: int, seed: int
) -> QuantileFit:
    """Quantiles of `label`, and those of each row by an inner fold that did not see it.

    matrix: (n, features); label: (n,) logarithms of amounts; rounds: those of the model of the mean.
    """
    folds = inner_folds(len(label), folds=_INNER_FOLDS, seed=seed)
    inner = np.empty((len(label), len(QUANTILES)))
    for fold in range(_INNER_FOLDS):
        own = folds == fold
        booster = _train(study, matrix[~own], label[~own], boosting=boosting, rounds=rounds, seed=seed)
        inner[own] = predict_quantiles(study, booster, matrix[own])
    return QuantileFit(_train(study, matrix, label, boosting=boosting, rounds=rounds, seed=seed), inner)


def predict_quantiles(study: Study, booster: xgb.Booster, matrix: Matrix) -> Array:
    """The QUANTILES of each row, rising: where trees let them cross, they are put in order; (n, QUANTILES)."""
    return np.sort(np.asarray(booster.predict(build_dmatrix(study, matrix)), dtype=np.float64), axis=1)


def _train(study: Study, matrix: Matrix, label: Array, *, boosting: Boosting, rounds: int, seed: int) -> xgb.Booster:
    faster = replace(
        boosting,
        learning_rate=_FASTER * boosting.learning_rate,
        min_child_weight=max(boosting.min_child_weight, _FEWEST_IN_A_LEAF),
    )
    objective = {"objective": "reg:quantileerror", "quantile_alpha": list(QUANTILES)}
    return xgb.train(
        faster.parameters(Link.LOG, seed=seed) | objective,
        build_dmatrix(study, matrix, label),
        num_boost_round=-(-rounds // _FASTER),
    )
