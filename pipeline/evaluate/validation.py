"""The table `validation`: models of some sites or periods, measured on one that they have never seen.

Internal-external validation (Steyerberg & Harrell 2016, doi:10.1016/j.jclinepi.2015.04.005).
"""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.draws import measure_draws
from pipeline.evaluate.resampling import iterate_weights, summarise_draws
from pipeline.evaluate.scores import scores_of_prediction
from pipeline.features import Matrix
from pipeline.models.boosting import Boosting
from pipeline.models.crossfit import CrossFit
from pipeline.models.refit import fit_elsewhere, mean_rounds
from pipeline.study.model import Kind, Study

Array = npt.NDArray[np.float64]
Members = npt.NDArray[np.bool_]

OTHERS = "others"
JUDGED = "judged"
_DRAWS = 400
# As many of each class as a study's targets need at least, or as many amounts.
_FEWEST_EVENTS, _FEWEST_AMOUNTS = 20, 50
_OF_RISKS = ("auroc", "auprc", "brier", "calibration_intercept", "calibration_slope", "observed_expected")
_OF_AMOUNTS = ("r2", "r2_log", "predictive_ratio", "interval_coverage_80", "interval_coverage_90")
_KEYS = ["target_id", "attribute", "trained_on", "level", "metric"]
_COLUMNS = [*_KEYS, "estimate", "lower", "upper", "n", "n_events", "judgement"]


@dataclass(frozen=True)
class _Split:
    """Rows to train on, and rows of one level to measure on."""

    target_id: str
    attribute: str
    trained_on: str
    level: str
    train: Members
    measured: Members


def build_validation(
    study: Study,
    fits: Mapping[str, CrossFit],
    matrix: Matrix,
    targets: pd.DataFrame,
    subjects: pd.DataFrame,
    *,
    scored: Members,
    boosting: Boosting,
) -> pd.DataFrame:
    """target_id, attribute, trained_on, level, metric, estimate, lower, upper (95%), n, n_events, judgement.

    By the study's `validation`; empty without rebuilds. Trees and recalibration come from the training levels alone;
    the number of rounds is the mean of the main fit's. scored: (n,) whom our model does not refuse, and who alone are
    measured.
    """
    splits = [s for target_id in fits for s in _splits(study, target_id, targets, subjects, scored)]

    def run(split: _Split) -> list[tuple[object, ...]]:
        return list(_validate(study, fits[split.target_id], matrix, targets, split, boosting=boosting))

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rows = [row for found in pool.map(run, splits if boosting.refits else []) for row in found]
    return pd.DataFrame(rows, columns=_COLUMNS).astype({"n": "Int64", "n_events": "Int64"})


def _splits(
    study: Study, target_id: str, targets: pd.DataFrame, subjects: pd.DataFrame, scored: Members
) -> Iterator[_Split]:
    seen = targets[target_id].notna().to_numpy()
    for validation in study.validation:
        attribute = study.attribute(validation.attribute)
        levels = subjects[attribute.id].to_numpy()
        trained_on = ", ".join(validation.train) or OTHERS
        for level in attribute.levels:
            if level not in validation.train:
                train = levels != level if validation.leaves_one_out else np.isin(levels, validation.train)
                measured = seen & scored & (levels == level)
                yield _Split(target_id, attribute.id, trained_on, level, seen & train, measured)


def _validate(
    study: Study, fit: CrossFit, matrix: Matrix, targets: pd.DataFrame, split: _Split, *, boosting: Boosting
) -> Iterator[tuple[object, ...]]:
    target, observed = fit.target, targets[split.target_id].to_numpy(np.float64)
    key = (split.target_id, split.attribute, split.trained_on, split.level)
    if reason := _too_few(observed[split.train], observed[split.measured], target.kind):
        for metric in _metrics(target.kind):
            yield (*key, metric, None, None, None, None, None, f"not estimable: {reason}")
        return
    train, measured = np.flatnonzero(split.train), np.flatnonzero(split.measured)
    said = fit_elsewhere(
        study,
        target,
        matrix,
        observed,
        train,
        measured,
        boosting=boosting,
        rounds=mean_rounds(fit),
        seed=study.splits.seed,
    )
    scores = scores_of_prediction(target, said, observed[measured])
    n, events = len(measured), int(observed[measured].sum()) if target.kind is Kind.OUTCOME else None
    weights = iterate_weights(n, draws=_DRAWS, seed=study.splits.seed)
    for metric, values in measure_draws(scores, _metrics(target.kind), weights).items():
        yield (*key, metric, *summarise_draws(values), n, events, JUDGED)


def _metrics(kind: Kind) -> tuple[str, ...]:
    return _OF_RISKS if kind is Kind.OUTCOME else _OF_AMOUNTS


def _too_few(trained: Array, measured: Array, kind: Kind) -> str | None:
    """Why a split shows nothing, in words, or None."""
    for of, values in (("to learn from", trained), ("to measure on", measured)):
        if kind is Kind.OUTCOME and min(values.sum(), (1 - values).sum()) < _FEWEST_EVENTS:
            return f"fewer than {_FEWEST_EVENTS} patients with or without the event {of}"
        if kind is not Kind.OUTCOME and len(values) < _FEWEST_AMOUNTS:
            return f"fewer than {_FEWEST_AMOUNTS} patients {of}"
    return None
