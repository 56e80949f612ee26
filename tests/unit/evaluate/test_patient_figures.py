"""Medians and shares over patients, with intervals that hold what they promise."""

import numpy as np
import pytest

from pipeline.evaluate.patient_figures import summarise_median, summarise_share


def test_the_median_and_its_interval_are_values_that_stand_in_a_table_of_the_sign_test() -> None:
    # Conover, Practical Nonparametric Statistics: n = 20 gives the 6th and the 15th value.
    assert summarise_median(np.arange(1.0, 21.0)[::-1]) == (10.5, 6.0, 15.0)


def test_the_interval_of_the_median_holds_it_in_95_of_100_samples() -> None:
    samples = np.random.default_rng(1).exponential(size=(2000, 101))
    held = [lower <= np.log(2) <= upper for _, lower, upper in map(summarise_median, samples)]
    # Never less than 95% but for the simulation's own error, and at most a little more.
    assert 0.94 <= np.mean(held) <= 0.975


def test_the_share_has_the_interval_of_wilson() -> None:
    chosen = np.arange(100) < 12
    z, p, n = 1.959964, 0.12, 100
    centre, half = (p + z * z / 2 / n), z * np.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
    expected = (p, (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n))
    assert summarise_share(chosen) == pytest.approx(expected)


def test_nobody_has_neither() -> None:
    assert np.isnan(summarise_median(np.array([]))).all()
    assert np.isnan(summarise_share(np.array([], dtype=bool))).all()
