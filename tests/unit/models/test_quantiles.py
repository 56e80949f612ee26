"""Boosted quantiles, and the intervals made of them, where the true quantiles are known."""

import json

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import norm

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting
from pipeline.models.intervals import conformal_bounds, fit_conformal
from pipeline.models.quantiles import QUANTILES, QuantileFit, fit_quantiles, predict_quantiles
from pipeline.splits import inner_folds
from pipeline.study import Study

Array = npt.NDArray[np.float64]
BOOSTING = Boosting()
ROUNDS = 150


def _simulate(n: int, seed: int) -> tuple[Matrix, Array, Array]:
    """Logarithms of amounts that rise with age, and whose spread rises fourfold with lactate; and that spread."""
    rng = np.random.default_rng(seed)
    age, sex, lactate = rng.uniform(20, 90, n), rng.integers(0, 2, n), rng.uniform(0, 9, n)
    matrix = np.column_stack([age, sex, lactate, rng.integers(0, 3, n)]).astype(np.float32)
    spread = 0.3 + 0.1 * matrix[:, 2].astype(np.float64)
    return matrix, 0.02 * matrix[:, 0] + rng.normal(0, spread), spread


@pytest.fixture(scope="module")
def fitted(tiny_study: Study) -> QuantileFit:
    matrix, label, _ = _simulate(6000, seed=1)
    return fit_quantiles(tiny_study, matrix, label, boosting=BOOSTING, rounds=ROUNDS, seed=1)


def test_quantiles_follow_the_true_ones_where_the_spread_differs(tiny_study: Study, fitted: QuantileFit) -> None:
    matrix, _, spread = _simulate(3000, seed=2)
    found = predict_quantiles(tiny_study, fitted.booster, matrix)
    truth = 0.02 * matrix[:, [0]] + norm.ppf(QUANTILES) * spread[:, None]
    assert np.abs(found - truth).mean() < 0.15
    assert np.abs((found - truth).mean(axis=0)).max() < 0.1
    assert all(np.corrcoef(found[:, i], truth[:, i])[0, 1] > 0.9 for i in range(4))


def test_quantiles_never_cross(tiny_study: Study, fitted: QuantileFit) -> None:
    found = predict_quantiles(tiny_study, fitted.booster, _simulate(3000, seed=2)[0])
    assert (np.diff(found, axis=1) >= 0).all()
    assert (np.diff(fitted.inner, axis=1) >= 0).all()


def test_inner_quantiles_know_nothing_of_their_own_row(tiny_study: Study) -> None:
    matrix, label, _ = _simulate(400, seed=3)
    changed = label.copy()
    changed[10] += 5
    before, after = (
        fit_quantiles(tiny_study, matrix, each, boosting=BOOSTING, rounds=30, seed=4).inner for each in (label, changed)
    )
    folds = inner_folds(400, folds=3, seed=4)
    np.testing.assert_array_equal(before[folds == folds[10]], after[folds == folds[10]])
    assert (before[folds != folds[10]] != after[folds != folds[10]]).any()


def test_a_third_of_the_rounds_is_grown_with_a_tree_for_each_quantile(fitted: QuantileFit) -> None:
    assert fitted.booster.num_boosted_rounds() == ROUNDS // 3
    assert len(fitted.booster.get_dump()) == ROUNDS // 3 * len(QUANTILES)
    loss = json.loads(fitted.booster.save_config())["learner"]["objective"]["quantile_loss_param"]
    assert json.loads(loss["quantile_alpha"]) == pytest.approx(QUANTILES)


def test_intervals_cover_new_patients_in_every_part_of_the_spread_and_are_as_wide_as_they_must_be(
    tiny_study: Study, fitted: QuantileFit
) -> None:
    _, label, _ = _simulate(6000, seed=1)
    matrix, new, spread = _simulate(6000, seed=2)
    conformal = fit_conformal(fitted.inner, label, np.full(6000, ""))
    quantiles = predict_quantiles(tiny_study, fitted.booster, matrix)
    bounds = np.log(conformal_bounds(quantiles, quantiles.mean(axis=1), conformal, np.full(6000, "")))
    for level, (lower, upper) in ((0.8, bounds[:, :2].T), (0.9, bounds[:, 2:].T)):
        inside = (new >= lower) & (new <= upper)
        # 6,000 training rows and 6,000 new ones: the standard error of their coverage is about 0.007.
        assert inside.mean() == pytest.approx(level, abs=0.02)
        for part in (spread < 0.5, (spread >= 0.5) & (spread < 0.9), spread >= 0.9):
            assert inside[part].mean() == pytest.approx(level, abs=0.06)
        width = 2 * norm.ppf((1 + level) / 2) * spread
        assert (upper - lower).mean() == pytest.approx(width.mean(), rel=0.1)
        assert np.corrcoef(upper - lower, width)[0, 1] > 0.9
