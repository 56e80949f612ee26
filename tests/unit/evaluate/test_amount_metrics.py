"""Measures of amounts: against loops, against scikit-learn, and where they have no meaning."""

import math

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import metrics as sklearn_metrics

from pipeline.evaluate import amount_metrics
from pipeline.evaluate.amount_metrics import OVERALL, Predicted
from pipeline.store.tables import METRICS
from tests import oracles

Array = npt.NDArray[np.float64]


def _predicted(estimate: Array) -> Predicted:
    bounds = np.column_stack([estimate * factor for factor in (0.5, 2.0, 0.25, 4.0)])
    return Predicted(estimate=estimate, log_prediction=np.log(estimate) - 0.1, bounds=bounds)


def _all(observed: object, estimate: object) -> dict[str, float]:
    y, p = np.asarray(observed, dtype=np.float64), _predicted(np.asarray(estimate, dtype=np.float64))
    return {name: float(metric(y, p, np.ones((1, len(y))))[0]) for name, metric in OVERALL.items()}


def _simulate(n: int, *, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    estimate = rng.lognormal(10, 1, n)
    return estimate * rng.lognormal(0, 0.7, n), estimate


def test_four_patients_by_hand() -> None:
    found = _all([100, 200, 300, 400], [150, 150, 350, 1700])
    assert found["mae"] == pytest.approx((50 + 50 + 50 + 1300) / 4)
    assert found["predictive_ratio"] == pytest.approx(2350 / 1000)
    assert found["observed_mean"] == 250
    assert found["predicted_mean"] == pytest.approx(587.5)
    # Squared errors 3 × 2,500 + 1,690,000; squared distances from the mean 50,000.
    assert found["r2"] == pytest.approx(1 - 1_697_500 / 50_000)
    # The last is below half and a quarter of its estimate: 400 < 425 < 850.
    assert found["interval_coverage_80"] == 0.75
    assert found["interval_coverage_90"] == 0.75


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_explained_variance_and_error_agree_with_loops_and_with_scikit_learn(seed: int) -> None:
    observed, estimate = _simulate(300, seed=seed)
    found = _all(observed, estimate)
    assert found["r2"] == pytest.approx(oracles.r2(observed, estimate))
    assert found["r2"] == pytest.approx(sklearn_metrics.r2_score(observed, estimate))
    assert found["r2_log"] == pytest.approx(sklearn_metrics.r2_score(np.log(observed), np.log(estimate) - 0.1))
    assert found["mae"] == pytest.approx(oracles.mae(observed, estimate))
    assert found["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(observed, estimate))


def test_an_amount_on_a_bound_is_inside() -> None:
    found = _all([50, 200, 49.9, 25, 400.1], [100.0] * 5)
    assert found["interval_coverage_80"] == pytest.approx(2 / 5)
    assert found["interval_coverage_90"] == pytest.approx(4 / 5)


def test_predicting_the_mean_for_everybody_explains_nothing() -> None:
    observed = np.array([10.0, 20.0, 60.0])
    assert _all(observed, np.full(3, observed.mean()))["r2"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("observed", [[5.0], [0.1, 0.1, 0.1], [123.45] * 6, [1e7 + 0.1] * 7])
def test_of_amounts_that_never_vary_nothing_can_be_explained(observed: list[float]) -> None:
    found = _all(observed, np.linspace(80, 120, len(observed)))
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined == {"r2", "r2_log"}


def test_a_resample_of_one_patient_over_and_over_explains_nothing_either() -> None:
    observed, predicted = np.array([0.1, 0.7, 2.3]), _predicted(np.array([0.2, 0.6, 2.0]))
    draws = np.array([[3.0, 0, 0], [0, 3, 0], [0, 0, 3]])
    assert np.isnan(amount_metrics.r2(observed, predicted, draws)).all()
    assert np.isnan(amount_metrics.r2_log(observed, predicted, draws)).all()


@pytest.mark.parametrize("name", list(OVERALL))
def test_a_weight_counts_as_so_many_copies_of_the_patient(name: str) -> None:
    observed, estimate = _simulate(80, seed=7)
    draws = np.random.default_rng(1).multinomial(80, np.full(80, 1 / 80), size=20)
    found = OVERALL[name](observed, _predicted(estimate), draws.astype(np.float64))
    copies = [_all(np.repeat(observed, draw), np.repeat(estimate, draw))[name] for draw in draws]
    np.testing.assert_allclose(found, copies, rtol=1e-9)


def test_choosing_patients_chooses_all_that_was_predicted_for_them() -> None:
    chosen = _predicted(np.array([1.0, 2.0, 3.0]))[np.array([True, False, True])]
    assert chosen.estimate.tolist() == [1, 3]
    assert chosen.log_prediction.tolist() == pytest.approx([math.log(1) - 0.1, math.log(3) - 0.1])
    assert chosen.bounds[:, 1].tolist() == [2, 6]


def test_every_measure_is_documented() -> None:
    assert set(OVERALL) <= set(METRICS)
