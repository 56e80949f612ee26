"""Cross-fitting: each patient is scored by a model that was built, recalibrated and measured without them."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, label_of, predict_margin
from pipeline.models.intervals import (
    Classes,
    Conformal,
    IntervalKind,
    conformal_bounds,
    fit_conformal,
    instability_bounds,
)
from pipeline.models.link import Link, link_of
from pipeline.models.quantiles import fit_quantiles, predict_quantiles
from pipeline.models.rebuilds import Each, Indices, Rebuilds, rebuild
from pipeline.models.recalibration import Recalibration, fit_recalibration
from pipeline.models.venn_abers import CrossVennAbers, fit_cross_venn_abers
from pipeline.splits import Folds
from pipeline.study.model import Study, Target

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
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
    # What the interval of an amount is made of: predicted quantiles, and how inner folds correct them.
    quantiles: xgb.Booster | None
    conformal: Conformal | None
    # What the calibration band of a new margin is read from; an amount has none.
    calibration: CrossVennAbers | None
    # The rows that trained it, and the recalibrated margins that its inner folds gave them without their own label.
    train_rows: Rows
    inner_margin: Array

    @property
    def n_train(self) -> int:
        return len(self.train_rows)


@dataclass(frozen=True)
class CrossFit:
    """Predictions of one target for every patient (n,), out of fold, and the models that made them.

    margin: recalibrated; estimate: its inverse link; bounds: (n, 4) lower_80, upper_80, lower_90, upper_90, NaN for an
    outcome without rebuilds; band: (n, 2) the calibration band of a risk, which need not hold the estimate, NaN for an
    amount; log_prediction: the predicted logarithm of an amount (NaN for an outcome); rebuilt: (rebuilds, n) the
    margins of rebuilds of the model that did not see the patient; top_features: (rebuilds ranked, n, 5) the features
    that moved the first of them most, as indices, largest first.
    """

    target: Target
    link: Link
    interval_kind: IntervalKind
    models: list[FittedModel]
    final: FittedModel
    margin: Array
    estimate: Array
    bounds: Array
    band: Array
    log_prediction: Array
    rebuilt: Array
    top_features: Indices


def cross_fit(
    study: Study,
    target: Target,
    matrix: Matrix,
    observed: Array,
    folds: Folds,
    *,
    boosting: Boosting,
    classes: Classes | None = None,
) -> CrossFit:
    """The cross-fitted predictions of `target`.

    matrix: (n, features); observed: (n,), NaN where not observed (such patients are scored, never trained on);
    classes: (n,), whose members share the errors that an amount's interval is made of, where there are enough of them.
    """
    link = link_of(target.kind)
    classes = np.full(len(folds), "") if classes is None else classes
    task = _Task(study, link, boosting, matrix=matrix, observed=observed, classes=classes)
    seen = ~np.isnan(observed)

    def fit(fold: int) -> FittedModel:
        return _fit(task, np.flatnonzero(seen & (folds != fold)), fold=fold, seed=_seed(study, fold))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        *models, final = pool.map(fit, [*range(int(folds.max()) + 1), FINAL])
        # Most of the time goes into rebuilds: these are shared among the threads, as folds would leave some idle.
        scored = _join([_score(task, model, np.flatnonzero(folds == model.fold), each=pool.map) for model in models])
    return CrossFit(
        target=target,
        link=link,
        interval_kind=IntervalKind.MODEL_INSTABILITY if link is Link.LOGIT else IntervalKind.CONFORMAL_PREDICTION,
        models=models,
        final=final,
        margin=scored.margin,
        estimate=link.inverse(scored.margin),
        bounds=scored.bounds,
        band=scored.band,
        log_prediction=_log_prediction(models, scored.margin, folds),
        rebuilt=scored.rebuilds.margin,
        top_features=scored.rebuilds.top_features,
    )


@dataclass(frozen=True)
class _Task:
    """What every fold's model is made from."""

    study: Study
    link: Link
    boosting: Boosting
    matrix: Matrix
    observed: Array
    classes: Classes


@dataclass(frozen=True)
class _Scored:
    """What a model says of `rows`, which it did not see: as in CrossFit."""

    rows: Rows
    margin: Array
    bounds: Array
    band: Array
    rebuilds: Rebuilds


def _fit(task: _Task, rows: Rows, *, fold: int, seed: int) -> FittedModel:
    """The model of `rows`, and what its inner folds tell of its errors."""
    study, link, boosting = task.study, task.link, task.boosting
    matrix, observed = task.matrix[rows], task.observed[rows]
    label = label_of(observed, link)
    inner = fit_inner(study, matrix, label, link=link, boosting=boosting, seed=seed)
    recalibration = fit_recalibration(inner.margin, observed, link=link)
    margin = recalibration.apply(inner.margin)
    model = FittedModel(
        fold=fold,
        booster=fit_booster(study, matrix, label, link=link, boosting=boosting, rounds=inner.rounds, seed=seed),
        rounds=inner.rounds,
        recalibration=recalibration,
        log_recalibration=None,
        quantiles=None,
        conformal=None,
        calibration=None,
        train_rows=rows,
        inner_margin=margin,
    )
    if link is Link.LOGIT:
        return replace(model, calibration=fit_cross_venn_abers(margin, observed, inner.folds))
    slope, intercept = np.polyfit(inner.margin, label, 1)
    quantiles = fit_quantiles(study, matrix, label, boosting=boosting, rounds=inner.rounds, seed=seed)
    return replace(
        model,
        log_recalibration=Recalibration(float(intercept), float(slope)),
        quantiles=quantiles.booster,
        conformal=fit_conformal(quantiles.inner, label, task.classes[rows]),
    )


def _seed(study: Study, fold: int) -> int:
    """Where chance starts for a fold's model; one for each rebuild follows it."""
    return study.splits.seed + 1000 * (fold + 1)


def _score(task: _Task, model: FittedModel, rows: Rows, *, each: Each) -> _Scored:
    """What `model` says of `rows`, which it did not see."""
    study, matrix = task.study, task.matrix[rows]
    margin = model.recalibration.apply(predict_margin(study, model.booster, matrix))
    rebuilds = rebuild(
        study,
        task.matrix[model.train_rows],
        task.observed[model.train_rows],
        matrix,
        link=task.link,
        boosting=task.boosting,
        rounds=model.rounds,
        seed=_seed(study, model.fold),
        each=each,
    )
    if model.quantiles and model.conformal:
        quantiles = predict_quantiles(study, model.quantiles, matrix)
        bounds = conformal_bounds(quantiles, margin, model.conformal, task.classes[rows])
    else:
        bounds = instability_bounds(margin, rebuilds.margin)
    band = model.calibration.band(margin) if model.calibration else np.full((len(rows), 2), np.nan)
    return _Scored(rows=rows, margin=margin, bounds=bounds, band=band, rebuilds=rebuilds)


def _join(parts: list[_Scored]) -> _Scored:
    """The parts as one, in the order of the rows."""
    order = np.argsort(np.concatenate([part.rows for part in parts]))
    return _Scored(
        rows=np.arange(len(order)),
        margin=np.concatenate([part.margin for part in parts])[order],
        bounds=np.concatenate([part.bounds for part in parts])[order],
        band=np.concatenate([part.band for part in parts])[order],
        rebuilds=Rebuilds(
            margin=np.concatenate([part.rebuilds.margin for part in parts], axis=1)[:, order],
            top_features=np.concatenate([part.rebuilds.top_features for part in parts], axis=1)[:, order],
        ),
    )


def _log_prediction(models: list[FittedModel], margin: Array, folds: Folds) -> Array:
    predicted = np.full(len(margin), np.nan)
    for model in models:
        if model.log_recalibration:
            own = folds == model.fold
            raw = (margin[own] - model.recalibration.intercept) / model.recalibration.slope
            predicted[own] = model.log_recalibration.apply(raw)
    return predicted
