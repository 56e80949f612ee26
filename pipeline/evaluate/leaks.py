"""The leak audit: what each column knows that nobody could have known at index time.

Four signs, each with a limit: being missing predicts the outcome; a value is copied from what the target is made of; a
value occurs almost only with one outcome; a column tells more than a finding of index time plausibly can.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import norm, rankdata

from pipeline.cohort import Cohort
from pipeline.evaluate.columns import EXCLUDED, FEATURE, Column, excluded_columns, feature_columns
from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.features import Matrix
from pipeline.models.boosting import label_of, predict_margin
from pipeline.models.crossfit import CrossFit
from pipeline.models.link import Link
from pipeline.numerals import format_number, format_of_100
from pipeline.splits import Folds
from pipeline.study.model import Study, columns_in

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

# In SUPPORT2 a gap in blood gases, which are ordered for the very ill, reaches 0.61; one in what only those could
# answer who were well enough reaches 0.70.
_MISSING_LIMIT = 0.65
# What shuffling may cost a feature, as a share of what is to be explained: about three times the most that an honest
# feature of SUPPORT2 costs (0.07 for outcomes; 0.22 for an amount, which contains days that had passed already).
_FEATURE_LIMIT = {Link.LOGIT: 0.25, Link.LOG: 0.7}
# What an excluded column may add to the model that is there, on the same scale. In SUPPORT2 what the patients' own
# physicians expected, the best of judgements at index time, adds 0.04 to outcomes and 0.02 to amounts.
_EXCLUDED_LIMIT = 0.05
# The share of rows in which two columns are equal, beyond what neighbouring values are by chance.
_COPIED_LIMIT = 0.1
_SAME_ORDER_LIMIT = 0.95
# Below, columns are categories or counts, and equal values are no sign of a copy.
_FEWEST_VALUES = 15
# How much likelier, as odds, the event is with one value than without. A Glasgow score of 3 has about 10.
_ODDS_LIMIT = 30.0
_NEARLY_ALL = 0.95
_FEWEST_WITH_VALUE = 50
_MOST_VALUES = 50
# Several thousand comparisons are made; none should be found by chance.
_SURE = 4.0
_BINS = 20
_RIDGE = 5.0
_STEPS = 6
_COLUMNS = {
    **dict.fromkeys(("target_id", "column_name", "declared"), "str"),
    **{"n": "int64", "alone": "float64", "missing_share": "float64", "missing_alone": "float64", "gain": "float64"},
    **{"finding": "bool", "why": "string"},
}


@dataclass(frozen=True)
class _Case:
    """A target where it was observed: what happened, what the model says out of fold, what the target is made of."""

    target_id: str
    fit: CrossFit
    seen: npt.NDArray[np.bool_]
    label: Array
    margin: Array
    folds: Folds
    parts: tuple[Column, ...]

    @property
    def link(self) -> Link:
        return self.fit.link

    @property
    def constant(self) -> Array:
        """The margin of who knows nothing of any patient."""
        mean = np.full(len(self.label), np.mean(self.label))
        return self.link.forward(mean) if self.link is Link.LOGIT else mean

    def explained(self, margin: Array) -> float:
        """The share of the log loss of an outcome, or of the variance of an amount's logarithm, that goes."""
        return 1 - self.loss(margin) / self.loss(self.constant)

    def loss(self, margin: Array) -> float:
        """The mean log loss of an outcome, or squared error of the logarithm of an amount."""
        if self.link is Link.LOGIT:
            return float(np.mean(np.logaddexp(0.0, margin) - self.label * margin))
        return float(np.mean((self.label - margin) ** 2))


def build_leak_audit(
    study: Study, cohort: Cohort, fits: dict[str, CrossFit], matrix: Matrix, folds: Folds
) -> pd.DataFrame:
    """One row a target and column, features and excluded ones; columns as in the contract of `leak_audit`.

    matrix: (n, features); folds: (n,).
    """
    features, excluded = feature_columns(study, cohort), excluded_columns(study, cohort)
    known = {c.name: c for c in [*features, *excluded]}
    jobs = []
    for target in study.targets:
        parts = tuple(known[c] for c in sorted(columns_in(target.sql, known)))
        case = _case(fits[target.id], cohort.targets[target.id].to_numpy(np.float64), folds, parts)
        for position, column in enumerate(features):
            jobs.append(
                partial(_audit, case, column, partial(_lost_by_shuffling, study, case, matrix, folds, position))
            )
        for column in excluded:
            jobs.append(partial(_audit, case, column, partial(_added, case, column)))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        rows = list(pool.map(lambda job: job(), jobs))
    return pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)


def _case(fit: CrossFit, observed: Array, folds: Folds, parts: tuple[Column, ...]) -> _Case:
    seen = ~np.isnan(observed)
    margin = fit.margin if fit.link is Link.LOGIT else fit.log_prediction
    return _Case(fit.target.id, fit, seen, label_of(observed[seen], fit.link), margin[seen], folds[seen], parts)


def _audit(case: _Case, column: Column, measure_gain: "partial[float]") -> tuple[object, ...]:
    values = column.coded[case.seen]
    missing = np.isnan(values)
    enough = _is_missing_often(case, missing)
    by_missing = _auroc(_as_event(case), missing.astype(np.float64)) if enough else 0.5
    by_missing, gain = max(by_missing, 1 - by_missing), measure_gain()
    signs = list(_signs(case, column, by_missing, gain))
    finding = column.declared == FEATURE and bool(signs)
    share = float(missing.mean()) if enough or not missing.any() else None
    head = (case.target_id, column.name, column.declared, int(case.seen.sum()), _alone(case, values))
    return (*head, share, by_missing if enough else None, gain, finding, _say(case, column, signs, gain))


def _is_missing_often(case: _Case, missing: npt.NDArray[np.bool_]) -> bool:
    """Whether enough patients are with and without a value, and with and without the event, to speak of them."""
    event = _as_event(case) == 1
    cells = [np.sum(a & b) for a in (missing, ~missing) for b in (event, ~event)]
    return bool(min(cells) >= SMALLEST_CELL)


def _as_event(case: _Case) -> Array:
    """The outcome, or whether the amount is above its median."""
    return case.label if case.link is Link.LOGIT else (case.label > np.median(case.label)).astype(np.float64)


def _auroc(event: Array, score: Array) -> float:
    """How often one with the event has the higher score; ties count half."""
    n_event = event.sum()
    ranks = rankdata(score)[event == 1].sum()
    return float((ranks - n_event * (n_event + 1) / 2) / (n_event * (len(event) - n_event)))


# What a column predicts


def _alone(case: _Case, values: Array) -> float:
    """The AUROC, or the share of the variance of the logarithm, of the column alone, out of fold."""
    margin = _adjust(case, values, case.constant)
    return _auroc(case.label, margin) if case.link is Link.LOGIT else case.explained(margin)


def _added(case: _Case, column: Column) -> float:
    """How much more is explained where the column may adjust the model's margin, out of fold."""
    return case.explained(_adjust(case, column.coded[case.seen], case.margin)) - case.explained(case.margin)


def _adjust(case: _Case, values: Array, start: Array) -> Array:
    """`start`, moved for each bin of `values` by what the other folds tell; missing is a bin of its own."""
    bins = _bins(values)
    moved = start.copy()
    for fold in np.unique(case.folds):
        own = case.folds == fold
        moved[own] += _fit_bins(case, bins, start, ~own)[bins[own]]
    return moved


def _bins(values: Array) -> Codes:
    missing = np.isnan(values)
    if missing.all():
        return np.zeros(len(values), dtype=np.int64)
    different, counts = np.unique(values[~missing], return_counts=True)
    edges = (
        np.quantile(values[~missing], np.linspace(0, 1, _BINS + 1)[1:-1])
        if len(different) > _MOST_VALUES
        else different
    )
    # A value that many share, such as a code, stands by itself.
    edges = np.unique([*edges, *different[counts >= _FEWEST_WITH_VALUE]])
    bins = np.searchsorted(edges, values, side="right") + 1
    return np.where(missing, 0, bins)


def _fit_bins(case: _Case, bins: Codes, start: Array, train: npt.NDArray[np.bool_]) -> Array:
    """How far each bin is moved: ridge regression on indicators, by Newton's method; shape (bins,)."""
    size = int(bins.max()) + 1
    own, label, margin = bins[train], case.label[train], start[train]
    step = np.zeros(size)
    for _ in range(_STEPS if case.link is Link.LOGIT else 1):
        now = margin + step[own]
        risk = expit(now)
        surprise, weight = (
            (label - risk, risk * (1 - risk)) if case.link is Link.LOGIT else (label - now, np.ones(len(now)))
        )
        gradient = np.bincount(own, surprise, size) - _RIDGE * step
        step = step + gradient / (np.bincount(own, weight, size) + _RIDGE)
    return step


def _lost_by_shuffling(study: Study, case: _Case, matrix: Matrix, folds: Folds, position: int) -> float:
    """How much less is explained where a feature is shuffled among the patients of each held-out fold."""
    margin = np.empty(len(matrix))
    for model in case.fit.models:
        own = np.flatnonzero(folds == model.fold)
        shuffled = matrix[own].copy()
        shuffled[:, position] = np.random.default_rng(study.splits.seed + model.fold).permutation(shuffled[:, position])
        recalibration = model.log_recalibration or model.recalibration
        margin[own] = recalibration.apply(predict_margin(study, model.booster, shuffled))
    return case.explained(case.margin) - case.explained(margin[case.seen])


# The signs of a leak


def _signs(case: _Case, column: Column, by_missing: float, gain: float) -> Iterator[str]:
    values = column.coded[case.seen]
    if case.link is Link.LOGIT:
        yield from _telling_gaps(case, np.isnan(values), by_missing)
        yield from _telling_values(case, column, values)
    yield from (sign for part in case.parts if part.name != column.name for sign in _copied(case, column, part))
    limit = _FEATURE_LIMIT[case.link] if column.declared == FEATURE else _EXCLUDED_LIMIT
    if gain >= limit:
        yield "it tells more than a finding of index time plausibly can"


def _telling_gaps(case: _Case, missing: npt.NDArray[np.bool_], by_missing: float) -> Iterator[str]:
    """Whether being missing predicts an outcome. Amounts are spared: what is dear is also measured more often."""
    chance = float(np.sqrt((1 / case.label.sum() + 1 / (1 - case.label).sum()) / 12))
    if by_missing >= max(_MISSING_LIMIT, 0.5 + _SURE * chance):
        with_gap, without = (format_of_100(float(case.label[own].mean())) for own in (missing, ~missing))
        yield (
            f"being missing predicts the outcome (AUROC {format_number(by_missing, decimals=2)}): of 100 patients "
            f"where it is missing, {with_gap} {case.fit.target.happened}, and {without} where it is not"
        )


def _copied(case: _Case, column: Column, part: Column) -> Iterator[str]:
    """Whether the column holds values of a column that the target is made of, or puts patients in the same order."""
    known = case.seen & ~np.isnan(column.coded) & ~np.isnan(part.coded)
    mine, its = column.coded[known], part.coded[known]
    if column.levels or part.levels or min(len(np.unique(mine)), len(np.unique(its))) < _FEWEST_VALUES:
        return
    unit = _resolution(mine)
    difference = np.round((mine - its) / unit, 6)
    equal, below, above = (float(np.mean(difference == d)) for d in (0.0, -1.0, 1.0))
    surplus = equal - max(below, above)
    if surplus >= _COPIED_LIMIT and surplus * len(mine) >= _FEWEST_WITH_VALUE:
        yield f"it equals {part.name}, which the target is made of, for {format_of_100(equal)} of 100 patients"
    order = float(np.corrcoef(rankdata(mine), rankdata(its))[0, 1])
    if abs(order) >= _SAME_ORDER_LIMIT:
        yield f"it puts patients in the same order as {part.name}, which the target is made of"


def _resolution(values: Array) -> float:
    """The smallest step between values: 1 for whole numbers."""
    return float(np.diff(np.unique(values)).min())


def _telling_values(case: _Case, column: Column, values: Array) -> Iterator[str]:
    """Values that occur almost only with the event, or almost only without: the odds differ by more than a limit."""
    different, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    for value in different[counts >= min(_FEWEST_WITH_VALUE, len(values))][:_MOST_VALUES]:
        own = values == value
        inside, outside = case.label[own], case.label[~own & ~np.isnan(values)]
        if len(outside) < _FEWEST_WITH_VALUE:
            continue
        if 1 - _NEARLY_ALL < inside.mean() < _NEARLY_ALL:
            continue
        cells = np.array([c + 0.5 for y in (inside, outside) for c in (y.sum(), len(y) - y.sum())])
        odds = float(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
        if abs(odds) - norm.isf(0.001) * float(np.sqrt((1 / cells).sum())) >= np.log(_ODDS_LIMIT):
            name = column.levels[int(value)] if column.levels else f"{value:g}"
            with_it = "almost only" if odds > 0 else "almost never"
            yield f"the value “{name}” occurs {with_it} where a patient {case.fit.target.happened}"


def _say(case: _Case, column: Column, signs: list[str], gain: float) -> str | None:
    if column in case.parts:
        return f"Rightly left out: “{case.fit.target.label}” is made from {column.name}."
    if not signs:
        return None
    said, points = "; ".join(signs), format_number(max(0.0, gain), decimals=2)
    if column.declared == EXCLUDED:
        return f"Rightly left out: {said}. Including it would raise the share that the model explains by {points}."
    return (
        f"“{column.name}” may know the future: {said}. With its values shuffled among patients, the share that the "
        f"model explains falls by {points}."
    )
