"""The table `subgroup_performance`: our models in every level of every attribute, and of every two together."""

import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.evaluate.estimable import explain_not_estimable
from pipeline.evaluate.judgement import (
    JUDGED,
    NOT_ESTIMABLE,
    TOO_FEW,
    Family,
    compute_p_value,
    detectable_ratio,
    judge,
    set_flags,
)
from pipeline.evaluate.performance import ALL, DRAWS, AllScores
from pipeline.evaluate.resampling import summarise_draws
from pipeline.evaluate.sampling import Key, Sample, keys_of, sample_measures
from pipeline.evaluate.scores import Scores
from pipeline.models.rivals import OURS
from pipeline.study.model import BETWEEN, MISSING, Attribute, Study

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# The right value is 0, or the value hangs on how frequent events are in the group (Vickers & Elkin 2006) or on how few
# patients it has, which alone make a calibration error: groups are not compared by a ratio of these.
_NO_RATIO = ("calibration_intercept", "net_benefit", "ece", "r2", "r2_log")
# Solved anew for every draw.
_TAKE_LONG = ("calibration_slope", "calibration_intercept")
_LABELS = "target_id model_id population family attribute level"
_NUMBERS = "metric threshold estimate lower upper ratio ratio_lower ratio_upper n n_events judgement p_value detectable"
_COLUMNS = [*_LABELS.split(), *_NUMBERS.split()]
_REALS = "threshold estimate lower upper ratio ratio_lower ratio_upper p_value detectable"
# The same whatever is in them, so that tables without any number can be put together with others.
_TYPES = {**dict.fromkeys(_REALS.split(), "float64"), "n": "int64", "n_events": "Int64"}


@dataclass(frozen=True)
class Grouping:
    """An attribute, or two together, that patients are grouped by: its levels that somebody has, as masks (n,)."""

    family: Family
    name: str
    levels: dict[str, Mask]
    reference: str


def build_subgroup_performance(
    study: Study, scores: AllScores, subjects: pd.DataFrame, *, scored: Mask | None = None
) -> pd.DataFrame:
    """A row for each group of each target under each measure; the columns are those of the store's contract.

    scores, scored: as for `build_performance`; `subjects` holds a column of levels for each attribute of the study.
    """
    groupings = group_patients(study, subjects)
    chosen = np.ones(len(subjects), dtype=bool) if scored is None else scored
    jobs = [(target_id, models[OURS], grouping) for target_id, models in scores.items() for grouping in groupings]

    def run(job: tuple[str, Scores, Grouping]) -> pd.DataFrame:
        target_id, ours, grouping = job
        keys = keys_of(ours[ours.usable & chosen], study.thresholds.get(target_id, []))
        rows = [
            (target_id, OURS, ALL, str(grouping.family), grouping.name, *row)
            for row in _measure(ours, grouping, keys, chosen=chosen, seed=study.splits.seed)
        ]
        return pd.DataFrame(rows, columns=_COLUMNS).astype(_TYPES)

    # NumPy lets threads work side by side.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        tables = list(pool.map(run, jobs))
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS).astype(_TYPES)
    return set_flags(table).assign(suppressed=False)


def group_patients(study: Study, subjects: pd.DataFrame) -> list[Grouping]:
    """Every attribute of the study, and every two of them together, in its order."""
    single = {a.id: Grouping(Family.ATTRIBUTE, a.id, _levels(a, subjects), a.reference) for a in study.subgroups}
    return [*single.values(), *(_pair(first, second) for first, second in combinations(single.values(), 2))]


def _levels(attribute: Attribute, subjects: pd.DataFrame) -> dict[str, Mask]:
    recorded = subjects[attribute.id].to_numpy()
    levels = {level: np.asarray(recorded == level) for level in [*attribute.levels, MISSING]}
    return {level: members for level, members in levels.items() if members.any()}


def _pair(first: Grouping, second: Grouping) -> Grouping:
    both = {
        a + BETWEEN + b: members_a & members_b
        for (a, members_a), (b, members_b) in product(first.levels.items(), second.levels.items())
    }
    some = {level: members for level, members in both.items() if members.any()}
    return Grouping(Family.PAIR, first.name + BETWEEN + second.name, some, first.reference + BETWEEN + second.reference)


def _measure(
    ours: Scores, grouping: Grouping, keys: list[Key], *, chosen: Mask, seed: int
) -> Iterator[tuple[object, ...]]:
    """The rows of a grouping, from `level` on. Every group has its own seed: draws of two are independent."""
    groups = {level: ours[members & chosen & ours.usable] for level, members in grouping.levels.items()}
    samples = {
        level: {sample.key: sample for sample in _sample(scores, keys, seed=seed + i)}
        for i, (level, scores) in enumerate(groups.items())
    }
    for level, scores in groups.items():
        reference = {} if level == grouping.reference else samples.get(grouping.reference, {})
        for key in keys:
            yield level, *_row(scores, samples[level][key], reference.get(key))


def _sample(scores: Scores, keys: list[Key], *, seed: int) -> list[Sample]:
    """A sample of each measure; of one that takes long, and that the group is too small for, the estimate alone."""
    n, events = len(scores.observed), _events(scores)
    spared = [key for key in keys if key[0] in _TAKE_LONG and judge(key[0], n=n, n_events=events) == TOO_FEW]
    full = [key for key in keys if key not in spared]
    return [
        *sample_measures(scores, full, draws=DRAWS, seed=seed),
        *(sample_measures(scores, spared, draws=0, seed=seed) if spared else []),
    ]


def _row(scores: Scores, sample: Sample, reference: Sample | None) -> tuple[object, ...]:
    metric, values, n, events = sample.metric, sample.drawn, len(scores.observed), _events(scores)
    why = explain_not_estimable(scores, metric, sample.threshold, float(values[0]))
    if why:
        return (*sample.key, *[math.nan] * 6, n, events, NOT_ESTIMABLE + why, math.nan, math.nan)
    judgement = judge(metric, n=n, n_events=events)
    p = compute_p_value(metric, values, n=n, amount=events is None) if judgement == JUDGED else math.nan
    comparable = reference is not None and metric not in _NO_RATIO and len(reference.drawn) == len(values)
    ratio = compare_draws(values, reference.drawn) if reference and comparable else (math.nan,) * 3
    return (*sample.key, *summarise_draws(values), *ratio, n, events, judgement, p, detectable_ratio(metric, values))


def _events(scores: Scores) -> int | None:
    return int(scores.observed.sum()) if scores.amount is None else None


def compare_draws(values: Array, reference: Array) -> tuple[float, float, float]:
    """The ratio of two measures of different patients, with its 95% interval, from (1 + draws,) values of each.

    The draws are independent, so their logarithms are subtracted as they come; NaN where a measure is not above zero.
    """
    if not (values[0] > 0 and reference[0] > 0):
        return (math.nan,) * 3
    logs = [np.log(np.where(v > 0, v, np.nan)) for v in (values, reference)]
    estimate, lower, upper = summarise_draws(logs[0] - logs[1])
    return math.exp(estimate), math.exp(lower), math.exp(upper)
