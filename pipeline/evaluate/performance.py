"""The tables `performance` and `subgroup_performance`."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate import amount_metrics, outcome_metrics
from pipeline.evaluate.disclosure import leave_out_enough
from pipeline.evaluate.resampling import draw_weights, summarise_draws
from pipeline.evaluate.scores import Scores, scores_of, scores_of_baseline
from pipeline.models.crossfit import CrossFit
from pipeline.study.model import MISSING, Study

Array = npt.NDArray[np.float64]
OURS = "xgboost"
ALL = "all"
ALL_BASELINES = "all_baselines"
_RIGHT_AT_ONE = ("observed_expected", "calibration_slope", "predictive_ratio")
_NUMBERS_AT_ONCE = 200_000
_DRAWS_OVERALL = 400
_DRAWS_SUBGROUP = 200

_COLUMNS = ["metric", "threshold", "estimate", "lower", "upper", "n", "n_events"]
_SUBGROUP_COLUMNS = ["target_id", "model_id", "population", "attribute", "level", *_COLUMNS]


def evaluate(scores: Scores, *, thresholds: list[float], draws: int, seed: int) -> pd.DataFrame:
    """metric, threshold, estimate, lower, upper (95%), n, n_events: every measure that fits the scores.

    Patients whose target or score is unknown are left out; `n` counts the rest.
    """
    scores = scores[scores.usable]
    n = len(scores.observed)
    if n == 0:
        return pd.DataFrame(columns=_COLUMNS)
    w = draw_weights(n, draws=draws, seed=seed)
    # A few draws at a time stay in the processor's cache: measuring all at once takes more than twice as long.
    parts = np.array_split(w, max(1, w.size // _NUMBERS_AT_ONCE))
    measured = [list(_measures(scores, part, thresholds)) for part in parts]
    events = int(scores.observed.sum()) if scores.amount is None else None
    rows = [
        (same[0][0], same[0][1], *summarise_draws(np.concatenate([values for _, _, values in same])), n, events)
        for same in zip(*measured, strict=True)
    ]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n_events": "Int64"})


@dataclass(frozen=True)
class _Job:
    """One call of `evaluate`, and what its rows are labelled with."""

    labels: dict[str, str]
    scores: Scores
    seed: int


def build_performance(
    study: Study, fits: dict[str, CrossFit], targets: pd.DataFrame, baselines: pd.DataFrame
) -> pd.DataFrame:
    """target_id, model_id, population, metric, threshold, estimate, lower, upper, n, n_events."""
    jobs = []
    for target_id, fit in fits.items():
        observed = targets[target_id].to_numpy(np.float64)
        models = {OURS: scores_of(fit, observed)}
        for b in study.baselines:
            if b.target == target_id:
                models[b.id] = scores_of_baseline(b, baselines[b.id].to_numpy(np.float64), observed)
        populations = {ALL: np.ones(len(observed), dtype=bool)}
        if len(models) > 1:
            common = np.all([s.usable for s in models.values()], axis=0)
            populations[ALL_BASELINES] = leave_out_enough(common, observed, seed=study.splits.seed)
        for population, members in populations.items():
            for model_id, scores in models.items():
                labels = {"target_id": target_id, "model_id": model_id, "population": population}
                jobs.append(_Job(labels, scores[members], study.splits.seed))
    return _run(study, jobs, draws=_DRAWS_OVERALL)


def build_subgroup_performance(
    study: Study, fits: dict[str, CrossFit], targets: pd.DataFrame, subjects: pd.DataFrame
) -> pd.DataFrame:
    """As `build_performance` for our models, by attribute and level, with `suppressed` (nowhere yet) and `flag`."""
    jobs = []
    for target_id, fit in fits.items():
        scores = scores_of(fit, targets[target_id].to_numpy(np.float64))
        for attribute in study.subgroups:
            levels = subjects[attribute.id].to_numpy()
            for i, level in enumerate([*attribute.levels, MISSING]):
                members = levels == level
                if members.any():
                    labels = {"target_id": target_id, "model_id": OURS, "population": ALL}
                    labels |= {"attribute": attribute.id, "level": level}
                    jobs.append(_Job(labels, scores[members], study.splits.seed + i))
    table = _run(study, jobs, draws=_DRAWS_SUBGROUP) if jobs else pd.DataFrame(columns=_SUBGROUP_COLUMNS)
    return set_flags(table)


def _run(study: Study, jobs: list[_Job], *, draws: int) -> pd.DataFrame:
    """The rows of all jobs, in their order; NumPy lets threads work side by side."""

    def run(job: _Job) -> pd.DataFrame:
        thresholds = study.thresholds.get(job.labels["target_id"], [])
        table = evaluate(job.scores, thresholds=thresholds, draws=draws, seed=job.seed)
        for position, (name, value) in enumerate(job.labels.items()):
            table.insert(position, name, value)
        return table

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return pd.concat(pool.map(run, jobs), ignore_index=True)


def set_flags(table: pd.DataFrame) -> pd.DataFrame:
    """`table` with `flag`: the interval, as it is displayed, excludes 1 where 1 means "right".

    Rounded first: "1.10 (1.00 to 1.19) ◆" would be read as a mistake.
    """
    lower, upper = table["lower"].round(2), table["upper"].round(2)
    return table.assign(flag=table["metric"].isin(_RIGHT_AT_ONE) & ((lower > 1) | (upper < 1)), suppressed=False)


def _measures(scores: Scores, w: Array, thresholds: list[float]) -> Iterator[tuple[str, float | None, Array]]:
    y, said = scores.observed, scores.said
    if scores.amount is not None:
        for name, of_amount in amount_metrics.OVERALL.items():
            yield name, None, of_amount(y, scores.amount, w)
        return
    for name, of_risk in (outcome_metrics.RANKING if scores.only_ranks else outcome_metrics.OVERALL).items():
        yield name, None, of_risk(y, said, w)
    for threshold in [] if scores.only_ranks else thresholds:
        for name, at_threshold in outcome_metrics.AT_THRESHOLD.items():
            yield name, threshold, at_threshold(y, said, w, threshold=threshold)
