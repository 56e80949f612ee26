"""Cross-fitting: each patient is scored by a model that was built, recalibrated and measured without them."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, label_of, predict_margin
from pipeline.models.intervals import (
    ConformalScores,
    IntervalKind,
    conformal_bounds,
    fit_conformal,
    instability_bounds,
    measure_instability,
)
from pipeline.models.link import Link, link_of
from pipeline.models.recalibration import Recalibration, fit_recalibration
from pipeline.splits import Folds
from pipeline.study.model import Study, Target

Array = npt.NDArray[np.float64]
FINAL = -1


@dataclass(frozen=True)
class FittedModel:
    """A booster with what turns its margin into an estimate. `fold` is the held-out fold, FINAL for all patients."""

    fold: int
    booster: xgb.Booster
    rounds: int
    recalibration: Recalibration
    # The margin as a prediction of the logarithm of an amount, before dollars are made right in total.
    log_recalibration: Recalibration | None
    conformal: ConformalScores | None
    n_train: int


@dataclass(frozen=True)
class CrossFit:
    """Predictions of one target for every patient (n,), out of fold, and the models that made them.

    margin: recalibrated; estimate: its inverse link; bounds: (n, 4) lower_80, upper_80, lower_90, upper_90;
    log_prediction: the predicted logarithm of an amount (NaN for an outcome).
    """

    target: Target
    link: Link
    interval_kind: IntervalKind
    models: list[FittedModel]
    final: FittedModel
    margin: Array
    estimate: Array
    bounds: Array
    log_prediction: Array


def cross_fit(
    study: Study,
    target: Target,
    matrix: Matrix,
    observed: Array,
    folds: Folds,
    *,
    boosting: Boosting,
) -> CrossFit:
    """The cross-fitted predictions of `target`.

    matrix: (n, features); observed: (n,), NaN where not observed (such patients are scored, never trained on)."""
    link = link_of(target.kind)
    seen = ~np.isnan(observed)
    n_folds = int(folds.max()) + 1

    def run(fold: int) -> tuple[FittedModel, Array]:
        train = seen & (folds != fold)
        scored = matrix[folds == fold]
        seed = study.splits.seed + 1000 * (fold + 1)
        model = _fit(study, matrix[train], observed[train], fold=fold, link=link, boosting=boosting, seed=seed)
        if fold == FINAL:
            return model, np.empty((0, 5))
        margin = model.recalibration.apply(predict_margin(study, model.booster, scored))
        if model.conformal:
            bounds = conformal_bounds(margin, model.conformal, link=link)
        else:
            distance = measure_instability(
                study,
                matrix[train],
                observed[train],
                scored,
                margin,
                boosting=boosting,
                rounds=model.rounds,
                seed=seed,
            )
            bounds = instability_bounds(margin, distance, refits=boosting.refits)
        return model, np.column_stack([margin, bounds])

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(run, [*range(n_folds), FINAL]))
    models = [model for model, _ in results[:-1]]
    table = np.empty((len(observed), 5))
    for model, scores in results[:-1]:
        table[folds == model.fold] = scores
    return CrossFit(
        target=target,
        link=link,
        interval_kind=IntervalKind.CONFORMAL_PREDICTION if models[0].conformal else IntervalKind.MODEL_INSTABILITY,
        models=models,
        final=results[-1][0],
        margin=table[:, 0],
        estimate=link.inverse(table[:, 0]),
        bounds=table[:, 1:],
        log_prediction=_log_prediction(models, table[:, 0], folds),
    )


def _fit(
    study: Study, matrix: Matrix, observed: Array, *, fold: int, link: Link, boosting: Boosting, seed: int
) -> FittedModel:
    label = label_of(observed, link)
    inner = fit_inner(study, matrix, label, link=link, boosting=boosting, seed=seed)
    recalibration = fit_recalibration(inner.margin, observed, link=link)
    amounts = link is Link.LOG
    slope, intercept = np.polyfit(inner.margin, label, 1) if amounts else (0.0, 0.0)
    return FittedModel(
        fold=fold,
        booster=fit_booster(study, matrix, label, link=link, boosting=boosting, rounds=inner.rounds, seed=seed),
        rounds=inner.rounds,
        recalibration=recalibration,
        log_recalibration=Recalibration(float(intercept), float(slope)) if amounts else None,
        conformal=fit_conformal(recalibration.apply(inner.margin), observed) if amounts else None,
        n_train=len(observed),
    )


def _log_prediction(models: list[FittedModel], margin: Array, folds: Folds) -> Array:
    predicted = np.full(len(margin), np.nan)
    for model in models:
        if model.log_recalibration:
            own = folds == model.fold
            raw = (margin[own] - model.recalibration.intercept) / model.recalibration.slope
            predicted[own] = model.log_recalibration.apply(raw)
    return predicted
