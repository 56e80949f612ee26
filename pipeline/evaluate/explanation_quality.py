"""Explanations tested as if they were models: do they add up, follow the model, agree with another, and stay?"""

import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate import explanation_checks as checks
from pipeline.evaluate.deletion import (
    MOST_REMOVED,
    Deletion,
    Predict,
    build_deletion_curve,
    order_features,
    replace_features,
)
from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.explanation_checks import Check
from pipeline.evaluate.retrained import (
    FOLD,
    TrainingSet,
    measure_shuffled,
    rank_with_other_folds,
    rank_with_other_seeds,
)
from pipeline.evaluate.stability import (
    Stability,
    build_patient_stability,
    build_stability_distribution,
    compare_rebuilds,
    first_features,
)
from pipeline.explain.contributions import Contributions
from pipeline.models.boosting import predict_margin
from pipeline.models.crossfit import FittedModel

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# Enough for an interval of a few hundredths, and a tenth of the time that everybody would take.
_SAMPLE = 500
_BACKGROUND = 20
_COLUMNS = ["position", "check", "estimate", "lower", "upper", "n", "passed", "told"]


@dataclass(frozen=True)
class Examined:
    """What was found out about the explanations of one target; no `stability` where nothing was rebuilt."""

    checks: list[Check]
    stability: Stability | None
    curve: pd.DataFrame


def build_explanation_tables(
    training: Mapping[str, TrainingSet],
    explained: Mapping[str, Contributions],
    rival: Mapping[str, Array],
    subject_ids: pd.Series,
) -> dict[str, pd.DataFrame]:
    """The tables patient_stability, stability_distribution, explanation_quality and deletion_curve.

    rival: contributions (n, features) of an additive model on the same folds, for the targets that have one.
    Whoever is refused an estimate has no explanation, and is left out of everything but the training.
    """

    def run(target_id: str) -> Examined:
        return examine_explanations(training[target_id], explained[target_id], rival.get(target_id))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        examined = dict(zip(training, pool.map(run, training), strict=True))
    stability = {target_id: t.stability for target_id, t in examined.items() if t.stability}
    return {
        "patient_stability": build_patient_stability(stability, subject_ids[_scored_by(training)]),
        "stability_distribution": build_stability_distribution(stability),
        "explanation_quality": pd.concat(
            [_build_checks(t.checks, target_id) for target_id, t in examined.items()], ignore_index=True
        ),
        "deletion_curve": pd.concat([t.curve for t in examined.values()], ignore_index=True),
    }


def examine_explanations(data: TrainingSet, explained: Contributions, rival: Array | None) -> Examined:
    """Every check of one target's explanations; the parameters are as in `build_explanation_tables`."""
    scored, features = data.scored, data.matrix.shape[1]
    shown, sample = first_features(explained.by_feature), _draw_sample(data)
    rebuilt = data.fit.top_features
    stability = compare_rebuilds(shown[scored], rebuilt[:, scored]) if len(rebuilt) else None
    by_seed = compare_rebuilds(shown[data.shown_in(FOLD)], rank_with_other_seeds(data))
    by_fold = compare_rebuilds(shown[sample], rank_with_other_folds(data, sample))
    shuffled = measure_shuffled(data, explained.by_feature)
    deletion = delete_features(data, explained.by_feature, sample)
    found = [
        *checks.check_sums(data.study, data.fit, explained, data.folds),
        *checks.check_deletion(deletion, seed=data.seed),
        checks.check_shuffled(shuffled, n=int(data.shown_in(FOLD).sum())),
        *checks.check_stability(stability, n=int(scored.sum()), features=features),
        *checks.check_other_training(by_seed, by_fold, features=features),
        *([] if rival is None else checks.check_agreement(explained.by_feature[scored], rival[scored])),
    ]
    curve = build_deletion_curve(deletion, target_id=data.fit.target.id, seed=data.seed)
    return Examined(found, stability, curve if len(sample) >= SMALLEST_CELL else curve.head(0))


def delete_features(data: TrainingSet, contributions: Array, sample: Rows) -> Deletion:
    """How far the margins of `sample` move as features are replaced, by the fold model that did not see the patient.

    contributions: (n, features) of everybody, whose order is tested.
    """
    count = contributions.shape[1]
    most = min(MOST_REMOVED, count)
    orders = order_features(contributions[sample], np.abs(contributions).mean(axis=0), seed=data.seed)
    moved = {taken: np.zeros((len(sample), most + 1)) for taken in orders}
    rng = np.random.default_rng(data.seed)
    for model in data.fit.models:
        own = data.folds[sample] == model.fold
        if not own.any():
            continue
        rows = data.matrix[sample[own]]
        train = np.flatnonzero(data.trained_by(model.fold))
        background = data.matrix[rng.choice(train, (len(rows), _BACKGROUND))]
        for taken, order in orders.items():
            moved[taken][own] = replace_features(
                _predictor(data, model),
                rows,
                background,
                order[own],
                most=most,
            )
    return Deletion(moved)


def _predictor(data: TrainingSet, model: FittedModel) -> Predict:
    """The recalibrated margin by one model, as a function of the matrix alone."""
    return lambda matrix: model.recalibration.apply(predict_margin(data.study, model.booster, matrix))


def _scored_by(training: Mapping[str, TrainingSet]) -> npt.NDArray[np.bool_]:
    """Who is shown estimates: the same patients for every target."""
    return next(iter(training.values())).scored


def _draw_sample(data: TrainingSet) -> Rows:
    return np.sort(np.random.default_rng(data.seed).permutation(np.flatnonzero(data.scored))[:_SAMPLE])


def _build_checks(found: list[Check], target_id: str) -> pd.DataFrame:
    """target_id and `_COLUMNS`; what rests on too few patients says only that."""
    rows = []
    for position, c in enumerate(found):
        if c.n < SMALLEST_CELL:
            few = f"Not estimable, because it would rest on fewer than {SMALLEST_CELL} patients"
            rows.append((position, c.check, *[math.nan] * 3, c.n, None, few))
        else:
            rows.append((position, c.check, c.estimate, c.lower, c.upper, c.n, c.passed, c.told))
    table = pd.DataFrame(rows, columns=_COLUMNS).astype({"passed": "boolean"})
    table.insert(0, "target_id", target_id)
    return table
