"""Net benefit over a range of thresholds: against dcurves, and where few patients would be told of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from pipeline.evaluate.decision_curves import build_net_benefit_curve, compute_net_benefit, threshold_range
from pipeline.evaluate.scores import Scores
from pipeline.study import Study
from tests import oracles

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dcurves import dca


def simulate(n: int, *, seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    risk = expit(rng.normal(-1, 1, n))
    return Scores((rng.random(n) < risk).astype(float), risk)


def test_the_curve_is_that_of_dcurves() -> None:
    scores, thresholds = simulate(3000, seed=1), np.linspace(0.1, 0.5, 25)
    found = pd.DataFrame(compute_net_benefit(scores, thresholds, seed=1)).set_index(0)
    frame = pd.DataFrame({"event": scores.observed, "risk": scores.said})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = dca(data=frame, outcome="event", modelnames=["risk"], thresholds=thresholds)
    for model, column in (("risk", 1), ("all", 4)):
        curve = expected[expected["model"] == model].sort_values("threshold")
        np.testing.assert_allclose(found[column], curve["net_benefit"], atol=1e-9)
    assert (expected.loc[expected["model"] == "none", "net_benefit"] == 0).all()
    assert ((found[2] < found[1]) & (found[1] < found[3])).all()


def test_the_interval_is_that_of_a_mean_over_patients() -> None:
    scores = simulate(3000, seed=2)
    [(_, value, lower, upper, *_)] = compute_net_benefit(scores, np.array([0.4]), seed=1)
    assert value == pytest.approx(oracles.net_benefit(list(scores.observed), list(scores.said), 0.4))
    own = (scores.said >= 0.4) * np.where(scores.observed == 1, 1, -0.4 / 0.6)
    half = 1.96 * own.std() / np.sqrt(3000)
    assert (lower, upper) == pytest.approx((value - half, value + half), abs=0.15 * half)


def test_a_threshold_that_would_tell_of_few_has_no_net_benefit() -> None:
    scores = simulate(600, seed=3)
    rows = compute_net_benefit(scores, np.linspace(0.01, 0.99, 99), seed=1)
    for threshold, value, *_ in rows:
        flagged = scores.said >= threshold
        cells = [np.sum((flagged == f) & (scores.observed == y)) for f in (True, False) for y in (0, 1)]
        assert np.isnan(value) == (min(cells) < 11)
    assert 0 < np.isnan([row[1] for row in rows]).sum() < 99


def test_the_range_is_the_study_s_or_around_its_thresholds(tiny_study: Study) -> None:
    around = threshold_range(tiny_study, "death")
    assert around is not None
    assert (around[0], around[-1], len(around)) == pytest.approx((0.15, 0.45, 25))
    said = tiny_study.model_copy(update={"net_benefit": {"death": (0.2, 0.8)}})
    own = threshold_range(said, "death")
    assert own is not None
    assert (own[0], own[-1]) == (0.2, 0.8)
    high = threshold_range(tiny_study.model_copy(update={"thresholds": {"death": [0.9]}}), "death")
    assert high is not None
    assert high[-1] == 0.99
    bare = tiny_study.model_copy(update={"thresholds": {}})
    assert threshold_range(bare, "death") is None
    assert build_net_benefit_curve(bare, {}).empty


def test_ours_is_drawn_on_all_and_everybody_who_says_risks_on_those_compared(tiny_study: Study) -> None:
    scores = simulate(800, seed=4)
    nurse = Scores(scores.observed, np.where(np.arange(800) < 100, np.nan, np.clip(scores.said + 0.02, 0, 1)))
    ranks = Scores(scores.observed, 100 * scores.said, only_ranks=True)
    models = {"xgboost": scores, "nurse": nurse, "points": ranks}
    table = build_net_benefit_curve(tiny_study, {"death": models}, scored=np.arange(800) < 600)
    found = table.groupby(["model_id", "population"])["n"].first().to_dict()
    assert found == {
        ("xgboost", "all"): 600,
        ("xgboost", "all_baselines"): 700,
        ("nurse", "all_baselines"): 700,
    }
    assert table.groupby(["model_id", "population"]).size().eq(25).all()
