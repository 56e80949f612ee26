"""Our model fitted again, on other folds or on some patients only, with the number of rounds that was found before.

What is learnt about patients (trees, recalibration) is learnt anew from the training rows alone; only the number of
rounds is reused, since searching for it takes most of the time.
"""

from concurrent.futures import Executor
from itertools import combinations

import numpy as np
import numpy.typing as npt

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, label_of, predict_margin
from pipeline.models.crossfit import CrossFit
from pipeline.models.link import Link, link_of
from pipeline.models.readout import Prediction, fit_readout, silent
from pipeline.splits import Folds, inner_folds
from pipeline.study.model import Study, Target

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def mean_rounds(fit: CrossFit) -> int:
    """The mean number of rounds over the models of the folds."""
    return round(float(np.mean([model.rounds for model in fit.models])))


def cross_fit_again(
    study: Study,
    target: Target,
    matrix: Matrix,
    observed: Array,
    folds: Folds,
    *,
    boosting: Boosting,
    rounds: int,
    seed: int,
    pool: Executor,
) -> Prediction:
    """Cross-fitted predictions on `folds` (three or more), recalibrated without the patients they are of.

    The model that saw neither fold j nor fold k scores j as an inner fold when k is held out, and k when j is: each
    pair of folds costs one model instead of two.
    """
    link = link_of(target.kind)
    seen = ~np.isnan(observed)
    n_folds = int(folds.max()) + 1
    left_out = [*((k,) for k in range(n_folds)), *combinations(range(n_folds), 2)]

    def score(pair: tuple[int, ...]) -> Array:
        out = np.isin(folds, pair)
        raw = np.full(len(folds), np.nan)
        rows, scored = np.flatnonzero(seen & ~out), np.flatnonzero(out)
        raw[out] = _fit_and_score(
            study, matrix, observed, rows, scored, link=link, boosting=boosting, rounds=rounds, seed=seed
        )
        return raw

    raw = dict(zip(left_out, pool.map(score, left_out), strict=True))
    said = silent(len(observed))
    for k in range(n_folds):
        inner = np.full(len(observed), np.nan)
        for j in (j for j in range(n_folds) if j != k):
            inner[folds == j] = raw[min(j, k), max(j, k)][folds == j]
        rows = seen & (folds != k)
        said.put(folds == k, fit_readout(inner[rows], observed[rows], link=link).predict(raw[k,][folds == k]))
    return said


def fit_elsewhere(
    study: Study,
    target: Target,
    matrix: Matrix,
    observed: Array,
    train: Rows,
    scored: Rows,
    *,
    boosting: Boosting,
    rounds: int,
    seed: int,
) -> Prediction:
    """What a model of the rows `train`, all observed, says of the rows `scored`; recalibrated on inner folds."""
    link = link_of(target.kind)
    folds = inner_folds(len(train), folds=boosting.inner_folds, seed=seed)
    raw = np.empty(len(train))

    def score(rows: Rows, others: Rows) -> Array:
        return _fit_and_score(
            study, matrix, observed, rows, others, link=link, boosting=boosting, rounds=rounds, seed=seed
        )

    for k in range(boosting.inner_folds):
        raw[folds == k] = score(train[folds != k], train[folds == k])
    return fit_readout(raw, observed[train], link=link).predict(score(train, scored))


def _fit_and_score(
    study: Study,
    matrix: Matrix,
    observed: Array,
    train: Rows,
    scored: Rows,
    *,
    link: Link,
    boosting: Boosting,
    rounds: int,
    seed: int,
) -> Array:
    label = label_of(observed[train], link)
    booster = fit_booster(study, matrix[train], label, link=link, boosting=boosting, rounds=rounds, seed=seed)
    return predict_margin(study, booster, matrix[scored])
