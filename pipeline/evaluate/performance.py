"""The table `performance`: every model under every measure, on the patients that it is fair to compare it on."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.disclosure import SMALLEST_CELL, leave_out_enough
from pipeline.evaluate.resampling import summarise_draws
from pipeline.evaluate.sampling import keys_of, sample_measures
from pipeline.evaluate.scores import Scores, scores_of, scores_of_baseline
from pipeline.models.crossfit import CrossFit
from pipeline.models.rivals import OURS
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
AllScores = Mapping[str, Mapping[str, Scores]]
ALL = "all"
ALL_BASELINES = "all_baselines"
REFUSED = "refused"
# An end of a 95% interval is the 25th of so many draws: known to about a tenth of the distance from the estimate.
DRAWS = 1000

_COLUMNS = ["metric", "threshold", "estimate", "lower", "upper", "n", "n_events"]
# The same whatever is in them, so that tables without any number can be put together with others.
_TYPES = {**dict.fromkeys(["threshold", "estimate", "lower", "upper"], "float64"), "n": "int64", "n_events": "Int64"}


def collect_scores(
    study: Study,
    fits: Mapping[str, CrossFit],
    targets: pd.DataFrame,
    baselines: pd.DataFrame,
    *,
    rebuilds_inside: Mapping[str, Array] | None = None,
) -> dict[str, dict[str, Scores]]:
    """What our models and the study's baselines say, by target and model; all in the order of the rows of `targets`.

    targets: as observed, also of patients whom the models refuse. Further models may be added under their own names.
    rebuilds_inside: by outcome, shape (n, 2), as in `Scores`.
    """
    found: dict[str, dict[str, Scores]] = {}
    for target_id, fit in fits.items():
        observed = targets[target_id].to_numpy(np.float64)
        inside = (rebuilds_inside or {}).get(target_id)
        found[target_id] = {OURS: scores_of(fit, observed, rebuilds_inside=inside)}
        for b in study.baselines:
            if b.target == target_id:
                said = baselines[b.id].to_numpy(np.float64)
                found[target_id][b.id] = scores_of_baseline(b, said, observed)
    return found


def build_performance(study: Study, scores: AllScores, *, scored: Mask | None = None) -> pd.DataFrame:
    """target_id, model_id, population, metric, threshold, estimate, lower, upper, n, n_events.

    scores: by target and model, of all patients (n,), as `collect_scores` gives them. scored: (n,), whom our models
    do not refuse; everybody unless given. `all` are these; `all_baselines` are those whom all declared baselines could
    score, refused or not, since leaving refused ones out would flatter our model; `refused` are the others, where they
    are enough not to tell of a few.
    """
    jobs = [
        _Job({"target_id": target_id, "model_id": model_id, "population": population}, said[members])
        for target_id, models in scores.items()
        for population, members in populations_of(study, target_id, models, scored=scored).items()
        for model_id, said in models.items()
        if population != REFUSED or model_id == OURS
    ]

    def run(job: _Job) -> pd.DataFrame:
        thresholds = study.thresholds.get(job.labels["target_id"], [])
        table = evaluate(job.scores, thresholds=thresholds, draws=DRAWS, seed=study.splits.seed)
        for position, (name, value) in enumerate(job.labels.items()):
            table.insert(position, name, value)
        return table

    # NumPy lets threads work side by side.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return pd.concat(pool.map(run, jobs), ignore_index=True)


def populations_of(
    study: Study, target_id: str, models: Mapping[str, Scores], *, scored: Mask | None = None
) -> dict[str, Mask]:
    """The populations of `build_performance` as masks (n,); those that do not exist are left out."""
    ours = models[OURS]
    everybody = np.ones(len(ours.observed), dtype=bool)
    scored = everybody if scored is None else scored
    found = {ALL: scored}
    declared = [b.id for b in study.baselines if b.target == target_id and b.id in models]
    if declared:
        common = np.all([ours.usable, *(models[b].usable for b in declared)], axis=0)
        found[ALL_BASELINES] = leave_out_enough(common, ours.observed, seed=study.splits.seed)
    if tells_of_enough(ours[~scored]):
        found[REFUSED] = ~scored
    return found


def tells_of_enough(scores: Scores) -> bool:
    """Whether there are SMALLEST_CELL patients, or as many with as without the event, or more."""
    observed = scores.observed[scores.usable]
    if scores.amount is not None:
        return len(observed) >= SMALLEST_CELL
    return bool(SMALLEST_CELL <= observed.sum() <= len(observed) - SMALLEST_CELL)


def evaluate(scores: Scores, *, thresholds: list[float], draws: int, seed: int) -> pd.DataFrame:
    """metric, threshold, estimate, lower, upper (95%), n, n_events: every measure that fits the scores.

    Patients whose target or score is unknown are left out; `n` counts the rest.
    """
    scores = scores[scores.usable]
    n = len(scores.observed)
    if n == 0:
        return pd.DataFrame(columns=_COLUMNS).astype(_TYPES)
    events = int(scores.observed.sum()) if scores.amount is None else None
    samples = sample_measures(scores, keys_of(scores, thresholds), draws=draws, seed=seed)
    rows = [(*sample.key, *summarise_draws(sample.drawn), n, events) for sample in samples]
    return pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)


@dataclass(frozen=True)
class _Job:
    """One call of `evaluate`, and what its rows are labelled with."""

    labels: dict[str, str]
    scores: Scores
