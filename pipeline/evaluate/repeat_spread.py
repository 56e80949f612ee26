"""The table `repeat_spread`: how far the measures move when patients are dealt to other folds."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.draws import count_classes, measure_draws
from pipeline.evaluate.scores import Scores, scores_of_prediction
from pipeline.features import Matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit
from pipeline.models.refit import cross_fit_again, mean_rounds
from pipeline.splits import assign_folds
from pipeline.study.model import Study

_REPEATS = 3
# Each pair of folds is a model: with twenty folds as in some studies, 190 for every repeat.
_MOST_FOLDS, _FEWEST_FOLDS = 5, 3
_OF_RISKS = ("auroc", "brier", "calibration_slope", "observed_expected")
_OF_AMOUNTS = ("r2", "r2_log", "predictive_ratio")
_COLUMNS = ["target_id", "metric", "n_repeats", "mean", "sd", "low", "high"]


def build_repeat_spread(
    study: Study,
    fits: Mapping[str, CrossFit],
    matrix: Matrix,
    targets: pd.DataFrame,
    *,
    scored: npt.NDArray[np.bool_],
    boosting: Boosting,
) -> pd.DataFrame:
    """target_id, metric, n_repeats, mean, sd, low, high: our model on other folds; empty without rebuilds.

    targets: what models are trained on; scored: (n,) whom our model does not refuse, and who alone are measured.
    """
    found = []
    for repeat in range(1, _REPEATS + 1) if boosting.refits else ():
        again = _with_other_folds(study, repeat)
        folds = assign_folds(again, targets)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for target_id, fit in fits.items():
                observed = targets[target_id].to_numpy(np.float64)
                said = cross_fit_again(
                    study,
                    fit.target,
                    matrix,
                    observed,
                    folds,
                    boosting=boosting,
                    rounds=mean_rounds(fit),
                    seed=again.splits.seed,
                    pool=pool,
                )
                scores = scores_of_prediction(fit.target, said, observed)
                found += _measure(target_id, scores[scores.usable & scored])
    return _summarise(pd.DataFrame(found, columns=["target_id", "metric", "value"]))


def _with_other_folds(study: Study, repeat: int) -> Study:
    splits = study.splits
    folds = min(max(splits.folds, _FEWEST_FOLDS), _MOST_FOLDS)
    return study.model_copy(update={"splits": splits.model_copy(update={"folds": folds, "seed": splits.seed + repeat})})


def _measure(target_id: str, scores: Scores) -> list[tuple[str, str, float]]:
    metrics = _OF_AMOUNTS if scores.amount else _OF_RISKS
    if min(count_classes(scores)) == 0:
        return []
    measured = measure_draws(scores, metrics, [np.ones((1, len(scores.observed)))])
    return [(target_id, metric, float(value[0])) for metric, value in measured.items()]


def _summarise(found: pd.DataFrame) -> pd.DataFrame:
    spread = found.dropna().groupby(["target_id", "metric"], sort=False)["value"]
    return spread.agg(["count", "mean", "std", "min", "max"]).reset_index().set_axis(_COLUMNS, axis=1)
