"""Affine recalibration: it finds the line that was used to simulate, and makes totals right."""

import numpy as np
import pytest
from scipy.special import expit

from pipeline.models.link import Link
from pipeline.models.recalibration import Recalibration, fit_recalibration
from tests import oracles


def test_it_recovers_the_intercept_and_slope_of_simulated_events() -> None:
    rng = np.random.default_rng(1)
    margin = rng.normal(-0.5, 1.2, 200_000)
    events = (rng.random(len(margin)) < expit(0.4 + 0.7 * margin)).astype(float)
    found = fit_recalibration(margin, events, link=Link.LOGIT)
    # The standard errors are about 0.006 and 0.006.
    assert found.intercept == pytest.approx(0.4, abs=0.025)
    assert found.slope == pytest.approx(0.7, abs=0.025)


def test_it_agrees_with_a_general_optimiser() -> None:
    rng = np.random.default_rng(2)
    margin = rng.normal(20, 3, 400)
    events = (rng.random(400) < expit(0.5 * (margin - 20))).astype(float)
    # The oracle regresses on the logit of a risk; centred margins keep those risks inside 0 and 1.
    intercept, slope = oracles.calibration_line(events, expit(margin - 20))
    found = fit_recalibration(margin, events, link=Link.LOGIT)
    assert found.slope == pytest.approx(slope, rel=1e-5)
    assert found.intercept == pytest.approx(intercept - 20 * slope, rel=1e-5)


def test_expected_events_equal_observed_ones_after_it() -> None:
    rng = np.random.default_rng(3)
    margin = rng.normal(size=500)
    events = (rng.random(500) < 0.2).astype(float)
    found = fit_recalibration(margin, events, link=Link.LOGIT)
    assert Link.LOGIT.inverse(found.apply(margin)).sum() == pytest.approx(events.sum())


def test_it_recovers_the_line_of_simulated_amounts() -> None:
    rng = np.random.default_rng(4)
    margin = rng.normal(9, 0.8, 100_000)
    amounts = np.exp(1.2 + 0.9 * margin) * rng.gamma(2.0, 0.5, len(margin))
    found = fit_recalibration(margin, amounts, link=Link.LOG)
    assert found.slope == pytest.approx(0.9, abs=0.02)
    assert np.exp(found.intercept + found.slope * 9) == pytest.approx(np.exp(1.2 + 0.9 * 9), rel=0.02)


@pytest.mark.parametrize("unit", [1.0, 1e6, 1e-3])
def test_predicted_totals_equal_observed_ones_after_it_in_any_unit(unit: float) -> None:
    rng = np.random.default_rng(5)
    margin = rng.normal(8, 1, 700)
    amounts = unit * np.exp(margin + rng.normal(0.3, 1.0, 700))
    found = fit_recalibration(margin, amounts, link=Link.LOG)
    predicted = Link.LOG.inverse(found.apply(margin))
    assert predicted.sum() == pytest.approx(amounts.sum(), rel=1e-6)
    # The second score equation of a Poisson regression.
    assert (predicted * margin).sum() == pytest.approx((amounts * margin).sum(), rel=1e-6)


def test_a_margin_that_never_varies_gives_the_mean() -> None:
    events = np.array([1.0, 0.0, 0.0, 0.0])
    found = fit_recalibration(np.full(4, 2.0), events, link=Link.LOGIT)
    assert Link.LOGIT.inverse(found.apply(np.array([2.0])))[0] == pytest.approx(0.25)


def test_applying_it_is_a_straight_line() -> None:
    assert Recalibration(0.5, 2.0).apply(np.array([0.0, 1.0, -1.0])).tolist() == [0.5, 2.5, -1.5]
