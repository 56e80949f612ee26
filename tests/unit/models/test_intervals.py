"""Intervals: their ranks by hand, their coverage by simulation."""

import numpy as np
import numpy.typing as npt
import pytest
from mapie.regression import ConformalizedQuantileRegressor
from scipy.special import expit
from scipy.stats import norm
from sklearn.ensemble import GradientBoostingRegressor

from pipeline.models.intervals import (
    FEWEST_OF_A_CLASS,
    LEVELS,
    Conformal,
    ConformalScores,
    conformal_bounds,
    fit_conformal,
    instability_bounds,
)
from pipeline.models.quantiles import QUANTILES

Array = npt.NDArray[np.float64]


def _correct(errors: Array, *, level: float) -> tuple[float, float]:
    """The corrections for errors of a model that says 0 for every quantile."""
    scores = fit_conformal(np.zeros((len(errors), 4)), errors, np.full(len(errors), ""))[None]
    return scores.lower[LEVELS.index(level)], scores.upper[LEVELS.index(level)]


def _ranks(n: int) -> Array:
    """n errors that are their own ranks, 1 to n, shuffled."""
    return np.random.default_rng(0).permutation(np.arange(1, n + 1, dtype=float))


def test_corrections_are_the_ranks_that_a_finite_sample_asks_for() -> None:
    # n = 99: ceil(100 * 0.9) = 90 and ceil(100 * 0.95) = 95 from either end.
    assert _correct(_ranks(99), level=0.8) == (10, 90)
    assert _correct(_ranks(99), level=0.9) == (5, 95)


def test_corrections_of_twenty_errors_are_those_counted_by_hand() -> None:
    # ceil(21 * 0.9) = 19 and ceil(21 * 0.95) = 20: the last but one, and the last.
    assert _correct(_ranks(20), level=0.8) == (2, 19)
    assert _correct(_ranks(20), level=0.9) == (1, 20)


def test_with_too_few_errors_the_widest_are_taken() -> None:
    assert _correct(_ranks(5), level=0.8) == _correct(_ranks(5), level=0.9) == (1, 5)


def test_each_end_is_corrected_by_the_errors_of_its_own_quantile() -> None:
    quantiles = np.tile([-2.0, -1.0, 1.0, 2.0], (20, 1))
    scores = fit_conformal(quantiles, _ranks(20), np.full(20, ""))[None]
    assert scores.lower == (2 + 1, 1 + 2)
    assert scores.upper == (19 - 1, 20 - 2)


def test_a_class_that_is_large_enough_has_corrections_of_its_own() -> None:
    n = FEWEST_OF_A_CLASS
    classes = np.repeat(["large", "small", "larger"], [n, n - 1, n + 1])
    errors = np.repeat([1.0, 2.0, 3.0], [n, n - 1, n + 1])
    conformal = fit_conformal(np.zeros((3 * n, 4)), errors, classes)
    assert set(conformal) == {None, "large", "larger"}
    assert set(conformal["large"].upper) == set(conformal["large"].lower) == {1.0}
    assert set(conformal["larger"].upper) == {3.0}
    assert (min(conformal[None].lower), max(conformal[None].upper)) == (1.0, 3.0)
    bounds = conformal_bounds(np.zeros((3, 4)), np.zeros(3), conformal, np.array(["large", "small", "never seen"]))
    np.testing.assert_allclose(np.log(bounds[:, 3]), [1.0, 3.0, 3.0])


def test_where_everybody_is_of_one_class_there_is_one_set_of_corrections() -> None:
    assert set(fit_conformal(np.zeros((600, 4)), _ranks(600), np.full(600, "all"))) == {None}


ONE: Conformal = {None: ConformalScores(lower=(-0.1, -0.2), upper=(0.3, 0.4))}


def test_bounds_stand_at_the_corrections_beyond_the_quantiles() -> None:
    bounds = conformal_bounds(np.array([[1.0, 2.0, 4.0, 5.0]]), np.array([3.0]), ONE, np.array([""]))
    np.testing.assert_allclose(np.log(bounds), [[1.9, 4.3, 0.8, 5.4]])


def test_an_interval_is_widened_to_hold_the_estimate_and_the_narrower_one() -> None:
    quantiles = np.array([[2.5, 2.0, 4.0, 3.5], [1.0, 2.0, 4.0, 5.0], [1.0, 2.0, 4.0, 5.0]])
    bounds = conformal_bounds(quantiles, np.array([3.0, 7.0, -7.0]), ONE, np.array(["", "", ""]))
    expected = [[1.9, 4.3, 1.9, 4.3], [1.9, 7.0, 0.8, 7.0], [-7.0, 4.3, -7.0, 5.4]]
    np.testing.assert_allclose(np.log(bounds), expected)


def test_coverage_of_new_patients_is_what_was_promised() -> None:
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(400):
        # Errors are skewed, and the quantiles are off by a constant, as models are.
        quantiles = rng.normal(size=200)[:, None] + norm.ppf(QUANTILES)
        label = quantiles.mean(axis=1) + 0.5 + rng.gamma(1.0, 1.0, 200)
        conformal = fit_conformal(quantiles[:150], label[:150], np.full(150, ""))
        bounds = conformal_bounds(quantiles[150:], quantiles[150:, 2], conformal, np.full(50, ""))
        new = np.exp(label[150:, None])
        inside.append(np.mean((new >= bounds[:, [0, 2]]) & (new <= bounds[:, [1, 3]]), axis=0))
    coverage = np.mean(inside, axis=0)
    error = np.std(inside, axis=0, ddof=1) / np.sqrt(len(inside))
    # At least the promise, at most a rank on either side above it, within Monte Carlo error.
    assert (coverage > np.array(LEVELS) - 3 * error).all()
    assert (coverage < np.array(LEVELS) + 2 / 151 + 3 * error).all()


def test_within_a_class_of_its_own_coverage_is_what_was_promised_however_different_its_errors() -> None:
    rng = np.random.default_rng(8)
    inside = []
    for _ in range(40):
        wide = rng.random(4000) < 0.3
        label = rng.normal(0, np.where(wide, 3.0, 0.5))
        classes = np.where(wide, "wide", "narrow")
        quantiles = np.zeros((4000, 4))
        conformal = fit_conformal(quantiles[:2500], label[:2500], classes[:2500])
        bounds = np.log(conformal_bounds(quantiles[2500:], np.zeros(1500), conformal, classes[2500:]))
        covered = (label[2500:] >= bounds[:, 2]) & (label[2500:] <= bounds[:, 3])
        inside.append([covered[wide[2500:]].mean(), covered[~wide[2500:]].mean()])
    np.testing.assert_allclose(np.mean(inside, axis=0), 0.9, atol=0.012)


def test_bounds_are_those_of_the_library_mapie() -> None:
    # Same quantiles, same errors. MAPIE rounds a rank up where we do, or takes the next one.
    rng = np.random.default_rng(3)
    x = rng.uniform(0, 1, (2000, 1))
    label = 7 + x[:, 0] + rng.normal(0, 0.2 + x[:, 0])
    first, second, new = np.split(np.arange(2000), [800, 1799])
    for level, ends in ((0.8, (0, 1)), (0.9, (2, 3))):
        models = [
            GradientBoostingRegressor(loss="quantile", alpha=q, n_estimators=20, random_state=0).fit(
                x[first], label[first]
            )
            for q in ((1 - level) / 2, (1 + level) / 2, 0.5)
        ]
        library = ConformalizedQuantileRegressor(models, confidence_level=level, prefit=True)
        library.conformalize(x[second], label[second])
        _, expected = library.predict_interval(x[new], symmetric_correction=False)
        quantiles = np.column_stack([models[end].predict(x) for end in (0, 0, 1, 1)])
        conformal = fit_conformal(quantiles[second], label[second], np.full(len(second), ""))
        bounds = conformal_bounds(quantiles[new], models[2].predict(x[new]), conformal, np.full(len(new), ""))
        np.testing.assert_allclose(np.log(bounds[:, ends]), expected[:, :, 0], atol=1e-9)


def test_instability_bounds_are_students_quantiles_of_the_distance_on_the_margin() -> None:
    # The root of the mean square of distances 0.1, −0.1, 0.3, −0.3 is the root of 0.05; 20 rebuilds in all.
    away = np.tile([0.1, -0.1, 0.3, -0.3], 5)[:, None]
    bounds = instability_bounds(np.array([0.3, -1.0]), np.hstack([0.3 + away, np.full((20, 1), -1.0)]))
    # Of 20 degrees of freedom, from a printed table: 1.325 and 1.725.
    reach = np.array([-1.325, 1.325, -1.725, 1.725])
    np.testing.assert_allclose(bounds[0], expit(0.3 + np.sqrt(0.05) * reach), atol=1e-4)
    np.testing.assert_allclose(bounds[1], expit(-1.0))


def test_rebuilds_that_all_lie_on_one_side_widen_the_bounds_on_both() -> None:
    bounds = instability_bounds(np.zeros(1), np.ones((20, 1)))
    np.testing.assert_allclose(bounds, 1 - bounds[:, [1, 0, 3, 2]])
    assert bounds[0, 1] == pytest.approx(expit(1.325), abs=1e-4)


def test_the_fewer_rebuilds_the_wider_the_bounds() -> None:
    few, many = (instability_bounds(np.zeros(1), np.ones((refits, 1)))[0] for refits in (3, 200))
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    np.testing.assert_allclose(many, expit(norm.ppf([0.1, 0.9, 0.05, 0.95])), atol=0.002)


def test_without_rebuilds_a_risk_has_no_bounds() -> None:
    assert np.isnan(instability_bounds(np.zeros(2), np.empty((0, 2)))).all()
