"""Explanations of models that were trained otherwise: with another seed, on other folds, or on shuffled outcomes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.explain.contributions import explain_booster
from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, label_of
from pipeline.models.crossfit import CrossFit
from pipeline.models.rebuilds import Indices, rank_features
from pipeline.models.recalibration import fit_recalibration
from pipeline.splits import Folds
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]

# One fold is enough: these are figures about the procedure, and each training costs as much as one of a build.
FOLD = 0
_SEEDS = 5
_SHUFFLES = 2
# Far from the seeds that folds, inner folds and rebuilds are given.
_SEED_STEP = 7_919


@dataclass(frozen=True)
class TrainingSet:
    """What the models of one target learn from, in row order.

    matrix: (n, features); observed: (n,), NaN where not observed; folds: (n,); scored: (n,), who is shown an estimate.
    """

    study: Study
    fit: CrossFit
    matrix: Matrix
    observed: Array
    folds: Folds
    scored: npt.NDArray[np.bool_]
    boosting: Boosting

    def trained_by(self, fold: int) -> npt.NDArray[np.bool_]:
        """Whom the model of `fold` was trained on."""
        return np.asarray(~np.isnan(self.observed) & (self.folds != fold))

    def shown_in(self, fold: int) -> npt.NDArray[np.bool_]:
        """Whom the model of `fold` scored and explained."""
        return np.asarray(self.scored & (self.folds == fold))

    @property
    def seed(self) -> int:
        return self.study.splits.seed + _SEED_STEP


def rank_with_other_seeds(data: TrainingSet) -> Indices:
    """The first features (seeds, patients of FOLD, k) with the same training patients and another seed of the trees."""
    train, scored = data.trained_by(FOLD), data.shown_in(FOLD)
    label = label_of(data.observed[train], data.fit.link)
    ranks = []
    for i in range(_SEEDS):
        booster = fit_booster(
            data.study,
            data.matrix[train],
            label,
            link=data.fit.link,
            boosting=data.boosting,
            rounds=data.fit.models[FOLD].rounds,
            seed=data.seed * (i + 1),
        )
        ranks.append(rank_features(data.study, booster, data.matrix[scored]))
    return np.array(ranks)


def rank_with_other_folds(data: TrainingSet, chosen: npt.NDArray[np.int64]) -> Indices:
    """The first features (folds − 1, chosen, k) of the rows `chosen`, by the models of the folds they are not in.

    Those models were trained on these patients too, so this is a figure for all together and never one of a patient.
    """
    by_model = np.array([rank_features(data.study, model.booster, data.matrix[chosen]) for model in data.fit.models])
    count = len(by_model)
    others = (data.folds[chosen] + np.arange(1, count)[:, None]) % count
    return np.asarray(by_model[others, np.arange(len(chosen))])


def measure_shuffled(data: TrainingSet, contributions: Array) -> list[float]:
    """Mean |contribution| to the patients of FOLD after training on shuffled outcomes, over that of `contributions`.

    The whole procedure is repeated, from the number of trees to the recalibration; a ratio for each shuffle, and none
    where there is nothing that it could be of.
    """
    train, scored = data.trained_by(FOLD), data.shown_in(FOLD)
    usual = float(np.abs(contributions[scored]).sum()) / max(1, contributions[scored].size)
    if not usual:
        return []
    link = data.fit.link
    rng = np.random.default_rng(data.seed)
    ratios = []
    for _ in range(_SHUFFLES):
        shuffled = rng.permutation(data.observed[train])
        label = label_of(shuffled, link)
        rows = data.matrix[train]
        inner = fit_inner(data.study, rows, label, link=link, boosting=data.boosting, seed=data.seed)
        booster = fit_booster(
            data.study, rows, label, link=link, boosting=data.boosting, rounds=inner.rounds, seed=data.seed
        )
        raw, _ = explain_booster(data.study, booster, data.matrix[scored])
        slope = fit_recalibration(inner.margin, shuffled, link=link).slope
        ratios.append(float(np.abs(slope * raw).mean() / usual))
    return ratios
