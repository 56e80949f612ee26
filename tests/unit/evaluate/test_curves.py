"""What plots need."""

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluate.curves import (
    build_amount_curve,
    build_calibration_curve,
    build_risk_distribution,
    tenths_of,
)


def test_tenths_are_by_rank_and_equal_in_size() -> None:
    values = np.random.default_rng(1).normal(size=237)
    tenths = tenths_of(values)
    assert set(np.bincount(tenths)[1:]) == {23, 24}
    for t in range(1, 10):
        assert values[tenths == t].max() < values[tenths == t + 1].min()


@pytest.mark.parametrize("n", [1, 3, 10, 11])
def test_tenths_of_a_few_stay_between_one_and_ten(n: int) -> None:
    tenths = tenths_of(np.arange(n, dtype=float))
    assert tenths.min() == 1
    assert tenths.max() <= 10
    assert (np.diff(tenths) >= 0).all()


def test_ties_stay_in_the_order_of_the_rows() -> None:
    assert tenths_of(np.zeros(10)).tolist() == list(range(1, 11))


def test_a_calibration_curve_of_many_has_ten_bins_with_exact_intervals() -> None:
    rng = np.random.default_rng(2)
    risk = rng.uniform(0.2, 0.8, 2000)
    events = (rng.random(2000) < risk).astype(float)
    curve = build_calibration_curve(events, risk)
    assert curve["bin"].tolist() == list(range(1, 11))
    assert curve["n"].sum() == 2000
    assert curve["n_events"].sum() == events.sum()
    order = np.argsort(risk)
    for i, row in enumerate(curve.itertuples()):
        own = order[i * 200 : (i + 1) * 200]
        assert row.predicted == pytest.approx(risk[own].mean())
        assert row.observed == pytest.approx(events[own].mean())
        exact = binomtest(int(events[own].sum()), 200).proportion_ci(method="exact")
        assert (row.lower, row.upper) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize("n", [30, 120, 500, 1500])
@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_no_bin_tells_of_fewer_than_eleven_events_or_non_events_where_there_are_so_many(n: int, rate: float) -> None:
    rng = np.random.default_rng(n)
    risk = rng.beta(2 * rate, 2 * (1 - rate), n)
    events = (rng.random(n) < risk).astype(float)
    curve = build_calibration_curve(events, risk)
    assert curve["n"].sum() == n
    assert curve["n_events"].sum() == events.sum()
    assert curve["predicted"].is_monotonic_increasing
    if len(curve) > 1:
        assert curve["n_events"].min() >= 11
        assert (curve["n"] - curve["n_events"]).min() >= 11


def test_nobody_gives_an_empty_curve() -> None:
    assert build_calibration_curve(np.array([]), np.array([])).empty


@pytest.mark.parametrize("event", [0.0, 1.0])
def test_one_class_gives_one_bin_whose_interval_ends_at_none_or_all(event: float) -> None:
    curve = build_calibration_curve(np.full(40, event), np.linspace(0.1, 0.9, 40))
    assert len(curve) == 1
    assert curve["observed"][0] == event
    exact = binomtest(int(40 * event), 40).proportion_ci(method="exact")
    assert (curve["lower"][0], curve["upper"][0]) == pytest.approx((exact.low, exact.high))


def test_an_amount_curve_has_the_mean_of_each_tenth() -> None:
    rng = np.random.default_rng(3)
    predicted = rng.lognormal(9, 1, 500)
    observed = predicted * rng.lognormal(0, 0.6, 500)
    curve = build_amount_curve(observed, predicted, seed=1)
    order = np.argsort(predicted)
    for i, row in enumerate(curve.itertuples()):
        own = order[i * 50 : (i + 1) * 50]
        assert row.predicted == pytest.approx(predicted[own].mean())
        assert row.observed == pytest.approx(observed[own].mean())
        standard_error = observed[own].std(ddof=1) / np.sqrt(50)
        assert row.lower == pytest.approx(row.observed - 1.96 * standard_error, rel=0.15)
        assert row.upper == pytest.approx(row.observed + 1.96 * standard_error, rel=0.15)
    assert curve["tenth"].tolist() == list(range(1, 11))
    assert curve["n"].tolist() == [50] * 10


def test_the_distribution_of_risks_counts_everybody_once() -> None:
    risk = np.array([0.0, 0.04, 0.05, 0.5, 0.97, 1.0])
    table = build_risk_distribution(np.array([0.0, 1, 0, 1, 1, 1]), risk)
    assert len(table) == 20
    assert table["n_event"].sum() == 4
    assert table["n_no_event"].sum() == 2
    first, second, last = table.iloc[0], table.iloc[1], table.iloc[-1]
    assert (first["n_event"], first["n_no_event"]) == (1, 1)
    assert (second["n_event"], second["n_no_event"]) == (0, 1)
    assert (last["n_event"], last["n_no_event"]) == (2, 0)
    assert table["bin_low"][1:].tolist() == table["bin_high"][:-1].tolist()
