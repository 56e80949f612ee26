"""Boosted trees: how many rounds, the inner out-of-fold margins, and the fit on a whole training set."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.link import Link
from pipeline.models.loss import Loss, loss_of
from pipeline.splits import Folds, inner_folds
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
    # The rebuilds whose features are ranked, which takes longer than growing them. An amount is rebuilt for that only.
    ranked_refits: int = 8

    def parameters(self, link: Link, *, seed: int) -> dict[str, object]:
        """XGBoost's parameters for a target of this link."""
        return {
            "objective": loss_of(link).objective,
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
    """What the inner folds of a training set tell: the number of rounds, and a margin for each training row.

    folds: (n,), the inner fold of each row, which its margin was made without.
    """

    rounds: int
    margin: Array
    folds: Folds


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
    rounds = _find_rounds(pairs, loss_of(link), boosting)
    margin = np.empty(len(label))
    for k, (booster, _, held_out) in enumerate(pairs):
        margin[folds == k] = booster.predict(held_out, output_margin=True, iteration_range=(0, rounds))
    return InnerFit(rounds=rounds, margin=margin, folds=folds)


def fit_booster(
    study: Study,
    matrix: Matrix,
    label: Array,
    *,
    link: Link,
    boosting: Boosting,
    rounds: int,
    seed: int,
    weight: Array | None = None,
) -> xgb.Booster:
    """A booster of exactly `rounds` trees on the whole training set."""
    data = build_dmatrix(study, matrix, label)
    if weight is not None:
        data.set_weight(weight)
    parameters = boosting.parameters(link, seed=seed) | _base_score(label)
    return xgb.train(parameters, data, num_boost_round=rounds, obj=loss_of(link).gradient)


def predict_margin(study: Study, booster: xgb.Booster, matrix: Matrix) -> Array:
    """The booster's margin for each row of `matrix`."""
    return np.asarray(booster.predict(build_dmatrix(study, matrix), output_margin=True), dtype=np.float64)


_Pair = tuple[xgb.Booster, xgb.DMatrix, xgb.DMatrix]


def _inner_pair(
    study: Study, matrix: Matrix, label: Array, held_out: npt.NDArray[np.bool_], parameters: Mapping[str, object]
) -> _Pair:
    train = build_dmatrix(study, matrix[~held_out], label[~held_out])
    test = build_dmatrix(study, matrix[held_out], label[held_out])
    return xgb.Booster(dict(parameters) | _base_score(label[~held_out]), [train, test]), train, test


def _base_score(label: Array) -> dict[str, object]:
    """Where boosting starts: the mean label. XGBoost estimates it only for objectives of its own."""
    return {"base_score": float(np.mean(label))}


def _find_rounds(pairs: list[_Pair], loss: Loss, boosting: Boosting) -> int:
    """The number of rounds with the lowest mean loss, once it has not fallen for `patience` rounds."""
    labels = [test.get_label() for _, _, test in pairs]
    best, best_loss = 1, np.inf
    for i in range(boosting.max_rounds):
        losses = []
        for (booster, train, test), label in zip(pairs, labels, strict=True):
            booster.update(train, i, fobj=loss.gradient)
            losses.append(loss.value(label, booster.predict(test, output_margin=True)))
        if (mean := float(np.mean(losses))) < best_loss:
            best, best_loss = i + 1, mean
        elif i + 1 - best >= boosting.patience:
            break
    return best
