"""What each test of explanations found, whether it held, and in a sentence that people read."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from pipeline.evaluate import explained_number
from pipeline.evaluate.deletion import Deletion, compare_orders
from pipeline.evaluate.disclosure import SMALLEST_CELL
from pipeline.evaluate.patient_figures import summarise_median, summarise_share
from pipeline.evaluate.stability import Stability, first_features
from pipeline.explain.contributions import Contributions
from pipeline.models.crossfit import CrossFit
from pipeline.models.rebuilds import TOP
from pipeline.numerals import format_number, format_of_100
from pipeline.splits import Folds
from pipeline.store.tables.explained import AT_RANDOM, BY_AVERAGE, BY_IMPORTANCE
from pipeline.study.model import Study

Array = npt.NDArray[np.float64]

_EXACT, _FLOAT_32, _DISPLAYED = 1e-9, 1e-4, 1e-6
_IN_WORDS = {_EXACT: "a billionth", _FLOAT_32: "a ten-thousandth", _DISPLAYED: "a millionth"}
# Explanations of nothing may have a quarter of the usual size: few patients and an overfit make some.
_MOST_SHUFFLED = 0.25
_NOTHING_MOVES = "Not estimable, because no feature moves any estimate"


@dataclass(frozen=True)
class Check:
    """One result: what was measured with its 95% interval, on how many patients, whether it held, and in words."""

    check: str
    n: int
    told: str
    estimate: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    passed: bool | None = None


def compare_contributions(contributions: Array, rival: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Spearman's rank correlation of each patient's contributions, and whether the largest is the same feature; (n,).

    Both (n, features). NaN where all contributions of a patient are equal.
    """
    ranks, others = (rankdata(c, axis=1) for c in (contributions, rival))
    ranks, others = (r - r.mean(axis=1, keepdims=True) for r in (ranks, others))
    spread = np.sqrt((ranks**2).sum(axis=1) * (others**2).sum(axis=1))
    together = (ranks * others).sum(axis=1)
    correlation = np.divide(together, spread, out=np.full(len(spread), np.nan), where=spread > 0)
    return correlation, first_features(contributions)[:, 0] == first_features(rival)[:, 0]


def check_sums(study: Study, fit: CrossFit, explained: Contributions, folds: Folds) -> list[Check]:
    """Whether contributions add up to what is displayed, for every patient."""
    return [
        _check_gap(
            "additivity",
            explained_number.miss_of_margin(fit, explained),
            _DISPLAYED,
            "Base and contributions add up to the margin",
        ),
        _check_gap(
            "link",
            explained_number.miss_of_estimate(fit, explained),
            _DISPLAYED,
            "The number that is explained is the number that is displayed",
        ),
        _check_gap(
            "rounding",
            explained_number.miss_of_base(explained, folds),
            _FLOAT_32,
            "What trees lose by rounding stays in the base and does not reach a contribution",
        ),
        _check_gap(
            "concept_sums",
            explained_number.miss_of_concepts(study, explained),
            _EXACT,
            "Concepts are the sums of their features, none lost and none counted twice",
        ),
        _check_gap(
            "points",
            explained_number.miss_of_points(fit, explained),
            _EXACT,
            "Contributions in the unit that people read add up to the same difference",
        ),
    ]


def check_deletion(deletion: Deletion, *, seed: int) -> list[Check]:
    """Whether a patient's own reasons move the estimate further than random features, and no less than the usual."""
    n, steps = deletion.moved[BY_IMPORTANCE].shape
    if not any(moved.any() for moved in deletion.moved.values()):
        return [Check(name, n, _NOTHING_MOVES) for name in ("deletion", "deletion_own")]
    step = min(TOP, steps - 1)
    checks = []
    for name, other, words in (
        ("deletion", AT_RANDOM, f"{step} features at random"),
        ("deletion_own", BY_AVERAGE, f"the {step} features that matter most on average"),
    ):
        estimate, lower, upper = compare_orders(deletion, other, seed=seed)
        own, others = (float(deletion.moved[taken][:, step].mean()) for taken in (BY_IMPORTANCE, other))
        ratio = f"{format_number(own / others, decimals=1)} times as far" if others else "as far"
        told = (
            f"Other patients' values in place of the first {step} reasons move the estimate {ratio} as in place of "
            f"{words}"
        )
        # Where the same few features matter for everybody, own reasons are the usual ones, and may not beat them.
        passed = lower > 0 if other == AT_RANDOM else upper >= 0
        checks.append(Check(name, n, told, estimate, lower, upper, passed=passed))
    return checks


def check_shuffled(ratios: list[float], *, n: int) -> Check:
    """Whether explanations vanish when there is nothing to explain."""
    if not ratios:
        return Check("shuffled", n, _NOTHING_MOVES)
    largest = max(ratios)
    told = (
        f"Trained on shuffled outcomes, the same procedure gives contributions of {format_of_100(largest)}% of their "
        f"usual size (the larger of {len(ratios)} tries; at most {format_of_100(_MOST_SHUFFLED)}%)"
    )
    return Check("shuffled", n, told, largest, passed=largest <= _MOST_SHUFFLED)


def check_stability(stability: Stability | None, *, n: int, features: int) -> list[Check]:
    """How far reasons stay when the model is rebuilt on resampled patients, and for how many they do not."""
    if stability is None:
        told = "Not measured, because this release was built without rebuilds of its models"
        return [Check("stability", n, told), Check("unstable", n, told)]
    return [
        _check_overlap(
            "stability", stability.top5_overlap, "when the model is rebuilt on resampled patients", features=features
        ),
        _check_share("unstable", stability.unstable, "have reasons that change when the model is rebuilt"),
    ]


def check_other_training(by_seed: Stability, by_fold: Stability, *, features: int) -> list[Check]:
    """How far reasons stay with another seed, and in the models of other folds."""
    return [
        _check_overlap(
            "stability_seeds",
            by_seed.top5_overlap,
            "when the same patients train it with other random numbers",
            features=features,
        ),
        _check_overlap(
            "stability_folds",
            by_fold.top5_overlap,
            "in the models of the other folds, which were trained on the patient too",
            features=features,
        ),
    ]


def check_agreement(contributions: Array, rival: Array) -> list[Check]:
    """Whether an additive model, whose contributions can be read off, gives the same reasons."""
    correlation, same_first = compare_contributions(contributions, rival)
    known = correlation[~np.isnan(correlation)]
    middle = summarise_median(known)
    told = (
        "In the middle patient, contributions rank like those of an additive model with a correlation of "
        f"{format_number(middle[0], decimals=2)}"
    )
    words = "have the same first reason in an additive model"
    return [
        Check("agreement", len(known), told, *middle),
        _check_share("agreement_first", same_first, words),
    ]


def _check_gap(name: str, gaps: Array, limit: float, told: str) -> Check:
    largest = float(gaps.max())
    passed = largest <= limit
    words = (
        f"{told}, to within {_IN_WORDS[limit]}"
        if passed
        else f"Not so: {told[:1].lower()}{told[1:]}; off by {largest:.2g}"
    )
    return Check(name, len(gaps), words, largest, passed=passed)


def _check_overlap(name: str, overlap: Array, words: str, *, features: int) -> Check:
    if features <= TOP:
        return Check(name, len(overlap), f"Not estimable, because there are no more than {TOP} features")
    middle = summarise_median(overlap)
    kept = format_number(TOP * middle[0], decimals=1)
    told = f"In the middle patient, {kept} of the first {TOP} reasons stay {words}"
    return Check(name, len(overlap), told, *middle)


def _check_share(name: str, chosen: npt.NDArray[np.bool_], words: str) -> Check:
    """A share of patients, withheld where it would tell of a few."""
    n, count = len(chosen), int(chosen.sum())
    if min(count, n - count) < SMALLEST_CELL:
        few = "Fewer than" if count < SMALLEST_CELL else "All but fewer than"
        return Check(name, n, f"{few} {SMALLEST_CELL} patients {words}")
    share = summarise_share(chosen)
    return Check(name, n, f"Of 100 patients, {format_of_100(share[0])} {words}", *share)
