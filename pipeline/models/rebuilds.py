"""A model rebuilt on resampled patients: what it then says of the same patients, and which features it says it by.

Every rebuild is a whole one: trees on a bootstrap sample of the rows, recalibration on the rows left out of it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.boosting import Boosting, fit_booster, label_of, predict_margin
from pipeline.models.link import Link
from pipeline.models.recalibration import fit_recalibration
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.unsignedinteger]

# As many as a page can name as a patient's reasons, and so few that all rebuilds of many patients fit into memory.
TOP = 5


@dataclass(frozen=True)
class Rebuilds:
    """margin: (rebuilds, n), recalibrated; top_features: (ranked, n, TOP), indices of what moved it most, most first.

    Only the first rebuilds are ranked. Where a study has fewer features than TOP, all of them are.
    """

    margin: Array
    top_features: Indices


# `map`, or that of a pool.
Each = Callable[[Callable[[int, Array], None], Iterable[int], Iterable[Array]], Iterable[None]]


def rebuild(
    study: Study,
    matrix: Matrix,
    observed: Array,
    scored: Matrix,
    *,
    link: Link,
    boosting: Boosting,
    rounds: int,
    seed: int,
    each: Each = map,
) -> Rebuilds:
    """What rebuilds of a model of `matrix` and `observed` say of the rows of `scored`.

    matrix: (n, features); observed: (n,), the event or the amount; rounds: trees of each rebuild; each: makes them,
    side by side if it likes.
    """
    rng = np.random.default_rng(seed)
    label = label_of(observed, link)
    ranked = min(boosting.refits, boosting.ranked_refits)
    refits = boosting.refits if link is Link.LOGIT else ranked
    margin = np.empty((refits, len(scored)))
    top = np.empty((ranked, len(scored), min(TOP, len(study.features))), dtype=_index_type(study))

    def remake(refit: int, weight: Array) -> None:
        booster = fit_booster(
            study, matrix, label, link=link, boosting=boosting, rounds=rounds, seed=seed + refit + 1, weight=weight
        )
        left_out = weight == 0
        raw = predict_margin(study, booster, matrix[left_out])
        recalibration = fit_recalibration(raw, observed[left_out], link=link)
        margin[refit] = recalibration.apply(predict_margin(study, booster, scored))
        if refit < ranked:
            top[refit] = rank_features(study, booster, scored)

    # Drawn one after the other, so that a rebuild is the same in whatever order they are made.
    weights = [_draw(observed, rng, link=link) for _ in range(refits)]
    list(each(remake, range(refits), weights))
    return Rebuilds(margin=margin, top_features=top)


def rank_features(study: Study, booster: xgb.Booster, matrix: Matrix) -> Indices:
    """The indices of the features with the largest |contribution| to each row's margin, largest first; (n, ≤ TOP)."""
    contributions = booster.predict(build_dmatrix(study, matrix), pred_contribs=True)[:, :-1]
    # Stable, so that of features that contribute alike (nothing, mostly) the study's first comes first.
    order = np.argsort(-np.abs(contributions), axis=1, kind="stable")
    return np.asarray(order[:, :TOP], dtype=_index_type(study))


def _index_type(study: Study) -> np.dtype[np.unsignedinteger]:
    return np.min_scalar_type(len(study.features))


def _draw(observed: Array, rng: np.random.Generator, *, link: Link) -> Array:
    """How often each row is drawn; anew until events and non-events are among the drawn and among those left out."""
    n, classes = len(observed), 2 if link is Link.LOGIT else 1
    while True:
        weight = rng.multinomial(n, np.full(n, 1 / n)).astype(np.float64)
        if all(len(np.unique(observed[part])) >= classes for part in (weight > 0, weight == 0)):
            return weight
