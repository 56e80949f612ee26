"""The smooth calibration curve: against a known truth, and where there is none to draw."""

import numpy as np
import pytest
from scipy.special import expit, logit

from pipeline.evaluate.scores import Scores
from pipeline.evaluate.smooth_calibration import build_calibration_smooth, smooth_calibration
from pipeline.study import Study
from tests import oracles


def simulate(n: int, *, seed: int, slope: float = 1.0, curve: float = 0.0) -> Scores:
    rng = np.random.default_rng(seed)
    line = rng.normal(-0.5, 1.2, n)
    true = expit(slope * line + curve * line**2)
    return Scores((rng.random(n) < true).astype(float), expit(line))


@pytest.mark.parametrize(("slope", "curve"), [(1.0, 0.0), (0.6, 0.0), (1.0, 0.25)])
def test_the_band_holds_the_true_curve(slope: float, curve: float) -> None:
    covered = []
    for seed in range(60):
        points = np.array(smooth_calibration(simulate(3000, seed=seed, slope=slope, curve=curve)))
        line = logit(points[:, 0])
        true = expit(slope * line + curve * line**2)
        covered.append(np.mean((points[:, 2] <= true) & (true <= points[:, 3])))
    assert 0.90 < np.mean(covered) < 0.99


def test_a_straight_truth_is_the_line_of_calibration() -> None:
    scores = simulate(40_000, seed=1, slope=0.7)
    points = np.array(smooth_calibration(scores))
    intercept, slope = oracles.calibration_line(scores.observed, scores.said)
    np.testing.assert_allclose(points[:, 1], expit(intercept + slope * logit(points[:, 0])), atol=0.02)


def test_it_ends_where_a_hundredth_or_eleven_patients_lie_beyond() -> None:
    for n in (5000, 300):
        scores = simulate(n, seed=2)
        points = np.array(smooth_calibration(scores))
        assert len(points) == 50
        assert (scores.said < points[0, 0]).sum() >= max(n // 100, 11) - 1
        assert (scores.said > points[-1, 0]).sum() >= max(n // 100, 11) - 1
        assert ((points[:, 2] < points[:, 1]) & (points[:, 1] < points[:, 3])).all()


def test_risks_of_zero_and_one_and_few_different_ones_are_no_error() -> None:
    rng = np.random.default_rng(3)
    tens = rng.integers(0, 11, 2000) / 10
    points = np.array(smooth_calibration(Scores((rng.random(2000) < tens).astype(float), tens)))
    assert np.isfinite(points).all()
    assert smooth_calibration(Scores((rng.random(100) < 0.3).astype(float), np.full(100, 0.3))) == []


def test_few_events_have_no_curve(tiny_study: Study) -> None:
    scores = simulate(500, seed=4)
    few = Scores(np.where(np.cumsum(scores.observed) > 10, 0.0, scores.observed), scores.said)
    assert build_calibration_smooth(tiny_study, {"death": {"xgboost": few}}).empty
    table = build_calibration_smooth(tiny_study, {"death": {"xgboost": scores}})
    assert set(table["n"]) == {500}
    assert table["observed"].between(0, 1).all()
