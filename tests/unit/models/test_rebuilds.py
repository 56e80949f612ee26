"""Rebuilds: whole models on resampled patients, and the features they go by."""

import numpy as np
import numpy.typing as npt
import pytest
import shap
from scipy.special import expit

from pipeline.features import Matrix, build_dmatrix
from pipeline.models.boosting import Boosting, fit_booster
from pipeline.models.link import Link
from pipeline.models.rebuilds import TOP, Rebuilds, rank_features, rebuild
from pipeline.study import Study

Array = npt.NDArray[np.float64]


def _simulate(n: int) -> tuple[Matrix, Array, Array]:
    rng = np.random.default_rng(9)
    age, sex, lactate = rng.uniform(20, 90, n), rng.integers(0, 2, n), rng.uniform(0, 9, n)
    matrix = np.column_stack([age, sex, lactate, rng.integers(0, 3, n)]).astype(np.float32)
    signal = -3 + 0.03 * matrix[:, 0] + 0.2 * matrix[:, 2]
    event = (rng.random(n) < expit(signal)).astype(float)
    return matrix, event, np.exp(8 + signal + rng.normal(0, 0.5, n))


def _rebuild(
    study: Study, n: int, boosting: Boosting, *, link: Link = Link.LOGIT, seed: int = 3, rounds: int = 20
) -> Rebuilds:
    """Rebuilds on `n` patients, of the first 50 of them."""
    matrix, event, amount = _simulate(n)
    observed = event if link is Link.LOGIT else amount
    return rebuild(study, matrix, observed, matrix[:50], link=link, boosting=boosting, rounds=rounds, seed=seed)


def test_rebuilding_on_more_patients_moves_an_estimate_less(tiny_study: Study) -> None:
    # Without drawn columns and rows, only the resampling of patients moves an estimate.
    boosting = Boosting(refits=8, subsample=1.0, colsample_bytree=1.0)
    few, many = (_rebuild(tiny_study, n, boosting, rounds=30).margin.std(axis=0) for n in (300, 5000))
    assert (many > 0).all()
    assert many.mean() < 0.8 * few.mean()


@pytest.mark.parametrize("link", list(Link))
def test_rebuilds_are_on_the_scale_of_the_target_and_one_for_each_refit(tiny_study: Study, link: Link) -> None:
    rebuilds = _rebuild(tiny_study, 600, Boosting(refits=4), link=link)
    assert rebuilds.margin.shape == (4, 50)
    # The tiny study has fewer features than TOP.
    assert rebuilds.top_features.shape == (4, 50, min(TOP, 4))
    assert rebuilds.top_features.dtype == np.uint8
    _, event, amount = _simulate(600)
    mean = event.mean() if link is Link.LOGIT else amount.mean()
    assert link.inverse(rebuilds.margin).mean() == pytest.approx(mean, rel=0.3)
    assert len(np.unique(rebuilds.margin[:, 0])) == 4


def test_every_rebuild_ranks_each_feature_once_and_those_with_an_effect_first(tiny_study: Study) -> None:
    top = _rebuild(tiny_study, 3000, Boosting(refits=3), link=Link.LOG, rounds=30).top_features
    assert (np.sort(top, axis=2) == np.arange(4)).all()
    # The simulation gives age and lactate an effect, sex and ward none.
    assert np.isin(top[:, :, 0], [0, 2]).mean() > 0.95


def test_features_are_ranked_by_shaps_contributions(tiny_study: Study) -> None:
    matrix, event, _ = _simulate(500)
    booster = fit_booster(tiny_study, matrix, event, link=Link.LOGIT, boosting=Boosting(), rounds=20, seed=1)
    found = rank_features(tiny_study, booster, matrix)
    contributions = np.abs(shap.TreeExplainer(booster).shap_values(build_dmatrix(tiny_study, matrix)))
    ranked = np.take_along_axis(contributions, found.astype(int), axis=1)
    assert (np.diff(ranked, axis=1) <= 1e-6).all()


@pytest.mark.parametrize("link", list(Link))
def test_rebuilds_are_the_same_for_the_same_seed(tiny_study: Study, link: Link) -> None:
    boosting = Boosting(refits=3)
    first, again, other = (_rebuild(tiny_study, 300, boosting, link=link, seed=seed, rounds=10) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.margin, again.margin)
    np.testing.assert_array_equal(first.top_features, again.top_features)
    assert (other.margin != first.margin).all()


@pytest.mark.parametrize("events", [3, 6])
def test_a_model_can_be_rebuilt_where_events_are_few(tiny_study: Study, events: int) -> None:
    # A resample then often leaves out patients of one class only.
    matrix, _, _ = _simulate(120)
    event = np.zeros(120)
    event[:events] = 1
    boosting = Boosting(refits=20)
    rebuilds = rebuild(tiny_study, matrix, event, matrix, link=Link.LOGIT, boosting=boosting, rounds=3, seed=1)
    assert np.isfinite(rebuilds.margin).all()


def test_only_the_first_rebuilds_are_ranked_and_an_amount_has_no_others(tiny_study: Study) -> None:
    boosting = Boosting(refits=4, ranked_refits=2)
    risk, amount = (_rebuild(tiny_study, 300, boosting, link=link, rounds=10) for link in (Link.LOGIT, Link.LOG))
    assert (risk.margin.shape, risk.top_features.shape) == ((4, 50), (2, 50, 4))
    assert (amount.margin.shape, amount.top_features.shape) == ((2, 50), (2, 50, 4))
    every = _rebuild(tiny_study, 300, Boosting(refits=4), rounds=10)
    np.testing.assert_array_equal(risk.margin, every.margin)
    np.testing.assert_array_equal(risk.top_features, every.top_features[:2])


def test_a_quick_build_has_no_rebuilds(tiny_study: Study) -> None:
    none = _rebuild(tiny_study, 100, Boosting(refits=0))
    assert none.margin.shape == (0, 50)
    assert none.top_features.shape == (0, 50, 4)
