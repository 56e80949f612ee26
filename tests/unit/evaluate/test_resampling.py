"""The bootstrap."""

import math

import numpy as np
import pytest

from pipeline.evaluate.resampling import draw_weights, iterate_weights, summarise_draws


def test_the_first_row_is_the_patients_as_they_are_and_every_other_draws_as_many() -> None:
    weights = draw_weights(50, draws=20, seed=1)
    assert weights.shape == (21, 50)
    assert (weights[0] == 1).all()
    assert (weights.sum(axis=1) == 50).all()
    assert (weights >= 0).all()
    assert (weights == weights.round()).all()


def test_each_patient_is_drawn_once_on_average() -> None:
    weights = draw_weights(40, draws=20_000, seed=2)[1:]
    # Each count has a standard deviation of about 1: means of 20,000 of about 0.007.
    np.testing.assert_allclose(weights.mean(axis=0), 1, atol=0.035)
    assert weights.var(axis=0).mean() == pytest.approx(1 - 1 / 40, abs=0.02)


def test_draws_are_those_of_the_seed() -> None:
    np.testing.assert_array_equal(draw_weights(30, draws=5, seed=3), draw_weights(30, draws=5, seed=3))
    assert (draw_weights(30, draws=5, seed=3) != draw_weights(30, draws=5, seed=4)).any()


def test_the_interval_is_the_middle_of_the_draws() -> None:
    values = np.array([0.5, *np.random.default_rng(0).permutation(np.arange(1001) / 1000)])
    assert summarise_draws(values) == pytest.approx((0.5, 0.025, 0.975))


def test_draws_that_could_not_be_computed_are_left_out() -> None:
    values = np.array([0.5, *np.arange(101) / 100, *[np.nan] * 50])
    assert summarise_draws(values) == pytest.approx((0.5, 0.025, 0.975))


def test_an_estimate_that_is_not_there_has_no_interval() -> None:
    assert all(math.isnan(value) for value in summarise_draws(np.array([np.nan, *np.ones(200)])))


def test_too_few_draws_give_an_estimate_without_interval() -> None:
    estimate, lower, upper = summarise_draws(np.array([0.5, *[0.4] * 99, *[np.nan] * 101]))
    assert estimate == 0.5
    assert math.isnan(lower)
    assert math.isnan(upper)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    covered = []
    for seed in range(400):
        sample = rng.exponential(size=100)
        _, lower, upper = summarise_draws(draw_weights(100, draws=400, seed=seed) @ sample / 100)
        covered.append(lower <= 1 <= upper)
    # A percentile interval of 100 skewed values covers about 93 in 100; Monte Carlo error is 1.3.
    assert 0.89 < np.mean(covered) < 0.98


@pytest.mark.parametrize(("n", "draws"), [(1, 3), (240, 1000), (60_000, 4), (5, 0)])
def test_weights_a_few_at_a_time_are_the_same_weights(n: int, draws: int) -> None:
    parts = list(iterate_weights(n, draws=draws, seed=7))
    np.testing.assert_array_equal(np.concatenate(parts), draw_weights(n, draws=draws, seed=7))
    # However many draws there are, what is in memory at once are a few numbers a patient.
    assert max(part.size for part in parts) <= max(100_000, n)
