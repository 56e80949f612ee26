"""What boosting minimises."""

import numpy as np
import pytest
import xgboost as xgb
from scipy.stats import gamma
from sklearn.metrics import log_loss as sklearn_log_loss

from pipeline.models.link import Link
from pipeline.models.loss import amount_gradient, amount_loss, log_loss, loss_of


def test_the_loss_of_an_event_is_its_negative_log_likelihood() -> None:
    margin = np.array([-2.0, 0.3, 1.7, -0.4])
    event = np.array([0.0, 1.0, 0.0, 1.0])
    assert log_loss(event, margin) == pytest.approx(sklearn_log_loss(event, Link.LOGIT.inverse(margin)))
    assert log_loss(np.array([1.0]), np.array([-800.0])) == pytest.approx(800)


def test_events_are_fitted_by_the_objective_of_xgboost_itself() -> None:
    loss = loss_of(Link.LOGIT)
    assert (loss.objective, loss.gradient) == ("binary:logistic", None)


def test_the_loss_of_an_amount_is_half_squared_log_error_and_half_gamma_deviance() -> None:
    label, margin = np.array([3.0, 5.0]), np.array([3.5, 4.0])
    squared = (label - margin) ** 2 / 2
    # The log likelihood of a gamma distribution of shape 1, less that of a perfect fit.
    best = gamma.logpdf(np.exp(label), 1, scale=np.exp(label))
    deviance = best - gamma.logpdf(np.exp(label), 1, scale=np.exp(margin))
    assert amount_loss(label, margin) == pytest.approx(float(np.mean((squared + deviance) / 2)))


def test_an_amount_that_is_fitted_exactly_costs_nothing() -> None:
    assert amount_loss(np.array([2.0, 9.0]), np.array([2.0, 9.0])) == 0


@pytest.mark.parametrize("surprise", [-6.0, -2.0, -0.3, 0.0, 0.4, 2.5, 3.9])
def test_the_gradient_is_the_slope_of_the_loss(surprise: float) -> None:
    label, margin, step = np.array([7.0]), np.array([7.0 - surprise]), 1e-5
    slope = (amount_loss(label, margin + step) - amount_loss(label, margin - step)) / (2 * step)
    gradient, _ = amount_gradient(margin.astype(np.float32), xgb.DMatrix(np.zeros((1, 1)), label=label))
    assert gradient[0] == pytest.approx(slope, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("surprise", [-1.5, -0.3, 0.0, 0.4, 2.5, 3.9])
def test_the_curvature_is_the_slope_of_the_gradient(surprise: float) -> None:
    data, step = xgb.DMatrix(np.zeros((1, 1)), label=[7.0]), 2**-8
    margin = np.array([7.0 - surprise])
    above, below = (amount_gradient((margin + d).astype(np.float32), data)[0][0] for d in (step, -step))
    curvature = amount_gradient(margin.astype(np.float32), data)[1][0]
    assert curvature == pytest.approx((above - below) / (2 * step), rel=1e-3)


@pytest.mark.parametrize("surprise", [-30.0, 4.5, 30.0])
def test_far_from_the_label_curvature_stays_positive_and_the_pull_bounded(surprise: float) -> None:
    gradient, curvature = amount_gradient(
        np.array([7.0 - surprise], dtype=np.float32), xgb.DMatrix(np.zeros((1, 1)), label=[7.0])
    )
    assert curvature[0] > 0
    assert np.sign(gradient[0]) == -np.sign(surprise)
    assert abs(gradient[0]) <= 0.5 * np.exp(4) + 0.5 * abs(surprise)
