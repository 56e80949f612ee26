"""Totals of groups, and whether their interval holds what such groups add up to."""

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.evaluate.totals import AmountTotals, EventTotals, Totals, compute_interval

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def _simulate_amounts(n: int, *, seed: int) -> tuple[Array, Array]:
    """Projections that are right on average, with skewed errors that grow where projections are low."""
    rng = np.random.default_rng(seed)
    projected = rng.lognormal(9, 0.8, n)
    spread = 0.9 - 0.1 * (np.log(projected) - 9)
    return projected, projected * np.exp(rng.normal(0, spread) - spread**2 / 2)


def _simulate_events(n: int, *, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    risk = rng.beta(1, 3, n)
    return risk, (rng.random(n) < risk).astype(float)


def _chosen(n: int, size: int, *, seed: int) -> Mask:
    members = np.zeros(n, dtype=bool)
    members[np.random.default_rng(seed).choice(n, size, replace=False)] = True
    return members


def _interval(totals: Totals, members: Mask, *, between_sd: float = 0.0, level: float = 0.9, seed: int = 3) -> Array:
    pool = totals.usable & ~members
    rng = np.random.default_rng(seed)
    return np.array(compute_interval(totals, members, between_sd=between_sd, pool=pool, levels=[level], rng=rng)[0])


@pytest.mark.parametrize("size", [20, 100, 400])
@pytest.mark.parametrize("kind", ["amount", "event"])
def test_the_interval_holds_the_total_of_a_random_group_as_often_as_it_says(kind: str, size: int) -> None:
    inside = []
    for seed in range(200):
        if kind == "amount":
            totals: Totals = AmountTotals(*_simulate_amounts(1500, seed=seed))
        else:
            totals = EventTotals(*_simulate_events(1500, seed=seed))
        members = _chosen(1500, size, seed=seed)
        lower, upper = _interval(totals, members, seed=seed)
        inside.append(lower <= totals.observed[members].sum() <= upper)
    # 90 in 100, with a Monte Carlo error of 2.1.
    assert 0.84 < np.mean(inside) < 0.96


def test_groups_that_differ_are_held_once_their_spread_is_known() -> None:
    inside: dict[float, list[bool]] = {0.0: [], 0.3: []}
    for seed in range(150):
        projected, observed = _simulate_amounts(1500, seed=seed)
        members = _chosen(1500, 400, seed=seed)
        observed[members] *= np.exp(np.random.default_rng(seed).normal(0, 0.3))
        totals = AmountTotals(projected, observed)
        for sd, held in inside.items():
            lower, upper = _interval(totals, members, between_sd=sd, seed=seed)
            held.append(bool(lower <= observed[members].sum() <= upper))
    assert np.mean(inside[0.0]) < 0.5
    assert 0.82 < np.mean(inside[0.3]) < 0.97


def test_the_interval_of_events_is_that_of_the_exact_distribution() -> None:
    # Many patients leave the calibration certain, so that what is left is the Poisson-binomial distribution.
    risk, observed = _simulate_events(200_000, seed=1)
    members = _chosen(200_000, 60, seed=2)
    exact = np.ones(1)
    for p in risk[members]:
        exact = np.convolve(exact, [1 - p, p])
    distribution = np.cumsum(exact)
    lower, upper = _interval(EventTotals(risk, observed), members)
    assert abs(lower - np.searchsorted(distribution, 0.05)) <= 1
    assert abs(upper - np.searchsorted(distribution, 0.95)) <= 1


def test_the_calibration_of_few_patients_is_less_certain() -> None:
    widths = []
    for n in (300, 30_000):
        risk, observed = _simulate_events(n, seed=4)
        members = _chosen(n, 100, seed=5)
        lower, upper = _interval(EventTotals(risk, observed), members)
        widths.append((upper - lower) / np.sqrt(np.sum(risk[members] * (1 - risk[members]))))
    assert widths[0] > 1.05 * widths[1]


def test_events_are_never_fewer_than_none_nor_more_than_there_are_patients() -> None:
    risk, observed = _simulate_events(500, seed=6)
    totals = EventTotals(np.where(risk > 0.5, 0.999, 0.001), observed)
    members = totals.projected > 0.5
    lower, upper = _interval(totals, members, between_sd=0.5)
    assert upper == members.sum()
    lower, upper = _interval(totals, _chosen(500, 5, seed=1) & ~members, between_sd=0.5)
    assert lower == 0.0


def test_the_interval_is_far_narrower_than_the_sum_of_single_intervals() -> None:
    totals = AmountTotals(*_simulate_amounts(2000, seed=4))
    members = _chosen(2000, 400, seed=4)
    lower, upper = _interval(totals, members, level=0.95)
    assert upper - lower < 0.4 * totals.projected[members].sum()


@pytest.mark.parametrize("kind", [AmountTotals, EventTotals])
def test_the_variance_within_a_group_is_that_of_its_draws(kind: type[AmountTotals] | type[EventTotals]) -> None:
    simulate = _simulate_amounts if kind is AmountTotals else _simulate_events
    totals = kind(*simulate(20_000, seed=9))
    members = _chosen(20_000, 300, seed=9)
    log_ratio, variance = totals.measure(members)
    projected = totals.projected[members].sum()
    assert log_ratio == pytest.approx(np.log(totals.observed[members].sum() / projected))
    draws = [totals.draw(members, pool=totals.usable, rng=np.random.default_rng(seed)) for seed in range(5)]
    assert np.sqrt(variance) == pytest.approx(np.std(draws) / projected, rel=0.06)


def test_patients_whose_amount_was_not_observed_are_projected_with_the_errors_of_others() -> None:
    projected, observed = _simulate_amounts(800, seed=5)
    members = _chosen(800, 80, seed=5)
    observed[members] = np.nan
    lower, upper = _interval(AmountTotals(projected, observed), members)
    assert 0 < lower < projected[members].sum() < upper


def test_nothing_of_the_group_itself_is_drawn_when_it_is_not_in_the_pool() -> None:
    projected, observed = _simulate_amounts(800, seed=5)
    members = projected > np.quantile(projected, 0.9)
    before = _interval(AmountTotals(projected, observed), members)
    after = _interval(AmountTotals(projected, np.where(members, 1e9, observed)), members)
    # Whole twentieths are missing from the pool: everybody else's errors stand in.
    assert before.tolist() == after.tolist()
    assert 0 < before[0] < before[1]


def test_projections_without_error_have_no_interval_to_speak_of() -> None:
    projected = np.random.default_rng(6).lognormal(9, 1, 300)
    totals = AmountTotals(projected, projected)
    everybody = np.ones(300, dtype=bool)
    drawn = totals.draw(everybody, pool=everybody, rng=np.random.default_rng(1))
    assert drawn == pytest.approx(np.full(len(drawn), projected.sum()))


def test_the_same_projection_for_everybody_can_be_summed_too() -> None:
    rng = np.random.default_rng(7)
    members = _chosen(200, 40, seed=1)
    lower, upper = _interval(AmountTotals(np.full(200, 50.0), 50 * rng.lognormal(-0.02, 0.2, 200)), members)
    assert lower < 2000 < upper
    lower, upper = _interval(EventTotals(np.full(200, 0.3), (rng.random(200) < 0.3).astype(float)), members)
    assert 0 < lower < 12 < upper < 40


def test_an_interval_is_that_of_its_random_numbers() -> None:
    totals = AmountTotals(*_simulate_amounts(300, seed=8))
    members = _chosen(300, 50, seed=1)
    first = _interval(totals, members, seed=1).tolist()
    assert first == _interval(totals, members, seed=1).tolist()
    assert first != _interval(totals, members, seed=2).tolist()
