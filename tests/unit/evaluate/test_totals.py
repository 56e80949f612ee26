"""Projected totals of groups, and whether their interval holds what such groups add up to."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.evaluate.totals import TotalProjector

Array = npt.NDArray[np.float64]


def _simulate(n: int, *, seed: int) -> tuple[Array, Array]:
    """Projections that are right on average, with skewed errors that grow where projections are low."""
    rng = np.random.default_rng(seed)
    predicted = rng.lognormal(9, 0.8, n)
    spread = 0.9 - 0.1 * (np.log(predicted) - 9)
    return predicted, predicted * np.exp(rng.normal(0, spread) - spread**2 / 2)


def _chosen(n: int, size: int, *, seed: int) -> npt.NDArray[np.bool_]:
    members = np.zeros(n, dtype=bool)
    members[np.random.default_rng(seed).choice(n, size, replace=False)] = True
    return members


def test_the_projected_total_is_the_sum_of_the_projections() -> None:
    predicted, observed = _simulate(500, seed=1)
    members = _chosen(500, 60, seed=2)
    total, lower, upper = TotalProjector(predicted, observed, seed=3).project(members)
    assert total == pytest.approx(predicted[members].sum())
    assert lower < total < upper


@pytest.mark.parametrize("size", [20, 100, 400])
def test_the_interval_holds_the_total_of_a_random_group_as_often_as_it_says(size: int) -> None:
    inside = []
    for seed in range(150):
        predicted, observed = _simulate(1500, seed=seed)
        members = _chosen(1500, size, seed=seed)
        _, lower, upper = TotalProjector(predicted, observed, seed=seed).project(members)
        inside.append(lower <= observed[members].sum() <= upper)
    # 95 in 100, with a Monte Carlo error of 1.8; a group that is part of what it is judged by varies a little less.
    assert np.mean(inside) > 0.89
    if size < 400:
        assert np.mean(inside) < 0.995


def test_the_interval_is_far_narrower_than_the_sum_of_single_intervals() -> None:
    predicted, observed = _simulate(2000, seed=4)
    members = _chosen(2000, 400, seed=4)
    total, lower, upper = TotalProjector(predicted, observed, seed=4).project(members)
    assert upper - lower < 0.4 * total


def test_patients_whose_amount_was_not_observed_are_projected_with_the_errors_of_others() -> None:
    predicted, observed = _simulate(800, seed=5)
    members = _chosen(800, 80, seed=5)
    observed[members] = np.nan
    total, lower, upper = TotalProjector(predicted, observed, seed=5).project(members)
    assert total == pytest.approx(predicted[members].sum())
    assert 0 < lower < total < upper


def test_projections_without_error_have_no_interval_to_speak_of() -> None:
    predicted = np.random.default_rng(6).lognormal(9, 1, 300)
    total, lower, upper = TotalProjector(predicted, predicted, seed=1).project(np.ones(300, dtype=bool))
    assert (lower, upper) == pytest.approx((total, total))


def test_the_same_projection_for_everybody_can_be_summed_too() -> None:
    rng = np.random.default_rng(7)
    predicted, observed = np.full(200, 50.0), 50 * rng.lognormal(-0.02, 0.2, 200)
    total, lower, upper = TotalProjector(predicted, observed, seed=1).project(_chosen(200, 40, seed=1))
    assert total == pytest.approx(2000)
    assert lower < 2000 < upper


def test_a_projection_is_that_of_the_seed() -> None:
    predicted, observed = _simulate(300, seed=8)
    members = _chosen(300, 50, seed=8)
    first = TotalProjector(predicted, observed, seed=1).project(members)
    assert first == TotalProjector(predicted, observed, seed=1).project(members)
    assert first != TotalProjector(predicted, observed, seed=2).project(members)
