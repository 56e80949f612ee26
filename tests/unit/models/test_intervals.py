"""Intervals: their ranks by hand, their coverage by simulation."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import expit
from scipy.stats import norm

from pipeline.features import Matrix
from pipeline.models.boosting import Boosting, fit_booster, fit_inner, predict_margin
from pipeline.models.intervals import (
    LEVELS,
    ConformalScores,
    conformal_bounds,
    fit_conformal,
    instability_bounds,
    measure_instability,
)
from pipeline.models.link import Link
from pipeline.models.recalibration import fit_recalibration
from pipeline.study import Study

Array = npt.NDArray[np.float64]


def _ranks(n: int) -> ConformalScores:
    """The scores of n errors that are their own ranks, 1 to n, shuffled."""
    errors = np.random.default_rng(0).permutation(np.arange(1, n + 1, dtype=float))
    margin = np.random.default_rng(1).normal(size=n)
    return fit_conformal(margin, np.exp(margin + errors))


def test_the_quantiles_are_the_ranks_that_a_finite_sample_asks_for() -> None:
    # n = 99: ceil(100 * 0.9) = 90 and ceil(100 * 0.95) = 95 from either end.
    scores = _ranks(99)
    assert scores.upper == pytest.approx((90, 95))
    assert scores.lower == pytest.approx((10, 5))


def test_the_quantiles_of_twenty_errors_are_those_counted_by_hand() -> None:
    # ceil(21 * 0.9) = 19 and ceil(21 * 0.95) = 20: the last but one, and the last.
    scores = _ranks(20)
    assert scores.upper == pytest.approx((19, 20))
    assert scores.lower == pytest.approx((2, 1))


def test_with_too_few_errors_the_widest_are_taken() -> None:
    scores = _ranks(5)
    assert scores.upper == pytest.approx((5, 5))
    assert scores.lower == pytest.approx((1, 1))


def test_coverage_of_new_patients_is_what_was_promised() -> None:
    rng = np.random.default_rng(7)
    inside = []
    for _ in range(400):
        # Errors are skewed and the model is off by a constant, as models are.
        margin = rng.normal(size=200)
        amount = np.exp(margin + 0.5 + rng.gamma(1.0, 1.0, 200))
        scores = fit_conformal(margin[:150], amount[:150])
        bounds = conformal_bounds(margin[150:], scores, link=Link.LOG)
        new = amount[150:, None]
        inside.append(np.mean((new >= bounds[:, [0, 2]]) & (new <= bounds[:, [1, 3]]), axis=0))
    coverage = np.mean(inside, axis=0)
    error = np.std(inside, axis=0, ddof=1) / np.sqrt(len(inside))
    # At least the promise, at most a rank on either side above it, within Monte Carlo error.
    assert (coverage > np.array(LEVELS) - 3 * error).all()
    assert (coverage < np.array(LEVELS) + 2 / 151 + 3 * error).all()


def test_conformal_bounds_stand_at_the_scores_around_the_margin() -> None:
    scores = ConformalScores(lower=(-1.0, -2.0), upper=(0.5, 1.5))
    bounds = conformal_bounds(np.array([3.0]), scores, link=Link.LOG)
    np.testing.assert_allclose(np.log(bounds), [[2.0, 3.5, 1.0, 4.5]])


def test_instability_bounds_are_students_quantiles_of_the_distance_on_the_margin() -> None:
    bounds = instability_bounds(np.array([0.3, -1.0]), np.array([0.2, 0.0]), refits=20)
    # Of 20 degrees of freedom, from a printed table: 1.325 and 1.725.
    reach = np.array([-1.325, 1.325, -1.725, 1.725])
    np.testing.assert_allclose(bounds[0], expit(0.3 + 0.2 * reach), atol=1e-4)
    np.testing.assert_allclose(bounds[1], expit(-1.0))


def test_the_fewer_rebuilds_the_wider_the_bounds() -> None:
    few, many = (instability_bounds(np.zeros(1), np.ones(1), refits=refits)[0] for refits in (3, 200))
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    np.testing.assert_allclose(many, expit(norm.ppf([0.1, 0.9, 0.05, 0.95])), atol=0.002)


def _simulate(n: int) -> tuple[Matrix, Array]:
    rng = np.random.default_rng(9)
    age, sex, lactate = rng.uniform(20, 90, n), rng.integers(0, 2, n), rng.uniform(0, 9, n)
    matrix = np.column_stack([age, sex, lactate, rng.integers(0, 3, n)]).astype(np.float32)
    event = (rng.random(n) < expit(-3 + 0.03 * matrix[:, 0] + 0.2 * matrix[:, 2])).astype(float)
    return matrix, event


def _instability(
    study: Study, n: int, boosting: Boosting, *, seed: int = 3, shift: float = 0.0, rounds: int = 30
) -> Array:
    """The instability of the first 50 patients around the margin of a model of all; or around a shifted one."""
    matrix, event = _simulate(n)
    inner = fit_inner(study, matrix, event, link=Link.LOGIT, boosting=boosting, seed=seed)
    booster = fit_booster(study, matrix, event, link=Link.LOGIT, boosting=boosting, rounds=rounds, seed=seed)
    recalibration = fit_recalibration(inner.margin, event, link=Link.LOGIT)
    margin = recalibration.apply(predict_margin(study, booster, matrix[:50])) + shift
    return measure_instability(study, matrix, event, matrix[:50], margin, boosting=boosting, rounds=rounds, seed=seed)


def test_rebuilding_on_more_patients_moves_an_estimate_less(tiny_study: Study) -> None:
    # Without drawn columns and rows, only the resampling of patients moves an estimate.
    boosting = Boosting(refits=8, subsample=1.0, colsample_bytree=1.0, max_rounds=30)
    few, many = (_instability(tiny_study, n, boosting) for n in (300, 5000))
    assert few.shape == many.shape == (50,)
    assert (many > 0).all()
    assert many.mean() < 0.8 * few.mean()


def test_instability_is_the_root_of_the_mean_squared_distance_from_the_margin_that_is_shown(tiny_study: Study) -> None:
    boosting = Boosting(refits=4, max_rounds=15)
    # For any rebuilds r, the means of (r − m − 1)² and (r − m + 1)² add up to twice that of (r − m)², plus 2.
    at, above, below = (_instability(tiny_study, 300, boosting, shift=shift, rounds=10) ** 2 for shift in (0, 1, -1))
    np.testing.assert_allclose(above + below, 2 * at + 2, rtol=1e-9)
    assert (at != above).all()


def test_instability_is_the_same_for_the_same_seed(tiny_study: Study) -> None:
    boosting = Boosting(refits=3, max_rounds=15)
    first = _instability(tiny_study, 300, boosting, rounds=10)
    np.testing.assert_array_equal(first, _instability(tiny_study, 300, boosting, rounds=10))
    assert (_instability(tiny_study, 300, boosting, seed=4, rounds=10) != first).all()


@pytest.mark.parametrize("events", [3, 6])
def test_instability_can_be_measured_where_events_are_few(tiny_study: Study, events: int) -> None:
    # A resample then often leaves out patients of one class only.
    matrix, _ = _simulate(120)
    event = np.zeros(120)
    event[:events] = 1
    distance = measure_instability(
        tiny_study, matrix, event, matrix, np.zeros(120), boosting=Boosting(refits=20), rounds=3, seed=1
    )
    assert np.isfinite(distance).all()
