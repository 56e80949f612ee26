"""Boosted trees: how many rounds, the inner out-of-fold margins, and the fit on a whole training set."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.link import Link
from pipeline.splits import inner_folds
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Boosting:
    """How trees are grown. Chosen once for small tabular cohorts, not tuned to any study's results."""

    learning_rate: float = 0.05
    max_depth: int = 4
    min_child_weight: float = 5.0
    subsample: float = 0.8
    colsample_bytree: float = 0.5
    reg_lambda: float = 2.0
    max_bin: int = 64
    max_rounds: int = 1500
    patience: int = 30
    inner_folds: int = 5
    refits: int = 20

    def parameters(self, link: Link, *, seed: int) -> dict[str, object]:
        """XGBoost's parameters for a target of this link."""
        outcome = link is Link.LOGIT
        return {
            "objective": "binary:logistic" if outcome else "reg:squarederror",
            "eval_metric": "logloss" if outcome else "rmse",
            "tree_method": "hist",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "min_child_weight": self.min_child_weight,
            "subsample": self.subsample,
            "colsample_bytree": self.colsample_bytree,
            "reg_lambda": self.reg_lambda,
            "max_bin": self.max_bin,
            "seed": seed,
            # One thread a model: models are trained side by side, and the result does not depend on the machine.
            "nthread": 1,
        }


@dataclass(frozen=True)
class InnerFit:
    """What the inner folds of a training set tell: the number of rounds, and a margin for each training row."""

    rounds: int
    margin: Array


def label_of(observed: Array, link: Link) -> Array:
    """What the trees are fitted to: the event itself, or the logarithm of an amount."""
    return observed if link is Link.LOGIT else np.log(observed)


def fit_inner(study: Study, matrix: Matrix, label: Array, *, link: Link, boosting: Boosting, seed: int) -> InnerFit:
    """Early stopping on the mean error of inner folds, grown side by side; margins are from the fold's own rounds.

    matrix: (n, features); label: (n,). No row outside this training set is looked at.
    """
    folds = inner_folds(len(label), folds=boosting.inner_folds, seed=seed)
    parameters = boosting.parameters(link, seed=seed)
    pairs = [_inner_pair(study, matrix, label, folds == k, parameters) for k in range(boosting.inner_folds)]
    rounds = _find_rounds(pairs, boosting)
    margin = np.empty(len(label))
    for k, (booster, _, held_out) in enumerate(pairs):
        margin[folds == k] = booster.predict(held_out, output_margin=True, iteration_range=(0, rounds))
    return InnerFit(rounds=rounds, margin=margin)


def fit_booster(
    study: Study,
    matrix: Matrix,
    label: Array,
    *,
    parameters: Mapping[str, object],
    rounds: int,
    weight: Array | None = None,
) -> xgb.Booster:
    """A booster of exactly `rounds` trees on the whole training set."""
    data = build_dmatrix(study, matrix, label)
    if weight is not None:
        data.set_weight(weight)
    return xgb.train(dict(parameters), data, num_boost_round=rounds)


def predict_margin(study: Study, booster: xgb.Booster, matrix: Matrix) -> Array:
    """The booster's margin for each row of `matrix`."""
    return np.asarray(booster.predict(build_dmatrix(study, matrix), output_margin=True), dtype=np.float64)


_Pair = tuple[xgb.Booster, xgb.DMatrix, xgb.DMatrix]


def _inner_pair(
    study: Study, matrix: Matrix, label: Array, held_out: npt.NDArray[np.bool_], parameters: Mapping[str, object]
) -> _Pair:
    train = build_dmatrix(study, matrix[~held_out], label[~held_out])
    test = build_dmatrix(study, matrix[held_out], label[held_out])
    return xgb.Booster(dict(parameters), [train, test]), train, test


def _find_rounds(pairs: list[_Pair], boosting: Boosting) -> int:
    """The number of rounds with the lowest mean error, once it has not fallen for `patience` rounds."""
    best, best_error = 1, np.inf
    for i in range(boosting.max_rounds):
        errors = [_grow(booster, train, test, i) for booster, train, test in pairs]
        if (error := float(np.mean(errors))) < best_error:
            best, best_error = i + 1, error
        elif i + 1 - best >= boosting.patience:
            break
    return best


def _grow(booster: xgb.Booster, train: xgb.DMatrix, test: xgb.DMatrix, iteration: int) -> float:
    booster.update(train, iteration)
    return float(str(booster.eval(test)).rsplit(":", 1)[1])
